package viewer

import (
	"io"
	"time"

	"calanque/geo"
)

// A ReportForm is the page /signaler: a visitor writes to a producer.
type ReportForm struct {
	Page
	Kind    string // "error" or "message"
	Dataset string // slug
	Title   geo.Text
	Object  string // layer/key as the address has it, "" for the dataset as a whole
	Name    string // of the object
	Text    string // as typed
	Stamp   string // when the form was made, signed
	Refused geo.Message
}

// A VisitorReport is where the answer to a message stands.
type VisitorReport struct {
	Page
	Kind    string
	Dataset string // slug, "" when it is not public any more
	Title   geo.Text
	Object  string // name of the object
	OnMap   string // address of the object on the map
	Text    string
	At      time.Time
	State   string
	Sent    bool // just now
	Answers []ReportAnswer
}

// A ReportAnswer is one answer of the producer.
type ReportAnswer struct {
	State, Text string
	Version     int // that corrects it, 0 for none
	At          time.Time
}

// WriteReportForm writes the page /signaler.
func WriteReportForm(w io.Writer, p ReportForm) error {
	return render(w, p.Lang, "visitor-form.html", p)
}

// WriteReport writes the page of a message and its answers.
func WriteReport(w io.Writer, p VisitorReport) error {
	return render(w, p.Lang, "visitor-report.html", p)
}
