package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Hold keeps every sweep away until it is closed; any number may hold.
func (s *Store) Hold(ctx context.Context) (io.Closer, error) {
	if err := os.MkdirAll(s.dir, 0o750); err != nil {
		return nil, fmt.Errorf("make the folder of files: %w", err)
	}
	f, err := openLock(filepath.Join(s.dir, "sweep.lock"))
	if err != nil {
		return nil, err
	}
	return f, lock(ctx, f, unix.LOCK_SH)
}

func openLock(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("open a lock: %w", err)
	}
	return f, nil
}

// lock waits for a lock on a file until ctx ends, and then closes the file.
// Closing frees the lock; so does the death of the process.
func lock(ctx context.Context, f *os.File, kind int) error {
	for {
		switch err := unix.Flock(int(f.Fd()), kind|unix.LOCK_NB); {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR):
			f.Close()
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return fmt.Errorf("wait for the lock on %s: %w", f.Name(), ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// tryLock tells whether a file could be locked at once.
func tryLock(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return true, nil
}
