package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/postgis"
	"calanque/geo/postgis/cluster"
	"calanque/osm/workshop"
)

type backupCmd struct {
	File string `arg:"" help:"File to write; replaced only when the new one is whole."`
}

// Help shows an example.
func (*backupCmd) Help() string {
	return "Example:\n  calanque backup calanque-$(date +%F).dump\n\nEverything is in the file: datasets, OpenStreetMap, comparisons, answers, files and documents. It may run while calanque up serves."
}

// Run writes the file.
func (c *backupCmd) Run(ctx context.Context, a *app) error {
	address, err := a.address(ctx)
	if err != nil {
		return err
	}
	return backup(ctx, address, c.File, a.files())
}

type restoreCmd struct {
	File        string `arg:"" help:"File that calanque backup wrote."`
	SkipDamaged bool   `help:"Restore without the files in the backup that are damaged; they are named, and the exit code is 3."`
}

// Help shows an example.
func (*restoreCmd) Help() string {
	return "Example:\n  calanque restore calanque-2026-11-24.dump\n\nReplaces everything in the database; calanque up must be stopped. A damaged backup leaves the old state."
}

// Run replaces the database.
func (c *restoreCmd) Run(ctx context.Context, a *app) error {
	address, err := a.address(ctx)
	if err != nil {
		return err
	}
	return restore(ctx, address, c.File, a.files(), restoring{c.SkipDamaged})
}

// backup writes the whole database, as it is at one moment, and the files that
// it names. The backup appears when it is whole and on disk.
func backup(ctx context.Context, address, file string, files *blob.Store) error {
	server, err := askServer(ctx, address)
	if err != nil {
		return err
	}
	if err := server.forget(ctx); err != nil {
		return err
	}
	held, err := files.Hold(ctx) // no sweep between the dump and the files
	if err != nil {
		return err
	}
	defer held.Close()
	dir := filepath.Dir(file)
	// Rejected rows may hold names of people: CreateTemp makes it ours alone.
	f, err := os.CreateTemp(dir, "."+filepath.Base(file)+".*")
	if err != nil {
		return badFile(err, file)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	dump := f.Name() + ".dump"
	defer os.Remove(dump)
	if err := ownFile(dump); err != nil {
		return badFile(err, file)
	}
	// Owners, rights and the comment that says that rights were given are this
	// server's: the next one gives its own when the hub opens.
	out, err := server.run(ctx, "pg_dump", server.name,
		"--format=custom", "--no-owner", "--no-privileges", "--no-comments", "--file="+dump)
	switch {
	case errors.Is(err, geo.ErrInvalid): // pg_dump is not installed
		return err
	case err != nil:
		return geo.Bad(err, "backup.failed", "program", "pg_dump", "said", lastLine(out))
	}
	if err = server.archiveBackup(ctx, f, dump, files); err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err == nil {
		err = syncFolder(dir)
	}
	if err != nil {
		return badFile(err, file)
	}
	return nil
}

// ownFile makes an empty file that is ours alone.
func ownFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}

// restoring is how a backup is restored.
type restoring struct {
	skipDamaged bool // without the files in it that are damaged: they are told in the end
}

