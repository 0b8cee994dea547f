package main

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"calanque/geo/postgis/postgistest"
	"calanque/osm/sample"
)

// drawnSample is a sample that tests share and must not write to.
var drawnSample = sync.OnceValues(func() (string, error) {
	if _, err := program(); err != nil { // it has the folder that is removed at the end
		return "", err
	}
	dir := filepath.Join(programDir, "sample")
	_, err := sample.Write(context.Background(), dir, sample.Options{Seed: 1, Today: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)})
	return dir, err
})

func sampleFile(t testing.TB, name string) string {
	t.Helper()
	dir, err := drawnSample()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, filepath.FromSlash(name))
}

func sampleBytes(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(sampleFile(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A refusal is input that the program must refuse, with what it must say about
// it in any language: the file's name, and the place where there is one.
type refusal struct {
	name  string
	file  string            // to give to the program, of those below
	files map[string][]byte // none for a file that is missing
	args  []string          // beside the file and the dataset
	code  int
	says  []string
}

const (
	maxMemory  = 300 << 20 // of the program on any bad input
	maxSeconds = 20
)

// Whatever is wrong with a file, the program says so in a sentence of the
// reader's language, leaves the database as it was, and neither takes long nor
// fills the memory.
func TestBadFilesAreRefused(t *testing.T) {
	t.Parallel()
	for i, part := range slices.Collect(slices.Chunk(refusals(t), 16)) {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			m := newMachineOn(t, postgistest.URL(t))
			m.must("load", m.write("good.geojson", points(20, 5.4, 43.3)), "--dataset", "points", "--producer", "CRIGE", "--licence", "lo-2.0")
			before := contents(t, m.database())
			for _, r := range part {
				m.refuses(r, before)
			}
			checkInvariants(t, m.database(), "after bad input")
			if left, err := os.ReadDir(m.temp()); err != nil || len(left) > 0 {
				t.Errorf("left in the folder for temporary files: %v %v", left, err)
			}
		})
	}
}

func (m *machine) refuses(r refusal, before map[string]string) {
	m.t.Helper()
	folder := strings.ReplaceAll(r.name, " ", "-")
	for name, content := range r.files {
		m.write(filepath.Join(folder, name), content)
	}
	path := filepath.Join(m.dir, folder, r.file)
	args := func(dataset string) []string {
		if strings.HasSuffix(r.file, ".pbf") {
			return append([]string{"osm", "import", path}, r.args...)
		}
		if r.code == exitRejected { // the account of its records is kept, for which it needs a dataset
			return append([]string{"load", path, "--dataset", "points"}, r.args...)
		}
		return append([]string{"load", path, "--dataset", dataset, "--producer", "Somebody new", "--licence", "cc0"}, r.args...)
	}
	said := map[string]bool{}
	// Into the dataset that is there, and as a new one.
	for lang, dataset := range map[string]string{"fr_FR.UTF-8": "points", "C": "other"} {
		mm := *m
		mm.env = append(slices.Clone(m.env), "LC_ALL="+lang)
		got := mm.run(args(dataset)...)
		m.t.Logf("%s (%s): %s%s [%v, %d MB]", r.name, lang, got.out, got.err, got.took.Round(time.Millisecond), got.memory>>20)
		m.checkRefusal(r, got)
		said[got.err] = true
	}
	if d := cmp.Diff(before, m.lasting()); d != "" {
		m.t.Errorf("%s: the database changed (-want +got):\n%s", r.name, d)
	}
	if len(said) < 2 {
		m.t.Errorf("%s: the same words in both languages: %v", r.name, slices.Collect(maps.Keys(said)))
	}
}

func (m *machine) checkRefusal(r refusal, got result) {
	m.t.Helper()
	if got.code != r.code {
		m.t.Errorf("%s: want exit code %d: %v", r.name, r.code, got)
	}
	for _, s := range r.says {
		if !strings.Contains(got.err+got.out, s) {
			m.t.Errorf("%s: does not say %q: %v", r.name, s, got)
		}
	}
	for _, s := range []string{"level=", "goroutine", "SQLSTATE", "ERROR:", "%!", "<nil>", "geo: "} {
		if strings.Contains(got.err, s) {
			m.t.Errorf("%s: says %q, which is not for people: %v", r.name, s, got)
		}
	}
	if got.memory > maxMemory {
		m.t.Errorf("%s: took %d MB of memory", r.name, got.memory>>20)
	}
	if got.took > maxSeconds*time.Second {
		m.t.Errorf("%s: took %v", r.name, got.took)
	}
}

// database is the address that the machine's environment gives.
func (m *machine) database() string {
	for _, kv := range m.env {
		if url, ok := strings.CutPrefix(kv, "DATABASE_URL="); ok {
			return url
		}
	}
	m.t.Fatal("the machine has no DATABASE_URL")
	return ""
}

// lasting is what the database holds but for the account of refused deliveries,
// which is kept for their producer.
func (m *machine) lasting() map[string]string {
	m.t.Helper()
	url := m.database()
	conn := `delete from load_issue where version_id in (select id from version where state = 'failed');
		delete from layer_version where version_id in (select id from version where state = 'failed');
		delete from version where state = 'failed'`
	fill(m.t.(*testing.T), url, conn)
	return contents(m.t, url)
}

// points is GeoJSON of n points around a place, with properties.
func points(n int, x, y float64) []byte {
	var b strings.Builder
	b.WriteString(`{"type":"FeatureCollection","features":[`)
	for i := range n {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"type":"Feature","properties":{"id":"P%03d","nom":"Fontaine n° %d"},"geometry":{"type":"Point","coordinates":[%.6f,%.6f]}}`,
			i, i, x+float64(i)*0.001, y+float64(i%7)*0.001)
	}
	b.WriteString("]}\n")
	return []byte(b.String())
}

// table is CSV of n rows of which the first bad ones have a value too many.
func table(n, bad int) []byte {
	var b strings.Builder
	b.WriteString("id;nom;lon;lat\n")
	for i := range n {
		extra := ""
		if i < bad {
			extra = ";de trop;encore"
		}
		fmt.Fprintf(&b, "%d;Fontaine %d;%.5f;%.5f%s\n", i, i, 5.4+float64(i%100)*0.001, 43.3+float64(i/100)*0.001, extra)
	}
	return []byte(b.String())
}

func zipped(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(files[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// bomb is an archive of some megabytes whose file unpacks to gigabytes of
// zeros. Compressed zeros repeat, so they are compressed once.
func bomb(t testing.TB, name string, head []byte, gigabytes int) []byte {
	t.Helper()
	var unit bytes.Buffer
	w, err := flate.NewWriter(&unit, 9)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(head); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	start := bytes.Clone(unit.Bytes())
	unit.Reset()
	const chunk = 16 << 20
	if _, err := w.Write(make([]byte, chunk)); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	times := gigabytes << 30 / chunk
	body := append(start, bytes.Repeat(unit.Bytes(), times)...)
	body = append(body, 1, 0, 0, 0xff, 0xff) // a last, empty block
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	raw, err := z.CreateRaw(&zip.FileHeader{
		Name: name, Method: zip.Deflate, CompressedSize64: uint64(len(body)), UncompressedSize64: uint64(len(head) + times*chunk),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(raw, bytes.NewReader(body)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// shapefile gives the files of one of the sample's, under another name.
func shapefile(t testing.TB, from, to string, extensions ...string) map[string][]byte {
	files := map[string][]byte{}
	for _, ext := range extensions {
		files[to+ext] = sampleBytes(t, from+ext)
	}
	return files
}

func cut(files map[string][]byte, name string, part float64) map[string][]byte {
	files[name] = files[name][:int(float64(len(files[name]))*part)]
	return files
}

func damaged(b []byte, at float64) []byte {
	b = bytes.Clone(b)
	for i := range 64 {
		b[int(float64(len(b))*at)+i] ^= 0x5a
	}
	return b
}

// What looks odd and can be taken is taken, with a word about it.
func TestOddFilesAreTaken(t *testing.T) {
	t.Parallel()
	m := newMachineOn(t, postgistest.URL(t))
	eau := "crige/points-eau"
	objects := int64(binary.LittleEndian.Uint32(sampleBytes(t, eau+".dbf")[4:]))
	evil := zipped(t, map[string][]byte{"../../outside.geojson": points(20, 5.4, 43.3), "/etc/outside.txt": []byte("no")})
	latin := []byte("id;nom;lon;lat\n1;Fontaine de l'\xc9t\xe9;5.4;43.3\n2;Place du March\xe9;5.5;43.4\n")
	for _, c := range []struct {
		name, file string
		files      map[string][]byte
		args       []string
		rows       int64
		says       string
	}{
		{"shp-alone", "eau.shp", shapefile(t, eau, "eau", ".shp", ".prj"), nil, objects, "eau.dbf"},
		{"without-shx", "eau.shp", shapefile(t, eau, "eau", ".shp", ".dbf", ".prj"), nil, objects, ".shx"},
		{"without-prj", "eau.shp", shapefile(t, eau, "eau", ".shp", ".dbf", ".shx"), nil, objects, "2154"},
		{"few-ragged-rows", "eau.csv", map[string][]byte{"eau.csv": table(300, 3)}, nil, 297, "rejected 3"},
		{"latin", "eau.csv", map[string][]byte{"eau.csv": latin}, nil, 2, "read 2"},
		{"traversal", "eau.zip", map[string][]byte{"eau.zip": evil}, nil, 20, "read 20"},
		{"madrid", "eau.geojson", map[string][]byte{"eau.geojson": points(20, -3.7, 40.4)}, []string{"--anywhere"}, 20, "read 20"},
		{"turned", "eau.geojson", map[string][]byte{"eau.geojson": points(20, 43.3, 5.4)}, []string{"--axes", "yx"}, 20, "read 20"},
	} {
		for name, content := range c.files {
			m.write(filepath.Join(c.name, name), content)
		}
		r := m.must(append([]string{"load", filepath.Join(m.dir, c.name, c.file), "--dataset", c.name, "--producer", "crige", "--licence", "lo-2.0"}, c.args...)...)
		t.Logf("%v", r)
		if !strings.Contains(r.out, c.says) {
			t.Errorf("%s: does not say %q: %v", c.name, c.says, r)
		}
		n := ask[int64](t, m.database(), `select n_rows from layer_version lv join dataset d on d.published_id = lv.version_id where slug = $1`, c.name)
		if n != c.rows {
			t.Errorf("%s: %d rows, want %d", c.name, n, c.rows)
		}
	}
	if name := ask[string](t, m.database(), `select string_agg(nom, ' ' order by _key) from `+
		ask[string](t, m.database(), `select 'data.' || quote_ident(relation) from layer_version lv join dataset d on d.published_id = lv.version_id where slug = 'latin'`)); !strings.Contains(name, "Été") {
		t.Errorf("Latin-1 was read as %q", name)
	}
	outside, err := filepath.Glob(filepath.Join(m.dir, "..", "outside*"))
	if more, err2 := filepath.Glob(filepath.Join(m.dir, "outside*")); err != nil || err2 != nil || len(outside)+len(more) > 0 {
		t.Errorf("an archive wrote outside of its folder: %v %v", outside, more)
	}
	checkInvariants(t, m.database(), "after odd files")
}
