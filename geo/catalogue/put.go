package catalogue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/postgis"
)

// entryFields are what may be said of a dataset, in the order in which people
// are told. State and versions are moved by Take and by loads, not here.
var entryFields = []field[Entry]{
	{"id", "slug", "", func(e *Entry) any { return &e.Slug }},
	{"title", "title", "coalesce(%s::jsonb, '{}')", func(e *Entry) any { return &e.Title }},
	{"description", "description", "", func(e *Entry) any { return &e.Description }},
	{"producer", "producer_id", "", func(e *Entry) any { return &e.Producer }},
	{"licence", "licence_id", "", func(e *Entry) any { return &e.Licence }},
	{"chain", "chain", "", func(e *Entry) any { return &e.Chain }},
	{"topics", "", "", func(e *Entry) any { return &e.Topics }},
	{"keywords", "keywords", "", func(e *Entry) any { return &e.Keywords }},
	{"territory", "territory", "", func(e *Entry) any { return &e.Territory }},
	{"extent", "extent", "%s::text::box2d", func(e *Entry) any { return &e.SaidExtent }},
	{"from", "temporal_start", "", func(e *Entry) any { return &e.TemporalStart }},
	{"to", "temporal_end", "", func(e *Entry) any { return &e.TemporalEnd }},
	{"frequency", "frequency", "nullif(%s, '')", func(e *Entry) any { return &e.Frequency }},
	{"issued", "issued_at", "", func(e *Entry) any { return &e.IssuedAt }},
	{"delivered", "delivered_at", "", func(e *Entry) any { return &e.SaidDelivered }},
	{"limits", "limits", "", func(e *Entry) any { return &e.Limits }},
	{"highValue", "high_value", "nullif(%s, '')", func(e *Entry) any { return &e.HighValue }},
	{"landingPage", "landing_page", "nullif(%s, '')", func(e *Entry) any { return &e.LandingPage }},
	{"contact", "contact", "", func(e *Entry) any { return &e.Contact }},
	{"extra", "extra", "coalesce(%s::jsonb, '{}')", func(e *Entry) any { return &e.Extra }},
}

// Put makes the description of a dataset what e says, and gives what changed:
// nothing when it said so before, and then nothing is written. e.ID zero finds
// the dataset by its slug, or makes a new one, which stands in the census;
// another slug with an ID renames it, and the old address leads to it for ever.
// State, versions and resources are not touched: see Take and PutResource.
//
// e.Edition other than zero must be the one that is stored, else somebody has
// saved meanwhile: the error is then a *Stale with what is there. Faults in
// the description are all told at once, as Faults, each naming its field.
func Put(ctx context.Context, tx pgx.Tx, e Entry, by By) ([]Difference, error) {
	was, err := stored(ctx, tx, &e)
	if err != nil {
		return nil, err
	}
	if was.ID != 0 && e.Edition != 0 && e.Edition != was.Edition {
		return nil, &Stale{Now: was}
	}
	if was.ID == 0 && e.Chain == "" {
		e.Chain = Partner
	}
	changed := DatasetOf.Differences(&was, &e)
	if was.ID != 0 && len(changed) == 0 {
		return nil, nil
	}
	if err := check(ctx, tx, &e, changed); err != nil {
		return nil, err
	}
	if was.ID == 0 {
		e.ID, err = insert(ctx, tx, &e, changed)
	} else {
		e.ID = was.ID
		err = update(ctx, tx, &was, &e, changed)
	}
	if err != nil {
		return nil, err
	}
	if err := putTopics(ctx, tx, &e, changed); err != nil {
		return nil, err
	}
	if err := log(ctx, tx, OfDataset, e.Slug, changed, by); err != nil {
		return nil, err
	}
	return changed, postgis.Append(ctx, tx, postgis.Change{Kind: "catalogue", Subject: e.Slug})
}

// stored finds the dataset that e describes, locked until the transaction
// ends; without an ID when there is none.
func stored(ctx context.Context, tx pgx.Tx, e *Entry) (Entry, error) {
	where, arg := `d.slug = $1 for update of d`, any(e.Slug)
	if e.ID != 0 {
		where, arg = `d.id = $1 for update of d`, e.ID
	}
	list, err := Entries(ctx, tx, Desk, where, arg)
	if err != nil {
		return Entry{}, err
	}
	if len(list) == 0 {
		if e.ID != 0 {
			return Entry{}, fmt.Errorf("dataset %s: %w", e.Slug, geo.ErrNotFound)
		}
		return Entry{}, nil
	}
	return list[0], nil
}

