package catalogue

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Link is how the link of a resource was found when it was last tried.
type Link struct {
	At     time.Time
	Status int // of HTTP, 0 when nobody answered
	// BrokenSince is when it first failed of a link that is broken: that leads
	// nowhere, or has failed twice. It is nil of one that answers.
	BrokenSince *time.Time
	// Message says why it is broken or, of one that is not, why nobody knows:
	// its host refuses robots. It is nil of one that answers.
	Message *geo.Message
}

// A LinkReport counts what CheckLinks found.
type LinkReport struct {
	Tried   int64 `json:"tried"`
	Broken  int64 `json:"broken"`  // of those, failing now
	Mended  int64 `json:"mended"`  // of those, answering again
	Unclear int64 `json:"unclear"` // of those, not for robots
	// Offline says that not one of several hosts answered: it is the hub that
	// has no way out, and nothing was written down.
	Offline bool `json:"offline"`
}

// hostsAtOnce is how many hosts are asked at a time; each is asked one thing at
// a time.
const hostsAtOnce = 8

type dueLink struct {
	resource   int64
	slug, name string
	url        string
	service    bool
	failures   int
	since      *time.Time
}

// CheckLinks tries the links of public resources that were last tried before
// due, or have failed once since, and writes down how it found them. now is
// the clock. It goes on over links that fail, and stops at an error of the
// database or when ctx ends; what was found until then is kept.
func CheckLinks(ctx context.Context, hub *postgis.Hub, client *LinkClient, due time.Time, now func() time.Time) (LinkReport, error) {
	links, err := dueLinks(ctx, hub.Owner, due)
	if err != nil {
		return LinkReport{}, err
	}
	client.forget()
	var order []string
	hosts := map[string][]dueLink{}
	for _, l := range links {
		host := ""
		if u, err := url.Parse(l.url); err == nil {
			host = strings.ToLower(u.Hostname())
		}
		if hosts[host] == nil {
			order = append(order, host)
		}
		hosts[host] = append(hosts[host], l)
	}
	round := linkRound{hub: hub, client: client, now: now}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(hostsAtOnce)
	for _, host := range order {
		group.Go(func() error { return round.host(within, hosts[host]) })
	}
	if err := group.Wait(); err != nil {
		return round.report, err
	}
	if !round.answered && len(order) > 1 {
		return LinkReport{Offline: true}, nil
	}
	for _, s := range round.silent {
		if err := round.keep(ctx, s.link, s.finding, s.at); err != nil {
			return round.report, err
		}
	}
	return round.report, nil
}

// A linkRound is one run of CheckLinks.
type linkRound struct {
	hub    *postgis.Hub
	client *LinkClient
	now    func() time.Time

	mu       sync.Mutex
	report   LinkReport
	answered bool         // some host did
	silent   []silentLink // what is told of hosts that did not, once it is known that it is they
}

type silentLink struct {
	link    dueLink
	finding finding
	at      time.Time
}

// host tries the links to one host, one after the other.
func (r *linkRound) host(ctx context.Context, links []dueLink) error {
	for i, l := range links {
		if i > 0 {
			r.client.wait(ctx)
		}
		f, ok := r.client.try(ctx, l.url, l.service)
		if !ok {
			return ctx.Err()
		}
		at := r.now()
		r.mu.Lock()
		if f.silent() {
			r.silent = append(r.silent, silentLink{l, f, at})
		} else {
			r.answered = true
		}
		r.mu.Unlock()
		if f.silent() {
			continue
		}
		if err := r.keep(ctx, l, f, at); err != nil {
			return err
		}
	}
	return nil
}

// keep writes a finding down and counts it.
func (r *linkRound) keep(ctx context.Context, l dueLink, f finding, at time.Time) error {
	if err := record(ctx, r.hub, l, f, at); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.report.Tried++
	switch {
	case f.broken:
		r.report.Broken++
	case f.message != nil:
		r.report.Unclear++
	case l.failures > 0:
		r.report.Mended++
	}
	return nil
}

func dueLinks(ctx context.Context, db postgis.DB, due time.Time) ([]dueLink, error) {
	rows, err := db.Query(ctx, `
		select r.id, d.slug, r.name, r.url, r.kind = 'service', coalesce(c.failures, 0), c.broken_since
		from public_dataset d
		join resource r on r.dataset_id = d.id
		left join link_check c on c.resource_id = r.id and c.url = r.url
		where r.url is not null and r.public and r.deleted_at is null and (c.at is null or c.at < $1 or c.failures = 1)
		order by c.at nulls first, r.id`, due)
	if err != nil {
		return nil, fmt.Errorf("read the links: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (dueLink, error) {
		var l dueLink
		err := row.Scan(&l.resource, &l.slug, &l.name, &l.url, &l.service, &l.failures, &l.since)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the links: %w", postgis.Kind(err))
	}
	return list, nil
}

// record writes a finding down, and into the log when the page shows it.
func record(ctx context.Context, hub *postgis.Hub, l dueLink, f finding, at time.Time) error {
	failures := 0
	var since *time.Time
	if f.broken {
		failures, since = l.failures+1, l.since
		if since == nil {
			since = &at
		}
	}
	err := pgx.BeginFunc(ctx, hub.Owner, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			insert into link_check (resource_id, url, at, status, failures, broken_since, message)
			select id, url, $3, nullif($4, 0), $5, $6, $7 from resource where id = $1 and url = $2
			on conflict (resource_id) do update set url = excluded.url, at = excluded.at, status = excluded.status,
				failures = excluded.failures, broken_since = excluded.broken_since, message = excluded.message`,
			l.resource, l.url, at, f.status, failures, since, f.message)
		if err != nil || (failures > 0) == (l.failures > 0) && failures != 2 {
			return err
		}
		return postgis.Append(ctx, tx, postgis.Change{Kind: "catalogue", Subject: l.slug, Detail: map[string]any{"link": l.name}})
	})
	if err != nil {
		return fmt.Errorf("write how %s of %s was found: %w", l.name, l.slug, postgis.Kind(err))
	}
	return nil
}

// A BrokenLink is a link of a public dataset that leads nowhere.
type BrokenLink struct {
	Dataset  string      `json:"dataset"` // slug
	Resource string      `json:"resource"`
	URL      string      `json:"url"`
	Since    time.Time   `json:"since"`
	Message  geo.Message `json:"message"`
}

// BrokenLinks lists them, those broken longest first.
func BrokenLinks(ctx context.Context, db postgis.DB) ([]BrokenLink, error) {
	rows, err := db.Query(ctx, `
		select d.slug, r.name, r.url, c.broken_since, c.message
		from link_check c
		join resource r on r.id = c.resource_id and r.url = c.url and r.public and r.deleted_at is null
		join public_dataset d on d.id = r.dataset_id
		where c.failures > 1 or c.status in (404, 410)
		order by c.broken_since, d.slug, r.name`)
	if err != nil {
		return nil, fmt.Errorf("read the broken links: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[BrokenLink])
	if err != nil {
		return nil, fmt.Errorf("read the broken links: %w", postgis.Kind(err))
	}
	return list, nil
}
