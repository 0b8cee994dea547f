package viewer

import (
	"bufio"
	"bytes"
	"fmt"
	"html"
	"io"
	"math"

	"github.com/paulmach/orb"

	"calanque/geo"
)

// A Glimpse is the small picture on a dataset's page: where its data are, near
// enough to be seen. Points are dots; a layer of lines or areas is drawn by
// its style.
type Glimpse struct {
	Lang, Title   string
	Width, Height int          // pixels
	Box           geo.Box      // CRS84, of an overview; it stands on Under
	Under         []Drawn      // communes, for an overview
	Near          *Frame       // of a close look, which stands on Ground
	Ground        []GroundItem // streets and water
	Over          Drawn
}

// groundStyle is the light theme's map: a picture has no theme.
const groundStyle = `.m-land{fill:#f8f5ed}.m-sea{fill:#c3dee7;fill-rule:evenodd}.m-wood{fill:#dbe6d0}.m-scrub{fill:#e9ecd9}.m-park{fill:#cfe3c3}` +
	`.m-sand{fill:#f3e6c4}.m-fv{fill:#ece6cf}.m-fo{fill:#e6e8d2}.m-ff{fill:#f3ecd6}.m-urb{fill:#f1ece1}.m-plaza{fill:#efe6d6}.m-pitch{fill:#c9dfb8}` +
	`.m-school{fill:#f3e8cf}.m-bld{fill:#e2d8c8}.m-str,.m-pier,.m-c,.m-r,.m-pc,.m-pr,.m-path,.m-rail{fill:none;stroke-linecap:round;stroke-linejoin:round}` +
	`.m-str{stroke:#c3dee7}.m-pier{stroke:#efe6d6}.m-c{stroke:#d9cfbd}.m-r{stroke:#fff}.m-pc{stroke:#d9b878}.m-pr{stroke:#fde9bd}` +
	`.m-path{stroke:#b39b72;stroke-dasharray:50 36}.m-rail{stroke:#a79f93}` +
	`text{font-family:"Noto Sans",sans-serif;paint-order:stroke;stroke:#fdfbf6;stroke-width:3.2px;stroke-linejoin:round;fill:#3a4348}` +
	`.lq{font-weight:600;fill:#5d6669;letter-spacing:.06em;text-transform:uppercase}.lw{fill:#2b6680;font-style:italic}`

// DrawGlimpse writes the picture as one SVG.
func DrawGlimpse(w io.Writer, g Glimpse) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" lang="%s"><title>%s</title>`,
		g.Width, g.Height, g.Width, g.Height, html.EscapeString(g.Lang), html.EscapeString(g.Title))
	var err error
	if g.Near != nil {
		err = g.near(&b)
	} else {
		err = g.overview(&b)
	}
	if err != nil {
		return err
	}
	b.WriteString(`</svg>`)
	_, err = b.WriteTo(w)
	return err
}

func (g *Glimpse) near(b *bytes.Buffer) error {
	p := Plan{Width: g.Width, Height: g.Height, Frame: *g.Near, Ground: g.Ground, Scale: 1, lang: g.Lang}
	d := &pen{p: &p}
	d.ground()
	for _, f := range g.Over.Features { // names keep off the dots
		shape, err := f.XY()
		if err != nil {
			return err
		}
		if pt, ok := shape.(orb.Point); ok {
			x, y := d.xy(Spherical(pt[0], pt[1]))
			d.taken = append(d.taken, spot{x, y, 9})
		}
	}
	d.labels()
	fmt.Fprintf(b, `<style>%s</style>`, groundStyle)
	if _, err := d.WriteTo(b); err != nil {
		return err
	}
	return g.dots(b, func(pt orb.Point) (float64, float64) { return d.xy(Spherical(pt[0], pt[1])) })
}

func (g *Glimpse) overview(b *bytes.Buffer) error {
	p := newPlane(g.Box, g.Width, g.Height)
	fmt.Fprintf(b, `<rect width="%d" height="%d" fill="#f8f5ed"/>`, g.Width, g.Height)
	out := bufio.NewWriter(b)
	for _, layer := range g.Under {
		if err := drawLayer(out, p, layer, true, 0); err != nil {
			return err
		}
	}
	if g.Over.Layer.GeometryType != geo.Point {
		if err := drawLayer(out, p, g.Over, false, 0); err != nil {
			return err
		}
		return out.Flush()
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return g.dots(b, p.xy)
}

// dots draws all points as two paths, the light edge under the colour: a dot
// is a line of no length with a round end.
func (g *Glimpse) dots(b *bytes.Buffer, xy func(orb.Point) (float64, float64)) error {
	grid := 1.0
	if len(g.Over.Features) > 1000 {
		grid = 4 // dots that hide each other are one
	}
	seen := map[[2]int]bool{}
	var path bytes.Buffer
	var at func(orb.Geometry)
	at = func(shape orb.Geometry) {
		switch s := shape.(type) {
		case orb.Point:
			x, y := xy(s)
			if x < -10 || y < -10 || x > float64(g.Width)+10 || y > float64(g.Height)+10 {
				return
			}
			cell := [2]int{int(math.Round(x / grid)), int(math.Round(y / grid))}
			if !seen[cell] {
				seen[cell] = true
				fmt.Fprintf(&path, "M%.0f %.0fh0", float64(cell[0])*grid, float64(cell[1])*grid)
			}
		case orb.MultiPoint:
			for _, pt := range s {
				at(pt)
			}
		}
	}
	for _, f := range g.Over.Features {
		shape, err := f.XY()
		if err != nil {
			return err
		}
		at(shape)
	}
	if path.Len() == 0 {
		return nil
	}
	size := 13
	if len(seen) > 300 {
		size = 8
	}
	fmt.Fprintf(b, `<g fill="none" stroke-linecap="round"><path d="%s" stroke="#fff" stroke-width="%d"/><path d="%s" stroke="%s" stroke-width="%d"/></g>`,
		path.String(), size+4, path.String(), fills[colourOf(&g.Over.Layer)], size)
	return nil
}
