package sample

import (
	"fmt"
	"math"
	"slices"
)

// grounds draws the sites: parks, squares, pitches, cemeteries.
func (p *painter) grounds() {
	s := newStream(p.seed, "grounds")
	for _, st := range p.sites {
		switch st.use {
		case "park":
			if st.name == "" {
				st.name = pick(s, []string{"Jardin public", "Parc des Oliviers", "Jardin des Aires", "Square de la Liberté", "Parc de la Bastide"})
			}
			st.way = p.m.enclose(st.ring, tagged("leisure", "park", "name", st.name))
			if f, ok := around(st.ring); ok && st.c.index == 0 {
				p.m.enclose(rect(centroid(st.ring), f.along, 14, 10), tagged("leisure", "playground"))
			}
		case "square":
			st.way = p.m.enclose(st.ring, tagged("place", "square", "name", st.name, "highway", "pedestrian", "area", "yes"))
		case "parking":
			st.way = p.m.enclose(st.ring, tagged("amenity", "parking", "name", st.name, "surface", "asphalt", "capacity", fmt.Sprint(int(math.Abs(area(st.ring)))/28)))
		case "cemetery":
			st.way = p.m.enclose(st.ring, tagged("landuse", "cemetery", "name", "Cimetière"))
		case "market":
			st.way = p.m.enclose(st.ring, tagged("landuse", "retail"))
		case "cloister":
			p.cloister(st)
		case "stadium":
			p.stadium(s, st)
		case "pitch":
			f, _ := around(st.ring)
			p.m.enclose(rect(centroid(st.ring), f.along, f.width*.62, f.height*.55), tagged("leisure", "pitch", "sport", "soccer", "surface", "artificial_turf"))
		}
	}
}

// cloister is a building around a courtyard, as a multipolygon.
func (p *painter) cloister(st *site) {
	f, ok := around(st.ring)
	if !ok {
		return
	}
	c := centroid(st.ring)
	w, h := min(46, f.width*.62), min(38, f.height*.62)
	p.m.relate([]member{
		{Type: 'w', Ref: p.m.enclose(rect(c, f.along, w, h), nil).id, Role: "outer"},
		{Type: 'w', Ref: p.m.enclose(rect(c, f.along, w-20, h-19), nil).id, Role: "inner"},
	}, tagged("type", "multipolygon", "building", "yes", "historic", "monastery", "name", st.name))
}

func (p *painter) stadium(s stream, st *site) {
	f, _ := around(st.ring)
	c := centroid(st.ring)
	p.m.enclose(rect(c.sub(f.along.mul(18)), f.along, 98, 62), tagged("leisure", "pitch", "sport", "soccer", "surface", "grass"))
	if s.chance(.6) {
		p.m.enclose(rect(c.add(f.along.mul(52)), f.along, 24, 36), tagged("leisure", "pitch", "sport", pick(s, []string{"tennis", "boules", "basketball"})))
	}
}

func (p *painter) landCover() {
	for _, c := range p.communes {
		for _, a := range patches(rounded(c.town.density.above(.2), 4), 6000) {
			p.m.cover(a, tagged("landuse", "residential"))
		}
	}
	for _, f := range p.fields {
		p.m.enclose(f.ring, f.tags)
	}
	for _, a := range p.scrub {
		p.m.cover(a, tagged("natural", "scrub"))
	}
	for i, a := range p.woods {
		t := tagged("natural", "wood", "leaf_type", pickOf(i, "needleleaved", "mixed", "broadleaved"))
		if i%5 == 2 {
			t = tagged("landuse", "forest")
		}
		p.m.cover(a, t)
	}
}

func pickOf(i int, list ...string) string { return list[i%len(list)] }

