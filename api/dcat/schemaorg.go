package dcat

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"calanque/geo/catalogue"
)

// The types of schema.org that a dataset's page speaks of. Their fields are in
// the order in which they are written.
type (
	schemaDataset struct {
		Context     string            `json:"@context"`
		Type        string            `json:"@type"`
		ID          string            `json:"@id"`
		Name        string            `json:"name"`
		Description string            `json:"description"`
		URL         string            `json:"url"`
		Identifier  string            `json:"identifier"`
		Keywords    []string          `json:"keywords,omitempty"`
		Licence     string            `json:"license,omitempty"`
		Free        bool              `json:"isAccessibleForFree"`
		Language    string            `json:"inLanguage"`
		Creator     *schemaAgent      `json:"creator"`
		Published   string            `json:"datePublished,omitempty"`
		Modified    string            `json:"dateModified,omitempty"`
		Temporal    string            `json:"temporalCoverage,omitempty"`
		Spatial     *schemaPlace      `json:"spatialCoverage,omitempty"`
		Catalogue   schemaDataCatalog `json:"includedInDataCatalog"`
		Downloads   []schemaDownload  `json:"distribution,omitempty"`
	}
	schemaAgent struct {
		Type string `json:"@type"`
		Name string `json:"name"`
		URL  string `json:"url,omitempty"`
	}
	schemaPlace struct {
		Type string      `json:"@type"`
		Geo  schemaShape `json:"geo"`
	}
	schemaShape struct {
		Type string `json:"@type"`
		Box  string `json:"box"`
	}
	schemaDataCatalog struct {
		Type string `json:"@type"`
		Name string `json:"name"`
		URL  string `json:"url"`
	}
	schemaDownload struct {
		Type   string `json:"@type"`
		Name   string `json:"name"`
		Format string `json:"encodingFormat,omitempty"`
		URL    string `json:"contentUrl"`
		Size   string `json:"contentSize,omitempty"`
	}
)

// The lengths of a description that search engines take, in characters.
const longestDescription = 5000

// SchemaOrg says a dataset as schema.org/Dataset in a language, as JSON-LD that
// may stand in a script element of a page: it holds no < > or &.
func SchemaOrg(site Site, about *catalogue.About, e *catalogue.Entry, lang string) []byte {
	b := &builder{Writer: &Writer{site: site, about: about}, e: e, page: site.PageURL(e.Slug)}
	p := about.Producers[e.Producer]
	d := schemaDataset{
		Context: "https://schema.org/", Type: "Dataset", ID: escapeIRI(b.page + "#dataset"),
		Name: orText(e.Title, e.Slug).In(lang), Description: cut(orText(e.Description, e.Title.In(lang), e.Slug).In(lang)),
		URL: b.page, Identifier: e.Identifier, Free: true, Language: "fr",
		Creator:   &schemaAgent{"Organization", orText(p.Title, e.Producer).In(lang), p.Contact["url"]},
		Catalogue: schemaDataCatalog{"DataCatalog", site.Title.In(lang), site.Base + "/donnees"},
		Published: day(&e.Since), Modified: stamp(e.DeliveredAt, e.UpdatedAt), Temporal: period(e.TemporalStart, e.TemporalEnd),
	}
	if n := b.licenceNode(false); n != nil {
		d.Licence = n.iri
	}
	if e.IssuedAt != nil {
		d.Published = day(e.IssuedAt)
	}
	for _, k := range e.Keywords {
		if s := k.In(lang); s != "" && !slices.Contains(d.Keywords, s) {
			d.Keywords = append(d.Keywords, s)
		}
	}
	if e.Extent != nil && !e.Extent.Empty() {
		box := fmt.Sprintf("%s %s %s %s", degrees(e.Extent.MinY), degrees(e.Extent.MinX), degrees(e.Extent.MaxY), degrees(e.Extent.MaxX))
		d.Spatial = &schemaPlace{"Place", schemaShape{"GeoShape", box}} // latitude first
	}
	d.Downloads = b.downloads(lang)
	body, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings and numbers have no error
	}
	return body
}

// downloads are the files of a dataset.
func (b *builder) downloads(lang string) []schemaDownload {
	var list []schemaDownload
	for i := range b.e.Layers {
		l := &b.e.Layers[i]
		title := orText(l.Title, l.Name).In(lang)
		for _, f := range layerFormats(l) {
			list = append(list, schemaDownload{"DataDownload", title, fileTypes[f].media, b.site.downloadURL(b.e.Slug, l.Name, f), ""})
		}
	}
	for i := range b.e.Resources {
		r := &b.e.Resources[i]
		format := strings.ToLower(r.Format)
		if r.Kind != catalogue.FileResource && (r.Kind != catalogue.Reference || !isFile(format)) {
			continue
		}
		down := schemaDownload{"DataDownload", orText(r.Title, r.Name).In(lang), r.MediaType, b.address(r), ""}
		if down.Format == "" {
			down.Format = fileTypes[format].media
		}
		if r.Bytes > 0 {
			down.Size = fmt.Sprintf("%d B", r.Bytes)
		}
		list = append(list, down)
	}
	return list
}

func stamp(delivered *time.Time, updated time.Time) string {
	if delivered != nil {
		updated = *delivered
	}
	if updated.IsZero() {
		return ""
	}
	return updated.UTC().Format(time.RFC3339)
}

// period writes an interval of ISO 8601, open where an end is not known.
func period(start, end *time.Time) string {
	if start == nil && end == nil {
		return ""
	}
	from, to := "..", ".."
	if start != nil {
		from = day(start)
	}
	if end != nil {
		to = day(end)
	}
	return from + "/" + to
}

func cut(s string) string {
	if utf8.RuneCountInString(s) <= longestDescription {
		return s
	}
	return string([]rune(s)[:longestDescription-1]) + "…"
}
