package geo

import "time"

// A FieldType is the type of a column. Zeroed codes (INSEE, postcode) are Text.
type FieldType string

// The field types, with the Go type of a Feature's value and the PostgreSQL
// type of its column.
const (
	TextField    FieldType = "text"      // string, text
	IntegerField FieldType = "integer"   // int64, bigint
	RealField    FieldType = "real"      // float64, double precision
	BooleanField FieldType = "boolean"   // bool, boolean
	DateField    FieldType = "date"      // time.Time at midnight UTC, date
	TimeField    FieldType = "timestamp" // time.Time, timestamptz
	JSONField    FieldType = "json"      // json.RawMessage, jsonb
)

// A Field is one column of a layer.
type Field struct {
	Name  string    `json:"name"`            // column and property name: lower snake case, at most 63 bytes
	Title string    `json:"title,omitempty"` // as the partner wrote it, when it differs
	Label Text      `json:"label,omitempty"` // what a visitor reads, from the catalogue file
	Type  FieldType `json:"type"`
}

// NameFields are the columns that usually name a feature, best first: lists
// show them where the catalogue says nothing, and search looks in them.
var NameFields = []string{
	"name", "nom", "libelle", "nom_usuel", "nom_station", "lib_zone", "nom_com", "nom_commune",
	"appellation", "designation", "intitule", "titre", "title", "label",
}

// A GeometryType is the kind of geometry that a whole layer has.
type GeometryType string

// The geometry types of layers. Loading promotes to Multi, so one of these
// always fits; Mixed is for layers that really mix dimensions, None for tables.
const (
	Point   GeometryType = "point"
	Line    GeometryType = "line"
	Polygon GeometryType = "polygon"
	Mixed   GeometryType = "mixed"
	None    GeometryType = "none"
)

// A Relation is a table or view that tiles and features can be read from: one
// layer at one version. Readers never ask which life it has.
type Relation struct {
	Layer    string // its one name everywhere: collection, tile layer, vector_layers
	Dataset  string // slug; "" for OSM and outcomes
	Producer string // producer id; "openstreetmap" for OSM
	Life     Life
	Title    Text

	Schema, Table string    // quoted by whoever builds SQL
	Version       VersionID // 0 for series and live
	Revision      int64     // grows with every change that readers could see
	Key           string    // column of the item id, unique and not null
	Geom          string    // geometry column in SRID; "" when there is none
	Geom3857      string    // the same in 3857, indexed; "" when there is none
	SRID          SRID
	Time          string // timestamptz column of a series; "" otherwise
	Fields        []Field
	GeometryType  GeometryType
	Extent        Box   // CRS84; empty when there is no geometry
	Count         int64 // exact number of items; of a series, of all times
	Updated       time.Time
}

// Field gives the field with that name and whether there is one.
func (r *Relation) Field(name string) (Field, bool) {
	for _, f := range r.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}
