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
		broken, err = InvariantsIn(ctx, tx)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("check the invariants: %w", Kind(err))
	}
	return broken, nil
}

// InvariantsIn is Invariants of what a transaction sees.
func InvariantsIn(ctx context.Context, tx pgx.Tx) ([]string, error) {
	var broken []string
	for _, part := range strings.Split(invariants, "-- name: ")[1:] {
		name, query, _ := strings.Cut(part, "\n")
		rows, err := tx.Query(ctx, strings.TrimRight(strings.TrimSpace(query), ";"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowToMap)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		for _, row := range found {
			broken = append(broken, fmt.Sprintf("%s: %v", name, row))
		}
	}
	return broken, nil
}
