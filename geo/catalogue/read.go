package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Door says who looks: the public's shows what its chain has opened.
type Door string

// The public reads public_dataset, the desk all of them.
const (
	Public Door = "public_dataset"
	Desk   Door = "dataset"
)

const entryColumns = `
	d.id, d.slug, d.producer_id, d.licence_id, d.chain, st.state, st.since,
	d.title, d.description, d.limits, d.keywords,
	(select coalesce(array_agg(t.topic_id order by t.position, t.topic_id), '{}') from dataset_topic t where t.dataset_id = d.id),
	d.territory, coalesce(d.frequency, ''), coalesce(d.high_value, ''), coalesce(d.landing_page, ''), d.contact,
	coalesce(d.extent, (select box2d(st_extent(lv.extent::geometry)) from layer_version lv where lv.version_id = d.published_id)),
	d.extent, d.delivered_at,
	d.temporal_start, d.temporal_end, d.issued_at, d.counted_at, coalesce(d.counted_from, ''),
	d.published_at, coalesce(d.published_at, d.delivered_at), d.updated_at, d.edition, d.retired_at is not null,
	coalesce(d.published_id, 0), d.life, d.extra,
	coalesce((select f.slug from former_slug f where f.dataset_id = d.id order by f.at, f.slug limit 1), d.slug)`

// Find gives a dataset by its slug with its resources (through the public door
// only the public ones), or ErrNotFound. A former slug is not followed: see
// Moved.
func Find(ctx context.Context, db postgis.DB, door Door, slug string) (Entry, error) {
	list, err := Entries(ctx, db, door, `d.slug = $1`, slug)
	if err != nil {
		return Entry{}, err
	}
	if len(list) == 0 {
		return Entry{}, fmt.Errorf("dataset %s: %w", slug, geo.ErrNotFound)
	}
	return list[0], nil
}

// Entries gives the datasets for which the SQL condition on d (the dataset) and
// st (its state) holds, by id, with their resources. A condition may end with
// its own "order by … limit …", which then decides.
func Entries(ctx context.Context, db postgis.DB, door Door, where string, args ...any) ([]Entry, error) {
	rows, err := db.Query(ctx, `
		select `+entryColumns+`
		from `+string(door)+` d
		join dataset_state st on st.dataset_id = d.id
		where `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, scanEntry)
	if err != nil {
		return nil, fmt.Errorf("read the catalogue: %w", postgis.Kind(err))
	}
	return list, addResources(ctx, db, door, list)
}

func scanEntry(row pgx.CollectableRow) (Entry, error) {
	var e Entry
	var box, said *string
	err := row.Scan(&e.ID, &e.Slug, &e.Producer, &e.Licence, &e.Chain, &e.State, &e.Since,
		&e.Title, &e.Description, &e.Limits, &e.Keywords, &e.Topics, &e.Territory, &e.Frequency, &e.HighValue, &e.LandingPage, &e.Contact,
		&box, &said, &e.SaidDelivered, &e.TemporalStart, &e.TemporalEnd, &e.IssuedAt, &e.CountedAt, &e.CountedFrom,
		&e.PublishedAt, &e.DeliveredAt, &e.UpdatedAt, &e.Edition, &e.Retired, &e.Version, &e.Life, &e.Extra, &e.Identifier)
	if err != nil {
		return e, err
	}
	if e.Extent, err = readBox(box); err != nil {
		return e, err
	}
	e.SaidExtent, err = readBox(said)
	return e, err
}

// readBox reads a box2d as PostGIS writes it; nil for null.
func readBox(s *string) (*geo.Box, error) {
	if s == nil {
		return nil, nil
	}
	b := new(geo.Box)
	if _, err := fmt.Sscanf(*s, "BOX(%g %g,%g %g)", &b.MinX, &b.MinY, &b.MaxX, &b.MaxY); err != nil {
		return nil, fmt.Errorf("read the extent %q: %w", *s, err)
	}
	return b, nil
}

// A layer's resource is called as its layer is.
const resourceSelect = `
	select r.dataset_id, r.id, r.name, r.kind, coalesce(l.title, r.title), r.description, coalesce(r.url, ''), r.blob_sha256, coalesce(l.name, ''),
		coalesce(r.filename, ''), coalesce(r.format, ''), coalesce(b.media_type, ''), coalesce(r.bytes, b.bytes, 0),
		r.document, r.public, r.position, r.updated_at, r.deleted_at is not null,
		c.at, coalesce(c.status, 0),
		case when c.failures > 1 or c.status in (404, 410) then c.broken_since end,
		case when c.failures <> 1 or c.status in (404, 410) then c.message end -- one failure says nothing yet
	from resource r
	left join link_check c on c.resource_id = r.id and c.url = r.url
	left join layer l on l.id = r.layer_id
	left join blob b on b.sha256 = r.blob_sha256`

