package workshop

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/match"
)

// Lease is how long a question stays with whoever was given it. Heartbeat
// renews it.
const Lease = 10 * time.Minute

// maxOpinions is how often a task is asked at most before the mediator reads
// again.
const maxOpinions = 3

// Next gives a participant a question, leased to them alone. It is the one
// they hold already, if they do; else one of their cell, else of their group,
// else of any, never one they have answered, and none within thirty metres of
// what another has in hand where that can be avoided. A question is compared
// anew before it is shown when anything has changed under it. With it come the
// tasks of its cell, in the order of their numbers.
//
// It is geo.ErrNotFound when nothing is left for them, and a *geo.InputError
// while the room is frozen or the session is not open.
func Next(ctx context.Context, hub *postgis.Hub, participant int64) (q Question, cell []Task, err error) {
	return next(ctx, hub, participant, Lease)
}

// errBehind says that the matcher has not seen all changes yet.
var errBehind = errors.New("the matcher is behind")

func next(ctx context.Context, hub *postgis.Hub, participant int64, lease time.Duration) (q Question, cell []Task, err error) {
	err = fresh(ctx, hub, func(tx pgx.Tx) error {
		t, list, err := give(ctx, tx, participant, lease)
		if err == nil {
			q, cell = t.question(), list
		}
		return err
	})
	return q, cell, err
}

// briefly runs do in a transaction of statements that each look at few rows:
// their plans are made once for a connection, not again for every question,
// which would take longer than to carry them out.
func briefly(ctx context.Context, db postgis.DB, do func(pgx.Tx) error) error {
	pool, ok := db.(interface {
		BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error)
	})
	if !ok { // in a transaction of the caller's
		return pgx.BeginFunc(ctx, db, do)
	}
	return pgx.BeginTxFunc(ctx, pool, pgx.TxOptions{BeginQuery: "begin; set local plan_cache_mode = force_generic_plan"}, do)
}

// fresh runs do in a transaction that sees outcomes compared with all that has
// changed: where the matcher is behind, do is undone, the matcher catches up
// or is waited for, and do runs again.
func fresh(ctx context.Context, hub *postgis.Hub, do func(pgx.Tx) error) error {
	for range 5 {
		err := briefly(ctx, hub.Desk, func(tx pgx.Tx) error {
			if err := do(tx); err != nil {
				return err
			}
			// Asked last: what was compared before is true until here.
			behind, err := matcherBehind(ctx, tx)
			if err == nil && behind {
				return errBehind
			}
			return err
		})
		if !errors.Is(err, errBehind) {
			return err
		}
		if err := catchUp(ctx, hub); err != nil {
			return err
		}
	}
	return fmt.Errorf("wait for the matcher: %w", geo.ErrUnavailable)
}

// matchReader is the matcher's name in the log of changes (cmd/calanque).
const matchReader = "match"

// matcherBehind tells whether something has changed that the matcher must look
// at and has not yet.
func matcherBehind(ctx context.Context, db postgis.DB) (behind bool, err error) {
	err = db.QueryRow(ctx, `
		select exists (
			select from change
			where id > coalesce((select seen from change_reader where name = $1), 0)
			  and kind in ('osm', 'dataset', 'match') -- as the index has it
			  and (kind <> 'match' or detail @> '{"rule": true}'))`, matchReader).Scan(&behind)
	if err != nil {
		return false, fmt.Errorf("ask how far the matcher is: %w", postgis.Kind(err))
	}
	return behind, nil
}

// catching lets one at a time catch up: each would hold a connection of its
// own while it waits, and a whole room may ask at once.
var catching = make(chan struct{}, 1)

// catchUp lets the matcher see what it has not, or waits for whoever does.
func catchUp(ctx context.Context, hub *postgis.Hub) error {
	select {
	case catching <- struct{}{}:
		defer func() { <-catching }()
	case <-ctx.Done():
		return fmt.Errorf("wait for the matcher: %w", ctx.Err())
	}
	if behind, err := matcherBehind(ctx, hub.Desk); err != nil || !behind {
		return err
	}
	return postgis.Drain(ctx, hub.Owner, matchReader, match.Handle(hub, slog.Default()))
}

