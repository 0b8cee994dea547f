package viewer

import (
	"bytes"
	"fmt"
	"html"
	"html/template"
	"math"
	"strconv"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"calanque/geo"
)

// A Plan is a map drawn by the server inside a page: streets, water and
// buildings of the hub's own basemap, with cells and numbered places over
// them. Its colours are the page's theme, so the same plan serves screen, wall
// and a photocopier. Coordinates are EPSG:3857.
type Plan struct {
	Label         string // what a screen reader says; "" hides it from one
	ID            string // begins the ids inside the drawing: unique in its page
	Width, Height int    // of the drawing, CSS pixels
	Frame         Frame
	Ground        []GroundItem // from the lowest up
	Cells         []PlanCell
	Marks         []PlanMark
	Bleed         int     // how far the ground goes on beyond each side, where the page has room
	Scale         float64 // of the writing in cells: 1 on a desk, more on a wall; 0 means 1
	Grid          PlanGrid
	Paper         bool // sized in millimetres, its marks moved apart where they would cover each other
	lang          string
}

// A GroundItem is one feature of the basemap, in EPSG:3857.
type GroundItem struct {
	Layer, Kind, Name, Ref string
	Rail                   bool
	Shape                  orb.Geometry
}

// A PlanCell is a numbered part of the area. Total is 0 where progress does
// not matter.
type PlanCell struct {
	Number      int
	Area        orb.Geometry
	Sign        string
	Done, Total int
	Paper       bool // a sheet of it is out
}

// A PlanMark is a place on a plan.
type PlanMark struct {
	At     orb.Point
	Number int    // written on it; 0 for none
	Group  string // of an outcome, for its shape; "" with a number or letter
	Letter string // A or B, where two places are compared; after the number if there is one
	Chosen bool
}

// A PlanGrid are lines that part the drawing into squares, each with what the
// squares after it are called; "" draws the line alone.
type PlanGrid struct{ Columns, Rows []PlanGridLine }

// A PlanGridLine is a line of a grid: At is its x or y in EPSG:3857.
type PlanGridLine struct {
	At   float64
	Name string
}

// A Frame puts EPSG:3857 on a drawing: its middle, and how many units of the
// drawing a metre of 3857 is along x and y.
type Frame struct{ X, Y, PerX, PerY float64 }

// earth is the radius of the sphere of EPSG:3857 in metres.
const earth = 6378137

// Spherical gives EPSG:3857 of lon, lat in degrees.
func Spherical(lon, lat float64) orb.Point {
	return orb.Point{radians(lon) * earth, mercator(lat) * earth}
}

// Fit frames a box of EPSG:3857 in a drawing, with a margin in its units.
func Fit(box orb.Bound, width, height int, margin float64) Frame {
	const least = 60 // metres: a single place has a neighbourhood too
	w, h := math.Max(box.Max[0]-box.Min[0], least), math.Max(box.Max[1]-box.Min[1], least)
	per := math.Min((float64(width)-2*margin)/w, (float64(height)-2*margin)/h)
	c := box.Center()
	return Frame{c[0], c[1], per, per}
}

// TrueScale frames a place so that one metre on the ground, to the east as to
// the north, is perMetre units: the plane of EPSG:3857 stretches the ellipsoid
// of WGS 84 by another factor each way.
func TrueScale(at orb.Point, perMetre float64) Frame {
	const e2 = 0.00669437999014 // first eccentricity of WGS 84, squared
	lat := math.Atan(math.Sinh(at[1] / earth))
	s := 1 - e2*math.Sin(lat)*math.Sin(lat)
	return Frame{
		at[0], at[1],
		perMetre * math.Cos(lat) / math.Sqrt(s),
		perMetre * math.Cos(lat) * (1 - e2) / math.Pow(s, 1.5),
	}
}

// Box is what a drawing of that size shows, in EPSG:3857.
func (f Frame) Box(width, height int) geo.Box {
	dx, dy := float64(width)/2/f.PerX, float64(height)/2/f.PerY
	return geo.Box{MinX: f.X - dx, MinY: f.Y - dy, MaxX: f.X + dx, MaxY: f.Y + dy}
}

