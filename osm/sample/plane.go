package sample

import (
	"math"
	"slices"
)

// A pt is a place in the sample's plane: metres east and north of the origin
// (see origin in place.go). Lines and rings are slices of it; a ring does not
// repeat its first point.
type pt struct{ X, Y float64 }

type line []pt

func (p pt) add(q pt) pt             { return pt{p.X + q.X, p.Y + q.Y} }
func (p pt) sub(q pt) pt             { return pt{p.X - q.X, p.Y - q.Y} }
func (p pt) mul(f float64) pt        { return pt{p.X * f, p.Y * f} }
func (p pt) dot(q pt) float64        { return p.X*q.X + p.Y*q.Y }
func (p pt) cross(q pt) float64      { return p.X*q.Y - p.Y*q.X }
func (p pt) length() float64         { return math.Hypot(p.X, p.Y) }
func (p pt) left() pt                { return pt{-p.Y, p.X} }
func (p pt) lerp(q pt, t float64) pt { return pt{p.X + (q.X-p.X)*t, p.Y + (q.Y-p.Y)*t} }
func (p pt) polar(a, r float64) pt   { return pt{p.X + r*math.Cos(a), p.Y + r*math.Sin(a)} }
func (p pt) turn(a float64) pt       { s, c := math.Sincos(a); return pt{p.X*c - p.Y*s, p.X*s + p.Y*c} }
func dist(p, q pt) float64           { return math.Hypot(p.X-q.X, p.Y-q.Y) }
func heading(p, q pt) float64        { return math.Atan2(q.Y-p.Y, q.X-p.X) }
func (p pt) unit() pt                { return p.mul(1 / max(1e-9, p.length())) }
func gauss2(p, c pt, sx, sy float64) float64 {
	dx, dy := (p.X-c.X)/sx, (p.Y-c.Y)/sy
	return math.Exp(-(dx*dx + dy*dy) / 2)
}

// A box is an extent in the plane.
type box struct{ X0, Y0, X1, Y1 float64 }

func boxOf(l line) box {
	b := box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
	for _, p := range l {
		b = box{min(b.X0, p.X), min(b.Y0, p.Y), max(b.X1, p.X), max(b.Y1, p.Y)}
	}
	return b
}

func (b box) grow(m float64) box { return box{b.X0 - m, b.Y0 - m, b.X1 + m, b.Y1 + m} }
func (b box) has(p pt) bool      { return p.X >= b.X0 && p.X <= b.X1 && p.Y >= b.Y0 && p.Y <= b.Y1 }
func (b box) meets(o box) bool   { return b.X0 <= o.X1 && o.X0 <= b.X1 && b.Y0 <= o.Y1 && o.Y0 <= b.Y1 }
func (b box) width() float64     { return b.X1 - b.X0 }
func (b box) ring() line         { return line{{b.X0, b.Y0}, {b.X1, b.Y0}, {b.X1, b.Y1}, {b.X0, b.Y1}} }

// toSegment is the distance of p to the segment a–b.
func toSegment(p, a, b pt) float64 {
	d := b.sub(a)
	t := min(1, max(0, p.sub(a).dot(d)/max(1e-9, d.dot(d))))
	return dist(p, a.add(d.mul(t)))
}

// nearestOn gives the distance of p to the line, the nearest place on it, and
// how far along the line that is.
func (l line) nearestOn(p pt) (d float64, at pt, along float64) {
	d = math.Inf(1)
	run := 0.0
	for i := 1; i < len(l); i++ {
		v := l[i].sub(l[i-1])
		t := min(1, max(0, p.sub(l[i-1]).dot(v)/max(1e-9, v.dot(v))))
		q := l[i-1].add(v.mul(t))
		if e := dist(p, q); e < d {
			d, at, along = e, q, run+t*v.length()
		}
		run += v.length()
	}
	return d, at, along
}

func (l line) length() float64 {
	sum := 0.0
	for i := 1; i < len(l); i++ {
		sum += dist(l[i-1], l[i])
	}
	return sum
}

// at gives the place and heading after a run of metres along the line.
func (l line) at(run float64) (pt, float64) {
	for i := 1; i < len(l); i++ {
		d := dist(l[i-1], l[i])
		if run <= d || i == len(l)-1 {
			return l[i-1].lerp(l[i], min(1, max(0, run/max(1e-9, d)))), heading(l[i-1], l[i])
		}
		run -= d
	}
	return l[0], 0
}

func (l line) reversed() line {
	r := slices.Clone(l)
	slices.Reverse(r)
	return r
}

