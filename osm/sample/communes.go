package sample

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// The names of communes are made of these; none is a commune's of the real
// region (a test compares them with the official list when it is at hand).
var (
	communeHeads = []string{
		"Châteaubrun", "Montaurel", "Peyrebelle", "Roqueclaire", "Valcigale", "Bastidonne", "Fontségur", "Mourillères",
		"Castelblanc", "Puyrousset", "Aiguemorte-Haute", "Combefère", "Montjoucas", "Valsainte", "Rocaluna", "Pierrefont",
		"Garrigues-Hautes", "Beaumouriès", "Clairvallon", "Ventabrune", "Malaubert", "Sauveclare", "Tourretane", "Villebarjols",
		"Ampusset", "Barrières", "Cabrière", "Destelle", "Escragnières", "Figueras", "Gourdane", "Jonquerolle",
		"Lauzière", "Moustièrette", "Néoulette", "Ollivières", "Pignerol-le-Mas", "Quinsonnet", "Revestou", "Salernette",
		"Taradelle", "Vérignolle", "Cotignelle", "Besseau", "Aupsel", "Tavernolles", "Montferrier-le-Sec", "Bargémois",
		"Callianne", "Seillanne", "Mazaugière", "Brignolette", "Carnoulet", "Pugétane", "Gonfarel", "Cuersac", "Belgentane", "Méounette",
	}
	communeSaints = []string{
		"Saint-Aubrun", "Sainte-Ciane", "Saint-Estropi", "Saint-Marcelou", "Sainte-Magnelle", "Saint-Cézarin", "Saint-Brancas",
		"Saint-Fulcran", "Sainte-Roseline-du-Mas", "Saint-Quenisse", "Saint-Ambroisel", "Sainte-Delphine", "Saint-Elzéar-le-Haut", "Saint-Mitre-la-Lande",
	}
	communeTails = []string{
		"", "", "", "", "-les-Vignes", "-le-Vieux", "-la-Tour", "-en-Réal", "-sur-Argentelle", "-les-Oliviers", "-du-Vallon",
		"-des-Maures-Blanches", "-lès-Bastides", "-d'Azur", "-sous-Roche", "-le-Château",
	}
	coastalTails = []string{"-sur-Mer", "-Plage", "-le-Port", "-la-Calanque", "", "-les-Sables"}
)

// describe names the communes and says how many live there. Roquebelle is the
// first; codes follow the order from west to east, from 800 on: the real ones of
// both departments end far below.
func (r *region) describe() {
	s := newStream(r.seed, "commune names")
	var real []*commune
	for _, c := range r.communes {
		if c.real {
			real = append(real, c)
		}
	}
	order := slices.Clone(real)
	slices.SortFunc(order, func(a, b *commune) int { return cmp.Compare(a.seat.X, b.seat.X) })
	taken := map[string]bool{}
	counts := map[string]int{}
	for _, c := range order {
		c.department = "83"
		if c.seat.Y > 25500 {
			c.department = "04"
		}
		c.name = r.christen(s, c, taken)
		c.population = r.inhabitants(s, c)
		c.epci = []string{"CC du Golfe des Oursins", "CA Réal Méditerranée", "CC des Hautes Garrigues"}[zone(c.seat)]
		c.centre = r.centreOf(s, c)
		counts[c.department]++
		c.insee = fmt.Sprintf("%s%03d", c.department, 800+counts[c.department])
	}
	real[0].name, real[0].population, real[0].centre = "Roquebelle-les-Pins", 8412, oldCentre
	for k, ring := range r.islands {
		at := centroid(ring)
		slices.SortFunc(order, func(a, b *commune) int { return cmp.Compare(dist(a.centre, at), dist(b.centre, at)) })
		for _, c := range order {
			if c.coastal {
				c.islands = append(c.islands, k)
				break
			}
		}
	}
	r.communes = real
	for i, c := range real {
		c.index = i
	}
}

func zone(p pt) int {
	switch {
	case p.Y > 17000:
		return 2
	case p.X > -3500 && p.X < 20000:
		return 0
	}
	return 1
}

func (r *region) christen(s stream, c *commune, taken map[string]bool) string {
	for {
		name := pick(s, communeHeads)
		if s.chance(.28) {
			name = pick(s, communeSaints)
		}
		tails := communeTails
		if c.coastal && s.chance(.7) {
			tails = coastalTails
		}
		tail := pick(s, tails)
		if len(name)+len(tail) > 30 {
			tail = ""
		}
		if full := name + tail; !taken[full] && !taken[name] {
			taken[full], taken[name] = true, true
			return full
		}
		if full := name + pick(s, communeTails[4:]); !taken[full] && len(full) < 34 {
			taken[full] = true
			return full
		}
	}
}

func (r *region) inhabitants(s stream, c *commune) int {
	n := math.Exp(6.5 + .95*s.NormFloat64() - .00002*c.seat.Y)
	if c.coastal {
		n *= 3.5
	}
	return int(min(38000, max(94, n)))
}

// centreOf puts the village: by the sea in most coastal communes, else near
// the middle of the land.
func (r *region) centreOf(s stream, c *commune) pt {
	if c.coastal && s.chance(.75) {
		best, at := math.Inf(1), c.seat
		for _, p := range c.limits {
			if !p.limit.coast {
				continue
			}
			if d, q, _ := p.line().nearestOn(c.seat); d < best {
				best, at = d, q
			}
		}
		q := at.add(c.seat.sub(at).unit().mul(min(best, s.between(380, 620))))
		if r.shore.at(q) > 260 && inside(q, c.ring) {
			return q
		}
	}
	return c.seat.add(pt{s.between(-300, 300), s.between(-300, 300)})
}

// size says how big a town the commune has: 0 hamlet … 3 town.
func (c *commune) size() int {
	switch {
	case c.population < 450:
		return 0
	case c.population < 1800:
		return 1
	case c.population < 7000:
		return 2
	}
	return 3
}
