package ingest

import (
	"context"
	"encoding/binary"
	"strconv"
	"strings"
	"time"

	"calanque/geo"
	"calanque/geo/crs"
	"calanque/geo/format"
	"calanque/geo/postgis"
)

// A survey is what one reading of a whole layer taught: the evidence that its
// plan is made of.
type survey struct {
	layer   format.Layer
	index   int
	records int64
	columns []column
	shapes  shapes
	points  []crs.Point // a spread sample of positions, as in the file
	bounds  geo.Box     // of all positions, as in the file
}

// shapes tells which kinds of geometry a layer has.
type shapes struct {
	points, lines, polygons, others int64
	multipoints                     bool
	curves                          bool
}

// The types that a column's values still allow.
type kinds uint8

const (
	canInteger kinds = 1 << iota
	canReal
	canBool
	canMoment
	canAll = canInteger | canReal | canBool | canMoment
)

// A column is the evidence about one column.
type column struct {
	format.Column
	can        kinds
	declared   geo.FieldType // of typed formats; "" where the values decide
	values     int64         // that are not empty
	missing    int64         // of them, words for "none"
	impossible int64         // dates that do not exist
	clock      bool          // some moment has a time of day
	night      bool          // every time of day is midnight
	zeros      bool          // some value has a leading zero
	digits     bool          // every value is digits alone
	minLen     int           // of the digits
	maxLen     int
	luhn       bool  // every value passes the check of SIREN and SIRET
	low, high  int64 // the smallest and largest number, while all are digits
}

// sampleSize is how many positions the place test looks at, at most.
const sampleSize = 2000

// look reads a layer once.
func look(ctx context.Context, src format.Source, i int, t *ticker) (*survey, error) {
	layer := src.Layers()[i]
	s := &survey{layer: layer, index: i, bounds: geo.EmptyBox()}
	for _, c := range layer.Columns {
		s.columns = append(s.columns, newColumn(c))
	}
	stride := int64(1)
	err := src.Read(ctx, i, func(r *format.Record) error {
		s.records++
		t.tick(StepSurvey, layer.Name, s.records, layer.Count)
		if r.Err != nil {
			return nil
		}
		for c := range s.columns {
			if c < len(r.Values) {
				s.columns[c].see(r.Values[c])
			}
		}
		if r.Geometry != nil {
			s.place(r.Geometry, &stride)
		}
		return nil
	})
	return s, err
}

// newColumn begins the evidence: of typed formats the declaration counts, save
// that text may hold dates.
func newColumn(c format.Column) column {
	col := column{Column: c, can: canAll, night: true, digits: true, luhn: true, minLen: 1 << 30, low: 1 << 62}
	switch {
	case c.Untyped:
	case c.Type == geo.TextField:
		col.can = canMoment
	default:
		col.declared = c.Type
	}
	return col
}

// place notes the kind and position of a geometry. The sample is thinned by
// half whenever it is full, so it stays spread over the whole file.
func (s *survey) place(g []byte, stride *int64) {
	if len(g) < 5 {
		return
	}
	switch kind := binary.LittleEndian.Uint32(g[1:]) & 0xff; kind {
	case 1:
		s.shapes.points++
	case 4:
		s.shapes.points++
		s.shapes.multipoints = true
	case 2, 5:
		s.shapes.lines++
	case 3, 6, 15, 16, 17:
		s.shapes.polygons++
	case 8, 9, 11:
		s.shapes.lines++
		s.shapes.curves = true
	case 10, 12:
		s.shapes.polygons++
		s.shapes.curves = true
	default:
		s.shapes.others++
		s.shapes.curves = true // a collection may hold some
	}
	b, ok := postgis.Bounds(g)
	if !ok || b.Empty() {
		return
	}
	s.bounds = s.bounds.Union(b)
	if s.records%*stride != 0 {
		return
	}
	if len(s.points) == sampleSize {
		for i := 0; i < sampleSize/2; i++ {
			s.points[i] = s.points[2*i]
		}
		s.points = s.points[:sampleSize/2]
		*stride *= 2
	}
	s.points = append(s.points, crs.Point{(b.MinX + b.MaxX) / 2, (b.MinY + b.MaxY) / 2})
}

