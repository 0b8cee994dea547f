package features

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"calanque/api/answer"
	"calanque/geo"
	"calanque/geo/format"
	"calanque/geo/postgis"
)

// A FileFormat is a kind of file that a whole layer can be had as.
type FileFormat struct {
	Extension string // "csv", without its point
	MediaType string
}

// FileFormats are the formats of downloads, in the order that pages list them.
var FileFormats = []FileFormat{
	{"csv", "text/csv; charset=utf-8; header=present"},
	{"geojson", answer.TypeGeoJSON},
	{"gpkg", "application/geopackage+sqlite3"},
}

// Describes is what a file says of itself beside its rows.
type Describes struct {
	Lang, Title, Description string
}

// WriteFile writes the features of a relation, or those of an interval of a
// series, to an empty file:
//   - csv: for spreadsheets set to French: byte order mark, semicolons, decimal
//     commas; points as lon and lat, other geometries as WKT in EPSG:4326;
//   - geojson: RFC 7946;
//   - gpkg: GeoPackage in Lambert-93 (in EPSG:4326 for what lies beyond it).
//
// Areas are left out of the CSV and GeoPackage of a series, where each would be
// repeated for every time: they are a layer of their own.
func (s *Service) WriteFile(ctx context.Context, f *os.File, r *geo.Relation, interval *geo.Interval, extension string, about Describes) error {
	q := geo.Query{Limit: batchRows, Interval: interval}
	switch extension {
	case "csv":
		q.NoGeom = isAreaSeries(r)
		return s.writeText(ctx, f, r, q, frenchCSVFile)
	case "geojson":
		if r.Geom == "" {
			return fmt.Errorf("%s as GeoJSON: %w", r.Layer, geo.ErrNotFound)
		}
		return s.writeText(ctx, f, r, q, geoJSONFile)
	case "gpkg":
		return s.writePackage(ctx, f, r, q, about)
	}
	return fmt.Errorf("format %s: %w", extension, geo.ErrNotFound)
}

// frenchCSVFile is csvFile in the dialect of French spreadsheets.
var frenchCSVFile = fileWriter{
	begin: func(dst []byte, r *geo.Relation) []byte {
		dst = append(append(dst, "\ufeff"...), keyName(r)...)
		for _, f := range r.Fields {
			dst = answer.AppendCell(append(dst, ';'), f.Name)
		}
		switch {
		case r.Geom == "" || isAreaSeries(r):
		case r.GeometryType == geo.Point:
			dst = append(dst, ";lon;lat"...)
		default:
			dst = append(dst, ";wkt"...)
		}
		return append(dst, "\r\n"...)
	},
	row: func(dst []byte, e *encoder, rows pgx.Rows, _ bool) []byte { return e.csv(dst, rows, frenchCSV) },
	end: func(dst []byte) []byte { return dst },
}

// keyName is the column of the item's id: no field of the layer is called so.
func keyName(r *geo.Relation) string {
	name := "id"
	for again := true; again; {
		again = false
		for _, f := range r.Fields {
			if strings.EqualFold(f.Name, name) {
				name, again = "_"+name, true
			}
		}
	}
	return name
}

func (s *Service) writeText(ctx context.Context, f *os.File, r *geo.Relation, q geo.Query, ff fileWriter) error {
	w := bufio.NewWriterSize(f, 1<<20)
	e := newEncoder(r)
	buf := ff.begin(nil, r)
	for first := true; ; first = false {
		var last bool
		var err error
		if buf, last, err = s.batch(ctx, r, &q, e, ff, buf, first); err != nil {
			return err
		}
		if last {
			buf = ff.end(buf)
		}
		if _, err := w.Write(buf); err != nil {
			return fmt.Errorf("write %s: %w", r.Layer, err)
		}
		if last {
			return w.Flush()
		}
		buf = buf[:0]
	}
}

// lambert is where Lambert-93 is a map of the ground: France and its
// neighbours, in lon/lat.
var lambert = geo.Box{MinX: -10, MinY: 40, MaxX: 12, MaxY: 53}

