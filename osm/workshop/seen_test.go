package workshop

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"calanque/geo/postgis"
	"calanque/osm/match"
)

// TestSeen plays what may become of a task in OpenStreetMap, and back.
func TestSeen(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 100)
	s := r.session(24, 120)
	by := r.tasks(s)
	p := r.join(s)
	if err := SetOnSite(t.Context(), r.hub.Desk, p.ID, true); err != nil {
		t.Fatal(err)
	}
	is := func(when string, id int64, want Seen) {
		t.Helper()
		if got := r.task(id).Seen; got != want {
			t.Errorf("%s: got %s, want %s", when, got, want)
		}
	}
	follow := func() {
		t.Helper()
		r.rematch()
		if err := postgis.Drain(t.Context(), r.hub.Owner, "workshop", Handle(r.hub, slog.Default())); err != nil {
			t.Fatal(err)
		}
	}
	place := func(task Task, version int, water string, east float64) string {
		i := r.index(&task)
		lon, lat := at(i)
		return fmt.Sprintf("n%d v%d Tamenity=fountain,name=%s,drinking_water=%s x%.7f y%.7f", i+1, version, spaced(name(i)), water, lon+east, lat)
	}
	mapped, half, early := by[onlyFile][0], by[onlyFile][1], by[onlyFile][2]
	value, gone, moved, open := by[other][0], by[onlyOSM][0], by[shifted][0], by[other][1]
	touched := by[other][2] // changed in OSM, and not mended
	for id, choice := range map[int64]int{mapped.ID: 1, half.ID: 1, value.ID: 1, gone.ID: 3, moved.ID: 1, open.ID: 1, touched.ID: 1} {
		if rec := r.answer(p, id, choice); !rec.Settled {
			t.Fatalf("task %d: %+v", id, rec)
		}
	}
	r.importOSM(place(mapped, 1, "yes", 0), place(half, 1, "no", 0), place(early, 1, "yes", 0), place(value, 2, "yes", 0),
		fmt.Sprintf("-n%d", r.index(&gone)+1), place(moved, 2, "yes", 0), place(touched, 2, "no", .00002))
	before := r.number(`select count(*) from change where kind = 'workshop'`)
	follow()
	is("mapped", mapped.ID, Verified)
	is("mapped with another value", half.ID, Partially)
	is("mapped before anybody answered", early.ID, FixedByAnother)
	is("the value mended", value.ID, Verified)
	is("deleted", gone.ID, Verified)
	is("moved to its place", moved.ID, Verified)
	is("not touched", open.ID, NotSeenYet)
	is("touched and not mended", touched.ID, NotSeenYet)
	progress, err := Measure(t.Context(), r.hub.Web, s.ID)
	if err != nil || progress.Seen[Verified] != 4 || progress.Seen[Partially] != 1 || progress.Seen[FixedByAnother] != 1 || progress.ToVerify != 2 {
		t.Errorf("seen %v, to verify %d (%v)", progress.Seen, progress.ToVerify, err)
	}
	if n := r.number(`select count(*) from change where kind = 'workshop'`) - before; n != 1 {
		t.Errorf("%d entries in the log for one session, want 1", n)
	}
	follow()
	if n := r.number(`select count(*) from session_event where kind = 'seen'`); n != 6 {
		t.Errorf("%d lines of history, want 6, however often it is looked at", n)
	}
	// Somebody undoes two of the edits, and mends one of them again.
	r.importOSM(fmt.Sprintf("-n%d", r.index(&mapped)+1), place(value, 3, "no", 0))
	follow()
	is("deleted again", mapped.ID, Reverted)
	is("the value put back", value.ID, Reverted)
	r.importOSM(place(value, 4, "yes", 0))
	follow()
	is("mended again", value.ID, Verified)
	if r.task(mapped.ID).Verdict != exists {
		t.Error("the verdict on what was judged does not hold any more")
	}
	if k := r.task(half.ID).Kind; k != match.AttributesDiffer {
		t.Errorf("half mapped is %s", k)
	}
}

// TestProducerIsNotOSM holds that a change of the file is none of
// OpenStreetMap's.
func TestProducerIsNotOSM(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 40)
	s := r.session(12, 60)
	task := r.tasks(s)[onlyOSM][0]
	// The producer adds what it lacked.
	r.places[r.index(&task)] = agreed
	r.loadRecords()
	r.rematch()
	if got := r.task(task.ID); got.Kind != match.Withdrawn || got.Open || got.Seen != NotSeenYet {
		t.Errorf("%s, open %v, %s", got.Kind, got.Open, got.Seen)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 40)
	ctx := t.Context()
	s, left := r.session(12, 60), r.session(2, 60)
	p, token, err := Join(ctx, r.hub.Desk, s.Code)
	if err != nil {
		t.Fatal(err)
	}
	r.answer(p, r.next(p).Task.ID, 1)
	r.next(p)
	if err := Close(ctx, r.hub.Desk, s.Code); err != nil {
		t.Fatal(err)
	}
	sweep := func(after time.Duration) {
		t.Helper()
		if err := Sweep(ctx, r.hub.Desk, time.Now().Add(after)); err != nil {
			t.Fatal(err)
		}
	}
	sweep(23 * time.Hour)
	if _, err := ByToken(ctx, r.hub.Web, token); err != nil {
		t.Errorf("forgotten too early: %v", err)
	}
	sweep(24*time.Hour + time.Minute)
	sweep(24*time.Hour + time.Minute)
	if n := r.number(`select count(*) from participant where session_id = $1`, s.ID); n != 0 {
		t.Errorf("%d participants remembered", n)
	}
	if n := r.number(`select count(*) from answer where participant_id is null`); n != 1 {
		t.Error("the answer has gone with its author")
	}
	// Nothing anywhere still names or tells apart who it was.
	if n := r.number(`select count(*) from session_event e where e.participant_id is not null and e.session_id = $1`, s.ID); n != 0 {
		t.Errorf("%d lines of history name a participant", n)
	}
	if n := r.number(`select count(*) from session_event e where strpos(e::text, $1) > 0`, p.Pseudonym); n != 0 {
		t.Errorf("%d lines of history hold the pseudonym", n)
	}
	if got, err := Find(ctx, r.hub.Web, s.Code); err != nil || got.State != Archived {
		t.Errorf("session %s (%v)", got.State, err)
	}
	if n := r.number(`select count(*) from session_event where kind = 'forgotten'`); n != 1 {
		t.Errorf("forgotten %d times", n)
	}
	// A session that nobody closed is closed, and then forgotten.
	r.exec(`update session set opened_at = now() - interval '2 days' where id = $1`, left.ID)
	sweep(0)
	if got, err := Find(ctx, r.hub.Web, left.Code); err != nil || got.State != Closed {
		t.Errorf("left open: %s (%v)", got.State, err)
	}
	// The code stays taken: a report keeps its address.
	if _, err := r.hub.Owner.Exec(ctx, `insert into session (code, title, theme_id, mediator_id, area, minutes, people, recovery_sha256)
		select code, title, theme_id, mediator_id, area, minutes, people, recovery_sha256 from session limit 1`); err == nil {
		t.Error("a code was given twice")
	}
}
