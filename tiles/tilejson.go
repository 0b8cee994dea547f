package tiles

import (
	"context"
	"fmt"
	"math"
	"net/url"
	"strings"

	"calanque/geo"
)

// declared is the deepest zoom that clients are told of: half a metre a tile
// unit. Deeper tiles are answered but add nothing to see.
const declared = 14

// A TileJSON describes a tileset, as of version 3.0.0 of its specification.
type TileJSON struct {
	Version      string        `json:"tilejson"`
	Name         string        `json:"name"`
	Description  string        `json:"description,omitempty"`
	Attribution  string        `json:"attribution,omitempty"` // plain text, never HTML
	Scheme       string        `json:"scheme"`
	Tiles        []string      `json:"tiles"`
	MinZoom      int           `json:"minzoom"`
	MaxZoom      int           `json:"maxzoom"`
	Bounds       []float64     `json:"bounds,omitempty"` // CRS84
	Center       []float64     `json:"center,omitempty"` // lon, lat, zoom
	VectorLayers []VectorLayer `json:"vector_layers"`
	Calanque     Declared      `json:"calanque"`
}

// A VectorLayer describes one layer of a tile: each field with what it holds.
type VectorLayer struct {
	ID          string            `json:"id"`
	Description string            `json:"description,omitempty"`
	MinZoom     int               `json:"minzoom"`
	MaxZoom     int               `json:"maxzoom"`
	Fields      map[string]string `json:"fields"`
}

// Declared is what TileJSON has no word for: how tiles are made and what they
// leave out.
type Declared struct {
	Tag       string   `json:"tag"` // changes whenever a tile may
	Extent    int      `json:"extent"`
	Buffer    int      `json:"buffer"`
	Budget    int      `json:"budget_bytes"` // no tile is larger, gzipped
	Unthinned int      `json:"unthinned"`    // from this zoom on nothing is left out
	Thinning  []Rule   `json:"thinning,omitempty"`
	Fields    []string `json:"thinned_fields,omitempty"` // attributes below unthinned
	Provisory bool     `json:"provisory,omitempty"`      // thinning is not decided yet: ask again
}

// About is what a TileJSON says that the relation does not know.
type About struct {
	Base        string // URL that the tile paths are appended to: "https://example.org"
	Lang        string // of names and descriptions
	Description string
	Attribution string // producer and licence, plain text
}

// TileJSON describes the tiles of a relation. Its tile URLs carry the tag, so
// that what they answer may be kept for ever.
func (t *Tiles) TileJSON(ctx context.Context, rel geo.Relation, about About) (TileJSON, error) {
	if rel.Geom3857 == "" && rel.Layer != BasemapLayer {
		return TileJSON{}, fmt.Errorf("tiles of %s, which has no geometry: %w", rel.Layer, geo.ErrNotFound)
	}
	pl, err := t.plan(ctx, rel)
	if err != nil {
		return TileJSON{}, err
	}
	j := TileJSON{
		Version: "3.0.0", Name: rel.Title.In(about.Lang), Description: about.Description, Attribution: about.Attribution,
		Scheme: "xyz", MaxZoom: declared,
		Tiles: []string{fmt.Sprintf("%s/tiles/%s/{z}/{x}/{y}.mvt?v=%s",
			strings.TrimSuffix(about.Base, "/"), url.PathEscape(rel.Layer), pl.tag)},
		Calanque: Declared{Tag: pl.tag, Extent: Extent, Buffer: Buffer, Budget: Budget},
	}
	if j.Name == "" {
		j.Name = rel.Layer
	}
	if !pl.extent.Empty() {
		j.Bounds, j.Center = frame(pl.extent)
	}
	if rel.Layer == BasemapLayer {
		j.VectorLayers = basemapLayers()
		return j, nil
	}
	if th := pl.thinning; th != nil {
		j.MaxZoom = max(declared, th.Unthinned)
		j.Calanque.Unthinned, j.Calanque.Thinning, j.Calanque.Fields = th.Unthinned, th.Rules, th.Fields
	} else if pl.firstLevel(rel, 0) > 0 {
		j.Calanque.Unthinned, j.Calanque.Provisory = sightZoom, true
	}
	j.VectorLayers = []VectorLayer{{
		ID: rel.Layer, Description: j.Name, MaxZoom: j.MaxZoom, Fields: describe(rel, pl, about.Lang),
	}}
	return j, nil
}

// describe says what each attribute holds: its label and its type.
func describe(rel geo.Relation, pl *plan, lang string) map[string]string {
	fields := map[string]string{}
	for _, f := range rel.Fields {
		kind := map[geo.FieldType]string{
			geo.IntegerField: "Number", geo.RealField: "Number", geo.BooleanField: "Boolean",
		}[f.Type]
		if kind == "" {
			kind = "String"
		}
		label := f.Label.In(lang)
		if label == "" {
			label = f.Title
		}
		if label != "" && label != f.Name {
			kind += " — " + label
		}
		fields[f.Name] = kind
	}
	fields["id"] = "String"
	if pl.thinned(0) {
		fields["point_count"] = "Number"
	}
	return fields
}

// frame gives the bounds of an extent, and its centre with the zoom at which
// it fills about a tile.
func frame(e geo.Box) (bounds, center []float64) {
	x0, y0 := mercator(e.MinX, e.MinY)
	x1, y1 := mercator(e.MaxX, e.MaxY)
	zoom := float64(declared)
	if side := max(x1-x0, y1-y0); side > 0 {
		zoom = max(0, min(declared, math.Floor(math.Log2(2*edge/side))))
	}
	// Rounded outwards to 1e-7°, a centimetre, so that nothing falls outside.
	down := func(v float64) float64 { return math.Floor(v*1e7) / 1e7 }
	up := func(v float64) float64 { return math.Ceil(v*1e7) / 1e7 }
	bounds = []float64{down(e.MinX), down(e.MinY), up(e.MaxX), up(e.MaxY)}
	return bounds, []float64{(bounds[0] + bounds[2]) / 2, (bounds[1] + bounds[3]) / 2, zoom}
}

// Current tells whether an ETag that a client holds is of the tile as it is
// now, without making it: the tag in it has not changed. It is false when the
// layer's plan is not known yet.
func (t *Tiles) Current(rel geo.Relation, etag string) bool {
	t.mu.Lock()
	pl := t.plans[planKey{rel.Layer, state(rel)}]
	t.mu.Unlock()
	return pl != nil && strings.HasPrefix(etag, `"`+pl.tag+"-") && strings.HasSuffix(etag, `"`)
}

// Immutable tells whether v, the parameter of a tile URL, names the tiles as
// they are now, so that the answer may be kept for ever.
func (t *Tiles) Immutable(rel geo.Relation, v string) bool {
	t.mu.Lock()
	pl := t.plans[planKey{rel.Layer, state(rel)}]
	t.mu.Unlock()
	return pl != nil && v == pl.tag
}

// basemapLayers describes the layers of the basemap.
func basemapLayers() []VectorLayer {
	list := make([]VectorLayer, len(shortbread))
	for i, l := range shortbread {
		fields := map[string]string{}
		for _, f := range strings.Fields(l.fields) {
			if f == "names" {
				fields["name"] = "String"
				for _, lang := range nameLanguages {
					fields["name_"+lang] = "String"
				}
				continue
			}
			at := strings.LastIndexByte(f, ':')
			fields[f[:at]] = f[at+1:]
		}
		list[i] = VectorLayer{ID: l.name, MinZoom: l.minzoom, MaxZoom: declared, Fields: fields}
	}
	return list
}
