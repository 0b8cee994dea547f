package geo

import "time"

// A Query selects features of a Relation. Its zero value selects all, in key
// order.
type Query struct {
	Box      *Box      // CRS84; features whose geometry intersects its rectangle; null geometry never does
	Interval *Interval // on the relation's Time; of a series without one, every time matches
	Equals   []Equal   // all must hold
	AnyOf    []AnyOf   // all must hold
	Inside   *Place    // features that lie in it, or partly
	After    string    // keyset: only items whose id is greater than this one
	Limit    int       // at most so many; 0 means no limit
	NoGeom   bool      // leave geometry out
	SRID     SRID      // that geometries are given in; 0 is EPSG:4326
	Simplify float64   // metres of EPSG:3857 that lines may be off; 0 gives them as they are
}

// An Equal is an equality filter on one field; the value is of the field's Go
// type.
type Equal struct {
	Field string
	Value any
}

// An AnyOf holds for features whose field, of type text, is one of the values.
type AnyOf struct {
	Field  string
	Values []string
}

// A Place is the area of one feature: a commune.
type Place struct {
	Relation *Relation
	Key      string
}

// An Interval is a stretch of time, both ends included; a zero end is open.
type Interval struct {
	From, To time.Time
}
