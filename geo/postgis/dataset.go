package postgis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// A Dataset is a dataset with what loading needs to know of it.
type Dataset struct {
	ID          geo.DatasetID
	Slug        string
	Producer    string
	Licence     string
	Title       geo.Text
	Description geo.Text
	Life        geo.Life
	Source      json.RawMessage // where apply takes it from
	Plan        json.RawMessage // how the last load read it
	Frequency   string
	Position    int
	Retired     bool
	Published   geo.VersionID // 0 before the first publication
	PublishedAt time.Time
	SHA256      []byte // of what is published
}

// FindDataset gives a dataset by its slug, or ErrNotFound.
func FindDataset(ctx context.Context, db DB, slug string) (Dataset, error) {
	list, err := datasets(ctx, db, `where d.slug = $1`, slug)
	if err != nil {
		return Dataset{}, err
	}
	if len(list) == 0 {
		return Dataset{}, fmt.Errorf("dataset %s: %w", slug, geo.ErrNotFound)
	}
	return list[0], nil
}

// Datasets gives all datasets, retired ones too, in the catalogue's order.
func Datasets(ctx context.Context, db DB) ([]Dataset, error) {
	return datasets(ctx, db, "")
}

func datasets(ctx context.Context, db DB, where string, args ...any) ([]Dataset, error) {
	rows, err := db.Query(ctx, `
		select d.id, d.slug, d.producer_id, d.licence_id, d.title, d.description, d.life, d.source, d.plan,
			coalesce(d.frequency, ''), d.position, d.retired_at is not null, coalesce(d.published_id, 0),
			coalesce(d.published_at, 'epoch'), v.blob_sha256
		from dataset d
		left join version v on v.id = d.published_id
		`+where+`
		order by d.position, d.slug`, args...)
	if err != nil {
		return nil, fmt.Errorf("read the datasets: %w", Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Dataset])
	if err != nil {
		return nil, fmt.Errorf("read the datasets: %w", Kind(err))
	}
	return list, nil
}

// PutDataset makes or changes a dataset. Its producer and licence must exist;
// its life can't change once it has layers (ErrInvalid).
func PutDataset(ctx context.Context, db DB, d Dataset) (geo.DatasetID, error) {
	err := db.QueryRow(ctx, `
		insert into dataset (slug, producer_id, licence_id, title, description, life, source, frequency, position)
		values ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), $9)
		on conflict (slug) do update set producer_id = excluded.producer_id, licence_id = excluded.licence_id,
			title = excluded.title, description = excluded.description, life = excluded.life,
			source = coalesce(excluded.source, dataset.source), frequency = excluded.frequency,
			position = excluded.position, retired_at = null
		returning id`,
		d.Slug, d.Producer, d.Licence, d.Title, jsonOrNull(d.Description), d.Life, nullJSON(d.Source), d.Frequency, d.Position).Scan(&d.ID)
	if isCode(err, foreignKeyViolation) {
		return 0, geo.Bad(err, "dataset.life", "dataset", d.Slug, "life", string(d.Life))
	}
	if err != nil {
		return 0, fmt.Errorf("write dataset %s: %w", d.Slug, Kind(err))
	}
	return d.ID, nil
}

// Redescribe changes what is not zero in d of a dataset that is there, and
// brings it back when it was retired. What pages say of it meanwhile stays.
func Redescribe(ctx context.Context, db DB, d Dataset) error {
	tag, err := db.Exec(ctx, `
		update dataset set producer_id = coalesce(nullif($2, ''), producer_id), licence_id = coalesce(nullif($3, ''), licence_id),
			title = coalesce($4::jsonb, title), description = coalesce($5::jsonb, description), life = $6,
			source = coalesce($7::jsonb, source), frequency = coalesce(nullif($8, ''), frequency),
			position = case when $9 <> 0 then $9 else position end, retired_at = null
		where slug = $1`,
		d.Slug, d.Producer, d.Licence, jsonOrNull(d.Title), jsonOrNull(d.Description), d.Life, nullJSON(d.Source), d.Frequency, d.Position)
	if isCode(err, foreignKeyViolation) {
		return geo.Bad(err, "dataset.life", "dataset", d.Slug, "life", string(d.Life))
	}
	if err != nil {
		return fmt.Errorf("write dataset %s: %w", d.Slug, Kind(err))
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("write dataset %s: %w", d.Slug, geo.ErrNotFound)
	}
	return nil
}

// PutPlan keeps how a dataset was read, for the next load.
func PutPlan(ctx context.Context, db DB, slug string, plan json.RawMessage) error {
	if _, err := db.Exec(ctx, `update dataset set plan = $2 where slug = $1`, slug, plan); err != nil {
		return fmt.Errorf("keep the plan of %s: %w", slug, Kind(err))
	}
	return nil
}

// PutProducer makes or changes a producer.
func PutProducer(ctx context.Context, db DB, p geo.Producer) error {
	_, err := db.Exec(ctx, `
		insert into producer (id, title, contact) values ($1, $2, $3)
		on conflict (id) do update set title = excluded.title, contact = excluded.contact`, p.ID, p.Title, jsonOrNull(p.Contact))
	if err != nil {
		return fmt.Errorf("write producer %s: %w", p.ID, Kind(err))
	}
	return nil
}

// Producers gives all producers by id.
func Producers(ctx context.Context, db DB) ([]geo.Producer, error) {
	return all[geo.Producer](ctx, db, "the producers", `select id, title, contact from producer order by id`)
}

// PutLicence makes or changes a licence.
func PutLicence(ctx context.Context, db DB, l geo.Licence) error {
	_, err := db.Exec(ctx, `
		insert into licence (id, title, url, class) values ($1, $2, nullif($3, ''), $4)
		on conflict (id) do update set title = excluded.title, url = excluded.url, class = excluded.class`,
		l.ID, l.Title, l.URL, l.Class)
	if err != nil {
		return fmt.Errorf("write licence %s: %w", l.ID, Kind(err))
	}
	return nil
}

func all[T any](ctx context.Context, db DB, what, sql string, args ...any) ([]T, error) {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", what, Kind(err))
	}
	return list, nil
}

func nullJSON(j json.RawMessage) any {
	if len(j) == 0 {
		return nil
	}
	return j
}

const foreignKeyViolation = "23503"

func isCode(err error, code string) bool {
	var pg interface{ SQLState() string }
	return errors.As(err, &pg) && pg.SQLState() == code
}
