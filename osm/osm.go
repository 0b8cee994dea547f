// Package osm keeps a regional copy of OpenStreetMap equal to its feed, and its
// themes as layers.
//
// Import reads an extract (.osm.pbf) into the tables osm.point, osm.line and
// osm.area, one row an object with at least one tag that means something, and
// replaces the whole older copy in one transaction. Of the ways that people may
// be asked about, osm.way and osm.node keep the nodes. PutThemes declares
// selections of objects that are served as layers of their own and compared
// with partners' records.
//
// Geometry is stored in EPSG:3857. What is an area is decided by the tags
// (areas.go); multipolygon and boundary relations are assembled (assemble.go).
// What is broken in the extract is told in osm.problem, by object and reason.
//
// Not here: following a feed of changes, the decoding of files (osm/pbf), the
// comparison with partners' records (osm/match). No user, uid or changeset
// exists in any table or type.
package osm

import (
	"time"

	"calanque/geo"
	"calanque/osm/pbf"
)

// A Problem is what is wrong with one object of an extract, and what became of
// it. It is not an error: extracts are cut at a border, and mappers err.
type Problem struct {
	Type    byte // 'n', 'w', 'r'
	ID      int64
	Drawn   bool // the object is in the copy nevertheless, whole or in part
	Message geo.Message
}

// The codes of problems.
const (
	nodeNowhere    = "osm.node-nowhere"    // its location is outside the globe
	nodesMissing   = "osm.nodes-missing"   // the extract lacks nodes of a way
	wayShort       = "osm.way-short"       // a way that spans no distance
	areaOpen       = "osm.area-open"       // rings that do not close
	areaFlat       = "osm.area-flat"       // rings that enclose nothing
	areaRepaired   = "osm.area-repaired"   // rings that cross themselves or each other
	segmentsTwice  = "osm.segments-twice"  // pieces of border that lie on each other
	membersMissing = "osm.members-missing" // the extract lacks members of a relation
	memberRelation = "osm.member-relation" // an area made of relations
	relationBare   = "osm.relation-bare"   // no tags, and none common to its outer ways
	textRepaired   = "osm.text-repaired"   // characters that no text can hold
)

// A Report says what an import did.
type Report struct {
	File      string    `json:"file"`
	SHA256    string    `json:"sha256"`
	Extract   time.Time `json:"extract"`             // the state of OpenStreetMap that is shown now
	Replaced  time.Time `json:"replaced,omitzero"`   // the one that was shown before
	Unchanged bool      `json:"unchanged,omitempty"` // this file was there already: nothing was done

	Nodes     int64 `json:"nodes"` // read
	Ways      int64 `json:"ways"`
	Relations int64 `json:"relations"`

	Points int64 `json:"points"` // written
	Lines  int64 `json:"lines"`
	Areas  int64 `json:"areas"`

	ListedWays int64 `json:"listed_ways"` // those whose nodes are kept

	FromRelations  int64            `json:"from_relations"`  // areas that relations gave
	OldStyle       int64            `json:"old_style"`       // of them, those whose tags are on the outer ways
	Absorbed       int64            `json:"absorbed"`        // ways that are such a border and no object of their own
	OtherRelations int64            `json:"other_relations"` // routes, restrictions, sites…: not drawn
	Themes         map[string]int64 `json:"themes"`          // objects by theme

	Problems map[string]int64 `json:"problems"` // by code; one by one in osm.problem
	Took     time.Duration    `json:"took"`
}

// An Options says how to import.
type Options struct {
	// Force imports an extract that is older than what is shown, or the same.
	Force bool
	// Progress, when set, is told how far the import is; from one goroutine at
	// a time, several times a second at most.
	Progress func(Progress)
	// TempDir is where rows wait to be sorted: about five times the size of the
	// extract. "" means the system's.
	TempDir string
}

// A Progress is how far an import is in one of its phases, in order: "read"
// (bytes), "write" (rows), "index" (tables), "publish".
type Progress struct {
	Phase       string
	Done, Total int64
}

// A location is a longitude and latitude in 1e-7 degrees.
type location struct{ lon, lat int32 }

func (l location) nowhere() bool { return l.lon == pbf.Nowhere || l.lat == pbf.Nowhere }
