package workshop

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// TestHammer has many people in sessions whose areas overlap claim, answer,
// send twice, go away without a word and come back late, under short leases,
// and holds the invariants: no discrepancy in two hands, no answer lost or
// counted twice, no task stuck after its lease. CALANQUE_HAMMER is for how many
// seconds 160 sessions of 30 people do so over 12,000 discrepancies:
//
//	CALANQUE_HAMMER=300 go test ./osm/workshop -run Hammer -v -timeout 30m
func TestHammer(t *testing.T) {
	t.Parallel()
	h := &hammer{lease: 250 * time.Millisecond, sent: map[string]int{}}
	seconds, people, places := 3.0, 6, 120
	areas := []Area{everywhere, everywhere, everywhere, everywhere}
	if v, err := strconv.ParseFloat(os.Getenv("CALANQUE_HAMMER"), 64); err == nil {
		seconds, people, places, h.lease = v, 30, 12_000, 5*time.Second
		areas = lattice()
	}
	h.room = newRoom(t, places, onlyFile, onlyOSM, other, shifted)
	for _, a := range areas {
		h.sessions = append(h.sessions, h.sessionIn(a, 60, 120)) // 144 tasks at most
	}
	var seats [][]Participant
	for _, s := range h.sessions {
		room := make([]Participant, people)
		for i := range room {
			room[i] = h.join(s)
		}
		seats = append(seats, room)
	}
	begun := time.Now()
	h.until = begun.Add(time.Duration(seconds * float64(time.Second)))
	ctx, watch := context.WithCancel(t.Context())
	var watchers, all sync.WaitGroup
	watchers.Go(func() { h.watch(ctx) })
	watchers.Go(func() { h.vacuum(ctx) })
	for s, room := range seats {
		for i, p := range room {
			all.Go(func() { h.person(p, rand.New(rand.NewPCG(uint64(i), uint64(s)))) })
		}
	}
	all.Wait()
	watch()
	watchers.Wait()
	took := time.Since(begun)
	h.check()
	t.Logf("%d sessions × %d people for %.0f s over %d discrepancies, %d of them of several sessions; all left after %.0f s",
		len(areas), people, seconds, h.number(`select count(distinct outcome_id) from task`),
		h.number(`select count(*) from (select from task group by outcome_id having count(*) > 1) shared`), took.Seconds())
	t.Logf("%d claims (p95 %v), %d answers (p95 %v; %d sent several times, %d late), %d walked away, %d tries again, %d looks", h.claims.Load(), p95(h.claimed),
		h.kept.Load(), p95(h.answered), h.twice.Load(), h.late.Load(), h.gone.Load(), h.again.Load(), h.looks.Load())
}

// lattice is 160 areas of some 170 places each, which overlap their
// neighbours by a third.
func lattice() []Area {
	var list []Area
	for i := range 160 {
		x, y := 5.3995+float64(i%16)*.0146, 43.1995+float64(i/16)*.0135
		list = append(list, box(x, y, x+.0215, y+.02))
	}
	return list
}

type hammer struct {
	*room
	sessions []Session
	lease    time.Duration
	until    time.Time
	hands    sync.Map // outcome → hand

	claims, kept, twice, late, gone, again, looks atomic.Int64

	mu                sync.Mutex
	sent              map[string]int // key → opinion acknowledged
	claimed, answered []time.Duration
}

// A hand holds a discrepancy until its lease ends at the earliest.
type hand struct {
	participant int64
	until       time.Time
}

// over tells whether the time is up; those who answer go on a little longer.
func (h *hammer) over() bool { return !time.Now().Before(h.until) }

