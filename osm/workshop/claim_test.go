package workshop

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"calanque/geo"
	"calanque/osm/match"
)

func TestNext(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 100)
	ctx := t.Context()
	s := r.session(12, 90)
	p := r.join(s)
	first := r.next(p)
	if first.Task.Cell != p.Cell {
		t.Errorf("the first question is of cell %d, want the participant's, %d", first.Task.Cell, p.Cell)
	}
	if again := r.next(p); again.Task.ID != first.Task.ID {
		t.Errorf("asked again: task %d, want the one in hand, %d", again.Task.ID, first.Task.ID)
	}
	if n := r.number(`select count(*) from claim`); n != 1 {
		t.Errorf("%d leases for one question", n)
	}
	// Never twice to one person, and their own cell until it is through.
	seen := map[int64]bool{}
	left := 0
	for {
		q, _, err := Next(ctx, r.hub, p.ID)
		if errors.Is(err, geo.ErrNotFound) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if seen[q.Task.ID] {
			t.Fatalf("task %d twice", q.Task.Number)
		}
		if q.Task.Cell == p.Cell && left > 0 {
			t.Errorf("back in the own cell after %d of others", left)
		}
		if q.Task.Cell != p.Cell {
			left++
		}
		seen[q.Task.ID] = true
		r.answer(p, q.Task.ID, 1)
	}
	if len(seen) != 48 {
		t.Errorf("asked %d questions of 48", len(seen))
	}
	// Each needs a second opinion, of somebody else.
	if q := r.next(r.join(s)); q.Task.Answers != 1 {
		t.Errorf("%d answers to the next task, want 1", q.Task.Answers)
	}
}

// TestOverlap holds that a discrepancy is in one hand at a time, whatever the
// sessions, and that questions near one in hand wait where others are left.
func TestOverlap(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 40)
	a, b := r.session(4, 60), r.session(4, 60)
	// Two places next to each other: the second is moved beside the first.
	tasks := r.tasks(a)[onlyFile]
	r.exec(`update outcome set geom = (select st_translate(geom, 5, 5) from outcome where id = $1) where id = $2`, tasks[0].Outcome, tasks[1].Outcome)
	held := map[int64]bool{}
	for i := range 12 {
		s := a
		if i%2 == 1 {
			s = b
		}
		q := r.next(r.join(s))
		if held[q.Task.Outcome] {
			t.Errorf("outcome %d is in two hands", q.Task.Outcome)
		}
		held[q.Task.Outcome] = true
	}
	if held[tasks[0].Outcome] && held[tasks[1].Outcome] {
		t.Error("two claimed questions within thirty metres, and others were free")
	}
	if n := r.number(`
		select count(*) from claim c join claim d on c.outcome_id = d.outcome_id and c.id < d.id where c.ended_at is null and d.ended_at is null`); n != 0 {
		t.Errorf("%d double leases", n)
	}
}

// TestNoStaleQuestion holds that what was asked about is compared again before
// it is shown: a question that OpenStreetMap has answered is not asked, one
// that has changed is asked as it is now.
func TestNoStaleQuestion(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 40)
	s := r.session(12, 60)
	by := r.tasks(s)
	p := r.join(s)
	held := r.next(p).Task
	// OpenStreetMap gets all the places it lacked, and the one in hand if it is
	// one of those. Nobody has run the matcher.
	var edits []string
	for _, task := range by[onlyFile] {
		edits = append(edits, r.node(r.index(&task), 1))
	}
	// One of the others gets another wrong value, and a third is moved.
	changed := by[shifted][0]
	i := r.index(&changed)
	lon, lat := at(i)
	edits = append(edits, fmt.Sprintf("n%d v2 Tamenity=fountain,name=%s,drinking_water=no x%.7f y%.7f", i+1, spaced(name(i)), lon, lat))
	r.importOSM(edits...)
	for {
		q, _, err := Next(t.Context(), r.hub, p.ID)
		if errors.Is(err, geo.ErrNotFound) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if q.Task.Asked == match.OnlyOpenData || !q.Task.Open {
			t.Fatalf("asked about task %d (%s), which OpenStreetMap has answered", q.Task.Number, q.Task.Asked)
		}
		if q.Task.ID == changed.ID && q.Ask.Code != "workshop.ask.value" {
			t.Errorf("asked %s about what has changed", q.Ask.Code)
		}
		r.answer(p, q.Task.ID, 1)
	}
	if got := r.task(changed.ID); got.Asked != match.AttributesDiffer || got.Answers != 1 {
		t.Errorf("the changed task was asked as %s, %d answers", got.Asked, got.Answers)
	}
	if held.Asked == match.OnlyOpenData && r.task(held.ID).Claimed {
		t.Error("still in hand")
	}
	if n := r.number(`select count(*) from session_event where kind = 'recomputed'`); n != 1 {
		t.Errorf("%d tasks recomputed, want 1", n)
	}
	// An answer to what is no more is kept, and settles nothing.
	stale := by[onlyFile][0]
	if rec := r.answer(p, stale.ID, 1); rec.Opinion != 1 || rec.Settled {
		t.Errorf("a late answer: %+v", rec)
	}
}

func TestLateAnswer(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 40)
	ctx := t.Context()
	s := r.session(12, 60)
	p, q := r.join(s), r.join(s)
	first, _, err := next(ctx, r.hub, p.ID, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	r.exec(`update claim set expires_at = now() - interval '1 s'`)
	// Another takes it over.
	r.exec(`update participant set cell = $2, sign = $3 where id = $1`, q.ID, p.Cell, p.Sign)
	if got := r.next(q).Task.ID; got != first.Task.ID {
		t.Fatalf("the lease ran out, and task %d was given instead of %d", got, first.Task.ID)
	}
	r.answer(q, first.Task.ID, 1)
	if rec := r.answer(p, first.Task.ID, 3); rec.Opinion != 2 {
		t.Errorf("late: %+v, want the second opinion", rec)
	}
	if err := Heartbeat(ctx, r.hub.Desk, p.ID); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("kept a lease that has ended: %v", err)
	}
}
