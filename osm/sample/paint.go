package sample

import (
	"fmt"
	"math"
	"slices"
	"strconv"
)

// A painter turns the world into OpenStreetMap objects.
type painter struct {
	*world
	m          *model
	islandWays []*way
	trails     []*trail
}

// paint draws the whole extract but the public facilities and water points,
// which places.go adds.
func (w *world) paint() *painter {
	p := &painter{world: w, m: newModel(w.seed)}
	p.shoreline()
	p.communesAndPlaces()
	p.waters()
	p.network()
	p.railway()
	p.buildings()
	p.grounds()
	p.landCover()
	p.seaside()
	p.waysOnFoot()
	p.trees()
	p.trades()
	return p
}

// shoreline draws coast and commune limits once each, shared by all that use
// them.
func (p *painter) shoreline() {
	used := map[*limit]bool{}
	for _, c := range p.communes {
		for _, l := range c.limits {
			used[l.limit] = true
		}
	}
	for _, l := range p.limits {
		switch {
		case l.coast:
			l.way = p.m.draw(l.line, tagged("natural", "coastline"))
		case used[l]:
			l.way = p.m.draw(l.line, tagged("boundary", "administrative", "admin_level", "8"))
		}
	}
	for k, ring := range p.islands {
		i := islandShapes[k]
		p.islandWays = append(p.islandWays, p.m.enclose(ring, tagged("natural", "coastline", "place", i.kind, "name", i.name)))
	}
}

func (p *painter) communesAndPlaces() {
	s := newStream(p.seed, "places")
	for _, c := range p.communes {
		kind := "village"
		switch {
		case c.population >= 9000:
			kind = "town"
		case c.population < 250:
			kind = "hamlet"
		}
		if c.index == 0 {
			kind = "town"
		}
		at := c.centre.add(pt{7, -6})
		seat := p.m.newNode(at, tagged("place", kind, "name", c.name, "population", strconv.Itoa(c.population)))
		var members []member
		for _, l := range c.limits {
			members = append(members, member{Type: 'w', Ref: l.limit.way.id, Role: "outer"})
		}
		for _, i := range c.islands {
			members = append(members, member{Type: 'w', Ref: p.islandWays[i].id, Role: "outer"})
		}
		members = append(members, member{Type: 'n', Ref: seat.id, Role: "admin_centre"})
		p.m.relate(members, tagged("type", "boundary", "boundary", "administrative", "admin_level", "8", "name", c.name,
			"ref:INSEE", c.insee, "population", strconv.Itoa(c.population), "source:population", "fictional"))
		if c.index == 0 {
			continue
		}
		names := slices.Clone(quarters)
		s.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		for k := range 3 + s.IntN(3) {
			q := c.centre.polar(s.between(0, 2*math.Pi), s.between(700, 2100))
			if inside(q, c.ring) && p.toSea(q) > 60 {
				p.m.newNode(q, tagged("place", pick(s, []string{"locality", "locality", "hamlet", "isolated_dwelling"}), "name", names[k]))
			}
		}
	}
	for _, q := range [...]struct {
		kind, name string
		at         pt
	}{
		{"quarter", "Centre ancien", pt{2010, 370}},
		{"suburb", "La Gare", pt{2560, 1010}},
		{"suburb", "Les Aires", pt{2520, 640}},
		{"suburb", "Les Sablettes", pt{3080, 380}},
		{"neighbourhood", "La Calanque", pt{1560, 300}},
		{"neighbourhood", "Les Moulières", pt{1960, 1010}},
		{"neighbourhood", "Le Port", pt{2080, 280}},
		{"neighbourhood", "Les Ferrages", pt{3290, 880}},
		{"locality", "La Grande Terre", pt{3800, 1300}},
		{"locality", "Le Bau Rouge", pt{800, 700}},
		{"locality", "Font Vive", pt{1250, 1900}},
		{"locality", "Les Salettes", pt{4300, 900}},
		{"locality", "Pierreplane", pt{4100, 2100}},
		{"hamlet", "La Bastide Neuve", pt{2880, 1620}},
		{"locality", "Cap des Oursins", pt{470, -190}},
		{"locality", "Pointe du Phare", pt{3640, -60}},
	} {
		p.m.newNode(q.at, tagged("place", q.kind, "name", q.name))
	}
}

