package format

import (
	"context"
	"encoding/binary"
	"strings"

	"calanque/geo"
)

// A shapeReader is one reading of a shapefile.
type shapeReader struct {
	*shapeSource
	shapes *window
	rows   *window
	at     int64 // of the next record header, without index
	shaper shaper
	rec    Record
	row    []byte
}

func (s *shapeSource) Read(ctx context.Context, _ int, fn func(*Record) error) error {
	r := &shapeReader{shapeSource: s, at: 100}
	r.rec.Values = make([]any, len(s.layer.Columns))
	r.rec.Raw = r.raw
	total := s.count
	if s.shp != nil {
		r.shapes = newWindow(s.shp, s.size)
	}
	if s.dbf != nil {
		r.rows = newWindow(s.table, s.dbf.size)
		total = max(total, s.dbf.rows)
	}
	for i := range total {
		if i&0xFFF == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		live, err := r.next(i)
		if err != nil {
			return err
		}
		if !live {
			continue
		}
		r.rec.Number = i + 1
		if err := fn(&r.rec); err != nil {
			return err
		}
	}
	return nil
}

// next reads record i into r.rec; false for a deleted row.
func (r *shapeReader) next(i int64) (bool, error) {
	r.rec.Geometry, r.rec.Err, r.rec.Issues = nil, nil, r.rec.Issues[:0]
	content, err := r.content(i)
	if err != nil {
		return false, err
	}
	r.row = nil
	if r.dbf != nil && i < r.dbf.rows {
		d := r.dbf
		if r.row, err = r.rows.at(d.header+i*int64(d.width), d.width); err != nil {
			return false, geo.Bad(err, "dbf.truncated", "file", d.name, "declared", d.rows, "found", i, "size", d.size)
		}
		if r.row[0] == '*' {
			return false, nil
		}
	}
	r.geometry(i, content)
	r.values()
	return true, nil
}

// content gives the shape of record i: nil for a table, or when there are fewer
// shapes than rows.
func (r *shapeReader) content(i int64) ([]byte, error) {
	if r.shapes == nil || i >= r.count {
		return nil, nil
	}
	sp := span{}
	if r.index != nil {
		sp = r.index[i]
	} else {
		h, err := r.shapes.at(r.at, 8)
		if err != nil {
			return nil, geo.Bad(err, "shapefile.truncated", "file", r.layer.Name+".shp", "record", i+1, "offset", r.at, "size", r.size)
		}
		sp = span{off: r.at + 8, len: int32(binary.BigEndian.Uint32(h[4:]) * 2)}
		r.at = sp.off + int64(sp.len)
	}
	if sp.len > maxShape || sp.len < 0 {
		r.rec.Err = geo.Bad(nil, "shapefile.record", "why", "length", "length", int(sp.len))
		return nil, nil
	}
	c, err := r.shapes.at(sp.off, int(sp.len))
	if err != nil {
		return nil, geo.Bad(err, "shapefile.truncated", "file", r.layer.Name+".shp", "record", i+1, "offset", sp.off-8, "size", r.size)
	}
	return c, nil
}

func (r *shapeReader) geometry(i int64, content []byte) {
	if content == nil {
		if r.shapes != nil && r.rec.Err == nil {
			r.rec.Issues = append(r.rec.Issues, geo.Say("shapefile.row-alone"))
		}
		return
	}
	g, bad := r.shaper.convert(content, r.kind)
	if bad != nil {
		r.rec.Err = bad
		return
	}
	r.rec.Geometry = g
	r.rec.Issues = append(r.rec.Issues, r.shaper.issues...)
	if r.dbf != nil && i >= r.dbf.rows {
		r.rec.Issues = append(r.rec.Issues, geo.Say("shapefile.shape-alone"))
	}
}

func (r *shapeReader) values() {
	if r.row == nil {
		clear(r.rec.Values)
		return
	}
	for k := range r.dbf.fields {
		r.rec.Values[k], r.rec.Issues = r.dbf.value(&r.dbf.fields[k], r.row, r.rec.Issues)
	}
}

// raw gives the attributes as the file has them, one "name=value" a column.
func (r *shapeReader) raw() string {
	if r.row == nil {
		return ""
	}
	var b []byte
	for k, f := range r.dbf.fields {
		if k > 0 {
			b = append(b, "; "...)
		}
		b = append(append(b, f.title...), '=')
		cell := trimField(r.row[f.off : f.off+f.len])
		if f.typ == geo.TextField {
			b, _ = r.dbf.text.appendText(b, cell, false)
		} else {
			b = append(b, strings.ToValidUTF8(string(cell), "\uFFFD")...)
		}
	}
	return string(b)
}
