package viewer

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/paulmach/orb"
)

// markApart is how far the middles of two marks on paper are from each other:
// a mark is 33 units wide with its line.
const markApart = 35

// places gives where the marks are drawn. On paper, nobody can zoom in: marks
// that would cover each other move apart, and a line leads to their place.
func (d *pen) places() []orb.Point {
	at := make([]orb.Point, len(d.p.Marks))
	for i, m := range d.p.Marks {
		x, y := d.xy(m.At)
		at[i] = orb.Point{x, y}
	}
	if d.p.Paper {
		spread(at, float64(d.p.Width), float64(d.p.Height))
	}
	return at
}

// spread moves points apart until none is nearer to another than markApart, or
// as far as some rounds bring them, inside the drawing.
func spread(at []orb.Point, width, height float64) {
	const rounds, edge = 200, 18
	for range rounds {
		moved := false
		for i := range at {
			for j := i + 1; j < len(at); j++ {
				dx, dy := at[j][0]-at[i][0], at[j][1]-at[i][1]
				gap := math.Hypot(dx, dy)
				if gap >= markApart-.01 {
					continue
				}
				moved = true
				ux, uy := dx/gap, dy/gap
				if gap < .01 { // one place: each pair in a direction of its own
					ux, uy = math.Cos(float64(i*7+j*3)), math.Sin(float64(i*7+j*3))
				}
				push := (markApart - gap) / 2
				at[i][0], at[i][1] = at[i][0]-ux*push, at[i][1]-uy*push
				at[j][0], at[j][1] = at[j][0]+ux*push, at[j][1]+uy*push
			}
		}
		for i := range at {
			at[i][0] = math.Max(edge, math.Min(width-edge, at[i][0]))
			at[i][1] = math.Max(edge, math.Min(height-edge, at[i][1]))
		}
		if !moved {
			return
		}
	}
}

// leaders draws a line and a dot from each mark that has moved to its place.
func (d *pen) leaders(at []orb.Point) {
	for i, m := range d.p.Marks {
		x, y := d.xy(m.At)
		if math.Hypot(x-at[i][0], y-at[i][1]) > 3 {
			fmt.Fprintf(d, `<path class="lead" d="M%.1f %.1fL%.1f %.1f"/><circle class="leadp" cx="%.1f" cy="%.1f" r="4"/>`, at[i][0], at[i][1], x, y, x, y)
		}
	}
}

// squeezed narrows what is too long for a mark's circle.
func squeezed(m PlanMark) string {
	if n := utf8.RuneCountInString(fmt.Sprint(m.Number) + m.Letter); n > 2 {
		return ` textLength="23" lengthAdjust="spacingAndGlyphs"`
	}
	return ""
}

// millimetres is how long so many CSS pixels are on paper.
func millimetres(pixels int) float64 { return float64(pixels) * 25.4 / 96 }
