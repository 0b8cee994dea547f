package api

import (
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"calanque/geo"
)

// TestLinks holds the links that the standard and its clients want, with
// their types, and that each leads somewhere.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(250, "v1"))
	s.refresh()
	for _, c := range []struct {
		target string
		want   []string // rel type
	}{
		{"/api", []string{
			"self application/json", "service-desc application/vnd.oai.openapi+json;version=3.0",
			"conformance application/json", "data application/json", "alternate text/html",
		}},
		{"/api/collections", []string{"self application/json", "alternate text/html"}},
		{"/api/collections/points_eau", []string{"self application/json", "alternate text/html", "items application/geo+json", "license text/html"}},
		{"/api/collections/points_eau/items", []string{"self application/geo+json", "alternate text/html", "next application/geo+json", "collection application/json"}},
		{"/api/collections/points_eau/items/p00001", []string{"self application/geo+json", "alternate text/html", "collection application/json"}},
	} {
		var doc featurePage
		s.getJSON(c.target, &doc)
		have := map[string]bool{}
		for _, l := range doc.Links {
			have[l.Rel+" "+l.Type] = true
			if path, own := strings.CutPrefix(l.Href, "http://hub.example"); own {
				got := s.ask(http.MethodGet, path)
				kind, _, _ := strings.Cut(got.Header().Get("Content-Type"), ";")
				if want, _, _ := strings.Cut(l.Type, ";"); got.Code != 200 || kind != want {
					t.Errorf("%s: link %s to %s: got %d %s, want %s", c.target, l.Rel, path, got.Code, kind, want)
				}
			}
		}
		for _, w := range c.want {
			if !have[w] {
				t.Errorf("%s: no link %q in %v", c.target, w, doc.Links)
			}
		}
	}
}

// TestOpenAPI validates the description, and that it declares what is
// answered the way clients read it.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.air()
	s.refresh()
	w := s.ask(http.MethodGet, "/api/api")
	if got := w.Header().Get("Content-Type"); got != "application/vnd.oai.openapi+json;version=3.0" {
		t.Errorf("Content-Type is %q", got)
	}
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	limit := doc.Components.Parameters["limit"].Value
	if *limit.Schema.Value.Max != 10000 || limit.Schema.Value.Default != 100.0 || *limit.Schema.Value.Min != 1 || limit.Style != "form" || *limit.Explode {
		t.Errorf("limit is declared as %+v", limit)
	}
	bbox := doc.Components.Parameters["bbox"].Value.Schema.Value
	if bbox.MinItems != 4 || *bbox.MaxItems != 6 || !bbox.Items.Value.Type.Is("number") {
		t.Errorf("bbox is declared as %+v", bbox)
	}
	items := doc.Paths.Value("/collections/points_eau/items")
	if items == nil || items.Get.Parameters.GetByInAndName("query", "numero") == nil {
		t.Errorf("the fields of points_eau are not declared")
	}
	for path := range doc.Paths.Map() {
		target := "/api" + strings.NewReplacer("{collectionId}", "points_eau", "{featureId}", "p00001").Replace(path)
		if got := s.ask(http.MethodGet, target).Code; got != 200 {
			t.Errorf("%s: got %d, want 200", target, got)
		}
	}
}

// TestOGRReads reads collections with GDAL, as QGIS users do: counts and
// values must be those of the database.
func TestOGRReads(t *testing.T) {
	t.Parallel()
	ogrinfo, err := exec.LookPath("ogrinfo")
	if err != nil {
		t.Skip("SKIPPED: no ogrinfo on this machine, so no real client has read the API")
	}
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(2345, "v1"))
	s.air()
	s.communesOf("Marseille", "Aix-en-Provence")
	s.refresh()
	address := serveOn(t, s)
	for layer, want := range map[string]string{"points_eau": "2345", "indice": "15", "communes": "2"} {
		out, err := exec.CommandContext(t.Context(), ogrinfo, "-ro", "-so", "OAPIF:"+address+"/api", layer).CombinedOutput()
		if err != nil {
			t.Fatalf("ogrinfo %s: %v: %s", layer, err, out)
		}
		if got := regexp.MustCompile(`Feature Count: (\d+)`).FindSubmatch(out); got == nil || string(got[1]) != want {
			t.Errorf("%s: want Feature Count: %s in\n%s", layer, want, out)
		}
		for _, field := range []string{"nom: String", "numero: Integer", "debit: Real", "pose: Date", "releve: DateTime"} {
			if layer == "points_eau" && !strings.Contains(string(out), field) {
				t.Errorf("GDAL does not see %s in\n%s", field, out)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "copy.csv")
	out, err := exec.CommandContext(t.Context(), "ogr2ogr", "-f", "CSV", file, "OAPIF:"+address+"/api", "points_eau",
		"-spat", "5.0", "42.9", "5.0951", "43.0049", "-lco", "GEOMETRY=AS_XY").CombinedOutput()
	if err != nil {
		t.Fatalf("ogr2ogr: %v: %s", err, out)
	}
	if n := countLines(t, file); n != 11 {
		t.Errorf("ogr2ogr wrote %d lines, want a header and 10 points", n)
	}
}

// TestQueryNames holds that next links keep the filters they were asked with.
func TestQueryNames(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(30, "v1"))
	s.refresh()
	var p featurePage
	s.getJSON("/api/collections/points_eau/items?limit=5&bbox=5,43,5.2,43.1&potable=true&f=json", &p)
	u, err := url.Parse(p.link("next"))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for name, want := range map[string]string{"limit": "5", "bbox": "5,43,5.2,43.1", "potable": "true", "f": "json"} {
		if q.Get(name) != want {
			t.Errorf("next has %s=%q, want %q", name, q.Get(name), want)
		}
	}
}
