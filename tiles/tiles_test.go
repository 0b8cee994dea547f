package tiles_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/paulmach/orb/encoding/mvt"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/tiles"
)

var update = flag.Bool("update", false, "rewrite the goldens")

func exec(t testing.TB, hub *postgis.Hub, sql string, args ...any) {
	t.Helper()
	if _, err := hub.Owner.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// relation describes a table as the catalogue does.
func relation(t testing.TB, hub *postgis.Hub, name string, g geo.GeometryType, fields ...geo.Field) geo.Relation {
	t.Helper()
	rel := geo.Relation{
		Layer: name, Life: geo.Snapshot, Title: geo.Text{"fr": "Couche " + name}, Schema: "data", Table: name, Version: 1, Revision: 1,
		Key: postgis.KeyColumn, Geom: postgis.GeomColumn, Geom3857: postgis.Geom3857Column, SRID: geo.Lambert93, GeometryType: g, Fields: fields,
	}
	e := &rel.Extent
	err := hub.Owner.QueryRow(t.Context(), `
		select count(*), min(st_xmin(g)), min(st_ymin(g)), max(st_xmax(g)), max(st_ymax(g))
		from (select st_transform(_geom, 4326) as g from data.`+name+`) r`).Scan(&rel.Count, &e.MinX, &e.MinY, &e.MaxX, &e.MaxY)
	if err != nil {
		t.Fatal(err)
	}
	return rel
}

// points makes a layer of n points in a square of so many metres at Marseille.
func points(t testing.TB, hub *postgis.Hub, name string, n int, metres float64) geo.Relation {
	t.Helper()
	exec(t, hub, `
		create table data.`+name+` as
		select row_number() over (order by st_transform(p, 3857)) as _fid, 'k' || i as _key, p as _geom, st_transform(p, 3857) as _geom_3857,
			'Point n° ' || i as nom, i % 7 as genre
		from (
			select i, st_setsrid(st_makepoint(890000 + $2 * random(), 6240000 + $2 * random()), 2154) as p
			from generate_series(1, $1) i, (select setseed(0.5)) s
		) r
		order by 1`, n, metres)
	index(t, hub, name)
	return relation(t, hub, name, geo.Point, geo.Field{Name: "nom", Type: geo.TextField}, geo.Field{Name: "genre", Type: geo.IntegerField})
}

func index(t testing.TB, hub *postgis.Hub, name string) {
	t.Helper()
	exec(t, hub, `alter table data.`+name+` add primary key (_fid), add unique (_key), alter _key set not null`)
	exec(t, hub, `create index on data.`+name+` using gist (_geom_3857)`)
	exec(t, hub, `create index on data.`+name+` using gist (_geom)`)
	exec(t, hub, `analyze data.`+name)
}

func decode(t testing.TB, tile tiles.Tile) mvt.Layers {
	t.Helper()
	if len(tile.Body) == 0 {
		return nil
	}
	layers, err := mvt.Unmarshal(tile.Body)
	if err != nil {
		t.Fatal(err)
	}
	return layers
}

// ids are the item ids of a tile, sorted.
func ids(t testing.TB, tile tiles.Tile) []string {
	t.Helper()
	var list []string
	for _, l := range decode(t, tile) {
		for _, f := range l.Features {
			list = append(list, f.Properties["id"].(string))
		}
	}
	sort.Strings(list)
	return list
}

// address gives the tile that holds a lon/lat.
func address(lon, lat float64, z int) (x, y int) {
	fx, fy := plane(lon, lat, z)
	return int(fx), int(fy)
}

// fraction gives where in that tile it is, from 0 to 1, y southwards.
func fraction(lon, lat float64, z int) (x, y float64) {
	fx, fy := plane(lon, lat, z)
	return fx - math.Floor(fx), fy - math.Floor(fy)
}

func plane(lon, lat float64, z int) (x, y float64) {
	n := math.Exp2(float64(z))
	s := math.Sin(lat * math.Pi / 180)
	return n * (lon/360 + 0.5), n * (0.5 - math.Log((1+s)/(1-s))/(4*math.Pi))
}

func centre(rel geo.Relation, z int) (x, y int) {
	return address((rel.Extent.MinX+rel.Extent.MaxX)/2, (rel.Extent.MinY+rel.Extent.MaxY)/2, z)
}

func TestGetRefusesAndFrames(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rel := points(t, hub, "framed", 50, 500)
	ts := tiles.New(hub, tiles.Options{})
	x, y := centre(rel, 14)

	tests := []struct {
		name    string
		z, x, y int
		rel     geo.Relation
		want    error
	}{
		{"inside", 14, x, y, rel, nil},
		{"deepest", 22, x << 8, y << 8, rel, geo.ErrNotFound}, // a corner of the tile, outside the square
		{"far away", 14, 3, 3, rel, geo.ErrNotFound},
		{"zoom below", -1, 0, 0, rel, geo.ErrInvalid},
		{"zoom above", 23, 0, 0, rel, geo.ErrInvalid},
		{"column above", 2, 4, 0, rel, geo.ErrInvalid},
		{"row below", 2, 0, -1, rel, geo.ErrInvalid},
		{"table without geometry", 0, 0, 0, geo.Relation{Layer: "table"}, geo.ErrNotFound},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ts.Get(t.Context(), tt.rel, tt.z, tt.x, tt.y, tiles.Params{})
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}

	exec(t, hub, `delete from data.framed where _geom_3857 && st_tileenvelope(16, $1, $2, margin => 1)`, x<<2, y<<2)
	empty := rel
	empty.Extent = geo.Box{MinX: 4, MinY: 43, MaxX: 7, MaxY: 45}
	empty.Version = 2
	tile, err := ts.Get(t.Context(), empty, 16, 26000, y<<2, tiles.Params{})
	if err != nil && !errors.Is(err, geo.ErrNotFound) || len(tile.Body)+len(tile.Gzip) > 0 {
		t.Errorf("empty tile: got %d bytes, %v", len(tile.Body), err)
	}
	ex, ey := address(6, 44, 12)
	tile, err = ts.Get(t.Context(), empty, 12, ex, ey, tiles.Params{})
	if err != nil || len(tile.Body)+len(tile.Gzip) > 0 || tile.ETag == "" {
		t.Errorf("empty tile inside the bounds: got %d bytes, %q, %v, want none and an ETag", len(tile.Body), tile.ETag, err)
	}
}

func TestGetEncodesEveryType(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	exec(t, hub, `
		create table data.types (_fid bigint primary key, _key text unique not null, _geom geometry(geometry, 2154), _geom_3857 geometry(geometry, 3857),
			id text, nom text, "grand nombre" bigint, reel double precision, vrai boolean, jour date, instant timestamptz, plus jsonb)`)
	exec(t, hub, `
		insert into data.types
		select i, k, g, st_transform(g, 3857), 'autre', n, b, r, v, d, ts, j
		from (values
			(1, 'é/1', 'point(892000 6247000)'::geometry, 'Fontaine', 9007199254740991, 1.5, true, date '2026-11-24', timestamptz '2026-11-24 10:00+01', jsonb '{"a": [1]}'),
			(2, 'k2', 'point(892010 6247010)', null, 9007199254740992, null, false, null, null, null),
			(3, 'k3', 'point(892020 6247020)', '', -9223372036854775808, -0.25, null, date '0004-02-29', timestamptz '1850-01-01 00:00Z', jsonb 'null'),
			(4, 'sans lieu', null, 'nulle part', 1, 1, true, null, null, null)
		) v (i, k, g0, n, b, r, v, d, ts, j), lateral (select st_setsrid(g0, 2154) as g) s`)
	rel := relation(t, hub, "types", geo.Point,
		geo.Field{Name: "id", Type: geo.TextField}, geo.Field{Name: "nom", Type: geo.TextField}, geo.Field{Name: "grand nombre", Type: geo.IntegerField},
		geo.Field{Name: "reel", Type: geo.RealField}, geo.Field{Name: "vrai", Type: geo.BooleanField}, geo.Field{Name: "jour", Type: geo.DateField},
		geo.Field{Name: "instant", Type: geo.TimeField}, geo.Field{Name: "plus", Type: geo.JSONField})
	x, y := centre(rel, 14)
	tile, err := tiles.New(hub, tiles.Options{}).Get(t.Context(), rel, 14, x, y, tiles.Params{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "types", tile)
}

// golden compares a tile with its text: sorted JSON of what is in it.
func golden(t *testing.T, name string, tile tiles.Tile) {
	t.Helper()
	type feature struct {
		ID         any            `json:"mvt_id"`
		Type       string         `json:"type"`
		Geometry   any            `json:"geometry"`
		Properties map[string]any `json:"properties"`
	}
	got := map[string][]feature{}
	for _, l := range decode(t, tile) {
		for _, f := range l.Features {
			got[l.Name] = append(got[l.Name], feature{f.ID, f.Geometry.GeoJSONType(), f.Geometry, f.Properties})
		}
	}
	text, err := json.MarshalIndent(got, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestGetSameBytesTwice(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rel := points(t, hub, "again", 2000, 1500)
	x, y := centre(rel, 13)
	first, err := tiles.New(hub, tiles.Options{}).Get(t.Context(), rel, 13, x, y, tiles.Params{})
	if err != nil {
		t.Fatal(err)
	}
	// Another physical order, another plan.
	exec(t, hub, `create table data.again2 as select * from data.again order by random()`)
	exec(t, hub, `drop table data.again`)
	exec(t, hub, `alter table data.again2 rename to again`)
	second, err := tiles.New(hub, tiles.Options{}).Get(t.Context(), rel, 13, x, y, tiles.Params{})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Body, second.Body) || !bytes.Equal(first.Gzip, second.Gzip) || first.ETag != second.ETag {
		t.Errorf("two makings differ: %s and %s", first.ETag, second.ETag)
	}
	z, err := gzip.NewReader(bytes.NewReader(first.Gzip))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || !bytes.Equal(plain, first.Body) {
		t.Errorf("the compressed tile is not the tile: %v", err)
	}
}

// Every feature that meets the tile is in it, and none that is beyond the
// buffer: asked of the other geometry column.
func TestGetIsComplete(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	// Polygons, slivers, lines and points from 20 cm to 2 km.
	exec(t, hub, `
		create table data.shapes as
		select row_number() over (order by st_transform(g, 3857)) as _fid, 's' || i as _key, g as _geom, st_transform(g, 3857) as _geom_3857, i as n
		from (
			select i, st_setsrid(case i % 4
				when 0 then st_buffer(p, size / 2, 'quad_segs=2')
				when 1 then st_translate(st_rotate(st_makeenvelope(0, 0, size, 0.3), random() * 6), st_x(p), st_y(p))
				when 2 then st_makeline(p, st_translate(p, size * (random() - 0.5), size * (random() - 0.5)))
				else p end, 2154) as g
			from (
				select i, st_makepoint(890000 + 8000 * random(), 6240000 + 8000 * random()) as p, 0.2 * power(10, 4 * random()) as size
				from generate_series(1, 3000) i, (select setseed(0.25)) s
			) r
		) r`)
	index(t, hub, "shapes")
	rel := relation(t, hub, "shapes", geo.Mixed, geo.Field{Name: "n", Type: geo.IntegerField})
	ts := tiles.New(hub, tiles.Options{})
	dice := rand.New(rand.NewPCG(1, 2))
	seen := 0
	for range 200 {
		z := 9 + dice.IntN(9)
		x, y := address(rel.Extent.MinX+dice.Float64()*(rel.Extent.MaxX-rel.Extent.MinX), rel.Extent.MinY+dice.Float64()*(rel.Extent.MaxY-rel.Extent.MinY), z)
		tile, err := ts.Get(t.Context(), rel, z, x, y, tiles.Params{})
		if err != nil {
			t.Fatal(err)
		}
		if tile.Level != 0 {
			t.Fatalf("tile %d/%d/%d was thinned", z, x, y)
		}
		got := ids(t, tile)
		seen += len(got)
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
	if seen < 1000 {
		t.Errorf("got %d features in all, want a test that sees more", seen)
	}
}

// around gives the ids of what meets the tile, and of what meets it with its
// buffer and one tile unit more, by the geometry in the layer's own CRS.
func around(t testing.TB, hub *postgis.Hub, rel geo.Relation, z, x, y int) (meeting, near []string) {
	t.Helper()
	for margin, list := range map[float64]*[]string{0: &meeting, 65.0 / 4096: &near} {
		rows, err := hub.Owner.Query(t.Context(), fmt.Sprintf(`
			with b as materialized (
				select st_transform(st_segmentize(e, st_perimeter(e) / 256), %d) as box
				from (select st_tileenvelope($1, $2, $3, margin => $4) as e) e
			)
			select _key from %s.%s, b
			where st_intersects(_geom, box)
			order by _key`, rel.SRID, rel.Schema, rel.Table), z, x, y, margin)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				t.Fatal(err)
			}
			*list = append(*list, id)
		}
		if rows.Err() != nil {
			t.Fatal(rows.Err())
		}
	}
	return meeting, near
}

func TestGetTime(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	exec(t, hub, `
		create table data.s1_indice (_key text, _time timestamptz, _item text generated always as (_key || '@' || extract(epoch from _time at time zone 'UTC')::bigint) stored,
			_geom geometry(geometry, 2154), _geom_3857 geometry(geometry, 3857), valeur real, primary key (_key, _time)) partition by range (_time)`)
	for _, m := range []string{"2026-09", "2026-10", "2026-11"} {
		exec(t, hub, `create table "data"."s1_`+m+`" partition of data.s1_indice for values from ('`+m+`-01Z') to (timestamptz '`+m+`-01Z' + interval '1 month')`)
	}
	exec(t, hub, `
		insert into data.s1_indice (_key, _time, _geom, _geom_3857, valeur)
		select c, d, g, st_transform(g, 3857), 3
		from generate_series(timestamptz '2026-09-20Z', '2026-11-24Z', interval '1 day') d,
			(values ('13055', 'srid=2154;point(893000 6247000)'::geometry), ('13001', 'srid=2154;point(893500 6247500)')) v (c, g)`)
	rel := relation(t, hub, "s1_indice", geo.Point, geo.Field{Name: "valeur", Type: geo.RealField})
	rel.Life, rel.Version, rel.Key, rel.Time = geo.Series, 0, "_item", "_time"
	ts := tiles.New(hub, tiles.Options{})
	x, y := centre(rel, 12)
	day := func(s string) time.Time {
		d, err := time.Parse("2006-01-02", s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	tests := []struct {
		name string
		time *geo.Interval
		want int
	}{
		{"latest", nil, 2},
		{"instant", &geo.Interval{From: day("2026-10-01"), To: day("2026-10-01")}, 2},
		{"a day", &geo.Interval{From: day("2026-10-01"), To: day("2026-10-02").Add(-time.Microsecond)}, 2},
		{"two days", &geo.Interval{From: day("2026-09-30"), To: day("2026-10-01")}, 4},
		{"open start", &geo.Interval{To: day("2026-09-21")}, 4},
		{"open end", &geo.Interval{From: day("2026-11-24")}, 2},
		{"between times", &geo.Interval{From: day("2026-11-01").Add(time.Hour), To: day("2026-11-01").Add(2 * time.Hour)}, 0},
		{"before all", &geo.Interval{To: day("2020-01-01")}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tile, err := ts.Get(t.Context(), rel, 12, x, y, tiles.Params{Time: tt.time})
			if err != nil {
				t.Fatal(err)
			}
			if got := ids(t, tile); len(got) != tt.want {
				t.Errorf("got %v, want %d features", got, tt.want)
			}
		})
	}
	tile, err := ts.Get(t.Context(), rel, 12, x, y, tiles.Params{})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := ids(t, tile), []string{"13001@1795478400", "13055@1795478400"}; !slices.Equal(got, want) {
		t.Errorf("latest: got %v, want %v", got, want)
	}
}

func TestGetOutlivesTheDatabase(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rel := points(t, hub, "outage", 100, 500)
	ts := tiles.New(hub, tiles.Options{})
	x, y := centre(rel, 14)
	before, err := ts.Get(t.Context(), rel, 14, x, y, tiles.Params{})
	if err != nil {
		t.Fatal(err)
	}
	hub.Tiles.Close()
	after, err := ts.Get(t.Context(), rel, 14, x, y, tiles.Params{})
	if err != nil || !bytes.Equal(before.Body, after.Body) {
		t.Errorf("cached tile: got %v, want it served", err)
	}
	if !ts.Current(rel, before.ETag) || ts.Current(rel, `"v7-00"`) {
		t.Error("want the cached tile's ETag current, and no other")
	}
	if _, err := ts.Get(t.Context(), rel, 13, x>>1, y>>1, tiles.Params{}); !errors.Is(err, geo.ErrUnavailable) {
		t.Errorf("new tile: got %v, want %v", err, geo.ErrUnavailable)
	}
}

func TestGetKeepsOnlyCurrentRevisions(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rel := points(t, hub, "living", 20, 100)
	rel.Life, rel.Version = geo.Live, 0
	ts := tiles.New(hub, tiles.Options{})
	x, y := centre(rel, 14)
	stop := make(chan struct{})
	var writer, readers sync.WaitGroup
	var mu sync.Mutex // guards rel: the catalogue in memory
	writer.Go(func() {
		defer close(stop)
		for r := int64(2); r < 60; r++ {
			exec(t, hub, `update data.living set genre = $1`, r)
			mu.Lock()
			was := rel
			rel.Revision = r
			is := rel
			mu.Unlock()
			ts.Forget(was, is, nil)
		}
	})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				mu.Lock()
				now := rel
				mu.Unlock()
				tile, err := ts.Get(t.Context(), now, 14, x, y, tiles.Params{})
				if err != nil {
					t.Error(err)
					return
				}
				for _, f := range decode(t, tile)[0].Features {
					if got := int64(f.Properties["genre"].(float64)); got < now.Revision && now.Revision > 1 {
						t.Errorf("revision %d: got a tile of revision %d", now.Revision, got)
						return
					}
				}
			}
		})
	}
	writer.Wait()
	readers.Wait()
}

