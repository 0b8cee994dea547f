package workshop

import (
	"encoding/json"

	"calanque/geo"
	"calanque/osm/match"
)

// A Task is one question of a session.
type Task struct {
	ID           int64
	Session      int64
	Outcome      int64
	Number       int // the same on screen, wall and paper
	Cell         int
	Kind         match.Kind // of the outcome now
	Asked        match.Kind // of the outcome when the task was made
	Layer        string     // of the records
	Record       string     // key, "" when the file lacks it
	OSM          string     // n123, "" when OSM lacks it
	OSMVersion   int        // when asked, 0 unknown
	Name         string     // "" too where the licence of the file does not let it be shown
	Lon, Lat     float64    // the record's place, else the object's
	OSMLon       *float64   // the object's, when the outcome has both
	OSMLat       *float64
	Reason       json.RawMessage // a geo.Message
	Comparison   json.RawMessage // of package match
	Practice     bool            // never settled, never exported
	Open         bool            // a question without a verdict in force
	Answers      int             // that count
	Claimed      bool            // somebody has it now
	Verdict      string          // in force, "" none
	Seen         Seen
	LicenceClass string // of the layer's dataset: "red" shows no values

	known
}

// known is what the package itself goes by.
type known struct {
	fields            []string // that contradicted each other when asked
	askedOSM          string   // the object, when asked
	askedPrint, print []byte   // fingerprints: when asked, now
	distance          float64  // metres between the two sides
	record            *int64
	x, y              float64 // EPSG:3857
	about
	version    *int // of the object that was asked about, now
	there      bool // it still is
	decidedBy  int64
	allAnswers int    // that stand, "can't tell" too
	first      string // what the first answer that counts says, on site before at a desk
	held       bool   // somebody answered while the outcome was as it was asked
	judged     string // verdict on what was asked, in force or overtaken
	wasSeen    bool   // once seen in OSM, says the history
	lastSeen   Seen   // what the history says last
	wanted     bool   // somebody at a desk asked that people go and look
	visits     int    // answers to the outcome, in whatever session
	candidates []candidate
	compared   []compared
}

// about is what tasks of one rule share.
type about struct {
	labels      map[string]geo.Text            // field → label
	valueLabels map[string]map[string]geo.Text // field → value → label
	noun        geo.Text                       // what such places are called
	producer    geo.Text
	rule        match.Rule
}

// A Cell ("case") is a group's part of the area, and a sheet.
type Cell struct {
	Number int
	Area   []byte // EWKB, a multipolygon; the cells tile the session's area
	Sign   Sign
	Tasks  int
}

// A Proposal is what Prepare would make.
type Proposal struct {
	Area     []byte // EWKB, what the plan's area came to
	Tasks    []Task
	Cells    []Cell
	Warnings []geo.Message // few or no tasks, and what to try
}

// Seen says what has become of a task in OpenStreetMap. It is derived each
// time it is read.
type Seen string

// What a newer copy of OpenStreetMap can say of a task.
const (
	NotSeenYet     Seen = "not_seen_yet"
	Verified       Seen = "verified"              // what was asked about is mended there
	Partially      Seen = "partially"             // in part
	FixedByAnother Seen = "fixed_by_someone_else" // before anybody of the session had answered
	Reverted       Seen = "reverted"              // it was mended, and is no more
)

// A Choice is one closed answer.
type Choice struct {
	Key    int         // 1–4, on the keyboard and on paper
	Says   string      // what the answer says (design: workshops C6)
	Label  geo.Message // on the button
	Value  string      // the value that the button stands for, "" none
	Origin Origin      // whose value that is, "" none
	Fields []string    // fields of the layer that may be typed with it
}

// A Question is a task as it is put to a person.
type Question struct {
	Task    Task
	Ask     geo.Message
	Choices []Choice
}

// An Origin is where a value comes from. The server sets it, never the client.
type Origin string

// The origins; a producer receives what was observed and nothing else.
const (
	Observed Origin = "observed"  // by a person on site
	OpenData Origin = "open_data" // the producer's own value, from its file
	FromOSM  Origin = "osm"
	Imagery  Origin = "imagery"
)
