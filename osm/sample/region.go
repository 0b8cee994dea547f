package sample

import (
	"cmp"
	"fmt"
	"slices"
)

// A commune is one cell of the region.
type commune struct {
	index      int
	name       string
	insee      string // five characters; "04…" keeps its zero
	department string
	epci       string
	population int
	seat       pt   // where the cell grew from
	centre     pt   // the place in front of the town hall
	real       bool // false for the cells beyond the region
	ring       line // the largest part on the mainland, counterclockwise
	coastal    bool
	parts      []line // other parts that the sea cuts off from it
	limits     []piece
	islands    []int // indexes into region.islands
	town       *town
}

// A piece is part of a commune's limit, its land on the left when drawn
// forward: a land limit shared by two, or a stretch of coast.
type piece struct {
	limit *limit
	back  bool
}

func (p piece) line() line {
	if p.back {
		return p.limit.line.reversed()
	}
	return p.limit.line
}

// A limit is drawn once and shared.
type limit struct {
	line  line
	coast bool
	left  int // commune on the left
	right int // commune on the right; -1 for the sea
	way   *way
}

// A region is the land the sample is set in.
type region struct {
	seed     int64
	coast    line
	islands  []line
	shore    *grid // metres to the sea every 100 m, at most 3 km
	shoreNow *grid // the same every 10 m around Roquebelle, at most 400 m
	communes []*commune
	limits   []*limit
	hills    noise
}

var detail = box{-400, -700, 5400, 3400} // Roquebelle and its surroundings

func newRegion(seed int64) (*region, error) {
	r := &region{seed: seed, hills: newNoise(seed, "hills")}
	r.coast, r.islands = drawCoast(seed)
	land := append([]line{mainland(r.coast)}, r.islands...)
	shores := []line{r.coast}
	for _, i := range r.islands {
		shores = append(shores, append(slices.Clone(i), i[0]))
	}
	r.shore = newGrid(extent.grow(2000), 100).shoreDistance(shores, land, 3000)
	r.shoreNow = newGrid(detail, 10).shoreDistance(shores, land, 400)
	for attempt := range 60 {
		if r.divide(newStream(seed, fmt.Sprint("communes ", attempt))) {
			r.describe()
			return r, nil
		}
	}
	return nil, fmt.Errorf("seed %d: no sound division into communes found", seed)
}

// toSea gives metres to the sea: negative at sea, capped far inland.
func (r *region) toSea(p pt) float64 {
	if detail.grow(-20).has(p) {
		if d := r.shoreNow.at(p); d < 390 {
			return d
		}
	}
	return r.shore.at(p)
}

// inland points away from the sea.
func (r *region) inland(p pt) pt {
	const h = 60
	return pt{
		r.toSea(pt{p.X + h, p.Y}) - r.toSea(pt{p.X - h, p.Y}),
		r.toSea(pt{p.X, p.Y + h}) - r.toSea(pt{p.X, p.Y - h}),
	}.unit()
}

// height is a plausible altitude in metres; 0 at sea.
func (r *region) height(p pt) float64 {
	d := r.toSea(p)
	if d <= 0 {
		return 0
	}
	h := 8 + 30*step(0, 3000, d)*(p.Y/12000+.6)
	massif := max(0, r.hills.at(p.X/6500, p.Y/6500, 3)-.44)
	h += massif * 1500 * step(-1000, 20000, p.Y+6000)
	if detail.grow(2500).has(p) {
		h *= 1 - .8*step(5200, 3600, dist(p, pt{2500, 1000}))
		for _, k := range [...][5]float64{
			{800, 700, 520, 480, 260},
			{300, 1800, 700, 450, 330},
			{4100, 2100, 700, 420, 340},
			{3000, 2500, 900, 260, 200},
			{1500, 2350, 500, 300, 180},
			{3640, 40, 170, 170, 60},
		} {
			h += k[4] * gauss2(p, pt{k[0], k[1]}, k[2], k[3])
		}
	}
	h += (r.hills.at(p.X/260, p.Y/260, 4) - .45) * (50 + h*.5)
	return max(1, h*step(0, 170, d)+2)
}

