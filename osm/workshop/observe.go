package workshop

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// watchedDays is how long after its end a session's edits are looked for: the
// report is complete a month later.
const watchedDays = 60

// Handle gives the function that follows the matcher: when outcomes have
// changed, what has become of sessions' tasks in OpenStreetMap is written into
// their history, and told to the pages. What a page shows is derived when it
// is read; the history is only how a revert is known for one.
func Handle(hub *postgis.Hub, log *slog.Logger) func(context.Context, []postgis.Change) error {
	return func(ctx context.Context, changes []postgis.Change) error {
		matched := false
		for _, c := range changes {
			matched = matched || c.Kind == "match"
		}
		if !matched {
			return nil
		}
		seen, err := observe(ctx, hub.Desk)
		if seen > 0 {
			log.Info("seen in OpenStreetMap", "tasks", seen)
		}
		return err
	}
}

// observe looks at the sessions that are watched, one transaction each.
func observe(ctx context.Context, db postgis.DB) (n int, err error) {
	rows, err := db.Query(ctx, `
		select id, code from session
		where state <> 'draft' and coalesce(closed_at, now()) > now() - make_interval(days => $1)
		order by id`, watchedDays)
	if err != nil {
		return 0, fmt.Errorf("list the sessions to watch: %w", postgis.Kind(err))
	}
	type watched struct {
		ID   int64
		Code string
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[watched])
	if err != nil {
		return 0, fmt.Errorf("list the sessions to watch: %w", postgis.Kind(err))
	}
	for _, s := range list {
		err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			seen, err := observeOne(ctx, tx, s.ID)
			if err != nil || seen == 0 {
				return err
			}
			n += seen
			return tell(ctx, tx, s.Code)
		})
		if err != nil {
			return n, fmt.Errorf("watch session %d: %w", s.ID, err)
		}
	}
	return n, nil
}

func observeOne(ctx context.Context, tx pgx.Tx, session int64) (n int, err error) {
	tasks, err := Tasks(ctx, tx, session)
	if err != nil {
		return 0, err
	}
	for i := range tasks {
		t := &tasks[i]
		if t.Seen == t.lastSeen {
			continue
		}
		e := event{
			session: session, task: t.ID, role: "hub", kind: "seen",
			before: map[string]any{"seen": t.lastSeen}, after: map[string]any{"seen": t.Seen, "kind": t.Kind},
		}
		if err := put(ctx, tx, e); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
