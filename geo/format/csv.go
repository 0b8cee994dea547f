package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"calanque/geo"
)

// csvFormat reads text tables: CSV, TSV and what partners call so. It is tried
// last: nothing but the text itself tells it.
var csvFormat = Format{
	Name: "csv",
	Match: func(h Head) bool {
		switch h.Ext {
		case ".csv", ".tsv", ".txt", ".tab", ".psv":
			return true
		}
		return looksTabular(h.Bytes)
	},
	Open: openCSV,
}

// looksTabular reports whether the bytes are text whose lines have the same
// number of fields, whatever the file is called.
func looksTabular(b []byte) bool {
	if bytes.IndexByte(b, 0) >= 0 || len(b) == 0 {
		return false
	}
	s, err := sniff(b, len(b) < headSize, Options{})
	return err == nil && s.width > 1 && s.share > 0.9 && len(s.rows) > 1
}

// A csvSource is an opened text table, looked through once.
type csvSource struct {
	path, file string
	layer      Layer
	dialect
	text     decoder
	utf16    bool
	skip     int64 // lines before the first record of the table
	header   bool
	rowCut   int        // fields that most rows of the beginning have, as cut
	width    int        // columns
	titles   []string   // raw, of the header
	optional int        // columns from which on short rows are whole: the rest is often empty
	sample   [][]string // decoded rows, to decide where coordinates are
	placing  placing
}

func openCSV(ctx context.Context, path string, o Options) (Source, error) {
	s := &csvSource{path: path, file: filepath.Base(path), utf16: isUTF16(o.Encoding)}
	s.layer = Layer{Name: stemOf(path), GeometryType: geo.None}
	smp, err := s.look(o)
	if err != nil {
		return nil, err
	}
	facts, err := s.scan(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.decideText(facts.verdict, o); err != nil {
		return nil, err
	}
	s.nameColumns(smp, facts)
	s.decodeSample(facts.sample)
	if err := s.place(o); err != nil {
		return nil, err
	}
	s.decidePlace(o)
	return s, nil
}

// look reads the beginning and decides the dialect, the preamble and the header.
func (s *csvSource) look(o Options) (sample, error) {
	t, err := openText(s.path, s.utf16)
	if err != nil {
		return sample{}, fmt.Errorf("open %s: %w", s.path, err)
	}
	defer t.Close()
	s.utf16 = t.utf16
	head, whole, err := readSample(t)
	if err != nil {
		return sample{}, fmt.Errorf("read %s: %w", s.path, err)
	}
	if i := bytes.IndexByte(head, 0); i >= 0 && binaryText(head) {
		return sample{}, geo.Bad(nil, "csv.binary", "file", s.file, "offset", i)
	}
	smp, err := sniff(head, whole, o)
	if err != nil {
		return sample{}, err
	}
	if len(smp.rows) == 0 {
		if !whole {
			return sample{}, geo.Bad(nil, "csv.long", "file", s.file, "line", 1, "limit", sampleBytes)
		}
		return sample{}, geo.Bad(nil, "format.empty", "file", s.file)
	}
	s.dialect, s.rowCut = smp.dialect, smp.width
	n := smp.preamble()
	if n > 0 {
		s.layer.Notes = append(s.layer.Notes, geo.Say("csv.preamble", "count", n, "text", clip(plain(strings.Join(smp.rows[0], " ")), 100)))
	}
	smp.rows, smp.lines = smp.rows[n:], smp.lines[n:]
	s.skip = smp.lines[0] - 1
	s.header = headerScore(smp.rows) > 0
	if o.Header != nil {
		s.header = *o.Header
	}
	return smp, nil
}

// binaryText reports whether NUL bytes are more than strays.
func binaryText(b []byte) bool {
	b = b[:min(len(b), 4096)]
	n := bytes.Count(b, []byte{0})
	return n > 4 && n*50 > len(b)
}

// A csvFacts is what all the rows look like.
type csvFacts struct {
	verdict *verdict
	widths  map[int]int64 // rows by their number of fields, empty ones at the end left out
	filled  []int64       // values by column
	rows    int64
	sample  [][]string // raw cells of rows spread over the file
}

// Sampled rows tell where coordinates are; long cells are cut.
const (
	placeRows = 1024
	placeCell = 300
)

// keep samples the row, every row at first, then ever fewer.
func (f *csvFacts) keep(fields [][]byte, stride *int64) {
	if (f.rows-1)%*stride != 0 {
		return
	}
	row := make([]string, len(fields))
	for i, v := range fields {
		row[i] = string(v[:min(len(v), placeCell)])
	}
	if f.sample = append(f.sample, row); len(f.sample) == placeRows {
		for i := range placeRows / 2 {
			f.sample[i] = f.sample[2*i]
		}
		f.sample = f.sample[:placeRows/2]
		*stride *= 2
	}
}

// scan looks at every row once.
func (s *csvSource) scan(ctx context.Context) (csvFacts, error) {
	f := csvFacts{verdict: &verdict{}, widths: map[int]int64{}}
	first := s.header
	blank, stride := int64(0), int64(1)
	err := s.walk(ctx, func(c *csvReader, raw []byte, _ int64, _ csvFault) error {
		if !isASCII(raw) {
			for _, v := range c.fields {
				f.verdict.add(v)
			}
		}
		if first {
			first = false
			return nil
		}
		w := trimmedWidth(c.fields)
		if w == 0 {
			blank++
			return nil
		}
		f.rows++
		f.widths[w]++
		f.keep(c.fields[:w], &stride)
		for len(f.filled) < w {
			f.filled = append(f.filled, 0)
		}
		for i, v := range c.fields[:w] {
			if len(v) > 0 {
				f.filled[i]++
			}
		}
		return nil
	})
	if blank > 0 {
		s.layer.Notes = append(s.layer.Notes, geo.Say("csv.blank", "count", blank))
	}
	return f, err
}

// trimmedWidth is the number of fields without the empty ones at the end.
func trimmedWidth(fields [][]byte) int {
	n := len(fields)
	for n > 0 && len(bytes.TrimSpace(fields[n-1])) == 0 {
		n--
	}
	return n
}

// walk calls fn with every record after the preamble; lines without any
// character are passed over.
func (s *csvSource) walk(ctx context.Context, fn func(c *csvReader, raw []byte, line int64, fault csvFault) error) error {
	t, err := openText(s.path, s.utf16)
	if err != nil {
		return fmt.Errorf("open %s: %w", s.path, err)
	}
	defer t.Close()
	c := newCSVReader(t, s.dialect)
	for n := 0; ; n++ {
		if n&0xFFF == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		raw, line, fault, err := c.record()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", s.path, err)
		}
		if line <= s.skip || len(bytes.TrimRight(raw, "\r\n")) == 0 {
			continue
		}
		if fault == csvTooLong {
			return geo.Bad(nil, "csv.long", "file", s.file, "line", line, "limit", maxCSVRecord)
		}
		if len(c.fields) != s.rowCut && bytes.IndexByte(raw[:len(raw)-1], s.eol) >= 0 {
			raw, fault = c.firstLine(raw, line), csvUnclosed // a stray quote swallowed line ends
		}
		if err := fn(c, raw, line, fault); err != nil {
			return err
		}
	}
}

