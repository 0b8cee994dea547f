package ingest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"calanque/geo"
	"calanque/geo/crs"
	"calanque/geo/format"
	"calanque/geo/postgis"
)

// inspect reads every layer once and decides how it will be read. Nothing is
// written: a file that can't be taken leaves no trace.
func (l *loader) inspect(ctx context.Context) error {
	all := l.src.Layers()
	wanted, err := l.choose(all)
	if err != nil {
		return err
	}
	var records int64
	names := map[string]bool{}
	for _, i := range wanted {
		s, err := look(ctx, l.src, i, l.tick)
		if err != nil {
			return err
		}
		records += s.records
		p, err := l.planLayer(ctx, s, len(wanted) == 1)
		if err != nil {
			return err
		}
		for n := 2; names[p.Name]; n++ {
			p.Name = shorten(fmt.Sprintf("%s_%d", p.Name, n), p.Source)
		}
		names[p.Name] = true
		l.layers = append(l.layers, p)
	}
	if records == 0 && !l.req.Force {
		return geo.Bad(nil, "load.no-records", "file", l.report.Source)
	}
	return nil
}

// choose gives the layers of the file that are to be loaded.
func (l *loader) choose(all []format.Layer) ([]int, error) {
	var list []int
	found := map[string]bool{}
	for i, layer := range all {
		_, named := l.req.Layers[layer.Name]
		if named || len(l.req.Layers) == 0 || l.single(all) {
			list = append(list, i)
		}
		found[layer.Name] = true
	}
	if l.single(all) {
		return list, nil
	}
	for _, name := range sortedKeys(l.req.Layers) {
		if !found[name] {
			have := make([]string, len(all))
			for i := range all {
				have[i] = all[i].Name
			}
			return nil, geo.Bad(nil, "option.layer", "layer", name, "layers", strings.Join(have, ", "))
		}
	}
	return list, nil
}

// single tells whether the file and the request have one layer each: it is
// that one then, whatever it is called.
func (l *loader) single(all []format.Layer) bool { return len(all) == 1 && len(l.req.Layers) <= 1 }

func (l *loader) planLayer(ctx context.Context, s *survey, only bool) (*layerPlan, error) {
	p := &layerPlan{Source: s.layer.Name, survey: s, Encoding: s.layer.Encoding, seriesAt: -1, zone: time.UTC}
	p.notes = append(p.notes, s.layer.Notes...)
	want := l.wanted(p.Source, only)
	old := l.old.layer(p.Source)
	switch {
	case want.Name != "":
		p.Name = want.Name
	case only:
		p.Name = l.req.Dataset
	case old != nil && old.Source == p.Source:
		p.Name = old.Name
	default:
		p.Name = layerName(l.req.Dataset, p.Source)
	}
	if err := checkLayerName(p.Name); err != nil {
		return nil, err
	}
	p.title, p.position, p.style = want.Title, want.Position, want.Style
	if p.style == nil {
		p.style = l.req.Style
	}
	if p.title == nil {
		p.title = l.title(p, only)
	}
	if err := l.planPlace(ctx, p); err != nil {
		return nil, err
	}
	return p, l.planFields(ctx, p, old, want)
}

// checkLayerName refuses names that mean something else where layers are
// addressed: those of OpenStreetMap's layers, of comparisons, of the basemap.
func checkLayerName(name string) error {
	ok := name != "basemap" && !strings.HasPrefix(name, "osm_") && !strings.HasSuffix(name, "-osm") && len(name) <= maxName && name != ""
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		ok = c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || i > 0 && (c == '-' || c == '_')
	}
	if !ok {
		return geo.Bad(nil, "layer.name", "layer", name)
	}
	return nil
}

// wanted is what the request says about a layer.
func (l *loader) wanted(source string, only bool) Layer {
	if want, ok := l.req.Layers[source]; ok {
		return want
	}
	if only {
		for _, want := range l.req.Layers {
			return want // there is one at most
		}
	}
	return Layer{}
}

