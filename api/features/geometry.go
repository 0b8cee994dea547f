package features

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
)

// errGeometry is a geometry that is not EWKB as PostGIS writes it, or of a
// type that GeoJSON has no word for (curves, surfaces).
var errGeometry = errors.New("geometry is not EWKB of a GeoJSON type")

// The types of WKB, and the bits that EWKB adds to them.
const (
	wkbPoint = iota + 1
	wkbLine
	wkbPolygon
	wkbMultiPoint
	wkbMultiLine
	wkbMultiPolygon
	wkbCollection

	ewkbZ    = 1 << 31
	ewkbM    = 1 << 30
	ewkbSRID = 1 << 29
)

var geometryNames = [...]string{
	wkbPoint: "Point", wkbLine: "LineString", wkbPolygon: "Polygon",
	wkbMultiPoint: "MultiPoint", wkbMultiLine: "MultiLineString", wkbMultiPolygon: "MultiPolygon",
	wkbCollection: "GeometryCollection",
}

// maxDepth is how deep collections may nest.
const maxDepth = 8

// appendGeometry appends a geometry in EPSG:4326, EWKB, lon/lat, as GeoJSON:
// seven decimals (a centimetre), heights with three, M dropped, exterior rings
// counter-clockwise (RFC 7946). Nil and empty geometries are null.
func appendGeometry(dst, ewkb []byte) ([]byte, error) {
	if len(ewkb) == 0 {
		return append(dst, "null"...), nil
	}
	start := len(dst)
	e := ewkbReader{b: ewkb}
	dst, drawn := e.geometry(dst, 0)
	if e.bad || len(e.b) != 0 {
		return append(dst[:start], "null"...), errGeometry
	}
	if !drawn {
		return append(dst[:start], "null"...), nil
	}
	return dst, nil
}

// An ewkbReader takes a geometry apart from front to back. bad is set, and
// nothing more is read, when the bytes end too early or make no sense.
type ewkbReader struct {
	b    []byte
	big  bool
	bad  bool
	dims int  // numbers of a position: 2 to 4
	z    bool // the third is a height
}

func (e *ewkbReader) header() (kind int) {
	if len(e.b) < 5 || e.b[0] > 1 {
		e.bad = true
		return 0
	}
	e.big = e.b[0] == 0
	e.b = e.b[1:]
	word := e.uint32()
	if word&ewkbSRID != 0 {
		e.uint32()
	}
	e.z, e.dims = word&ewkbZ != 0, 2
	if e.z {
		e.dims++
	}
	if word&ewkbM != 0 {
		e.dims++
	}
	kind = int(word &^ (ewkbZ | ewkbM | ewkbSRID))
	if kind < wkbPoint || kind > wkbCollection {
		e.bad = true
	}
	return kind
}

func (e *ewkbReader) uint32() uint32 {
	if len(e.b) < 4 {
		e.bad = true
		return 0
	}
	var v uint32
	if e.big {
		v = binary.BigEndian.Uint32(e.b)
	} else {
		v = binary.LittleEndian.Uint32(e.b)
	}
	e.b = e.b[4:]
	return v
}

// count reads how many parts follow, each of at least so many bytes.
func (e *ewkbReader) count(size int) int {
	n := int(e.uint32())
	if e.bad || n > len(e.b)/size {
		e.bad = true
		return 0
	}
	return n
}

// float gives the number at a byte offset of what is left.
func (e *ewkbReader) float(at int) float64 {
	if e.big {
		return math.Float64frombits(binary.BigEndian.Uint64(e.b[at:]))
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(e.b[at:]))
}

// geometry appends one geometry with its type; drawn is false, and what was
// appended means nothing, when it is empty.
func (e *ewkbReader) geometry(dst []byte, depth int) (_ []byte, drawn bool) {
	kind := e.header()
	if e.bad || depth > maxDepth {
		e.bad = true
		return dst, false
	}
	dst = append(dst, `{"type":"`...)
	dst = append(dst, geometryNames[kind]...)
	if kind == wkbCollection {
		dst = append(dst, `","geometries":[`...)
		dst, drawn = e.parts(dst, func(dst []byte) ([]byte, bool) { return e.geometry(dst, depth+1) })
		return append(dst, ']', '}'), drawn
	}
	dst = append(dst, `","coordinates":`...)
	dst, drawn = e.coordinates(dst, kind)
	return append(dst, '}'), drawn
}

