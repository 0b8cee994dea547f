package format

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"calanque/geo"
	"calanque/geo/crs"
)

// quoteName quotes an SQL identifier, whatever it holds.
func quoteName(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// describe counts the rows of a table and widens its types to what the cells
// hold: SQLite lets an integer column hold text.
func (s *packageSource) describe(ctx context.Context, t *packageTable, o Options) (Layer, error) {
	l := Layer{Name: t.name, GeometryType: packageGeometry(t)}
	var blobs []string
	kept := t.columns[:0]
	for _, c := range t.columns {
		if c.typ == "" {
			blobs = append(blobs, c.name)
			continue
		}
		kept = append(kept, c)
	}
	t.columns = kept
	if len(blobs) > 0 {
		l.Notes = append(l.Notes, geo.Say("geopackage.blob", "fields", strings.Join(blobs, ", ")))
	}
	if len(t.columns) > maxColumns {
		t.columns = t.columns[:maxColumns]
		l.Notes = append(l.Notes, geo.Say("format.columns", "limit", maxColumns))
	}
	if err := s.widen(ctx, t, &l); err != nil {
		return l, err
	}
	for _, c := range t.columns {
		l.Columns = append(l.Columns, Column{Title: c.name, Type: c.typ, Width: c.width})
	}
	if t.geom == "" {
		return l, nil
	}
	if l.GeometryType == geo.Mixed {
		kind, err := s.lookAtKinds(ctx, t)
		if err != nil {
			return l, err
		}
		l.GeometryType = kind
	}
	var err error
	l.CRS, err = s.reference(ctx, t.srs, o)
	return l, err
}

func packageGeometry(t *packageTable) geo.GeometryType {
	if t.geom == "" {
		return geo.None
	}
	switch strings.TrimPrefix(strings.ToUpper(t.typ), "MULTI") {
	case "POINT":
		return geo.Point
	case "LINESTRING", "CURVE", "COMPOUNDCURVE", "CIRCULARSTRING":
		return geo.Line
	case "POLYGON", "SURFACE", "CURVEPOLYGON":
		return geo.Polygon
	}
	return geo.Mixed
}

// widen counts rows and the cells of another class than their column's.
func (s *packageSource) widen(ctx context.Context, t *packageTable, l *Layer) error {
	const perQuery = 200 // SQLite allows 2000 columns in a result
	for from := 0; from == 0 || from < len(t.columns); from += perQuery {
		cols := t.columns[from:min(from+perQuery, len(t.columns))]
		var q strings.Builder
		q.WriteString("select count(*)")
		for _, c := range cols {
			n := quoteName(c.name)
			fmt.Fprintf(&q, ", coalesce(sum(typeof(%s) in ('text', 'blob')), 0), coalesce(sum(typeof(%s) = 'real'), 0)", n, n)
		}
		q.WriteString(" from " + quoteName(t.name))
		out := make([]int64, 1+2*len(cols))
		dest := make([]any, len(out))
		for i := range out {
			dest[i] = &out[i]
		}
		if err := s.db.QueryRowContext(ctx, q.String()).Scan(dest...); err != nil {
			return err
		}
		l.Count = out[0]
		for i := range cols {
			cols[i].fit(out[1+2*i], out[2+2*i])
		}
	}
	return nil
}

// fit widens the type to cells that are text or have decimals.
func (c *packageColumn) fit(texts, reals int64) {
	switch c.typ {
	case geo.IntegerField, geo.BooleanField:
		if texts > 0 {
			c.typ = geo.TextField
		} else if reals > 0 {
			c.typ = geo.RealField
		}
	case geo.RealField:
		if texts > 0 {
			c.typ = geo.TextField
		}
	}
}

// lookAtKinds reads the type of every geometry of a table that declares none.
func (s *packageSource) lookAtKinds(ctx context.Context, t *packageTable) (geo.GeometryType, error) {
	g := quoteName(t.geom)
	rows, err := s.db.QueryContext(ctx, "select substr("+g+", 1, 77) from "+quoteName(t.name)+" where "+g+" is not null")
	if err != nil {
		return geo.Mixed, err
	}
	defer rows.Close()
	kinds := geo.None
	for rows.Next() && kinds != geo.Mixed {
		var b sql.RawBytes
		if err := rows.Scan(&b); err != nil {
			return geo.Mixed, err
		}
		if wkb, bad := splitPackageBlob(b); bad == nil && len(wkb) > 0 {
			w := wkbReader{b: wkb}
			if h, ok := w.head(); ok {
				kinds = mergeKind(kinds, KindOf(appendKind(nil, straight(h.kind), false)))
			}
		}
	}
	return kinds, rows.Err()
}

// straight gives the kind that a curve becomes.
func straight(kind uint32) uint32 {
	switch kind {
	case kindCircularString, kindCompoundCurve:
		return kindLineString
	case kindCurvePolygon, kindTriangle:
		return kindPolygon
	case kindMultiCurve:
		return kindMultiLineString
	case kindMultiSurface, kindPolyhedral, kindTIN:
		return kindMultiPolygon
	}
	return kind
}

// reference recognises the system of a table by the code of its authority,
// else by its definition.
func (s *packageSource) reference(ctx context.Context, srs int64, o Options) (CRS, error) {
	var name, org, def string
	var code int64
	err := s.db.QueryRowContext(ctx, `select coalesce(srs_name, ''), coalesce(organization, ''), coalesce(organization_coordsys_id, 0), coalesce(definition, '')
		from gpkg_spatial_ref_sys where srs_id = ?`, srs).Scan(&name, &org, &code, &def)
	if err == sql.ErrNoRows {
		return declaredCRS("EPSG:"+strconv.FormatInt(srs, 10), o), nil
	}
	if err != nil {
		return CRS{}, err
	}
	byDefinition := declaredCRS(def, o)
	if o.CRS != 0 || srs <= 0 && byDefinition.SRID == 0 {
		return byDefinition, nil
	}
	if strings.EqualFold(org, "EPSG") && code > 0 {
		c := declaredCRS(fmt.Sprintf("EPSG:%d", code), o)
		if crs.Known(c.SRID) || byDefinition.SRID == 0 {
			return c, nil
		}
	}
	if byDefinition.SRID == 0 {
		if byName, _ := crs.Recognise(name); byName != 0 {
			byDefinition.SRID = byName
		}
	}
	return byDefinition, nil
}

// splitPackageBlob gives the WKB in a GeoPackage geometry blob (clause 2.1.3);
// nil when its header says that it is empty. A blob that is plain WKB is given
// as it is.
func splitPackageBlob(b []byte) ([]byte, *geo.InputError) {
	if len(b) == 0 {
		return nil, nil
	}
	if len(b) < 8 || b[0] != 'G' || b[1] != 'P' {
		if b[0] <= 1 {
			return b, nil
		}
		return nil, geo.Bad(nil, "geopackage.geometry", "why", "header")
	}
	flags := b[3]
	if flags&0x20 != 0 {
		return nil, geo.Bad(nil, "geopackage.geometry", "why", "extended")
	}
	envelope := [8]int{0, 32, 48, 48, 64, -1, -1, -1}[flags>>1&7]
	if envelope < 0 || len(b) < 8+envelope {
		return nil, geo.Bad(nil, "geopackage.geometry", "why", "header")
	}
	return b[8+envelope:], nil
}

func (s *packageSource) Read(ctx context.Context, layer int, fn func(*Record) error) error {
	t := &s.tables[layer]
	r := &packageReader{packageSource: s, table: t, cells: make([]any, len(t.columns))}
	r.rec.Values = make([]any, len(t.columns))
	r.rec.Raw = r.raw
	rows, err := s.db.QueryContext(ctx, r.query())
	if err != nil {
		return s.broken(ctx, err)
	}
	defer rows.Close()
	dest := make([]any, 0, len(t.columns)+2)
	dest = append(dest, &r.key, &r.geom)
	for i := range r.cells {
		dest = append(dest, &r.cells[i])
	}
	for rows.Next() {
		if err := rows.Scan(dest...); err != nil {
			return s.broken(ctx, err)
		}
		r.rec.Number++
		r.take()
		if err := fn(&r.rec); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return s.broken(ctx, err)
	}
	return nil
}

// A packageReader is one reading of a table.
type packageReader struct {
	*packageSource
	table *packageTable
	key   any
	geom  sql.RawBytes
	cells []any
	rec   Record
	wkb   wkbReader
}

// query selects key, geometry and columns; the plus keeps the driver from
// turning cells into what their declaration says.
func (r *packageReader) query() string {
	cols := []string{"null", "null"}
	if r.table.key != "" {
		cols[0] = "+" + quoteName(r.table.key)
	}
	if r.table.geom != "" {
		cols[1] = quoteName(r.table.geom)
	}
	for _, c := range r.table.columns {
		cols = append(cols, "+"+quoteName(c.name))
	}
	return "select " + strings.Join(cols, ", ") + " from " + quoteName(r.table.name)
}

func (r *packageReader) take() {
	r.rec.Geometry, r.rec.Err, r.rec.Issues, r.rec.ID = nil, nil, r.rec.Issues[:0], ""
	if n, ok := r.key.(int64); ok {
		r.rec.ID = strconv.FormatInt(n, 10)
	}
	wkb, bad := splitPackageBlob(r.geom)
	if bad == nil && len(wkb) > 0 {
		r.rec.Geometry, r.rec.Issues, bad = r.wkb.convert(wkb, r.rec.Issues)
	}
	r.rec.Err = bad
	for i := range r.cells {
		v, issue := r.value(&r.table.columns[i], r.cells[i])
		r.rec.Values[i] = v
		if issue.Code != "" {
			r.rec.Issues = append(r.rec.Issues, issue)
		}
	}
}

// value turns a cell into the type of its column.
func (r *packageReader) value(c *packageColumn, cell any) (any, geo.Message) {
	if b, ok := cell.([]byte); ok {
		cell = string(b)
	}
	if cell == nil {
		return nil, geo.Message{}
	}
	switch c.typ {
	case geo.IntegerField, geo.RealField:
		switch v := cell.(type) {
		case int64:
			if c.typ == geo.RealField {
				return float64(v), geo.Message{}
			}
			return v, geo.Message{}
		case float64:
			if finite(v) {
				return v, geo.Message{}
			}
			return nil, geo.Message{}
		}
	case geo.BooleanField:
		if v, ok := cell.(int64); ok {
			return v != 0, geo.Message{}
		}
	case geo.DateField, geo.TimeField:
		return timeCell(c, cell)
	default:
		return r.textCell(c, cell)
	}
	return nil, geo.Say("value.number", "field", c.name, "value", clip(fmt.Sprint(cell), 100))
}

func timeCell(c *packageColumn, cell any) (any, geo.Message) {
	s, ok := cell.(string)
	if ok {
		if strings.TrimSpace(s) == "" {
			return nil, geo.Message{}
		}
		if t, _, ok := ParseDate(s); ok {
			if c.typ == geo.DateField {
				t = t.Truncate(24 * time.Hour)
			}
			return t, geo.Message{}
		}
	}
	return nil, geo.Say("value.date", "field", c.name, "value", clip(strings.ToValidUTF8(fmt.Sprint(cell), "\uFFFD"), 100))
}

func (r *packageReader) textCell(c *packageColumn, cell any) (any, geo.Message) {
	s, ok := cell.(string)
	if !ok {
		return fmt.Sprint(cell), geo.Message{}
	}
	t, flags := r.text.appendText(nil, []byte(s), false)
	s = string(t)
	if strings.IndexByte(s, 0) >= 0 {
		s, flags = strings.ReplaceAll(s, "\x00", "\uFFFD"), textLost
	}
	if c.typ == geo.JSONField && !json.Valid([]byte(s)) {
		return nil, geo.Say("value.json", "field", c.name, "value", clip(plain(s), 100))
	}
	if flags&textLost != 0 {
		return s, geo.Say("text.lost", "field", c.name, "value", clip(plain(s), 100))
	}
	return s, geo.Message{}
}

// raw gives the cells as the file has them, one "name=value" a column.
func (r *packageReader) raw() string {
	var b strings.Builder
	for i, c := range r.table.columns {
		if i > 0 {
			b.WriteString("; ")
		}
		fmt.Fprintf(&b, "%s=", c.name)
		if r.cells[i] != nil {
			b.WriteString(strings.ToValidUTF8(fmt.Sprint(r.cells[i]), "\uFFFD"))
		}
	}
	return b.String()
}
