package osm

import (
	"runtime"
	"slices"

	"calanque/geo"
	"calanque/osm/pbf"
)

func processors() int { return runtime.GOMAXPROCS(0) }

// A worker turns objects into rows, in one goroutine. Its batches go to the
// spools with flush.
type worker struct {
	x                    *read
	points, lines, areas *batch
	problems             []Problem
	kept                 []keptWay

	locs  []location
	ring  []point
	keys  []uint64
	hint  int
	begun int // problems of the objects before this one
}

func newWorker(x *read) *worker {
	return &worker{x: x, points: newBatch(), lines: newBatch(), areas: newBatch()}
}

func (w *worker) flush() error {
	if len(w.problems) > 0 {
		w.x.mu.Lock()
		w.x.problems = append(w.x.problems, w.problems...)
		w.x.mu.Unlock()
		w.problems = w.problems[:0]
	}
	if len(w.kept) > 0 {
		w.x.mu.Lock()
		w.x.kept = append(w.x.kept, w.kept...)
		w.x.mu.Unlock()
		w.kept = w.kept[:0]
	}
	if err := w.x.points.take(w.points); err != nil {
		return err
	}
	if err := w.x.lines.take(w.lines); err != nil {
		return err
	}
	return w.x.areas.take(w.areas)
}

// begin is called before an object is drawn, end after: only then is it known
// whether it was.
func (w *worker) begin() { w.begun = len(w.problems) }

func (w *worker) problem(o object, code string, args ...any) {
	w.problems = append(w.problems, Problem{Type: o.kind, ID: o.id, Message: geo.Say(code, args...)})
}

func (w *worker) end(o object, drawn bool) {
	if drawn {
		for _, t := range o.tags {
			if !storable(t.Key) || !storable(t.Value) {
				w.problem(o, textRepaired, "tag", clean(t.Key))
			}
		}
	}
	for i := w.begun; i < len(w.problems); i++ {
		w.problems[i].Drawn = drawn
	}
}

func (w *worker) node(o object, l location) {
	w.begin()
	if l.nowhere() {
		w.problem(o, nodeNowhere)
		w.end(o, false)
		return
	}
	w.x.places.add(o.id, l)
	if len(o.tags) == 0 || !meaningful(o.tags) {
		return
	}
	p := l.project()
	w.points.geom = appendPoint(w.points.geom[:0], p)
	w.points.add(o, box{p.x, p.y, p.x, p.y}, false)
	w.end(o, true)
}

func (w *worker) way(o object, refs []int64) {
	bare, wanted := w.x.wanted[o.id]
	if !wanted && !meaningful(o.tags) {
		return
	}
	if w.x.lists(o.tags) {
		w.kept = append(w.kept, keptWay{o.id, slices.Clone(refs)})
	}
	var runs [][]location
	var missing int
	w.locs, missing = w.x.locate(w.locs[:0], refs, &w.hint, func(run []location) {
		if wanted {
			runs = append(runs, slices.Clone(run))
		}
	})
	closed := len(refs) >= 4 && refs[0] == refs[len(refs)-1]
	if wanted {
		m := &memberWay{object: o, refs: len(refs), runs: runs, closed: closed, missing: missing}
		m.tags = slices.Clone(o.tags)
		w.x.mu.Lock()
		w.x.ways[o.id] = m
		w.x.mu.Unlock()
	}
	if !bare {
		w.drawWay(o, w.locs, len(refs), closed, missing)
	}
}

// late draws a way that was kept back.
func (w *worker) late(m *memberWay) {
	w.locs = w.locs[:0]
	for _, run := range m.runs {
		w.locs = append(w.locs, run...)
	}
	w.drawWay(m.object, w.locs, m.refs, m.closed, m.missing)
}

// locate gives the locations of nodes, without those that are missing and
// without repeating one that lies where the last did. It calls run with each
// stretch that no missing node breaks.
func (x *read) locate(dst []location, refs []int64, hint *int, run func([]location)) ([]location, int) {
	missing, start := 0, 0
	for _, ref := range refs {
		l, ok := x.places.find(ref, hint)
		if !ok {
			missing++
			if len(dst) > start {
				run(dst[start:])
			}
			start = len(dst)
			continue
		}
		if n := len(dst); n == start || dst[n-1] != l {
			dst = append(dst, l)
		}
	}
	if len(dst) > start {
		run(dst[start:])
	}
	return dst, missing
}

// drawWay draws a way as an area or a line. An area that can't be drawn is
// drawn as the line it certainly is.
func (w *worker) drawWay(o object, locs []location, refs int, closed bool, missing int) {
	w.begin()
	if missing > 0 {
		w.problem(o, nodesMissing, "missing", missing, "of", refs)
	}
	if !meaningful(o.tags) {
		w.end(o, false)
		return
	}
	if !closed && missing == 0 && mustClose(o.tags) {
		w.problem(o, areaOpen, "ends", 2, "lon", degrees(locs, 0).lon, "lat", degrees(locs, 0).lat)
	}
	drawn := closed && missing == 0 && isArea(o.tags) && w.drawRing(o, locs)
	if !drawn {
		drawn = w.drawLine(o, locs)
	}
	w.end(o, drawn)
}

func (w *worker) drawLine(o object, locs []location) bool {
	locs = slices.Compact(locs) // runs may meet
	if len(locs) < 2 {
		w.problem(o, wayShort, "nodes", len(locs))
		return false
	}
	w.ring = projectAll(w.ring, locs)
	w.lines.geom = appendLine(w.lines.geom[:0], w.ring)
	w.lines.add(o, boxOf(w.ring), false)
	return true
}

