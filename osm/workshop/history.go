package workshop

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// An event is one line of a session's history, which is only added to. It
// says who (a role, the account of those who have one, and the participant
// while they are known), what, and what it was before and after.
type event struct {
	session       int64
	task          int64 // 0 none
	role          string
	participant   *int64
	kind          string
	before, after map[string]any
}

type accountKey struct{}

// As gives a context in which what is done to a session is written into its
// history as the doing of an account.
func As(ctx context.Context, account int64) context.Context {
	return context.WithValue(ctx, accountKey{}, account)
}

// byHub gives a context in which what is done is nobody's doing, but what has
// come due.
func byHub(ctx context.Context) context.Context { return As(ctx, 0) }

// conductor is the role of who runs a session: the mediator, or the hub itself.
func conductor(ctx context.Context) string {
	if account, said := ctx.Value(accountKey{}).(int64); said && account == 0 {
		return "hub"
	}
	return "mediator"
}

func put(ctx context.Context, tx pgx.Tx, e event) error {
	var task *int64
	if e.task != 0 {
		task = &e.task
	}
	account, _ := ctx.Value(accountKey{}).(int64)
	_, err := tx.Exec(ctx, `
		insert into session_event (session_id, task_id, role, account_id, participant_id, kind, before, after)
		values ($1, $2, $3, nullif($4::bigint, 0), $5, $6, $7, $8)`, e.session, task, e.role, account, e.participant, e.kind, e.before, e.after)
	if err != nil {
		return fmt.Errorf("write down %s: %w", e.kind, postgis.Kind(err))
	}
	return nil
}

// tell appends the session to the log of changes, for the pages that show it.
// It is the last thing a transaction does.
func tell(ctx context.Context, tx pgx.Tx, code string) error {
	return postgis.Append(ctx, tx, postgis.Change{Kind: Kind, Subject: code})
}

// Room is the member of a change's detail that says that everybody in the
// session is concerned: a phase, a freeze, a call, the end. What is without it
// moves counts alone.
const Room = "room"

// tellRoom is tell for what everybody in the room must hear of.
func tellRoom(ctx context.Context, tx pgx.Tx, code string) error {
	return postgis.Append(ctx, tx, postgis.Change{Kind: Kind, Subject: code, Detail: map[string]any{Room: true}})
}
