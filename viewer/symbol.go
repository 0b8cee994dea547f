package viewer

import (
	"fmt"
	"html/template"
	"strings"
	"sync"

	"calanque/geo"
)

// A symbol is the drawing inside a marker, about 12 units wide around 0,0.
type symbol struct {
	Fill   string `json:"fill"`
	Stroke string `json:"stroke"`
}

var symbols = sync.OnceValue(func() map[string]symbol {
	m := map[string]symbol{}
	mustDecode("src/symbols.json", &m)
	return m
})

// swatch is the sign of a layer in the panel: the same as on the map, so that
// the panel is the legend.
func swatch(l *Layer) template.HTML {
	s := l.Style
	switch {
	case s.As == "air-index":
		return `<svg class="swt" width="28" height="28" viewBox="0 0 28 28" aria-hidden="true"><path d="M3 5h7v18H3z" fill="#50f0e6"/><path d="M10 5h8v18h-8z" fill="#50ccaa"/><path d="M18 5h7v18h-7z" fill="#f0e641"/><path d="M3 5h22v18H3z" fill="none" stroke="#13252e" stroke-width="1.500"/></svg>`
	case l.GeometryType == geo.Line:
		return template.HTML(`<svg class="swt" width="28" height="28" viewBox="0 0 28 28" aria-hidden="true"><path class="ln c-` + colourOf(l) + dashClass(s.Line) + `" d="M3 20c6-1 7-11 12-11 4 0 4 6 10 4"/></svg>`)
	case l.GeometryType == geo.Polygon || l.GeometryType == geo.Mixed:
		cut := ""
		if s.Fill == "diagonal" {
			cut = `<path class="cut" d="M5 21 23 7"/>`
		}
		return template.HTML(`<svg class="swt" width="28" height="28" viewBox="0 0 28 28" aria-hidden="true"><g class="ar c-` + colourOf(l) + `"><rect x="3" y="5" width="22" height="18" rx="2"/>` + cut + `</g></svg>`)
	case l.GeometryType == geo.None:
		return `<svg class="swt" width="28" height="28" viewBox="0 0 28 28" aria-hidden="true"><path class="ln c-encre" d="M4 8h20M4 14h20M4 20h20"/></svg>`
	}
	return template.HTML(`<svg class="swt" width="28" height="28" viewBox="-14 -14 28 28" aria-hidden="true">` + marker(l) + `</svg>`)
}

// marker is the sign of a point layer, around 0,0.
func marker(l *Layer) string {
	shape := `<rect class="mkb c-` + colourOf(l) + `" x="-10" y="-10" width="20" height="20" rx="5"/>`
	if colourOf(l) == "mer" {
		shape = `<circle class="mkb c-mer" r="12"/>`
	}
	sy, ok := symbols()[l.Style.Icon]
	if !ok {
		sy = symbols()["dot"]
	}
	if sy.Fill != "" {
		return shape + `<path class="mki" d="` + sy.Fill + `"/>`
	}
	return shape + `<path class="mks" d="` + sy.Stroke + `"/>`
}

// colours are the names a style may use; style.css has a class for each.
var colours = []string{"mer", "pin", "ocre", "brique", "encre", "osm", "violet", "public"}

// colourOf is the colour of a layer: its style's, else OSM's blue for OSM and
// the sea's for the rest.
func colourOf(l *Layer) string {
	for _, c := range colours {
		if c == l.Style.Colour {
			return c
		}
	}
	if l.Producer.ID == "openstreetmap" {
		return "osm"
	}
	return "mer"
}

func dashClass(line string) string {
	switch line {
	case "dots", "dashes":
		return " " + line
	}
	return ""
}

// outcomePaths are the four shapes of the comparison, 24 units wide around 0,0.
var outcomePaths = map[string]string{
	"same":    "M7.7 0a7.7 7.7 0 1 1-15.4 0a7.7 7.7 0 1 1 15.4 0z",
	"partner": "M0-9.45 9.45 7.2H-9.45z",
	"osm":     "M-7.5-7.5h15v15h-15z",
	"differs": "M0-10.080 10.080 0 0 10.080-10.080 0z",
	"other":   "M-8-2h16v4h-16z",
}

