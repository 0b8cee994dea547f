package workshop

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// TestHistory plays all that can be done to a session, and holds that each
// thing is a line that says who, what, and what was before and is after; that
// nothing is changed or taken out of it; and that only who took part is
// forgotten.
func TestHistory(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	ctx := As(t.Context(), r.mediator)
	s, _, err := Prepare(ctx, r.hub.Desk, r.mediator, Plan{Title: "x", Theme: "eau", Area: everywhere, Minutes: 60, People: 12})
	if err != nil {
		t.Fatal(err)
	}
	do := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	do("open", Open(ctx, r.hub.Desk, s.Code))
	p := r.join(s)
	tasks, err := Tasks(t.Context(), r.hub.Web, s.ID)
	do("tasks", err)
	var other Sign
	for _, g := range Signs {
		if g != p.Sign {
			other = g
		}
	}
	do("group", ChooseGroup(t.Context(), r.hub.Desk, p.ID, other))
	q := r.next(p)
	r.answer(p, q.Task.ID, 1)
	r.answer(p, q.Task.ID, 3) // replaced
	_, err = Undo(t.Context(), r.hub.Desk, p.ID)
	do("undo", err)
	do("on site", SetOnSite(t.Context(), r.hub.Desk, p.ID, true))
	r.answer(p, q.Task.ID, 1) // settles
	do("decide", Decide(ctx, r.hub.Desk, r.mediator, q.Task.ID, 3))
	_, err = TakeSheet(ctx, r.hub.Desk, s.Code, tasks[0].Cell)
	do("sheet", err)
	for i := range tasks {
		if tasks[i].ID != q.Task.ID && tasks[i].Cell == tasks[0].Cell {
			do("take back", TakeBack(ctx, r.hub.Desk, s.Code, tasks[i].ID))
			_, err = EnterSheet(ctx, r.hub.Desk, s.Code, []Line{{Key: newKey(), Number: tasks[i].Number, Choice: 3}})
			do("enter", err)
			break
		}
	}
	do("phase", SetPhase(ctx, r.hub.Desk, s.Code, Go))
	do("freeze", Freeze(ctx, r.hub.Desk, s.Code, true))
	r.exec(`update session set opened_at = now() - interval '26 hours'`) // left open: closed by the hub
	do("sweep", Sweep(t.Context(), r.hub.Desk, time.Now()))
	before := r.history(s.ID)
	for _, want := range []string{
		"mediator m prepared - +", "mediator m opened + +", "participant p joined - +", "participant p group + +", "participant p claimed - -",
		"participant p answered - +", "participant p answered + +", "participant p undone + -", "rule - settled - +", "mediator m withdrawn + -",
		"mediator m settled - +", "mediator m sheet-taken + +", "mediator m taken-back + +", "sheet m answered - +",
		"mediator m phase + +", "mediator m frozen + +", "hub - closed + +",
	} {
		if !strings.Contains("\n"+before, "\n"+want+"\n") {
			t.Errorf("the history does not say %q:\n%s", want, before)
		}
	}
	do("forget", Sweep(t.Context(), r.hub.Desk, time.Now().Add(25*time.Hour)))
	after := r.history(s.ID)
	if want := strings.ReplaceAll(before, " p ", " - ") + "hub - forgotten + +\n"; after != want {
		t.Errorf("after forgetting, the history is\n%swant\n%s", after, want)
	}
	// Whoever serves pages can add to it, and nothing else.
	for _, sql := range []string{`update session_event set kind = 'x'`, `delete from session_event`, `update answer set says = 'gone'`, `delete from answer`, `delete from session`} {
		if _, err := r.hub.Desk.Exec(t.Context(), sql); err == nil && r.hub.WebRole == "calanque_web" {
			t.Errorf("pages may %s", sql)
		}
	}
}

// history writes a session's lines: role; m for an account and p for a
// participant; what; whether it says what was before and what is after.
func (r *room) history(session int64) string {
	r.t.Helper()
	rows, err := r.hub.Owner.Query(r.t.Context(), `
		select role, case when account_id is not null then 'm' when participant_id is not null then 'p' else '-' end, kind, before, after, at
		from session_event
		where session_id = $1
		order by id`, session)
	if err != nil {
		r.t.Fatal(err)
	}
	var b strings.Builder
	var role, who, kind string
	var before, after map[string]json.RawMessage
	var at time.Time
	sign := func(m map[string]json.RawMessage) string {
		if len(m) > 0 {
			return "+"
		}
		return "-"
	}
	_, err = pgx.ForEachRow(rows, []any{&role, &who, &kind, &before, &after, &at}, func() error {
		if time.Since(at) > time.Minute {
			r.t.Errorf("%s: at %v", kind, at)
		}
		_, err := fmt.Fprintln(&b, role, who, kind, sign(before), sign(after))
		before, after = nil, nil
		return err
	})
	if err != nil {
		r.t.Fatal(postgis.Kind(err))
	}
	return b.String()
}
