package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/blob"
)

// A backup is a tar archive: the database in PostgreSQL's custom format, then
// the files that it names, then the SHA-256 of the database, which says that all
// is there.
const (
	dumpEntry  = "database.dump"
	filesEntry = "files/" // and the hash
	wholeEntry = "complete"
)

// archiveBackup writes the archive of a dump and of the files that the database
// names now: all that the dump names are among them, for while they are held
// none goes.
func (s *server) archiveBackup(ctx context.Context, w io.Writer, dump string, files *blob.Store) error {
	t := tar.NewWriter(w)
	f, err := os.Open(dump)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := addEntry(t, dumpEntry, f); err != nil {
		return err
	}
	h := sha256.New()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	sums, err := s.fileSums(ctx)
	if err != nil {
		return err
	}
	for _, sum := range sums {
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := files.Open(sum)
		if errors.Is(err, geo.ErrNotFound) {
			continue // lost before: the backup of the rest must not fail for it
		}
		if err == nil {
			err = addEntry(t, filesEntry+hex.EncodeToString(sum), f)
			f.Close()
		}
		if err != nil {
			return err
		}
	}
	note := fmt.Sprintf("%x\n", h.Sum(nil))
	if err := t.WriteHeader(&tar.Header{Name: wholeEntry, Mode: 0o600, Size: int64(len(note))}); err != nil {
		return err
	}
	if _, err := io.WriteString(t, note); err != nil {
		return err
	}
	return t.Close()
}

func addEntry(t *tar.Writer, name string, f *os.File) error {
	info, err := f.Stat()
	if err == nil {
		err = t.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: info.Size(), Format: tar.FormatPAX})
	}
	if err == nil {
		_, err = io.Copy(t, f)
	}
	return err
}

// fileSums lists the files that the database names; none where it is older
// than files are.
func (s *server) fileSums(ctx context.Context) ([][]byte, error) {
	db, err := pgx.ConnectConfig(ctx, s.conf)
	if err != nil {
		return nil, fmt.Errorf("connect to list the files: %w", err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	var any bool
	if err := db.QueryRow(ctx, `select to_regclass('public.blob') is not null`).Scan(&any); err != nil || !any {
		return nil, err
	}
	rows, err := db.Query(ctx, `select sha256 from blob order by 1`)
	if err != nil {
		return nil, fmt.Errorf("list the files: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[[]byte])
}

// openBackup gives the dump of a backup as a file of its own, and puts the
// files of the backup into the store: those that are there already are the
// same, and what no database names in the end is swept. done takes away what
// it made. The dumps of earlier versions are the dump alone. Where files of it
// are damaged, the error is a *damagedFiles, and the dump is given all the same.
func openBackup(ctx context.Context, file string, files *blob.Store, temp string) (dump string, done func(), err error) {
	f, err := os.Open(file)
	if err != nil {
		return "", nil, badFile(err, file)
	}
	defer f.Close()
	const magic = "PGDMP" // of pg_dump's custom format
	head := make([]byte, len(magic))
	if _, err := io.ReadFull(f, head); err != nil {
		return "", nil, notBackup(file, "no PGDMP at its start")
	}
	if string(head) == magic {
		return file, func() {}, nil
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", nil, badFile(err, file)
	}
	out, err := os.CreateTemp(temp, ".calanque-restore-*")
	if err != nil {
		return "", nil, badFile(err, temp)
	}
	done = func() { os.Remove(out.Name()) }
	err = unpackBackup(ctx, f, out, files)
	if cerr := out.Close(); err == nil {
		err = cerr
	}
	var bad *damagedFiles
	if err == nil || errors.As(err, &bad) {
		return out.Name(), done, err
	}
	done()
	if ctx.Err() != nil {
		return "", nil, ctx.Err()
	}
	var no *notWhole
	if errors.As(err, &no) {
		return "", nil, notBackup(file, no.said)
	}
	return "", nil, badFile(err, file)
}

func notBackup(file, said string) error {
	return geo.Bad(nil, "backup.not-a-backup", "file", file, "said", said)
}

// notWhole is an archive that is no backup, or not all of one.
type notWhole struct{ said string }

func (n *notWhole) Error() string { return n.said }

// A damagedFiles is a backup whose database is whole, and some of its files are not.
type damagedFiles struct{ files []string } // by their hashes

func (d *damagedFiles) Error() string { return fmt.Sprintf("%d damaged files", len(d.files)) }

func unpackBackup(ctx context.Context, f *os.File, dump io.Writer, files *blob.Store) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	t, any, h := tar.NewReader(f), false, sha256.New()
	var bad []string // files that are not what they are called
	for {
		entry, err := t.Next()
		switch {
		case err != nil && !any:
			return &notWhole{"no archive with a database"}
		case err != nil:
			return &notWhole{"the archive is cut short"}
		case !any && entry.Name != dumpEntry:
			return &notWhole{"no archive with a database"}
		case entry.Name == dumpEntry:
			any = true
			if _, err := io.Copy(io.MultiWriter(dump, h), t); err != nil {
				return cutShort(err)
			}
		case entry.Name == wholeEntry:
			note, err := io.ReadAll(io.LimitReader(t, 100))
			switch {
			case err != nil || info.Size()%512 != 0: // a block of the archive
				return &notWhole{"the archive is cut short"}
			case string(note) != fmt.Sprintf("%x\n", h.Sum(nil)):
				return &notWhole{"the database in it is damaged"}
			case len(bad) > 0:
				return &damagedFiles{bad}
			}
			return nil
		case strings.HasPrefix(entry.Name, filesEntry) && files != nil:
			want, err := hex.DecodeString(strings.TrimPrefix(entry.Name, filesEntry))
			if err != nil {
				return &notWhole{"a file without its hash: " + filepath.Base(entry.Name)}
			}
			b, err := files.Put(ctx, t, entry.Size)
			if err != nil {
				return cutShort(err)
			}
			if !bytes.Equal(b.SHA256, want) {
				bad = append(bad, fmt.Sprintf("%x", want))
			}
		}
	}
}

func cutShort(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &notWhole{"the archive is cut short"}
	}
	return err
}
