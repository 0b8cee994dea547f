package dcat

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"
)

// Media types of what is not RDF.
const (
	TypeAtom = "application/atom+xml; charset=utf-8"
	TypeXML  = "application/xml; charset=utf-8"
	TypeCSV  = "text/csv; charset=utf-8; header=present"
)

// A Feed is the Atom feed (RFC 4287) of what is new in the catalogue.
type Feed struct {
	Site    Site
	Lang    string
	Title   string
	Self    string // its address
	Updated time.Time
	Entries []FeedEntry
}

// A FeedEntry is one change of a dataset. ID is a name that no other change
// has, below the dataset's own.
type FeedEntry struct {
	Slug, Identifier  string
	ID                string // "ouvert", "version/12"
	At                time.Time
	Title, Summary    string
	Producer          string
	Category, Subject string // what happened, in code and in words
}

type (
	atomFeed struct {
		XMLName   xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang      string      `xml:"http://www.w3.org/XML/1998/namespace lang,attr"`
		ID        string      `xml:"id"`
		Title     string      `xml:"title"`
		Updated   string      `xml:"updated"`
		Links     []atomLink  `xml:"link"`
		Author    atomPerson  `xml:"author"`
		Generator string      `xml:"generator"`
		Entries   []atomEntry `xml:"entry"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	}
	atomPerson struct {
		Name string `xml:"name"`
	}
	atomCategory struct {
		Term  string `xml:"term,attr"`
		Label string `xml:"label,attr"`
	}
	atomEntry struct {
		ID        string       `xml:"id"`
		Title     string       `xml:"title"`
		Updated   string       `xml:"updated"`
		Published string       `xml:"published"`
		Links     []atomLink   `xml:"link"`
		Author    atomPerson   `xml:"author"`
		Category  atomCategory `xml:"category"`
		Summary   string       `xml:"summary,omitempty"`
	}
)

// Atom writes the feed.
func (f *Feed) Atom() ([]byte, error) {
	home := f.Site.Base + "/donnees"
	out := atomFeed{
		Lang: f.Lang, ID: f.Site.Base + "/nouveautes.atom", Title: f.Title, Updated: f.Updated.UTC().Format(time.RFC3339),
		Links: []atomLink{
			{"self", "application/atom+xml", escapeIRI(f.Self)},
			{"alternate", "text/html", escapeIRI(home)},
		},
		Author: atomPerson{f.Site.Publisher.In(f.Lang)}, Generator: "Calanque",
	}
	for _, e := range f.Entries {
		at := e.At.UTC().Format(time.RFC3339)
		out.Entries = append(out.Entries, atomEntry{
			ID: escapeIRI(home + "/" + e.Identifier + "#" + e.ID), Title: e.Title, Updated: at, Published: at,
			Links:  []atomLink{{"alternate", "text/html", escapeIRI(f.Site.PageURL(e.Slug))}},
			Author: atomPerson{e.Producer}, Category: atomCategory{e.Category, e.Subject}, Summary: e.Summary,
		})
	}
	body, err := xml.MarshalIndent(out, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the feed: %w", err)
	}
	return append([]byte(xml.Header), append(body, '\n')...), nil
}

// MapSize is how many addresses a sitemap may have (sitemaps.org).
const MapSize = 50_000

// A MapEntry is an address of a sitemap, below the hub's, and when it last
// changed; the zero time says nothing.
type MapEntry struct {
	Path    string
	Changed time.Time
}

// Sitemap writes a sitemap of at most MapSize addresses.
func Sitemap(site Site, list []MapEntry) []byte {
	return sitemap(site, "urlset", "url", list)
}

// SitemapIndex writes the list of the sitemaps.
func SitemapIndex(site Site, list []MapEntry) []byte {
	return sitemap(site, "sitemapindex", "sitemap", list)
}

func sitemap(site Site, root, element string, list []MapEntry) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s<%s xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n", xml.Header, root)
	for _, e := range list {
		b.WriteString("<" + element + "><loc>" + xmlEscapes.Replace(escapeIRI(site.Base+e.Path)) + "</loc>")
		if !e.Changed.IsZero() {
			b.WriteString("<lastmod>" + e.Changed.UTC().Format(time.RFC3339) + "</lastmod>")
		}
		b.WriteString("</" + element + ">\n")
	}
	b.WriteString("</" + root + ">\n")
	return []byte(b.String())
}
