// Package blob keeps files by content hash (uploads, archives, downloads,
// documents), written once and atomically.
//
// A Store is a folder of the data folder; every process of a hub shares it.
// Which contents are still wanted is the database's to say (table blob): Sweep
// asks and takes away the rest. Once keeps what is made of other data, so that
// a download is built once however many ask for it; it can be made again, so
// no backup holds it.
package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"calanque/geo"
)

// A Blob is a content that is kept.
type Blob struct {
	SHA256    []byte // 32 bytes
	Bytes     int64
	MediaType string // by its content, whatever it was called: see Sniff
}

// Name is the hash in hexadecimal.
func (b Blob) Name() string { return hex.EncodeToString(b.SHA256) }

// A Store keeps files below one folder: sha256/ab/abcd…, what is being written
// in tmp/, what can be made again in once/.
type Store struct {
	dir     string
	flights flights
	builds  chan struct{}
}

// maxBuilds is how many downloads one process makes at a time: each holds a
// connection of the database and a core.
const maxBuilds = 2

// New gives the store in a folder, which is made when something is put there.
func New(dir string) *Store {
	return &Store{dir: dir, builds: make(chan struct{}, maxBuilds)}
}

// Dir is the store's folder, made when it is not there: room for what is large
// and passes.
func (s *Store) Dir() string {
	_ = os.MkdirAll(s.dir, 0o750) // whoever writes there says what is wrong
	return s.dir
}

// Put keeps all of r, at most max bytes, and tells what it is. The content is
// on disk under its hash when Put returns, or nowhere: whoever dies meanwhile
// leaves nothing that could be taken for a file. The same content put twice, at
// the same time too, is one file. A longer one is a *geo.InputError
// "blob.too-large"; an error of r comes back as it is.
//
// What no row of table blob names within Grace of its last Put is swept away.
func (s *Store) Put(ctx context.Context, r io.Reader, max int64) (Blob, error) {
	f, err := s.temp("put-*")
	if err != nil {
		return Blob{}, err
	}
	defer discard(f)
	h := sha256.New()
	head := &prefix{max: sniffLength}
	n, err := io.Copy(io.MultiWriter(f, h, head), io.LimitReader(contextReader{ctx, r}, max+1))
	if err != nil {
		return Blob{}, fmt.Errorf("keep a file: %w", err)
	}
	if n > max {
		return Blob{}, geo.Bad(nil, "blob.too-large", "max", max)
	}
	b := Blob{SHA256: h.Sum(nil), Bytes: n, MediaType: Sniff(head.kept)}
	if err := s.install(ctx, f, s.path(b.SHA256)); err != nil {
		return Blob{}, fmt.Errorf("keep %s: %w", b.Name(), err)
	}
	return b, nil
}

// PutFile keeps a file of this machine: see Put.
func (s *Store) PutFile(ctx context.Context, path string, max int64) (Blob, error) {
	f, err := os.Open(path)
	if err != nil {
		return Blob{}, fmt.Errorf("keep a file: %w", err)
	}
	defer f.Close()
	return s.Put(ctx, f, max)
}

// install makes a whole temporary file durable under its name. A file that is
// there already has the same content: it is replaced, which mends one that a
// disk has damaged and makes it young again for Sweep.
func (s *Store) install(ctx context.Context, f *os.File, path string) error {
	if err := f.Chmod(0o440); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	held, err := s.Hold(ctx)
	if err != nil {
		return err
	}
	defer held.Close()
	dir := filepath.Dir(path)
	made := os.Mkdir(dir, 0o750)
	if made != nil && !errors.Is(made, fs.ErrExist) {
		return made
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	if err := syncFolder(dir); err != nil {
		return err
	}
	if made == nil {
		return syncFolder(filepath.Dir(dir))
	}
	return nil
}

// Open opens a content for reading, or returns geo.ErrNotFound.
func (s *Store) Open(sum []byte) (*os.File, error) {
	if len(sum) != sha256.Size {
		return nil, fmt.Errorf("file %x: %w", sum, geo.ErrNotFound)
	}
	f, err := os.Open(s.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("file %x: %w", sum, geo.ErrNotFound)
	}
	return f, err
}

// Check reads a content again and tells whether it is still what it was:
// geo.ErrNotFound when it is away, geo.ErrConflict when it has changed.
func (s *Store) Check(ctx context.Context, sum []byte) error {
	f, err := s.Open(sum)
	if err != nil {
		return err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, contextReader{ctx, f}); err != nil {
		return fmt.Errorf("read %x again: %w", sum, err)
	}
	if !bytes.Equal(h.Sum(nil), sum) {
		return fmt.Errorf("file %x is damaged: %w", sum, geo.ErrConflict)
	}
	return nil
}

func (s *Store) path(sum []byte) string {
	name := hex.EncodeToString(sum)
	return filepath.Join(s.dir, "sha256", name[:2], name)
}

// temp makes a file in tmp/ and locks it, so that a sweep sees that somebody
// is writing it. The folders of the store are made when they are not there.
func (s *Store) temp(pattern string) (*os.File, error) {
	for _, name := range []string{"tmp", "sha256", "once"} {
		if err := os.MkdirAll(filepath.Join(s.dir, name), 0o750); err != nil {
			return nil, fmt.Errorf("make the folder of files: %w", err)
		}
	}
	f, err := os.CreateTemp(filepath.Join(s.dir, "tmp"), pattern)
	if err != nil {
		return nil, fmt.Errorf("make a temporary file: %w", err)
	}
	if _, err := tryLock(f); err != nil {
		discard(f)
		return nil, err
	}
	return f, nil
}

// discard closes a temporary file and takes it away if it still is one.
func discard(f *os.File) {
	os.Remove(f.Name())
	f.Close()
}

// syncFolder makes a renaming in a folder durable.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// A contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// A prefix keeps the beginning of what is written to it.
type prefix struct {
	kept []byte
	max  int
}

func (p *prefix) Write(b []byte) (int, error) {
	if room := p.max - len(p.kept); room > 0 {
		p.kept = append(p.kept, b[:min(room, len(b))]...)
	}
	return len(b), nil
}

// Grace is how long a file stays that no row names yet: whoever put it may
// still be about to write the row.
const Grace = 24 * time.Hour
