package workshop

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

const sessionColumns = `s.id, s.code, s.title, s.theme_id, s.mediator_id, st_asewkb(s.area), s.minutes, s.people, s.phase, s.state, s.frozen,
		(select count(*) from cell c where c.session_id = s.id), s.created_at, s.opened_at, s.closed_at,
		coalesce(s.attention, ''), case when s.attention_until > now() then extract(epoch from s.attention_until - now())::float else 0 end,
		coalesce((select e.title from account a join eric e on e.id = a.eric_id where a.id = s.mediator_id), '')`

const selectSession = "select " + sessionColumns + " from session s "

// columns are where sessionColumns go.
func (s *Session) columns() []any {
	return []any{
		&s.ID, &s.Code, &s.Title, &s.Theme, &s.Mediator, &s.Area, &s.Minutes, &s.People, &s.Phase, &s.State, &s.Frozen,
		&s.Cells, &s.Created, &s.Opened, &s.Closed, &s.Attention, &s.AttentionLeft, &s.Place,
	}
}

func scanSession(row pgx.CollectableRow) (s Session, err error) {
	err = row.Scan(s.columns()...)
	return s, err
}

// Find gives a session in whatever state, for those who may see it: its
// mediator's board, the wall and the report. An unknown code is
// geo.ErrNotFound.
func Find(ctx context.Context, db postgis.DB, code string) (Session, error) {
	return findSession(ctx, db, `where s.code = $1`, Normalise(code))
}

// ByCode finds a session that people may join. A code that is wrong, not open
// yet, closed, or was never given is geo.ErrNotFound alike.
func ByCode(ctx context.Context, db postgis.DB, code string) (Session, error) {
	return findSession(ctx, db, `where s.code = $1 and s.state = 'open'`, Normalise(code))
}

func findSession(ctx context.Context, db postgis.DB, where string, args ...any) (Session, error) {
	rows, err := db.Query(ctx, selectSession+where, args...)
	if err != nil {
		return Session{}, fmt.Errorf("find a session: %w", postgis.Kind(err))
	}
	s, err := pgx.CollectExactlyOneRow(rows, scanSession)
	if err != nil {
		return Session{}, fmt.Errorf("find a session: %w", postgis.Kind(err))
	}
	return s, nil
}

// List gives a mediator's sessions, or with 0 everybody's, newest first.
func List(ctx context.Context, db postgis.DB, mediator int64) ([]Session, error) {
	rows, err := db.Query(ctx, selectSession+`where $1::bigint in (0, s.mediator_id) order by s.created_at desc, s.id desc limit 500`, mediator)
	if err != nil {
		return nil, fmt.Errorf("list the sessions: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, scanSession)
}

// Recover gives the session whose printed recovery code this is, unless its
// mediator's account is disabled. Whoever calls it limits how often it is
// tried.
func Recover(ctx context.Context, db postgis.DB, code, recovery string) (Session, error) {
	code = Normalise(code)
	var hash []byte
	err := db.QueryRow(ctx, `
		select s.recovery_sha256 from session s join account a on a.id = s.mediator_id where s.code = $1 and a.disabled_at is null`, code).Scan(&hash)
	if err != nil {
		return Session{}, fmt.Errorf("recover a session: %w", postgis.Kind(err))
	}
	if subtle.ConstantTimeCompare(hash, recoveryHash(code, recovery)) != 1 {
		return Session{}, fmt.Errorf("recover a session: %w", geo.ErrNotFound)
	}
	return Find(ctx, db, code)
}

// Cells gives a session's cells in the order of their numbers.
func Cells(ctx context.Context, db postgis.DB, session int64) ([]Cell, error) {
	rows, err := db.Query(ctx, `
		select c.number, st_asewkb(c.area), c.sign,
			(select count(*) from task t where (t.session_id, t.cell) = (c.session_id, c.number) and not t.practice)
		from cell c
		where c.session_id = $1
		order by c.number`, session)
	if err != nil {
		return nil, fmt.Errorf("read the cells: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Cell])
}

// Open lets people in. Opening an open session does nothing; a closed one
// stays closed (geo.ErrConflict): duplicate it.
func Open(ctx context.Context, db postgis.DB, code string) error {
	return change(ctx, db, code, "opened", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		switch s.State {
		case Running:
			return nil, nil
		case Closed, Archived:
			return nil, fmt.Errorf("open a closed session: %w", geo.ErrConflict)
		}
		_, err := tx.Exec(ctx, `update session set state = 'open', opened_at = now() where id = $1`, s.ID)
		return map[string]any{"state": Running}, err
	})
}

// Close ends a session: nobody joins or claims any more, and all leases end.
// Answers that are still on their way count for another day.
func Close(ctx context.Context, db postgis.DB, code string) error {
	return change(ctx, db, code, "closed", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		if s.State == Closed || s.State == Archived {
			return nil, nil
		}
		if _, err := tx.Exec(ctx, `update session set state = 'closed', closed_at = now(), frozen = false where id = $1`, s.ID); err != nil {
			return nil, err
		}
		_, err := tx.Exec(ctx, `update claim set ended_at = now() where session_id = $1 and ended_at is null`, s.ID)
		return map[string]any{"state": Closed}, err
	})
}

// SetPhase moves the room on, or back.
func SetPhase(ctx context.Context, db postgis.DB, code string, p Phase) error {
	if !slices.Contains(Phases, p) {
		return &geo.ParamError{Param: "phase", Value: string(p), Want: "want look, go, enter or reread"}
	}
	return change(ctx, db, code, "phase", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		if s.Phase == p {
			return nil, nil
		}
		_, err := tx.Exec(ctx, `update session set phase = $2 where id = $1`, s.ID, p)
		return map[string]any{"phase": p}, err
	})
}

// Freeze stops giving questions, so that the room looks up, or goes on.
func Freeze(ctx context.Context, db postgis.DB, code string, frozen bool) error {
	return change(ctx, db, code, "frozen", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		if s.Frozen == frozen {
			return nil, nil
		}
		if s.State != Running {
			return nil, fmt.Errorf("freeze a session that is %s: %w", s.State, geo.ErrConflict)
		}
		_, err := tx.Exec(ctx, `update session set frozen = $2 where id = $1`, s.ID, frozen)
		return map[string]any{"frozen": frozen}, err
	})
}

// change runs what a mediator does to a session as one transaction, with its
// line of history and its entry in the log; a nil map says that there was
// nothing to do.
func change(ctx context.Context, db postgis.DB, code, kind string, do func(pgx.Tx, *Session) (map[string]any, error)) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		s, err := findSession(ctx, tx, `where s.code = $1 for no key update of s`, Normalise(code))
		if err != nil {
			return err
		}
		before := map[string]any{"state": s.State, "phase": s.Phase, "frozen": s.Frozen}
		after, err := do(tx, &s)
		if err != nil || after == nil {
			return errors.Join(postgis.Kind(err))
		}
		if err := put(ctx, tx, event{session: s.ID, role: conductor(ctx), kind: kind, before: before, after: after}); err != nil {
			return err
		}
		return tellRoom(ctx, tx, s.Code)
	})
}

// forgetAfter is how long pseudonyms live after a session has closed.
const forgetAfter = 24 * time.Hour
