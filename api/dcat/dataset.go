package dcat

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"calanque/geo"
	"calanque/geo/catalogue"
)

// PageURL is the address of a dataset's page.
func (s *Site) PageURL(slug string) string { return s.Base + "/donnees/" + slug }

func (s *Site) fileURL(slug, name string) string { return s.PageURL(slug) + "/fichiers/" + name }

func (s *Site) downloadURL(slug, layer, format string) string {
	return s.PageURL(slug) + "/telechargements/" + layer + "." + format
}

// Dataset writes a dataset with its distributions, services and documents.
func (w *Writer) Dataset(e *catalogue.Entry) error {
	b := &builder{Writer: w, e: e, page: w.site.PageURL(e.Slug)}
	d := b.dataset()
	if w.inCatalogue {
		w.put(thing(w.site.catalogueIRI()).link("dcat:dataset", d.iri))
	}
	w.put(d)
	return w.err
}

// A builder makes the nodes of one dataset.
type builder struct {
	*Writer
	e       *catalogue.Entry
	page    string
	licence *node
	api     string // its service of OGC API, once said
	// highValue is whether the annex on high-value datasets holds: it asks for
	// a distribution, so what is only flagged has no part in it.
	highValue bool
}

func (b *builder) dataset() *node {
	e := b.e
	b.licence = b.licenceNode(true)
	b.highValue = e.HighValue != "" && b.distributed()
	d := thing(b.page+"#dataset", "dcat:Dataset").
		literal("dct:identifier", e.Identifier, "").
		text("dct:title", orText(e.Title, e.Slug)).
		text("dct:description", orText(e.Description, e.Title.In("fr"), e.Slug)).
		text("skos:scopeNote", e.Limits).
		add("dcat:landingPage", local(b.page, "foaf:Document")).
		add("dct:publisher", b.publisher()).
		add("dcat:contactPoint", b.contact()).
		add("dct:language", language("FRA")).
		add("dct:accessRights", concept("access-right", "PUBLIC", "dct:RightsStatement")).
		add("dct:license", b.licenceNode(false))
	b.dates(d)
	b.subjects(d)
	b.coverage(d)
	b.legal(d, "dcatap:hvdCategory")
	b.documents(d)
	for _, dist := range b.distributions(d.iri) {
		d.add("dcat:distribution", dist)
	}
	return d
}

func (b *builder) dates(d *node) {
	e := b.e
	if e.IssuedAt != nil {
		d.day("dct:issued", e.IssuedAt)
	} else {
		d.moment("dct:issued", &e.Since)
	}
	if e.DeliveredAt != nil {
		d.moment("dct:modified", e.DeliveredAt)
	} else {
		d.moment("dct:modified", &e.UpdatedAt)
	}
	if f, ok := geo.FindFrequency(e.Frequency); ok {
		d.add("dct:accrualPeriodicity", concept("frequency", f.EU, "dct:Frequency"))
	}
}

// subjects says themes and keywords. The portal's own themes are keywords:
// those of the European portals are coarser.
func (b *builder) subjects(d *node) {
	words := b.e.Keywords
	var codes []string
	for _, id := range b.e.Topics {
		t, ok := b.about.Topics[id]
		if !ok {
			continue
		}
		words = append(slices.Clone(words), t.Title)
		if !slices.Contains(codes, t.EU) && dataThemes[t.EU] != nil {
			codes = append(codes, t.EU)
			d.add("dcat:theme", theme(t.EU))
		}
	}
	if b.highValue {
		d.add("dcat:theme", highValueCategory(b.e.HighValue)) // where udata looks for it
	}
	seen := map[string]bool{}
	for _, word := range words {
		for _, lang := range []string{"fr", "en", "it"} {
			if s := strings.TrimSpace(word[lang]); s != "" && !seen[lang+s] {
				seen[lang+s] = true
				d.text("dcat:keyword", geo.Text{lang: s})
			}
		}
	}
}

func (b *builder) coverage(d *node) {
	e := b.e
	if e.Extent != nil && !e.Extent.Empty() {
		d.add("dct:spatial", (&node{types: []string{"dct:Location"}}).literal("dcat:bbox", wkt(*e.Extent), "geosparql:wktLiteral"))
	}
	for _, code := range e.Territory {
		d.add("dct:spatial", place(code))
	}
	if e.TemporalStart != nil || e.TemporalEnd != nil {
		d.add("dct:temporal", (&node{types: []string{"dct:PeriodOfTime"}}).day("dcat:startDate", e.TemporalStart).day("dcat:endDate", e.TemporalEnd))
	}
}

// wkt writes a box in CRS84 (lon, lat) as a polygon. One without area is
// widened to some ten metres: readers refuse a polygon that is a point.
func wkt(b geo.Box) string {
	const least = 1e-4
	if b.MaxX-b.MinX < least {
		b.MinX, b.MaxX = b.MinX-least/2, b.MaxX+least/2
	}
	if b.MaxY-b.MinY < least {
		b.MinY, b.MaxY = b.MinY-least/2, b.MaxY+least/2
	}
	return fmt.Sprintf("POLYGON((%[1]s %[2]s, %[3]s %[2]s, %[3]s %[4]s, %[1]s %[4]s, %[1]s %[2]s))",
		degrees(b.MinX), degrees(b.MinY), degrees(b.MaxX), degrees(b.MaxY))
}

func degrees(v float64) string {
	s := strings.TrimRight(fmt.Sprintf("%.6f", v), "0")
	return strings.TrimSuffix(s, ".")
}

