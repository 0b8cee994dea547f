package tiles_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/tiles"
)

// register makes a live layer of a table, and gives it as the catalogue does.
func register(t testing.TB, hub *postgis.Hub, rel geo.Relation) geo.Relation {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), hub.Owner, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `insert into producer (id, title) values ('test', '{"fr": "Essai"}') on conflict do nothing`)
		if err != nil {
			return err
		}
		_, err = postgis.PutLiveLayer(t.Context(), tx, postgis.LiveLayer{
			Name: rel.Layer, Title: rel.Title, Schema: rel.Schema, Table: rel.Table, Key: rel.Key, Geom: rel.Geom, SRID: rel.SRID, Geom3857: rel.Geom3857,
			GeometryType: rel.GeometryType, Fields: rel.Fields, Producer: "test", Extent: rel.Extent, Count: rel.Count, Updated: time.Now(),
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	list, err := postgis.Relations(t.Context(), hub.Owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Layer == rel.Layer {
			return r
		}
	}
	t.Fatalf("layer %s is not served", rel.Layer)
	return rel
}

// parcels makes a layer of n polygons that cover a square like parcels do.
func parcels(t testing.TB, hub *postgis.Hub, name string, n int, metres float64) geo.Relation {
	t.Helper()
	exec(t, hub, `
		create table data.`+name+` as
		select row_number() over (order by st_transform(g, 3857)) as _fid, 'p' || i as _key, g as _geom, st_transform(g, 3857) as _geom_3857,
			'Parcelle ' || i as nom, i % 11 as usage, md5(i::text) || md5((i + 1)::text) as remarque
		from (
			select i, st_setsrid(st_translate(st_makepolygon(st_makeline(array[
				st_makepoint(0, 0), st_makepoint(0.5 * a, 0.1 * a * random()), st_makepoint(a, 0), st_makepoint(a, a * 0.9),
				st_makepoint(0.4 * a, a * (0.8 + 0.2 * random())), st_makepoint(0, a * 0.9), st_makepoint(0, 0)])),
				880000 + a * (i % side), 6240000 + a * (i / side)), 2154) as g
			from (select $2 / ceil(sqrt($1::int::float8)) as a, ceil(sqrt($1::int::float8))::int as side, setseed(0.5) as s) p, generate_series(0, $1::int - 1) i
		) r
		order by 1`, n, metres)
	index(t, hub, name)
	return relation(t, hub, name, geo.Polygon, geo.Field{Name: "nom", Type: geo.TextField},
		geo.Field{Name: "usage", Type: geo.IntegerField}, geo.Field{Name: "remarque", Type: geo.TextField})
}

// roads makes a layer of n short lines and some long ones.
func roads(t testing.TB, hub *postgis.Hub, name string, n int, metres float64) geo.Relation {
	t.Helper()
	exec(t, hub, `
		create table data.`+name+` as
		select row_number() over (order by st_transform(g, 3857)) as _fid, 'l' || i as _key, g as _geom, st_transform(g, 3857) as _geom_3857, i % 5 as classe
		from (
			select i, st_setsrid(st_makeline(array[st_makepoint(x, y), st_makepoint(x + l * cos(w), y + l * sin(w)), st_makepoint(x + l * cos(w + 0.2) * 2, y + l * sin(w + 0.2) * 2)]), 2154) as g
			from (
				select i, 880000 + $2 * random() as x, 6240000 + $2 * random() as y, random() * 6.3 as w, 40 * power(50, power(random(), 4)) as l
				from generate_series(1, $1) i, (select setseed(0.5)) s
			) r
		) r
		order by 1`, n, metres)
	index(t, hub, name)
	return relation(t, hub, name, geo.Line, geo.Field{Name: "classe", Type: geo.IntegerField})
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	for _, rel := range []geo.Relation{
		points(t, hub, "many_points", 40_000, 30_000),
		parcels(t, hub, "many_parcels", 40_000, 30_000),
		roads(t, hub, "many_roads", 40_000, 30_000),
		points(t, hub, "few", 300, 30_000),
	} {
		t.Run(rel.Layer, func(t *testing.T) { checkThinning(t, hub, register(t, hub, rel)) })
	}
}

// checkThinning prepares the layer and looks at every tile of its thinned
// zooms and of the first that is not.
func checkThinning(t *testing.T, hub *postgis.Hub, rel geo.Relation) {
	before := tiles.New(hub, tiles.Options{})
	x, y := centre(rel, 6)
	first, err := before.Get(t.Context(), rel, 6, x, y, tiles.Params{})
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Gzip) > tiles.Budget {
		t.Errorf("before Prepare: a tile of %d bytes", len(first.Gzip))
	}
	if err := tiles.Prepare(t.Context(), hub, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	ts := tiles.New(hub, tiles.Options{})
	j, err := ts.TileJSON(t.Context(), rel, tiles.About{})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: unthinned from zoom %d, fields %v, rules %+v", rel.Layer, j.Calanque.Unthinned, j.Calanque.Fields, j.Calanque.Thinning)
	if rel.Count < 1000 && j.Calanque.Unthinned != 0 {
		t.Errorf("a small layer is thinned below zoom %d", j.Calanque.Unthinned)
	}
	if rel.Count > 20_000 && (j.Calanque.Unthinned == 0 || len(j.Calanque.Thinning) != j.Calanque.Unthinned) {
		t.Errorf("got rules %+v below zoom %d", j.Calanque.Thinning, j.Calanque.Unthinned)
	}
	coarser := map[string]bool{}
	for z := 4; z <= j.Calanque.Unthinned; z++ {
		here := allTiles(t, ts, rel, z)
		shown := rel.Count
		if z < j.Calanque.Unthinned {
			r := j.Calanque.Thinning[z]
			shown = r.Shown
			if r.Zoom != z || r.LeftOut+r.Shown != rel.Count {
				t.Errorf("zoom %d: got rule %+v of %d features", z, r, rel.Count)
			}
		}
		if int64(len(here)) != shown {
			t.Errorf("zoom %d: got %d features in all tiles, want the %d declared", z, len(here), shown)
		}
		for id := range coarser {
			if !here[id] {
				t.Errorf("zoom %d lacks %s, which zoom %d shows", z, id, z-1)
				break
			}
		}
		coarser = here
	}
}

// allTiles gives the ids in all tiles of a zoom, and checks each tile.
func allTiles(t *testing.T, ts *tiles.Tiles, rel geo.Relation, z int) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	x0, y1 := address(rel.Extent.MinX, rel.Extent.MinY, z)
	x1, y0 := address(rel.Extent.MaxX, rel.Extent.MaxY, z)
	for x := x0; x <= x1; x++ {
		for y := y0; y <= y1; y++ {
			tile, err := ts.Get(t.Context(), rel, z, x, y, tiles.Params{})
			if err != nil {
				t.Fatal(err)
			}
			if len(tile.Gzip) > tiles.Budget || tile.Level != 0 {
				t.Errorf("tile %d/%d/%d: %d bytes, level %d", z, x, y, len(tile.Gzip), tile.Level)
			}
			for _, l := range decode(t, tile) {
				for _, f := range l.Features {
					seen[f.Properties["id"].(string)] = true
				}
			}
		}
	}
	return seen
}

