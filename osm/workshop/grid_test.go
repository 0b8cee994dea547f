package workshop

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"calanque/geo"
)

func TestGridPlaces(t *testing.T) {
	t.Parallel()
	g := NewGrid(6.24, 43.10, 6.25, 43.104)
	middle := func(s string) (lon, lat float64) {
		place, err := g.Place(s)
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		if lon, lat, err = parsePoint(place); err != nil {
			t.Fatal(err)
		}
		return lon, lat
	}
	// The corner between M20 and N21 is the middle of the cell.
	lon, lat := middle("N21-1")
	if math.Abs(lon-6.245-g.Lon/6) > 1e-7 || math.Abs(lat-43.102+g.Lat/6) > 1e-7 {
		t.Errorf("N21-1 is at %f %f", lon, lat)
	}
	for column := range gridColumns {
		for row := range gridRows {
			letter, west := g.Column(column)
			number, north := g.Row(row)
			lon, lat := middle(letter + number)
			if c, r := g.At(lon, lat); c != column || r != row {
				t.Fatalf("%s%s is in column %d, row %d", letter, number, c, r)
			}
			if math.Abs(lon-west-g.Lon/2) > 1e-7 || math.Abs(north-lat-g.Lat/2) > 1e-7 {
				t.Fatalf("%s%s is not the middle of its square", letter, number)
			}
			for ninth := 1; ninth <= 9; ninth++ {
				lon, lat := middle(fmt.Sprintf("%s%s-%d", letter, number, ninth))
				if c, r := g.At(lon, lat); c != column || r != row {
					t.Fatalf("%s%s-%d is in column %d, row %d", letter, number, ninth, c, r)
				}
			}
		}
	}
	for _, same := range []string{"j12-3", "J 12 3", " J12/3 ", "j.12.3"} {
		a, _ := g.Place(same)
		if b, _ := g.Place("J12-3"); a != b {
			t.Errorf("%q is not J12-3", same)
		}
	}
}

func TestGridSquaresAreSquare(t *testing.T) {
	t.Parallel()
	for name, g := range map[string]Grid{
		"wide":  NewGrid(6.24, 43.10, 6.25, 43.104),
		"high":  NewGrid(6.24, 43.10, 6.241, 43.12),
		"point": NewGrid(6.24, 43.10, 6.24, 43.10),
	} {
		w, h := g.Lon*earthDegree*math.Cos((g.North-20*g.Lat)*math.Pi/180), g.Lat*earthDegree
		if math.Abs(w/h-1) > 1e-9 || h < leastSquare {
			t.Errorf("%s: a square is %f × %f m", name, w, h)
		}
	}
}

func FuzzGridPlace(f *testing.F) {
	for _, s := range []string{"J12", "J12-3", "a1", "Z40-9", "Z41", "J0", "J12-0", "12J", "", "É3", "J12-33", "６.24 43.1"} {
		f.Add(s)
	}
	g := NewGrid(6.24, 43.10, 6.25, 43.104)
	f.Fuzz(func(t *testing.T, s string) {
		place, err := g.Place(s)
		if err != nil {
			var input *geo.InputError
			if !errors.As(err, &input) || input.Code != "paper.wrong-square" {
				t.Fatalf("%q: an error without a sentence: %v", s, err)
			}
			return
		}
		lon, lat, err := parsePoint(place)
		if err != nil {
			t.Fatalf("%q gives %q: %v", s, place, err)
		}
		if c, r := g.At(lon, lat); c < 0 || r < 0 || c >= gridColumns || r >= gridRows {
			t.Fatalf("%q lies beyond the grid", s)
		}
	})
}
