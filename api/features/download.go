package features

import (
	"bytes"
	"context"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/answer"
	"calanque/geo"
	"calanque/geo/postgis"
)

// A download is read in batches, so that no statement and no connection of
// the pool waits for a slow reader.
const (
	batchRows  = 2000
	batchBytes = 4 << 20          // where a batch ends even before that
	batchTime  = 60 * time.Second // that sending one batch may take
)

// A fileWriter is a kind of file that all features of a layer can be had as. Its
// functions append to a buffer.
type fileWriter struct {
	extension, mediaType string
	begin                func(dst []byte, r *geo.Relation) []byte
	row                  func(dst []byte, e *encoder, rows pgx.Rows, first bool) []byte
	end                  func(dst []byte) []byte
}

// DownloadGeoJSON answers all features of a layer, or those of the filters of
// /items, as one GeoJSON file.
func (s *Service) DownloadGeoJSON(w http.ResponseWriter, r *http.Request) error {
	return s.download(w, r, geoJSONFile)
}

// DownloadCSV is DownloadGeoJSON as CSV for spreadsheets.
func (s *Service) DownloadCSV(w http.ResponseWriter, r *http.Request) error {
	return s.download(w, r, csvFile)
}

func (s *Service) download(w http.ResponseWriter, r *http.Request, f fileWriter) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	v, err := ParseQuery(r.URL.RawQuery, append([]string{"bbox", "datetime"}, fieldNames(c.Fields)...)...)
	if err != nil {
		return err
	}
	req, err := parseItems(&c.Relation, v, s.Zone)
	if err != nil {
		return err
	}
	q := req.Query
	q.Limit = batchRows
	q.NoGeom = f.extension == csvFile.extension && isAreaSeries(&c.Relation)
	h := w.Header()
	h.Set("Content-Disposition", `attachment; filename="`+c.Layer+f.extension+`"`)
	h.Set("Content-Type", f.mediaType)
	if answer.Unchanged(w, r, answer.Tag(c.Schema, c.Table, c.Version, c.Revision, f.extension, r.URL.RawQuery)) {
		return nil
	}
	if r.Method == http.MethodHead {
		return nil
	}
	return s.stream(w, r, &c.Relation, q, f)
}

func fieldNames(fields []geo.Field) []string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
	}
	return names
}

// stream writes a file batch by batch. An error after the first ends the
// connection: half a file must not be taken for a whole one.
func (s *Service) stream(w http.ResponseWriter, r *http.Request, rel *geo.Relation, q geo.Query, f fileWriter) error {
	control := http.NewResponseController(w)
	e := newEncoder(rel)
	buf := f.begin(nil, rel)
	for first := true; ; first = false {
		var last bool
		var err error
		buf, last, err = s.batch(r.Context(), rel, &q, e, f, buf, first)
		if err != nil {
			if first {
				return err
			}
			s.Log.Error("download cut short", "layer", rel.Layer, "err", err)
			panic(http.ErrAbortHandler)
		}
		if last {
			buf = f.end(buf)
		}
		_ = control.SetWriteDeadline(time.Now().Add(batchTime)) // a test's recorder has none
		if _, err := w.Write(buf); err != nil || last {
			return nil // done, or the reader has left
		}
		buf = buf[:0]
	}
}

// batch appends the next rows, and moves the query behind them; last tells
// that there are no more.
func (s *Service) batch(ctx context.Context, rel *geo.Relation, q *geo.Query, e *encoder, f fileWriter, buf []byte, first bool) (_ []byte, last bool, err error) {
	sql, args, err := postgis.Select(rel, *q)
	if err != nil {
		return buf, false, err
	}
	n, full := 0, false
	err = s.rows(ctx, rel, sql, args, func(rows pgx.Rows) bool {
		buf = f.row(buf, e, rows, first && n == 0)
		q.After = string(rows.RawValues()[0])
		n++
		full = len(buf) > batchBytes
		return !full
	})
	return buf, n < batchRows && !full, err
}

var geoJSONFile = fileWriter{
	extension: ".geojson", mediaType: answer.TypeGeoJSON,
	begin: func(dst []byte, r *geo.Relation) []byte {
		dst = append(dst, `{"type":"FeatureCollection","name":`...)
		dst = appendString(dst, []byte(r.Layer))
		return append(dst, ",\"features\":[\n"...)
	},
	row: func(dst []byte, e *encoder, rows pgx.Rows, first bool) []byte {
		if !first {
			dst = append(dst, ",\n"...)
		}
		return append(e.feature(dst, rows), '}')
	},
	end: func(dst []byte) []byte { return append(dst, "\n]}\n"...) },
}

