package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"calanque/geo"
)

const items = "/api/collections/points_eau/items"

// statuses are addresses of every kind with what they answer.
var statuses = []struct {
	target string
	status int
	says   string // in the body
}{
	{"/healthz", 200, "ok"},
	{"/readyz", 200, "ready"},
	{"/", 200, "<!doctype html>"},
	{"/carte?c=points_eau", 200, "Fontaine 0 v1"},
	{"/carte?c=points_eau&sel=p00003", 200, "Fontaine 3 v1"},
	{"/carte?c=gone&sel=gone&apres=gone&t=gone&commune=gone", 200, ""},
	{"/carte?c=indice&t=2026-11-23", 200, "Commune 13055"},
	{"/aide", 200, ""},
	{"/robots.txt", 200, "Disallow"},
	{"/recherche?q=fontaine", 200, "points_eau"},
	{"/recherche?q=fontaine&x=1", 400, "unknown parameter; known here are lg, q"},
	{"/communes.json", 200, "communes"},
	{"/image/points_eau.svg", 200, "<svg"},
	{"/image/points_eau.svg?width=a", 400, "want a number of pixels"},
	{"/image/gone.svg", 404, "not-found"},
	{"/assets/../api.go", 404, "not-found"},
	{"/assets/.gitkeep", 404, "not-found"},
	{"/assets/gone.js", 404, "not-found"},
	{"/nothing", 404, "not-found"},
	{"//api", 404, "not-found"},
	{"/api", 200, "service-desc"},
	{"/api/", 200, "service-desc"},
	{"/api?x=1", 400, "unknown parameter; known here are f"},
	{"/api?f=xml", 400, "want json or html"},
	{"/api/conformance", 200, "conf/core"},
	{"/api/api", 200, "openapi"},
	{"/api/collections", 200, "points_eau"},
	{"/api/collections/points_eau", 200, "\"calanque\":"},
	{"/api/collections/gone", 404, "not-found"},
	{items, 200, "FeatureCollection"},
	{items + "?limit=abc", 400, "want a whole number from 1 to 10000"},
	{items + "?limit=0", 400, "want a whole number"},
	{items + "?limit=-1", 400, "want a whole number"},
	{items + "?limit=99999999999999999999999", 200, ""},
	{items + "?limit=1&limit=2", 400, "want it once"},
	{items + "?bbox=1,2,3", 400, "want 4 or 6 numbers"},
	{items + "?bbox=1,2,3,NaN", 400, "want 4 or 6 numbers"},
	{items + "?bbox=5,44,6,43", 400, "want south before north"},
	{items + "?bbox=", 400, "want 4 or 6 numbers"},
	{items + "?datetime=hier", 400, "want a time such as"},
	{items + "?datetime=../..", 400, "want a time such as"},
	{items + "?datetime=2026-11-24/2026-11-23", 400, "want the earlier time"},
	{items + "?numero=abc", 400, "want a whole number such as"},
	{items + "?debit=abc", 400, "want a number such as"},
	{items + "?potable=oui", 400, "want true or false"},
	{items + "?pose=24/11/2026", 400, "want a date such as"},
	{items + "?releve=hier", 400, "want a time such as"},
	{items + "?autres=1", 400, "can't be filtered by"},
	{items + "?nom=a%00b", 400, "zero byte"},
	{items + "?nom=%ff", 400, "UTF-8"},
	{items + "?nom=%zz", 400, "percent-encoded"},
	{items + "?numero=9223372036854775807", 200, `"numberMatched":0`},
	{items + "?inconnu=1", 400, "known here are after, bbox, datetime, debit, f, limit, nom, numero, pose, potable, releve, skipGeometry"},
	{items + "?bbox-crs=1", 400, "unknown parameter"},
	{items + "?after=xyz", 400, "want the value of a next link"},
	{items + "/p00001", 200, "Fontaine 1 v1"},
	{items + "/p00001?limit=1", 400, "known here are f"},
	{items + "/gone", 404, "not-found"},
	{items + "/%00", 404, "not-found"},
	{"/tiles/points_eau.json", 200, "vector_layers"},
	{"/tiles/gone.json", 404, "not-found"},
	{"/tiles/points_eau/8/131/94.mvt", 200, ""},
	{"/tiles/points_eau/8/131/94.mvt?v=old", 200, ""},
	{"/tiles/points_eau/8/131/94.mvt?x=1", 400, "known here are datetime, v"},
	{"/tiles/points_eau/8/0/0.mvt", 404, "not-found"},
	{"/tiles/points_eau/8/300/93.mvt", 400, "invalid-parameter"},
	{"/tiles/points_eau/99/0/0.mvt", 400, "invalid-parameter"},
	{"/tiles/points_eau/a/0/0.mvt", 400, "invalid-parameter"},
	{"/tiles/points_eau/+8/131/93.mvt", 400, "invalid-parameter"},
	{"/tiles/points_eau/-1/0/0.mvt", 400, "invalid-parameter"},
	{"/tiles/gone/8/131/93.mvt", 404, "not-found"},
	{"/tiles/indice/8/131/93.mvt?datetime=2026-11-23", 200, ""},
	{"/tiles/indice/8/131/93.mvt?datetime=hier", 400, "want a time such as"},
	{"/tiles/basemap.json", 404, "not-found"},
	{"/telecharger/points_eau.csv", 200, "Fontaine 249 v1"},
	{"/telecharger/points_eau.geojson", 200, "Fontaine 249 v1"},
	{"/telecharger/points_eau.csv?numero=3", 200, "Fontaine 3 v1"},
	{"/telecharger/points_eau.csv?limit=3", 400, "unknown parameter"},
	{"/telecharger/gone.csv", 404, "not-found"},
}

