package format

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/twpayne/go-geom/encoding/ewkb"

	"calanque/geo"
)

// maxFuzzMemory is what reading a file of at most 64 KiB may allocate at once,
// its buffers included.
const maxFuzzMemory = 256 << 20

// fuzzOpen opens a file and reads it whole: whatever it holds, that gives
// records as promised or an error about the input, within bounded memory.
func fuzzOpen(t *testing.T, path string, o Options) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	src, err := Open(t.Context(), path, o)
	if err != nil {
		checkInputError(t, err)
		return
	}
	for i, l := range src.Layers() {
		n := int64(0)
		err := src.Read(t.Context(), i, func(r *Record) error {
			n++
			if err := checkRecord(l, r); err != nil {
				t.Fatalf("record %d: %v", r.Number, err)
			}
			return nil
		})
		if err != nil {
			checkInputError(t, err)
		} else if l.Count >= 0 && n != l.Count {
			t.Fatalf("layer %s: got %d records, count says %d", l.Name, n, l.Count)
		}
	}
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > maxFuzzMemory {
		t.Fatalf("allocated %d MiB", used>>20)
	}
}

func checkInputError(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, geo.ErrInvalid) && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("not an error about the input: %v", err)
	}
}

// seed adds the files of the cases with one of the extensions.
func seed(f *testing.F, dir string, ext ...string) {
	f.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*", "*"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds in %s: %v", dir, err)
	}
	for _, file := range files {
		for _, e := range ext {
			if strings.EqualFold(filepath.Ext(file), e) && filepath.Base(file) != "want.txt" {
				b, err := os.ReadFile(file)
				if err != nil {
					f.Fatal(err)
				}
				f.Add(b)
			}
		}
	}
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func fuzzFile(f *testing.F, dir, name string, ext ...string) {
	seed(f, dir, ext...)
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 64<<10 {
			t.Skip()
		}
		fuzzOpen(t, write(t, name, b), Options{})
	})
}

func FuzzGeoJSON(f *testing.F) {
	fuzzFile(f, "geojson", "couche.geojson", ".geojson", ".json", ".geojsonl")
}
func FuzzCSV(f *testing.F)   { fuzzFile(f, "csv", "couche.csv", ".csv", ".tsv") }
func FuzzDBF(f *testing.F)   { fuzzFile(f, "shapefile", "couche.dbf", ".dbf") }
func FuzzShape(f *testing.F) { fuzzFile(f, "shapefile", "couche.shp", ".shp") }
func FuzzZip(f *testing.F)   { fuzzFile(f, "zip", "envoi.zip", ".zip") }

// A GeoPackage is SQLite's to parse; what is ours is seeded with small ones.
func FuzzGeoPackage(f *testing.F) { fuzzFile(f, "geopackage", "couche.gpkg", ".gpkg") }

// The index decides where records are read.
func FuzzIndex(f *testing.F) {
	shp, err := os.ReadFile("testdata/shapefile/shx-reordered/couche.shp")
	if err != nil {
		f.Fatal(err)
	}
	seed(f, "shapefile", ".shx")
	f.Fuzz(func(t *testing.T, b []byte) {
		path := write(t, "couche.shp", shp)
		if err := os.WriteFile(strings.TrimSuffix(path, ".shp")+".shx", b, 0o600); err != nil {
			t.Fatal(err)
		}
		fuzzOpen(t, path, Options{})
	})
}

// Whatever the content of a shape record, the geometry is EWKB that go-geom
// reads, or the record is rejected.
func FuzzShapeRecord(f *testing.F) {
	files, _ := filepath.Glob("testdata/shapefile/*/*.shp")
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for off := 100; off+8 <= len(b); {
			n := int(binary.BigEndian.Uint32(b[off+4:])) * 2
			if n < 4 || off+8+n > len(b) {
				break
			}
			f.Add(b[off+8 : off+8+n])
			off += 8 + n
		}
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		var s shaper
		kind := int32(0)
		if len(content) > 0 {
			kind = int32(content[0]) % 10
		}
		g, bad := s.convert(content, kind)
		checkGeometry(t, g, bad)
	})
}

func checkGeometry(t *testing.T, g []byte, bad *geo.InputError) {
	t.Helper()
	if bad != nil && g != nil {
		t.Fatalf("both a geometry and %v", bad)
	}
	if g == nil {
		return
	}
	if _, err := ewkb.Unmarshal(g); err != nil {
		t.Fatalf("%x: %v", g, err)
	}
	if _, err := ewkb.Unmarshal(Multi(nil, g)); err != nil {
		t.Fatalf("promoted %x: %v", g, err)
	}
}

func FuzzWKB(f *testing.F) {
	for _, s := range []string{"POINT(1 2)", "POLYGON((0 0,4 0,4 4,0 0))", "GEOMETRYCOLLECTION(POINT Z(1 2 3),MULTIPOINT(1 2,3 4))"} {
		var r wktReader
		b, _, _ := r.convert([]byte(s), nil)
		f.Add(bytes.Clone(b))
	}
	arc := binary.LittleEndian.AppendUint32([]byte{1, 8, 0, 0, 0}, 3)
	for _, v := range []float64{0, 0, 1, 1, 2, 0} {
		arc = appendFloat(arc, v)
	}
	f.Add(arc)
	f.Fuzz(func(t *testing.T, b []byte) {
		var r wkbReader
		g, _, bad := r.convert(b, nil)
		checkGeometry(t, g, bad)
	})
}

func FuzzWKT(f *testing.F) {
	for _, s := range []string{
		"POINT(1 2)", "SRID=2154;POINTZ(1 2 3)", "POLYGON((0 0,4 0,4 4,0 0),(1 1,2 1,2 2,1 1))", "MULTIPOINT(1 2,(3 4))", "POINT EMPTY",
		"GEOMETRYCOLLECTION(POINT(1 2),LINESTRING(0 0,1 1))", "MULTIPOLYGON(((0 0,4 0,4 4,0 0)))", "LINESTRING ZM(1 2 3 4,5 6 7 8)", "MULTILINESTRING(EMPTY,(0 0,1 1))",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var r wktReader
		g, _, bad := r.convert([]byte(s), nil)
		checkGeometry(t, g, bad)
	})
}

// A date and a number that are read are read the same when written again.
func FuzzValues(f *testing.F) {
	for _, s := range []string{"28/03/2021 14h05", "2021-03-28T14:05:09.25+02:00", "1 234,5", "-0,001", "1e300", "31/04/2021"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, _, ok := ParseDate(s); ok && d.Year() > 0 && d.Year() < 10000 {
			if again, _, ok := ParseDate(valueText(d)); !ok || !again.Equal(d) {
				t.Fatalf("%q is %v, which reads as %v", s, d, again)
			}
		}
		if n, ok := ParseNumber(s); ok && !finite(n) {
			t.Fatalf("%q is %v", s, n)
		}
		if n, ok := ParseInteger(s); ok && (n > 1<<53 || n < -1<<53) {
			t.Fatalf("%q is %v", s, n)
		}
		if a, b, ok := parsePair(s); ok && (!finite(a) || !finite(b)) {
			t.Fatalf("%q is %v, %v", s, a, b)
		}
	})
}
