// Package catalogue keeps what partners publish: descriptions, the chain from
// census to publication, search, freshness and reuse. Layers and their
// versions are package postgis's; here is what people say of them.
package catalogue

import (
	"time"

	"calanque/geo"
)

// An Entry is a dataset as the catalogue describes it, whatever its state.
type Entry struct {
	ID       geo.DatasetID
	Slug     string
	Producer string // id
	Licence  string // id
	Chain    Chain
	State    State
	Since    time.Time // of the state

	Title       geo.Text
	Description geo.Text   // Markdown
	Limits      geo.Text   // known limits, Markdown
	Keywords    []geo.Text // each by language
	Topics      []string   // ids, the first is the main one
	Territory   []string   // "13055" (INSEE), "EPCI:200054807", "D13", "R93"
	Frequency   string     // geo.Frequencies, "" when nobody said
	HighValue   string     // authority URI of the high-value category, "" when none
	LandingPage string
	Contact     map[string]string // "name", "email", "url"; else its producer's

	Extent        *geo.Box // CRS84: as described, else of its published layers; nil when neither
	SaidExtent    *geo.Box // as described alone: this one is written
	TemporalStart *time.Time
	TemporalEnd   *time.Time
	IssuedAt      *time.Time // by its producer
	CountedAt     time.Time  // census
	CountedFrom   string
	PublishedAt   *time.Time // of the published version
	DeliveredAt   *time.Time // of the newest delivery: the published version's, else as said
	SaidDelivered *time.Time // as said alone, a day: this one is written
	UpdatedAt     time.Time  // of the description
	Edition       int        // grows with each change of the description
	Retired       bool
	Version       geo.VersionID // published, 0 when none
	Life          geo.Life
	Extra         map[string]string // of the census, not recognised

	Identifier string // what it is called elsewhere for ever: its first slug
	Resources  []Resource
	Layers     []Layer   // of the published version
	Received   *Received // the file it was loaded from; nil when it is not kept
}

// A ResourceKind says what a resource is to whoever takes it.
type ResourceKind string

// The kinds of resources. All are closed: another needs a migration.
const (
	LayerResource  ResourceKind = "layer"          // loaded, served as tiles and features
	FileResource   ResourceKind = "file"           // kept as received
	Reference      ResourceKind = "reference"      // a link; nothing is copied
	Service        ResourceKind = "service"        // WFS, WMS, OGC API, Geotrek…
	Documentation  ResourceKind = "documentation"  // a file or a link
	Administrative ResourceKind = "administrative" // délibération, convention, avis, clause
)

// A Resource is one thing of a dataset that a person can take or open. Exactly
// one of URL, SHA256 and Layer is there.
type Resource struct {
	ID          int64
	Name        string // in the dataset: "statuts", part of its address
	Kind        ResourceKind
	Title       geo.Text
	Description geo.Text
	URL         string
	SHA256      []byte
	Layer       string // its name
	Filename    string // of a file, as received
	Format      string // "csv", "shp", "pdf", "wfs"…
	MediaType   string // of a file
	Bytes       int64  // 0 when not known
	Document    *Document
	Public      bool
	Position    int
	UpdatedAt   time.Time
	Link        *Link // how its URL was last found; nil when it was never tried
}

// A Document is what makes an administrative resource one.
type Document struct {
	Type   string `json:"type"`             // deliberation, convention, avis, clause, other
	Number string `json:"number,omitempty"` // "26-118"
	Date   string `json:"date,omitempty"`   // ISO 8601 day
	Body   string `json:"body,omitempty"`   // who made it
}

// A Topic is a theme of the portal. ISO and EU are codes of ISO 19115's topic
// categories and of the Publications Office's data-theme.
type Topic struct {
	ID    string
	Title geo.Text
	HOMER string
	ISO   string
	EU    string
}