// TestStatus asks every kind of address for every kind of answer.
func TestStatus(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(250, "v1"))
	s.air()
	s.refresh()
	for _, c := range statuses {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := s.ask(method, c.target)
			if w.Code != c.status {
				t.Errorf("%s %s: got %d, want %d: %.300s", method, c.target, w.Code, c.status, w.Body)
			}
			if method == http.MethodGet && !strings.Contains(w.Body.String(), c.says) {
				t.Errorf("%s %s: want %q in %.500s", method, c.target, c.says, w.Body)
			}
			if got := w.Header().Get("Access-Control-Allow-Origin"); got != "*" {
				t.Errorf("%s %s: Access-Control-Allow-Origin is %q, want *", method, c.target, got)
			}
			if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Security-Policy") == "" {
				t.Errorf("%s %s: no security headers", method, c.target)
			}
			if kind := w.Header().Get("Content-Type"); c.status >= 400 && kind != "application/problem+json" {
				t.Errorf("%s %s: Content-Type is %q, want a problem", method, c.target, kind)
			}
			if c.status >= 400 && w.Header().Get("ETag") != "" {
				t.Errorf("%s %s: a problem has an ETag", method, c.target)
			}
		}
		checkOtherMethods(t, s, c.target, c.status)
	}
}

// checkOtherMethods asks for what no address does, and for OPTIONS.
func checkOtherMethods(t *testing.T, s *site, target string, status int) {
	t.Helper()
	routed := !strings.HasPrefix(target, "/nothing") && !strings.HasPrefix(target, "//")
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete} {
		w := s.ask(method, target)
		want := http.StatusMethodNotAllowed
		if !routed {
			want = http.StatusNotFound
		}
		if w.Code != want || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s %s: got %d, want %d with CORS", method, target, w.Code, want)
		}
		if want == http.StatusMethodNotAllowed && w.Header().Get("Allow") != methods {
			t.Errorf("%s %s: Allow is %q, want %q", method, target, w.Header().Get("Allow"), methods)
		}
	}
	w := s.ask(http.MethodOptions, target)
	if routed && (w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Methods") != methods) {
		t.Errorf("OPTIONS %s: got %d with %q, want 204 with %q", target, w.Code, w.Header().Get("Access-Control-Allow-Methods"), methods)
	}
}

