package format

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"calanque/geo"
)

// A PackageLayer says what a layer of a GeoPackage is to be.
type PackageLayer struct {
	Name        string // of the table
	Title       string
	Description string
	Geometry    geo.GeometryType // None for a table of attributes
	SRID        geo.SRID         // geo.Lambert93 or geo.WGS84: of the geometries given
	Single      bool             // no geometry has several parts: written as points, not multipoints
	Fields      []geo.Field      // names are made unique as SQLite sees them
	Lang        string           // of the titles of columns
	Updated     time.Time        // of the data, not of the file: the same data gives the same bytes
}

// A PackageWriter writes a GeoPackage 1.3 (OGC 12-128r18) with R-trees, by
// SQLite. Rows stream; of each geometry its box is kept until the tree is
// packed at the end (24 bytes).
type PackageWriter struct {
	db   *sql.DB
	conn *sql.Conn
}

// CreatePackage begins a GeoPackage in an empty file, or one that is not there
// yet. A writer that is closed without an error leaves a whole one.
func CreatePackage(ctx context.Context, path string) (*PackageWriter, error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	conn, err := db.Conn(ctx) // pragmas and the transaction hold for a connection
	if err == nil {
		_, err = conn.ExecContext(ctx, packagePragmas+"begin;"+packageTables)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", path, err), db.Close())
	}
	return &PackageWriter{db, conn}, nil
}

// Close ends the file. After an error of another method it only lets it go.
func (w *PackageWriter) Close() error {
	var err error
	if w.conn != nil {
		_, err = w.conn.ExecContext(context.Background(), "commit")
		err = errors.Join(err, w.conn.Close())
	}
	w.conn = nil
	return errors.Join(err, w.db.Close())
}

// Layer writes one layer: rows is called once, and calls add for each row with
// its geometry (EWKB in the layer's system, nil for none) and one value for
// each field: nil or of the field's Go type. It returns how many rows there
// are.
func (w *PackageWriter) Layer(ctx context.Context, l PackageLayer, rows func(add func(geometry []byte, values []any) error) error) (int64, error) {
	t := newPackageTable(&l)
	if _, err := w.conn.ExecContext(ctx, t.create()); err != nil {
		return 0, fmt.Errorf("write layer %s: %w", l.Name, err)
	}
	err := w.conn.Raw(func(raw any) error {
		if err := t.prepare(ctx, raw); err != nil {
			return err
		}
		err := rows(func(geometry []byte, values []any) error { return t.add(ctx, geometry, values) })
		if err == nil {
			err = t.flush(ctx)
		}
		return errors.Join(err, t.close())
	})
	if err == nil {
		err = t.finish(ctx, w.conn)
	}
	if err != nil {
		return 0, fmt.Errorf("write layer %s: %w", l.Name, err)
	}
	return t.fid, nil
}

// rowsAtOnce is how many rows one statement inserts, as far as SQLite's limit
// of parameters allows.
const rowsAtOnce = 64

// A packageOutput is a table on its way.
type packageOutput struct {
	layer     *PackageLayer
	key, geom string // names of those columns
	names     []string
	width     int // parameters of a row
	many, one driver.StmtExecContext
	stmts     []driver.Stmt
	batch     int
	args      []driver.NamedValue
	fid       int64
	bytes     []byte // geometries of the batch
	extent    geo.Box
	tree      []treeEntry
	multi, z  bool // seen
	flat      bool // a geometry without z was seen
	m         bool
}

func newPackageTable(l *PackageLayer) *packageOutput {
	t := &packageOutput{layer: l, extent: geo.EmptyBox()}
	taken := map[string]bool{}
	for _, f := range l.Fields {
		t.names = append(t.names, unused(taken, f.Name))
	}
	t.key, t.geom = unused(taken, "fid"), unused(taken, "geom")
	t.width = 1 + len(l.Fields)
	if l.Geometry != geo.None {
		t.width++
	}
	t.batch = max(1, min(rowsAtOnce, 32766/t.width))
	return t
}

// unused makes a name unique among those of a table, for which SQLite does not
// tell A from a.
func unused(taken map[string]bool, name string) string {
	try := name
	for i := 2; taken[strings.ToLower(try)]; i++ {
		try = fmt.Sprintf("%s_%d", name, i)
	}
	taken[strings.ToLower(try)] = true
	return try
}

// packageTypes are the columns of fields.
var packageTypes = map[geo.FieldType]string{
	geo.TextField: "TEXT", geo.IntegerField: "INTEGER", geo.RealField: "DOUBLE", geo.BooleanField: "BOOLEAN",
	geo.DateField: "DATE", geo.TimeField: "DATETIME", geo.JSONField: "TEXT",
}

func (t *packageOutput) create() string {
	columns := []string{quoted(t.key) + " INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL"}
	if t.layer.Geometry != geo.None {
		columns = append(columns, quoted(t.geom)+" "+t.geometryName())
	}
	for i, f := range t.layer.Fields {
		columns = append(columns, quoted(t.names[i])+" "+packageTypes[f.Type])
	}
	return "create table " + quoted(t.layer.Name) + " (" + strings.Join(columns, ", ") + ")"
}