func TestPrepareFollowsTheState(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rel := register(t, hub, points(t, hub, "changing", 30_000, 10_000))
	overviews := func() []string {
		rows, err := hub.Owner.Query(t.Context(), `select relname from pg_class where relnamespace = 'data'::regnamespace and relname ~ '^o\d+_' and relkind = 'r' order by 1`)
		if err != nil {
			t.Fatal(err)
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	prepare := func() {
		t.Helper()
		if err := tiles.Prepare(t.Context(), hub, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	prepare()
	one := overviews()
	prepare()
	if again := overviews(); len(one) != 1 || again[0] != one[0] {
		t.Errorf("got %v, then %v; want one overview, made once", one, again)
	}
	register(t, hub, rel) // its revision grows
	prepare()
	if two := overviews(); len(two) != 1 || two[0] == one[0] {
		t.Errorf("got %v after %v, want a new one alone", two, one)
	}
	exec(t, hub, `delete from live_layer`)
	prepare()
	if none := overviews(); len(none) != 0 {
		t.Errorf("got %v, want no overview of a layer that is gone", none)
	}
}

// TestBudget is the large case: half a million features of each kind, tiles
// sampled at every zoom. It takes minutes, so it is asked for.
func TestBudget(t *testing.T) {
	if os.Getenv("CALANQUE_LARGE") == "" {
		t.Skip("CALANQUE_LARGE is not set")
	}
	hub := postgistest.New(t)
	for _, rel := range []geo.Relation{
		parcels(t, hub, "large_parcels", 500_000, 150_000), points(t, hub, "large_points", 500_000, 150_000), roads(t, hub, "large_roads", 500_000, 150_000),
	} {
		rel = register(t, hub, rel)
		begun := time.Now()
		if err := tiles.Prepare(t.Context(), hub, slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s prepared in %v", rel.Layer, time.Since(begun).Round(time.Millisecond))
		ts := tiles.New(hub, tiles.Options{})
		j, err := ts.TileJSON(t.Context(), rel, tiles.About{})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("unthinned %d, %+v", j.Calanque.Unthinned, j.Calanque.Thinning)
		for z := 0; z <= 16; z++ {
			t.Log(sample(t, ts, rel, z, 40))
		}
	}
}

// sample makes up to n tiles of a zoom and says how large and slow they were.
func sample(t *testing.T, ts *tiles.Tiles, rel geo.Relation, z, n int) string {
	t.Helper()
	dice := rand.New(rand.NewPCG(3, uint64(z)))
	type at struct{ x, y int }
	done := map[at]bool{}
	var largest, features int
	var slowest time.Duration
	for range n {
		lon := rel.Extent.MinX + dice.Float64()*(rel.Extent.MaxX-rel.Extent.MinX)
		lat := rel.Extent.MinY + dice.Float64()*(rel.Extent.MaxY-rel.Extent.MinY)
		x, y := address(lon, lat, z)
		if done[at{x, y}] {
			continue
		}
		done[at{x, y}] = true
		begun := time.Now()
		tile, err := ts.Get(t.Context(), rel, z, x, y, tiles.Params{})
		if err != nil {
			t.Fatal(err)
		}
		slowest = max(slowest, time.Since(begun))
		if len(tile.Gzip) > largest {
			largest = len(tile.Gzip)
			features = len(decode(t, tile)[0].Features)
		}
		if len(tile.Gzip) > tiles.Budget || tile.Level != 0 {
			t.Errorf("tile %d/%d/%d: %d bytes, level %d", z, x, y, len(tile.Gzip), tile.Level)
		}
	}
	return strings.TrimSpace(fmt.Sprintf("z%-2d %2d tiles, largest %6d bytes gzipped with %5d features, slowest %v", z, len(done), largest, features, slowest.Round(time.Millisecond)))
}

// Real layers of partners: every tile of every zoom that shows them whole is
// complete and small.
func TestRealLayers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		path []string
		geom geo.GeometryType
	}{
		{"communes", []string{"communes", "communes-paca-2018-10.geojson"}, geo.Polygon},
		{"occupation", []string{"regional", "crige-crau-camargue-occupation-agricole-2025.geojson"}, geo.Polygon},
		{"parcs", []string{"pnr", "PNR-paca.geojson"}, geo.Polygon},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := shared(t, tt.path...)
			hub := postgistest.New(t)
			rel := register(t, hub, geojson(t, hub, tt.name, file, tt.geom))
			if err := tiles.Prepare(t.Context(), hub, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			ts := tiles.New(hub, tiles.Options{})
			j, err := ts.TileJSON(t.Context(), rel, tiles.About{})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d features, unthinned from zoom %d", rel.Count, j.Calanque.Unthinned)
			for z := 5; z <= 15; z++ {
				t.Log(sample(t, ts, rel, z, 8))
			}
			dice := rand.New(rand.NewPCG(5, 6))
			for range 20 {
				z := max(j.Calanque.Unthinned, 6+dice.IntN(9))
				x, y := address(rel.Extent.MinX+dice.Float64()*(rel.Extent.MaxX-rel.Extent.MinX), rel.Extent.MinY+dice.Float64()*(rel.Extent.MaxY-rel.Extent.MinY), z)
				tile, err := ts.Get(t.Context(), rel, z, x, y, tiles.Params{})
				if err != nil {
					t.Fatal(err)
				}
				got := ids(t, tile)
				meeting, near := around(t, hub, rel, z, x, y)
				for _, id := range meeting {
					if _, ok := slices.BinarySearch(got, id); !ok {
						t.Errorf("tile %d/%d/%d lacks %s", z, x, y, id)
					}
				}
				for _, id := range got {
					if !slices.Contains(near, id) {
						t.Errorf("tile %d/%d/%d has %s, which is far from it", z, x, y, id)
					}
				}
			}
		})
	}
}

// geojson makes a layer of a GeoJSON file, all of its properties as text.
func geojson(t testing.TB, hub *postgis.Hub, name, file string, g geo.GeometryType) geo.Relation {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	exec(t, hub, `create table data.`+name+`_raw as
		select f.value as f from jsonb_array_elements($1::jsonb->'features') f`, string(text))
	rows, err := hub.Owner.Query(t.Context(), `select distinct jsonb_object_keys(f->'properties') from data.`+name+`_raw order by 1`)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	columns := ""
	var fields []geo.Field
	for i, k := range keys {
		columns += fmt.Sprintf(`, f->'properties'->>%s as f%d`, "'"+strings.ReplaceAll(k, "'", "''")+"'", i)
		fields = append(fields, geo.Field{Name: fmt.Sprintf("f%d", i), Title: k, Type: geo.TextField})
	}
	exec(t, hub, `create table data.`+name+` as
		select row_number() over (order by st_transform(g, 3857)) as _fid, 'k' || row_number() over (order by st_transform(g, 3857)) as _key,
			g as _geom, st_makevalid(st_transform(g, 3857)) as _geom_3857`+columns+`
		from (select f, st_makevalid(st_transform(st_setsrid(st_force2d(st_geomfromgeojson(f->'geometry')), 4326), 2154)) as g from data.`+name+`_raw) r`)
	index(t, hub, name)
	return relation(t, hub, name, g, fields...)
}
