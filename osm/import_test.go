package osm_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
	"calanque/osm/osmtest"
)

// sharedFile is the path of a real extract, or skips the test.
func sharedFile(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("CALANQUE_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	path := filepath.Join(dir, "osm", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("skipped: no real file %s", name)
	}
	return path
}

// strings are what a query of one text column gives.
func texts(t testing.TB, db postgis.DB, sql string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func number(t testing.TB, db postgis.DB, sql string, args ...any) (n int64) {
	t.Helper()
	if err := db.QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func load(t testing.TB, hub *postgis.Hub, path string) osm.Report {
	t.Helper()
	r, err := osm.Import(t.Context(), hub, path, osm.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var fountains = osm.Theme{
	ID: "drinking-water", Title: geo.Text{"fr": "Eau potable"},
	Selection: osm.Selection{
		Any: []osm.Terms{{"amenity": {"drinking_water", "fountain"}}, {"man_made": {"water_tap"}, "drinking_water": {"*"}}},
		Not: []osm.Terms{{"access": {"private"}}},
	},
	Fields: []osm.ThemeField{{Tag: "operator"}, {Tag: "addr:street"}},
}

func putThemes(t testing.TB, hub *postgis.Hub, themes ...osm.Theme) (changed []string) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), hub.Owner, func(tx pgx.Tx) (err error) {
		changed, err = osm.PutThemes(t.Context(), tx, themes)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func grid(t testing.TB, objects ...string) *osmtest.Map {
	return osmtest.Grid(t, [2]float64{5.4, 43.2}, 0.001, `
		| 1 | 2 | 3 | 4 |
		| 5 | 6 | 7 | 8 |
		| 9 |10 |11 |12 |`, objects...)
}

func TestImport(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	putThemes(t, hub, fountains)
	m := grid(t,
		"n1 v3 Tamenity=drinking_water,name=Fontaine%20%Vieille,operator=Ville",
		"n2 Tsource=survey",
		"n3 Tamenity=drinking_water,access=private",
		"n4 Tman_made=water_tap",
		"n8 Tman_made=water_tap,drinking_water=yes",
		"w1 Tbuilding=yes Nn1,n2,n6,n5,n1",
		"w2 Tbarrier=wall Nn2,n3,n7,n6,n2",
		"w3 Thighway=residential,name=Rue%20%du%20%Port Nn9,n10,n11",
		"w4 Tamenity=fountain Nn7,n8,n12,n11,n7",
		"w5 Nn3,n4",
		"r1 Ttype=route,route=bus Mw3@")
	report := load(t, hub, m.File())
	if report.Points != 4 || report.Lines != 2 || report.Areas != 2 || report.OtherRelations != 1 || len(report.Problems) != 0 {
		t.Errorf("got %+v, want 4 points, 2 lines, 2 areas, 1 other relation, no problem", report)
	}
	got := texts(t, hub.Web, `
		select concat_ws(' ', _key, type, osm_id, version, name, tags) from osm.point where osm_id = 1
		union all select _key from osm.line union all select _key from osm.area`)
	want := []string{
		`n1 n 1 3 Fontaine Vieille {"name": "Fontaine Vieille", "amenity": "drinking_water", "operator": "Ville"}`,
		"w2", "w3", "w1", "w4",
	}
	if len(got) != len(want) || got[0] != want[0] {
		t.Errorf("(-want +got)\n%s", cmp.Diff(want, got))
	}
	lon, lat := m.At(1)
	if n := number(t, hub.Web, `
		select count(*) from osm.point
		where _key = 'n1' and st_distance(geom, st_transform(st_setsrid(st_makepoint($1, $2), 4326), 3857)) < 1e-6`, lon, lat); n != 1 {
		t.Error("node 1 is not where PostGIS projects it")
	}
	if got, want := texts(t, hub.Web, `select _key || ' ' || kind || coalesce(' ' || operator, '') from osm."theme_drinking-water" order by _key`),
		[]string{"n1 point Ville", "n8 point", "w4 area"}; !cmp.Equal(got, want) {
		t.Errorf("theme: got %v, want %v", got, want)
	}
	relations, err := postgis.Relations(t.Context(), hub.Web)
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int64{}
	for _, r := range relations {
		counts[r.Layer] = r.Count
		read := int64(0)
		if err := postgis.Each(t.Context(), hub.Web, &r, geo.Query{}, func(f *geo.Feature) error { read++; return nil }); err != nil || read != r.Count {
			t.Errorf("%s: read %d features (%v), want %d", r.Layer, read, err, r.Count)
		}
	}
	if d := cmp.Diff(map[string]int64{"osm_points": 4, "osm_lines": 2, "osm_areas": 2, "osm_drinking-water": 3}, counts); d != "" {
		t.Errorf("layers (-want +got)\n%s", d)
	}
	s, err := osm.Status(t.Context(), hub.Web)
	if err != nil || !s.Extract.Equal(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) || s.Report.Areas != 2 {
		t.Errorf("status %+v, %v", s, err)
	}
	if again := load(t, hub, m.File()); !again.Unchanged && again.SHA256 == report.SHA256 {
		t.Error("the same file was imported again")
	}
}

// TestOrder: rows lie along the curve, and equal input gives equal tables.
func TestOrder(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	path := sharedFile(t, "monaco-2018-05-25.osm.pbf")
	sum := func() []string {
		return texts(t, hub.Owner, `
			select md5(string_agg(a::text, '' order by _fid)) from osm.area a
			union all select md5(string_agg(a::text, '' order by _fid)) from osm.line a
			union all select md5(string_agg(a::text, '' order by osm_id, code, args::text)) from osm.problem a`)
	}
	load(t, hub, path)
	first := sum()
	if _, err := osm.Import(t.Context(), hub, path, osm.Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, sum()); d != "" {
		t.Errorf("second import (-first +second)\n%s", d)
	}
	if n := number(t, hub.Owner, `select count(*) from (select _fid, row_number() over (order by ctid) n from osm.line) x where _fid <> n`); n != 0 {
		t.Errorf("%d rows do not lie in the order of _fid", n)
	}
}

func TestReplace(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	putThemes(t, hub, fountains)
	older := grid(t, "n1 Tamenity=fountain").Date(time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)).File()
	newer := grid(t, "n2 Tamenity=fountain").Date(time.Date(2019, 6, 1, 0, 0, 0, 0, time.UTC)).File()
	load(t, hub, older)
	r := load(t, hub, newer)
	if r.Replaced.Year() != 2019 || r.Themes["drinking-water"] != 1 {
		t.Errorf("got %+v", r)
	}
	_, err := osm.Import(t.Context(), hub, older, osm.Options{})
	var in *geo.InputError
	if !errors.As(err, &in) || in.Code != "osm.older" {
		t.Errorf("got %v, want osm.older", err)
	}
	if got := texts(t, hub.Web, `select _key from osm.point union all select _key from osm."theme_drinking-water"`); !cmp.Equal(got, []string{"n2", "n2"}) {
		t.Errorf("got %v, want n2, n2", got)
	}
	if _, err := osm.Import(t.Context(), hub, older, osm.Options{Force: true}); err != nil {
		t.Error(err)
	}
	if err := osm.Clear(t.Context(), hub); err != nil {
		t.Fatal(err)
	}
	if _, err := osm.Status(t.Context(), hub.Web); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("got %v, want not found", err)
	}
	load(t, hub, older)
}

// TestSwapGivesWay: an import waits for a reader that is slow and does not
// stop those that come after it.
func TestSwapGivesWay(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	load(t, hub, grid(t, "n1 Tamenity=fountain").File())
	tx, err := hub.Web.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.WithoutCancel(t.Context()))
	number(t, tx, `select count(*) from osm.point`)
	path := grid(t, "n2 Tamenity=fountain").Date(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)).File()
	done := make(chan error, 1)
	go func() {
		_, err := osm.Import(t.Context(), hub, path, osm.Options{})
		done <- err
	}()
	for end := time.Now().Add(2 * time.Second); time.Now().Before(end); {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		var n int
		err := hub.Web.QueryRow(ctx, `select count(*) from osm.point where _key = 'n1'`).Scan(&n)
		cancel()
		if err != nil || n != 1 {
			t.Fatalf("a reader got %d, %v while the import waited", n, err)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if got := texts(t, hub.Web, `select _key from osm.point`); !cmp.Equal(got, []string{"n2"}) {
		t.Errorf("got %v, want n2", got)
	}
}

func TestThemes(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	load(t, hub, grid(t, "n1 Tamenity=fountain", "n2 Tamenity=bench").File())
	if got := putThemes(t, hub, fountains); !cmp.Equal(got, []string{"drinking-water"}) {
		t.Errorf("changed %v", got)
	}
	before := number(t, hub.Web, `select coalesce(max(id), 0) from change`)
	if got := putThemes(t, hub, fountains); len(got) != 0 {
		t.Errorf("second time: changed %v, want nothing", got)
	}
	if after := number(t, hub.Web, `select max(id) from change`); after != before {
		t.Error("a change was logged for nothing")
	}
	benches := fountains
	benches.Selection = osm.Selection{Any: []osm.Terms{{"amenity": {"bench"}}}}
	putThemes(t, hub, benches)
	if got := texts(t, hub.Web, `select _key from osm."theme_drinking-water"`); !cmp.Equal(got, []string{"n2"}) {
		t.Errorf("got %v, want n2", got)
	}
	for name, th := range map[string]osm.Theme{
		"theme.id":        {ID: "points", Title: geo.Text{"fr": "x"}, Selection: benches.Selection},
		"theme.title":     {ID: "a", Selection: benches.Selection},
		"theme.selection": {ID: "a", Title: geo.Text{"fr": "x"}},
		"theme.field":     {ID: "a", Title: geo.Text{"fr": "x"}, Selection: benches.Selection, Fields: []osm.ThemeField{{Tag: "kind"}}},
	} {
		err := pgx.BeginFunc(t.Context(), hub.Owner, func(tx pgx.Tx) error {
			_, err := osm.PutThemes(t.Context(), tx, []osm.Theme{th})
			return err
		})
		var in *geo.InputError
		if !errors.As(err, &in) || in.Code != name {
			t.Errorf("got %v, want %s", err, name)
		}
	}
	if err := pgx.BeginFunc(t.Context(), hub.Owner, func(tx pgx.Tx) error {
		return osm.DropThemes(t.Context(), tx, []string{"drinking-water"})
	}); err != nil {
		t.Fatal(err)
	}
	if list, err := osm.Themes(t.Context(), hub.Web); err != nil || len(list) != 0 {
		t.Errorf("got %v, %v, want no theme", list, err)
	}
}

// TestBadFiles: an extract that can't be taken leaves the copy as it was.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	good := grid(t, "n1 Tamenity=fountain", "w1 Tbuilding=yes Nn1,n2,n6,n5,n1")
	load(t, hub, good.File())
	later := good.Date(time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)).Bytes()
	flipped := append([]byte(nil), later...)
	flipped[len(flipped)-30] ^= 0xff
	for code, data := range map[string][]byte{
		"osm.pbf.empty":     {},
		"osm.pbf.html":      []byte("<html><body>404"),
		"osm.pbf.truncated": later[:len(later)-5],
		"osm.pbf.corrupt":   flipped,
		"osm.nothing":       grid(t).Date(time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)).Bytes(),
	} {
		path := filepath.Join(t.TempDir(), "bad.osm.pbf")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := osm.Import(t.Context(), hub, path, osm.Options{})
		var in *geo.InputError
		if !errors.As(err, &in) || in.Code != code {
			t.Errorf("got %v, want %s", err, code)
		}
		if got := texts(t, hub.Web, `select _key from osm.point union all select _key from osm.area`); !cmp.Equal(got, []string{"n1", "w1"}) {
			t.Errorf("%s: got %v, want n1, w1", code, got)
		}
	}
	if n := number(t, hub.Owner, `select count(*) from pg_class where relname like 'build\_%'`); n != 0 {
		t.Errorf("%d tables are left", n)
	}
}
