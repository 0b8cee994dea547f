package ingest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"calanque/geo"
)

// sideExtensions are the files that belong to a shapefile.
var sideExtensions = []string{".shp", ".shx", ".dbf", ".prj", ".cpg", ".cst"}

// Digest gives the SHA-256 of a source: of the file, of a shapefile with its
// side files, of all files of a folder. Names count where there are several
// files, places do not.
func Digest(path string) ([]byte, error) {
	files, err := parts(path)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	for _, f := range files {
		if len(files) > 1 {
			fmt.Fprintf(h, "%s\x00", strings.ToLower(filepath.Ext(f)))
		}
		if err := addFile(h, f); err != nil {
			return nil, err
		}
	}
	return h.Sum(nil), nil
}

func addFile(h io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	defer f.Close()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// parts lists the files of a source, sorted.
func parts(path string) ([]string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, geo.Bad(err, "format.no-file", "file", path)
	} else if err != nil {
		return nil, fmt.Errorf("look at %s: %w", path, err)
	}
	if info.IsDir() {
		return folder(path)
	}
	ext := strings.ToLower(filepath.Ext(path))
	if !slices.Contains(sideExtensions, ext) {
		return []string{path}, nil
	}
	beside, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("look beside %s: %w", path, err)
	}
	stem := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
	var list []string
	for _, e := range beside {
		x := filepath.Ext(e.Name())
		if !e.IsDir() && strings.EqualFold(strings.TrimSuffix(e.Name(), x), stem) && slices.Contains(sideExtensions, strings.ToLower(x)) {
			list = append(list, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	slices.Sort(list)
	return list, nil
}

func folder(path string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			list = append(list, p)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("look into %s: %w", path, err)
	}
	slices.Sort(list)
	return list, nil
}
