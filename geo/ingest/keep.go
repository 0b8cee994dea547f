package ingest

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/postgis"
)

// maxKept is the largest file that is kept as received, in bytes, when the
// request does not say.
const maxKept = 2 << 30

// keep puts what was received into the store: the file as it is; the parts of
// a shapefile or the files of a folder as one archive. It returns nil when
// nothing is to be kept or it is too large. A file that is not what was loaded
// is an error: somebody is still writing it.
func (l *loader) keep(ctx context.Context) (*blob.Blob, string, error) {
	if l.req.Files == nil {
		return nil, "", nil
	}
	most := l.req.MaxKept
	if most == 0 {
		most = maxKept
	}
	list, err := parts(l.req.Path)
	if err != nil {
		return nil, "", err
	}
	if tooLarge(list, most) {
		return nil, "", nil
	}
	single := len(list) == 1 && list[0] == l.req.Path
	var b blob.Blob
	name := filepath.Base(l.req.Path)
	if single {
		b, err = l.req.Files.PutFile(ctx, l.req.Path, most)
	} else {
		name = strings.TrimSuffix(name, filepath.Ext(name)) + ".zip"
		b, err = putArchive(ctx, l.req.Files, root(l.req.Path), list, most)
	}
	var large *geo.InputError
	switch {
	case errors.As(err, &large) && large.Code == "blob.too-large": // an archive of files that do not pack
		return nil, "", nil
	case err != nil:
		return nil, "", fmt.Errorf("keep %s: %w", l.req.Path, err)
	}
	now := b.SHA256
	if !single {
		if now, err = Digest(l.req.Path); err != nil {
			return nil, "", err
		}
	}
	if !bytes.Equal(now, l.digest) {
		return nil, "", geo.Bad(nil, "load.file-changed", "file", filepath.Base(l.req.Path))
	}
	return &b, name, nil
}

func tooLarge(list []string, most int64) bool {
	var sum int64
	for _, path := range list {
		if info, err := os.Stat(path); err == nil {
			sum += info.Size()
		}
	}
	return sum > most
}

// root is the folder that the names in an archive are relative to.
func root(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return path
	}
	return filepath.Dir(path)
}

// putArchive keeps several files as one: without their times, so that the same
// files are the same archive.
func putArchive(ctx context.Context, files *blob.Store, dir string, list []string, most int64) (blob.Blob, error) {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.CloseWithError(archive(w, dir, list)) // never fails
	}()
	b, err := files.Put(ctx, r, most)
	_ = r.Close() // whoever still writes ends
	<-done
	return b, err
}

func archive(w io.Writer, dir string, list []string) error {
	z := zip.NewWriter(w)
	for _, path := range list {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		entry, err := z.CreateHeader(&zip.FileHeader{Name: filepath.ToSlash(name), Method: zip.Deflate})
		if err != nil {
			return err
		}
		if err := addFile(entry, path); err != nil {
			return err
		}
	}
	return z.Close()
}

func putReceived(ctx context.Context, db postgis.DB, v geo.VersionID, b blob.Blob, name string) error {
	if err := postgis.PutBlob(ctx, db, b.SHA256, b.Bytes, b.MediaType); err != nil {
		return err
	}
	return postgis.KeepReceived(ctx, db, v, b.SHA256, name)
}
