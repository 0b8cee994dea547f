package viewer

import (
	"io"
	"strconv"
	"strings"
	"time"

	"calanque/geo"
)

// A DatasetPage is the model of /donnees/{slug}.
type DatasetPage struct {
	Page
	Head
	Slug               string
	Title, Description geo.Text // Description is Markdown
	Limits             geo.Text // Markdown
	Topics             []Topic
	Keywords           []geo.Text
	Producer           Producer
	Licence            Licence
	Sentence           geo.Text // of the licence: what it allows
	Territory          []string // names
	Start, End         *time.Time
	Delivered, Next    *time.Time
	Frequency          string
	Missed             bool        // the next delivery is overdue
	Fresh              geo.Message // says it
	Landing            string      // the producer's own page
	Layers             []DatasetLayer
	Credit             bool        // the picture stands on OpenStreetMap
	Reference          *Link       // of what stays at its producer's
	Checked            geo.Message // how its link was last found; empty when nobody looked
	Files              []Download
	Documents          []Document // administrative, then the other ones
	Services           []Service
	Versions           []Version // newest first, at most VersionsShown
	AllVersions        int
	Timeline           []Milestone // oldest first
	Score              *Score
	Reuses             []Link
	AllReuses          int
}

// VersionsShown is how many deliveries a page tells of.
const VersionsShown = 12

// A DatasetLayer is a layer with its first rows and its comparison.
type DatasetLayer struct {
	Layer
	Rows   []geo.Feature
	Counts map[string]int64 // of its comparison with OpenStreetMap, by group; nil without one
}

// A Link leads out of the page. Title may be nil: then the address is said.
type Link struct {
	Title geo.Text
	Href  string
}

// A Download is a file to take.
type Download struct {
	Kind   string   // "csv", "gpkg", "geojson": made by the hub; "received"
	Title  geo.Text // of a file as received
	Layer  string   // title, said when there are several
	Href   string
	Format string
	Bytes  int64 // 0 when not known before it is made
	About  bool  // of the one before: this one is not made yet
}

// A Document is a text that goes with a dataset.
type Document struct {
	Title          geo.Text
	Href           string
	Type           string // "deliberation", "convention", "avis", "clause", "other"; "" for documentation
	Number, Format string
	Date           *time.Time
	Bytes          int64
	Outside        bool // on another site
}

// A Service is an address for programs that is not the hub's own.
type Service struct {
	Title  geo.Text
	Format string
	URL    string
}

// A Version is one delivery with what was made of its records.
type Version struct {
	Number            int
	At                time.Time
	Source            string
	Report            Report
	Repaired, Rejects []RuleCount
}

// A RuleCount is how many records a rule repaired or rejected.
type RuleCount struct {
	Rule  string
	Count int64
}

// A Milestone is a public step of the chain.
type Milestone struct {
	Step string // from where to where: "legal-committee"; "counted" for the census
	At   time.Time
	Body string
	Said string // the reason, where it may be said
	Href string // of the document
	Doc  geo.Text
}

// A Score is how well a dataset is described, with what would better it.
type Score struct {
	Value, Of int
	Criteria  []Criterion
}

// A Criterion is one part of a score. Why says what earned it, or how to.
type Criterion struct {
	Name, Why geo.Message
	Earned    bool
}

// Dataset writes the page /donnees/{slug}.
func Dataset(w io.Writer, p DatasetPage) error {
	return render(w, p.Lang, "portal-dataset.html", p)
}

// Path is the address of the page.
func (p DatasetPage) Path() string { return "/donnees/" + p.Slug }

// Mapped is the first layer that a map shows; nil for a table or a reference.
func (p DatasetPage) Mapped() *DatasetLayer {
	for i := range p.Layers {
		if l := &p.Layers[i]; l.Tiles != "" {
			return l
		}
	}
	return nil
}

