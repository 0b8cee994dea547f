package ingest

import (
	"context"
	"time"

	"calanque/geo"
	"calanque/geo/crs"
	"calanque/geo/format"
	"calanque/geo/postgis"
)

// layer loads one layer by its plan.
func (l *loader) layer(ctx context.Context, p *layerPlan) (LayerReport, error) {
	t := postgis.Table{
		Layer: p.Name, Title: p.title, KeyFields: p.Key, Position: p.position, Style: p.style, Labels: p.labels,
		GeometryType: p.geometry, SRID: p.SRID, Curves: p.survey.shapes.curves, Fields: p.fields(), Bounds: p.survey.bounds,
	}
	if p.reading.Axes == crs.YX {
		b := t.Bounds
		t.Bounds = geo.Box{MinX: b.MinY, MinY: b.MinX, MaxX: b.MaxY, MaxY: b.MaxX}
	}
	if s := l.req.Series; s != nil {
		t.Series = &postgis.SeriesTable{Borrow: s.Borrow}
		if s.Borrow != "" {
			t.Series.BorrowField = p.Columns[p.find(s.BorrowField)].Name
		}
	}
	done, err := l.version.Layer(ctx, t, func(put func(*postgis.Row) error) (postgis.Tally, error) {
		tally, err := l.read(ctx, p, put)
		l.tick.send(Event{StepWrite, p.Name, tally.Read, tally.Read})
		return tally, err
	})
	if err != nil {
		return LayerReport{}, err
	}
	rules, err := postgis.IssueCounts(ctx, l.hub.Owner, done.ID, l.version.Version)
	if err != nil {
		return LayerReport{}, err
	}
	r := LayerReport{
		Name: p.Name, Source: p.Source, Geometry: p.geometry, SRID: p.SRID, Encoding: p.Encoding, Key: p.Key, Fields: t.Fields,
		Read: done.Read, Loaded: done.Loaded, Repaired: done.Repaired, Rejected: done.Rejected, NoGeometry: done.NoGeometry,
		Notes: p.notes,
	}
	if r.Key == nil {
		r.Key = []string{}
	}
	if before := l.before(p.Name); t.Series == nil && done.Loaded*2 < before {
		r.Notes = append(r.Notes, geo.Say("load.shrunk", "before", before, "after", done.Loaded))
	}
	for _, c := range rules {
		r.Rules = append(r.Rules, RuleCount(c))
	}
	return r, nil
}

// before is how many objects the layer has in the published version.
func (l *loader) before(layer string) int64 {
	for _, s := range l.published {
		if s.Name == layer {
			return s.Rows
		}
	}
	return 0
}

// A recorder turns the records of one layer into rows, and keeps account.
type recorder struct {
	p      *layerPlan
	put    func(*postgis.Row) error
	keys   *keyer
	shaper shaper
	row    postgis.Row
	tally  postgis.Tally
	issues []postgis.Issue // of the record at hand
}

func (l *loader) read(ctx context.Context, p *layerPlan, put func(*postgis.Row) error) (postgis.Tally, error) {
	at, err := p.keyColumns(p.Key)
	if err != nil {
		return postgis.Tally{}, err
	}
	geographic, err := postgis.Geographic(ctx, l.hub.Owner, p.SRID)
	if err != nil {
		return postgis.Tally{}, err
	}
	r := &recorder{
		p: p, put: put, keys: newKeyer(at),
		shaper: shaper{swap: p.reading.Axes == crs.YX, multi: p.survey.shapes.multipoints, geographic: geographic},
		row:    postgis.Row{Values: make([]any, len(p.Columns))},
	}
	err = l.src.Read(ctx, p.survey.index, func(rec *format.Record) error {
		r.tally.Read++
		l.tick.tick(StepRead, p.Name, r.tally.Read, p.survey.records)
		return r.record(rec)
	})
	return r.tally, err
}

