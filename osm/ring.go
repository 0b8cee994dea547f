package osm

import "slices"

// A polygon is an outer ring, counter-clockwise, and its holes, clockwise. The
// last point of a ring is not its first.
type polygon [][]point

// provable is the greatest number of corners for which a ring is compared side
// by side: most buildings, and cheaper than asking PostGIS.
const provable = 48

// provenSimple reports whether a ring surely has sides that meet at their
// common corners only. False means "not sure": it is then for PostGIS to
// decide. The ring has no point twice in a row.
func provenSimple(ring []point) bool {
	n := len(ring)
	if n < 3 || n > provable {
		return false
	}
	for i := range n {
		a, b, c := ring[i], ring[(i+1)%n], ring[(i+2)%n]
		if _, sure := orientation(a, b, c); !sure && (b.x-a.x)*(c.x-b.x)+(b.y-a.y)*(c.y-b.y) <= 0 {
			return false // turns back on itself, perhaps
		}
		for j := i + 2; j < n; j++ {
			if (j+1)%n == i {
				continue // neighbours
			}
			if !provenApart(a, b, ring[j], ring[(j+1)%n]) {
				return false
			}
		}
	}
	return true
}

// provenApart reports whether two segments surely share no point.
func provenApart(a, b, c, d point) bool {
	if max(a.x, b.x) < min(c.x, d.x) || max(c.x, d.x) < min(a.x, b.x) ||
		max(a.y, b.y) < min(c.y, d.y) || max(c.y, d.y) < min(a.y, b.y) {
		return true
	}
	return sameSide(a, b, c, d) || sameSide(c, d, a, b)
}

// sameSide reports whether c and d surely lie on the same side of the line
// through a and b.
func sameSide(a, b, c, d point) bool {
	s, sure := orientation(a, b, c)
	t, sure2 := orientation(a, b, d)
	return sure && sure2 && (s > 0) == (t > 0)
}

// repeats reports whether a location occurs twice in a ring.
func repeats(ring []location, scratch *[]uint64) bool {
	s := (*scratch)[:0]
	for _, l := range ring {
		s = append(s, l.key())
	}
	slices.Sort(s)
	*scratch = s
	for i := 1; i < len(s); i++ {
		if s[i] == s[i-1] {
			return true
		}
	}
	return false
}

func (l location) key() uint64 { return uint64(uint32(l.lon))<<32 | uint64(uint32(l.lat)) }

// projectAll puts locations onto the plane.
func projectAll(dst []point, ls []location) []point {
	dst = dst[:0]
	for _, l := range ls {
		dst = append(dst, l.project())
	}
	return dst
}

// collinear reports whether all corners of a ring may lie on one line.
func collinear(ring []point) bool {
	for i := 2; i < len(ring); i++ {
		if _, sure := orientation(ring[0], ring[1], ring[i]); sure {
			return false
		}
	}
	return true
}