// restore replaces the database by what a backup holds. It is filled under
// another name, brought to this program's schema, and takes the place of the
// old one by renaming, so that whatever goes wrong leaves the old one.
func restore(ctx context.Context, address, file string, files *blob.Store, how restoring) (err error) {
	dump, done, err := openBackup(ctx, file, files, files.Dir())
	if done != nil {
		defer done()
	}
	var bad *damagedFiles
	switch {
	case errors.As(err, &bad) && how.skipDamaged:
		defer func() {
			if err == nil {
				err = geo.Bad(geo.ErrRejected, "backup.restored-without", "n", len(bad.files), "files", strings.Join(bad.files, ", "))
			}
		}()
	case errors.As(err, &bad):
		return geo.Bad(nil, "backup.damaged-files", "file", file, "n", len(bad.files), "files", strings.Join(bad.files, ", "))
	case err != nil:
		return err
	}
	server, err := askServer(ctx, address)
	if err != nil {
		return err
	}
	conn, err := server.maintenance(ctx)
	if err != nil {
		return fmt.Errorf("restore %s: %w", file, err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := server.alone(ctx, conn); err != nil {
		return err
	}
	fresh, old := server.name+"_restoring", server.name+"_replaced"
	err = statements(ctx, conn,
		`drop database if exists `+quoted(fresh)+` with (force)`,
		`drop database if exists `+quoted(old)+` with (force)`,
		`create database `+quoted(fresh)+` template template0 encoding 'UTF8'`)
	if err != nil {
		return fmt.Errorf("make a database to restore into: %w", err)
	}
	if err = server.fill(ctx, fresh, dump, file); err == nil {
		err = server.swap(ctx, conn, fresh, old)
	}
	if err != nil {
		drop := statements(context.WithoutCancel(ctx), conn, `drop database if exists `+quoted(fresh)+` with (force)`)
		return errors.Join(err, drop)
	}
	return statements(ctx, conn, `drop database `+quoted(old)+` with (force)`)
}

// A server is the database server and the database on it, by name.
type server struct {
	address string
	conf    *pgx.ConnConfig
	name    string // of the database
	major   int
}

func askServer(ctx context.Context, address string) (*server, error) {
	conf, err := pgx.ParseConfig(address)
	if err != nil {
		return nil, geo.Bad(err, "database.url")
	}
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return nil, geo.Bad(err, "database.connect", "host", conf.Host, "database", conf.Database)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	s := &server{address: address, conf: conf}
	err = conn.QueryRow(ctx, `select current_database()::text, current_setting('server_version_num')::int / 10000`).Scan(&s.name, &s.major)
	if err != nil {
		return nil, fmt.Errorf("ask the server's version: %w", err)
	}
	return s, nil
}

// maintenance connects to a database that is not the one to replace.
func (s *server) maintenance(ctx context.Context) (*pgx.Conn, error) {
	conf := s.conf.Copy()
	conf.Database = "postgres"
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return nil, err
	}
	var locked bool
	err = conn.QueryRow(ctx, `select pg_try_advisory_lock(hashtext('restore ' || $1))`, s.name).Scan(&locked)
	if err == nil && !locked {
		err = fmt.Errorf("another restore is running: %w", geo.ErrConflict)
	}
	if err != nil {
		conn.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return conn, nil
}

// alone returns an error when somebody else is connected to the database, and
// stays so: a connection that was closed just now takes a moment to go.
func (s *server) alone(ctx context.Context, conn *pgx.Conn) error {
	const patience = 2 * time.Second
	for begun := time.Now(); ; {
		var others int
		err := conn.QueryRow(ctx, `
			select count(*)
			from pg_stat_activity
			where datname = $1 and backend_type = 'client backend'`, s.name).Scan(&others)
		if err != nil {
			return fmt.Errorf("ask who uses the database: %w", err)
		}
		if others == 0 {
			return nil
		}
		if time.Since(begun) > patience {
			return geo.Bad(nil, "backup.in-use")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// fill restores a backup into a fresh database and migrates it.
func (s *server) fill(ctx context.Context, fresh, dump, file string) error {
	out, err := s.run(ctx, "pg_restore", fresh,
		"--dbname="+fresh, "--no-owner", "--exit-on-error", "--jobs="+strconv.Itoa(runtime.NumCPU()), dump)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("restore %s: %w", file, ctx.Err())
	case errors.Is(err, geo.ErrInvalid): // pg_restore is not installed
		return err
	case err != nil:
		return geo.Bad(err, "backup.not-a-backup", "file", file, "said", lastLine(out))
	}
	conf := s.conf.Copy()
	conf.Database = fresh
	db, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return fmt.Errorf("look at what was restored: %w", err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	var ours bool
	err = db.QueryRow(ctx, `select to_regclass('public.dataset') is not null and to_regclass('public.change') is not null`).Scan(&ours)
	if err != nil {
		return fmt.Errorf("look at what was restored: %w", err)
	}
	if !ours {
		return geo.Bad(nil, "backup.not-a-backup", "file", file, "said", "no dataset, no change")
	}
	if err := postgis.Migrate(ctx, conf); err != nil {
		return err
	}
	// What has come due since the backup is forgotten before anybody sees it.
	return workshop.Sweep(ctx, db, time.Now())
}

// forget forgets who took part in sessions when that is due, so that no backup
// keeps it. A database without sessions has nothing to forget.
func (s *server) forget(ctx context.Context) error {
	db, err := pgx.ConnectConfig(ctx, s.conf)
	if err != nil {
		return fmt.Errorf("connect to forget what is due: %w", err)
	}
	defer db.Close(context.WithoutCancel(ctx))
	var any bool
	err = db.QueryRow(ctx, `select to_regclass('public.participant') is not null`).Scan(&any)
	if err != nil || !any {
		return err
	}
	return workshop.Sweep(ctx, db, time.Now())
}

// swap gives the fresh database the name, in one transaction.
func (s *server) swap(ctx context.Context, conn *pgx.Conn, fresh, old string) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `alter database `+quoted(s.name)+` rename to `+quoted(old)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `alter database `+quoted(fresh)+` rename to `+quoted(s.name))
		return err
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "55006" { // object_in_use
		return geo.Bad(err, "backup.in-use")
	}
	if err != nil {
		return fmt.Errorf("put the restored database in place: %w", err)
	}
	return nil
}

func statements(ctx context.Context, conn *pgx.Conn, list ...string) error {
	for _, sql := range list {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

// run runs one of PostgreSQL's programs, of the server's version, on a
// database. The connection goes through the environment, where no other user
// sees the password.
func (s *server) run(ctx context.Context, program, database string, args ...string) ([]byte, error) {
	path, err := cluster.Program("", s.major, program)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, path, append([]string{"--no-password"}, args...)...)
	ours := slices.DeleteFunc(os.Environ(), func(kv string) bool { return strings.HasPrefix(kv, "PG") })
	cmd.Env = append(ours,
		"LC_ALL=C.UTF-8",
		"PGHOST="+s.conf.Host, "PGPORT="+strconv.Itoa(int(s.conf.Port)), "PGUSER="+s.conf.User,
		"PGPASSWORD="+s.conf.Password, "PGDATABASE="+database)
	cmd.Env = append(cmd.Env, tlsSettings(s.address)...)
	return cmd.CombinedOutput()
}

var tlsWord = regexp.MustCompile(`\b(sslmode|sslrootcert|sslcert|sslkey)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']+)`)

// tlsSettings are the TLS parameters of a connection string or URL, as the
// environment variables of PostgreSQL's programs.
func tlsSettings(address string) []string {
	var env []string
	set := func(name, value string) { env = append(env, "PG"+strings.ToUpper(name)+"="+value) }
	if u, err := url.Parse(address); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		for _, name := range []string{"sslmode", "sslrootcert", "sslcert", "sslkey"} {
			if v := u.Query().Get(name); v != "" {
				set(name, v)
			}
		}
		return env
	}
	for _, m := range tlsWord.FindAllStringSubmatch(address, -1) {
		set(m[1], strings.NewReplacer(`\'`, `'`, `\\`, `\`).Replace(strings.Trim(m[2], "'")))
	}
	return env
}

func lastLine(b []byte) string {
	b = bytes.TrimSpace(b)
	return string(b[bytes.LastIndexByte(b, '\n')+1:])
}

func badFile(err error, file string) error {
	reason := err
	var at *fs.PathError
	if errors.As(err, &at) {
		reason = at.Err
	}
	return geo.Bad(err, "backup.file", "file", file, "reason", reason.Error())
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
