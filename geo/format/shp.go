package format

import (
	"encoding/binary"
	"math"

	"calanque/geo"
)

// Shape types of the shapefile specification (ESRI, 1998). Adding 10 gives the
// Z kind, 20 the M kind.
const (
	shapeNull       = 0
	shapePoint      = 1
	shapeLine       = 3
	shapePolygon    = 5
	shapeMultiPoint = 8
	shapeMultiPatch = 31
)

// maxShape bounds the content of one record: beyond, the file is broken or
// hostile. The largest French multipolygons have some 30 MB.
const maxShape = 256 << 20

// A shaper turns the content of shape records into EWKB, reusing its memory.
type shaper struct {
	out    []byte
	issues []geo.Message
	rings  []ring
	order  []int  // rings by left edge
	xy     []byte // cleaned coordinates of one part
	zs     []byte
}

// shape is one record taken apart: views into its content.
type shape struct {
	kind  int32 // base kind: point, line, polygon, multipoint
	z     bool
	parts []byte // first point of each part, 4 bytes each
	n     int    // points
	xy    []byte // 16 bytes a point
	zs    []byte // 8 bytes a point, when z
}

// convert gives the geometry of a record's content as EWKB, nil for a null
// shape or one of which nothing is left; a shape of another kind than the
// file's is refused; what was repaired is in s.issues. The
// result is valid until the next call.
func (s *shaper) convert(content []byte, kind int32) ([]byte, *geo.InputError) {
	s.out, s.issues = s.out[:0], s.issues[:0]
	sh, bad := takeApart(content)
	if bad != nil {
		return nil, bad
	}
	if sh.kind != shapeNull && sh.kind != kind {
		return nil, geo.Bad(nil, "shapefile.kind", "type", sh.kind, "want", kind)
	}
	switch sh.kind {
	case shapeNull:
		return nil, nil
	case shapePoint:
		return s.point(sh), nil
	case shapeMultiPoint:
		return s.multiPoint(sh), nil
	case shapeLine:
		return s.lines(sh), nil
	default:
		return s.polygons(sh)
	}
}

// takeApart checks the counts of a record against its length.
func takeApart(c []byte) (shape, *geo.InputError) {
	if len(c) < 4 {
		return shape{}, geo.Bad(nil, "shapefile.record", "why", "length", "length", len(c))
	}
	raw := int32(binary.LittleEndian.Uint32(c))
	if raw == shapeNull {
		return shape{}, nil
	}
	if raw == shapeMultiPatch {
		return shape{}, geo.Bad(nil, "shapefile.multipatch")
	}
	sh := shape{kind: raw % 10, z: raw > 10 && raw < 20}
	switch {
	case raw < 0 || raw > 28, sh.kind != shapePoint && sh.kind != shapeLine && sh.kind != shapePolygon && sh.kind != shapeMultiPoint:
		return shape{}, geo.Bad(nil, "shapefile.type", "type", raw)
	case sh.kind == shapePoint:
		return takePoint(sh, c)
	}
	head := 40
	nParts := 0
	if sh.kind != shapeMultiPoint {
		head = 44
	}
	if len(c) < head {
		return shape{}, geo.Bad(nil, "shapefile.record", "why", "length", "length", len(c))
	}
	if head == 44 {
		nParts = int(int32(binary.LittleEndian.Uint32(c[36:])))
	}
	sh.n = int(int32(binary.LittleEndian.Uint32(c[head-4:])))
	rest := c[head:]
	if nParts < 0 || sh.n < 0 || nParts > len(rest)/4 || sh.n > (len(rest)-4*nParts)/16 {
		return shape{}, geo.Bad(nil, "shapefile.record", "why", "points", "length", len(c))
	}
	sh.parts, rest = rest[:4*nParts], rest[4*nParts:]
	sh.xy, rest = rest[:16*sh.n], rest[16*sh.n:]
	if sh.z {
		if len(rest) < 16+8*sh.n {
			return shape{}, geo.Bad(nil, "shapefile.record", "why", "heights", "length", len(c))
		}
		sh.zs = rest[16 : 16+8*sh.n]
	}
	return sh, nil
}

func takePoint(sh shape, c []byte) (shape, *geo.InputError) {
	need := 20
	if sh.z {
		need = 28
	}
	if len(c) < need {
		return shape{}, geo.Bad(nil, "shapefile.record", "why", "length", "length", len(c))
	}
	sh.n, sh.xy = 1, c[4:20]
	if sh.z {
		sh.zs = c[20:28]
	}
	return sh, nil
}

