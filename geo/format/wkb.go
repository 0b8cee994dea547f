package format

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"regexp"

	"calanque/geo"
)

// Curve kinds of ISO 13249-3, which no EWKB here has: they are linearised.
const (
	kindCircularString  = 8
	kindCompoundCurve   = 9
	kindCurvePolygon    = 10
	kindMultiCurve      = 11
	kindMultiSurface    = 12
	kindPolyhedral      = 15
	kindTIN             = 16
	kindTriangle        = 17
	maxWKBDepth         = 16
	linearisationDegree = 2.0 // an arc becomes chords of at most this angle
)

var hexStart = regexp.MustCompile(`(?i)^0[01](?:0[1-7]0000[02468AaCcEe]0|[02468AaCcEe]000000[1-7])`)

func looksHexWKB(s string) bool { return len(s) >= 18 && hexStart.MatchString(s) }

// hexHead gives geometry type and SRID of hexadecimal (E)WKB by its beginning.
func hexHead(s string) (geo.GeometryType, geo.SRID) {
	b, err := hex.DecodeString(s[:min(len(s), 18)])
	if err != nil || len(b) < 9 {
		return geo.Mixed, 0
	}
	var order binary.ByteOrder = binary.LittleEndian
	if b[0] == 0 {
		order = binary.BigEndian
	}
	t := order.Uint32(b[1:])
	srid := geo.SRID(0)
	if t&sFlag != 0 {
		srid = geo.SRID(order.Uint32(b[5:]))
	}
	head := appendKind(nil, t&0xFF, false)
	return KindOf(head), srid
}

// A wkbReader turns WKB — ISO, extended, of either byte order, with curves —
// into the EWKB of Record.Geometry, reusing its memory.
type wkbReader struct {
	b      []byte
	i      int
	out    []byte
	z      bool
	bad    string
	curved int
	nan    int
	short  int
	open   int
}

// convert reads one geometry; nil for an empty one.
func (w *wkbReader) convert(b []byte, issues []geo.Message) ([]byte, []geo.Message, *geo.InputError) {
	w.b, w.i, w.out, w.bad = b, 0, w.out[:0], ""
	w.curved, w.nan, w.short, w.open = 0, 0, 0, 0
	w.z = w.topHasZ()
	kept := w.geometry(0)
	if w.bad != "" {
		return nil, issues, geo.Bad(nil, "wkb.broken", "why", w.bad)
	}
	issues = countIssue(issues, "geometry.curve", w.curved)
	issues = countIssue(issues, "geometry.nan", w.nan)
	issues = countIssue(issues, "geometry.short-part", w.short)
	issues = countIssue(issues, "geometry.open-ring", w.open)
	if !kept {
		if w.nan+w.short == 0 {
			issues = append(issues, geo.Say("geometry.empty"))
		}
		return nil, issues, nil
	}
	return w.out, issues, nil
}

func (w *wkbReader) topHasZ() bool {
	i := w.i
	h, ok := w.head()
	w.i = i
	return ok && h.z
}

// A wkbHead is the beginning of a geometry.
type wkbHead struct {
	order binary.ByteOrder
	kind  uint32
	z, m  bool
}

func (w *wkbReader) head() (wkbHead, bool) {
	if len(w.b)-w.i < 5 || w.b[w.i] > 1 {
		w.fail("length")
		return wkbHead{}, false
	}
	h := wkbHead{order: binary.LittleEndian}
	if w.b[w.i] == 0 {
		h.order = binary.BigEndian
	}
	t := h.order.Uint32(w.b[w.i+1:])
	w.i += 5
	h.z, h.m = t&zFlag != 0, t&mFlag != 0
	if t&sFlag != 0 {
		w.i += 4
	}
	t &^= zFlag | mFlag | sFlag
	switch t / 1000 {
	case 1:
		h.z = true
	case 2:
		h.m = true
	case 3:
		h.z, h.m = true, true
	}
	h.kind = t % 1000
	if t >= 4000 || w.i > len(w.b) {
		w.fail("type")
		return h, false
	}
	return h, true
}

func (w *wkbReader) fail(why string) {
	if w.bad == "" {
		w.bad = why
	}
}

