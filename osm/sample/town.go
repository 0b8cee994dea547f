package sample

import (
	"cmp"
	"math"
	"slices"
)

// A town is the built-up part of a commune: where houses stand how densely,
// and which way streets run there.
type town struct {
	c        *commune
	region   *region
	centre   pt
	scale    float64 // 1 for Roquebelle, less for villages
	area     box     // streets stay within
	arms     []line  // roads that were there before the streets
	barriers []line  // railway and motorway: no street crosses them
	ring     line    // the avenue around the old centre, or nil
	field    noise
	density  *grid
	dirCos   *grid // of twice the street direction
	dirSin   *grid
	streets  []*road
	named    []*road // the streets that have a name
}

// newTown prepares the town around the commune's centre, given the roads, the
// tracks and the streams of the region.
func newTown(r *region, c *commune, roads []*road, barriers []line) *town {
	t := &town{c: c, region: r, centre: c.centre, field: newNoise(r.seed, "town "+c.insee)}
	t.scale = []float64{.36, .48, .64, .82}[c.size()]
	half := 330 + 560*t.scale
	t.area = box{c.centre.X - half, c.centre.Y - half, c.centre.X + half, c.centre.Y + half}
	if c.index == 0 {
		t.scale, t.area = 1, box{1050, -200, 4300, 1750}
		t.ring = spline(roquebelleRing, 10, true)
	} else if t.scale > .6 {
		s := newStream(r.seed, "ring "+c.insee)
		var l line
		for k := range 8 {
			l = append(l, c.centre.polar(float64(k)*math.Pi/4+s.between(-.1, .1), 165*t.scale*s.between(.85, 1.12)))
		}
		if !slices.ContainsFunc(l, func(p pt) bool { return r.toSea(p) < 30 }) {
			t.ring = spline(l, 10, true)
		}
	}
	near := t.area.grow(500)
	for _, rd := range roads {
		if !boxOf(rd.line).meets(near) {
			continue
		}
		if rd.class != "waterway" {
			t.arms = append(t.arms, simplify(rd.line, .5).within(near)...)
		}
	}
	for _, b := range barriers {
		t.barriers = append(t.barriers, b.within(near)...)
	}
	t.density = newGrid(t.area.grow(150), 20).fill(t.settled)
	t.direct()
	return t
}

// settled is the density of building at p: above 0.17 there are streets.
func (t *town) settled(p pt) float64 {
	sea := t.region.toSea(p)
	if sea < 8 {
		return 0
	}
	v := 0.0
	if t.c.index == 0 {
		for _, k := range [...][5]float64{
			{2060, 410, 210, 175, 1.4},
			{2430, 540, 380, 260, .62},
			{2900, 400, 500, 210, .5},
			{2500, 920, 380, 250, .42},
			{1950, 950, 230, 330, .36},
			{3500, 250, 350, 180, .34},
			{3300, 850, 240, 190, .26},
			{1620, 300, 150, 120, .3},
		} {
			v += k[4] * gauss2(p, pt{k[0], k[1]}, k[2], k[3])
		}
		v -= max(0, t.region.height(p)-45) / 110
	} else {
		v = 1.3 * gauss2(p, t.centre, 195*t.scale, 180*t.scale)
		for _, a := range t.arms {
			if d, _, _ := a.nearestOn(p); d < 400 {
				v += .32 * math.Exp(-d*d/(2*8100)) * gauss2(p, t.centre, 430*t.scale, 430*t.scale)
			}
		}
	}
	for _, b := range t.barriers {
		if d, _, _ := b.nearestOn(p); d < 26 {
			return 0
		}
	}
	return v + (t.field.at(p.X/180, p.Y/180, 4)-.5)*.14
}

// coreness is 1 in the old centre and 0 outside.
func (t *town) coreness(p pt) float64 {
	d := p.sub(t.centre)
	return math.Exp(-d.dot(d) / (30000 * t.scale * t.scale))
}

