package geo

import (
	"encoding/binary"
	"fmt"

	"github.com/paulmach/orb"
	orbewkb "github.com/paulmach/orb/encoding/ewkb"
	"github.com/twpayne/go-geom"
	"github.com/twpayne/go-geom/encoding/ewkb"
)

// A Feature is one object of a layer. Its values are positional, by the
// layer's fields; its geometry is EWKB as PostGIS stores it.
type Feature struct {
	Key      string
	Geometry []byte // EWKB, nil for none
	Values   []any  // by Relation.Fields: nil or the Go type of the field
}

// Geom decodes the geometry with its SRID, Z and M; nil for none.
func (f Feature) Geom() (geom.T, error) {
	if f.Geometry == nil {
		return nil, nil
	}
	g, err := ewkb.Unmarshal(f.Geometry)
	if err != nil {
		return nil, fmt.Errorf("geometry of %s: %w", f.Key, err)
	}
	return g, nil
}

// XY decodes the geometry for plane computing: Z and M are dropped, the SRID
// forgotten; nil for none.
func (f Feature) XY() (orb.Geometry, error) {
	if f.Geometry == nil {
		return nil, nil
	}
	g, _, err := orbewkb.Unmarshal(f.Geometry)
	if err != nil {
		return nil, fmt.Errorf("geometry of %s: %w", f.Key, err)
	}
	return g, nil
}

// EWKB encodes a 2D geometry, little endian.
func EWKB(g orb.Geometry, srid SRID) ([]byte, error) {
	return orbewkb.Marshal(g, int(srid), binary.LittleEndian)
}
