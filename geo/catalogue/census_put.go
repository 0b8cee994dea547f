package catalogue

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Census is what became of a spreadsheet.
type Census struct {
	ID      int64 // 0 when nothing was written
	Known   int64 // the one before that said the same; 0 for none
	Header  int   // line of the titles, from 1
	Columns []CensusColumn
	Lines   []CensusLine
	Taken   int
	Same    int
	Refused int
}

// ReadCensus understands a spreadsheet without writing anything: lines are
// "taken" when they would be.
//
// Where the columns can't be told it is a *geo.InputError, and a Census with
// those that there are.
func ReadCensus(ctx context.Context, db postgis.DB, s *Sheet, def CensusDefault) (Census, error) {
	header, columns, err := def.Columns(s)
	c := Census{Header: header + 1, Columns: columns}
	if err != nil {
		return c, err
	}
	k, err := readKnown(ctx, db)
	if err != nil {
		return c, err
	}
	seen := map[string]int{}
	for i, row := range s.Rows[header+1:] {
		raw, blank := cells(columns, row)
		if blank || isTitles(columns, raw) {
			continue
		}
		l := readLine(columns, row, raw, header+2+i, k, def)
		if first, twice := seen[l.Slug]; twice && l.Slug != "" && len(l.Problems) == 0 {
			if other := c.Lines[first]; other.entry.Producer == l.entry.Producer {
				l.Problems = append(l.Problems, CensusProblem{
					Column: columnOf(columns, "title"), Title: titleOf(columns, "title"), Message: geo.Say("census.twice", "line", other.Line, "title", l.Title),
				})
			} else {
				l.Slug = slugOf(l.Title + " " + l.entry.Producer)
				l.entry.Slug = l.Slug
			}
		}
		if len(l.Problems) == 0 {
			l.State = LineTaken
			seen[l.Slug] = len(c.Lines)
		} else {
			l.State = LineRefused
		}
		c.Lines = append(c.Lines, l)
	}
	c.count()
	return c, nil
}

func (c *Census) count() {
	c.Taken, c.Same, c.Refused = 0, 0, 0
	for _, l := range c.Lines {
		switch l.State {
		case LineTaken:
			c.Taken++
		case LineSame:
			c.Same++
		default:
			c.Refused++
		}
	}
}

func readKnown(ctx context.Context, db postgis.DB) (*known, error) {
	k := &known{names: map[string]bool{}}
	var err error
	if k.producers, err = Producers(ctx, db); err != nil {
		return nil, err
	}
	for _, p := range k.producers {
		k.names[p.Title.In("fr")] = true
	}
	if k.licences, err = StoredLicences(ctx, db); err != nil {
		return nil, err
	}
	for _, l := range Licences {
		if !slices.ContainsFunc(k.licences, func(s Licence) bool { return s.ID == l.ID }) {
			k.licences = append(k.licences, l)
		}
	}
	k.topics, err = Topics(ctx, db)
	return k, err
}

// TakeCensus is ReadCensus, and writes: every good line makes a dataset in the
// census, or adds to the one that it made before what it says now. What a
// person or the catalogue file has said of it since stays. Bad lines are kept
// with what is wrong. The same file again changes nothing.
func TakeCensus(ctx context.Context, db postgis.DB, s *Sheet, def CensusDefault, by By) (Census, error) {
	c, err := ReadCensus(ctx, db, s, def)
	if err != nil {
		return c, err
	}
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := EnsureLicences(ctx, tx, by); err != nil {
			return err
		}
		for i := range c.Lines {
			if err := c.Lines[i].take(ctx, tx, s, by); err != nil {
				return err
			}
		}
		c.count()
		return c.keep(ctx, tx, s, by)
	})
	return c, err
}