// see takes one value into account.
func (c *column) see(v any) {
	switch v := v.(type) {
	case nil:
		return
	case string:
		c.seeText(v)
	case int64:
		c.values++
		c.seeDigits(v)
	case float64:
		c.values++
		if v != float64(int64(v)) {
			c.digits = false
		} else {
			c.seeDigits(int64(v))
		}
	default:
		c.values++
		c.digits = false
	}
}

func (c *column) seeDigits(n int64) {
	if n < 0 || !c.digits {
		c.digits = false
		return
	}
	var buf [20]byte
	s := strconv.AppendInt(buf[:0], n, 10)
	c.minLen, c.maxLen = min(c.minLen, len(s)), max(c.maxLen, len(s))
	c.low, c.high = min(c.low, n), max(c.high, n)
}

func (c *column) seeText(s string) {
	if c.can == 0 && !c.digits {
		c.values++
		return
	}
	s = strings.TrimSpace(s)
	if s == "" {
		return
	}
	c.values++
	if isMissing(s) {
		c.missing++
		return
	}
	if c.digits {
		if plainDigits(s) {
			c.minLen, c.maxLen = min(c.minLen, len(s)), max(c.maxLen, len(s))
			c.luhn = c.luhn && luhn(s)
			if n, ok := parseInteger(s); ok {
				c.low, c.high = min(c.low, n), max(c.high, n)
			}
		} else {
			c.digits = false
		}
	}
	if len(s) > 1 && s[0] == '0' && s[1] >= '0' && s[1] <= '9' && plainDigits(s) {
		c.zeros = true
	}
	c.narrow(s)
}

// narrow takes away the types that a value is not of.
func (c *column) narrow(s string) {
	if c.can&canInteger != 0 {
		if _, ok := parseInteger(s); !ok {
			c.can &^= canInteger
		}
	}
	if c.can&canReal != 0 {
		if _, ok := parseReal(s); !ok {
			c.can &^= canReal
		}
	}
	if c.can&canBool != 0 {
		if _, ok := parseBool(s); !ok {
			c.can &^= canBool
		}
	}
	if c.can&canMoment != 0 {
		switch m, kind := parseMoment(s, time.UTC); kind {
		case noMoment:
			c.can &^= canMoment
		case impossibleMoment:
			c.impossible++
		default:
			c.clock = c.clock || m.clock
			if h, mi, sec := m.t.Clock(); h+mi+sec != 0 {
				c.night = false
			}
		}
	}
}

// fieldType is the narrowest type that holds every value.
func (c *column) fieldType() geo.FieldType {
	real := c.values - c.missing
	switch {
	case real == 0:
		return geo.TextField
	case c.can&canBool != 0:
		return geo.BooleanField
	case c.can&canInteger != 0:
		return geo.IntegerField
	case c.can&canReal != 0:
		return geo.RealField
	case c.can&canMoment != 0 && c.impossible*2 < real:
		if c.clock && !c.night {
			return geo.TimeField
		}
		return geo.DateField
	}
	return geo.TextField
}

// geometryType is the one kind of geometry that fits all records.
func (s *survey) geometryType() geo.GeometryType {
	k := s.shapes
	n := 0
	t := geo.None
	for _, of := range []struct {
		count int64
		t     geo.GeometryType
	}{{k.points, geo.Point}, {k.lines, geo.Line}, {k.polygons, geo.Polygon}, {k.others, geo.Mixed}} {
		if of.count > 0 {
			n++
			t = of.t
		}
	}
	if n > 1 {
		return geo.Mixed
	}
	return t
}
