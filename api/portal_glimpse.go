package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"

	"github.com/jackc/pgx/v5"

	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
	"calanque/viewer"
)

// The small picture of a dataset's page, in pixels, and how much of the ground
// a close look at points shows, in metres of EPSG:3857.
const (
	glimpseWidth, glimpseHeight = 760, 300
	glimpseMetres               = 3600.0
	glimpseLeast                = 5      // points that are worth a close look
	glimpseSample               = 50_000 // points among which the densest place is looked for
)

// glimpse answers /apercu/{layer}.svg. It is drawn once for each revision.
func (s *Server) glimpse(w http.ResponseWriter, r *http.Request) error {
	st, err := s.current()
	if err != nil {
		return err
	}
	name, err := url.PathUnescape(pathVar(r, "layer"))
	rel, l := st.relation(name), st.layer(name)
	if err != nil || rel == nil || rel.Geom3857 == "" {
		return fmt.Errorf("glimpse of %q: %w", short(name), geo.ErrNotFound)
	}
	v, err := query(r, "lg")
	if err != nil {
		return err
	}
	g := viewer.Glimpse{Lang: viewer.Lang(v.Get("lg"), ""), Width: glimpseWidth, Height: glimpseHeight, Box: rel.Extent}
	g.Title = l.Titles.In(g.Lang)
	f := filler{s: s, st: st, q: url.Values{}}
	day := ""
	if i := f.when(l); i != nil {
		day = i.From.String()
	}
	if answer.Unchanged(w, r, answer.Tag("glimpse", st.tag, name, g.Lang, day)) {
		return nil
	}
	key := fmt.Sprint("glimpse ", name, rel.Revision, rel.Version, g.Lang, day)
	svg, err := s.drawings.get(key, func() (template.HTML, error) {
		if err := f.look(r.Context(), r, rel, l, &g); err != nil {
			return "", err
		}
		var b bytes.Buffer
		if err := viewer.DrawGlimpse(&b, g); err != nil {
			return "", err
		}
		return template.HTML(b.String()), nil
	})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	answer.Write(w, "image/svg+xml", []byte(svg))
	return nil
}

// look chooses what the picture shows and reads it: points from near, where
// they are densest, when there are streets to stand on; else the whole.
func (f *filler) look(ctx context.Context, r *http.Request, rel *geo.Relation, l *viewer.Layer, g *viewer.Glimpse) error {
	q := geo.Query{Limit: pictureFeatures, Interval: f.when(l)}
	if nearby(f.st, l) {
		near, err := f.densest(ctx, rel)
		if err != nil {
			return err
		}
		if near != nil {
			box := near.Box(g.Width, g.Height)
			west, south := viewer.Geographic([2]float64{box.MinX, box.MinY})
			east, north := viewer.Geographic([2]float64{box.MaxX, box.MaxY})
			plan := viewer.Plan{Width: g.Width, Height: g.Height, Frame: *near}
			if g.Ground, err = f.s.planGround(ctx, &plan); err != nil {
				return err
			}
			g.Near, g.Ground = near, plain(g.Ground)
			q.Box = &geo.Box{MinX: west, MinY: south, MaxX: east, MaxY: north}
		}
	}
	d := viewer.Drawing{Width: g.Width, Height: g.Height, Box: g.Box}
	var err error
	if g.Near == nil {
		q.Simplify = pixel(d)
		if g.Under, err = f.ground(r, d, rel.Layer); err != nil {
			return err
		}
	}
	g.Over.Layer = *l
	g.Over.Features, err = f.read(ctx, rel, q)
	return err
}

// nearby reports whether a layer may be looked at from near, over streets.
func nearby(st *state, l *viewer.Layer) bool {
	return l.GeometryType == geo.Point && l.Tiles != "" && st.basemap != nil && l.Style.As == ""
}

// plain leaves out what is too small to be seen from there: houses and paths.
func plain(items []viewer.GroundItem) []viewer.GroundItem {
	var list []viewer.GroundItem
	for _, i := range items {
		switch {
		case i.Layer == "buildings", i.Layer == "street_polygons":
		case i.Layer == "streets" && (i.Kind == "footway" || i.Kind == "path" || i.Kind == "steps" || i.Kind == "track" || i.Kind == "service" || i.Kind == "cycleway"):
		default:
			list = append(list, i)
		}
	}
	return list
}

// densest frames the place with the most points; nil when they lie too far
// apart for a close look.
func (f *filler) densest(ctx context.Context, rel *geo.Relation) (*viewer.Frame, error) {
	var x, y float64
	var n int64
	err := f.s.Hub.Web.QueryRow(ctx, fmt.Sprintf(`
		select avg(st_x(p)), avg(st_y(p)), count(*)
		from (select st_pointonsurface(%[1]s) as p from %[2]s where %[1]s is not null limit %[3]d) a
		group by floor(st_x(p) / $1), floor(st_y(p) / $2)
		order by count(*) desc, 1, 2
		limit 1`, ident(rel.Geom3857), ident(rel.Schema, rel.Table), glimpseSample),
		glimpseMetres*0.7, glimpseMetres*0.7*glimpseHeight/glimpseWidth).Scan(&x, &y, &n)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("where %s is dense: %w", rel.Layer, features.Kind(err))
	}
	if n < glimpseLeast {
		return nil, nil
	}
	return &viewer.Frame{X: x, Y: y, PerX: glimpseWidth / glimpseMetres, PerY: glimpseWidth / glimpseMetres}, nil
}