func TestForgetKeepsWhatIsElsewhere(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rel := points(t, hub, "boxed", 400, 20000)
	rel.Life, rel.Version = geo.Live, 0
	ts := tiles.New(hub, tiles.Options{})
	x, y := centre(rel, 12)
	get := func(rel geo.Relation, x int) (tiles.Tile, error) {
		return ts.Get(t.Context(), rel, 12, x, y, tiles.Params{})
	}
	for _, x := range []int{x, x + 1} {
		if _, err := get(rel, x); err != nil {
			t.Fatal(err)
		}
	}
	next := rel
	next.Revision++
	w := 2 * math.Pi * 6378137 / 4096
	middle := geo.Box{MinX: -math.Pi*6378137 + (float64(x)+0.4)*w, MinY: math.Pi*6378137 - (float64(y)+0.6)*w}
	middle.MaxX, middle.MaxY = middle.MinX+10, middle.MinY+10
	ts.Forget(rel, next, &middle)
	if _, err := ts.TileJSON(t.Context(), next, tiles.About{}); err != nil { // the plan of the new revision is known
		t.Fatal(err)
	}
	hub.Tiles.Close()
	if _, err := get(next, x+1); err != nil {
		t.Errorf("tile that was not touched: got %v, want it kept", err)
	}
	if _, err := get(next, x); !errors.Is(err, geo.ErrUnavailable) {
		t.Errorf("touched tile: got %v, want it made again", err)
	}
}

