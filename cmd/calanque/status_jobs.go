package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// The states of a job, as people are told.
const (
	jobWaiting = "waiting"
	jobRunning = "running"
	jobFailed  = "failed" // given up
)

// A jobStatus is what status prints of a job that is not done.
type jobStatus struct {
	ID      int64           `json:"id"`
	Kind    string          `json:"kind"`
	State   string          `json:"state"`
	Args    json.RawMessage `json:"args"`
	Attempt int             `json:"attempt"`
	Since   time.Time       `json:"since"` // waiting, running or failed
	Next    *time.Time      `json:"next,omitempty"`
	Reason  *geo.Message    `json:"reason,omitempty"` // of the last attempt that failed
}

// jobStatuses gives what waits, what runs and what failed in the last week.
func jobStatuses(ctx context.Context, db postgis.DB) ([]jobStatus, error) {
	rows, err := db.Query(ctx, `
		select id, kind,
			case when state = 'running' then 'running' when state in ('discarded', 'cancelled') then 'failed' else 'waiting' end,
			args, attempt,
			coalesce(finalized_at, case when state = 'running' then attempted_at end, created_at),
			case when state in ('retryable', 'scheduled') and scheduled_at > now() then scheduled_at end,
			errors[array_upper(errors, 1)]->>'error'
		from river.river_job
		where state not in ('completed')
		order by array_position(array['running', 'failed', 'waiting'],
			case when state = 'running' then 'running' when state in ('discarded', 'cancelled') then 'failed' else 'waiting' end), id`)
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (jobStatus, error) {
		var j jobStatus
		var reason *string
		err := row.Scan(&j.ID, &j.Kind, &j.State, &j.Args, &j.Attempt, &j.Since, &j.Next, &reason)
		if reason != nil {
			m := said(*reason)
			j.Reason = &m
		}
		return j, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the queue: %w", postgis.Kind(err))
	}
	return list, nil
}

// printJobs says what the queue holds.
func (a *app) printJobs(ctx context.Context, hub *postgis.Hub, asJSON bool) error {
	list, err := jobStatuses(ctx, hub.Owner)
	if err != nil {
		return err
	}
	if asJSON {
		if list == nil {
			list = []jobStatus{}
		}
		return a.printJSON(list)
	}
	count := func(state string) (n int) {
		for _, j := range list {
			if j.State == state {
				n++
			}
		}
		return n
	}
	a.say(geo.Say("queue.status", "waiting", count(jobWaiting), "running", count(jobRunning), "failed", count(jobFailed)))
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, j := range list {
		if j.State == jobWaiting && slices.ContainsFunc(jobKinds, func(k jobKind) bool { return k.name == j.Kind && k.every > 0 }) && j.Reason == nil {
			continue // they always do
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\n", j.Kind, a.sentence(geo.Say("queue.state-"+j.State)), j.Since.Format("2006-01-02 15:04"), j.Args)
		if j.Reason != nil {
			fmt.Fprintf(w, "    %s\n", a.sentence(*j.Reason))
		}
	}
	return w.Flush()
}
