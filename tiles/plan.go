package tiles

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Rule is how a layer is thinned at one zoom: declared in its TileJSON.
type Rule struct {
	Zoom    int   `json:"zoom"`
	Cell    int   `json:"cell_px"` // edge of the cells that keep one feature each, in pixels of a tile shown at 512
	Shown   int64 `json:"shown"`
	LeftOut int64 `json:"left_out"`
}

// Thinning is what Prepare decided for one state of a layer.
type Thinning struct {
	Unthinned int      `json:"unthinned"` // from this zoom on tiles hold every feature with every attribute
	Rules     []Rule   `json:"rules"`     // of the zooms below, ascending
	Fields    []string `json:"fields"`    // attributes kept below Unthinned
	Overview  string   `json:"overview"`  // table in schema data; "" when Unthinned is 0
}

type planKey struct {
	layer string
	state string
}

// A plan is what a process knows of one state of a layer beside its relation.
type plan struct {
	tag      string // names the tiles of this plan; part of their ETag and of ?v=
	fid      bool
	latest   time.Time // of a series
	thinning *Thinning // nil before Prepare has seen this state
	table    string    // of the overview while it is being made; "" for thinning.Overview
	extent   geo.Box   // CRS84, of the basemap; of others the relation's
	read     time.Time
}

// state names the content of a relation: the version of a snapshot, which
// never changes, else the revision.
func state(rel geo.Relation) string {
	if rel.Version != 0 {
		return fmt.Sprintf("v%d", rel.Version)
	}
	return fmt.Sprintf("r%d", rel.Revision)
}

// largeLayer is the number of items from which a layer that Prepare has not
// seen yet is thinned at sight below zoom sightZoom, without reading it whole.
const (
	largeLayer = 20_000
	sightZoom  = 12
	sightLevel = 3
)

// unprepared is how long a plan without thinning is believed, and the
// basemap's, which is rebuilt some time after the extract that it shows.
const unprepared = 3 * time.Second

// plan reads what is known of this state of the layer, once. A plan that may
// have been overtaken is good for this request still and read again beside it,
// so that nobody waits for that, nor for a database that is away.
func (t *Tiles) plan(ctx context.Context, rel geo.Relation) (*plan, error) {
	k := planKey{rel.Layer, state(rel)}
	t.mu.Lock()
	pl := t.plans[k]
	t.mu.Unlock()
	if pl != nil && (pl.thinning != nil || time.Since(pl.read) < unprepared) {
		return pl, nil
	}
	done := t.planning.DoChan(k.layer+"\x00"+k.state, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		is, err := t.readPlan(ctx, rel, k)
		if err != nil && pl != nil {
			again := *pl
			again.read = time.Now()
			return t.keepPlan(k, &again), nil
		}
		return is, err
	})
	if pl != nil {
		return pl, nil
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-done:
		if r.Err != nil {
			return nil, fmt.Errorf("plan the tiles of %s: %w", rel.Layer, kind(r.Err))
		}
		return r.Val.(*plan), nil
	}
}

func (t *Tiles) readPlan(ctx context.Context, rel geo.Relation, k planKey) (*plan, error) {
	pl := &plan{tag: k.state, extent: rel.Extent, read: time.Now()}
	if rel.Layer == BasemapLayer {
		if err := t.readBasemap(ctx, pl); err != nil {
			return nil, err
		}
		return t.keepPlan(k, pl), nil
	}
	var made *int64
	err := t.pool.QueryRow(ctx, `
		select exists (select from pg_attribute where attrelid = to_regclass($1) and attname = $2 and not attisdropped),
			p.id, p.thinning
		from (select) one
		left join tile_plan p on p.layer = $3 and p.state = $4`,
		table(rel), postgis.FIDColumn, k.layer, k.state).Scan(&pl.fid, &made, &pl.thinning)
	if err != nil {
		return nil, err
	}
	if rel.Time != "" {
		latest := fmt.Sprintf(`select max(%s) from %s`, pgx.Identifier{rel.Time}.Sanitize(), table(rel))
		var at *time.Time
		if err := t.pool.QueryRow(ctx, latest).Scan(&at); err != nil {
			return nil, err
		}
		if at != nil {
			pl.latest = *at
		}
	}
	switch {
	case pl.thinned(0):
		pl.tag = fmt.Sprintf("%sp%d", k.state, *made)
	case pl.firstLevel(rel, 0) > 0:
		pl.tag = k.state + "u"
	}
	return t.keepPlan(k, pl), nil
}

// keepPlan stores a plan and forgets those of the layer's older states.
func (t *Tiles) keepPlan(k planKey, pl *plan) *plan {
	t.mu.Lock()
	defer t.mu.Unlock()
	for old := range t.plans {
		if old.layer == k.layer && old != k && len(t.plans) > 1000 {
			delete(t.plans, old)
		}
	}
	t.plans[k] = pl
	return pl
}

// thinned tells whether tiles of a zoom are read from the overview.
func (pl *plan) thinned(z int) bool { return pl.thinning != nil && z < pl.thinning.Unthinned }

// source is where a zoom of the layer is read.
func (pl *plan) source(rel geo.Relation, z int) source {
	s := full(rel, pl.fid)
	if !pl.thinned(z) {
		return s
	}
	s.table = pl.table
	if s.table == "" {
		s.table = pgx.Identifier{"data", pl.thinning.Overview}.Sanitize()
	}
	s.geom, s.key = `"__geom"`, `"_key"`
	if !s.fid {
		s.order = s.key
	}
	s.where = fmt.Sprintf(`and r."__z" = %d`, z)
	s.counted = true
	s.fields = nil
	for _, name := range pl.thinning.Fields {
		if f, ok := rel.Field(name); ok {
			s.fields = append(s.fields, f)
		}
	}
	return s
}

// firstLevel is the step of the ladder that a tile begins at.
func (pl *plan) firstLevel(rel geo.Relation, z int) int {
	if pl.thinning == nil && rel.Layer != BasemapLayer && rel.Count > largeLayer && rel.Time == "" && z < sightZoom {
		return sightLevel
	}
	return 0
}

// Forget tells that a layer has changed from one revision to another. Tiles
// that do not meet the box (EPSG:3857; nil means all of it) are kept for the
// new revision. Not calling it is never wrong, only slower: the revision is
// part of every key.
func (t *Tiles) Forget(was, is geo.Relation, box *geo.Box) {
	t.note(is)
	t.mu.Lock()
	before, after := t.plans[planKey{was.Layer, state(was)}], t.plans[planKey{is.Layer, state(is)}]
	t.mu.Unlock()
	if before == nil {
		return
	}
	to := state(is)
	if after != nil {
		to = after.tag
	}
	if was.Time != "" {
		box = nil // the latest time may be another
	}
	if before.thinned(0) {
		box = nil // the overview is made anew
	}
	t.cache.move(is.Layer, before.tag, to, box)
}
