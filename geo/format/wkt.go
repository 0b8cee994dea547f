package format

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"calanque/geo"
)

func itoa(n int) string { return strconv.Itoa(n) }

var wktStart = regexp.MustCompile(`(?i)^(?:SRID=(\d+)\s*;\s*)?((?:MULTI)?(?:POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION)\s*(?:ZM|Z|M)?\s*(?:\(|EMPTY)`)

func looksWKT(s string) bool { return wktStart.MatchString(s) }

// wktHead gives geometry type and SRID of a well-known text by its beginning.
func wktHead(s string) (geo.GeometryType, geo.SRID) {
	m := wktStart.FindStringSubmatch(s)
	if m == nil {
		return geo.Mixed, 0
	}
	srid, _ := strconv.Atoi(m[1])
	switch strings.TrimPrefix(strings.ToUpper(m[2]), "MULTI") {
	case "POINT":
		return geo.Point, geo.SRID(srid)
	case "LINESTRING":
		return geo.Line, geo.SRID(srid)
	case "POLYGON":
		return geo.Polygon, geo.SRID(srid)
	}
	return geo.Mixed, geo.SRID(srid)
}

// A wktReader turns well-known text of geometries into EWKB, reusing its memory.
type wktReader struct {
	b     []byte
	i     int
	out   []byte
	z     bool
	dims  int // numbers a position has
	m     bool
	bad   bool
	short int
	open  int
	nan   int
}

// convert reads a text, with or without SRID=…; in front. M is dropped.
func (w *wktReader) convert(b []byte, issues []geo.Message) ([]byte, []geo.Message, *geo.InputError) {
	w.b, w.i, w.out, w.bad, w.short, w.open, w.nan = b, 0, w.out[:0], false, 0, 0, 0
	if len(b) > 5 && bytes.EqualFold(b[:5], []byte("SRID=")) {
		if k := bytes.IndexByte(b, ';'); k > 0 {
			w.i = k + 1
		}
	}
	kept := w.geometry(0)
	if w.space(); w.bad || w.i < len(w.b) {
		return nil, issues, geo.Bad(nil, "wkt.broken", "offset", w.i, "text", clip(plain(string(b[:min(len(b), 200)])), 120))
	}
	issues = countIssue(issues, "geometry.nan", w.nan)
	issues = countIssue(issues, "geometry.short-part", w.short)
	issues = countIssue(issues, "geometry.open-ring", w.open)
	if !kept {
		if w.nan+w.short == 0 {
			issues = append(issues, geo.Say("geometry.empty"))
		}
		return nil, issues, nil
	}
	return w.out, issues, nil
}

func (w *wktReader) space() {
	for w.i < len(w.b) && (w.b[w.i] == ' ' || w.b[w.i] == '\n' || w.b[w.i] == '\r' || w.b[w.i] == '\t') {
		w.i++
	}
}

func (w *wktReader) word() string {
	w.space()
	from := w.i
	for w.i < len(w.b) && (w.b[w.i]|0x20 >= 'a' && w.b[w.i]|0x20 <= 'z') {
		w.i++
	}
	return strings.ToUpper(string(w.b[from:w.i]))
}

func (w *wktReader) take(c byte) bool {
	w.space()
	if w.i < len(w.b) && w.b[w.i] == c {
		w.i++
		return true
	}
	return false
}

var wktKinds = map[string]uint32{
	"POINT": kindPoint, "LINESTRING": kindLineString, "POLYGON": kindPolygon, "MULTIPOINT": kindMultiPoint,
	"MULTILINESTRING": kindMultiLineString, "MULTIPOLYGON": kindMultiPolygon, "GEOMETRYCOLLECTION": kindCollection,
	"LINEARRING": kindLineString,
}

// geometry reads a tagged geometry and reports whether it has a point.
func (w *wktReader) geometry(depth int) bool {
	tag := w.word()
	suffix := ""
	for _, s := range []string{"ZM", "Z", "M"} { // POINTZ, as PostGIS writes EWKT
		if t, ok := strings.CutSuffix(tag, s); ok && wktKinds[t] != 0 {
			tag, suffix = t, s
			break
		}
	}
	kind := wktKinds[tag]
	at := w.i
	next := w.word()
	if next == "Z" || next == "M" || next == "ZM" {
		suffix, at = next, w.i
		next = w.word()
	}
	if kind == 0 || depth > 8 {
		w.bad = true
		return false
	}
	if next == "EMPTY" {
		return false
	}
	w.i = at
	if depth == 0 {
		w.dims = w.dimensions()
		w.z = suffix == "Z" || suffix == "ZM" || (suffix == "" && w.dims > 2)
		w.m = suffix == "M"
	}
	return w.body(kind, depth)
}

