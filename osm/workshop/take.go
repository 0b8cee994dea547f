package workshop

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Hold says what a participant can do about a question that they looked up.
type Hold string

// The holds.
const (
	Mine    Hold = "mine"    // it is leased to them
	Taken   Hold = "taken"   // somebody else has it, on a screen or on paper
	Settled Hold = "settled" // others have answered: nothing is asked any more
)

// Take gives a participant the question of a number, because they have looked
// it up. It is compared anew before it is shown when anything has changed
// under it, and leased to them in place of what they had in hand; else it is
// only to be read, and what they had stays theirs. What they have answered
// themselves they may answer again.
//
// An unknown number is geo.ErrNotFound; while the room is frozen or the
// session is not open it is a *geo.InputError.
func Take(ctx context.Context, hub *postgis.Hub, participant int64, number int) (q Question, h Hold, err error) {
	err = fresh(ctx, hub, func(tx pgx.Tx) error {
		p, err := seatedAt(ctx, tx, participant)
		if err != nil {
			return err
		}
		list, err := readTasks(ctx, tx, fromTasks, "t.session_id = $2 and t.number = $3 and not t.practice", p.Session.ID, number)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			return fmt.Errorf("find question %d: %w", number, geo.ErrNotFound)
		}
		t := &list[0]
		if h, err = take(ctx, tx, &p, t); err != nil {
			return err
		}
		q = t.question()
		return nil
	})
	return q, h, err
}

// seatedAt finds a participant who may be asked something now; a second
// request of theirs waits here.
func seatedAt(ctx context.Context, tx pgx.Tx, participant int64) (Participant, error) {
	p, err := findParticipant(ctx, tx, `p.id = $1 for no key update`, participant)
	if err != nil {
		return p, err
	}
	switch {
	case p.Session.State != Running:
		return p, geo.Bad(nil, "workshop.closed")
	case p.Session.Frozen:
		return p, geo.Bad(nil, "workshop.frozen")
	}
	return p, nil
}

func take(ctx context.Context, tx pgx.Tx, p *Participant, t *Task) (Hold, error) {
	if err := endExpired(ctx, tx); err != nil {
		return "", err
	}
	var claim *int64
	var mine, answered bool
	err := tx.QueryRow(ctx, `
		select l.id, coalesce(l.participant_id = $2 and l.task_id = $3, false),
			exists (select from answer a where a.task_id = $3 and a.participant_id = $2 and a.undone_at is null)
		from (select) here
		left join claim l on l.outcome_id = $1 and l.ended_at is null`, t.Outcome, p.ID, t.ID).Scan(&claim, &mine, &answered)
	switch {
	case err != nil:
		return "", fmt.Errorf("look who has task %d: %w", t.ID, postgis.Kind(err))
	case claim != nil && !mine:
		return Taken, nil
	case !answered && (!t.Open || overtaken(t)):
		return Settled, nil
	case mine:
		_, err = tx.Exec(ctx, `update claim set expires_at = now() + $2::interval where id = $1`, *claim, Lease)
	default:
		err = swap(ctx, tx, p, t)
		if errors.Is(err, pgx.ErrNoRows) { // somebody was faster
			return Taken, nil
		}
	}
	if err != nil {
		return "", fmt.Errorf("lease task %d: %w", t.ID, postgis.Kind(err))
	}
	if !t.Open {
		return Mine, nil // their own answer has settled it
	}
	return Mine, renew(ctx, tx, t)
}

// swap leases a task to a participant in place of what they hold; it is
// pgx.ErrNoRows when somebody else has it.
func swap(ctx context.Context, tx pgx.Tx, p *Participant, t *Task) error {
	if _, err := tx.Exec(ctx, `update claim set ended_at = now() where participant_id = $1 and how = 'screen' and ended_at is null`, p.ID); err != nil {
		return err
	}
	var id int64
	err := tx.QueryRow(ctx, `
		insert into claim (task_id, session_id, outcome_id, participant_id, how, expires_at)
		values ($1, $2, $3, $4, 'screen', now() + $5::interval)
		on conflict do nothing
		returning id`, t.ID, t.Session, t.Outcome, p.ID, Lease).Scan(&id)
	if err != nil {
		return err
	}
	return put(ctx, tx, event{session: t.Session, task: t.ID, role: "participant", participant: &p.ID, kind: "claimed"})
}

// Heartbeat renews whatever lease a participant has, while their page is open;
// geo.ErrNotFound when they have none any more.
func Heartbeat(ctx context.Context, db postgis.DB, participant int64) error {
	tag, err := db.Exec(ctx, `
		update claim set expires_at = now() + $2::interval
		where participant_id = $1 and how = 'screen' and ended_at is null and expires_at > now()`, participant, Lease)
	if err != nil {
		return fmt.Errorf("keep a lease: %w", postgis.Kind(err))
	}
	if tag.RowsAffected() == 0 {
		return fmt.Errorf("keep a lease: %w", geo.ErrNotFound)
	}
	return nil
}

// FreshCell gives the tasks of one cell of a session, of all for 0, after the
// matcher has seen all that has changed.
func FreshCell(ctx context.Context, hub *postgis.Hub, session int64, cell int) (list []Task, err error) {
	err = fresh(ctx, hub, func(tx pgx.Tx) error {
		list, err = readTasks(ctx, tx, fromTasks, "t.session_id = $2 and not t.practice and $3 in (0, t.cell)", session, cell)
		return err
	})
	return list, err
}

// Ahead gives at most n questions that a participant may go on with while the
// hub is out of reach: open ones of their cell, then of their group, that
// nobody has and they have not answered. They are not leased, for the others
// would wait for them; whoever answers second gives a second opinion. Two
// neighbours begin at different ones.
func Ahead(ctx context.Context, hub *postgis.Hub, participant int64, n int) (list []Question, err error) {
	err = fresh(ctx, hub, func(tx pgx.Tx) error {
		list = nil
		p, err := seatedAt(ctx, tx, participant)
		if err != nil {
			return err
		}
		tasks, err := readTasks(ctx, tx, fromTasks, `
			t.session_id = $2 and not t.practice and o.kind = any ($1) and v.id is null
			and t.cell in (select c.number from cell c where c.session_id = $2 and c.sign = $3)
			and not exists (select from claim l where l.outcome_id = o.id and l.ended_at is null and l.expires_at > now())
			and not exists (select from answer a where a.task_id = t.id and a.undone_at is null)`, p.Session.ID, p.Sign)
		if err != nil {
			return err
		}
		var own, others []*Task
		for i := range tasks {
			t := &tasks[i]
			switch {
			case overtaken(t):
			case t.Cell == p.Cell:
				own = append(own, t)
			default:
				others = append(others, t)
			}
		}
		return ahead(ctx, tx, &p, own, others, n, &list)
	})
	return list, err
}

// ahead asks the first n of two lists, each begun at another place for another
// participant.
func ahead(ctx context.Context, tx pgx.Tx, p *Participant, own, others []*Task, n int, list *[]Question) error {
	for _, part := range [][]*Task{own, others} {
		for i := range part {
			if len(*list) == n {
				return nil
			}
			t := part[(i+int(p.ID))%len(part)]
			if err := renew(ctx, tx, t); err != nil {
				return err
			}
			*list = append(*list, t.question())
		}
	}
	return nil
}