// A pen draws a plan.
type pen struct {
	bytes.Buffer
	p     *Plan
	taken []spot
}

// A spot is a part of the drawing that has writing or a mark on it.
type spot struct{ x, y, r float64 }

func (d *pen) xy(pt orb.Point) (x, y float64) {
	f := d.p.Frame
	return float64(d.p.Width)/2 + (pt[0]-f.X)*f.PerX, float64(d.p.Height)/2 - (pt[1]-f.Y)*f.PerY
}

// DrawPlan gives the drawing as an element of a page.
func DrawPlan(lang string, p Plan) template.HTML {
	p.lang = lang
	if p.Scale == 0 {
		p.Scale = 1
	}
	d := &pen{p: &p}
	role := `role="img" aria-label="` + html.EscapeString(p.Label) + `"`
	if p.Label == "" {
		role = `aria-hidden="true"`
	}
	size := fmt.Sprintf(`width="%d" height="%d"`, p.Width, p.Height)
	if p.Paper {
		size = fmt.Sprintf(`width="%.3fmm" height="%.3fmm"`, millimetres(p.Width), millimetres(p.Height))
	}
	fmt.Fprintf(d, `<svg class="m" %s viewBox="0 0 %d %d" %s>`, size, p.Width, p.Height, role)
	if p.Ground != nil {
		d.ground()
	}
	d.grid()
	at := d.places()
	for _, pt := range at {
		d.taken = append(d.taken, spot{pt[0], pt[1], 24})
	}
	d.labels()
	d.cells()
	d.leaders(at)
	for i, m := range p.Marks {
		d.mark(m, at[i][0], at[i][1])
	}
	d.WriteString(`</svg>`)
	return template.HTML(d.String())
}

// A stratum is one style of the ground: all its features are one path.
type stratum struct {
	class string
	metre float64 // width of a line on the ground; 0 for areas
	least float64 // width of a line in units
}

// strata are in the order of drawing.
var strata = []stratum{
	{class: "m-urb"},
	{class: "m-ff"},
	{class: "m-fv"},
	{class: "m-fo"},
	{class: "m-scrub"},
	{class: "m-wood"},
	{class: "m-park"},
	{class: "m-sand"},
	{class: "m-school"},
	{class: "m-pitch"},
	{class: "m-sea"},
	{class: "m-str", metre: 3, least: 1.5},
	{class: "m-plaza"},
	{class: "m-pier", metre: 5, least: 2},
	{class: "m-bld"},
	{class: "m-path", metre: 2, least: 1.2},
	{class: "m-c", metre: 6, least: 3.4},
	{class: "m-pc", metre: 12, least: 5.4},
	{class: "m-r", metre: 5, least: 2.2},
	{class: "m-pr", metre: 10.5, least: 4},
	{class: "m-rail", metre: 2, least: 1.6},
}

// landClass gives the class of an area by its kind in the Shortbread schema.
var landClass = map[string]string{
	"residential": "m-urb", "industrial": "m-urb", "commercial": "m-urb", "retail": "m-urb", "garages": "m-urb", "railway": "m-urb",
	"farmland": "m-ff", "meadow": "m-ff", "grass": "m-park", "grassland": "m-ff", "farmyard": "m-ff", "allotments": "m-ff",
	"vineyard": "m-fv", "orchard": "m-fo", "forest": "m-wood", "scrub": "m-scrub", "heath": "m-scrub", "bare_rock": "m-scrub",
	"park": "m-park", "garden": "m-park", "village_green": "m-park", "recreation_ground": "m-park", "cemetery": "m-park",
	"grave_yard": "m-park", "golf_course": "m-park", "playground": "m-pitch", "sand": "m-sand", "beach": "m-sand",
}

// classes gives the strata that a feature belongs to; none for what is not
// drawn as a shape.
func (g *GroundItem) classes() []string {
	switch g.Layer {
	case "ocean", "water_polygons":
		return []string{"m-sea"}
	case "water_lines":
		return []string{"m-str"}
	case "pier_lines", "dam_lines":
		return []string{"m-pier"}
	case "pier_polygons", "dam_polygons", "street_polygons", "bridges":
		return []string{"m-plaza"}
	case "land":
		if c, ok := landClass[g.Kind]; ok {
			return []string{c}
		}
	case "sites":
		switch g.Kind {
		case "school", "college", "university", "hospital":
			return []string{"m-school"}
		case "sports_centre":
			return []string{"m-pitch"}
		}
	case "buildings":
		return []string{"m-bld"}
	case "streets":
		return g.streetClasses()
	}
	return nil
}

