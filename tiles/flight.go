package tiles

import (
	"context"
	"sync"
	"time"
)

// patience bounds work that has begun: the statement timeout of the pool ends
// a slow query long before, this is for a server that does not answer at all.
const patience = 30 * time.Second

// Flights make callers who want the same tile share one making of it.
type flights struct {
	mu sync.Mutex
	by map[key]*flight
}

type flight struct {
	done    chan struct{} // closed when tile and err are set
	tile    Tile
	err     error
	waiting int
	begun   bool // no longer queued
	cancel  context.CancelFunc
}

// do gives what work returns, running it once for all who ask meanwhile.
// Queue is called first. While it waits, the flight ends with its last caller;
// once work has begun it is finished even when nobody waits any more: the next
// visitor finds the result.
func (f *flights) do(ctx context.Context, k key,
	queue func(context.Context) (leave func(), err error), work func(context.Context) (Tile, error),
) (Tile, error) {
	f.mu.Lock()
	fl := f.by[k]
	if fl == nil {
		shared, cancel := context.WithCancel(context.WithoutCancel(ctx))
		fl = &flight{done: make(chan struct{}), cancel: cancel}
		if f.by == nil {
			f.by = map[key]*flight{}
		}
		f.by[k] = fl
		go f.run(shared, k, fl, queue, work)
	}
	fl.waiting++
	f.mu.Unlock()

	select {
	case <-fl.done:
		return fl.tile, fl.err
	case <-ctx.Done():
		f.leave(k, fl)
		return Tile{}, ctx.Err()
	}
}

func (f *flights) run(ctx context.Context, k key, fl *flight,
	queue func(context.Context) (leave func(), err error), work func(context.Context) (Tile, error),
) {
	defer close(fl.done)
	defer fl.cancel()
	defer f.land(k, fl)
	leave, err := queue(ctx)
	if err != nil {
		fl.err = err
		return
	}
	defer leave()
	f.mu.Lock()
	fl.begun = true
	f.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	fl.tile, fl.err = work(ctx)
}

// land makes the next caller start anew.
func (f *flights) land(k key, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by[k] == fl {
		delete(f.by, k)
	}
}

// leave takes a caller off, and calls back a queued flight that nobody waits
// for any more.
func (f *flights) leave(k key, fl *flight) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fl.waiting--
	if fl.waiting > 0 || fl.begun {
		return
	}
	fl.cancel()
	if f.by[k] == fl {
		delete(f.by, k)
	}
}
