package format

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"

	"calanque/geo"
)

var packageDay = time.Date(2026, 3, 14, 0, 0, 0, 0, time.UTC)

// writePackage writes one layer and returns its path.
func writePackage(t testing.TB, l PackageLayer, rows func(add func([]byte, []any) error) error) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "out.gpkg")
	w, err := CreatePackage(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Layer(t.Context(), l, rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func encoded(t testing.TB, g orb.Geometry) []byte {
	t.Helper()
	b, err := ewkb.Marshal(g, 2154)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var everyField = []geo.Field{
	{Name: "nom", Type: geo.TextField, Title: "Nom usuel"},
	{Name: "places", Type: geo.IntegerField},
	{Name: "surface", Type: geo.RealField, Label: geo.Text{"fr": "Surface (m²)"}},
	{Name: "ouvert", Type: geo.BooleanField},
	{Name: "depuis", Type: geo.DateField},
	{Name: "releve", Type: geo.TimeField},
	{Name: "plus", Type: geo.JSONField},
	{Name: "fid", Type: geo.TextField},
	{Name: "geom", Type: geo.IntegerField},
}

var everyValue = []any{
	"L’Estaque « nord »", int64(1) << 60, 12.5, true, packageDay,
	time.Date(2026, 3, 14, 9, 30, 0, 250e6, time.UTC), json.RawMessage(`{"a": [1]}`), "F-1", int64(3),
}

// everyWanted is everyValue as the reader of GeoPackages gives it.
var everyWanted = append(slices.Clone(everyValue[:6]), `{"a": [1]}`, "F-1", int64(3))

// TestPackageRoundTrip writes values of every type, nulls and geometries, and
// reads them with the reader of this package.
func TestPackageRoundTrip(t *testing.T) {
	t.Parallel()
	nulls := make([]any, len(everyField))
	square := orb.MultiPolygon{{{{0, 0}, {10, 0}, {10, 10}, {0, 0}}}}
	geometries := [][]byte{encoded(t, square), nil, encoded(t, orb.MultiPolygon{})}
	l := PackageLayer{Name: "lieux", Title: "Lieux", Geometry: geo.Polygon, SRID: geo.Lambert93, Fields: everyField, Lang: "fr", Updated: packageDay}
	path := writePackage(t, l, func(add func([]byte, []any) error) error {
		for i, g := range geometries {
			values := everyValue
			if i == 1 {
				values = nulls
			}
			if err := add(g, values); err != nil {
				return err
			}
		}
		return nil
	})
	db := openSQLite(t, path)
	var extent [4]float64
	var kind, changed string
	err := db.QueryRow(`select data_type, cast(last_change as text), min_x, min_y, max_x, max_y from gpkg_contents`).Scan(&kind, &changed, &extent[0], &extent[1], &extent[2], &extent[3])
	if err != nil || kind != "features" || changed != "2026-03-14T00:00:00.000Z" || extent != [4]float64{0, 0, 10, 10} {
		t.Errorf("contents: got %s, %s, %v, %v", kind, changed, extent, err)
	}
	var geometry string
	var z, m int
	if err := db.QueryRow(`select geometry_type_name, z, m from gpkg_geometry_columns where column_name = 'geom_2'`).Scan(&geometry, &z, &m); err != nil || geometry != "MULTIPOLYGON" || z+m != 0 {
		t.Errorf("geometry column: got %s, %d, %d, %v", geometry, z, m, err)
	}
	var title string
	if err := db.QueryRow(`select name from gpkg_data_columns where column_name = 'surface'`).Scan(&title); err != nil || title != "Surface (m²)" {
		t.Errorf("title of a column: got %q, %v", title, err)
	}
	src, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if n := len(src.Layers()); n != 1 {
		t.Fatalf("got %d layers", n)
	}
	got := readAll(t, src, 0)
	if len(got) != 3 {
		t.Fatalf("got %d rows, want 3", len(got))
	}
	if !bytes.Equal(Multi(nil, got[0].geometry), Multi(nil, stripSRID(geometries[0]))) || got[1].geometry != nil {
		t.Errorf("geometries: got %x and %x", got[0].geometry, got[1].geometry)
	}
	if s := fmt.Sprint(got[0].values[1:]); s != fmt.Sprint(everyWanted) || s != fmt.Sprint(got[2].values[1:]) || got[1].values[1] != nil {
		t.Errorf("values: %v", got)
	}
}

// TestPackageTree packs trees of many sizes and lets SQLite check them, then
// asks them what a scan of all boxes knows.
func TestPackageTree(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 50, 51, 52, 2601, 2602} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, uint64(n)))
			points := make([]orb.Point, n)
			l := PackageLayer{Name: "points", Geometry: geo.Point, Single: true, SRID: geo.Lambert93, Updated: packageDay}
			path := writePackage(t, l, func(add func([]byte, []any) error) error {
				for i := range points {
					points[i] = orb.Point{850_000 + 100_000*random.Float64(), 6_200_000 + 100_000*random.Float64()}
					if err := add(encoded(t, orb.MultiPoint{points[i]}), nil); err != nil {
						return err
					}
				}
				return nil
			})
			db := openSQLite(t, path)
			var said string
			if err := db.QueryRow(`select rtreecheck('rtree_points_geom')`).Scan(&said); err != nil || said != "ok" {
				t.Errorf("SQLite says %q, %v", said, err)
			}
			want := 0
			for _, p := range points {
				if p[0] >= 880_000 && p[0] <= 890_000 && p[1] >= 6_220_000 && p[1] <= 6_230_000 {
					want++
				}
			}
			var got int
			err := db.QueryRow(`select count(*) from rtree_points_geom where maxx >= 880000 and minx <= 890000 and maxy >= 6220000 and miny <= 6230000`).Scan(&got)
			if err != nil || got < want || got > want+2 {
				t.Errorf("the tree finds %d of %d, %v", got, want, err)
			}
		})
	}
}

