package features

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/postgis"
)

// pageBytes is where a page ends even when more items were asked for: the rest
// is behind its next link. It bounds the memory of a request whatever the
// geometries.
const pageBytes = 16 << 20

// errNotLoaded is answered until the catalogue has been read.
var errNotLoaded = fmt.Errorf("the catalogue has not been read yet: %w", geo.ErrUnavailable)

// A page is encoded features, joined by commas.
type page struct {
	features []byte
	n        int
	last     string // key of the last one
	more     bool   // there are items after it
}

// An encoder writes rows of one relation as GeoJSON features.
type encoder struct {
	fields   []geo.Field
	names    [][]byte // `,"name":`, the first without its comma
	geometry geo.GeometryType
	located  bool // its CSV has columns of geometry
	unknown  int  // geometries that GeoJSON can't say, so far
}

func newEncoder(r *geo.Relation) *encoder {
	e := &encoder{fields: r.Fields, names: make([][]byte, len(r.Fields)), geometry: r.GeometryType, located: r.Geom != "" && !isAreaSeries(r)}
	for i, f := range r.Fields {
		if i > 0 {
			e.names[i] = append(e.names[i], ',')
		}
		e.names[i] = append(appendString(e.names[i], []byte(f.Name)), ':')
	}
	return e
}

// feature appends the current row, which a statement of postgis.Select gave in
// binary format, up to the end of its properties. The closing brace is left to the caller, who may add members.
func (e *encoder) feature(dst []byte, rows pgx.Rows) []byte {
	raw, columns := rows.RawValues(), rows.FieldDescriptions()
	dst = append(dst, `{"type":"Feature","id":`...)
	dst = appendString(dst, raw[0])
	dst = append(dst, `,"geometry":`...)
	dst, err := appendGeometry(dst, raw[1])
	if err != nil {
		e.unknown++
	}
	dst = append(dst, `,"properties":{`...)
	for i, f := range e.fields {
		dst = append(dst, e.names[i]...)
		value, column := raw[i+2], columns[i+2]
		if f.Type == geo.JSONField && value != nil {
			dst = append(dst, value...) // selected as text
			continue
		}
		var ok bool
		if dst, ok = appendRaw(dst, column.DataTypeOID, value); !ok {
			dst = appendAny(dst, e.slow(rows, i+2))
		}
	}
	return append(dst, '}')
}

// slow decodes one value of a type that is not among a layer's own.
func (e *encoder) slow(rows pgx.Rows, column int) any {
	values, err := rows.Values()
	if err != nil {
		return nil
	}
	return values[column]
}

// read gives the features that a query selects: at most its limit, and less
// when they are large.
func (s *Service) read(ctx context.Context, r *geo.Relation, q geo.Query, dst []byte) (page, error) {
	limit := q.Limit
	q.Limit++ // one more tells whether there is a next page
	sql, args, err := postgis.Select(r, q)
	if err != nil {
		return page{}, err
	}
	p := page{features: dst}
	e := newEncoder(r)
	err = s.rows(ctx, r, sql, args, func(rows pgx.Rows) bool {
		if p.n == limit || len(p.features) > pageBytes {
			p.more = true
			return false
		}
		if p.n > 0 {
			p.features = append(p.features, ',')
		}
		p.features = append(e.feature(p.features, rows), '}')
		p.last = string(rows.RawValues()[0])
		p.n++
		return true
	})
	if e.unknown > 0 {
		s.Log.Warn("geometries that GeoJSON can't say", "layer", r.Layer, "features", e.unknown)
	}
	return p, err
}

// rows runs a statement with results in binary format and calls fn with each
// row until it returns false. A connection that turns out to be dead, as all
// are after the server was started again, is asked for another one.
func (s *Service) rows(ctx context.Context, r *geo.Relation, sql string, args []any, fn func(pgx.Rows) bool) error {
	begun := false
	err := s.rowsOnce(ctx, r, sql, args, func(rows pgx.Rows) bool { begun = true; return fn(rows) })
	if !begun && broken(err) && ctx.Err() == nil {
		err = s.rowsOnce(ctx, r, sql, args, fn)
	}
	return err
}

func (s *Service) rowsOnce(ctx context.Context, r *geo.Relation, sql string, args []any, fn func(pgx.Rows) bool) error {
	rows, err := s.Pool.Query(ctx, sql, append([]any{pgx.QueryResultFormats{pgx.BinaryFormatCode}}, args...)...)
	if err != nil {
		return fmt.Errorf("read %s: %w", r.Layer, Kind(err))
	}
	defer rows.Close()
	for rows.Next() {
		if !fn(rows) {
			break
		}
	}
	rows.Close()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", r.Layer, Kind(err))
	}
	return nil
}

// broken reports whether an error is that of a connection that was made and
// then lost.
func broken(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	if err == nil || errors.As(err, &connect) {
		return false
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "57P01" // admin_shutdown: read from a connection that was ended while idle
	}
	return isClosed(err) || errors.As(err, &network) && !network.Timeout()
}

// Kind is postgis.Kind for readers: what breaks a connection in the middle of
// an answer only means "later".
func Kind(err error) error {
	err = postgis.Kind(err)
	var network net.Error
	var pg *pgconn.PgError
	if err == nil || errors.Is(err, geo.ErrUnavailable) || errors.As(err, &pg) || errors.Is(err, context.Canceled) {
		return err
	}
	if errors.As(err, &network) || pgconn.Timeout(err) || errors.Is(err, context.DeadlineExceeded) || isClosed(err) {
		return fmt.Errorf("%w: %w", geo.ErrUnavailable, err)
	}
	return err
}

// isClosed reports whether the server went away while it was talking.
func isClosed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// Stale reports whether a statement failed because the table is not what the
// catalogue said: it was replaced between the two.
func Stale(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "42P01", // undefined_table
		"3F000", // invalid_schema_name
		"42703", // undefined_column
		"0A000": // feature_not_supported: cached plan must not change result type
		return true
	}
	return false
}
