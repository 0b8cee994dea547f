package sample

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// A site is a piece of ground with a use of its own: a block, or a plot laid
// outside the streets.
type site struct {
	use   string // school, college, park, square, cemetery, stadium, pitch, parking, market
	name  string
	ring  line
	c     *commune
	wings []*house
	way   *way
}

// Roquebelle's own sites, at the places where the drawn maps have them.
var roquebelleSites = []struct {
	use  string
	at   pt
	name string
}{
	{"park", pt{2470, 350}, "Parc de la Pinède"},
	{"school", pt{2560, 570}, ""},
	{"square", pt{2050, 405}, "Place aux Herbes"},
	{"cemetery", pt{2330, 840}, "Cimetière"},
	{"pitch", pt{2960, 640}, "Stade des Restanques"},
	{"park", pt{1960, 290}, "Jardin du Port"},
	{"park", pt{2780, 910}, "Square de la Gare"},
	{"park", pt{3080, 270}, "Jardin des Sablettes"},
	{"college", pt{2750, 540}, ""},
	{"parking", pt{2290, 310}, "Parking du Cours"},
	{"market", pt{3080, 530}, ""},
	{"school", pt{1960, 900}, ""},
	{"school", pt{3250, 800}, ""},
	{"parking", pt{2150, 1050}, "Parking des Aires"},
	{"cloister", pt{2140, 330}, "Ancien couvent des Minimes"},
}

// reserve gives blocks their special uses before houses are built.
func (w *world) reserve() {
	for _, r := range roquebelleSites {
		if b := nearestBlock(w.blocks, w.communes[0], r.at, 500, 25000); b != nil {
			b.use, b.name = r.use, r.name
		}
	}
	s := newStream(w.seed, "sites")
	for _, c := range w.communes[1:] {
		want := []string{"square"}
		if c.size() > 0 || s.chance(.5) {
			want = append(want, "school")
		}
		if c.size() > 1 {
			want = append(want, "park", "parking", "school")
		}
		if c.size() > 2 {
			want = append(want, "college", "park")
		}
		for _, use := range want {
			at, least, most := c.centre.polar(s.between(0, 2*math.Pi), 190*c.town.scale), 900.0, 12000.0
			if use == "square" {
				at, least, most = c.centre, 250, 2500
			}
			if b := nearestBlock(w.blocks, c, at, least, most); b != nil {
				b.use = use
				if use == "square" {
					b.name = pick(s, []string{"Place de l'Église", "Place de la Mairie", "Place du Village", "Place aux Herbes", "Place des Platanes", "Place de la Fontaine"})
				}
			}
		}
	}
}

func nearestBlock(blocks []*block, c *commune, at pt, least, most float64) *block {
	var best *block
	rank := func(b *block) float64 {
		d := dist(b.centre, at)
		if inside(at, b.ring) {
			d -= 1e6
		}
		return d
	}
	for _, b := range blocks {
		if b.town.c != c || b.use != "" || b.area < least || b.area > most {
			continue
		}
		if best == nil || rank(b) < rank(best) {
			best = b
		}
	}
	return best
}

// outskirts lays a stadium and a cemetery beside the villages, where nothing
// else is.
func (w *world) outskirts() {
	s := newStream(w.seed, "outskirts")
	var lines []line
	for _, r := range w.roads {
		lines = append(lines, r.line)
	}
	lines = append(lines, w.tracks...)
	for _, st := range w.streams {
		lines = append(lines, st.line)
	}
	index := newSegments(lines, 80)
	for _, c := range w.communes[1:] {
		plots := []struct {
			use  string
			w, h float64
		}{{"cemetery", 58, 46}}
		if c.size() > 0 {
			plots = append(plots, struct {
				use  string
				w, h float64
			}{"stadium", 150, 92})
		}
		for _, p := range plots {
			for range 40 {
				at := c.centre.polar(s.between(0, 2*math.Pi), s.between(220, 420)*(.5+c.town.scale))
				u := pt{1, 0}.turn(s.between(-.6, .6))
				free := w.toSea(at) > 90 && !index.within(at, math.Hypot(p.w, p.h)/2+6) && c.town.density.at(at) < .3
				for _, o := range w.sites {
					free = free && dist(centroid(o.ring), at) > 130
				}
				if free {
					w.sites = append(w.sites, &site{use: p.use, ring: rect(at, u, p.w, p.h), c: c})
					break
				}
			}
		}
	}
}

// developSites builds what stands on the reserved blocks.
func (w *world) developSites() {
	for _, b := range w.blocks {
		if b.use == "" {
			continue
		}
		ring := simplifyRing(b.ring, 1)
		if !simple(ring) {
			continue
		}
		depths := make([]float64, len(ring))
		for i := range depths {
			depths[i] = 4
		}
		if in := inset(ring, depths); fits(in, ring, 60) && simple(in) {
			ring = in
		}
		st := &site{use: b.use, name: b.name, ring: ring, c: b.town.c}
		switch b.use {
		case "school", "college":
			st.wings = w.builder.compound(b, false)
		case "market":
			st.wings = w.builder.compound(b, true)
		}
		w.sites = append(w.sites, st)
	}
	slices.SortStableFunc(w.sites, func(a, b *site) int { return cmp.Compare(a.c.index, b.c.index) })
}

// christenStreets names the streets of every town, longest first.
func (w *world) christenStreets() {
	for _, c := range w.communes {
		s := newStream(w.seed, "street names "+c.insee)
		names := slices.Clone(streetNames)
		s.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		lanes := slices.Clone(laneNames)
		s.Shuffle(len(lanes), func(i, j int) { lanes[i], lanes[j] = lanes[j], lanes[i] })
		list := slices.Clone(c.town.streets)
		slices.SortStableFunc(list, func(a, b *road) int { return cmp.Compare(b.line.length(), a.line.length()) })
		for _, st := range list {
			if st.name != "" || (s.chance(.07) && len(names) < len(streetNames)) {
				continue
			}
			mid, _ := st.line.at(st.line.length() / 2)
			core := c.town.coreness(mid)
			if st.line.length() < 130 && len(lanes) > 0 && s.chance(.6) {
				st.name, lanes = lanes[0], lanes[1:]
			} else if k := slices.IndexFunc(names, func(n string) bool { return suits(n, st.line.length(), core) }); k >= 0 {
				st.name = names[k]
				names = slices.Delete(names, k, k+1)
			}
			if core > .45 && st.class == "residential" {
				st.class = "living_street"
				if s.chance(.4) {
					st.class = "pedestrian"
				}
			}
		}
	}
}

// suits reports whether a street of that length in metres, so deep in the old
// centre, could bear the name.
func suits(name string, length, core float64) bool {
	switch strings.Fields(name)[0] {
	case "Avenue", "Boulevard":
		return core < .2 && length > 330
	case "Chemin", "Allée":
		return core < .25
	}
	return true
}
