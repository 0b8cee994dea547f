// Package geo is the hub's vocabulary: Producer, Licence, Dataset, Version,
// Layer, Relation, Field, Feature, Query, Message and the error kinds.
//
// Everything else in the project is named with these words. There is no SQL,
// HTTP or file access here, and nothing that waits.
package geo

import "math"

// An SRID is an EPSG code as PostGIS numbers them. Coordinates are always x, y
// or lon, lat in this project, whatever the axis order of the authority.
type SRID int

// The coordinate systems that code names.
const (
	WGS84       SRID = 4326 // degrees, lon/lat
	WebMercator SRID = 3857 // metres, the plane of the tiles
	Lambert93   SRID = 2154 // metres, the everyday system of French partners
)

// A Text is a title or description by language: "fr", "en", "it".
type Text map[string]string

// In gives the text in the language, else in French, English, Italian, else "".
func (t Text) In(lang string) string {
	for _, l := range []string{lang, "fr", "en", "it"} {
		if s := t[l]; s != "" {
			return s
		}
	}
	return ""
}

// A Box is an extent, x or lon first; which CRS is said by whoever gives it.
// Points on the border are inside.
type Box struct {
	MinX, MinY, MaxX, MaxY float64
}

// EmptyBox contains nothing; extending it by a point gives that point.
func EmptyBox() Box {
	return Box{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}
}

// Empty reports whether the box contains nothing.
func (b Box) Empty() bool { return !(b.MinX <= b.MaxX && b.MinY <= b.MaxY) }

// Extend gives the smallest box that holds b and the point.
func (b Box) Extend(x, y float64) Box {
	return Box{min(b.MinX, x), min(b.MinY, y), max(b.MaxX, x), max(b.MaxY, y)}
}

// Union gives the smallest box that holds both.
func (b Box) Union(o Box) Box {
	return Box{min(b.MinX, o.MinX), min(b.MinY, o.MinY), max(b.MaxX, o.MaxX), max(b.MaxY, o.MaxY)}
}

// Intersects reports whether the boxes share a point.
func (b Box) Intersects(o Box) bool {
	return b.MinX <= o.MaxX && o.MinX <= b.MaxX && b.MinY <= o.MaxY && o.MinY <= b.MaxY
}
