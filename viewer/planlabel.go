package viewer

import (
	"fmt"
	"html"
	"math"
	"unicode/utf8"

	"github.com/paulmach/orb"
)

// labelSize is the height of street names, in units; on a wall more.
const labelSize = 14

func (d *pen) size(of float64) float64 { return of * math.Min(d.p.Scale, 1.6) }

// labels writes the names of streets and places where there is room, the most
// important first: each once.
func (d *pen) labels() {
	done := map[string]bool{}
	for i := len(d.p.Ground) - 1; i >= 0; i-- {
		g := &d.p.Ground[i]
		if g.Layer != "place_labels" || g.Name == "" || done[g.Name] {
			continue
		}
		if pt, ok := g.Shape.(orb.Point); ok && d.write(pt, g.Name, "lq", d.size(16)) {
			done[g.Name] = true
		}
	}
	for i := range d.p.Ground {
		g := &d.p.Ground[i]
		if g.Layer == "street_labels" && g.Name != "" && !done[g.Name] && d.along(g) {
			done[g.Name] = true
		}
	}
	for i := range d.p.Ground {
		g := &d.p.Ground[i]
		if g.Layer != "water_polygons_labels" || g.Name == "" || done[g.Name] {
			continue
		}
		if pt, ok := g.Shape.(orb.Point); ok && d.write(pt, g.Name, "lw", d.size(labelSize)) {
			done[g.Name] = true
		}
	}
}

func width(name string, size float64) float64 {
	return float64(utf8.RuneCountInString(name)) * size * .56
}

// write puts a name over a place.
func (d *pen) write(at orb.Point, name, class string, size float64) bool {
	x, y := d.xy(at)
	if !d.room(x, y, width(name, size), size, 0) {
		return false
	}
	fmt.Fprintf(d, `<text class="%s" font-size="%.0f" x="%.0f" y="%.0f" text-anchor="middle">%s</text>`, class, size, x, y, html.EscapeString(name))
	return true
}

// along puts a name on the straightest long part of a street.
func (d *pen) along(g *GroundItem) bool {
	var lines []orb.LineString
	switch s := g.Shape.(type) {
	case orb.LineString:
		lines = []orb.LineString{s}
	case orb.MultiLineString:
		lines = s
	}
	size := d.size(labelSize)
	need := width(g.Name, size)
	for _, line := range lines {
		for from := 0; from < len(line)-1; from++ {
			to := d.straight(line, from)
			x0, y0 := d.xy(line[from])
			x1, y1 := d.xy(line[to])
			if math.Hypot(x1-x0, y1-y0) < need*1.05 {
				continue
			}
			turn := math.Atan2(y1-y0, x1-x0)
			if turn > math.Pi/2 {
				turn -= math.Pi
			} else if turn < -math.Pi/2 {
				turn += math.Pi
			}
			for _, t := range []float64{.5, .35, .65} {
				x, y := x0+(x1-x0)*t, y0+(y1-y0)*t
				if d.room(x, y, need, size, turn) {
					fmt.Fprintf(d, `<text class="lt" font-size="%.0f" transform="translate(%.0f %.0f) rotate(%.1f)" y="%.0f" text-anchor="middle">%s</text>`,
						size, x, y, turn*180/math.Pi, size*.36, html.EscapeString(g.Name))
					return true
				}
			}
		}
	}
	return false
}

// straight gives the last vertex that the line reaches from one without
// leaving its direction by more than a hair.
func (d *pen) straight(line orb.LineString, from int) int {
	const bend = .2 // radians
	x0, y0 := d.xy(line[from])
	x1, y1 := d.xy(line[from+1])
	first := math.Atan2(y1-y0, x1-x0)
	to := from + 1
	for to+1 < len(line) {
		xa, ya := d.xy(line[to])
		xb, yb := d.xy(line[to+1])
		if math.Abs(math.Remainder(math.Atan2(yb-ya, xb-xa)-first, 2*math.Pi)) > bend {
			break
		}
		to++
	}
	return to
}

// room takes the place of a name, when it is inside the drawing and free.
func (d *pen) room(x, y, wide, size, turn float64) bool {
	var spots []spot
	n := int(wide/size) + 1
	for i := range n + 1 {
		t := (float64(i)/float64(n) - .5) * wide
		sx, sy := x+t*math.Cos(turn), y+t*math.Sin(turn)
		r := size * .7
		if sx < r || sy < r || sx > float64(d.p.Width)-r || sy > float64(d.p.Height)-r {
			return false
		}
		for _, o := range d.taken {
			if math.Hypot(o.x-sx, o.y-sy) < o.r+r {
				return false
			}
		}
		spots = append(spots, spot{sx, sy, r})
	}
	d.taken = append(d.taken, spots...)
	return true
}
