package tiles

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// Handle gives the function that keeps what tiles need true from the log of
// changes: for postgis.Drain.
func Handle(hub *postgis.Hub, log *slog.Logger) func(context.Context, []postgis.Change) error {
	return func(ctx context.Context, changes []postgis.Change) error {
		if len(changes) == 0 {
			return nil
		}
		err := Prepare(ctx, hub, log)
		if errors.Is(err, geo.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
		if err != nil {
			log.Error("tiles not prepared", "err", err) // they are thinned at sight
		}
		return nil
	}
}

// Prepare makes true what tiles need of the database: it decides the thinning
// of every layer whose state it has not seen, builds the overviews of the
// large ones, drops what no layer needs any more, and rebuilds the basemap when
// OpenStreetMap has changed. It does nothing when all is as it should be, so
// it is what to call after any change. One process at a time works, others
// wait. Tiles are answered meanwhile, thinned at sight where they must be. A
// layer that fails does not stop the others.
func Prepare(ctx context.Context, hub *postgis.Hub, log *slog.Logger) error {
	unlock, err := postgis.Lock(ctx, hub.Owner, "prepare tiles")
	if err != nil {
		return err
	}
	defer unlock()
	rels, err := postgis.Relations(ctx, hub.Owner)
	if err != nil {
		return err
	}
	seen, err := states(ctx, hub.Owner)
	if err != nil {
		return err
	}
	// The basemap first: it is what people look at.
	failed := []error{PrepareBasemap(ctx, hub.Owner, log)}
	for _, rel := range rels {
		if rel.Geom3857 == "" || seen[rel.Layer] == state(rel) {
			continue
		}
		begun := time.Now()
		th, err := prepareLayer(ctx, hub.Owner, rel)
		if err != nil {
			failed = append(failed, fmt.Errorf("prepare the tiles of %s: %w", rel.Layer, postgis.Kind(err)))
			continue
		}
		if th.Unthinned > 0 {
			log.Info("tiles prepared", "layer", rel.Layer, "features", rel.Count, "unthinned", th.Unthinned, "took", time.Since(begun))
		}
	}
	return errors.Join(append(failed, dropPlans(ctx, hub.Owner, rels))...)
}

func states(ctx context.Context, db postgis.DB) (map[string]string, error) {
	rows, err := db.Query(ctx, `select layer, state from tile_plan`)
	if err != nil {
		return nil, fmt.Errorf("read the tile plans: %w", err)
	}
	seen := map[string]string{}
	var layer, is string
	_, err = pgx.ForEachRow(rows, []any{&layer, &is}, func() error {
		seen[layer] = is
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the tile plans: %w", err)
	}
	return seen, nil
}

// dropPlans forgets the layers that are no longer served.
func dropPlans(ctx context.Context, db postgis.DB, rels []geo.Relation) error {
	served := make([]string, len(rels))
	for i, rel := range rels {
		served[i] = rel.Layer
	}
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `delete from tile_plan where layer <> all ($1) returning coalesce(overview::text, '')`, served)
		if err != nil {
			return fmt.Errorf("forget tile plans: %w", err)
		}
		old, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("forget tile plans: %w", err)
		}
		for _, table := range old {
			if err := dropOverview(ctx, tx, table); err != nil {
				return err
			}
		}
		return nil
	})
}

func dropOverview(ctx context.Context, tx pgx.Tx, name string) error {
	if name == "" {
		return nil
	}
	if _, err := tx.Exec(ctx, `drop table if exists `+pgx.Identifier{"data", name}.Sanitize()); err != nil {
		return fmt.Errorf("drop overview %s: %w", name, err)
	}
	return nil
}

// PrepareLayer decides and stores the thinning of one layer.
func prepareLayer(ctx context.Context, db postgis.DB, rel geo.Relation) (Thinning, error) {
	var th Thinning
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local jit = off`); err != nil {
			return err
		}
		var id int64
		var old string
		err := tx.QueryRow(ctx, `
			select nextval(pg_get_serial_sequence('tile_plan', 'id')), coalesce((select overview::text from tile_plan where layer = $1), '')`,
			rel.Layer).Scan(&id, &old)
		if err != nil {
			return err
		}
		m := maker{tx: tx, rel: rel, name: fmt.Sprintf("o%d_%.40s", id, rel.Layer)}
		if th, err = m.thin(ctx); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from tile_plan where layer = $1`, rel.Layer); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `
			insert into tile_plan (id, layer, state, thinning, overview) overriding system value
			values ($1, $2, $3, $4, nullif($5, ''))`,
			id, rel.Layer, state(rel), th, th.Overview)
		if err != nil {
			return err
		}
		return dropOverview(ctx, tx, old)
	})
	return th, err
}

// What a tile may hold before it is thinned: so many features are made in
// about 200 ms, and so many estimated bytes are worth a real measure.
const (
	crowd    = 128 * 128
	likely   = 1_500_000
	deepest  = 16  // zoom at which the layer is weighed
	headroom = 0.9 // of the budget: tiles that were not measured may be a little heavier
)

// cells are the steps of a declared rule, in pixels.
var cells = []int{2, 4, 8, 16, 32}

// A maker thins one layer within a transaction.
type maker struct {
	tx   pgx.Tx
	rel  geo.Relation
	name string // of the overview
	fid  bool
}

