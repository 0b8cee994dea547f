package format

import (
	"bytes"
	"io"
)

// A csvReader cuts a text file into records. It is tolerant: quotes inside
// unquoted fields are text, a quoted field may be followed by more text, a
// quote that never closes costs one line.
type csvReader struct {
	r        io.Reader
	buf      []byte
	pos, end int
	line     int64 // of pos, 1-based
	eof      bool
	err      error

	dialect
	fields  [][]byte // of the last record
	scratch []byte
	cuts    []csvCut
}

// A dialect is how a CSV file is written.
type dialect struct {
	delimiter byte
	quote     byte // 0 for none
	eol       byte // '\n', or '\r' for old Macintosh files
	escapes   bool // PostgreSQL's COPY text: \N, \t, no quotes
}

// A csvCut is one field by its place after pos.
type csvCut struct {
	from, to int
	doubled  bool // quotes are doubled inside
}

// Limits of one record.
const (
	maxCSVRecord = 32 << 20
	maxCSVLines  = 500 // lines in one quoted field
	maxCSVFields = 5000
)

// A csvFault is what is wrong with a record that was cut nonetheless.
type csvFault uint8

const (
	csvFine     csvFault = iota
	csvUnclosed          // a quote never closes: the fields are those of its first line
	csvTooLong           // longer than maxCSVRecord: the fields are cut off
)

func newCSVReader(r io.Reader, d dialect) *csvReader {
	return &csvReader{r: r, buf: make([]byte, 256<<10), line: 1, dialect: d}
}

// more reads on, keeping the bytes from pos.
func (c *csvReader) more() bool {
	if c.eof || c.err != nil || c.end-c.pos > maxCSVRecord {
		return false
	}
	if c.pos > 0 {
		copy(c.buf, c.buf[c.pos:c.end])
		c.end -= c.pos
		c.pos = 0
	}
	if c.end == len(c.buf) {
		c.buf = append(c.buf, make([]byte, len(c.buf))...)
	}
	for {
		n, err := c.r.Read(c.buf[c.end:])
		c.end += n
		if err == io.EOF {
			c.eof = true
		} else if err != nil {
			c.err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
}

// at gives the byte i places after pos; false at the end of the file.
func (c *csvReader) at(i int) (byte, bool) {
	if c.pos+i >= c.end && !c.more() {
		return 0, false
	}
	return c.buf[c.pos+i], true
}

// record cuts the next record into c.fields and gives the line where it begins,
// its raw bytes, and what is wrong with it; io.EOF at the end. All stay valid
// until the next call.
func (c *csvReader) record() (raw []byte, line int64, fault csvFault, err error) {
	line = c.line
	if _, ok := c.at(0); !ok {
		if c.err != nil {
			return nil, line, csvFine, c.err
		}
		return nil, line, csvFine, io.EOF
	}
	n, fault := c.cut(c.quote)
	if fault == csvUnclosed {
		n, _ = c.cut(0)
	}
	raw = c.finish(n)
	return raw, line, fault, nil
}

// firstLine cuts the first line of the record that was just read, for when its
// quoted line breaks turn out to be a stray quote. It must be called before the
// next record.
func (c *csvReader) firstLine(raw []byte, line int64) []byte {
	c.pos -= len(raw)
	c.line = line
	n, _ := c.cut(0)
	return c.finish(n)
}

// finish turns cuts into fields and moves on by n bytes.
func (c *csvReader) finish(n int) []byte {
	raw := c.buf[c.pos : c.pos+n : c.pos+n]
	c.fields, c.scratch = c.fields[:0], c.scratch[:0]
	need := 0
	for _, k := range c.cuts {
		if k.doubled {
			need += k.to - k.from
		}
	}
	if cap(c.scratch) < need {
		c.scratch = make([]byte, 0, need)
	}
	for _, k := range c.cuts {
		f := raw[k.from:k.to:k.to]
		if k.doubled {
			from := len(c.scratch)
			c.scratch = appendUndoubled(c.scratch, f, c.quote)
			f = c.scratch[from:]
		}
		c.fields = append(c.fields, f)
	}
	c.line += int64(bytes.Count(raw, []byte{c.eol}))
	c.pos += n
	return raw
}

func appendUndoubled(dst, b []byte, quote byte) []byte {
	for i := 0; i < len(b); i++ {
		dst = append(dst, b[i])
		if b[i] == quote && i+1 < len(b) && b[i+1] == quote {
			i++
		}
	}
	return dst
}

// cut measures the record at pos into c.cuts and gives its length.
func (c *csvReader) cut(quote byte) (int, csvFault) {
	c.cuts = c.cuts[:0]
	i := 0
	for {
		cut, next, fault := c.field(i, quote)
		if fault != csvFine && fault != csvTooLong {
			return 0, fault
		}
		if len(c.cuts) < maxCSVFields {
			c.cuts = append(c.cuts, cut)
		}
		b, ok := c.at(next)
		if !ok {
			if fault == csvFine && c.end-c.pos > maxCSVRecord {
				fault = csvTooLong
			}
			return next, fault
		}
		i = next + 1
		if b == c.eol {
			if last := &c.cuts[len(c.cuts)-1]; c.eol == '\n' && last.to > last.from && last.to == next && c.buf[c.pos+last.to-1] == '\r' {
				last.to--
			}
			return i, csvFine
		}
	}
}

// field measures the field at i and gives the place of what ends it.
func (c *csvReader) field(i int, quote byte) (csvCut, int, csvFault) {
	if b, ok := c.at(i); ok && quote != 0 && b == quote {
		if cut, next, ok, fault := c.quoted(i, quote); ok || fault != csvFine {
			return cut, next, fault
		}
	}
	for j := i; ; j++ {
		b, ok := c.at(j)
		if !ok {
			return csvCut{from: i, to: j}, j, csvFine
		}
		if b == c.delimiter || b == c.eol {
			return csvCut{from: i, to: j}, j, csvFine
		}
	}
}

// quoted measures a quoted field; not ok when text follows the closing quote,
// so that the quotes are part of the text.
func (c *csvReader) quoted(i int, quote byte) (cut csvCut, next int, ok bool, fault csvFault) {
	cut.from = i + 1
	lines := 0
	for j := i + 1; ; j++ {
		b, more := c.at(j)
		if !more || lines > maxCSVLines {
			return cut, 0, false, csvUnclosed
		}
		if b == c.eol {
			lines++
		}
		if b != quote {
			continue
		}
		after, more := c.at(j + 1)
		switch {
		case more && after == quote:
			cut.doubled = true
			j++
			continue
		case !more, after == c.delimiter, after == c.eol:
			cut.to = j
			return cut, j + 1, true, csvFine
		case after == '\r' && c.eol == '\n', after == ' ':
			if end, closes := c.padding(j + 1); closes {
				cut.to = j
				return cut, end, true, csvFine
			}
		}
		return cut, 0, false, csvFine
	}
}

// padding skips spaces and a carriage return after a closing quote; it reports
// whether the field ends there.
func (c *csvReader) padding(i int) (int, bool) {
	for ; ; i++ {
		b, ok := c.at(i)
		if !ok || b == c.delimiter || b == c.eol {
			return i, true
		}
		if b != ' ' && b != '\r' {
			return 0, false
		}
	}
}
