package match

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/postgis"
)

// What a person may say about an outcome at a desk, where nobody sees the
// place. The questions that are answered on site are osm/workshop's.
const (
	SamePlace    = "same_place"
	NotSamePlace = "not_same_place"
	NeedsVisit   = "needs_visit" // settles nothing: somebody has to go and look
)

// A Verdict is what was said about an outcome. It holds while what was judged
// is the same, whatever happened in between.
type Verdict struct {
	ID      int64
	Says    string
	Account int64 // who said it; 0 when a session's answers did
	At      time.Time
}

// A Case is an outcome as it is put to a person at a desk.
type Case struct {
	Outcome     int64
	Kind        Kind
	Pair        bool   // there is a record and an object
	Fingerprint []byte // of what is judged
	Verdict     *Verdict
	Visit       *Verdict // somebody was asked to go and look
}

// Choices are what may be said about a case: of a pair whether it is one
// place, of one side alone only that somebody should look. Where a verdict
// holds nothing is left to say.
func (c Case) Choices() []string {
	var list []string
	if c.Verdict != nil || c.Kind == OutOfScope || c.Kind == Withdrawn {
		return nil
	}
	if c.Pair {
		list = []string{SamePlace, NotSamePlace}
	}
	if c.Visit == nil {
		list = append(list, NeedsVisit)
	}
	return list
}

// CaseOf reads an outcome with what was said about it as it is now. It returns
// geo.ErrNotFound when there is no such outcome.
func CaseOf(ctx context.Context, db postgis.DB, outcome int64) (Case, error) {
	c := Case{Outcome: outcome}
	err := db.QueryRow(ctx, `
		select kind, record_id is not null and osm_id is not null, fingerprint from outcome where id = $1 and rule_id in (select id from public_rule)`, outcome).
		Scan(&c.Kind, &c.Pair, &c.Fingerprint)
	if err != nil {
		return c, fmt.Errorf("read outcome %d: %w", outcome, postgis.Kind(err))
	}
	for _, said := range []struct {
		into **Verdict
		sql  string
	}{
		{&c.Verdict, `select id, says, coalesce(account_id, 0), at from verdict where outcome_id = $1 and fingerprint = $2 and withdrawn_at is null`},
		{&c.Visit, `select id, 'needs_visit', account_id, at from visit where outcome_id = $1 and fingerprint = $2 and withdrawn_at is null`},
	} {
		var v Verdict
		err := db.QueryRow(ctx, said.sql, outcome, c.Fingerprint).Scan(&v.ID, &v.Says, &v.Account, &v.At)
		if errors.Is(err, pgx.ErrNoRows) {
			continue
		}
		if err != nil {
			return c, fmt.Errorf("read what was said about outcome %d: %w", outcome, postgis.Kind(err))
		}
		*said.into = &v
	}
	return c, nil
}

// Judge writes what an account says about an outcome. fingerprint is that of
// what it was shown: where the outcome is not that any more, or a verdict
// holds already, it returns a *geo.InputError that is a geo.ErrConflict. What
// may not be said about it is a *geo.ParamError.
func Judge(ctx context.Context, db postgis.DB, account, outcome int64, fingerprint []byte, says string) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		c, err := CaseOf(ctx, tx, outcome)
		switch {
		case err != nil:
			return err
		case !bytes.Equal(c.Fingerprint, fingerprint):
			return geo.Bad(geo.ErrConflict, "verdict.changed")
		case c.Verdict != nil:
			return geo.Bad(geo.ErrConflict, "verdict.given")
		case says == NeedsVisit && c.Visit != nil:
			return nil // asked for already
		case !slices.Contains(c.Choices(), says):
			return &geo.ParamError{Param: "says", Value: says, Want: fmt.Sprintf("want one of %v", c.Choices())}
		}
		if says == NeedsVisit {
			_, err = tx.Exec(ctx, `
				insert into visit (outcome_id, account_id, fingerprint) values ($1, $2, $3)
				on conflict (outcome_id, fingerprint) where withdrawn_at is null do nothing`, outcome, account, fingerprint)
		} else if _, err = tx.Exec(ctx, `
			insert into verdict (outcome_id, says, account_id, fingerprint) values ($1, $2, $3, $4)`, outcome, says, account, fingerprint); err == nil {
			_, err = tx.Exec(ctx, `update visit set withdrawn_at = now() where outcome_id = $1 and withdrawn_at is null`, outcome)
		}
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "23505" {
			return geo.Bad(geo.ErrConflict, "verdict.given")
		}
		if err != nil {
			return fmt.Errorf("judge outcome %d: %w", outcome, postgis.Kind(err))
		}
		return tellSessions(ctx, tx, outcome)
	})
}

// Unjudge takes back what holds of a case: its verdict, else the wish that
// somebody look. The question is open again.
func Unjudge(ctx context.Context, db postgis.DB, c Case) error {
	table, v := "verdict", c.Verdict
	if v == nil {
		table, v = "visit", c.Visit
	}
	if v == nil {
		return nil
	}
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update `+table+` set withdrawn_at = now() where id = $1 and withdrawn_at is null`, v.ID)
		if err != nil {
			return fmt.Errorf("take back the verdict on outcome %d: %w", c.Outcome, postgis.Kind(err))
		}
		return tellSessions(ctx, tx, c.Outcome)
	})
}

// tellSessions lets the pages of sessions that ask about an outcome know: it
// is a question no more, or again.
func tellSessions(ctx context.Context, tx pgx.Tx, outcome int64) error {
	rows, err := tx.Query(ctx, `
		select s.code
		from task t
		join session s on s.id = t.session_id
		where t.outcome_id = $1 and s.state not in ('closed', 'archived')
		order by s.code`, outcome)
	if err != nil {
		return fmt.Errorf("find the sessions that ask about outcome %d: %w", outcome, postgis.Kind(err))
	}
	codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("find the sessions that ask about outcome %d: %w", outcome, postgis.Kind(err))
	}
	for _, code := range codes {
		if err := postgis.Append(ctx, tx, postgis.Change{Kind: "workshop", Subject: code}); err != nil {
			return err
		}
	}
	return nil
}
