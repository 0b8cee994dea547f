package sample

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the database/sql driver of GeoPackages
)

// A gpkgLayer is a feature table in EPSG:2154; columns are SQL definitions.
type gpkgLayer struct {
	name, title, geometry string
	columns               []string
	features              []gpkgFeature
}

type gpkgFeature struct {
	geometry gpkgGeometry
	values   []any
}

// A gpkgGeometry is WKB with its extent, coordinates in EPSG:2154.
type gpkgGeometry struct {
	wkb    []byte
	bounds box
}

func multiPolygon(polygons [][]line) gpkgGeometry {
	g := gpkgGeometry{bounds: boxOf(nil)}
	var b bytes.Buffer
	header(&b, 6, len(polygons))
	for _, rings := range polygons {
		header(&b, 3, len(rings))
		for i, r := range rings {
			if (area(r) > 0) != (i == 0) {
				r = r.reversed()
			}
			g.points(&b, append(r.lambert(), r[0].lambert()))
		}
	}
	g.wkb = b.Bytes()
	return g
}

func multiLine(parts []line) gpkgGeometry {
	g := gpkgGeometry{bounds: boxOf(nil)}
	var b bytes.Buffer
	header(&b, 5, len(parts))
	for _, l := range parts {
		b.Write([]byte{1, 2, 0, 0, 0})
		g.points(&b, l.lambert())
	}
	g.wkb = b.Bytes()
	return g
}

func header(b *bytes.Buffer, kind uint32, n int) {
	b.WriteByte(1)
	_ = binary.Write(b, binary.LittleEndian, []uint32{kind, uint32(n)})
}

func (g *gpkgGeometry) points(b *bytes.Buffer, l line) {
	_ = binary.Write(b, binary.LittleEndian, uint32(len(l)))
	_ = binary.Write(b, binary.LittleEndian, l)
	for _, p := range l {
		g.bounds = box{min(g.bounds.X0, p.X), min(g.bounds.Y0, p.Y), max(g.bounds.X1, p.X), max(g.bounds.Y1, p.Y)}
	}
}

// blob is the geometry as GeoPackage stores it: header, envelope, WKB.
func (g gpkgGeometry) blob() []byte {
	var b bytes.Buffer
	b.WriteString("GP")
	b.Write([]byte{0, 0b11}) // version 1, little endian, envelope of x and y
	_ = binary.Write(&b, binary.LittleEndian, int32(2154))
	_ = binary.Write(&b, binary.LittleEndian, []float64{g.bounds.X0, g.bounds.X1, g.bounds.Y0, g.bounds.Y1})
	b.Write(g.wkb)
	return b.Bytes()
}

const wkt2154 = `PROJCS["RGF93 v1 / Lambert-93",GEOGCS["RGF93 v1",DATUM["Reseau_Geodesique_Francais_1993_v1",SPHEROID["GRS 1980",6378137,298.257222101,AUTHORITY["EPSG","7019"]],AUTHORITY["EPSG","6171"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4171"]],PROJECTION["Lambert_Conformal_Conic_2SP"],PARAMETER["latitude_of_origin",46.5],PARAMETER["central_meridian",3],PARAMETER["standard_parallel_1",49],PARAMETER["standard_parallel_2",44],PARAMETER["false_easting",700000],PARAMETER["false_northing",6600000],UNIT["metre",1,AUTHORITY["EPSG","9001"]],AXIS["Easting",EAST],AXIS["Northing",NORTH],AUTHORITY["EPSG","2154"]]`

const wkt4326 = `GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",0.0174532925199433,AUTHORITY["EPSG","9122"]],AXIS["Latitude",NORTH],AXIS["Longitude",EAST],AUTHORITY["EPSG","4326"]]`

