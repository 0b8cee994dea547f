package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// By says who changes a description: an account, a command that is its own
// author, or both for a command that a person ran through a page.
type By struct {
	Account int64
	Body    string // "calanque apply"
}

// CensusBody is the command that a census is, by whatever way it comes.
const CensusBody = "calanque census"

// A Subject is a kind of thing that is described, as the log of edits names it.
type Subject string

// The kinds of things whose edits are kept.
const (
	OfDataset  Subject = "dataset"  // by slug
	OfProducer Subject = "producer" // by id
	OfResource Subject = "resource" // by slug/name
	OfLicence  Subject = "licence"  // by id
)

// An Edit is one field of a description that was changed. Before and After are
// JSON; null is nothing.
type Edit struct {
	Kind    Subject
	Subject string
	Field   string // as the catalogue file names it: "landingPage"
	Before  json.RawMessage
	After   json.RawMessage
	Account int64 // 0 for a command
	Login   string
	Body    string
	At      time.Time
}

// Edits gives the history of a description, newest first: of a dataset also
// what was changed of its resources, and under the slugs that it had before.
func Edits(ctx context.Context, db postgis.DB, kind Subject, subject string, limit int) ([]Edit, error) {
	rows, err := db.Query(ctx, `
		with name as (
			select $2::text as subject
			union
			select f.slug from dataset d join former_slug f on f.dataset_id = d.id where $1 = 'dataset' and d.slug = $2
		)
		select e.kind, e.subject, e.field, coalesce(e.before, 'null'), coalesce(e.after, 'null'),
			coalesce(e.account_id, 0), coalesce(a.login, ''), coalesce(e.body, ''), e.at
		from edit e
		left join account a on a.id = e.account_id
		where e.kind = $1 and e.subject in (select subject from name)
		   or $1 = 'dataset' and e.kind = 'resource' and split_part(e.subject, '/', 1) in (select subject from name)
		order by e.id desc
		limit $3`, kind, subject, limit)
	if err != nil {
		return nil, fmt.Errorf("read the edits of %s: %w", subject, postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Edit])
	if err != nil {
		return nil, fmt.Errorf("read the edits of %s: %w", subject, postgis.Kind(err))
	}
	return list, nil
}

// log appends edits of one subject.
func log(ctx context.Context, tx pgx.Tx, kind Subject, subject string, list []Difference, by By) error {
	batch := &pgx.Batch{}
	for _, d := range list {
		batch.Queue(`
			insert into edit (kind, subject, field, before, after, account_id, body)
			values ($1, $2, $3, $4, $5, nullif($6, 0), nullif($7, ''))`,
			kind, subject, d.Field, null(d.Before), null(d.After), by.Account, by.Body)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("log the edits of %s: %w", subject, postgis.Kind(err))
	}
	return nil
}

func null(j json.RawMessage) any {
	if isNull(j) {
		return nil
	}
	return j
}

func isNull(j json.RawMessage) bool { return len(j) == 0 || string(j) == "null" }
