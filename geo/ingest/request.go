// Package ingest takes a source to a published version or a refused one, with
// an account of every record.
//
// It opens the file twice: once to learn its types, place and extent from all
// rows, once to load. It decides what people should not have to: names of
// columns, types of French numbers and dates, codes that must stay text, the
// coordinate system where the declaration and the place disagree. It does not
// know file formats (package format) or tables (package postgis).
package ingest

import (
	"context"
	"time"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/format"
	"calanque/geo/postgis"
)

// A Request asks to load a file as the next version of a dataset. What is
// left zero is taken from how the last version was read.
type Request struct {
	Dataset     string // slug
	Path        string
	Producer    string // id; a dataset that is new needs it
	Licence     string // id; likewise
	Title       geo.Text
	Description geo.Text
	Frequency   string
	Position    int // in lists

	// Body is the command that opens a dataset of the short chain at its first
	// publication, "" for "calanque load". Closed leaves that to somebody.
	Body   string
	Closed bool

	Options     format.Options
	Axes        string           // "xy" or "yx" when a person says in which order coordinates come
	Key         []string         // fields by name or title; none for a hash of the content
	Layers      map[string]Layer // by name in the file; none for all of them
	Fields      map[string]Field // by column name, for all layers
	Style       map[string]any   // how the viewer draws the layer; nil keeps what is there
	Series      *Series          // nil: a snapshot, or what the dataset is
	MaxRejected *float64         // part of the records of a layer, 0 to 1; nil is one in a hundred
	Region      geo.Box          // lon/lat, where the data should be; zero for the default
	Anywhere    bool             // the data need not be in the region
	Force       bool             // load even what is published already, or empty
	Declared    bool             // the request says it all: options of the last load don't count
	Hold        bool             // the version waits for a person's yes instead of being published

	// Files keeps what was received once it is published, up to MaxKept bytes
	// (0: a default); nil keeps nothing.
	Files   *blob.Store
	MaxKept int64

	// Prepare makes the producer and licence of a new dataset, once the file is
	// known to be loadable; nil when they are there.
	Prepare func(context.Context, postgis.DB) error
}

// A Layer says what to do with one layer of the file.
type Layer struct {
	Name     string // its one name everywhere; "" is made from the dataset's
	Title    geo.Text
	Key      []string
	Position int
	Fields   map[string]Field
	Style    map[string]any
}

// A Field says what a column is to be.
type Field struct {
	Type  geo.FieldType // "" decides by the values
	Label geo.Text
}

// A Series says how a delivery adds to a series.
type Series struct {
	Time        string `json:"time"`                  // field, by name or title
	Zone        string `json:"zone,omitempty"`        // IANA name, of times without one; "" is UTC
	Borrow      string `json:"borrow,omitempty"`      // layer whose geometry it shows
	BorrowField string `json:"borrowField,omitempty"` // field with that layer's key
}

// A State is how a load ended.
type State string

// The ends of a load that is no error. A load that published nothing because
// too much was rejected is Rejected, with geo.ErrRejected.
const (
	Published State = "published"
	Unchanged State = "unchanged"
	Rejected  State = "rejected"
	Held      State = "held"
)

// A Report is the account of a load.
type Report struct {
	Dataset string        `json:"dataset"`
	State   State         `json:"state"`
	Version geo.VersionID `json:"version,omitempty"`
	Number  int           `json:"number,omitempty"`
	Source  string        `json:"source"`
	Format  string        `json:"format,omitempty"`
	Layers  []LayerReport `json:"layers,omitempty"`
	Seconds float64       `json:"seconds"`
	Kept    bool          `json:"kept"` // the file as received is in the store
}

// Read is the number of records read, of all layers.
func (r Report) Read() int64 { return r.sum(func(l LayerReport) int64 { return l.Read }) }

// Loaded is the number of records loaded, of all layers.
func (r Report) Loaded() int64 { return r.sum(func(l LayerReport) int64 { return l.Loaded }) }

// Rejected is the number of records rejected, of all layers.
func (r Report) Rejected() int64 { return r.sum(func(l LayerReport) int64 { return l.Rejected }) }

// Repairs reports whether a record was repaired.
func (r Report) Repairs() bool { return r.sum(func(l LayerReport) int64 { return l.Repaired }) > 0 }

func (r Report) sum(of func(LayerReport) int64) (n int64) {
	for _, l := range r.Layers {
		n += of(l)
	}
	return n
}

// A LayerReport is the account of one layer.
type LayerReport struct {
	Name       string           `json:"name"`
	Source     string           `json:"source"` // name in the file
	Geometry   geo.GeometryType `json:"geometry_type"`
	SRID       geo.SRID         `json:"srid"`
	Encoding   string           `json:"encoding,omitempty"`
	Key        []string         `json:"key"` // empty: a hash of the content
	Fields     []geo.Field      `json:"fields"`
	Read       int64            `json:"read"`
	Loaded     int64            `json:"loaded"`
	Repaired   int64            `json:"repaired"`
	Rejected   int64            `json:"rejected"`
	NoGeometry int64            `json:"no_geometry"`
	Notes      []geo.Message    `json:"notes,omitempty"`
	Rules      []RuleCount      `json:"rules,omitempty"` // issues by rule, most frequent first
}

// A RuleCount says how often one rule was broken.
type RuleCount struct {
	Rule     string      `json:"rule"`
	Rejected bool        `json:"rejected"`
	Count    int64       `json:"count"`
	Example  geo.Message `json:"example"`
	Record   int64       `json:"record"` // the first
}

// A Step is one stage of a load.
type Step string

// The steps, in order.
const (
	StepOpen    Step = "open"
	StepSurvey  Step = "survey"
	StepRead    Step = "read"
	StepWrite   Step = "write"
	StepPublish Step = "publish"
)

// An Event says how far a load is.
type Event struct {
	Step  Step
	Layer string
	Done  int64
	Total int64 // -1 when unknown
}

// A Progress is told how far a load is, at most a few times a second.
type Progress func(Event)

// every says how many records pass between two events.
const every = 1 << 14

// A ticker sends events without flooding.
type ticker struct {
	to   Progress
	last time.Time
}

func (t *ticker) send(e Event) {
	if t.to != nil {
		t.to(e)
	}
}

func (t *ticker) tick(step Step, layer string, done, total int64) {
	if t.to == nil || done%every != 0 {
		return
	}
	if now := time.Now(); now.Sub(t.last) > 100*time.Millisecond {
		t.last = now
		t.to(Event{step, layer, done, total})
	}
}