// waters draws rivers, the pond with its islet and the lake with its island.
func (p *painter) waters() {
	for _, st := range p.streams {
		p.m.draw(st.line, st.extra.and("name", st.name))
	}
	s := newStream(p.seed, "waters")
	blob := func(c pt, rx, ry float64, n int) line {
		var l line
		for k := range n {
			a := 2 * math.Pi * float64(k) / float64(n)
			f := s.between(.82, 1.15)
			l = append(l, c.add(pt{rx * f * math.Cos(a), ry * f * math.Sin(a)}))
		}
		ring := spline(l, rx/9, true)
		return ring[:len(ring)-1]
	}
	p.m.cover(patch{blob(pond, 150, 95, 11), []line{blob(pond.add(pt{30, -10}), 26, 18, 8)}},
		tagged("natural", "water", "water", "pond", "name", "Étang des Salettes"))
	p.m.cover(patch{blob(p.lake, p.lakeSize*.85, p.lakeSize*.5, 15), []line{blob(p.lake.add(pt{p.lakeSize * .25, 40}), p.lakeSize*.14, p.lakeSize*.09, 9)}},
		tagged("natural", "water", "water", "lake", "name", "Lac de Sainte-Ciane"))
}

// network draws roads and streets along their crossings.
func (p *painter) network() {
	s := newStream(p.seed, "road tags")
	for _, r := range p.roads {
		if r.town != nil || r.name != "" {
			p.street(s, r)
			continue
		}
		for _, span := range p.spans(r) {
			t := tagged("highway", r.class, "ref", r.ref, "name", span.name)
			if r.class == "primary" || r.class == "secondary" {
				t = t.and("maxspeed", "80", "surface", "asphalt")
			}
			if span.name != "" {
				t = t.and("maxspeed", "50")
			}
			p.m.draw(p.net.line(span.cut), t)
		}
	}
	for _, side := range []float64{-11, 11} {
		l := offset(p.highway, side)
		if side > 0 {
			l = l.reversed()
		}
		for _, part := range p.overRoads(l) {
			t := tagged("highway", "motorway", "ref", "A 58", "name", "La Littorale", "oneway", "yes", "lanes", "2", "maxspeed", "130")
			if part.bridge {
				t = t.and("bridge", "yes", "layer", "1")
			}
			p.m.draw(part.line, t)
		}
	}
}

func (p *painter) street(s stream, r *road) {
	t := tagged("highway", r.class, "name", r.name, "ref", r.ref)
	switch r.class {
	case "primary", "secondary", "tertiary":
		t = t.and("surface", "asphalt", "maxspeed", "50", "lit", "yes")
	case "residential":
		if s.chance(.22) {
			t = t.and("oneway", "yes")
		}
		if s.chance(.3) {
			t = t.and("maxspeed", "30")
		}
	case "pedestrian", "living_street":
		if s.chance(.5) {
			t = t.and("surface", pick(s, []string{"paving_stones", "sett", "asphalt"}))
		}
	}
	p.m.draw(p.net.line(r.cut), t)
}

// A span is a part of a road between towns: through a town it has a name.
type span struct {
	name string
	cut  []int
}

// spans cuts a road where it enters and leaves the towns at its ends.
func (p *painter) spans(r *road) []span {
	townAt := func(k int) *commune {
		for _, c := range p.communes {
			if c.index > 0 && dist(c.centre, p.net.places[k]) < 330*c.town.scale+110 {
				return c
			}
		}
		return nil
	}
	far := func(c *commune) string {
		a, b := p.net.places[r.cut[0]], p.net.places[r.cut[len(r.cut)-1]]
		end := a
		if dist(c.centre, a) < dist(c.centre, b) {
			end = b
		}
		best := p.communes[0]
		for _, o := range p.communes {
			if dist(o.centre, end) < dist(best.centre, end) {
				best = o
			}
		}
		if best == c {
			return ""
		}
		kind := "Route"
		if c.size() > 1 {
			kind = "Avenue"
		}
		return kind + " " + of(best.name)
	}
	var out []span
	var in *commune
	for i, k := range r.cut {
		c := townAt(k)
		if i == 0 || c != in {
			if i > 0 {
				out[len(out)-1].cut = append(out[len(out)-1].cut, k)
			}
			name := ""
			if c != nil {
				name = far(c)
			}
			out = append(out, span{name: name})
			in = c
		}
		out[len(out)-1].cut = append(out[len(out)-1].cut, k)
	}
	return slices.DeleteFunc(out, func(s span) bool { return len(s.cut) < 2 })
}

