package format

import (
	"bytes"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"calanque/geo"
)

// TestPackageAsGDALWritesIt holds that GDAL reads our GeoPackages without a
// word, and finds in them what it finds in its own copy: number, geometries to
// the last bit, types, system, extent, and what a spatial filter lets through.
func TestPackageAsGDALWritesIt(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ogr2ogr"); err != nil {
		t.Skip("no ogr2ogr here (package gdal-bin)")
	}
	random := rand.New(rand.NewPCG(1, 2))
	corner := func() (x, y float64) { return 850_000 + 1e5*random.Float64(), 6_200_000 + 1e5*random.Float64() }
	for name, c := range map[string]struct {
		geometry geo.GeometryType
		single   bool
		make     func() orb.Geometry
	}{
		"points": {geo.Point, true, func() orb.Geometry { x, y := corner(); return orb.MultiPoint{{x, y}} }},
		"multipoints": {geo.Point, false, func() orb.Geometry {
			x, y := corner()
			return orb.MultiPoint{{x, y}, {x + 50, y - 50}}
		}},
		"lines": {geo.Line, false, func() orb.Geometry {
			x, y := corner()
			return orb.MultiLineString{{{x, y}, {x + 100, y + 1./3}}, {{x, y + 9}, {x - 7, y}}}
		}},
		"areas": {geo.Polygon, false, func() orb.Geometry {
			x, y := corner()
			return orb.MultiPolygon{
				{{{x, y}, {x + 90, y}, {x + 90, y + 90}, {x, y + 90}, {x, y}}, {{x + 10, y + 10}, {x + 10, y + 20}, {x + 20, y + 20}, {x + 10, y + 10}}},
				{{{x - 90, y}, {x - 10, y}, {x - 10, y + 30}, {x - 90, y}}},
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := PackageLayer{Name: "lieux", Title: "Lieux", Geometry: c.geometry, Single: c.single, SRID: geo.Lambert93, Fields: everyField, Lang: "fr", Updated: packageDay}
			ours := writePackage(t, l, func(add func([]byte, []any) error) error {
				for i := range 300 {
					values := everyValue
					if i%7 == 0 {
						values = make([]any, len(everyField))
					}
					var g []byte
					if i%11 != 0 {
						g = encoded(t, c.make())
					}
					if err := add(g, values); err != nil {
						return err
					}
				}
				return nil
			})
			wellFormed(t, openSQLite(t, ours))
			theirs := filepath.Join(t.TempDir(), "copie.gpkg")
			if said := gdal(t, "ogr2ogr", "-f", "GPKG", "-preserve_fid", theirs, ours); said != "" {
				t.Errorf("ogr2ogr says %q", said)
			}
			if a, b := stored(t, ours), stored(t, theirs); !slices.Equal(a, b) {
				t.Errorf("the copy holds other rows: %d, of %d", len(b), len(a))
			}
			for _, how := range [][]string{
				{"-al"},
				{"-al", "-so"},
				{"-al", "-spat", "860000", "6210000", "900000", "6250000"},
				{"-al", "-so", "-spat", "0", "0", "10", "10"},
				{"-al", "-where", "places is null"},
			} {
				a, b := listing(t, how, ours), listing(t, how, theirs)
				if a != b {
					t.Errorf("ogrinfo %v differs:\n%s", how, firstDifference(a, b))
				}
			}
		})
	}
}

// wellFormed checks what the standard asks of any GeoPackage and SQL can tell
// (OGC 12-128r18, requirements 2, 3, 6, 7, 11, 13–15, 18 and 75–78).
func wellFormed(t *testing.T, db *sql.DB) {
	t.Helper()
	for query, want := range map[string]string{
		`pragma application_id`:                         "1196444487", // "GPKG"
		`pragma user_version`:                           "10300",
		`pragma integrity_check`:                        "ok",
		`select count(*) from pragma_foreign_key_check`: "0",
		`select count(*) from gpkg_contents c left join gpkg_spatial_ref_sys s using (srs_id) where s.srs_id is null`:                                 "0",
		`select count(*) from gpkg_spatial_ref_sys where srs_id in (-1, 0, 4326)`:                                                                     "3",
		`select organization || organization_coordsys_id from gpkg_spatial_ref_sys where srs_id = 2154`:                                               "EPSG2154",
		`select count(*) from gpkg_contents c join gpkg_geometry_columns g using (table_name) where c.data_type = 'features' and c.srs_id = g.srs_id`: "1",
		`select table_name || '.' || column_name || ' ' || scope from gpkg_extensions where extension_name = 'gpkg_rtree_index'`:                      "lieux.geom_2 write-only",
		`select count(*) from rtree_lieux_geom_2`:                                                        "272",
		`select count(*) from sqlite_master where type = 'trigger' and name like 'rtree_lieux_geom_2_%'`: "7",
		`select rtreecheck('rtree_lieux_geom_2')`:                                                        "ok",
		`select count(*) from gpkg_contents, (select min(minx) a, min(miny) b, max(maxx) c, max(maxy) d from rtree_lieux_geom_2)
			where min_x < a - 1 or min_y < b - 1 or max_x > c + 1 or max_y > d + 1`: "0",
	} {
		var got string
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: got %q, %v, want %q", query, got, err, want)
		}
	}
}

// gdal runs a program of GDAL's and gives what it says on its error output.
func gdal(t *testing.T, name string, args ...string) string {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %v: %v: %s", name, args, err, said.String())
	}
	return said.String()
}

// listing is what ogrinfo tells of a file, without its name.
func listing(t *testing.T, how []string, file string) string {
	t.Helper()
	var out, said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "ogrinfo", append(append([]string{"-ro"}, how...), file)...)
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil || said.Len() > 0 {
		t.Errorf("ogrinfo %v: %v: %s", how, err, said.String())
	}
	// Each tree gives what a filter lets through in its own order.
	parts := strings.Split(strings.ReplaceAll(out.String(), file, "FILE"), "OGRFeature(")
	slices.Sort(parts[1:])
	return strings.Join(parts, "OGRFeature(")
}

// stored is what our reader finds in a file, geometries byte by byte.
func stored(t *testing.T, file string) (rows []string) {
	t.Helper()
	src, err := Open(t.Context(), file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for _, r := range readAll(t, src, 0) {
		rows = append(rows, fmt.Sprintf("%x %v", r.geometry, r.values))
	}
	return rows
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return fmt.Sprintf("line %d: ours   %s\n         theirs %s", i+1, x[i], y[i])
		}
	}
	return fmt.Sprintf("%d lines, theirs %d", len(x), len(y))
}