func TestGetSharesAndCancels(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rel := points(t, hub, "shared", 10, 100)
	// A view that takes 300 ms to read.
	exec(t, hub, `create view data.slow as select r.* from data.shared r, (select pg_sleep(0.3)) s`)
	exec(t, hub, `grant select on data.slow to public`)
	slow := rel
	slow.Layer, slow.Table = "slow", "slow"
	ts := tiles.New(hub, tiles.Options{Workers: 1, Wait: 100 * time.Millisecond})
	x, y := centre(rel, 14)

	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := ts.Get(ctx, slow, 14, x, y, tiles.Params{}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled caller: got %v, want %v", err, context.Canceled)
		}
	})
	wg.Go(func() {
		if _, err := ts.Get(t.Context(), slow, 14, x, y, tiles.Params{}); err != nil {
			t.Errorf("other caller: got %v, want the tile", err)
		}
	})
	wg.Go(func() {
		<-ctx.Done() // the one worker is busy by now
		if _, err := ts.Get(t.Context(), slow, 13, x>>1, y>>1, tiles.Params{}); !errors.Is(err, geo.ErrUnavailable) {
			t.Errorf("caller in the queue: got %v, want %v", err, geo.ErrUnavailable)
		}
	})
	for !busy(t, hub) {
	}
	cancel()
	wg.Wait()
}

