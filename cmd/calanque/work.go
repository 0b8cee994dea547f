package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A jobKind is one kind of work that runs without a person. To add one, add a
// row to jobKinds.
type jobKind struct {
	name     string
	queue    string        // loads take turns; what waits for other sites has a queue of its own
	timeout  time.Duration // of one run: finite, or a run that hangs is never given up
	attempts int
	every    time.Duration // of those that nobody asks for; 0 for the others
	work     func(context.Context, *worker, json.RawMessage) error
	// gaveUp is told when the last attempt has failed, also when the process
	// died in it; nil when there is nobody to tell.
	gaveUp func(context.Context, *worker, json.RawMessage, geo.Message) error
}

// The queues and how many of their jobs run side by side in one worker.
const (
	loads   = "loads"
	outside = "outside"
	sites   = "sites"
)

var queues = map[string]river.QueueConfig{loads: {MaxWorkers: 2}, outside: {MaxWorkers: 1}, sites: {MaxWorkers: 1}}

// jobKinds are all.
var jobKinds = []jobKind{
	{name: "schedules", queue: outside, timeout: time.Minute, attempts: 1, every: time.Minute, work: callForReading},
	{name: "links", queue: sites, timeout: 2 * time.Hour, attempts: 1, every: time.Hour, work: followLinks},
	{name: "load", queue: loads, timeout: 4 * time.Hour, attempts: 5, work: loadUpload, gaveUp: gaveUpUpload},
	{name: "publish", queue: loads, timeout: time.Hour, attempts: 5, work: publishUpload, gaveUp: gaveUpUpload},
	{name: "reread", queue: loads, timeout: 4 * time.Hour, attempts: 5, work: reread},
}

type workCmd struct {
	WithParent bool `hidden:"" help:"Stop when standard input ends: whoever started this has gone."`
}

// Help shows an example.
func (*workCmd) Help() string {
	return `Example:
  DATABASE_URL=postgres://hub@db/hub calanque work

Does what waits in the queue: files sent through the pages, links to check,
sources to read again. calanque up runs one of its own; more, on this machine or
others, share the work. What was begun by one that died is taken up again.
Stops on Ctrl-C.`
}

// Run works until it is told to stop.
func (c *workCmd) Run(ctx context.Context, a *app) error {
	a.level.Set(slogInfo)
	if c.WithParent {
		ctx = untilEnd(ctx, a.stdin)
	}
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	w := &worker{app: a, hub: hub, id: newWorkerID(), kinds: jobKinds}
	err = w.run(ctx)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// grace is how long a job may take to end once it is told to.
const grace = 10 * time.Second

// untilEnd ends the context with the input, and the process a while later
// whatever still runs in it: the pipe of a parent ends however the parent dies.
func untilEnd(ctx context.Context, input io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, input)
		cancel()
		time.Sleep(grace + 5*time.Second)
		os.Exit(exitFailed)
	}()
	return ctx
}

// A worker does what waits in the queue.
type worker struct {
	*app
	hub   *postgis.Hub
	id    string
	kinds []jobKind

	stopping atomic.Bool // jobs that end now have not failed
}

// run works until ctx ends, or until the connection that says that this worker
// lives is lost: others then take its jobs for abandoned.
func (w *worker) run(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	alive, err := w.live(ctx)
	if err != nil {
		return err
	}
	defer alive.close()
	client, err := w.client()
	if err != nil {
		return err
	}
	if err := w.takeBack(ctx); err != nil {
		return err
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the queue: %w", postgis.Kind(err))
	}
	w.log.Info("worker ready", "worker", w.id)
	go alive.watch(ctx, stop)
	w.keepTakingBack(ctx)
	w.stopping.Store(true)
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := client.StopAndCancel(patience); err != nil {
		w.log.Warn("jobs did not end in time", "worker", w.id, "err", err)
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

func (w *worker) client() (*river.Client[pgx.Tx], error) {
	workers := river.NewWorkers()
	var periodic []*river.PeriodicJob
	for _, k := range w.kinds {
		river.AddWorkerArgs(workers, task{kind: k.name}, &runner{w: w, kind: k})
		if k.every > 0 {
			periodic = append(periodic, river.NewPeriodicJob(river.PeriodicInterval(k.every),
				func() (river.JobArgs, *river.InsertOpts) { return task{kind: k.name}, k.options() },
				&river.PeriodicJobOpts{ID: k.name, RunOnStart: true}))
		}
	}
	client, err := river.NewClient(riverpgxv5.New(w.hub.Owner), &river.Config{
		ID: w.id, Schema: postgis.QueueSchema, Queues: queues, Workers: workers, PeriodicJobs: periodic, Logger: quiet(w.log),
		JobTimeout: time.Minute, // each kind has its own
		// What is abandoned is found by its lock, at once. This is only for what no lock tells.
		RescueStuckJobsAfter: 24 * time.Hour,
	})
	if err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	return client, nil
}

// A runner runs the jobs of one kind.
type runner struct {
	river.WorkerDefaults[task]
	w    *worker
	kind jobKind
}

// Timeout is how long one run may take.
func (r *runner) Timeout(*river.Job[task]) time.Duration { return r.kind.timeout }

// busy is how long to wait for somebody who does the same.
const busy = 5 * time.Second

// Work runs a job behind its fence: while another run of it is alive, which a
// queue can't know, it waits.
func (r *runner) Work(ctx context.Context, job *river.Job[task]) error {
	unlock, free, err := postgis.TryLock(ctx, r.w.hub.Owner, jobLock(job.ID))
	if err != nil {
		return err
	}
	if !free {
		return river.JobSnooze(busy)
	}
	defer unlock()
	begun := time.Now()
	err = r.kind.work(ctx, r.w, job.Args.args)
	log := r.w.log.With("job", job.ID, "kind", r.kind.name, "attempt", job.Attempt, "took", time.Since(begun).Round(time.Millisecond))
	var bad *geo.InputError
	switch {
	case err == nil:
		log.Info("job done")
		return nil
	case ctx.Err() != nil && r.w.stopping.Load():
		return river.JobSnooze(0)
	case errors.Is(err, geo.ErrConflict):
		return river.JobSnooze(busy)
	}
	log.Warn("job failed", "err", err)
	final := job.Attempt >= job.MaxAttempts
	message := geo.Say("queue.failed", "error", err.Error())
	if errors.As(err, &bad) {
		final, message = true, bad.Message
	}
	if final && r.kind.gaveUp != nil {
		if told := r.kind.gaveUp(context.WithoutCancel(ctx), r.w, job.Args.args, message); told != nil {
			log.Error("nobody hears of it", "err", told)
		}
	}
	if bad != nil {
		return river.JobCancel(saidError(message))
	}
	return saidError(message)
}
