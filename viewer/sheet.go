package viewer

import (
	"html/template"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"calanque/geo"
)

// A SheetPage is the model of /atelier/{code}/feuilles: a sheet for each cell,
// and the index. Each is one page of A4.
type SheetPage struct {
	Page
	Room     Room
	Address  string
	QR       template.HTML
	Recovery string
	Index    template.HTML
	Cells    []PlanCell
	Sheets   []Sheet
	Example  *SheetExample
	Layout   SheetLayout // of the index
}

// A SheetExample is a solved question, so that everybody sees what a tick is.
type SheetExample struct {
	Name    string
	Ask     geo.Message
	Choices []ChoiceView
	Ticked  int
}

// A Sheet is one cell on paper.
type Sheet struct {
	Cell   int
	Sign   string
	Title  string // of the page
	Plan   template.HTML
	Scale  int // 1 to so much
	Bar    ScaleBar
	QR     template.HTML
	Where  template.HTML // the cell among the others
	Heads  []string      // of the columns of answers, by key: what most lines say
	Rows   []SheetRow
	Blanks []string // letters of the empty lines
	Of     int      // number of sheets
	Layout SheetLayout
}

// A SheetRow is a question on paper: what it is about, what is asked, and a
// box for each answer in the order of their keys.
type SheetRow struct {
	Number int
	Name   string
	Ask    string
	Boxes  []SheetBox
}

// A SheetBox is where a tick goes; Label only when it differs from its column.
type SheetBox struct {
	Label string
	None  bool // this line has fewer answers
}

// A ScaleBar is a length on paper: thirds of Metres, Width CSS pixels long.
type ScaleBar struct {
	Width  float64
	Metres float64
}

// Third gives the place of a third of the bar.
func (b ScaleBar) Third(n int) float64 { return b.Width * float64(n) / 3 }

// MetresAt gives the length up to a third.
func (b ScaleBar) MetresAt(n int) float64 { return b.Metres * float64(n) / 3 }

// BreakableAddress is the address with a place to break the line.
func (p SheetPage) BreakableAddress() string { return strings.ReplaceAll(p.Address, "/", "\u200b/") }

// SpacedRecovery is the recovery code as people read it: in fours.
func (p SheetPage) SpacedRecovery() string {
	var fours []string
	for rest := p.Recovery; rest != ""; rest = rest[min(4, len(rest)):] {
		fours = append(fours, rest[:min(4, len(rest))])
	}
	return strings.Join(fours, " ")
}

// Sheets writes the field sheets.
func Sheets(w io.Writer, p SheetPage) error { return render(w, p.Lang, "atelier-sheets.html", p) }

// A SheetQuestion is a question as the screen asks it.
type SheetQuestion struct {
	Number  int
	Ask     geo.Message
	Choices []ChoiceView
}

// Fill sets the lines of a sheet. Paper says the same as the screen in fewer
// words: the place in bold, a short question, and answers that fit above a
// box. The columns are headed by the answers that most lines have; a line with
// others prints them under its boxes.
func (s *Sheet) Fill(lang string, questions []SheetQuestion) {
	heads := map[string]int{}
	best := ""
	labels := make([][]string, len(questions))
	for i, q := range questions {
		for _, c := range q.Choices {
			labels[i] = append(labels[i], shortly(lang, c.Label))
		}
		k := strings.Join(labels[i], "|")
		heads[k]++
		if heads[k] > heads[best] {
			best, s.Heads = k, labels[i]
		}
	}
	for i, q := range questions {
		row := SheetRow{Number: q.Number, Name: subject(lang, q.Ask), Ask: shortAsk(lang, q)}
		for j := range s.Heads {
			box := SheetBox{None: j >= len(labels[i])}
			if !box.None && labels[i][j] != s.Heads[j] {
				box.Label = labels[i][j]
			}
			row.Boxes = append(row.Boxes, box)
		}
		s.Rows = append(s.Rows, row)
	}
	s.Blanks = []string{"A", "B"}
}

// onPaper gives the code of the short form of a sentence of the workshop; ok
// is false where it has none.
func onPaper(code string) (short string, ok bool) {
	short = "paper." + strings.TrimPrefix(code, "workshop.")
	for _, suffix := range []string{"-unnamed", "-named"} {
		short = strings.TrimSuffix(short, suffix)
	}
	_, ok = loaded()[Languages[0]][short]
	return short, ok
}

// shortly says a message in its short form, or as it is without one.
func shortly(lang string, m geo.Message) string {
	if short, ok := onPaper(m.Code); ok {
		m.Code = short
	}
	return Sentence(lang, m)
}

// subject is what a question is about, in bold: the name of the place, or what
// such places are called.
func subject(lang string, ask geo.Message) string {
	name := plainValue(lang, ask.Args["name"])
	r, n := utf8.DecodeRuneInString(name)
	return cut(string(unicode.ToUpper(r))+name[n:], 72)
}

// cut shortens what is too long for paper: the screen has it whole.
func cut(s string, most int) string {
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return strings.TrimRight(string([]rune(s)[:most-1]), " ,;(") + "…"
}

// shortAsk words a question for paper; the values of A and B are in it, as
// their boxes have no room for them.
func shortAsk(lang string, q SheetQuestion) string {
	short, ok := onPaper(q.Ask.Code)
	if !ok {
		return Sentence(lang, q.Ask)
	}
	args := []any{"a", "", "b", ""}
	for name, v := range q.Ask.Args {
		args = append(args, name, v)
	}
	m := geo.Say(short, args...)
	for i, name := range []string{"a", "b"} {
		if i < len(q.Choices) {
			m.Args[name] = stands(lang, q.Choices[i].Label)
		}
	}
	return Sentence(lang, m)
}

// stands is what the answer A or B stands for: its value, or which of two
// places it is.
func stands(lang string, label geo.Message) string {
	if v, ok := label.Args["value"]; ok {
		if s := plainValue(lang, v); s != "" {
			return cut(s, 48)
		}
		return "–"
	}
	if _, ok := label.Args["distance"]; !ok {
		return ""
	}
	code := "paper.candidate"
	if _, named := label.Args["name"]; named {
		code += "-named"
	}
	label.Code = code
	return cut(Sentence(lang, label), 60)
}
