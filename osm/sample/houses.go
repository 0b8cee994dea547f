package sample

import (
	"cmp"
	"math"
	"slices"
)

// A house is a building before it becomes a way.
type house struct {
	ring   line
	centre pt
	block  *block
	kind   string // OpenStreetMap's building value
	taken  bool   // a public facility is in it
	street *road  // the named street it gives on, if any
	number int
	way    *way
}

// A lot is a share of a block; street[i] says whether side i lies on one.
type lot struct {
	ring   line
	street []bool
}

// split cuts the lot by the line through c with the normal.
func (l lot) split(c, normal pt) (front, rear lot) {
	for i, p := range l.ring {
		k := (i + 1) % len(l.ring)
		q := l.ring[k]
		dp, dq := p.sub(c).dot(normal), q.sub(c).dot(normal)
		side, other := &front, &rear
		if dp < 0 {
			side, other = &rear, &front
		}
		side.ring, side.street = append(side.ring, p), append(side.street, l.street[i])
		if (dp >= 0) == (dq >= 0) {
			continue
		}
		m := p.lerp(q, dp/(dp-dq))
		side.ring, side.street = append(side.ring, m), append(side.street, false)
		other.ring, other.street = append(other.ring, m), append(other.street, l.street[i])
	}
	return front, rear
}

// lots divides a block until each share is about target square metres.
func lots(s stream, l lot, target float64, depth int, out *[]lot) {
	if math.Abs(area(l.ring)) < target*(.8+s.Float64()*.7) || depth > 9 {
		*out = append(*out, l)
		return
	}
	f, ok := around(l.ring)
	if !ok {
		return
	}
	normal := f.along
	if f.width <= f.height {
		normal = f.along.left()
	}
	c := centroid(l.ring).add(normal.mul((s.Float64() - .5) * .22 * max(f.width, f.height)))
	a, b := l.split(c, normal)
	for _, part := range []lot{a, b} {
		if len(part.ring) > 2 && math.Abs(area(part.ring)) > 18 {
			lots(s, part, target, depth+1, out)
		}
	}
}

// A builder puts houses on the blocks.
type builder struct {
	r         *region
	houses    []*house
	pools     []line
	obstacles *segments // streams and tracks
}

// build fills the block with houses: rows along the streets in the old centre,
// villas in gardens outside.
func (b *builder) build(s stream, k *block) {
	ring := simplifyRing(k.ring, 1.2)
	if len(ring) < 3 {
		return
	}
	density, core := k.town.density.at(k.centre), k.town.coreness(k.centre)
	if b.r.toSea(k.centre) < 14 || density < .13 {
		return
	}
	whole := lot{ring: ring, street: make([]bool, len(ring))}
	for i := range whole.street {
		whole.street[i] = true
	}
	villas := density < .46 && core < .2
	target := 240.0
	switch {
	case core > .35:
		target = 105
	case villas:
		target = 620
	}
	var shares []lot
	lots(s, whole, target, 0, &shares)
	for _, l := range shares {
		c := centroid(l.ring)
		if b.r.toSea(c) < 12 || b.obstacles.within(c, 16) {
			continue
		}
		if villas {
			b.villa(s, k, l)
		} else {
			b.row(s, k, l, core > .35)
		}
	}
}

func (b *builder) villa(s stream, k *block, l lot) {
	onStreet := slices.Contains(l.street, true)
	if (!onStreet && s.chance(.35)) || s.chance(.12) {
		return
	}
	f, ok := around(l.ring)
	if !ok {
		return
	}
	w, h := min(s.between(8, 15), f.width*.5), min(s.between(8, 13), f.height*.5)
	if w < 5 || h < 5 {
		return
	}
	c := centroid(l.ring)
	u, v := f.along, f.along.left()
	c = c.add(u.mul(s.between(-.1, .1) * f.width)).add(v.mul(s.between(-.1, .1) * f.height))
	ring := rect(c, u, w, h)
	if s.chance(.38) {
		a, q := s.between(.35, .6)*w, s.between(.35, .55)*h
		at := func(x, y float64) pt { return c.add(u.mul(x)).add(v.mul(y)) }
		ring = line{at(-w/2, -h/2), at(w/2, -h/2), at(w/2, h/2-q), at(a-w/2, h/2-q), at(a-w/2, h/2), at(-w/2, h/2)}
	}
	if slices.ContainsFunc(ring, func(p pt) bool { return !inside(p, l.ring) }) {
		return
	}
	b.houses = append(b.houses, &house{ring: ring, centre: centroid(ring), block: k, kind: "house"})
	if s.chance(.3) {
		pool := rect(c.add(u.mul(w*.2)).add(v.mul(h/2+7)), u, 7.5, 3.8)
		if !slices.ContainsFunc(pool, func(p pt) bool { return !inside(p, l.ring) }) {
			b.pools = append(b.pools, pool)
		}
	}
}

