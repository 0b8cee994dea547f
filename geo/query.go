package geo

import "time"

// A Query selects features of a Relation. Its zero value selects all, in key
// order.
type Query struct {
	Box      *Box      // CRS84; features whose geometry intersects its rectangle; null geometry never does
	Interval *Interval // on the relation's Time; of a series without one, every time matches
	Equals   []Equal   // all must hold
	After    string    // keyset: only items whose id is greater than this one
	Limit    int       // at most so many; 0 means no limit
	NoGeom   bool      // leave geometry out
}

// An Equal is an equality filter on one field; the value is of the field's Go
// type.
type Equal struct {
	Field string
	Value any
}

// An Interval is a stretch of time, both ends included; a zero end is open.
type Interval struct {
	From, To time.Time
}
