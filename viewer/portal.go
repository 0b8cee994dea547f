package viewer

import (
	"html/template"
	"io"
	"strings"
	"time"

	"calanque/geo"
)

// HitsPage is how many datasets one page of the catalogue holds.
const HitsPage = 20

// A Topic is a theme of the portal with how many datasets it has.
type Topic struct {
	ID     string
	Title  geo.Text
	Count  int
	Chosen bool
}

// A Hit is a dataset in a list, as the catalogue's search gives it.
type Hit struct {
	Slug           string
	Title, Summary geo.Text // Summary is Markdown
	Producer       Producer
	Licence        Licence
	Delivered      *time.Time
	Late           bool     // a newer delivery is overdue
	Formats        []string // "csv", "gpkg", "geojson", "pdf"…
	Layer          string   // the first one, "" for what has none
	URL            string   // of what only refers to its producer's
	Documents      int      // administrative
	Compared       bool     // with OpenStreetMap
	Agreement      float64  // 0 to 1, of what is compared
}

// A Choice is one value of a facet. Without a title its words are in the
// dictionaries.
type Choice struct {
	Value  string
	Title  geo.Text
	Count  int
	Chosen bool
}

// A Facet is one way to narrow a search.
type Facet struct {
	Name    string // the member of the query: "producteur"
	Choices []Choice
}

// A HomePage is the model of /.
type HomePage struct {
	Page
	Topics []Topic
	Total  int   // datasets
	Hits   []Hit // that were delivered last
}

// A CataloguePage is the model of /donnees.
type CataloguePage struct {
	Page
	Query     string
	Sort      string // "pertinence", "recent", "titre"
	Topics    []Topic
	Facets    []Facet // those with something to choose
	Hits      []Hit
	Total     int
	Number    int        // of the page, from 1
	Place     *FoundItem // the commune that the words name
	Corrected string     // the question as it was understood, when that is another
	Relaxed   bool       // nothing had all the words
	Wider     int        // datasets without the filters; 0 when it has none
}

// A TopicPage is the model of /themes/{id}, a ProducerPage that of
// /producteurs/{id}.
type TopicPage struct {
	Page
	Topic     Topic
	Hits      []Hit
	Total     int
	Producers []Choice
}

// A ProducerPage is what a producer offers, and how to reach it.
type ProducerPage struct {
	Page
	Producer    Producer
	Description geo.Text // Markdown
	Kind        string
	Territory   []string // names
	Email       string
	Hits        []Hit
	Total       int
	Topics      []Topic
}

// Home writes the page /.
func Home(w io.Writer, p HomePage) error { return render(w, p.Lang, "portal-home.html", p) }

// Catalogue writes the page /donnees.
func Catalogue(w io.Writer, p CataloguePage) error {
	return render(w, p.Lang, "portal-catalogue.html", p)
}

// TopicOf writes the page /themes/{id}.
func TopicOf(w io.Writer, p TopicPage) error { return render(w, p.Lang, "portal-topic.html", p) }

// ProducerOf writes the page /producteurs/{id}.
func ProducerOf(w io.Writer, p ProducerPage) error {
	return render(w, p.Lang, "portal-producer.html", p)
}

// TextPages are the pages that are words alone, by address.
var TextPages = map[string]string{
	"/accessibilite": "accessibility", "/donnees-personnelles": "privacy", "/specialistes": "specialists",
}

// A TextPage is the model of one of TextPages.
type TextPage struct {
	Page
	Name string
}

// Words writes a page that is words alone.
func Words(w io.Writer, p TextPage) error { return render(w, p.Lang, "portal-"+p.Name+".html", p) }

// To is the address of another page of the hub in the language that was
// chosen: a visitor whose browser says it needs no lg in every address.
func (p Page) To(path string) string {
	if p.URL == nil || p.URL.Query().Get("lg") == "" {
		return path
	}
	path, fragment, hash := strings.Cut(path, "#")
	mark := "?"
	if strings.Contains(path, "?") {
		mark = "&"
	}
	path += mark + "lg=" + p.Lang
	if hash {
		path += "#" + fragment
	}
	return path
}

