package osm

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"calanque/geo"
	"calanque/osm/pbf"
)

// A table is one of the three that hold features, while it is built beside the
// one it will replace.
type table struct {
	name  string // "point": osm.point, built as osm.build_point
	spool *spool
	rows  int64 // once written
}

func (t *table) build() string { return pgx.Identifier{"osm", "build_" + t.name}.Sanitize() }

// builders is how many connections write and index at once. Each keeps one
// server process busy.
const builders = 2

// clean drops what an import that died has left.
func dropBuilds(ctx context.Context, pool *pgxpool.Pool) error {
	rows, err := pool.Query(ctx, `
		select relname::text
		from pg_class
		where relnamespace = 'osm'::regnamespace and relkind = 'r' and relname like 'build\_%'`)
	if err != nil {
		return fmt.Errorf("look for what an import left: %w", err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for what an import left: %w", err)
	}
	for _, n := range names {
		if _, err := pool.Exec(ctx, `drop table if exists `+pgx.Identifier{"osm", n}.Sanitize()); err != nil {
			return fmt.Errorf("drop what an import left: %w", err)
		}
	}
	return nil
}

// A builder writes and indexes the tables.
type builder struct {
	pool     *pgxpool.Pool
	places   chan struct{} // builders of them
	progress func(phase string, done, total int64)
	total    int64 // rows
	written  atomic.Int64
	indexed  atomic.Int64
}

// indexes of each table: name and definition.
var indexes = []struct{ name, sql string }{
	{"geom", `create index build_%s_geom on %s using gist (geom)`},
	{"tags", `create index build_%s_tags on %s using gin (tags jsonb_path_ops) with (fastupdate = off)`},
	{"key", `create unique index build_%s_key on %s (_key)`},
}

// run builds the tables, the largest work first, and returns the problems that
// only PostGIS could find.
func (b *builder) run(ctx context.Context, tables []*table) ([]Problem, error) {
	found := make([][]Problem, len(tables))
	g, ctx := errgroup.WithContext(ctx)
	for i, t := range tables {
		g.Go(func() error {
			err := b.at(ctx, func(conn *pgxpool.Conn) (err error) {
				found[i], err = b.write(ctx, conn, t)
				return err
			})
			if err != nil {
				return err
			}
			for _, x := range indexes {
				g.Go(func() error { return b.index(ctx, t, x.sql) })
			}
			g.Go(func() error { return b.index(ctx, t, `-- %s`+"\n"+`analyze %s`) })
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var all []Problem
	for _, f := range found {
		all = append(all, f...)
	}
	return all, nil
}

// at runs fn with a connection when one of the places is free.
func (b *builder) at(ctx context.Context, fn func(*pgxpool.Conn) error) error {
	select {
	case b.places <- struct{}{}:
		defer func() { <-b.places }()
	case <-ctx.Done():
		return ctx.Err()
	}
	conn, err := b.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect to write: %w", err)
	}
	defer conn.Release()
	return fn(conn)
}

func (b *builder) index(ctx context.Context, t *table, sql string) error {
	err := b.at(ctx, func(conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, settings); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, fmt.Sprintf(sql, t.name, t.build()))
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("index osm.%s: %w", t.name, err)
	}
	b.progress("index", b.indexed.Add(1), int64(3*(len(indexes)+1)))
	return nil
}

// settings of a transaction that builds. Nothing is lost without waiting for
// the disk: what is built counts only once the last transaction commits, which
// waits.
const settings = `
	set local maintenance_work_mem = '256MB';
	set local synchronous_commit = off;
	set local statement_timeout = 0`

// write fills one table in one transaction, so that PostgreSQL can freeze the
// rows and, with wal_level=minimal, write them once only.
func (b *builder) write(ctx context.Context, conn *pgxpool.Conn, t *table) (problems []Problem, err error) {
	if err := t.spool.sort(); err != nil {
		return nil, err
	}
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, settings+`;
			create table `+t.build()+` (like osm.`+t.name+` including constraints)`)
		if err != nil {
			return err
		}
		last := 0
		in := &copyReader{s: t.spool, done: func(n int) {
			b.progress("write", b.written.Add(int64(n-last)), b.total)
			last = n
		}}
		tag, err := tx.Conn().PgConn().CopyFrom(ctx, in, `copy `+t.build()+` (`+columns+`) from stdin (format binary, freeze)`)
		if err != nil {
			return err
		}
		t.rows = tag.RowsAffected()
		problems, err = repair(ctx, tx, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("write osm.%s: %w", t.name, err)
	}
	return problems, nil
}

// repair asks PostGIS about the areas that are not surely valid. It mends what
// is not; what then encloses nothing is taken out. Both are told.
func repair(ctx context.Context, tx pgx.Tx, t *table) ([]Problem, error) {
	unsure := t.spool.unsure()
	if len(unsure) == 0 {
		return nil, nil
	}
	rows, err := tx.Query(ctx, `
		with bad as materialized (
			select f._fid, d.reason, st_x(p.at) as lon, st_y(p.at) as lat,
				st_forcepolygonccw(st_collectionextract(st_makevalid(f.geom), 3)) as geom
			from unnest($1::bigint[]) u (_fid)
			join `+t.build()+` f using (_fid)
			cross join lateral st_isvaliddetail(f.geom) d
			cross join lateral (select st_transform(st_setsrid(d.location, 3857), 4326) as at) p
			where not d.valid
		), mended as (
			update `+t.build()+` f set geom = b.geom
			from bad b
			where f._fid = b._fid and not st_isempty(b.geom)
			returning f.type, f.osm_id, true as drawn, b.reason, b.lon, b.lat
		), removed as (
			delete from `+t.build()+` f
			using bad b
			where f._fid = b._fid and st_isempty(b.geom)
			returning f.type, f.osm_id, false as drawn, b.reason, b.lon, b.lat
		)
		select * from mended union all select * from removed`, unsure)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Problem, error) {
		var p Problem
		var kind, reason string
		var lon, lat *float64
		if err := row.Scan(&kind, &p.ID, &p.Drawn, &reason, &lon, &lat); err != nil {
			return p, err
		}
		p.Type, p.Message = kind[0], geo.Say(areaRepaired)
		if !p.Drawn {
			p.Message.Code = areaFlat
			t.rows--
			return p, nil
		}
		var at lonLat
		if lon != nil && lat != nil {
			at = lonLat{math.Round(*lon*1e7) / 1e7, math.Round(*lat*1e7) / 1e7}
		}
		p.Message = geo.Say(areaRepaired, "reason", reason, "lon", at.lon, "lat", at.lat)
		return p, nil
	})
}