func (b *builder) row(s stream, k *block, l lot, core bool) {
	onStreet := slices.Contains(l.street, true)
	back, gap := .9, .06
	if core {
		back, gap = .72, .02
	}
	if (!onStreet && s.chance(back)) || s.chance(gap) {
		return
	}
	front := 6.2
	if core {
		front = 3.1
	} else if s.chance(.4) {
		front = 9.2
	}
	depths := make([]float64, len(l.ring))
	for i, st := range l.street {
		switch {
		case st:
			depths[i] = front
		case !core && s.chance(.45):
			depths[i] = s.between(1, 3)
		}
	}
	ring := inset(l.ring, depths)
	var clean line
	for i, p := range ring {
		if dist(p, ring[(i+1)%len(ring)]) > 1 {
			clean = append(clean, p)
		}
	}
	if !fits(clean, l.ring, 22) || !simple(clean) {
		return
	}
	kind := "house"
	switch a := math.Abs(area(clean)); {
	case core && a > 150:
		kind = "apartments"
	case a > 420:
		kind = "apartments"
	}
	b.houses = append(b.houses, &house{ring: clean, centre: centroid(clean), block: k, kind: kind})
}

// compound puts the three wings of a school, or one hall, on the block.
func (b *builder) compound(k *block, hall bool) []*house {
	ring := simplifyRing(k.ring, 1.8)
	if len(ring) < 3 {
		return nil
	}
	depths := make([]float64, len(ring))
	for i := range depths {
		depths[i] = min(14, math.Sqrt(k.area)/6)
	}
	in := inset(ring, depths)
	if !fits(in, ring, 100) {
		in = ring
	}
	f, ok := around(in)
	if !ok {
		return nil
	}
	c, u, v := centroid(in), f.along, f.along.left()
	w, h := f.width*.36, f.height*.34
	at := func(x, y, ww, hh float64) line { return rect(c.add(u.mul(x)).add(v.mul(y)), u, 2*ww, 2*hh) }
	wings := []line{at(0, -h*.8, w, h*.22), at(-w*.85, h*.1, w*.15, h*.7), at(w*.5, h*.5, w*.3, h*.25)}
	kind := "school"
	if hall {
		wings, kind = []line{at(0, 0, w, h*.8)}, "retail"
	}
	var out []*house
	for _, g := range wings {
		if slices.ContainsFunc(g, func(p pt) bool { return !inside(p, ring) }) {
			continue
		}
		out = append(out, &house{ring: g, centre: centroid(g), block: k, kind: kind, taken: true})
	}
	b.houses = append(b.houses, out...)
	return out
}

// within reports whether a line is nearer than d metres.
func (s *segments) within(p pt, d float64) bool {
	found := false
	s.visit(pt{p.X - d, p.Y - d}, pt{p.X + d, p.Y + d}, func(c [2]int32) {
		for _, g := range s.cells[c] {
			l := s.lines[g.line]
			found = found || toSegment(p, l[g.end-1], l[g.end]) < d
		}
	})
	return found
}

// number gives each house the nearest named street and, along it, odd numbers
// on the left and even ones on the right.
func number(houses []*house, streets []*road) {
	lines := make([]line, len(streets))
	for i, st := range streets {
		lines[i] = st.line
	}
	index := newSegments(lines, 50)
	type door struct {
		h     *house
		along float64
		left  bool
	}
	doors := make([][]door, len(streets))
	for _, h := range houses {
		best, which := 45.0, -1
		e := pt{45, 45}
		index.visit(h.centre.sub(e), h.centre.add(e), func(c [2]int32) {
			for _, g := range index.cells[c] {
				l := lines[g.line]
				if d := toSegment(h.centre, l[g.end-1], l[g.end]); d < best {
					best, which = d, int(g.line)
				}
			}
		})
		if which < 0 {
			continue
		}
		_, at, along := lines[which].nearestOn(h.centre)
		_, dir := lines[which].at(along)
		left := pt{math.Cos(dir), math.Sin(dir)}.cross(h.centre.sub(at)) > 0
		doors[which] = append(doors[which], door{h, along, left})
	}
	for i, list := range doors {
		slices.SortStableFunc(list, func(a, b door) int { return cmp.Compare(a.along, b.along) })
		odd, even := 1, 2
		for _, d := range list {
			d.h.street = streets[i]
			if d.left {
				d.h.number = odd
				odd += 2
			} else {
				d.h.number = even
				even += 2
			}
		}
	}
}
