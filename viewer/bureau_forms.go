package viewer

import (
	"io"
	"time"

	"calanque/geo"
)

// A DescribePage is the model of the form that describes a dataset, as typed.
type DescribePage struct {
	Page
	CSRF      string
	New       bool
	Slug      string
	Name      geo.Text // of the dataset, as it is stored
	Edition   int
	F         DescribeForm
	Faults    []FieldFault
	Conflicts []FieldConflict // somebody has saved meanwhile
	By        string          // who
	Licences  []Option
	Topics    []Option
	Rhythms   []Option
	HighValue []Option
	Producers []Option // for coordinators
	Notice    string
}

// DescribeForm is what was typed, by field.
type DescribeForm struct {
	Slug, Producer, Licence, Frequency, HighValue, LandingPage        string
	Title, Description, Limits                                        map[string]string // by language
	Keywords                                                          string            // a line each: fr | en | it
	Topic                                                             string            // the main one
	Topics                                                            map[string]bool
	Territory, From, To, Issued, ContactName, ContactMail, ContactURL string
}

// A FieldFault is what is wrong with a field.
type FieldFault struct {
	Field   string
	Message geo.Message
}

// A FieldConflict is a field that somebody else has changed otherwise.
type FieldConflict struct{ Field, Theirs, Yours string }

// Fault gives what is wrong with a field; empty when nothing is.
func (p DescribePage) Fault(field string) geo.Message { return faultOf(p.Faults, field) }

func faultOf(list []FieldFault, field string) geo.Message {
	for _, f := range list {
		if f.Field == field {
			return f.Message
		}
	}
	return geo.Message{}
}

// A DocumentsPage is the model of the documents of a dataset.
type DocumentsPage struct {
	Page
	CSRF   string
	Slug   string
	Name   geo.Text
	List   []DeskResource
	F      DocumentForm
	Faults []FieldFault
	Notice string
	Undo   string
	Max    int64 // MB
	Types  []string
	Kinds  []string
}

// DocumentForm is what was typed.
type DocumentForm struct {
	Kind, TitleFR, TitleEN, TitleIT, URL, Type, Number, Date, Body, Format string
	Private                                                                bool
}

// Fault gives what is wrong with a field; empty when nothing is.
func (p DocumentsPage) Fault(field string) geo.Message { return faultOf(p.Faults, field) }

// A RepliesPage is the model of the corrections that sessions produced.
type RepliesPage struct {
	Page
	CSRF     string
	List     []DeskCorrection
	Versions map[string][]DeskVersion // by dataset
	Refused  geo.Message
	At       int64 // of the one that was refused
	Reason   string
	Notice   string
}

// A DeskCorrection is what a session saw otherwise than the producer's file.
type DeskCorrection struct {
	ID        int64
	Dataset   string
	Title     geo.Text
	Layer     string
	Record    string
	Field     string
	InFile    string
	Observed  string
	Day       time.Time
	Observers int
	Session   string
	Question  int
	Visible   bool   // the file says so by now
	Says      string // the reply: "accepted", "refused", "corrected"; "" while there is none
	Reason    string
	Version   int
}

// Describe writes the form that describes a dataset.
func Describe(w io.Writer, p DescribePage) error { return render(w, p.Lang, "bureau-describe.html", p) }

// Documents writes the page of a dataset's documents.
func Documents(w io.Writer, p DocumentsPage) error {
	return render(w, p.Lang, "bureau-documents.html", p)
}

// Replies writes the page of the corrections.
func Replies(w io.Writer, p RepliesPage) error { return render(w, p.Lang, "bureau-replies.html", p) }

// A ReportsPage is the model of what visitors wrote.
type ReportsPage struct {
	Page
	CSRF     string
	List     []DeskReport
	Versions map[string][]DeskVersion // by dataset
	Refused  geo.Message
	At       int64 // of the one that was refused
	Typed    string
	Notice   string
}

// A DeskReport is what a visitor wrote. Who it was nobody knows.
type DeskReport struct {
	ID      int64
	Dataset string
	Title   geo.Text
	Object  string // layer/key; "" for the dataset
	Kind    string // "error", "message"
	Text    string
	Lang    string
	At      time.Time
	State   string
	Next    int // number of the next answer
	Answers []DeskAnswer
}

// A DeskAnswer is what the producer answered.
type DeskAnswer struct {
	State, Text string
	Version     int
	At          time.Time
}

// Reports writes the page of what visitors wrote.
func Reports(w io.Writer, p ReportsPage) error { return render(w, p.Lang, "bureau-reports.html", p) }
