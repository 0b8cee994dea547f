package postgis

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// QueueSchema is where River, which queues the work that runs without a
// person, has its tables. They are its own: here they are only made.
const QueueSchema = "river"

// queueVersion is the migration of River that this program was written for.
const queueVersion = 8

// migrateQueue brings River's tables up to date, under the lock of the other
// migrations: one process does it, the others wait.
func migrateQueue(ctx context.Context, db *sql.DB, conf *pgx.ConnConfig) error {
	var there bool
	err := db.QueryRowContext(ctx, `select to_regclass('river.river_migration') is not null`).Scan(&there)
	if err == nil && there {
		err = db.QueryRowContext(ctx, `select exists (select from river.river_migration where line = 'main' and version >= $1)`, queueVersion).Scan(&there)
	}
	if err != nil {
		return fmt.Errorf("look at the queue's schema: %w", err)
	}
	if there {
		return nil
	}
	pool, err := migrationPool(ctx, conf)
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("connect for the queue's migrations: %w", err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `select pg_advisory_lock($1)`, lock.DefaultLockID); err != nil {
		return fmt.Errorf("lock the migrations: %w", err)
	}
	defer func() {
		_, _ = conn.Exec(context.WithoutCancel(ctx), `select pg_advisory_unlock($1)`, lock.DefaultLockID)
	}()
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: QueueSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return fmt.Errorf("read the queue's migrations: %w", err)
	}
	if _, err := m.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: queueVersion}); err != nil {
		return fmt.Errorf("migrate the queue's schema: %w", err)
	}
	return nil
}

func migrationPool(ctx context.Context, conf *pgx.ConnConfig) (*pgxpool.Pool, error) {
	pc, err := pgxpool.ParseConfig(conf.ConnString())
	if err != nil {
		return nil, fmt.Errorf("read the address for the queue's migrations: %w", err)
	}
	pc.ConnConfig = conf.Copy()
	pc.MaxConns = 3
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("connect for the queue's migrations: %w", err)
	}
	return pool, nil
}
