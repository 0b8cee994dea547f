package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// A Download is what a layer weighed as a file when one was last built.
type Download struct {
	Layer   string
	Format  string // "csv", "geojson", "gpkg"
	Edition string // of the data and the writer: of another one, Bytes is an estimate
	Bytes   int64
}

// Downloads gives the files that were built of a dataset's layers.
func Downloads(ctx context.Context, db postgis.DB, slug string) ([]Download, error) {
	rows, err := db.Query(ctx, `
		select l.name, w.format, w.edition, w.bytes
		from download w
		join layer l on l.id = w.layer_id
		join dataset d on d.id = l.dataset_id
		where d.slug = $1
		order by l.position, l.name, w.format`, slug)
	if err != nil {
		return nil, fmt.Errorf("read the downloads of %s: %w", slug, postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Download])
	if err != nil {
		return nil, fmt.Errorf("read the downloads of %s: %w", slug, postgis.Kind(err))
	}
	return list, nil
}

// PutDownload writes down what a file weighs.
func PutDownload(ctx context.Context, db postgis.DB, d Download) error {
	_, err := db.Exec(ctx, `
		insert into download (layer_id, format, edition, bytes)
		select id, $2, $3, $4 from layer where name = $1
		on conflict (layer_id, format) do update set edition = excluded.edition, bytes = excluded.bytes, at = now()
			where download.edition <> excluded.edition`, d.Layer, d.Format, d.Edition, d.Bytes)
	if err != nil {
		return fmt.Errorf("write down a download of %s: %w", d.Layer, postgis.Kind(err))
	}
	return nil
}

// A Received is the file that the published version of a dataset was loaded
// from.
type Received struct {
	SHA256    []byte
	Name      string
	MediaType string
	Bytes     int64
	At        time.Time // when it was published
}

// FindReceived gives the file as received of a dataset that is public, or
// geo.ErrNotFound when none is kept.
func FindReceived(ctx context.Context, db postgis.DB, slug string) (Received, error) {
	var r Received
	err := db.QueryRow(ctx, `
		select b.sha256, v.file_name, b.media_type, b.bytes, d.published_at
		from public_dataset d
		join version v on v.id = d.published_id
		join blob b on b.sha256 = v.file_sha256
		where d.slug = $1`, slug).Scan(&r.SHA256, &r.Name, &r.MediaType, &r.Bytes, &r.At)
	if err != nil {
		return r, fmt.Errorf("file received of %s: %w", slug, postgis.Kind(err))
	}
	return r, nil
}

// A HeldFile is a resource with its bytes in the store, for whoever serves it.
type HeldFile struct {
	Resource
	Producer string // id of the dataset's
	Open     bool   // the public may have it
}

// FindHeld gives a file or document of a dataset by its name, whoever may see
// it: Open says whether the public may. Without bytes of its own it is
// geo.ErrNotFound.
func FindHeld(ctx context.Context, db postgis.DB, slug, name string) (HeldFile, error) {
	var f HeldFile
	err := db.QueryRow(ctx, `
		select r.id, r.name, r.kind, r.title, b.sha256, r.filename, b.media_type, b.bytes, r.updated_at, d.producer_id,
			r.public and exists (select from public_dataset p where p.id = d.id)
		from dataset d
		join resource r on r.dataset_id = d.id
		join blob b on b.sha256 = r.blob_sha256
		where d.slug = $1 and r.name = $2 and r.deleted_at is null`, slug, name).Scan(
		&f.ID, &f.Name, &f.Kind, &f.Title, &f.SHA256, &f.Filename, &f.MediaType, &f.Bytes, &f.UpdatedAt, &f.Producer, &f.Open)
	if err != nil {
		return f, fmt.Errorf("file %s of %s: %w", name, slug, postgis.Kind(err))
	}
	return f, nil
}
