package format

import (
	"encoding/binary"
	"strings"
	"time"
	"unsafe"

	"calanque/geo"
)

// value reads one cell. A value that can't be read is nil with an issue.
func (d *dbf) value(f *dbfField, row []byte, issues []geo.Message) (any, []geo.Message) {
	cell := row[f.off : f.off+f.len]
	switch f.kind {
	case 'I', '+', 'B', 'O', 'Y', 'T', '@':
		return binaryCell(f, cell, issues)
	case 'G', 'P', '0', 'M':
		return nil, issues
	}
	b := trimField(cell)
	if len(b) == 0 {
		return nil, issues
	}
	slot := f.cache.find(b)
	if slot != nil && slot.hit {
		return slot.value, issues
	}
	v, more := d.parse(f, b, len(cell))
	if more.Code != "" {
		return v, append(issues, more)
	}
	f.cache.put(slot, b, v)
	return v, issues
}

// parse reads the trimmed text of a cell; the message is empty when nothing is
// wrong with it.
func (d *dbf) parse(f *dbfField, b []byte, width int) (any, geo.Message) {
	switch f.kind {
	case 'N', 'F':
		return parseCellNumber(f, b)
	case 'D':
		return parseCellDate(f, b)
	case 'L':
		switch b[0] {
		case 'T', 't', 'Y', 'y', 'O', 'o', 'V', 'v', '1':
			return true, geo.Message{}
		case 'F', 'f', 'N', 'n', '0':
			return false, geo.Message{}
		case '?':
			return nil, geo.Message{}
		}
		return nil, geo.Say("value.boolean", "field", f.title, "value", strings.ToValidUTF8(string(b), "\uFFFD"))
	}
	t, flags := d.text.appendText(make([]byte, 0, len(b)+len(b)/8), b, len(b) == width)
	s := unsafe.String(unsafe.SliceData(t), len(t)) // t is not used again
	if flags&textCut != 0 {
		s = strings.TrimRight(s, " ")
	}
	switch {
	case flags&textLost != 0:
		return s, geo.Say("text.lost", "field", f.title, "value", s)
	case flags&textCut != 0:
		return s, geo.Say("text.cut", "field", f.title, "value", s)
	}
	return s, geo.Message{}
}

func parseCellNumber(f *dbfField, b []byte) (any, geo.Message) {
	if b[0] == '*' { // how QGIS and GDAL write "no value", and dBase what does not fit
		return nil, geo.Message{}
	}
	if f.zeros {
		return string(b), geo.Message{}
	}
	if f.typ == geo.IntegerField {
		if n, ok := parseInt(b); ok {
			return n, geo.Message{}
		}
	} else if n, ok := parseFloat(b); ok {
		return n, geo.Message{}
	} else if len(b) == 3 && strings.EqualFold(string(b), "nan") {
		return nil, geo.Message{}
	}
	return nil, geo.Say("value.number", "field", f.title, "value", strings.ToValidUTF8(string(b), "\uFFFD"))
}

// parseCellDate reads YYYYMMDD; all zeros or signs mean no date.
func parseCellDate(f *dbfField, b []byte) (any, geo.Message) {
	if strings.Trim(string(b), "0/-. ") == "" {
		return nil, geo.Message{}
	}
	if len(b) == 8 {
		y, okY := parseInt(b[:4])
		m, okM := parseInt(b[4:6])
		day, okD := parseInt(b[6:])
		if okY && okM && okD {
			if t, ok := date(int(y), int(m), int(day)); ok {
				return t, geo.Message{}
			}
		}
	} else if t, _, ok := ParseDate(string(b)); ok {
		return t, geo.Message{}
	}
	return nil, geo.Say("value.date", "field", f.title, "value", strings.ToValidUTF8(string(b), "\uFFFD"))
}

// binaryCell reads the binary types of dBase 7 and FoxPro.
func binaryCell(f *dbfField, b []byte, issues []geo.Message) (any, []geo.Message) {
	switch {
	case (f.kind == 'I' || f.kind == '+') && len(b) >= 4:
		return int32At(b), issues
	case f.kind == 'Y' && len(b) >= 8:
		return float64(int64(binary.LittleEndian.Uint64(b))) / 10000, issues
	case (f.kind == 'B' || f.kind == 'O') && len(b) >= 8:
		if v := float64At(b); finite(v) {
			return v, issues
		}
		return nil, issues
	case (f.kind == 'T' || f.kind == '@') && len(b) >= 8:
		days, ms := int32At(b), int32At(b[4:])
		if days == 0 || days == 0x20202020 {
			return nil, issues
		}
		const epoch = 2440588 // Julian day of 1970-01-01
		return time.Unix((days-epoch)*86400, 0).UTC().Add(time.Duration(ms) * time.Millisecond), issues
	}
	return nil, append(issues, geo.Say("value.number", "field", f.title, "value", ""))
}