// person is one participant until the time is up.
func (h *hammer) person(p Participant, rnd *rand.Rand) {
	ctx, cancel := context.WithDeadline(h.t.Context(), h.until)
	defer cancel()
	for !h.over() {
		begun := time.Now()
		q, _, err := next(ctx, h.hub, p.ID, h.lease)
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, geo.ErrNotFound):
			pause(ctx, 500*time.Millisecond) // nothing is left just now; a page asks again when it is told to
			continue
		case errors.Is(err, geo.ErrUnavailable):
			h.again.Add(1)
			continue
		case err != nil:
			h.t.Errorf("next: %v", err)
			return
		}
		h.claims.Add(1)
		h.took(&h.claimed, begun)
		h.take(&q.Task, p, begun)
		switch rnd.IntN(10) {
		case 0: // the PC crashes
			h.hands.Delete(q.Task.Outcome)
			h.gone.Add(1)
			pause(ctx, h.lease+20*time.Millisecond)
			continue
		case 1: // too late
			h.hands.Delete(q.Task.Outcome)
			h.late.Add(1)
			pause(ctx, h.lease+10*time.Millisecond)
		}
		h.hands.Delete(q.Task.Outcome) // before the answer ends the lease
		h.say(p, q, rnd)
	}
}

// take notes that a participant holds a task, and fails when another surely
// does too: both leases last from before they were asked for.
func (h *hammer) take(t *Task, p Participant, begun time.Time) {
	mine := hand{p.ID, begun.Add(h.lease)}
	other, held := h.hands.Swap(t.Outcome, mine)
	if !held {
		return
	}
	now := time.Now()
	if o := other.(hand); o.participant != p.ID && now.Before(o.until) && now.Before(mine.until) {
		h.t.Errorf("outcome %d is in the hands of %d and %d", t.Outcome, o.participant, p.ID)
	}
}

func (h *hammer) took(list *[]time.Duration, begun time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	*list = append(*list, time.Since(begun))
}

// say sends an answer until it is acknowledged, some of them several times at
// once, as a browser does whose connection is bad.
func (h *hammer) say(p Participant, q Question, rnd *rand.Rand) {
	a := Answer{Key: newKey(), Task: q.Task.ID, Participant: &p.ID, Choice: 1 + rnd.IntN(4), How: Screen}
	times := 1
	if rnd.IntN(5) == 0 {
		times = 3
		h.twice.Add(1)
	}
	var wg sync.WaitGroup
	for range times {
		wg.Go(func() { h.send(a) })
	}
	wg.Wait()
}

func (h *hammer) send(a Answer) {
	for {
		begun := time.Now()
		rec, err := Record(h.t.Context(), h.hub.Desk, a)
		if errors.Is(err, geo.ErrUnavailable) {
			h.again.Add(1)
			continue
		}
		if err != nil {
			h.t.Errorf("record: %v", err)
			return
		}
		h.took(&h.answered, begun)
		h.mu.Lock()
		defer h.mu.Unlock()
		if before, known := h.sent[a.Key]; known && before != rec.Opinion {
			h.t.Errorf("answer %s was opinion %d and %d", a.Key, before, rec.Opinion)
		} else if !known {
			h.kept.Add(1)
		}
		h.sent[a.Key] = rec.Opinion
		return
	}
}

// watch looks from outside, as often as it can: the database itself must not
// show two live leases on a discrepancy or in a hand.
func (h *hammer) watch(ctx context.Context) {
	for ctx.Err() == nil {
		var double int
		err := h.hub.Owner.QueryRow(ctx, `
			select (select count(*) from (select outcome_id from claim where ended_at is null group by outcome_id having count(*) > 1) d)
			     + (select count(*) from (select participant_id from claim where ended_at is null and how = 'screen' group by participant_id having count(*) > 1) p)`).Scan(&double)
		if err != nil && ctx.Err() == nil {
			h.t.Error(err)
			return
		}
		if double != 0 {
			h.t.Errorf("%d double leases", double)
		}
		h.looks.Add(1)
		pause(ctx, 50*time.Millisecond)
	}
}

