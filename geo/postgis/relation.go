package postgis

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// The columns that every data table has, beside the fields of its layer.
const (
	FIDColumn      = "_fid"
	KeyColumn      = "_key"
	ItemColumn     = "_item" // of a series: key@time
	TimeColumn     = "_time"
	GeomColumn     = "_geom"
	Geom3857Column = "_geom_3857"
)

const relationColumns = `
	l.name, d.slug, d.producer_id, l.life, l.title, 'data', lv.relation::text, v.id, l.revision, lv.srid,
	case when exists ( -- a series shows no geometry that is not public itself
			select from borrowed_geometry b
			join layer f on f.id = b.from_id
			where b.layer_id = l.id and not exists (select from public_dataset fd where fd.id = f.dataset_id)
		) then 'none' else lv.geometry_type end, lv.fields, l.labels, lv.n_rows, coalesce(v.published_at, v.started_at),
	st_xmin(lv.extent), st_ymin(lv.extent), st_xmax(lv.extent), st_ymax(lv.extent)`

// Relations gives all that is served now: the published version of each layer
// whose dataset is public, and the live layers; in the catalogue's order.
func Relations(ctx context.Context, db DB) ([]geo.Relation, error) {
	list, err := collect(ctx, db, scanRelation, `
		select `+relationColumns+`
		from public_dataset d
		join version v on v.id = d.published_id
		join layer_version lv on lv.version_id = v.id
		join layer l on l.id = lv.layer_id
		order by d.position, d.slug, l.position, l.name`)
	if err != nil {
		return nil, err
	}
	live, err := collect(ctx, db, scanLive, `
		select l.name, r.producer_id, l.life, l.title, r.schema::text, r.relation::text, l.revision, r.srid,
			r.geometry_type, r.fields, l.labels, r.n_rows, r.updated_at,
			r.key_column::text, r.geom_column::text, r.geom_3857::text,
			st_xmin(r.extent), st_ymin(r.extent), st_xmax(r.extent), st_ymax(r.extent)
		from live_layer r
		join layer l on l.id = r.layer_id
		where not exists ( -- the comparison of a dataset is as public as the dataset
			select from rule q
			where r.relation = 'outcome_' || q.id and q.id not in (select id from public_rule))
		order by l.position, l.name`)
	if err != nil {
		return nil, err
	}
	return append(list, live...), nil
}

// RelationAt gives a layer as it was in a version of its dataset, so that a
// walk begun on it can end on it. It is ErrNotFound once the version's table
// has been dropped, a day after it was replaced.
func RelationAt(ctx context.Context, db DB, layer string, version geo.VersionID) (geo.Relation, error) {
	list, err := collect(ctx, db, scanRelation, `
		select `+relationColumns+`
		from layer l
		join layer_version lv on lv.layer_id = l.id
		join version v on v.id = lv.version_id
		join public_dataset d on d.id = l.dataset_id
		where l.name = $1 and v.id = $2 and v.state = 'ready' and v.published_at is not null
		  and to_regclass('data.' || quote_ident(lv.relation)) is not null`, layer, version)
	if err != nil {
		return geo.Relation{}, err
	}
	if len(list) == 0 {
		return geo.Relation{}, fmt.Errorf("layer %s at version %d: %w", layer, version, geo.ErrNotFound)
	}
	return list[0], nil
}

func collect[T any](ctx context.Context, db DB, scan pgx.RowToFunc[T], sql string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read the layers: %w", Kind(err))
	}
	list, err := pgx.CollectRows(rows, scan)
	if err != nil {
		return nil, fmt.Errorf("read the layers: %w", Kind(err))
	}
	return list, nil
}

func scanRelation(row pgx.CollectableRow) (geo.Relation, error) {
	var r geo.Relation
	var labels map[string]geo.Text
	var ext extent
	err := row.Scan(&r.Layer, &r.Dataset, &r.Producer, &r.Life, &r.Title, &r.Schema, &r.Table, &r.Version, &r.Revision, &r.SRID,
		&r.GeometryType, &r.Fields, &labels, &r.Count, &r.Updated, &ext[0], &ext[1], &ext[2], &ext[3])
	if err != nil {
		return r, err
	}
	label(r.Fields, labels)
	r.Extent = ext.box()
	r.Key = KeyColumn
	if r.Life == geo.Series {
		r.Key, r.Time = ItemColumn, TimeColumn
		r.Version = 0 // a series has no versions to stay on
	}
	if r.GeometryType == geo.None {
		r.Extent = geo.EmptyBox()
		return r, nil
	}
	r.Geom, r.Geom3857 = GeomColumn, Geom3857Column
	return r, nil
}

