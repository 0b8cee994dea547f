package catalogue

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/blob"
	"calanque/geo/postgis"
)

// KeepBlob writes down that a file is kept, before something refers to it. A
// file that nothing refers to a day after that is swept away.
func KeepBlob(ctx context.Context, db postgis.DB, b blob.Blob) error {
	return postgis.PutBlob(ctx, db, b.SHA256, b.Bytes, b.MediaType)
}

// SweepBlobs forgets the files that nothing has referred to for a day, and
// takes away those that no row names. It returns how many files and bytes went.
func SweepBlobs(ctx context.Context, db postgis.DB, store *blob.Store, now time.Time) (int, int64, error) {
	return store.Sweep(ctx, now, func(ctx context.Context, sums [][]byte) ([]bool, error) {
		return wantedBlobs(ctx, db, sums, now.Add(-blob.Grace))
	})
}

// wantedBlobs tells of each file whether something refers to it or it was put
// after a time; the rows of the others go. Whatever has a foreign key to table
// blob keeps its files: no list of them has to be kept here.
func wantedBlobs(ctx context.Context, db postgis.DB, sums [][]byte, before time.Time) ([]bool, error) {
	referrers, err := blobReferrers(ctx, db)
	if err != nil {
		return nil, fmt.Errorf("ask which files are wanted: %w", err)
	}
	_, err = db.Exec(ctx, `delete from blob b where b.sha256 = any ($1) and b.at < $2`+referrers, sums, before)
	if err != nil {
		return nil, fmt.Errorf("forget files: %w", postgis.Kind(err))
	}
	rows, err := db.Query(ctx, `
		select b.sha256 is not null
		from unnest($1::bytea[]) with ordinality s (sum, n)
		left join blob b on b.sha256 = s.sum
		order by s.n`, sums)
	if err != nil {
		return nil, fmt.Errorf("ask which files are wanted: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[bool])
	if err != nil {
		return nil, fmt.Errorf("ask which files are wanted: %w", postgis.Kind(err))
	}
	return list, nil
}

// blobReferrers gives the SQL that holds for a blob b to which no foreign key
// leads.
func blobReferrers(ctx context.Context, db postgis.DB) (string, error) {
	rows, err := db.Query(ctx, `
		select format(' and not exists (select from %s r where r.%I = b.sha256)', c.conrelid::regclass, a.attname)
		from pg_constraint c
		join pg_attribute a on a.attrelid = c.conrelid and a.attnum = c.conkey[1]
		where c.contype = 'f' and c.confrelid = 'public.blob'::regclass
		order by 1`)
	if err != nil {
		return "", postgis.Kind(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return strings.Join(list, ""), postgis.Kind(err)
}
