package osm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/pbf"
)

// Producer is the id of OpenStreetMap among the producers.
const Producer = "openstreetmap"

// Licence is the id of the licence of its data.
const Licence = "odbl-1.0"

// publish puts the built tables in the place of the older ones, with the
// themes, the state and the entry in the log, in one transaction.
func (im *importer) publish(ctx context.Context, tables []*table, h pbf.Header) error {
	err := pgx.BeginFunc(ctx, im.hub.Owner, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local statement_timeout = 0; lock table theme in share mode`); err != nil {
			return fmt.Errorf("lock the themes: %w", err)
		}
		themes, err := stored(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range themes {
			if err := t.build(ctx, tx, "build_"); err != nil {
				return err
			}
		}
		if err := swap(ctx, tx, tables, themes); err != nil {
			return err
		}
		if err := im.putLayers(ctx, tx, tables, themes); err != nil {
			return err
		}
		if err := im.putState(ctx, tx, h); err != nil {
			return err
		}
		return postgis.Append(ctx, tx, postgis.Change{Kind: "osm", Subject: "osm", Detail: map[string]any{
			"extract": im.report.Extract, "points": im.report.Points, "lines": im.report.Lines, "areas": im.report.Areas,
		}})
	})
	if err != nil {
		return fmt.Errorf("publish the extract: %w", err)
	}
	return nil
}

// Waiting for the tables: readers come behind a lock that waits, so it waits
// shorter than they would notice (and than the server takes to look for a
// deadlock), gives way, and tries again.
const (
	lockTimeout = 800 * time.Millisecond
	lockPause   = 200 * time.Millisecond
	lockTries   = 120
)

// swap drops the older tables and gives their names to the built ones.
func swap(ctx context.Context, tx pgx.Tx, tables []*table, themes []Theme) error {
	names := []string{"problem", "way", "node"}
	for _, t := range tables {
		names = append(names, t.name)
	}
	for _, t := range themes {
		names = append(names, t.table())
	}
	var err error
	for range lockTries {
		err = pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { // a savepoint
			_, err := tx.Exec(ctx, fmt.Sprintf(`set local lock_timeout = %d`, lockTimeout.Milliseconds()))
			for _, n := range names {
				if err == nil {
					err = replaceTable(ctx, tx, n)
				}
			}
			if err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `set local lock_timeout = 0`)
			return err
		})
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != "55P03" { // lock_not_available
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockPause):
		}
	}
	if err != nil {
		return fmt.Errorf("replace the tables: %w", postgis.Kind(err))
	}
	return nil
}

// replaceTable gives the name of osm.<name> to osm.build_<name>, and its
// indexes theirs.
func replaceTable(ctx context.Context, tx pgx.Tx, name string) error {
	old, built := pgx.Identifier{"osm", name}.Sanitize(), pgx.Identifier{"osm", "build_" + name}.Sanitize()
	_, err := tx.Exec(ctx, `drop table if exists `+old+`; alter table `+built+` rename to `+pgx.Identifier{name}.Sanitize())
	if err != nil {
		return err
	}
	rows, err := tx.Query(ctx, `
		select i.relname::text
		from pg_index x
		join pg_class i on i.oid = x.indexrelid
		where x.indrelid = $1::regclass and i.relname like 'build\_%'
		order by 1`, old)
	if err != nil {
		return err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, n := range names {
		_, err := tx.Exec(ctx, `alter index `+pgx.Identifier{"osm", n}.Sanitize()+` rename to `+pgx.Identifier{n[len("build_"):]}.Sanitize())
		if err != nil {
			return err
		}
	}
	return nil
}

// titles of the layers; their words are data, like the titles of datasets.
var titles = map[string]geo.Text{
	"point": {"fr": "OpenStreetMap : points", "en": "OpenStreetMap: points", "it": "OpenStreetMap: punti"},
	"line":  {"fr": "OpenStreetMap : lignes", "en": "OpenStreetMap: lines", "it": "OpenStreetMap: linee"},
	"area":  {"fr": "OpenStreetMap : surfaces", "en": "OpenStreetMap: areas", "it": "OpenStreetMap: aree"},
}

// Positions of the layers in lists: after the partners' datasets.
const (
	themePosition = 10_000
	layerPosition = 20_000
)

// fields of every layer; a theme has its own between name and tags.
var fields = []geo.Field{
	{Name: "type", Type: geo.TextField},
	// As text: GDAL and QGIS take the type of a whole column from its first rows,
	// and ids beyond 2^31 come later.
	{Name: "osm_id", Type: geo.TextField},
	{Name: "version", Type: geo.IntegerField},
	{Name: "name", Type: geo.TextField},
	{Name: "tags", Type: geo.JSONField},
}

// putProducer makes sure that OpenStreetMap and its licence are known.
func putProducer(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `
		insert into licence (id, title, url, class)
		values ('odbl-1.0', '{"fr": "Licence ODbL 1.0", "en": "ODbL 1.0 licence", "it": "Licenza ODbL 1.0"}',
			'https://opendatacommons.org/licenses/odbl/1-0/', 'green-odbl')
		on conflict do nothing;
		insert into producer (id, title, contact)
		values ('openstreetmap', '{"fr": "OpenStreetMap", "en": "OpenStreetMap", "it": "OpenStreetMap"}',
			'{"url": "https://www.openstreetmap.org/copyright"}')
		on conflict do nothing`)
	if err != nil {
		return fmt.Errorf("register OpenStreetMap: %w", err)
	}
	return nil
}

// putLayers registers the layers of the copy and those of the themes.
func (im *importer) putLayers(ctx context.Context, tx pgx.Tx, tables []*table, themes []Theme) error {
	if err := putProducer(ctx, tx); err != nil {
		return err
	}
	kinds := map[string]geo.GeometryType{"point": geo.Point, "line": geo.Line, "area": geo.Polygon}
	for i, name := range []string{"point", "line", "area"} {
		t := tables[len(tables)-1-i]
		_, err := postgis.PutLiveLayer(ctx, tx, postgis.LiveLayer{
			Name: "osm_" + name + "s", Title: titles[name], Position: layerPosition + i,
			Schema: "osm", Table: name, Key: "_key", Geom: "geom", SRID: geo.WebMercator, Geom3857: "geom",
			GeometryType: kinds[name], Fields: fields, Producer: Producer,
			Extent: t.spool.extent.unproject(), Count: t.rows, Updated: im.report.Extract,
		})
		if err != nil {
			return err
		}
	}
	im.report.Themes = map[string]int64{}
	for _, t := range themes {
		n, err := t.putLayer(ctx, tx, im.report.Extract)
		if err != nil {
			return err
		}
		im.report.Themes[t.ID] = n
	}
	return nil
}
