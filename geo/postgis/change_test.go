package postgis_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

func write(t *testing.T, hub *postgis.Hub, subject string) {
	t.Helper()
	err := pgx.BeginFunc(context.WithoutCancel(t.Context()), hub.Owner, func(tx pgx.Tx) error {
		return postgis.Append(t.Context(), tx, postgis.Change{Kind: "dataset", Subject: subject, Box: &geo.Box{MinX: 1, MinY: 2, MaxX: 3, MaxY: 4}})
	})
	if err != nil {
		t.Error(err)
	}
}

// TestFollowLosesNothing has writers commit in every order beside a reader
// that goes by "id greater than my cursor".
func TestFollowLosesNothing(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	const writers, each = 4, 25
	var got []string
	done := make(chan error, 1)
	go func() {
		done <- postgis.Follow(ctx, hub.Web, 0, func(list []postgis.Change) error {
			for _, c := range list {
				if c.Box == nil || *c.Box != (geo.Box{MinX: 1, MinY: 2, MaxX: 3, MaxY: 4}) {
					return fmt.Errorf("change %d: box %v", c.ID, c.Box)
				}
				got = append(got, c.Subject)
			}
			if len(got) == writers*each {
				cancel()
			}
			return nil
		})
	}()
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				write(t, hub, fmt.Sprintf("w%d-%02d", w, i))
			}
		})
	}
	wg.Wait()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	if n := len(slices.Compact(got)); n != writers*each {
		t.Errorf("got %d distinct changes, want %d", n, writers*each)
	}
}

// TestDrain holds that a reader sees every change once, however many processes
// drain it, and sees again what it failed on.
func TestDrain(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	for i := range 10 {
		write(t, hub, fmt.Sprint(i))
	}
	fail := true
	err := postgis.Drain(t.Context(), hub.Owner, "r", func(context.Context, []postgis.Change) error {
		if fail {
			return geo.ErrConflict
		}
		return nil
	})
	if err == nil {
		t.Fatal("an error of the reader is lost")
	}
	var mu sync.Mutex
	var got []string
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			err := postgis.Drain(t.Context(), hub.Owner, "r", func(_ context.Context, list []postgis.Change) error {
				mu.Lock()
				defer mu.Unlock()
				for _, c := range list {
					got = append(got, c.Subject)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if want := []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestWebRoleOnlyReads holds that what serves pages can't write, nor read the
// rejected rows, which may hold names.
func TestWebRoleOnlyReads(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	if hub.WebRole != "calanque_web" {
		t.Fatalf("pages act as %s, want calanque_web", hub.WebRole)
	}
	for _, sql := range []string{
		`insert into change (kind, subject) values ('osm', 'x')`,
		`set default_transaction_read_only = off; insert into change (kind, subject) values ('osm', 'x')`,
		`set default_transaction_read_only = off; create table data.x ()`,
		`select * from load_issue`,
	} {
		if _, err := hub.Web.Exec(t.Context(), sql); err == nil {
			t.Errorf("the web role may: %s", sql)
		}
	}
	if _, err := hub.Web.Exec(t.Context(), `select * from dataset`); err != nil {
		t.Errorf("the web role may not read datasets: %v", err)
	}
}

// TestOpenTwiceAtOnce migrates one fresh database from several sides.
func TestOpenTwiceAtOnce(t *testing.T) {
	t.Parallel()
	url := postgistest.Empty(t)
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			hub, err := postgis.Open(context.WithoutCancel(t.Context()), postgis.Config{URL: url})
			if err != nil {
				t.Error(err)
				return
			}
			hub.Close()
		})
	}
	wg.Wait()
}