// inside reports whether p lies in the ring.
func inside(p pt, ring line) bool {
	in := false
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		a, b := ring[i], ring[j]
		if (a.Y > p.Y) != (b.Y > p.Y) && p.X < (b.X-a.X)*(p.Y-a.Y)/(b.Y-a.Y)+a.X {
			in = !in
		}
	}
	return in
}

// area of a ring: positive when counterclockwise.
func area(ring line) float64 {
	sum := 0.0
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		sum += ring[j].cross(ring[i])
	}
	return sum / 2
}

func centroid(ring line) pt {
	var c pt
	sum := 0.0
	o := ring[0]
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		a, b := ring[j].sub(o), ring[i].sub(o)
		z := a.cross(b)
		sum += z
		c = c.add(a.add(b).mul(z))
	}
	if math.Abs(sum) < 1e-9 {
		return o
	}
	return o.add(c.mul(1 / (3 * sum)))
}

// meet gives where a–b and c–d cross, as fractions along each.
func meet(a, b, c, d pt) (t, u float64, ok bool) {
	r, s := b.sub(a), d.sub(c)
	q := r.cross(s)
	if math.Abs(q) < 1e-9 {
		return 0, 0, false
	}
	ac := c.sub(a)
	t, u = ac.cross(s)/q, ac.cross(r)/q
	return t, u, t >= 0 && t <= 1 && u >= 0 && u <= 1
}

// spline draws a Catmull-Rom curve through the points, one vertex every about
// pace metres.
func spline(l line, pace float64, closed bool) line {
	n := len(l)
	at := func(i int) pt {
		if closed {
			return l[(i+n)%n]
		}
		return l[min(n-1, max(0, i))]
	}
	last := n - 1
	if closed {
		last = n
	}
	var out line
	for i := range last {
		a, b, c, d := at(i-1), at(i), at(i+1), at(i+2)
		m := max(2, int(math.Round(dist(b, c)/pace)))
		for k := range m {
			t := float64(k) / float64(m)
			f := func(a, b, c, d float64) float64 {
				return .5 * (2*b + (c-a)*t + (2*a-5*b+4*c-d)*t*t + (3*b-a-3*c+d)*t*t*t)
			}
			out = append(out, pt{f(a.X, b.X, c.X, d.X), f(a.Y, b.Y, c.Y, d.Y)})
		}
	}
	if !closed {
		out = append(out, l[n-1])
	}
	return out
}

// crumple displaces midpoints until segments are shorter than least: a rocky
// coast, a commune's limit.
func crumple(s stream, l line, rough, least float64) line {
	out := line{l[0]}
	var rec func(a, b pt)
	rec = func(a, b pt) {
		d := dist(a, b)
		if d < least || rough == 0 {
			out = append(out, b)
			return
		}
		off := (s.Float64() - .5) * rough
		m := a.lerp(b, .5).add(b.sub(a).left().mul(off))
		rec(a, m)
		rec(m, b)
	}
	for i := 1; i < len(l); i++ {
		rec(l[i-1], l[i])
	}
	return out
}

// simplify is Douglas-Peucker: what is left is within e metres of the line.
func simplify(l line, e float64) line {
	if len(l) < 3 {
		return slices.Clone(l)
	}
	keep := make([]bool, len(l))
	keep[0], keep[len(l)-1] = true, true
	stack := [][2]int{{0, len(l) - 1}}
	for len(stack) > 0 {
		span := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		worst, at := e, -1
		for i := span[0] + 1; i < span[1]; i++ {
			if d := toSegment(l[i], l[span[0]], l[span[1]]); d > worst {
				worst, at = d, i
			}
		}
		if at >= 0 {
			keep[at] = true
			stack = append(stack, [2]int{span[0], at}, [2]int{at, span[1]})
		}
	}
	var out line
	for i, k := range keep {
		if k {
			out = append(out, l[i])
		}
	}
	return out
}

// simplifyRing keeps the ring's far ends and simplifies between them.
func simplifyRing(ring line, e float64) line {
	if len(ring) < 5 {
		return ring
	}
	far, at := -1.0, 0
	for i, p := range ring {
		if d := dist(ring[0], p); d > far {
			far, at = d, i
		}
	}
	a := simplify(ring[:at+1], e)
	b := simplify(append(slices.Clone(ring[at:]), ring[0]), e)
	return append(a[:len(a)-1:len(a)-1], b[:len(b)-1]...)
}

// chaikin cuts the corners of a ring.
func chaikin(ring line) line {
	out := make(line, 0, 2*len(ring))
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		out = append(out, p.lerp(q, .25), p.lerp(q, .75))
	}
	return out
}

