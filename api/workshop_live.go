package api

import (
	"fmt"
	"net/http"
	"sync"
	"time"

	"calanque/api/account"
	"calanque/geo/postgis"
	"calanque/osm/workshop"
)

const eventStream = "text/event-stream"

// live is who watches which session. It hears of the log of changes from the
// one follower that the server has.
type live struct {
	mu       sync.Mutex
	watchers map[string]map[chan struct{}]bool // by code; true: only what concerns the whole room
	ended    bool
}

// watch gives a channel that has something in it after each change of a
// session; closed when the server ends. With room it hears only of what
// everybody must know at once: a phase, a freeze, a call, the end. leave ends it.
func (l *live) watch(code string, room bool) (changed <-chan struct{}, leave func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := make(chan struct{}, 1)
	if l.ended {
		close(c)
		return c, func() {}
	}
	if l.watchers == nil {
		l.watchers = map[string]map[chan struct{}]bool{}
	}
	if l.watchers[code] == nil {
		l.watchers[code] = map[chan struct{}]bool{}
	}
	l.watchers[code][c] = room
	return c, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.watchers[code], c)
		if len(l.watchers[code]) == 0 {
			delete(l.watchers, code)
		}
	}
}

// tell wakes those whom changes are about: of a session those who watch it; a
// new comparison or a verdict may be about any.
func (l *live) tell(changes []postgis.Change) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range changes {
		if c.Kind == workshop.Kind {
			everybody, _ := c.Detail[workshop.Room].(bool)
			wake(l.watchers[c.Subject], everybody)
			continue
		}
		for _, all := range l.watchers {
			wake(all, false)
		}
	}
}

// wake tells watchers; those of the room alone only when everybody is meant.
func wake(watchers map[chan struct{}]bool, everybody bool) {
	for c, room := range watchers {
		if room && !everybody {
			continue
		}
		select {
		case c <- struct{}{}:
		default: // it has not looked since the last
		}
	}
}

// end sends everybody away, so that the server can stop.
func (l *live) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for _, all := range l.watchers {
		for c := range all {
			close(c)
		}
	}
	l.watchers = nil
}

// How often a watcher hears from the hub.
const (
	eventPause = 400 * time.Millisecond // between two events at least: a room answers in bursts
	eventAlive = 8 * time.Second        // without any, so that both sides know
)

// sessionEvents answers the events of a session (Server-Sent Events): one
// without content after each change, upon which pages ask for what they show.
// With ?pour=salle it is only what everybody in the room must hear of, so that
// thirty people who answer don't wake one another.
func (s *Server) sessionEvents(w http.ResponseWriter, r *http.Request) error {
	session, err := s.shown(w, r, account.SeeWall)
	if err != nil {
		return answered(err)
	}
	changed, leave := s.live.watch(session.Code, r.URL.Query().Get("pour") == "salle")
	defer leave()
	control := http.NewResponseController(w)
	h := w.Header()
	h.Set("Content-Type", eventStream)
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx
	send := func(text string) error {
		if err := control.SetWriteDeadline(time.Now().Add(3 * eventAlive)); err != nil {
			return err
		}
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return control.Flush()
	}
	err = send("retry: 2000\nevent: alive\ndata:\n\n")
	for n := 1; err == nil; n++ {
		select {
		case <-r.Context().Done():
			return nil
		case _, ok := <-changed:
			if !ok {
				return nil
			}
			err = send(fmt.Sprintf("data: %d\n\n", n))
			pause(r, eventPause)
		case <-time.After(eventAlive):
			err = send("event: alive\ndata:\n\n")
		}
	}
	s.Log.Debug("a watcher has left", "request", requestID(r), "err", err)
	return nil
}

func pause(r *http.Request, d time.Duration) {
	select {
	case <-r.Context().Done():
	case <-time.After(d):
	}
}