// give finds and leases a task in the caller's transaction; it is one of the
// tasks of its cell, which come with it.
func give(ctx context.Context, tx pgx.Tx, participant int64, lease time.Duration) (*Task, []Task, error) {
	p, err := seatedAt(ctx, tx, participant) // a double click waits here
	if err != nil {
		return nil, nil, err
	}
	if err := endExpired(ctx, tx); err != nil {
		return nil, nil, err
	}
	t, cell, err := held(ctx, tx, &p, lease)
	if err == nil || !errors.Is(err, geo.ErrNotFound) {
		return t, cell, err
	}
	return pick(ctx, tx, &p, lease)
}

// inCell reads a task with all others of its cell.
func inCell(ctx context.Context, tx pgx.Tx, session, id int64) (*Task, []Task, error) {
	cell, err := readTasks(ctx, tx, fromTasks, `
		t.session_id = $2 and not t.practice and t.cell = (select k.cell from task k where k.id = $3)`, session, id)
	if err != nil {
		return nil, nil, err
	}
	for i := range cell {
		if cell[i].ID == id {
			return &cell[i], cell, nil
		}
	}
	return nil, nil, fmt.Errorf("task %d: %w", id, geo.ErrNotFound)
}

// mostExpired is how many leases one transaction ends.
const mostExpired = 500

// endExpired ends the leases that have run out, of all sessions: they hold
// discrepancies that others wait for.
func endExpired(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `
		update claim set ended_at = now()
		where id in (select id from claim where ended_at is null and expires_at <= now() limit $1 for update skip locked)`, mostExpired)
	if err != nil {
		return fmt.Errorf("end the leases that ran out: %w", postgis.Kind(err))
	}
	return nil
}

// held gives what the participant has in hand, its lease renewed. What is no
// question any more is let go: geo.ErrNotFound, as with empty hands.
func held(ctx context.Context, tx pgx.Tx, p *Participant, lease time.Duration) (*Task, []Task, error) {
	var claim, task int64
	err := tx.QueryRow(ctx, `
		update claim set expires_at = now() + $2::interval
		where participant_id = $1 and ended_at is null and how = 'screen'
		returning id, task_id`, p.ID, lease).Scan(&claim, &task)
	if err != nil {
		return nil, nil, fmt.Errorf("look for a lease: %w", postgis.Kind(err))
	}
	t, cell, err := inCell(ctx, tx, p.Session.ID, task)
	if err != nil {
		return nil, nil, err
	}
	if t.Open && !overtaken(t) {
		return t, cell, renew(ctx, tx, t)
	}
	if err := letGo(ctx, tx, claim); err != nil {
		return nil, nil, err
	}
	return nil, nil, fmt.Errorf("task %d is settled: %w", task, geo.ErrNotFound)
}

func letGo(ctx context.Context, tx pgx.Tx, claim int64) error {
	if _, err := tx.Exec(ctx, `update claim set ended_at = now() where id = $1`, claim); err != nil {
		return fmt.Errorf("let go of a task: %w", postgis.Kind(err))
	}
	return nil
}

// overtaken tells whether the session has settled what the task asked, and
// something else came of it since: it is for the report, not for the room.
func overtaken(t *Task) bool { return t.stale() && t.judged != "" }

//go:embed sql/pick_task.sql
var pickSQL string

// maxTries is how many tasks are tried when others take them at the same time.
const maxTries = 12

