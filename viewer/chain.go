package viewer

import (
	"io"
	"time"

	"calanque/geo"
)

// A ChainBoard is the model of /bureau/parcours: what waits for whom.
type ChainBoard struct {
	Page
	Open   int // datasets that are public
	Groups []ChainGroup
}

// A ChainGroup is what stands in one state, the longest first.
type ChainGroup struct {
	State string
	Rows  []ChainRow
}

// A ChainRow is one dataset that waits.
type ChainRow struct {
	Slug     string
	Title    geo.Text
	Producer geo.Text
	Chain    string
	Since    time.Time
	Days     int
}

// A ChainPage is the model of /bureau/parcours/{slug}.
type ChainPage struct {
	Page
	CSRF        string
	Slug        string
	Title       geo.Text
	State       string
	Since       time.Time
	Chain       string
	CountedAt   time.Time
	CountedFrom string
	Public      bool
	Coordinator bool
	From        string // state that the form was made in
	Today       string // the last day that may be written
	Moves       []ChainMove
	Documents   []ChainDocument
	Steps       []ChainStep
	Edits       []ChainEdit
	Typed       ChainTyped
	Refused     geo.Message
	Done        bool
}

// A ChainMove is a step that may come next.
type ChainMove struct {
	To   string
	Why  bool
	Back bool // it sends back
}

// A ChainDocument is one that a step may rest on.
type ChainDocument struct {
	ID    int64
	Title geo.Text
}

// A ChainStep is a step that was made.
type ChainStep struct {
	From, To string
	At       time.Time
	Decided  time.Time // zero when it was the same day
	Body     string
	Login    string
	Reason   string
	Document geo.Text
}

// A ChainEdit is a change of the description.
type ChainEdit struct {
	Field geo.Message
	At    time.Time
	Who   string
}

// A ChainTyped is what was typed into a form that is shown again.
type ChainTyped struct{ To, Decided, Body, Reason, Document string }

// WriteChainBoard writes the page /bureau/parcours.
func WriteChainBoard(w io.Writer, p ChainBoard) error {
	return render(w, p.Lang, "chain-board.html", p)
}

// WriteChain writes the page /bureau/parcours/{slug}.
func WriteChain(w io.Writer, p ChainPage) error { return render(w, p.Lang, "chain.html", p) }