// thin decides from which zoom on the layer can be shown whole, and builds the
// overview of the zooms below.
func (m *maker) thin(ctx context.Context) (Thinning, error) {
	th := Thinning{Rules: []Rule{}, Fields: []string{}}
	if m.rel.Time != "" || m.rel.Count == 0 {
		return th, nil // each time of a series is small; there is no one state to thin
	}
	err := m.tx.QueryRow(ctx, `select exists (select from pg_attribute where attrelid = to_regclass($1) and attname = $2 and not attisdropped)`,
		table(m.rel), postgis.FIDColumn).Scan(&m.fid)
	if err != nil {
		return th, err
	}
	width, err := m.fieldWidths(ctx)
	if err != nil {
		return th, err
	}
	if th.Unthinned, err = m.unthinned(ctx, width); err != nil || th.Unthinned == 0 {
		return th, err
	}
	th.Fields = slim(m.rel.Fields, width)
	th.Overview = m.name
	return th, m.overview(ctx, &th)
}

// fieldWidths gives the mean length of each field's values, from a sample.
func (m *maker) fieldWidths(ctx context.Context) ([]float64, error) {
	if len(m.rel.Fields) == 0 {
		return nil, nil
	}
	list := make([]string, len(m.rel.Fields))
	for i, f := range m.rel.Fields {
		list[i] = fmt.Sprintf(`coalesce(avg(octet_length(r.%s::text)), 0)::float8`, pgx.Identifier{f.Name}.Sanitize())
	}
	width := make([]float64, len(list))
	into := make([]any, len(list))
	for i := range width {
		into[i] = &width[i]
	}
	err := m.tx.QueryRow(ctx, fmt.Sprintf(`select %s from (select * from %s limit 5000) r`, strings.Join(list, ", "), table(m.rel))).Scan(into...)
	return width, err
}

// slim chooses the fields that features keep at thinned zooms: short ones, in
// the layer's order, up to 96 bytes a feature.
func slim(fields []geo.Field, width []float64) []string {
	list := []string{}
	total := 0.0
	for i, f := range fields {
		if f.Type == geo.JSONField || width[i] > 32 || total+width[i] > 96 || f.Name == "point_count" {
			continue
		}
		total += width[i]
		list = append(list, f.Name)
	}
	return list
}

// unthinned finds the lowest zoom from which on every tile can hold all of its
// features: by estimate from the layer's distribution, then by making the
// heaviest tiles.
func (m *maker) unthinned(ctx context.Context, width []float64) (int, error) {
	attributes := 12.0
	for _, w := range width {
		attributes += w
	}
	g := "r." + pgx.Identifier{m.rel.Geom3857}.Sanitize()
	_, err := m.tx.Exec(ctx, fmt.Sprintf(`
		create temp table tile_weight on commit drop as
		select floor(((st_xmin(%[1]s) + st_xmax(%[1]s)) / 2 + %.17[2]g) / %.17[3]g)::int as x,
			floor((%.17[2]g - (st_ymin(%[1]s) + st_ymax(%[1]s)) / 2) / %.17[3]g)::int as y,
			count(*) as n, sum(%[4]g + 2.5 * st_npoints(%[1]s)) as bytes
		from %[5]s r
		where %[1]s is not null
		group by 1, 2`, g, edge, address{z: deepest}.width(), attributes, table(m.rel)))
	if err != nil {
		return 0, err
	}
	defer func() { _, _ = m.tx.Exec(ctx, `drop table if exists tile_weight`) }()
	whole := &plan{fid: m.fid}
	for z := deepest; z >= 0; z-- {
		fits, err := m.fits(ctx, whole, z, fmt.Sprintf(`
			select x >> %[1]d, y >> %[1]d, sum(n)::float8, sum(bytes)::float8 from tile_weight group by 1, 2`, deepest-z))
		if err != nil {
			return 0, err
		}
		if !fits {
			return z + 1, nil
		}
	}
	return 0, nil
}

// fits tells whether all tiles of a zoom stay within what a tile may hold.
// Weights is a query of x, y, features and estimated bytes by tile; the tiles
// that it finds heaviest are made and measured.
func (m *maker) fits(ctx context.Context, pl *plan, z int, weights string) (bool, error) {
	rows, err := m.tx.Query(ctx, `
		with w (x, y, n, bytes) as (`+weights+`)
		select x, y, n, bytes from (
			(select * from w order by bytes desc, x, y limit 2)
			union (select * from w order by n desc, x, y limit 1)
		) w`)
	if err != nil {
		return false, err
	}
	type heavy struct {
		X, Y     int
		N, Bytes float64
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[heavy])
	if err != nil {
		return false, err
	}
	for _, h := range list {
		if h.N > crowd {
			return false, nil
		}
	}
	for _, h := range list {
		if h.Bytes < Budget/2 {
			continue // can't be too large even uncompressed
		}
		q := statement(m.rel, pl, address{z, h.X, h.Y}, Params{}, 0)
		var body []byte
		if err := m.tx.QueryRow(ctx, q.sql, q.args...).Scan(&body); err != nil {
			return false, err
		}
		tile, err := pack(body, "")
		if err != nil {
			return false, err
		}
		if float64(len(tile.Gzip)) > headroom*Budget {
			return false, nil
		}
	}
	return true, nil
}
