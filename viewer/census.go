package viewer

import (
	"fmt"
	"io"
	"time"

	"calanque/geo"
)

// A CensusPage is the model of /bureau/recensement: where spreadsheets are
// sent, and what the last ones brought.
type CensusPage struct {
	Page
	CSRF     string
	Choices  CensusChoices
	Offers   CensusOffers
	Formats  string // that may be sent
	MaxBytes int64
	Waiting  []CensusRow // that nobody has had written yet
	Censuses []CensusRow
	Refused  geo.Message
	Dropped  bool
}

// CensusChoices are what lines say that do not say it themselves.
type CensusChoices struct{ Producer, Licence, Chain string }

// CensusOffers are what there is to choose from.
type CensusOffers struct{ Producers, Licences []Option }

// A CensusRow is a spreadsheet in a list.
type CensusRow struct {
	ID                   int64
	Source               string
	At                   time.Time
	Login                string // "" for the command
	Taken, Same, Refused int
}

// A CensusResult is what a spreadsheet is, or was, understood as.
type CensusResult struct {
	Header               int // line of the titles, from 1
	Columns              []CensusColumn
	Taken, Same, Refused int
	Lines                []CensusLine // that are good, the first of them
	Faults               []CensusFault
	AllFaults            int
}

// Good is how many lines are good.
func (r CensusResult) Good() int { return r.Taken + r.Same }

// A CensusColumn is a column and what it is taken for; Field "" keeps its
// cells as they are.
type CensusColumn struct {
	Number                        int // from 1
	Letter, Title, Field, Example string
}

// A CensusLine is a line that is good.
type CensusLine struct {
	Line        int
	Slug, Title string
	Same        bool
}

// A CensusFault is a cell to be mended.
type CensusFault struct {
	Cell    string // "B9"
	Line    int
	Column  string // its title; "" for the whole line
	Message geo.Message
}

// A CensusDraft is the model of /bureau/recensement/essais/{id}: how a
// spreadsheet is understood, before anything is written.
type CensusDraft struct {
	Page
	CSRF    string
	ID      int64
	Source  string
	Login   string
	At      time.Time
	Choices CensusChoices
	Offers  CensusOffers
	Sheet   string   // that is read
	Sheets  []string // of the workbook
	Last    int      // line of the sheet
	Fields  []string // that a column may be
	Result  CensusResult
	Wrong   geo.Message // why it can't be read so
	Said    geo.Message // why nothing was written
	Mark    string      // of what is shown
}

// A CensusReport is the model of /bureau/recensement/{id}: what became of a
// spreadsheet.
type CensusReport struct {
	Page
	Row    CensusRow
	Result CensusResult
	Done   bool // just now
}

// Known is how many columns were recognised.
func (p CensusDraft) Known() int {
	n := 0
	for _, c := range p.Result.Columns {
		if c.Field != "" {
			n++
		}
	}
	return n
}

// CSV is the address of the lines that are to be mended.
func (p CensusDraft) CSV() string {
	return fmt.Sprint("/bureau/recensement/essais/", p.ID, "/a-corriger.csv")
}

// Linked reports whether the datasets of lines are there.
func (p CensusDraft) Linked() bool { return false }

// CSV is the address of the lines that are to be mended.
func (p CensusReport) CSV() string {
	return fmt.Sprint("/bureau/recensement/", p.Row.ID, "/a-corriger.csv")
}

// Linked reports whether the datasets of lines are there.
func (p CensusReport) Linked() bool { return true }

// WriteCensus writes the page /bureau/recensement.
func WriteCensus(w io.Writer, p CensusPage) error { return render(w, p.Lang, "census.html", p) }

// WriteCensusDraft writes the page of a spreadsheet that waits.
func WriteCensusDraft(w io.Writer, p CensusDraft) error {
	return render(w, p.Lang, "census-draft.html", p)
}

// WriteCensusReport writes the page of a spreadsheet that was taken.
func WriteCensusReport(w io.Writer, p CensusReport) error {
	return render(w, p.Lang, "census-report.html", p)
}