// Section is the entry of the navigation that a page belongs to; "" for none.
func (p Page) Section() string {
	if p.URL == nil {
		return ""
	}
	for _, s := range []struct{ prefix, section string }{
		{"/carte", "map"},
		{"/donnees-personnelles", ""},
		{"/donnees", "catalogue"},
		{"/themes/", "catalogue"},
		{"/producteurs/", "catalogue"},
		{"/atelier", "workshops"},
	} {
		if strings.HasPrefix(p.URL.Path, s.prefix) {
			return s.section
		}
	}
	return ""
}

// OwnSearch reports whether the page's own search box makes that of the header
// one too many.
func (p Page) OwnSearch() bool {
	return p.URL != nil && (p.URL.Path == "/" || p.URL.Path == "/donnees")
}

// Canonical is the address of the page without what only chooses how it looks.
func (p Page) Canonical() string {
	if p.URL == nil {
		return ""
	}
	return p.Base + p.URL.Path
}

// Ago says how long ago a day was, in words that hold for the whole day: the
// same page is the same bytes until midnight.
func (p Page) Ago(at time.Time) string {
	at = at.In(p.Now.Location())
	midnight := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	days := int(midnight(p.Now).Sub(midnight(at)).Hours() / 24)
	switch {
	case days <= 0:
		return Say(p.Lang, "portal.today")
	case days == 1:
		return Say(p.Lang, "portal.yesterday")
	case days < 14:
		return Say(p.Lang, "portal.ago-days", "n", days)
	case days < 60:
		return Say(p.Lang, "portal.ago-weeks", "n", days/7)
	case days < 730:
		return Say(p.Lang, "portal.ago-months", "n", days/30)
	}
	return Say(p.Lang, "portal.ago-years", "n", days/365)
}

// Action is the one thing to do with a dataset of a list.
func (h Hit) Action() string {
	switch {
	case h.Layer != "":
		return "map"
	case h.URL != "":
		return "producer"
	case len(h.Formats) > 0:
		return "download"
	}
	return "read"
}

// formatNames are what people call a format; others are said in capitals.
var formatNames = map[string]string{
	"gpkg": "GeoPackage", "geojson": "GeoJSON", "shp": "Shapefile", "xlsx": "Excel", "ods": "LibreOffice Calc", "zip": "ZIP",
	"ogc-api": "OGC API", "geotrek": "Geotrek",
}

// FormatName is what people call a format.
func FormatName(format string) string {
	if n, ok := formatNames[format]; ok {
		return n
	}
	return strings.ToUpper(format)
}

// FormatNames lists the formats of a dataset.
func (h Hit) FormatNames() string {
	names := make([]string, len(h.Formats))
	for i, f := range h.Formats {
		names[i] = FormatName(f)
	}
	return strings.Join(names, ", ")
}

// Lead is the beginning of a description in plain words: its first paragraph.
func Lead(lang string, t geo.Text) string {
	first, _, _ := strings.Cut(strings.TrimSpace(t.In(lang)), "\n\n")
	return PlainText(first)
}

// choiceTitle says a value of a facet.
func choiceTitle(lang, facet string, c Choice) string {
	switch {
	case c.Title != nil:
		return c.Title.In(lang)
	case facet == "format":
		return FormatName(c.Value)
	case said(lang, "portal.choice-"+facet+"-"+c.Value):
		return Say(lang, "portal.choice-"+facet+"-"+c.Value)
	}
	return c.Value
}

// An Alternate is the same page for a machine.
type Alternate struct{ Type, Name, Href string }

// Head is what a page says of itself to machines.
type Head struct {
	Title, Description string
	Alternates         []Alternate
	LinkedData         template.JS // JSON-LD, "" for none
}