// TestProblem looks at one problem closely.
func TestProblem(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.refresh()
	w := s.ask(http.MethodGet, "/api/collections/points_eau/items?limit=abc")
	var got problem
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := problem{
		Type: "urn:calanque:problem:invalid-parameter", Title: "A parameter is wrong", Status: 400,
		Detail:    "limit: want a whole number from 1 to 10000",
		Parameter: "limit", Value: "abc", Want: "want a whole number from 1 to 10000",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	page := s.ask(http.MethodGet, "/nothing", "Accept", "text/html,application/xhtml+xml;q=0.9")
	if page.Code != 404 || !strings.HasPrefix(page.Header().Get("Content-Type"), "text/html") || !strings.Contains(page.Body.String(), "<html") {
		t.Errorf("a browser got %d %s: %.200s", page.Code, page.Header().Get("Content-Type"), page.Body)
	}
}

// TestBeforeTheCatalogue holds that nothing but health is answered before the
// catalogue has been read, and that readers are told to come back.
func TestBeforeTheCatalogue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if w := s.ask(http.MethodGet, "/healthz"); w.Code != 200 {
		t.Errorf("health: got %d, want 200", w.Code)
	}
	for _, target := range []string{"/readyz", "/api", "/api/collections/x/items", "/tiles/x/0/0/0.mvt", "/carte", "/recherche?q=ab"} {
		w := s.ask(http.MethodGet, target)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: got %d, Retry-After %q, want 503 with one", target, w.Code, w.Header().Get("Retry-After"))
		}
	}
}

// TestReady waits for what was asked for.
func TestReady(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	missing := fmt.Errorf("points_eau is missing")
	s.Ready = func(_ context.Context, served []string) error {
		if len(served) == 0 {
			return missing
		}
		return nil
	}
	s.refresh()
	if w := s.ask(http.MethodGet, "/readyz"); w.Code != 503 || strings.Contains(w.Body.String(), "points_eau") {
		t.Errorf("got %d, want 503: %s", w.Code, w.Body)
	}
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.refresh()
	if w := s.ask(http.MethodGet, "/readyz"); w.Code != 200 {
		t.Errorf("got %d, want 200: %s", w.Code, w.Body)
	}
}

// TestConditional holds 304 and gzip for every kind of answer.
func TestConditional(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(250, "v1"))
	s.refresh()
	for _, target := range []string{
		"/api", "/api/api", "/api/conformance", "/api/collections", "/api/collections/points_eau",
		"/api/collections/points_eau/items", "/api/collections/points_eau/items/p00001",
		"/tiles/points_eau.json", "/tiles/points_eau/8/131/94.mvt", "/carte?c=points_eau", "/recherche?q=fontaine",
		"/image/points_eau.svg", "/telecharger/points_eau.csv", "/telecharger/points_eau.geojson", "/robots.txt", "/communes.json",
	} {
		plain := s.ask(http.MethodGet, target)
		tag := plain.Header().Get("ETag")
		if plain.Header().Get("Content-Encoding") != "" || !strings.HasPrefix(tag, `"`) {
			t.Errorf("%s: encoding %q, ETag %q, want none and a strong one", target, plain.Header().Get("Content-Encoding"), tag)
		}
		zipped := s.ask(http.MethodGet, target, "Accept-Encoding", "gzip")
		if !strings.Contains(strings.Join(zipped.Header().Values("Vary"), ","), "Accept-Encoding") {
			t.Errorf("%s: Vary is %q", target, zipped.Header().Values("Vary"))
		}
		if zipped.Header().Get("Content-Encoding") == "gzip" {
			if body := gunzip(t, zipped.Body.Bytes()); !bytes.Equal(body, plain.Body.Bytes()) {
				t.Errorf("%s: gzip and identity differ: %d and %d bytes", target, len(body), plain.Body.Len())
			}
			if zipped.Header().Get("ETag") == tag {
				t.Errorf("%s: two encodings have the same strong ETag %s", target, tag)
			}
		} else if plain.Body.Len() > 2*compressFrom {
			t.Errorf("%s: %d bytes were not compressed", target, plain.Body.Len())
		}
		refused := s.ask(http.MethodGet, target, "Accept-Encoding", "gzip;q=0")
		if refused.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: compressed for one who refuses", target)
		}
		for _, held := range []string{tag, zipped.Header().Get("ETag"), "W/" + tag, `"other", W/` + tag, "*", `junk, ` + tag} {
			w := s.ask(http.MethodGet, target, "If-None-Match", held)
			if w.Code != http.StatusNotModified || w.Body.Len() != 0 {
				t.Errorf("%s with If-None-Match %s: got %d and %d bytes, want 304", target, held, w.Code, w.Body.Len())
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: 304 without CORS", target)
			}
		}
		if w := s.ask(http.MethodGet, target, "If-None-Match", `"other"`); w.Code != 200 {
			t.Errorf("%s with another tag: got %d, want 200", target, w.Code)
		}
	}
}