func (s *csvSource) decideText(v *verdict, o Options) error {
	s.text = decoder{single: v.choose(nil), utf8: v.mostlyUTF8()}
	s.layer.Encoding = v.name(s.text.single)
	switch {
	case s.utf16:
		s.layer.Encoding = "utf-16"
	case o.Encoding != "":
		c, ok := charsetNamed(o.Encoding)
		if !ok {
			return geo.Bad(nil, "option.encoding", "encoding", o.Encoding)
		}
		s.text, s.layer.Encoding = decoder{single: c, utf8: c == nil, forced: true}, o.Encoding
	}
	return nil
}

// nameColumns decides how many columns there are and what they are called.
func (s *csvSource) nameColumns(smp sample, f csvFacts) {
	if s.header {
		s.titles = smp.rows[0]
	}
	s.width = s.usualWidth(f)
	for i := range s.width {
		title := ""
		if i < len(s.titles) {
			t, _ := s.text.appendText(nil, []byte(s.titles[i]), false)
			title = strings.Join(strings.Fields(string(t)), " ")
		}
		if title == "" {
			title = "colonne_" + strconv.Itoa(i+1)
		}
		s.layer.Columns = append(s.layer.Columns, Column{Title: title, Type: geo.TextField, Untyped: true})
	}
	had := s.rowCut
	if s.header {
		had = len(s.titles)
	}
	if dropped := had - s.width; dropped > 0 {
		s.layer.Notes = append(s.layer.Notes, geo.Say("csv.empty-column", "count", dropped))
	}
	if !s.header {
		s.layer.Notes = append(s.layer.Notes, geo.Say("csv.no-header", "count", s.width))
	}
	s.layer.Count = f.rows
	s.optional = s.width
	for s.optional > 1 && (s.optional > len(f.filled) || f.filled[s.optional-1]*3 <= f.rows*2) {
		s.optional--
	}
}

// usualWidth is the number of columns: those with a title or, in most rows, a
// value. Columns at the end that have neither are left out.
func (s *csvSource) usualWidth(f csvFacts) int {
	w, enough := s.rowCut, int64(100) // without titles, one row in a hundred may widen the table
	if s.header {
		w, enough = len(s.titles), 2
	}
	wider := int64(0)
	for k := len(f.filled); k > w; k-- {
		if wider += f.widths[k]; wider*enough > f.rows {
			w = k
		}
	}
	for w > 1 && (w > len(f.filled) || f.filled[w-1] == 0) && s.untitled(w-1) {
		w--
	}
	return max(w, 1)
}

func (s *csvSource) untitled(i int) bool {
	return i >= len(s.titles) || strings.TrimSpace(s.titles[i]) == ""
}

func (s *csvSource) Format() string  { return "csv" }
func (s *csvSource) Layers() []Layer { return []Layer{s.layer} }
func (s *csvSource) Close() error    { return nil }
