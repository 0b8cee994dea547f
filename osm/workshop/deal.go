package workshop

import (
	"cmp"
	"math"
	"slices"

	"calanque/geo"
	"calanque/osm/match"
)

// The sizes of C3: how many questions a room gets, and how they are dealt.
const (
	maxCells     = 12
	minPerCell   = 6
	maxPerCell   = 12
	fewTasks     = 10 // under so many, a warning
	minutesEach  = 4  // a question on screen takes
	roomFactor   = 1.5
	maxPerPerson = 4
	apartMetres  = 30 // two claimed questions are at least so far apart, where that can be
)

// wanted is how many questions suit a room: 1.5 · people · minutes ÷ 4, never
// above 4 for each person, nor above what twelve cells hold.
func wanted(people, minutes int) int {
	n := int(roomFactor * float64(people) * float64(minutes) / minutesEach)
	return max(1, min(n, maxPerPerson*people, maxCells*maxPerCell))
}

// cellsFor is how many cells n questions make: as many as hold six.
func cellsFor(n int) int { return max(1, min(maxCells, n/minPerCell)) }

// A spot is a question's place in metres of EPSG:3857.
type spot struct {
	x, y     float64
	task     int // index
	priority float64
}

// priority is the expected information of an answer: how unsure the matcher
// is, less for what has been visited already, more for what somebody at a desk
// asked people to look at.
func priority(t *Task) float64 {
	weight := map[match.Kind]float64{
		match.Ambiguous: 1, match.OnlyOpenData: .95, match.OnlyOSM: .9, match.ClosedInOSM: .85, match.AttributesDiffer: .8,
		match.FarReference: .75, match.Moved: .7, match.DuplicateOpenData: .6, match.DuplicateOSM: .6,
	}[t.Kind]
	if t.wanted {
		weight *= 2
	}
	return weight / float64(1+t.visits)
}

// spreadMetres is how near to a chosen question another one begins to count
// for less.
const spreadMetres = 150

// choose takes n spots: the most informative, spread over the area. The same
// spots give the same choice.
func choose(spots []spot, n int) []spot {
	if len(spots) <= n {
		return spots
	}
	rest := slices.Clone(spots)
	slices.SortStableFunc(rest, func(a, b spot) int { return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.task, b.task)) })
	nearest := make([]float64, len(rest))
	for i := range nearest {
		nearest[i] = spreadMetres
	}
	var chosen []spot
	for len(chosen) < n {
		best, value := -1, -1.0
		for i := range rest {
			if v := rest[i].priority * (.1 + nearest[i]/spreadMetres); v > value {
				best, value = i, v
			}
		}
		s := rest[best]
		chosen = append(chosen, s)
		rest, nearest = slices.Delete(rest, best, best+1), slices.Delete(nearest, best, best+1)
		for i := range rest {
			nearest[i] = min(nearest[i], metres(rest[i], s))
		}
	}
	return chosen
}

// metres is the distance on the ground.
func metres(a, b spot) float64 {
	return math.Hypot(a.x-b.x, a.y-b.y) / math.Cosh((a.y+b.y)/2/earthRadius)
}

const earthRadius = 6378137

// A part is a rectangle (EPSG:3857) and the spots in it.
type part struct {
	box   geo.Box
	spots []spot
}

// split deals spots into k rectangles that tile the box, of nearly the same
// number of spots each: it halves along the longer side, again and again.
// They come in reading order, north and west first.
func split(spots []spot, k int, box geo.Box) []part {
	if k == 1 {
		return []part{{box, walk(spots, box)}}
	}
	first := k / 2
	// What every cell needs, so that sizes stay within their bounds.
	least, most := minPerCell*first, len(spots)-minPerCell*(k-first)
	n := min(max((len(spots)*first+k/2)/k, least), most)
	least, most = max(least, len(spots)-maxPerCell*(k-first)), min(most, maxPerCell*first)
	east := box.MaxX-box.MinX >= box.MaxY-box.MinY
	spots, at, gap := cut(spots, east, n, least, most)
	if !gap { // all in one line: across it, then
		if other, m, ok := cut(spots, !east, n, least, most); ok {
			spots, at, east, gap = other, m, !east, true
		}
	}
	coordinate, low, high := func(s spot) float64 { return s.x }, box.MinX, box.MaxX
	if !east {
		coordinate, low, high = func(s spot) float64 { return s.y }, box.MinY, box.MaxY
	}
	line := (coordinate(spots[at-1]) + coordinate(spots[at])) / 2
	// A heap on the edge that is more than a cell: each needs an area all the same.
	strip := min(.2, (high-low)/8)
	line = min(max(line, low+strip), high-strip)
	a, b := box, box
	if east {
		a.MaxX, b.MinX = line, line
	} else {
		a.MinY, b.MaxY = line, line
	}
	return append(split(spots[:at], first, a), split(spots[at:], k-first, b)...)
}

// gapMetres is how far apart two spots are for a line to run between them.
const gapMetres = .1

// cut orders spots from west to east, or north to south, and finds where to
// part them: as near to n as a gap allows, between least and most. Without a
// gap it is n, and false.
func cut(spots []spot, east bool, n, least, most int) ([]spot, int, bool) {
	spots = slices.Clone(spots)
	along := func(s spot) float64 { return -s.y }
	if east {
		along = func(s spot) float64 { return s.x }
	}
	slices.SortStableFunc(spots, func(a, b spot) int { return cmp.Or(cmp.Compare(along(a), along(b)), cmp.Compare(a.task, b.task)) })
	for d := range len(spots) {
		for _, at := range []int{n - d, n + d} {
			if at >= max(least, 1) && at <= min(most, len(spots)-1) && along(spots[at])-along(spots[at-1]) > gapMetres {
				return spots, at, true
			}
		}
	}
	return spots, n, false
}

// walk orders spots as one goes from one to the nearest next, from the north
// west.
func walk(spots []spot, box geo.Box) []spot {
	rest := slices.Clone(spots)
	at := spot{x: box.MinX, y: box.MaxY}
	var path []spot
	for len(rest) > 0 {
		best := 0
		for i := range rest {
			if d, e := metres(rest[i], at), metres(rest[best], at); d < e || d == e && rest[i].task < rest[best].task {
				best = i
			}
		}
		at = rest[best]
		path = append(path, at)
		rest = slices.Delete(rest, best, best+1)
	}
	return path
}