// TestPackageIsTheSame writes the same twice and wants the same bytes.
func TestPackageIsTheSame(t *testing.T) {
	t.Parallel()
	write := func() []byte {
		l := PackageLayer{Name: "a", Geometry: geo.None, Fields: everyField, Updated: packageDay}
		b, err := os.ReadFile(writePackage(t, l, func(add func([]byte, []any) error) error {
			for range 1000 {
				if err := add(nil, everyValue); err != nil {
					return err
				}
			}
			return nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(write(), write()) {
		t.Error("two files of the same rows differ")
	}
}

func TestPackageWriterRefuses(t *testing.T) {
	t.Parallel()
	w, err := CreatePackage(t.Context(), filepath.Join(t.TempDir(), "a.gpkg"))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	l := PackageLayer{Name: "a", Geometry: geo.Point, SRID: geo.Lambert93, Updated: packageDay}
	if _, err := w.Layer(t.Context(), l, func(add func([]byte, []any) error) error { return add([]byte{1, 2, 3}, nil) }); err == nil {
		t.Error("three bytes were a geometry")
	}
	l.Name = "b"
	if _, err := w.Layer(t.Context(), l, func(add func([]byte, []any) error) error { return add(nil, []any{1}) }); err == nil {
		t.Error("a value of no field was taken")
	}
}

func openSQLite(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func stripSRID(b []byte) []byte {
	if b[4]&0x20 == 0 {
		return b
	}
	out := append([]byte(nil), b[:5]...)
	out[4] &^= 0x20
	return append(out, b[9:]...)
}

// FuzzPackageGeometry turns any bytes into a geometry or an error: no panic,
// no more bytes than came in and a header, and a box that is finite or empty.
func FuzzPackageGeometry(f *testing.F) {
	for _, g := range []orb.Geometry{
		orb.Point{1, 2},
		orb.MultiPoint{{1, 2}},
		orb.LineString{{0, 0}, {1, 1}},
		orb.MultiPolygon{{{{0, 0}, {1, 0}, {1, 1}, {0, 0}}}},
		orb.Collection{orb.Point{1, 2}, orb.LineString{{0, 0}, {2, 2}}},
	} {
		f.Add(encoded(f, g), true)
	}
	f.Fuzz(func(t *testing.T, b []byte, single bool) {
		out, shape, err := appendPackageGeometry(nil, b, 2154, single)
		if err != nil {
			return
		}
		if len(out) > len(b)+40 {
			t.Errorf("%d bytes became %d", len(b), len(out))
		}
		if shape.kind < kindPoint || shape.kind > kindCollection {
			t.Errorf("kind %d", shape.kind)
		}
	})
}

type packageRow struct {
	geometry []byte
	values   []any
}

func readAll(t testing.TB, src Source, layer int) (rows []packageRow) {
	t.Helper()
	err := src.Read(t.Context(), layer, func(r *Record) error {
		if r.Err != nil {
			return r.Err
		}
		rows = append(rows, packageRow{bytes.Clone(r.Geometry), append([]any(nil), r.Values...)})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func BenchmarkPackage(b *testing.B) {
	const n = 100_000
	l := PackageLayer{Name: "points", Geometry: geo.Point, Single: true, SRID: geo.Lambert93, Fields: everyField, Updated: packageDay}
	p := encoded(b, orb.MultiPoint{{900_000, 6_250_000}})
	for b.Loop() {
		writePackage(b, l, func(add func([]byte, []any) error) error {
			for range n {
				if err := add(p, everyValue); err != nil {
					return err
				}
			}
			return nil
		})
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