func (w *wkbReader) count(h wkbHead, least int) (int, bool) {
	if len(w.b)-w.i < 4 {
		w.fail("length")
		return 0, false
	}
	n := int64(h.order.Uint32(w.b[w.i:]))
	w.i += 4
	if n*int64(least) > int64(len(w.b)-w.i) {
		w.fail("length")
		return 0, false
	}
	return int(n), true
}

func (h wkbHead) size() int {
	n := 16
	if h.z {
		n += 8
	}
	if h.m {
		n += 8
	}
	return n
}

// geometry appends one geometry and reports whether it has a point.
func (w *wkbReader) geometry(depth int) bool {
	h, ok := w.head()
	if !ok || depth > maxWKBDepth {
		w.fail("depth")
		return false
	}
	from := len(w.out)
	switch h.kind {
	case kindPoint:
		w.out = appendKind(w.out, kindPoint, w.z)
		if w.position(h) {
			return true
		}
		w.out = w.out[:from]
		return false
	case kindLineString, kindCircularString, kindCompoundCurve:
		w.out = appendKind(w.out, kindLineString, w.z)
		return w.line(h, from, 2, depth)
	case kindPolygon, kindTriangle:
		w.out = appendKind(w.out, kindPolygon, w.z)
		return w.rings(h, from, depth, false)
	case kindCurvePolygon:
		w.out = appendKind(w.out, kindPolygon, w.z)
		return w.rings(h, from, depth, true)
	case kindMultiPoint, kindMultiLineString, kindMultiPolygon, kindCollection:
		w.out = appendKind(w.out, h.kind, w.z)
	case kindMultiCurve:
		w.out = appendKind(w.out, kindMultiLineString, w.z)
	case kindMultiSurface, kindPolyhedral, kindTIN:
		w.out = appendKind(w.out, kindMultiPolygon, w.z)
	default:
		w.fail("type")
		return false
	}
	return w.members(h, from, depth)
}

// members reads the members of a multi-geometry or collection.
func (w *wkbReader) members(h wkbHead, from, depth int) bool {
	n, ok := w.count(h, 5)
	if !ok {
		return false
	}
	at, kept := len(w.out), 0
	w.out = appendCount(w.out, 0)
	for range n {
		start := len(w.out)
		if w.geometry(depth + 1) {
			kept++
		} else {
			w.out = w.out[:start]
		}
		if w.bad != "" {
			return false
		}
	}
	if kept == 0 {
		w.out = w.out[:from]
		return false
	}
	putCount(w.out, at, kept)
	return true
}

// rings reads the rings of a polygon; those of a curve polygon are geometries
// of their own.
func (w *wkbReader) rings(h wkbHead, from, depth int, curves bool) bool {
	n, ok := w.count(h, 4)
	if !ok {
		return false
	}
	at, kept, shell := len(w.out), 0, n > 0
	w.out = appendCount(w.out, 0)
	for i := range n {
		start := len(w.out)
		rh := wkbHead{order: h.order, kind: kindLineString, z: h.z, m: h.m}
		if curves {
			if rh, ok = w.head(); !ok {
				return false
			}
		}
		if w.line(rh, start, 4, depth+1) {
			kept++
		} else if w.out = w.out[:start]; i == 0 {
			shell = false
		}
		if w.bad != "" {
			return false
		}
	}
	if kept == 0 || !shell {
		w.out = w.out[:from]
		return false
	}
	putCount(w.out, at, kept)
	return true
}

// line reads the points of a line, ring or curve; rings (least 4) are closed.
func (w *wkbReader) line(h wkbHead, from, least, depth int) bool {
	at := len(w.out)
	w.out = appendCount(w.out, 0)
	start := len(w.out)
	w.curve(h, start, depth)
	if w.bad != "" {
		return false
	}
	size := 16
	if w.z {
		size = 24
	}
	n := (len(w.out) - start) / size
	if least == 4 && n >= 3 && string(w.out[start:start+size]) != string(w.out[len(w.out)-size:]) {
		w.out = append(w.out, w.out[start:start+size]...)
		w.open++
		n++
	}
	if n < least {
		if n > 0 {
			w.short++
		}
		w.out = w.out[:from]
		return false
	}
	putCount(w.out, at, n)
	return true
}

