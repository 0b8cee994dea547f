package crs

import (
	"math"
	"testing"

	"calanque/geo"
)

// Three places of the region: Marseille, Nice, Gap.
var places = []Point{{5.3698, 43.2965}, {7.2620, 43.7102}, {6.0786, 44.5594}}

// in projects the places, with swapped axes when asked.
func in(t *testing.T, srid geo.SRID, axes Axes) []Point {
	t.Helper()
	e, ok := find(srid)
	if !ok {
		t.Fatalf("%d is not in the table", srid)
	}
	out := make([]Point, len(places))
	for i, p := range places {
		x, y, ok := e.forward(p[0], p[1])
		if !ok {
			t.Fatalf("%d: %v can't be projected", srid, p)
		}
		out[i] = Point{x, y}
		if axes == YX {
			out[i] = Point{y, x}
		}
	}
	return out
}

// Whatever a file declares, the right reading is the first proposal.
func TestPropose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		truth    Reading
		declared geo.SRID
	}{
		{"right", Reading{SRID: 2154}, 2154},
		{"right degrees", Reading{SRID: 4326}, 4326},
		{"nothing declared", Reading{SRID: 2154}, 0},
		{"swapped Lambert-93", Reading{2154, YX}, 2154},
		{"latitude first", Reading{4326, YX}, 4326},
		{"Lambert-93 declared as degrees", Reading{SRID: 2154}, 4326},
		{"degrees declared as Lambert-93", Reading{SRID: 4326}, 2154},
		{"latitude first, declared as Lambert-93", Reading{4326, YX}, 2154},
		{"zone II étendu declared as Lambert-93", Reading{SRID: 27572}, 2154},
		{"zone III declared as Lambert-93", Reading{SRID: 27563}, 2154},
		{"zone III carto, nothing declared", Reading{SRID: 27573}, 0},
		{"CC44 declared as CC43", Reading{SRID: 3944}, 3943},
		{"CC43, nothing declared", Reading{SRID: 3943}, 0},
		{"CC45 declared as Lambert-93", Reading{SRID: 3945}, 2154},
		{"web Mercator declared as Lambert-93", Reading{SRID: 3857}, 2154},
		{"UTM 32 declared as 31", Reading{SRID: 25832}, 25831},
		{"swapped web Mercator", Reading{3857, YX}, 4326},
		{"declared as a system that is not known", Reading{SRID: 2154}, 2056},
	} {
		got := Propose(in(t, c.truth.SRID, c.truth.Axes), Reading{SRID: c.declared}, Region)
		if len(got) == 0 || got[0].Reading != c.truth {
			t.Errorf("%s: got %v, want %v first", c.name, got, c.truth)
		}
	}
	elsewhere := []Point{{2.35, 48.85}, {-4.5, 48.4}}
	if got := Propose(elsewhere, Reading{SRID: 4326}, Region); len(got) > 0 {
		t.Errorf("Paris and Brest: got %v, want nothing", got)
	}
	if got := Propose([]Point{{0, 0}}, Reading{SRID: 4326}, Region); len(got) > 0 {
		t.Errorf("zeros: got %v, want nothing", got)
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	points := append(in(t, 2154, XY), Point{math.NaN(), 1}, Point{650000, 6860000})
	p := Place(points, Reading{SRID: 9794}, Region)
	if !p.Known || p.Total != 4 || p.Inside != 3 || p.Fits() {
		t.Errorf("got %+v, want 3 of 4 inside, which does not fit", p)
	}
	if b := p.Box; math.Abs(b.MaxX-7.262) > 1e-6 || math.Abs(b.MinY-43.2965) > 1e-6 || b.MaxY < 48 {
		t.Errorf("got box %v", b)
	}
	for _, srid := range []geo.SRID{0, 2056, 3035} {
		if p := Place(places, Reading{SRID: srid}, Region); p.Known || p.Fits() || p.Total != 3 {
			t.Errorf("%d: got %+v, want unknown", srid, p)
		}
	}
	if p := Place(nil, Reading{SRID: 4326}, Region); p.Fits() || p.Share() != 0 {
		t.Errorf("no points: got %+v", p)
	}
	for i := range systems { // no coordinate whatever makes the formulas fail
		for _, v := range []float64{0, 1, -1, 90, 180, 1e6, -1e6, 1e12, -1e300, 1e300, math.MaxFloat64} {
			for _, w := range []float64{0, v, -v, 6e6} {
				Place([]Point{{v, w}}, Reading{SRID: systems[i].srid}, Region)
			}
		}
	}
}
