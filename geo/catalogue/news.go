package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A News is something that happened to a public dataset.
type News struct {
	Slug, Identifier, Producer string
	Title, Description         geo.Text
	Kind                       NewsKind
	Number                     int64 // of the step, the version or the edition: tells news of a kind apart
	At                         time.Time
}

// A NewsKind says what happened.
type NewsKind string

// The kinds of news.
const (
	Opened    NewsKind = "opened"    // it became public
	Delivered NewsKind = "delivered" // a newer version, or another file at its producer's
	Described NewsKind = "described" // its description changed
)

// Latest lists the newest news of public datasets, at most limit. What happened
// before a dataset was last opened is not told.
func Latest(ctx context.Context, db postgis.DB, limit int) ([]News, error) {
	rows, err := db.Query(ctx, `
		with public as (
			select d.*, s.number as step, s.at as opened,
				coalesce((select f.slug from former_slug f where f.dataset_id = d.id order by f.at, f.slug limit 1), d.slug) as identifier
			from public_dataset d
			join lateral (select number, at from chain_step s where s.dataset_id = d.id order by number desc limit 1) s on true
		), news (id, kind, number, at) as (
			select id, 'opened', step, opened from public
			union all
			select p.id, 'delivered', v.id, v.published_at
			from public p
			join version v on v.dataset_id = p.id
			-- what comes with the opening is told by it
			where v.published_at > p.opened + interval '1 minute'
			union all
			select id, 'delivered', extract(epoch from delivered_at)::bigint, delivered_at
			from public
			where published_id is null and delivered_at > opened
			union all
			select id, 'described', edition, updated_at from public where updated_at > opened
		)
		select p.slug, p.identifier, p.producer_id, p.title, p.description, n.kind, n.number, n.at
		from (select * from news order by at desc, id, kind limit $1) n
		join public p on p.id = n.id
		order by n.at desc, n.id, n.kind`, limit)
	if err != nil {
		return nil, fmt.Errorf("read the news: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[News])
	if err != nil {
		return nil, fmt.Errorf("read the news: %w", postgis.Kind(err))
	}
	return list, nil
}

// An Address is what a list of pages says of a dataset.
type Address struct {
	Slug    string
	Changed time.Time // data or description, whichever is newer
}

// Addresses gives the pages of public datasets in the order of their slugs, at
// most limit from an offset on.
func Addresses(ctx context.Context, db postgis.DB, offset, limit int) ([]Address, error) {
	rows, err := db.Query(ctx, `
		select slug, greatest(updated_at, published_at, delivered_at) from public_dataset order by slug offset $1 limit $2`, offset, limit)
	if err != nil {
		return nil, fmt.Errorf("list the catalogue: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Address])
	if err != nil {
		return nil, fmt.Errorf("list the catalogue: %w", postgis.Kind(err))
	}
	return list, nil
}

// PublicProducers gives the ids of producers that have a public dataset.
func PublicProducers(ctx context.Context, db postgis.DB) ([]string, error) {
	rows, err := db.Query(ctx, `select distinct producer_id from public_dataset order by 1`)
	if err != nil {
		return nil, fmt.Errorf("list the producers: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list the producers: %w", postgis.Kind(err))
	}
	return list, nil
}
