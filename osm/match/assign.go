package match

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"math"

	"calanque/geo"
)

// An outcome is what became of a record, or of an object that no record is.
type outcome struct {
	record     int // index, -1 for none
	object     int // index, -1 for none
	kind       Kind
	bits       float64
	metres     float64 // NaN when there is no pair
	reason     geo.Message
	comparison []comparison
}

// decideAll gives one outcome to every record and one to every object inside
// the territory that no record is, in the order of records, then objects. The
// pairs are all candidates within the rule's reach, in any order.
func (m *model) decideAll(recs []record, pairs []pair) []outcome {
	all := make([]*pair, len(pairs))
	for i := range pairs {
		all[i] = &pairs[i]
		m.score(all[i], &recs[all[i].rec])
	}
	d := &decision{model: m, recs: recs, rec: make([]*pair, len(recs)), obj: make([]*pair, len(m.objects)), asked: map[int]bool{}}
	m.rank(all, recs)
	d.assign(all)
	// What is taken is no alternative any more: those who are left look again.
	d.reconsider(all)
	m.rank(all, recs)
	d.assign(all)
	d.ofRec = index(all, len(recs), func(p *pair) int { return p.rec })
	d.ofObj = index(all, len(m.objects), func(p *pair) int { return p.obj })
	out := make([]outcome, 0, len(recs)+len(m.objects)/4)
	for i := range recs {
		out = append(out, d.record(i))
	}
	for j := range m.objects {
		if o, ok := d.lone(j); ok {
			out = append(out, o)
		}
	}
	return out
}

// index lists the pairs of each record or object, in the order given.
func index(pairs []*pair, n int, of func(*pair) int) [][]*pair {
	lists := make([][]*pair, n)
	for _, p := range pairs {
		lists[of(p)] = append(lists[of(p)], p)
	}
	return lists
}

// A decision is the state of one run: who has whom.
type decision struct {
	*model
	recs         []record
	ofRec, ofObj [][]*pair
	rec, obj     []*pair      // assigned, nil for none
	asked        map[int]bool // objects that an ambiguous record already asks about
}

// assign gives each object to at most one record, the surest pairs first
// (greedy: within 0.2 points of the best assignment on the labelled sets).
func (d *decision) assign(pairs []*pair) {
	for _, p := range pairs {
		if p.bits < decide {
			break
		}
		if d.rec[p.rec] == nil && d.obj[p.obj] == nil {
			d.rec[p.rec], d.obj[p.obj] = p, p
		}
	}
}

// reconsider weighs the pairs of records and objects that are both free once
// more: how unlikely it is that an unrelated object lies this near is now a
// matter of the free ones only.
func (d *decision) reconsider(pairs []*pair) {
	free := func(object int) bool { return d.obj[object] == nil }
	gain := map[int]float64{}
	for _, p := range pairs {
		if d.rec[p.rec] != nil || d.obj[p.obj] != nil {
			continue
		}
		g, known := gain[p.rec]
		if !known {
			r := &d.recs[p.rec]
			g = math.Log2(d.crowd(r, anyObject) / d.crowd(r, free))
			gain[p.rec] = g
		}
		p.bits += g
	}
}

// record decides one record.
func (d *decision) record(i int) outcome {
	r := &d.recs[i]
	if out, ok := d.outOfScope(i); ok {
		return out
	}
	p := d.rec[i]
	if p == nil {
		return d.unmatched(i)
	}
	// A free object that fits nearly as well makes the choice a person's.
	if rival := d.rival(p); rival != nil {
		return d.ambiguous(i, p.bits, p, rival)
	}
	o := &d.objects[p.obj]
	cmp := d.rule.compare(r, o)
	out := outcome{record: i, object: p.obj, bits: p.bits, metres: p.metres, comparison: cmp}
	args := d.evidence(p)
	differing := conflicts(cmp)
	switch {
	case p.sameRef && p.metres > farFactor*d.rule.Distance.Max:
		out.kind, out.reason = FarReference, geo.Message{Code: "match.far-reference", Args: args}
	case o.closed != "":
		args["prefix"] = o.closed
		out.kind, out.reason = ClosedInOSM, geo.Message{Code: "match.closed-in-osm", Args: args}
	case len(differing) > 0:
		args["fields"] = differing
		out.kind, out.reason = AttributesDiffer, geo.Message{Code: "match.attributes-differ", Args: args}
	case p.metres > d.rule.Distance.Moved:
		out.kind, out.reason = Moved, geo.Message{Code: "match.moved", Args: args}
	default:
		out.kind, out.reason = Identical, geo.Message{Code: "match.identical", Args: args}
	}
	return out
}