func scanLive(row pgx.CollectableRow) (geo.Relation, error) {
	var r geo.Relation
	var labels map[string]geo.Text
	var geom, plane *string
	var ext extent
	err := row.Scan(&r.Layer, &r.Producer, &r.Life, &r.Title, &r.Schema, &r.Table, &r.Revision, &r.SRID,
		&r.GeometryType, &r.Fields, &labels, &r.Count, &r.Updated, &r.Key, &geom, &plane, &ext[0], &ext[1], &ext[2], &ext[3])
	if err != nil {
		return r, err
	}
	label(r.Fields, labels)
	r.Extent = ext.box()
	if geom != nil {
		r.Geom = *geom
	}
	if plane != nil {
		r.Geom3857 = *plane
	}
	return r, nil
}

func label(fields []geo.Field, labels map[string]geo.Text) {
	for i := range fields {
		if t := labels[fields[i].Name]; t != nil {
			fields[i].Label = t
		}
	}
}

// An extent is minx, miny, maxx, maxy as PostGIS gives them, null when there
// is none.
type extent [4]*float64

func (e extent) box() geo.Box {
	if e[0] == nil || e[1] == nil || e[2] == nil || e[3] == nil {
		return geo.EmptyBox()
	}
	return geo.Box{MinX: *e[0], MinY: *e[1], MaxX: *e[2], MaxY: *e[3]}
}

// A LiveLayer says where the rows of a live layer are and what they look like.
// The package that owns the rows registers it again whenever they change.
type LiveLayer struct {
	Name         string
	Title        geo.Text
	Position     int
	Style        map[string]any      // how the viewer draws it; nil keeps what is there
	Labels       map[string]geo.Text // of fields; nil keeps what is there
	Schema       string
	Table        string
	Key          string // column, unique and not null
	Geom         string // column in SRID; "" when there is none
	SRID         geo.SRID
	Geom3857     string
	GeometryType geo.GeometryType
	Fields       []geo.Field
	Producer     string
	Extent       geo.Box // CRS84
	Count        int64   // exact
	Updated      time.Time
}

// PutLiveLayer registers a live layer, or says that its rows have changed: its
// revision grows, so nothing cached of it is served any more once the
// transaction's Change is read.
func PutLiveLayer(ctx context.Context, tx pgx.Tx, l LiveLayer) (geo.LayerID, error) {
	var id geo.LayerID
	err := tx.QueryRow(ctx, `
		insert into layer (name, title, life, position, style, labels, revision)
		values ($1, $2, 'live', $3, $4, coalesce($5::jsonb, '{}'), 1)
		on conflict (name) do update set
			title = excluded.title, position = excluded.position, revision = layer.revision + 1,
			style = coalesce(excluded.style, layer.style), labels = coalesce($5::jsonb, layer.labels)
			where layer.life = 'live'
		returning id`, l.Name, l.Title, l.Position, jsonOrNull(l.Style), jsonOrNull(l.Labels)).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("register live layer %s: %w", l.Name, Kind(err))
	}
	var box []any
	if l.Extent.Empty() {
		box = []any{nil, nil, nil, nil}
	} else {
		box = []any{l.Extent.MinX, l.Extent.MinY, l.Extent.MaxX, l.Extent.MaxY}
	}
	_, err = tx.Exec(ctx, `
		insert into live_layer (layer_id, schema, relation, key_column, geom_column, srid, geom_3857, geometry_type, fields,
			producer_id, extent, n_rows, updated_at)
		values ($1, $2, $3, $4, nullif($5, ''), $6, nullif($7, ''), $8, $9, $10,
			box2d(st_makeenvelope($13, $14, $15, $16)), $11, $12)
		on conflict (layer_id) do update set
			schema = excluded.schema, relation = excluded.relation, key_column = excluded.key_column,
			geom_column = excluded.geom_column, srid = excluded.srid, geom_3857 = excluded.geom_3857,
			geometry_type = excluded.geometry_type, fields = excluded.fields, producer_id = excluded.producer_id,
			extent = excluded.extent, n_rows = excluded.n_rows, updated_at = excluded.updated_at`,
		append([]any{
			id, l.Schema, l.Table, l.Key, l.Geom, l.SRID, l.Geom3857, l.GeometryType, l.Fields,
			l.Producer, l.Count, l.Updated,
		}, box...)...)
	if err != nil {
		return 0, fmt.Errorf("describe live layer %s: %w", l.Name, Kind(err))
	}
	return id, nil
}

// RemoveLiveLayer takes a live layer out of what is served; its rows are its
// owner's to drop.
func RemoveLiveLayer(ctx context.Context, tx pgx.Tx, name string) error {
	_, err := tx.Exec(ctx, `delete from live_layer r using layer l where l.id = r.layer_id and l.name = $1 and l.life = 'live'`, name)
	if err != nil {
		return fmt.Errorf("remove live layer %s: %w", name, Kind(err))
	}
	return nil
}

// jsonOrNull keeps an absent map from becoming the JSON value null.
func jsonOrNull[M ~map[string]V, V any](m M) any {
	if m == nil {
		return nil
	}
	return m
}