// TestAddress holds whose address links carry.
func TestAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t).refresh()
	for _, c := range []struct {
		name   string
		set    func(*Options)
		header []string
		want   string
	}{
		{"as asked", func(*Options) {}, nil, "http://hub.example/api"},
		{"proxy not trusted", func(*Options) {}, []string{"X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "https"}, "http://hub.example/api"},
		{"proxy trusted", func(o *Options) { o.TrustProxy = true }, []string{"X-Forwarded-Host", "carte.example, inner", "X-Forwarded-Proto", "https"}, "https://carte.example/api"},
		{"proxy lies", func(o *Options) { o.TrustProxy = true }, []string{"X-Forwarded-Host", `a"b`}, "http://hub.example/api"},
		{"configured", func(o *Options) { o.PublicURL = "https://sig.example/" }, nil, "https://sig.example/api"},
	} {
		o := s.Options
		c.set(&o)
		other := &site{t: t, hub: s.hub, Server: New(o)}
		other.refresh()
		if got := string(other.get("/api", c.header...)); !strings.Contains(got, `"`+c.want+`"`) {
			t.Errorf("%s: want %s in %s", c.name, c.want, got)
		}
	}
}

// TestPanic holds that a handler's panic is a 500 that tells nothing.
func TestPanic(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	h := s.middleware(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("select secret") }))
	s.handler = h
	w := s.ask(http.MethodGet, "/api")
	if w.Code != 500 || strings.Contains(w.Body.String(), "secret") || !strings.Contains(w.Body.String(), "urn:calanque:request:") {
		t.Errorf("got %d: %s", w.Code, w.Body)
	}
}

// TestFollow holds that a reader sees a publication within two seconds.
func TestFollow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Follow(ctx); close(done) }()
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	began := time.Now()
	for s.ask(http.MethodGet, "/api/collections/points_eau").Code != 200 {
		if time.Since(began) > 2*time.Second {
			t.Fatal("a publication is not served after two seconds")
		}
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	<-done
}

// TestOddKeys walks to items whose ids need encoding, by the links given.
func TestOddKeys(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, oddRows())
	s.refresh()
	for _, key := range odd {
		target := "/api/collections/points_eau/items/" + url.PathEscape(key)
		var f struct {
			ID    string
			Links []struct{ Rel, Href string }
		}
		s.getJSON(target, &f)
		if f.ID != key || len(f.Links) != 3 || f.Links[0].Href != "http://hub.example"+target {
			t.Errorf("%s: got id %q, links %v", target, f.ID, f.Links)
		}
	}
}