func (d *decision) outOfScope(i int) (outcome, bool) {
	r := &d.recs[i]
	out := outcome{record: i, object: -1, kind: OutOfScope, metres: math.NaN()}
	if !r.placed() {
		out.reason = geo.Say("match.no-geometry")
		return out, true
	}
	if _, mapped := d.rule.fits(r.category, nil); !mapped {
		out.reason = geo.Say("match.category-not-mapped", "category", r.category)
		return out, true
	}
	return out, false
}

// farFactor times the rule's reach is where a shared reference no longer means
// that the place has moved, but that one side is wrong.
const farFactor = 2.5

// rival is the best other free object of the pair's record that comes within
// the margin, or nil. Two objects of one place (a duplicate) are no rivals.
func (d *decision) rival(p *pair) *pair {
	for _, q := range d.ofRec[p.rec] {
		if q == p || d.obj[q.obj] != nil {
			continue
		}
		if p.bits-q.bits >= margin || q.bits < doubtful {
			return nil
		}
		if !d.sameObject(p.obj, q.obj) {
			return q
		}
	}
	return nil
}

// sameObject tells whether two objects look like one place mapped twice: a few
// metres apart, without names that differ.
func (d *decision) sameObject(a, b int) bool {
	x, y := &d.objects[a], &d.objects[b]
	if metresBetween(x.x, x.y, y.x, y.y) > duplicateMetres {
		return false
	}
	l, _ := compareNames(first(x.names), y.names)
	return l == nameExact || l == nameNormalised || len(x.names) == 0 || len(y.names) == 0
}

// duplicateMetres is how near two descriptions of one place in one source lie.
const duplicateMetres = 15

// unmatched decides a record that no object was given to.
func (d *decision) unmatched(i int) outcome {
	list := d.ofRec[i]
	if len(list) > 0 {
		p := list[0]
		owner := d.obj[p.obj]
		switch {
		case p.bits >= decide && owner != nil && d.sameRecord(i, owner.rec):
			args := map[string]any{"of": d.recs[owner.rec].key, "distance": round(p.metres)}
			return outcome{
				record: i, object: -1, kind: DuplicateOpenData, bits: p.bits, metres: math.NaN(),
				reason: geo.Message{Code: "match.duplicate-open-data", Args: args},
			}
		case owner == nil && p.bits >= doubtful:
			return d.ambiguous(i, p.bits, p)
		}
	}
	args := map[string]any{"radius": d.rule.Distance.Max}
	if near := d.nearest(i); near != nil {
		args["nearest"] = round(near.metres)
		args["nearest_name"] = first(d.objects[near.obj].names)
	}
	return outcome{
		record: i, object: -1, kind: OnlyOpenData, metres: math.NaN(),
		reason: geo.Message{Code: "match.only-open-data", Args: args},
	}
}

// sameRecord tells whether two records look like one place delivered twice.
func (d *decision) sameRecord(a, b int) bool {
	x, y := &d.recs[a], &d.recs[b]
	metres := metresBetween(x.x, x.y, y.x, y.y)
	var names []string
	if y.name != "" {
		names = []string{y.name}
	}
	switch l, _ := compareNames(x.name, names); l {
	case nameExact, nameNormalised, nameSimilar:
		return metres <= d.rule.Distance.Max
	case nameMissing:
		return metres <= duplicateMetres
	}
	return false
}

