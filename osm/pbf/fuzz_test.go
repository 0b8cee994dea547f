package pbf

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"testing"

	"calanque/geo"
)

// FuzzReader gives the reader any bytes: no panic, an InputError or objects
// that can be written and read again, and memory in proportion to the input.
func FuzzReader(f *testing.F) {
	small := sample()
	small.Nodes = small.Nodes[:50]
	f.Add(write(f, Header{}, small))
	f.Add(write(f, Header{Box: &Box{0, 0, 1, 1}, Program: "x"}, objects{}))
	f.Add([]byte("<html>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := save(t, data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r, err := Open(path)
		var got objects
		if err == nil {
			err = r.Read(t.Context(), ReadOptions{Ordered: true, Workers: 1}, func(b *Block) error { got.add(b); return nil })
			r.Close()
		}
		runtime.ReadMemStats(&after)
		// Deflate unpacks 1,032 bytes of one, a field of two bytes becomes an
		// object of at most 400: 1 MiB covers the reader itself.
		if used := after.TotalAlloc - before.TotalAlloc; used > 8<<20+uint64(len(data))*1100*8 {
			t.Errorf("%d bytes allocated for %d bytes of input", used, len(data))
		}
		var in *geo.InputError
		if err != nil && !errors.As(err, &in) {
			t.Fatalf("not an InputError: %v", err)
		}
	})
}

func BenchmarkRead(b *testing.B) {
	path := os.Getenv("CALANQUE_BENCH_PBF")
	if path == "" {
		path = sharedFile(b, "monaco-2021-04-21.osm.pbf")
	}
	for _, c := range []struct {
		name    string
		ordered bool
	}{{"parallel", false}, {"ordered", true}} {
		b.Run(c.name, func(b *testing.B) {
			st, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(st.Size())
			for b.Loop() {
				r, err := Open(path)
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Read(b.Context(), ReadOptions{Ordered: c.ordered}, func(*Block) error { return nil }); err != nil {
					b.Fatal(err)
				}
				r.Close()
			}
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	o := sample()
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		buf.Write(write(b, Header{}, o))
	}
	b.SetBytes(int64(buf.Len()))
}
