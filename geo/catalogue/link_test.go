package catalogue_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

// TestCheckLinks follows one link through its failures: it is said to be broken
// at the second, since the first; and mended when it answers again.
func TestCheckLinks(t *testing.T) {
	t.Parallel()
	h := hub(t)
	var status atomic.Int64
	status.Store(200)
	var asked atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/a.csv":
			w.WriteHeader(int(status.Load()))
		case "/secret.csv", "/cache.csv":
			asked.Add(1)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(s.Close)
	_, err := h.Owner.Exec(t.Context(), `
		insert into resource (dataset_id, name, kind, title, url, public)
		select d.id, r.name, 'reference', '{"fr": "x"}', $1 || r.path, r.public
		from (values ('sentiers', 'a', '/a.csv', true), ('sentiers', 'gone', '/gone.csv', true), ('sentiers', 'secret', '/secret.csv', false),
			('lycees', 'cache', '/cache.csv', true)) r (slug, name, path, public)
		join dataset d using (slug)`, s.URL)
	if err != nil {
		t.Fatal(err)
	}
	if err := take(t.Context(), h, "sentiers", catalogue.Step{To: catalogue.Open, Body: "test"}); err != nil {
		t.Fatal(err)
	}
	client := catalogue.NewLinkClient(catalogue.ClientOptions{Pause: -1, AllowInner: true})
	day := time.Date(2026, 11, 1, 3, 0, 0, 0, time.UTC)
	last, err := postgis.LastChange(t.Context(), h.Owner)
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		status    int64
		tried     int64 // links of the run: the one that failed once, and those a day old
		broken    bool  // as shown
		logged    int64 // changes
		sinceDays int
	}{
		{200, 2, false, 1, 0}, // the other link is gone: that is shown at once
		{500, 2, false, 1, 0}, // failed once: the log tells so, the page says nothing yet
		{500, 2, true, 1, 1},
		{500, 2, true, 0, 1},
		{200, 2, false, 1, 0},
	} {
		status.Store(step.status)
		now := day.AddDate(0, 0, i)
		report, err := catalogue.CheckLinks(t.Context(), h, client, now.Add(-time.Hour), func() time.Time { return now })
		if err != nil || report.Tried != step.tried {
			t.Fatalf("day %d: %+v, %v, want %d tried", i, report, err, step.tried)
		}
		e, err := catalogue.Find(t.Context(), h.Web, catalogue.Public, "sentiers")
		if err != nil || len(e.Resources) != 2 {
			t.Fatalf("day %d: %+v, %v", i, e.Resources, err)
		}
		link := e.Resources[0].Link
		switch {
		case link == nil || !link.At.Equal(now) || link.Status != int(step.status):
			t.Errorf("day %d: the link is %+v", i, link)
		case (link.BrokenSince != nil) != step.broken || (link.Message != nil) != step.broken:
			t.Errorf("day %d: broken since %v, %v; want broken %t", i, link.BrokenSince, link.Message, step.broken)
		case step.broken && !link.BrokenSince.Equal(day.AddDate(0, 0, step.sinceDays)):
			t.Errorf("day %d: broken since %v, want day %d", i, link.BrokenSince, step.sinceDays)
		}
		if gone := e.Resources[1].Link; gone == nil || gone.BrokenSince == nil || !gone.BrokenSince.Equal(day) || gone.Message.Code != "link.gone" {
			t.Errorf("day %d: the link that is gone is %+v", i, gone)
		}
		change, err := postgis.LastChange(t.Context(), h.Owner)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 && change-last != step.logged && !(i == 1 && change-last == 2) {
			t.Errorf("day %d: %d changes in the log, want %d", i, change-last, step.logged)
		}
		last = change
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests for links that are not public, want none", n)
	}
	// Another address is another link: nothing is known of it.
	if _, err := h.Owner.Exec(t.Context(), `update resource set url = $1 where name = 'gone'`, s.URL+"/autre.csv"); err != nil {
		t.Fatal(err)
	}
	e, err := catalogue.Find(t.Context(), h.Web, catalogue.Public, "sentiers")
	if err != nil || e.Resources[1].Link != nil {
		t.Errorf("a link that was never tried: %+v, %v", e.Resources[1].Link, err)
	}
	// Fresh ones are left alone.
	now := day.AddDate(0, 0, 4).Add(time.Minute)
	report, err := catalogue.CheckLinks(t.Context(), h, client, now.Add(-time.Hour), func() time.Time { return now })
	if err != nil || report.Tried != 1 {
		t.Errorf("a minute later: %+v, %v, want the new one alone tried", report, err)
	}
}

// TestCheckLinksOffline has no host answer: that is the hub's own line, and no
// link is called broken for it.
func TestCheckLinksOffline(t *testing.T) {
	t.Parallel()
	h := hub(t)
	s := httptest.NewServer(http.NotFoundHandler())
	closed := s.URL
	s.Close()
	_, err := h.Owner.Exec(t.Context(), `
		insert into resource (dataset_id, name, kind, title, url)
		select d.id, r.name, 'reference', '{"fr": "x"}', r.url
		from (values ('a', $1), ('b', replace($1, '127.0.0.1', 'localhost'))) r (name, url)
		join dataset d on d.slug = 'sentiers'`, closed)
	if err == nil {
		err = take(t.Context(), h, "sentiers", catalogue.Step{To: catalogue.Open, Body: "test"})
	}
	if err != nil {
		t.Fatal(err)
	}
	client := catalogue.NewLinkClient(catalogue.ClientOptions{Pause: -1, AllowInner: true})
	for range 2 {
		now := time.Now()
		report, err := catalogue.CheckLinks(t.Context(), h, client, now, func() time.Time { return now })
		if err != nil || report != (catalogue.LinkReport{Offline: true}) {
			t.Errorf("got %+v, %v, want to be told of being offline", report, err)
		}
	}
	if list, err := catalogue.BrokenLinks(t.Context(), h.Web); err != nil || len(list) != 0 {
		t.Errorf("broken: %v, %v, want none", list, err)
	}
}
