package api

import (
	"context"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5"

	"calanque/api/features"
)

// A revised keeps what was derived from relations, until their revision moves
// on.
type revised[T any] struct {
	mu   sync.Mutex
	kept map[string]derived[T]
}

type derived[T any] struct {
	revision int64
	value    T
}

// of gives what is kept for a revision, else makes it. Two that ask at once
// may both make it.
func (r *revised[T]) of(name string, revision int64, make func() (T, error)) (T, error) {
	r.mu.Lock()
	d, ok := r.kept[name]
	r.mu.Unlock()
	if ok && d.revision == revision {
		return d.value, nil
	}
	value, err := make()
	if err != nil {
		return value, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		r.kept = map[string]derived[T]{}
	}
	r.kept[name] = derived[T]{revision, value}
	return value, nil
}

// territory gives the names of codes; a code that nobody knows is its own.
func (s *Server) territory(ctx context.Context, codes []string) ([]string, error) {
	if len(codes) == 0 {
		return nil, nil
	}
	rows, err := s.Hub.Web.Query(ctx, `
		select coalesce(p.name, c.code)
		from unnest($1::text[]) with ordinality c (code, n)
		left join search_place p on p.code = c.code
		order by c.n`, codes)
	if err != nil {
		return nil, fmt.Errorf("names of a territory: %w", features.Kind(err))
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("names of a territory: %w", features.Kind(err))
	}
	return names, nil
}
