package workshop

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

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
	if err := Keep(ctx, r.hub.Desk, p.ID, 1); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("kept a lease that has ended: %v", err)
	}
}

// TestHammer has many people in sessions whose areas overlap claim, answer,
// send twice, go away without a word and come back, under short leases, and
// holds the invariants: no discrepancy in two hands, no answer lost or counted
// twice, no task stuck after its lease. CALANQUE_HAMMER sets the seconds.
func TestHammer(t *testing.T) {
	t.Parallel()
	seconds, sessions, people, places := 4.0, 4, 6, 120
	if v, err := strconv.ParseFloat(os.Getenv("CALANQUE_HAMMER"), 64); err == nil {
		seconds, sessions, people, places = v, 160, 30, 12_000
	}
	r := newRoom(t, places, onlyFile, onlyOSM, other, shifted)
	h := &hammer{room: r, lease: 250 * time.Millisecond}
	rnd := rand.New(rand.NewPCG(1, 2))
	areas := make([]Area, sessions)
	for i := range areas {
		areas[i] = everywhere
		if sessions > 10 {
			h.lease = 5 * time.Second
			x, y := 5.395+rnd.Float64()*.2, 43.195+rnd.Float64()*.1
			areas[i] = box(x, y, x+.05, y+.05)
		}
	}
	var list []Session
	for _, a := range areas {
		list = append(list, r.sessionIn(a, 60, 120)) // 144 tasks at most, many of them of several sessions
	}
	h.until = time.Now().Add(time.Duration(seconds * float64(time.Second)))
	var wg sync.WaitGroup
	watch := make(chan struct{})
	go func() { defer close(watch); h.watch() }()
	for _, s := range list {
		for i := range people {
			wg.Go(func() { h.person(s, i) })
		}
	}
	wg.Wait()
	<-watch
	h.check()
	t.Logf("%d sessions × %d people, %.0f s: %d claims, %d answers (%d sent twice), %d walked away, %d looks", sessions, people, seconds,
		h.claims.Load(), h.kept.Load(), h.twice.Load(), h.gone.Load(), h.looks.Load())
}

type hammer struct {
	*room
	lease time.Duration
	until time.Time

	claims, kept, twice, gone, looks atomic.Int64
	mu                               sync.Mutex
	sent                             map[string]int // key → opinion acknowledged
	hands                            sync.Map       // outcome → participant, while the lease surely lasts
}

// person is one participant until the time is up.
func (h *hammer) person(s Session, seed int) {
	rnd := rand.New(rand.NewPCG(uint64(seed), uint64(s.ID)))
	ctx := h.t.Context()
	p, _, err := Join(ctx, h.hub.Desk, s.Code)
	if err != nil {
		h.t.Error(err)
		return
	}
	for time.Now().Before(h.until) {
		start := time.Now()
		q, _, err := next(ctx, h.hub, p.ID, h.lease)
		if errors.Is(err, geo.ErrNotFound) || errors.Is(err, geo.ErrUnavailable) {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if err != nil {
			h.t.Errorf("next: %v", err)
			return
		}
		h.claims.Add(1)
		// Until the lease runs out nobody else may be given this outcome.
		if other, held := h.hands.LoadOrStore(q.Task.Outcome, p.ID); held && other != p.ID && time.Since(start) < h.lease/2 {
			h.t.Errorf("outcome %d is in the hands of %v and %d", q.Task.Outcome, other, p.ID)
		}
		switch rnd.IntN(10) {
		case 0: // the PC crashes
			h.hands.Delete(q.Task.Outcome)
			h.gone.Add(1)
			time.Sleep(h.lease + 20*time.Millisecond)
			continue
		case 1: // too late
			h.hands.Delete(q.Task.Outcome)
			time.Sleep(h.lease + 10*time.Millisecond)
		}
		h.hands.Delete(q.Task.Outcome) // before the answer ends the lease
		h.say(p, q, rnd)
	}
}

func (h *hammer) say(p Participant, q Question, rnd *rand.Rand) {
	a := Answer{Key: newKey(), Task: q.Task.ID, Participant: &p.ID, Choice: 1 + rnd.IntN(4), How: Screen}
	times := 1
	if rnd.IntN(5) == 0 {
		times = 3
		h.twice.Add(1)
	}
	var wg sync.WaitGroup
	for range times {
		wg.Go(func() {
			rec, err := Record(h.t.Context(), h.hub.Desk, a)
			if err != nil {
				h.t.Errorf("record: %v", err)
				return
			}
			h.mu.Lock()
			defer h.mu.Unlock()
			if before, known := h.sent[a.Key]; known && before != rec.Opinion {
				h.t.Errorf("answer %s was opinion %d and %d", a.Key, before, rec.Opinion)
			} else if !known {
				h.kept.Add(1)
			}
			if h.sent == nil {
				h.sent = map[string]int{}
			}
			h.sent[a.Key] = rec.Opinion
		})
	}
	wg.Wait()
}

// watch looks from outside, as often as it can: the database itself must not
// show two live leases on a discrepancy or in a hand.
func (h *hammer) watch() {
	for time.Now().Before(h.until) {
		var double int
		err := h.hub.Owner.QueryRow(h.t.Context(), `
			select (select count(*) from (select outcome_id from claim where ended_at is null group by outcome_id having count(*) > 1) d)
			     + (select count(*) from (select participant_id from claim where ended_at is null and how = 'screen' group by participant_id having count(*) > 1) p)`).Scan(&double)
		if err != nil {
			h.t.Error(err)
			return
		}
		if double != 0 {
			h.t.Errorf("%d double leases", double)
		}
		h.looks.Add(1)
		time.Sleep(20 * time.Millisecond)
	}
}

// check holds what must be true once everybody has left.
func (h *hammer) check() {
	rows, err := h.hub.Owner.Query(h.t.Context(), `select idempotency_key::text, opinion from answer`)
	if err != nil {
		h.t.Fatal(err)
	}
	stored := map[string]int{}
	var key string
	var opinion int
	if _, err := pgx.ForEachRow(rows, []any{&key, &opinion}, func() error { stored[key] = opinion; return nil }); err != nil {
		h.t.Fatal(err)
	}
	for key, opinion := range h.sent {
		if stored[key] != opinion {
			h.t.Errorf("answer %s was acknowledged as opinion %d and is stored as %d", key, opinion, stored[key])
		}
	}
	if len(stored) != len(h.sent) || len(stored) == 0 {
		h.t.Errorf("%d answers stored, %d acknowledged", len(stored), len(h.sent))
	}
	// Leases of those who walked away run out; then nothing is stuck.
	time.Sleep(h.lease)
	if err := Sweep(h.t.Context(), h.hub.Desk, time.Now().Add(time.Second)); err != nil {
		h.t.Fatal(err)
	}
	if n := h.number(`select count(*) from claim where ended_at is null`); n != 0 {
		h.t.Errorf("%d leases stuck", n)
	}
	// Two desks that agree have settled, always: no verdict was missed.
	if n := h.number(`
		select count(*) from (
			select k.outcome_id
			from task k
			join answer a on a.task_id = k.id and a.undone_at is null and a.says not in ('cant_tell', 'needs_visit')
			join outcome o on o.id = k.outcome_id and o.fingerprint = a.fingerprint
			where not exists (select from answer_value v where v.answer_id = a.id)
			  and not exists (select from verdict_in_force v where v.outcome_id = k.outcome_id)
			group by k.outcome_id, a.says
			having count(*) > 1) missed`); n != 0 {
		h.t.Errorf("%d outcomes have two answers that agree and no verdict", n)
	}
}
