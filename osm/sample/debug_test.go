package sample

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

func path(l line, closed bool) string {
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

func TestDebugSVG(t *testing.T) {
	w, err := newWorld(1)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(len(w.communes), "communes", len(w.roads), "roads", len(w.blocks), "blocks", len(w.builder.houses), "houses", len(w.net.places))
	for name, v := range map[string]box{"region": extent, "rb": {700, -600, 4400, 1900}, "core": {1500, 0, 2700, 900}, "west": {-4800, -1500, -600, 2600}} {
		f, _ := os.Create(os.TempDir() + "/samplework/" + name + ".html")
		px := 1400 / (v.X1 - v.X0)
		fmt.Fprintf(f, `<svg xmlns="http://www.w3.org/2000/svg" width="1400" height="%.0f" viewBox="%f %f %f %f" style="background:#c4dde6">`, (v.Y1-v.Y0)*px, v.X0, -v.Y1, v.X1-v.X0, v.Y1-v.Y0)
		for _, c := range w.communes {
			fmt.Fprintf(f, `<path d="%s" fill="#f7f4ea" stroke="#99a" stroke-width="%f"/>`, path(c.ring, true), 1/px)
		}
		for _, b := range w.blocks {
			fmt.Fprintf(f, `<path d="%s" fill="#efeae0"/>`, path(b.ring, true))
		}
		for _, h := range w.builder.houses {
			fmt.Fprintf(f, `<path d="%s" fill="#dccfbb" stroke="#bba" stroke-width=".4"/>`, path(h.ring, true))
		}
		for _, st := range w.streams {
			fmt.Fprintf(f, `<path d="%s" fill="none" stroke="#8cc4dd" stroke-width="%f"/>`, path(st.line, false), 2/px)
		}
		for _, r := range w.roads {
			wd := map[string]float64{"primary": 10, "secondary": 9, "tertiary": 8}[r.class]
			fmt.Fprintf(f, `<path d="%s" fill="none" stroke="%s" stroke-width="%f"/>`, path(r.line, false), map[bool]string{true: "#fb8", false: "#fff"}[r.class == "primary"], max(wd, 4.5, 1/px))
		}
		for _, r := range w.tracks {
			fmt.Fprintf(f, `<path d="%s" fill="none" stroke="#666" stroke-width="%f"/>`, path(r, false), 1/px)
		}
		fmt.Fprint(f, "</svg>")
		f.Close()
	}
}
