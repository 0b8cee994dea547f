package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"calanque/geo"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// TestMain lets a test run this program again as a loader that it can kill.
func TestMain(m *testing.M) {
	if path := os.Getenv("CALANQUE_TEST_LOAD"); path != "" {
		os.Exit(loadAndExit(os.Getenv("CALANQUE_TEST_URL"), path))
	}
	os.Exit(m.Run())
}

func loadAndExit(url, path string) int {
	ctx := context.Background()
	hub, err := postgis.Open(ctx, postgis.Config{URL: url})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer hub.Close()
	if _, err := ingest.Load(ctx, hub, ingest.Request{Dataset: "points", Path: path}, nil); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// manyPoints writes a file whose loading takes a while.
func manyPoints(t testing.TB, n int, word string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("id_point;nom;x;y\n")
	for i := range n {
		fmt.Fprintf(&b, "%d;%s %d;%d;%d\n", i, word, i, 850000+i%1000*100, 6250000+i/1000*100)
	}
	path := filepath.Join(t.TempDir(), "points.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// A loader that is killed at any moment leaves the published version as it
// was, every invariant holds once the next load has begun, and that load works.
func TestKilledLoad(t *testing.T) {
	t.Parallel()
	url := postgistest.URL(t)
	hub, err := postgis.Open(t.Context(), postgis.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	prepare(t, hub)
	first := request("points", manyPoints(t, 100, "premier"))
	first.Key = []string{"id_point"}
	load(t, hub, first)
	big := manyPoints(t, 5000, "second")
	r := rand.New(rand.NewPCG(1, 2))
	finished := 0
	for range 12 {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), "CALANQUE_TEST_LOAD="+big, "CALANQUE_TEST_URL="+url)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case err := <-done:
			if err != nil {
				t.Fatalf("the load failed by itself: %v", err)
			}
			finished++
			load(t, hub, ingest.Request{Dataset: "points", Path: first.Path})
		case <-time.After(time.Duration(20+r.IntN(1300)) * time.Millisecond):
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-done
		}
		if got := relation(t, hub, "points").Count; got != 100 && got != 5000 {
			t.Fatalf("after a kill: %d objects are served", got)
		}
	}
	load(t, hub, ingest.Request{Dataset: "points", Path: manyPoints(t, 300, "troisième")})
	if got := relation(t, hub, "points").Count; got != 300 {
		t.Errorf("the next load: got %d objects, want 300", got)
	}
	checkInvariants(t, hub)
	t.Logf("%d of 12 loads ended before they were killed", finished)
}

// Two loads of one dataset: the second is refused. Different datasets go side
// by side.
func TestLoadsAtTheSameTime(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	lock, err := postgis.BeginLoad(t.Context(), hub, "points")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ingest.Load(t.Context(), hub, request("points", manyPoints(t, 10, "a")), nil); !errors.Is(err, geo.ErrConflict) {
		t.Errorf("while another load runs: got %v, want ErrConflict", err)
	}
	var wg sync.WaitGroup
	path := manyPoints(t, 500, "b")
	for i := range 8 {
		wg.Go(func() {
			if _, err := ingest.Load(t.Context(), hub, request(fmt.Sprintf("points-%d", i), path), nil); err != nil {
				t.Errorf("load %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	lock.Close()
	load(t, hub, request("points", path))
	checkInvariants(t, hub)
}

// A load that is cancelled leaves what was published, and says so.
func TestCancelledLoad(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	load(t, hub, request("points", manyPoints(t, 100, "premier")))
	path := manyPoints(t, 50000, "second")
	for _, step := range []ingest.Step{ingest.StepOpen, ingest.StepWrite, ingest.StepPublish} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := ingest.Load(ctx, hub, ingest.Request{Dataset: "points", Path: path, Force: true}, func(e ingest.Event) {
			if e.Step == step {
				cancel()
			}
		})
		cancel()
		if err == nil {
			t.Errorf("cancelled at %s: no error", step)
		}
		if got := relation(t, hub, "points").Count; got != 100 {
			t.Errorf("cancelled at %s: %d objects are served", step, got)
		}
		checkInvariants(t, hub)
	}
}