// outcomeSymbol is the shape of a group of outcomes.
func outcomeSymbol(group string, size int) template.HTML {
	path, ok := outcomePaths[group]
	if !ok {
		group, path = "other", outcomePaths["other"]
	}
	return template.HTML(fmt.Sprintf(`<svg class="sy sy-%s" width="%d" height="%d" viewBox="-12 -12 24 24" aria-hidden="true"><path d="%s"/></svg>`, group, size, size, path))
}

// atmo are the official colours of the index by class, never altered.
var atmo = []string{"#dddddd", "#50f0e6", "#50ccaa", "#f0e641", "#ff5050", "#960032", "#872181", "#888888"}

// atmoSign is what is written on a class besides its colour.
func atmoSign(class int64) string {
	switch {
	case class == 7:
		return "É"
	case class >= 1 && class <= 6:
		return fmt.Sprint(class)
	}
	return ""
}

// chip is the sign of a class of the air index: colour, pattern and number.
func chip(class int64, big bool) template.HTML {
	if class < 0 || class > 7 {
		class = 0
	}
	w, h := 34, 28
	if big {
		w, h = 66, 54
	}
	ink := "#000"
	if class == 5 || class == 6 {
		ink = "#fff"
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg class="chip" width="%d" height="%d" viewBox="0 0 34 28" aria-hidden="true"><rect x="1" y="1" width="32" height="26" rx="3" fill="%s"/>`, w, h, atmo[class])
	if p := atmoPattern(class); p != "" {
		fmt.Fprintf(&b, `<path d="%s" fill="none" stroke="%s" stroke-opacity=".55" stroke-width="1.4" stroke-linecap="round"/>`, p, ink)
		fmt.Fprintf(&b, `<circle cx="17" cy="14" r="9.5" fill="%s"/>`, atmo[class])
	}
	b.WriteString(`<rect x="1" y="1" width="32" height="26" rx="3" fill="none" stroke="#13252e" stroke-opacity=".6" stroke-width="1.5"/>`)
	if s := atmoSign(class); s != "" {
		fmt.Fprintf(&b, `<text x="17" y="19.5" text-anchor="middle" font-size="16" font-weight="700" fill="%s">%s</text>`, ink, s)
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

// atmoPattern is the second sign of a class, inside a 34 by 28 chip: hatching
// for "not available", then denser from class 3 on.
func atmoPattern(class int64) string {
	var b strings.Builder
	switch class {
	case 0:
		for x := -20; x < 34; x += 8 {
			diagonal(&b, x, 26)
		}
	case 3:
		for y := 4; y < 27; y += 5 {
			for x := 4 + y%2*3; x < 33; x += 7 {
				fmt.Fprintf(&b, "M%d %dh.01", x, y)
			}
		}
	case 4:
		for y := 4; y < 27; y += 4 {
			fmt.Fprintf(&b, "M2 %dH32", y)
		}
	case 5, 6:
		step := 9
		if class == 6 {
			step = 5
		}
		for x := -24; x < 34; x += step {
			diagonal(&b, x, 26)
			lo, hi := max(x, 1), min(x+26, 33)
			if lo < hi {
				fmt.Fprintf(&b, "M%d %dL%d %d", lo, 1+lo-x, hi, 1+hi-x)
			}
		}
	}
	return b.String()
}

// diagonal draws a rising line from x on the lower edge, cut to the chip.
func diagonal(b *strings.Builder, x, height int) {
	lo, hi := max(x, 1), min(x+height, 33)
	if lo < hi {
		fmt.Fprintf(b, "M%d %dL%d %d", lo, 1+height-(lo-x), hi, 1+height-(hi-x))
	}
}
