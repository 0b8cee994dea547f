package viewer

import (
	"bufio"
	"fmt"
	"html"
	"io"
	"math"
	"strconv"

	"github.com/paulmach/orb"

	"calanque/geo"
)

// A Drawing is a picture of the map without a script: features as one SVG.
type Drawing struct {
	Lang          string
	Title         string  // what a screen reader says, and the title of the picture
	Width, Height int     // pixels
	Box           geo.Box // CRS84; the picture shows at least this
	Under         []Drawn // the ground, from the lowest up: coast, communes, roads
	Over          []Drawn // the data, from the lowest up
	Numbered      bool    // points of Over carry 1, 2, 3… in their order
}

// A Drawn is some features of a layer, with geometry in EPSG:4326.
type Drawn struct {
	Layer    Layer
	Features []geo.Feature
}

// SVG writes the drawing in spherical Mercator, the plane of the tiles. Its
// colours are the light theme's: a picture has no theme.
func SVG(w io.Writer, d Drawing) error {
	p := newPlane(d.Box, d.Width, d.Height)
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" lang="%s"><title>%s</title>`,
		d.Width, d.Height, d.Width, d.Height, html.EscapeString(d.Lang), html.EscapeString(d.Title))
	fmt.Fprintf(b, `<rect width="%d" height="%d" fill="#f8f5ed"/>`, d.Width, d.Height)
	for _, layer := range d.Under {
		if err := drawLayer(b, p, layer, true, 0); err != nil {
			return err
		}
	}
	number := 0
	if d.Numbered {
		number = 1
	}
	for _, layer := range d.Over {
		if err := drawLayer(b, p, layer, false, number); err != nil {
			return err
		}
	}
	p.scaleBar(b, d.Lang)
	fmt.Fprintf(b, `<text x="%d" y="%d" text-anchor="end" font-family="Noto Sans,sans-serif" font-size="13" fill="#3f5059">%s</text>`,
		d.Width-8, d.Height-8, html.EscapeString(Say(d.Lang, "map.osm-credit")))
	b.WriteString(`</svg>`)
	return b.Flush()
}

// A plane turns lon/lat into pixels of a picture.
type plane struct {
	minX, maxY    float64 // Mercator, radians
	scale         float64 // pixels per radian
	width, height float64
	lat           float64 // of the middle, degrees
}

func newPlane(box geo.Box, width, height int) plane {
	if box.Empty() {
		box = geo.Box{MinX: 4.2, MinY: 42.9, MaxX: 7.8, MaxY: 45.2}
	}
	x0, x1 := radians(box.MinX), radians(box.MaxX)
	y0, y1 := mercator(box.MinY), mercator(box.MaxY)
	const least = 1e-6 // about 6 m: a single point has a neighbourhood too
	w, h := math.Max(x1-x0, least), math.Max(y1-y0, least)
	scale := math.Min(float64(width)/w, float64(height)/h) * 0.92
	cx, cy := (x0+x1)/2, (y0+y1)/2
	return plane{
		minX: cx - float64(width)/scale/2, maxY: cy + float64(height)/scale/2, scale: scale,
		width: float64(width), height: float64(height), lat: (box.MinY + box.MaxY) / 2,
	}
}

func radians(deg float64) float64 { return deg * math.Pi / 180 }

func mercator(lat float64) float64 { return math.Asinh(math.Tan(radians(lat))) }

func (p plane) xy(pt orb.Point) (x, y float64) {
	return (radians(pt[0]) - p.minX) * p.scale, (p.maxY - mercator(pt[1])) * p.scale
}

// scaleBar draws a round length; on the ground, so corrected for the latitude.
func (p plane) scaleBar(b *bufio.Writer, lang string) {
	const earth = 6371008.8 // metres, mean radius
	metresPerPixel := earth * math.Cos(radians(p.lat)) / p.scale
	length := 1.0
	for _, l := range []float64{1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5} {
		if l/metresPerPixel <= 140 {
			length = l
		}
	}
	px := length / metresPerPixel
	fmt.Fprintf(b, `<path d="M12 %.0fv6h%.1fv-6" fill="none" stroke="#13252e" stroke-width="2"/><text x="%.1f" y="%.0f" font-family="Noto Sans,sans-serif" font-size="14" fill="#13252e">%s</text>`,
		p.height-16, px, px+20, p.height-9, html.EscapeString(Distance(lang, length)))
}

// fills are the light theme's colours by style name.
var fills = map[string]string{
	"mer": "#0b5374", "pin": "#285a41", "ocre": "#8a4708", "brique": "#9a2a1b",
	"encre": "#13252e", "osm": "#2478cc", "violet": "#64187f", "public": "#cbbba1",
}

var outcomeFills = map[string]string{"same": "#5b676c", "partner": "#b35806", "osm": "#2478cc", "differs": "#64187f", "other": "#5b676c"}

func drawLayer(b *bufio.Writer, p plane, d Drawn, ground bool, number int) error {
	b.WriteString(`<g stroke-linejoin="round" stroke-linecap="round">`)
	for _, f := range d.Features {
		g, err := f.XY()
		if err != nil {
			return err
		}
		if g == nil {
			continue
		}
		s := brushFor(&d.Layer, f, ground)
		s.number = number
		if number > 0 {
			number++
		}
		drawGeometry(b, p, g, s)
	}
	b.WriteString(`</g>`)
	return nil
}

