package ingest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"calanque/geo"
	"calanque/geo/format"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

// state is all that a refused file must leave as it is.
func state(t testing.TB, hub *postgis.Hub) string {
	t.Helper()
	var s string
	err := hub.Owner.QueryRow(t.Context(), `
		select concat_ws(' ', (select count(*) from dataset), (select count(*) from version), (select count(*) from layer),
			(select count(*) from load_issue), (select count(*) from change), (select count(*) from producer),
			(select count(*) from pg_class where relnamespace = 'data'::regnamespace),
			(select count(*) from spatial_ref_sys), (select string_agg(published_id::text, ',' order by id) from dataset))`).Scan(&s)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What can't be loaded is refused with a code, and nothing is written.
func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	load(t, hub, request("known", write(t, "k.geojson", threePoints)))
	square := `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{},"geometry":{"type":"Point","coordinates":[%s]}}]}`
	lambert := func(x, y float64) string { return fmt.Sprintf("x,y\n%f,%f\n%f,%f\n", x, y, x+100, y+100) }
	cases := []struct {
		name, file, content, code string
		change                    func(*ingest.Request)
	}{
		{"a pointer of Git LFS", "a.gpkg", "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 123456\n", "format.lfs", nil},
		{"a web page", "a.geojson", "<!DOCTYPE html><html><title>Connexion</title></html>", "format.html", nil},
		{"an empty file", "a.csv", "", "format.empty", nil},
		{"a header alone", "a.csv", "a;b;c\n", "load.no-records", nil},
		{"swapped coordinates", "a.geojson", fmt.Sprintf(square, "43.3,5.4"), "crs.swapped", nil},
		{"coordinates of elsewhere", "a.geojson", fmt.Sprintf(square, "2.35,48.85"), "crs.outside-region", nil},
		{"the wrong zone, declared", "a.csv", lambert(1895000, 2265000), "crs.wrong", func(r *ingest.Request) { r.Options.CRS = 3944 }},
		{"a key that is no column", "a.geojson", threePoints, "key.no-such-column", func(r *ingest.Request) { r.Key = []string{"insee"} }},
		{"a name that is none", "a.geojson", threePoints, "dataset.slug", func(r *ingest.Request) { r.Dataset = "Points d'eau" }},
		{"nobody's dataset", "a.geojson", threePoints, "dataset.needs-producer-and-licence", func(r *ingest.Request) { r.Producer = "" }},
		{"no licence", "a.geojson", threePoints, "dataset.needs-producer-and-licence", func(r *ingest.Request) { r.Licence = "" }},
		{"no such file", "", "", "format.no-file", nil},
	}
	before := state(t, hub)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "missing.shp")
			if c.file != "" {
				path = write(t, c.file, c.content)
			}
			req := request("refused", path)
			if c.change != nil {
				c.change(&req)
			}
			_, err := ingest.Load(t.Context(), hub, req, nil)
			var input *geo.InputError
			if !errors.As(err, &input) || input.Code != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
			if after := state(t, hub); after != before {
				t.Errorf("the database changed: %s, was %s", after, before)
			}
		})
	}
	for _, name := range []string{"api/negative/git-lfs-pointer.gpkg", "api/negative/git-lfs-pointer.csv", "api/negative/csw-record-empty.xml"} {
		t.Run(name, func(t *testing.T) {
			if _, err := ingest.Load(t.Context(), hub, request("refused", shared(t, name)), nil); err == nil {
				t.Error("no error")
			}
			if after := state(t, hub); after != before {
				t.Errorf("the database changed: %s, was %s", after, before)
			}
		})
	}
}

