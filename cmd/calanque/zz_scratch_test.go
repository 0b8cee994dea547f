package main

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"
	"time"
)

func TestScratchProfile(t *testing.T) {
	if os.Getenv("SCRATCH") == "" {
		t.Skip()
	}
	n, _ := strconv.Atoi(os.Getenv("SCRATCH"))
	h := newHall(t, 4000)
	ctx, cancel := context.WithCancel(t.Context())
	a := newApp(&config{Data: h.data(), Addr: h.addr}, io.Discard, os.Stderr)
	defer a.close()
	done := make(chan error)
	go func() { done <- a.serve(ctx, serving{}) }()
	for {
		if s, _, _ := h.get("/readyz"); s == 200 {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	h.mediator = newBrowser(h.t, h.base, "")
	h.mediator.signIn(h.t, h.login, h.password)
	r := &round{hall: h, tick: make(chan struct{})}
	r.begin(t)
	var all sync.WaitGroup
	rctx, stop := context.WithCancel(ctx)
	for i := range 30 {
		seat := newBrowser(t, h.base, "")
		all.Go(func() { r.person(rctx, t, seat, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	for range n {
		<-r.tick
	}
	stop()
	all.Wait()
	t.Log(p95(r.claims), p95(r.answers))
	cancel()
	<-done
}
