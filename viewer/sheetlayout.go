package viewer

import (
	"math"
)

// A SheetLayout is how a sheet fills its page of A4: the map takes what the
// lines leave. It is chosen before anything is drawn, as the map must know its
// size to be true to scale; the browser only fills it in.
type SheetLayout struct {
	Title  string // size of the title: h27, h22, h18
	Text   string // size of the lines' writing: t16, t15, …
	Side   string // what stands beside the map: full, mid, small, tiny
	Height int    // of the map, CSS pixels
}

// The page in CSS pixels of 1/96 inch; paper.css says the same.
const (
	pageHeight  = 297 * 96 / 25.4
	pageWidth   = 714                    // between the margins
	pageFixed   = 38 + 24 + 3*9 + 26 + 9 // margins, gaps, foot, and the rule under the title
	slack       = 6                      // for lines that the browser rounds up
	boxHeight   = 20 + 3                 // of a tick box, and the gap to its label
	cellPadding = 2*2 + 1.5              // of a line, with one border
	blankHeight = 27                     // of an empty line: room for a pencil
	leading     = 1.18                   // of the lines' writing
	headText    = 14                     // size of the columns' heads
	boxText     = 11                     // size of the words under a box

	// SheetMapWidth is the width of a sheet's map, SheetMapHeight its height at
	// most.
	SheetMapWidth, SheetMapHeight = 552, 596
	leastMap                      = 246 // as high as what must stand beside it
)

// answersIn are the widths of the words in the columns of answers, by key.
var answersIn = []float64{58 - 6, 92 - 6, 58 - 6, 80 - 6}

// densities are how large the writing may be beside how small a map, in the
// order of preference, how many empty lines there are, and how wide the
// questions' column is: what it takes, the notes lose.
var densities = []struct {
	text   string
	size   float64
	least  int // height of the map
	blanks int
	column float64
}{
	{"t16", 16, 500, 2, 290},
	{"t15", 15, 480, 2, 290},
	{"t15", 15, 440, 2, 290},
	{"t14", 14, 400, 2, 290},
	{"t14", 14, 350, 2, 290},
	{"t14", 14, 330, 1, 290},
	{"t13", 13.3, 320, 1, 330},
	{"t12", 12, 310, 1, 330},
	{"t12", 12, leastMap, 1, 330},
	{"t11", 11, leastMap, 1, 330},
	{"t10", 10, leastMap, 1, 330},
}

// Fit chooses the layout of a sheet that has its title and lines.
func (s *Sheet) Fit(lang string) {
	title, head := titleSize(s.Title, Say(lang, "paper.how"))
	s.Layout.Title = title
	for i, d := range densities {
		blanks := s.Blanks[:min(d.blanks, len(s.Blanks))]
		left := int(pageHeight - pageFixed - slack - head - s.linesHeight(d.size, d.column-14) - float64(len(blanks)*blankHeight))
		if left < d.least && i < len(densities)-1 {
			continue
		}
		s.Blanks, s.Layout.Text, s.Layout.Height = blanks, d.text, max(leastMap, min(left, SheetMapHeight))
		break
	}
	switch {
	case s.Layout.Height >= 500:
		s.Layout.Side = "full"
	case s.Layout.Height >= 400:
		s.Layout.Side = "mid"
	case s.Layout.Height >= 325:
		s.Layout.Side = "small"
	default:
		s.Layout.Side = "tiny"
	}
}

// titleSize chooses the size of a page's title, and gives the height of its
// head with a paragraph below.
func titleSize(title, below string) (class string, height float64) {
	const paragraph, leading = 15.0, 1.22
	height = lines(below, paragraph, false, pageWidth) * paragraph * 1.25
	sizes := []struct {
		class string
		size  float64
	}{{"h27", 27}, {"h22", 22}, {"h18", 18}}
	for i, t := range sizes {
		n := lines(title, t.size, true, pageWidth)
		if n == 1 || i == len(sizes)-1 {
			return t.class, height + math.Ceil(n*t.size*leading)
		}
	}
	return "", height
}

// linesHeight is how high the table of a sheet becomes without its empty
// lines, at most, with writing of a size and questions of a width.
func (s *Sheet) linesHeight(size, questionIn float64) float64 {
	high := headText * leading
	for i, h := range s.Heads {
		high = math.Max(high, boxText*1.1+lines(h, headText, true, answersIn[i%len(answersIn)])*headText*1.1)
	}
	total := high + cellPadding + 3
	for _, r := range s.Rows {
		high := (lines(r.Name, size, true, questionIn) + lines(r.Ask, size, false, questionIn)) * math.Ceil(size*leading)
		for i, b := range r.Boxes {
			if b.Label != "" {
				high = math.Max(high, boxHeight+lines(b.Label, boxText, false, answersIn[i%len(answersIn)])*boxText*1.1)
			}
		}
		total += math.Max(high, boxHeight) + cellPadding
	}
	return total
}

// FitIndex chooses the layout of the index: its map takes what the table of
// cells and the example leave.
func (p *SheetPage) FitIndex(lang string) SheetLayout {
	const row, head, text, least = 30, 36, 15, 330
	title, high := titleSize(p.Room.Title, Say(lang, "pages.index-intro", "n", len(p.Cells)))
	table := float64(head + row*len(p.Cells))
	below := lines(Say(lang, "paper.control"), text, false, pageWidth)*text*1.25 + 30
	if e := p.Example; e != nil {
		words := Say(lang, "pages.example") + " " + Sentence(lang, e.Ask)
		for _, c := range e.Choices {
			words += " xx " + Sentence(lang, c.Label)
		}
		below += lines(words, text, false, pageWidth)*text*1.25 + 12
	}
	left := int(pageHeight - pageFixed - slack - high - table - below)
	return SheetLayout{Title: title, Height: max(least, min(left, SheetMapHeight))}
}
