package sample

import (
	"fmt"
	"slices"
	"strconv"
)

// A fate says on which side a place is known, and how.
type fate int

const (
	inBoth fate = iota
	onlyOSM
	onlyPartner
	closedInOSM
	twiceInOSM
	twiceAtPartner
	couldBeTwo // two objects fit the record equally well
	farAway    // the record's reference is right and its place is wrong
	unlocated  // the record has no coordinates
)

// A quarrel is what the two sides say differently of one place.
type quarrel int

const (
	none quarrel = iota
	otherName
	misspelt
	otherPhone
	otherWater
	otherCapacity
)

// An object is a place as OpenStreetMap has it.
type object struct {
	node   *node
	way    *way
	closed bool // its tags are under disused:
	mended bool // an edit gave it the partner's name
	place  *place
}

func (o *object) key() string {
	if o.node != nil {
		return "n" + strconv.FormatInt(o.node.id, 10)
	}
	return "w" + strconv.FormatInt(o.way.id, 10)
}

// at is the object's place: a way's is the middle of its area.
func (o *object) at() pt {
	if o.node != nil {
		return o.node.at
	}
	return centroid(o.way.ring())
}

func (o *object) tags() *tags {
	if o.node != nil {
		return &o.node.tags
	}
	return &o.way.tags
}

func (o *object) touch() {
	if o.node != nil {
		o.node.version++
	} else {
		o.way.version++
	}
}

// decide gives every place its fate, in fixed shares so that each kind of
// disagreement occurs for any seed.
func decide(s stream, places []*place) {
	order := slices.Clone(places)
	s.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	n := float64(len(places))
	take := func(f fate, share, least float64, fits func(p *place) bool) {
		for want := int(max(least, share*n)); want > 0; want-- {
			k := slices.IndexFunc(order, func(p *place) bool {
				return p.fate == inBoth && !p.flagship && (fits == nil || fits(p))
			})
			if k < 0 {
				return
			}
			order[k].fate = f
			order = slices.Delete(order, k, k+1)
		}
	}
	take(farAway, 0, 3, func(p *place) bool { return p.uai != "" })
	take(couldBeTwo, .025, 3, func(p *place) bool { return p.site == nil && p.kind.code[0] != 'A' && p.kind.code[0] != 'E' })
	take(twiceInOSM, .03, 3, nil)
	take(closedInOSM, .025, 3, nil)
	take(unlocated, .02, 3, nil)
	take(twiceAtPartner, .05, 3, nil)
	take(onlyOSM, .1, 4, nil)
	take(onlyPartner, .11, 4, nil)
	argue := func(q quarrel, share, least float64, fits func(p *place) bool) {
		for want := int(max(least, share*n)); want > 0; want-- {
			k := slices.IndexFunc(order, func(p *place) bool { return p.fate == inBoth && p.quarrel == none && fits(p) })
			if k < 0 {
				return
			}
			order[k].quarrel = q
		}
	}
	argue(otherName, .06, 3, func(p *place) bool { return p.name != "" && p.kind.code[0] != 'A' })
	argue(misspelt, .04, 2, func(p *place) bool { return len(p.given) > 6 && p.kind.code[0] != 'A' })
	argue(otherPhone, .06, 2, func(p *place) bool { return p.phone != "" })
	argue(otherWater, .06, 2, func(p *place) bool { return p.kind == fountain && p.potable == "O" })
	argue(otherCapacity, .03, 2, func(p *place) bool { return p.capacity > 0 })
	for i, p := range order {
		if p.fate == inBoth && i%11 == 3 {
			p.shifted = true
		}
	}
}

// survey draws the places into OpenStreetMap as its mappers did.
func (p *painter) survey(s stream, places []*place) {
	for _, pl := range places {
		if pl.fate == onlyPartner {
			continue
		}
		o := p.mapped(s, pl)
		pl.objects = []*object{o}
		if pl.flagship {
			*o.tags() = (*o.tags()).and("name", "Fontaine de la place du Marché", "drinking_water", "yes")
		}
		switch pl.fate {
		case closedInOSM:
			o.closed = true
			t := *o.tags()
			for _, kv := range slices.Concat(pl.kind.tags, pl.kind.other) {
				if t.get(kv.Key) == kv.Value {
					t = t.with(kv.Key, "").with("disused:"+kv.Key, kv.Value)
				}
			}
			*o.tags() = t.and("phone", "", "contact:phone", "", "opening_hours", "", "drinking_water", "")
		case twiceInOSM:
			t := pl.kind.tags.and("name", (*o.tags()).get("name"))
			at := o.at().polar(s.between(0, 6), s.between(3, 11))
			pl.objects = append(pl.objects, &object{node: p.m.newNode(at, t), place: pl})
		case couldBeTwo:
			*o.tags() = (*o.tags()).with("name", "")
			at := o.at().polar(s.between(0, 6), s.between(17, 26))
			pl.nearby = &object{node: p.m.newNode(at, *o.tags()), place: pl}
		}
	}
}

