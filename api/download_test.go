package api

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"calanque/geo"
	"calanque/geo/catalogue"
)

// sqlite opens an answer as the database that it is.
func sqlite(t *testing.T, body []byte) *sql.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.gpkg")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestLayerFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const n = 4321 // more than two batches
	s.load(waterTable(), geo.Snapshot, water(n, "v1; « un »"))
	s.refresh()
	const base = "/donnees/points-eau/telechargements/points_eau"

	csv := string(s.get(base + ".csv"))
	lines := strings.Split(strings.TrimSuffix(csv, "\r\n"), "\r\n")
	if len(lines) != n+1 || lines[0] != "\ufeffid;nom;numero;debit;potable;pose;releve;autres;lon;lat" {
		t.Errorf("CSV: %d lines, the first %q", len(lines), lines[0])
	}
	if want := `p00001;"Fontaine 1 v1; « un »";1;0,25;non;2020-01-02;2026-11-01T01:00:00Z;"{""a"": [1, 2]}";5,01;43`; lines[2] != want {
		t.Errorf("CSV: got %s, want %s", lines[2], want)
	}

	var collection struct{ Features []json.RawMessage }
	s.getJSON(base+".geojson", &collection)
	if len(collection.Features) != n {
		t.Errorf("GeoJSON: %d features", len(collection.Features))
	}

	db := sqlite(t, s.get(base+".gpkg"))
	var rows, srs int
	var kind, name, day, at, other string
	var x float64
	err := db.QueryRow(`
		select (select count(*) from points_eau), g.srs_id, g.geometry_type_name, p.nom, cast(p.pose as text), cast(p.releve as text), p.autres, (select minx from rtree_points_eau_geom where id = 2)
		from points_eau p, gpkg_geometry_columns g
		where p.id = 'p00001'`).Scan(&rows, &srs, &kind, &name, &day, &at, &other, &x)
	if err != nil || rows != n || srs != 2154 || kind != "POINT" || day != "2020-01-02" || at != "2026-11-01T01:00:00.000Z" || other != `{"a": [1, 2]}` || x < 860_000 || x > 865_000 {
		t.Errorf("GeoPackage: %d rows, %d, %s, %s, %s, %s, %s, %g, %v", rows, srs, kind, name, day, at, other, x, err)
	}

	// Once: the same bytes again, by range, by ETag.
	first := s.ask(http.MethodGet, base+".gpkg")
	part := s.ask(http.MethodGet, base+".gpkg", "Range", "bytes=0-15")
	if part.Code != http.StatusPartialContent || !bytes.Equal(part.Body.Bytes(), first.Body.Bytes()[:16]) || part.Body.String() != "SQLite format 3\x00" {
		t.Errorf("range: %d %q", part.Code, part.Body)
	}
	if w := s.ask(http.MethodGet, base+".gpkg", "If-None-Match", first.Header().Get("ETag")); w.Code != http.StatusNotModified {
		t.Errorf("ETag: %d", w.Code)
	}
	head := s.ask(http.MethodHead, base+".gpkg")
	if head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") != fmt.Sprint(first.Body.Len()) {
		t.Errorf("HEAD: %d, %v", head.Code, head.Header())
	}
	if d := first.Header().Get("Content-Disposition"); d != `attachment; filename=points_eau.gpkg` {
		t.Errorf("disposition: %s", d)
	}

	list, err := s.layerDownloads(t.Context(), s.state.Load(), "points-eau")
	if err != nil || len(list) != 3 || list[0].Path != base+".csv" || list[0].Bytes != int64(len(csv)) || !list[2].Exact {
		t.Errorf("downloads: %+v, %v", list, err)
	}
	s.load(waterTable(), geo.Snapshot, water(3, "v2"))
	s.refresh()
	if list, err = s.layerDownloads(t.Context(), s.state.Load(), "points-eau"); err != nil || list[0].Bytes != int64(len(csv)) || list[0].Exact {
		t.Errorf("downloads of the next version: %+v, %v", list, err)
	}
	if lines := strings.Count(string(s.get(base+".csv")), "\r\n"); lines != 4 {
		t.Errorf("the next version has %d lines", lines)
	}
	for _, to := range []string{base + ".zip", base, base + ".csv?periode=2026", "/donnees/autre/telechargements/points_eau.csv", "/donnees/points-eau/telechargements/rien.csv", "/donnees/points-eau/telechargements/fichier-recu"} {
		if w := s.ask(http.MethodGet, to); w.Code/100 != 4 {
			t.Errorf("%s: %d", to, w.Code)
		}
	}
}

