package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo/blob"
	portal "calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// A sender sends files as the pages do, to a machine whose worker the test runs.
type sender struct {
	*machine
	hub     *postgis.Hub
	url     string
	account int64
}

func newSender(t *testing.T) *sender {
	t.Helper()
	url := postgistest.URL(t)
	s := &sender{machine: newMachineOn(t, url), url: url}
	var err error
	if s.hub, err = postgis.Open(t.Context(), postgis.Config{URL: url}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.hub.Close)
	s.must("load", s.write("points.csv", manyRows(*chaosRows, 0)), "--dataset", "points", "--producer", "CRIGE", "--licence", "lo-2.0", "--key", "code")
	if err := account.Add(t.Context(), s.hub.Owner, account.Account{Login: "crige", Role: account.Producer, Producer: "crige", Member: account.Referent}, account.NewPassword()); err != nil {
		t.Fatal(err)
	}
	s.account = ask[int64](t, url, `select id from account`)
	return s
}

// send puts a file into the store and the queue.
func (s *sender) send(name string, content []byte, c portal.Choices) (id int64) {
	s.t.Helper()
	ctx := s.t.Context()
	files := (&app{config: config{Data: s.data()}}).files()
	b, err := files.Put(ctx, bytes.NewReader(content), 1<<30)
	if err != nil {
		s.t.Fatal(err)
	}
	s.queue("load", func(tx pgx.Tx) (int64, error) {
		id, err = portal.Receive(ctx, tx, "points", s.account, blob.Blob(b), name, c)
		return id, err
	})
	return id
}

func (s *sender) queue(kind string, change func(pgx.Tx) (int64, error)) {
	s.t.Helper()
	put, err := enqueuer(s.hub, jobKinds)
	if err == nil {
		err = pgx.BeginFunc(s.t.Context(), s.hub.Desk, func(tx pgx.Tx) error {
			id, err := change(tx)
			if err != nil {
				return err
			}
			return put(s.t.Context(), tx, kind, uploadJob{id})
		})
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// until waits for an upload to come to a state in which nothing is under way.
func (s *sender) until(id int64, want portal.UploadState) portal.Upload {
	s.t.Helper()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		u, err := portal.FindUpload(s.t.Context(), s.hub.Owner, id)
		if err != nil {
			s.t.Fatal(err)
		}
		if u.State == want {
			return u
		}
		if !u.State.Under() || time.Since(begun) > 2*time.Minute {
			s.t.Fatalf("upload %d is %s, want %s: %+v", id, u.State, want, u.Failure)
		}
	}
}

func (s *sender) served() int64 {
	s.t.Helper()
	return ask[int64](s.t, s.url, `select n_rows from layer_version lv join public_dataset d on d.published_id = lv.version_id where d.slug = 'points'`)
}

// TestUpload sends files through the queue: one that is good, one that is
// refused, one that is the same, and an earlier version that comes back.
func TestUpload(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	s.start("work")
	u := s.until(s.send("points.csv", manyRows(*chaosRows+5, 1), portal.Choices{}), portal.Ready)
	if l := u.Changes.Layers[0]; l.Added != 5 || l.Changed != int64(*chaosRows) || len(u.Report) == 0 || s.served() != int64(*chaosRows) {
		t.Errorf("got %+v, %d served", l, s.served())
	}
	publish := func(u portal.Upload) {
		s.queue("publish", func(tx pgx.Tx) (int64, error) {
			return u.ID, portal.MoveUpload(t.Context(), tx, u.ID, portal.Ready, portal.Publishing)
		})
		s.until(u.ID, portal.Published)
	}
	publish(u)
	if got := s.served(); got != int64(*chaosRows+5) {
		t.Errorf("%d served after publication", got)
	}
	s.until(s.send("points.csv", manyRows(*chaosRows+5, 1), portal.Choices{}), portal.Unchanged)
	bad := s.until(s.send("points.csv", append(manyRows(10, 2), manyRows(10, 2)[len("code;nom;remarque;x;y\n"):]...), portal.Choices{}), portal.Failed)
	if bad.Failure.Code != "load.too-many-rejected" || len(bad.Rejects) == 0 {
		t.Errorf("twice the same keys: %+v", bad.Failure)
	}
	worse := s.until(s.send("points.pdf", []byte("%PDF-1.4 no data"), portal.Choices{}), portal.Failed)
	if worse.Failure.Code == "queue.failed" {
		t.Errorf("a PDF: %+v", worse.Failure)
	}
	var back int64
	s.queue("load", func(tx pgx.Tx) (id int64, err error) {
		back, err = portal.Bring(t.Context(), tx, "points", s.account, 1)
		return back, err
	})
	publish(s.until(back, portal.Ready))
	if got := s.served(); got != int64(*chaosRows) {
		t.Errorf("%d served after going back", got)
	}
	checkInvariants(t, s.url, "at the end")
}

// TestChaosWorker kills the worker at moments of chance in a load: the next one
// takes it up, what was published stays served, and nothing is loaded twice.
func TestChaosWorker(t *testing.T) {
	t.Parallel()
	s := newSender(t)
	random := rand.New(rand.NewPCG(*chaosSeed, 5))
	begun := time.Now()
	w := s.start("work")
	s.until(s.send("points.csv", manyRows(*chaosRows, 1), portal.Choices{}), portal.Ready)
	took := time.Since(begun)
	w.interrupt()
	for i := range *chaosKills {
		id := s.send("points.csv", manyRows(*chaosRows, 2+i), portal.Choices{})
		w := s.start("work")
		time.Sleep(time.Duration(random.Int64N(int64(took))))
		w.kill()
		when := fmt.Sprintf("kill %d of the worker", i)
		checkInvariants(t, s.url, when)
		if got := s.served(); got != int64(*chaosRows) {
			t.Errorf("%s: %d served", when, got)
		}
		w = s.start("work")
		u := s.until(id, portal.Ready)
		w.kill() // perhaps before the queue hears of it: the job is begun again, and finds all done
		checkInvariants(t, s.url, when+", and the next worker")
		left := ask[int64](t, s.url, `
			select count(*) from version v
			where v.state = 'loading' or v.state = 'ready' and v.published_at is null and v.id <> $1
			  and not exists (select from upload u where u.version_id = v.id)`, int64(u.Version))
		if left != 0 {
			t.Errorf("%s: %d versions are left behind", when, left)
		}
	}
	last := s.start("work")
	for begun := time.Now(); ask[int64](t, s.url, `select count(*) from river.river_job where kind = 'load' and state <> 'completed'`) != 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > 2*time.Minute {
			t.Fatalf("jobs are not done: %v", last.interrupt())
		}
	}
	for begun := time.Now(); !strings.Contains(last.err.String(), "worker ready") && time.Since(begun) < time.Minute; {
		time.Sleep(20 * time.Millisecond) // the one before may have done all
	}
	if r := last.interrupt(); r.code != 0 {
		t.Errorf("the last worker does not end well: %v", r)
	}
}