// writeProblems fills osm.build_problem.
func writeProblems(ctx context.Context, pool *pgxpool.Pool, problems []Problem) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, settings+`; create table osm.build_problem (like osm.problem including constraints including defaults)`)
		if err != nil {
			return fmt.Errorf("make osm.problem: %w", err)
		}
		_, err = tx.CopyFrom(ctx, pgx.Identifier{"osm", "build_problem"}, []string{"type", "osm_id", "drawn", "code", "args"},
			pgx.CopyFromSlice(len(problems), func(i int) ([]any, error) {
				p := problems[i]
				args, err := json.Marshal(p.Message.Args)
				if p.Message.Args == nil {
					args = []byte("{}")
				}
				return []any{string(p.Type), p.ID, p.Drawn, p.Message.Code, args}, err
			}))
		if err != nil {
			return fmt.Errorf("write osm.problem: %w", err)
		}
		_, err = tx.Exec(ctx, `create index build_problem_object on osm.build_problem (osm_id, type)`)
		return err
	})
}

// unproject gives the extent of a spool in CRS84.
func (b box) unproject() geo.Box {
	if b.minX > b.maxX {
		return geo.EmptyBox()
	}
	lat := func(y float64) float64 { return (2*math.Atan(math.Exp(y/earthRadius)) - math.Pi/2) * 180 / math.Pi }
	lon := func(x float64) float64 { return x / earthRadius * 180 / math.Pi }
	round := func(v float64) float64 { return math.Round(v*1e7) / 1e7 }
	return geo.Box{MinX: round(lon(b.minX)), MinY: round(lat(b.minY)), MaxX: round(lon(b.maxX)), MaxY: round(lat(b.maxY))}
}

// degreesOf gives a box of an extract in degrees.
func degreesOf(b pbf.Box) geo.Box {
	return geo.Box{
		MinX: pbf.Degrees(b.MinLon), MinY: pbf.Degrees(b.MinLat),
		MaxX: pbf.Degrees(b.MaxLon), MaxY: pbf.Degrees(b.MaxLat),
	}
}
