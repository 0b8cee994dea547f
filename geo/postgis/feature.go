package postgis

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// Each calls fn with the features that a query selects, in the order of their
// keys. The geometry is EWKB in EPSG:4326, lon/lat, or the query's own system. The *Feature and its
// slices are reused between calls. A field that the relation does not have is
// a *geo.ParamError.
func Each(ctx context.Context, db DB, r *geo.Relation, q geo.Query, fn func(*geo.Feature) error) error {
	sql, args, err := Select(r, q)
	if err != nil {
		return err
	}
	return eachRow(ctx, db, r, sql, args, fn)
}

func eachRow(ctx context.Context, db DB, r *geo.Relation, sql string, args []any, fn func(*geo.Feature) error) error {
	n := 0
	count := func(f *geo.Feature) error {
		n++
		return fn(f)
	}
	err := eachRowOnce(ctx, db, r, sql, args, count)
	if n == 0 && isCode(err, planChanged) {
		// A series' field was widened under a prepared statement, which the driver has forgotten now.
		return eachRowOnce(ctx, db, r, sql, args, count)
	}
	return err
}

// planChanged is PostgreSQL's "cached plan must not change result type".
const planChanged = "0A000"

func eachRowOnce(ctx context.Context, db DB, r *geo.Relation, sql string, args []any, fn func(*geo.Feature) error) error {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("read %s: %w", r.Layer, Kind(err))
	}
	defer rows.Close()
	f := geo.Feature{Values: make([]any, len(r.Fields))}
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return fmt.Errorf("read a row of %s: %w", r.Layer, err)
		}
		f.Key, _ = values[0].(string)
		f.Geometry, _ = values[1].([]byte)
		copy(f.Values, values[2:])
		for i, field := range r.Fields {
			if s, ok := f.Values[i].(string); ok && field.Type == geo.JSONField {
				f.Values[i] = json.RawMessage(s)
			}
		}
		if err := fn(&f); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read %s: %w", r.Layer, Kind(err))
	}
	return nil
}

// One gives the feature with a key, or ErrNotFound.
func One(ctx context.Context, db DB, r *geo.Relation, key string) (geo.Feature, error) {
	sql, args := SelectOne(r, key)
	found := geo.Feature{}
	err := eachRow(ctx, db, r, sql, args, func(f *geo.Feature) error {
		found = geo.Feature{Key: f.Key, Geometry: f.Geometry, Values: append([]any(nil), f.Values...)}
		return nil
	})
	if err == nil && found.Key == "" {
		err = fmt.Errorf("%s of %s: %w", key, r.Layer, geo.ErrNotFound)
	}
	return found, err
}

// Count gives the exact number of features that a query selects, its After and
// Limit left aside. Of a query that selects everything it is what the
// catalogue knows.
func Count(ctx context.Context, db DB, r *geo.Relation, q geo.Query) (int64, error) {
	if q.Box == nil && q.Interval == nil && len(q.Equals) == 0 && len(q.AnyOf) == 0 && q.Inside == nil {
		return r.Count, nil
	}
	where, args, err := conditions(r, q, nil, nil)
	if err != nil {
		return 0, err
	}
	var n int64
	err = db.QueryRow(ctx, "select count(*) from "+table(r)+where, args...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", r.Layer, Kind(err))
	}
	return n, nil
}

// Select is the statement behind Each: the key as text, the geometry as EWKB
// in EPSG:4326 (or null), then the fields; JSON as text.
func Select(r *geo.Relation, q geo.Query) (string, []any, error) {
	return selectWhere(r, q, nil, nil)
}

// SelectOne is the statement behind One, with the columns of Select.
func SelectOne(r *geo.Relation, key string) (string, []any) {
	sql, args, err := selectWhere(r, geo.Query{}, []string{quote(r.Key) + " = $1"}, []any{key})
	if err != nil {
		panic(err) // only filters on fields can be wrong, and there is none
	}
	return sql, args
}

func selectWhere(r *geo.Relation, q geo.Query, where []string, args []any) (string, []any, error) {
	cond, args, err := conditions(r, q, where, args)
	if err != nil {
		return "", nil, err
	}
	if q.After != "" {
		and := " where "
		if cond != "" {
			and = " and "
		}
		cond += and + quote(r.Key) + " > " + arg(&args, q.After)
	}
	columns := []string{quote(r.Key) + "::text", "null::bytea"}
	switch {
	case r.Geom == "" || q.NoGeom:
	case q.Simplify > 0 && r.Geom3857 != "":
		columns[1] = "st_asewkb(st_transform(st_simplify(" + quote(r.Geom3857) + ", " + arg(&args, q.Simplify) + ", true), 4326))"
	case q.SRID != 0 && q.SRID != geo.WGS84:
		columns[1] = "st_asewkb(" + transformed(r, q.SRID) + ")"
	default:
		columns[1] = "st_asewkb(" + toWGS84(r) + ")"
	}
	for _, f := range r.Fields {
		columns = append(columns, column(r, f))
	}
	sql := "select " + strings.Join(columns, ", ") + " from " + table(r) + cond + " order by " + quote(r.Key)
	if q.Limit > 0 {
		sql += " limit " + arg(&args, q.Limit)
	}
	return sql, args, nil
}

