package postgis

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"calanque/geo"
)

// A copyRow builds rows in PostgreSQL's binary COPY format, field by field.
// Values go to the server as they are stored there, so nothing is parsed or
// quoted on the way.
type copyRow struct{ b []byte }

// copyHeader is the signature, flags and extension length of the format.
var copyHeader = append([]byte("PGCOPY\n\xff\r\n\x00"), make([]byte, 8)...)

// copyTrailer ends the data.
var copyTrailer = []byte{0xff, 0xff}

// The epoch of PostgreSQL's dates and timestamps.
var pgEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func (r *copyRow) null() { r.b = append(r.b, 0xff, 0xff, 0xff, 0xff) }

func (r *copyRow) length(n int) { r.b = binary.BigEndian.AppendUint32(r.b, uint32(n)) }

func (r *copyRow) bytes(v []byte) {
	if v == nil {
		r.null()
		return
	}
	r.length(len(v))
	r.b = append(r.b, v...)
}

func (r *copyRow) text(v string) {
	r.length(len(v))
	r.b = append(r.b, v...)
}

func (r *copyRow) int64(v int64) {
	r.length(8)
	r.b = binary.BigEndian.AppendUint64(r.b, uint64(v))
}

func (r *copyRow) timestamp(t time.Time) {
	r.int64(t.Unix()*1e6 + int64(t.Nanosecond())/1e3 - pgEpoch.Unix()*1e6)
}

// ewkb appends a geometry given as EWKB without SRID, little endian, with the
// SRID put in.
func (r *copyRow) ewkb(g []byte, srid geo.SRID) {
	if g == nil {
		r.null()
		return
	}
	const hasSRID = 0x20000000
	kind := binary.LittleEndian.Uint32(g[1:])
	if kind&hasSRID != 0 {
		r.bytes(g)
		return
	}
	r.length(len(g) + 4)
	r.b = append(r.b, g[0])
	r.b = binary.LittleEndian.AppendUint32(r.b, kind|hasSRID)
	r.b = binary.LittleEndian.AppendUint32(r.b, uint32(srid))
	r.b = append(r.b, g[5:]...)
}

// value appends a value of a field; it is an error of the program when the Go
// type is not the field's.
func (r *copyRow) value(t geo.FieldType, v any) error {
	if v == nil {
		r.null()
		return nil
	}
	switch t {
	case geo.TextField:
		if s, ok := v.(string); ok {
			r.text(s)
			return nil
		}
	case geo.IntegerField:
		if n, ok := v.(int64); ok {
			r.int64(n)
			return nil
		}
	case geo.RealField:
		if f, ok := v.(float64); ok {
			r.int64(int64(math.Float64bits(f)))
			return nil
		}
	case geo.BooleanField:
		if b, ok := v.(bool); ok {
			r.length(1)
			if b {
				r.b = append(r.b, 1)
			} else {
				r.b = append(r.b, 0)
			}
			return nil
		}
	case geo.DateField:
		if d, ok := v.(time.Time); ok {
			r.length(4)
			days := math.Floor(float64(d.Unix()-pgEpoch.Unix()) / 86400)
			r.b = binary.BigEndian.AppendUint32(r.b, uint32(int32(days)))
			return nil
		}
	case geo.TimeField:
		if d, ok := v.(time.Time); ok {
			r.timestamp(d)
			return nil
		}
	case geo.JSONField:
		switch j := v.(type) {
		case json.RawMessage:
			return r.json(j)
		case string:
			return r.json([]byte(j))
		}
	}
	return fmt.Errorf("a %s field can't hold a %T", t, v)
}

func (r *copyRow) json(j []byte) error {
	r.length(len(j) + 1)
	r.b = append(r.b, 1) // version of the jsonb wire format
	r.b = append(r.b, j...)
	return nil
}

// sqlType is the column type of a field.
func sqlType(t geo.FieldType) string {
	switch t {
	case geo.IntegerField:
		return "bigint"
	case geo.RealField:
		return "double precision"
	case geo.BooleanField:
		return "boolean"
	case geo.DateField:
		return "date"
	case geo.TimeField:
		return "timestamptz"
	case geo.JSONField:
		return "jsonb"
	}
	return "text"
}