// record loads one record, or rejects it.
func (r *recorder) record(rec *format.Record) error {
	r.issues = r.issues[:0]
	r.row.Record = rec.Number
	if rec.Err != nil {
		return r.reject(rec, "", "", rec.Err.Message)
	}
	for _, m := range rec.Issues {
		r.repaired("", "", m)
	}
	for i := range r.p.Columns {
		r.value(i, rec.Values)
	}
	r.row.Geometry = nil
	if r.p.geometry != geo.None {
		g, issue := r.shaper.shape(rec.Geometry)
		if issue != nil {
			r.repaired("", "", *issue)
		}
		r.row.Geometry = g
	}
	if ok, err := r.identify(rec); err != nil || !ok {
		return err
	}
	r.tally.Issues = append(r.tally.Issues, r.issues...)
	return r.put(&r.row)
}

func (r *recorder) value(i int, values []any) {
	var v any
	if i < len(values) {
		v = values[i]
	}
	c := &r.p.Columns[i]
	converted, issue := c.convert(v, r.p.zone)
	if issue != nil {
		r.repaired(c.Name, clip(plain(v)), *issue)
	}
	r.row.Values[i] = converted
}

// identify gives the row its key and, in a series, its time. A record that
// can have none, or the one of another, is rejected.
func (r *recorder) identify(rec *format.Record) (bool, error) {
	key, ok := "", true
	if len(r.keys.columns) > 0 {
		if key, ok = r.keys.declared(r.row.Values); !ok {
			return false, r.reject(rec, r.keyField(), "", geo.Say("key.missing", "field", r.keyField()))
		}
	} else {
		key = r.keys.content(r.row.Values, r.row.Geometry)
	}
	r.row.Key = key
	unique := key
	if r.p.seriesAt >= 0 {
		t, ok := seriesTime(r.row.Values[r.p.seriesAt], r.p.zone)
		if !ok {
			c := r.p.Columns[r.p.seriesAt]
			var raw any
			if r.p.seriesAt < len(rec.Values) {
				raw = rec.Values[r.p.seriesAt]
			}
			return false, r.reject(rec, c.Name, clip(plain(raw)), geo.Say("series.no-time", "field", c.Name, "value", clip(plain(raw))))
		}
		r.row.Time = t
		r.row.Item = key + "@" + postgis.ItemTime(t, r.p.zone)
		unique = r.row.Item
	}
	if len(r.keys.columns) > 0 && !r.keys.fresh(unique) {
		return false, r.reject(rec, r.keyField(), clip(unique), geo.Say("key.duplicate", "field", r.keyField(), "key", clip(unique)))
	}
	return true, nil
}

func (r *recorder) keyField() string { return r.p.Columns[r.keys.columns[0]].said() }

// seriesTime is the moment that a row of a series stands for. A date is its
// first instant in the series' time zone.
func seriesTime(v any, zone *time.Location) (time.Time, bool) {
	var t time.Time
	switch v := v.(type) {
	case time.Time:
		t = v
		if h, m, s := v.Clock(); h+m+s == 0 && v.Location() == time.UTC && zone != time.UTC {
			t = time.Date(v.Year(), v.Month(), v.Day(), 0, 0, 0, 0, zone)
		}
	case string:
		m, kind := parseMoment(v, zone)
		if kind != goodMoment {
			return t, false
		}
		t = m.t
	default:
		return t, false
	}
	// An item's id has seconds: nothing finer may tell two rows apart.
	return t.Truncate(time.Second), t.Year() >= 1800 && t.Year() < 2200
}

func (r *recorder) repaired(field, value string, m geo.Message) {
	r.issues = append(r.issues, postgis.Issue{
		Record: r.row.Record, Field: field, Value: value, Rule: m.Code, Message: cleanMessage(m),
	})
}

func (r *recorder) reject(rec *format.Record, field, value string, m geo.Message) error {
	raw := ""
	if rec.Raw != nil {
		raw, _ = cleanText(rec.Raw())
	}
	r.tally.Issues = append(r.tally.Issues, postgis.Issue{
		Record: rec.Number, Field: field, Value: value, Rule: m.Code, Rejected: true, Message: cleanMessage(m), Raw: raw,
	})
	return nil
}

// cleanMessage takes out of a message what JSON in PostgreSQL can't hold.
func cleanMessage(m geo.Message) geo.Message {
	for k, v := range m.Args {
		if s, ok := v.(string); ok {
			if clean, changed := cleanText(s); changed {
				args := make(map[string]any, len(m.Args))
				for k, v := range m.Args {
					args[k] = v
				}
				args[k] = clean
				m.Args = args
			}
		}
	}
	return m
}