// seaside draws beaches, harbour and what lies at sea.
func (p *painter) seaside() {
	sand := spline(line{{2275, 102}, {2420, 130}, {2650, 154}, {2950, 168}, {3215, 138}, {3380, 60}}, 20, false)
	edge := spline(coastBeach, 20, false)
	ring := append(slices.Clone(sand), edge.reversed()...)
	p.m.enclose(ring, tagged("natural", "beach", "surface", "sand", "name", "Plage des Sablettes"))
	for i, c := range coves {
		p.m.enclose(c, tagged("natural", "beach", "surface", "pebblestone", "name", []string{"Calanque de l'Oule", "Calanque du Figuier"}[i]))
	}
	for i, j := range jetties {
		if i < 2 {
			p.m.draw(j, tagged("man_made", "breakwater", "name", []string{"Môle du Ponant", "Môle du Levant"}[i]))
		} else {
			p.m.draw(j, tagged("man_made", "pier", "floating", "yes"))
		}
	}
	basin := append(slices.Clone(coastPort[1:]), pt{2210, 40}, pt{2120, 10}, pt{1960, -6}, pt{1850, 0})
	p.m.enclose(basin, tagged("leisure", "marina", "name", "Port de Roquebelle"))
	p.m.newNode(pt{2118, 10}, tagged("man_made", "lighthouse", "name", "Feu du Levant"))
	for _, n := range [...]struct {
		at   pt
		tags tags
	}{
		{pt{2990, -60}, tagged("natural", "bay", "name", "Baie des Sablettes")},
		{pt{880, -20}, tagged("natural", "bay", "name", "Calanque de l'Oule")},
		{pt{4000, -5200}, tagged("place", "sea", "name", "Mer Méditerranée")},
		{pt{-15500, 1800}, tagged("natural", "bay", "name", "Golfe des Oursins")},
		{pt{12000, -800}, tagged("natural", "bay", "name", "Rade de la Siagnole")},
		{pt{470, -292}, tagged("natural", "cape", "name", "Cap des Oursins")},
		{pt{3600, -158}, tagged("natural", "cape", "name", "Pointe du Phare")},
	} {
		p.m.newNode(n.at, n.tags)
	}
}

var footpaths = []line{
	{{1150, 340}, {1145, 280}},
	{{1200, 400}, {1050, 450}, {900, 400}, {800, 280}, {712, 180}},
	{{900, 400}, {850, 620}, {700, 800}, {640, 1040}, {700, 1300}},
	{{712, 180}, {600, 250}, {420, 180}, {250, 100}, {0, 180}, {-150, 200}},
	{{1290, 400}, {1240, 650}, {1050, 800}, {850, 620}},
	{{1530, 180}, {1500, 60}, {1440, -90}, {1330, -140}},
	{{3560, 10}, {3620, -90}},
	{{2280, 2200}, {2700, 2100}, {3200, 2180}, {3700, 2040}, {4200, 2150}, {5000, 2100}},
	{{3350, 1350}, {3500, 1700}, {3700, 2040}},
	{{2120, 1450}, {1900, 1620}, {1500, 1660}, {1150, 1900}, {900, 2200}},
}

// A trail is a path with a name, for the hiking routes and the park's layer.
type trail struct {
	name string
	line line
	way  *way
}

// waysOnFoot draws paths and farm tracks, and the hiking routes.
func (p *painter) waysOnFoot() {
	n := newNoise(p.seed, "paths")
	s := newStream(p.seed, "paths")
	for i, f := range footpaths {
		l := spline(f, 15, false)
		for k := 1; k < len(l)-1; k++ {
			fade := min(1, float64(min(k, len(l)-1-k))/4)
			l[k] = l[k].add(pt{(n.at(float64(k)/4, float64(i)*9, 3) - .5) * 46 * fade, (n.at(float64(k)/4+50, float64(i)*9, 3) - .5) * 46 * fade})
		}
		w := p.m.draw(simplify(l, .8), tagged("highway", "path", "surface", "ground", "sac_scale", pickOf(i, "hiking", "", "hiking", "mountain_hiking")))
		p.trails = append(p.trails, &trail{line: l, way: w})
	}
	for _, c := range p.communes {
		for range 3 + s.IntN(2) {
			l := p.ramble(s, c)
			if len(l) < 6 {
				continue
			}
			if s.chance(.45) {
				p.m.draw(simplify(l, 1.5), tagged("highway", "track", "tracktype", fmt.Sprint("grade", 2+s.IntN(3))))
				continue
			}
			w := p.m.draw(simplify(l, 1.5), tagged("highway", "path"))
			p.trails = append(p.trails, &trail{line: l, way: w})
		}
	}
	p.routes(s)
}

// ramble walks from a road of the commune into the hills.
func (p *painter) ramble(s stream, c *commune) line {
	r := pick(s, p.roads)
	for range 400 {
		if r.town == nil && len(r.cut) > 8 && inside(p.net.places[r.cut[len(r.cut)/2]], c.ring) {
			break
		}
		r = pick(s, p.roads)
	}
	from := p.net.places[r.cut[len(r.cut)/4+s.IntN(len(r.cut)/2+1)]]
	l := line{from}
	dir := s.between(0, 2*math.Pi)
	for range 8 + s.IntN(14) {
		q := l[len(l)-1].polar(dir, 90)
		if p.toSea(q) < 40 || !extent.has(q) || !inside(q, c.ring) {
			break
		}
		l = append(l, q)
		dir += s.NormFloat64() * .38
	}
	if len(l) < 4 {
		return nil
	}
	l = spline(l, 22, false)
	if l.crossesItself() {
		return nil
	}
	return l
}

