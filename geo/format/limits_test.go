package format

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"calanque/geo"
)

// refusal opens the file and gives the code of the error.
func refusal(t *testing.T, path string) string {
	t.Helper()
	src, err := Open(t.Context(), path, Options{})
	if err == nil {
		return "opened: " + dump(t.Context(), src)[:60]
	}
	var input *geo.InputError
	if !errors.As(err, &input) {
		return err.Error()
	}
	return input.Code
}

// zeroReader gives n zeros.
func zeroReader(n int64) io.Reader { return io.LimitReader(zeroSource{}, n) }

type zeroSource struct{}

func (zeroSource) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestZipBombIsRefusedAndLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	path := filepath.Join(t.TempDir(), "bombe.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create("couche.csv")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, zeroReader(200<<20)); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(z.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if got := refusal(t, path); got != "zip.bomb" {
		t.Errorf("got %s, want zip.bomb", got)
	}
	for _, name := range []string{"folder-accents-upper-case", "macosx-and-two-shapefiles", "broken-entry", "page-inside", "path-traversal"} {
		src, err := Open(t.Context(), filepath.Join("testdata/zip", name, "envoi.zip"), Options{})
		if err == nil {
			if err := src.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if left, _ := os.ReadDir(tmp); len(left) > 0 {
		t.Errorf("left in the temporary folder: %v", left)
	}
	if _, err := os.Stat("/tmp/calanque-evil.shp"); err == nil {
		t.Error("an entry chose where it landed")
	}
}

// What has no end is refused with its line, in bounded memory.
func TestEndlessText(t *testing.T) { // not parallel: it measures memory
	long := strings.Repeat("x", 34<<20)
	for _, c := range []struct{ name, file, text, want string }{
		{"one endless line", "a.csv", "nom;v\na;b\n" + long, "csv.long"},
		{"no line end at all", "b.csv", long, "csv.long"},
		{"deep arrays", "c.geojson", strings.Repeat("[", 1<<20), "geojson.truncated"},
		{"deep objects", "d.geojson", strings.Repeat(`{"a":`, 1<<20), "geojson.truncated"},
		{"unclosed text", "e.geojson", `{"type":"FeatureCollection","features":[{"a":"` + long, "geojson.truncated"},
		{"deep geometry", "f.geojson", `{"type":"Feature","geometry":` + strings.Repeat(`{"type":"GeometryCollection","geometries":[`, 1<<16), "geojson.truncated"},
	} {
		var before, after runtime.MemStats
		path := write(t, c.file, []byte(c.text))
		runtime.ReadMemStats(&before)
		got := refusal(t, path)
		runtime.ReadMemStats(&after)
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 256<<20 {
			t.Errorf("%s: allocated %d MiB", c.name, used>>20)
		}
	}
}

// A quote that opens on every line and closes on none costs those lines, not
// the time of reading the file for each.
func TestManyUnclosedQuotes(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("nom;texte\n")
	for range 20000 {
		b.WriteString("a;b\n")
	}
	b.WriteString("c;\"d\n")
	for range 20000 {
		b.WriteString("a;b\n")
	}
	src, err := Open(t.Context(), write(t, "a.csv", b.Bytes()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	rejected, read := 0, 0
	if err := src.Read(t.Context(), 0, func(r *Record) error {
		read++
		if r.Err != nil {
			rejected++
			if r.Line != 20002 || r.Err.Code != "csv.quote" {
				t.Errorf("line %d: %v", r.Line, r.Err)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if read != 40001 || rejected != 1 {
		t.Errorf("got %d read, %d rejected, want 40001, 1", read, rejected)
	}
}

func TestOpenOther(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "tube.csv")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := refusal(t, fifo); got != "format.not-file" {
		t.Errorf("fifo: got %s", got)
	}
	if got := refusal(t, filepath.Join(dir, "absent.shp")); got != "format.no-file" {
		t.Errorf("absent: got %s", got)
	}
	if got := refusal(t, t.TempDir()); got != "zip.no-data" {
		t.Errorf("empty folder: got %s", got)
	}
	src, err := Open(t.Context(), "testdata/shapefile/cp1252-no-hint", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if l := src.Layers(); len(l) != 1 || l[0].Name != "couche" || l[0].Count != 4 {
		t.Errorf("folder: got %v", l)
	}
}

// One of many layers is chosen by its name.
func TestLayerOption(t *testing.T) {
	t.Parallel()
	src, err := Open(t.Context(), "testdata/zip/macosx-and-two-shapefiles/envoi.zip", Options{Layer: "b"})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if l := src.Layers(); len(l) != 1 || l[0].GeometryType != geo.Line {
		t.Errorf("got %v, want layer b", l)
	}
	n := 0
	if err := src.Read(t.Context(), 0, func(r *Record) error { n++; return nil }); err != nil || n != 1 {
		t.Errorf("got %d records, %v", n, err)
	}
}

// Opening stops when it is told to.
func TestOpenCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, f := range []string{"points.geojson", "points.csv", "points.gpkg", "surfaces.zip"} {
		if _, err := Open(ctx, filepath.Join("testdata/conformance", f), Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want context.Canceled", f, err)
		}
	}
}

// A thousand parts that nest and touch are told apart in little time, and a
// million that all overlap are refused rather than pondered.
func TestManyRings(t *testing.T) {
	t.Parallel()
	var s shaper
	for i := range 300 {
		for j := range 300 {
			x, y := float64(i)*10, float64(j)*10
			s.rings = append(s.rings, squareRing(x, y, 8), squareRing(x+2, y+2, 4))
		}
	}
	out, bad := s.assemble(false)
	if bad != nil {
		t.Fatal(bad)
	}
	if n := bytes.Count(out, []byte{1, kindPolygon, 0, 0, 0, 2, 0, 0, 0}); n != 90000 {
		t.Errorf("got %d polygons with a hole, want 90000", n)
	}
	s = shaper{}
	for i := range 40000 {
		f := float64(i)
		s.rings = append(s.rings, squareRing(f, -1e6+f, 1e7))
	}
	if _, bad := s.assemble(false); bad == nil || bad.Code != "geometry.too-complex" {
		t.Errorf("got %v, want geometry.too-complex", bad)
	}
}

func squareRing(x, y, side float64) ring {
	var b []byte
	for _, p := range [][2]float64{{0, 0}, {0, 1}, {1, 1}, {1, 0}, {0, 0}} {
		b = appendFloat(appendFloat(b, x+p[0]*side), y+p[1]*side)
	}
	return newRing(b, nil)
}
