package main

import (
	"bytes"
	"slices"

	"calanque/geo"
	"calanque/geo/format"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

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
		Dataset: d.ID, Path: path, Position: i + 1, Body: byApply.Body, Key: d.Key, Fields: fieldsOf(d.Fields), Style: d.Style, Series: d.series(),
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
func (d *datasetSection) looks(names map[string]string, title geo.Text) []postgis.Look {
	if len(d.Layers) == 0 {
		var list []postgis.Look
		for _, name := range names {
			k := postgis.Look{Layer: name, Labels: labels(d.Fields), Style: d.Style}
			if len(names) == 1 {
				k.Title = title
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