// gpkgBase makes an empty GeoPackage 1.3.
const gpkgBase = `
pragma page_size = 4096;
pragma journal_mode = off;
pragma synchronous = off;
pragma application_id = 1196444487;
pragma user_version = 10300;
create table gpkg_spatial_ref_sys (
  srs_name text not null, srs_id integer not null primary key, organization text not null,
  organization_coordsys_id integer not null, definition text not null, description text);
create table gpkg_contents (
  table_name text not null primary key, data_type text not null, identifier text unique, description text default '',
  last_change datetime not null default (strftime('%Y-%m-%dT%H:%M:%fZ','now')),
  min_x double, min_y double, max_x double, max_y double, srs_id integer,
  constraint fk_gc_r_srs_id foreign key (srs_id) references gpkg_spatial_ref_sys(srs_id));
create table gpkg_geometry_columns (
  table_name text not null, column_name text not null, geometry_type_name text not null, srs_id integer not null,
  z tinyint not null, m tinyint not null,
  constraint pk_geom_cols primary key (table_name, column_name), constraint uk_gc_table_name unique (table_name),
  constraint fk_gc_tn foreign key (table_name) references gpkg_contents(table_name),
  constraint fk_gc_srs foreign key (srs_id) references gpkg_spatial_ref_sys (srs_id));
`

// geoPackage writes the layers; the same layers and day give the same bytes,
// for SQLite's pages follow from its statements.
func geoPackage(ctx context.Context, date time.Time, layers []gpkgLayer) ([]byte, error) {
	dir, err := os.MkdirTemp("", "calanque-sample-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "parc.gpkg")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // pragmas hold for a connection
	err = fillGeoPackage(ctx, db, date, layers)
	if e := db.Close(); err == nil {
		err = e
	}
	if err != nil {
		return nil, fmt.Errorf("geopackage: %w", err)
	}
	return os.ReadFile(path)
}

func fillGeoPackage(ctx context.Context, db *sql.DB, date time.Time, layers []gpkgLayer) error {
	if _, err := db.ExecContext(ctx, gpkgBase); err != nil {
		return err
	}
	for _, srs := range [][]any{
		{"Undefined cartesian SRS", -1, "NONE", -1, "undefined", "undefined cartesian coordinate reference system"},
		{"Undefined geographic SRS", 0, "NONE", 0, "undefined", "undefined geographic coordinate reference system"},
		{"WGS 84 geodetic", 4326, "EPSG", 4326, wkt4326, "longitude/latitude coordinates in decimal degrees on the WGS 84 spheroid"},
		{"RGF93 v1 / Lambert-93", 2154, "EPSG", 2154, wkt2154, "Lambert-93"},
	} {
		if _, err := db.ExecContext(ctx, `insert into gpkg_spatial_ref_sys values (?, ?, ?, ?, ?, ?)`, srs...); err != nil {
			return err
		}
	}
	for _, l := range layers {
		if err := l.write(ctx, db, date); err != nil {
			return fmt.Errorf("layer %s: %w", l.name, err)
		}
	}
	return nil
}

func (l gpkgLayer) write(ctx context.Context, db *sql.DB, date time.Time) error {
	create := fmt.Sprintf(`create table %s (fid integer primary key autoincrement not null, geom %s, %s)`, l.name, l.geometry, strings.Join(l.columns, ", "))
	if _, err := db.ExecContext(ctx, create); err != nil {
		return err
	}
	b := boxOf(nil)
	for _, f := range l.features {
		o := f.geometry.bounds
		b = box{min(b.X0, o.X0), min(b.Y0, o.Y0), max(b.X1, o.X1), max(b.Y1, o.Y1)}
	}
	_, err := db.ExecContext(ctx, `insert into gpkg_contents values (?, 'features', ?, ?, ?, ?, ?, ?, ?, 2154)`,
		l.name, l.title, "Données fictives", date.UTC().Format("2006-01-02T15:04:05.000Z"), b.X0, b.Y0, b.X1, b.Y1)
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, `insert into gpkg_geometry_columns values (?, 'geom', ?, 2154, 0, 0)`, l.name, l.geometry); err != nil {
		return err
	}
	marks := strings.Repeat(", ?", 1+len(l.columns))
	for i, f := range l.features {
		args := append([]any{i + 1, f.geometry.blob()}, f.values...)
		if _, err := db.ExecContext(ctx, fmt.Sprintf(`insert into %s values (?%s)`, l.name, marks), args...); err != nil {
			return err
		}
	}
	return nil
}
