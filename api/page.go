package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/viewer"
)

// page fills what all pages know.
func (s *Server) page(r *http.Request, st *state) viewer.Page {
	q := r.URL.Query()
	p := viewer.Page{
		Lang: viewer.Lang(q.Get("lg"), r.Header.Get("Accept-Language")),
		URL:  r.URL, Base: s.base(r), Now: s.Now().In(s.Zone), Embed: q.Get("cadre") == "1",
	}
	if !p.Embed { // a frame on another site gets no cookie, and no way to act
		p.SignedIn = s.signedIn(r)
	}
	if st != nil && s.Fictional != nil {
		p.Fictional = s.Fictional(st.layers)
	}
	return p
}

// pageHeaders sets what pages need beside every answer's headers: their own
// policy, and frames for those that are meant to be embedded.
func pageHeaders(h http.Header, p viewer.Page) {
	if p.Embed {
		h.Set("Content-Security-Policy", viewer.Policy+"; frame-ancestors *")
	} else {
		h.Set("Content-Security-Policy", viewer.Policy+"; frame-ancestors 'none'")
		h.Set("X-Frame-Options", "DENY")
	}
	if p.SignedIn != nil {
		h.Set("Cache-Control", "private, no-store")
	}
	h.Set("Content-Language", p.Lang)
	h.Add("Vary", "Accept-Language, Cookie")
}

