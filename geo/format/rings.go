package format

import (
	"bytes"
	"slices"

	"calanque/geo"
)

// A ring is one part of a polygon record.
type ring struct {
	xy, zs                 []byte // coordinates, closed
	area                   float64
	minX, minY, maxX, maxY float64
	depth                  int // number of rings around it
	parent                 int // the smallest ring around it, -1 for none
	hole, next             int // its first hole, and the next hole of its parent; -1 for none
	drop                   bool
}

// maxRingWork bounds the comparisons (of boxes, and of vertices) that nesting
// the rings of one record may take, a second or two.
const maxRingWork = 1 << 28

// polygons gives a Polygon or MultiPolygon. Which ring is a hole of which is
// decided by containment: neither the order of the parts nor their direction
// is trusted. Rings of fewer than three different points are left out.
func (s *shaper) polygons(sh shape) ([]byte, *geo.InputError) {
	s.rings = s.rings[:0]
	short, open := 0, 0
	for p := range len(sh.parts) / 4 {
		from, to, ok := sh.part(p)
		if !ok {
			short++
			continue
		}
		xy, zs := s.clean(sh, from, to)
		if len(xy) > 0 && len(s.xy) > 0 && &xy[0] == &s.xy[0] { // the scratch is used again by the next part
			xy, zs = slices.Clone(xy), slices.Clone(zs)
		}
		closed := false
		if len(xy) >= 16 && string(xy[:16]) != string(xy[len(xy)-16:]) {
			xy = append(slices.Clone(xy), xy[:16]...)
			if sh.z {
				zs = append(slices.Clone(zs), zs[:8]...)
			}
			closed = true
		}
		if len(xy) < 64 {
			short++
			continue
		}
		if closed {
			open++
		}
		s.rings = append(s.rings, newRing(xy, zs))
	}
	if short > 0 {
		s.say("geometry.short-ring", short)
	}
	if open > 0 {
		s.say("geometry.open-ring", open)
	}
	return s.assemble(sh.z)
}

func newRing(xy, zs []byte) ring {
	x0, y0 := float(xy), float(xy[8:])
	r := ring{xy: xy, zs: zs, minX: x0, maxX: x0, minY: y0, maxY: y0, parent: -1, hole: -1, next: -1}
	px, py := 0.0, 0.0
	for i := 16; i < len(xy); i += 16 {
		x, y := float(xy[i:]), float(xy[i+8:])
		r.minX, r.maxX = min(r.minX, x), max(r.maxX, x)
		r.minY, r.maxY = min(r.minY, y), max(r.maxY, y)
		x, y = x-x0, y-y0 // near the origin: far coordinates would eat the digits
		r.area += px*y - x*py
		px, py = x, y
	}
	r.area /= 2
	return r
}

// assemble nests s.rings and writes them.
func (s *shaper) assemble(z bool) ([]byte, *geo.InputError) {
	switch len(s.rings) {
	case 0:
		return nil, nil
	case 1:
		s.out = appendKind(s.out, kindPolygon, z)
		s.out = appendCount(s.out, 1)
		s.appendRing(&s.rings[0], z)
		return s.out, nil
	}
	if !s.nest() {
		return nil, geo.Bad(nil, "geometry.too-complex", "rings", len(s.rings))
	}
	shells := 0
	for i := range s.rings {
		if s.rings[i].shell() {
			shells++
		}
	}
	if shells != 1 {
		s.out = appendKind(s.out, kindMultiPolygon, z)
		s.out = appendCount(s.out, shells)
	}
	for i := range s.rings {
		if s.rings[i].shell() {
			s.appendPolygon(i, z)
		}
	}
	return s.out, nil
}

func (r *ring) shell() bool { return r.depth%2 == 0 && !r.drop }

// appendPolygon writes the shell with that number and its holes.
func (s *shaper) appendPolygon(shell int, z bool) {
	s.out = appendKind(s.out, kindPolygon, z)
	at := len(s.out)
	s.out = appendCount(s.out, 1)
	s.appendRing(&s.rings[shell], z)
	n := 1
	for i := s.rings[shell].hole; i >= 0; i = s.rings[i].next {
		s.appendRing(&s.rings[i], z)
		n++
	}
	putCount(s.out, at, n)
}

func (s *shaper) appendRing(r *ring, z bool) {
	s.out = appendCount(s.out, len(r.xy)/16)
	s.out = appendCoords(s.out, r.xy, r.zs, z)
}

// nest finds the rings around each ring, by a sweep from left to right over
// their boxes, in slabs from bottom to top. A ring repeated is kept once. It
// gives up, with false, when that takes too much work.
func (s *shaper) nest() bool {
	s.sortRings()
	slabs := newSlabs(s.rings)
	work, repeated := 0, 0
	for _, i := range s.order {
		r := &s.rings[i]
		near, tall := slabs.around(r, s.rings)
		for k := range len(near) + len(tall) {
			j := 0
			if k < len(near) {
				j = near[k]
			} else {
				j = tall[k-len(near)]
			}
			o := &s.rings[j]
			if !o.mayContain(r) || (r.parent >= 0 && s.rings[r.parent].size() <= o.size()) {
				continue
			}
			at := o.side(r, &work)
			if at == same {
				r.drop = true
				repeated++
				break
			}
			if at == inside {
				r.parent = j
			}
		}
		if work += len(near) + len(tall); work > maxRingWork {
			return false
		}
		if r.drop {
			continue
		}
		if r.parent >= 0 { // containers come first in the order: their depth is known
			r.depth = s.rings[r.parent].depth + 1
		}
		slabs.add(i, r)
	}
	if repeated > 0 {
		s.say("geometry.repeated-ring", repeated)
	}
	s.linkHoles()
	return true
}

