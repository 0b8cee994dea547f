package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestChaosSession kills the server and the database in turn in the middle of
// a session that six browsers answer, each sending the same form until it is
// acknowledged. No acknowledged answer is lost or counted twice, and everybody
// goes on with the seat they had.
func TestChaosSession(t *testing.T) {
	t.Parallel()
	h := newHall(t, 400)
	up := h.serve()
	h.code = h.mediator.prepare(t, "eau", aroundTown, 30, 120)
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	var seats []*seat
	for i := range 6 {
		s := &seat{browser: newBrowser(t, h.base, ""), t: t, code: h.code, rnd: rand.New(rand.NewPCG(*chaosSeed, uint64(i)))}
		s.join(t, h.code)
		s.pass(t, h.code)
		seats = append(seats, s)
		all.Go(func() { s.answerAlways(ctx) })
	}
	rnd := rand.New(rand.NewPCG(*chaosSeed, 7))
	var worst time.Duration
	for i := range *chaosKills {
		time.Sleep(100*time.Millisecond + time.Duration(rnd.Int64N(int64(time.Second))))
		begun := time.Now()
		when := fmt.Sprintf("kill %d, of the server", i)
		if i%2 == 0 {
			up.kill()
			up = h.serve()
		} else {
			when = fmt.Sprintf("kill %d, of the database", i)
			h.killPostmaster()
		}
		if !goOn(seats, time.Minute) {
			t.Errorf("%s: somebody has not been taken an answer of for a minute", when)
			break
		}
		worst = max(worst, time.Since(begun))
	}
	stop()
	all.Wait()
	url, release := h.hold()
	defer release()
	stored := map[string]int{}
	for _, key := range askAll[string](t, url, `select idempotency_key::text from answer`) {
		stored[key]++
	}
	kept := 0
	for _, s := range seats {
		for _, key := range s.acknowledged {
			kept++
			if stored[key] != 1 {
				t.Errorf("answer %s was acknowledged and is stored %d times", key, stored[key])
			}
		}
	}
	if n := ask[int](t, url, `select count(*) from participant`); n != len(seats) {
		t.Errorf("%d seats for %d people", n, len(seats))
	}
	checkInvariants(t, url, "after the session")
	t.Logf("%d answers acknowledged, %d stored, %d sent again; everybody answers again after %v at worst", kept, len(stored), tries(seats), worst.Round(time.Millisecond))
	if kept < 20 {
		t.Errorf("only %d answers", kept)
	}
}

// A seat is a participant whose browser tries again.
type seat struct {
	*browser
	t    testing.TB
	code string
	rnd  *rand.Rand

	mu           sync.Mutex
	acknowledged []string // keys
	again        int      // forms that were sent once more
}

func (s *seat) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.acknowledged)
}

func tries(seats []*seat) (n int) {
	for _, s := range seats {
		n += s.again
	}
	return n
}

// goOn waits until an answer of everybody has been taken.
func goOn(seats []*seat, patience time.Duration) bool {
	before := make([]int, len(seats))
	for i, s := range seats {
		before[i] = s.count()
	}
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(20 * time.Millisecond) {
		more := 0
		for i, s := range seats {
			if s.count() > before[i] {
				more++
			}
		}
		if more == len(seats) {
			return true
		}
	}
	return false
}

// answerAlways answers what is asked; when nothing is left, it answers again.
func (s *seat) answerAlways(ctx context.Context) {
	path := "/atelier/" + s.code
	for ctx.Err() == nil {
		page, err := s.get(path)
		path = "/atelier/" + s.code
		if err != nil || page.status >= http.StatusInternalServerError {
			rest(ctx)
			continue
		}
		f, choices, ok := page.question()
		if !ok {
			path = fmt.Sprintf("/atelier/%s?question=%d", s.code, 1+s.rnd.IntN(60))
			rest(ctx)
			continue
		}
		f.fields.Set("choix", choices[s.rnd.IntN(len(choices))])
		s.sendUntilTaken(ctx, f)
	}
}

// sendUntilTaken sends one form, with its one key, until it is acknowledged.
func (s *seat) sendUntilTaken(ctx context.Context, f form) {
	for ctx.Err() == nil {
		answer, err := s.send(f)
		switch {
		case err != nil || answer.status >= http.StatusInternalServerError:
			s.mu.Lock()
			s.again++
			s.mu.Unlock()
			rest(ctx)
		case answer.status == http.StatusSeeOther:
			s.mu.Lock()
			s.acknowledged = append(s.acknowledged, strings.ToLower(f.fields.Get("cle")))
			s.mu.Unlock()
			return
		default:
			s.t.Errorf("an answer is refused: %v", answer)
			return
		}
	}
}

func rest(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(30 * time.Millisecond):
	}
}
