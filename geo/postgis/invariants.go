package postgis

import (
	"context"
	_ "embed"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed sql/invariants.sql
var invariants string

// invariantHelpers are the functions that invariants.sql calls. They live in
// the session that checks.
const invariantHelpers = `
create or replace function pg_temp.rows(schema name, relation name) returns bigint language plpgsql as $$
declare n bigint;
begin
  if to_regclass(quote_ident(schema) || '.' || quote_ident(relation)) is null then return null; end if;
  execute format('select count(*) from %I.%I', schema, relation) into n;
  return n;
end $$;
create or replace function pg_temp.lock_key(what text) returns bigint language plpgsql as $$
declare h numeric := 14695981039346656037; b int; low bigint;
begin
  foreach b in array (select array_agg(get_byte(convert_to(what, 'UTF8'), i) order by i) from generate_series(0, octet_length(what) - 1) i) loop
    low := (h % 256)::bigint # b;
    h := ((h - h % 256 + low) * 1099511628211) % 18446744073709551616;
  end loop;
  return case when h >= 9223372036854775808 then (h - 18446744073709551616)::bigint else h::bigint end;
end $$`

// Invariants checks everything that must always hold of the database, and
// says in English what does not: nothing when all is well. The queries are in
// sql/invariants.sql.
func Invariants(ctx context.Context, p *pgxpool.Pool) ([]string, error) {
	conn, err := p.Acquire(ctx)
	if err != nil {
		return nil, fmt.Errorf("check the invariants: %w", Kind(err))
	}
	defer conn.Release()
	var broken []string
	// One snapshot for all: what a running load does between two queries is no fault.
	err = pgx.BeginTxFunc(ctx, conn, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, invariantHelpers); err != nil {
			return err
		}
		for _, part := range strings.Split(invariants, "-- name: ")[1:] {
			name, query, _ := strings.Cut(part, "\n")
			rows, err := tx.Query(ctx, strings.TrimRight(strings.TrimSpace(query), ";"))
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			found, err := pgx.CollectRows(rows, pgx.RowToMap)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			for _, row := range found {
				broken = append(broken, fmt.Sprintf("%s: %v", name, row))
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("check the invariants: %w", Kind(err))
	}
	return broken, nil
}
