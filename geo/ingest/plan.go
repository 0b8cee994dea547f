package ingest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"calanque/geo"
	"calanque/geo/crs"
	"calanque/geo/format"
	"calanque/geo/postgis"
)

// A plan is how a dataset is read: what a person chose, and what was decided
// from the file. It is stored, and the next load replays what still holds.
type plan struct {
	Options  format.Options `json:"options,omitzero"`
	Axes     string         `json:"axes,omitempty"` // chosen by a person
	Key      []string       `json:"key,omitempty"`
	Series   *Series        `json:"series,omitempty"`
	Anywhere bool           `json:"anywhere,omitempty"`
	Layers   []layerPlan    `json:"layers"`
}

// A layerPlan is how one layer is read.
type layerPlan struct {
	Source   string       `json:"source"` // name in the file
	Name     string       `json:"name"`
	Key      []string     `json:"key,omitempty"` // column names
	SRID     geo.SRID     `json:"srid,omitempty"`
	Axes     string       `json:"axes,omitempty"`
	Encoding string       `json:"encoding,omitempty"`
	Columns  []columnPlan `json:"columns"`

	title    geo.Text
	position int
	style    map[string]any
	labels   map[string]geo.Text
	reading  crs.Reading
	geometry geo.GeometryType
	survey   *survey
	notes    []geo.Message
	seriesAt int // index of the time column
	zone     *time.Location
}

func readPlan(stored json.RawMessage) (plan, error) {
	var p plan
	if len(stored) == 0 {
		return p, nil
	}
	if err := json.Unmarshal(stored, &p); err != nil {
		return p, fmt.Errorf("read the stored plan: %w", err)
	}
	return p, nil
}

// LayerNames gives the names of a dataset's layers by their names in the file,
// from its stored plan.
func LayerNames(stored json.RawMessage) (map[string]string, error) {
	p, err := readPlan(stored)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, l := range p.Layers {
		names[l.Source] = l.Name
	}
	return names, nil
}

// replay fills in what the request leaves open with what a person chose for
// the last load.
func (r *Request) replay(old plan) {
	if r.Series == nil {
		r.Series = old.Series
	}
	if r.Declared {
		return
	}
	if len(r.Key) == 0 && len(r.Layers) == 0 {
		r.Key = old.Key
	}
	r.Anywhere = r.Anywhere || old.Anywhere
	if r.Axes == "" {
		r.Axes = old.Axes
	}
	o, was := &r.Options, old.Options
	for _, f := range []struct {
		to   *string
		from string
	}{
		{&o.Encoding, was.Encoding},
		{&o.Delimiter, was.Delimiter},
		{&o.Quote, was.Quote},
		{&o.X, was.X},
		{&o.Y, was.Y},
		{&o.Geometry, was.Geometry},
		{&o.Layer, was.Layer},
	} {
		if *f.to == "" {
			*f.to = f.from
		}
	}
	if o.Header == nil {
		o.Header = was.Header
	}
	if o.CRS == 0 {
		o.CRS = was.CRS
	}
}

// layer finds the stored plan of a layer of the file.
func (p *plan) layer(source string) *layerPlan {
	for i := range p.Layers {
		if p.Layers[i].Source == source {
			return &p.Layers[i]
		}
	}
	if len(p.Layers) == 1 {
		return &p.Layers[0] // a single layer is the same one under another file name
	}
	return nil
}

// planColumns decides names and types.
func (l *layerPlan) planColumns(old *layerPlan, declared map[string]Field, have []geo.Field) {
	s := l.survey
	titles := make([]string, len(s.columns))
	for i, c := range s.columns {
		titles[i] = c.Title
	}
	names := keepNames(ColumnNames(titles), titles, old)
	used := map[string]bool{}
	for i := range s.columns {
		p := columnPlan{Title: titles[i], Name: names[i]}
		var note *geo.Message
		if f, ok := declared[p.Name]; ok && f.Type != "" {
			p.Type = f.Type
			p.Pad, note = s.columns[i].padding(p.Name, p.Type)
		} else {
			p.Type, p.Pad, note = s.columns[i].decide(p.Name)
			l.replayType(&p, old, have, s.columns[i].values)
		}
		if note != nil {
			l.notes = append(l.notes, *note)
		}
		if n := s.columns[i].missing; n > 0 && p.Type != geo.TextField {
			l.notes = append(l.notes, geo.Say("column.missing-words", "field", p.Name, "count", n))
		}
		used[p.Name] = true
		l.Columns = append(l.Columns, p)
	}
	for _, name := range sortedKeys(declared) {
		if !used[name] {
			l.notes = append(l.notes, geo.Say("column.absent", "field", name, "columns", strings.Join(names, ", ")))
		}
	}
}

// keepNames gives columns the names that the last version gave their titles.
func keepNames(names, titles []string, old *layerPlan) []string {
	if old == nil {
		return names
	}
	known := map[string]string{}
	for _, c := range old.Columns {
		if _, twice := known[c.Title]; !twice {
			known[c.Title] = c.Name
		}
	}
	out := slices.Clone(names)
	for i, t := range titles {
		if n, ok := known[t]; ok && n != names[i] && !slices.Contains(out, n) {
			out[i] = n
		}
	}
	return out
}

