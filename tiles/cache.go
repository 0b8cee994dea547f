package tiles

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/semaphore"

	"calanque/geo"
)

// A key names a tile for ever: the tag changes whenever its content may.
type key struct {
	layer   string
	tag     string
	address address
	time    span
}

// A span is an interval as a comparable value: microseconds, as PostgreSQL
// counts time.
type span struct {
	from, to int64
	set      bool
}

func timeKey(rel geo.Relation, p Params) span {
	if rel.Time == "" || p.Time == nil {
		return span{}
	}
	s := span{set: true}
	if !p.Time.From.IsZero() {
		s.from = p.Time.From.UnixMicro()
	}
	if !p.Time.To.IsZero() {
		s.to = p.Time.To.UnixMicro()
	}
	return s
}

// A cache keeps tiles in memory up to a number of bytes.
type cache struct {
	tiles *otter.Cache[key, Tile]
}

func newCache(size uint64) *cache {
	return &cache{otter.Must(&otter.Options[key, Tile]{
		MaximumWeight: size,
		Weigher: func(k key, t Tile) uint32 {
			// 200 bytes stand for the key and the cache's own record.
			return uint32(len(t.Body) + len(t.Gzip) + len(k.layer) + 200)
		},
	})}
}

func (c *cache) get(k key) (Tile, bool) { return c.tiles.GetIfPresent(k) }
func (c *cache) put(k key, t Tile)      { c.tiles.Set(k, t) }

// move gives the tiles of a layer that a change did not touch their new tag,
// and drops the others. A nil box means that everything was touched.
func (c *cache) move(layer, from, to string, box *geo.Box) {
	for k, tile := range c.tiles.All() {
		if k.layer != layer || k.tag == to {
			continue
		}
		c.tiles.Invalidate(k)
		if k.tag != from || box == nil || box.Intersects(k.address.box(Buffer)) {
			continue
		}
		k.tag = to
		tile.ETag = etag(tile.Body, to)
		c.tiles.SetIfAbsent(k, tile)
	}
}

// pack compresses a tile and names its content. Level 6 costs a third of the
// time of making the tile; 9 would save 2 % of the bytes.
func pack(body []byte, tag string) (Tile, error) {
	t := Tile{Body: body, ETag: etag(body, tag)}
	if len(body) == 0 {
		return t, nil
	}
	var b bytes.Buffer
	b.Grow(len(body)/2 + 64)
	z, err := gzip.NewWriterLevel(&b, 6)
	if err != nil {
		return t, fmt.Errorf("compress: %w", err)
	}
	if _, err := z.Write(body); err != nil {
		return t, fmt.Errorf("compress: %w", err)
	}
	if err := z.Close(); err != nil {
		return t, fmt.Errorf("compress: %w", err)
	}
	t.Gzip = b.Bytes()
	return t, nil
}

// etag holds the tag, so that a request can be answered with 304 before the
// tile is looked for, and a hash of the bytes.
func etag(body []byte, tag string) string {
	h := sha256.Sum256(body)
	return fmt.Sprintf(`"%s-%x"`, tag, h[:8])
}

// A gate lets so many callers work at the same time and the others wait, but
// not for ever.
type gate struct {
	places *semaphore.Weighted
	wait   time.Duration
}

func newGate(n int, wait time.Duration) *gate {
	return &gate{semaphore.NewWeighted(int64(n)), wait}
}

// enter waits for a place; leave gives it back. It is geo.ErrUnavailable when
// none is free in time.
func (g *gate) enter(ctx context.Context) (leave func(), err error) {
	queue, cancel := context.WithTimeout(ctx, g.wait)
	defer cancel()
	if err := g.places.Acquire(queue, 1); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("tile queue full for %v: %w", g.wait, geo.ErrUnavailable)
	}
	return func() { g.places.Release(1) }, nil
}
