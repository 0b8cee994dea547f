package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The kinds of lock on a file.
const (
	shared    = unix.LOCK_SH
	exclusive = unix.LOCK_EX
)

// lockFile opens a file, creating it, and locks it, waiting until ctx ends.
// Closing the file frees the lock; so does the death of the process. The file
// is closed in programs we start (Go opens everything close-on-exec), so the
// server never keeps a lock of ours.
func lockFile(ctx context.Context, path string, kind int) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, badFolder(err, path)
	}
	for {
		switch err := unix.Flock(int(f.Fd()), kind|unix.LOCK_NB); {
		case err == nil:
			return f, nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("wait for the lock on %s: %w", path, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// onlyHolder tells whether nobody else has a lock on f, on which we have a
// shared one. It loses that lock either way; the gate must be locked.
func onlyHolder(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}
