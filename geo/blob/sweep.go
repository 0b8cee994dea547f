package blob

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Sweep takes away the contents for which wanted says no and that were last
// put more than Grace before now, and what dead processes left half written.
// While somebody holds the store it does nothing. It returns how many contents
// went, and with them their bytes.
//
// wanted is asked while nobody can put, so that what it says stays true until
// the file is gone.
func (s *Store) Sweep(ctx context.Context, now time.Time, wanted func(ctx context.Context, sums [][]byte) ([]bool, error)) (int, int64, error) {
	if _, err := os.Stat(s.dir); errors.Is(err, fs.ErrNotExist) {
		return 0, 0, nil
	}
	gate, err := openLock(filepath.Join(s.dir, "sweep.lock"))
	if err != nil {
		return 0, 0, err
	}
	defer gate.Close()
	if ours, err := tryLock(gate); err != nil || !ours {
		return 0, 0, err
	}
	if err := s.sweepTemporary(); err != nil {
		return 0, 0, err
	}
	shelves, err := os.ReadDir(filepath.Join(s.dir, "sha256"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, 0, fmt.Errorf("sweep files: %w", err)
	}
	count, bytes := 0, int64(0)
	for _, shelf := range shelves {
		if err := ctx.Err(); err != nil {
			return count, bytes, err
		}
		n, b, err := s.sweepShelf(ctx, filepath.Join(s.dir, "sha256", shelf.Name()), now, wanted)
		count, bytes = count+n, bytes+b
		if err != nil {
			return count, bytes, fmt.Errorf("sweep files: %w", err)
		}
	}
	return count, bytes, nil
}

func (s *Store) sweepShelf(ctx context.Context, dir string, now time.Time, wanted func(context.Context, [][]byte) ([]bool, error)) (count int, bytes int64, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return 0, 0, err
	}
	var sums [][]byte
	var old []fs.FileInfo
	for _, e := range entries {
		sum, err := hex.DecodeString(e.Name())
		if err != nil || len(sum) != 32 {
			continue // not ours
		}
		info, err := e.Info()
		if err != nil || now.Sub(info.ModTime()) < Grace {
			continue
		}
		sums, old = append(sums, sum), append(old, info)
	}
	if len(sums) == 0 {
		return 0, 0, nil
	}
	keep, err := wanted(ctx, sums)
	if err != nil {
		return 0, 0, err
	}
	for i, info := range old {
		if keep[i] {
			continue
		}
		if err := os.Remove(filepath.Join(dir, info.Name())); err != nil {
			return count, bytes, err
		}
		count, bytes = count+1, bytes+info.Size()
	}
	return count, bytes, nil
}

// sweepTemporary takes away the files in tmp/ that nobody is writing.
func (s *Store) sweepTemporary() error {
	entries, err := os.ReadDir(filepath.Join(s.dir, "tmp"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("sweep temporary files: %w", err)
	}
	for _, e := range entries {
		path := filepath.Join(s.dir, "tmp", e.Name())
		f, err := os.Open(path)
		if err != nil {
			continue // renamed a moment ago
		}
		// A file that is made and not locked yet is younger than a minute.
		info, err := f.Stat()
		if dead, lerr := tryLock(f); err == nil && lerr == nil && dead && time.Since(info.ModTime()) > time.Minute {
			os.RemoveAll(path)
		}
		f.Close()
	}
	return nil
}

// SweepOnce takes away the files of Once that nobody has asked for since
// maxAge, and the longest unasked of what is then more than maxBytes. Whoever
// reads one goes on.
func (s *Store) SweepOnce(now time.Time, maxAge time.Duration, maxBytes int64) error {
	dir := filepath.Join(s.dir, "once")
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return fmt.Errorf("sweep downloads: %w", err)
	}
	var files []fs.FileInfo
	var sum int64
	for _, e := range entries {
		info, err := e.Info()
		switch {
		case err != nil: // another sweeps
		case strings.HasSuffix(e.Name(), ".lock"):
			s.sweepLock(filepath.Join(dir, e.Name()), info, now)
		default:
			files, sum = append(files, info), sum+info.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return cmp.Compare(a.ModTime().UnixNano(), b.ModTime().UnixNano()) })
	for _, f := range files {
		if now.Sub(f.ModTime()) <= maxAge && sum <= maxBytes {
			break
		}
		if err := os.Remove(filepath.Join(dir, f.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("sweep downloads: %w", err)
		}
		sum -= f.Size()
	}
	return nil
}

// sweepLock takes away a lock that nobody has had for a day. Two who then lock
// two files of the same name build twice, and the later one is kept: a waste,
// no harm.
func (s *Store) sweepLock(path string, info fs.FileInfo, now time.Time) {
	if now.Sub(info.ModTime()) < Grace {
		return
	}
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	if unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
		os.Remove(path)
	}
}