func (s *shaper) point(sh shape) []byte {
	if !finite(float(sh.xy)) || !finite(float(sh.xy[8:])) {
		s.say("geometry.nan", 1)
		return nil
	}
	s.out = appendKind(s.out, kindPoint, sh.z)
	s.out = append(s.out, sh.xy...)
	if sh.z {
		s.out = appendFloat(s.out, height(sh.zs))
	}
	return s.out
}

func (s *shaper) multiPoint(sh shape) []byte {
	xy, zs := s.clean(sh, 0, sh.n)
	if len(xy) == 0 {
		return nil
	}
	s.out = appendKind(s.out, kindMultiPoint, sh.z)
	s.out = appendCount(s.out, len(xy)/16)
	for i := range len(xy) / 16 {
		s.out = appendKind(s.out, kindPoint, sh.z)
		s.out = append(s.out, xy[16*i:16*i+16]...)
		if sh.z {
			s.out = appendFloat(s.out, height(zs[8*i:]))
		}
	}
	return s.out
}

// lines gives a LineString of one part, a MultiLineString of several; parts of
// fewer than two points are left out.
func (s *shaper) lines(sh shape) []byte {
	s.out = appendKind(s.out, kindMultiLineString, sh.z)
	s.out = appendCount(s.out, 0)
	kept, short := 0, 0
	for p := range len(sh.parts) / 4 {
		from, to, ok := sh.part(p)
		if !ok {
			short++
			continue
		}
		xy, zs := s.clean(sh, from, to)
		if len(xy) < 32 {
			short++
			continue
		}
		kept++
		s.out = appendKind(s.out, kindLineString, sh.z)
		s.out = appendCount(s.out, len(xy)/16)
		s.out = appendCoords(s.out, xy, zs, sh.z)
	}
	if short > 0 {
		s.say("geometry.short-part", short)
	}
	switch kept {
	case 0:
		return nil
	case 1:
		return s.out[9:]
	}
	putCount(s.out, 5, kept)
	return s.out
}

// part gives the points [from, to) of part p; false when its bounds are wrong.
func (sh *shape) part(p int) (from, to int, ok bool) {
	from = int(int32(binary.LittleEndian.Uint32(sh.parts[4*p:])))
	to = sh.n
	if 4*(p+1) < len(sh.parts) {
		to = int(int32(binary.LittleEndian.Uint32(sh.parts[4*(p+1):])))
	}
	return from, to, from >= 0 && from < to && to <= sh.n
}

// clean gives the coordinates of the points [from, to), without those that are
// no numbers. Where all are, nothing is copied.
func (s *shaper) clean(sh shape, from, to int) (xy, zs []byte) {
	xy = sh.xy[16*from : 16*to]
	if sh.z {
		zs = sh.zs[8*from : 8*to]
	}
	if allFinite(xy) {
		return xy, zs
	}
	s.xy, s.zs = s.xy[:0], s.zs[:0]
	for i := range to - from {
		if !finite(float(xy[16*i:])) || !finite(float(xy[16*i+8:])) {
			continue
		}
		s.xy = append(s.xy, xy[16*i:16*i+16]...)
		if sh.z {
			s.zs = append(s.zs, zs[8*i:8*i+8]...)
		}
	}
	s.say("geometry.nan", (len(xy)-len(s.xy))/16)
	return s.xy, s.zs
}

func allFinite(b []byte) bool {
	const exponent = 0x7FF0000000000000
	for ; len(b) >= 8; b = b[8:] {
		if binary.LittleEndian.Uint64(b)&exponent == exponent {
			return false
		}
	}
	return true
}

// appendCoords appends points as EWKB has them, two or three numbers each.
func appendCoords(dst, xy, zs []byte, z bool) []byte {
	if !z {
		return append(dst, xy...)
	}
	for i := range len(xy) / 16 {
		dst = append(dst, xy[16*i:16*i+16]...)
		dst = appendFloat(dst, height(zs[8*i:]))
	}
	return dst
}

// height reads a Z; what the specification calls "no data" (below -1e38) and
// NaN are 0, as GDAL and PostGIS have no other word for it.
func height(b []byte) float64 {
	z := float(b)
	if math.IsNaN(z) || z < -1e38 || z > 1e38 {
		return 0
	}
	return z
}

func (s *shaper) say(code string, count int) {
	s.issues = append(s.issues, geo.Say(code, "count", count))
}
