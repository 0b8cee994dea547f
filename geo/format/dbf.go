package format

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strings"

	"calanque/geo"
)

// A dbf is an opened dBase table: header, columns, and how its text is encoded.
type dbf struct {
	name   string // file name for messages
	r      io.ReaderAt
	size   int64
	header int64
	width  int // bytes a row
	rows   int64
	fields []dbfField
	text   decoder
	hint   *charset
	ldid   byte

	allASCII bool // no text that any encoding would change
	deleted  int64
	encoding string
	notes    []geo.Message
}

// A dbfField is one column of the table.
type dbfField struct {
	title    string
	raw      []byte
	kind     byte
	off, len int
	dec      int
	typ      geo.FieldType
	zeros    bool // digits kept as text: leading zeros, or more than an integer holds
	cache    cache
}

// openDBF reads the header and looks at every row once: for encoding, deleted
// rows and numbers that do not fit their declaration. The hint is what a .cpg
// says; rows, when not negative, is how many shapes there are.
func openDBF(r io.ReaderAt, size int64, name string, hint *charset, o Options, shapes int64) (*dbf, error) {
	d := &dbf{name: name, r: r, size: size, hint: hint}
	if err := d.readHeader(); err != nil {
		return nil, err
	}
	if err := d.checkLength(shapes); err != nil {
		return nil, err
	}
	if d.hint == nil {
		d.hint = charsetOfLDID(d.ldid)
	}
	v, err := d.scan()
	if err != nil {
		return nil, err
	}
	d.text = decoder{single: v.choose(d.hint), utf8: v.mostlyUTF8()}
	d.encoding, d.allASCII = v.name(d.text.single), v.utf8+v.single == 0
	if o.Encoding != "" {
		c, ok := charsetNamed(o.Encoding)
		if !ok {
			return nil, geo.Bad(nil, "option.encoding", "encoding", o.Encoding)
		}
		d.text, d.encoding = decoder{single: c, utf8: c == nil, forced: true}, o.Encoding
	}
	for i := range d.fields {
		f := &d.fields[i]
		t, _ := d.text.appendText(nil, f.raw, true)
		f.title = string(t)
	}
	return d, nil
}

func (d *dbf) readHeader() error {
	h := make([]byte, 32)
	if d.size < 33 {
		return geo.Bad(nil, "dbf.header", "file", d.name, "size", d.size)
	}
	if _, err := d.r.ReadAt(h, 0); err != nil {
		return geo.Bad(err, "dbf.header", "file", d.name, "size", d.size)
	}
	d.rows = int64(binary.LittleEndian.Uint32(h[4:]))
	d.header = int64(binary.LittleEndian.Uint16(h[8:]))
	d.width = int(binary.LittleEndian.Uint16(h[10:]))
	d.ldid = h[29]
	if d.header < 33 || d.header > d.size || d.width < 1 {
		return geo.Bad(nil, "dbf.header", "file", d.name, "size", d.size)
	}
	desc := make([]byte, d.header-32)
	if _, err := d.r.ReadAt(desc, 32); err != nil {
		return geo.Bad(err, "dbf.header", "file", d.name, "size", d.size)
	}
	d.readFields(desc)
	total := 1
	for i := range d.fields {
		total += d.fields[i].len
	}
	if total > d.width && !d.refit() {
		return geo.Bad(nil, "dbf.header", "file", d.name, "size", d.size)
	}
	return nil
}

// readFields reads the 32-byte descriptors up to the terminator.
func (d *dbf) readFields(desc []byte) {
	off := 1
	for len(desc) >= 32 && desc[0] != 0x0D {
		f := dbfField{kind: desc[11], off: off, len: int(desc[16]), dec: int(desc[17])}
		name, _, _ := bytes.Cut(desc[:11], []byte{0})
		f.raw = bytes.Clone(bytes.TrimSpace(name))
		if f.kind == 'C' && f.dec > 0 { // FoxPro: length above 255
			f.len, f.dec = f.len+f.dec<<8, 0
		}
		f.typ = fieldType(f)
		off += f.len
		d.fields = append(d.fields, f)
		desc = desc[32:]
	}
}

// refit reads the lengths of text columns as one byte, where taking two gave
// rows wider than the header says; it reports whether that fits.
func (d *dbf) refit() bool {
	off := 1
	for i := range d.fields {
		f := &d.fields[i]
		if f.kind == 'C' {
			f.len &= 0xFF
		}
		f.off = off
		off += f.len
	}
	return off <= d.width
}

