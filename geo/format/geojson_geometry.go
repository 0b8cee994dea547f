package format

import (
	"bytes"
	"strings"

	"calanque/geo"
)

// A jsonShaper turns GeoJSON geometries into EWKB, reusing its memory.
type jsonShaper struct {
	out    []byte
	z      bool
	sawZ   bool // a position with three numbers
	nan    int
	short  int
	open   int
	reason string // why the geometry can't be read
}

var geoJSONKinds = map[string]uint32{
	"point": kindPoint, "linestring": kindLineString, "polygon": kindPolygon, "multipoint": kindMultiPoint,
	"multilinestring": kindMultiLineString, "multipolygon": kindMultiPolygon, "geometrycollection": kindCollection,
}

// geoJSONKind gives the kind of a raw type name, 0 for none.
func geoJSONKind(raw []byte) uint32 {
	if len(raw) > 32 {
		return 0
	}
	return geoJSONKinds[strings.ToLower(string(raw))]
}

// convert reads a geometry object; nil for null and for one without any point.
// The result is valid until the next call.
func (s *jsonShaper) convert(raw []byte, issues []geo.Message) ([]byte, []geo.Message, *geo.InputError) {
	if len(raw) == 0 || bytes.Equal(raw, []byte("null")) {
		return nil, issues, nil
	}
	ok, kept := s.try(raw, false)
	if ok && s.sawZ { // heights are seen while reading: read again with them
		ok, kept = s.try(raw, true)
	}
	if !ok {
		return nil, issues, geo.Bad(nil, "geojson.geometry", "why", s.reason, "geometry", clip(plain(string(raw[:min(len(raw), 200)])), 120))
	}
	issues = countIssue(issues, "geometry.nan", s.nan)
	issues = countIssue(issues, "geometry.short-part", s.short)
	issues = countIssue(issues, "geometry.open-ring", s.open)
	if !kept {
		if s.nan+s.short == 0 {
			issues = append(issues, geo.Say("geometry.empty"))
		}
		return nil, issues, nil
	}
	return s.out, issues, nil
}

func countIssue(issues []geo.Message, code string, n int) []geo.Message {
	if n > 0 {
		issues = append(issues, geo.Say(code, "count", n))
	}
	return issues
}

func (s *jsonShaper) try(raw []byte, z bool) (ok, kept bool) {
	s.out, s.z, s.nan, s.short, s.open, s.reason = s.out[:0], z, 0, 0, 0, ""
	if !z {
		s.sawZ = false
	}
	c := &cursor{b: raw}
	kept = s.geometry(c, 0)
	if c.bad && s.reason == "" {
		s.reason = "syntax"
	}
	return s.reason == "", kept
}

// geometry reads one geometry object and reports whether it has a point.
func (s *jsonShaper) geometry(c *cursor, depth int) bool {
	var kind uint32
	var coords, members []byte
	if depth > 8 || !c.enter('{') {
		s.fail(c, "syntax")
		return false
	}
	for first := true; c.next('}', first); first = false {
		switch k := c.key(); string(k) {
		case "type":
			t := c.text()
			if kind = geoJSONKind(t); kind == 0 {
				s.fail(c, "type")
			}
		case "coordinates":
			coords = c.skip()
		case "geometries":
			members = c.skip()
		default:
			c.skip()
		}
	}
	switch {
	case c.bad:
		return false
	case kind == kindCollection && members != nil:
		return s.collection(members, depth)
	case kind == 0 || kind == kindCollection || coords == nil:
		s.fail(c, "type")
		return false
	}
	inner := &cursor{b: coords}
	kept := s.coordinates(inner, kind)
	if inner.bad {
		s.fail(c, "coordinates")
	}
	return kept
}

func (s *jsonShaper) fail(c *cursor, why string) {
	c.bad = true
	if s.reason == "" {
		s.reason = why
	}
}

func (s *jsonShaper) collection(raw []byte, depth int) bool {
	s.out = appendKind(s.out, kindCollection, s.z)
	at, n := len(s.out), 0
	s.out = appendCount(s.out, 0)
	c := &cursor{b: raw}
	if !c.enter('[') {
		s.fail(c, "coordinates")
		return false
	}
	for first := true; c.next(']', first); first = false {
		from := len(s.out)
		if s.geometry(c, depth+1) {
			n++
		} else {
			s.out = s.out[:from]
		}
	}
	if c.bad {
		s.fail(c, "coordinates")
	}
	putCount(s.out, at, n)
	return n > 0
}

