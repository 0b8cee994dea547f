package sample

import (
	"cmp"
	"math"
	"slices"
)

// A road is a line of the network before it is cut at crossings.
type road struct {
	class string // OpenStreetMap's highway value; "railway", "waterway" and "coast" only cut
	name  string
	ref   string
	line  line
	town  *town // whose street it is; nil between towns
	cut   []int // nodes of the network, in order (see network.go)
	extra tags
}

// Roquebelle's own roads; their outer ends are where the region's join.
var (
	oldCentre      = pt{2060, 410}
	westGate       = pt{-150, 1040}
	eastGate       = pt{5150, 580}
	northGate      = pt{2200, 2750}
	farmGate       = pt{5150, 1250}
	roquebelleRing = line{{1880, 435}, {1935, 525}, {2050, 560}, {2165, 535}, {2240, 450}, {2235, 340}, {2160, 270}, {2030, 255}, {1920, 310}}
	mainRoads      = []road{
		{class: "primary", ref: "D 559", name: "Route de la Corniche", line: line{westGate, {300, 1220}, {700, 1300}, {1100, 1180}, {1420, 900}, {1700, 640}, {1886, 452}}},
		{class: "primary", ref: "D 559", name: "Avenue des Oliviers", line: line{{2226, 470}, {2480, 450}, {2800, 430}, {3250, 340}, {3700, 370}, {4100, 480}, {4600, 540}, eastGate}},
		{class: "primary", ref: "D 41", name: "Avenue de la Fontaine", line: line{{2078, 552}, {2120, 800}, {2080, 1100}, {2120, 1450}, {2260, 1800}, {2280, 2200}, northGate}},
		{class: "secondary", ref: "D 12", name: "Avenue de la Gare", line: line{{2196, 512}, {2420, 700}, {2660, 880}, {2860, 1040}, {2900, 1110}}},
		{class: "secondary", name: "Boulevard de la Mer", line: line{{2215, 270}, {2330, 190}, {2500, 180}, {2800, 200}, {3100, 195}, {3330, 120}, {3450, 60}, {3560, 10}}},
		{class: "tertiary", name: "Quai du Port", line: line{{1840, 232}, {1990, 254}, {2160, 270}, {2215, 270}}},
		{class: "tertiary", name: "Route des Calanques", line: line{{1912, 322}, {1780, 240}, {1680, 160}, {1530, 180}, {1400, 300}, {1290, 400}, {1200, 400}, {1150, 340}}},
		{class: "unclassified", name: "Chemin des Vignes", line: line{{3250, 342}, {3300, 700}, {3250, 1000}, {3350, 1350}, {3700, 1600}, {4200, 1550}, farmGate}},
		{class: "tertiary", name: "Avenue du Stade", line: line{{2700, 435}, {2740, 620}, {2900, 750}, {3290, 750}}},
		{class: "tertiary", name: "Avenue des Pins", line: line{{2090, 1160}, {2350, 1300}, {2700, 1290}, {2920, 1260}}},
	}
	railRoquebelle   = line{{-150, 1580}, {500, 1700}, {1000, 1590}, {1600, 1340}, {2200, 1200}, {2900, 1145}, {3500, 1200}, {4200, 1180}, {5150, 1040}}
	streamRoquebelle = line{{1420, 2750}, {1560, 2300}, {1700, 1900}, {1640, 1500}, {1700, 1100}, {1820, 800}, {1830, 550}, {1850, 350}, {1862, 196}}
)

// connect draws the roads between communes: neighbours with nothing between
// them (a Gabriel graph), the coastal chain as D 559.
func (r *region) connect() []*road {
	s := newStream(r.seed, "roads")
	var out []*road
	for i := range mainRoads {
		m := mainRoads[i]
		m.line = spline(m.line, 12, false)
		out = append(out, &m)
	}
	coastal := r.coastalChain()
	number := 0
	numbers := []string{"D 7", "D 13", "D 14", "D 19", "D 25", "D 27", "D 33", "D 44", "D 48", "D 52", "D 63", "D 71", "D 75", "D 79", "D 88", "D 93", "D 98a", "D 125", "D 141", "D 206", "D 279", "D 288"}
	for i, a := range r.communes {
		for _, b := range r.communes[i+1:] {
			k := slices.Index(coastal, a)
			alongCoast := k >= 0 && ((k > 0 && coastal[k-1] == b) || (k+1 < len(coastal) && coastal[k+1] == b))
			if !alongCoast && !r.gabriel(a, b) {
				continue
			}
			l := r.curve(s, a, b)
			if l == nil {
				continue
			}
			rd := &road{line: l}
			weight := math.Sqrt(float64(a.population) * float64(b.population))
			switch {
			case alongCoast:
				rd.class, rd.ref = "primary", "D 559"
			case i == 0 && b.index == 3:
				rd.class, rd.ref = "primary", "D 41"
			case weight > 1500:
				rd.class = "secondary"
			case weight > 420:
				rd.class = "tertiary"
			default:
				rd.class = "unclassified"
			}
			if rd.ref == "" && rd.class != "unclassified" {
				rd.ref = numbers[number%len(numbers)]
				number++
			}
			out = append(out, rd)
		}
	}
	return out
}

// coastalChain lists the coastal communes from west to east, in the order of
// their place on the coast.
func (r *region) coastalChain() []*commune {
	type stop struct {
		c     *commune
		along float64
	}
	var stops []stop
	for _, c := range r.communes {
		if d, _, along := r.coast.nearestOn(c.centre); c.coastal && d < 2600 {
			stops = append(stops, stop{c, along})
		}
	}
	slices.SortFunc(stops, func(a, b stop) int { return cmp.Compare(a.along, b.along) })
	out := make([]*commune, len(stops))
	for i, s := range stops {
		out[i] = s.c
	}
	return out
}

