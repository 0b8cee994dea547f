package api

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/viewer"
)

// A state is the catalogue at one moment. It is never changed once made.
type state struct {
	relations []geo.Relation
	layers    []viewer.Layer // of the relations, in their order
	features  *features.Catalogue
	byName    map[string]int
	outcomes  map[string]string // layer → the layer of its comparison
	basemap   *geo.Relation     // what stands for its tiles; nil without OpenStreetMap
	tag       string            // tells it from every other state
}

func (st *state) relation(layer string) *geo.Relation {
	i, ok := st.byName[layer]
	if !ok {
		return nil
	}
	return &st.relations[i]
}

func (st *state) layer(layer string) *viewer.Layer {
	i, ok := st.byName[layer]
	if !ok {
		return nil
	}
	return &st.layers[i]
}

// collections gives the catalogue to api/features; nil before the first.
func (s *Server) collections() *features.Catalogue {
	if st := s.state.Load(); st != nil {
		return st.features
	}
	return nil
}

// current gives the newest catalogue, or ErrUnavailable before the first.
func (s *Server) current() (*state, error) {
	if st := s.state.Load(); st != nil {
		return st, nil
	}
	return nil, fmt.Errorf("the catalogue has not been read yet: %w", geo.ErrUnavailable)
}

// retryEvery is how often an unreachable database is asked for the catalogue.
const retryEvery = time.Second

// Follow keeps the catalogue equal to the database until ctx ends: it reads it,
// and again after each entry of the log of changes. While the database is away
// the last one is served.
func (s *Server) Follow(ctx context.Context) {
	var last int64
	s.untilDone(ctx, func() error {
		// The cursor first: what changes in between is read twice, not missed.
		var err error
		if last, err = postgis.LastChange(ctx, s.Hub.Owner); err != nil {
			return err
		}
		return s.Refresh(ctx)
	})
	err := postgis.Follow(ctx, s.Hub.Owner, last, func(changes []postgis.Change) error {
		s.live.tell(changes)
		if slices.ContainsFunc(changes, func(c postgis.Change) bool { return c.Kind == "osm" }) {
			s.drawings.clear()
		}
		// What happens in a mapping session changes no layer.
		if !slices.ContainsFunc(changes, func(c postgis.Change) bool { return c.Kind != "workshop" }) {
			return nil
		}
		s.untilDone(ctx, func() error { return s.Refresh(ctx) })
		return nil
	})
	if err != nil {
		s.Log.Error("follow the log of changes", "err", err)
	}
}

// untilDone calls fn until it succeeds or ctx ends.
func (s *Server) untilDone(ctx context.Context, fn func() error) {
	complained := false
	for ctx.Err() == nil {
		err := fn()
		if err == nil || ctx.Err() != nil {
			return
		}
		if !complained {
			s.Log.Warn("the catalogue can't be read; trying again", "err", err)
			complained = true
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryEvery):
		}
	}
}

// Refresh reads the catalogue now.
func (s *Server) Refresh(ctx context.Context) error {
	s.refreshing.Lock()
	defer s.refreshing.Unlock()
	var st *state
	err := pgx.BeginTxFunc(ctx, s.Hub.Web, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		var err error
		st, err = s.readState(ctx, tx)
		return err
	})
	if err != nil {
		return fmt.Errorf("read the catalogue: %w", features.Kind(err))
	}
	s.state.Store(st)
	return nil
}

func (s *Server) readState(ctx context.Context, tx pgx.Tx) (*state, error) {
	relations, err := postgis.Relations(ctx, tx)
	if err != nil {
		return nil, err
	}
	about, err := readAbout(ctx, tx)
	if err != nil {
		return nil, err
	}
	st := &state{relations: relations, byName: map[string]int{}, outcomes: map[string]string{}}
	for i := range relations {
		st.byName[relations[i].Layer] = i
	}
	for layer := range about.themes {
		if _, ok := st.byName[layer+outcomesSuffix]; ok {
			st.outcomes[layer] = layer + outcomesSuffix
		}
	}
	list := make([]features.Collection, len(relations))
	st.layers = make([]viewer.Layer, len(relations))
	for i := range relations {
		times, err := s.spans.of(ctx, tx, &relations[i], s.Zone)
		if err != nil {
			return nil, err
		}
		st.layers[i] = st.describe(i, about, times)
		list[i] = collection(&relations[i], &st.layers[i], about.descriptions[relations[i].Layer])
	}
	whole, err := answer.Encode(st.layers)
	if err != nil {
		return nil, err
	}
	st.tag = answer.Tag(string(whole), about.descriptions)
	st.basemap = basemap(relations)
	st.features = features.NewCatalogue(list, st.tag)
	return st, nil
}

// outcomesSuffix makes the name of the layer of a layer's outcomes.
const outcomesSuffix = "-osm"

// describe makes what visitors see of a relation.
func (st *state) describe(i int, about *about, times *viewer.Times) viewer.Layer {
	r := &st.relations[i]
	d := about.layers[r.Layer]
	l := viewer.Layer{
		ID: r.Layer, Titles: r.Title, Dataset: r.Dataset, Life: r.Life, GeometryType: r.GeometryType,
		Count: r.Count, Updated: r.Updated.UTC(), Revision: r.Revision, Fields: r.Fields, Position: i,
		Producer: about.producer(r.Producer), Licence: about.licence(r, d.Licence),
		Style: d.Style, Frequency: d.Frequency, Report: d.Report, Times: times,
		Outcomes: st.outcomes[r.Layer],
	}
	if l.Titles == nil {
		l.Titles = geo.Text{}
	}
	if l.Fields == nil {
		l.Fields = []geo.Field{}
	}
	if r.Geom3857 != "" {
		l.Tiles = "/tiles/" + r.Layer + ".json"
	}
	if b := r.Extent; !b.Empty() {
		l.Box = &[4]float64{b.MinX, b.MinY, b.MaxX, b.MaxY}
	}
	if theme := about.themes[r.Layer]; theme != "" {
		if _, ok := st.byName["osm_"+theme]; ok {
			l.Theme = "osm_" + theme
		}
	}
	return l
}

