package postgis

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"calanque/geo"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations is the folder of the schema's migrations: forward only, numbered.
func Migrations() fs.FS {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return dir
}

// extensions are what the schema needs, in the order of creation.
var extensions = []string{"postgis", "unaccent", "pg_trgm", "btree_gist"}

// prepare checks the server's version and creates the extensions that are
// missing, one process at a time.
func prepare(ctx context.Context, conf *pgx.ConnConfig) error {
	conn, err := pgx.ConnectConfig(ctx, conf)
	if err != nil {
		return geo.Bad(err, "database.connect", "host", conf.Host, "database", conf.Database)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var version int
	if err := conn.QueryRow(ctx, `select current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return fmt.Errorf("ask the server's version: %w", err)
	}
	if version < 150000 {
		return geo.Bad(nil, "database.too-old", "have", version/10000, "want", 15)
	}
	var have []string
	if have, err = installed(ctx, conn); err != nil {
		return err
	}
	for _, name := range extensions {
		if slices.Contains(have, name) {
			continue
		}
		if err := createExtension(ctx, conn, name); err != nil {
			return err
		}
	}
	var recent bool
	err = conn.QueryRow(ctx, `select string_to_array(substring(postgis_lib_version() from '^\d+\.\d+'), '.')::int[] >= '{3,3}'`).Scan(&recent)
	if err != nil {
		return fmt.Errorf("ask PostGIS's version: %w", err)
	}
	if !recent {
		return geo.Bad(nil, "database.postgis-too-old", "want", "3.3")
	}
	return nil
}

func installed(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `select extname::text from pg_extension`)
	if err != nil {
		return nil, fmt.Errorf("list the extensions: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func createExtension(ctx context.Context, conn *pgx.Conn, name string) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, lockKey("extensions")); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `create extension if not exists `+pgx.Identifier{name}.Sanitize()+` with schema public`)
		return err
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		// Not installed on the server, or not allowed: both are for its administrator.
		return geo.Bad(err, "database.extension-missing", "extension", name, "database", conn.Config().Database)
	}
	if err != nil {
		return fmt.Errorf("create extension %s: %w", name, err)
	}
	return nil
}

// Migrate brings the schema up to date. Several processes may call it at once:
// one migrates, the others wait.
func Migrate(ctx context.Context, conf *pgx.ConnConfig) error {
	db := stdlib.OpenDB(*conf)
	defer db.Close()
	// The lock is probed every second: goose's default of five makes a start slow.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("make the migration lock: %w", err)
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, Migrations(), goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("read the migrations: %w", err)
	}
	if pending, err := p.HasPending(ctx); err != nil || pending {
		if _, err := p.Up(ctx); err != nil {
			return fmt.Errorf("migrate the schema: %w", err)
		}
	}
	return migrateQueue(ctx, db, conf)
}

// A reader is how Web and Tiles connect.
type reader struct {
	role string
	conf *pgxpool.Config
}

// webRole makes sure that the role calanque_web exists and may read what the
// server serves, and finds out how to act as it: by signing in where the
// server trusts us (the private one), else by SET ROLE, else not at all.
func webRole(ctx context.Context, owner *pgxpool.Pool, conf *pgx.ConnConfig) (reader, error) {
	const role = "calanque_web"
	base := func() *pgxpool.Config { return owner.Config() }
	if err := grantWeb(ctx, owner, role); err != nil {
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "42501" { // insufficient_privilege
			return reader{conf.User, base()}, nil
		}
		return reader{}, fmt.Errorf("prepare the role %s: %w", role, err)
	}
	try := conf.Copy()
	try.User, try.Password = role, ""
	if c, err := pgx.ConnectConfig(ctx, try); err == nil {
		_ = c.Close(ctx)
		as := base()
		as.ConnConfig.User, as.ConnConfig.Password = role, ""
		return reader{role, as}, nil
	}
	as := base()
	as.ConnConfig.RuntimeParams["role"] = role
	if c, err := pgx.ConnectConfig(ctx, as.ConnConfig); err == nil {
		_ = c.Close(ctx)
		return reader{role, as}, nil
	}
	return reader{conf.User, base()}, nil
}

// grants is the revision of what the web role may do: another number, and the
// next start grants again.
const grants = "granted to calanque_web, 31"

func grantWeb(ctx context.Context, owner *pgxpool.Pool, role string) error {
	return pgx.BeginFunc(ctx, owner, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, lockKey("roles")); err != nil {
			return err
		}
		var exists, granted bool
		err := tx.QueryRow(ctx, `
			select exists (select from pg_roles where rolname = $1),
			       exists (select from pg_roles where rolname = $1) and
			       coalesce(obj_description('osm'::regnamespace, 'pg_namespace') = $2, false)`, role, grants).Scan(&exists, &granted)
		if err != nil || granted {
			return err
		}
		if !exists {
			if _, err := tx.Exec(ctx, `create role `+role+` login`); err != nil {
				return err
			}
		}
		// Rejected rows may hold names of people: pages never read them.
		// History and answers are only added to; an answer's one change is that
		// it was undone.
		_, err = tx.Exec(ctx, `
			grant usage on schema public, data, osm to calanque_web;
			grant select on all tables in schema public, data, osm to calanque_web;
			alter default privileges in schema public, data, osm grant select on tables to calanque_web;
			revoke select on load_issue from calanque_web;
			grant insert, update, delete on login, participant to calanque_web;
			grant insert, update on verdict, visit, session, cell, task, claim, correction, correction_reply to calanque_web;
			grant insert on answer, answer_value, session_event, change to calanque_web;
			grant update (undone_at, participant_id) on answer to calanque_web;
			grant insert, update on dataset, producer, resource, blob, former_slug to calanque_web;
			grant insert, update, delete on dataset_topic to calanque_web;
			grant insert on chain_step, edit to calanque_web;
			grant insert, update on upload to calanque_web;
			grant usage on schema river to calanque_web;
			grant select, insert, update (kind) on river.river_job to calanque_web;
			grant insert on river.river_notification to calanque_web;
			grant usage on all sequences in schema river to calanque_web;
			grant insert, update on reuse, download to calanque_web;
			grant insert, delete on reuse_dataset to calanque_web;
			grant insert on report, report_answer to calanque_web;
			grant insert on census, census_line to calanque_web;
			grant insert, update, delete on census_draft to calanque_web;
			grant insert, update on licence to calanque_web;
			comment on schema osm is '`+grants+`'`)
		return err
	})
}
