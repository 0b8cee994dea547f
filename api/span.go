package api

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/viewer"
)

// mostValues is how many moments of a series are listed; of more, only the
// first and the last are said.
const mostValues = 400

// spans remembers the times of series by layer, while their revision holds.
// It is read and changed under Server.refreshing.
type spans struct {
	known map[string]span
}

type span struct {
	revision int64
	times    *viewer.Times
}

// of gives the times of a relation; nil when it has none.
func (s *spans) of(ctx context.Context, tx pgx.Tx, r *geo.Relation, zone *time.Location) (*viewer.Times, error) {
	if r.Time == "" {
		return nil, nil
	}
	if known, ok := s.known[r.Layer]; ok && known.revision == r.Revision {
		return known.times, nil
	}
	times, err := readTimes(ctx, tx, r, zone)
	if err != nil {
		return nil, fmt.Errorf("read the times of %s: %w", r.Layer, err)
	}
	if s.known == nil {
		s.known = map[string]span{}
	}
	s.known[r.Layer] = span{r.Revision, times}
	return times, nil
}

// readTimes hops through the index of a series from moment to moment: what it
// costs goes with the moments, not with the rows. When all are midnights they
// are days.
func readTimes(ctx context.Context, tx pgx.Tx, r *geo.Relation, zone *time.Location) (*viewer.Times, error) {
	table := pgx.Identifier{r.Schema, r.Table}.Sanitize()
	column := pgx.Identifier{r.Time}.Sanitize()
	rows, err := tx.Query(ctx, fmt.Sprintf(`
		with recursive moment (t, n) as (
			(select %[2]s, 1 from %[1]s order by %[2]s limit 1)
			union all
			select (select s.%[2]s from %[1]s s where s.%[2]s > m.t order by s.%[2]s limit 1), m.n + 1
			from moment m
			where m.t is not null and m.n <= $1
		)
		select t from moment where t is not null`, table, column), mostValues)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil || len(list) == 0 {
		return nil, err
	}
	times := &viewer.Times{First: list[0].UTC(), Last: list[len(list)-1].UTC()}
	if len(list) > mostValues {
		err := tx.QueryRow(ctx, fmt.Sprintf(`select max(%s) from %s`, column, table)).Scan(&times.Last)
		times.Last = times.Last.UTC()
		return times, err
	}
	times.Values = make([]string, len(list))
	day := dayZone(list, zone)
	for i, t := range list {
		if day != nil {
			times.Values[i] = t.In(day).Format(time.DateOnly)
		} else {
			times.Values[i] = t.UTC().Format(time.RFC3339)
		}
	}
	return times, nil
}

// dayZone gives the zone in which all moments are midnights: the hub's, else
// UTC, which a series has that declares none; nil when they are not days.
func dayZone(list []time.Time, zone *time.Location) *time.Location {
	for _, z := range []*time.Location{zone, time.UTC} {
		midnights := !slices.ContainsFunc(list, func(t time.Time) bool {
			h, m, sec := t.In(z).Clock()
			return h+m+sec > 0 || t.Nanosecond() > 0
		})
		if midnights {
			return z
		}
	}
	return nil
}
