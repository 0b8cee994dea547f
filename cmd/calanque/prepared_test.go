package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// The folder of a machine that the program has run on: making a cluster and
// migrating its database takes seconds of a processor, copying it a tenth.
var (
	madeDir     string
	madeMachine = sync.OnceValues(func() (data string, err error) {
		path, err := program()
		if err != nil {
			return "", err
		}
		if madeDir, err = os.MkdirTemp("/tmp", "calanque-made-"); err != nil {
			return "", err
		}
		if err := os.Chmod(madeDir, 0o711); err != nil { // the database's user must get there
			return "", err
		}
		data = filepath.Join(madeDir, "data")
		cmd := exec.Command(path, "status")
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + madeDir, "LC_ALL=C", "CALANQUE_DATA=" + data}
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("calanque status: %w\n%s", err, out)
		}
		return data, nil
	})
)

// newUsedMachine is like newMachine, for tests that don't begin on an empty
// folder: the program has made the private database there before.
func newUsedMachine(t testing.TB) *machine {
	t.Helper()
	m := newMachine(t)
	data, err := madeMachine()
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cp", "-a", data, m.data()).CombinedOutput(); err != nil {
		t.Fatalf("copy a machine: %v\n%s", err, out)
	}
	return m
}

const demoSeed = 1

// preparedDemo gives the hub that `calanque demo` makes before it serves. It is
// made once: each test has its copy of the database, and all share the data
// folder, to which they may add.
func preparedDemo(t *testing.T) (*app, *postgis.Hub) {
	t.Helper()
	if _, err := program(); err != nil { // it has the folder that is removed at the end
		t.Fatal(err)
	}
	on := func(url string) *app {
		return newApp(&config{DatabaseURL: url, Data: filepath.Join(programDir, "demo")}, io.Discard, io.Discard)
	}
	a := on(postgistest.From(t, "demo", func(ctx context.Context, url string) error {
		a := on(url)
		defer a.close()
		hub, err := a.database(ctx)
		if err != nil {
			return err
		}
		return a.prepareDemo(ctx, hub, demoSeed)
	}))
	t.Cleanup(a.close)
	hub, err := a.database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return a, hub
}