// dimensions counts the numbers of the first position.
func (w *wktReader) dimensions() int {
	i := w.i
	for i < len(w.b) && bytes.IndexByte([]byte("+-.0123456789nNiI"), w.b[i]) < 0 {
		i++
	}
	n, in := 0, false
	for ; i < len(w.b) && w.b[i] != ',' && w.b[i] != ')'; i++ {
		space := w.b[i] == ' ' || w.b[i] == '\t' || w.b[i] == '\n' || w.b[i] == '\r'
		if !space && !in {
			n++
		}
		in = !space
	}
	return n
}

func (w *wktReader) body(kind uint32, depth int) bool {
	from := len(w.out)
	w.out = appendKind(w.out, kind, w.z)
	switch kind {
	case kindPoint:
		if w.take('(') && w.position() && w.take(')') {
			return true
		}
		w.bad = w.bad || w.nan == 0
		w.take(')')
		w.out = w.out[:from]
		return false
	case kindLineString:
		return w.positions(from, 2, false)
	}
	return w.parts(kind, from, depth)
}

// parts reads the members of a polygon, a multi-geometry or a collection.
func (w *wktReader) parts(kind uint32, from, depth int) bool {
	at, n, shell := len(w.out), 0, true
	w.out = appendCount(w.out, 0)
	if !w.take('(') {
		w.bad = true
	}
	for first := true; !w.bad; first = false {
		start := len(w.out)
		ok := w.part(kind, start, depth)
		if first && kind == kindPolygon {
			shell = ok
		}
		if ok {
			n++
		} else {
			w.out = w.out[:start]
		}
		if w.take(')') {
			break
		}
		if !w.take(',') {
			w.bad = true
		}
	}
	if n == 0 || !shell {
		w.out = w.out[:from]
		return false
	}
	putCount(w.out, at, n)
	return true
}

func (w *wktReader) part(kind uint32, start, depth int) bool {
	switch kind {
	case kindPolygon:
		return w.positions(start, 4, true)
	case kindCollection:
		return w.geometry(depth + 1)
	case kindMultiPoint:
		w.space()
		if w.i < len(w.b) && w.b[w.i] != '(' { // MULTIPOINT (1 2, 3 4)
			w.out = appendKind(w.out, kindPoint, w.z)
			return w.position()
		}
	}
	if at := w.i; w.word() == "EMPTY" {
		return false
	} else {
		w.i = at
	}
	return w.body(kind-3, depth)
}

func (w *wktReader) positions(from, least int, ring bool) bool {
	at, n := len(w.out), 0
	w.out = appendCount(w.out, 0)
	if !w.take('(') {
		w.bad = true
	}
	start := len(w.out)
	for !w.bad {
		if w.position() {
			n++
		}
		if w.take(')') {
			break
		}
		if !w.take(',') {
			w.bad = true
		}
	}
	size := 16
	if w.z {
		size = 24
	}
	if ring && n >= 3 && !bytes.Equal(w.out[start:start+size], w.out[len(w.out)-size:]) {
		w.out = append(w.out, w.out[start:start+size]...)
		w.open++
		n++
	}
	if n < least {
		if n > 0 {
			w.short++
		}
		w.out = w.out[:from]
		return false
	}
	putCount(w.out, at, n)
	return true
}

// position reads the numbers of one point; false when x or y is NaN.
func (w *wktReader) position() bool {
	var v [4]float64
	for k := range max(w.dims, 2) {
		f, ok := w.number()
		if !ok || k > 3 {
			w.bad = true
			return false
		}
		v[k] = f
	}
	if !finite(v[0]) || !finite(v[1]) {
		w.nan++
		return false
	}
	w.out = appendFloat(appendFloat(w.out, v[0]), v[1])
	if w.z {
		if w.m || !finite(v[2]) {
			v[2] = 0
		}
		w.out = appendFloat(w.out, v[2])
	}
	return true
}

func (w *wktReader) number() (float64, bool) {
	w.space()
	from := w.i
	for w.i < len(w.b) && bytes.IndexByte([]byte(" ,()\t\r\n"), w.b[w.i]) < 0 {
		w.i++
	}
	b := w.b[from:w.i]
	if f, ok := parseFloat(b); ok {
		return f, true
	}
	f, err := strconv.ParseFloat(string(b), 64) // NaN and infinities
	return f, err == nil
}
