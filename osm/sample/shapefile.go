package sample

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/encoding/charmap"
)

// How producers spell Lambert-93: two of the many ways.
const (
	prjEsri = `PROJCS["RGF_1993_Lambert_93",GEOGCS["GCS_RGF_1993",DATUM["D_RGF_1993",SPHEROID["GRS_1980",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["False_Easting",700000.0],PARAMETER["False_Northing",6600000.0],PARAMETER["Central_Meridian",3.0],PARAMETER["Standard_Parallel_1",49.0],PARAMETER["Standard_Parallel_2",44.0],PARAMETER["Latitude_Of_Origin",46.5],UNIT["Meter",1.0]]`
	prjOld  = `PROJCS["RGF93_Lambert_93",GEOGCS["GCS_RGF93",DATUM["D_RGF_1993",SPHEROID["GRS_1980",6378137,298.257222101]],PRIMEM["Greenwich",0],UNIT["Degree",0.017453292519943295]],PROJECTION["Lambert_Conformal_Conic"],PARAMETER["standard_parallel_1",44],PARAMETER["standard_parallel_2",49],PARAMETER["latitude_of_origin",46.5],PARAMETER["central_meridian",3],PARAMETER["false_easting",700000],PARAMETER["false_northing",6600000],UNIT["Meter",1]]`
)

// A dbfField is a column of a DBF table: 'C' text, 'N' number, 'D' date.
type dbfField struct {
	name     string
	kind     byte
	width    int
	decimals int
}

// A shapefile is one being written, in EPSG:2154. Text is stored as CP1252
// unless utf8 is set.
type shapefile struct {
	shape    int32 // 1 points, 5 polygons
	fields   []dbfField
	language byte // the table's language driver; 0 says nothing
	utf8     bool
	date     time.Time
	bounds   box
	shp, shx bytes.Buffer // without their headers
	dbf      bytes.Buffer
	rows     int
}

func newShapefile(shape int32, date time.Time, fields ...dbfField) *shapefile {
	return &shapefile{shape: shape, date: date, fields: fields, bounds: boxOf(nil)}
}

// add writes one record: a point, or rings of a polygon, or nothing where the
// record has no geometry.
func (s *shapefile) add(rings []line, values ...any) error {
	var body bytes.Buffer
	put := func(v any) { _ = binary.Write(&body, binary.LittleEndian, v) }
	switch {
	case len(rings) == 0:
		put(int32(0))
	case s.shape == 1:
		put(s.shape)
		put([]float64{rings[0][0].X, rings[0][0].Y})
		s.extend(rings[0][:1])
	default:
		s.polygon(put, rings)
	}
	head := func(b *bytes.Buffer, first, second int32) {
		_ = binary.Write(b, binary.BigEndian, []int32{first, second})
	}
	head(&s.shx, int32(50+s.shp.Len()/2), int32(body.Len()/2))
	s.rows++
	head(&s.shp, int32(s.rows), int32(body.Len()/2))
	s.shp.Write(body.Bytes())
	return s.row(values)
}

func (s *shapefile) extend(l line) {
	b := boxOf(l)
	s.bounds = box{min(s.bounds.X0, b.X0), min(s.bounds.Y0, b.Y0), max(s.bounds.X1, b.X1), max(s.bounds.Y1, b.Y1)}
}

// polygon writes the rings, outer ones clockwise as the format wants.
func (s *shapefile) polygon(put func(any), rings []line) {
	var parts []int32
	var points []float64
	all := boxOf(slices.Concat(rings...))
	for _, r := range rings {
		parts = append(parts, int32(len(points)/2))
		if area(r) > 0 {
			r = r.reversed()
		}
		for _, p := range append(slices.Clone(r), r[0]) {
			points = append(points, p.X, p.Y)
		}
	}
	put(s.shape)
	put([]float64{all.X0, all.Y0, all.X1, all.Y1})
	put(int32(len(parts)))
	put(int32(len(points) / 2))
	put(parts)
	put(points)
	s.extend(line{{all.X0, all.Y0}, {all.X1, all.Y1}})
}

