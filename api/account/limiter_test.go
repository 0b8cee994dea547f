package account

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestLimiter(t *testing.T) {
	t.Parallel()
	l := NewLimiter(3, time.Minute)
	for i := range 3 {
		if wait := l.Take(noon, "a"); wait != 0 {
			t.Fatalf("try %d: wait %s", i, wait)
		}
	}
	if got, want := l.Take(noon.Add(15*time.Second), "a"), 45*time.Second; got != want {
		t.Errorf("the fourth waits %s, want %s", got, want)
	}
	if wait := l.Take(noon, "b"); wait != 0 {
		t.Errorf("another key waits %s", wait)
	}
	if wait := l.Take(noon.Add(time.Minute), "a"); wait != 0 {
		t.Errorf("after a minute: wait %s", wait)
	}
	if wait := l.Take(noon.Add(time.Minute), "a"); wait != time.Minute {
		t.Errorf("and again: wait %s", wait)
	}
	l.GiveBack(noon.Add(time.Minute), "a")
	if wait := l.Take(noon.Add(time.Minute), "a"); wait != 0 {
		t.Errorf("a try that was given back is counted: wait %s", wait)
	}
	if wait := l.Take(noon.Add(12*time.Hour), "a"); wait != 0 {
		t.Errorf("the next day: wait %s", wait)
	}
}

// Many tries at once are counted each.
func TestLimiterAtOnce(t *testing.T) {
	t.Parallel()
	l := NewLimiter(5, time.Minute)
	var let atomic.Int32
	var all sync.WaitGroup
	for range 200 {
		all.Go(func() {
			if l.Take(noon, "a") == 0 {
				let.Add(1)
			}
		})
	}
	all.Wait()
	if let.Load() != 5 {
		t.Errorf("%d were let through, want 5", let.Load())
	}
}

// A flood of keys neither grows without bound nor frees the one that is shut.
func TestLimiterIsBounded(t *testing.T) {
	t.Parallel()
	l := NewLimiter(3, time.Minute)
	for range 3 {
		l.Take(noon, "guesser")
	}
	for i := range 3 * maxKeys {
		l.Take(noon, fmt.Sprint("flood", i))
	}
	if len(l.tries) > maxKeys {
		t.Errorf("%d keys are kept, want at most %d", len(l.tries), maxKeys)
	}
	if l.Take(noon, "guesser") == 0 {
		t.Error("a flood of other keys has freed the guesser")
	}
}

// What is kept does not tell who it is about, and not for longer than a day.
func TestLimiterForgets(t *testing.T) {
	t.Parallel()
	l := NewLimiter(3, time.Minute)
	l.Take(noon, "192.0.2.1")
	before := l.salt
	l.Take(noon.Add(24*time.Hour), "192.0.2.2")
	if len(l.tries) != 1 || l.salt == before {
		t.Errorf("yesterday's keys or salt are still there")
	}
}
