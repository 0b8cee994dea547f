package osm

import (
	"cmp"
	"math"
	"slices"
)

// Assembly makes polygons of pieces of border, whatever their order, direction
// and roles: the even-odd rule decides what is inside, as in osmium. The
// pieces are cut into segments; segments that lie on each other cancel in
// pairs. What is left is a plane graph whose every corner has an even number
// of segments, or is open there. Its faces are walked with the inside on the
// left, so rings that touch at corners come out as OGC wants them: no ring
// touches itself, and an inside that hangs together only by corners becomes
// several polygons.

// An assembly is what assembling gave.
type assembly struct {
	polygons []polygon
	twice    int        // segments that cancelled each other, in pairs
	open     []location // ends that do not close, the first few
	openIn   []int      // pieces with segments that were left out
}

// A graph is the segments of a border. Half-edge 2i runs along segment i, 2i+1
// against it.
type graph struct {
	where   []location
	corner  []point
	segment [][2]int32 // from, to
	piece   []int32    // of each segment: the line it is of

	out  [][]int32 // half-edges that leave a corner, counter-clockwise
	next []int32   // half-edge after a half-edge, with the same face on its left
	face []int32   // of a half-edge
	walk [][]int32 // half-edges round a face
	area []float64 // twice the signed area of a walk
	odd  []bool    // whether a face is inside
}

// A part is a connected part of a graph.
type part struct {
	outer    int32 // the face around it
	start    point // one of its corners
	box      box
	segments []int32
}

// assemble gives the polygons of the pieces of a border, the largest first.
func assemble(lines [][]location) assembly {
	var a assembly
	g := &graph{}
	a.twice = g.cut(lines)
	g.close(&a)
	if len(g.segment) == 0 {
		return a
	}
	g.sortCorners()
	g.walkFaces()
	g.colour()
	a.polygons = g.polygons()
	return a
}

// cut fills the graph with the segments that are there an odd number of times.
func (g *graph) cut(lines [][]location) (twice int) {
	index := map[uint64]int32{}
	corner := func(l location) int32 {
		i, ok := index[l.key()]
		if !ok {
			i = int32(len(g.where))
			index[l.key()] = i
			g.where = append(g.where, l)
			g.corner = append(g.corner, l.project())
		}
		return i
	}
	type seg struct{ a, b, piece, place int32 } // a < b
	var all []seg
	for p, line := range lines {
		for i := 1; i < len(line); i++ {
			a, b := corner(line[i-1]), corner(line[i])
			if a == b {
				continue
			}
			all = append(all, seg{min(a, b), max(a, b), int32(p), int32(len(all))})
		}
	}
	slices.SortFunc(all, func(x, y seg) int {
		if x.a != y.a {
			return int(x.a - y.a)
		}
		if x.b != y.b {
			return int(x.b - y.b)
		}
		return int(x.place - y.place)
	})
	for i := 0; i < len(all); {
		j := i + 1
		for j < len(all) && all[j].a == all[i].a && all[j].b == all[i].b {
			j++
		}
		twice += (j - i) / 2
		if (j-i)%2 == 1 {
			g.segment = append(g.segment, [2]int32{all[i].a, all[i].b})
			g.piece = append(g.piece, all[i].piece)
		}
		i = j
	}
	return twice
}

// close leaves out what can't be part of a closed ring: first all that hangs
// at an open end, then every part that still has a corner with an odd number
// of segments.
func (g *graph) close(a *assembly) {
	degree := make([]int32, len(g.where))
	touch := make([][]int32, len(g.where)) // segments at a corner
	for i, s := range g.segment {
		for _, c := range s {
			degree[c]++
			touch[c] = append(touch[c], int32(i))
		}
	}
	var ends []int32
	for c, d := range degree {
		if d%2 == 1 {
			if len(a.open) < 4 {
				a.open = append(a.open, g.where[c])
			}
			if d == 1 {
				ends = append(ends, int32(c))
			}
		}
	}
	if len(a.open) == 0 {
		return
	}
	gone := make([]bool, len(g.segment))
	for len(ends) > 0 {
		c := ends[len(ends)-1]
		ends = ends[:len(ends)-1]
		for _, s := range touch[c] {
			if gone[s] {
				continue
			}
			gone[s] = true
			for _, d := range g.segment[s] {
				if degree[d]--; degree[d] == 1 {
					ends = append(ends, d)
				}
			}
		}
	}
	root := g.roots()
	bad := map[int32]bool{}
	for c, d := range degree {
		if d%2 == 1 {
			bad[root[c]] = true
		}
	}
	for i, s := range g.segment {
		gone[i] = gone[i] || bad[root[s[0]]]
	}
	g.drop(gone, a)
}