func (d *decision) nearest(i int) *pair {
	var best *pair
	for _, p := range d.ofRec[i] {
		if best == nil || p.metres < best.metres {
			best = p
		}
	}
	return best
}

func (d *decision) ambiguous(i int, bits float64, candidates ...*pair) outcome {
	list := make([]map[string]any, 0, len(candidates))
	for _, p := range candidates {
		o := &d.objects[p.obj]
		d.asked[p.obj] = true
		list = append(list, map[string]any{"osm": o.key, "name": first(o.names), "distance": round(p.metres)})
	}
	code := "match.ambiguous"
	if len(candidates) == 1 {
		code = "match.doubtful"
	}
	return outcome{
		record: i, object: -1, kind: Ambiguous, bits: bits, metres: candidates[0].metres,
		reason:     geo.Say(code, "count", len(candidates), "candidates", list),
		comparison: d.rule.compare(&d.recs[i], &d.objects[candidates[0].obj]),
	}
}

// evidence is what the sentence of a match is built from.
func (d *decision) evidence(p *pair) map[string]any {
	args := map[string]any{"distance": round(p.metres), "name": string(p.level)}
	if p.sameRef {
		args["reference"] = d.recs[p.rec].ref
	}
	for _, q := range d.ofRec[p.rec] {
		if q != p {
			args["runner_up"] = round(q.metres)
			args["runner_up_name"] = first(d.objects[q.obj].names)
			return args
		}
	}
	args["none_within"] = d.rule.Distance.Max
	return args
}

// lone decides an object that no record was given: the territory's own, or a
// second copy of one that has its record.
func (d *decision) lone(j int) (outcome, bool) {
	o := &d.objects[j]
	if !o.inside || o.closed != "" || d.obj[j] != nil || d.asked[j] {
		return outcome{}, false
	}
	out := outcome{record: -1, object: j, kind: OnlyOSM, metres: math.NaN(), reason: geo.Say("match.only-osm", "radius", d.rule.Distance.Max)}
	for _, p := range d.ofObj[j] {
		twin := d.rec[p.rec]
		if twin == nil || p.bits < decide {
			continue
		}
		if d.sameObject(j, twin.obj) {
			out.kind = DuplicateOSM
			out.reason = geo.Say("match.duplicate-osm", "of", d.objects[twin.obj].key, "record", d.recs[p.rec].key)
			break
		}
	}
	return out, true
}

// conflicts lists the fields whose values contradict each other. What OSM
// merely lacks is in the comparison, and makes no difference.
func conflicts(list []comparison) []string {
	var fields []string
	for _, c := range list {
		if c.Is == conflict {
			fields = append(fields, c.Field)
		}
	}
	return fields
}

func round(metres float64) float64 { return math.Round(metres) }

// fingerprint identifies what an outcome judged: a verdict on it holds while
// this is the same. Positions count to the metre.
func (m *model) fingerprint(o *outcome, recs []record) []byte {
	type place struct {
		Key  string
		X, Y float64
		Name string
	}
	var judged struct {
		Kind        Kind
		Record, OSM place
		Compared    []comparison
	}
	judged.Kind, judged.Compared = o.kind, o.comparison
	if o.record >= 0 {
		r := &recs[o.record]
		judged.Record = place{r.key, metre(r.x), metre(r.y), r.name}
	}
	if o.object >= 0 {
		b := &m.objects[o.object]
		judged.OSM = place{b.key, metre(b.x), metre(b.y), first(b.names)}
	}
	bytes, err := json.Marshal(judged)
	if err != nil {
		panic(fmt.Sprintf("match: fingerprint: %v", err)) // plain strings and finite numbers
	}
	sum := sha256.Sum256(bytes)
	return sum[:16]
}

func metre(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return math.Round(v)
}