// A brush is how one feature is drawn.
type brush struct {
	line, fill, dash string
	width            float64
	group            string // of an outcome
	sign             string // written at a point or inside an area
	number           int
	layer            *Layer
}

func brushFor(l *Layer, f geo.Feature, ground bool) brush {
	if ground {
		return brush{line: "#cdc0aa", fill: "none", width: 1}
	}
	colour := fills[colourOf(l)]
	s := brush{line: colour, fill: colour + "33", width: 3, layer: l}
	switch l.Style.Line {
	case "dots":
		s.dash = `.1 7`
	case "dashes":
		s.dash = `9 6`
	}
	if l.Style.As == "air-index" {
		class := airClass(value(l, f, "code_qual"))
		s.fill, s.line, s.width, s.sign = atmo[class], "#13252e", 1, atmoSign(class)
	}
	if group, ok := value(l, f, "group").(string); ok && outcomeFills[group] != "" {
		s.group = group
	}
	return s
}

func drawGeometry(b *bufio.Writer, p plane, g orb.Geometry, s brush) {
	switch g := g.(type) {
	case orb.Point:
		drawPoint(b, p, g, s)
	case orb.MultiPoint:
		for _, pt := range g {
			drawPoint(b, p, pt, s)
		}
	case orb.LineString:
		drawPath(b, p, []orb.LineString{g}, false, s)
	case orb.MultiLineString:
		drawPath(b, p, g, false, s)
	case orb.Polygon:
		drawPolygons(b, p, orb.MultiPolygon{g}, s)
	case orb.MultiPolygon:
		drawPolygons(b, p, g, s)
	case orb.Collection:
		for _, part := range g {
			drawGeometry(b, p, part, s)
		}
	}
}

func drawPolygons(b *bufio.Writer, p plane, g orb.MultiPolygon, s brush) {
	var rings []orb.LineString
	for _, polygon := range g {
		for _, ring := range polygon {
			rings = append(rings, orb.LineString(ring))
		}
	}
	drawPath(b, p, rings, true, s)
	if s.sign != "" && len(g) > 0 {
		c := g.Bound().Center()
		x, y := p.xy(c)
		ink := "#000"
		if s.fill == atmo[5] || s.fill == atmo[6] {
			ink = "#fff"
		}
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" font-family="Noto Sans,sans-serif" font-size="13" font-weight="700" stroke="none" fill="%s">%s</text>`, x, y+5, ink, s.sign)
	}
}

// drawPath writes lines as one path of whole and half pixels; vertices closer
// than half a pixel to the one before are left out.
func drawPath(b *bufio.Writer, p plane, lines []orb.LineString, closed bool, s brush) {
	b.WriteString(`<path d="`)
	for _, line := range lines {
		lastX, lastY := math.Inf(1), math.Inf(1)
		for i, pt := range line {
			x, y := p.xy(pt)
			x, y = math.Round(x*10)/10, math.Round(y*10)/10
			if i > 0 && i < len(line)-1 && math.Abs(x-lastX) < .5 && math.Abs(y-lastY) < .5 {
				continue
			}
			command := byte('L')
			if i == 0 {
				command = 'M'
			}
			b.WriteByte(command)
			b.WriteString(strconv.FormatFloat(x, 'f', -1, 64))
			b.WriteByte(' ')
			b.WriteString(strconv.FormatFloat(y, 'f', -1, 64))
			lastX, lastY = x, y
		}
		if closed {
			b.WriteByte('z')
		}
	}
	fill := "none"
	if closed {
		fill = s.fill
	}
	fmt.Fprintf(b, `" fill="%s" fill-rule="evenodd" stroke="%s" stroke-width="%g"`, fill, s.line, s.width)
	if s.dash != "" {
		fmt.Fprintf(b, ` stroke-dasharray="%s"`, s.dash)
	}
	b.WriteString(`/>`)
}

func drawPoint(b *bufio.Writer, p plane, pt orb.Point, s brush) {
	x, y := p.xy(pt)
	fmt.Fprintf(b, `<g transform="translate(%.1f %.1f)">`, x, y)
	switch {
	case s.group != "":
		fmt.Fprintf(b, `<path d="%s" fill="%s" stroke="#fff" stroke-width="2"/>`, outcomePaths[s.group], outcomeFills[s.group])
	case s.number > 0:
		fmt.Fprintf(b, `<circle r="12" fill="%s" stroke="#fff" stroke-width="2"/><text y="5" text-anchor="middle" font-family="Noto Sans,sans-serif" font-size="13" font-weight="700" fill="#fff">%d</text>`, s.line, s.number)
	case s.layer != nil:
		sy, ok := symbols()[s.layer.Style.Icon]
		if !ok {
			sy = symbols()["dot"]
		}
		fmt.Fprintf(b, `<circle r="11" fill="%s" stroke="#fff" stroke-width="2"/>`, s.line)
		if sy.Fill != "" {
			fmt.Fprintf(b, `<path d="%s" fill="#fff"/>`, sy.Fill)
		} else {
			fmt.Fprintf(b, `<path d="%s" fill="none" stroke="#fff" stroke-width="1.8"/>`, sy.Stroke)
		}
	default:
		fmt.Fprintf(b, `<circle r="3" fill="%s"/>`, s.line)
	}
	b.WriteString(`</g>`)
}
