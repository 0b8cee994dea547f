package format

import (
	"bytes"
	"context"
	"path/filepath"
	"strconv"
	"strings"

	"calanque/geo"
	"calanque/geo/crs"
)

// geoJSON reads FeatureCollections, single Features and geometries, text
// sequences (one Feature a line) and arrays of either; an array of plain
// objects is a table. One feature at a time is in memory.
var geoJSON = Format{
	Name: "geojson",
	Match: func(h Head) bool {
		switch h.Ext {
		case ".geojson", ".json", ".geojsonl", ".geojsons", ".ndjson", ".js":
			return true
		}
		b := bytes.TrimLeft(bytes.TrimPrefix(h.Bytes, []byte("\ufeff")), " \t\r\n\x1e")
		return len(b) > 1 && (b[0] == '{' || b[0] == '[' && bytes.IndexByte(b, '{') > 0 && len(bytes.TrimSpace(b[1:bytes.IndexByte(b, '{')])) == 0)
	},
	Open: openGeoJSON,
}

// A geoJSONSource is an opened file, looked through once.
type geoJSONSource struct {
	path  string
	file  string
	layer Layer
	text  decoder
	utf16 bool
	rows  bool // an array of plain objects

	columns []jsonColumn
	index   map[string]int // raw property name → column
	meta    map[string]string
	foreign []string
}

// A jsonColumn is a property, with what all its values look like.
type jsonColumn struct {
	raw                                     string
	typ                                     geo.FieldType
	bools, ints, bigs, reals, texts, nested int64
	cache                                   cache
}

