package sample

import (
	"cmp"
	"math"
	"slices"
)

// segments finds the sides of lines near a place.
type segments struct {
	cell  float64
	lines []line
	cells map[[2]int32][]segment
}

type segment struct{ line, end int32 } // the side from end-1 to end

func newSegments(lines []line, cell float64) *segments {
	s := &segments{cell, lines, map[[2]int32][]segment{}}
	for k, l := range lines {
		for i := 1; i < len(l); i++ {
			s.visit(l[i-1], l[i], func(c [2]int32) {
				s.cells[c] = append(s.cells[c], segment{int32(k), int32(i)})
			})
		}
	}
	return s
}

// visit calls fn for every cell that the side's box meets.
func (s *segments) visit(a, b pt, fn func(c [2]int32)) {
	e := boxOf(line{a, b})
	for x := int32(math.Floor(e.X0 / s.cell)); x <= int32(math.Floor(e.X1/s.cell)); x++ {
		for y := int32(math.Floor(e.Y0 / s.cell)); y <= int32(math.Floor(e.Y1/s.cell)); y++ {
			fn([2]int32{x, y})
		}
	}
}

// first gives where a–b first meets a line other than the one excepted.
func (s *segments) first(a, b pt, except int) (pt, bool) {
	best, found := math.Inf(1), false
	s.visit(a, b, func(c [2]int32) {
		for _, g := range s.cells[c] {
			if int(g.line) == except {
				continue
			}
			l := s.lines[g.line]
			if t, _, ok := meet(a, b, l[g.end-1], l[g.end]); ok && t < best {
				best, found = t, true
			}
		}
	})
	return a.lerp(b, best), found
}

// A network is the plane graph of all roads, cut where they cross.
type network struct {
	places []pt
	next   [][]int // neighbours
	grid   map[[2]int32][]int
}

const snap = 1.6 // metres within which crossings are one

func (n *network) node(p pt) int {
	kx, ky := int32(math.Floor(p.X/3)), int32(math.Floor(p.Y/3))
	for i := int32(-1); i <= 1; i++ {
		for j := int32(-1); j <= 1; j++ {
			for _, k := range n.grid[[2]int32{kx + i, ky + j}] {
				if dist(n.places[k], p) < snap {
					return k
				}
			}
		}
	}
	n.places = append(n.places, p)
	n.next = append(n.next, nil)
	n.grid[[2]int32{kx, ky}] = append(n.grid[[2]int32{kx, ky}], len(n.places)-1)
	return len(n.places) - 1
}

func (n *network) join(a, b int) {
	if !slices.Contains(n.next[a], b) {
		n.next[a] = append(n.next[a], b)
		n.next[b] = append(n.next[b], a)
	}
}

// weave cuts all lines at their crossings; each road learns its nodes.
func weave(roads []*road) *network {
	n := &network{grid: map[[2]int32][]int{}}
	lines := make([]line, len(roads))
	for i, r := range roads {
		lines[i] = r.line
	}
	index := newSegments(lines, 60)
	type cut struct {
		t float64
		p pt
	}
	for k, r := range roads {
		r.cut = nil
		for i := 1; i < len(r.line); i++ {
			a, b := r.line[i-1], r.line[i]
			cuts := []cut{{0, a}, {1, b}}
			index.visit(a, b, func(c [2]int32) {
				for _, g := range index.cells[c] {
					if int(g.line) == k && int(g.end)-i < 2 && i-int(g.end) < 2 {
						continue
					}
					l := lines[g.line]
					if t, _, ok := meet(a, b, l[g.end-1], l[g.end]); ok {
						cuts = append(cuts, cut{t, a.lerp(b, t)})
					}
				}
			})
			slices.SortStableFunc(cuts, func(a, b cut) int { return cmp.Compare(a.t, b.t) })
			for _, c := range cuts {
				at := n.node(c.p)
				if len(r.cut) == 0 || r.cut[len(r.cut)-1] != at {
					if len(r.cut) > 0 {
						n.join(r.cut[len(r.cut)-1], at)
					}
					r.cut = append(r.cut, at)
				}
			}
		}
	}
	return n
}

// A block is a face of the network that can be built on.
type block struct {
	ring   line // counterclockwise
	area   float64
	centre pt
	town   *town
	use    string // "" for houses
	name   string
}

// blocks gives the network's faces between least and most square metres.
func (n *network) blocks(least, most float64) []*block {
	next := n.pruned()
	for i := range next {
		slices.SortFunc(next[i], func(a, b int) int {
			return cmp.Compare(heading(n.places[i], n.places[a]), heading(n.places[i], n.places[b]))
		})
	}
	seen := map[[2]int]bool{}
	var out []*block
	for i := range next {
		for _, j := range next[i] {
			u, v := i, j
			var ring line
			for !seen[[2]int{u, v}] && len(ring) < 4000 {
				seen[[2]int{u, v}] = true
				ring = append(ring, n.places[u])
				o := next[v]
				k := slices.Index(o, u)
				u, v = v, o[(k-1+len(o))%len(o)]
			}
			if len(ring) < 3 {
				continue
			}
			if a := area(ring); a > least && a < most {
				out = append(out, &block{ring: ring, area: a, centre: centroid(ring)})
			}
		}
	}
	return out
}

// pruned drops dead ends, which bound nothing.
func (n *network) pruned() [][]int {
	next := make([][]int, len(n.next))
	var loose []int
	for i := range n.next {
		next[i] = slices.Clone(n.next[i])
		if len(next[i]) == 1 {
			loose = append(loose, i)
		}
	}
	for len(loose) > 0 {
		i := loose[len(loose)-1]
		loose = loose[:len(loose)-1]
		if len(next[i]) != 1 {
			continue
		}
		j := next[i][0]
		next[i] = nil
		k := slices.Index(next[j], i)
		next[j] = slices.Delete(next[j], k, k+1)
		if len(next[j]) == 1 {
			loose = append(loose, j)
		}
	}
	return next
}

func (n *network) line(nodes []int) line {
	out := make(line, len(nodes))
	for i, k := range nodes {
		out[i] = n.places[k]
	}
	return out
}
