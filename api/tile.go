package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
	"calanque/tiles"
	"calanque/viewer"
)

// osmLayers are the layers that the basemap is drawn from.
var osmLayers = []string{"osm_points", "osm_lines", "osm_areas"}

// basemap makes the relation that stands for the basemap's tiles; nil while
// there is no OpenStreetMap.
func basemap(relations []geo.Relation) *geo.Relation {
	base := geo.Relation{
		Layer: tiles.BasemapLayer, Producer: "openstreetmap", Life: geo.Live, GeometryType: geo.Mixed,
		Title: geo.Text{"fr": "Fond de carte", "en": "Base map", "it": "Mappa di base"}, Extent: geo.EmptyBox(),
	}
	found := false
	for i := range relations {
		r := &relations[i]
		for _, name := range osmLayers {
			if r.Layer != name {
				continue
			}
			found = true
			base.Revision += r.Revision
			if !r.Extent.Empty() {
				base.Extent = base.Extent.Union(r.Extent)
			}
			if r.Updated.After(base.Updated) {
				base.Updated = r.Updated
			}
		}
	}
	if !found {
		return nil
	}
	return &base
}

// tileRelation finds the relation of a request for tiles.
func (s *Server) tileRelation(r *http.Request) (*state, *geo.Relation, error) {
	st, err := s.current()
	if err != nil {
		return nil, nil, err
	}
	name, err := url.PathUnescape(pathVar(r, "layer"))
	rel := st.relation(name)
	if name == tiles.BasemapLayer && rel == nil {
		rel = st.basemap
	}
	if err != nil || rel == nil {
		return nil, nil, fmt.Errorf("layer %q: %w", name, geo.ErrNotFound)
	}
	return st, rel, nil
}

// tileJSON answers what a client needs to know to ask for tiles.
func (s *Server) tileJSON(w http.ResponseWriter, r *http.Request) error {
	st, rel, err := s.tileRelation(r)
	if err != nil {
		return err
	}
	v, err := query(r, "lg")
	if err != nil {
		return err
	}
	about := tiles.About{Base: s.base(r), Lang: viewer.Lang(v.Get("lg"), ""), Attribution: attribution(st.layer(rel.Layer))}
	j, err := s.Tiles.TileJSON(r.Context(), *rel, about)
	if err != nil {
		return err
	}
	return answer.JSON(w, r, answer.TypeJSON, j)
}

// attribution says who made a layer, as plain text: what is markup elsewhere
// would be a way in for scripts.
func attribution(l *viewer.Layer) string {
	if l == nil {
		return "© OpenStreetMap (ODbL 1.0)"
	}
	s := l.Producer.Title.In("fr")
	if title := l.Licence.Title.In("fr"); title != "" {
		s += " (" + title + ")"
	}
	return "© " + s
}

// tile answers one tile (architecture, path 2): 304 before any work, 200
// without bytes for an empty tile inside the layer's bounds, 404 outside.
func (s *Server) tile(w http.ResponseWriter, r *http.Request) error {
	_, rel, err := s.tileRelation(r)
	if err != nil {
		return err
	}
	var at [3]int
	for i, name := range []string{"z", "x", "y"} {
		if at[i], err = tileNumber(name, pathVar(r, name)); err != nil {
			return err
		}
	}
	v, err := query(r, "datetime", "v")
	if err != nil {
		return err
	}
	var p tiles.Params
	if v.Has("datetime") {
		interval, err := features.ParseInterval(v.Get("datetime"), s.Zone)
		if err != nil {
			return err
		}
		p.Time = &interval
	}
	h := w.Header()
	h.Set("Cache-Control", answer.Revalidate)
	if s.Tiles.Immutable(*rel, v.Get("v")) {
		h.Set("Cache-Control", answer.Forever)
	}
	if answer.Held(w, r, func(tag string) bool { return s.Tiles.Current(*rel, `"`+tag+`"`) }) {
		return nil
	}
	t, err := s.Tiles.Get(r.Context(), *rel, at[0], at[1], at[2], p)
	if features.Stale(err) {
		// The layer was replaced after the catalogue was read: once more, with the new one.
		if err := s.Refresh(r.Context()); err != nil {
			return err
		}
		if _, rel, err = s.tileRelation(r); err != nil {
			return err
		}
		t, err = s.Tiles.Get(r.Context(), *rel, at[0], at[1], at[2], p)
	}
	if err != nil {
		return err
	}
	if answer.Unchanged(w, r, strings.Trim(t.ETag, `"`)) {
		return nil
	}
	writeTile(w, r, t)
	return nil
}

// writeTile writes a tile as it was compressed when it was made, to those who
// take that.
func writeTile(w http.ResponseWriter, r *http.Request, t tiles.Tile) {
	body := t.Body
	if len(t.Body) > 0 && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body = t.Gzip
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", `"`+strings.Trim(t.ETag, `"`)+answer.GzipSuffix+`"`)
	}
	answer.Write(w, answer.TypeMVT, body)
}

// tileNumber reads a zoom, column or row: digits and nothing else.
func tileNumber(name, s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || s[0] == '+' || s[0] == '-' {
		want := "want a whole number"
		var numError *strconv.NumError
		if errors.As(err, &numError) && numError.Err == strconv.ErrRange || s != "" && s[0] == '-' {
			want = "want a number of the tile grid"
		}
		return 0, &geo.ParamError{Param: name, Value: short(s), Want: want}
	}
	return n, nil
}

// acceptsGzip reports whether an Accept-Encoding header takes gzip.
func acceptsGzip(header string) bool {
	any := false
	for _, part := range strings.Split(header, ",") {
		coding, params, _ := strings.Cut(part, ";")
		ok := true
		if q, found := strings.CutPrefix(strings.TrimSpace(params), "q="); found {
			f, err := strconv.ParseFloat(strings.TrimSpace(q), 64)
			ok = err == nil && f > 0
		}
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case "gzip", "x-gzip":
			return ok
		case "*":
			any = ok
		}
	}
	return any
}

// query reads a query string in which only the named parameters may be, each
// once.
func query(r *http.Request, names ...string) (url.Values, error) {
	return features.ParseQuery(r.URL.RawQuery, names...)
}

func short(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
