package dcat

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"calanque/geo"
)

// A Site is what the documents say of the hub itself.
type Site struct {
	Base        string // the hub's address, without a slash at its end
	Title       geo.Text
	Description geo.Text
	Publisher   geo.Text // who keeps the portal
}

// A Page is a piece of the catalogue: the datasets that follow one, by slug.
type Page struct {
	After string // slug, "" for the first page
	Limit int    // datasets of a page
	Next  string // the After of the page that follows, "" at the end
	Total int    // datasets of the catalogue
	// Changed is when the catalogue last changed; the zero time says nothing.
	Changed time.Time
}

// PageSize is how many datasets a page has when nobody asks for another
// number, MaxPage the most that one may ask for.
const (
	PageSize = 100
	MaxPage  = 1000
)

func (s *Site) catalogueIRI() string { return s.Base + "/donnees#catalogue" }

// pageURL is the address of the page behind a dataset.
func (s *Site) pageURL(suffix, after string, limit int) string {
	v := url.Values{}
	if after != "" {
		v.Set("after", after)
	}
	if limit != PageSize {
		v.Set("limit", strconv.Itoa(limit))
	}
	u := s.Base + "/catalogue" + suffix
	if len(v) > 0 {
		u += "?" + v.Encode()
	}
	return u
}

// Catalogue writes what a page says before its datasets: the catalogue, and
// where the other pages are. Each dataset that follows names itself as one of
// the catalogue's.
func (w *Writer) Catalogue(p Page) {
	s := &w.site
	here := thing(s.pageURL(w.format.Suffix, p.After, p.Limit), "hydra:PartialCollectionView").
		link("hydra:first", s.pageURL(w.format.Suffix, "", p.Limit))
	if p.Next != "" {
		here.link("hydra:next", s.pageURL(w.format.Suffix, p.Next, p.Limit))
	}
	publisher := thing(s.Base+"/#editeur", "foaf:Agent").text("foaf:name", s.Publisher).link("foaf:homepage", s.Base+"/")
	c := thing(s.catalogueIRI(), "dcat:Catalog", "hydra:Collection").
		text("dct:title", s.Title).
		text("dct:description", s.Description).
		add("dct:publisher", publisher).
		add("foaf:homepage", shared(s.Base+"/", "foaf:Document")).
		moment("dct:modified", &p.Changed).
		add("dct:spatial", place("R93"))
	for _, code := range languages {
		c.add("dct:language", language(code))
	}
	c.add("dcat:themeTaxonomy", shared(authority+"data-theme", "skos:ConceptScheme").
		text("dct:title", geo.Text{"fr": "Thème de données", "en": "Data theme", "it": "Tema dei dati"}))
	c.literal("hydra:totalItems", fmt.Sprint(p.Total), "xsd:integer")
	c.add("hydra:view", here)
	w.inCatalogue = true
	w.put(c)
}