// TestSeriesFiles takes a series whole, by month and by day, and its latest
// moment.
func TestSeriesFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.air()
	s.refresh()
	for period, want := range map[string]int{"": 15, "2026": 15, "2026-11": 15, "2026-11-23": 3, "derniere": 3, "2025": 0} {
		body := string(s.get("/donnees/indice/telechargements/indice.csv?periode=" + period))
		if got := strings.Count(body, "\r\n") - 1; got != want {
			t.Errorf("%q: %d rows, want %d", period, got, want)
		}
	}
	if w := s.ask(http.MethodGet, "/donnees/indice/telechargements/indice.csv?periode=hier"); w.Code != 400 {
		t.Errorf("a period that is none: %d", w.Code)
	}
}

// TestHiddenFiles asks for the files of a dataset whose chain has not opened
// it, while the server's memory still shows it.
func TestHiddenFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.refresh()
	_, err := s.hub.Owner.Exec(t.Context(), `
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body, reason)
		select id, chain, 2, 'open', 'withdrawn', true, 'test', 'Erreur.' from dataset`)
	if err != nil {
		t.Fatal(err)
	}
	if w := s.ask(http.MethodGet, "/donnees/points-eau/telechargements/points_eau.csv"); w.Code != 404 {
		t.Errorf("a withdrawn dataset's file: %d", w.Code)
	}
}

func TestHeldFiles(t *testing.T) {
	t.Parallel()
	s := staffed(t, newSite(t))
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.refresh()
	hold := func(name, filename, content string, public bool) {
		b, err := s.Files.Put(t.Context(), strings.NewReader(content), 1000)
		if err == nil {
			err = catalogue.KeepBlob(t.Context(), s.hub.Owner, b)
		}
		if err == nil {
			_, err = s.hub.Owner.Exec(t.Context(), `
				insert into resource (dataset_id, name, kind, title, blob_sha256, filename, public)
				select id, $1, 'documentation', '{"fr": "Notice"}', $2, $3, $4 from dataset where slug = 'points-eau'`, name, b.SHA256, filename, public)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	hold("plan.svg", "Plan d’accès.svg", `<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`, true)
	hold("notice.txt", "notice.txt", "Bonjour.", true)
	hold("avis.pdf", "../avis\r\n\".pdf", "%PDF-1.7", false)

	w := s.ask(http.MethodGet, "/donnees/points-eau/fichiers/plan.svg")
	h := w.Header()
	if w.Code != 200 || h.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment; filename*=utf-8''Plan") ||
		!strings.Contains(h.Get("Content-Security-Policy"), "sandbox") || h.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("a picture with a script: %d %v", w.Code, h)
	}
	if h := s.ask(http.MethodGet, "/donnees/points-eau/fichiers/notice.txt").Header(); h.Get("Content-Disposition") != "inline; filename=notice.txt" {
		t.Errorf("a text: %v", h)
	}
	for _, c := range []struct {
		who  string
		want int
	}{{"", 404}, {"coordination", 200}, {"atelier", 404}, {"crige", 200}} {
		var header []string
		if c.who != "" {
			header = []string{"Cookie", s.in(c.who)}
		}
		w := s.ask(http.MethodGet, "/donnees/points-eau/fichiers/avis.pdf", header...)
		if w.Code != c.want || c.want == 200 && w.Header().Get("Cache-Control") != "private, no-store" {
			t.Errorf("%q asks for what stays inside: %d %v", c.who, w.Code, w.Header())
		}
	}
}
