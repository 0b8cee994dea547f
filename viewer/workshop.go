package viewer

import (
	"fmt"
	"html/template"
	"io"
	"strings"

	"calanque/geo"
)

// A Room is a mapping session as its pages show it.
type Room struct {
	Code   string // six characters
	Title  string
	Theme  geo.Text
	ERIC   string // where it is held; may be ""
	Phase  int    // 1 look, 2 go and see, 3 enter, 4 reread
	State  string // "prepared", "open", "closed", "archived"
	Frozen bool
	Left   int    // minutes until its planned end; negative when it is past or not begun
	Called int    // seconds that the mediator's call for attention is still shown; 0 none
	Words  string // of the call; may be ""
}

// Spaced is the code as it is read out: K7M 4QX.
func (r Room) Spaced() string {
	if len(r.Code) != 6 {
		return r.Code
	}
	return r.Code[:3] + nbsp + r.Code[3:]
}

// Path is the address of the session's pages.
func (r Room) Path() string { return "/atelier/" + r.Code }

// A JoinPage is the model of /atelier, and of /atelier/{code} before joining.
type JoinPage struct {
	Page
	Typed   string // code as it was typed
	Room    *Room  // the session that the code opens; nil before
	Wrong   geo.Message
	Prepare bool   // who looks may prepare a session
	Mine    []Room // theirs, newest first
	CSRF    string

	Groups    []GroupView // of the session that the code opens
	Group     string      // sign of the one that is chosen
	Pseudonym string      // proposed
}

// A SeatPage is the model of /atelier/{code}/place.
type SeatPage struct {
	Page
	Room      Room
	Pseudonym string
	Group     string
	Groups    []GroupView
	Notice    geo.Message
}

// A RecoverPage is the model of /atelier/reprendre.
type RecoverPage struct {
	Page
	Code  string // as it was typed
	Wrong geo.Message
}

// A ChoiceView is one answer to a question.
type ChoiceView struct {
	Key    int
	Says   string
	Label  geo.Message
	Value  string
	Fields []geo.Field // may be typed with it
	Place  bool        // a position may go with it
}

// Icon is the sign beside the answer; "" for none.
func (c ChoiceView) Icon() string {
	switch c.Says {
	case "exists_as_described", "same_place", "two_places":
		return "check"
	case "exists_elsewhere":
		return "place"
	case "gone", "not_same_place", "duplicate":
		return "cross"
	}
	return ""
}

// Unknown reports whether it is "I don't know".
func (c ChoiceView) Unknown() bool { return c.Says == "cant_tell" || c.Says == "needs_visit" }

// A TaskRow is a question in a list.
type TaskRow struct {
	Number  int
	Cell    int
	Name    string
	Ask     geo.Message
	Done    bool
	Claimed bool
	Seen    string // in OpenStreetMap; "" not yet
	Task    int64
}

// A Spot is a place on the moving map, in degrees.
type Spot struct {
	Lon, Lat float64
	Group    string // of an outcome, for its shape
}

// An ExampleView is a solved question.
type ExampleView struct{ Ask, Answer geo.Message }

// A QuestionPage is the model of /atelier/{code} for those who have joined.
type QuestionPage struct {
	Page
	Room      Room
	Pseudonym string
	Sign      string
	Cell      int
	OnSite    bool

	Ask      geo.Message // empty: there is no question; State says why
	State    string      // "ask", "frozen", "nothing-left", "not-open"
	Practice bool
	Number   int
	Task     int64
	Hold     string // "mine": it can be answered; "taken" by another, "settled" by others
	Key      string // of the answer that this form gives
	Seen     string // what is asked, so that a late answer is not taken for another's
	Choices  []ChoiceView
	Plan     template.HTML
	At       Spot  // where it is about
	Other    *Spot // OpenStreetMap's side, where two places are compared
	Examples []ExampleView
	Ahead    bool      // kept for when the hub is out of reach, and leased to nobody
	Rows     []TaskRow // of the cell
	List     bool      // show the rows in the place of the question
	Back     string    // address of the question before; "" none
	Next     string
	Undo     bool
	Notice   geo.Message // what became of the last answer
	Refused  geo.Message // why an answer was not taken
	Note     string      // as it was typed
}

