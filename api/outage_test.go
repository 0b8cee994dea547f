package api

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// outage makes the test's database refuse everyone, as a stopped server does,
// and gives what lets them in again.
func (s *site) outage() (end func()) {
	s.t.Helper()
	conf := s.hub.Owner.Config().ConnConfig.Copy()
	name := pgx.Identifier{conf.Database}.Sanitize()
	conf.Database = "postgres"
	conn, err := pgx.ConnectConfig(s.t.Context(), conf)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = conn.Close(context.Background()) })
	do := func(sql string) {
		s.t.Helper()
		if _, err := conn.Exec(s.t.Context(), sql); err != nil {
			s.t.Fatal(err)
		}
	}
	do("alter database " + name + " with allow_connections false")
	do("select pg_terminate_backend(pid) from pg_stat_activity where datname = '" + s.hub.Owner.Config().ConnConfig.Database + "'")
	return func() { do("alter database " + name + " with allow_connections true") }
}

// TestOutage holds that what is known is served while the database is away,
// that the rest is 503, and that everything is as new once it is back.
func TestOutage(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(50, "v1"))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Follow(ctx); close(done) }()
	defer func() { stop(); <-done }()
	wait(t, "the catalogue", func() bool { return s.ask(http.MethodGet, "/readyz").Code == 200 })
	const tile, items = "/tiles/points_eau/8/131/94.mvt", "/api/collections/points_eau/items?limit=5"
	tag := s.ask(http.MethodGet, tile).Header().Get("ETag")
	s.get("/carte?c=points_eau")

	back := s.outage()
	for _, c := range []struct {
		target string
		status int
		header []string
	}{
		{tile, 200, nil},
		{tile, 304, []string{"If-None-Match", tag}},
		{"/tiles/points_eau.json", 200, nil},
		{"/api", 200, nil},
		{"/api/collections", 200, nil},
		{"/api/api", 200, nil},
		{"/healthz", 200, nil},
		{"/readyz", 503, nil},
		{items, 503, nil},
		{"/api/collections/points_eau/items/p00001", 503, nil},
		{"/carte?c=points_eau", 503, nil},
		{"/telecharger/points_eau.csv", 503, nil},
		{"/api/collections/gone", 404, nil},
	} {
		w := s.ask(http.MethodGet, c.target, c.header...)
		if w.Code != c.status {
			t.Errorf("%s while the database is away: got %d, want %d: %.200s", c.target, w.Code, c.status, w.Body)
		}
		if c.status == 503 && w.Header().Get("Retry-After") == "" {
			t.Errorf("%s: 503 without Retry-After", c.target)
		}
	}

	back()
	wait(t, "the database", func() bool { return s.ask(http.MethodGet, "/readyz").Code == 200 })
	s.get(items)
	s.hub.Owner.Reset() // the loader's own connections: it is not what is tested
	s.load(waterTable(), geo.Snapshot, water(60, "v2"))
	wait(t, "the next version", func() bool {
		var c struct{ Calanque struct{ Count int } }
		s.getJSON("/api/collections/points_eau", &c)
		return c.Calanque.Count == 60
	})
}

// wait asks again and again until it is so, for at most five seconds.
func wait(t *testing.T, what string, is func() bool) {
	t.Helper()
	for began := time.Now(); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Since(began) > 5*time.Second {
			t.Fatalf("waited five seconds for %s", what)
		}
	}
}