// sortRings orders the rings so that what contains comes before what is contained.
func (s *shaper) sortRings() {
	s.order = s.order[:0]
	for i := range s.rings {
		s.order = append(s.order, i)
	}
	slices.SortFunc(s.order, func(a, b int) int {
		ra, rb := &s.rings[a], &s.rings[b]
		switch {
		case ra.minX != rb.minX:
			return cmpFloat(ra.minX, rb.minX)
		case ra.maxX != rb.maxX:
			return cmpFloat(rb.maxX, ra.maxX)
		case ra.size() != rb.size():
			return cmpFloat(rb.size(), ra.size())
		}
		return a - b
	})
}

// slabs hold the rings that the sweep has met, by the heights they cross; those
// that cross many are kept apart.
type slabs struct {
	lists    [][]int
	tall     []int
	bottom   float64
	perMetre float64 // slabs a unit of the file's plane
}

func newSlabs(rings []ring) *slabs {
	n := min(max(len(rings)/32, 1), 2048)
	box := geo.EmptyBox()
	for i := range rings {
		box = box.Extend(rings[i].minX, rings[i].minY).Extend(rings[i].maxX, rings[i].maxY)
	}
	s := &slabs{lists: make([][]int, n), bottom: box.MinY}
	if h := box.MaxY - box.MinY; h > 0 && finite(h) {
		s.perMetre = float64(n) / h
	}
	return s
}

func (s *slabs) of(y float64) int {
	return min(max(int((y-s.bottom)*s.perMetre), 0), len(s.lists)-1)
}

// tallRing is the number of slabs from which on a ring is kept apart.
const tallRing = 64

func (s *slabs) add(i int, r *ring) {
	if s.of(r.maxY)-s.of(r.minY) >= tallRing {
		s.tall = append(s.tall, i)
		return
	}
	for k := s.of(r.minY); k <= s.of(r.maxY); k++ {
		s.lists[k] = append(s.lists[k], i)
	}
}

// around gives the rings met that may contain r, forgetting those that the
// sweep has left behind.
func (s *slabs) around(r *ring, rings []ring) (near, tall []int) {
	behind := func(i int) bool { return rings[i].maxX < r.minX }
	k := s.of(r.minY)
	s.lists[k] = slices.DeleteFunc(s.lists[k], behind)
	s.tall = slices.DeleteFunc(s.tall, behind)
	return s.lists[k], s.tall
}

// linkHoles chains the holes of each shell in file order, and says when
// containment contradicts the directions of the rings.
func (s *shaper) linkHoles() {
	wrong := 0
	for i := len(s.rings) - 1; i >= 0; i-- {
		r := &s.rings[i]
		if r.drop || r.depth%2 == 0 {
			continue
		}
		p := &s.rings[r.parent]
		r.next, p.hole = p.hole, i
		if (p.area < 0) == (r.area < 0) && r.area != 0 {
			wrong++
		}
	}
	if wrong > 0 {
		s.say("geometry.direction", wrong)
	}
}

func cmpFloat(a, b float64) int {
	if a < b {
		return -1
	}
	return 1
}

func (r *ring) size() float64 {
	if r.area < 0 {
		return -r.area
	}
	return r.area
}

func (r *ring) mayContain(o *ring) bool {
	return r.minX <= o.minX && r.maxX >= o.maxX && r.minY <= o.minY && r.maxY >= o.maxY && r.size() >= o.size()
}

const (
	outside = iota
	inside
	same
)

// side tells whether o lies inside r, by the first of its vertices, then of its
// edges' middles, that is not on r's border. Rings that share every point are
// the same. It counts the vertices it looks at, and gives up where they are
// too many.
func (r *ring) side(o *ring, work *int) int {
	if bytes.Equal(r.xy, o.xy) {
		return same
	}
	for i := 0; i+16 < len(o.xy) && *work <= maxRingWork; i += 16 {
		*work += len(r.xy) / 16
		if at := r.locate(float(o.xy[i:]), float(o.xy[i+8:])); at != same {
			return at
		}
	}
	for i := 0; i+31 < len(o.xy) && *work <= maxRingWork; i += 16 {
		*work += len(r.xy) / 16
		x := (float(o.xy[i:]) + float(o.xy[i+16:])) / 2
		y := (float(o.xy[i+8:]) + float(o.xy[i+24:])) / 2
		if at := r.locate(x, y); at != same {
			return at
		}
	}
	return same
}

// locate tells whether the point is inside, outside, or on the border (same).
func (r *ring) locate(x, y float64) int {
	in := false
	ax, ay := float(r.xy), float(r.xy[8:])
	for i := 16; i < len(r.xy); i += 16 {
		bx, by := float(r.xy[i:]), float(r.xy[i+8:])
		if (ay > y) != (by > y) {
			switch c := (bx-ax)*(y-ay) - (x-ax)*(by-ay); {
			case c == 0:
				return same
			case (c > 0) == (by > ay):
				in = !in
			}
		} else if ay == y && by == y && (x >= min(ax, bx) && x <= max(ax, bx)) || (ax == x && ay == y) {
			return same
		}
		ax, ay = bx, by
	}
	if in {
		return inside
	}
	return outside
}