func (s *shapefile) row(values []any) error {
	if len(values) != len(s.fields) {
		return fmt.Errorf("shapefile: %d values for %d fields", len(values), len(s.fields))
	}
	s.dbf.WriteByte(' ')
	for i, f := range s.fields {
		text, err := s.cell(f, values[i])
		if err != nil {
			return fmt.Errorf("shapefile: row %d, field %s: %w", s.rows, f.name, err)
		}
		s.dbf.Write(text)
	}
	return nil
}

// cell pads the value to the field's width.
func (s *shapefile) cell(f dbfField, v any) ([]byte, error) {
	var text []byte
	switch v := v.(type) {
	case nil:
	case string:
		text = []byte(v)
		if !s.utf8 {
			var err error
			if text, err = charmap.Windows1252.NewEncoder().Bytes(text); err != nil {
				return nil, err
			}
		}
	case int:
		text = fmt.Appendf(nil, "%*d", f.width, v)
	case float64:
		text = fmt.Appendf(nil, "%*.*f", f.width, f.decimals, v)
	case time.Time:
		text = []byte(v.Format("20060102"))
	}
	if len(text) > f.width {
		return nil, fmt.Errorf("%q is longer than %d bytes", v, f.width)
	}
	return append(text, bytes.Repeat([]byte{' '}, f.width-len(text))...), nil
}

// A part is one file of a shapefile.
type part struct {
	extension string
	data      []byte
}

func (s *shapefile) parts(prj string) []part {
	out := []part{
		{"shp", append(s.header(s.shp.Len()), s.shp.Bytes()...)},
		{"shx", append(s.header(s.shx.Len()), s.shx.Bytes()...)},
		{"dbf", s.table()},
		{"prj", []byte(prj)},
	}
	if s.utf8 {
		out = append(out, part{"cpg", []byte("UTF-8")})
	}
	return out
}

func (s *shapefile) header(length int) []byte {
	h := make([]byte, 100)
	binary.BigEndian.PutUint32(h, 9994)
	binary.BigEndian.PutUint32(h[24:], uint32((100+length)/2))
	binary.LittleEndian.PutUint32(h[28:], 1000)
	binary.LittleEndian.PutUint32(h[32:], uint32(s.shape))
	for i, v := range []float64{s.bounds.X0, s.bounds.Y0, s.bounds.X1, s.bounds.Y1} {
		binary.LittleEndian.PutUint64(h[36+8*i:], math.Float64bits(v))
	}
	return h
}

func (s *shapefile) table() []byte {
	width := 1
	for _, f := range s.fields {
		width += f.width
	}
	h := make([]byte, 32, 32+32*len(s.fields)+1+s.dbf.Len()+1)
	h[0] = 3
	h[1], h[2], h[3] = byte(s.date.Year()-1900), byte(s.date.Month()), byte(s.date.Day())
	binary.LittleEndian.PutUint32(h[4:], uint32(s.rows))
	binary.LittleEndian.PutUint16(h[8:], uint16(32+32*len(s.fields)+1))
	binary.LittleEndian.PutUint16(h[10:], uint16(width))
	h[29] = s.language
	for _, f := range s.fields {
		d := make([]byte, 32)
		copy(d[:10], f.name)
		d[11], d[16], d[17] = f.kind, byte(f.width), byte(f.decimals)
		h = append(h, d...)
	}
	h = append(h, '\r')
	h = append(h, s.dbf.Bytes()...)
	return append(h, 0x1A)
}

// zipped packs the parts the way partners send them: in a folder with accents,
// extensions in capitals, a note beside them.
func zipped(folder, base string, parts []part, note string, date time.Time) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	add := func(name string, data []byte) error {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: date})
		if err != nil {
			return err
		}
		_, err = w.Write(data)
		return err
	}
	for _, p := range parts {
		if err := add(folder+"/"+base+"."+strings.ToUpper(p.extension), p.data); err != nil {
			return nil, err
		}
	}
	if err := add(folder+"/LISEZ-MOI.txt", []byte(note)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
