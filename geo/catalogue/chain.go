package catalogue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Chain is the way of a dataset from the census to its publication.
type Chain string

// The Region's own data pass the legal service, the committee and perhaps the
// vote; a partner's are its own to open.
const (
	Region  Chain = "region"
	Partner Chain = "partner"
)

// A State is where a dataset stands in its chain.
type State string

// The states. Only Open is public.
const (
	Counted   State = "counted"   // in the census
	Legal     State = "legal"     // waits for the legal service's opinion
	Committee State = "committee" // waits for the steering committee
	Vote      State = "vote"      // waits for the Commission permanente
	Approved  State = "approved"  // may be opened
	Open      State = "open"
	Refused   State = "refused"
	Withdrawn State = "withdrawn" // was open
)

// A Move is a step that a chain allows.
type Move struct {
	Chain    Chain
	From, To State
	Why      bool // it must say why
}

// A Step is a move that was made.
type Step struct {
	Number    int
	From, To  State
	At        time.Time
	DecidedOn *time.Time // the day of the decision, when it is another
	Account   int64      // who wrote it down; 0 for a command
	Login     string     // of the account; inside only
	Body      string     // who decided: "Comité de pilotage", "calanque load"
	Reason    string
	Document  int64 // a resource of the dataset, 0 for none
}

// Take makes a step of the dataset: s.To, and who, why and with what document;
// number, From and At are the database's. A move that the chain does not have
// is a geo.ErrConflict (somebody may have moved it meanwhile), one that must
// say why and does not is an InputError of chain.why.
func Take(ctx context.Context, tx pgx.Tx, slug string, s Step) error {
	var id geo.DatasetID
	var chain Chain
	var from State
	var number int
	err := tx.QueryRow(ctx, `select id, chain from dataset where slug = $1 for update`, slug).Scan(&id, &chain)
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("dataset %s: %w", slug, geo.ErrNotFound)
	}
	if err != nil {
		return fmt.Errorf("lock dataset %s: %w", slug, postgis.Kind(err))
	}
	err = tx.QueryRow(ctx, `
		select st.state, coalesce((select max(number) from chain_step where dataset_id = $1), 0)
		from dataset_state st where st.dataset_id = $1`, id).Scan(&from, &number)
	if err != nil {
		return fmt.Errorf("read the state of %s: %w", slug, postgis.Kind(err))
	}
	if s.From != "" && s.From != from {
		return fmt.Errorf("dataset %s is %s, no longer %s: %w", slug, from, s.From, geo.ErrConflict)
	}
	var why bool
	err = tx.QueryRow(ctx, `select why from chain_move where (chain, from_state, to_state) = ($1, $2, $3)`, chain, from, s.To).Scan(&why)
	if errors.Is(err, pgx.ErrNoRows) {
		return geo.Bad(geo.ErrConflict, "chain.no-move", "dataset", slug, "from", string(from), "to", string(s.To))
	}
	if err != nil {
		return fmt.Errorf("read the moves of %s: %w", slug, postgis.Kind(err))
	}
	if why && s.Reason == "" {
		return geo.Bad(nil, "chain.why", "dataset", slug, "from", string(from), "to", string(s.To))
	}
	_, err = tx.Exec(ctx, `
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, decided_on, account_id, body, reason, document_id)
		values ($1, $2, $3, $4, $5, $6, $7, nullif($8, 0), nullif($9, ''), nullif($10, ''), nullif($11, 0))`,
		id, chain, number+1, from, s.To, why, s.DecidedOn, s.Account, s.Body, s.Reason, s.Document)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "23503" {
		return geo.Bad(err, "chain.document", "dataset", slug)
	}
	if err != nil {
		return fmt.Errorf("write the step of %s: %w", slug, postgis.Kind(err))
	}
	return postgis.Append(ctx, tx, postgis.Change{Kind: "dataset", Subject: slug, Detail: map[string]any{"state": string(s.To)}})
}

// Moves lists what may come next for a dataset.
func Moves(ctx context.Context, db postgis.DB, slug string) ([]Move, error) {
	rows, err := db.Query(ctx, `
		select m.chain, m.from_state, m.to_state, m.why
		from dataset d
		join dataset_state s on s.dataset_id = d.id
		join chain_move m on (m.chain, m.from_state) = (d.chain, s.state)
		where d.slug = $1
		order by m.why, m.to_state`, slug)
	if err != nil {
		return nil, fmt.Errorf("read the moves of %s: %w", slug, postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Move])
	if err != nil {
		return nil, fmt.Errorf("read the moves of %s: %w", slug, postgis.Kind(err))
	}
	return list, nil
}

// Steps is the history of a dataset, oldest first.
func Steps(ctx context.Context, db postgis.DB, slug string) ([]Step, error) {
	rows, err := db.Query(ctx, `
		select s.number, s.from_state, s.to_state, s.at, s.decided_on, coalesce(s.account_id, 0), coalesce(a.login, ''),
			coalesce(s.body, ''), coalesce(s.reason, ''), coalesce(s.document_id, 0)
		from chain_step s
		join dataset d on d.id = s.dataset_id
		left join account a on a.id = s.account_id
		where d.slug = $1
		order by s.number`, slug)
	if err != nil {
		return nil, fmt.Errorf("read the chain of %s: %w", slug, postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Step])
	if err != nil {
		return nil, fmt.Errorf("read the chain of %s: %w", slug, postgis.Kind(err))
	}
	return list, nil
}
