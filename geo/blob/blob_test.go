package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"calanque/geo"
)

func TestPut(t *testing.T) {
	t.Parallel()
	s := New(t.TempDir())
	content := []byte("nom;commune\nLa source;13055\n")
	b, err := s.Put(t.Context(), bytes.NewReader(content), 100)
	if err != nil {
		t.Fatal(err)
	}
	if sum := sha256.Sum256(content); !bytes.Equal(b.SHA256, sum[:]) || b.Bytes != int64(len(content)) || b.MediaType != "text/csv" {
		t.Errorf("got %x, %d bytes, %s", b.SHA256, b.Bytes, b.MediaType)
	}
	f, err := s.Open(b.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, content) {
		t.Errorf("got %q, %v", got, err)
	}
	if err := s.Check(t.Context(), b.SHA256); err != nil {
		t.Error(err)
	}
	wantFiles(t, s, 1, 0)
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	s := New(t.TempDir())
	var input *geo.InputError
	if _, err := s.Put(t.Context(), strings.NewReader("12345"), 4); !errors.As(err, &input) || input.Code != "blob.too-large" {
		t.Errorf("five bytes of four: got %v", err)
	}
	if _, err := s.Put(t.Context(), strings.NewReader("1234"), 4); err != nil {
		t.Errorf("four bytes of four: got %v", err)
	}
	broken := errors.New("line cut")
	if _, err := s.Put(t.Context(), io.MultiReader(strings.NewReader("12"), brokenReader{broken}), 4); !errors.Is(err, broken) {
		t.Errorf("a reader that breaks: got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(ctx, strings.NewReader("1"), 4); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: got %v", err)
	}
	if _, err := s.Open(make([]byte, 32)); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("what was never put: got %v", err)
	}
	if _, err := s.Open(nil); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("no hash: got %v", err)
	}
	wantFiles(t, s, 1, 0)
}

type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

// TestPutTogether lets many put the same and different contents while a sweep
// runs: each Put that returned can be opened.
func TestPutTogether(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			s := New(dir) // as another process has its own
			b, err := s.Put(t.Context(), strings.NewReader(strings.Repeat(fmt.Sprint(i%3), 100_000)), 1<<20)
			if err != nil {
				t.Error(err)
				return
			}
			if i%5 == 0 {
				if _, _, err := s.Sweep(t.Context(), time.Now(), nothing); err != nil {
					t.Error(err)
				}
			}
			if err := s.Check(t.Context(), b.SHA256); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wantFiles(t, New(dir), 3, 0)
}

// TestPutKilled kills a process in the middle of a Put: nothing is there that
// could be taken for the file, and the next sweep clears what it left.
func TestPutKilled(t *testing.T) {
	if dir := os.Getenv("BLOB_TEST_PUT"); dir != "" {
		_, err := New(dir).Put(t.Context(), io.MultiReader(strings.NewReader("half"), forever{}), 1<<30)
		t.Fatal("ended", err)
	}
	t.Parallel()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestPutKilled$")
	cmd.Env = append(os.Environ(), "BLOB_TEST_PUT="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 5)); err != nil { // it says when half is written
		t.Fatal(err)
	}
	s := New(dir)
	wantFiles(t, s, 0, 1)
	if _, _, err := s.Sweep(t.Context(), time.Now(), nothing); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, s, 0, 1) // it is being written
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	temps, _ := filepath.Glob(filepath.Join(dir, "tmp", "*"))
	before := time.Now().Add(-time.Hour)
	if err := os.Chtimes(temps[0], before, before); err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.Sweep(t.Context(), time.Now(), nothing); err != nil {
		t.Fatal(err)
	}
	wantFiles(t, s, 0, 0)
}

// forever says that it is read, and then gives nothing.
type forever struct{}

