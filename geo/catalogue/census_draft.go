package catalogue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/postgis"
)

// A CensusDraft is a spreadsheet that was sent and waits for a person to look
// at how it is understood.
type CensusDraft struct {
	ID      int64
	Account int64
	Login   string
	Source  string // file name, for people
	SHA256  []byte // of the file; nil once it was taken
	Choices CensusDefault
	Census  int64 // that it became; 0 while it waits
	At      time.Time
}

// ReceiveCensus notes a spreadsheet that has been kept (package blob).
func ReceiveCensus(ctx context.Context, tx pgx.Tx, account int64, b blob.Blob, file string, def CensusDefault) (int64, error) {
	if err := KeepBlob(ctx, tx, b); err != nil {
		return 0, err
	}
	var id int64
	err := tx.QueryRow(ctx, `insert into census_draft (account_id, source, blob_sha256, choices) values ($1, $2, $3, $4) returning id`,
		account, file, b.SHA256, def).Scan(&id)
	if err != nil {
		return 0, fmt.Errorf("note the census %s: %w", file, postgis.Kind(err))
	}
	return id, nil
}

const draftSelect = `
	select f.id, f.account_id, a.login, f.source, f.blob_sha256, f.choices, coalesce(f.census_id, 0), f.at
	from census_draft f
	join account a on a.id = f.account_id`

// CensusDrafts gives those that wait, the newest first.
func CensusDrafts(ctx context.Context, db postgis.DB) ([]CensusDraft, error) {
	return drafts(ctx, db, ` where f.census_id is null order by f.id desc limit 50`)
}

// FindCensusDraft gives one, or ErrNotFound.
func FindCensusDraft(ctx context.Context, db postgis.DB, id int64) (CensusDraft, error) {
	return oneDraft(ctx, db, id, ` where f.id = $1`)
}

func oneDraft(ctx context.Context, db postgis.DB, id int64, which string) (CensusDraft, error) {
	list, err := drafts(ctx, db, which, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("draft %d of a census: %w", id, geo.ErrNotFound)
	}
	if err != nil {
		return CensusDraft{}, err
	}
	return list[0], nil
}

func drafts(ctx context.Context, db postgis.DB, which string, args ...any) ([]CensusDraft, error) {
	rows, err := db.Query(ctx, draftSelect+which, args...)
	if err != nil {
		return nil, fmt.Errorf("read the drafts of censuses: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[CensusDraft])
	if err != nil {
		return nil, fmt.Errorf("read the drafts of censuses: %w", postgis.Kind(err))
	}
	return list, nil
}

// ChooseCensus keeps what a person says of a spreadsheet that waits.
func ChooseCensus(ctx context.Context, db postgis.DB, id int64, def CensusDefault) error {
	return touched(db.Exec(ctx, `update census_draft set choices = $2 where id = $1 and census_id is null`, id, def))
}

// DropCensusDraft throws away a spreadsheet that waits.
func DropCensusDraft(ctx context.Context, db postgis.DB, id int64) error {
	return touched(db.Exec(ctx, `delete from census_draft where id = $1 and census_id is null`, id))
}

type commandTag interface{ RowsAffected() int64 }

// touched is ErrConflict for a draft that is not there any more: somebody has
// taken it, or thrown it away.
func touched[T commandTag](tag T, err error) error {
	if err != nil {
		return fmt.Errorf("change the draft of a census: %w", postgis.Kind(err))
	}
	if tag.RowsAffected() == 0 {
		return geo.Bad(geo.ErrConflict, "census.draft-gone")
	}
	return nil
}

// TakeCensusDraft is TakeCensus of a spreadsheet that waits, once: two who ask
// at the same time have the same report. The draft's file is let go of.
func TakeCensusDraft(ctx context.Context, db postgis.DB, id int64, s *Sheet, def CensusDefault, by By) (report int64, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		d, err := oneDraft(ctx, tx, id, ` where f.id = $1 for update of f`)
		if errors.Is(err, geo.ErrNotFound) {
			return geo.Bad(errors.Join(err, geo.ErrConflict), "census.draft-gone")
		}
		if err != nil || d.Census != 0 {
			report = d.Census
			return err
		}
		c, err := TakeCensus(ctx, tx, s, def, by)
		if err != nil {
			return err
		}
		report = max(c.ID, c.Known)
		_, err = tx.Exec(ctx, `update census_draft set census_id = $2, blob_sha256 = null where id = $1`, id, report)
		if err != nil {
			return fmt.Errorf("note that census %d was taken: %w", id, postgis.Kind(err))
		}
		return nil
	})
	return report, err
}

// keepDrafts is how long a spreadsheet waits before it is thrown away.
const keepDrafts = 30 * 24 * time.Hour

// SweepCensusDrafts throws away what nobody has come back to.
func SweepCensusDrafts(ctx context.Context, db postgis.DB, now time.Time) error {
	if _, err := db.Exec(ctx, `delete from census_draft where at < $1`, now.Add(-keepDrafts)); err != nil {
		return fmt.Errorf("throw away drafts of censuses: %w", postgis.Kind(err))
	}
	return nil
}
