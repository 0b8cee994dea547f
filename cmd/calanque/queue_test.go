package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// TestKinds holds the rules of the table of kinds.
func TestKinds(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range jobKinds {
		_, known := queues[k.queue]
		if k.name == "" || seen[k.name] || !known || k.timeout <= 0 || k.timeout > 12*time.Hour || k.attempts <= 0 || k.work == nil {
			t.Errorf("kind %q: a name of its own, a known queue, a finite timeout and attempts, and work to do", k.name)
		}
		seen[k.name] = true
	}
}

func testWorker(t *testing.T, hub *postgis.Hub, kinds []jobKind) *worker {
	log := slog.New(slog.NewTextHandler(t.Output(), nil))
	return &worker{app: &app{log: log, stderr: io.Discard, stdout: io.Discard}, hub: hub, id: newWorkerID(), kinds: kinds}
}

// works runs a worker until the test ends or stop is called.
func works(t *testing.T, w *worker) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- w.run(ctx) }()
	stop = func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the worker: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("the worker does not stop")
		}
		ended <- nil
	}
	t.Cleanup(func() { cancel(); <-ended })
	return stop
}

func enqueue(t *testing.T, hub *postgis.Hub, kinds []jobKind, kind string, args any) {
	t.Helper()
	put, err := enqueuer(hub, kinds)
	if err == nil {
		err = pgx.BeginFunc(t.Context(), hub.Desk, func(tx pgx.Tx) error { return put(t.Context(), tx, kind, args) })
	}
	if err != nil {
		t.Fatal(err)
	}
}

type greeting struct {
	Name string `json:"name"`
}

// TestQueue puts jobs in as the web does and lets a worker do them: one that
// goes well, one that can't, one that is given up.
func TestQueue(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	done := make(chan string, 10)
	kinds := []jobKind{
		{name: "greet", queue: loads, timeout: time.Minute, attempts: 2, work: func(_ context.Context, _ *worker, args json.RawMessage) error {
			var g greeting
			if err := json.Unmarshal(args, &g); err != nil {
				return err
			}
			switch g.Name {
			case "nobody":
				return geo.Bad(nil, "load.running", "dataset", "nobody")
			case "trouble":
				panic("trouble")
			}
			done <- g.Name
			return nil
		}, gaveUp: func(_ context.Context, _ *worker, _ json.RawMessage, m geo.Message) error {
			done <- "gave up: " + m.Code
			return nil
		}},
	}
	enqueue(t, hub, kinds, "greet", greeting{"world"})
	enqueue(t, hub, kinds, "greet", greeting{"world"}) // the same waits only once
	works(t, testWorker(t, hub, kinds))
	want := func(s string) {
		t.Helper()
		select {
		case got := <-done:
			if got != s {
				t.Errorf("got %q, want %q", got, s)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("nobody did %q", s)
		}
	}
	want("world")
	enqueue(t, hub, kinds, "greet", greeting{"nobody"})
	want("gave up: load.running")
	jobs := waitJobs(t, hub, func(list []jobStatus) bool {
		for _, j := range list {
			if j.State == jobFailed {
				return true
			}
		}
		return false
	})
	if len(jobs) != 1 || jobs[0].Reason == nil || jobs[0].Reason.Code != "load.running" {
		t.Errorf("jobs are %+v", jobs)
	}
}

func waitJobs(t *testing.T, hub *postgis.Hub, ok func([]jobStatus) bool) []jobStatus {
	t.Helper()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		list, err := jobStatuses(t.Context(), hub.Owner)
		if err != nil {
			t.Fatal(err)
		}
		if ok(list) {
			return list
		}
		if time.Since(begun) > 30*time.Second {
			t.Fatalf("jobs are still %+v", list)
		}
	}
}

// TestAbandoned has a job that a dead worker began: another takes it up, once;
// one whose worker lives is left alone, and one that was tried too often is
// given up.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	done := make(chan string, 10)
	tell := func(_ context.Context, _ *worker, args json.RawMessage) error { done <- string(args); return nil }
	kinds := []jobKind{{
		name: "tell", queue: loads, timeout: time.Minute, attempts: 3, work: tell,
		gaveUp: func(_ context.Context, _ *worker, args json.RawMessage, _ geo.Message) error {
			done <- "gave up " + string(args)
			return nil
		},
	}}
	living, err := postgis.Hold(t.Context(), hub.Owner, workerLock("living"))
	if err != nil {
		t.Fatal(err)
	}
	defer living.Close(context.WithoutCancel(t.Context()))
	_, err = hub.Owner.Exec(t.Context(), `
		insert into river.river_job (kind, args, state, attempt, max_attempts, attempted_at, attempted_by, queue) values
			('tell', '{"n": 1}', 'running', 1, 3, now(), '{dead}', 'loads'),
			('tell', '{"n": 2}', 'running', 1, 3, now(), '{living}', 'loads'),
			('tell', '{"n": 3}', 'running', 3, 3, now(), '{dead}', 'loads')`)
	if err != nil {
		t.Fatal(err)
	}
	stop := works(t, testWorker(t, hub, kinds))
	got := map[string]bool{<-done: true, <-done: true}
	if !got[`{"n": 1}`] || !got[`gave up {"n": 3}`] {
		t.Errorf("done: %v", got)
	}
	stop()
	var states string
	err = hub.Owner.QueryRow(t.Context(), `select string_agg(state::text, ' ' order by id) from river.river_job`).Scan(&states)
	if err != nil || states != "completed running discarded" {
		t.Errorf("states are %q, %v", states, err)
	}
	if len(done) > 0 {
		t.Errorf("done twice: %s", <-done)
	}
}

// TestStopIsNoFailure stops a worker in the middle of a job: it waits for the
// next worker without having failed.
func TestStopIsNoFailure(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	begun := make(chan bool, 2)
	kinds := []jobKind{{name: "wait", queue: loads, timeout: time.Minute, attempts: 1, work: func(ctx context.Context, _ *worker, _ json.RawMessage) error {
		begun <- true
		<-ctx.Done()
		return ctx.Err()
	}}}
	enqueue(t, hub, kinds, "wait", greeting{"x"})
	stop := works(t, testWorker(t, hub, kinds))
	<-begun
	stop()
	list, err := jobStatuses(t.Context(), hub.Owner)
	if err != nil || len(list) != 1 || list[0].State != jobWaiting || list[0].Reason != nil {
		t.Fatalf("jobs are %+v, %v", list, err)
	}
	stop = works(t, testWorker(t, hub, kinds))
	<-begun
	stop()
}

func TestSaid(t *testing.T) {
	t.Parallel()
	m := geo.Say("load.running", "dataset", "x")
	if got := said("JobCancelError: " + saidError(m).Error()); got.Code != m.Code || got.Args["dataset"] != "x" {
		t.Errorf("got %+v", got)
	}
	if got := said(errors.New("boom").Error()); got.Code != "queue.failed" || !strings.Contains(got.Args["error"].(string), "boom") {
		t.Errorf("got %+v", got)
	}
}
