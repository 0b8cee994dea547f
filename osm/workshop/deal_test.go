package workshop

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"calanque/geo"
)

func TestWanted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ people, minutes, want, cells int }{
		{12, 90, 48, 8},
		{10, 60, 40, 6},
		{15, 90, 60, 10},
		{30, 120, 120, 12},
		{60, 120, 144, 12},
		{2, 20, 8, 1},
		{1, 1, 1, 1},
	} {
		n := wanted(c.people, c.minutes)
		if n != c.want || cellsFor(n) != c.cells {
			t.Errorf("%d people, %d minutes: got %d questions in %d cells, want %d in %d", c.people, c.minutes, n, cellsFor(n), c.want, c.cells)
		}
	}
}

// TestSplit holds that cells tile the area, hold every question once and stay
// within 6 to 12, however the questions lie.
func TestSplit(t *testing.T) {
	t.Parallel()
	box := geo.Box{MinX: 0, MinY: 5e6, MaxX: 1000, MaxY: 5e6 + 700}
	for n := 1; n <= maxCells*maxPerCell; n++ {
		// As on a chessboard, for the lines that many share.
		var board []spot
		for i := range n {
			board = append(board, spot{x: 100 + float64(i%9), y: 5e6 + 20 + float64(i/9), task: i})
		}
		for _, p := range split(board, cellsFor(n), box) {
			if p.box.MaxX-p.box.MinX < .01 || p.box.MaxY-p.box.MinY < .01 || n >= minPerCell && (len(p.spots) < minPerCell || len(p.spots) > maxPerCell) {
				t.Errorf("%d questions on a board: a cell of %d, %v", n, len(p.spots), p.box)
			}
		}
		rnd := rand.New(rand.NewPCG(uint64(n), 1))
		spots := make([]spot, n)
		for i := range spots {
			// Every fifth on the same place: a market square.
			spots[i] = spot{x: rnd.Float64() * 1000, y: 5e6 + rnd.Float64()*700, task: i}
			if i%5 == 0 {
				spots[i].x, spots[i].y = 500, 5e6+350
			}
		}
		parts := split(spots, cellsFor(n), box)
		if got := fmt.Sprint(parts); got != fmt.Sprint(split(spots, cellsFor(n), box)) {
			t.Fatalf("%d questions are dealt in another way the second time", n)
		}
		var seen []int
		area := 0.0
		for _, p := range parts {
			if n >= minPerCell && (len(p.spots) < minPerCell || len(p.spots) > maxPerCell) {
				t.Errorf("%d questions: a cell of %d", n, len(p.spots))
			}
			if p.box.MaxX-p.box.MinX < .01 || p.box.MaxY-p.box.MinY < .01 {
				t.Errorf("%d questions: a cell without an area, %v", n, p.box)
			}
			area += (p.box.MaxX - p.box.MinX) * (p.box.MaxY - p.box.MinY)
			for _, s := range p.spots {
				seen = append(seen, s.task)
				if s.task%5 == 0 {
					continue // of a heap that is more than a cell, some are at the edge of another
				}
				if s.x < p.box.MinX || s.x > p.box.MaxX || s.y < p.box.MinY || s.y > p.box.MaxY {
					t.Errorf("%d questions: %v is outside its cell %v", n, s, p.box)
				}
			}
		}
		slices.Sort(seen)
		if seen = slices.Compact(seen); len(seen) != n {
			t.Errorf("%d questions: %d dealt", n, len(seen))
		}
		if area < 700_000-1 || area > 700_000+1 {
			t.Errorf("%d questions: the cells cover %.1f m², want 700000", n, area)
		}
	}
}

// TestChoose holds that what is chosen is spread: a heap of questions in one
// square does not take all.
func TestChoose(t *testing.T) {
	t.Parallel()
	var spots []spot
	for i := range 50 {
		spots = append(spots, spot{x: float64(i % 5), y: 5e6, task: i, priority: 1})
	}
	for i := range 10 {
		spots = append(spots, spot{x: 1000 + float64(i)*300, y: 5e6, task: 50 + i, priority: .7})
	}
	far := 0
	for _, s := range choose(spots, 12) {
		if s.task >= 50 {
			far++
		}
	}
	if far != 10 {
		t.Errorf("got %d of the 10 questions away from the heap, want all", far)
	}
}
