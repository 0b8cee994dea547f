package viewer

import (
	"io"
	"time"

	"calanque/geo"
)

// A DeskPage is the model of /bureau: what a producer has, and what waits.
type DeskPage struct {
	Page
	CSRF        string
	Producer    geo.Text // "" for a coordinator
	Rows        []DeskRow
	Corrections int // that nobody has answered
	Reports     int
	MayPublish  bool
	Coordinates bool // sees the board of the chain, the census and proposed reuses
}

// A DeskRow is one dataset in the list.
type DeskRow struct {
	Slug      string
	Title     geo.Text
	Producer  geo.Text
	State     string // of its chain: "open"
	Since     time.Time
	Delivered *time.Time
	Fresh     geo.Message
	Late      bool
	Earned    int // criteria of its quality, of Criteria
	Criteria  int
	Upload    int64  // the one under way or waiting for a yes; 0 for none
	Waits     string // its state
}

// A DeskDataset is the model of /bureau/jeux/{slug}.
type DeskDataset struct {
	Page
	CSRF       string
	Row        DeskRow
	Public     bool
	Series     bool
	Criteria   []DeskCriterion
	Uploads    []Delivery
	Versions   []DeskVersion
	Documents  []DeskResource
	MayPublish bool
	Formats    string // that may be sent
	MaxBytes   int64
	Refused    geo.Message // why a file was not taken
	Choices    DeskChoices
	Notice     string // what was just done: a code
	Undo       string // name of the resource that was just taken away
}

// A DeskCriterion is one criterion of quality.
type DeskCriterion struct {
	Name, Why geo.Message
	Earned    bool
}

// DeskChoices are what a person knows better than a file, as typed.
type DeskChoices struct {
	Key, CRS, Encoding, Delimiter, Layer, X, Y, Rejected string
	Anywhere                                             bool
}

// A DeskVersion is one delivery of the past.
type DeskVersion struct {
	Number    int
	Source    string
	State     string
	At        time.Time
	Published *time.Time
	Current   bool
	Back      string // "tables", "file": how it can come back; "" when it can't
	Rows      int64
	Rejected  int64
	Failure   *geo.Message
}

// A DeskResource is a document, a link or a service.
type DeskResource struct {
	Name   string
	Kind   string
	Title  geo.Text
	URL    string
	File   string
	Bytes  int64
	Type   string // of an administrative document
	Number string
	Date   string
	Body   string
	Public bool
	Format string
}

// A Delivery is a file on its way, or an earlier version on its way back.
type Delivery struct {
	ID         int64
	Dataset    string
	Title      geo.Text
	Earlier    bool
	Number     int
	File       string
	Bytes      int64
	State      string
	Login      string
	At         time.Time
	Step       geo.Message
	Done       int64
	Total      int64 // -1 when nobody knows
	Before     int   // that wait before it
	Failure    *geo.Message
	HasRejects bool
	Layers     []LoadedPart
	Changes    []LayerDiff
	First      bool // nothing is published yet
	Stale      bool // something else has been published since it was compared
}

// Under reports whether work on it is under way.
func (d Delivery) Under() bool {
	return d.State == "waiting" || d.State == "loading" || d.State == "publishing"
}

// A LoadedPart is the account of one layer of a file.
type LoadedPart struct {
	Name, Source, Encoding                       string
	Geometry                                     geo.GeometryType
	SRID                                         geo.SRID
	Key                                          []string
	Fields                                       []geo.Field
	Read, Loaded, Repaired, Rejected, NoGeometry int64
	Notes                                        []geo.Message
	Rules                                        []LoadRule
}

// A LoadRule says how often one rule was broken.
type LoadRule struct {
	Rejected bool
	Count    int64
	Record   int64
	Example  geo.Message
}

// A LayerDiff is what publishing would change of one layer.
type LayerDiff struct {
	Name          string
	Title         geo.Text
	Series, Keyed bool
	Before, After *DiffSide
	FieldsAdded   []geo.Field
	FieldsRemoved []geo.Field
	FieldsChanged []FieldDiff
	Added         int64
	Removed       int64
	Changed       int64
	Same          int64
	Samples       []DiffSample
}

// A DiffSide is a layer in one version. Extent is CRS84.
type DiffSide struct {
	Rows, Rejected, Repaired int64
	Geometry                 geo.GeometryType
	SRID                     geo.SRID
	Extent                   *geo.Box
}

// A FieldDiff is a field with another type.
type FieldDiff struct {
	Name     string
	From, To geo.FieldType
}

// A DiffSample is one record that comes, goes or changes.
type DiffSample struct {
	Kind, Key, Name string
	Values          []ValueDiff
	Metres          float64
}

// A ValueDiff is a value that differs.
type ValueDiff struct{ Field, Before, After string }

// A DeliveryPage is the model of /bureau/envois/{id}.
type DeliveryPage struct {
	Page
	CSRF       string
	D          Delivery
	MayPublish bool
	Choices    DeskChoices
	Refused    geo.Message
}

// Progress is a share of 0 to 100; -1 when nobody knows.
func (d Delivery) Progress() int64 {
	if d.Total <= 0 || d.Done < 0 {
		return -1
	}
	return min(d.Done*100/d.Total, 100)
}

// Bureau writes the page /bureau of a producer.
func Bureau(w io.Writer, p DeskPage) error { return render(w, p.Lang, "bureau.html", p) }

// DeskOf writes the page of a dataset at its producer's desk.
func DeskOf(w io.Writer, p DeskDataset) error { return render(w, p.Lang, "bureau-dataset.html", p) }

// DeliveryOf writes the page of a file that was sent.
func DeliveryOf(w io.Writer, p DeliveryPage) error {
	return render(w, p.Lang, "bureau-delivery.html", p)
}