// drop takes segments out and notes their pieces.
func (g *graph) drop(gone []bool, a *assembly) {
	kept := 0
	for i := range g.segment {
		if gone[i] {
			if p := int(g.piece[i]); !slices.Contains(a.openIn, p) {
				a.openIn = append(a.openIn, p)
			}
			continue
		}
		g.segment[kept], g.piece[kept] = g.segment[i], g.piece[i]
		kept++
	}
	g.segment, g.piece = g.segment[:kept], g.piece[:kept]
	slices.Sort(a.openIn)
}

// roots gives each corner the first corner of its connected part.
func (g *graph) roots() []int32 {
	root := make([]int32, len(g.where))
	for i := range root {
		root[i] = int32(i)
	}
	find := func(i int32) int32 {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, s := range g.segment {
		if a, b := find(s[0]), find(s[1]); a != b {
			root[max(a, b)] = min(a, b)
		}
	}
	for i := range root {
		root[i] = find(int32(i))
	}
	return root
}

func (g *graph) from(h int32) int32 { return g.segment[h>>1][h&1] }

func (g *graph) to(h int32) int32 { return g.segment[h>>1][1-h&1] }

// sortCorners puts the half-edges that leave each corner in counter-clockwise
// order and finds the next half-edge of each.
func (g *graph) sortCorners() {
	g.out = make([][]int32, len(g.where))
	for h := range int32(2 * len(g.segment)) {
		c := g.from(h)
		g.out[c] = append(g.out[c], h)
	}
	g.next = make([]int32, 2*len(g.segment))
	for c, out := range g.out {
		if len(out) > 2 {
			g.sortAround(g.corner[c], out)
		}
		for i, h := range out {
			// Arriving against h, the face on the left goes on along the
			// half-edge that is next clockwise.
			g.next[h^1] = out[(i+len(out)-1)%len(out)]
		}
	}
}

func (g *graph) sortAround(o point, out []int32) {
	slices.SortStableFunc(out, func(a, b int32) int {
		p, q := g.corner[g.to(a)], g.corner[g.to(b)]
		if up, vp := p.y > o.y || p.y == o.y && p.x > o.x, q.y > o.y || q.y == o.y && q.x > o.x; up != vp {
			if up {
				return -1
			}
			return 1
		}
		det, _ := orientation(p, q, o)
		switch {
		case det > 0:
			return -1
		case det < 0:
			return 1
		default:
			return 0
		}
	})
}

// walkFaces walks round each face once.
func (g *graph) walkFaces() {
	g.face = make([]int32, len(g.next))
	for h := range g.face {
		g.face[h] = -1
	}
	for h := range int32(len(g.next)) {
		if g.face[h] >= 0 {
			continue
		}
		f := int32(len(g.walk))
		var walk []int32
		for at := h; g.face[at] < 0; at = g.next[at] {
			g.face[at] = f
			walk = append(walk, at)
		}
		g.walk = append(g.walk, walk)
		g.area = append(g.area, area2(g.ring(walk)))
	}
}

// ring is the corners along half-edges.
func (g *graph) ring(walk []int32) []point {
	r := make([]point, len(walk))
	for i, h := range walk {
		r[i] = g.corner[g.from(h)]
	}
	return r
}

// colour decides which faces are inside: crossing a segment changes sides, and
// round each connected part the side is found by counting the segments of the
// other parts on a ray.
func (g *graph) colour() {
	parts := g.connected()
	g.odd = make([]bool, len(g.walk))
	known := make([]bool, len(g.walk))
	for i := range parts {
		f := parts[i].outer
		g.odd[f], known[f] = g.inside(i, parts), true
		for todo := []int32{f}; len(todo) > 0; {
			f := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, h := range g.walk[f] {
				if over := g.face[h^1]; !known[over] {
					known[over], g.odd[over] = true, !g.odd[f]
					todo = append(todo, over)
				}
			}
		}
	}
}

// connected gives the connected parts; the face around each is the one walk
// that runs clockwise.
func (g *graph) connected() []part {
	root := g.roots()
	number := map[int32]int{}
	var parts []part
	for i, s := range g.segment {
		n, ok := number[root[s[0]]]
		if !ok {
			n = len(parts)
			number[root[s[0]]] = n
			parts = append(parts, part{outer: -1, start: g.corner[s[0]], box: emptyBox()})
		}
		p := &parts[n]
		p.segments = append(p.segments, int32(i))
		p.box.extend(g.corner[s[0]])
		p.box.extend(g.corner[s[1]])
	}
	for f := range int32(len(g.walk)) {
		p := &parts[number[root[g.from(g.walk[f][0])]]]
		if p.outer < 0 || g.area[f] < g.area[p.outer] {
			p.outer = f
		}
	}
	return parts
}

// inside reports whether the surroundings of a part lie inside the others.
func (g *graph) inside(i int, parts []part) bool {
	in := false
	for j := range parts {
		if j == i || !parts[j].box.contains(parts[i].start) {
			continue
		}
		for _, s := range parts[j].segments {
			if rayCrosses(g.corner[g.segment[s][0]], g.corner[g.segment[s][1]], parts[i].start) {
				in = !in
			}
		}
	}
	return in
}

// polygons makes one polygon of each face that is inside.
func (g *graph) polygons() []polygon {
	var shells, holes [][]point
	for f, walk := range g.walk {
		if !g.odd[f] {
			continue
		}
		for _, loop := range g.loops(walk) {
			if area2(loop) > 0 {
				shells = append(shells, loop)
			} else {
				holes = append(holes, loop)
			}
		}
	}
	sortByArea(shells)
	polygons := make([]polygon, len(shells))
	boxes := make([]box, len(shells))
	for i, s := range shells {
		polygons[i], boxes[i] = polygon{s}, boxOf(s)
	}
	for _, h := range holes {
		hb := boxOf(h)
		for i := len(shells) - 1; i >= 0; i-- { // the smallest that holds it
			if within(hb, boxes[i]) && ringIn(h, shells[i]) {
				polygons[i] = append(polygons[i], h)
				break
			}
		}
	}
	return polygons
}

// loops cuts a walk where it comes to a corner again.
func (g *graph) loops(walk []int32) [][]point {
	var loops [][]point
	var path []int32 // corners
	seen := make(map[int32]int, len(walk))
	for _, h := range walk {
		c := g.from(h)
		if i, again := seen[c]; again {
			loops = append(loops, g.points(path[i:]))
			for _, d := range path[i:] {
				delete(seen, d)
			}
			path = path[:i]
		}
		seen[c] = len(path)
		path = append(path, c)
	}
	return append(loops, g.points(path))
}

func (g *graph) points(corners []int32) []point {
	r := make([]point, len(corners))
	for i, c := range corners {
		r[i] = g.corner[c]
	}
	return r
}

// sortByArea puts large rings first; equal ones stay in their order.
func sortByArea(rings [][]point) {
	slices.SortStableFunc(rings, func(a, b []point) int {
		return cmp.Compare(math.Abs(area2(b)), math.Abs(area2(a)))
	})
}

func within(inner, outer box) bool {
	return inner.minX >= outer.minX && inner.maxX <= outer.maxX && inner.minY >= outer.minY && inner.maxY <= outer.maxY
}

// ringIn reports whether a ring that does not cross another lies inside it. It
// asks for the middle of a side: a corner might be shared.
func ringIn(r, outer []point) bool {
	return holds(outer, point{(r[0].x + r[1].x) / 2, (r[0].y + r[1].y) / 2})
}
