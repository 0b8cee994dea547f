package format

import (
	"bytes"
	"io"
	"strings"

	"calanque/geo"
)

// A sample is the beginning of a CSV file, cut with one dialect.
type sample struct {
	dialect
	rows  [][]string // raw bytes as strings; blank lines left out
	lines []int64
	width int     // the most frequent number of fields
	share float64 // of the rows that have it
}

const (
	sampleBytes = 512 << 10
	sampleRows  = 500
)

// sniff decides delimiter, quotes and line ends by the beginning of the file.
func sniff(head []byte, whole bool, o Options) (sample, error) {
	base := dialect{quote: '"', eol: '\n'}
	if bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0 {
		base.eol = '\r'
	}
	switch q := strings.ToLower(o.Quote); {
	case q == "none":
		base.quote = 0
	case len(q) == 1:
		base.quote = q[0]
	case q != "":
		return sample{}, geo.Bad(nil, "option.quote", "quote", o.Quote)
	}
	delimiters := []byte(";,\t|")
	if o.Delimiter != "" {
		d := map[string]string{"tab": "\t", "\\t": "\t", "semicolon": ";", "comma": ",", "pipe": "|"}[strings.ToLower(o.Delimiter)]
		if d == "" {
			d = o.Delimiter
		}
		if len(d) != 1 || d[0] == base.quote || d == "\n" || d == "\r" {
			return sample{}, geo.Bad(nil, "option.delimiter", "delimiter", o.Delimiter)
		}
		delimiters = []byte(d)
	} else if d, ok := sepLine(head); ok {
		delimiters = []byte{d}
	}
	var best sample
	for i, d := range delimiters {
		s := takeSample(head, whole, base, d)
		if i == 0 || s.better(best) {
			best = s
		}
	}
	return best, nil
}

// sepLine reads the line "sep=;" that spreadsheets put first.
func sepLine(head []byte) (byte, bool) {
	if len(head) > 5 && bytes.EqualFold(head[:4], []byte("sep=")) && (head[5] == '\r' || head[5] == '\n') {
		return head[4], true
	}
	return 0, false
}

func takeSample(head []byte, whole bool, base dialect, delimiter byte) sample {
	s := sample{dialect: base}
	s.delimiter = delimiter
	if delimiter == '\t' && bytes.Contains(head, []byte("\t\\N")) {
		s.quote, s.escapes = 0, true
	}
	c := newCSVReader(bytes.NewReader(head), s.dialect)
	counts := map[int]int{}
	for len(s.rows) < sampleRows {
		raw, line, _, err := c.record()
		if err != nil || (c.eof && c.pos == c.end && !whole) { // the last row of the sample is cut
			break
		}
		if len(bytes.TrimSpace(raw)) == 0 {
			continue
		}
		row := make([]string, len(c.fields))
		for i, f := range c.fields {
			row[i] = string(f)
		}
		s.rows, s.lines = append(s.rows, row), append(s.lines, line)
		counts[len(row)]++
	}
	for w, n := range counts {
		if best := counts[s.width]; n > best || n == best && w > s.width {
			s.width = w
		}
	}
	if len(s.rows) > 0 {
		s.share = float64(counts[s.width]) / float64(len(s.rows))
	}
	return s
}

// better compares two ways to cut: columns at all, then how many rows agree,
// then more columns.
func (s sample) better(o sample) bool {
	if (s.width > 1) != (o.width > 1) {
		return s.width > 1
	}
	if d := s.share - o.share; d > 0.1 || d < -0.1 {
		return d > 0
	}
	return s.width > o.width
}

// preamble counts the rows before the table: titles and notices, which have
// fewer cells than the table.
func (s sample) preamble() int {
	if s.width < 2 {
		return 0
	}
	limit := min(len(s.rows)-1, 30)
	n := 0
	if len(s.rows) > 1 && strings.HasPrefix(strings.ToLower(s.rows[0][0]), "sep=") {
		n = 1
	}
	for n < limit && s.isPreamble(n) {
		n++
	}
	if n == limit && n > 0 { // no table after it: it is the table
		return 0
	}
	return n
}

// isPreamble: fewer fields than the table has, or but one cell filled, the
// first, above a row of titles.
func (s sample) isPreamble(i int) bool {
	filled, last := filledCells(s.rows[i])
	if last+1 < s.width && len(s.rows[i]) != s.width {
		return filled <= max(1, s.width/2)
	}
	if filled > 1 || s.width < 3 || last > 0 {
		return false
	}
	next := i + 1
	for next < len(s.rows)-1 {
		if f, _ := filledCells(s.rows[next]); f > 1 {
			break
		}
		next++
	}
	return headerScore(s.rows[next:]) > 0
}

func filledCells(row []string) (n, last int) {
	last = -1
	for i, c := range row {
		if strings.TrimSpace(c) != "" {
			n++
			last = i
		}
	}
	return n, last
}

// readSample reads the beginning of the text.
func readSample(r io.Reader) (head []byte, whole bool, err error) {
	head = make([]byte, sampleBytes)
	n, err := io.ReadFull(r, head)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return head[:n], true, nil
	}
	return head[:n], false, err
}