// collection makes what the API says of a layer.
func collection(r *geo.Relation, l *viewer.Layer, description geo.Text) features.Collection {
	c := features.Collection{
		Relation: *r, Description: description, Attribution: l.Producer.Title.In("fr"),
		LicenceURL: l.Licence.URL, LicenceName: l.Licence.Title.In("fr"), Extension: l,
	}
	if l.Times != nil {
		c.First, c.Last = l.Times.First, l.Times.Last
	}
	return c
}

// An about is what the catalogue's tables know beside the relations.
type about struct {
	producers    map[string]viewer.Producer
	licences     map[string]viewer.Licence
	themes       map[string]string // layer → theme of its first rule
	descriptions map[string]geo.Text
	layers       map[string]aboutLayer
}

type aboutLayer struct {
	Style     viewer.Style
	Licence   string
	Frequency string
	Report    *viewer.Report
}

// odbl is OpenStreetMap's licence, which needs no entry in a catalogue file.
var odbl = viewer.Licence{
	ID: "odbl-1.0", Title: geo.Text{"fr": "ODbL 1.0"},
	URL: "https://opendatacommons.org/licenses/odbl/1-0/", Class: geo.GreenODbL,
}

func (a *about) producer(id string) viewer.Producer {
	if p, ok := a.producers[id]; ok {
		return p
	}
	return viewer.Producer{ID: id, Title: geo.Text{"fr": id}}
}

// licence gives the licence of a relation. What comes from OpenStreetMap, and
// what compares with it, is under OpenStreetMap's.
func (a *about) licence(r *geo.Relation, id string) viewer.Licence {
	if r.Life == geo.Live {
		id = odbl.ID
	}
	if l, ok := a.licences[id]; ok {
		return l
	}
	if id == odbl.ID {
		return odbl
	}
	return viewer.Licence{ID: id, Title: geo.Text{"fr": id}}
}

func readAbout(ctx context.Context, tx pgx.Tx) (*about, error) {
	a := &about{
		producers: map[string]viewer.Producer{}, licences: map[string]viewer.Licence{}, themes: map[string]string{},
		descriptions: map[string]geo.Text{}, layers: map[string]aboutLayer{},
	}
	for _, read := range []func(context.Context, pgx.Tx) error{a.readProducers, a.readLicences, a.readThemes, a.readLayers} {
		if err := read(ctx, tx); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (a *about) readProducers(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `select id, title, coalesce(contact->>'url', '') from producer`)
	if err != nil {
		return fmt.Errorf("read the producers: %w", err)
	}
	var p viewer.Producer
	_, err = pgx.ForEachRow(rows, []any{&p.ID, &p.Title, &p.URL}, func() error {
		a.producers[p.ID] = p
		p = viewer.Producer{}
		return nil
	})
	return err
}

func (a *about) readLicences(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `select id, title, coalesce(url, ''), class from licence`)
	if err != nil {
		return fmt.Errorf("read the licences: %w", err)
	}
	var l viewer.Licence
	_, err = pgx.ForEachRow(rows, []any{&l.ID, &l.Title, &l.URL, &l.Class}, func() error {
		a.licences[l.ID] = l
		l = viewer.Licence{}
		return nil
	})
	return err
}

func (a *about) readThemes(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `select l.name, r.theme_id from public_rule r join layer l on l.id = r.layer_id order by r.id desc`)
	if err != nil {
		return fmt.Errorf("read the rules: %w", err)
	}
	var layer, theme string
	_, err = pgx.ForEachRow(rows, []any{&layer, &theme}, func() error {
		a.themes[layer] = theme // the last one is the first rule
		return nil
	})
	return err
}

func (a *about) readLayers(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `
		select l.name, coalesce(l.style, '{}')::text, d.description, coalesce(d.licence_id, ''), coalesce(d.frequency, ''),
			lv.n_read, lv.n_loaded, lv.n_repaired, lv.n_rejected, lv.n_no_geometry
		from layer l
		left join public_dataset d on d.id = l.dataset_id
		left join layer_version lv on lv.layer_id = l.id and lv.version_id = d.published_id`)
	if err != nil {
		return fmt.Errorf("read what is said of layers: %w", err)
	}
	var name, style string
	var description geo.Text
	var l aboutLayer
	var n [5]*int64
	_, err = pgx.ForEachRow(rows, []any{&name, &style, &description, &l.Licence, &l.Frequency, &n[0], &n[1], &n[2], &n[3], &n[4]}, func() error {
		l.Style = viewer.Style{}
		if err := json.Unmarshal([]byte(style), &l.Style); err != nil {
			l.Style = viewer.Style{} // drawn by its geometry: the catalogue's check is elsewhere
		}
		l.Report = nil
		if n[0] != nil {
			l.Report = &viewer.Report{Read: *n[0], Loaded: *n[1], Repaired: *n[2], Rejected: *n[3], NoGeometry: *n[4]}
		}
		a.layers[name] = l
		if description != nil {
			a.descriptions[name] = description
		}
		description = nil
		return nil
	})
	return err
}