func (g *GroundItem) streetClasses() []string {
	switch {
	case g.Rail:
		return []string{"m-rail"}
	case g.Kind == "footway" || g.Kind == "path" || g.Kind == "steps" || g.Kind == "track" || g.Kind == "cycleway":
		return []string{"m-path"}
	case g.Kind == "motorway" || g.Kind == "trunk" || g.Kind == "primary" || g.Kind == "secondary":
		return []string{"m-pc", "m-pr"}
	case g.Kind == "runway" || g.Kind == "taxiway":
		return nil
	}
	return []string{"m-c", "m-r"}
}

// ground draws the basemap: a tenth of a unit is exact enough, and whole
// numbers are short.
func (d *pen) ground() {
	paths := map[string]*bytes.Buffer{}
	for i := range d.p.Ground {
		for _, class := range d.p.Ground[i].classes() {
			if paths[class] == nil {
				paths[class] = &bytes.Buffer{}
			}
			d.shape(paths[class], d.p.Ground[i].Shape)
		}
	}
	fmt.Fprintf(d, `<rect class="m-land" x="%d" y="%d" width="%d" height="%d"/><g transform="scale(.1)">`,
		-d.p.Bleed, -d.p.Bleed, d.p.Width+2*d.p.Bleed, d.p.Height+2*d.p.Bleed)
	for _, s := range strata {
		path := paths[s.class]
		if path == nil || path.Len() == 0 {
			continue
		}
		fmt.Fprintf(d, `<path class="%s"`, s.class)
		if s.metre > 0 {
			fmt.Fprintf(d, ` stroke-width="%.0f"`, 10*math.Max(s.least, s.metre*d.p.Frame.PerX*1.38))
		}
		d.WriteString(` d="`)
		d.Write(path.Bytes())
		d.WriteString(`"/>`)
	}
	d.WriteString(`</g>`)
}

// shape writes a geometry as a path in tenths of units.
func (d *pen) shape(b *bytes.Buffer, g orb.Geometry) {
	switch g := g.(type) {
	case orb.LineString:
		d.line(b, g, false)
	case orb.MultiLineString:
		for _, l := range g {
			d.line(b, l, false)
		}
	case orb.Polygon:
		for _, r := range g {
			d.line(b, orb.LineString(r), true)
		}
	case orb.MultiPolygon:
		for _, p := range g {
			d.shape(b, p)
		}
	case orb.Collection:
		for _, part := range g {
			d.shape(b, part)
		}
	}
}

func (d *pen) line(b *bytes.Buffer, line orb.LineString, closed bool) {
	var lastX, lastY int
	n := len(line)
	if closed {
		n--
	}
	for i := range n {
		fx, fy := d.xy(line[i])
		x, y := int(math.Round(fx*10)), int(math.Round(fy*10))
		switch {
		case i == 0:
			b.WriteByte('M')
			b.WriteString(strconv.Itoa(x))
			relative(b, y, true)
			b.WriteByte('l')
		case x == lastX && y == lastY && i < n-1:
			continue
		default:
			relative(b, x-lastX, i > 1)
			relative(b, y-lastY, true)
		}
		lastX, lastY = x, y
	}
	if closed {
		b.WriteByte('z')
	}
}

// relative writes a number of a path; the minus separates as well as a space.
func relative(b *bytes.Buffer, v int, space bool) {
	if space && v >= 0 {
		b.WriteByte(' ')
	}
	b.WriteString(strconv.Itoa(v))
}