// A frame is the tightest rectangle around a ring: its axes and its size.
type frame struct {
	along         pt // unit vector of the first axis
	width, height float64
	centre        pt
}

// around gives the smallest rectangle that has a side along one of the ring's.
func around(ring line) (frame, bool) {
	best, found := frame{}, false
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if dist(a, b) < 4 {
			continue
		}
		u := b.sub(a).unit()
		v := u.left()
		x0, x1, y0, y1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
		for _, p := range ring {
			x0, x1 = min(x0, p.dot(u)), max(x1, p.dot(u))
			y0, y1 = min(y0, p.dot(v)), max(y1, p.dot(v))
		}
		if !found || (x1-x0)*(y1-y0) < best.width*best.height {
			c := u.mul((x0 + x1) / 2).add(v.mul((y0 + y1) / 2))
			best, found = frame{u, x1 - x0, y1 - y0, c}, true
		}
	}
	return best, found
}

// rect draws a rectangle centred at c, its first side along the unit vector u.
func rect(c, u pt, w, h float64) line {
	v := u.left()
	at := func(x, y float64) pt { return c.add(u.mul(x)).add(v.mul(y)) }
	return line{at(-w/2, -h/2), at(w/2, -h/2), at(w/2, h/2), at(-w/2, h/2)}
}

// inset moves each side i of the ring inwards by depths[i].
func inset(ring line, depths []float64) line {
	n := len(ring)
	side := 1.0
	if area(ring) < 0 {
		side = -1
	}
	type edge struct{ p, d pt }
	edges := make([]edge, n)
	for i, a := range ring {
		b := ring[(i+1)%n]
		in := b.sub(a).unit().left().mul(side * depths[i])
		edges[i] = edge{a.add(in), b.sub(a)}
	}
	out := make(line, n)
	for i := range ring {
		p, q := edges[(i-1+n)%n], edges[i]
		z := p.d.cross(q.d)
		if math.Abs(z) < 1e-3*p.d.length()*q.d.length() {
			out[i] = q.p
			continue
		}
		t := q.p.sub(p.p).cross(q.d) / z
		out[i] = p.p.add(p.d.mul(t))
	}
	return out
}

// fits reports whether the ring is a sound, smaller part of the lot.
func fits(ring, lot line, least float64) bool {
	a, b := area(ring), area(lot)
	if len(ring) < 3 || a*b <= 0 || math.Abs(a) >= math.Abs(b)*1.001 || math.Abs(a) < least {
		return false
	}
	c := centroid(ring)
	for _, p := range ring {
		if !inside(p.lerp(c, .02), lot) {
			return false
		}
	}
	return true
}

// crossesItself reports whether two sides of the line cross or touch, but for
// the ends of a closed one. It is meant for long lines: sides are compared within cells of 200 m only.
func (l line) crossesItself() bool {
	cells := map[[2]int][]int{}
	for i := 1; i < len(l); i++ {
		b := boxOf(l[i-1 : i+1])
		for x := int(math.Floor(b.X0 / 200)); x <= int(math.Floor(b.X1/200)); x++ {
			for y := int(math.Floor(b.Y0 / 200)); y <= int(math.Floor(b.Y1/200)); y++ {
				for _, j := range cells[[2]int{x, y}] {
					ends := j == 1 && i == len(l)-1 && l[0] == l[i]
					if j >= i-1 || ends {
						continue
					}
					if _, _, ok := meet(l[i-1], l[i], l[j-1], l[j]); ok {
						return true
					}
				}
				cells[[2]int{x, y}] = append(cells[[2]int{x, y}], i)
			}
		}
	}
	return false
}

// within gives the parts of the line that lie in the box, whole sides each.
func (l line) within(b box) []line {
	var out []line
	open := false
	for i := 1; i < len(l); i++ {
		if !boxOf(l[i-1 : i+1]).meets(b) {
			open = false
			continue
		}
		if !open {
			out = append(out, line{l[i-1]})
			open = true
		}
		out[len(out)-1] = append(out[len(out)-1], l[i])
	}
	return out
}

// simple reports whether the ring neither crosses nor touches itself, and has
// no spike: rounding to 1e-7 degrees could fold one over.
func simple(ring line) bool {
	n := len(ring)
	for i, p := range ring {
		u, v := ring[(i+n-1)%n].sub(p), ring[(i+1)%n].sub(p)
		if u.dot(v) > 0 && math.Abs(u.cross(v)) < .02*u.length()*v.length() {
			return false
		}
	}
	return n > 2 && !append(slices.Clone(ring), ring[0]).crossesItself()
}