// direct computes the field of street directions: along the roads nearby, in
// rings around the centre, along the shore.
func (t *town) direct() {
	type pull struct {
		at  pt
		ang float64
	}
	var pulls []pull
	for _, l := range slices.Concat(t.arms, t.barriers) {
		pace := simplify(l, .5)
		for i := 1; i < len(pace); i++ {
			n := 1 + int(dist(pace[i-1], pace[i])/45)
			for k := range n {
				q := pace[i-1].lerp(pace[i], (float64(k)+.5)/float64(n))
				if t.area.grow(700).has(q) {
					pulls = append(pulls, pull{q, heading(pace[i-1], pace[i])})
				}
			}
		}
	}
	angle := func(p pt) float64 {
		var a, b float64
		add := func(w, ang float64) { a += w * math.Cos(2*ang); b += w * math.Sin(2*ang) }
		for _, q := range pulls {
			d := p.sub(q.at)
			if e := d.dot(d); e < 640000 {
				add(math.Exp(-e/26000)+.03*math.Exp(-e/220000), q.ang)
			}
		}
		d := p.sub(t.centre)
		add(14*math.Exp(-d.dot(d)/(24000*t.scale*t.scale)), math.Atan2(d.Y, d.X))
		if sea := t.region.toSea(p); sea < 380 {
			in := t.region.inland(p)
			add(2*math.Exp(-(sea/120)*(sea/120)), math.Atan2(in.Y, in.X)+math.Pi/2)
		}
		add(.02, .25)
		return math.Atan2(b, a)/2 + (t.field.at(p.X/400, p.Y/400, 4)-.5)*.25
	}
	around := t.area.grow(100)
	t.dirCos, t.dirSin = newGrid(around, 30), newGrid(around, 30)
	for k := range t.dirCos.v {
		a := angle(t.dirCos.place(k%t.dirCos.nx, k/t.dirCos.nx))
		t.dirSin.v[k], t.dirCos.v[k] = math.Sincos(2 * a)
	}
}

// direction of the streets of a family: 0 along, 1 across.
func (t *town) direction(p pt, family int) float64 {
	return math.Atan2(t.dirSin.at(p), t.dirCos.at(p))/2 + float64(family)*math.Pi/2
}

// spacing between parallel streets of a family at p.
func (t *town) spacing(p pt, family int) float64 {
	c, d := t.coreness(p), t.density.at(p)
	base := 118.0
	switch {
	case d > .55:
		base = 66
	case d > .3:
		base = 88
	}
	v := base*(1-c) + 36*c
	if family == 1 {
		v *= 1.25
	}
	return v
}

func (t *town) buildable(p pt) bool {
	return t.area.has(p) && t.density.at(p) > .17 && t.region.toSea(p) > 16
}

// crowd finds whether a street of another line is near.
type crowd map[[2]int32][]crowdPoint

type crowdPoint struct {
	at   pt
	line int
}

const crowdCell = 30

func crowdKey(p pt) [2]int32 {
	return [2]int32{int32(math.Floor(p.X / crowdCell)), int32(math.Floor(p.Y / crowdCell))}
}

func (c crowd) put(p pt, line int) {
	k := crowdKey(p)
	c[k] = append(c[k], crowdPoint{p, line})
}

func (c crowd) near(p pt, radius float64, line int) bool {
	n := int32(math.Ceil(radius / crowdCell))
	k := crowdKey(p)
	for i := -n; i <= n; i++ {
		for j := -n; j <= n; j++ {
			for _, q := range c[[2]int32{k[0] + i, k[1] + j}] {
				if q.line != line && dist(q.at, p) < radius {
					return true
				}
			}
		}
	}
	return false
}