func scanResource(row pgx.CollectableRow) (dataset geo.DatasetID, r Resource, deleted bool, err error) {
	var tried *time.Time
	var found Link
	err = row.Scan(&dataset, &r.ID, &r.Name, &r.Kind, &r.Title, &r.Description, &r.URL, &r.SHA256, &r.Layer,
		&r.Filename, &r.Format, &r.MediaType, &r.Bytes, &r.Document, &r.Public, &r.Position, &r.UpdatedAt, &deleted,
		&tried, &found.Status, &found.BrokenSince, &found.Message)
	if tried != nil {
		found.At = *tried
		r.Link = &found
	}
	return dataset, r, deleted, err
}

func addResources(ctx context.Context, db postgis.DB, door Door, list []Entry) error {
	at := map[geo.DatasetID]int{}
	ids := make([]geo.DatasetID, len(list))
	for i, e := range list {
		at[e.ID], ids[i] = i, e.ID
	}
	rows, err := db.Query(ctx, resourceSelect+`
		where r.dataset_id = any ($1) and r.deleted_at is null and (r.public or $2)
		order by r.dataset_id, r.position, r.name`, ids, door == Desk)
	if err != nil {
		return fmt.Errorf("read the resources: %w", postgis.Kind(err))
	}
	_, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		id, r, _, err := scanResource(row)
		if err == nil {
			e := &list[at[id]]
			e.Resources = append(e.Resources, r)
		}
		return struct{}{}, err
	})
	if err != nil {
		return fmt.Errorf("read the resources: %w", postgis.Kind(err))
	}
	if err := addLayers(ctx, db, list, at, ids); err != nil {
		return err
	}
	return addReceived(ctx, db, list, at, ids)
}

// Moved gives the slug that a former one leads to now, or ErrNotFound. Whether
// the dataset is public is for whoever follows it.
func Moved(ctx context.Context, db postgis.DB, former string) (string, error) {
	var slug string
	err := db.QueryRow(ctx, `select d.slug from former_slug f join dataset d on d.id = f.dataset_id where f.slug = $1 and d.slug <> $1`, former).Scan(&slug)
	if err != nil {
		return "", fmt.Errorf("former address %s: %w", former, postgis.Kind(err))
	}
	return slug, nil
}

// FormerSlugs gives the slug that each former one leads to.
func FormerSlugs(ctx context.Context, db postgis.DB) (map[string]string, error) {
	rows, err := db.Query(ctx, `select f.slug, d.slug from former_slug f join dataset d on d.id = f.dataset_id where d.slug <> f.slug`)
	if err != nil {
		return nil, fmt.Errorf("read the former addresses: %w", postgis.Kind(err))
	}
	m := map[string]string{}
	var from, to string
	_, err = pgx.ForEachRow(rows, []any{&from, &to}, func() error {
		m[from] = to
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the former addresses: %w", postgis.Kind(err))
	}
	return m, nil
}

// StatesMade gives the states that each dataset went through, in order; one
// that still stands in the census has none.
func StatesMade(ctx context.Context, db postgis.DB) (map[geo.DatasetID][]State, error) {
	rows, err := db.Query(ctx, `select dataset_id, array_agg(to_state order by number) from chain_step group by dataset_id`)
	if err != nil {
		return nil, fmt.Errorf("read the chains: %w", postgis.Kind(err))
	}
	m := map[geo.DatasetID][]State{}
	var id geo.DatasetID
	var states []State
	_, err = pgx.ForEachRow(rows, []any{&id, &states}, func() error {
		m[id] = append([]State(nil), states...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the chains: %w", postgis.Kind(err))
	}
	return m, nil
}

// Topics gives the portal's themes in their order.
func Topics(ctx context.Context, db postgis.DB) ([]Topic, error) {
	rows, err := db.Query(ctx, `select id, title, coalesce(homer, ''), iso, eu from topic order by position`)
	if err != nil {
		return nil, fmt.Errorf("read the topics: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Topic])
	if err != nil {
		return nil, fmt.Errorf("read the topics: %w", postgis.Kind(err))
	}
	return list, nil
}
