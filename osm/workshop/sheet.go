package workshop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// ReleaseSheet gives the questions of a cell that are on paper back to the
// screens.
func ReleaseSheet(ctx context.Context, db postgis.DB, code string, cell int) (released int, err error) {
	err = change(ctx, db, code, "sheet-released", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		tag, err := tx.Exec(ctx, `
			update claim set ended_at = now()
			where ended_at is null and how = 'sheet' and task_id in (select id from task where session_id = $1 and cell = $2)`, s.ID, cell)
		if err != nil || tag.RowsAffected() == 0 {
			return nil, err
		}
		released = int(tag.RowsAffected())
		return map[string]any{"cell": cell, "tasks": released}, nil
	})
	return released, err
}

// SheetsOut gives, by cell, how many questions are on paper and wait there.
func SheetsOut(ctx context.Context, db postgis.DB, session int64) (map[int]int, error) {
	rows, err := db.Query(ctx, `
		select t.cell, count(*)
		from claim c
		join task t on t.id = c.task_id
		where c.session_id = $1 and c.how = 'sheet' and c.ended_at is null and c.expires_at > now()
		group by t.cell`, session)
	if err != nil {
		return nil, fmt.Errorf("count what is on paper: %w", postgis.Kind(err))
	}
	out := map[int]int{}
	var cell, n int
	_, err = pgx.ForEachRow(rows, []any{&cell, &n}, func() error {
		out[cell] = n
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("count what is on paper: %w", postgis.Kind(err))
	}
	return out, nil
}

// A LineError is what is wrong with one line of a sheet.
type LineError struct {
	Number int // of the task
	Err    error
}

func (e *LineError) Error() string { return fmt.Sprintf("line %d: %v", e.Number, e.Err) }

// Unwrap gives the cause.
func (e *LineError) Unwrap() error { return e.Err }

// EnterSheet makes the answers of a sheet what its lines say, each given on
// site; the list is in their order. It may be done again: a line under the
// same key replaces what it said before, one that says the same counts once,
// and one that is blank now takes its answer back. All lines of a sheet belong
// into the list: whatever is not answered is free for others afterwards. One
// bad line (*LineError) refuses the sheet, so that it is mended as a whole.
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
				return &LineError{line.Number, err}
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
	a := Answer{Key: line.Key, Task: task, Choice: line.Choice, Note: line.Note, How: Sheet, Values: line.Values}
	if err := a.check(); err != nil {
		return Recorded{}, err
	}
	free, said, err := lastEntry(ctx, tx, line.Key, task)
	if err != nil {
		return Recorded{}, err
	}
	if said != nil && said.content == line.content() { // entered twice
		a.Key = said.key
		r, err := received(ctx, tx, a)
		return r, err
	}
	if said != nil {
		if err := unsay(ctx, tx, s, task, said); err != nil {
			return Recorded{}, err
		}
	}
	if line.Choice == 0 {
		return Recorded{}, leave(ctx, tx, s, task, line)
	}
	a.Key = free
	r, _, err := record(ctx, tx, a)
	if err != nil {
		return r, err
	}
	return r, remember(ctx, tx, s, task, free, line)
}

// leave lets a line go that was not answered: others may be asked. That it
// can't be read is written down.
func leave(ctx context.Context, tx pgx.Tx, s *Session, task int64, line Line) error {
	_, err := tx.Exec(ctx, `update claim set ended_at = now() where task_id = $1 and how = 'sheet' and ended_at is null`, task)
	if err != nil || !line.Unreadable {
		return postgis.Kind(err)
	}
	var known bool
	err = tx.QueryRow(ctx, `
		select exists (select from session_event where task_id = $1 and kind = 'unreadable' and after ->> 'key' = $2)`, task, line.Key).Scan(&known)
	if err != nil || known {
		return postgis.Kind(err)
	}
	return put(ctx, tx, event{session: s.ID, task: task, role: "sheet", kind: "unreadable", after: map[string]any{"key": line.Key}})
}

// An entry is what a line of a sheet said when it was entered last, and says
// still.
type entry struct {
	answer  int64
	key     string
	says    string
	content string
}

// content is what a line says, for comparing.
func (l *Line) content() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%d\x00%s", l.Choice, strings.TrimSpace(l.Note))
	for _, field := range slices.Sorted(maps.Keys(l.Values)) {
		fmt.Fprintf(b, "\x00%s\x00%s", field, strings.TrimSpace(l.Values[field]))
	}
	sum := sha256.Sum256([]byte(b.String()))
	return hex.EncodeToString(sum[:8])
}

// remember writes down what a line said, so that it is known when the sheet is
// sent again.
func remember(ctx context.Context, tx pgx.Tx, s *Session, task int64, key string, line Line) error {
	return put(ctx, tx, event{
		session: s.ID, task: task, role: "sheet", kind: "entered", after: map[string]any{"key": key, "content": line.content()},
	})
}

// lastEntry finds what a line said last under its key, if that stands, and the
// key that the next answer of it takes: each time that a line is entered anew,
// its key is hashed once more.
func lastEntry(ctx context.Context, tx pgx.Tx, key string, task int64) (free string, said *entry, err error) {
	const most = 100 // nobody mends a line so often
	for range most {
		var e entry
		var stands bool
		var of int64
		err := tx.QueryRow(ctx, `
			select a.id, a.task_id, a.idempotency_key::text, a.says, a.undone_at is null,
				coalesce((select v.after ->> 'content' from session_event v
					where v.task_id = a.task_id and v.kind = 'entered' and v.after ->> 'key' = $1 order by v.id desc limit 1), '')
			from answer a
			where a.idempotency_key = $1::uuid`, key).Scan(&e.answer, &of, &e.key, &e.says, &stands, &e.content)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			return key, nil, nil
		case err != nil:
			return "", nil, fmt.Errorf("look for a line's answer: %w", postgis.Kind(err))
		case of != task:
			return "", nil, &geo.ParamError{Param: "key", Value: key, Want: "want a key that no other answer has"}
		}
		next := nextKey(key)
		if stands {
			return next, &e, nil
		}
		key = next
	}
	return "", nil, fmt.Errorf("enter a line again: %w", geo.ErrConflict)
}

// nextKey is the key after a key, a UUID of version 8.
func nextKey(key string) string { return LineKey(key, 0) }

// LineKey is the key of a line of a sheet that is entered under a key, a UUID
// of version 8: the same lines of the same form are the same answers.
func LineKey(form string, number int) string {
	b := sha256.Sum256(fmt.Appendf(nil, "%s %d", strings.ToLower(form), number))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}

// unsay takes back what a line said before.
func unsay(ctx context.Context, tx pgx.Tx, s *Session, task int64, e *entry) error {
	if _, err := tx.Exec(ctx, `update answer set undone_at = now() where id = $1 and undone_at is null`, e.answer); err != nil {
		return fmt.Errorf("undo an answer: %w", postgis.Kind(err))
	}
	t, err := oneTask(ctx, tx, task)
	if err != nil {
		return err
	}
	v := event{session: s.ID, task: task, role: "sheet", kind: "undone", before: map[string]any{"answer": e.answer, "says": e.says}}
	if err := put(ctx, tx, v); err != nil {
		return err
	}
	_, err = settle(ctx, tx, &t, "rule")
	return err
}
