package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// areaTolerance is the part of an area that mending a geometry may change
// before the issue says so by itself.
const areaTolerance = 0.01

// settle makes the geometry of a freshly copied table what readers rely on:
// arcs become lines, invalid geometry is mended and reported, _geom_3857
// becomes an ordinary column and is valid too.
func settle(ctx context.Context, tx pgx.Tx, name string, t *Table, in *intake) ([]Issue, error) {
	if t.GeometryType == geo.None {
		return nil, nil
	}
	table := pgx.Identifier{"data", name}.Sanitize()
	var issues []Issue
	if t.mends() {
		if t.Curves {
			if _, err := tx.Exec(ctx, fmt.Sprintf(`update %s set _geom = st_curvetoline(_geom) where st_hasarc(_geom)`, table)); err != nil {
				return nil, fmt.Errorf("linearise arcs: %w", err)
			}
		}
		var err error
		if issues, err = mend(ctx, tx, table, t, in); err != nil {
			return nil, fmt.Errorf("mend geometry: %w", err)
		}
	}
	if _, err := tx.Exec(ctx, fmt.Sprintf(`alter table %s alter column _geom_3857 drop expression`, table)); err != nil {
		return nil, err
	}
	if t.mends() {
		// Thin gaps can close when their ends are projected.
		_, err := tx.Exec(ctx, fmt.Sprintf(`
			update %s set _geom_3857 = %s
			where not st_isvalid(_geom_3857)`, table, mended("_geom_3857", t.GeometryType)))
		if err != nil {
			return nil, fmt.Errorf("mend projected geometry: %w", err)
		}
	}
	return issues, nil
}

// mended is the expression of a valid geometry of the same dimension.
// "structure" joins overlapping parts where the older method cuts them out.
func mended(g string, t geo.GeometryType) string {
	valid := fmt.Sprintf("st_makevalid(%s, 'method=structure')", g)
	switch t {
	case geo.Line:
		return "st_multi(st_collectionextract(" + valid + ", 2))"
	case geo.Polygon:
		return "st_multi(st_collectionextract(" + valid + ", 3))"
	}
	return valid
}

func mend(ctx context.Context, tx pgx.Tx, table string, t *Table, in *intake) ([]Issue, error) {
	rows, err := tx.Query(ctx, fmt.Sprintf(`
		with bad as (
			select _fid, _geom as was, st_isvalidreason(_geom) as reason, %s as fixed
			from %s
			where not st_isvalid(_geom)
		), gone as (
			update %s t set _geom = case when st_isempty(b.fixed) then null else b.fixed end
			from bad b
			where b._fid = t._fid
			returning b._fid, b.reason, st_isempty(b.fixed) as empty, st_area(b.was) as before, st_area(b.fixed) as after
		)
		select _fid, reason, empty, before, after from gone order by _fid`, mended("_geom", t.GeometryType), table, table))
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (Issue, error) {
		var fid int64
		var reason string
		var empty bool
		var before, after float64
		if err := row.Scan(&fid, &reason, &empty, &before, &after); err != nil {
			return Issue{}, err
		}
		return mendIssue(in.byFID[fid-1], t, reason, empty, before, after), nil
	})
}

func mendIssue(record int64, t *Table, reason string, empty bool, before, after float64) Issue {
	m := geo.Say("geometry.mended", "reason", reason)
	larger := max(before, after)
	switch {
	case empty:
		m = geo.Say("geometry.collapsed", "reason", reason)
	case t.GeometryType == geo.Polygon && larger > 0 && max(before-after, after-before)/larger > areaTolerance:
		m = geo.Say("geometry.area-changed", "reason", reason, "before", before, "after", after)
	}
	return Issue{Record: record, Rule: m.Code, Message: m}
}
