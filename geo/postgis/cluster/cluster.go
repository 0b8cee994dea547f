// Package cluster runs a private PostgreSQL in a folder, shared by every
// process that asks, and survives their deaths.
//
// The server has no TCP port: it listens on a socket in a folder that only its
// user may enter, and trusts whoever gets there. The folder holds
//
//	data/         what initdb makes
//	socket/       the way in
//	postgres.log  what the server says
//	holders       every process that uses the server keeps a shared lock on it
//	gate          locked exclusively while one process starts or stops the server
//
// Locks are flock(2): the kernel frees them however a process ends. The last
// holder to close stops the server; a server whose holders were all killed
// goes on and is adopted by the next one. A holder that stays brings the
// server back when it dies.
//
// What is in the database is not known here: see package postgis.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	superuser = "calanque"
	database  = "calanque"
)

// Options are what differs between uses; the zero value is the real thing.
type Options struct {
	Log      *slog.Logger      // creation and restarts, starts and stops at level debug; nil: nowhere
	Settings map[string]string // of postgresql.conf, over those of this package
	Versions string            // folder of PostgreSQL's versions; "" = where Debian has them
}

// A Cluster is this process's hold on the server.
type Cluster struct {
	dir     string // absolute, without symbolic links
	socket  string // folder of the socket
	options Options
	log     *slog.Logger
	owner   owner
	holders *os.File // shared lock, kept until Close

	cancel   context.CancelFunc
	watching sync.WaitGroup
	closing  sync.Once
	closeErr error
}

// Open makes sure that the server of the folder runs, creating folder and
// database when they are not there, and holds on to it until Close. It may be
// called by any number of processes at once. ctx bounds the opening only.
// Errors about the machine or the folder are *geo.InputError.
func Open(ctx context.Context, dir string, o Options) (*Cluster, error) {
	c, err := locate(dir, o)
	if err != nil {
		return nil, err
	}
	err = c.throughGate(ctx, func() error {
		if c.holders, err = lockFile(ctx, filepath.Join(c.dir, "holders"), shared); err != nil {
			return err
		}
		if err := c.createOnce(ctx); err != nil {
			return err
		}
		if err := c.ensure(ctx); err != nil {
			// Nobody would stop what has perhaps started.
			return errors.Join(err, c.release())
		}
		return nil
	})
	if err != nil {
		if c.holders != nil {
			c.holders.Close()
		}
		return nil, fmt.Errorf("open the private database in %s: %w", c.dir, err)
	}
	watch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	c.watching.Go(func() { c.watch(watch) })
	return c, nil
}

// locate finds out where everything of a cluster is and who runs it.
func locate(dir string, o Options) (*Cluster, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("make the path of the private database absolute: %w", err)
	}
	if err := makeFolder(dir); err != nil {
		return nil, badFolder(err, dir)
	}
	resolved, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return nil, badFolder(err, dir)
	}
	c := &Cluster{dir: resolved, options: o, log: o.Log}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.owner, err = findOwner(c.data()); err != nil {
		return nil, err
	}
	c.socket = socketFolder(c.dir, c.owner.uid)
	return c, nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// URL is how pgx and the programs of PostgreSQL connect to the database.
func (c *Cluster) URL() string { return c.url(database) }

func (c *Cluster) url(database string) string {
	return fmt.Sprintf("host=%s port=%d user=%s dbname=%s sslmode=disable", quote(c.socket), port, superuser, database)
}

// Close lets go of the server, and stops it when nobody else holds it.
// Connections must be closed before.
func (c *Cluster) Close() error {
	c.closing.Do(func() {
		c.cancel()
		c.watching.Wait()
		c.closeErr = c.throughGate(context.Background(), c.release)
		if c.closeErr != nil {
			c.closeErr = fmt.Errorf("close the private database in %s: %w", c.dir, c.closeErr)
		}
	})
	return c.closeErr
}

// release frees our hold, and stops the server when it was the only one. The
// gate is locked.
func (c *Cluster) release() error {
	defer c.holders.Close()
	if alone, err := onlyHolder(c.holders); !alone {
		return err
	}
	return c.stop(context.Background())
}

// throughGate does what only one process may do at a time.
func (c *Cluster) throughGate(ctx context.Context, do func() error) error {
	gate, err := lockFile(ctx, filepath.Join(c.dir, "gate"), exclusive)
	if err != nil {
		return err
	}
	defer gate.Close()
	return do()
}

// ensure makes the server answer: it adopts one that runs and starts one
// otherwise. The gate is locked.
func (c *Cluster) ensure(ctx context.Context) error {
	for attempt := 1; ; attempt++ {
		err := c.adoptOrStart(ctx)
		// It may have been on its way out, or started by a process that died.
		if !errors.Is(err, errGone) || attempt == 3 {
			return err
		}
		c.log.Warn("the private database went away while starting", "folder", c.dir, "err", err)
	}
}

func (c *Cluster) adoptOrStart(ctx context.Context) error {
	if pid := c.postmaster(); pid != 0 {
		alive := func() error {
			if !c.isServer(pid) {
				return errGone
			}
			return nil
		}
		err := c.ready(ctx, alive)
		if !errors.Is(err, errUnreachable) {
			return err
		}
		c.log.Warn("the private database has lost its socket", "folder", c.dir)
		if err := c.stop(ctx); err != nil {
			return err
		}
	} else if c.createDatabase(ctx) == nil {
		return nil // it runs where we can't see its process: in another container
	}
	return c.start(ctx)
}

// ready waits until the server answers and its database is there. It ends
// with the error of alive, with errUnreachable when the socket is not there
// after some seconds, or with ctx.
func (c *Cluster) ready(ctx context.Context, alive func() error) error {
	const patience = 5 * time.Second
	begun := time.Now()
	for {
		err := c.createDatabase(ctx)
		var pg *pgconn.PgError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &pg) && !passing(pg.Code):
			return fmt.Errorf("connect to the private database: %w", err)
		}
		if err := alive(); err != nil {
			return err
		}
		if pg == nil && time.Since(begun) > patience && !exists(c.socketFile()) {
			return errUnreachable
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the private database (%w): %w", ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// passing tells whether an error is over in a moment: the server is starting,
// recovering or stopping (57P..), or still creates the database for a process
// that was killed meanwhile (duplicate_database, unique_violation).
func passing(code string) bool {
	return strings.HasPrefix(code, "57P") || code == "42P04" || code == "23505"
}

// createDatabase makes the hub's database when it is not there; what belongs
// in it is package postgis's business.
func (c *Cluster) createDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, c.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	err = conn.QueryRow(ctx, `select exists (select from pg_database where datname = $1)`, database).Scan(&there)
	if err != nil || there {
		return err
	}
	_, err = conn.Exec(ctx, `create database `+database+` template template0`)
	return err
}

// watch brings the server back when it dies under us, until ctx ends.
func (c *Cluster) watch(ctx context.Context) {
	const every, most = 500 * time.Millisecond, 30 * time.Second
	pause := every
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if c.postmaster() != 0 && exists(c.socketFile()) || c.createDatabase(ctx) == nil {
			pause = every
			continue
		}
		c.log.Warn("the private database has ended; starting it again", "folder", c.dir)
		if err := c.throughGate(ctx, func() error { return c.ensure(ctx) }); err != nil && ctx.Err() == nil {
			pause = min(2*pause, most)
			c.log.Error("the private database does not start", "folder", c.dir, "again in", pause, "err", err)
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