// replayType keeps the type that the field had where the values still fit,
// and widens it where they do not.
func (l *layerPlan) replayType(p *columnPlan, old *layerPlan, have []geo.Field, values int64) {
	var was geo.FieldType
	if old != nil {
		for _, c := range old.Columns {
			if c.Name == p.Name {
				was = c.Type
				p.Pad = max(p.Pad, c.Pad)
			}
		}
	}
	for _, f := range have { // what a series has counts above all
		if f.Name == p.Name {
			was = f.Type
		}
	}
	if was == "" || was == p.Type {
		return
	}
	now := p.Type
	if values == 0 {
		now = was
	}
	p.Type = postgis.Widen(was, now)
	if p.Type != was {
		l.notes = append(l.notes, geo.Say("column.widened", "field", p.Name, "from", string(was), "to", string(p.Type)))
	}
}

// decide gives the type of a column, the width of its codes when they are to
// be padded, and what there is to say about it.
func (c *column) decide(name string) (geo.FieldType, int, *geo.Message) {
	kind := codeNamed(name)
	if c.declared != "" {
		if (c.declared == geo.IntegerField || c.declared == geo.RealField) && kind != nil && c.digits && c.values > 0 {
			pad, note := c.padding(name, geo.TextField)
			return geo.TextField, pad, note
		}
		return c.declared, 0, nil
	}
	if c.values == 0 {
		return geo.TextField, 0, nil
	}
	if kind != nil || c.looksLikeCode() {
		pad, note := c.padding(name, geo.TextField)
		return geo.TextField, pad, note
	}
	if c.serialDates(name) {
		return geo.DateField, 0, ptr(geo.Say("column.serial-dates", "field", name))
	}
	return c.fieldType(), 0, nil
}

// serialDates tells whether a column named a date holds the day numbers of a
// spreadsheet: all of them from 1954 to 2064.
func (c *column) serialDates(name string) bool {
	named := strings.HasPrefix(name, "date") || strings.HasSuffix(name, "date")
	return named && c.digits && c.values > c.missing && c.low >= firstSerial && c.high <= lastSerial
}

// looksLikeCode tells by the values alone: leading zeros, numbers too long to
// count with, SIREN and SIRET with their check digit.
func (c *column) looksLikeCode() bool {
	if c.zeros {
		return true
	}
	if !c.digits || c.values-c.missing == 0 {
		return false
	}
	if c.maxLen > 15 {
		return true
	}
	return c.luhn && c.minLen == c.maxLen && (c.maxLen == 14 || c.maxLen == 9 && c.values >= 5)
}

// padding tells whether the codes of a column lost their leading zero on the
// way through a column of numbers: all are digits, none is too long, and the
// shortest lack one digit.
func (c *column) padding(name string, t geo.FieldType) (int, *geo.Message) {
	kind := codeNamed(name)
	if t != geo.TextField || kind == nil || kind.width == 0 || kind.valid == nil || !c.digits || c.zeros {
		return 0, nil
	}
	if c.maxLen > kind.width || c.minLen != kind.width-1 {
		return 0, nil
	}
	return kind.width, ptr(geo.Say("column.padded", "field", name, "width", kind.width))
}

// said is what a message calls the column: its title in the file.
func (c *columnPlan) said() string {
	if title, _ := cleanText(c.Title); title != "" {
		return title
	}
	return c.Name
}

// keyColumns finds the columns of a declared key, by name or title.
func (l *layerPlan) keyColumns(key []string) ([]int, error) {
	var at []int
	for _, k := range key {
		i := l.find(k)
		if i < 0 {
			return nil, geo.Bad(nil, "key.no-such-column", "field", k, "layer", l.Source, "columns", l.names())
		}
		at = append(at, i)
	}
	return at, nil
}

// find gives the index of a column by name or title, or -1.
func (l *layerPlan) find(name string) int {
	for i, c := range l.Columns {
		if c.Name == name || c.Title == name {
			return i
		}
	}
	want := ColumnName(name)
	return slices.IndexFunc(l.Columns, func(c columnPlan) bool { return c.Name == want })
}

// names lists the columns as the file calls them: that is where a person
// looks.
func (l *layerPlan) names() string {
	list := make([]string, len(l.Columns))
	for i, c := range l.Columns {
		list[i] = c.said()
	}
	return strings.Join(list, ", ")
}

// fields are the layer's fields as they are published.
func (l *layerPlan) fields() []geo.Field {
	list := make([]geo.Field, len(l.Columns))
	for i, c := range l.Columns {
		list[i] = geo.Field{Name: c.Name, Type: c.Type, Label: l.labels[c.Name]}
		if c.Title != c.Name {
			list[i].Title, _ = cleanText(c.Title)
		}
	}
	return list
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
