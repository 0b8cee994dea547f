package crs

import (
	"math"
	"sort"

	"calanque/geo"
)

// Region is Provence-Alpes-Côte d'Azur with its margins, lon/lat: where data
// should fall when the catalogue file says nothing else.
var Region = geo.Box{MinX: 4.1, MinY: 42.8, MaxX: 7.9, MaxY: 45.3}

// A Placement says where points fall when they are read in one way.
type Placement struct {
	Reading
	Known  bool    // the system is one that can be computed here
	Total  int     // points that are numbers
	Inside int     // of them, in the region
	Box    geo.Box // lon/lat of all points that the reading can place; empty for none
}

// Share is the part of the points inside the region, 0 to 1.
func (p Placement) Share() float64 {
	if p.Total == 0 {
		return 0
	}
	return float64(p.Inside) / float64(p.Total)
}

// Fits reports whether nearly all points fall in the region; a few strays (an
// overseas head office, a zero) do not matter here.
func (p Placement) Fits() bool { return p.Known && p.Total > 0 && p.Share() >= 0.9 }

// LonLat gives the place of a point in degrees of WGS 84, within a metre (two
// for NTF). It is false for a system that is not known here and for
// coordinates that the system can't have.
func LonLat(p Point, r Reading) (lon, lat float64, ok bool) {
	e, found := find(r.SRID)
	if !found {
		return 0, 0, false
	}
	return e.lonLat(p, r.Axes)
}

func (e *entry) lonLat(p Point, axes Axes) (lon, lat float64, ok bool) {
	x, y := p[0], p[1]
	if axes == YX {
		x, y = y, x
	}
	lon, lat, ok = e.inverse(x, y)
	if !ok {
		return 0, 0, false
	}
	lon, lat = e.toWGS84(lon, lat)
	return lon, lat, true
}

// Place reads the points in the given way and counts those in the region
// (lon/lat). Points that are no numbers are not counted.
func Place(points []Point, r Reading, region geo.Box) Placement {
	out := Placement{Reading: r, Known: Known(r.SRID), Box: geo.EmptyBox()}
	e, _ := find(r.SRID)
	for _, p := range points {
		if !ok2(p[0], p[1]) {
			continue
		}
		out.Total++
		if !out.Known {
			continue
		}
		lon, lat, ok := e.lonLat(p, r.Axes)
		if !ok || math.Abs(lon) > 360 {
			continue
		}
		out.Box = out.Box.Extend(lon, lat)
		if lon >= region.MinX && lon <= region.MaxX && lat >= region.MinY && lat <= region.MaxY {
			out.Inside++
		}
	}
	return out
}

// candidates are the systems that Propose tries, the most usual first.
var candidates = []geo.SRID{
	4326, 2154, 3943, 3944, 3945, 27572, 27563, 27573, 3857, 25832, 25831, 27562, 3942, 3946, 3947, 3948, 3949, 3950,
	27561, 27564, 27571, 27574, 25830, 4807, 2975,
}

// Propose gives the readings under which the points fall in the region, best
// first: as declared, as declared with swapped axes, then the systems of
// France, each in both orders. It is empty when none fits. Points that are
// (0, 0) speak for no reading and are left out.
func Propose(points []Point, declared Reading, region geo.Box) []Placement {
	kept := make([]Point, 0, len(points))
	for _, p := range points {
		if p != (Point{}) {
			kept = append(kept, p)
		}
	}
	readings := []Reading{declared, {declared.SRID, 1 - declared.Axes}}
	for _, axes := range []Axes{XY, YX} {
		for _, srid := range candidates {
			if r := (Reading{srid, axes}); r != readings[0] && r != readings[1] {
				readings = append(readings, r)
			}
		}
	}
	var out []Placement
	for _, r := range readings {
		if p := Place(kept, r, region); p.Fits() {
			out = append(out, p)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Share() > out[j].Share()+0.05 })
	return out
}
