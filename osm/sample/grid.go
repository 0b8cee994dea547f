package sample

import "math"

// A grid is a sampled field of the plane, read by bilinear interpolation.
type grid struct {
	x0, y0, cell float64
	nx, ny       int
	v            []float64
}

func newGrid(b box, cell float64) *grid {
	g := &grid{x0: b.X0, y0: b.Y0, cell: cell}
	g.nx = int((b.X1-b.X0)/cell) + 1
	g.ny = int((b.Y1-b.Y0)/cell) + 1
	g.v = make([]float64, g.nx*g.ny)
	return g
}

func (g *grid) place(i, j int) pt { return pt{g.x0 + float64(i)*g.cell, g.y0 + float64(j)*g.cell} }

// fill computes the field at every node.
func (g *grid) fill(f func(p pt) float64) *grid {
	for j := range g.ny {
		for i := range g.nx {
			g.v[j*g.nx+i] = f(g.place(i, j))
		}
	}
	return g
}

// at gives the field at p; beyond the border, the border's value.
func (g *grid) at(p pt) float64 {
	fx := min(float64(g.nx)-1.001, max(0, (p.X-g.x0)/g.cell))
	fy := min(float64(g.ny)-1.001, max(0, (p.Y-g.y0)/g.cell))
	i, j := int(fx), int(fy)
	u, w := fx-float64(i), fy-float64(j)
	k := j*g.nx + i
	return (g.v[k]*(1-u)+g.v[k+1]*u)*(1-w) + (g.v[k+g.nx]*(1-u)+g.v[k+g.nx+1]*u)*w
}

// shoreDistance fills the grid with metres to the nearest shore, at most
// reach: positive on land, negative at sea. Land lies within the rings.
func (g *grid) shoreDistance(shores []line, land []line, reach float64) *grid {
	for k := range g.v {
		g.v[k] = reach
	}
	for _, l := range shores {
		for i := 1; i < len(l); i++ {
			g.near(l[i-1], l[i], reach)
		}
	}
	for j := range g.ny {
		g.signRow(j, land)
	}
	return g
}

func (g *grid) near(a, b pt, reach float64) {
	e := boxOf(line{a, b}).grow(reach)
	i0, i1 := max(0, int((e.X0-g.x0)/g.cell)), min(g.nx-1, int((e.X1-g.x0)/g.cell))
	j0, j1 := max(0, int((e.Y0-g.y0)/g.cell)), min(g.ny-1, int((e.Y1-g.y0)/g.cell))
	for j := j0; j <= j1; j++ {
		for i := i0; i <= i1; i++ {
			if d := toSegment(g.place(i, j), a, b); d < g.v[j*g.nx+i] {
				g.v[j*g.nx+i] = d
			}
		}
	}
}

// signRow turns the row's nodes that lie in no ring to negative.
func (g *grid) signRow(j int, land []line) {
	y := g.y0 + float64(j)*g.cell + 1e-7
	flips := make([]int, g.nx+1)
	for _, ring := range land {
		for i, k := 0, len(ring)-1; i < len(ring); k, i = i, i+1 {
			a, b := ring[i], ring[k]
			if (a.Y > y) == (b.Y > y) {
				continue
			}
			x := (b.X-a.X)*(y-a.Y)/(b.Y-a.Y) + a.X
			flips[min(g.nx, max(0, int(math.Ceil((x-g.x0)/g.cell))))]++
		}
	}
	n := 0
	for i := range g.nx {
		if n += flips[i]; n%2 == 0 {
			g.v[j*g.nx+i] *= -1
		}
	}
}

// side numbers the sides of the grid's squares: horizontal ones even.
func (g *grid) side(i, j, vertical int) int { return ((j+1)*(g.nx+2)+i+1)*2 + vertical }

// marching gives the side where an isoline enters and leaves a square whose
// high corners make the code (8 lower left, 4 lower right, 2 upper right,
// 1 upper left). Sides: 0 lower, 1 right, 2 upper, 3 left; high on the left.
var marching = [16][]int{
	1: {3, 2}, 2: {2, 1}, 3: {3, 1}, 4: {1, 0}, 5: {3, 0, 1, 2}, 6: {2, 0}, 7: {3, 0},
	8: {0, 3}, 9: {0, 2}, 10: {0, 1, 2, 3}, 11: {0, 1}, 12: {1, 3}, 13: {1, 2}, 14: {2, 3},
}

// above gives the rings that bound where the field is above the level:
// counterclockwise around it, clockwise around holes in it.
func (g *grid) above(level float64) []line {
	value := func(i, j int) float64 {
		if i < 0 || j < 0 || i >= g.nx || j >= g.ny {
			return level - 1
		}
		return g.v[j*g.nx+i]
	}
	next, place := map[int]int{}, map[int]pt{}
	var order []int
	cut := func(side, i, j, i2, j2 int) {
		a, b := value(i, j), value(i2, j2)
		place[side] = g.place(i, j).lerp(g.place(i2, j2), (level-a)/(b-a))
	}
	for j := -1; j < g.ny; j++ {
		for i := -1; i < g.nx; i++ {
			code := 0
			for k, c := range [4][2]int{{i, j}, {i + 1, j}, {i + 1, j + 1}, {i, j + 1}} {
				if value(c[0], c[1]) > level {
					code |= 8 >> k
				}
			}
			sides := [4]int{g.side(i, j, 0), g.side(i+1, j, 1), g.side(i, j+1, 0), g.side(i, j, 1)}
			m := marching[code]
			for k := 0; k < len(m); k += 2 {
				next[sides[m[k]]] = sides[m[k+1]]
				order = append(order, sides[m[k]])
			}
			for _, k := range m {
				switch k {
				case 0:
					cut(sides[0], i, j, i+1, j)
				case 1:
					cut(sides[1], i+1, j, i+1, j+1)
				case 2:
					cut(sides[2], i, j+1, i+1, j+1)
				case 3:
					cut(sides[3], i, j, i, j+1)
				}
			}
		}
	}
	return chain(order, next, place)
}

func chain(order []int, next map[int]int, place map[int]pt) []line {
	var rings []line
	for _, start := range order {
		var ring line
		for at := start; ; {
			to, ok := next[at]
			if !ok {
				break
			}
			ring = append(ring, place[at])
			delete(next, at)
			at = to
		}
		if len(ring) > 4 {
			rings = append(rings, ring)
		}
	}
	return rings
}

// A patch is an area with holes.
type patch struct {
	outer line
	holes []line
}

// patches sorts rings into areas with their holes and drops what is smaller
// than least square metres.
func patches(rings []line, least float64) []patch {
	var out []patch
	for _, r := range rings {
		if area(r) >= least {
			out = append(out, patch{outer: r})
		}
	}
	for _, r := range rings {
		if area(r) > -least {
			continue
		}
		best := -1
		for i, p := range out {
			if inside(r[0], p.outer) && (best < 0 || area(p.outer) < area(out[best].outer)) {
				best = i
			}
		}
		if best >= 0 {
			out[best].holes = append(out[best].holes, r)
		}
	}
	return out
}
