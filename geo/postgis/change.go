package postgis

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"calanque/geo"
)

// A Change is one entry of the log: something public is not what it was.
type Change struct {
	ID      int64
	At      time.Time
	Kind    string   // "dataset", "osm", "match", "workshop"
	Subject string   // dataset slug, "osm", layer name
	Box     *geo.Box // EPSG:3857, what changed; nil for all of it
	Detail  map[string]any
}

// pollEvery is how often a follower looks by itself; NOTIFY only wakes it
// earlier.
const pollEvery = 2 * time.Second

// Append writes a change. Call it last in the transaction: it takes the lock
// that makes the order of ids the order of commits, without which a reader
// that goes by "id greater than my cursor" loses rows.
func Append(ctx context.Context, tx pgx.Tx, c Change) error {
	var box []any
	if c.Box != nil && !c.Box.Empty() {
		box = []any{c.Box.MinX, c.Box.MinY, c.Box.MaxX, c.Box.MaxY}
	} else {
		box = []any{nil, nil, nil, nil}
	}
	// Both in one go: everybody who appends waits for the lock.
	var both pgx.Batch
	both.Queue(`select pg_advisory_xact_lock($1)`, lockKey("change"))
	both.Queue(`
		with added as (
			insert into change (kind, subject, detail, box)
			values ($1, $2, $3, st_makeenvelope($4, $5, $6, $7, 3857))
			returning id
		)
		select pg_notify('change', id::text) from added`,
		append([]any{c.Kind, c.Subject, c.Detail}, box...)...)
	if err := tx.SendBatch(ctx, &both).Close(); err != nil {
		return fmt.Errorf("append the change of %s %s: %w", c.Kind, c.Subject, err)
	}
	return nil
}

// LastChange gives the id of the newest change, 0 when there is none.
func LastChange(ctx context.Context, db DB) (int64, error) {
	var id int64
	if err := db.QueryRow(ctx, `select coalesce(max(id), 0) from change`).Scan(&id); err != nil {
		return 0, fmt.Errorf("read the last change: %w", Kind(err))
	}
	return id, nil
}

// Changes gives at most limit changes that come after an id, oldest first.
func Changes(ctx context.Context, db DB, after int64, limit int) ([]Change, error) {
	rows, err := db.Query(ctx, `
		select id, at, kind, subject, detail, st_xmin(box), st_ymin(box), st_xmax(box), st_ymax(box)
		from change
		where id > $1
		order by id
		limit $2`, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read the changes: %w", Kind(err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Change, error) {
		var c Change
		var x0, y0, x1, y1 *float64
		err := row.Scan(&c.ID, &c.At, &c.Kind, &c.Subject, &c.Detail, &x0, &y0, &x1, &y1)
		if x0 != nil {
			c.Box = &geo.Box{MinX: *x0, MinY: *y0, MaxX: *x1, MaxY: *y1}
		}
		return c, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the changes: %w", Kind(err))
	}
	return list, nil
}

// Follow calls fn with each batch of changes after an id, in order, until ctx
// ends (it then returns nil) or fn fails. A database that is away is waited
// for: no change is lost, because the log is read again from the cursor.
func Follow(ctx context.Context, p *pgxpool.Pool, after int64, fn func([]Change) error) error {
	for ctx.Err() == nil {
		next, err := followOnce(ctx, p, after, fn)
		after = next
		if stop := (*stopError)(nil); errors.As(err, &stop) {
			return stop.err
		}
		if err != nil {
			wait(ctx, pollEvery)
		}
	}
	return nil
}

// A stopError carries an error of the caller's function out of the loop that
// forgives the database's.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

func followOnce(ctx context.Context, p *pgxpool.Pool, after int64, fn func([]Change) error) (int64, error) {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return after, err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `listen change`); err != nil {
		return after, err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, `unlisten change`); err != nil {
			_ = conn.Conn().Close(ctx)
		}
	}()
	for {
		list, err := Changes(ctx, conn, after, 1000)
		if err != nil {
			return after, err
		}
		if len(list) > 0 {
			if err := fn(list); err != nil {
				return after, &stopError{err}
			}
			after = list[len(list)-1].ID
			continue
		}
		poll, cancel := context.WithTimeout(ctx, pollEvery)
		_, err = conn.Conn().WaitForNotification(poll)
		cancel()
		if ctx.Err() != nil {
			return after, ctx.Err()
		}
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return after, err
		}
	}
}

// Drain brings a reader with a stored cursor up to date: it calls fn with the
// changes it has not seen and moves the cursor after each call that succeeds.
// One process at a time drains a reader; another waits and then finds nothing
// left. So a command that drains before it returns lets a script see the
// result.
func Drain(ctx context.Context, p *pgxpool.Pool, reader string, fn func(context.Context, []Change) error) error {
	unlock, err := Lock(ctx, p, "reader "+reader)
	if err != nil {
		return err
	}
	defer unlock()
	for {
		var seen int64
		// Asked before it is made: who finds nothing new writes nothing.
		err := p.QueryRow(ctx, `select seen from change_reader where name = $1`, reader).Scan(&seen)
		if err == nil {
			list, err := Changes(ctx, p, seen, 1)
			if err != nil || len(list) == 0 {
				return err
			}
		}
		err = p.QueryRow(ctx, `
			insert into change_reader (name) values ($1)
			on conflict (name) do update set name = excluded.name
			returning seen`, reader).Scan(&seen)
		if err != nil {
			return fmt.Errorf("read the cursor of %s: %w", reader, Kind(err))
		}
		list, err := Changes(ctx, p, seen, 1000)
		if err != nil || len(list) == 0 {
			return err
		}
		if err := fn(ctx, list); err != nil {
			return err
		}
		_, err = p.Exec(ctx, `update change_reader set seen = $2 where name = $1`, reader, list[len(list)-1].ID)
		if err != nil {
			return fmt.Errorf("move the cursor of %s: %w", reader, Kind(err))
		}
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
