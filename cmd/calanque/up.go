package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"calanque/api"
	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/workshop"
	"calanque/tiles"
	"calanque/viewer"
)

type upCmd struct {
	TrustProxy bool `env:"CALANQUE_TRUST_PROXY" help:"Believe X-Forwarded-Proto and -Host: only behind a proxy that sets them."`
}

// Help shows an example.
func (*upCmd) Help() string {
	return "Example:\n  CALANQUE_ADDR=0.0.0.0:8080 calanque up\n\nStops on Ctrl-C. The data stays in the data folder."
}

// Run serves until it is told to stop.
func (c *upCmd) Run(ctx context.Context, a *app) error {
	return a.serve(ctx, serving{trustProxy: c.TrustProxy})
}

// serving is what demo adds to up.
type serving struct {
	trustProxy bool
	prepare    func(context.Context, *postgis.Hub) error // runs while the server already answers; nil for nothing
	ready      func(url string) error                    // runs when all is there; nil for nothing
	want       func() []string                           // layers that must be served before the hub is ready; nil for none
	fictional  func([]viewer.Layer) bool
}

// serve runs the server and what keeps the hub true beside it: those who
// follow the log of changes, and the sweep of what nobody needs.
func (a *app) serve(ctx context.Context, s serving) error {
	a.level.Set(slog.LevelInfo)
	// A busy port is known before anything long begins.
	l, err := net.Listen("tcp", a.Addr)
	if err != nil {
		return geo.Bad(err, "server.address", "address", a.Addr)
	}
	defer l.Close()
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	prepared := make(chan struct{})
	enqueue, err := enqueuer(hub, jobKinds)
	if err != nil {
		return err
	}
	server := api.New(api.Options{
		Enqueue:    enqueue,
		Hub:        hub,
		Tiles:      tiles.New(hub, tiles.Options{}),
		Files:      a.files(),
		Redraw:     a.redraw,
		ReadSheet:  a.readSheet,
		PublicURL:  a.PublicURL,
		TrustProxy: s.trustProxy,
		Log:        a.log,
		Fictional:  s.fictional,
		Ready:      func(_ context.Context, served []string) error { return s.missing(prepared, served) },
	})
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.Serve(ctx, l) })
	group.Go(func() error {
		if s.prepare != nil {
			if err := s.prepare(ctx, hub); err != nil {
				return err
			}
		}
		close(prepared)
		url := address(l.Addr(), a.PublicURL)
		fmt.Fprintf(a.stderr, "\n%s\n", a.sentence(geo.Say("server.ready", "url", url)))
		if s.ready != nil {
			if err := s.ready(url); err != nil && ctx.Err() == nil { // stopped just now is no fault: it was ready
				return err
			}
		}
		return nil
	})
	group.Go(func() error { return a.follow(ctx, hub) })
	group.Go(func() error { return a.sweep(ctx, hub) })
	group.Go(func() error { return a.keepWorker(ctx) })
	group.Go(func() error { return a.sweepFiles(ctx, hub) })
	return group.Wait()
}

// missing tells what was asked for and is not served yet.
func (s serving) missing(prepared <-chan struct{}, served []string) error {
	select {
	case <-prepared:
	default:
		return errors.New("the data is still being loaded")
	}
	if s.want == nil {
		return nil
	}
	have := map[string]bool{}
	for _, name := range served {
		have[name] = true
	}
	for _, name := range s.want() {
		if !have[name] {
			return fmt.Errorf("layer %s is not served", name)
		}
	}
	return nil
}

// sweepEvery is how often what nobody needs any more is taken away.
const sweepEvery = time.Minute

// keepReplaced is how long a replaced version stays readable, for walks and
// downloads that began on it.
const keepReplaced = 24 * time.Hour

// sweep drops the tables of versions that were replaced more than a day ago,
// and forgets who took part in sessions that closed a day ago.
func (a *app) sweep(ctx context.Context, hub *postgis.Hub) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		_, err := postgis.Sweep(ctx, hub, keepReplaced)
		err = errors.Join(err, workshop.Sweep(ctx, hub.Owner, time.Now()))
		if err != nil && ctx.Err() == nil {
			a.log.Warn("sweep failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// address is where a person finds the hub.
func address(addr net.Addr, public string) string {
	if public != "" {
		return public
	}
	tcp, ok := addr.(*net.TCPAddr)
	if !ok {
		return "http://" + addr.String()
	}
	host := tcp.IP.String()
	if tcp.IP.IsUnspecified() || tcp.IP.IsLoopback() {
		host = "localhost"
	}
	return fmt.Sprintf("http://%s", net.JoinHostPort(host, fmt.Sprint(tcp.Port)))
}
