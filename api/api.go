// Package api is the HTTP server: router, middleware, problems, and the short
// handlers (tiles, pages, pictures, search, downloads, health).
//
// What is served is an in-memory catalogue, kept equal to the database by its
// log of changes, so that a reader sees the result of a command within two
// seconds and tiles outlive an outage of the database. OGC API – Features is
// api/features; pages are package viewer's: here their models are filled.
// HTTP statuses exist in this package only.
package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
	_ "time/tzdata" // a bare system has no time zones

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/api/features"
	"calanque/geo/blob"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/tiles"
	"calanque/viewer"
)

// Options are what a Server needs.
type Options struct {
	Hub   *postgis.Hub
	Tiles *tiles.Tiles
	Files *blob.Store // uploads, documents and what is built for downloads
	// Redraw draws a picture that somebody sent anew, outside of this process,
	// and tells its width and height; what is no picture is a *geo.InputError.
	// nil: no pictures are taken.
	Redraw func(ctx context.Context, out io.Writer, in io.Reader) (width, height int, err error)
	// ReadSheet is catalogue.ReadSheet outside of this process. nil: no
	// spreadsheets are taken.
	ReadSheet func(ctx context.Context, file, name string, in io.Reader) (*catalogue.Sheet, error)

	// PublicURL is the address that visitors use, without a slash at its end;
	// "" means the one they ask for.
	PublicURL string
	// TrustProxy believes X-Forwarded-Proto and X-Forwarded-Host when there is
	// no PublicURL: only where a proxy sets them and nobody gets around it.
	TrustProxy bool
	// Ready says what is still missing of what was asked for, beside the
	// catalogue; nil means nothing can be. served is the names of the layers
	// that are there.
	Ready func(ctx context.Context, served []string) error
	// Fictional makes every page say that what it shows is made up; nil means
	// it is not.
	Fictional func(layers []viewer.Layer) bool

	// Enqueue puts work into the queue in a transaction: a kind and its
	// arguments. Nil where there is no queue: nothing can be sent then.
	Enqueue func(ctx context.Context, tx pgx.Tx, kind string, args any) error

	Log  *slog.Logger     // nil means slog.Default()
	Zone *time.Location   // of dates without one; nil means Europe/Paris
	Now  func() time.Time // nil means time.Now
}

// A Server answers HTTP. It reads its catalogue in Follow or Refresh; before
// that everything but health is 503.
type Server struct {
	Options
	handler  http.Handler
	features *features.Service
	gate     *account.Gate
	codes    *account.Limiter // wrong codes of mapping sessions
	recovery *account.Limiter // wrong recovery codes, by where they come from
	visitors visitors         // their forms
	live     live             // who watches one
	drawings drawings
	finder   *catalogue.Finder
	groups   revised[map[string]int64] // counts of comparisons
	rules    revised[ruleCounts]       // of deliveries
	bound    atomic.Value              // net.Addr that Serve listens on

	state      atomic.Pointer[state]
	refreshing sync.Mutex
	spans      spans
	gazetteer  gazetteerCache
}

// New makes a server. It does not wait for anything.
func New(o Options) *Server {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Zone == nil {
		zone, err := time.LoadLocation("Europe/Paris")
		if err != nil {
			panic(err) // its data is in the binary
		}
		o.Zone = zone
	}
	s := &Server{Options: o, gate: account.NewGate(), codes: wrongCodes(), recovery: account.NewLimiter(5, time.Minute), finder: catalogue.NewFinder(o.Hub.Web), visitors: newVisitors()}
	s.features = features.New(features.Options{
		Pool: o.Hub.Web, Catalogue: s.collections, Refresh: s.Refresh, Base: s.base, Var: pathVar,
		Zone: o.Zone, Now: o.Now, Log: o.Log,
	})
	s.handler = s.middleware(s.routes())
	return s
}

// ServeHTTP makes a Server a handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }

// The times that a connection may take. Downloads move their deadline as they
// go on.
const (
	headerTimeout   = 10 * time.Second
	readTimeout     = 30 * time.Second
	writeTimeout    = 60 * time.Second
	idleTimeout     = 2 * time.Minute
	shutdownTimeout = 10 * time.Second
)

// Serve answers on a listener and follows the log of changes until ctx ends;
// requests under way are then given ten seconds. It returns nil when it was
// ctx that ended it.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug), // clients' mistakes
	}
	s.bound.Store(l.Addr())
	server.RegisterOnShutdown(s.live.end) // they would wait for ever
	var following sync.WaitGroup
	following.Go(func() { s.Follow(ctx) })
	following.Go(func() { s.prebuild(ctx) })
	following.Go(func() {
		if err := s.finder.Warm(ctx); err != nil && ctx.Err() == nil {
			s.Log.Warn("facets not read ahead: the first searches wait for them", "err", err)
		}
	})
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
		if server.Shutdown(patience) != nil {
			_ = server.Close()
		}
		cancel()
		<-ended
	}
	stop()
	following.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