func (s *Service) writePackage(ctx context.Context, f *os.File, r *geo.Relation, q geo.Query, about Describes) error {
	l := format.PackageLayer{
		Name: r.Layer, Title: about.Title, Description: about.Description, Geometry: r.GeometryType, SRID: geo.Lambert93,
		Fields: append([]geo.Field{{Name: keyName(r), Type: geo.TextField}}, r.Fields...), Lang: about.Lang, Updated: r.Updated,
	}
	if e := r.Extent; e.Empty() || e.MinX < lambert.MinX || e.MinY < lambert.MinY || e.MaxX > lambert.MaxX || e.MaxY > lambert.MaxY {
		l.SRID = geo.WGS84
	}
	if r.Geom == "" || isAreaSeries(r) {
		l.Geometry, q.NoGeom = geo.None, true
	}
	q.SRID = l.SRID
	if l.Geometry == geo.Point {
		var several bool
		sql := "select exists (select from " + pgx.Identifier{r.Schema, r.Table}.Sanitize() +
			" where st_numgeometries(" + pgx.Identifier{r.Geom}.Sanitize() + ") > 1)"
		if err := s.Pool.QueryRow(ctx, sql).Scan(&several); err != nil {
			return fmt.Errorf("look at the points of %s: %w", r.Layer, Kind(err))
		}
		l.Single = !several
	}
	w, err := format.CreatePackage(ctx, f.Name())
	if err != nil {
		return err
	}
	_, err = w.Layer(ctx, l, func(add func([]byte, []any) error) error { return s.addAll(ctx, r, q, add) })
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return err
}

// addAll gives every feature to a GeoPackage, batch by batch.
func (s *Service) addAll(ctx context.Context, r *geo.Relation, q geo.Query, add func([]byte, []any) error) error {
	e := newEncoder(r)
	values := make([]any, 1+len(r.Fields))
	for {
		sql, args, err := postgis.Select(r, q)
		if err != nil {
			return err
		}
		n, size := 0, 0
		var failed error
		err = s.rows(ctx, r, sql, args, func(rows pgx.Rows) bool {
			raw := rows.RawValues()
			q.After = string(raw[0])
			values[0] = q.After
			for i := range r.Fields {
				values[i+1] = e.value(rows, i)
			}
			failed = add(raw[1], values)
			n++
			size += len(raw[1])
			return failed == nil && size < batchBytes
		})
		switch {
		case failed != nil:
			return failed
		case err != nil:
			return err
		case n < batchRows && size < batchBytes:
			return nil
		}
	}
}

// value decodes one field of the current row, in the database's binary format.
func (e *encoder) value(rows pgx.Rows, field int) any {
	raw, oid := rows.RawValues()[field+2], rows.FieldDescriptions()[field+2].DataTypeOID
	if raw == nil {
		return nil
	}
	if e.fields[field].Type == geo.JSONField {
		return json.RawMessage(raw)
	}
	switch oid {
	case pgtype.TextOID, pgtype.VarcharOID:
		return string(raw)
	case pgtype.Int8OID, pgtype.Int4OID, pgtype.Int2OID:
		return bigEndian(raw)
	case pgtype.BoolOID:
		return len(raw) > 0 && raw[0] != 0
	case pgtype.Float8OID:
		return math.Float64frombits(uint64(bigEndian(raw)))
	case pgtype.Float4OID:
		return float64(math.Float32frombits(uint32(bigEndian(raw))))
	case pgtype.DateOID:
		days := int32(bigEndian(raw))
		if days == math.MaxInt32 || days == math.MinInt32 { // infinity
			return nil
		}
		return epoch.AddDate(0, 0, int(days))
	case pgtype.TimestamptzOID, pgtype.TimestampOID:
		micros := bigEndian(raw)
		if micros == math.MaxInt64 || micros == math.MinInt64 { // infinity
			return nil
		}
		return time.Unix(epoch.Unix()+micros/1e6, micros%1e6*1000).UTC()
	}
	if v := e.slow(rows, field+2); v != nil {
		return fmt.Sprint(v)
	}
	return nil
}