// write answers a page. Its freshness is said in words that move with the
// clock, so its ETag is of what was written.
func write(w http.ResponseWriter, r *http.Request, p viewer.Page, render func(*bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	pageHeaders(w.Header(), p)
	return answer.Bytes(w, r, "text/html; charset=utf-8", b.Bytes())
}

func (s *Server) helpPage(w http.ResponseWriter, r *http.Request) error {
	p := s.page(r, s.state.Load())
	return write(w, r, p, func(b *bytes.Buffer) error { return viewer.Help(b, p) })
}

// problemPage writes an error as a page. It fails before it has written.
func (s *Server) problemPage(w http.ResponseWriter, r *http.Request, p problem, cause error) error {
	page := viewer.ProblemPage{Page: s.page(r, s.state.Load()), Status: p.Status}
	if p.Code != "" {
		page.Message = geo.Message{Code: p.Code, Args: p.Args}
	}
	var b bytes.Buffer
	if err := viewer.Problem(&b, page); err != nil {
		s.Log.Error("page of a problem", "err", err, "cause", cause)
		return err
	}
	pageHeaders(w.Header(), page.Page)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(p.Status)
	_, _ = w.Write(b.Bytes())
	return nil
}

// mapPage answers / and /carte: everything the map page shows without a
// script. What its address asks for and is not there is left out, so that an
// old link still leads somewhere.
func (s *Server) mapPage(w http.ResponseWriter, r *http.Request) error {
	st, err := s.current()
	if err != nil {
		return err
	}
	q := r.URL.Query()
	m := viewer.MapPage{Page: s.page(r, st), Layers: st.layers, Home: home(st), Query: strings.TrimSpace(q.Get("q"))}
	m.On = on(st, q.Get("c"))
	f := filler{s: s, st: st, q: q}
	if m.Query != "" {
		if m.Found, _, err = s.find(r.Context(), st, clipQuery(m.Query), m.Lang); err != nil {
			return err
		}
	}
	if len(m.On) > 0 {
		if err := f.fill(r.Context(), &m, m.On[0]); err != nil {
			return err
		}
		if m.SignedIn != nil && m.Compare != nil && m.Compare.Chosen != nil {
			if m.Compare.Desk, err = f.desk(r, m.Compare.Chosen.Key); err != nil {
				return err
			}
		}
	}
	return write(w, r, m.Page, func(b *bytes.Buffer) error { return viewer.Map(b, m) })
}

func clipQuery(q string) string {
	runes := []rune(q)
	return string(runes[:min(len(runes), searchLength)])
}

// home is the extent of all that is served, in CRS84.
func home(st *state) geo.Box {
	box := geo.EmptyBox()
	for i := range st.relations {
		if !st.relations[i].Extent.Empty() {
			box = box.Union(st.relations[i].Extent)
		}
	}
	return box
}

// on gives the layers that ?c= names, else those that are lit at a first
// visit, else the first that is offered.
func on(st *state, c string) []string {
	var ids []string
	if c != "" {
		for _, id := range strings.Split(c, ",") {
			if st.layer(id) != nil && !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		return ids
	}
	for i := range st.layers {
		if l := &st.layers[i]; l.Style.On && !l.Style.Hidden {
			ids = append(ids, l.ID)
		}
	}
	if ids == nil {
		for i := range st.layers {
			if l := &st.layers[i]; !l.Style.Hidden && l.GeometryType != geo.None {
				return []string{l.ID}
			}
		}
	}
	return ids
}

// A filler reads what a map page shows of its listed layer.
type filler struct {
	s  *Server
	st *state
	q  url.Values
}

func (f *filler) fill(ctx context.Context, m *viewer.MapPage, layer string) error {
	l := f.st.layer(layer)
	place, name, err := f.place(ctx)
	if err != nil {
		return err
	}
	if f.q.Get("comparer") == "1" && l.Outcomes != "" {
		m.Compare, err = f.compare(ctx, l, place, name)
		return err
	}
	if m.List, err = f.list(ctx, l.ID, geo.Query{Interval: f.when(l), Inside: place}, name); err != nil {
		return err
	}
	if l.Style.As == "air-index" && l.Times != nil {
		m.Air, err = f.air(ctx, l)
		return err
	}
	m.Card, err = f.card(ctx, l)
	return err
}

// place is the area of ?commune=; nil without one.
func (f *filler) place(ctx context.Context) (*geo.Place, string, error) {
	code := f.q.Get("commune")
	rel := f.st.relation(communesLayer)
	if code == "" || rel == nil {
		return nil, "", nil
	}
	list, err := f.s.communeList(ctx, f.st)
	if err != nil {
		return nil, "", err
	}
	for i := range list {
		if list[i].code == code {
			return &geo.Place{Relation: rel, Key: code}, list[i].name, nil
		}
	}
	return nil, "", nil
}

// when is the time that is shown of a series: that of ?t=, else the newest
// day that has begun. Nil for what has no time.
func (f *filler) when(l *viewer.Layer) *geo.Interval {
	if l.Times == nil {
		return nil
	}
	if t := f.q.Get("t"); t != "" {
		if i, err := features.ParseInterval(t, f.s.Zone); err == nil {
			return &i
		}
	}
	if day := f.day(l); day != "" {
		if i, err := features.ParseInterval(day, f.s.Zone); err == nil {
			return &i
		}
	}
	return &geo.Interval{From: l.Times.Last, To: l.Times.Last}
}

// day is the day of ?t= when there are values for it, else the newest one that
// is not a forecast, else the first; "" for a series that does not go by days.
func (f *filler) day(l *viewer.Layer) string {
	if l.Times == nil || len(l.Times.Values) == 0 || len(l.Times.Values[0]) != len(time.DateOnly) {
		return ""
	}
	if t := f.q.Get("t"); slices.Contains(l.Times.Values, t) {
		return t
	}
	today := f.s.Now().In(f.s.Zone).Format(time.DateOnly)
	shown := l.Times.Values[0]
	for _, d := range l.Times.Values {
		if d <= today {
			shown = d
		}
	}
	return shown
}

// list reads the page of ?apres= of what a query selects.
func (f *filler) list(ctx context.Context, layer string, q geo.Query, commune string) (*viewer.List, error) {
	rel := f.st.relation(layer)
	list := &viewer.List{Layer: layer, Page: 1, Commune: commune}
	if after, err := features.ReadToken(f.q.Get("apres"), rel.Version); err == nil && after != "" {
		q.After = after
		list.Page = pageNumber(f.q.Get("page"))
	}
	var err error
	if list.Total, err = f.s.features.Count(ctx, rel, q); err != nil {
		return nil, err
	}
	q.Limit, q.NoGeom = viewer.PageSize+1, true
	if list.Features, err = f.read(ctx, rel, q); err != nil {
		return nil, err
	}
	if len(list.Features) > viewer.PageSize {
		list.Features = list.Features[:viewer.PageSize]
		list.Next = features.Token(rel.Version, list.Features[viewer.PageSize-1].Key)
	}
	return list, nil
}

// pageNumber only numbers rows; where they start is in the token.
func pageNumber(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 2 || n > 1_000_000 {
		return 2
	}
	return n
}

// read gives the features that a query selects, as their own.
func (f *filler) read(ctx context.Context, rel *geo.Relation, q geo.Query) ([]geo.Feature, error) {
	return readFeatures(ctx, f.s.Hub.Web, rel, q)
}

func readFeatures(ctx context.Context, db postgis.DB, rel *geo.Relation, q geo.Query) ([]geo.Feature, error) {
	var list []geo.Feature
	err := postgis.Each(ctx, db, rel, q, func(f *geo.Feature) error {
		list = append(list, geo.Feature{Key: f.Key, Geometry: f.Geometry, Values: slices.Clone(f.Values)})
		return nil
	})
	return list, features.Kind(err)
}

// card reads the feature of ?sel=; nil without one.
func (f *filler) card(ctx context.Context, l *viewer.Layer) (*viewer.Card, error) {
	rel := f.st.relation(l.ID)
	feature, err := f.one(ctx, rel, f.q.Get("sel"))
	if err != nil || feature == nil {
		return nil, err
	}
	c := &viewer.Card{Layer: l.ID, Feature: *feature}
	if c.Place, err = f.placeOf(ctx, rel, feature.Key); err != nil {
		return nil, err
	}
	if outcomes := f.st.relation(l.Outcomes); outcomes != nil && hasField(outcomes, recordField) {
		list, err := f.read(ctx, outcomes, geo.Query{
			Equals: []geo.Equal{{Field: recordField, Value: feature.Key}}, Limit: 1, NoGeom: true,
		})
		if err != nil {
			return nil, err
		}
		if len(list) > 0 {
			c.Outcome = &list[0]
		}
	}
	return c, nil
}

// one gives the feature with a key; nil when there is none.
func (f *filler) one(ctx context.Context, rel *geo.Relation, key string) (*geo.Feature, error) {
	if key == "" || !plainKey(key) {
		return nil, nil
	}
	feature, err := postgis.One(ctx, f.s.Hub.Web, rel, key)
	if kindOf(err).status == http.StatusNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, features.Kind(err)
	}
	return &feature, nil
}

// plainKey reports whether the database can be asked for a key at all.
func plainKey(key string) bool {
	return len(key) < 1000 && strings.ToValidUTF8(key, "") == key && !strings.ContainsRune(key, 0)
}

// placeOf gives the name of the commune that a feature lies in; "" when no
// layer has communes.
func (f *filler) placeOf(ctx context.Context, rel *geo.Relation, key string) (string, error) {
	communes, l := f.st.relation(communesLayer), f.st.layer(communesLayer)
	if communes == nil || communes.Geom3857 == "" || rel.Geom3857 == "" || rel.Layer == communesLayer {
		return "", nil
	}
	names := viewer.NameFields(l)
	if len(names) == 0 {
		return "", nil
	}
	var name string
	err := f.s.Hub.Web.QueryRow(ctx, fmt.Sprintf(`
		select coalesce((
			select c.%[1]s::text
			from %[2]s f
			join %[3]s c on st_intersects(c.%[4]s, st_pointonsurface(f.%[5]s))
			where f.%[6]s = $1
			limit 1), '')`,
		ident(names[0]), ident(rel.Schema, rel.Table), ident(communes.Schema, communes.Table),
		ident(communes.Geom3857), ident(rel.Geom3857), ident(rel.Key)), key).Scan(&name)
	if err != nil {
		return "", fmt.Errorf("find the commune of %s: %w", rel.Layer, features.Kind(err))
	}
	return name, nil
}