func insert(ctx context.Context, tx pgx.Tx, e *Entry, changed []Difference) (geo.DatasetID, error) {
	columns, values, args := assign(entryFields, e, changed, nil)
	if e.CountedFrom != "" {
		args = append(args, e.CountedFrom)
		columns, values = append(columns, "counted_from"), append(values, fmt.Sprintf("$%d", len(args)))
	}
	var id geo.DatasetID
	err := tx.QueryRow(ctx, `insert into dataset (`+strings.Join(columns, ", ")+`, position) values (`+strings.Join(values, ", ")+`, 1000) returning id`,
		args...).Scan(&id)
	if err != nil {
		return 0, refused(e, err)
	}
	return id, nil
}

func update(ctx context.Context, tx pgx.Tx, was, e *Entry, changed []Difference) error {
	columns, values, args := assign(entryFields, e, changed, []any{was.ID})
	set := []string{"updated_at = now()", "edition = edition + 1"}
	for i := range columns {
		set = append(set, columns[i]+" = "+values[i])
	}
	if _, err := tx.Exec(ctx, `update dataset set `+strings.Join(set, ", ")+` where id = $1`, args...); err != nil {
		return refused(e, err)
	}
	if was.Slug == e.Slug {
		return nil
	}
	return former(ctx, tx, e, was.Slug)
}

// former keeps an address that led to the dataset.
func former(ctx context.Context, tx pgx.Tx, e *Entry, slug string) error {
	_, err := tx.Exec(ctx, `insert into former_slug (slug, dataset_id) values ($1, $2) on conflict (slug) do nothing`, slug, e.ID)
	if err != nil {
		return refused(e, err)
	}
	return nil
}

// refused tells the mistakes that only the database can see: names that are
// taken, a chain that has begun.
func refused(e *Entry, err error) error {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return fmt.Errorf("write dataset %s: %w", e.Slug, postgis.Kind(err))
	}
	switch {
	case pg.ConstraintName == "dataset_slug_key" || pg.ConstraintName == "former_slug_pkey":
		return geo.Bad(errors.Join(err, geo.ErrExists), "put.slug-taken", "field", "id", "value", e.Slug)
	case pg.Code == "23503" && strings.Contains(pg.ConstraintName, "chain"):
		return geo.Bad(errors.Join(err, geo.ErrConflict), "put.chain-begun", "field", "chain", "value", string(e.Chain))
	}
	return fmt.Errorf("write dataset %s: %w", e.Slug, postgis.Kind(err))
}

func putTopics(ctx context.Context, tx pgx.Tx, e *Entry, changed []Difference) error {
	if !slices.ContainsFunc(changed, func(d Difference) bool { return d.Field == "topics" }) {
		return nil
	}
	_, err := tx.Exec(ctx, `
		with gone as (delete from dataset_topic where dataset_id = $1 and topic_id <> all ($2))
		insert into dataset_topic (dataset_id, topic_id, position)
		select $1, t.id, t.n from unnest($2::text[]) with ordinality t (id, n)
		on conflict (dataset_id, topic_id) do update set position = excluded.position`, e.ID, list(e.Topics))
	if err != nil {
		return fmt.Errorf("write the topics of %s: %w", e.Slug, postgis.Kind(err))
	}
	return nil
}

// AddFormer makes addresses that a dataset had elsewhere lead to it: those of
// an older portal. It tells whether any is new.
func AddFormer(ctx context.Context, tx pgx.Tx, e Entry, slugs []string) (bool, error) {
	added := false
	for _, s := range slugs {
		if !slugShape.MatchString(s) {
			return false, geo.Bad(nil, "put.slug", "field", "formerly", "value", s)
		}
		var id geo.DatasetID
		err := tx.QueryRow(ctx, `select dataset_id from former_slug where slug = $1`, s).Scan(&id)
		switch {
		case err == nil && id == e.ID:
		case err == nil:
			return false, geo.Bad(geo.ErrExists, "put.slug-taken", "field", "formerly", "value", s)
		case errors.Is(err, pgx.ErrNoRows):
			added = true
			if err := former(ctx, tx, &e, s); err != nil {
				return false, err
			}
		default:
			return false, fmt.Errorf("look up the address %s: %w", s, postgis.Kind(err))
		}
	}
	return added, nil
}

// Retire takes a dataset out of what is served, data kept, or brings it back.
func Retire(ctx context.Context, tx pgx.Tx, slug string, away bool, by By) error {
	tag, err := tx.Exec(ctx, `
		update dataset set retired_at = case when $2 then now() end, edition = edition + 1
		where slug = $1 and (retired_at is not null) <> $2`, slug, away)
	if err != nil {
		return fmt.Errorf("retire %s: %w", slug, postgis.Kind(err))
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	d := Difference{"retired", []byte("false"), []byte("true")}
	if !away {
		d.Before, d.After = d.After, d.Before
	}
	if err := log(ctx, tx, OfDataset, slug, []Difference{d}, by); err != nil {
		return err
	}
	return postgis.Append(ctx, tx, postgis.Change{Kind: "dataset", Subject: slug, Detail: map[string]any{"retired": away}})
}