// routes names the trails of Roquebelle and the longest others, and makes
// hiking relations of them.
func (p *painter) routes(s stream) {
	named := 0
	for _, t := range p.trails {
		if named == len(hikes) || t.line.length() < 420 || (named > 4 && t.line.length() < 1400) {
			continue
		}
		t.name = hikes[named]
		named++
		t.way.tags = t.way.tags.and("name", t.name)
		p.m.relate([]member{{Type: 'w', Ref: t.way.id}}, tagged("type", "route", "route", "hiking", "network", "lwn", "name", t.name,
			"osmc:symbol", pick(s, []string{"yellow:white:yellow_bar", "blue:white:blue_bar", "red:white:red_bar"}), "distance", fmt.Sprintf("%.1f", t.line.length()/1000)))
	}
}

// trees line the avenue around the old centre and stand in the parks.
func (p *painter) trees() {
	s := newStream(p.seed, "trees")
	ring := p.communes[0].town.ring
	avenue := spline(mainRoads[3].line, 12, false)
	for _, l := range []line{append(slices.Clone(ring), ring[0]), avenue[:min(len(avenue), 44)]} {
		for run := 6.0; run < l.length(); run += 12 {
			at, dir := l.at(run)
			for _, side := range []float64{-8.5, 8.5} {
				p.m.newNode(at.add(pt{math.Cos(dir), math.Sin(dir)}.left().mul(side)), tagged("natural", "tree", "leaf_type", "broadleaved", "genus", "Platanus"))
			}
		}
	}
	for _, st := range p.sites {
		if st.use != "park" {
			continue
		}
		b := boxOf(st.ring)
		for range int(math.Abs(area(st.ring)) / 130) {
			q := pt{s.between(b.X0, b.X1), s.between(b.Y0, b.Y1)}
			d, _, _ := append(slices.Clone(st.ring), st.ring[0]).nearestOn(q)
			if inside(q, st.ring) && d > 5 {
				p.m.newNode(q, tagged("natural", "tree"))
			}
		}
	}
}

// trades puts shops, cafés and street furniture that no partner file lists.
func (p *painter) trades() {
	s := newStream(p.seed, "trades")
	byTown := p.housesByTown()
	for _, c := range p.communes {
		n := []int{1, 3, 7, 14}[c.size()]
		if c.index == 0 {
			n = 46
		}
		used := map[string]bool{}
		for range n {
			h := p.houseNear(s, byTown[c.index], c.centre, 260*c.town.scale+40)
			e := pick(s, shopNames[:])
			if h == nil || (used[e.name] && c.index > 0) {
				continue
			}
			if used[e.name] {
				e.name = ""
			}
			used[e.name] = true
			p.m.newNode(h.centre.add(pt{s.between(-2, 2), s.between(-2, 2)}), tagged(e.key, e.value, "name", e.name))
		}
		for range n/2 + 1 {
			h := p.houseNear(s, byTown[c.index], c.centre, 330*c.town.scale+60)
			if h == nil {
				continue
			}
			k := s.IntN(6)
			t := []tags{
				tagged("amenity", "bicycle_parking", "capacity", fmt.Sprint(4+2*s.IntN(6))), tagged("amenity", "recycling", "recycling_type", "container"),
				tagged("amenity", "bench"), tagged("amenity", "toilets", "fee", "no"), tagged("emergency", "defibrillator"),
				tagged("amenity", "charging_station", "capacity", fmt.Sprint(2+2*s.IntN(2))),
			}[k]
			p.m.newNode(h.centre.polar(s.between(0, 6), 9), t)
		}
	}
}

func (p *painter) housesByTown() [][]*house {
	out := make([][]*house, len(p.communes))
	for _, h := range p.builder.houses {
		out[h.block.town.c.index] = append(out[h.block.town.c.index], h)
	}
	return out
}

// houseNear takes a free house within about d metres of the place.
func (p *painter) houseNear(s stream, list []*house, at pt, d float64) *house {
	for range 60 {
		if len(list) == 0 {
			return nil
		}
		h := pick(s, list)
		if !h.taken && h.way != nil && dist(h.centre, at) < d {
			h.taken = true
			return h
		}
		d *= 1.03
	}
	return nil
}