// cells draws the parts of the area: outline, hatching that fills from the
// bottom, number, and the group's sign with how far it is.
func (d *pen) cells() {
	if len(d.p.Cells) == 0 {
		return
	}
	s := d.p.Scale
	fmt.Fprintf(d, `<defs><pattern id="%sh" width="%.0f" height="%.0f" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V%.0f" stroke-width="%.1f"/></pattern></defs>`,
		d.p.ID, 11*s, 11*s, 18*s, 3*s)
	for _, c := range d.p.Cells {
		var path bytes.Buffer
		d.shape(&path, c.Area)
		box := c.Area.Bound()
		x0, y0 := d.xy(orb.Point{box.Min[0], box.Max[1]})
		x1, y1 := d.xy(orb.Point{box.Max[0], box.Min[1]})
		if c.Total > 0 && c.Done > 0 {
			h := (y1 - y0) * float64(c.Done) / float64(c.Total)
			fmt.Fprintf(d, `<clipPath id="%sc%d"><path transform="scale(.1)" d="%s"/></clipPath><rect clip-path="url(#%sc%d)" x="%.0f" y="%.0f" width="%.0f" height="%.0f" fill="url(#%sh)"/>`,
				d.p.ID, c.Number, path.String(), d.p.ID, c.Number, x0, y1-h, x1-x0, h, d.p.ID)
		}
		fmt.Fprintf(d, `<path class="cell" transform="scale(.1)" stroke-width="%.0f" d="%s"/>`, 25*math.Sqrt(s), path.String())
	}
	for _, c := range d.p.Cells {
		d.cellSign(c)
	}
}

func (d *pen) cellSign(c PlanCell) {
	at, _ := planar.CentroidArea(c.Area)
	// The sign and its words are 98 × 94 units: smaller in a small cell.
	box := c.Area.Bound()
	fit := math.Min((box.Max[0]-box.Min[0])*d.p.Frame.PerX/104, (box.Max[1]-box.Min[1])*d.p.Frame.PerY/100)
	s := math.Max(math.Min(d.p.Scale, fit), math.Min(.8, d.p.Scale))
	x, y := d.xy(at)
	done := ""
	if c.Total > 0 && c.Done >= c.Total {
		done = " done"
	}
	fmt.Fprintf(d, `<g transform="translate(%.0f %.0f) scale(%.2f)"><circle class="celln%s" r="21"/><text class="sqn%s" y="9" text-anchor="middle">%d</text>`, x, y, s, done, done, c.Number)
	if c.Total > 0 {
		words, half := Say(d.p.lang, "pages.of", "n", c.Done, "total", c.Total), 49
		if done != "" {
			words, half = Say(d.p.lang, "pages.done"), 38
		}
		fmt.Fprintf(d, `<g transform="translate(0 39)"><rect class="pill" x="%d" y="-13" width="%d" height="26" rx="13"/><g transform="translate(%d 0) scale(.73)">%s</g><text class="sqt" x="11" y="6" text-anchor="middle">%s</text></g>`,
			-half, 2*half, 15-half, signShape(c.Sign), html.EscapeString(words))
	}
	d.WriteString(`</g>`)
}

func (d *pen) mark(m PlanMark, x, y float64) {
	fmt.Fprintf(d, `<g class="pm" transform="translate(%.1f %.1f)">`, x, y)
	if m.Chosen {
		d.WriteString(`<circle class="selr" r="21"/><circle class="selr2" r="25"/>`)
	}
	switch {
	case m.Number > 0:
		fmt.Fprintf(d, `<circle class="nmk" r="15"/><text class="nmt" y="6" text-anchor="middle"%s>%d%s</text>`, squeezed(m), m.Number, html.EscapeString(m.Letter))
	case m.Letter != "":
		fmt.Fprintf(d, `<circle class="nmk" r="15"/><text class="nmt" y="6" text-anchor="middle">%s</text>`, html.EscapeString(m.Letter))
	default:
		fmt.Fprintf(d, `<path class="mk mk-%s" d="%s"/>`, html.EscapeString(m.Group), outcomePaths[m.Group])
	}
	d.WriteString(`</g>`)
}

// Geographic gives lon, lat in degrees of EPSG:3857.
func Geographic(at orb.Point) (lon, lat float64) {
	return at[0] / earth * 180 / math.Pi, math.Atan(math.Sinh(at[1]/earth)) * 180 / math.Pi
}
