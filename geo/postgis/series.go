package postgis

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// SeriesFields gives the fields that a series has now: none before its first
// publication. A delivery may add some and widen their types.
func SeriesFields(ctx context.Context, db DB, layer string) ([]geo.Field, error) {
	rows, err := db.Query(ctx, `
		select lv.fields
		from layer l
		join dataset d on d.id = l.dataset_id
		join layer_version lv on lv.layer_id = l.id and lv.version_id = d.published_id
		where l.name = $1 and l.life = 'series'`, layer)
	if err != nil {
		return nil, fmt.Errorf("read the fields of %s: %w", layer, Kind(err))
	}
	found, err := pgx.CollectRows(rows, pgx.RowTo[[]geo.Field])
	if err != nil {
		return nil, fmt.Errorf("read the fields of %s: %w", layer, Kind(err))
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// Widen gives the narrowest type that holds the values of both.
func Widen(a, b geo.FieldType) geo.FieldType {
	pair := func(x, y geo.FieldType) bool { return a == x && b == y || a == y && b == x }
	switch {
	case a == b:
		return a
	case pair(geo.IntegerField, geo.RealField):
		return geo.RealField
	case pair(geo.DateField, geo.TimeField):
		return geo.TimeField
	}
	return geo.TextField
}

// ItemTime writes the time of a series' item: the day where it is midnight in
// the series' time zone, else the second in UTC.
func ItemTime(t time.Time, zone *time.Location) string {
	local := t.In(zone)
	if h, m, s := local.Clock(); h == 0 && m == 0 && s == 0 && local.Nanosecond() == 0 {
		return local.Format(time.DateOnly)
	}
	return t.UTC().Format(time.RFC3339)
}

// merge takes what was staged for a series into its table: new (key, time)
// pairs are added, known ones corrected, none is lost.
func (l *Loading) merge(ctx context.Context, tx pgx.Tx, s staged) error {
	parent := tableName("s", int64(s.Layer), s.T.Layer)
	was, err := l.seriesGeometry(ctx, tx, &s)
	if err != nil {
		return err
	}
	fields, err := l.seriesTable(ctx, tx, parent, s)
	if err != nil {
		return fmt.Errorf("prepare the series %s: %w", s.T.Layer, err)
	}
	if err := months(ctx, tx, parent, s); err != nil {
		return fmt.Errorf("make the months of %s: %w", s.T.Layer, err)
	}
	added, err := upsert(ctx, tx, parent, s, was.SRID)
	if err != nil {
		return fmt.Errorf("merge into the series %s: %w", s.T.Layer, err)
	}
	if _, err := tx.Exec(ctx, "drop table "+pgx.Identifier{"data", s.Table}.Sanitize()); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		update layer_version lv set fields = $3, srid = $6, geometry_type = $7,
			n_rows = $4 + coalesce(p.n_rows, 0),
			extent = case when p.extent is null then lv.extent when lv.extent is null then p.extent
				else box2d(st_collect(lv.extent::geometry, p.extent::geometry)) end
		from (select 1) one
		left join (select plv.n_rows, plv.extent from dataset d
			join layer_version plv on plv.version_id = d.published_id and plv.layer_id = $2
			where d.id = $5) p on true
		where lv.version_id = $1 and lv.layer_id = $2`, l.Version, s.Layer, fields, added, l.dataset, was.SRID, was.Kind)
	if err != nil {
		return fmt.Errorf("write the account of the series %s: %w", s.T.Layer, err)
	}
	return l.borrow(ctx, tx, s)
}

// A seriesShape is what geometry a series' table has.
type seriesShape struct {
	SRID geo.SRID
	Kind geo.GeometryType
}

// seriesGeometry gives the geometry that the series has once s is merged: that
// of its table, into which a delivery in another system is transformed.
func (l *Loading) seriesGeometry(ctx context.Context, tx pgx.Tx, s *staged) (seriesShape, error) {
	now := seriesShape{s.T.SRID, s.T.GeometryType}
	if s.T.Series.Borrow != "" {
		return seriesShape{Kind: geo.None}, nil // Publish finds out
	}
	found, err := all[seriesShape](ctx, tx, "the geometry of "+s.T.Layer, `
		select lv.srid, lv.geometry_type
		from dataset d
		join layer_version lv on lv.version_id = d.published_id and lv.layer_id = $2
		where d.id = $1`, l.dataset, s.Layer)
	if err != nil || len(found) == 0 {
		return now, err
	}
	was := found[0]
	switch {
	case was.Kind == geo.None && now.Kind != geo.None:
		return was, geo.Bad(nil, "series.geometry-added", "layer", s.T.Layer)
	case now.Kind != geo.None && was.Kind != now.Kind:
		was.Kind = geo.Mixed
	}
	return was, nil
}

// seriesTable makes the series' table, or widens it for the new fields, and
// gives the fields that it has then.
func (l *Loading) seriesTable(ctx context.Context, tx pgx.Tx, parent string, s staged) ([]geo.Field, error) {
	have, err := SeriesFields(ctx, tx, s.T.Layer)
	if err != nil {
		return nil, err
	}
	table := pgx.Identifier{"data", parent}.Sanitize()
	if have == nil {
		return s.T.Fields, createSeries(ctx, tx, table, s)
	}
	// A view stands on the columns that may change; Publish makes it again.
	if _, err := tx.Exec(ctx, "drop view if exists "+pgx.Identifier{"data", borrowerView(s.Layer, s.T.Layer)}.Sanitize()); err != nil {
		return nil, err
	}
	for _, f := range s.T.Fields {
		i := slices.IndexFunc(have, func(h geo.Field) bool { return h.Name == f.Name })
		switch {
		case i < 0:
			have = append(have, f)
			_, err = tx.Exec(ctx, fmt.Sprintf("alter table %s add column %s %s", table, quote(f.Name), sqlType(f.Type)))
		case have[i].Type != f.Type:
			have[i].Type = f.Type
			_, err = tx.Exec(ctx, fmt.Sprintf("alter table %s alter column %s type %s using %s::%s", table,
				quote(f.Name), sqlType(f.Type), quote(f.Name), sqlType(f.Type)))
		}
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Name, err)
		}
	}
	return have, nil
}

func createSeries(ctx context.Context, tx pgx.Tx, table string, s staged) error {
	var b strings.Builder
	fmt.Fprintf(&b, `create table %s (_key text collate "C" not null, _time timestamptz not null, _item text collate "C" not null`, table)
	if s.T.GeometryType != geo.None {
		fmt.Fprintf(&b, ", _geom geometry(geometry, %d), _geom_3857 geometry(geometry, 3857)", s.T.SRID)
	}
	for _, f := range s.T.Fields {
		fmt.Fprintf(&b, ", %s %s", quote(f.Name), sqlType(f.Type))
	}
	b.WriteString(", primary key (_key, _time)) partition by range (_time)")
	statements := []string{
		b.String(),
		fmt.Sprintf("create index on %s (_item)", table),
		fmt.Sprintf("create index on %s (_time)", table),
	}
	if s.T.GeometryType != geo.None {
		statements = append(statements, fmt.Sprintf("create index on %s using gist (_geom_3857)", table))
	}
	if f := s.T.Series.BorrowField; f != "" {
		statements = append(statements, fmt.Sprintf("create index on %s (%s)", table, quote(f)))
	}
	for _, sql := range statements {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// months makes the partitions that the staged rows need and that are not there.
func months(ctx context.Context, tx pgx.Tx, parent string, s staged) error {
	rows, err := tx.Query(ctx, fmt.Sprintf(`
		select distinct date_trunc('month', _time at time zone 'UTC') from %s order by 1`, pgx.Identifier{"data", s.Table}.Sanitize()))
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return err
	}
	for _, m := range list {
		name := fmt.Sprintf("s%d_%s", s.Layer, m.Format("2006_01"))
		_, err := tx.Exec(ctx, fmt.Sprintf("create table if not exists %s partition of %s for values from ('%s+00') to ('%s+00')",
			pgx.Identifier{"data", name}.Sanitize(), pgx.Identifier{"data", parent}.Sanitize(),
			m.Format(time.DateTime), m.AddDate(0, 1, 0).Format(time.DateTime)))
		if err != nil {
			return err
		}
	}
	return nil
}

// upsert merges the staged rows and gives how many (key, time) pairs are new.
// Fields that the delivery does not have keep what they hold.
func upsert(ctx context.Context, tx pgx.Tx, parent string, s staged, srid geo.SRID) (added int64, err error) {
	table, from := pgx.Identifier{"data", parent}.Sanitize(), pgx.Identifier{"data", s.Table}.Sanitize()
	if _, err := tx.Exec(ctx, "analyze "+from); err != nil {
		return 0, err
	}
	err = tx.QueryRow(ctx, fmt.Sprintf(`
		select count(*) from %s n
		where not exists (select from %s o where o._key = n._key and o._time = n._time)`, from, table)).Scan(&added)
	if err != nil {
		return 0, err
	}
	columns := []string{ItemColumn}
	if s.T.GeometryType != geo.None {
		columns = append(columns, GeomColumn, Geom3857Column)
	}
	for _, f := range s.T.Fields {
		columns = append(columns, f.Name)
	}
	set := make([]string, len(columns))
	for i, c := range columns {
		columns[i] = quote(c)
		set[i] = columns[i] + " = excluded." + columns[i]
	}
	values := slices.Clone(columns)
	if s.T.GeometryType != geo.None && srid != s.T.SRID {
		values[1] = fmt.Sprintf("st_transform(_geom, %d)", srid)
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`
		insert into %s (_key, _time, %s)
		select _key, _time, %s from %s
		on conflict (_key, _time) do update set %s`,
		table, strings.Join(columns, ", "), strings.Join(values, ", "), from, strings.Join(set, ", ")))
	return added, err
}

// borrow notes whose geometry the series shows.
func (l *Loading) borrow(ctx context.Context, tx pgx.Tx, s staged) error {
	if s.T.Series.Borrow == "" {
		return nil
	}
	tag, err := tx.Exec(ctx, `
		insert into borrowed_geometry (layer_id, from_id, field)
		select $1, id, $3 from layer where name = $2
		on conflict (layer_id) do update set from_id = excluded.from_id, field = excluded.field`,
		s.Layer, s.T.Series.Borrow, s.T.Series.BorrowField)
	if err != nil {
		return fmt.Errorf("note whose geometry %s borrows: %w", s.T.Layer, err)
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("layer %s, whose geometry %s borrows: %w", s.T.Series.Borrow, s.T.Layer, geo.ErrNotFound)
	}
	return nil
}

func borrowerView(id geo.LayerID, layer string) string { return tableName("b", int64(id), layer) }

// refreshBorrower makes the view of a series that borrows its geometry stand
// on the other layer's published table. Until both are published there is
// nothing to make.
func refreshBorrower(ctx context.Context, tx pgx.Tx, id geo.LayerID) error {
	var layer, field string
	var version geo.VersionID
	var fields []geo.Field
	var relation, kind *string
	var srid *int
	err := tx.QueryRow(ctx, `
		select l.name, b.field, d.published_id, lv.fields, flv.relation::text, flv.geometry_type, flv.srid
		from borrowed_geometry b
		join layer l on l.id = b.layer_id
		join dataset d on d.id = l.dataset_id
		join layer_version lv on lv.layer_id = l.id and lv.version_id = d.published_id
		join layer f on f.id = b.from_id
		join dataset fd on fd.id = f.dataset_id
		left join layer_version flv on flv.layer_id = f.id and flv.version_id = fd.published_id
		where b.layer_id = $1`, id).Scan(&layer, &field, &version, &fields, &relation, &kind, &srid)
	if err == pgx.ErrNoRows {
		return nil
	} else if err != nil {
		return fmt.Errorf("find what layer %d borrows: %w", id, err)
	}
	view := pgx.Identifier{"data", borrowerView(id, layer)}.Sanitize()
	columns := []string{"s._key", "s._time", "s._item", "null::geometry as _geom", "null::geometry as _geom_3857"}
	join := ""
	if relation != nil && *kind != string(geo.None) {
		columns[3], columns[4] = "g._geom", "g._geom_3857"
		join = fmt.Sprintf(" left join %s g on g._key = s.%s", pgx.Identifier{"data", *relation}.Sanitize(), quote(field))
	} else {
		kind, srid = new(string), new(int)
		*kind = string(geo.None)
	}
	for _, f := range fields {
		columns = append(columns, "s."+quote(f.Name))
	}
	for _, sql := range []string{
		"drop view if exists " + view,
		fmt.Sprintf("create view %s as select %s from %s s%s", view, strings.Join(columns, ", "),
			pgx.Identifier{"data", tableName("s", int64(id), layer)}.Sanitize(), join),
	} {
		if _, err := tx.Exec(ctx, sql); err != nil {
			return fmt.Errorf("make the view of %s: %w", layer, err)
		}
	}
	_, err = tx.Exec(ctx, `
		update layer_version lv set geometry_type = $3, srid = $4, extent = (
			select flv.extent from borrowed_geometry b
			join layer f on f.id = b.from_id
			join dataset fd on fd.id = f.dataset_id
			join layer_version flv on flv.layer_id = f.id and flv.version_id = fd.published_id
			where b.layer_id = $1)
		where lv.layer_id = $1 and lv.version_id = $2`, id, version, *kind, *srid)
	if err != nil {
		return fmt.Errorf("describe %s: %w", layer, err)
	}
	return nil
}
