package sample

import (
	"fmt"
	"math"
	"strings"
)

// A kind is a sort of place that both a partner's file and OpenStreetMap know.
type kind struct {
	code   string // TYPE in the facilities' file, NATURE in the water points'
	label  string
	prefix string // of the name: "École élémentaire"
	tags   tags
	other  tags // how mappers tag it differently; nil when they agree
}

var (
	nursery     = &kind{"E101", "École maternelle", "École maternelle", tagged("amenity", "kindergarten"), tagged("amenity", "school")}
	elementary  = &kind{"E102", "École élémentaire", "École élémentaire", tagged("amenity", "school"), nil}
	primary     = &kind{"E103", "École primaire", "École primaire", tagged("amenity", "school"), nil}
	college     = &kind{"E201", "Collège", "Collège", tagged("amenity", "school"), nil}
	creche      = &kind{"P101", "Crèche", "Crèche", tagged("amenity", "childcare"), tagged("amenity", "kindergarten")}
	ccas        = &kind{"P102", "Centre communal d'action sociale", "CCAS", tagged("amenity", "social_facility"), nil}
	elderly     = &kind{"P103", "Résidence pour personnes âgées", "EHPAD", tagged("amenity", "social_facility", "social_facility", "nursing_home"), nil}
	library     = &kind{"C101", "Bibliothèque", "Bibliothèque", tagged("amenity", "library"), nil}
	mediatheque = &kind{"C102", "Médiathèque", "Médiathèque", tagged("amenity", "library"), tagged("amenity", "arts_centre")}
	hall        = &kind{"C201", "Salle polyvalente", "Salle", tagged("amenity", "community_centre"), tagged("amenity", "events_venue")}
	theatre     = &kind{"C202", "Théâtre", "Théâtre", tagged("amenity", "theatre"), nil}
	stadium     = &kind{"S101", "Stade", "Stade", tagged("leisure", "stadium"), tagged("leisure", "sports_centre")}
	gym         = &kind{"S102", "Gymnase", "Gymnase", tagged("leisure", "sports_hall"), tagged("leisure", "sports_centre")}
	pool        = &kind{"S103", "Piscine", "Piscine", tagged("leisure", "sports_centre", "sport", "swimming"), tagged("leisure", "swimming_pool")}
	townHall    = &kind{"A101", "Mairie", "Mairie", tagged("amenity", "townhall"), nil}
	postOffice  = &kind{"A102", "Bureau de poste", "La Poste", tagged("amenity", "post_office"), nil}
	police      = &kind{"A103", "Police municipale", "Police municipale", tagged("amenity", "police"), nil}
	gendarmerie = &kind{"A104", "Gendarmerie", "Gendarmerie", tagged("amenity", "police"), nil}
	firemen     = &kind{"A105", "Centre de secours", "Centre de secours", tagged("amenity", "fire_station"), nil}
)

// A place is something that exists in the fictional world. A partner's record
// and an OpenStreetMap object are both imperfect views of it.
type place struct {
	number   int
	kind     *kind
	c        *commune
	at       pt     // its middle
	door     pt     // where it is reached from the street
	start    pt     // first end of its street: where bad geocoding puts it
	house    *house // the building it is in, or nil
	site     *site  // the ground it has, or nil
	street   string
	numberIn int    // house number, 0 for none
	name     string // its full official name, "" when it has none
	given    string // the part of the name that is its own: "Jean Moulin"
	phone    string // +33 4 …, "" when there is none
	capacity int
	website  string
	uai      string // code of a school
	potable  string // "O", "N" or ""
	season   string
	operator string

	fate     fate
	quarrel  quarrel
	shifted  bool      // the two sides put it in different places
	flagship bool      // the fountain that the pictures show: its name differs, 38 m apart
	written  string    // the name the partner means, before its noise
	objects  []*object // the true one first, then its duplicates
	nearby   *object   // another that a record of this place could mean as well
}

// facilitiesOf lists what communes have, by their size.
func facilitiesOf(c *commune) []*kind {
	switch {
	case c.index == 0:
		return []*kind{
			townHall, nursery, elementary, nursery, elementary, primary, college, creche, ccas, elderly, mediatheque, library,
			hall, hall, theatre, stadium, gym, gym, pool, postOffice, postOffice, police, gendarmerie, firemen,
		}
	case c.size() == 3:
		return []*kind{townHall, nursery, elementary, college, creche, mediatheque, hall, stadium, gym, postOffice, police, firemen, elderly}
	case c.size() == 2:
		return []*kind{townHall, nursery, elementary, library, hall, stadium, postOffice}
	case c.size() == 1:
		return []*kind{townHall, primary, hall, stadium}[:3+c.index%2]
	}
	return []*kind{townHall, primary}[:1+c.index%2]
}

