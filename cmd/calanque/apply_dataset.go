package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/format"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

// dataset makes one dataset as the file says: its sources loaded when their
// content or the way to read them has changed, then its description and the
// look of its layers.
func (ap *applier) dataset(ctx context.Context, i int) error {
	d := &ap.cat.Datasets[i]
	was, err := postgis.FindDataset(ctx, ap.hub.Owner, d.ID)
	there := err == nil
	if err != nil && !errors.Is(err, geo.ErrNotFound) {
		return err
	}
	want, err := d.stored(i)
	if err != nil {
		return err
	}
	if fields := d.differs(was, want); !there || len(fields) > 0 {
		if !there {
			fields = nil
		}
		ap.changed(applyChange{Does: addOrChange(there), What: "dataset", ID: d.ID, Fields: fields})
	}
	loads, err := ap.loads(ctx, i, was, want)
	if err != nil {
		return err
	}
	if ap.dryRun {
		for _, path := range loads {
			ap.changed(applyChange{Does: "load", What: "dataset", ID: d.ID, Fields: []string{filepath.Base(path)}})
		}
		return nil
	}
	for _, path := range loads {
		if err := ap.load(ctx, i, path); err != nil {
			return err
		}
	}
	return ap.describe(ctx, d, want)
}

// loads gives the sources that are not in the database as they are, or would
// be read in another way.
func (ap *applier) loads(ctx context.Context, i int, was, want postgis.Dataset) ([]string, error) {
	d := &ap.cat.Datasets[i]
	paths, err := ap.sources(i)
	if err != nil {
		return nil, err
	}
	sameWay := was.Published != 0 && same(was.Source, want.Source)
	var list []string
	for _, path := range paths {
		digest, err := ingest.Digest(path)
		if err != nil {
			return nil, err
		}
		have := was.SHA256
		if d.Series != nil {
			if have, err = postgis.Delivered(ctx, ap.hub.Owner, d.ID, filepath.Base(path)); err != nil {
				return nil, err
			}
		}
		if !sameWay || !bytes.Equal(have, digest) {
			list = append(list, path)
		}
	}
	return list, nil
}

func (ap *applier) load(ctx context.Context, i int, path string) error {
	d := &ap.cat.Datasets[i]
	req, err := d.request(i, path)
	if err != nil {
		return err
	}
	if req.Region, err = region(ctx, ap.hub); err != nil {
		return err
	}
	// What differs from the last time has been found out already.
	req.Force, req.Files = false, ap.files()
	bar := newBar(ap.stderr, ap.sentence)
	report, err := ingest.Load(ctx, ap.hub, req, bar.event)
	bar.done()
	if report.State != "" {
		ap.report.Loads = append(ap.report.Loads, report)
		if report.State != ingest.Unchanged {
			ap.report.Changes = append(ap.report.Changes, applyChange{Does: "load", What: "dataset", ID: d.ID, Fields: []string{report.Source}})
		}
		if !ap.quiet {
			if perr := ap.printReport(report, false); perr != nil {
				return perr
			}
		}
	}
	if err != nil {
		return fmt.Errorf("dataset %s: %w", d.ID, err)
	}
	return nil
}

// describe writes what may change without loading, and tells readers when it
// did.
func (ap *applier) describe(ctx context.Context, d *datasetSection, want postgis.Dataset) error {
	was, err := postgis.FindDataset(ctx, ap.hub.Owner, d.ID)
	if errors.Is(err, geo.ErrNotFound) {
		was, err = postgis.Dataset{}, nil // it has no source yet
	}
	if err != nil {
		return err
	}
	names, err := ingest.LayerNames(was.Plan)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, ap.hub.Owner, func(tx pgx.Tx) error {
		differs := was.ID == 0 || len(d.differs(was, want)) > 0
		if differs {
			if _, err := postgis.PutDataset(ctx, tx, want); err != nil {
				return err
			}
		}
		changed, err := postgis.PutLooks(ctx, tx, d.looks(names))
		if err != nil {
			return err
		}
		if !differs && !changed {
			return nil
		}
		return postgis.Append(ctx, tx, postgis.Change{
			Kind: "dataset", Subject: d.ID, Detail: map[string]any{"version": was.Published, "described": true},
		})
	})
}

// stored is the dataset as its row says it.
func (d *datasetSection) stored(i int) (postgis.Dataset, error) {
	way, err := json.Marshal(d.way())
	if err != nil {
		return postgis.Dataset{}, fmt.Errorf("describe the source of %s: %w", d.ID, err)
	}
	p := postgis.Dataset{
		Slug: d.ID, Producer: d.Producer, Licence: d.Licence, Title: d.Title, Description: d.Description, Life: geo.Snapshot,
		Source: way, Frequency: d.Frequency, Position: i + 1,
	}
	if d.Series != nil {
		p.Life = geo.Series
	}
	return p, nil
}

