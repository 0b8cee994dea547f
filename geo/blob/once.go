package blob

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// A Build writes a file that can be made again. The file is empty and has a
// name, for those who must open it themselves; what they make beside it they
// take away.
type Build func(ctx context.Context, f *os.File) error

// flights are the builds that run in this process.
type flights struct {
	mu   sync.Mutex
	byID map[string]*flight
}

type flight struct {
	done chan struct{}
	err  error
}

// Once opens the file that is kept under a key, and builds it first when it is
// not there. Whoever asks meanwhile, here or in another process, waits for the
// same build. A build that has begun goes on when those who wait have left: the
// next asks for the same. An error is not kept. The key says all that the
// content depends on; the caller closes the file.
func (s *Store) Once(ctx context.Context, key string, build Build) (*os.File, error) {
	id := onceID(key)
	for {
		if f, err := s.openOnce(id); !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		fl := s.flight(ctx, id, build)
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-fl.done:
		}
		if fl.err != nil {
			return nil, fl.err
		}
	}
}

// OnceBytes is the length of the file that is kept under a key, -1 when there
// is none yet. It builds nothing.
func (s *Store) OnceBytes(key string) int64 {
	info, err := os.Stat(s.oncePath(onceID(key)))
	if err != nil {
		return -1
	}
	return info.Size()
}

func onceID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return hex.EncodeToString(sum[:])
}

func (s *Store) oncePath(id string) string { return filepath.Join(s.dir, "once", id) }

// refresh is how old the last use of a file may look: its time is not written
// at each use.
const refresh = time.Hour

func (s *Store) openOnce(id string) (*os.File, error) {
	f, err := os.Open(s.oncePath(id))
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err == nil && time.Since(info.ModTime()) > refresh {
		now := time.Now()
		_ = os.Chtimes(f.Name(), now, now) // swept a moment ago, or another's: it is read all the same
	}
	return f, nil
}

// flight is the build of a file that runs, or a new one.
func (s *Store) flight(ctx context.Context, id string, build Build) *flight {
	s.flights.mu.Lock()
	defer s.flights.mu.Unlock()
	if fl := s.flights.byID[id]; fl != nil {
		return fl
	}
	if s.flights.byID == nil {
		s.flights.byID = map[string]*flight{}
	}
	fl := &flight{done: make(chan struct{})}
	s.flights.byID[id] = fl
	ctx = context.WithoutCancel(ctx)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				fl.err = fmt.Errorf("build a download: panic: %v", p)
			}
			s.flights.mu.Lock()
			delete(s.flights.byID, id)
			s.flights.mu.Unlock()
			close(fl.done)
		}()
		s.builds <- struct{}{}
		defer func() { <-s.builds }()
		fl.err = s.buildOnce(ctx, id, build)
	}()
	return fl
}

// buildOnce builds a file unless another process has done so meanwhile.
func (s *Store) buildOnce(ctx context.Context, id string, build Build) error {
	f, err := s.temp("once-*")
	if err != nil {
		return err
	}
	defer discard(f)
	alone, err := openLock(s.oncePath(id) + ".lock")
	if err != nil {
		return err
	}
	if err := lock(ctx, alone, unix.LOCK_EX); err != nil {
		return err
	}
	defer alone.Close()
	if _, err := os.Stat(s.oncePath(id)); err == nil {
		return nil
	}
	if err := build(ctx, f); err != nil {
		return err
	}
	// Half a file must not be found after the machine has lost its power.
	if err := f.Sync(); err != nil {
		return fmt.Errorf("build a download: %w", err)
	}
	if err := os.Rename(f.Name(), s.oncePath(id)); err != nil {
		return fmt.Errorf("build a download: %w", err)
	}
	return nil
}
