package tiles

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// explain gives the plan of a query as text.
func explain(t *testing.T, hub *postgis.Hub, sql string, args ...any) string {
	t.Helper()
	rows, err := hub.Tiles.Query(t.Context(), "explain (costs off) "+sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(lines, "\n")
}

func run(t *testing.T, hub *postgis.Hub, sql string, args ...any) {
	t.Helper()
	if _, err := hub.Owner.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%v\n%s", err, sql)
	}
}

// A tile reads what is near through the index of place, of a series only the
// partition of the time asked for, of the overview only its zoom.
func TestTilesUseIndexes(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	run(t, hub, `
		create table data.v1_lieux as
		select i::bigint as _fid, 'k' || i as _key, g as _geom, st_transform(g, 3857) as _geom_3857
		from generate_series(1, 30000) i, lateral (select st_setsrid(st_makepoint(880000 + (i % 300) * 100, 6240000 + (i / 300) * 100), 2154) as g) g`)
	run(t, hub, `create index on data.v1_lieux using gist (_geom_3857)`)
	run(t, hub, `analyze data.v1_lieux`)
	run(t, hub, `create table data.s2_mesures (_key text, _time timestamptz, _item text, _geom_3857 geometry(geometry, 3857)) partition by range (_time)`)
	run(t, hub, `create table data.s2_old partition of data.s2_mesures for values from ('2026-10-01Z') to ('2026-11-01Z')`)
	run(t, hub, `create table data.s2_new partition of data.s2_mesures for values from ('2026-11-01Z') to ('2026-12-01Z')`)

	rel := geo.Relation{
		Layer: "lieux", Schema: "data", Table: "v1_lieux", Version: 1, Key: "_key", Geom3857: "_geom_3857", Geom: "_geom", SRID: 2154,
		GeometryType: geo.Point, Count: 30000,
	}
	q := statement(rel, &plan{fid: true}, address{14, 8444, 6000}, Params{}, 0)
	if got := explain(t, hub, q.sql, q.args...); !strings.Contains(got, "v1_lieux__geom_3857_idx") {
		t.Errorf("snapshot: got plan\n%s", got)
	}

	series := rel
	series.Layer, series.Table, series.Key, series.Time, series.Life, series.Version = "mesures", "s2_mesures", "_item", "_time", geo.Series, 0
	day := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for name, p := range map[string]Params{"latest": {}, "a day": {Time: &geo.Interval{From: day, To: day.Add(24 * time.Hour)}}} {
		q := statement(series, &plan{latest: day}, address{14, 8444, 6000}, p, 0)
		if got := explain(t, hub, q.sql, q.args...); strings.Contains(got, "s2_old") || !strings.Contains(got, "s2_new") {
			t.Errorf("series, %s: got plan\n%s", name, got)
		}
	}

	err := pgx.BeginFunc(t.Context(), hub.Owner, func(tx pgx.Tx) error {
		m := maker{tx: tx, rel: rel, name: "o1_lieux"}
		_, err := m.thin(t.Context())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	prepared := &plan{fid: true, thinning: &Thinning{Unthinned: 12, Overview: "o1_lieux"}}
	q = statement(rel, prepared, address{10, 527, 375}, Params{}, 0)
	if got := explain(t, hub, q.sql, q.args...); !strings.Contains(got, "o1_lieux___z___geom_idx") {
		t.Errorf("overview: got plan\n%s", got)
	}
	if err := PrepareBasemap(t.Context(), hub.Owner, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	run(t, hub, `
		insert into osm.basemap
		select 12 + i % 3, 13, 0, i, 100, '{"kind": "residential"}', st_makeenvelope(600000 + i, 5350000 + i, 600100 + i, 5350100 + i, 3857)
		from generate_series(1, 20000) i`)
	run(t, hub, `analyze osm.basemap`)
	got := explain(t, hub, basemapTile, 14, 8444, 6000, 12, 14, basemapNames, 0.0)
	if !strings.Contains(got, "basemap_band_geom_idx") || strings.Contains(got, "Seq Scan on basemap") || strings.Contains(got, "Seq Scan on area") {
		t.Errorf("basemap: got plan\n%s", got)
	}
}