// OnMap opens the map with the dataset's layers lit.
func (p DatasetPage) OnMap() string {
	var ids []string
	for i := range p.Layers {
		if p.Layers[i].Tiles != "" {
			ids = append(ids, p.Layers[i].ID)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	return p.To("/carte?c=" + strings.Join(ids, ","))
}

// Compared are the layers that were compared with OpenStreetMap.
func (p DatasetPage) Compared() []Comparison {
	var list []Comparison
	for i := range p.Layers {
		if l := &p.Layers[i]; l.Counts != nil && total(l.Counts) > 0 {
			list = append(list, Comparison{Lang: p.Lang, Layer: l, Href: p.To("/carte?c=" + l.ID + "&comparer=1")})
		}
	}
	return list
}

// Downloadable reports whether there is something to take away.
func (p DatasetPage) Downloadable() bool { return len(p.Files) > 0 }

// MainTopic is the theme of the breadcrumb; nil when nobody chose one.
func (p DatasetPage) MainTopic() *Topic {
	if len(p.Topics) == 0 {
		return nil
	}
	return &p.Topics[0]
}

// A Comparison is what a layer and OpenStreetMap have in common.
type Comparison struct {
	Lang  string
	Layer *DatasetLayer
	Href  string
}

// A Part is one group of a comparison, Width its share of a bar of 1000.
type Part struct {
	Group    string
	Count    int64
	X, Width int
}

// comparedGroups are the groups as the bar shows them.
var comparedGroups = []string{"same", "partner", "osm", "differs"}

func total(counts map[string]int64) int64 {
	var n int64
	for _, g := range comparedGroups {
		n += counts[g]
	}
	return n
}

// Agreement is the share of both sides among the groups that pages compare; -1
// when there is nothing to compare.
func Agreement(counts map[string]int64) float64 {
	all := total(counts)
	if all == 0 {
		return -1
	}
	return float64(counts["same"]) / float64(all)
}

// Parts are the four groups.
func (c Comparison) Parts() []Part {
	all := total(c.Layer.Counts)
	var parts []Part
	x := 0
	for _, g := range comparedGroups {
		n := c.Layer.Counts[g]
		w := int(n * 1000 / max(all, 1))
		if n > 0 && w < 4 {
			w = 4 // a sliver that can be seen
		}
		parts = append(parts, Part{Group: g, Count: n, X: x, Width: w})
		x += w
	}
	return parts
}

// Agreement is the share of both sides.
func (c Comparison) Agreement() float64 { return max(Agreement(c.Layer.Counts), 0) }

// Differences is how many records are worth a look.
func (c Comparison) Differences() int64 { return total(c.Layer.Counts) - c.Layer.Counts["same"] }

// Bounds is how wide the bar is drawn: slivers may make it wider than 1000.
func (c Comparison) Bounds() int {
	parts := c.Parts()
	last := parts[len(parts)-1]
	return max(last.X+last.Width, 1)
}

// previewColumns is how many columns the first rows are shown with.
const previewColumns = 4

// A Preview is the beginning of a layer as a table.
type Preview struct {
	Title   string
	Columns []PreviewColumn
	Rows    [][]PreviewCell
	All     string // address of all rows
	Count   int64
}

// A PreviewColumn is one of its columns.
type PreviewColumn struct {
	Label  string
	Number bool
}

// A PreviewCell is a value in words.
type PreviewCell struct {
	Text   string
	Number bool
}

// Previews are the beginnings of the layers that have rows.
func (p DatasetPage) Previews() []Preview {
	var list []Preview
	for i := range p.Layers {
		l := &p.Layers[i]
		if len(l.Rows) == 0 {
			continue
		}
		v := Preview{Title: l.Titles.In(p.Lang), Count: l.Count, All: p.To("/carte?c=" + l.ID + "&vue=liste#liste")}
		if l.Tiles == "" {
			v.All = "/api/collections/" + l.ID + "/items?f=html"
		}
		fields := previewFields(&l.Layer)
		for _, f := range fields {
			number := f.Type == geo.IntegerField || f.Type == geo.RealField
			v.Columns = append(v.Columns, PreviewColumn{labelOf(p.Lang, f), number})
		}
		for _, row := range l.Rows {
			var cells []PreviewCell
			for j, f := range fields {
				c := PreviewCell{Number: v.Columns[j].Number}
				if value := value(&l.Layer, row, f.Name); value != nil {
					c.Text = clip(valueText(p.Lang, &l.Layer, f.Name, value))
				}
				cells = append(cells, c)
			}
			v.Rows = append(v.Rows, cells)
		}
		list = append(list, v)
	}
	return list
}

// clip keeps a cell readable.
func clip(s string) string {
	const most = 80
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// previewFields are the columns that say most: the name, then the facts.
func previewFields(l *Layer) []geo.Field {
	var fields []geo.Field
	add := func(name string) {
		for _, f := range l.Fields {
			if f.Name != name || len(fields) == previewColumns || f.Type == geo.JSONField {
				continue
			}
			for _, had := range fields {
				if had.Name == name {
					return
				}
			}
			fields = append(fields, f)
		}
	}
	names := l.Style.Name
	if len(names) == 0 {
		names = nameFields
	}
	for _, n := range names {
		if len(fields) == 0 {
			add(n)
		}
	}
	for _, list := range [][]string{l.Style.Note, l.Style.Facts} {
		for _, n := range list {
			add(n)
		}
	}
	for _, f := range l.Fields {
		if !strings.HasPrefix(f.Name, "_") {
			add(f.Name)
		}
	}
	return fields
}

// A Recipe is a line to copy.
type Recipe struct{ Code, Line string }

// Recipes are lines for those who work with programs: what to type in QGIS,
// and commands that work as they stand.
func (p DatasetPage) Recipes(l DatasetLayer) []Recipe {
	recipes := []Recipe{
		{"qgis", p.Base + "/api"},
		{"curl", `curl -L -o ` + l.ID + `.geojson "` + p.Base + `/telecharger/` + l.ID + `.geojson"`},
		{"ogr2ogr", `ogr2ogr -f GPKG ` + l.ID + `.gpkg "OAPIF:` + p.Base + `/api" ` + l.ID},
	}
	if l.Box != nil {
		recipes = append(recipes, Recipe{"box", `curl "` + p.Base + `/api/collections/` + l.ID + `/items?limit=100&bbox=` + middle(*l.Box) + `"`})
	}
	return recipes
}

// middle is the middle of a box, half as wide and high, as a bbox of the API.
func middle(b [4]float64) string {
	w, h := (b[2]-b[0])/4, (b[3]-b[1])/4
	parts := []float64{b[0] + w, b[1] + h, b[2] - w, b[3] - h}
	out := make([]string, 4)
	for i, v := range parts {
		out[i] = degrees(v)
	}
	return strings.Join(out, ",")
}

// degrees writes a coordinate with four decimals, about 10 m.
func degrees(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }
