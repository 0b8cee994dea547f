package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"calanque/geo"
	"calanque/geo/postgis"
)

const slogInfo = slog.LevelInfo

// A task is what waits in the queue: a kind and its arguments, as JSON.
type task struct {
	kind string
	args json.RawMessage
}

// Kind names the row of jobKinds.
func (t task) Kind() string { return t.kind }

// MarshalJSON gives the arguments alone.
func (t task) MarshalJSON() ([]byte, error) {
	if len(t.args) == 0 {
		return []byte("{}"), nil
	}
	return t.args, nil
}

// UnmarshalJSON takes the arguments.
func (t *task) UnmarshalJSON(b []byte) error {
	t.args = slices.Clone(b)
	return nil
}

// unfinished are the states in which the same job is not queued again.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning, rivertype.JobStateScheduled,
}

// options are how jobs of the kind are queued: the same one only once.
func (k *jobKind) options() *river.InsertOpts {
	return &river.InsertOpts{
		MaxAttempts: k.attempts, Queue: k.queue,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished},
	}
}

// enqueuer gives what puts jobs into the queue in somebody's transaction:
// there when what they are about is there, gone when it is not.
func enqueuer(hub *postgis.Hub, kinds []jobKind) (func(ctx context.Context, tx pgx.Tx, kind string, args any) error, error) {
	client, err := river.NewClient(riverpgxv5.New(hub.Desk), &river.Config{Schema: postgis.QueueSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, fmt.Errorf("open the queue: %w", err)
	}
	return func(ctx context.Context, tx pgx.Tx, kind string, args any) error {
		i := slices.IndexFunc(kinds, func(k jobKind) bool { return k.name == kind })
		if i < 0 {
			return fmt.Errorf("no job of kind %q", kind)
		}
		b, err := json.Marshal(args)
		if err != nil {
			return fmt.Errorf("write a job %s: %w", kind, err)
		}
		if _, err := client.InsertTx(ctx, tx, task{kind: kind, args: b}, kinds[i].options()); err != nil {
			return fmt.Errorf("queue a job %s: %w", kind, postgis.Kind(err))
		}
		return nil
	}, nil
}

// quiet lets through of the queue's own log what somebody should look at.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(atLeast{log.Handler()}) }

type atLeast struct{ slog.Handler }

func (h atLeast) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && h.Handler.Enabled(ctx, l)
}
func (h atLeast) WithAttrs(a []slog.Attr) slog.Handler { return atLeast{h.Handler.WithAttrs(a)} }
func (h atLeast) WithGroup(g string) slog.Handler      { return atLeast{h.Handler.WithGroup(g)} }

// saidError is an error whose text is a geo.Message: the queue keeps texts,
// and status says them as sentences.
type saidError geo.Message

func (e saidError) Error() string {
	b, err := json.Marshal(geo.Message(e))
	if err != nil {
		return e.Code
	}
	return string(b)
}

// said gives the message that the text of an error is.
func said(text string) geo.Message {
	text = strings.TrimPrefix(text, "JobCancelError: ")
	var m geo.Message
	if json.Unmarshal([]byte(text), &m) == nil && m.Code != "" {
		return m
	}
	return geo.Say("queue.failed", "error", text)
}

// newWorkerID tells workers apart, also those of one machine and process
// number.
func newWorkerID() string {
	host, err := os.Hostname()
	if err != nil || len(host) > 40 {
		host = "worker"
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:6])
}

func jobLock(id int64) string         { return fmt.Sprint("job ", id) }
func workerLock(worker string) string { return "worker " + worker }

// A pulse is the connection whose lock says that a worker lives. PostgreSQL
// frees it however the worker ends.
type pulse struct {
	conn *pgx.Conn
}

func (w *worker) live(ctx context.Context) (*pulse, error) {
	conn, err := postgis.Hold(ctx, w.hub.Owner, workerLock(w.id))
	if err != nil {
		return nil, err
	}
	return &pulse{conn}, nil
}

// pulseEvery is how often a worker looks whether it still counts as living.
const pulseEvery = 5 * time.Second

// watch ends the worker when its connection is lost.
func (p *pulse) watch(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		try, cancel := context.WithTimeout(ctx, 4*pulseEvery)
		err := p.conn.Ping(try)
		cancel()
		if err != nil && ctx.Err() == nil {
			stop(fmt.Errorf("the database no longer hears this worker: %w", postgis.Kind(err)))
			return
		}
	}
}

func (p *pulse) close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = p.conn.Close(ctx)
}

// takeBackEvery is how often abandoned jobs are looked for.
const takeBackEvery = 5 * time.Second

func (w *worker) keepTakingBack(ctx context.Context) {
	tick := time.NewTicker(takeBackEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := w.takeBack(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn("abandoned jobs wait", "err", err)
		}
	}
}

// A runningJob is one that the queue takes for running.
type runningJob struct {
	ID       int64
	Kind     string
	Args     json.RawMessage
	Attempt  int
	Attempts int
	Worker   string
}

// takeBack returns to the queue the running jobs whose worker is dead: its
// lock is free, and the job's own too. One that has been tried often enough is
// given up, so that a file that kills its worker does not do so for ever.
func (w *worker) takeBack(ctx context.Context) error {
	rows, err := w.hub.Owner.Query(ctx, `
		select id, kind, args, attempt, max_attempts, coalesce(attempted_by[array_upper(attempted_by, 1)], '')
		from river.river_job
		where state = 'running'
		order by id`)
	if err != nil {
		return fmt.Errorf("look for abandoned jobs: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[runningJob])
	if err != nil {
		return fmt.Errorf("look for abandoned jobs: %w", postgis.Kind(err))
	}
	for _, j := range list {
		if j.Worker == w.id {
			continue
		}
		if err := w.takeBackOne(ctx, j); err != nil {
			return err
		}
	}
	return nil
}

func (w *worker) takeBackOne(ctx context.Context, j runningJob) error {
	for _, name := range []string{workerLock(j.Worker), jobLock(j.ID)} {
		unlock, free, err := postgis.TryLock(ctx, w.hub.Owner, name)
		if err != nil || !free {
			return err
		}
		defer unlock()
	}
	state, why := "available", geo.Say("queue.abandoned")
	if j.Attempt >= j.Attempts {
		state = "discarded"
	}
	tag, err := w.hub.Owner.Exec(ctx, `
		update river.river_job set state = $3::text::river.river_job_state, scheduled_at = now(),
			finalized_at = case when $3::text = 'discarded' then now() end,
			errors = array_append(errors, jsonb_build_object('at', now(), 'attempt', attempt, 'error', $4::text, 'trace', ''))
		where id = $1 and attempt = $2 and state = 'running'`, j.ID, j.Attempt, state, saidError(why).Error())
	if err != nil {
		return fmt.Errorf("return job %d to the queue: %w", j.ID, postgis.Kind(err))
	}
	if tag.RowsAffected() == 0 {
		return nil
	}
	w.log.Warn("a worker died with a job", "job", j.ID, "kind", j.Kind, "attempt", j.Attempt, "now", state)
	i := slices.IndexFunc(w.kinds, func(k jobKind) bool { return k.name == j.Kind })
	if state == "discarded" && i >= 0 && w.kinds[i].gaveUp != nil {
		return w.kinds[i].gaveUp(ctx, w, j.Args, why)
	}
	return nil
}
