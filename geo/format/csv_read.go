package format

import (
	"bytes"
	"context"
	"encoding/hex"
	"strings"
	"unicode"
	"unsafe"

	"calanque/geo"
)

// decodeSample turns the sampled rows into text.
func (s *csvSource) decodeSample(rows [][]string) {
	for _, row := range rows {
		for i, cell := range row {
			t, _ := s.text.appendText(nil, []byte(cell), false)
			row[i] = string(t)
		}
	}
	s.sample = rows
}

// decidePlace describes the geometry that the placing gives.
func (s *csvSource) decidePlace(o Options) {
	p := s.placing
	if p.kind == noPlace {
		s.layer.CRS.SRID = o.CRS
		return
	}
	s.layer.Geometry = []string{s.layer.Columns[p.x].Title}
	s.layer.GeometryType = geo.Point
	if p.kind == twoColumns {
		s.layer.Geometry = append(s.layer.Geometry, s.layer.Columns[p.y].Title)
	}
	s.layer.CRS = CRS{SRID: p.srid, Guessed: p.srid != 0}
	if p.kind == wktColumn || p.kind == jsonColumnPlace || p.kind == hexColumn {
		s.lookAtGeometries(p)
	}
	if o.CRS != 0 {
		s.layer.CRS.SRID, s.layer.CRS.Guessed = o.CRS, false
	}
	s.layer.Notes = append(s.layer.Notes, geo.Say("csv.coordinates", "fields", strings.Join(s.layer.Geometry, ", ")))
}

// lookAtGeometries takes geometry type and system from the sampled cells, of
// which only the beginning is there.
func (s *csvSource) lookAtGeometries(p placing) {
	s.layer.GeometryType = geo.None
	for _, row := range s.sample {
		if p.x >= len(row) || blankCell(row[p.x]) {
			continue
		}
		kind, srid := geo.Mixed, geo.SRID(0)
		switch c := strings.TrimSpace(row[p.x]); p.kind {
		case wktColumn:
			kind, srid = wktHead(c)
		case hexColumn:
			kind, srid = hexHead(c)
		case jsonColumnPlace:
			kind = jsonHead(c)
		}
		s.layer.GeometryType = mergeKind(s.layer.GeometryType, kind)
		if srid != 0 && s.layer.CRS.SRID == 0 {
			s.layer.CRS = declaredCRS("EPSG:"+itoa(int(srid)), Options{})
		}
	}
}

// jsonHead gives the geometry type in the beginning of a GeoJSON geometry.
func jsonHead(c string) geo.GeometryType {
	_, after, ok := strings.Cut(c, `"type"`)
	if !ok {
		return geo.Mixed
	}
	_, after, _ = strings.Cut(after, `"`)
	name, _, _ := strings.Cut(after, `"`)
	return kindOfJSON([]byte(`{"type":"` + name + `"}`))
}

func (s *csvSource) Read(ctx context.Context, _ int, fn func(*Record) error) error {
	r := &csvReading{csvSource: s, caches: make([]cache, s.width)}
	r.rec.Values = make([]any, s.width)
	r.rec.Raw = r.rawText
	first := s.header
	return s.walk(ctx, func(c *csvReader, raw []byte, line int64, fault csvFault) error {
		if first {
			first = false
			return nil
		}
		w := trimmedWidth(c.fields)
		if w == 0 {
			return nil
		}
		r.raw = raw
		r.rec.Number++
		r.rec.Line = line
		r.take(c.fields, w, fault)
		return fn(&r.rec)
	})
}

// A csvReading is one reading of a file.
type csvReading struct {
	*csvSource
	rec    Record
	raw    []byte
	caches []cache
	geom   []byte
	shaper jsonShaper
	wkt    wktReader
	wkb    wkbReader
}

func (r *csvReading) rawText() string {
	t, _ := r.text.appendText(nil, bytes.TrimRight(r.raw[:min(len(r.raw), 64<<10)], "\r\n"), false)
	return strings.ToValidUTF8(string(t), "\uFFFD")
}

// take makes a record of fields; filled is how many there are without the
// empty ones at the end.
func (r *csvReading) take(fields [][]byte, filled int, fault csvFault) {
	r.rec.Geometry, r.rec.Err, r.rec.Issues = nil, nil, r.rec.Issues[:0]
	clear(r.rec.Values)
	switch {
	case fault == csvUnclosed:
		r.rec.Err = geo.Bad(nil, "csv.quote", "line", r.rec.Line)
		return
	case filled > r.width, len(fields) < r.optional:
		r.rec.Err = geo.Bad(nil, "csv.ragged", "line", r.rec.Line, "got", len(fields), "want", r.width)
		return
	case len(fields) < r.width:
		r.rec.Issues = append(r.rec.Issues, geo.Say("csv.short", "line", r.rec.Line, "got", len(fields), "want", r.width))
	}
	for i := range min(filled, r.width) {
		r.rec.Values[i] = r.value(i, fields[i])
	}
	if r.placing.kind != noPlace {
		r.locate(fields)
	}
}