// vacuum is what a server does by itself and the tests' does not: without it,
// plans are those of empty tables.
func (h *hammer) vacuum(ctx context.Context) {
	for ctx.Err() == nil {
		_, err := h.hub.Owner.Exec(ctx, `vacuum analyze claim, answer, answer_value, verdict, task, session_event, participant, change`)
		if err != nil && ctx.Err() == nil {
			h.t.Errorf("vacuum: %v", err)
		}
		pause(ctx, h.lease)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// check holds what must be true once everybody has left.
func (h *hammer) check() {
	ctx := h.t.Context()
	rows, err := h.hub.Owner.Query(ctx, `select idempotency_key::text, opinion from answer`)
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
	broken, err := postgis.Invariants(ctx, h.hub.Owner)
	if err != nil || len(broken) > 0 {
		h.t.Errorf("broken: %v (%v)", broken, err)
	}
	h.unstuck()
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

// unstuck holds that when the leases of those who walked away have run out,
// somebody new is given every task that still needs an answer. No sweep helps.
func (h *hammer) unstuck() {
	time.Sleep(h.lease)
	if n := h.number(`select count(*) from claim where ended_at is null and expires_at > now()`); n != 0 {
		h.t.Errorf("%d leases outlive their time", n)
	}
	sessions := slices.Clone(h.sessions)
	rand.New(rand.NewPCG(3, 4)).Shuffle(len(sessions), func(i, j int) { sessions[i], sessions[j] = sessions[j], sessions[i] })
	given := 0
	for _, s := range sessions[:min(6, len(sessions))] {
		want := h.number(`
			select count(*)
			from task t
			join outcome o on o.id = t.outcome_id
			where t.session_id = $1 and not t.practice and o.kind = any ($2)
			  and not exists (select from verdict v where v.outcome_id = o.id and v.withdrawn_at is null)
			  and (select count(*) filter (where a.says <> 'cant_tell') < 2 and count(*) < $3 from answer a where a.task_id = t.id and a.undone_at is null)`,
			s.ID, questions, maxOpinions)
		p := h.join(s)
		got := 0
		for {
			q, _, err := Next(h.t.Context(), h.hub, p.ID)
			if errors.Is(err, geo.ErrNotFound) {
				break
			}
			if err != nil {
				h.t.Fatal(err)
			}
			got++
			h.answer(p, q.Task.ID, cantTellKey)
		}
		if got != want {
			h.t.Errorf("session %s: %d tasks are given, %d are open", s.Code, got, want)
		}
		given += got
	}
	h.t.Logf("%d tasks were left in %d sessions, and given", given, min(6, len(sessions)))
}

// p95 is the 95th percentile.
func p95(list []time.Duration) time.Duration {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)*95/100].Round(100 * time.Microsecond)
}

// TestRoomBehindTheMatcher has a room ask while the matcher is behind: each is
// given a question, and they do not use up the server's connections.
func TestRoomBehindTheMatcher(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 100)
	s := r.session(30, 120)
	var seats []Participant
	for range 40 {
		seats = append(seats, r.join(s))
	}
	r.importOSM(fmt.Sprintf("n1 v2 Tamenity=fountain,name=%s,drinking_water=no x5.4 y43.2", spaced(name(0))))
	ctx, cancel := context.WithCancel(t.Context())
	var most int
	var watcher, all sync.WaitGroup
	watcher.Go(func() {
		for ctx.Err() == nil {
			if n := r.number(`select count(*) from pg_stat_activity where datname = current_database()`); n > most {
				most = n
			}
		}
	})
	for _, p := range seats {
		all.Go(func() {
			if _, _, err := Next(t.Context(), r.hub, p.ID); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	cancel()
	watcher.Wait()
	pools := int(r.hub.Owner.Stat().MaxConns() + r.hub.Web.Stat().MaxConns() + r.hub.Desk.Stat().MaxConns() + r.hub.Tiles.Stat().MaxConns())
	if most > pools+2 {
		t.Errorf("%d connections at once, the pools have %d", most, pools)
	}
}