// coordinates appends the coordinates of a geometry whose header was read.
func (e *ewkbReader) coordinates(dst []byte, kind int) (_ []byte, drawn bool) {
	switch kind {
	case wkbPoint:
		return e.point(dst)
	case wkbLine:
		n := e.count(8 * e.dims)
		dst = e.positions(dst, n, false)
		return dst, n > 0
	case wkbPolygon:
		return e.rings(dst)
	}
	dst = append(dst, '[')
	dst, drawn = e.parts(dst, func(dst []byte) ([]byte, bool) {
		member := e.header()
		if e.bad || member != kind-3 { // a MultiPoint holds points, and so on
			e.bad = true
			return dst, false
		}
		return e.coordinates(dst, member)
	})
	return append(dst, ']'), drawn
}

// parts appends the parts of a multi-geometry, the empty ones left out.
func (e *ewkbReader) parts(dst []byte, part func([]byte) ([]byte, bool)) (_ []byte, drawn bool) {
	for n := e.count(5); n > 0 && !e.bad; n-- {
		before := len(dst)
		if drawn {
			dst = append(dst, ',')
		}
		var ok bool
		if dst, ok = part(dst); ok {
			drawn = true
		} else {
			dst = dst[:before]
		}
	}
	return dst, drawn
}

func (e *ewkbReader) point(dst []byte) (_ []byte, drawn bool) {
	size := 8 * e.dims
	if len(e.b) < size {
		e.bad = true
		return dst, false
	}
	if drawn = !math.IsNaN(e.float(0)); drawn { // POINT EMPTY is written as NaN
		dst = e.position(dst, 0)
	}
	e.b = e.b[size:]
	return dst, drawn
}

// rings appends the rings of a polygon: the first counter-clockwise, the holes
// clockwise.
func (e *ewkbReader) rings(dst []byte) (_ []byte, drawn bool) {
	n := e.count(4)
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		positions := e.count(8 * e.dims)
		if e.bad {
			return dst, false
		}
		ccw := e.area(positions) >= 0
		dst = e.positions(dst, positions, ccw != (i == 0))
		drawn = drawn || positions > 0
	}
	return append(dst, ']'), drawn
}

// area gives the signed area of the ring that comes next, in square degrees:
// positive when it runs counter-clockwise.
func (e *ewkbReader) area(n int) float64 {
	if n < 3 {
		return 0
	}
	step := 8 * e.dims
	x0, y0 := e.float(0), e.float(8)
	var sum float64
	px, py := 0.0, 0.0
	for i := 1; i < n; i++ {
		x, y := e.float(i*step)-x0, e.float(i*step+8)-y0
		sum += px*y - x*py
		px, py = x, y
	}
	return sum
}

// positions appends n positions in brackets, from the last one when backwards,
// and takes them off what is left.
func (e *ewkbReader) positions(dst []byte, n int, backwards bool) []byte {
	step := 8 * e.dims
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		at := i * step
		if backwards {
			at = (n - 1 - i) * step
		}
		dst = e.position(dst, at)
	}
	e.b = e.b[n*step:]
	return append(dst, ']')
}

func (e *ewkbReader) position(dst []byte, at int) []byte {
	dst = append(dst, '[')
	dst = appendDecimal(dst, e.float(at), 7)
	dst = append(dst, ',')
	dst = appendDecimal(dst, e.float(at+8), 7)
	if e.z {
		if z := e.float(at + 16); !math.IsNaN(z) {
			dst = append(dst, ',')
			dst = appendDecimal(dst, z, 3)
		}
	}
	return append(dst, ']')
}

var pow10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7}

// appendDecimal appends a number rounded to so many decimals, without zeros at
// the end. What is no number becomes 0: JSON has no word for it, and no
// geometry of the hub has one.
func appendDecimal(dst []byte, f float64, decimals int) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(dst, '0')
	}
	if math.Abs(f) > 1e9 {
		return strconv.AppendFloat(dst, f, 'f', decimals, 64)
	}
	n := int64(math.Round(f * pow10[decimals]))
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	unit := int64(pow10[decimals])
	dst = strconv.AppendInt(dst, n/unit, 10)
	rest := n % unit
	if rest == 0 {
		return dst
	}
	dst = append(dst, '.')
	for rest > 0 {
		unit /= 10
		dst = append(dst, byte('0'+rest/unit))
		rest %= unit
	}
	return dst
}