func (l *loader) title(p *layerPlan, only bool) geo.Text {
	t := l.req.Title
	if t == nil && l.known != nil {
		t = l.known.Title
	}
	switch {
	case t == nil:
		return geo.Text{"fr": p.Name}
	case only:
		return t
	}
	both := geo.Text{}
	for lang, text := range t {
		both[lang] = text + " – " + p.Source
	}
	return both
}

// planPlace decides the geometry type and the coordinate system.
func (l *loader) planPlace(ctx context.Context, p *layerPlan) error {
	p.geometry = p.survey.geometryType()
	if p.geometry == geo.None {
		return nil
	}
	o := place{region: l.req.Region, anywhere: l.req.Anywhere, chosen: l.req.Options.CRS != 0}
	switch l.req.Axes {
	case "xy":
		o.axes = ptr(crs.XY)
	case "yx":
		o.axes = ptr(crs.YX)
	}
	var notes []geo.Message
	var err error
	if p.reading, notes, err = locate(p.survey, o); err != nil {
		return err
	}
	p.notes = append(p.notes, notes...)
	p.reading.SRID = crs.Twin(p.reading.SRID)
	p.SRID, p.Axes = p.reading.SRID, p.reading.Axes.String()
	known, err := postgis.System(ctx, l.hub.Owner, p.SRID)
	if err != nil {
		return err
	}
	if !known {
		return geo.Bad(nil, "crs.not-in-database", "srid", int(p.SRID), "layer", p.Source)
	}
	return nil
}

// planFields decides names, types, key and, for a series, the time.
func (l *loader) planFields(ctx context.Context, p, old *layerPlan, want Layer) error {
	declared := l.declared(p, want)
	var have []geo.Field
	var err error
	if l.req.Series != nil {
		if have, err = postgis.SeriesFields(ctx, l.hub.Owner, p.Name); err != nil {
			return err
		}
	}
	p.planColumns(old, declared, have)
	p.labels = map[string]geo.Text{}
	for name, f := range declared {
		if f.Label != nil {
			p.labels[name] = f.Label
		}
	}
	key := want.Key
	if len(key) == 0 {
		key = l.req.Key
	}
	at, err := p.keyColumns(key)
	if err != nil {
		return err
	}
	for _, i := range at {
		p.Key = append(p.Key, p.Columns[i].Name)
	}
	return l.planSeries(ctx, p)
}

// declared are the fields that the request describes. Those for all layers
// need not be in each.
func (l *loader) declared(p *layerPlan, want Layer) map[string]Field {
	fields := map[string]Field{}
	titles := map[string]bool{}
	for _, c := range p.survey.columns {
		titles[ColumnName(c.Title)] = true
	}
	for name, f := range l.req.Fields {
		if titles[name] || len(l.src.Layers()) == 1 {
			fields[name] = f
		}
	}
	for name, f := range want.Fields {
		fields[name] = f
	}
	return fields
}

func (l *loader) planSeries(ctx context.Context, p *layerPlan) error {
	s := l.req.Series
	if s == nil {
		return nil
	}
	if len(p.Key) == 0 {
		return geo.Bad(nil, "series.needs-key", "dataset", l.req.Dataset)
	}
	if p.seriesAt = p.find(s.Time); p.seriesAt < 0 {
		return geo.Bad(nil, "series.no-such-time", "field", s.Time, "layer", p.Source, "columns", p.names())
	}
	var err error
	if p.zone, err = time.LoadLocation(s.Zone); err != nil {
		return geo.Bad(err, "series.zone", "zone", s.Zone)
	}
	if s.Borrow == "" {
		return nil
	}
	if p.find(s.BorrowField) < 0 {
		return geo.Bad(nil, "series.no-such-borrow-field", "field", s.BorrowField, "layer", p.Source, "columns", p.names())
	}
	exists, err := postgis.HasLayer(ctx, l.hub.Owner, s.Borrow)
	if err != nil {
		return err
	}
	if !exists {
		return geo.Bad(nil, "series.no-such-borrow", "layer", s.Borrow, "dataset", l.req.Dataset)
	}
	// Its own positions would only repeat the other layer's.
	p.geometry, p.SRID, p.Axes = geo.None, 0, ""
	return nil
}