// of puts the French "de" before a name.
func of(name string) string {
	switch name[0] {
	case 'A', 'E', 'I', 'O', 'U', 'Y', 'H':
		return "d'" + name
	}
	if name[0] == 0xC3 { // É and other accented capitals
		return "d'" + name
	}
	return "de " + name
}

// offset shifts a line to its left.
func offset(l line, d float64) line {
	out := make(line, len(l))
	for i, p := range l {
		a, b := l[max(0, i-1)], l[min(len(l)-1, i+1)]
		out[i] = p.add(b.sub(a).unit().left().mul(d))
	}
	return out
}

// A stretch is a part of the motorway.
type stretch struct {
	line   line
	bridge bool
}

// overRoads cuts a line so that it bridges every road it crosses.
func (p *painter) overRoads(l line) []stretch {
	lines := make([]line, len(p.roads))
	for i, r := range p.roads {
		lines[i] = r.line
	}
	index := newSegments(lines, 200)
	out := []stretch{{line: line{l[0]}}}
	for i := 1; i < len(l); i++ {
		if at, ok := index.first(l[i-1], l[i], -1); ok {
			u := l[i].sub(l[i-1]).unit()
			a, b := at.sub(u.mul(min(14, dist(at, l[i-1])/2))), at.add(u.mul(min(14, dist(at, l[i])/2)))
			out[len(out)-1].line = append(out[len(out)-1].line, a)
			out = append(out, stretch{line{a, b}, true}, stretch{line: line{b}})
		}
		out[len(out)-1].line = append(out[len(out)-1].line, l[i])
	}
	return out
}

// railway draws the line, its level crossings and its stations.
func (p *painter) railway() {
	crossing := map[int]bool{}
	for _, r := range p.roads {
		for _, k := range r.cut {
			crossing[k] = true
		}
	}
	nodes := p.m.corners(p.net.line(p.rail.cut))
	for _, k := range p.rail.cut {
		if crossing[k] {
			n := p.m.corner(p.net.places[k])
			n.tags = n.tags.and("railway", "level_crossing", "crossing:barrier", "full")
		}
	}
	for i := 0; i < len(nodes)-1; i += 400 {
		p.m.newWay(nodes[i:min(len(nodes), i+401)], tagged("railway", "rail", "usage", "main", "gauge", "1435", "electrified", "contact_line", "name", "Ligne du Littoral"))
	}
	for _, c := range p.stations {
		near := c.centre
		if c.index == 0 {
			near = pt{2880, 1145}
		}
		_, at, along := p.rail.line.nearestOn(near)
		_, dir := p.rail.line.at(along)
		u := pt{math.Cos(dir), math.Sin(dir)}
		toTown := 1.0
		if u.left().dot(near.sub(at)) < 0 || c.index == 0 {
			toTown = -1
		}
		p.m.newNode(at.add(u.left().mul(2*toTown)), tagged("railway", "station", "public_transport", "station", "train", "yes", "name", "Gare "+of(c.name)))
		p.m.enclose(rect(at.add(u.left().mul(19*toTown)), u, 34, 11), tagged("building", "train_station", "name", "Gare "+of(c.name)))
		for _, side := range []float64{-6, 6} {
			p.m.enclose(rect(at.add(u.left().mul(side)), u, 150, 4), tagged("railway", "platform", "public_transport", "platform"))
		}
	}
}

func (p *painter) buildings() {
	s := newStream(p.seed, "building tags")
	for _, h := range p.builder.houses {
		t := tagged("building", h.kind)
		if h.kind != "school" && s.chance(.55) {
			t = tagged("building", "yes")
		}
		if s.chance(.2) {
			t = t.and("building:levels", strconv.Itoa(1+s.IntN(3)))
		}
		with := .1
		if h.block.town.c.index == 0 {
			with = .4
		}
		if h.number > 0 && s.chance(with) {
			t = t.and("addr:housenumber", fmt.Sprint(h.number), "addr:street", h.street.name)
		}
		h.way = p.m.enclose(h.ring, t)
	}
	for _, l := range p.builder.pools {
		p.m.enclose(l, tagged("leisure", "swimming_pool", "access", "private"))
	}
}