// mapped makes the object: a node, the tags of a building, or an area.
func (p *painter) mapped(s stream, pl *place) *object {
	t := pl.kind.tags
	if pl.kind.other != nil && s.chance(.16) {
		t = pl.kind.other
	}
	t = pl.describe(s, t)
	switch {
	case pl.site != nil:
		return &object{way: p.m.enclose(pl.site.ring, t), place: pl}
	case pl.house != nil && s.chance(.5) && pl.fate != couldBeTwo:
		pl.house.way.tags = pl.house.way.tags.and(flat(t)...)
		return &object{way: pl.house.way, place: pl}
	}
	at := pl.at.add(pt{s.NormFloat64() * 1.8, s.NormFloat64() * 1.8})
	return &object{node: p.m.newNode(at, t), place: pl}
}

func flat(t tags) []string {
	var out []string
	for _, kv := range t {
		out = append(out, kv.Key, kv.Value)
	}
	return out
}

// describe adds what a mapper wrote of the place.
func (pl *place) describe(s stream, t tags) tags {
	if name := pl.mapperName(s); name != "" {
		t = t.with("name", name)
	}
	if pl.water() {
		return pl.describeWater(s, t)
	}
	if pl.phone != "" && (s.chance(.55) || pl.quarrel == otherPhone) {
		key := "phone"
		if s.chance(.3) {
			key = "contact:phone"
		}
		t = t.with(key, pl.phone)
	}
	if pl.website != "" && s.chance(.6) {
		t = t.with("website", pl.website)
	}
	if pl.uai != "" && (s.chance(.7) || pl.fate == farAway) {
		t = t.with("ref:UAI", pl.uai)
	}
	if pl.capacity > 0 && (s.chance(.3) || pl.quarrel == otherCapacity) {
		t = t.with("capacity", strconv.Itoa(pl.capacity))
	}
	if pl.street != "" && s.chance(.3) {
		t = t.and("addr:street", pl.street, "addr:housenumber", fmt.Sprint(pl.numberIn))
	}
	if s.chance(.35) {
		t = t.with("wheelchair", pick(s, []string{"yes", "limited", "no"}))
	}
	return t
}

func (pl *place) describeWater(s stream, t tags) tags {
	if t.get("amenity") != "drinking_water" && (s.chance(.8) || pl.quarrel == otherWater) {
		t = t.with("drinking_water", map[string]string{"O": "yes", "N": "no"}[pl.potable])
	}
	if pl.quarrel == otherWater {
		t = t.and("amenity", "fountain", "drinking_water", "no")
	}
	if pl.potable == "N" && t.get("amenity") == "drinking_water" {
		t = t.with("amenity", "fountain").with("drinking_water", "no")
	}
	if pl.operator != "" && s.chance(.3) {
		t = t.with("operator", pl.operator)
	}
	if pl.season == "D'avril à octobre" && s.chance(.5) {
		t = t.with("opening_hours", "Apr-Oct")
	}
	if s.chance(.25) {
		t = t.with("bottle", pick(s, []string{"yes", "no"}))
	}
	return t
}

// mapperName is the name as the map has it: shorter, the usual one, or none.
func (pl *place) mapperName(s stream) string {
	must := pl.quarrel == otherName || pl.quarrel == misspelt
	switch {
	case pl.kind == townHall:
		return pick(s, []string{pl.name, "Mairie", "Mairie", pl.name})
	case pl.kind == postOffice && s.chance(.5):
		return "La Poste"
	case pl.water():
		if s.chance(.62) || must {
			return pl.name
		}
		return ""
	case must:
		return pl.name
	}
	switch s.weighted(.56, .16, .12, .09, .07) {
	case 1:
		if pl.uai != "" && pl.kind != college {
			return "École " + pl.given
		}
	case 2:
		return pl.given
	case 3:
		return pl.kind.prefix + " « " + pl.given + " »"
	case 4:
		return ""
	}
	return pl.name
}
