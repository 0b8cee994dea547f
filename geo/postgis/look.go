package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// A Look is how people see a layer: what may change without its rows.
type Look struct {
	Layer    string
	Title    geo.Text
	Labels   map[string]geo.Text // of fields
	Style    map[string]any
	Position int
}

// PutLooks changes how layers are shown, and tells whether anything differs
// from what was. Layers that do not exist yet get theirs when they are loaded.
func PutLooks(ctx context.Context, tx pgx.Tx, looks []Look) (changed bool, err error) {
	for _, k := range looks {
		tag, err := tx.Exec(ctx, `
			with now as (select $2::jsonb as title, coalesce($3::jsonb, '{}') as labels, $4::jsonb as style, $5::int as position)
			update layer l set title = coalesce(now.title, l.title), labels = now.labels, style = now.style, position = now.position,
				revision = l.revision + 1
			from now
			where l.name = $1 and l.life <> 'live'
			  and (coalesce(now.title, l.title), now.labels, now.style, now.position) is distinct from (l.title, l.labels, l.style, l.position)`,
			k.Layer, jsonOrNull(k.Title), jsonOrNull(k.Labels), jsonOrNull(k.Style), k.Position)
		if err != nil {
			return false, fmt.Errorf("write the look of %s: %w", k.Layer, Kind(err))
		}
		changed = changed || tag.RowsAffected() > 0
	}
	return changed, nil
}

// Looks gives how the layers of a dataset are shown, or all layers with "".
func Looks(ctx context.Context, db DB, slug string) ([]Look, error) {
	return all[Look](ctx, db, "the looks of "+slug, `
		select l.name, l.title, l.labels, l.style, l.position
		from layer l
		join dataset d on d.id = l.dataset_id
		where $1 in ('', d.slug)
		order by l.position, l.name`, slug)
}

// Delivered gives the SHA-256 of the last delivery that came under a file name
// and is part of the dataset: nil when none is.
func Delivered(ctx context.Context, db DB, slug, source string) ([]byte, error) {
	list, err := all[struct{ SHA256 []byte }](ctx, db, "the deliveries of "+slug, `
		select v.blob_sha256
		from version v
		join dataset d on d.id = v.dataset_id
		where d.slug = $1 and v.source = $2 and v.state in ('ready', 'dropped') and v.published_at is not null
		order by v.number desc
		limit 1`, slug, source)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	return list[0].SHA256, nil
}