// divide lays the seats and cuts the land into communes. It reports whether
// the coast is cut in the order of the cells, which a re-draw mends.
func (r *region) divide(s stream) bool {
	r.communes, r.limits = nil, nil
	for _, p := range []pt{{2550, 1150}, {-2650, 1500}, {8000, 1500}, {2400, 5400}, {-2500, 5600}, {7400, 5900}} {
		r.communes = append(r.communes, &commune{index: len(r.communes), seat: p, real: true})
	}
	spread := newNoise(r.seed, "spread")
	outer := extent.grow(9000)
	for range 60000 {
		p := pt{s.between(outer.X0, outer.X1), s.between(-6000, outer.Y1)}
		if r.shore.at(p) < 650 || slices.ContainsFunc(r.islands, func(i line) bool { return inside(p, i) }) {
			continue
		}
		least := 2500 + 2600*max(0, spread.at(p.X/7000, p.Y/7000, 3)-.25) + p.Y/70
		crowded := func(c *commune) bool {
			return dist(c.seat, p) < least || (c.index == 0 && dist(c.seat, p) < 5200) // room for Roquebelle
		}
		if slices.ContainsFunc(r.communes, crowded) {
			continue
		}
		wiggle := (spread.at(p.X/4000+70, p.Y/4000, 2) - .5) * 9000
		kept := box{-29000, -9000, 35000, 30500}.grow(wiggle).has(p)
		r.communes = append(r.communes, &commune{index: len(r.communes), seat: p, real: kept})
	}
	for x := extent.X0 - 24000; x < extent.X1+24000; x += 9000 { // closes the cells at sea
		r.communes = append(r.communes, &commune{index: len(r.communes), seat: pt{x, -26000}})
	}
	edges := r.voronoi()
	return r.cutAtCoast(edges, s) && r.chainRings()
}

// A border is the straight edge between two cells.
type border struct {
	i, j       int // i < j
	from, to   pt  // cell i is on the left
	fromN, toN [3]int
}

// voronoi gives every edge once, in a fixed order. A vertex is computed from
// its three seats in the order of their indexes, so all edges agree on it.
func (r *region) voronoi() []border {
	type corner struct {
		p pt
		n int // neighbour beyond the side that starts here
	}
	var out []border
	frame := extent.grow(40000).ring()
	for i, c := range r.communes {
		cell := make([]corner, 4)
		for k, p := range frame {
			cell[k] = corner{p, -1 - k}
		}
		for j, o := range r.communes {
			if i == j || dist(c.seat, o.seat) > 45000 {
				continue
			}
			mid, normal := c.seat.lerp(o.seat, .5), o.seat.sub(c.seat)
			var cut []corner
			for k, a := range cell {
				b := cell[(k+1)%len(cell)]
				u, v := a.p.sub(mid).dot(normal), b.p.sub(mid).dot(normal)
				if u <= 0 {
					cut = append(cut, a)
				}
				if (u <= 0) != (v <= 0) {
					q := corner{a.p.lerp(b.p, u/(u-v)), a.n}
					if u <= 0 {
						q.n = j // leaving: the new side follows the cut
					}
					cut = append(cut, q)
				}
			}
			cell = cut
		}
		for k, a := range cell {
			before, after := cell[(k-1+len(cell))%len(cell)], cell[(k+1)%len(cell)]
			if a.n <= i || before.n < 0 || after.n < 0 {
				continue
			}
			f, t := triple(i, before.n, a.n), triple(i, a.n, after.n)
			out = append(out, border{i, a.n, r.vertex(f), r.vertex(t), f, t})
		}
	}
	return out
}

func triple(a, b, c int) [3]int {
	t := [3]int{a, b, c}
	slices.Sort(t[:])
	return t
}

// vertex is the centre of the circle through three seats.
func (r *region) vertex(t [3]int) pt {
	a := r.communes[t[0]].seat
	b, c := r.communes[t[1]].seat.sub(a), r.communes[t[2]].seat.sub(a)
	d := 2 * b.cross(c)
	bb, cc := b.dot(b), c.dot(c)
	return a.add(pt{(c.Y*bb - b.Y*cc) / d, (b.X*cc - c.X*bb) / d})
}

// An ending is where a land limit meets the coast.
type ending struct {
	segment    int // of the coast: the side that ends at this point
	along      float64
	at         pt
	west, east int // communes on either side
}

// cutAtCoast crumples the borders and keeps their parts on land, then divides
// the coast where they end.
func (r *region) cutAtCoast(borders []border, s stream) bool {
	var endings []ending
	land := mainland(r.coast)
	for _, b := range borders {
		l := crumple(s, line{b.from, b.to}, .2, 140)
		for _, run := range r.runs(l, land) {
			r.limits = append(r.limits, &limit{line: run.line, left: b.i, right: b.j})
			if k := run.from; k > 0 { // comes out of the sea: i, on its left, is west
				endings = append(endings, ending{k, dist(r.coast[k-1], run.line[0]), run.line[0], b.i, b.j})
			}
			if k := run.to; k > 0 {
				at := run.line[len(run.line)-1]
				endings = append(endings, ending{k, dist(r.coast[k-1], at), at, b.j, b.i})
			}
		}
	}
	slices.SortFunc(endings, func(a, b ending) int {
		return cmp.Or(cmp.Compare(a.segment, b.segment), cmp.Compare(a.along, b.along))
	})
	if len(endings) < 2 || !r.divideCoast(endings) {
		return false
	}
	for _, l := range r.limits {
		l.line = simplify(l.line, .8)
	}
	return true
}