// provide founds the public facilities of every commune.
func (p *painter) provide() []*place {
	s := newStream(p.seed, "facilities")
	byTown := p.housesByTown()
	var out []*place
	for _, c := range p.communes {
		grounds := map[string][]*site{}
		for _, st := range p.sites {
			if st.c == c {
				grounds[st.use] = append(grounds[st.use], st)
			}
		}
		used := map[string]bool{}
		for _, k := range facilitiesOf(c) {
			pl := &place{number: len(out), kind: k, c: c}
			use := map[*kind]string{nursery: "school", elementary: "school", primary: "school", college: "college", stadium: "stadium"}[k]
			if use == "stadium" && c.index == 0 {
				use = "pitch"
			}
			if list := grounds[use]; use != "" && len(list) > 0 {
				pl.site, grounds[use] = list[0], list[1:]
				pl.at = centroid(pl.site.ring)
			} else {
				far := 230*c.town.scale + 50
				if k == townHall || k == postOffice {
					far = 130*c.town.scale + 30
				}
				h := p.houseNear(s, byTown[c.index], c.centre, far)
				if h == nil {
					continue
				}
				pl.house, pl.at = h, h.centre
			}
			p.address(pl)
			pl.christen(s, used)
			pl.equip(s)
			out = append(out, pl)
		}
	}
	return out
}

// address finds the street the place gives on.
func (p *painter) address(pl *place) {
	best := math.Inf(1)
	pl.door, pl.start = pl.at, pl.at
	for _, r := range pl.c.town.named {
		if d, at, along := r.line.nearestOn(pl.at); d < best {
			best = d
			pl.street, pl.start = r.name, r.line[0]
			pl.door = at.lerp(pl.at, min(1, 7/max(7, d)))
			pl.numberIn = 1 + 2*int(along/14)
		}
	}
	if pl.house != nil && pl.house.street != nil {
		pl.street, pl.numberIn = pl.house.street.name, pl.house.number
	}
}

func (pl *place) christen(s stream, used map[string]bool) {
	list := patrons
	switch pl.kind {
	case townHall:
		pl.given, pl.name = pl.c.name, "Mairie "+of(pl.c.name)
		return
	case postOffice, police, gendarmerie, firemen, ccas:
		pl.given, pl.name = pl.c.name, pl.kind.prefix+" "+of(pl.c.name)
		if used[pl.name] {
			pl.given = pick(s, []string{"Les Sablettes", "La Gare"})
			pl.name = pl.kind.prefix + " " + pl.given
		}
		used[pl.name] = true
		return
	case creche, mediatheque, hall, elderly:
		list = poetic
	}
	for range 40 {
		pl.given = pick(s, list)
		pl.name = pl.kind.prefix + " " + pl.given
		if !used[pl.given] || (pl.kind == elementary && s.chance(.3)) { // nursery and elementary often share a name
			break
		}
	}
	used[pl.given] = true
}

// equip gives the place what its files say of it. The telephone numbers are of
// the range that Arcep keeps for works of fiction, the sites under .example.
func (pl *place) equip(s stream) {
	if pl.kind != ccas {
		pl.phone = fmt.Sprintf("+33 4 65 71 %02d %02d", s.IntN(100), s.IntN(100))
	}
	if strings.HasPrefix(pl.kind.code, "E") {
		pl.uai = fmt.Sprintf("0%s9%03d%c", pl.c.department, pl.number, 'A'+rune(pl.number*7%23))
		pl.capacity = 40 + 10*s.IntN(28)
	}
	switch pl.kind {
	case hall, theatre, gym:
		pl.capacity = 80 + 20*s.IntN(30)
	case elderly, creche:
		pl.capacity = 18 + 6*s.IntN(12)
	}
	if s.chance(.3) {
		pl.website = "https://www." + plain(pl.c.name) + ".example/" + plain(pl.kind.label)
	}
}

var (
	fountain  = &kind{"Fontaine", "Fontaine", "Fontaine", tagged("amenity", "fountain"), tagged("amenity", "drinking_water")}
	standpipe = &kind{"Borne", "Borne-fontaine", "Borne-fontaine", tagged("amenity", "drinking_water"), tagged("amenity", "fountain")}
	tap       = &kind{"Robinet", "Robinet", "Robinet", tagged("man_made", "water_tap"), tagged("amenity", "drinking_water")}
)