// busy tells whether the slow view is being read.
func busy(t testing.TB, hub *postgis.Hub) bool {
	t.Helper()
	var n int
	err := hub.Owner.QueryRow(t.Context(), `
		select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like '%st_asmvt(t%' and pid <> pg_backend_pid()`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n > 0
}

func TestGetTooSlow(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rel := points(t, hub, "heavy", 10, 100)
	exec(t, hub, `create view data.endless as select r.* from data.heavy r, (select pg_sleep(20)) s`)
	exec(t, hub, `grant select on data.endless to public`)
	conf := hub.Tiles.Config()
	conf.ConnConfig.RuntimeParams["statement_timeout"] = "50ms"
	hub.Tiles.Close()
	var err error
	if hub.Tiles, err = pgxpool.NewWithConfig(t.Context(), conf); err != nil {
		t.Fatal(err)
	}
	rel.Table = "endless"
	x, y := centre(rel, 14)
	if _, err := tiles.New(hub, tiles.Options{}).Get(t.Context(), rel, 14, x, y, tiles.Params{}); !errors.Is(err, geo.ErrUnavailable) {
		t.Errorf("got %v, want %v", err, geo.ErrUnavailable)
	}
}

func TestTileJSON(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	rel := points(t, hub, "described", 30, 5000)
	rel.Fields[0].Label = geo.Text{"fr": "Nom", "it": "Nome"}
	j, err := tiles.New(hub, tiles.Options{}).TileJSON(t.Context(), rel, tiles.About{
		Base: "https://carte.example.org/", Lang: "it", Attribution: "CRIGE, Licence Ouverte 2.0",
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "https://carte.example.org/tiles/described/{z}/{x}/{y}.mvt?v=v1"; j.Tiles[0] != want {
		t.Errorf("got %s, want %s", j.Tiles[0], want)
	}
	want := map[string]string{"id": "String", "nom": "String — Nome", "genre": "Number"}
	if diff := cmp.Diff(want, j.VectorLayers[0].Fields); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if j.MinZoom != 0 || j.MaxZoom != 14 || j.Version != "3.0.0" || len(j.Bounds) != 4 || j.Bounds[0] > rel.Extent.MinX || j.Bounds[3] < rel.Extent.MaxY {
		t.Errorf("got %+v", j)
	}
	if strings.Contains(j.Attribution, "<") {
		t.Error("attribution is not plain text")
	}
}

// A tile that would be too large in spite of everything climbs the ladder, and
// says so.
func TestGetStaysInTheBudget(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	for _, tt := range []struct {
		name  string
		n     int
		bytes int // of noise in each feature
		level int
	}{
		{"heavy attributes", 12_000, 200, 1},
		{"too many", 120_000, 0, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			table := fmt.Sprintf("crowd_%d", tt.n)
			exec(t, hub, `create table data.`+table+` as
				select i::bigint as _fid, md5(i::text) as _key, p as _geom, st_transform(p, 3857) as _geom_3857,
					(select string_agg(md5(i::text || j), '') from generate_series(1, $2::int / 32) j) as bruit
				from (select i, st_setsrid(st_makepoint(890000 + 2000 * random(), 6240000 + 2000 * random()), 2154) as p
					from generate_series(1, $1) i, (select setseed(0.5)) s) r`, tt.n, tt.bytes)
			exec(t, hub, `create index on data.`+table+` using gist (_geom_3857)`)
			rel := relation(t, hub, table, geo.Point, geo.Field{Name: "bruit", Type: geo.TextField})
			x, y := centre(rel, 12)
			tile, err := tiles.New(hub, tiles.Options{}).Get(t.Context(), rel, 12, x, y, tiles.Params{})
			if err != nil {
				t.Fatal(err)
			}
			if tile.Level < tt.level || len(tile.Gzip) > tiles.Budget || len(tile.Gzip) == 0 {
				t.Errorf("got %d bytes at level %d, want at most %d at level %d or above", len(tile.Gzip), tile.Level, tiles.Budget, tt.level)
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	hub := postgistest.New(b)
	for _, rel := range []geo.Relation{points(b, hub, "bench_points", 30_000, 12_000), parcels(b, hub, "bench_parcels", 30_000, 12_000)} {
		for _, z := range []int{11, 12, 13, 14, 16} {
			x, y := centre(rel, z)
			b.Run(fmt.Sprintf("%s/z%d", rel.GeometryType, z), func(b *testing.B) {
				var tile tiles.Tile
				for b.Loop() {
					b.StopTimer()
					ts := tiles.New(hub, tiles.Options{CacheBytes: 1 << 20})
					if _, err := ts.TileJSON(b.Context(), rel, tiles.About{}); err != nil { // the plan is known
						b.Fatal(err)
					}
					b.StartTimer()
					var err error
					if tile, err = ts.Get(b.Context(), rel, z, x, y, tiles.Params{}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(len(tile.Gzip)), "gz-B/tile")
			})
		}
	}
}

func BenchmarkGetCached(b *testing.B) {
	hub := postgistest.New(b)
	rel := points(b, hub, "bench_cached", 2000, 2000)
	ts := tiles.New(hub, tiles.Options{})
	x, y := centre(rel, 13)
	if _, err := ts.Get(b.Context(), rel, 13, x, y, tiles.Params{}); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ts.Get(b.Context(), rel, 13, x, y, tiles.Params{}); err != nil {
			b.Fatal(err)
		}
	}
}