// layStreets grows streets along the directions, densest places first, and
// joins their loose ends to what they run into.
func (t *town) layStreets() {
	s := newStream(t.region.seed, "streets "+t.c.insee)
	crowds := [2]crowd{{}, {}}
	fixed := slices.Clone(t.arms)
	if t.ring != nil {
		fixed = append(fixed, t.ring)
	}
	for k, l := range fixed {
		dense := spline(l, 12, false)
		for i := 1; i < len(dense); i++ {
			for f := range crowds {
				if t.area.grow(200).has(dense[i]) && math.Abs(math.Cos(heading(dense[i-1], dense[i])-t.direction(dense[i], f))) > .7 {
					crowds[f].put(dense[i], -1-k)
				}
			}
		}
	}
	id := 1
	for _, seed := range t.seeds(s) {
		for family := range 2 {
			if crowds[family].near(seed, t.spacing(seed, family), 0) {
				continue
			}
			limit := s.between(140, 520)
			if t.coreness(seed) > .3 {
				limit = 190
			}
			l := t.grow(crowds[family], seed, family, limit, id)
			id++
			if len(l) < 10 {
				continue
			}
			for _, p := range l {
				crowds[family].put(p, id-1)
			}
			t.streets = append(t.streets, &road{class: "residential", line: l, town: t})
		}
	}
	if t.ring != nil {
		t.streets = append(t.streets, &road{class: "tertiary", name: "Cours des Platanes", line: t.ring, town: t})
	}
	t.joinEnds(fixed)
}

// seeds are places to grow a street from, densest first.
func (t *town) seeds(s stream) []pt {
	n := int((t.area.X1 - t.area.X0) * (t.area.Y1 - t.area.Y0) / 700)
	type seed struct {
		p pt
		d float64
	}
	var list []seed
	for range n {
		p := pt{s.between(t.area.X0, t.area.X1), s.between(t.area.Y0, t.area.Y1)}
		if t.buildable(p) {
			list = append(list, seed{p, t.density.at(p)})
		}
	}
	slices.SortStableFunc(list, func(a, b seed) int { return cmp.Compare(b.d, a.d) })
	out := make([]pt, len(list))
	for i, e := range list {
		out[i] = e.p
	}
	return out
}

// grow follows the direction field both ways from the seed.
func (t *town) grow(others crowd, seed pt, family int, limit float64, id int) line {
	var halves [2]line
	for h := range halves {
		p, ahead, run := seed, t.direction(seed, family)+float64(h)*math.Pi, 0.0
		for run < limit {
			a := t.direction(p, family)
			if math.Cos(a-ahead) < 0 {
				a += math.Pi
			}
			b := t.direction(p.polar(a, 3), family)
			if math.Cos(b-ahead) < 0 {
				b += math.Pi
			}
			q := p.polar(b, 6)
			if !t.buildable(q) || math.Cos(b-ahead) < .75 || others.near(q, t.spacing(q, family)*.56, id) {
				break
			}
			p, ahead = q, b
			run += 6
			halves[h] = append(halves[h], p)
			if run > 60 && dist(p, seed) < 20 {
				break
			}
		}
	}
	l := append(halves[1].reversed(), seed)
	return append(l, halves[0]...)
}

// joinEnds lengthens each street's ends to the next line ahead.
func (t *town) joinEnds(fixed []line) {
	lines := slices.Clone(fixed)
	first := len(lines)
	for _, st := range t.streets {
		lines = append(lines, st.line)
	}
	index := newSegments(lines, 40)
	for k, st := range t.streets {
		if st.class != "residential" {
			continue
		}
		for _, flip := range []bool{true, false} {
			l := st.line
			if flip {
				l = l.reversed()
			}
			end, before := l[len(l)-1], l[len(l)-4]
			family := 0
			if math.Abs(math.Cos(heading(before, end)-t.direction(end, 0))) < .7 {
				family = 1
			}
			reach := t.spacing(end, family) * .95
			far := end.add(end.sub(before).unit().mul(reach))
			if hit, ok := index.first(end, far, first+k); ok {
				q := hit.add(far.sub(end).unit().mul(.6))
				if t.region.toSea(q) > 5 {
					l = append(slices.Clone(l), q)
				}
			}
			if flip {
				l = l.reversed()
			}
			st.line = l
		}
	}
}
