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

// Recognise gives the EPSG code that spatial_ref_sys has for a declaration: WKT
// of any dialect, a proj string, a URN, "EPSG:2154" or a name as partners write
// it; 0 when it names nothing known. A code of an authority that stands in a
// WKT counts only where the parameters match no system of the table. Axes is
// YX where a URN or URI names a system whose authority orders latitude first:
// what it says, not always what the data do.
func Recognise(declared string) (geo.SRID, Axes) {
	s := trim(declared)
	if s == "" || len(s) > maxDeclaration {
		return 0, XY
	}
	if srid, axes, ok := recogniseCode(s); ok {
		return srid, axes
	}
	if sys, ok := parseProjString(s); ok {
		return match(sys), XY
	}
	if n, ok := parseWKT(s); ok && n.isSystem() {
		return recogniseWKT(n), XY
	}
	return recogniseName(s), XY
}

const maxDeclaration = 64 << 10

func recogniseWKT(n *node) geo.SRID {
	sys, ok := systemOf(n)
	if ok {
		if srid := match(sys); srid != 0 {
			return srid
		}
	}
	if code := authority(n); code != 0 {
		return Twin(code)
	}
	if !ok && len(n.texts) > 0 {
		return recogniseName(n.texts[0])
	}
	return 0
}
