package sample

import (
	"slices"
	"testing"
)

// Every area of the extract is a simple ring: what a map cannot draw is not
// believable.
func TestAreasAreSimple(t *testing.T) {
	t.Parallel()
	for _, seed := range []int64{1, 5} {
		w, err := newWorld(seed)
		if err != nil {
			t.Fatal(err)
		}
		bad := map[string]int{}
		for _, o := range w.paint().m.ways {
			if !o.closed() {
				continue
			}
			ring := o.ring()
			if closed := append(slices.Clone(ring), ring[0]); closed.crossesItself() {
				what := "untagged"
				if len(o.tags) > 0 {
					what = o.tags[0].Key + "=" + o.tags[0].Value
				}
				bad[what]++
			}
		}
		if len(bad) > 0 {
			t.Errorf("seed %d: areas that cross themselves: %v", seed, bad)
		}
	}
}
