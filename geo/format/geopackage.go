package format

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"calanque/geo"
)

// geoPackage reads the feature and attribute tables of a GeoPackage, views
// included, by SQLite, read-only.
var geoPackage = Format{
	Name:  "geopackage",
	Match: func(h Head) bool { return bytes.HasPrefix(h.Bytes, []byte("SQLite format 3\x00")) || h.Ext == ".gpkg" },
	Open:  openGeoPackage,
}

// A packageSource is an opened GeoPackage.
type packageSource struct {
	file   string
	db     *sql.DB
	dir    string // temporary copy to remove; "" for none
	layers []Layer
	tables []packageTable
	text   decoder
}

// A packageTable is where a layer's rows are.
type packageTable struct {
	name    string
	geom    string // geometry column, "" for none
	srs     int64
	key     string // integer primary key, "" for none
	columns []packageColumn
	typ     string // geometry type as declared
}

type packageColumn struct {
	name, declared string
	typ            geo.FieldType
	width          int
}

func openGeoPackage(ctx context.Context, path string, o Options) (Source, error) {
	s := &packageSource{file: filepath.Base(path), text: decoder{single: cp1252, utf8: true}}
	if err := checkPages(path, s.file); err != nil {
		return nil, err
	}
	if err := s.open(path); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.readTables(ctx, o); err != nil {
		return nil, errors.Join(s.broken(ctx, err), s.Close())
	}
	return s, nil
}

// broken tells a mistake of the file from an interruption.
func (s *packageSource) broken(ctx context.Context, err error) error {
	var input *geo.InputError
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.As(err, &input) {
		return err
	}
	return geo.Bad(err, "geopackage.broken", "file", s.file, "message", err.Error())
}

// checkPages compares the size that the header gives with that of the file.
func checkPages(path, file string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	h := make([]byte, 100)
	if _, err := io.ReadFull(f, h); err != nil || !bytes.HasPrefix(h, []byte("SQLite format 3\x00")) {
		return geo.Bad(err, "geopackage.not-sqlite", "file", file)
	}
	page := int64(binary.BigEndian.Uint16(h[16:]))
	if page == 1 {
		page = 65536
	}
	pages := int64(binary.BigEndian.Uint32(h[28:]))
	sure := binary.BigEndian.Uint32(h[24:]) == binary.BigEndian.Uint32(h[92:]) // the count was kept up
	if want := page * pages; sure && info.Size() < want {
		return geo.Bad(io.ErrUnexpectedEOF, "geopackage.truncated", "file", file, "size", info.Size(), "want", want)
	}
	return nil
}

