// Package account knows who is signed in and what they may do: accounts of the
// few who need one, their passwords and logins, and the one table of who may
// call what.
//
// A coordinator runs the hub, a mediator one public internet-access point
// (ERIC), a producer is one organisation's. Citizens and the participants of a
// mapping session never have an account: a participant is an Actor of one
// session only, made by who knows their seat. There is no HTTP here: cookies,
// forms and statuses are package api's.
package account

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Role is what an actor is.
type Role string

// The roles. The first three are those of accounts.
const (
	Coordinator Role = "coordinator"
	Mediator    Role = "mediator"    // of one ERIC
	Producer    Role = "producer"    // of one organisation
	Participant Role = "participant" // of one session, without an account
	Link        Role = "link"        // a short-lived read-only address that an editor was given
	Visitor     Role = ""            // everybody else
)

// A Member is what a producer's person may do at their desk: both describe and
// deliver; a referent also publishes and opens. An account from before there
// were desks has none, and is an editor's.
type Member string

// The members of a producer.
const (
	Referent Member = "referent"
	Editor   Member = "editor"
)

// Roles are those that an account can have.
var Roles = []Role{Coordinator, Mediator, Producer}

// An Account is one person's or organisation's way in. There is no name and no
// address in it: a login is all that the hub knows.
type Account struct {
	ID       int64      `json:"-"`
	Login    string     `json:"login"`
	Role     Role       `json:"role"`
	Producer string     `json:"producer,omitempty"` // of a producer
	Member   Member     `json:"member,omitempty"`   // likewise
	ERIC     string     `json:"eric,omitempty"`     // of a mediator
	Created  time.Time  `json:"created"`
	Disabled *time.Time `json:"disabled,omitempty"`
}

// loginForm is what a login may look like; the database holds the same.
var loginForm = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{0,62}$`)

// Login gives a login as it is kept: without spaces around it, in lower case.
func Login(s string) string { return strings.ToLower(strings.TrimSpace(s)) }

// check says what is wrong with an account before the database is asked.
func (a *Account) check() error {
	a.Login = Login(a.Login)
	if !loginForm.MatchString(a.Login) {
		return geo.Bad(nil, "account.login", "login", a.Login)
	}
	switch {
	case a.Role == Mediator && a.ERIC == "":
		return geo.Bad(nil, "account.needs-eric", "login", a.Login)
	case a.Role == Producer && a.Producer == "":
		return geo.Bad(nil, "account.needs-producer", "login", a.Login)
	case a.Role != Mediator && a.ERIC != "":
		return geo.Bad(nil, "account.no-eric", "role", string(a.Role))
	case a.Role != Producer && a.Producer != "":
		return geo.Bad(nil, "account.no-producer", "role", string(a.Role))
	case a.Role != Producer && a.Member != "", a.Member != "" && a.Member != Referent && a.Member != Editor:
		return geo.Bad(nil, "account.no-member", "role", string(a.Role))
	}
	return nil
}

// Add makes an account with a password. A login that is taken, an ERIC or a
// producer that is not known is a *geo.InputError that names those that are.
func Add(ctx context.Context, db postgis.DB, a Account, password string) error {
	if err := a.check(); err != nil {
		return err
	}
	if err := strong(a.Login, password); err != nil {
		return err
	}
	_, err := db.Exec(ctx, `
		insert into account (login, password_hash, role, producer_id, eric_id, member)
		values ($1, $2, $3, nullif($4, ''), nullif($5, ''), nullif($6, ''))`,
		a.Login, hash(password), a.Role, a.Producer, a.ERIC, a.Member)
	if err == nil {
		return nil
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "23505":
			return geo.Bad(err, "account.taken", "login", a.Login)
		case pg.ConstraintName == "account_eric_id_fkey":
			return geo.Bad(err, "account.unknown-eric", "eric", a.ERIC, "known", known(ctx, db, "eric"))
		case pg.ConstraintName == "account_producer_id_fkey":
			return geo.Bad(err, "account.unknown-producer", "producer", a.Producer, "known", known(ctx, db, "producer"))
		}
	}
	return fmt.Errorf("add account %s: %w", a.Login, postgis.Kind(err))
}

// known lists the ids of a table, for an error that says what would be right.
func known(ctx context.Context, db postgis.DB, table string) string {
	var list *string
	err := db.QueryRow(ctx, `select string_agg(id, ', ' order by id) from `+pgx.Identifier{table}.Sanitize()).Scan(&list)
	if err != nil || list == nil {
		return "–"
	}
	return *list
}

// List gives all accounts by login.
func List(ctx context.Context, db postgis.DB) ([]Account, error) {
	rows, err := db.Query(ctx, `
		select id, login, role, coalesce(producer_id, ''), coalesce(member, ''), coalesce(eric_id, ''), created_at, disabled_at
		from account
		order by login`)
	if err != nil {
		return nil, fmt.Errorf("list the accounts: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Account])
}

// Disable ends an account and all its logins. What it did stays.
func Disable(ctx context.Context, db postgis.DB, login string) error {
	return change(ctx, db, login, `update account set disabled_at = coalesce(disabled_at, now()) where login = $1 returning id`)
}

// SetPassword gives an account another password, ends all its logins, and
// lets in again one that was disabled.
func SetPassword(ctx context.Context, db postgis.DB, login, password string) error {
	if err := strong(Login(login), password); err != nil {
		return err
	}
	return change(ctx, db, login, `update account set password_hash = $2, disabled_at = null where login = $1 returning id`, hash(password))
}

// change updates one account and ends its logins.
func change(ctx context.Context, db postgis.DB, login, sql string, args ...any) error {
	login = Login(login)
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, sql, append([]any{login}, args...)...).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return geo.Bad(geo.ErrNotFound, "account.unknown", "login", login)
		}
		if err != nil {
			return fmt.Errorf("change account %s: %w", login, postgis.Kind(err))
		}
		return signOutEverywhere(ctx, tx, id)
	})
}