func (t *packageOutput) geometryName() string {
	name, ok := map[geo.GeometryType]string{geo.Point: "POINT", geo.Line: "LINESTRING", geo.Polygon: "POLYGON"}[t.layer.Geometry]
	switch {
	case !ok:
		return "GEOMETRY"
	case t.layer.Single:
		return name
	}
	return "MULTI" + name
}

// prepare makes the two statements, on the driver itself: database/sql would
// lock and convert for every row.
func (t *packageOutput) prepare(ctx context.Context, raw any) error {
	conn, ok := raw.(driver.ConnPrepareContext)
	if !ok {
		return errors.New("the SQLite driver prepares no statements")
	}
	for _, n := range []int{t.batch, 1} {
		row := "(?" + strings.Repeat(",?", t.width-1) + ")"
		s, err := conn.PrepareContext(ctx, "insert into "+quoted(t.layer.Name)+" values "+row+strings.Repeat(","+row, n-1))
		if err != nil {
			return err
		}
		t.stmts = append(t.stmts, s)
		exec, ok := s.(driver.StmtExecContext)
		if !ok {
			return errors.New("the SQLite driver runs no statements")
		}
		if t.many == nil {
			t.many = exec
		}
		t.one = exec
	}
	t.args = make([]driver.NamedValue, 0, t.batch*t.width)
	return nil
}

func (t *packageOutput) close() error {
	var err error
	for _, s := range t.stmts {
		err = errors.Join(err, s.Close())
	}
	return err
}

func (t *packageOutput) push(v driver.Value) {
	t.args = append(t.args, driver.NamedValue{Ordinal: len(t.args) + 1, Value: v})
}

// add appends one row to the batch.
func (t *packageOutput) add(ctx context.Context, geometry []byte, values []any) error {
	if len(values) != len(t.layer.Fields) {
		return fmt.Errorf("row %d has %d values, want %d", t.fid+1, len(values), len(t.layer.Fields))
	}
	t.fid++
	t.push(t.fid)
	if t.layer.Geometry != geo.None {
		if err := t.addGeometry(geometry); err != nil {
			return fmt.Errorf("row %d: %w", t.fid, err)
		}
	}
	for i, v := range values {
		t.push(packageValue(t.layer.Fields[i].Type, v))
	}
	if len(t.args) < t.batch*t.width {
		return nil
	}
	_, err := t.many.ExecContext(ctx, t.args)
	t.args, t.bytes = t.args[:0], t.bytes[:0]
	return err
}

func (t *packageOutput) addGeometry(ewkb []byte) error {
	if len(ewkb) == 0 {
		t.push(nil)
		return nil
	}
	start := len(t.bytes)
	var shape packageShape
	var err error
	single := t.layer.Single && t.layer.Geometry != geo.Mixed
	if t.bytes, shape, err = appendPackageGeometry(t.bytes, ewkb, t.layer.SRID, single); err != nil {
		return err
	}
	t.push(t.bytes[start:len(t.bytes):len(t.bytes)])
	t.z, t.m, t.flat = t.z || shape.z, t.m || shape.m, t.flat || !shape.z
	t.multi = t.multi || single && shape.kind >= kindMultiPoint
	if !shape.box.Empty() {
		t.extent = t.extent.Union(shape.box)
		t.tree = append(t.tree, entry(t.fid, shape.box))
	}
	return nil
}

// packageValue is a value as SQLite keeps it. What GeoPackage has no word for,
// like infinity, is null.
func packageValue(typ geo.FieldType, v any) driver.Value {
	switch v := v.(type) {
	case time.Time:
		if typ == geo.DateField {
			return v.Format(time.DateOnly)
		}
		return v.UTC().Format("2006-01-02T15:04:05.000Z")
	case json.RawMessage:
		return string(v)
	case bool:
		return int64(count(v))
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil
		}
		return v
	case string, int64:
		return v
	case nil:
		return nil
	}
	return fmt.Sprint(v)
}

// flush writes what is left of the last batch.
func (t *packageOutput) flush(ctx context.Context) error {
	for i := 0; i < len(t.args); i += t.width {
		row := t.args[i : i+t.width]
		for j := range row {
			row[j].Ordinal = j + 1
		}
		if _, err := t.one.ExecContext(ctx, row); err != nil {
			return err
		}
	}
	t.args = nil
	return nil
}

// insertAll fills a table of two columns with n rows.
func insertAll(ctx context.Context, conn *sql.Conn, table string, n int, next func() [2]any) error {
	return conn.Raw(func(raw any) error {
		t := &packageOutput{layer: &PackageLayer{Name: table, Geometry: geo.None}, width: 2, batch: rowsAtOnce}
		err := t.prepare(ctx, raw)
		for ; n > 0 && err == nil; n-- {
			row := next()
			t.push(row[0])
			t.push(row[1])
			if len(t.args) == t.batch*t.width {
				_, err = t.many.ExecContext(ctx, t.args)
				t.args = t.args[:0]
			}
		}
		if err == nil {
			err = t.flush(ctx)
		}
		return errors.Join(err, t.close())
	})
}
