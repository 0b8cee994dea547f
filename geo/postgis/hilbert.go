package postgis

import (
	"encoding/binary"
	"math"

	"calanque/geo"
)

// hilbert gives the position of a point of the box along a Hilbert curve of
// order 16: near positions are near in the plane. Points outside are put on
// the border.
func hilbert(box geo.Box, x, y float64) uint32 {
	ix, iy := cell(x, box.MinX, box.MaxX), cell(y, box.MinY, box.MaxY)
	var d uint32
	for s := uint32(1) << 15; s > 0; s >>= 1 {
		var rx, ry uint32
		if ix&s != 0 {
			rx = 1
		}
		if iy&s != 0 {
			ry = 1
		}
		d += s * s * ((3 * rx) ^ ry)
		if ry == 0 {
			if rx == 1 {
				ix, iy = 65535-ix, 65535-iy
			}
			ix, iy = iy, ix
		}
	}
	return d
}

func cell(v, lo, hi float64) uint32 {
	if !(hi > lo) {
		return 0
	}
	f := (v - lo) / (hi - lo) * 65535
	return uint32(math.Min(math.Max(f, 0), 65535))
}

// Centre gives the middle of the bounding box of an EWKB geometry, in its own
// coordinates, and whether it has any. Damaged bytes give none.
func Centre(ewkb []byte) (x, y float64, ok bool) {
	b, ok := Bounds(ewkb)
	if !ok || b.Empty() {
		return 0, 0, false
	}
	return (b.MinX + b.MaxX) / 2, (b.MinY + b.MaxY) / 2, true
}

// Bounds gives the bounding box of an EWKB geometry, in its own coordinates;
// empty for an empty geometry. ok is false when the bytes are no geometry.
// Coordinates that are not finite are left out.
func Bounds(ewkb []byte) (geo.Box, bool) {
	box := geo.EmptyBox()
	rest, ok := bounds(ewkb, &box, 0)
	return box, ok && len(rest) == 0
}

// The geometry types of WKB, and the flags of EWKB.
const (
	wkbPoint, wkbLine, wkbPolygon = 1, 2, 3
	wkbTriangle                   = 17
	wkbMaxDepth                   = 32
	ewkbZ, ewkbM, ewkbSRID        = 0x80000000, 0x40000000, 0x20000000
)

func bounds(b []byte, box *geo.Box, depth int) (rest []byte, ok bool) {
	if len(b) < 5 || b[0] != 1 || depth > wkbMaxDepth {
		return nil, false
	}
	kind := binary.LittleEndian.Uint32(b[1:])
	b = b[5:]
	if kind&ewkbSRID != 0 {
		if len(b) < 4 {
			return nil, false
		}
		b = b[4:]
	}
	size := 16
	if kind&ewkbZ != 0 {
		size += 8
	}
	if kind&ewkbM != 0 {
		size += 8
	}
	switch kind & 0xff {
	case wkbPoint:
		return extend(b, 1, size, box)
	case wkbLine, 8: // 8: circular string
		return sequence(b, size, box)
	case wkbPolygon, wkbTriangle:
		n, b, ok := count(b, 4)
		for ; ok && n > 0; n-- {
			b, ok = sequence(b, size, box)
		}
		return b, ok
	default:
		n, b, ok := count(b, 9)
		for ; ok && n > 0; n-- {
			b, ok = bounds(b, box, depth+1)
		}
		return b, ok
	}
}

// count reads the number of parts that follow, each at least size bytes.
func count(b []byte, size int) (int, []byte, bool) {
	if len(b) < 4 {
		return 0, nil, false
	}
	n := int(binary.LittleEndian.Uint32(b))
	b = b[4:]
	return n, b, n <= len(b)/size
}

func sequence(b []byte, size int, box *geo.Box) ([]byte, bool) {
	n, b, ok := count(b, size)
	if !ok {
		return nil, false
	}
	return extend(b, n, size, box)
}

func extend(b []byte, n, size int, box *geo.Box) ([]byte, bool) {
	if len(b) < n*size {
		return nil, false
	}
	for i := 0; i < n; i++ {
		x := math.Float64frombits(binary.LittleEndian.Uint64(b[i*size:]))
		y := math.Float64frombits(binary.LittleEndian.Uint64(b[i*size+8:]))
		if x-x == 0 && y-y == 0 { // finite
			*box = box.Extend(x, y)
		}
	}
	return b[n*size:], true
}