// take writes one line. What is wrong with it only the database can see makes
// it a refused one.
func (l *CensusLine) take(ctx context.Context, tx pgx.Tx, s *Sheet, by By) error {
	if l.State != LineTaken {
		return nil
	}
	err := pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error { // a savepoint
		changed, err := l.put(ctx, tx, s, by)
		if err == nil && !changed {
			l.State = LineSame
		}
		return err
	})
	faults := Every(err)
	if err != nil && len(faults) == 0 {
		return err
	}
	for _, f := range faults {
		l.State = LineRefused
		l.Problems = append(l.Problems, CensusProblem{Message: f.Message})
	}
	return nil
}

func (l *CensusLine) put(ctx context.Context, tx pgx.Tx, s *Sheet, by By) (bool, error) {
	want := l.entry
	was, err := Find(ctx, tx, Desk, l.Slug)
	switch {
	case errors.Is(err, geo.ErrNotFound):
		want.CountedFrom = s.Source
	case err != nil:
		return false, err
	case was.Producer != l.entry.Producer:
		return false, geo.Bad(geo.ErrExists, "census.other-producer", "title", l.Title, "producer", was.Producer)
	default:
		if want, err = l.onto(ctx, tx, was); err != nil {
			return false, err
		}
	}
	diffs, err := Put(ctx, tx, want, by)
	if err != nil {
		return false, err
	}
	changed := len(diffs) > 0
	for _, r := range l.resources {
		if slices.ContainsFunc(was.Resources, func(o Resource) bool { return o.URL == r.URL || o.Name == r.Name }) {
			continue // it was told before, and may have been mended since
		}
		more, err := PutResource(ctx, tx, l.Slug, r, by)
		if err != nil {
			return false, err
		}
		changed = changed || len(more) > 0
	}
	return changed, nil
}

// onto adds to a dataset that is there what the line says: fields that nobody
// has said, and those that a census said last.
func (l *CensusLine) onto(ctx context.Context, tx pgx.Tx, was Entry) (Entry, error) {
	rows, err := tx.Query(ctx, `
		select distinct on (field) field
		from edit
		where kind = 'dataset' and subject = $1 and body is distinct from $2
		order by field`, was.Slug, CensusBody)
	if err != nil {
		return was, fmt.Errorf("look who described %s: %w", was.Slug, postgis.Kind(err))
	}
	others, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return was, fmt.Errorf("look who described %s: %w", was.Slug, postgis.Kind(err))
	}
	want, stored := was, DatasetOf.Values(&was)
	for _, f := range l.said {
		if isNull(stored[f]) || !slices.Contains(others, f) {
			DatasetOf.Copy(&want, &l.entry, f)
		}
	}
	return want, nil
}

// keep writes down what became of the lines, unless the same file said nothing
// new.
func (c *Census) keep(ctx context.Context, tx pgx.Tx, s *Sheet, by By) error {
	if c.Taken == 0 {
		err := tx.QueryRow(ctx, `select coalesce(max(id), 0) from census where sha256 = $1 and refused = $2 and mapping = $3`, s.SHA256, c.Refused, list(c.Columns)).Scan(&c.Known)
		if err != nil || c.Known != 0 {
			return postgis.Kind(err)
		}
	}
	err := tx.QueryRow(ctx, `
		insert into census (source, sha256, account_id, mapping, taken, same, refused) values ($1, $2, nullif($3, 0), $4, $5, $6, $7) returning id`,
		s.Source, s.SHA256, by.Account, list(c.Columns), c.Taken, c.Same, c.Refused).Scan(&c.ID)
	if err != nil {
		return fmt.Errorf("keep the census %s: %w", s.Source, postgis.Kind(err))
	}
	batch := &pgx.Batch{}
	for _, l := range c.Lines {
		batch.Queue(`
			insert into census_line (census_id, line, state, dataset_id, problems, raw)
			values ($1, $2, $3, case when $3 <> 'refused' then (select id from dataset where slug = $4) end, $5, $6)`,
			c.ID, l.Line, l.State, l.Slug, list(l.Problems), l.Raw)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("keep the lines of %s: %w", s.Source, postgis.Kind(err))
	}
	return nil
}
