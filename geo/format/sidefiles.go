package format

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// sideFiles finds the files beside path that share its name but for the
// extension, whatever their case: a map from lower-case extension, dot
// included, to path.
func sideFiles(path string) (map[string]string, error) {
	dir := filepath.Dir(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	stem := foldName(stemOf(path))
	exact := stemOf(path)
	found := map[string]string{}
	for _, e := range entries {
		name := e.Name()
		if e.IsDir() || foldName(stemOf(name)) != stem {
			continue
		}
		ext := strings.ToLower(filepath.Ext(name))
		if _, ok := found[ext]; !ok || stemOf(name) == exact { // the same case wins
			found[ext] = filepath.Join(dir, name)
		}
	}
	return found, nil
}

// stemOf gives the file name without folder and last extension.
func stemOf(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// foldName makes names comparable: case and the two ways of writing accents
// make no difference.
func foldName(s string) string { return strings.ToLower(norm.NFC.String(s)) }

// readSmall reads a side file of at most 64 KiB; nil when there is none.
func readSmall(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, 64<<10)
	n, err := f.Read(b)
	if n > 0 {
		err = nil
	}
	if err != nil && n == 0 {
		return nil, nil // empty
	}
	return b[:n], err
}
