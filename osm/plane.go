package osm

import (
	"encoding/binary"
	"math"
)

// A point of the plane EPSG:3857, in metres.
type point struct{ x, y float64 }

const (
	earthRadius = 6378137               // metres, the sphere of EPSG:3857
	halfWorld   = earthRadius * math.Pi // metres from the middle of the plane to its border
	maxLat      = 85.0511287798066      // degrees, the border of the plane
	e7Radians   = math.Pi / 180 / 1e7   // radians in 1e-7 degrees
)

// project puts a location onto the plane; latitudes beyond it on its border.
func (l location) project() point {
	lat := min(max(float64(l.lat), -maxLat*1e7), maxLat*1e7)
	return point{
		x: earthRadius * e7Radians * float64(l.lon),
		y: earthRadius * math.Log(math.Tan(math.Pi/4+lat*e7Radians/2)),
	}
}

// orientation is twice the signed area of a, b, c: positive when they turn
// left. sure tells whether its sign is beyond rounding; the bound is
// Shewchuk's (Adaptive precision floating-point arithmetic, 1997, stage A).
func orientation(a, b, c point) (det float64, sure bool) {
	left := (a.x - c.x) * (b.y - c.y)
	right := (a.y - c.y) * (b.x - c.x)
	det = left - right
	const bound = (3 + 16*0x1p-53) * 0x1p-53
	return det, math.Abs(det) > bound*(math.Abs(left)+math.Abs(right))
}

// area2 is twice the signed area of a ring (its last point is not its first):
// positive when it runs counter-clockwise.
func area2(ring []point) float64 {
	if len(ring) == 0 {
		return 0
	}
	o, sum := ring[0], 0.0
	for i := 1; i+1 < len(ring); i++ {
		a, b := ring[i], ring[i+1]
		sum += (a.x-o.x)*(b.y-o.y) - (b.x-o.x)*(a.y-o.y)
	}
	return sum
}

// holds reports whether a point lies inside a ring; on its border, either.
func holds(ring []point, p point) bool {
	in := false
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		if rayCrosses(ring[j], ring[i], p) {
			in = !in
		}
	}
	return in
}

// rayCrosses reports whether the ray from p to the east crosses the segment.
func rayCrosses(a, b, p point) bool {
	return (a.y > p.y) != (b.y > p.y) && p.x < (b.x-a.x)*(p.y-a.y)/(b.y-a.y)+a.x
}

// A box of the plane.
type box struct{ minX, minY, maxX, maxY float64 }

func emptyBox() box {
	return box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
}

func (b *box) extend(p point) {
	b.minX, b.minY = min(b.minX, p.x), min(b.minY, p.y)
	b.maxX, b.maxY = max(b.maxX, p.x), max(b.maxY, p.y)
}

func (b box) contains(p point) bool {
	return b.minX <= p.x && p.x <= b.maxX && b.minY <= p.y && p.y <= b.maxY
}

func boxOf(points []point) box {
	b := emptyBox()
	for _, p := range points {
		b.extend(p)
	}
	return b
}

// hilbert is the place of the middle of a box along a Hilbert curve through
// the plane: near places, near numbers. (Wikipedia, "Hilbert curve", xy2d.)
func (b box) hilbert() uint64 {
	const bits = 31
	cell := func(v float64) uint64 {
		return uint64(min(max((v+halfWorld)/(2*halfWorld), 0), 1) * (1<<bits - 1))
	}
	x, y := cell((b.minX+b.maxX)/2), cell((b.minY+b.maxY)/2)
	var d uint64
	for s := uint64(1) << (bits - 1); s > 0; s >>= 1 {
		var rx, ry uint64
		if x&s != 0 {
			rx = 1
		}
		if y&s != 0 {
			ry = 1
		}
		d += s * s * ((3 * rx) ^ ry)
		if ry == 0 {
			if rx == 1 {
				x, y = (1<<bits-1)-x, (1<<bits-1)-y
			}
			x, y = y, x
		}
	}
	return d
}

// EWKB, little endian, SRID 3857: what COPY takes as it is.
const (
	ewkbPoint        = 1 | 0x20000000
	ewkbLine         = 2 | 0x20000000
	ewkbPolygon      = 3 | 0x20000000
	ewkbMultiPolygon = 6 | 0x20000000
)

func appendEWKBHead(b []byte, kind uint32) []byte {
	b = append(b, 1)
	b = binary.LittleEndian.AppendUint32(b, kind)
	if kind&0x20000000 != 0 {
		b = binary.LittleEndian.AppendUint32(b, 3857)
	}
	return b
}

func appendXY(b []byte, p point) []byte {
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(p.x))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(p.y))
}

func appendPoint(b []byte, p point) []byte {
	return appendXY(appendEWKBHead(b, ewkbPoint), p)
}

func appendLine(b []byte, line []point) []byte {
	b = appendEWKBHead(b, ewkbLine)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(line)))
	for _, p := range line {
		b = appendXY(b, p)
	}
	return b
}

// appendPolygons writes one polygon, or several as a MultiPolygon.
func appendPolygons(b []byte, polygons []polygon) []byte {
	if len(polygons) == 1 {
		return appendRings(appendEWKBHead(b, ewkbPolygon), polygons[0])
	}
	b = appendEWKBHead(b, ewkbMultiPolygon)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(polygons)))
	for _, p := range polygons {
		b = appendRings(appendEWKBHead(b, 3), p)
	}
	return b
}

func appendRings(b []byte, rings polygon) []byte {
	b = binary.LittleEndian.AppendUint32(b, uint32(len(rings)))
	for _, r := range rings {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(r)+1))
		for _, p := range r {
			b = appendXY(b, p)
		}
		b = appendXY(b, r[0])
	}
	return b
}
