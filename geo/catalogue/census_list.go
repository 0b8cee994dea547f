package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A PastCensus is a census that was taken.
type PastCensus struct {
	ID      int64
	Source  string
	At      time.Time
	Login   string // of who took it through the pages; "" for the command
	Taken   int
	Same    int
	Refused int
}

// Censuses gives the last censuses, newest first.
func Censuses(ctx context.Context, db postgis.DB, limit int) ([]PastCensus, error) {
	return pastCensuses(ctx, db, `order by c.id desc limit $1`, limit)
}

func pastCensuses(ctx context.Context, db postgis.DB, which string, args ...any) ([]PastCensus, error) {
	rows, err := db.Query(ctx, `
		select c.id, c.source, c.at, coalesce(a.login, ''), c.taken, c.same, c.refused
		from census c
		left join account a on a.id = c.account_id
		`+which, args...)
	if err != nil {
		return nil, fmt.Errorf("read the censuses: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[PastCensus])
	if err != nil {
		return nil, fmt.Errorf("read the censuses: %w", postgis.Kind(err))
	}
	return list, nil
}

// FindCensus gives a census with its columns and lines as they were kept:
// without what they were understood as. It is ErrNotFound where there is none.
func FindCensus(ctx context.Context, db postgis.DB, id int64) (PastCensus, Census, error) {
	list, err := pastCensuses(ctx, db, `where c.id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("census %d: %w", id, geo.ErrNotFound)
	}
	if err != nil {
		return PastCensus{}, Census{}, err
	}
	past := list[0]
	c := Census{ID: id}
	if err := db.QueryRow(ctx, `select mapping from census where id = $1`, id).Scan(&c.Columns); err != nil {
		return past, c, fmt.Errorf("read census %d: %w", id, postgis.Kind(err))
	}
	rows, err := db.Query(ctx, `
		select l.line, l.state, coalesce(d.slug, ''), coalesce(d.title->>'fr', ''), l.problems, l.raw
		from census_line l
		left join dataset d on d.id = l.dataset_id
		where l.census_id = $1
		order by l.line`, id)
	if err != nil {
		return past, c, fmt.Errorf("read the lines of census %d: %w", id, postgis.Kind(err))
	}
	c.Lines, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (l CensusLine, err error) {
		err = row.Scan(&l.Line, &l.State, &l.Slug, &l.Title, &l.Problems, &l.Raw)
		return l, err
	})
	if err != nil {
		return past, c, fmt.Errorf("read the lines of census %d: %w", id, postgis.Kind(err))
	}
	c.count()
	return past, c, nil
}

// Cells are the cells of a line in the order of a census's columns.
func (l *CensusLine) Cells(columns []CensusColumn) []string {
	list := make([]string, len(columns))
	for i, name := range columnNames(columns) {
		list[i] = l.Raw[name]
	}
	return list
}
