package postgis

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// finish ends the loading: the version is ready, and keeps what publishing it
// makes true, so that this can be done later, and again.
func (l *Loading) finish(ctx context.Context, tx pgx.Tx) error {
	about := struct {
		Layers []described `json:"layers"`
		Staged []staged    `json:"staged,omitempty"`
	}{l.described, l.staged}
	tag, err := tx.Exec(ctx, `
		update version set state = 'ready', ended_at = clock_timestamp(), plan = $2, described = $3
		where id = $1 and state = 'loading'`, l.Version, nullJSON(l.Plan), about)
	if err != nil {
		return fmt.Errorf("finish version %d of %s: %w", l.Number, l.slug, Kind(err))
	}
	if tag.RowsAffected() != 1 {
		return fmt.Errorf("finish version %d of %s: another load has ended it: %w", l.Number, l.slug, geo.ErrConflict)
	}
	return nil
}

// make makes true what the version says of its layers, and merges series.
func (l *Loading) make(ctx context.Context, tx pgx.Tx) error {
	for _, d := range l.described {
		if err := describe(ctx, tx, d); err != nil {
			return err
		}
	}
	for _, s := range l.staged {
		if err := l.merge(ctx, tx, s); err != nil {
			return err
		}
	}
	return nil
}

// Hold ends the loading without publishing: the version waits for
// PublishReady, or for Sweep. Readers see nothing of it. also is done in the
// same transaction.
func (l *Loading) Hold(ctx context.Context, also func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, l.hub.Owner, func(tx pgx.Tx) error {
		if err := l.finish(ctx, tx); err != nil {
			return err
		}
		return also(tx)
	})
}

// PublishReady publishes a version of a dataset that is ready: one that was
// held, or an earlier one that comes back. Whether the dataset is public is its
// chain's business, and also's, which is done in the same transaction; nil for
// nothing. It is
//   - ErrGone when its tables have been dropped, or when it is an earlier
//     delivery of a series, which has become a part of it;
//   - ErrConflict while the dataset is being loaded.
func PublishReady(ctx context.Context, h *Hub, slug string, version geo.VersionID, also func(pgx.Tx) error) error {
	l, err := BeginLoad(ctx, h, slug)
	if err != nil {
		return err
	}
	defer l.Close()
	return pgx.BeginFunc(ctx, h.Owner, func(tx pgx.Tx) error {
		before, err := l.recallReady(ctx, tx, version)
		if err != nil {
			return err
		}
		if before && len(l.staged) > 0 {
			return geo.Bad(geo.ErrGone, "version.series", "dataset", slug, "number", l.Number)
		}
		if err := l.make(ctx, tx); err != nil {
			return err
		}
		if len(l.Plan) > 0 {
			if err := PutPlan(ctx, tx, slug, l.Plan); err != nil {
				return err
			}
		}
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		return Publish(ctx, tx, l.dataset, version)
	})
}

// recallReady reads what publishing a version makes true, and tells whether it
// has been published before.
func (l *Loading) recallReady(ctx context.Context, tx pgx.Tx, version geo.VersionID) (before bool, err error) {
	var state string
	var about struct {
		Layers []described `json:"layers"`
		Staged []staged    `json:"staged"`
	}
	err = tx.QueryRow(ctx, `
		select d.id, v.id, v.number, v.state, v.published_at is not null, v.plan, coalesce(v.described, '{}')
		from version v
		join dataset d on d.id = v.dataset_id
		where d.slug = $1 and v.id = $2
		for update`, l.slug, version).Scan(&l.dataset, &l.Version, &l.Number, &state, &before, (*rawJSON)(&l.Plan), &about)
	if err != nil {
		return false, fmt.Errorf("find version %d of %s: %w", version, l.slug, Kind(err))
	}
	if state != "ready" {
		return false, geo.Bad(geo.ErrGone, "version.gone", "dataset", l.slug, "number", l.Number)
	}
	l.described, l.staged = about.Layers, about.Staged
	return before, nil
}

// rawJSON scans a jsonb that may be null.
type rawJSON json.RawMessage

// Scan takes the text or bytes of a jsonb.
func (r *rawJSON) Scan(v any) error {
	switch v := v.(type) {
	case nil:
		*r = nil
	case string:
		*r = rawJSON(v)
	case []byte:
		*r = append((*r)[:0], v...)
	default:
		return fmt.Errorf("jsonb as %T", v)
	}
	return nil
}
