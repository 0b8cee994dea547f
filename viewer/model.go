package viewer

import (
	"net/url"
	"time"

	"calanque/geo"
)

// PageSize is how many rows of a list one page holds.
const PageSize = 60

// A Producer is who made a layer, as pages and the API show it.
type Producer struct {
	ID    string   `json:"id"`
	Title geo.Text `json:"title"`
	URL   string   `json:"url,omitempty"`
}

// A Licence is what a layer may be used for, as pages and the API show it.
type Licence struct {
	ID    string           `json:"id"`
	Title geo.Text         `json:"title"`
	URL   string           `json:"url,omitempty"`
	Class geo.LicenceClass `json:"class"`
}

// A Layer is one layer as a visitor sees it. Its JSON is the object "calanque"
// of a collection in the API, and what the page's script starts from.
type Layer struct {
	ID           string           `json:"id"`
	Titles       geo.Text         `json:"titles"`
	Producer     Producer         `json:"producer"`
	Licence      Licence          `json:"licence"`
	Dataset      string           `json:"dataset,omitempty"` // slug; "" for OSM and outcomes
	Life         geo.Life         `json:"life"`
	GeometryType geo.GeometryType `json:"geometryType"`
	Box          *[4]float64      `json:"bbox"` // CRS84 lon/lat; null without geometry
	Count        int64            `json:"count"`
	Updated      time.Time        `json:"updated"`
	Revision     int64            `json:"revision"`
	Fields       []geo.Field      `json:"fields"`
	Style        Style            `json:"style"`
	Tiles        string           `json:"tiles,omitempty"`    // "/tiles/x.json"; "" without geometry
	Outcomes     string           `json:"outcomes,omitempty"` // the layer of its comparison with OSM
	Theme        string           `json:"theme,omitempty"`    // the OSM layer it is compared with
	Times        *Times           `json:"times,omitempty"`    // of a series
	Frequency    string           `json:"frequency,omitempty"`
	Position     int              `json:"position"`
	Report       *Report          `json:"report,omitempty"`
}

// Times are the moments a series has values for.
type Times struct {
	First  time.Time `json:"first"`
	Last   time.Time `json:"last"`
	Values []string  `json:"values,omitempty"` // all of them, while they are at most 400: days as 2006-01-02, else RFC 3339
}

// A Report is the account of the last load.
type Report struct {
	Read       int64 `json:"read"`
	Loaded     int64 `json:"loaded"`
	Repaired   int64 `json:"repaired"`
	Rejected   int64 `json:"rejected"`
	NoGeometry int64 `json:"no_geometry"`
}

// A Style is how the viewer shows a layer; the catalogue file says it, and
// every member may be left out.
type Style struct {
	As     string   `json:"as,omitempty"`     // "air-index": ATMO classes by commune; "stations": measures in time; "" by the geometry
	Icon   string   `json:"icon,omitempty"`   // a name of src/symbols.json: "water", "charging", "school"…
	Colour string   `json:"colour,omitempty"` // "mer", "pin", "ocre", "brique", "encre", "osm", "violet"
	Line   string   `json:"line,omitempty"`   // "solid", "dashes", "dots"
	Fill   string   `json:"fill,omitempty"`   // "plain", "diagonal", "none"
	Noun   geo.Text `json:"noun,omitempty"`   // one and many: "point d’eau|points d’eau"
	Name   []string `json:"name,omitempty"`   // fields that name a feature, the first that is set; else name, nom, libelle…
	Note   []string `json:"note,omitempty"`   // fields of the second line in the list
	Facts  []string `json:"facts,omitempty"`  // fields of the card, in order; else all
	// Values says what coded values mean: field, value as text, words by language.
	Values    map[string]map[string]geo.Text `json:"values,omitempty"`
	Precision float64                        `json:"precision,omitempty"` // metres, of positions
	On        bool                           `json:"on,omitempty"`        // lit at a first visit
	Hidden    bool                           `json:"hidden,omitempty"`    // served, but not offered in the panel
}

// A Page is what all pages know.
type Page struct {
	Lang      string   // of Languages: Lang chooses it
	URL       *url.URL // path and query as asked; links to other languages keep it
	Base      string   // the hub's address as visitors see it, without a slash at its end
	Now       time.Time
	Fictional bool // the hub shows the made-up sample: every page says so
	Embed     bool // ?cadre=1: no header
	SignedIn  *SignedIn
}