// legal says that the law on high-value datasets applies; category names the
// property of the category, "" where the annex asks for none.
func (b *builder) legal(n *node, category string) *node {
	if !b.highValue {
		return n
	}
	n.add("dcatap:applicableLegislation", shared(highValueLaw, "eli:LegalResource"))
	if category != "" {
		n.add(category, highValueCategory(b.e.HighValue))
	}
	return n
}

func (b *builder) publisher() *node {
	p := b.about.Producers[b.e.Producer]
	n := shared(b.site.Base+"/producteurs/"+b.e.Producer+"#organisation", "foaf:Agent").
		text("foaf:name", orText(p.Title, b.e.Producer)).
		link("foaf:homepage", p.Contact["url"])
	if mail := mailbox(p.Contact["email"]); mail != "" {
		n.link("foaf:mbox", mail)
	}
	if p.SIRET != "" {
		n.literal("dct:identifier", p.SIRET, "")
	}
	if t, ok := publisherTypes[p.Kind]; ok {
		const scheme = "http://purl.org/adms/publishertype/"
		n.add("dct:type", shared(scheme+t.code, "skos:Concept").text("skos:prefLabel", t.label).
			add("skos:inScheme", shared(scheme+"1.0", "skos:ConceptScheme").literal("dct:title", "ADMS publisher type", "")))
	}
	return n
}

// contact is the dataset's own, else its producer's. Who left neither address
// can be written to through the dataset's page.
func (b *builder) contact() *node {
	p := b.about.Producers[b.e.Producer]
	c, n := p.Contact, shared(b.site.Base+"/producteurs/"+b.e.Producer+"#contact", "vcard:Kind", "vcard:Organization")
	own := local(b.page+"#contact", n.types...)
	if len(b.e.Contact) > 0 {
		c, n = b.e.Contact, own
	}
	mail, page := mailbox(c["email"]), c["url"]
	if mail == "" && page == "" {
		page, n = b.site.Base+"/signaler?jeu="+b.e.Slug, own
	}
	name := c["name"]
	if name == "" {
		name = p.Title.In("fr")
	}
	if name == "" {
		name = b.e.Producer
	}
	return n.literal("vcard:fn", name, "").link("vcard:hasEmail", mail).link("vcard:hasURL", page)
}

// mailbox makes the address of an e-mail; "" when it is none.
func mailbox(s string) string {
	name, host, ok := strings.Cut(strings.TrimSpace(s), "@")
	if !ok || name == "" || host == "" || strings.ContainsAny(s, " \t\r\n<>\",;:?&#%") {
		return ""
	}
	return "mailto:" + name + "@" + host
}

// licenceNode is the dataset's licence: by its European concept, which
// distributions are to name, or by the address of its text, which readers
// compare with the licences they know.
func (b *builder) licenceNode(european bool) *node {
	l, ok := b.about.Licences[b.e.Licence]
	if !ok {
		return nil
	}
	eu := l.EU
	if code := knownLicences[strings.ToLower(l.ID)]; eu == "" && code != "" {
		eu = authority + "licence/" + code
	}
	iri, other := eu, l.URL
	if iri == "" || !european && l.URL != "" {
		iri, other = l.URL, eu
	}
	if iri == "" {
		iri = b.site.Base + "/#licence-" + url.PathEscape(l.ID)
	}
	n := shared(iri, "dct:LicenseDocument").text("dct:title", orText(l.Title, l.ID)).literal("dct:identifier", l.ID, "")
	if other != iri {
		n.link("skos:exactMatch", other)
	}
	return n
}

// documents says pages and files that are about the dataset, and the decisions
// that it comes from.
func (b *builder) documents(d *node) {
	if u := b.e.LandingPage; u != "" {
		d.add("foaf:page", local(u, "foaf:Document"))
	}
	for i := range b.e.Resources {
		r := &b.e.Resources[i]
		if r.Kind != catalogue.Documentation && r.Kind != catalogue.Administrative {
			continue
		}
		doc := thing(b.address(r), "foaf:Document").text("dct:title", orText(r.Title, r.Name)).text("dct:description", r.Description)
		if r.Document != nil {
			doc.literal("dct:identifier", r.Document.Number, "").literal("dct:creator", r.Document.Body, "")
			if day, err := time.Parse(time.DateOnly, r.Document.Date); err == nil {
				doc.day("dct:issued", &day)
			}
			d.add("dct:provenance", (&node{types: []string{"dct:ProvenanceStatement"}}).
				text("rdfs:label", orText(r.Title, r.Name)).link("dct:source", b.address(r)))
		}
		d.add("foaf:page", doc)
	}
}

// address is where a resource is had: elsewhere, or the file that was kept.
func (b *builder) address(r *catalogue.Resource) string {
	if r.URL != "" {
		return r.URL
	}
	return b.site.fileURL(b.e.Slug, r.Name)
}

func checksum(sha256 []byte) *node {
	const algorithm = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"
	return (&node{types: []string{"spdx:Checksum"}}).
		add("spdx:algorithm", shared(algorithm, "spdx:ChecksumAlgorithm")).
		literal("spdx:checksumValue", hex.EncodeToString(sha256), "xsd:hexBinary")
}

// orText is a text, or else the first of some words that is not empty.
func orText(t geo.Text, words ...string) geo.Text {
	if t["fr"] != "" || t["en"] != "" || t["it"] != "" {
		return t
	}
	for _, s := range words {
		if s != "" {
			return geo.Text{"fr": s}
		}
	}
	return geo.Text{"fr": "?"}
}