// differs lists what the file says otherwise than the database.
func (d *datasetSection) differs(was, want postgis.Dataset) []string {
	var list []string
	for _, f := range []struct {
		name string
		same bool
	}{
		{"producer", was.Producer == want.Producer},
		{"licence", was.Licence == want.Licence},
		{"title", same(was.Title, want.Title)},
		{"description", same(was.Description, want.Description)},
		{"frequency", was.Frequency == want.Frequency},
		{"position", was.Position == want.Position},
		{"source", same(was.Source, want.Source)},
		{"retired", !was.Retired},
	} {
		if !f.same {
			list = append(list, f.name)
		}
	}
	return list
}

// way is how the dataset is read: when it changes, it is loaded again.
func (d *datasetSection) way() any {
	type layer struct {
		From  string                   `json:"from"`
		Name  string                   `json:"name,omitempty"`
		Key   []string                 `json:"key,omitempty"`
		Types map[string]geo.FieldType `json:"types,omitempty"`
	}
	w := struct {
		*sourceSection
		Key    []string                 `json:"key,omitempty"`
		Types  map[string]geo.FieldType `json:"types,omitempty"`
		Layers []layer                  `json:"layers,omitempty"`
		Series *ingest.Series           `json:"series,omitempty"`
	}{sourceSection: d.Source, Key: d.Key, Types: types(d.Fields), Series: d.series()}
	for _, l := range d.Layers {
		w.Layers = append(w.Layers, layer{l.From, l.Name, l.Key, types(l.Fields)})
	}
	return w
}

func types(fields map[string]fieldSection) map[string]geo.FieldType {
	m := map[string]geo.FieldType{}
	for name, f := range fields {
		if f.Type != "" {
			m[name] = f.Type
		}
	}
	return m
}

func (d *datasetSection) series() *ingest.Series {
	if d.Series == nil {
		return nil
	}
	s := &ingest.Series{Time: d.Series.Time, Zone: d.Series.Zone}
	if b := d.Series.Borrow; b != nil {
		s.Borrow, s.BorrowField = b.Layer, b.Field
	}
	return s
}

// request asks to load one file of the dataset.
func (d *datasetSection) request(i int, path string) (ingest.Request, error) {
	s := d.Source
	req := ingest.Request{
		Dataset: d.ID, Path: path, Producer: d.Producer, Licence: d.Licence, Title: d.Title, Description: d.Description,
		Frequency: d.Frequency, Position: i + 1, Key: d.Key, Fields: fieldsOf(d.Fields), Style: d.Style, Series: d.series(),
		Axes: s.Axes, Anywhere: s.Anywhere, Declared: true,
		Options: format.Options{
			Encoding: s.Encoding, Delimiter: delimiter(s.Delimiter), Header: s.Header, X: s.X, Y: s.Y, Geometry: s.Geometry,
			Layer: s.Layer, CRS: geo.SRID(s.CRS),
		},
	}
	if d.MaxRejected != "" {
		share, err := percent(d.MaxRejected)
		if err != nil {
			return req, err
		}
		req.MaxRejected = &share
	}
	if len(d.Layers) > 0 {
		req.Layers = map[string]ingest.Layer{}
		for n, l := range d.Layers {
			req.Layers[l.From] = ingest.Layer{Name: l.Name, Title: l.Title, Key: l.Key, Position: n + 1, Fields: fieldsOf(l.Fields), Style: l.Style}
		}
	}
	return req, nil
}

func fieldsOf(fields map[string]fieldSection) map[string]ingest.Field {
	m := map[string]ingest.Field{}
	for name, f := range fields {
		m[name] = ingest.Field(f)
	}
	return m
}

// looks says how the layers of the dataset are shown; names are theirs by
// their names in the file.
func (d *datasetSection) looks(names map[string]string) []postgis.Look {
	if len(d.Layers) == 0 {
		var list []postgis.Look
		for _, name := range names {
			k := postgis.Look{Layer: name, Labels: labels(d.Fields), Style: d.Style}
			if len(names) == 1 {
				k.Title = d.Title
			}
			list = append(list, k)
		}
		slices.SortFunc(list, func(a, b postgis.Look) int { return bytes.Compare([]byte(a.Layer), []byte(b.Layer)) })
		return list
	}
	list := make([]postgis.Look, 0, len(d.Layers))
	for n, l := range d.Layers {
		name := l.Name
		if name == "" {
			name = names[l.From]
		}
		list = append(list, postgis.Look{Layer: name, Title: l.Title, Labels: labels(l.Fields), Style: l.Style, Position: n + 1})
	}
	return list
}

func labels(fields map[string]fieldSection) map[string]geo.Text {
	m := map[string]geo.Text{}
	for name, f := range fields {
		if f.Label != nil {
			m[name] = f.Label
		}
	}
	return m
}
