package format

import (
	"encoding/binary"
	"math"

	"calanque/geo"
)

// EWKB geometry kinds; zFlag is added for three dimensions.
const (
	kindPoint           = 1
	kindLineString      = 2
	kindPolygon         = 3
	kindMultiPoint      = 4
	kindMultiLineString = 5
	kindMultiPolygon    = 6
	kindCollection      = 7

	zFlag = 0x80000000
	mFlag = 0x40000000
	sFlag = 0x20000000
)

// appendKind appends the byte order and type of a geometry.
func appendKind(b []byte, kind uint32, z bool) []byte {
	if z {
		kind |= zFlag
	}
	b = append(b, 1)
	return binary.LittleEndian.AppendUint32(b, kind)
}

func appendCount(b []byte, n int) []byte {
	return binary.LittleEndian.AppendUint32(b, uint32(n))
}

func putCount(b []byte, at, n int) {
	binary.LittleEndian.PutUint32(b[at:], uint32(n))
}

func appendFloat(b []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(f))
}

func float(b []byte) float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(b))
}

// Multi appends to dst the geometry promoted to its Multi kind, and leaves what
// already is one, or a collection, as it is. The input is what Record.Geometry
// holds.
func Multi(dst, ewkb []byte) []byte {
	if len(ewkb) < 5 {
		return dst
	}
	kind := binary.LittleEndian.Uint32(ewkb[1:])
	switch kind &^ zFlag {
	case kindPoint, kindLineString, kindPolygon:
		dst = appendKind(dst, kind&^zFlag+3, kind&zFlag != 0)
		dst = appendCount(dst, 1)
	}
	return append(dst, ewkb...)
}

// KindOf tells which geometry type a Record.Geometry fits; None for nil.
func KindOf(ewkb []byte) geo.GeometryType {
	if len(ewkb) < 5 {
		return geo.None
	}
	switch binary.LittleEndian.Uint32(ewkb[1:]) &^ (zFlag | mFlag | sFlag) {
	case kindPoint, kindMultiPoint:
		return geo.Point
	case kindLineString, kindMultiLineString:
		return geo.Line
	case kindPolygon, kindMultiPolygon:
		return geo.Polygon
	}
	return geo.Mixed
}

// mergeKind gives the type of a layer that holds both.
func mergeKind(a, b geo.GeometryType) geo.GeometryType {
	switch {
	case a == b, b == geo.None:
		return a
	case a == geo.None:
		return b
	}
	return geo.Mixed
}

// appendPoint appends a two-dimensional point.
func appendPoint(b []byte, x, y float64) []byte {
	b = appendKind(b, kindPoint, false)
	b = appendFloat(b, x)
	return appendFloat(b, y)
}

func finite(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) }

// FirstPoint gives the first position of a Record.Geometry, whatever its kind:
// a sample for the place test. It is false for nil.
func FirstPoint(ewkb []byte) (x, y float64, ok bool) {
	for i := 0; i+5 <= len(ewkb); {
		kind := binary.LittleEndian.Uint32(ewkb[i+1:]) &^ (zFlag | mFlag | sFlag)
		i += 5
		switch kind {
		case kindPoint:
		case kindLineString:
			i += 4
		case kindPolygon:
			i += 8
		default:
			i += 4
			continue
		}
		if i+16 > len(ewkb) {
			return 0, 0, false
		}
		return float(ewkb[i:]), float(ewkb[i+8:]), true
	}
	return 0, 0, false
}
