package sample

import (
	"math"
	"slices"
)

// A field is one tilled plot.
type field struct {
	ring   line
	centre pt
	tags   tags
}

// cluster is a group of plots laid side by side.
type cluster struct {
	at         pt
	cols, rows int
	turn       float64
}

var roquebelleFields = []cluster{
	{pt{3700, 900}, 9, 6, -.18},
	{pt{4350, 850}, 8, 7, .1},
	{pt{2700, 1560}, 9, 4, -.1},
	{pt{1350, 1100}, 4, 4, -.5},
	{pt{3900, 600}, 5, 2, -.05},
	{pt{2400, 1480}, 4, 4, .1},
	{pt{4500, 1350}, 7, 4, -.3},
	{pt{3100, 1650}, 6, 3, .05},
}

// till lays vineyards, olive groves, meadows and ploughland around the towns.
func (w *world) till() {
	s := newStream(w.seed, "fields")
	clusters := slices.Clone(roquebelleFields)
	for _, c := range w.communes[1:] {
		for range 4 + s.IntN(4) {
			clusters = append(clusters, cluster{c.centre.polar(s.between(0, 2*math.Pi), s.between(500, 1900)), 3 + s.IntN(6), 2 + s.IntN(5), s.between(-.7, .7)})
		}
	}
	var lines []line
	for _, r := range w.roads {
		lines = append(lines, r.line)
	}
	lines = append(lines, w.tracks...)
	for _, st := range w.streams {
		lines = append(lines, st.line)
	}
	index := newSegments(lines, 80)
	taken := crowd{}
	for k, c := range clusters {
		crop := s.IntN(3)
		for i := range c.cols {
			for j := range c.rows {
				f := plot(s, c, i, j)
				free := !s.chance(.1) && w.openLand(f.centre) && !index.within(f.centre, 47) && !taken.near(f.centre, 78, k)
				if !free {
					continue
				}
				taken.put(f.centre, k)
				f.tags = crops(s, crop)
				w.fields = append(w.fields, f)
			}
		}
	}
}

func plot(s stream, c cluster, i, j int) *field {
	const wide, deep = 92, 74
	x := (float64(i)-float64(c.cols)/2)*wide + s.between(-8, 8)
	y := (float64(j)-float64(c.rows)/2)*deep + s.between(-6, 6)
	ring := line{
		{x, y},
		{x + wide - 5 - s.between(0, 6), y + s.between(-4, 4)},
		{x + wide - 5, y + deep - 5 + s.between(-4, 4)},
		{x + s.between(-4, 4), y + deep - 5},
	}
	for k := range ring {
		ring[k] = c.at.add(ring[k].turn(c.turn))
	}
	return &field{ring: ring, centre: centroid(ring)}
}

func crops(s stream, main int) tags {
	k := main
	if s.chance(.3) {
		k = s.IntN(4)
	}
	switch k {
	case 0:
		return tagged("landuse", "vineyard")
	case 1:
		return tagged("landuse", "orchard", "trees", "olive_trees")
	case 2:
		return tagged("landuse", "farmland")
	}
	return tagged("landuse", "meadow")
}

// pond is Roquebelle's own water.
var pond = pt{4350, 760}

// openLand reports whether p is neither built up nor steep nor the shore.
func (w *world) openLand(p pt) bool {
	if dist(p, w.lake) < w.lakeSize*1.3 || dist(p, pond) < 230 || w.toSea(p) < 45 || w.height(p) > 190 || !extent.has(p) {
		return false
	}
	for _, c := range w.communes {
		if c.town.density != nil && c.town.area.grow(140).has(p) && c.town.density.at(p) > .16 {
			return false
		}
	}
	return !slices.ContainsFunc(w.sites, func(s *site) bool { return dist(centroid(s.ring), p) < 110 })
}

