package postgis

import (
	"context"
	"fmt"

	"calanque/geo"
)

// PutBlob writes down that a file is kept, before something refers to it. A
// file that nothing refers to a day after that is swept away.
func PutBlob(ctx context.Context, db DB, sha256 []byte, bytes int64, mediaType string) error {
	_, err := db.Exec(ctx, `
		insert into blob (sha256, bytes, media_type)
		values ($1, $2, $3)
		on conflict (sha256) do update set at = now()`, sha256, bytes, mediaType)
	if err != nil {
		return fmt.Errorf("write down file %x: %w", sha256, Kind(err))
	}
	return nil
}

// KeepReceived says which file a version came from, and as what it was
// received; its row of table blob must be there.
func KeepReceived(ctx context.Context, db DB, version geo.VersionID, sha256 []byte, name string) error {
	_, err := db.Exec(ctx, `update version set file_sha256 = $2, file_name = $3 where id = $1`, version, sha256, name)
	if err != nil {
		return fmt.Errorf("keep the file of version %d: %w", version, Kind(err))
	}
	return nil
}

// ForgetReceived lets go of the files of all but the newest deliveries of each
// dataset; what is published keeps its own.
func ForgetReceived(ctx context.Context, db DB, keep int) error {
	_, err := db.Exec(ctx, `
		update version v set file_sha256 = null, file_name = null
		from (
			select id, row_number() over (partition by dataset_id order by number desc) as n
			from version
			where file_sha256 is not null
		) x
		where x.id = v.id and x.n > $1 and not exists (select from dataset d where d.published_id = v.id)`, keep)
	if err != nil {
		return fmt.Errorf("forget the files of old versions: %w", Kind(err))
	}
	return nil
}