// What can be put right without doubt is, with a note.
func TestCoordinatesPutRight(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	yx := func(r *ingest.Request) { r.Axes = "yx" }
	cases := []struct {
		name, file, content string
		change              func(*ingest.Request)
		srid                geo.SRID
		note                string
	}{
		{"Lambert-93 in GeoJSON", "a.geojson", `{"type":"Point","coordinates":[893000,6248000]}`, nil, 2154, "crs.redeclared"},
		{"CC43 without a declaration", "b.csv", "x,y\n1895000,2265000\n1895100,2265100\n", nil, 3943, "crs.found-alone"},
		{"swapped, as a person says", "c.geojson", `{"type":"Point","coordinates":[43.3,5.4]}`, yx, 4326, ""},
		{"elsewhere, as a person says", "d.geojson", `{"type":"Point","coordinates":[2.35,48.85]}`, anywhere, 4326, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			req := request(strings.TrimSuffix(c.file, filepath.Ext(c.file)), write(t, c.file, c.content))
			if c.change != nil {
				c.change(&req)
			}
			r := load(t, hub, req)
			found := c.note == ""
			for _, n := range r.Layers[0].Notes {
				found = found || n.Code == c.note
			}
			if r.Layers[0].SRID != c.srid || !found {
				t.Errorf("got %d, %v; want %d, %s", r.Layers[0].SRID, r.Layers[0].Notes, c.srid, c.note)
			}
		})
	}
}

// Above the threshold nothing is published, and the issues can be read.
func TestTooManyRejected(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	req := request("points", write(t, "a.csv", "code;nom\n1;a\n2;b\n3;c\n"))
	req.Key = []string{"code"}
	load(t, hub, req)
	req.Path = write(t, "b.csv", "code;nom\n1;a\n1;b\n3;c\n;d\n")
	r, err := ingest.Load(t.Context(), hub, req, nil)
	if !errors.Is(err, geo.ErrRejected) || r.State != ingest.Rejected || r.Read() != 4 || r.Loaded() != 2 || r.Rejected() != 2 {
		t.Errorf("got %+v, %v", r, err)
	}
	if got := relation(t, hub, "points"); got.Count != 3 {
		t.Errorf("got %d objects, want the 3 of before", got.Count)
	}
	var raws []string
	if err := postgis.EachIssue(t.Context(), hub.Owner, r.Version, func(i postgis.StoredIssue) error {
		raws = append(raws, i.Raw)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	compare(t, raws, []string{"1;b", ";d"})
	checkInvariants(t, hub)
	ok := 0.5
	req.MaxRejected = &ok
	load(t, hub, req)
	if got := relation(t, hub, "points"); got.Count != 2 {
		t.Errorf("got %d objects, want 2", got.Count)
	}
	checkInvariants(t, hub)
}

// Whatever a file holds, every record is loaded or rejected, and no text
// breaks the copy.
func TestEveryRecordIsAccountedFor(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	all := 1.0
	cells := []string{
		"", "1", "01", "4001", "13055", "1 234,5", "12/10/2019", "31/02/2019", "oui", "é", "\xe9", "a\x00b", "\xff\xfe", "NC", "-",
		`"q""q"`, "43.3", "5.4", "9e999", "NaN", "2A004", strings.Repeat("long ", 400), "\u202f12\u00a0345", "{\"a\":1}", "0000-00-00",
	}
	r := rand.New(rand.NewPCG(7, 7))
	for n := range 40 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			var b strings.Builder
			b.WriteString("Clé;Nom;Latitude;Longitude;id\n")
			rows := 1 + r.IntN(60)
			for range rows {
				for c := range 5 {
					if c > 0 {
						b.WriteByte(';')
					}
					b.WriteString(cells[r.IntN(len(cells))])
				}
				b.WriteByte('\n')
			}
			path := filepath.Join(t.TempDir(), "p.csv")
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			req := request(fmt.Sprintf("p-%d", n), path)
			req.MaxRejected, req.Anywhere = &all, true
			req.Options = format.Options{Delimiter: ";", CRS: 4326}
			if n%2 == 0 {
				req.Key = []string{"Clé"}
			}
			rep, err := ingest.Load(t.Context(), hub, req, nil)
			var input *geo.InputError
			if errors.As(err, &input) {
				t.Skipf("refused: %v", err)
			}
			if err != nil {
				t.Fatalf("%v\n%q", err, b.String())
			}
			if rep.Read() != rep.Loaded()+rep.Rejected() || n%2 == 1 && rep.Loaded() == 0 {
				t.Errorf("got %+v", rep)
			}
		})
	}
	checkInvariants(t, hub)
}
