package pbf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"calanque/geo"
)

// objects is everything in a file, by kind, for comparisons.
type objects struct {
	Nodes     []Node
	Ways      []Way
	Relations []Relation
}

func (o *objects) add(b *Block) {
	for i, id := range b.Nodes.ID {
		o.Nodes = append(o.Nodes, Node{
			ID: id, Lon: b.Nodes.Lon[i], Lat: b.Nodes.Lat[i], Version: b.Nodes.Version[i], Tags: slices.Clone(b.Nodes.Tags(i)),
		})
	}
	for i, id := range b.Ways.ID {
		o.Ways = append(o.Ways, Way{ID: id, Version: b.Ways.Version[i], Refs: slices.Clone(b.Ways.Refs(i)), Tags: slices.Clone(b.Ways.Tags(i))})
	}
	for i, id := range b.Relations.ID {
		o.Relations = append(o.Relations, Relation{
			ID: id, Version: b.Relations.Version[i], Members: slices.Clone(b.Relations.Members(i)), Tags: slices.Clone(b.Relations.Tags(i)),
		})
	}
}

func write(t testing.TB, h Header, o objects) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := NewWriter(&buf, h)
	for _, n := range o.Nodes {
		if err := w.Node(n); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range o.Ways {
		if err := w.Way(x); err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range o.Relations {
		if err := w.Relation(x); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func save(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.osm.pbf")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func sample() objects {
	var o objects
	for i := range 20_000 {
		n := Node{ID: int64(i + 1), Lon: E7(5.4) + int32(i), Lat: E7(43.2) - int32(i*7), Version: int32(i%5 + 1)}
		if i%100 == 0 {
			n.Tags = []Tag{{"amenity", "drinking_water"}, {"name", fmt.Sprintf("Fontaine n° %d", i)}}
		}
		o.Nodes = append(o.Nodes, n)
	}
	o.Ways = []Way{{ID: 3, Version: 2, Refs: []int64{1, 2, 20_000, 1}, Tags: []Tag{{"building", "yes"}}}, {ID: 9, Version: 1, Refs: []int64{5, 4}}}
	o.Relations = []Relation{{ID: 7, Version: 4, Members: []Member{{'w', 3, "outer"}, {'n', 1, ""}, {'r', 7, "subarea"}}, Tags: []Tag{{"type", "multipolygon"}, {"natural", "water"}}}}
	return o
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	h := Header{
		Box: &Box{E7(5.1), E7(43), E7(5.6), E7(43.3)}, Program: "calanque", Source: "a test",
		Replication: time.Date(2021, 4, 21, 20, 21, 3, 0, time.UTC), Sequence: 2960, Feed: "https://example.org/updates",
	}
	want := sample()
	data := write(t, h, want)
	if !bytes.Equal(data, write(t, h, want)) {
		t.Fatal("same input, other bytes")
	}
	r, err := Open(save(t, data))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	h.Sorted = true
	if d := cmp.Diff(h, r.Header()); d != "" {
		t.Errorf("header (-want +got)\n%s", d)
	}
	for _, ordered := range []bool{true, false} {
		var mu sync.Mutex
		var got objects
		err := r.Read(t.Context(), ReadOptions{Ordered: ordered, Workers: 3}, func(b *Block) error {
			mu.Lock()
			defer mu.Unlock()
			got.add(b)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if !ordered {
			slices.SortFunc(got.Nodes, func(a, b Node) int { return int(a.ID - b.ID) })
		}
		for i := range got.Nodes {
			if len(got.Nodes[i].Tags) == 0 {
				got.Nodes[i].Tags = nil
			}
		}
		for i := range got.Ways {
			if len(got.Ways[i].Tags) == 0 {
				got.Ways[i].Tags = nil
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("ordered %v (-want +got)\n%s", ordered, d)
		}
	}
}

func TestWant(t *testing.T) {
	t.Parallel()
	r, err := Open(save(t, write(t, Header{}, sample())))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got objects
	if err := r.Read(t.Context(), ReadOptions{Want: Relations, Ordered: true}, func(b *Block) error { got.add(b); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(got.Nodes) != 0 || len(got.Ways) != 0 || len(got.Relations) != 1 {
		t.Errorf("got %d nodes, %d ways, %d relations, want 0, 0, 1", len(got.Nodes), len(got.Ways), len(got.Relations))
	}
}

func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	for name, fn := range map[string]func(*Writer) error{
		"node after way":     func(w *Writer) error { w.Way(Way{ID: 1}); return w.Node(Node{ID: 1}) },
		"same id twice":      func(w *Writer) error { w.Node(Node{ID: 2}); return w.Node(Node{ID: 2}) },
		"outside the globe":  func(w *Writer) error { return w.Node(Node{ID: 2, Lat: 900000001}) },
		"member of no type":  func(w *Writer) error { return w.Relation(Relation{ID: 2, Members: []Member{{Ref: 3}}}) },
		"write after close":  func(w *Writer) error { w.Close(); return w.Node(Node{ID: 2}) },
		"error stays":        func(w *Writer) error { w.Node(Node{ID: 2, Lat: 900000001}); return w.Close() },
		"relation then node": func(w *Writer) error { w.Relation(Relation{ID: 1}); return w.Way(Way{ID: 1}) },
	} {
		if err := fn(NewWriter(&bytes.Buffer{}, Header{})); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestBadFiles breaks a file in every way that users meet.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	good := write(t, Header{}, sample())
	flipped := bytes.Clone(good)
	flipped[len(flipped)/2] ^= 0xff
	huge := bytes.Clone(good[:4])
	huge = append(huge, good[4:]...)
	huge[0] = 0x7f
	for name, c := range map[string]struct {
		data []byte
		code string
	}{
		"empty":           {nil, "osm.pbf.empty"},
		"html":            {[]byte("<!DOCTYPE html><html>404</html>"), "osm.pbf.html"},
		"lfs pointer":     {[]byte("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"), "osm.pbf.lfs"},
		"xml":             {[]byte("<?xml version='1.0'?><osm/>"), "osm.pbf.xml"},
		"bzip2":           {[]byte("BZh91AY&SY"), "osm.pbf.packed"},
		"text":            {[]byte("id,name\n1,2\n"), "osm.pbf.other"},
		"two bytes":       {[]byte("ab"), "osm.pbf.truncated"},
		"zeros":           {make([]byte, 100), "osm.pbf.other"},
		"huge header":     {huge, "osm.pbf.other"},
		"cut in a blob":   {good[:len(good)-7], "osm.pbf.truncated"},
		"cut in a header": {append(bytes.Clone(good), 0, 0, 0, 20, 1, 2), "osm.pbf.truncated"},
		"two headers":     {append(bytes.Clone(good), good...), "osm.pbf.two-headers"},
		"flipped":         {flipped, "osm.pbf.corrupt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := Open(save(t, c.data))
			if err == nil {
				err = r.Read(t.Context(), ReadOptions{}, func(*Block) error { return nil })
				r.Close()
			}
			var in *geo.InputError
			if !errors.As(err, &in) || in.Code != c.code {
				t.Fatalf("got %v, want %s", err, c.code)
			}
			if in.Args["file"] != "x.osm.pbf" {
				t.Errorf("error does not name the file: %v", in.Args)
			}
		})
	}
}

func TestReadEndsEarly(t *testing.T) {
	t.Parallel()
	r, err := Open(save(t, write(t, Header{}, sample())))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	before := runtime.NumGoroutine()
	stop := errors.New("enough")
	for _, ordered := range []bool{true, false} {
		o := ReadOptions{Ordered: ordered, Workers: 4}
		if err := r.Read(t.Context(), o, func(*Block) error { return stop }); !errors.Is(err, stop) {
			t.Errorf("got %v, want %v", err, stop)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if err := r.Read(ctx, o, func(*Block) error { cancel(); return nil }); ordered && !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
		cancel()
		if err := r.Read(ctx, o, func(*Block) error { return nil }); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	}
	if after := runtime.NumGoroutine(); after > before+8 { // other tests run beside this one
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

// sharedFile is the path of a real extract, or skips the test.
func sharedFile(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("CALANQUE_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, "osm", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("skipped: no real file %s", name)
	}
	return path
}

// osmiumCounts asks osmium how many objects a file holds.
func osmiumCounts(t testing.TB, path string) (nodes, ways, relations int) {
	t.Helper()
	osmium, err := exec.LookPath("osmium")
	if err != nil {
		t.Skip("skipped: no osmium on PATH")
	}
	out, err := exec.CommandContext(t.Context(), osmium, "fileinfo", "-e", path).CombinedOutput()
	if err != nil {
		t.Fatalf("osmium fileinfo: %v\n%s", err, out)
	}
	count := func(what string) int {
		m := regexp.MustCompile(`Number of ` + what + `: (\d+)`).FindSubmatch(out)
		if m == nil {
			t.Fatalf("osmium fileinfo says no number of %s:\n%s", what, out)
		}
		n, _ := strconv.Atoi(string(m[1]))
		return n
	}
	return count("nodes"), count("ways"), count("relations")
}

func TestRealFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"monaco-2018-05-25.osm.pbf", "monaco-2019-09-30.osm.pbf", "monaco-2021-04-21.osm.pbf",
		"liechtenstein-2013-08-03.osm.pbf", "saint_barthelemy.osm.pbf",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := sharedFile(t, name)
			r, err := Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var got objects
			if err := r.Read(t.Context(), ReadOptions{Ordered: true}, func(b *Block) error { got.add(b); return nil }); err != nil {
				t.Fatal(err)
			}
			n, w, rel := osmiumCounts(t, path)
			if len(got.Nodes) != n || len(got.Ways) != w || len(got.Relations) != rel {
				t.Errorf("got %d, %d, %d objects, osmium %d, %d, %d", len(got.Nodes), len(got.Ways), len(got.Relations), n, w, rel)
			}
			// What is read can be written, and osmium accepts it and sees the same.
			again := save(t, write(t, Header{Box: r.Header().Box, Replication: r.Header().Replication}, got))
			compareOPL(t, path, again)
		})
	}
}

func TestRealLZ4(t *testing.T) {
	t.Parallel()
	_, err := Open(sharedFile(t, "monaco-2021-04-21.lz4.osm.pbf"))
	var in *geo.InputError
	if !errors.As(err, &in) || in.Code != "osm.pbf.compression" || in.Args["compression"] != "lz4" {
		t.Errorf("got %v, want osm.pbf.compression lz4", err)
	}
}

// compareOPL compares two files as osmium prints them, without metadata other
// than the version.
func compareOPL(t *testing.T, a, b string) {
	t.Helper()
	dump := func(path string) []string {
		out, err := exec.CommandContext(t.Context(), "osmium", "cat", path, "-f", "opl,add_metadata=version").Output()
		if err != nil {
			t.Fatalf("osmium cat %s: %v", filepath.Base(path), err)
		}
		return strings.Split(string(out), "\n")
	}
	x, y := dump(a), dump(b)
	if len(x) != len(y) {
		t.Fatalf("%d lines, want %d", len(y), len(x))
	}
	for i := range x {
		if x[i] != y[i] {
			t.Fatalf("line %d: got %s, want %s", i+1, y[i], x[i])
		}
	}
}
