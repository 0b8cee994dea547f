// Package crs recognises the coordinate systems of France by their parameters,
// orders their axes, and tells whether a point falls where it should.
//
// A .prj file, a spatial_ref_sys definition, a proj string, a URN or a name
// becomes an EPSG code that PostGIS knows: what counts is the projection, its
// parallels, origin, false coordinates, ellipsoid, prime meridian and units,
// never the spelling. The formulas here serve the place test alone (within a
// metre of truth, a few for NTF); data are transformed by PostGIS.
package crs

import "calanque/geo"

// Axes says in which order a file's coordinates come.
type Axes uint8

// The two orders. XY is x, y or lon, lat, as everywhere in this project.
const (
	XY Axes = iota
	YX
)

// String gives "xy" or "yx".
func (a Axes) String() string {
	if a == YX {
		return "yx"
	}
	return "xy"
}

// A Point is a pair of coordinates as a file gives them, in the order of
// its axes.
type Point [2]float64

// A Reading is one way to understand coordinates.
type Reading struct {
	SRID geo.SRID
	Axes Axes
}
