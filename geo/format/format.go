// Package format turns bytes into features and back, one file per format,
// listed in one slice.
//
// It opens what partners really send: shapefiles with or without their side
// files, zipped or not, GeoPackages, GeoJSON in its dialects, and CSV with
// coordinates in whatever columns. It decides encoding by value, recognises
// the coordinate system by its parameters, and says in codes what it repaired
// and what it can't read. It does not transform coordinates, choose column
// names, type CSV columns or write to a database: package ingest does.
package format

import (
	"context"

	"calanque/geo"
	"calanque/geo/crs"
)

// Options are what a person knows better than the file. The zero value lets
// the file decide.
type Options struct {
	Encoding  string   // "utf-8", "cp1252", "cp850", "mac", "utf-16"; "" decides by value
	Delimiter string   // of CSV: one character; "" decides by the file
	Quote     string   // of CSV: one character, or "none"; "" is the double quote where it is used
	Header    *bool    // of CSV: whether the first row names the columns; nil decides by the file
	X, Y      string   // of CSV: the coordinate columns
	Geometry  string   // of CSV: one column with WKT, GeoJSON or "lat, lon"
	Layer     string   // the only layer wanted; "" is all
	CRS       geo.SRID // replaces what the file declares; 0 does not
}

// A Source is an opened file. It may be read any number of times; it is not
// safe for concurrent use.
type Source interface {
	// Format names the format: "shapefile", "geopackage", "geojson", "csv".
	Format() string
	// Layers lists the layers in file order; at least one.
	Layers() []Layer
	// Read calls fn with every record of the layer, in file order, until fn
	// returns an error, which is returned as it is. The record and its slices
	// are reused between calls (the strings in Values are not). A record that
	// can't be read has Err; an error of the file itself ends the reading with
	// a *geo.InputError.
	Read(ctx context.Context, layer int, fn func(*Record) error) error
	// Close frees what Open took, temporary files included.
	Close() error
}

// A Layer is one table of features in a source.
type Layer struct {
	Name         string
	Columns      []Column
	CRS          CRS
	GeometryType geo.GeometryType // None for a table
	Count        int64            // records that Read will give; -1 when unknown
	Encoding     string           // of the text, as decided; "" where the format fixes it
	Geometry     []string         // titles of the columns that the geometry is made of (CSV); they stay columns too
	Notes        []geo.Message    // what was decided or repaired for the whole layer
}

// A Column is one attribute of a layer, as the file has it.
type Column struct {
	Title   string        // as the partner wrote it; may be repeated or empty
	Type    geo.FieldType // as the file declares it, or as all its values have it
	Untyped bool          // the format has no types (CSV): Type is Text, ingest decides
	Width   int           // declared width in bytes or characters; 0 for none
}

// A CRS is the coordinate system that a layer declares.
type CRS struct {
	SRID     geo.SRID // EPSG code that spatial_ref_sys has; 0 unknown
	Declared string   // WKT, code or name as found; "" when nothing is declared
	Axes     crs.Axes // order of the coordinates in Record.Geometry as declared
	Guessed  bool     // SRID comes from column names or the default of the format, not from a declaration
}

// A Record is one row of a layer.
type Record struct {
	Number   int64           // 1-based, in file order
	Line     int64           // 1-based line of a text format where the record begins; 0 otherwise
	ID       string          // the feature's own id (GeoJSON, GeoPackage); "" for none
	Geometry []byte          // EWKB, little endian, without SRID, with Z where the file has it; nil for none
	Values   []any           // by Layer.Columns: nil, string, int64, float64, bool, time.Time; json text is a string
	Issues   []geo.Message   // what was repaired or lost in this record
	Err      *geo.InputError // why the record can't be read: it is to be rejected
	Raw      func() string   // the record as the file has it, for the report; valid during the call
}