// open opens the database where it is; where a write-ahead log was left beside
// it, a copy of both, since reading the log writes.
func (s *packageSource) open(path string) error {
	query := "mode=ro&immutable=1"
	if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 0 {
		dir, err := os.MkdirTemp("", "calanque-gpkg-")
		if err != nil {
			return fmt.Errorf("copy %s: %w", path, err)
		}
		s.dir = dir
		for _, suffix := range []string{"", "-wal"} {
			if err := copyFile(path+suffix, filepath.Join(dir, "copy.gpkg"+suffix)); err != nil {
				return fmt.Errorf("copy %s: %w", path+suffix, err)
			}
		}
		path, query = filepath.Join(dir, "copy.gpkg"), "mode=rw"
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	u := url.URL{Scheme: "file", Path: abs, RawQuery: query + "&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)"}
	db, err := sql.Open("sqlite", u.String())
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.db = db
	return nil
}

func copyFile(from, to string) error {
	r, err := os.Open(from)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return errors.Join(err, w.Close())
}

// readTables lists the tables and describes each as a layer.
func (s *packageSource) readTables(ctx context.Context, o Options) error {
	contents, err := s.contents(ctx)
	if err != nil {
		return err
	}
	for _, t := range contents {
		if err := s.readColumns(ctx, &t); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		l, err := s.describe(ctx, &t, o)
		if err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		s.tables, s.layers = append(s.tables, t), append(s.layers, l)
	}
	if len(s.layers) == 0 {
		return geo.Bad(nil, "geopackage.no-layer", "file", s.file)
	}
	return nil
}

// contents lists the feature and attribute tables in the order of the file,
// then those that are registered nowhere.
func (s *packageSource) contents(ctx context.Context) ([]packageTable, error) {
	names, err := s.names(ctx, `select name from sqlite_master where type in ('table', 'view') order by rowid`)
	if err != nil {
		return nil, err
	}
	if !containsFold(names, "gpkg_contents") {
		return nil, geo.Bad(nil, "geopackage.not", "file", s.file, "tables", clip(strings.Join(names, ", "), 300))
	}
	geometry := `select '' as t, '' as c, '' as k, 0 as srs where 0`
	if containsFold(names, "gpkg_geometry_columns") {
		geometry = `select table_name as t, column_name as c, geometry_type_name as k, srs_id as srs from gpkg_geometry_columns`
	}
	rows, err := s.db.QueryContext(ctx, `
		select c.table_name, coalesce(g.c, ''), coalesce(g.k, ''), coalesce(g.srs, c.srs_id, 0), c.data_type
		from gpkg_contents c
		left join (`+geometry+`) g on lower(g.t) = lower(c.table_name)
		order by c.rowid`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []packageTable
	var registered []string
	attributes := false
	for rows.Next() {
		var t packageTable
		var kind string
		if err := rows.Scan(&t.name, &t.geom, &t.typ, &t.srs, &kind); err != nil {
			return nil, err
		}
		registered = append(registered, t.name)
		attributes = attributes || kind == "attributes" || kind == "aspatial"
		if (kind == "features" || kind == "attributes" || kind == "aspatial") && containsFold(names, t.name) && !furniture(t.name) {
			out = append(out, t)
		}
	}
	for _, n := range names {
		if !attributes && !containsFold(registered, n) && !furniture(n) {
			out = append(out, packageTable{name: n})
		}
	}
	return out, rows.Err()
}

// furniture reports whether a table serves the file or a program, not people.
func furniture(name string) bool {
	n := strings.ToLower(name)
	for _, p := range []string{"gpkg_", "rtree_", "sqlite_", "idx_", "vgpkg_", "gpkgext_"} {
		if strings.HasPrefix(n, p) {
			return true
		}
	}
	return n == "layer_styles" || n == "qgis_projects" || n == "ogr_empty_table"
}

func containsFold(list []string, s string) bool {
	for _, x := range list {
		if strings.EqualFold(x, s) {
			return true
		}
	}
	return false
}

func (s *packageSource) names(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// readColumns lists the columns of a table, geometry and blobs left out.
func (s *packageSource) readColumns(ctx context.Context, t *packageTable) error {
	rows, err := s.db.QueryContext(ctx, `select name, coalesce(type, ''), pk from pragma_table_info(?)`, t.name)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var c packageColumn
		var key int
		if err := rows.Scan(&c.name, &c.declared, &key); err != nil {
			return err
		}
		if strings.EqualFold(c.name, t.geom) {
			t.geom = c.name
			continue
		}
		c.typ, c.width = sqliteType(c.declared)
		if key == 1 && c.typ == geo.IntegerField {
			t.key = c.name
			if f := strings.ToLower(c.name); f == "fid" || f == "ogc_fid" || f == "ogr_fid" {
				continue // a row number, not data
			}
		}
		t.columns = append(t.columns, c)
	}
	return rows.Err()
}

// sqliteType gives the field type of a declared column type; "" for blobs.
func sqliteType(declared string) (geo.FieldType, int) {
	d := strings.ToUpper(strings.TrimSpace(declared))
	width := 0
	if i := strings.IndexByte(d, '('); i > 0 {
		if n, ok := parseInt([]byte(strings.Trim(d[i:], "() "))); ok && n < 1<<20 {
			width = int(n)
		}
		d = strings.TrimSpace(d[:i])
	}
	switch {
	case d == "BOOLEAN" || d == "BOOL":
		return geo.BooleanField, width
	case d == "DATE":
		return geo.DateField, width
	case d == "DATETIME" || strings.HasPrefix(d, "TIMESTAMP"):
		return geo.TimeField, width
	case strings.Contains(d, "INT"):
		return geo.IntegerField, width
	case strings.Contains(d, "REAL"), strings.Contains(d, "FLOA"), strings.Contains(d, "DOUB"), d == "NUMERIC", d == "DECIMAL":
		return geo.RealField, width
	case d == "BLOB", isGeometryType(d):
		return "", 0
	case strings.HasPrefix(d, "JSON"):
		return geo.JSONField, width
	}
	return geo.TextField, width
}

func isGeometryType(d string) bool {
	switch d {
	case "GEOMETRY", "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION", "CURVEPOLYGON", "MULTISURFACE", "MULTICURVE", "COMPOUNDCURVE", "CIRCULARSTRING", "SURFACE", "CURVE":
		return true
	}
	return false
}

func (s *packageSource) Format() string  { return "geopackage" }
func (s *packageSource) Layers() []Layer { return s.layers }

func (s *packageSource) Close() error {
	var errs []error
	if s.db != nil {
		errs = append(errs, s.db.Close())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