// drawRing draws a closed way as an area.
func (w *worker) drawRing(o object, locs []location) bool {
	ring := locs[:max(0, len(locs)-1)] // the last is the first
	if len(ring) >= 3 && !repeats(ring, &w.keys) {
		w.ring = projectAll(w.ring, ring)
		if !collinear(w.ring) {
			if area2(w.ring) < 0 {
				slices.Reverse(w.ring)
			}
			w.drawArea(o, []polygon{{w.ring}}, !provenSimple(w.ring))
			return true
		}
	}
	a := assemble([][]location{locs})
	if a.twice > 0 {
		w.problem(o, segmentsTwice, "segments", a.twice)
	}
	if len(a.polygons) == 0 {
		w.problem(o, areaFlat)
		return false
	}
	w.drawArea(o, a.polygons, true)
	return true
}

func (w *worker) drawArea(o object, polygons []polygon, check bool) {
	bounds := emptyBox()
	for _, p := range polygons {
		for _, c := range p[0] {
			bounds.extend(c)
		}
	}
	w.areas.geom = appendPolygons(w.areas.geom[:0], polygons)
	w.areas.add(o, bounds, check)
}

// relation draws the area that a relation describes.
func (w *worker) relation(r areaRelation) {
	w.begin()
	o := r.object
	pieces := w.pieces(r)
	var bare bool
	if o.tags, bare = ownTags(r.tags); bare {
		if o.tags = pieces.commonTags(); !meaningful(o.tags) {
			w.problem(o, relationBare)
			w.end(o, false)
			return
		}
	}
	a := assemble(pieces.lines)
	if a.twice > 0 {
		w.problem(o, segmentsTwice, "segments", a.twice)
	}
	if len(a.open) > 0 {
		at := degrees(a.open, 0)
		w.problem(o, areaOpen, "ends", len(a.open), "lon", at.lon, "lat", at.lat)
		if pieces.missing > 0 && pieces.outerIn(a.openIn) {
			a.polygons = nil // cut at the extract's border: the rest would pass for the whole
		}
	} else if len(a.polygons) == 0 && len(pieces.lines) > 0 && pieces.missing == 0 {
		w.problem(o, areaFlat)
	}
	if len(a.polygons) == 0 {
		w.end(o, false)
		return
	}
	w.drawArea(o, a.polygons, true)
	w.x.fromRelations.Add(1)
	if bare {
		w.x.oldStyle.Add(1)
		w.absorb(pieces, o.tags)
	}
	w.end(o, true)
}

// absorb notes the members that carry the area's tags only because the
// relation does not: they are its border, not objects of their own.
func (w *worker) absorb(p *pieces, tags []pbf.Tag) {
	w.x.mu.Lock()
	defer w.x.mu.Unlock()
	for _, m := range p.ways {
		if sameThing(m.tags, tags) {
			w.x.absorbed[m.id] = true
		}
	}
}

// The pieces of a relation's border that are there.
type pieces struct {
	ways    []*memberWay // each once
	outer   []bool       // by way
	lines   [][]location
	of      []int // the way of each line
	missing int
}

func (w *worker) pieces(r areaRelation) *pieces {
	p := &pieces{}
	seen := make(map[int64]bool, len(r.members))
	members, relations := 0, 0
	for _, m := range r.members {
		if m.Type == 'r' && (m.Role == "outer" || m.Role == "inner") {
			relations++
		}
		if m.Type != 'w' || seen[m.Ref] {
			continue // labels and centres are no border; a border is there once
		}
		members++
		seen[m.Ref] = true
		way := w.x.ways[m.Ref]
		if way == nil {
			p.missing++
			continue
		}
		if way.missing > 0 {
			p.missing++
		}
		for _, run := range way.runs {
			p.lines, p.of = append(p.lines, run), append(p.of, len(p.ways))
		}
		p.ways, p.outer = append(p.ways, way), append(p.outer, m.Role != "inner")
	}
	if p.missing > 0 {
		w.problem(r.object, membersMissing, "missing", p.missing, "of", members)
	}
	if relations > 0 {
		w.problem(r.object, memberRelation, "relations", relations)
	}
	if members == 0 && relations == 0 {
		w.problem(r.object, membersMissing, "missing", 0, "of", 0)
	}
	return p
}

// commonTags are the tags that all outer ways share.
func (p *pieces) commonTags() []pbf.Tag {
	var common []pbf.Tag
	first := true
	for i, way := range p.ways {
		switch {
		case !p.outer[i]:
		case first:
			common, first = way.tags, false
		default:
			common = commonTags(common, way.tags)
		}
	}
	return common
}

// outerIn reports whether one of the lines is of an outer way.
func (p *pieces) outerIn(lines []int) bool {
	for _, l := range lines {
		if p.outer[p.of[l]] {
			return true
		}
	}
	return false
}

// mustClose reports whether a way with these tags is an area or an error.
func mustClose(tags []pbf.Tag) bool {
	for _, t := range tags {
		switch t.Key {
		case "area":
			if t.Value == "yes" {
				return true
			}
		case "building", "building:part", "landuse":
			if t.Value != "no" {
				return true
			}
		}
	}
	return false
}

type lonLat struct{ lon, lat float64 }

// degrees gives one of the locations for a message; zero when there is none.
func degrees(ls []location, i int) lonLat {
	if i >= len(ls) {
		return lonLat{}
	}
	return lonLat{pbf.Degrees(ls[i].lon), pbf.Degrees(ls[i].lat)}
}
