package sample

import "strings"

// edit is a day of mapping after edition 1: some disagreements are mended,
// some objects move, close or go, new ones come. Nothing else changes: ids of
// edition 1 stay, versions grow.
func (p *painter) edit(s stream, themes ...[]*place) {
	for _, places := range themes {
		done := map[string]int{}
		some := func(what string, most int) bool {
			if done[what] >= most {
				return false
			}
			done[what]++
			return true
		}
		for _, k := range s.Perm(len(places)) {
			p.editPlace(s, places[k], some)
		}
	}
	p.editGround()
}

// editPlace does at most one edit to the place's objects; some says whether
// there may be another of its sort.
func (p *painter) editPlace(s stream, pl *place, some func(what string, most int) bool) {
	if pl.fate == onlyPartner {
		if some("mapped", 3) {
			pl.objects = []*object{{node: p.m.newNode(pl.at, pl.kind.tags.and("name", pl.name)), place: pl}}
		}
		return
	}
	o := pl.objects[0]
	switch {
	case pl.fate == twiceInOSM && some("merged", 2):
		pl.objects[1].node.gone = true
		pl.objects = pl.objects[:1]
	case pl.fate == closedInOSM && some("reopened", 1):
		t := *o.tags()
		for _, kv := range t {
			if key, ok := strings.CutPrefix(kv.Key, "disused:"); ok {
				t = t.with(kv.Key, "").with(key, kv.Value)
			}
		}
		*o.tags(), o.closed = t, false
		o.touch()
	case pl.fate != inBoth:
	case pl.quarrel == otherName && !pl.flagship && some("name", 2):
		*o.tags(), o.mended = (*o.tags()).with("name", pl.written), true
		o.touch()
	case pl.quarrel == otherPhone && some("phone", 2):
		*o.tags() = (*o.tags()).and("phone", "", "contact:phone", "")
		o.touch()
	case pl.quarrel == otherWater && some("water", 2):
		*o.tags() = (*o.tags()).with("drinking_water", "yes")
		o.touch()
	case pl.shifted && o.node != nil && some("moved", 2):
		p.move(o.node, pl.at.polar(s.between(0, 6), 3))
		o.touch()
	case pl.quarrel == none && o.node != nil && some("moved away", 2):
		p.move(o.node, pl.at.polar(s.between(0, 6), 120))
		o.touch()
	case pl.quarrel == none && o.node != nil && some("deleted", 2):
		o.node.gone = true
		pl.objects = nil
	case pl.quarrel == none && !pl.flagship && some("closed", 2):
		t := *o.tags()
		for _, kv := range t {
			if kv.Key == "amenity" || kv.Key == "leisure" || kv.Key == "man_made" {
				t = t.with(kv.Key, "").with("disused:"+kv.Key, kv.Value)
			}
		}
		*o.tags(), o.closed = t, true
		o.touch()
	}
}

// editGround changes what no partner knows of: a pool goes, a house comes, a
// street gets a name, a corner moves.
func (p *painter) editGround() {
	var filled, named, bent bool
	for _, w := range p.m.ways {
		switch {
		case !filled && w.tags.get("leisure") == "swimming_pool" && w.tags.get("access") == "private":
			filled, w.gone = true, true
			for _, n := range w.nodes {
				n.gone = true
			}
		case !named && w.tags.get("highway") == "residential" && w.tags.get("name") == "":
			named = true
			w.tags = w.tags.with("name", "Rue de l'Édition Nouvelle")
			w.version++
		case !bent && w.tags.get("natural") == "coastline" && len(w.nodes) > 4:
			bent = true
			n := w.nodes[2]
			p.move(n, n.at.lerp(w.nodes[1].at.lerp(w.nodes[3].at, .5), .5))
			n.version++
		}
	}
	p.m.enclose(rect(pt{4180, 640}, pt{1, 0}.turn(.2), 13, 10), tagged("building", "house"))
}

func (p *painter) move(n *node, to pt) {
	n.at = to
	n.lon, n.lat = to.degrees()
}