// A SignedIn is who looks at a page, when they have an account. Its JSON is
// part of what the map page's script starts from.
type SignedIn struct {
	Login string `json:"login"`
	Role  string `json:"role"`  // "coordinator", "mediator", "producer"
	CSRF  string `json:"csrf"`  // goes into every form
	Judge bool   `json:"judge"` // may give verdicts at a desk
}

// A SignInPage is the model of /connexion.
type SignInPage struct {
	Page
	Login   string      // as it was typed
	Back    string      // path and query to go to afterwards; "" for the map
	Refused geo.Message // why it was not; empty at first
	Out     bool        // they have just signed out
}

// A MapPage is the model of /carte: all that the page shows without a script.
type MapPage struct {
	Page
	Layers []Layer  // all that are served, in the order of the catalogue
	On     []string // ids of ?c=, or those lit at first; the first one is listed
	Home   geo.Box  // CRS84: the whole of what there is
	List   *List    // the rows of the first layer that is on; nil when none is
	Card   *Card    // the feature of ?sel=; nil when none is chosen
	// Compare is set when ?comparer=1 and the listed layer has outcomes.
	Compare *Compare
	Air     *Air // set when the listed layer shows as "air-index"
	Query   string
	Found   []Found // results of ?q=, in groups; used when Query is set
}

// A List is one page of a layer's features.
type List struct {
	Layer    string
	Total    int64  // exact number of features, all pages
	Page     int    // from 1
	Next     string // value of ?apres= for the next page; "" on the last
	Commune  string // name, when the list is limited to ?commune=
	Features []geo.Feature
}

// A Card is one feature with where it comes from.
type Card struct {
	Layer   string
	Feature geo.Feature
	Outcome *geo.Feature // of the layer's outcomes, when it has them
	Place   string       // commune it lies in; may be ""
}

// A Compare is a page of the outcomes of a layer against OpenStreetMap.
type Compare struct {
	Layer  string           // the compared layer; its Outcomes names the outcomes'
	Counts map[string]int64 // by group: same, partner, osm, differs, other
	Shown  []string         // groups of ?groupes=; else all but same
	List   List             // of outcome features, of the shown groups
	Chosen *geo.Feature     // the outcome of ?sel=
	Desk   *Desk            // of Chosen, for those who may judge it
}

// A Desk is what a mediator or coordinator may say about an outcome, and what
// was said. Its JSON is what the page's script asks for.
type Desk struct {
	Outcome     string    `json:"outcome"`
	Fingerprint string    `json:"fingerprint"` // of what is shown: goes back with the answer
	Pair        bool      `json:"pair"`        // a record and an object, else one of them
	Choices     []string  `json:"choices"`     // "same_place", "not_same_place", "needs_visit"
	Says        string    `json:"says"`        // what holds: one of these, or what a session found; "" for nothing
	At          time.Time `json:"at"`
	Mine        bool      `json:"mine"`
	Undo        bool      `json:"undo"` // who looks may take it back
}

// An Air is one day of the ATMO index.
type Air struct {
	Day    string        // 2006-01-02
	Days   []string      // that have values, ascending
	Values []geo.Feature // the day's, without geometry
	Chosen string        // code of the commune of ?sel=
	Month  []geo.Feature // of the chosen commune, up to 30 days until Day
}

// A Found is one group of search results: communes, objects or layers.
type Found struct {
	Kind  string      `json:"kind"` // "commune", "object", "layer"
	Items []FoundItem `json:"items"`
}

// A FoundItem leads to a commune, an object or a layer.
type FoundItem struct {
	Title    string      `json:"title"`
	Subtitle string      `json:"subtitle,omitempty"`
	Layer    string      `json:"layer,omitempty"`
	ID       string      `json:"id,omitempty"`
	Box      *[4]float64 `json:"bbox,omitempty"`   // CRS84
	Center   *[2]float64 `json:"center,omitempty"` // lon, lat
}

// A ProblemPage is an error as a page: what happened and the way out.
type ProblemPage struct {
	Page
	Status  int         // HTTP status, shown small
	Message geo.Message // said as a sentence; may be empty: then by status
}

func (p MapPage) layer(id string) *Layer {
	for i := range p.Layers {
		if p.Layers[i].ID == id {
			return &p.Layers[i]
		}
	}
	return nil
}
