package ingest

import (
	"encoding/binary"
	"fmt"
	"math"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A shaper makes the geometry of a layer uniform: x before y, no M, one
// Multi type for lines and areas (and for points when some are many), nothing
// that is no number or lies outside the world.
type shaper struct {
	swap       bool
	multi      bool // promote points too
	geographic bool
	buf        []byte
}

const (
	flagZ = 0x80000000
	flagM = 0x40000000
)

// shape gives the uniform geometry: nil when there is nothing to keep, with
// the issue that says why. The result is valid until the next call.
func (s *shaper) shape(g []byte) ([]byte, *geo.Message) {
	if g == nil {
		return nil, nil
	}
	b, ok := postgis.Bounds(g)
	if !ok {
		return nil, ptr(geo.Say("geometry.damaged"))
	}
	if b.Empty() {
		if isEmpty(g) {
			return nil, nil
		}
		return nil, ptr(geo.Say("geometry.not-a-number"))
	}
	if s.swap {
		b = geo.Box{MinX: b.MinY, MinY: b.MinX, MaxX: b.MaxY, MaxY: b.MaxX}
	}
	if b == (geo.Box{}) {
		return nil, ptr(geo.Say("geometry.zero"))
	}
	if s.beyond(b) {
		return nil, ptr(geo.Say("geometry.outside-world", "where", fmt.Sprintf("%.10g %.10g", b.MinX, b.MinY)))
	}
	kind := binary.LittleEndian.Uint32(g[1:])
	if !s.swap && kind&flagM == 0 && !s.promotes(kind&0xff) {
		return g, nil
	}
	return s.rewrite(g, kind), nil
}

// beyond tells whether a box leaves what the plane of the tiles can show.
func (s *shaper) beyond(b geo.Box) bool {
	if s.geographic {
		return b.MinX < -180.0001 || b.MaxX > 180.0001 || b.MinY < -85.06 || b.MaxY > 85.06
	}
	const metres = 2.1e7 // half the equator and a little
	return b.MinX < -metres || b.MaxX > metres || b.MinY < -metres || b.MaxY > metres
}

func (s *shaper) promotes(kind uint32) bool {
	return kind == 2 || kind == 3 || kind == 1 && s.multi
}

func (s *shaper) rewrite(g []byte, kind uint32) []byte {
	out := s.buf[:0]
	if s.promotes(kind & 0xff) {
		out = append(out, 1)
		out = binary.LittleEndian.AppendUint32(out, (kind&0xff+3)|kind&flagZ)
		out = binary.LittleEndian.AppendUint32(out, 1)
	}
	out, _ = s.copy(out, g)
	s.buf = out
	return out
}

// copy writes one geometry without M, axes in order; g has been walked by
// Bounds, so its lengths are right.
func (s *shaper) copy(out, g []byte) (to, rest []byte) {
	kind := binary.LittleEndian.Uint32(g[1:])
	out = append(out, 1)
	out = binary.LittleEndian.AppendUint32(out, kind&^uint32(flagM))
	g = g[5:]
	n := 1
	base := kind & 0xff
	if base != 1 {
		n = int(binary.LittleEndian.Uint32(g))
		out = append(out, g[:4]...)
		g = g[4:]
	}
	switch base {
	case 1, 2, 8:
		return s.coordinates(out, g, n, kind)
	case 3, 17:
		for ; n > 0; n-- {
			m := int(binary.LittleEndian.Uint32(g))
			out = append(out, g[:4]...)
			out, g = s.coordinates(out, g[4:], m, kind)
		}
		return out, g
	}
	for ; n > 0; n-- {
		out, g = s.copy(out, g)
	}
	return out, g
}

func (s *shaper) coordinates(out, g []byte, n int, kind uint32) (to, rest []byte) {
	size := 16
	if kind&flagZ != 0 {
		size += 8
	}
	keep := size
	if kind&flagM != 0 {
		size += 8
	}
	for ; n > 0; n-- {
		if s.swap {
			out = append(out, g[8:16]...)
			out = append(out, g[:8]...)
			out = append(out, g[16:keep]...)
		} else {
			out = append(out, g[:keep]...)
		}
		g = g[size:]
	}
	return out, g
}

// isEmpty tells an empty geometry from one whose coordinates are no numbers.
func isEmpty(g []byte) bool {
	kind := binary.LittleEndian.Uint32(g[1:]) & 0xff
	if kind == 1 {
		for i := 5; i+16 <= len(g); i += 16 {
			x := math.Float64frombits(binary.LittleEndian.Uint64(g[i:]))
			y := math.Float64frombits(binary.LittleEndian.Uint64(g[i+8:]))
			return math.IsNaN(x) && math.IsNaN(y)
		}
		return true
	}
	return len(g) >= 9 && binary.LittleEndian.Uint32(g[5:]) == 0
}

func ptr[T any](v T) *T { return &v }