func (forever) Read([]byte) (int, error) {
	fmt.Println("half is written")
	select {}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	s := New(t.TempDir())
	put := func(text string) []byte {
		b, err := s.Put(t.Context(), strings.NewReader(text), 100)
		if err != nil {
			t.Fatal(err)
		}
		return b.SHA256
	}
	wanted, unwanted := put("wanted"), put("unwanted")
	only := func(_ context.Context, sums [][]byte) ([]bool, error) {
		keep := make([]bool, len(sums))
		for i, sum := range sums {
			keep[i] = bytes.Equal(sum, wanted)
		}
		return keep, nil
	}
	sweep := func(now time.Time) (int, int64) {
		n, b, err := s.Sweep(t.Context(), now, only)
		if err != nil {
			t.Fatal(err)
		}
		return n, b
	}
	if n, _ := sweep(time.Now()); n != 0 {
		t.Errorf("swept %d that were put just now", n)
	}
	later := time.Now().Add(Grace + time.Minute)
	held, err := s.Hold(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := sweep(later); n != 0 {
		t.Errorf("swept %d while somebody held the store", n)
	}
	held.Close()
	n, b := sweep(later)
	// A program that another test starts has the lock for a moment, until it is on its way.
	for begun := time.Now(); n == 0 && time.Since(begun) < 10*time.Second; time.Sleep(10 * time.Millisecond) {
		n, b = sweep(later)
	}
	if n != 1 || b != 8 {
		t.Errorf("got %d files with %d bytes, want 1 with 8", n, b)
	}
	if err := s.Check(t.Context(), wanted); err != nil {
		t.Error(err)
	}
	if err := s.Check(t.Context(), unwanted); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("got %v, want not found", err)
	}
	if n, _, err := New(filepath.Join(t.TempDir(), "none")).Sweep(t.Context(), later, only); n != 0 || err != nil {
		t.Errorf("no store: got %d, %v", n, err)
	}
}

func TestCheckSeesDamage(t *testing.T) {
	t.Parallel()
	s := New(t.TempDir())
	b, err := s.Put(t.Context(), strings.NewReader("whole"), 100)
	if err != nil {
		t.Fatal(err)
	}
	path := s.path(b.SHA256)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("wHole"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context(), b.SHA256); !errors.Is(err, geo.ErrConflict) {
		t.Errorf("got %v, want conflict", err)
	}
	if _, err := s.Put(t.Context(), strings.NewReader("whole"), 100); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(t.Context(), b.SHA256); err != nil {
		t.Errorf("put again: %v", err)
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var built atomic.Int32
	release := make(chan struct{})
	build := func(_ context.Context, f *os.File) error {
		built.Add(1)
		<-release
		_, err := f.WriteString("built")
		return err
	}
	if n := New(dir).OnceBytes("a"); n != -1 {
		t.Errorf("before: %d bytes", n)
	}
	var all sync.WaitGroup
	one, other := New(dir), New(dir)
	for i := range 10 {
		s := one
		if i%2 == 0 {
			s = other
		}
		all.Go(func() {
			f, err := s.Once(t.Context(), "a", build)
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			if got, _ := io.ReadAll(f); string(got) != "built" {
				t.Errorf("got %q", got)
			}
		})
	}
	// A reader that leaves does not stop what the others wait for.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := one.Once(ctx, "a", build); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(release)
	all.Wait()
	if n := built.Load(); n != 1 {
		t.Errorf("built %d times", n)
	}
	if n := one.OnceBytes("a"); n != 5 {
		t.Errorf("after: %d bytes", n)
	}
}

func TestOnceFails(t *testing.T) {
	t.Parallel()
	s := New(t.TempDir())
	broken := errors.New("broken")
	if _, err := s.Once(t.Context(), "a", func(context.Context, *os.File) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := s.Once(t.Context(), "a", func(context.Context, *os.File) error { panic("impossible") }); err == nil {
		t.Error("a panic was a file")
	}
	f, err := s.Once(t.Context(), "a", func(_ context.Context, f *os.File) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
	wantFiles(t, s, 0, 0)
}

func TestSweepOnce(t *testing.T) {
	t.Parallel()
	s := New(t.TempDir())
	now := time.Now()
	make := func(key string, age time.Duration) {
		f, err := s.Once(t.Context(), key, func(_ context.Context, f *os.File) error {
			_, err := f.WriteString("0123456789")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		at := now.Add(-age)
		if err := os.Chtimes(f.Name(), at, at); err != nil {
			t.Fatal(err)
		}
	}
	make("month", 30*24*time.Hour)
	make("week", 7*24*time.Hour)
	make("day", 24*time.Hour)
	make("now", 0)
	if err := s.SweepOnce(now, 20*24*time.Hour, 20); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]int64{"month": -1, "week": -1, "day": 10, "now": 10} {
		if got := s.OnceBytes(key); got != want {
			t.Errorf("%s: got %d, want %d", key, got, want)
		}
	}
}

func nothing(_ context.Context, sums [][]byte) ([]bool, error) { return make([]bool, len(sums)), nil }

// wantFiles counts what is kept and what is half written.
func wantFiles(t *testing.T, s *Store, kept, temporary int) {
	t.Helper()
	n := map[string]int{}
	for _, dir := range []string{"sha256", "tmp"} {
		err := filepath.WalkDir(filepath.Join(s.dir, dir), func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n[dir]++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if n["sha256"] != kept || n["tmp"] != temporary {
		t.Errorf("got %d files and %d temporary, want %d and %d", n["sha256"], n["tmp"], kept, temporary)
	}
}