// conditions builds the where clause of a query, keyset left aside.
func conditions(r *geo.Relation, q geo.Query, where []string, args []any) (string, []any, error) {
	if q.Box != nil {
		where = append(where, within(r, *q.Box, &args))
	}
	if q.Interval != nil && r.Time != "" {
		if !q.Interval.From.IsZero() {
			where = append(where, quote(r.Time)+" >= "+arg(&args, q.Interval.From))
		}
		if !q.Interval.To.IsZero() {
			where = append(where, quote(r.Time)+" <= "+arg(&args, q.Interval.To))
		}
	}
	for _, e := range q.Equals {
		f, ok := r.Field(e.Field)
		if !ok {
			return "", nil, &geo.ParamError{Param: e.Field, Want: "want a field of the layer"}
		}
		where = append(where, column(r, f)+" = "+arg(&args, e.Value)+columnTypes[f.Type])
	}
	for _, a := range q.AnyOf {
		if f, ok := r.Field(a.Field); !ok || f.Type != geo.TextField {
			return "", nil, &geo.ParamError{Param: a.Field, Want: "want a text field of the layer"}
		}
		where = append(where, quote(a.Field)+"::text = any("+arg(&args, a.Values)+"::text[])")
	}
	if q.Inside != nil {
		where = append(where, inside(r, q.Inside, &args))
	}
	if len(where) == 0 {
		return "", args, nil
	}
	return " where " + strings.Join(where, " and "), args, nil
}

// column is the expression of a field: JSON as text, and so what a live layer
// declares as text over a column of another type.
func column(r *geo.Relation, f geo.Field) string {
	if f.Type == geo.JSONField || f.Type == geo.TextField && r.Life == geo.Live {
		return quote(f.Name) + "::text"
	}
	return quote(f.Name)
}

// columnTypes makes a value the type of its field: the column of a live layer
// may be narrower, and a value beyond it is then equal to nothing instead of
// being an error.
var columnTypes = map[geo.FieldType]string{
	geo.TextField: "::text", geo.IntegerField: "::bigint", geo.RealField: "::double precision",
	geo.BooleanField: "::boolean", geo.DateField: "::date", geo.TimeField: "::timestamptz",
}

// within is the condition that a geometry intersects a rectangle of CRS84. A
// rectangle there is one in Mercator too, so the stored 3857 column and its
// index answer exactly. A box whose west is east of its east crosses the
// antimeridian.
func within(r *geo.Relation, b geo.Box, args *[]any) string {
	if r.Geom3857 == "" {
		return "false" // nothing without a geometry is anywhere
	}
	// A snapshot's extent is true for ever: what it all lies in need not be asked of each row.
	if e := r.Extent; r.Version != 0 && !e.Empty() && b.MinX <= e.MinX && b.MinY <= e.MinY && b.MaxX >= e.MaxX && b.MaxY >= e.MaxY {
		return quote(r.Geom3857) + " is not null"
	}
	if b.MinX > b.MaxX {
		west, east := b, b
		west.MaxX, east.MinX = 180, -180
		return "(" + within(r, west, args) + " or " + within(r, east, args) + ")"
	}
	// Positions are published with seven decimals: what is on the border then is inside.
	const half = 0.5e-7 // degrees, 5 mm
	x0, y0 := mercator(b.MinX-half, b.MinY-half)
	x1, y1 := mercator(b.MaxX+half, b.MaxY+half)
	box := fmt.Sprintf("st_makeenvelope(%s, %s, %s, %s, 3857)", arg(args, x0), arg(args, y0), arg(args, x1), arg(args, y1))
	return "st_intersects(" + quote(r.Geom3857) + ", " + box + ")"
}

// inside is the condition that a geometry lies in the area of a place, at
// least partly. Areas that only touch it do not.
func inside(r *geo.Relation, p *geo.Place, args *[]any) string {
	if r.Geom3857 == "" || p.Relation.Geom3857 == "" {
		return "false"
	}
	area := fmt.Sprintf("(select %s from %s where %s = %s)",
		quote(p.Relation.Geom3857), table(p.Relation), quote(p.Relation.Key), arg(args, p.Key))
	cond := "st_intersects(" + quote(r.Geom3857) + ", " + area + ")"
	if r.GeometryType == geo.Polygon || r.GeometryType == geo.Mixed {
		cond += " and (st_dimension(" + quote(r.Geom3857) + ") < 2 or st_relate(" + quote(r.Geom3857) + ", " + area + ", 'T********'))"
	}
	return cond
}

// mercator projects lon/lat degrees to EPSG:3857 metres; latitudes beyond the
// projection's square are put on its border, longitudes beyond 180 on theirs.
func mercator(lon, lat float64) (x, y float64) {
	const radius = 6378137 // metres, the sphere of EPSG:3857
	const maxLat = 85.0511287798066
	lon = min(max(lon, -180), 180)
	lat = min(max(lat, -maxLat), maxLat)
	return radius * lon * math.Pi / 180, radius * math.Log(math.Tan(math.Pi/4+lat*math.Pi/360))
}

// toWGS84 is the geometry in EPSG:4326. The old French systems (NTF) reach it
// by Lambert-93, where PostGIS uses the grid; straight it would be up to 1.75
// m off.
func toWGS84(r *geo.Relation) string {
	g := quote(r.Geom)
	switch {
	case r.SRID == geo.WGS84:
		return g
	case NTF(r.SRID):
		return "st_transform(st_transform(" + g + ", 2154), 4326)"
	}
	return "st_transform(" + g + ", 4326)"
}

// transformed is the geometry in a metric system of France.
func transformed(r *geo.Relation, to geo.SRID) string {
	if r.SRID == to {
		return quote(r.Geom)
	}
	return fmt.Sprintf("st_transform(%s, %d)", quote(r.Geom), to)
}

// NTF reports whether a system is on the old French datum, Paris meridian.
func NTF(s geo.SRID) bool {
	return s == 4807 || s >= 27561 && s <= 27564 || s >= 27571 && s <= 27574
}

func table(r *geo.Relation) string { return pgx.Identifier{r.Schema, r.Table}.Sanitize() }

func quote(column string) string { return pgx.Identifier{column}.Sanitize() }
