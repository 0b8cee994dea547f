// Package postgis is the database: connections, schema, features in and out by
// Query, and the log of changes.
//
// It owns the tables of migrations/ that describe datasets, layers and
// changes. The rows of OpenStreetMap belong to package osm, those of outcomes
// to osm/match: they bring their own SQL and take a DB.
package postgis

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"calanque/geo"
)

// A DB is a pool, a connection or a transaction.
type DB interface {
	Begin(ctx context.Context) (pgx.Tx, error)
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

// A Config says which database to use.
type Config struct {
	URL      string // pgx connection string or URL, of a role that owns the schema
	MaxConns int32  // of each pool; 0 means twice the cores, at least 8
}

// A Hub is the open database. Its pools differ in what they may do: Owner
// loads and migrates, Web reads for pages and the API, Desk writes the few
// tables that pages change, Tiles reads with the planner settings that tiles
// want.
type Hub struct {
	Owner, Web, Desk, Tiles *pgxpool.Pool
	// WebRole is the role that Web, Desk and Tiles act as. It is the owner's own
	// where the server does not let it create another.
	WebRole string
}

// Open connects, checks PostGIS and the extensions, migrates the schema and
// opens the pools. It is safe to call from several processes at once.
// It returns a *geo.InputError that names what is missing on a server that
// can't carry the hub.
func Open(ctx context.Context, c Config) (*Hub, error) {
	conf, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		return nil, geo.Bad(err, "database.url")
	}
	if c.MaxConns == 0 {
		c.MaxConns = max(8, int32(2*runtime.NumCPU()))
	}
	if err := prepare(ctx, conf.ConnConfig); err != nil {
		return nil, err
	}
	if err := Migrate(ctx, conf.ConnConfig); err != nil {
		return nil, err
	}
	h := &Hub{}
	if h.Owner, err = pool(ctx, conf, c.MaxConns, "calanque", nil); err != nil {
		return nil, fmt.Errorf("open the owner's pool: %w", err)
	}
	if err := h.openReaders(ctx, conf, c.MaxConns); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// Close ends all connections.
func (h *Hub) Close() {
	for _, p := range []*pgxpool.Pool{h.Owner, h.Web, h.Desk, h.Tiles} {
		if p != nil {
			p.Close()
		}
	}
}

func (h *Hub) openReaders(ctx context.Context, conf *pgxpool.Config, n int32) error {
	as, err := webRole(ctx, h.Owner, conf.ConnConfig)
	if err != nil {
		return err
	}
	h.WebRole = as.role
	read := map[string]string{
		"default_transaction_read_only":       "on",
		"statement_timeout":                   "30s",
		"idle_in_transaction_session_timeout": "60s",
		"jit":                                 "off",
		// A plan made for any box suits none: planning takes 0.1 ms.
		"plan_cache_mode": "force_custom_plan",
		// Starting workers takes 20 to 30 ms, more than most pages and tiles.
		"max_parallel_workers_per_gather": "0",
	}
	tiles := map[string]string{"statement_timeout": "10s"}
	for k, v := range read {
		if _, own := tiles[k]; !own {
			tiles[k] = v
		}
	}
	if h.Web, err = pool(ctx, as.conf, n, "calanque web", read); err != nil {
		return fmt.Errorf("open the web pool: %w", err)
	}
	desk := map[string]string{"statement_timeout": "10s", "idle_in_transaction_session_timeout": "60s", "jit": "off"}
	if h.Desk, err = pool(ctx, as.conf, n, "calanque desk", desk); err != nil {
		return fmt.Errorf("open the desk's pool: %w", err)
	}
	if h.Tiles, err = pool(ctx, as.conf, n, "calanque tiles", tiles); err != nil {
		return fmt.Errorf("open the tile pool: %w", err)
	}
	return nil
}

// pool opens a pool whose connections read geometry columns as EWKB bytes.
func pool(ctx context.Context, base *pgxpool.Config, n int32, name string, settings map[string]string) (*pgxpool.Pool, error) {
	conf := base.Copy()
	conf.MaxConns = n
	conf.MaxConnIdleTime = 5 * time.Minute
	conf.ConnConfig.RuntimeParams["application_name"] = name
	for k, v := range settings {
		conf.ConnConfig.RuntimeParams[k] = v
	}
	conf.AfterConnect = GeometryAsBytes
	p, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, err
	}
	if err := p.Ping(ctx); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// GeometryAsBytes makes a connection scan geometry columns into []byte as
// EWKB, and encode []byte to them. The type's OID differs per database.
func GeometryAsBytes(ctx context.Context, conn *pgx.Conn) error {
	var oid uint32
	err := conn.QueryRow(ctx, `select coalesce(to_regtype('public.geometry'), to_regtype('geometry'))::oid`).Scan(&oid)
	if err != nil {
		return fmt.Errorf("find the geometry type: %w", err)
	}
	conn.TypeMap().RegisterType(&pgtype.Type{Name: "geometry", OID: oid, Codec: pgtype.ByteaCodec{}})
	return nil
}

// Kind maps the errors of the database that callers tell apart onto the
// hub's: a timeout, a lost connection or a full server is ErrUnavailable, no
// row ErrNotFound. Others come back as they are.
func Kind(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("%w: %w", geo.ErrNotFound, err)
	}
	// A connection that can't be made first: its cause may be an answer of the server.
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) || pgconn.SafeToRetry(err) || cut(err) {
		return fmt.Errorf("%w: %w", geo.ErrUnavailable, err)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch {
		case pg.Code == "57014", // query_canceled: statement timeout
			pg.Code == "55P03",   // lock_not_available
			pg.Code[:2] == "08",  // connection exception
			pg.Code[:2] == "40",  // rolled back in favour of another: deadlock, serialization
			pg.Code[:2] == "53",  // insufficient resources
			pg.Code[:3] == "57P": // admin shutdown, crash, cannot connect now
			return fmt.Errorf("%w: %w", geo.ErrUnavailable, err)
		}
		return err
	}
	return err
}

