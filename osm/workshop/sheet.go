package workshop

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// TakeSheet claims the free open tasks of a cell for paper, until the session
// ends: nobody is asked about them on a screen meanwhile. It gives how many it
// has taken; what somebody has in hand stays theirs.
func TakeSheet(ctx context.Context, db postgis.DB, code string, cell int) (taken int, err error) {
	err = change(ctx, db, code, "sheet-taken", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		if s.State != Running {
			return nil, geo.Bad(nil, "workshop.closed")
		}
		if err := endExpired(ctx, tx); err != nil {
			return nil, err
		}
		until := time.Duration(s.Minutes)*time.Minute + afterHours
		tag, err := tx.Exec(ctx, `
			insert into claim (task_id, session_id, outcome_id, how, expires_at)
			select t.id, t.session_id, t.outcome_id, 'sheet', now() + $4::interval
			from task t
			join outcome o on o.id = t.outcome_id
			where t.session_id = $1 and t.cell = $2 and not t.practice and o.kind = any ($3)
			  and not exists (select from verdict_in_force v where v.outcome_id = o.id)
			order by t.outcome_id -- in one order, so that two sessions never wait for each other
			on conflict do nothing`, s.ID, cell, questions, until)
		if err != nil || tag.RowsAffected() == 0 {
			return nil, err
		}
		taken = int(tag.RowsAffected())
		return map[string]any{"cell": cell, "tasks": taken}, nil
	})
	return taken, err
}

// EnterSheet records the lines of a sheet, each as an answer given on site.
// Lines left blank are passed over and their tasks let go; the answers are in
// the order of lines. One bad line refuses the sheet, so that it is mended as
// a whole.
func EnterSheet(ctx context.Context, db postgis.DB, code string, lines []Line) (list []Recorded, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		s, err := Find(ctx, tx, code)
		if err != nil {
			return err
		}
		if err := holdAll(ctx, tx, &s, lines); err != nil {
			return err
		}
		list = make([]Recorded, len(lines))
		for i, line := range lines {
			if list[i], err = enter(ctx, tx, &s, line); err != nil {
				return fmt.Errorf("enter line %d: %w", line.Number, err)
			}
		}
		return tell(ctx, tx, s.Code)
	})
	return list, err
}

// holdAll holds the outcomes of all lines in one order, so that two sheets
// never wait for each other.
func holdAll(ctx context.Context, tx pgx.Tx, s *Session, lines []Line) error {
	numbers := make([]int, len(lines))
	for i, l := range lines {
		numbers[i] = l.Number
	}
	rows, err := tx.Query(ctx, `
		select id from task where session_id = $1 and number = any ($2) and not practice order by outcome_id`, s.ID, numbers)
	if err != nil {
		return fmt.Errorf("find the tasks of a sheet: %w", postgis.Kind(err))
	}
	tasks, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return fmt.Errorf("find the tasks of a sheet: %w", postgis.Kind(err))
	}
	for _, t := range tasks {
		if _, err := hold(ctx, tx, t); err != nil {
			return err
		}
	}
	return nil
}

func enter(ctx context.Context, tx pgx.Tx, s *Session, line Line) (Recorded, error) {
	var task int64
	err := tx.QueryRow(ctx, `select id from task where session_id = $1 and number = $2 and not practice`, s.ID, line.Number).Scan(&task)
	if err != nil {
		return Recorded{}, postgis.Kind(err)
	}
	if line.Choice == 0 {
		_, err := tx.Exec(ctx, `update claim set ended_at = now() where task_id = $1 and how = 'sheet' and ended_at is null`, task)
		return Recorded{}, postgis.Kind(err)
	}
	a := Answer{Key: line.Key, Task: task, Choice: line.Choice, Note: line.Note, How: Sheet, Values: line.Values}
	if err := a.check(); err != nil {
		return Recorded{}, err
	}
	r, _, err := record(ctx, tx, a)
	return r, err
}