// pick leases the best free task to the participant. Two who want the same
// are told apart by the index one_live_claim, whatever their sessions.
func pick(ctx context.Context, tx pgx.Tx, p *Participant, lease time.Duration) (*Task, []Task, error) {
	tried := []int64{}
	for range maxTries {
		id, err := free(ctx, tx, p, tried)
		if err != nil {
			return nil, nil, err
		}
		tried = append(tried, id)
		var claim int64
		err = tx.QueryRow(ctx, `
			insert into claim (task_id, session_id, outcome_id, participant_id, how, expires_at)
			select id, session_id, outcome_id, $2, 'screen', now() + $3::interval from task where id = $1
			on conflict do nothing
			returning id`, id, p.ID, lease).Scan(&claim)
		if errors.Is(err, pgx.ErrNoRows) {
			continue // somebody was faster
		}
		if err != nil {
			return nil, nil, fmt.Errorf("lease task %d: %w", id, postgis.Kind(err))
		}
		t, cell, err := inCell(ctx, tx, p.Session.ID, id)
		if err != nil {
			return nil, nil, err
		}
		if !t.Open || overtaken(t) { // settled between the two looks
			if err := letGo(ctx, tx, claim); err != nil {
				return nil, nil, err
			}
			continue
		}
		e := event{session: p.Session.ID, task: t.ID, role: "participant", participant: &p.ID, kind: "claimed"}
		if err := put(ctx, tx, e); err != nil {
			return nil, nil, err
		}
		return t, cell, renew(ctx, tx, t)
	}
	return nil, nil, fmt.Errorf("find a task that nobody takes: %w", geo.ErrUnavailable)
}

// free finds and holds the best task that nobody has, away from what others
// have in hand where there is such a one.
func free(ctx context.Context, tx pgx.Tx, p *Participant, tried []int64) (id int64, err error) {
	for _, anywhere := range []bool{false, true} {
		err = tx.QueryRow(ctx, pickSQL, p.Session.ID, questions, p.ID, p.Cell, p.Sign, tried, maxOpinions, apartMetres, anywhere).Scan(&id)
		if err == nil {
			return id, nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			break
		}
	}
	return 0, fmt.Errorf("find a task: %w", postgis.Kind(err))
}

// renew makes a task ask about what its outcome is now, when that has changed
// since the task was made.
func renew(ctx context.Context, tx pgx.Tx, t *Task) error {
	if !t.stale() {
		return nil
	}
	_, err := tx.Exec(ctx, `
		update task set asked = $2, fingerprint = $3, osm = nullif($4, ''), fields = $5, osm_version = (
			select version from (select _key, version from osm.point union all select _key, version from osm.area union all select _key, version from osm.line) f
			where f._key = $4 limit 1)
		where id = $1`, t.ID, t.Kind, t.print, t.object(), t.conflictFields())
	if err != nil {
		return fmt.Errorf("renew task %d: %w", t.ID, postgis.Kind(err))
	}
	e := event{
		session: t.Session, task: t.ID, role: "hub", kind: "recomputed",
		before: map[string]any{"asked": t.Asked, "fields": t.fields}, after: map[string]any{"asked": t.Kind, "fields": t.conflictFields()},
	}
	if err := put(ctx, tx, e); err != nil {
		return err
	}
	t.Asked, t.askedPrint, t.fields, t.askedOSM = t.Kind, t.print, t.conflictFields(), t.object()
	return nil
}

// Release gives back what a participant has in hand, for others to take.
func Release(ctx context.Context, db postgis.DB, participant int64) error {
	_, err := db.Exec(ctx, `update claim set ended_at = now() where participant_id = $1 and ended_at is null`, participant)
	if err != nil {
		return fmt.Errorf("release a lease: %w", postgis.Kind(err))
	}
	return nil
}

// TakeBack ends whatever lease there is on a task, a sheet's too: the mediator
// knows that nobody will answer it.
func TakeBack(ctx context.Context, db postgis.DB, code string, task int64) error {
	return change(ctx, db, code, "taken-back", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		tag, err := tx.Exec(ctx, `
			update claim set ended_at = now()
			where ended_at is null and session_id = $1 and task_id = $2`, s.ID, task)
		if err != nil || tag.RowsAffected() == 0 {
			return nil, err
		}
		return map[string]any{"task": task}, nil
	})
}