// curve appends the positions of a line string, circular string or compound
// curve after start.
func (w *wkbReader) curve(h wkbHead, start, depth int) {
	if depth > maxWKBDepth {
		w.fail("depth")
		return
	}
	switch h.kind {
	case kindLineString:
		n, ok := w.count(h, h.size())
		for i := 0; ok && i < n; i++ {
			w.position(h)
		}
	case kindCircularString:
		w.curved++
		w.arcs(h)
	case kindCompoundCurve:
		n, ok := w.count(h, 9)
		for i := 0; ok && i < n && w.bad == ""; i++ {
			if ch, ok := w.head(); ok {
				before := len(w.out)
				w.curve(ch, start, depth+1)
				w.join(start, before)
			}
		}
	default:
		w.fail("type")
	}
}

// join takes out the first point of a part that repeats the last before it.
func (w *wkbReader) join(start, before int) {
	size := 16
	if w.z {
		size = 24
	}
	if before-start >= size && len(w.out)-before >= size && string(w.out[before-size:before]) == string(w.out[before:before+size]) {
		w.out = append(w.out[:before], w.out[before+size:]...)
	}
}

// position appends one point; false when it is no number.
func (w *wkbReader) position(h wkbHead) bool {
	p, ok := w.xyz(h)
	if !ok {
		return false
	}
	w.put(p)
	return true
}

func (w *wkbReader) put(p [3]float64) {
	w.out = appendFloat(appendFloat(w.out, p[0]), p[1])
	if w.z {
		w.out = appendFloat(w.out, p[2])
	}
}

func (w *wkbReader) xyz(h wkbHead) (p [3]float64, ok bool) {
	if len(w.b)-w.i < h.size() {
		w.fail("length")
		return p, false
	}
	p[0] = math.Float64frombits(h.order.Uint64(w.b[w.i:]))
	p[1] = math.Float64frombits(h.order.Uint64(w.b[w.i+8:]))
	if h.z {
		if p[2] = math.Float64frombits(h.order.Uint64(w.b[w.i+16:])); !finite(p[2]) {
			p[2] = 0
		}
	}
	w.i += h.size()
	if !finite(p[0]) || !finite(p[1]) {
		if !math.IsNaN(p[0]) || !math.IsNaN(p[1]) { // both NaN is how an empty point is written
			w.nan++
		}
		return p, false
	}
	return p, true
}

// arcs appends the arcs of a circular string, each through three points, as
// chords.
func (w *wkbReader) arcs(h wkbHead) {
	n, ok := w.count(h, h.size())
	if !ok {
		return
	}
	var a, b [3]float64
	for i := range n {
		p, ok := w.xyz(h)
		switch {
		case !ok:
			return
		case i == 0:
			w.put(p)
			a = p
		case i%2 == 1:
			b = p
		default:
			w.arc(a, b, p)
			a = p
		}
	}
	if n%2 == 0 {
		w.fail("arc")
	}
}

// arc appends the chords of the arc from a through b to c, a left out.
func (w *wkbReader) arc(a, b, c [3]float64) {
	bx, by, cx, cy := b[0]-a[0], b[1]-a[1], c[0]-a[0], c[1]-a[1]
	d := 2 * (bx*cy - by*cx)
	var ox, oy, sweep float64
	switch {
	case cx == 0 && cy == 0: // a full circle: b is opposite
		ox, oy, sweep = bx/2, by/2, 2*math.Pi
	case d == 0: // a straight line
		w.put(b)
		w.put(c)
		return
	default:
		bb, cc := bx*bx+by*by, cx*cx+cy*cy
		ox, oy = (cy*bb-by*cc)/d, (bx*cc-cx*bb)/d
		sweep = math.Mod(math.Atan2(cy-oy, cx-ox)-math.Atan2(-oy, -ox)+4*math.Pi, 2*math.Pi)
		if d < 0 {
			sweep -= 2 * math.Pi
		}
	}
	r, from := math.Hypot(ox, oy), math.Atan2(-oy, -ox)
	steps := int(math.Ceil(math.Abs(sweep) * 180 / math.Pi / linearisationDegree))
	for k := 1; k < steps; k++ {
		t := float64(k) / float64(steps)
		s, co := math.Sincos(from + sweep*t)
		w.put([3]float64{a[0] + ox + r*co, a[1] + oy + r*s, a[2] + (c[2]-a[2])*t})
	}
	w.put(c)
}
