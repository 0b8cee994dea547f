package sample

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func svgPath(l line, closed bool) string {
	var b strings.Builder
	for i, p := range l {
		c := 'L'
		if i == 0 {
			c = 'M'
		}
		fmt.Fprintf(&b, "%c%.1f %.1f", c, p.X, -p.Y)
	}
	if closed {
		b.WriteByte('Z')
	}
	return b.String()
}

func (w *way) line() line {
	out := make(line, len(w.nodes))
	for i := range out {
		out[i] = w.nodes[i].at
	}
	return out
}

type layerStyle struct {
	match  func(t tags) bool
	fill   string
	stroke string
	width  float64 // metres
	least  float64 // pixels
	dash   string
}

func has(k string, vs ...string) func(t tags) bool {
	return func(t tags) bool {
		for _, v := range vs {
			if t.get(k) == v || (v == "*" && t.get(k) != "") {
				return true
			}
		}
		return false
	}
}

var styles = []layerStyle{
	{match: has("landuse", "residential", "retail"), fill: "#f1ede3"},
	{match: has("natural", "scrub"), fill: "#e6ead2"},
	{match: has("natural", "wood"), fill: "#d5e3cb"},
	{match: has("landuse", "forest"), fill: "#d5e3cb"},
	{match: has("landuse", "vineyard"), fill: "#e9e6cf", stroke: "#dcd9b8", least: .5},
	{match: has("landuse", "orchard"), fill: "#dfe6cc", stroke: "#cfd9b8", least: .5},
	{match: has("landuse", "farmland"), fill: "#f3eedb", stroke: "#e5dfc8", least: .5},
	{match: has("landuse", "meadow"), fill: "#e4ecd2", stroke: "#d5e0be", least: .5},
	{match: has("natural", "beach"), fill: "#f3e6c3"},
	{match: has("leisure", "park"), fill: "#cfe2c2"},
	{match: has("leisure", "stadium"), fill: "#d6e5cc"},
	{match: has("leisure", "pitch"), fill: "#c6dcc0", stroke: "#fff", least: 1},
	{match: has("landuse", "cemetery"), fill: "#d3dfc9"},
	{match: has("amenity", "school", "college"), fill: "#f3e6cf"},
	{match: has("amenity", "parking"), fill: "#eee"},
	{match: has("place", "square"), fill: "#fff"},
	{match: has("natural", "water"), fill: "#c2dde9"},
	{match: has("waterway", "river"), stroke: "#b5d8e6", width: 22, least: 1},
	{match: has("waterway", "stream"), stroke: "#b5d8e6", width: 7, least: .6},
	{match: has("man_made", "breakwater"), stroke: "#e5dfd2", width: 10},
	{match: has("man_made", "pier"), stroke: "#e5dfd2", width: 5},
	{match: has("building", "*"), fill: "#ddd2bf", stroke: "#cbbda5", least: .5},
	{match: has("leisure", "swimming_pool"), fill: "#b5d8e6"},
	{match: has("highway", "path"), stroke: "#a9855c", width: 1.5, least: .8, dash: "6 5"},
	{match: has("highway", "track"), stroke: "#c8b795", width: 2.5, least: .5},
	{match: has("highway", "residential", "unclassified", "living_street", "pedestrian"), stroke: "#fff", width: 6.5, least: .4},
	{match: has("highway", "tertiary"), stroke: "#fff", width: 9, least: .9},
	{match: has("highway", "secondary"), stroke: "#fdf3d0", width: 10, least: 1.2},
	{match: has("highway", "primary"), stroke: "#fbdc94", width: 12, least: 1.8},
	{match: has("highway", "motorway"), stroke: "#e9a04c", width: 11, least: 1.2},
	{match: has("railway", "rail"), stroke: "#777", width: 2, least: 1, dash: "14 4"},
	{match: has("railway", "platform"), fill: "#bbb"},
	{match: has("boundary", "administrative"), stroke: "#aa9fb5", least: 1, dash: "30 20"},
	{match: has("natural", "coastline"), stroke: "#7fa9b8", least: .8},
}

func picture(p *painter, file string, v box) {
	f, _ := os.Create(file)
	defer f.Close()
	px := 1366 / (v.X1 - v.X0)
	fmt.Fprintf(f, `<meta charset="utf-8"><body style="margin:0"><svg xmlns="http://www.w3.org/2000/svg" width="1366" height="%.0f" viewBox="%f %f %f %f" style="background:#c2dde9;display:block">`, (v.Y1-v.Y0)*px, v.X0, -v.Y1, v.X1-v.X0, v.Y1-v.Y0)
	fmt.Fprintf(f, `<path d="%s%s" fill="#f8f5ee"/>`, svgPath(mainland(p.coast), true), func() (s string) {
		for _, i := range p.islands {
			s += svgPath(i, true)
		}
		return
	}())
	areas(p, f, v, px)
	points(p, f, v, px)
	labels(p, f, v, px)
	fmt.Fprint(f, "</svg>")
}