// Done counts the answered questions of the cell.
func (p QuestionPage) Done() int {
	n := 0
	for _, r := range p.Rows {
		if r.Done {
			n++
		}
	}
	return n
}

// Position is the place of the question in its cell, from 1; 0 outside.
func (p QuestionPage) Position() int {
	for i, r := range p.Rows {
		if r.Number == p.Number {
			return i + 1
		}
	}
	return 0
}

// Fields are those that may be typed with one of the choices.
func (p QuestionPage) Fields() []geo.Field {
	for _, c := range p.Choices {
		if len(c.Fields) > 0 {
			return c.Fields
		}
	}
	return nil
}

// Mine reports whether the question can be answered.
func (p QuestionPage) Mine() bool { return p.Hold == "" || p.Hold == "mine" }

// Place reports whether one of the answers takes a position.
func (p QuestionPage) Place() bool {
	for _, c := range p.Choices {
		if c.Place {
			return true
		}
	}
	return false
}

// Bearings are the directions that a position can be told by.
func (QuestionPage) Bearings() []string { return []string{"n", "ne", "e", "se", "s", "so", "o", "no"} }

// Distances are the metres that a position can be told by.
func (QuestionPage) Distances() []int { return []int{5, 10, 20, 30, 50, 80, 120, 200} }

// A NewPage is the model of /atelier/nouveau: the four fields, and what the
// hub proposes once they are filled in.
type NewPage struct {
	Page
	Title     string
	Theme     string
	Themes    []ThemeChoice
	Area      string // "eric", "commune", "forme"
	ERIC      string
	ERICs     []Option
	Commune   string
	Communes  []Option
	Shape     string // GeoJSON
	Minutes   int
	People    int
	Refused   geo.Message
	Proposed  bool
	Questions []TaskRow
	Cells     int
	Warnings  []geo.Message
	Plan      template.HTML
	At        *Spot // where a shape is likely to be drawn
	CSRF      string
}

// An Option is one of a list to choose from.
type Option struct{ ID, Title string }

// A ThemeChoice is a theme that has something to compare with.
type ThemeChoice struct {
	ID    string
	Title geo.Text
}

// Durations are the lengths of a session that are offered, in minutes.
func (NewPage) Durations() []int { return []int{45, 60, 90, 120, 180} }

// A GroupView is how far a group is.
type GroupView struct {
	Sign   string
	People int
	Done   int
	Total  int
}

// Progress is a session in numbers.
type Progress struct {
	Tasks, Answered, Left, ToVerify, Doubtful int
	Same, Differs, Missing, Seen              int
	People                                    int
	Groups                                    []GroupView
	Cells                                     []PlanCell
}

// A ClaimView is a question that somebody has now.
type ClaimView struct {
	Number int
	Cell   int
	Name   string
	Task   int64
}

// An OpinionView is one answer in the second reading.
type OpinionView struct {
	Number int
	Label  geo.Message
	Value  string
	OnSite bool
	Note   string
}

// A DoubtView is a question whose answers do not settle it.
type DoubtView struct {
	Task     int64
	Number   int
	Ask      geo.Message
	Why      geo.Message
	Opinions []OpinionView
	Choices  []ChoiceView
}

// A BoardPage is the model of /atelier/{code}/conduite.
type BoardPage struct {
	Page
	Room     Room
	CSRF     string
	Address  string        // where to join, without the scheme
	QR       template.HTML // of the session's address
	OnlyHere bool          // no other machine reaches this address
	Recovery string        // shown where the session was prepared
	Progress Progress
	Ground   template.HTML // without cells
	Over     template.HTML // cells alone
	Claims   []ClaimView
	Doubts   []DoubtView
	Notice   geo.Message
	Refused  geo.Message // why a form was not taken
	Words    string      // of a call, as they were typed
}

// An ExportsPage is the model of /atelier/{code}/exports.
type ExportsPage struct {
	Page
	Room     Room
	Refused  geo.Message // why nothing leaves towards OpenStreetMap; Code "" when it may
	JOSM, ID string      // links that open the editors
	Hours    int         // that they can be read
	Proposed int         // edits in the files
	ByHand   []ByHand
	CSRF     string
	Revoked  bool // links were just ended
}

