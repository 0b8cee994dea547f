// Package tiles answers "this relation, this z/x/y" from its cache or the
// database: one Mapbox Vector Tile, compressed once, the same bytes each time.
//
// It also prepares what low zooms need (Prepare): which features of a large
// layer stand for the others, decided once for a whole zoom level so that
// neighbouring tiles agree, and the provisional basemap. What is left out is
// declared in the TileJSON. HTTP is not here: package api answers with what
// Get returns.
package tiles

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/singleflight"

	"calanque/geo"
	"calanque/geo/postgis"
)

// The shape of every tile.
const (
	Extent  = 4096 // tile units along an edge
	Buffer  = 64   // tile units drawn beyond each edge, so that symbols and strokes join
	MaxZoom = 22   // the deepest zoom that is answered
	Budget  = 500_000
)

// Options tune a Tiles; the zero value is right for one machine.
type Options struct {
	CacheBytes uint64        // of tiles kept in memory, raw and compressed; 0 means 256 MB
	Workers    int           // tiles made at the same time; 0 means one a core
	Wait       time.Duration // how long a request may queue for a worker; 0 means 5 s
}

// Tiles makes and keeps tiles. One per process; safe for concurrent use.
type Tiles struct {
	pool    *pgxpool.Pool
	cache   *cache
	gate    *gate
	flights flights

	mu       sync.Mutex
	newest   map[string]int64 // layer → greatest revision asked for
	plans    map[planKey]*plan
	planning singleflight.Group
}

// New makes a Tiles that reads through the hub's tile pool.
func New(hub *postgis.Hub, o Options) *Tiles {
	if o.CacheBytes == 0 {
		o.CacheBytes = 256 << 20
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Wait == 0 {
		o.Wait = 5 * time.Second
	}
	return &Tiles{
		pool:   hub.Tiles,
		cache:  newCache(o.CacheBytes),
		gate:   newGate(o.Workers, o.Wait),
		newest: map[string]int64{},
		plans:  map[planKey]*plan{},
	}
}

// Params are what a request may add to z/x/y.
type Params struct {
	// Time selects rows of a series by their time, both ends included. Nil
	// means the latest time. Layers without time ignore it.
	Time *geo.Interval
}

// A Tile is one encoded tile. A tile without features has no bytes.
type Tile struct {
	Body []byte // Mapbox Vector Tile 2.1
	Gzip []byte // the same, compressed
	ETag string // strong, quoted
	// Level is 0, or the step of the emergency ladder that this one tile
	// needed beyond its layer's declared thinning to stay under Budget.
	Level int
}

// Get gives a tile of a relation. It is geo.ErrNotFound outside the layer's
// bounds and for layers without geometry, geo.ErrUnavailable when the database
// is too slow, too busy or away, and a *geo.ParamError when z/x/y is no tile.
// A cancelled ctx ends the wait of this caller only.
func (t *Tiles) Get(ctx context.Context, rel geo.Relation, z, x, y int, p Params) (Tile, error) {
	a := address{z, x, y}
	if err := a.check(); err != nil {
		return Tile{}, err
	}
	if rel.Geom3857 == "" && rel.Layer != BasemapLayer {
		return Tile{}, fmt.Errorf("tiles of %s, which has no geometry: %w", rel.Layer, geo.ErrNotFound)
	}
	t.note(rel)
	pl, err := t.plan(ctx, rel)
	if err != nil {
		return Tile{}, err
	}
	if !pl.extent.Empty() && !a.meets(pl.extent) {
		return Tile{}, fmt.Errorf("tile %v outside the bounds of %s: %w", a, rel.Layer, geo.ErrNotFound)
	}
	k := key{layer: rel.Layer, tag: pl.tag, address: a, time: timeKey(rel, p)}
	if tile, ok := t.cache.get(k); ok {
		return tile, nil
	}
	return t.flights.do(ctx, k, t.gate.enter, func(ctx context.Context) (Tile, error) {
		return t.make(ctx, rel, pl, k, p)
	})
}

// make makes the tile and keeps it, unless the layer has changed meanwhile
// (architecture, rule 2).
func (t *Tiles) make(ctx context.Context, rel geo.Relation, pl *plan, k key, p Params) (Tile, error) {
	if tile, ok := t.cache.get(k); ok {
		return tile, nil
	}
	tile, err := t.encode(ctx, rel, pl, k.address, p)
	if err != nil {
		return Tile{}, fmt.Errorf("tile %v of %s: %w", k.address, rel.Layer, kind(err))
	}
	if t.current(rel) {
		t.cache.put(k, tile)
	}
	return tile, nil
}

// encode runs the query of the declared rule, and climbs the ladder while the
// answer is over the budget.
func (t *Tiles) encode(ctx context.Context, rel geo.Relation, pl *plan, a address, p Params) (Tile, error) {
	for level := pl.firstLevel(rel, a.z); ; level++ {
		body, err := t.query(ctx, rel, pl, a, p, level)
		if err != nil {
			return Tile{}, err
		}
		tile, err := pack(body, pl.tag)
		if err != nil {
			return Tile{}, err
		}
		tile.Level = level
		if len(tile.Gzip) <= Budget || level == lastLevel {
			return tile, nil
		}
	}
}

func (t *Tiles) query(ctx context.Context, rel geo.Relation, pl *plan, a address, p Params, level int) ([]byte, error) {
	if rel.Layer == BasemapLayer {
		return t.basemap(ctx, a, level)
	}
	q := statement(rel, pl, a, p, level)
	var body []byte
	if err := t.pool.QueryRow(ctx, q.sql, q.args...).Scan(&body); err != nil {
		return nil, err
	}
	return body, nil
}

// note remembers the greatest revision of a layer that was asked for.
func (t *Tiles) note(rel geo.Relation) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if rel.Revision > t.newest[rel.Layer] {
		t.newest[rel.Layer] = rel.Revision
	}
}

func (t *Tiles) current(rel geo.Relation) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.newest[rel.Layer] == rel.Revision
}

// kind makes everything that is not an answer of the server an
// ErrUnavailable: a tile is a read of what exists, so a broken connection only
// means "later".
func kind(err error) error {
	err = postgis.Kind(err)
	var pg *pgconn.PgError
	if errors.Is(err, geo.ErrUnavailable) || errors.As(err, &pg) || errors.Is(err, context.Canceled) {
		return err
	}
	return fmt.Errorf("%w: %w", geo.ErrUnavailable, err)
}