func areas(p *painter, f io.Writer, v box, px float64) {
	wayByID := map[int64]*way{}
	for _, w := range p.m.ways {
		wayByID[w.id] = w
	}
	for _, st := range styles {
		w := max(st.width, st.least/px)
		attr := fmt.Sprintf(`fill="%s"`, map[bool]string{true: "none", false: st.fill}[st.fill == ""])
		if st.stroke != "" {
			attr += fmt.Sprintf(` stroke="%s" stroke-width="%.2f" stroke-linejoin="round" stroke-linecap="round"`, st.stroke, w)
		}
		if st.dash != "" {
			attr += fmt.Sprintf(` stroke-dasharray="%s"`, st.dash)
		}
		for _, o := range p.m.ways {
			if st.match(o.tags) && boxOf(o.line()).meets(v) {
				if st.width > 4 && st.fill == "" && strings.Contains("#fff#fdf3d0#fbdc94#e9a04c", st.stroke) && px > .12 {
					fmt.Fprintf(f, `<path d="%s" fill="none" stroke="#d8cfbd" stroke-width="%.2f" stroke-linecap="round"/>`, svgPath(o.line(), false), w+2/px)
				}
			}
		}
		for _, o := range p.m.ways {
			if st.match(o.tags) && boxOf(o.line()).meets(v) {
				fmt.Fprintf(f, `<path d="%s" %s/>`, svgPath(o.line(), st.fill != ""), attr)
			}
		}
		for _, r := range p.m.relations {
			if r.tags.get("type") != "multipolygon" || !st.match(r.tags) {
				continue
			}
			d := ""
			var open line
			for _, m := range r.members {
				l := wayByID[m.Ref].line()
				if l[0] == l[len(l)-1] {
					d += svgPath(l, true)
					continue
				}
				open = append(open, l[:len(l)-1]...)
			}
			if open != nil {
				d += svgPath(open, true)
			}
			fmt.Fprintf(f, `<path d="%s" fill-rule="evenodd" %s/>`, d, attr)
		}
	}
}

func points(p *painter, f io.Writer, v box, px float64) {
	for _, n := range p.m.nodes {
		if !v.has(n.at) || n.tags == nil || n.gone {
			continue
		}
		name := n.tags.get("name")
		switch {
		case n.tags.get("natural") == "tree" && px > .2:
			fmt.Fprintf(f, `<circle cx="%.1f" cy="%.1f" r="3.6" fill="#9fc190"/>`, n.at.X, -n.at.Y)
		case n.tags.get("place") != "" && (px > .3 || strings.Contains("town village sea", n.tags.get("place"))):
			size := map[string]float64{"town": 15, "village": 11, "sea": 16, "suburb": 14, "quarter": 14}[n.tags.get("place")]
			fmt.Fprintf(f, `<text x="%.1f" y="%.1f" font-size="%.1f" text-anchor="middle" font-family="Noto Sans,DejaVu Sans" fill="#444" stroke="#f8f5ee" stroke-width="%.1f" paint-order="stroke">%s</text>`, n.at.X, -n.at.Y, max(size, 9)/px, 3/px, name)
		case n.tags.get("amenity") == "drinking_water" || n.tags.get("amenity") == "fountain" || n.tags.get("man_made") == "water_tap":
			fmt.Fprintf(f, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="#0b5376" stroke="#fff" stroke-width="%.1f"/>`, n.at.X, -n.at.Y, 5/px, 1/px)
		case px > .4 && (n.tags.get("amenity") != "" || n.tags.get("shop") != ""):
			fmt.Fprintf(f, `<circle cx="%.1f" cy="%.1f" r="%.1f" fill="#a33"/>`, n.at.X, -n.at.Y, 2.5/px)
		}
	}
}

func labels(p *painter, f io.Writer, v box, px float64) {
	if px > .3 {
		for _, o := range p.m.ways {
			if o.tags.get("highway") == "" || o.tags.get("name") == "" || !boxOf(o.line()).meets(v) || o.line().length()*px < 90 {
				continue
			}
			l := o.line()
			if l[0].X > l[len(l)-1].X {
				l = l.reversed()
			}
			fmt.Fprintf(f, `<path id="w%d" d="%s" fill="none"/><text font-size="%.1f" dy="%.1f" font-family="Noto Sans,DejaVu Sans" fill="#333" stroke="#fff" stroke-width="%.1f" paint-order="stroke"><textPath href="#w%d" startOffset="50%%" text-anchor="middle">%s</textPath></text>`, o.id, svgPath(l, false), 11/px, 4/px, 2.5/px, o.id, o.tags.get("name"))
		}
	}
}

// TestPictures draws the map as pages of SVG into the folder that
// CALANQUE_SAMPLE_PICTURES names, to be looked at; without it, nothing.
func TestPictures(t *testing.T) {
	dir := os.Getenv("CALANQUE_SAMPLE_PICTURES")
	if dir == "" {
		t.Skip("CALANQUE_SAMPLE_PICTURES names no folder for the pictures")
	}
	seed, _ := strconv.ParseInt(os.Getenv("CALANQUE_SAMPLE_SEED"), 10, 64)
	w, err := newWorld(seed)
	if err != nil {
		t.Fatal(err)
	}
	p := w.paint()
	water := p.irrigate()
	decide(newStream(seed, "fates water"), water)
	p.survey(newStream(seed, "survey water"), water)
	for i, c := range p.communes {
		if c.size() == 2 && i > 4 {
			picture(p, filepath.Join(dir, "village.html"), box{c.centre.X - 1000, c.centre.Y - 650, c.centre.X + 1000, c.centre.Y + 650})
			break
		}
	}
	for _, e := range []struct {
		name string
		v    box
	}{{"region", extent}, {"commune", box{-100, -700, 5200, 2800}}, {"town", box{700, -600, 4400, 1850}}, {"centre", box{1500, 0, 2866, 900}}, {"around", box{-9000, -4000, 15000, 12000}}} {
		picture(p, filepath.Join(dir, e.name+".html"), e.v)
	}
}