// value gives the text of a cell, nil for none.
func (r *csvReading) value(i int, b []byte) any {
	b = bytes.TrimSpace(b)
	if len(b) == 0 || (len(b) == 2 && b[0] == '\\' && b[1] == 'N') {
		return nil
	}
	slot := r.caches[i].find(b)
	if slot != nil && slot.hit {
		return slot.value
	}
	t, flags := r.text.appendText(make([]byte, 0, len(b)+len(b)/8), b, false)
	if r.escapes {
		t = appendCopyText(nil, t)
	}
	s := unsafe.String(unsafe.SliceData(t), len(t)) // t is not used again
	if strings.IndexByte(s, 0) >= 0 {
		s, flags = strings.ReplaceAll(s, "\x00", "\uFFFD"), textLost
	}
	s = strings.Trim(s, " \t\r\n\u00a0")
	if s == "" {
		return nil
	}
	if flags&textLost != 0 {
		r.rec.Issues = append(r.rec.Issues, geo.Say("text.lost", "field", r.layer.Columns[i].Title, "value", clip(plain(s), 100)))
		return s
	}
	var v any = s
	r.caches[i].put(slot, b, v)
	return v
}

// appendCopyText undoes the escapes of PostgreSQL's COPY text format.
func appendCopyText(dst, b []byte) []byte {
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 == len(b) {
			dst = append(dst, b[i])
			continue
		}
		i++
		switch b[i] {
		case 't':
			dst = append(dst, '\t')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		default:
			dst = append(dst, b[i])
		}
	}
	return dst
}

// locate makes the geometry. A row without coordinates has none, which is no
// mistake; one whose coordinates can't be read has none and an issue.
func (r *csvReading) locate(fields [][]byte) {
	p := r.placing
	a := cellAt(fields, p.x)
	switch p.kind {
	case twoColumns:
		r.twoColumns(a, cellAt(fields, p.y))
		return
	case pairColumn:
		if len(a) == 0 {
			return
		}
		x, y, ok := parsePair(string(a))
		if !ok {
			r.badCell(p.x, a)
			return
		}
		if p.swap {
			x, y = y, x
		}
		r.point(x, y)
		return
	}
	if len(a) == 0 {
		return
	}
	var bad *geo.InputError
	switch p.kind {
	case wktColumn:
		r.rec.Geometry, r.rec.Issues, bad = r.wkt.convert(a, r.rec.Issues)
	case jsonColumnPlace:
		r.rec.Geometry, r.rec.Issues, bad = r.shaper.convert(a, r.rec.Issues)
	case hexColumn:
		b := make([]byte, hex.DecodedLen(len(a)))
		if _, err := hex.Decode(b, a); err != nil {
			bad = geo.Bad(err, "wkb.broken", "why", "hex")
		} else {
			r.rec.Geometry, r.rec.Issues, bad = r.wkb.convert(b, r.rec.Issues)
		}
	}
	r.rec.Err = bad
}

func cellAt(fields [][]byte, i int) []byte {
	if i >= len(fields) {
		return nil
	}
	b := bytes.TrimSpace(fields[i])
	if len(b) == 2 && b[0] == '\\' && b[1] == 'N' || bytes.IndexFunc(b, isAlphanumeric) < 0 { // "." and "-" are no value
		return nil
	}
	return b
}

func isAlphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func (r *csvReading) twoColumns(a, b []byte) {
	if len(a) == 0 && len(b) == 0 {
		return
	}
	x, okX := coordinate(a)
	y, okY := coordinate(b)
	switch {
	case !okX:
		r.badCell(r.placing.x, a)
	case !okY:
		r.badCell(r.placing.y, b)
	default:
		r.point(x, y)
	}
}

// coordinate reads a number, with a decimal comma or spaces too.
func coordinate(b []byte) (float64, bool) {
	if f, ok := parseFloat(b); ok {
		return f, finite(f)
	}
	f, ok := ParseNumber(string(b))
	return f, ok && finite(f)
}

func (r *csvReading) badCell(i int, b []byte) {
	t, _ := r.text.appendText(nil, b[:min(len(b), 100)], false)
	r.rec.Issues = append(r.rec.Issues, geo.Say("csv.coordinate", "line", r.rec.Line, "field", r.layer.Columns[i].Title, "value", strings.ToValidUTF8(string(t), "\uFFFD")))
}

func (r *csvReading) point(x, y float64) {
	r.geom = appendPoint(r.geom[:0], x, y)
	r.rec.Geometry = r.geom
}
