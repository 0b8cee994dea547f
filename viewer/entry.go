package viewer

import (
	"io"

	"calanque/geo"
)

// An EntryPage is the form that a sheet is entered by: one key a line.
type EntryPage struct {
	Page
	Room    Room
	CSRF    string
	Form    string // UUID: the same form sent twice counts once
	Cell    int
	Sheets  []EntrySheet
	Lines   []EntryLine
	Saved   *EntrySaved // what was just taken; nil before
	Refused geo.Message
}

// An EntrySheet is how far a sheet is.
type EntrySheet struct {
	Number      int
	Sign        string
	Done, Total int
	Out         int // questions that are on paper, and on no screen
}

// EntrySaved counts the lines of a sheet that was just entered.
type EntrySaved struct {
	Form                          string
	Answered, Unreadable, Blanked int
}

// An EntryLine is one question of a sheet.
type EntryLine struct {
	Number  int
	Name    string
	Ask     string // as the sheet words it
	Choices []ChoiceView
	Field   *geo.Field // may be written with one of the answers
	Place   int        // key of the answer that may say where; 0 for none
	Square  string     // of the sheet's map, as it was typed
	Done    bool
	Key     string // as it was typed: 1–4, 0 not readable, "" blank
	Note    string
	Value   string
	Wrong   bool // why is in Refused
}

// At is the sheet that is entered.
func (p EntryPage) At() EntrySheet {
	for _, s := range p.Sheets {
		if s.Number == p.Cell {
			return s
		}
	}
	return EntrySheet{}
}

// Next is the first sheet after this one that has questions left, from the
// first again; 0 when there is none.
func (p EntryPage) Next() int {
	first := 0
	for _, s := range p.Sheets {
		if s.Done >= s.Total || s.Number == p.Cell {
			continue
		}
		if s.Number > p.Cell {
			return s.Number
		}
		if first == 0 {
			first = s.Number
		}
	}
	return first
}

// NewEntryLine is a question as the sheet words it.
func NewEntryLine(lang string, q SheetQuestion, done bool) EntryLine {
	l := EntryLine{Number: q.Number, Name: subject(lang, q.Ask), Ask: shortAsk(lang, q), Choices: q.Choices, Done: done}
	for _, c := range q.Choices {
		if c.Place {
			l.Place = c.Key
		}
		if len(c.Fields) > 0 {
			l.Field = &c.Fields[0]
		}
	}
	return l
}

// Short is an answer as the sheet says it.
func (c ChoiceView) Short(lang string) string { return shortly(lang, c.Label) }

// Entry writes the form of a sheet.
func Entry(w io.Writer, p EntryPage) error { return render(w, p.Lang, "atelier-entry.html", p) }