func (r *region) divideCoast(endings []ending) bool {
	for k := 1; k < len(endings); k++ {
		a, b := endings[k-1], endings[k]
		if a.east != b.west {
			return false
		}
		l := line{a.at}
		l = append(l, r.coast[a.segment:b.segment]...)
		l = append(l, b.at)
		r.limits = append(r.limits, &limit{line: l, coast: true, left: a.east, right: -1})
	}
	first, last := endings[0], endings[len(endings)-1]
	head := append(slices.Clone(r.coast[:first.segment]), first.at)
	tail := append(line{last.at}, r.coast[last.segment:]...)
	r.limits = append(r.limits,
		&limit{line: head, coast: true, left: first.west, right: -1},
		&limit{line: tail, coast: true, left: last.east, right: -1})
	return true
}

// A run is a part of a line on land; from and to are the sides of the coast
// where it begins and ends, 0 where that is the line's own end.
type run struct {
	line     line
	from, to int
}

// runs gives the parts of the line on land, but for short ones between two
// crossings: they would cut a headland into slivers.
func (r *region) runs(l line, land line) []run {
	var out []run
	current := run{line: line{l[0]}}
	dry := inside(l[0], land)
	for i := 1; i < len(l); i++ {
		for _, c := range r.crossings(l[i-1], l[i]) {
			if dry {
				current.line, current.to = append(current.line, c.at), c.side
				out = append(out, current)
			}
			current, dry = run{line: line{c.at}, from: c.side}, !dry
		}
		current.line = append(current.line, l[i])
	}
	if dry {
		out = append(out, current)
	}
	return slices.DeleteFunc(out, func(u run) bool { return u.from > 0 && u.to > 0 && u.line.length() < 700 })
}

type crossing struct {
	t    float64
	at   pt
	side int
}

// crossings of a–b with the mainland's coast, in order.
func (r *region) crossings(a, b pt) []crossing {
	if min(r.shore.at(a), r.shore.at(b)) > 2*dist(a, b)+300 || max(r.shore.at(a), r.shore.at(b)) < -2*dist(a, b)-300 {
		return nil
	}
	var out []crossing
	for k := 1; k < len(r.coast); k++ {
		if t, _, ok := meet(a, b, r.coast[k-1], r.coast[k]); ok {
			out = append(out, crossing{t, a.lerp(b, t), k})
		}
	}
	slices.SortFunc(out, func(a, b crossing) int { return cmp.Compare(a.t, b.t) })
	return out
}

// untilSea cuts a line that starts on land where it first meets the coast.
func (r *region) untilSea(l line) line {
	for i := 1; i < len(l); i++ {
		if c := r.crossings(l[i-1], l[i]); len(c) > 0 {
			return append(slices.Clone(l[:i]), c[0].at)
		}
	}
	return l
}

// chainRings joins every real commune's pieces into one ring, and reports
// whether each made exactly one, large enough.
func (r *region) chainRings() bool {
	byCommune := make([][]piece, len(r.communes))
	for _, l := range r.limits {
		byCommune[l.left] = append(byCommune[l.left], piece{l, false})
		if l.right >= 0 {
			byCommune[l.right] = append(byCommune[l.right], piece{l, true})
		}
	}
	for _, c := range r.communes {
		if !c.real {
			continue
		}
		if !c.chain(byCommune[c.index]) {
			return false
		}
	}
	return true
}

// chain joins pieces into rings; the largest is the commune's main one.
func (c *commune) chain(pieces []piece) bool {
	c.limits, c.ring, c.parts, c.coastal = nil, nil, nil, false
	for len(pieces) > 0 {
		var ring line
		for next := 0; next >= 0; {
			p := pieces[next]
			pieces = slices.Delete(pieces, next, next+1)
			l := p.line()
			c.limits = append(c.limits, p)
			c.coastal = c.coastal || p.limit.coast
			ring = append(ring, l[:len(l)-1]...)
			end := l[len(l)-1]
			if end == ring[0] {
				break
			}
			if next = slices.IndexFunc(pieces, func(q piece) bool { return q.line()[0] == end }); next < 0 {
				return false
			}
		}
		if len(ring) < 4 || !simple(ring) {
			return false
		}
		if c.ring == nil || area(ring) > area(c.ring) {
			c.ring, ring = ring, c.ring
		}
		if ring != nil {
			c.parts = append(c.parts, ring)
		}
	}
	return c.ring != nil && area(c.ring) > 3.5e6 && inside(c.seat, c.ring)
}