// A ByHand is an edit that no file can hold.
type ByHand struct {
	Number   int
	Ask, Why geo.Message
	Object   string // n123, "" none
	JOSM, ID string // links that open it; JOSM "" without an object
}

// A WallPage is the model of /atelier/{code}/projecteur.
type WallPage struct {
	Page
	Room     Room
	Address  string
	QR       template.HTML
	Progress Progress
	Ground   template.HTML
	Over     template.HTML
}

// Join writes the page that takes a code.
func Join(w io.Writer, p JoinPage) error { return render(w, p.Lang, "atelier-join.html", p) }

// Seat writes the page of a participant's seat.
func Seat(w io.Writer, p SeatPage) error { return render(w, p.Lang, "atelier-seat.html", p) }

// Recover writes the page that takes a recovery code.
func Recover(w io.Writer, p RecoverPage) error { return render(w, p.Lang, "atelier-recover.html", p) }

// Ahead writes questions that a participant's page keeps.
func Ahead(w io.Writer, lang string, pages []QuestionPage) error {
	return render(w, lang, "atelier-ahead.html", pages)
}

// Question writes a participant's page.
func Question(w io.Writer, p QuestionPage) error {
	return render(w, p.Lang, "atelier-question.html", p)
}

// Away writes what a browser keeps to show while the hub is away: the same for
// everybody.
func Away(w io.Writer, p Page) error { return render(w, p.Lang, "atelier-away.html", p) }

// New writes the page that prepares a session.
func New(w io.Writer, p NewPage) error { return render(w, p.Lang, "atelier-new.html", p) }

// Board writes the mediator's page.
func Board(w io.Writer, p BoardPage) error { return render(w, p.Lang, "atelier-board.html", p) }

// Exports writes the page of a session's files.
func Exports(w io.Writer, p ExportsPage) error { return render(w, p.Lang, "atelier-exports.html", p) }

// Wall writes the projector's page.
func Wall(w io.Writer, p WallPage) error { return render(w, p.Lang, "atelier-wall.html", p) }

// signShape is a group's silhouette around 0,0, 24 units wide.
func signShape(sign string) string {
	var inner string
	switch sign {
	case "sail":
		inner = `<path d="M1-10.5V5h8.800C9.300-2 6-7.200 1-10.5zM-1-7.200V5h-8.300C-8.300.2-5-4.200-1-7.200zM-10.5 7h21l-3.200 4h-14.600z"/>`
	case "sun":
		var b strings.Builder
		b.WriteString(`<circle r="5.300"/>`)
		for turn := 0; turn < 360; turn += 45 {
			fmt.Fprintf(&b, `<rect x="-1.300" y="-11.300" width="2.600" height="4.600" rx=".8" transform="rotate(%d)"/>`, turn)
		}
		inner = b.String()
	case "pine":
		inner = `<path d="M-1.600 11V1h3.200v10zM0-9.500c5.300 0 9.500 3.400 10.300 7.600.2 1-.5 1.900-1.500 1.900H-8.800c-1 0-1.700-.9-1.500-1.900C-9.500-6.100-5.300-9.500 0-9.500z"/>`
	default:
		sign = "fish"
		inner = `<path d="M-11-6.500l4.800 4C-3.700-5.700-.7-7.200 2.600-7.200 7-7.200 10.200-3.400 11.300 0 10.200 3.400 7 7.200 2.600 7.200c-3.300 0-6.300-1.500-8.800-4.700l-4.800 4c.9-4.300.9-8.700 0-13z"/><circle class="eye" cx="5.800" cy="-2" r="1.500"/>`
	}
	return `<g class="gp gp-` + sign + `">` + inner + `</g>`
}

// groupSign is a group's silhouette as a picture of its own.
func groupSign(sign string, size int) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="gp" width="%d" height="%d" viewBox="-12 -12 24 24" aria-hidden="true">%s</svg>`, size, size, signShape(sign)))
}
