package api

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"calanque/geo"
)

// TestServe starts and stops the server the way up does: what was asked
// before is answered, and nothing is left behind.
func TestServe(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(5000, "v1"))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	address := "http://" + l.Addr().String()
	wait(t, "the server", func() bool {
		r, err := http.Get(address + "/readyz")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == 200
	})
	r, err := http.Get(address + "/telecharger/points_eau.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	stop()
	rows, err := csv.NewReader(r.Body).ReadAll()
	if err != nil || len(rows) != 5001 {
		t.Errorf("a download that was under way gave %d rows, want 5001 (%v)", len(rows), err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("Serve: %v", err)
		}
	case <-time.After(shutdownTimeout):
		t.Error("Serve does not end")
	}
	if _, err := http.Get(address + "/healthz"); err == nil {
		t.Error("the port still answers")
	}
}

// TestDownloads counts what downloads hold, and reads their cells.
func TestDownloads(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rows := water(4321, "v1")
	rows[0].Values[0] = `=HYPERLINK("http://evil.example")`
	rows[1].Geometry = nil
	s.load(waterTable(), geo.Snapshot, rows)
	s.communesOf("Marseille", "Aubagne")
	s.refresh()
	w := s.ask(http.MethodGet, "/telecharger/points_eau.csv")
	if got := w.Header().Get("Content-Disposition"); got != `attachment; filename="points_eau.csv"` {
		t.Errorf("Content-Disposition is %q", got)
	}
	body, bom := strings.CutPrefix(w.Body.String(), "\ufeff")
	if !bom {
		t.Error("no byte order mark")
	}
	cells, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(cells) != 4322 {
		t.Fatalf("got %d lines, want 4322 (%v)", len(cells), err)
	}
	for i, want := range []string{
		"id,nom,numero,debit,potable,pose,releve,autres,lon,lat",
		`p00000,'=HYPERLINK("http://evil.example"),0,0.0,true,2020-01-01,2026-11-01T00:00:00Z,{"a": [1, 2]},5,43`,
		`p00001,Fontaine 1 v1,1,0.25,false,2020-01-02,2026-11-01T01:00:00Z,{"a": [1, 2]},,`,
	} {
		if got := strings.Join(cells[i], ","); got != want {
			t.Errorf("line %d: got %s\nwant %s", i+1, got, want)
		}
	}
	var all featurePage
	s.getJSON("/telecharger/points_eau.geojson", &all)
	if len(all.Features) != 4321 {
		t.Errorf("got %d features, want 4321", len(all.Features))
	}
	if got := string(s.get("/telecharger/communes.csv")); !strings.Contains(got, "Marseille,\"MULTIPOLYGON (((5 43,") {
		t.Errorf("no WKT in %s", got)
	}
}

// TestSearch looks for communes, objects and layers the way people type.
func TestSearch(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.communesOf("La Ciotat", "Saint-Rémy-de-Provence", "L’Île-Rousse", "Les Baux", "Aix-en-Provence", "Saintes-Maries-de-la-Mer")
	rows := water(30, "v1")
	rows[3].Values[0] = "Fontaine de l’Hôtel-Dieu"
	rows[4].Values[0] = "100% pure_eau"
	s.load(waterTable(), geo.Snapshot, rows)
	s.refresh()
	for _, c := range []struct{ q, kind, title string }{
		{"ciotat", "commune", "La Ciotat"},
		{"LA CIOTAT", "commune", "La Ciotat"},
		{"st remy", "commune", "Saint-Rémy-de-Provence"},
		{"remy provence", "commune", "Saint-Rémy-de-Provence"},
		{"ile rousse", "commune", "L’Île-Rousse"},
		{"l'île", "commune", "L’Île-Rousse"},
		{"stes maries", "", ""},
		{"13004", "commune", "Les Baux"},
		{"hotel dieu", "object", "Fontaine de l’Hôtel-Dieu"},
		{"fontaine de l'hotel", "object", "Fontaine de l’Hôtel-Dieu"},
		{"100% pure", "object", "100% pure_eau"},
		{"drinking", "layer", "Points d’eau"},
		{"points d'eau", "layer", "Points d’eau"},
		{"%", "", ""},
		{"'; drop table dataset; --", "", ""},
		{"", "", ""},
	} {
		w := s.ask(http.MethodGet, "/recherche?lg=fr&q="+urlEscape(c.q))
		var got struct {
			Groups []struct {
				Kind  string
				Items []struct {
					Title, Layer, ID string
					BBox             []float64
					Center           []float64
				}
			}
		}
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 {
			t.Fatalf("%q: %d %v: %s", c.q, w.Code, err, w.Body)
		}
		found := c.kind == ""
		for _, g := range got.Groups {
			found = found || g.Kind == c.kind && g.Items[0].Title == c.title && (g.Items[0].BBox != nil || g.Items[0].Center != nil)
		}
		if !found || c.kind == "" && len(got.Groups) > 0 {
			t.Errorf("%q: want %s %s first in %s", c.q, c.kind, c.title, w.Body)
		}
	}
	page := string(s.get("/carte?q=ciotat&lg=fr"))
	if !strings.Contains(page, "La Ciotat") {
		t.Error("the page without a script does not show what was found")
	}
	page = string(s.get("/carte?c=points_eau&commune=13001&lg=fr"))
	if strings.Count(page, "Fontaine ") != 5 { // at 5.00 to 5.05, borders included; one of the six has another name
		t.Errorf("the commune's list has %d fountains, want 5", strings.Count(page, "Fontaine "))
	}
}

// TestPages holds the policies of pages, and that a list is walked by links.
func TestPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(150, "v1"))
	s.refresh()
	w := s.ask(http.MethodGet, "/carte?c=points_eau", "Accept-Language", "it")
	h := w.Header()
	if got := h.Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'self'; ") || strings.Contains(got, "unsafe") || !strings.Contains(got, "frame-ancestors 'none'") {
		t.Errorf("policy is %q", got)
	}
	if h.Get("Content-Language") != "it" || h.Get("X-Frame-Options") != "DENY" || !strings.Contains(strings.Join(h.Values("Vary"), ","), "Accept-Language") {
		t.Errorf("headers are %v", h)
	}
	framed := s.ask(http.MethodGet, "/carte?c=points_eau&cadre=1").Header()
	if got := framed.Get("Content-Security-Policy"); !strings.Contains(got, "frame-ancestors *") || framed.Get("X-Frame-Options") != "" {
		t.Errorf("an embedded page has policy %q", got)
	}
	token := s.nextOfPage(w.Body.String())
	second := string(s.get("/carte?c=points_eau&apres=" + token + "&page=2"))
	if !strings.Contains(second, "Fontaine 60 v1") || strings.Contains(second, "Fontaine 59 v1") {
		t.Error("the second page does not begin at the 61st row")
	}
}

// nextOfPage finds the value of apres in a page's link to the next.
func (s *site) nextOfPage(page string) string {
	s.t.Helper()
	_, rest, ok := strings.Cut(page, "apres=")
	if !ok {
		s.t.Fatal("the page has no link to the next")
	}
	return rest[:strings.IndexAny(rest, `"&`)]
}

func urlEscape(s string) string {
	return strings.NewReplacer("%", "%25", " ", "%20", "'", "%27", ";", "%3B", "&", "%26").Replace(s)
}