// cut tells whether the connection broke in the middle of an answer.
func cut(err error) bool {
	var network *net.OpError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network)
}

// lockKey makes the number of an advisory lock from what it protects.
func lockKey(what string) int64 {
	// FNV-1a, so that the keys are the same in all processes and versions.
	h := uint64(14695981039346656037)
	for i := 0; i < len(what); i++ {
		h = (h ^ uint64(what[i])) * 1099511628211
	}
	return int64(h)
}

// Lock takes the session advisory lock that belongs to a name, waiting for it
// until ctx ends, and returns what frees it. The lock has a connection of its
// own, outside the pool: who waits for a lock must not keep the one who holds
// it from the connections it needs. If that connection dies, PostgreSQL frees
// the lock.
func Lock(ctx context.Context, p *pgxpool.Pool, name string) (unlock func(), err error) {
	unlock, _, err = takeLock(ctx, p, name, `select pg_advisory_lock($1), true`)
	return unlock, err
}

// TryLock is Lock without waiting: ok tells whether it was free.
func TryLock(ctx context.Context, p *pgxpool.Pool, name string) (unlock func(), ok bool, err error) {
	return takeLock(ctx, p, name, `select null, pg_try_advisory_lock($1)`)
}

// Hold takes the session advisory lock that belongs to a name on a connection
// of its own, and gives that: while it lives, the lock is held. It is
// ErrConflict when somebody else has it.
func Hold(ctx context.Context, p *pgxpool.Pool, name string) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, p.Config().ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, Kind(err))
	}
	var ok bool
	err = conn.QueryRow(ctx, `select pg_try_advisory_lock($1)`, lockKey(name)).Scan(&ok)
	if err == nil && !ok {
		err = geo.ErrConflict
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("lock %s: %w", name, Kind(err))
	}
	return conn, nil
}

func takeLock(ctx context.Context, p *pgxpool.Pool, name, sql string) (unlock func(), ok bool, err error) {
	conn, err := pgx.ConnectConfig(ctx, p.Config().ConnConfig)
	if err != nil {
		return nil, false, fmt.Errorf("lock %s: %w", name, Kind(err))
	}
	end := func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = conn.Close(ctx) // which frees the lock
	}
	var nothing any
	if err := conn.QueryRow(ctx, sql, lockKey(name)).Scan(&nothing, &ok); err != nil || !ok {
		end()
		if err != nil {
			err = fmt.Errorf("lock %s: %w", name, Kind(err))
		}
		return nil, false, err
	}
	return end, true, nil
}

// arg appends a value to the arguments of a statement and gives its
// placeholder.
func arg(args *[]any, v any) string {
	*args = append(*args, v)
	return "$" + strconv.Itoa(len(*args))
}
