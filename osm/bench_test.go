package osm_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"calanque/geo/postgis/postgistest"
	"calanque/osm"
	"calanque/osm/pbf"
)

// BenchmarkImport imports Monaco, n times side by side: CALANQUE_BENCH_COPIES,
// 20 when it is not set (170 makes 76 MB).
func BenchmarkImport(b *testing.B) {
	n := 20
	if s := os.Getenv("CALANQUE_BENCH_COPIES"); s != "" {
		n, _ = strconv.Atoi(s)
	}
	path := copies(b, sharedFile(b, "monaco-2021-04-21.osm.pbf"), n)
	hub := postgistest.New(b)
	st, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(st.Size())
	for b.Loop() {
		if _, err := osm.Import(b.Context(), hub, path, osm.Options{Force: true}); err != nil {
			b.Fatal(err)
		}
	}
}

// copies writes an extract n times, side by side to the east, with ids of its
// own each; to $CALANQUE_BENCH_OUT when that is set.
func copies(t testing.TB, path string, n int) string {
	t.Helper()
	out := os.Getenv("CALANQUE_BENCH_OUT")
	if out == "" {
		out = filepath.Join(t.TempDir(), fmt.Sprintf("copies-%d.osm.pbf", n))
	}
	r, err := pbf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := os.Create(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	buf := bufio.NewWriterSize(f, 1<<20)
	h := r.Header()
	h.Box = nil
	w := pbf.NewWriter(buf, h)
	for _, kind := range []pbf.Kinds{pbf.Nodes, pbf.Ways, pbf.Relations} {
		for i := range int64(n) {
			o := pbf.ReadOptions{Ordered: true, Want: kind}
			if err := r.Read(t.Context(), o, func(b *pbf.Block) error { return copyBlock(w, b, i) }); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := buf.Flush(); err != nil {
		t.Fatal(err)
	}
	return out
}

// copyBlock writes copy i of a block: ids are 2^34 apart, places 0.05 degrees.
func copyBlock(w *pbf.Writer, b *pbf.Block, i int64) error {
	up := i << 34
	for k, id := range b.Nodes.ID {
		n := pbf.Node{ID: id + up, Lon: b.Nodes.Lon[k] + int32(i)*500_000, Lat: b.Nodes.Lat[k], Version: b.Nodes.Version[k], Tags: b.Nodes.Tags(k)}
		if err := w.Node(n); err != nil {
			return err
		}
	}
	for k, id := range b.Ways.ID {
		refs := slices.Clone(b.Ways.Refs(k))
		for j := range refs {
			refs[j] += up
		}
		if err := w.Way(pbf.Way{ID: id + up, Version: b.Ways.Version[k], Refs: refs, Tags: b.Ways.Tags(k)}); err != nil {
			return err
		}
	}
	for k, id := range b.Relations.ID {
		members := slices.Clone(b.Relations.Members(k))
		for j := range members {
			members[j].Ref += up
		}
		if err := w.Relation(pbf.Relation{ID: id + up, Version: b.Relations.Version[k], Members: members, Tags: b.Relations.Tags(k)}); err != nil {
			return err
		}
	}
	return nil
}