func openGeoJSON(ctx context.Context, path string, o Options) (Source, error) {
	g := &geoJSONSource{path: path, file: filepath.Base(path), index: map[string]int{}, meta: map[string]string{}}
	g.layer = Layer{Name: stemOf(path), GeometryType: geo.None}
	v, err := g.scan(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := g.decide(v, o); err != nil {
		return nil, err
	}
	return g, nil
}

// scan looks at every feature once: columns, their types, geometry types, and
// whether the text is UTF-8.
func (g *geoJSONSource) scan(ctx context.Context, o Options) (*verdict, error) {
	v := &verdict{}
	g.utf16 = isUTF16(o.Encoding)
	kinds := geo.None
	objects := 0
	err := g.walk(ctx, true, func(raw []byte, _ int64) error {
		f := splitFeature(raw, g.rows)
		g.layer.Count++
		if f.why == "" {
			objects++
			kinds = mergeKind(kinds, kindOfJSON(f.geometry))
			g.addForeign(f.foreign)
			g.addProperties(f.properties, v)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	g.layer.GeometryType = kinds
	if objects == 0 && g.layer.Count > 0 {
		return nil, g.notGeoJSON()
	}
	return v, nil
}

func isUTF16(encoding string) bool {
	return strings.HasPrefix(strings.ToLower(strings.ReplaceAll(encoding, "-", "")), "utf16")
}

// kindOfJSON gives the kind of a raw geometry by its type name alone.
func kindOfJSON(raw []byte) geo.GeometryType {
	c := &cursor{b: raw}
	if c.peek() != '{' {
		return geo.None
	}
	c.i++
	for first := true; c.next('}', first); first = false {
		if k := c.key(); string(k) == "type" {
			switch geoJSONKind(c.text()) {
			case kindPoint, kindMultiPoint:
				return geo.Point
			case kindLineString, kindMultiLineString:
				return geo.Line
			case kindPolygon, kindMultiPolygon:
				return geo.Polygon
			}
			return geo.Mixed
		}
		c.skip()
	}
	return geo.None
}

func (g *geoJSONSource) addForeign(names []string) {
	for _, n := range names {
		if len(g.foreign) < 20 && !contains(g.foreign, n) {
			g.foreign = append(g.foreign, n)
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// maxColumns is what a PostgreSQL table holds, less the hub's own columns.
const maxColumns = 1500

func (g *geoJSONSource) addProperties(raw []byte, v *verdict) {
	c := &cursor{b: raw}
	if c.peek() != '{' {
		return
	}
	c.i++
	for first := true; c.next('}', first); first = false {
		k := c.key()
		val := c.skip()
		if c.bad {
			return
		}
		i, ok := g.index[string(k)]
		if !ok {
			if len(g.columns) >= maxColumns {
				continue
			}
			i = len(g.columns)
			g.index[string(k)] = i
			g.columns = append(g.columns, jsonColumn{raw: string(k)})
			v.add(k)
		}
		g.columns[i].add(val)
		v.add(val)
	}
}

func (c *jsonColumn) add(val []byte) {
	switch val[0] {
	case '"':
		c.texts++
	case '{', '[':
		c.nested++
	case 't', 'f':
		c.bools++
	case 'n', 'N', 'I':
	default:
		if _, ok := parseInt(val); ok {
			c.ints++
		} else if bytes.ContainsAny(val, ".eE") || string(val) == "-Infinity" {
			c.reals++
		} else {
			c.bigs++
		}
	}
}

// decideType gives the type that all the values fit; what mixes kinds, or has
// more digits than an integer holds, is text with every value as it was written.
func (c *jsonColumn) decideType() geo.FieldType {
	numbers := c.ints + c.reals
	switch others := c.texts + c.bigs; {
	case others == 0 && c.nested == 0 && c.bools == 0 && c.reals == 0 && c.ints > 0:
		return geo.IntegerField
	case others == 0 && c.nested == 0 && c.bools == 0 && numbers > 0:
		return geo.RealField
	case others+numbers+c.nested == 0 && c.bools > 0:
		return geo.BooleanField
	case others+numbers+c.bools == 0 && c.nested > 0:
		return geo.JSONField
	}
	return geo.TextField
}

func (g *geoJSONSource) decide(v *verdict, o Options) error {
	g.text = decoder{single: v.choose(nil), utf8: v.mostlyUTF8()}
	g.layer.Encoding = v.name(g.text.single)
	if o.Encoding != "" && !g.utf16 {
		c, ok := charsetNamed(o.Encoding)
		if !ok {
			return geo.Bad(nil, "option.encoding", "encoding", o.Encoding)
		}
		g.text, g.layer.Encoding = decoder{single: c, utf8: c == nil, forced: true}, o.Encoding
	}
	if g.layer.Encoding != "utf-8" {
		g.layer.Notes = append(g.layer.Notes, geo.Say("text.not-utf8", "encoding", g.layer.Encoding))
	}
	for i := range g.columns {
		c := &g.columns[i]
		c.typ = c.decideType()
		title, _ := g.text.appendText(nil, []byte(c.raw), false)
		title, _ = appendUnescaped(nil, title)
		g.layer.Columns = append(g.layer.Columns, Column{Title: string(title), Type: c.typ})
	}
	g.decideCRS(o)
	g.decideNotes()
	return nil
}

func (g *geoJSONSource) decideCRS(o Options) {
	declared := crsMember([]byte(g.meta["crs"]))
	g.layer.CRS = declaredCRS(declared, o)
	g.layer.CRS.Axes = crs.XY // GeoJSON has longitude first, whatever the URN's authority says
	if declared == "" && o.CRS == 0 && g.layer.GeometryType != geo.None {
		g.layer.CRS = CRS{SRID: geo.WGS84, Guessed: true}
	}
}

// crsMember gives the name of the system in a "crs" member of 2008.
func crsMember(raw []byte) string {
	name, _ := jsonPath(raw, "properties", "name")
	if name == "" {
		name, _ = jsonPath(raw, "properties", "href")
	}
	if name == "" {
		if code, ok := jsonPath(raw, "properties", "code"); ok {
			name = "EPSG:" + code
		}
	}
	return name
}

// jsonPath gives the text or number at a path of members.
func jsonPath(raw []byte, path ...string) (string, bool) {
	for _, name := range path {
		c := &cursor{b: raw}
		if c.peek() != '{' {
			return "", false
		}
		c.i++
		var found []byte
		for first := true; c.next('}', first); first = false {
			k := c.key()
			v := c.skip()
			if string(k) == name {
				found = v
			}
		}
		if found == nil {
			return "", false
		}
		raw = found
	}
	if len(raw) > 0 && raw[0] == '"' {
		t, _ := appendUnescaped(nil, raw[1:len(raw)-1])
		return string(t), true
	}
	return string(raw), len(raw) > 0 && raw[0] != '{' && raw[0] != '['
}

func (g *geoJSONSource) decideNotes() {
	if raw := g.meta["name"]; len(raw) > 2 && raw[0] == '"' {
		t, _ := g.text.appendText(nil, []byte(raw[1:len(raw)-1]), false)
		t, _ = appendUnescaped(nil, t)
		g.layer.Name = string(t)
	}
	if len(g.foreign) > 0 {
		g.layer.Notes = append(g.layer.Notes, geo.Say("geojson.foreign", "members", strings.Join(g.foreign, ", ")))
	}
	if len(g.columns) >= maxColumns {
		g.layer.Notes = append(g.layer.Notes, geo.Say("format.columns", "limit", maxColumns))
	}
	for _, m := range []string{"numberMatched", "totalFeatures"} {
		if n, err := strconv.ParseInt(g.meta[m], 10, 64); err == nil && n > g.layer.Count {
			g.layer.Notes = append(g.layer.Notes, geo.Say("geojson.partial", "found", g.layer.Count, "matched", n))
			return
		}
	}
	if g.meta["exceededTransferLimit"] == "true" {
		g.layer.Notes = append(g.layer.Notes, geo.Say("geojson.limit", "found", g.layer.Count))
	}
}

// notGeoJSON says what a JSON file is that has no feature.
func (g *geoJSONSource) notGeoJSON() error {
	for _, path := range [][]string{{"error", "message"}, {"error", "details"}, {"message"}, {"detail"}, {"error"}, {"description"}} {
		if s, ok := jsonPath([]byte(g.meta[path[0]]), path[1:]...); ok && s != "" && s != "null" {
			return geo.Bad(nil, "format.exception", "file", g.file, "message", plain(s))
		}
	}
	if raw := g.meta["exceptions"]; raw != "" { // GeoServer: [{"code":…, "text":…}]
		s, ok := jsonPath([]byte(strings.Trim(raw, "[] \r\n\t")), "text")
		if !ok {
			s = raw
		}
		return geo.Bad(nil, "format.exception", "file", g.file, "message", plain(s))
	}
	switch {
	case g.meta["type"] == `"Topology"`:
		return geo.Bad(nil, "geojson.topology", "file", g.file)
	case strings.Contains(g.meta["geometryType"], "esri"):
		return geo.Bad(nil, "geojson.esri", "file", g.file)
	}
	return geo.Bad(nil, "geojson.none", "file", g.file, "members", clip(g.meta["members"], 200))
}

func (g *geoJSONSource) Format() string  { return "geojson" }
func (g *geoJSONSource) Layers() []Layer { return []Layer{g.layer} }
func (g *geoJSONSource) Close() error    { return nil }
