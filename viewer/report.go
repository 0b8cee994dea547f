package viewer

import (
	"fmt"
	"html/template"
	"io"
	"time"

	"calanque/geo"
)

// A ReportPage is the model of /atelier/{code}/rapport.
type ReportPage struct {
	Page
	Room     Room
	Day      time.Time // on which the session was
	Today    time.Time
	Layer    geo.Text // title of the compared file
	Producer geo.Text
	CSV      string
	CSRF     string // of who may prepare the next; "" for others

	Answered, Tasks int
	People          int // 0 when it may not be told
	Hours           float64
	Proposed        int // answers that ask for a change in OpenStreetMap
	Sent            int // what the producer was told

	Before, After template.HTML // maps
	Whole         bool          // the numbers are of the whole area; else of the questions alone
	Counts        []ReportCount
	Agreement     [2]float64 // shares of one, before and now
	Completeness  [2]float64

	Outcomes   []ReportOutcome // what the answers say
	Seen       []ReportOutcome // and what has become of them
	Milestones []ReportMilestone
	Replies    []ReportReplies
	Left       []TaskRow
	LeftCells  []string // their cells
	Unmatched  int      // places that people told apart
	Wiki       string   // ready to paste
}

// Agreed reports whether the agreement is another than before, as it is written.
func (p *ReportPage) Agreed() bool { return moved(p.Lang, p.Agreement) }

// Completed reports whether the completeness is another than before.
func (p *ReportPage) Completed() bool { return moved(p.Lang, p.Completeness) }

func moved(lang string, shares [2]float64) bool {
	return Percent(lang, shares[0]) != Percent(lang, shares[1])
}

// A ReportCount is one group of outcomes before and after.
type ReportCount struct {
	Group         string
	Before, After int
}

// Change is the difference with its sign.
func (c ReportCount) Change() string {
	switch d := c.After - c.Before; {
	case d > 0:
		return fmt.Sprintf("+%d", d)
	case d < 0:
		return fmt.Sprintf("−%d", -d)
	}
	return "0"
}

// A ReportOutcome is a number with what it counts.
type ReportOutcome struct {
	What string // end of a sentence's code
	N    int
}

// A ReportMilestone is how far the answers had come some days after the end,
// or will be told on that day.
type ReportMilestone struct {
	Days                      int
	Day                       time.Time
	Due                       bool
	Mended, Reverted, Awaited int
}

// A ReportReplies is what a producer says of some of what it was told.
type ReportReplies struct {
	Says  string // accepted, refused, corrected; "" waits
	Icon  string
	N     int
	Lines []ReportReply
}

// A ReportReply is a producer's answer to one observation.
type ReportReply struct {
	Number  int    // of the question
	Place   string // key of the record
	Field   any    // what it is about, a text or a message
	Reason  string
	Version int // from which the file is right; 0 none
	Visible bool
}

// SessionReport writes the report of a session.
func SessionReport(w io.Writer, p ReportPage) error {
	return render(w, p.Lang, "atelier-report.html", &p)
}