// csvFile is CSV as of RFC 4180, with a byte order mark so that spreadsheets
// read it as UTF-8. Points have columns lon and lat, other geometries one of
// WKT, in EPSG:4326. A series of areas has neither: each area would be written
// once for every time, and its layer can be had by itself.
var csvFile = fileWriter{
	extension: ".csv", mediaType: "text/csv; charset=utf-8; header=present",
	begin: func(dst []byte, r *geo.Relation) []byte {
		dst = append(dst, "\ufeffid"...)
		for _, f := range r.Fields {
			dst = append(dst, ',')
			dst = answer.AppendCell(dst, f.Name)
		}
		switch {
		case r.Geom == "" || isAreaSeries(r):
		case r.GeometryType == geo.Point:
			dst = append(dst, ",lon,lat"...)
		default:
			dst = append(dst, ",wkt"...)
		}
		return append(dst, "\r\n"...)
	},
	row: func(dst []byte, e *encoder, rows pgx.Rows, _ bool) []byte { return e.csv(dst, rows, plainCSV) },
	end: func(dst []byte) []byte { return dst },
}

func isAreaSeries(r *geo.Relation) bool { return r.Time != "" && r.GeometryType != geo.Point }

// A csvDialect is how lines of CSV are written.
type csvDialect struct {
	separator byte
	decimal   byte
	yes, no   string
}

// plainCSV is RFC 4180's; frenchCSV is what a spreadsheet set to French takes
// for numbers and columns.
var (
	plainCSV  = csvDialect{',', '.', "true", "false"}
	frenchCSV = csvDialect{';', ',', "oui", "non"}
)

// csv appends the current row as a line of CSV.
func (e *encoder) csv(dst []byte, rows pgx.Rows, d csvDialect) []byte {
	raw, columns := rows.RawValues(), rows.FieldDescriptions()
	dst = answer.AppendCell(dst, string(raw[0]))
	for i, f := range e.fields {
		dst = append(dst, d.separator)
		value := raw[i+2]
		if value == nil {
			continue
		}
		switch f.Type {
		case geo.TextField, geo.JSONField:
			dst = answer.AppendCell(dst, string(value))
			continue
		}
		cell, ok := appendRaw(nil, columns[i+2].DataTypeOID, value)
		if !ok {
			cell = appendAny(nil, e.slow(rows, i+2))
		}
		dst = append(dst, d.value(f.Type, unquoted(cell))...)
	}
	switch {
	case !e.located:
	case e.geometry == geo.Point:
		dst = appendLonLat(dst, raw[1], d)
	default:
		dst = append(dst, d.separator)
		if len(raw[1]) > 0 {
			dst = answer.AppendCell(dst, wkt(raw[1]))
		}
	}
	return append(dst, "\r\n"...)
}

// unquoted takes the quotes off a JSON date, time or large number; null is an
// empty cell.
func unquoted(cell []byte) []byte {
	if string(cell) == "null" {
		return nil
	}
	if len(cell) >= 2 && cell[0] == '"' {
		return cell[1 : len(cell)-1]
	}
	return cell
}

// appendLonLat appends the two cells of a point; of several, the first.
func appendLonLat(dst, ewkb []byte, d csvDialect) []byte {
	lon, lat, ok := firstPoint(ewkb)
	if !ok {
		return append(dst, d.separator, d.separator)
	}
	for _, f := range [...]float64{lon, lat} {
		dst = append(dst, d.separator)
		dst = append(dst, d.value(geo.RealField, appendDecimal(nil, f, 7))...)
	}
	return dst
}

// value says a number or a yes as the dialect does.
func (d csvDialect) value(t geo.FieldType, cell []byte) []byte {
	switch {
	case t == geo.RealField && d.decimal != '.':
		if i := bytes.IndexByte(cell, '.'); i >= 0 {
			cell[i] = d.decimal
		}
	case t == geo.BooleanField && string(cell) == "true":
		return []byte(d.yes)
	case t == geo.BooleanField && string(cell) == "false":
		return []byte(d.no)
	}
	return cell
}

func firstPoint(ewkb []byte) (lon, lat float64, ok bool) {
	e := ewkbReader{b: ewkb}
	kind := e.header()
	if kind == wkbMultiPoint && !e.bad {
		if e.count(5) == 0 {
			return 0, 0, false
		}
		kind = e.header()
	}
	if e.bad || kind != wkbPoint || len(e.b) < 16 || e.float(0) != e.float(0) {
		return 0, 0, false
	}
	return e.float(0), e.float(8), true
}

// wkt writes a geometry in EWKB as WKT, x and y with seven decimals.
func wkt(ewkb []byte) string {
	b, err := appendWKT(nil, ewkb)
	if err != nil {
		return ""
	}
	return string(b)
}
