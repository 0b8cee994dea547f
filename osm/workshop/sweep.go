package workshop

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// Sweep does what has come due at a time: it forgets the participants of
// sessions that closed a day before or earlier (their answers and history stay
// and are nobody's), closes sessions that were left open for a day beyond
// their plan, and ends leases that have run out. It is run at start, every
// minute, and before each backup and export; what it has done, it does not do
// again.
func Sweep(ctx context.Context, db postgis.DB, now time.Time) error {
	if err := endExpiredBy(ctx, db, now); err != nil {
		return err
	}
	if err := closeForgotten(ctx, db, now); err != nil {
		return err
	}
	return forget(ctx, db, now)
}

func endExpiredBy(ctx context.Context, db postgis.DB, now time.Time) error {
	_, err := db.Exec(ctx, `
		update claim set ended_at = now()
		where id in (select id from claim where ended_at is null and expires_at <= $1 order by id for update skip locked)`, now)
	if err != nil {
		return fmt.Errorf("end the leases that ran out: %w", postgis.Kind(err))
	}
	return nil
}

// closeForgotten closes sessions that nobody closed, so that their pseudonyms
// are forgotten too.
func closeForgotten(ctx context.Context, db postgis.DB, now time.Time) error {
	rows, err := db.Query(ctx, `
		select code from session where state = 'open' and opened_at + make_interval(mins => minutes) + $2::interval < $1 order by id`, now, forgetAfter)
	if err != nil {
		return fmt.Errorf("look for sessions that were left open: %w", postgis.Kind(err))
	}
	codes, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("look for sessions that were left open: %w", postgis.Kind(err))
	}
	for _, code := range codes {
		if err := Close(byHub(ctx), db, code); err != nil {
			return err
		}
	}
	return nil
}

func forget(ctx context.Context, db postgis.DB, now time.Time) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			select id from session
			where state = 'closed' and closed_at + $2::interval <= $1
			order by id
			for no key update skip locked`, now, forgetAfter)
		if err != nil {
			return fmt.Errorf("look for what has come due: %w", postgis.Kind(err))
		}
		due, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return fmt.Errorf("look for what has come due: %w", postgis.Kind(err))
		}
		for _, id := range due {
			// Foreign keys cut answers, leases and history loose.
			tag, err := tx.Exec(ctx, `delete from participant where session_id = $1`, id)
			if err != nil {
				return fmt.Errorf("forget the participants of session %d: %w", id, postgis.Kind(err))
			}
			if _, err := tx.Exec(ctx, `update session set state = 'archived' where id = $1`, id); err != nil {
				return fmt.Errorf("archive session %d: %w", id, postgis.Kind(err))
			}
			e := event{session: id, role: "hub", kind: "forgotten", before: map[string]any{"state": Closed, "people": tag.RowsAffected()}, after: map[string]any{"state": Archived}}
			if err := put(ctx, tx, e); err != nil {
				return err
			}
		}
		return nil
	})
}