// plant covers the hills with wood, and their edges with scrub.
func (w *world) plant() {
	n := newNoise(w.seed, "woods")
	var tilled, settled []pt
	for _, f := range w.fields {
		tilled = append(tilled, f.centre)
	}
	for _, h := range w.builder.houses {
		settled = append(settled, h.centre)
	}
	for _, st := range w.sites {
		settled = append(settled, centroid(st.ring))
	}
	g, fine := newGrid(extent, 60), newGrid(detail.grow(-100), 20)
	wild := func(p pt) float64 {
		d := w.toSea(p)
		if d < 25 || dist(p, w.lake) < w.lakeSize*.9 || dist(p, pond) < 190 {
			return -1
		}
		v := .55*n.at(p.X/330+9, p.Y/330, 4) + .45*n.at(p.X/1700, p.Y/1700+5, 3)
		if !detail.has(p) {
			v = .3*n.at(p.X/420+9, p.Y/420, 2) + .7*n.at(p.X/1700, p.Y/1700+5, 4)
		}
		v += .3*min(1, w.height(p)/420) - .04 - .35*step(90, 30, d)
		if v < .4 {
			return v
		}
		if detail.has(p) {
			t := w.communes[0].town
			if t.area.grow(150).has(p) {
				v -= max(0, t.density.at(p)-.05) * 2.2
			}
		}
		return v
	}
	for _, field := range []*grid{g, fine} {
		field.fill(wild)
		field.clear(tilled, 78)
		field.clear(settled, 60)
	}
	w.woods = append(w.outside(g, .58), patches(rounded(fine.above(.63), 1.6), 1500)...)
	w.scrub = append(w.outside(g, .53), patches(rounded(fine.above(.53), 2), 1500)...)
}

// outside gives the patches of the coarse field away from the detail.
func (w *world) outside(g *grid, level float64) []patch {
	h := *g
	h.v = slices.Clone(g.v)
	hole := detail.grow(-190) // the two overlap by a cell, so that no seam shows
	for k := range h.v {
		if hole.has(h.place(k%h.nx, k/h.nx)) {
			h.v[k] = -1
		}
	}
	return patches(rounded(h.above(level), 7), 45000)
}

func rounded(rings []line, e float64) []line {
	var out []line
	for _, r := range rings {
		q := simplifyRing(chaikin(r), e)
		for t := e; !simple(q) && t > .1; t /= 2 {
			q = simplifyRing(chaikin(r), t)
		}
		if len(q) > 3 && simple(q) {
			out = append(out, q)
		}
	}
	return out
}

// floodLake puts the lake where roads and villages leave most room.
func (w *world) floodLake() {
	s := newStream(w.seed, "lake")
	var lines []line
	for _, r := range w.roads {
		lines = append(lines, r.line)
	}
	for _, st := range w.streams {
		lines = append(lines, st.line)
	}
	lines = append(lines, w.tracks...)
	index := newSegments(lines, 300)
	for range 500 {
		p := pt{s.between(-20000, 28000), s.between(9000, 24000)}
		for size := w.lakeSize + 40; size < 1400 && !index.within(p, size*1.15); size += 40 {
			w.lake, w.lakeSize = p, size
		}
	}
}

// clear lowers the field by one within radius metres of the places.
func (g *grid) clear(places []pt, radius float64) {
	done := make([]bool, len(g.v))
	for _, p := range places {
		i0, i1 := max(0, int((p.X-radius-g.x0)/g.cell)), min(g.nx-1, int((p.X+radius-g.x0)/g.cell))
		j0, j1 := max(0, int((p.Y-radius-g.y0)/g.cell)), min(g.ny-1, int((p.Y+radius-g.y0)/g.cell))
		for j := j0; j <= j1; j++ {
			for i := i0; i <= i1; i++ {
				if k := j*g.nx + i; !done[k] && dist(g.place(i, j), p) < radius {
					g.v[k]--
					done[k] = true
				}
			}
		}
	}
}
