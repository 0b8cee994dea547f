package sample

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var today = time.Date(2026, 11, 24, 8, 10, 0, 0, time.UTC)

func write(t *testing.T, o Options) (string, Manifest) {
	t.Helper()
	dir := t.TempDir()
	if o.Today.IsZero() {
		o.Today = today
	}
	m, err := Write(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, m
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	a, m := write(t, Options{Seed: 7})
	b, _ := write(t, Options{Seed: 7, Today: today.Add(5 * time.Hour)})
	c, _ := write(t, Options{Seed: 8})
	for _, f := range m.Files {
		read := func(dir string) []byte {
			data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(f.Path)))
			if err != nil {
				t.Fatal(err)
			}
			return data
		}
		if !bytes.Equal(read(a), read(b)) {
			t.Errorf("%s: the same seed gave other bytes", f.Path)
		}
		if ext := filepath.Ext(f.Path); ext != ".txt" && ext != ".prj" && ext != ".cpg" && bytes.Equal(read(a), read(c)) {
			t.Errorf("%s: another seed gave the same bytes", f.Path)
		}
	}
}