// fieldType is the type that the declaration of a column gives.
func fieldType(f dbfField) geo.FieldType {
	switch f.kind {
	case 'N', 'F':
		if f.dec > 0 || f.len > 18 || (f.kind == 'F' && f.len > 18) {
			return geo.RealField
		}
		return geo.IntegerField
	case 'I', '+':
		return geo.IntegerField
	case 'B', 'O', 'Y':
		return geo.RealField
	case 'D':
		return geo.DateField
	case 'T', '@':
		return geo.TimeField
	case 'L':
		return geo.BooleanField
	}
	return geo.TextField
}

// checkLength compares the number of rows in the header with what is there. A
// header that says more is forgiven when the table has exactly one row a shape.
func (d *dbf) checkLength(shapes int64) error {
	there := (d.size - d.header) / int64(d.width)
	if there >= d.rows {
		return nil
	}
	if there == shapes {
		d.notes = append(d.notes, geo.Say("dbf.count", "file", d.name, "declared", d.rows, "found", there))
		d.rows = there
		return nil
	}
	return geo.Bad(io.ErrUnexpectedEOF, "dbf.truncated", "file", d.name, "declared", d.rows, "found", there, "size", d.size)
}

// scan looks at every row once.
func (d *dbf) scan() (*verdict, error) {
	v := &verdict{}
	for i := range d.fields {
		v.add(d.fields[i].raw)
	}
	facts := make([]numberFacts, len(d.fields))
	w := newWindow(d.r, d.size)
	for n := range d.rows {
		row, err := w.at(d.header+n*int64(d.width), d.width)
		if err != nil {
			return nil, geo.Bad(err, "dbf.truncated", "file", d.name, "declared", d.rows, "found", n, "size", d.size)
		}
		if row[0] == '*' {
			d.deleted++
			continue
		}
		ascii := isASCII(row)
		for i := range d.fields {
			f := &d.fields[i]
			switch f.kind {
			case 'N', 'F':
				facts[i].add(row[f.off : f.off+f.len])
			case 'C':
				if !ascii {
					v.add(trimField(row[f.off : f.off+f.len]))
				}
			}
		}
	}
	for i := range d.fields {
		d.settle(&d.fields[i], facts[i])
	}
	var lost []string
	for _, f := range d.fields {
		if strings.IndexByte("GPM", f.kind) >= 0 {
			lost = append(lost, string(f.raw))
		}
	}
	if len(lost) > 0 {
		d.notes = append(d.notes, geo.Say("dbf.memo", "file", d.name, "fields", strings.Join(lost, ", ")))
	}
	if d.deleted > 0 {
		d.notes = append(d.notes, geo.Say("dbf.deleted", "file", d.name, "count", d.deleted))
	}
	return v, nil
}

// numberFacts is what all the values of a numeric column look like.
type numberFacts struct {
	decimals, commas, zeros, values int64
	minLen, maxLen                  int
}

func (n *numberFacts) add(b []byte) {
	b = trimField(b)
	if len(b) == 0 {
		return
	}
	n.values++
	if n.values == 1 || len(b) < n.minLen {
		n.minLen = len(b)
	}
	n.maxLen = max(n.maxLen, len(b))
	if b[0] == '0' && len(b) > 1 && b[1] >= '0' && b[1] <= '9' {
		n.zeros++
	}
	for _, c := range b {
		switch c {
		case '.', 'e', 'E':
			n.decimals++
		case ',':
			n.decimals++
			n.commas++
		}
	}
}

// settle widens the type of a numeric column to what its values need.
func (d *dbf) settle(f *dbfField, n numberFacts) {
	if f.kind != 'N' && f.kind != 'F' {
		return
	}
	if n.decimals > 0 {
		f.typ = geo.RealField
	} else if f.typ == geo.RealField && f.dec == 0 && n.values > 0 { // wider than an integer, as declared
		if f.typ = geo.IntegerField; n.maxLen > 18 {
			f.typ, f.zeros = geo.TextField, true
		}
	}
	if n.zeros > 0 && n.minLen == n.maxLen && n.maxLen <= 14 && f.typ == geo.IntegerField {
		f.typ, f.zeros = geo.TextField, true
		d.notes = append(d.notes, geo.Say("dbf.zeros", "field", string(f.raw), "count", n.zeros))
	}
	if n.commas > 0 {
		d.notes = append(d.notes, geo.Say("dbf.comma", "field", string(f.raw), "count", n.commas))
	}
}

// trimField takes the padding off: what follows a NUL, and spaces on both sides.
func trimField(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// columns describes the table, columns without text or number left out.
func (d *dbf) columns() []Column {
	cols := make([]Column, len(d.fields))
	for i, f := range d.fields {
		cols[i] = Column{Title: f.title, Type: f.typ, Width: f.len}
	}
	return cols
}

func int32At(b []byte) int64 { return int64(int32(binary.LittleEndian.Uint32(b))) }

func float64At(b []byte) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
