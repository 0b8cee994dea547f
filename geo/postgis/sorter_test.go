package postgis

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"calanque/geo"
)

// Rows come back in order, equal places as they came, whether they fit in
// memory or not.
func TestSorter(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{64, 1000, 1 << 20} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			t.Parallel()
			s := sorter{limit: limit}
			defer s.close()
			r := rand.New(rand.NewPCG(3, 4))
			type row struct {
				place uint32
				text  string
			}
			var want []row
			for i := range 2000 {
				w := row{uint32(r.IntN(50)), fmt.Sprintf("row %d %s", i, bytes.Repeat([]byte("x"), r.IntN(40)))}
				want = append(want, w)
				if err := s.add(w.place, []byte(w.text)); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortStableFunc(want, func(a, b row) int { return int(a.place) - int(b.place) })
			i := 0
			err := s.each(func(got []byte, seq uint64) error {
				if string(got) != want[i].text {
					return fmt.Errorf("row %d: got %q, want %q", i, got, want[i].text)
				}
				var n uint64
				if _, err := fmt.Sscanf(string(got), "row %d", &n); err != nil || n != seq {
					return fmt.Errorf("row %d: seq %d", i, seq)
				}
				i++
				return nil
			})
			if err != nil || i != len(want) {
				t.Errorf("%d rows, %v", i, err)
			}
		})
	}
}

// Neighbours along the curve are neighbours in the plane.
func TestHilbert(t *testing.T) {
	t.Parallel()
	box := geo.Box{MinX: 0, MinY: 0, MaxX: 65535, MaxY: 65535}
	seen := map[uint32][2]int{}
	for x := range 64 {
		for y := range 64 {
			seen[hilbert(box, float64(x), float64(y))] = [2]int{x, y}
		}
	}
	if len(seen) != 64*64 {
		t.Fatalf("got %d places, want %d", len(seen), 64*64)
	}
	for d := uint32(1); d < 64*64; d++ {
		a, b := seen[d-1], seen[d]
		dx, dy := a[0]-b[0], a[1]-b[1]
		if dx*dx+dy*dy != 1 {
			t.Fatalf("places %d and %d: %v and %v are no neighbours", d-1, d, a, b)
		}
	}
}

func FuzzBounds(f *testing.F) {
	point := append([]byte{1, 1, 0, 0, 0}, make([]byte, 16)...)
	f.Add(point)
	line := []byte{1, 2, 0, 0, 0, 2, 0, 0, 0}
	f.Add(append(line, make([]byte, 32)...))
	f.Add(append(append([]byte{1, 7, 0, 0, 0, 2, 0, 0, 0}, point...), point...))
	f.Add([]byte{1, 3, 0, 0, 0, 255, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		box, ok := Bounds(b)
		if ok && len(b) >= 21 && binary.LittleEndian.Uint32(b[1:]) == wkbPoint && len(b) > 21 {
			t.Errorf("bytes after a point: %v", box)
		}
	})
}
