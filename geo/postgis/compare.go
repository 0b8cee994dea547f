package postgis

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// A Comparison says what publishing a version would change of what is
// published.
type Comparison struct {
	From   geo.VersionID     `json:"from"` // published when it was compared; 0 when none is
	To     geo.VersionID     `json:"to"`
	Layers []LayerComparison `json:"layers"`
}

// A LayerComparison is one layer, which both versions have, or one of them.
type LayerComparison struct {
	Name   string   `json:"name"`
	Title  geo.Text `json:"title"`
	Series bool     `json:"series,omitempty"` // the delivery adds to what is there: nothing goes
	Keyed  bool     `json:"keyed"`            // else a record is known by its content alone, and none can change
	Before *Side    `json:"before,omitempty"`
	After  *Side    `json:"after,omitempty"`

	FieldsAdded   []geo.Field   `json:"fields_added,omitempty"`
	FieldsRemoved []geo.Field   `json:"fields_removed,omitempty"`
	FieldsChanged []FieldChange `json:"fields_changed,omitempty"`

	Added   int64    `json:"added"`
	Removed int64    `json:"removed"`
	Changed int64    `json:"changed"`
	Same    int64    `json:"same"`
	Samples []Sample `json:"samples,omitempty"` // some of each kind
}

// A Side is a layer in one version.
type Side struct {
	Rows     int64            `json:"rows"`
	Geometry geo.GeometryType `json:"geometry_type"`
	SRID     geo.SRID         `json:"srid"`
	Extent   *geo.Box         `json:"extent,omitempty"` // CRS84
	Rejected int64            `json:"rejected"`
	Repaired int64            `json:"repaired"`

	fields []geo.Field
	table  string
	key    []string
}

// A FieldChange is a field that has another type.
type FieldChange struct {
	Name string        `json:"name"`
	From geo.FieldType `json:"from"`
	To   geo.FieldType `json:"to"`
}

// A Sample is one record that comes, goes or changes.
type Sample struct {
	Kind   string        `json:"kind"` // added, removed, changed
	Key    string        `json:"key"`
	Name   string        `json:"name,omitempty"`
	Fields []ValueChange `json:"fields,omitempty"`
	Metres float64       `json:"metres,omitempty"` // that its centre has moved
}

