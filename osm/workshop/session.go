// Package workshop shares questions out, records answers, settles them, and
// hands them on without mixing licences.
//
// A Session (an atelier) is one or two hours in a room: a mediator, some ten
// to thirty people without accounts, one theme, one area. Its tasks are
// outcomes of package match and have no state of their own: a task is open
// exactly while its outcome is a question and no verdict on it is in force.
// Claims are leases on the outcome, across sessions; answers are only added;
// what they amount to is settled in the transaction that adds one.
//
// Exported functions own their transaction. They are called with the pool
// that pages write through (hub.Desk); those that must compare again first
// take the hub. Geometry is EPSG:4326, lon/lat, unless a name says otherwise.
//
// Pages, addresses and sentences are not here: a Question is geo.Messages.
package workshop

import (
	"time"
)

// Kind is the kind of this package's entries in the log of changes; their
// subject is the session's code.
const Kind = "workshop"

// A State says how far a session has come.
type State string

// The states of a session. "Verified" is none: the report derives it.
const (
	Prepared State = "prepared" // tasks are dealt, nobody can join
	Running  State = "open"     // people join and answer
	Closed   State = "closed"   // nobody answers any more; pseudonyms live for another day
	Archived State = "archived" // forgotten: answers are cut loose from whoever gave them
)

// A Phase is what the room does. Only the mediator moves it.
type Phase string

// The phases, in their order.
const (
	Look   Phase = "look"   // regarder
	Go     Phase = "go"     // aller voir
	Enter  Phase = "enter"  // saisir
	Reread Phase = "reread" // relire
)

// Phases lists them in their order.
var Phases = []Phase{Look, Go, Enter, Reread}

// A Sign is a group's: a shape and a word, never a colour alone.
type Sign string

// The signs of groups.
const (
	Sail Sign = "sail"
	Sun  Sign = "sun"
	Pine Sign = "pine"
	Fish Sign = "fish"
)

// Signs lists them in the order in which cells take them.
var Signs = []Sign{Sail, Sun, Pine, Fish}

// A Session is one workshop.
type Session struct {
	ID             int64
	Code           string // six characters, never given twice
	Title          string
	Theme          string // id of the theme
	Mediator       int64  // account
	Place          string // title of the mediator's ERIC, "" without one
	Area           []byte // EWKB
	Minutes        int
	People         int
	Phase          Phase
	State          State
	Frozen         bool // the room looks up: no new question is given
	Cells          int
	Created        time.Time
	Opened, Closed *time.Time
	Attention      string  // what the mediator says to everybody; counts while AttentionLeft > 0
	AttentionLeft  float64 // seconds that it is still shown, when it was read; 0 or less: none
}

// Ends is when an open session should be over, by its own plan; nil before.
func (s *Session) Ends() *time.Time {
	if s.Opened == nil {
		return nil
	}
	t := s.Opened.Add(time.Duration(s.Minutes) * time.Minute)
	return &t
}

// A Plan is what a mediator fills in.
type Plan struct {
	Title   string
	Theme   string
	Area    Area
	Minutes int
	People  int
}

// An Area says where: one of the three.
type Area struct {
	Around  *Around
	Commune string // _key of an OSM area (r123, w4) or the name of an administrative boundary
	GeoJSON []byte // a Polygon, MultiPolygon, or a Feature with one
}

// Around is a circle around an ERIC.
type Around struct {
	ERIC   string
	Metres float64
}

// A Participant is a person for the time of a session: a pseudonym, a group,
// no name.
type Participant struct {
	ID        int64
	Session   Session
	Pseudonym string // "Genévrier 12"
	Sign      Sign
	Cell      int // where they begin
	OnSite    bool
}
