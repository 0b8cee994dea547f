package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// A PastCensus is a census that was taken, with the lines that were refused.
type PastCensus struct {
	ID      int64
	Source  string
	At      time.Time
	Taken   int
	Same    int
	Refused int
	Bad     []CensusLine // without what they were understood as
}

// Censuses gives the last censuses, newest first.
func Censuses(ctx context.Context, db postgis.DB, limit int) ([]PastCensus, error) {
	rows, err := db.Query(ctx, `select id, source, at, taken, same, refused from census order by id desc limit $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("read the censuses: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c PastCensus, err error) {
		err = row.Scan(&c.ID, &c.Source, &c.At, &c.Taken, &c.Same, &c.Refused)
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the censuses: %w", postgis.Kind(err))
	}
	at := map[int64]int{}
	ids := make([]int64, len(list))
	for i, c := range list {
		at[c.ID], ids[i] = i, c.ID
	}
	rows, err = db.Query(ctx, `
		select census_id, line, problems, raw from census_line
		where census_id = any ($1) and state = 'refused'
		order by census_id, line`, ids)
	if err != nil {
		return nil, fmt.Errorf("read the lines of censuses: %w", postgis.Kind(err))
	}
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		var id int64
		l := CensusLine{State: LineRefused}
		err := row.Scan(&id, &l.Line, &l.Problems, &l.Raw)
		if err == nil {
			list[at[id]].Bad = append(list[at[id]].Bad, l)
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the lines of censuses: %w", postgis.Kind(err))
	}
	return list, nil
}