// gabriel reports whether no third centre lies in the circle over a–b.
func (r *region) gabriel(a, b *commune) bool {
	d := dist(a.centre, b.centre)
	if d > 9500 {
		return false
	}
	mid := a.centre.lerp(b.centre, .5)
	return !slices.ContainsFunc(r.communes, func(c *commune) bool {
		return c != a && c != b && dist(c.centre, mid) < d/2*.98
	})
}

// gate is where a road towards p leaves the commune's centre. Roquebelle has
// gates of its own, at the ends of its main roads.
func (c *commune) gate(p pt) pt {
	if c.index != 0 {
		return c.centre
	}
	best := westGate
	for _, g := range []pt{eastGate, northGate, farmGate} {
		if math.Cos(heading(oldCentre, p)-heading(oldCentre, g)) > math.Cos(heading(oldCentre, p)-heading(oldCentre, best)) {
			best = g
		}
	}
	return best
}

// curve winds from a to b, keeping off the sea; nil when it cannot.
func (r *region) curve(s stream, a, b *commune) line {
	from, to := a.gate(b.centre), b.gate(a.centre)
	d := dist(from, to)
	side := to.sub(from).unit().left()
	for range 8 {
		control := line{from}
		n := max(2, int(d/900))
		sway := s.between(-.09, .09) * d
		for k := 1; k < n; k++ {
			t := float64(k) / float64(n)
			p := from.lerp(to, t).add(side.mul(sway*math.Sin(math.Pi*t) + s.NormFloat64()*d/float64(n)*.13))
			for range 20 {
				if r.toSea(p) > 170 {
					break
				}
				p = p.add(r.inland(p).mul(60))
			}
			control = append(control, p)
		}
		l := spline(append(control, to), 40, false)
		dry := !slices.ContainsFunc(l, func(p pt) bool { return r.toSea(p) < 25 })
		if dry && !l.crossesItself() {
			return l
		}
	}
	return nil
}

// railway runs behind the coastal towns, through Roquebelle's station.
func (r *region) railway() (track line, stations []*commune) {
	var west, east line
	chain := r.coastalChain()
	for _, c := range chain {
		if c.index == 0 {
			stations = append(stations, c)
			continue
		}
		p := c.centre.add(r.inland(c.centre).mul(340))
		switch {
		case c.centre.X < -1500:
			west = append(west, p)
		case c.centre.X > 6000:
			east = append(east, p)
		default:
			continue
		}
		if c.size() > 0 {
			stations = append(stations, c)
		}
	}
	start := pt{extent.X0, 7200}
	control := append(line{start}, west...)
	control = append(control, railRoquebelle...)
	control = append(control, east...)
	control = append(control, pt{extent.X1, 17000})
	track = simplify(spline(ironed(control), 30, false), .6)
	return track, stations
}

// ironed drops control points that would turn a line back on itself.
func ironed(l line) line {
	out := line{l[0]}
	for _, p := range l[1:] {
		if p.X > out[len(out)-1].X+350 {
			out = append(out, p)
		}
	}
	return out
}

// motorway crosses the region from west to east, away from the villages.
func (r *region) motorway() line {
	var control line
	for x := extent.X0; x <= extent.X1+1; x += 3000 {
		y := 9800 + 2600*(r.hills.at(x/11000, 7.3, 2)-.5) + step(0, 34000, x)*7200
		control = append(control, pt{x, y})
	}
	for range 30 {
		for i := range control {
			for _, c := range r.communes {
				if d := dist(control[i], c.centre); d < 1300 {
					control[i].Y += math.Copysign(90, control[i].Y-c.centre.Y)
				}
			}
		}
	}
	return simplify(spline(control, 60, false), 1.5)
}

// rivers run from the hills to the sea, Roquebelle's stream last.
func (r *region) rivers() []*road {
	var out []*road
	for k, v := range []struct {
		name string
		x, y float64
		to   pt
	}{
		{"Le Réal", -15000, 36500, pt{-9400, 700}},
		{"La Siagnole", 21000, 36800, pt{12900, 1700}},
		{"L'Argentière", 33000, 30000, pt{27700, 7000}},
	} {
		_, end, _ := r.coast.nearestOn(v.to)
		from := pt{v.x, v.y}
		control := line{from}
		n := 16
		side := end.sub(from).unit().left()
		for i := 1; i < n; i++ {
			t := float64(i) / float64(n)
			w := (r.hills.at(t*6+float64(k)*31, 3.7, 3) - .5) * 9000 * math.Sin(math.Pi*t)
			control = append(control, from.lerp(end, t).add(side.mul(w)))
		}
		l := r.untilSea(spline(append(control, end), 60, false))
		out = append(out, &road{class: "waterway", name: v.name, line: simplify(l, 2), extra: tagged("waterway", "river")})
	}
	n := newNoise(r.seed, "stream")
	l := spline(streamRoquebelle, 25, false)
	for i := 1; i < len(l)-6; i++ {
		l[i].X += (n.at(float64(i)/3, 4, 3) - .5) * 40
	}
	source := spline(line{{1250, 4200}, {1180, 3600}, {1420, 3100}, {1420, 2750}}, 25, false)
	l = append(source[:len(source)-1], l...)
	return append(out, &road{class: "waterway", name: "L'Argentelle", line: simplify(l, .8), extra: tagged("waterway", "stream")})
}