// water reports whether the place is a water point.
func (pl *place) water() bool { return pl.kind == fountain || pl.kind == standpipe || pl.kind == tap }

// irrigate puts the drinking-water points: many in Roquebelle, a few in the
// communes around it.
func (p *painter) irrigate() []*place {
	s := newStream(p.seed, "water points")
	var out []*place
	for _, c := range p.communes {
		far := dist(c.centre, oldCentre)
		n := 0
		switch {
		case c.index == 0:
			n = 64
		case far < 21000:
			n = []int{1, 2, 3, 5}[c.size()]
		}
		names := append([]string(nil), fountainNames...)
		s.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		if c.index == 0 {
			names = append([]string{"Fontaine de la place aux Herbes"}, names...)
		}
		for k := range n {
			pl := &place{number: len(out), c: c, kind: fountain}
			if !p.siteWater(s, pl, out) {
				continue
			}
			switch s.weighted(.5, .32, .18) {
			case 1:
				pl.kind = standpipe
			case 2:
				pl.kind = tap
			}
			if k == 0 && c.index == 0 {
				pl.kind, pl.at, pl.flagship, pl.quarrel = fountain, oldCentre.add(pt{-6, 4}), true, otherName
			}
			p.address(pl)
			pl.door = pl.at
			pl.label(s, &names)
			out = append(out, pl)
		}
	}
	return out
}

// siteWater finds a street corner or a park for the point, away from others.
func (p *painter) siteWater(s stream, pl *place, others []*place) bool {
	t := pl.c.town
	for range 60 {
		r := pick(s, t.named)
		run := s.Float64() * r.line.length()
		at, dir := r.line.at(run)
		at = at.polar(dir+math.Pi/2, pick(s, []float64{-5.5, 5.5, 6.5}))
		if !t.area.has(at) || p.toSea(at) < 6 || (t.density.at(at) < .2 && s.chance(.8)) {
			continue
		}
		clear := true
		for _, o := range others {
			clear = clear && dist(o.at, at) > 34
		}
		if pl.c.index == 0 && pl.number < 18 { // the old centre has most
			clear = clear && t.coreness(at) > .12
		}
		if clear {
			pl.at = at
			return true
		}
	}
	return false
}

func (pl *place) label(s stream, names *[]string) {
	pl.potable = "O"
	switch {
	case pl.kind == fountain && len(*names) > 0 && (pl.flagship || s.chance(.85)):
		pl.name, *names = (*names)[0], (*names)[1:]
		pl.given = pl.name
		if !pl.flagship && s.chance(.22) {
			pl.potable = "N"
		}
	case pl.kind != fountain && s.chance(.6):
		pl.given = lowerFirst(pl.street)
		pl.name = pl.kind.prefix + " " + ofThe(pl.given)
	}
	pl.season = pick(s, []string{"Toute l'année", "Toute l'année", "D'avril à octobre", ""})
	pl.operator = pick(s, []string{"Régie des eaux", "Commune", "Syndicat du Réal", ""})
}

// lowerFirst writes "Rue du Four" inside a sentence.
func lowerFirst(street string) string {
	if street == "" {
		return ""
	}
	return strings.ToLower(street[:1]) + street[1:]
}

func ofThe(street string) string {
	for _, w := range []string{"rue", "place", "montée", "traverse", "venelle", "route"} {
		if strings.HasPrefix(street, w) {
			return "de la " + street
		}
	}
	for _, w := range []string{"avenue", "allée", "impasse", "androne"} {
		if strings.HasPrefix(street, w) {
			return "de l'" + street
		}
	}
	return "du " + street
}

// plain makes a host or file name of a French one.
func plain(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(stripAccents(s)) {
		if (r >= 'a' && r <= 'z') || (r >= '0' && r <= '9') {
			b.WriteRune(r)
		} else if b.Len() > 0 && !strings.HasSuffix(b.String(), "-") {
			b.WriteByte('-')
		}
	}
	return strings.Trim(b.String(), "-")
}

var unaccented = strings.NewReplacer(
	"à", "a", "â", "a", "ä", "a", "ç", "c", "é", "e", "è", "e", "ê", "e", "ë", "e", "î", "i", "ï", "i", "ô", "o", "ö", "o", "ù", "u", "û", "u", "ü", "u", "œ", "oe",
	"À", "A", "Â", "A", "Ç", "C", "É", "E", "È", "E", "Ê", "E", "Ë", "E", "Î", "I", "Ï", "I", "Ô", "O", "Ù", "U", "Û", "U", "Œ", "OE")

func stripAccents(s string) string { return unaccented.Replace(s) }