// coordinates reads the nested arrays of a geometry; what has too few points is
// left out and counted.
func (s *jsonShaper) coordinates(c *cursor, kind uint32) bool {
	from := len(s.out)
	switch kind {
	case kindPoint:
		s.out = appendKind(s.out, kind, s.z)
		if c.peek() == 'n' { // null
			c.skip()
			return false
		}
		if s.position(c) {
			return true
		}
		s.out = s.out[:from]
		return false
	case kindLineString:
		s.out = appendKind(s.out, kind, s.z)
		return s.positions(c, from, 2, false)
	case kindPolygon:
		s.out = appendKind(s.out, kind, s.z)
		return s.parts(c, from, 0)
	}
	s.out = appendKind(s.out, kind, s.z)
	return s.parts(c, from, kind-3)
}

// parts reads an array of members: rings when member is 0, geometries of that
// kind otherwise. A polygon whose first ring is gone is gone.
func (s *jsonShaper) parts(c *cursor, from int, member uint32) bool {
	at, n := len(s.out), 0
	s.out = appendCount(s.out, 0)
	if !c.enter('[') {
		return false
	}
	shell := true
	for first := true; c.next(']', first); first = false {
		start := len(s.out)
		ok := false
		if member == 0 {
			ok = s.positions(c, start, 4, true)
			if first {
				shell = ok
			}
		} else {
			ok = s.coordinates(c, member)
		}
		if ok {
			n++
		} else {
			s.out = s.out[:start]
		}
	}
	if n == 0 || !shell {
		s.out = s.out[:from]
		return false
	}
	putCount(s.out, at, n)
	return true
}

// positions reads an array of positions and closes rings.
func (s *jsonShaper) positions(c *cursor, from, least int, ring bool) bool {
	at, n := len(s.out), 0
	s.out = appendCount(s.out, 0)
	if !c.enter('[') {
		return false
	}
	start := len(s.out)
	for first := true; c.next(']', first); first = false {
		if s.position(c) {
			n++
		}
		if c.bad {
			return false
		}
	}
	if ring && n >= 3 {
		size := 16
		if s.z {
			size = 24
		}
		if !bytes.Equal(s.out[start:start+size], s.out[len(s.out)-size:]) {
			s.out = append(s.out, s.out[start:start+size]...)
			s.open++
			n++
		}
	}
	if n < least {
		if n > 0 {
			s.short++
		}
		s.out = s.out[:from]
		return false
	}
	putCount(s.out, at, n)
	return true
}

// position reads [x, y], [x, y, z] or longer, of which the rest is dropped;
// false when a coordinate is no number, or there is none.
func (s *jsonShaper) position(c *cursor) bool {
	var v [3]float64
	n := 0
	numbers := true
	if !c.enter('[') {
		return false
	}
	for first := true; c.next(']', first); first = false {
		f, ok := c.number()
		if n < 3 {
			v[n] = f
			if n < 2 {
				numbers = numbers && ok
			} else if !ok {
				v[2] = 0
			}
		}
		n++
	}
	if c.bad || n < 2 {
		if n == 1 {
			c.bad = true
		}
		return false
	}
	if n > 2 {
		s.sawZ = true
	}
	if !numbers || !finite(v[0]) || !finite(v[1]) {
		s.nan++
		return false
	}
	s.out = appendFloat(appendFloat(s.out, v[0]), v[1])
	if s.z {
		s.out = appendFloat(s.out, v[2])
	}
	return true
}

// number reads a coordinate: a number, or one in quotes; false for null, NaN
// and Infinity, which are no coordinates but no mistake of the syntax either.
func (c *cursor) number() (float64, bool) {
	var b []byte
	switch c.peek() {
	case '"':
		b = c.text()
	case '[', '{':
		c.bad = true
		return 0, false
	default:
		b = c.skip()
	}
	if c.bad {
		return 0, false
	}
	f, ok := parseFloat(b)
	if !ok {
		switch string(bytes.TrimLeft(b, "-")) {
		case "null", "NaN", "nan", "Infinity", "inf", "":
		default:
			c.bad = true
		}
	}
	return f, ok
}
