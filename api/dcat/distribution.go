package dcat

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"calanque/geo"
	"calanque/geo/catalogue"
)

// distributed tells whether the dataset has any distribution.
func (b *builder) distributed() bool {
	return len(b.e.Layers) > 0 || slices.ContainsFunc(b.e.Resources, func(r catalogue.Resource) bool {
		return r.Kind == catalogue.FileResource || r.Kind == catalogue.Reference || r.Kind == catalogue.Service
	})
}

// distributions are the ways to the data: the layers that the hub serves, the
// files that it keeps, and what is elsewhere.
func (b *builder) distributions(dataset string) []*node {
	var list []*node
	for i := range b.e.Layers {
		list = append(list, b.layer(dataset, &b.e.Layers[i])...)
	}
	if b.e.Received != nil {
		list = append(list, b.received(b.e.Received))
	}
	for i := range b.e.Resources {
		r := &b.e.Resources[i]
		switch r.Kind {
		case catalogue.FileResource:
			list = append(list, b.file(r))
		case catalogue.Reference:
			list = append(list, b.reference(r))
		case catalogue.Service:
			list = append(list, b.service(dataset, r))
		}
	}
	return list
}

// layerFormats are the files that the hub writes of a layer.
func layerFormats(l *catalogue.Layer) []string {
	if l.Geometry == geo.None {
		return []string{"csv", "gpkg"}
	}
	return []string{"csv", "geojson", "gpkg"}
}

// distribution begins one; kind is what follows its title in brackets.
func (b *builder) distribution(name string, title geo.Text, kind string) *node {
	if kind != "" {
		named := geo.Text{}
		for lang, s := range title {
			if s != "" {
				named[lang] = s + " (" + kind + ")"
			}
		}
		title = named
	}
	n := thing(b.page+"#"+name, "dcat:Distribution").
		literal("dct:identifier", b.e.Identifier+"/"+name, "").
		text("dct:title", title).
		add("dct:license", b.licence)
	return b.legal(n, "")
}

// layer is what the hub makes of a published layer: files, features by OGC API
// and, where there is geometry, tiles.
func (b *builder) layer(dataset string, l *catalogue.Layer) []*node {
	title := orText(l.Title, l.Name)
	names := map[string]string{"csv": "CSV", "geojson": "GeoJSON", "gpkg": "GeoPackage"}
	var list []*node
	for _, f := range layerFormats(l) {
		list = append(list, b.distribution("layer-"+l.Name+"."+f, title, names[f]).
			link("dcat:accessURL", b.page).
			link("dcat:downloadURL", b.site.downloadURL(b.e.Slug, l.Name, f)).
			format(f, "").
			moment("dct:modified", b.e.DeliveredAt))
	}
	features := b.distribution("api-"+l.Name, title, "OGC API – Features").
		link("dcat:accessURL", b.site.Base+"/api/collections/"+url.PathEscape(l.Name)).
		format("geojson", "")
	list = append(list, b.featureService(features, dataset))
	if l.Geometry != geo.None {
		tiles := b.dataService("tiles-"+l.Name, dataset, title, "MVT", b.site.Base+"/tiles/"+url.PathEscape(l.Name)+".json")
		list = append(list, b.distribution("vector-"+l.Name, title, "MVT").
			link("dcat:accessURL", b.site.Base+"/tiles/"+url.PathEscape(l.Name)+".json").
			format("mvt", "").
			add("dcat:accessService", tiles))
	}
	return list
}

// featureService says that a distribution is had by the hub's OGC API, which
// is described once for all layers of a dataset.
func (b *builder) featureService(n *node, dataset string) *node {
	if b.api != "" {
		return n.link("dcat:accessService", b.api)
	}
	api := b.dataService("api", dataset, orText(b.e.Title, b.e.Slug), "OGC API – Features", b.site.Base+"/api").
		link("dcat:endpointDescription", b.site.Base+"/api/api").
		add("dct:conformsTo", shared(standards["ogc-api"], "dct:Standard"))
	b.api = api.iri
	return n.add("dcat:accessService", api)
}

// dataService is a service that gives the dataset; kind follows its title in
// brackets.
func (b *builder) dataService(name, dataset string, title geo.Text, kind, endpoint string) *node {
	named := geo.Text{}
	for lang, s := range title {
		if s != "" {
			named[lang] = s + " (" + kind + ")"
		}
	}
	iri := b.page + "#" + name
	n := thing(iri, "dcat:DataService").
		text("dct:title", named).
		link("dcat:endpointURL", endpoint).
		link("dcat:servesDataset", dataset).
		add("dcat:contactPoint", b.contact()).
		add("dct:license", b.licence).
		add("foaf:page", local(b.page, "foaf:Document"))
	return b.legal(n, "dcatap:hvdCategory")
}

// received is the file as its producer gave it.
func (b *builder) received(r *catalogue.Received) *node {
	format := strings.ToLower(strings.TrimPrefix(path.Ext(r.Name), "."))
	return b.distribution("received", geo.Text{"fr": r.Name}, "").
		link("dcat:accessURL", b.page).
		link("dcat:downloadURL", b.page+"/telechargements/fichier-recu").
		format(format, r.MediaType).
		number("dcat:byteSize", r.Bytes).
		add("spdx:checksum", checksum(r.SHA256)).
		moment("dct:modified", &r.At)
}

func (b *builder) file(r *catalogue.Resource) *node {
	n := b.distribution("resource-"+r.Name, orText(r.Title, r.Name), "").
		text("dct:description", r.Description).
		link("dcat:accessURL", b.page).
		link("dcat:downloadURL", b.address(r)).
		format(r.Format, r.MediaType).
		moment("dct:modified", &r.UpdatedAt)
	if r.Bytes > 0 {
		n.number("dcat:byteSize", r.Bytes)
	}
	if len(r.SHA256) > 0 {
		n.add("spdx:checksum", checksum(r.SHA256))
	}
	return n
}

// reference is something elsewhere: a file when its format is one.
func (b *builder) reference(r *catalogue.Resource) *node {
	n := b.distribution("resource-"+r.Name, orText(r.Title, r.Name), "").
		text("dct:description", r.Description).
		link("dcat:accessURL", r.URL)
	if isFile(strings.ToLower(r.Format)) {
		n.link("dcat:downloadURL", r.URL)
	}
	if r.Bytes > 0 {
		n.number("dcat:byteSize", r.Bytes)
	}
	return n.format(r.Format, "").moment("dct:modified", &r.UpdatedAt)
}

// service is somebody else's service. Its endpoint is its address without the
// question; a question for its capabilities is its description.
func (b *builder) service(dataset string, r *catalogue.Resource) *node {
	endpoint, question, _ := strings.Cut(r.URL, "?")
	format := strings.ToLower(r.Format)
	title := orText(r.Title, r.Name)
	s := b.dataService("service-"+r.Name, dataset, title, strings.ToUpper(orText(nil, r.Format, "API")["fr"]), endpoint)
	if strings.Contains(strings.ToLower(question), "request=getcapabilities") {
		s.link("dcat:endpointDescription", r.URL)
	}
	if iri := standards[format]; iri != "" {
		s.add("dct:conformsTo", shared(iri, "dct:Standard"))
	}
	return b.distribution("resource-"+r.Name, title, "").
		text("dct:description", r.Description).
		link("dcat:accessURL", r.URL).
		format(format, "").
		add("dcat:accessService", s)
}
