package viewer

import (
	"bytes"
	"fmt"
	"html"
	"html/template"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
)

// CellIndex draws the cells of an area small, one of them black: where a sheet
// lies among the others.
func CellIndex(lang string, cells []PlanCell, current int) template.HTML {
	const width, height = 134, 96
	var box orb.Bound
	for i, c := range cells {
		if i == 0 {
			box = c.Area.Bound()
		}
		box = box.Union(c.Area.Bound())
	}
	p := Plan{Width: width, Height: height, Frame: Fit(box, width, height, 2)}
	d := &pen{p: &p}
	fmt.Fprintf(d, `<svg class="sc where" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="%s">`,
		width, height, width, height, html.EscapeString(Say(lang, "paper.where", "n", current)))
	for _, c := range cells {
		var path bytes.Buffer
		d.shape(&path, c.Area)
		fmt.Fprintf(d, `<path class="%s" transform="scale(.1)" d="%s"/>`, whereClass(c, current), path.String())
	}
	for _, c := range cells {
		at, _ := planar.CentroidArea(c.Area)
		x, y := d.xy(at)
		fmt.Fprintf(d, `<text class="%s" x="%.0f" y="%.0f" text-anchor="middle">%d</text>`, whereClass(c, current), x, y+4, c.Number)
	}
	d.WriteString(`</svg>`)
	return template.HTML(d.String())
}

func whereClass(c PlanCell, current int) string {
	if c.Number == current {
		return "here"
	}
	return "there"
}
