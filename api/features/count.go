package features

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/maypok86/otter/v2"

	"calanque/geo"
	"calanque/geo/postgis"
)

// countBudget is how long counting may take before a page goes without
// numberMatched.
const countBudget = 3 * time.Second

// counts remembers how many items a filter selects of a layer at a revision.
type counts struct {
	cache *otter.Cache[string, int64]
}

func newCounts() *counts {
	return &counts{otter.Must(&otter.Options[string, int64]{MaximumSize: 10_000})}
}

// count gives the exact number; several requests that ask the same at once
// count once.
func (c *counts) count(ctx context.Context, p *pgxpool.Pool, r *geo.Relation, q geo.Query) (int64, error) {
	if q.Box == nil && q.Interval == nil && len(q.Equals) == 0 && len(q.AnyOf) == 0 && q.Inside == nil {
		return r.Count, nil
	}
	return c.cache.Get(ctx, countKey(r, q), otter.LoaderFunc[string, int64](
		func(ctx context.Context, _ string) (int64, error) {
			// The count outlives the request that asked first: others may wait for it.
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), countBudget)
			defer cancel()
			n, err := postgis.Count(ctx, p, r, q)
			return n, Kind(err)
		}))
}

func countKey(r *geo.Relation, q geo.Query) string {
	k := fmt.Sprintf("%s.%s@%d", r.Schema, r.Table, r.Revision)
	if q.Box != nil {
		k += fmt.Sprintf("|%v", *q.Box)
	}
	if q.Interval != nil && r.Time != "" {
		k += fmt.Sprintf("|%d-%d", q.Interval.From.UnixMicro(), q.Interval.To.UnixMicro())
	}
	for _, e := range q.Equals {
		k += fmt.Sprintf("|%s=%q", e.Field, fmt.Sprint(e.Value))
	}
	for _, a := range q.AnyOf {
		k += fmt.Sprintf("|%s in %q", a.Field, a.Values)
	}
	if p := q.Inside; p != nil {
		k += fmt.Sprintf("|inside %s@%d %q", p.Relation.Table, p.Relation.Revision, p.Key)
	}
	return k
}

// Count gives the exact number of features that a query selects; the second
// asking is answered from memory while the layer's revision holds.
func (s *Service) Count(ctx context.Context, r *geo.Relation, q geo.Query) (int64, error) {
	return s.counts.count(ctx, s.Pool, r, q)
}