// A ValueChange is a value that differs, as text; "" is none.
type ValueChange struct {
	Field  string `json:"field"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// samplesOfKind is how many records of each kind are shown, longest a value.
const (
	samplesOfKind = 8
	longestValue  = 120
)

// Compare tells what publishing a version of a dataset would change. It reads
// both versions whole: for work that nobody waits for.
func Compare(ctx context.Context, db DB, slug string, to geo.VersionID) (Comparison, error) {
	c := Comparison{To: to, Layers: []LayerComparison{}}
	var about struct {
		Staged []staged `json:"staged"`
	}
	err := db.QueryRow(ctx, `
		select coalesce(d.published_id, 0), coalesce(v.described, '{}')
		from version v
		join dataset d on d.id = v.dataset_id
		where d.slug = $1 and v.id = $2 and v.state = 'ready'`, slug, to).Scan(&c.From, &about)
	if err != nil {
		return c, fmt.Errorf("compare version %d of %s: %w", to, slug, Kind(err))
	}
	if c.Layers, err = sides(ctx, db, c.From, to); err != nil {
		return c, err
	}
	for i := range c.Layers {
		l := &c.Layers[i]
		for _, s := range about.Staged {
			if s.T.Layer == l.Name && l.After != nil {
				l.Series, l.After.table = true, s.Table
			}
		}
		if err := l.compare(ctx, db); err != nil {
			return c, fmt.Errorf("compare layer %s: %w", l.Name, Kind(err))
		}
	}
	return c, nil
}

// sides pairs the layers of two versions.
func sides(ctx context.Context, db DB, from, to geo.VersionID) ([]LayerComparison, error) {
	rows, err := db.Query(ctx, `
		select l.name, l.title, l.key_fields, lv.version_id = $2, lv.relation::text, lv.n_rows, lv.geometry_type, lv.srid, lv.n_rejected, lv.n_repaired, lv.fields,
			lv.extent is not null, coalesce(st_xmin(lv.extent), 0), coalesce(st_ymin(lv.extent), 0), coalesce(st_xmax(lv.extent), 0), coalesce(st_ymax(lv.extent), 0)
		from layer_version lv
		join layer l on l.id = lv.layer_id
		where lv.version_id in ($1, $2)
		order by l.position, l.name, lv.version_id = $2`, from, to)
	if err != nil {
		return nil, fmt.Errorf("read the layers of two versions: %w", Kind(err))
	}
	list := []LayerComparison{}
	var name string
	var title geo.Text
	var after, placed bool
	var s Side
	var b geo.Box
	_, err = pgx.ForEachRow(rows, []any{
		&name, &title, &s.key, &after, &s.table, &s.Rows, &s.Geometry, &s.SRID, &s.Rejected, &s.Repaired, &s.fields,
		&placed, &b.MinX, &b.MinY, &b.MaxX, &b.MaxY,
	}, func() error {
		side := s
		side.fields, side.key = slices.Clone(s.fields), slices.Clone(s.key)
		if placed {
			box := b
			side.Extent = &box
		}
		s.fields, s.key = nil, nil
		if len(list) == 0 || list[len(list)-1].Name != name {
			list = append(list, LayerComparison{Name: name, Title: title})
		}
		l := &list[len(list)-1]
		l.Keyed = len(side.key) > 0
		if after {
			l.After = &side
		} else {
			l.Before = &side
		}
		title = nil
		if from == to { // what is published already
			same := side
			l.Before, l.After = &same, &side
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the layers of two versions: %w", Kind(err))
	}
	return list, nil
}

func (l *LayerComparison) compare(ctx context.Context, db DB) error {
	switch {
	case l.Before == nil:
		l.FieldsAdded, l.Added = l.After.fields, l.After.Rows
		return nil
	case l.After == nil:
		l.FieldsRemoved, l.Removed = l.Before.fields, l.Before.Rows
		return nil
	}
	l.compareFields()
	q := l.query()
	err := db.QueryRow(ctx, q.counts).Scan(&l.Added, &l.Removed, &l.Same, &l.Changed)
	if err != nil {
		return err
	}
	for _, kind := range []string{"added", "removed", "changed"} {
		if err := l.sample(ctx, db, q, kind); err != nil {
			return err
		}
	}
	return nil
}

func (l *LayerComparison) compareFields() {
	find := func(list []geo.Field, name string) int {
		return slices.IndexFunc(list, func(f geo.Field) bool { return f.Name == name })
	}
	for _, f := range l.After.fields {
		if i := find(l.Before.fields, f.Name); i < 0 {
			l.FieldsAdded = append(l.FieldsAdded, f)
		} else if was := l.Before.fields[i].Type; was != f.Type {
			l.FieldsChanged = append(l.FieldsChanged, FieldChange{f.Name, was, f.Type})
		}
	}
	for _, f := range l.Before.fields {
		if find(l.After.fields, f.Name) < 0 && !l.Series {
			l.FieldsRemoved = append(l.FieldsRemoved, f)
		}
	}
}

// A pairing is the SQL that sets two tables side by side: a is before, b after.
type pairing struct {
	join, differs, counts string
	common                []geo.Field
	name                  string // field that names a record
	moved                 string
}

func (l *LayerComparison) query() pairing {
	var q pairing
	on, kind := "a._key = b._key", "full"
	if l.Series {
		on, kind = "a._key = b._key and a._time = b._time", "right"
	}
	a, b := pgx.Identifier{"data", l.Before.table}.Sanitize(), pgx.Identifier{"data", l.After.table}.Sanitize()
	q.join = fmt.Sprintf("from %s a %s join %s b on %s", a, kind, b, on)
	differs := []string{}
	for _, f := range l.After.fields {
		i := slices.IndexFunc(l.Before.fields, func(w geo.Field) bool { return w.Name == f.Name })
		if i < 0 {
			continue
		}
		q.common = append(q.common, f)
		cast := ""
		if l.Before.fields[i].Type != f.Type {
			cast = "::text"
		}
		differs = append(differs, fmt.Sprintf("a.%[1]s%[2]s is distinct from b.%[1]s%[2]s", quote(f.Name), cast))
	}
	q.moved = "null::double precision"
	if l.Before.Geometry != geo.None && l.After.Geometry != geo.None && !(l.Series && l.Before.SRID == 0) {
		place := "a._geom_3857 is distinct from b._geom_3857"
		if l.Before.SRID != l.After.SRID { // the same place rounded otherwise has not moved: 0.1 m at the equator
			place = `((a._geom_3857 is null) <> (b._geom_3857 is null)
				or coalesce(st_distance(st_centroid(a._geom_3857), st_centroid(b._geom_3857)) > 0.1, false))`
		}
		differs = append(differs, place)
		q.moved = "st_distance(st_transform(st_centroid(a._geom_3857), 4326)::geography, st_transform(st_centroid(b._geom_3857), 4326)::geography)"
	}
	q.differs = "false"
	if len(differs) > 0 {
		q.differs = "(" + strings.Join(differs, " or ") + ")"
	}
	q.name = nameField(q.common)
	q.counts = fmt.Sprintf(`
		select count(*) filter (where a._key is null), count(*) filter (where b._key is null),
			count(*) filter (where a._key is not null and b._key is not null and not %[1]s),
			count(*) filter (where a._key is not null and b._key is not null and %[1]s)
		%[2]s`, q.differs, q.join)
	return q
}

// sample reads some records of a kind.
func (l *LayerComparison) sample(ctx context.Context, db DB, q pairing, kind string) error {
	where, alias := "a._key is null", "b"
	switch kind {
	case "removed":
		where, alias = "b._key is null", "a"
	case "changed":
		where = "a._key is not null and b._key is not null and " + q.differs
	}
	name := "''"
	if q.name != "" {
		name = fmt.Sprintf("coalesce(%s.%s, '')", alias, quote(q.name))
	}
	values := make([]string, len(q.common))
	for i, f := range q.common {
		values[i] = fmt.Sprintf("array[left(a.%[1]s::text, %[2]d), left(b.%[1]s::text, %[2]d), (a.%[1]s::text is distinct from b.%[1]s::text)::text]", quote(f.Name), longestValue)
	}
	all, moved := "'[]'::jsonb", "0::double precision"
	if kind == "changed" {
		all, moved = "to_jsonb(array["+strings.Join(values, ", ")+"]::text[][])", "coalesce("+q.moved+", 0)"
	}
	rows, err := db.Query(ctx, fmt.Sprintf(`
		select %[1]s._key, %[2]s, %[3]s, %[4]s
		%[5]s
		where %[6]s
		order by %[1]s._key
		limit %[7]d`, alias, name, all, moved, q.join, where, samplesOfKind))
	if err != nil {
		return err
	}
	var s Sample
	var raw json.RawMessage
	_, err = pgx.ForEachRow(rows, []any{&s.Key, &s.Name, &raw, &s.Metres}, func() error {
		one := Sample{Kind: kind, Key: s.Key, Name: s.Name, Metres: s.Metres}
		var pairs [][]*string
		if err := json.Unmarshal(raw, &pairs); err != nil {
			return err
		}
		for i, p := range pairs {
			if len(p) == 3 && p[2] != nil && *p[2] == "true" {
				one.Fields = append(one.Fields, ValueChange{q.common[i].Name, deref(p[0]), deref(p[1])})
			}
		}
		l.Samples = append(l.Samples, one)
		return nil
	})
	return err
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
