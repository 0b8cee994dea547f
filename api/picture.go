package api

import (
	"bytes"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"

	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
	"calanque/viewer"
)

// The limits of a picture.
const (
	minSide, maxSide = 16, 2000 // pixels
	pictureFeatures  = 3000     // of the layer; more would be a blot
	pictureGround    = 1500     // communes under it
)

// picture answers a layer drawn as SVG: the map for those without a script.
func (s *Server) picture(w http.ResponseWriter, r *http.Request) error {
	st, err := s.current()
	if err != nil {
		return err
	}
	name, err := url.PathUnescape(pathVar(r, "layer"))
	rel, l := st.relation(name), st.layer(name)
	if err != nil || rel == nil || rel.Geom3857 == "" {
		return fmt.Errorf("picture of %q: %w", short(name), geo.ErrNotFound)
	}
	v, err := query(r, "bbox", "width", "height", "datetime", "lg")
	if err != nil {
		return err
	}
	d := viewer.Drawing{Lang: viewer.Lang(v.Get("lg"), ""), Box: rel.Extent, Numbered: true}
	d.Title = l.Titles.In(d.Lang)
	if d.Width, err = side(v, "width", 1000); err != nil {
		return err
	}
	if d.Height, err = side(v, "height", 700); err != nil {
		return err
	}
	q := geo.Query{Limit: pictureFeatures}
	if v.Has("bbox") {
		if d.Box, err = features.ParseBox("bbox", v.Get("bbox")); err != nil {
			return err
		}
		q.Box = &d.Box
	}
	f := filler{s: s, st: st, q: url.Values{}}
	q.Interval = f.when(l)
	if v.Has("datetime") {
		interval, err := features.ParseInterval(v.Get("datetime"), s.Zone)
		if err != nil {
			return err
		}
		q.Interval = &interval
	}
	if answer.Unchanged(w, r, answer.Tag(st.tag, r.URL.Path, r.URL.RawQuery, q.Interval)) {
		return nil
	}
	q.Simplify = pixel(d)
	over, err := f.read(r.Context(), rel, q)
	if err != nil {
		return err
	}
	if d.Under, err = f.ground(r, d, name); err != nil {
		return err
	}
	d.Over = []viewer.Drawn{{Layer: *l, Features: over}}
	d.Numbered = len(over) <= viewer.PageSize
	var b bytes.Buffer
	if err := viewer.SVG(&b, d); err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	answer.Write(w, "image/svg+xml", b.Bytes())
	return nil
}

// ground reads what is drawn under the data: the communes.
func (f *filler) ground(r *http.Request, d viewer.Drawing, layer string) ([]viewer.Drawn, error) {
	rel, l := f.st.relation(communesLayer), f.st.layer(communesLayer)
	if rel == nil || rel.Geom3857 == "" || layer == communesLayer || d.Box.Empty() {
		return nil, nil
	}
	list, err := f.read(r.Context(), rel, geo.Query{Box: &d.Box, Limit: pictureGround, Simplify: pixel(d)})
	if err != nil {
		return nil, err
	}
	return []viewer.Drawn{{Layer: *l, Features: list}}, nil
}

// side reads a width or height in pixels.
func side(v url.Values, name string, otherwise int) (int, error) {
	if !v.Has(name) {
		return otherwise, nil
	}
	n, err := strconv.Atoi(v.Get(name))
	if err != nil || n < minSide || n > maxSide {
		return 0, &geo.ParamError{Param: name, Value: short(v.Get(name)), Want: fmt.Sprintf("want a number of pixels from %d to %d", minSide, maxSide)}
	}
	return n, nil
}

// pixel is half a pixel of a drawing in metres of EPSG:3857: nobody sees less.
func pixel(d viewer.Drawing) float64 {
	if d.Box.Empty() {
		return 1
	}
	const metresPerDegree = 6378137 * math.Pi / 180
	return max(0.1, (d.Box.MaxX-d.Box.MinX)*metresPerDegree/float64(d.Width)/2)
}
