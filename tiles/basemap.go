package tiles

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// BasemapLayer is the name of the basemap's tileset. It has many layers, with
// the names and attributes of the Shortbread schema (CC0) 1.0, and names in
// French, Italian and Occitan besides.
const BasemapLayer = "basemap"

// basemapRules counts the changes of the statements sql/basemap_*.sql: a
// basemap made by older ones is made again.
const basemapRules = 1

// shortbread lists the layers of the basemap in their order in a tile, with
// the zooms that have them. Their number, from 1, stands for them in
// osm.basemap: append only.
var shortbread = []struct {
	name    string
	minzoom int
	fields  string // "kind:String name:String"; names stands for the names
}{
	{"ocean", 0, ""},
	{"water_polygons", 4, "kind:String way_area:Number"},
	{"water_lines", 9, "kind:String tunnel:Boolean bridge:Boolean"},
	{"dam_lines", 12, "kind:String"},
	{"dam_polygons", 12, "kind:String"},
	{"pier_lines", 12, "kind:String"},
	{"pier_polygons", 12, "kind:String"},
	{"land", 7, "kind:String"},
	{"sites", 14, "kind:String"},
	{"bridges", 12, "kind:String"},
	{"buildings", 14, ""},
	{"street_polygons", 11, "kind:String service:String surface:String tunnel:Boolean bridge:Boolean"},
	{"streets", 5, "kind:String link:Boolean rail:Boolean tunnel:Boolean bridge:Boolean oneway:Boolean oneway_reverse:Boolean " +
		"tracktype:String surface:String service:String bicycle:String horse:String"},
	{"aerialways", 12, "kind:String"},
	{"ferries", 10, "kind:String names"},
	{"boundaries", 0, "admin_level:Number maritime:Boolean"},
	{"boundary_labels", 2, "admin_level:Number way_area:Number names"},
	{"place_labels", 4, "kind:String population:Number names"},
	{"water_polygons_labels", 4, "kind:String way_area:Number names"},
	{"water_lines_labels", 12, "kind:String names"},
	{"streets_polygons_labels", 14, "kind:String names"},
	{"street_labels", 12, "kind:String ref:String ref_rows:Number ref_cols:Number names"},
	{"street_labels_points", 12, "kind:String ref:String names"},
	{"public_transport", 11, "kind:String iata:String names"},
	{"pois", 14, "amenity:String leisure:String tourism:String shop:String man_made:String historic:String emergency:String highway:String " +
		"office:String housename:String housenumber:String cuisine:String sport:String vending:String information:String tower:type:String " +
		"religion:String denomination:String atm:Boolean names"},
	{"addresses", 14, "housename:String housenumber:String"},
}

// Languages of the basemap's names, beside the name on the spot: those of the
// hub, German as Shortbread has it, and Occitan.
var nameLanguages = []string{"fr", "en", "it", "de", "oc"}

// basemapText gives an embedded statement with the numbers of the layers put
// in for their names, and two expressions: {names:a}, the names of the row a
// that differ from its name, and {passage}, whether a way is a tunnel or bridge.
func basemapText(file string) string {
	replace := []string{
		"{rules}", strconv.Itoa(basemapRules),
		"{passage}", `jsonb_build_object('tunnel', case when tags->>'tunnel' in ('yes', 'building_passage') or tags->>'covered' = 'yes' then true end, ` +
			`'bridge', case when tags->>'bridge' is not null and tags->>'bridge' <> 'no' then true end)`,
	}
	for i, l := range shortbread {
		replace = append(replace, "{"+l.name+"}", strconv.Itoa(i+1)+"::smallint")
	}
	return names.ReplaceAllStringFunc(text(file, replace...), func(s string) string {
		row := names.FindStringSubmatch(s)[1]
		list := fmt.Sprintf(`'name', %s.name`, row)
		for _, lang := range nameLanguages {
			list += fmt.Sprintf(`, 'name_%[2]s', nullif(%[1]s.tags->>'name:%[2]s', %[1]s.name)`, row, lang)
		}
		return `jsonb_strip_nulls(jsonb_build_object(` + list + `))`
	})
}

var names = regexp.MustCompile(`\{names:(\w+)\}`)

// PrepareBasemap rebuilds the basemap when the extract of OpenStreetMap, or
// the way it is drawn, is another than the one it was made of. Tiles show the
// old one until the new one is whole.
func PrepareBasemap(ctx context.Context, db postgis.DB, log *slog.Logger) error {
	var due bool
	err := db.QueryRow(ctx, `select to_regclass('osm.state') is not null`).Scan(&due)
	if err == nil && due {
		err = db.QueryRow(ctx, `
			select exists (
				select from osm.state s
				where not exists (select from osm.basemap_state b where b.imported_at = s.imported_at and b.rules = $1))`, basemapRules).Scan(&due)
	}
	if err != nil {
		return fmt.Errorf("ask whether the basemap is due: %w", err)
	}
	if !due {
		return clearBasemap(ctx, db)
	}
	begun := time.Now()
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `set local jit = off; set local work_mem = '64MB'`); err != nil {
			return err
		}
		for _, part := range []string{"begin", "areas", "lines", "points", "ocean", "boundaries", "end"} {
			at := time.Now()
			if _, err := tx.Exec(ctx, basemapText("basemap_"+part)); err != nil {
				return fmt.Errorf("%s: %w", part, err)
			}
			log.Debug("basemap part made", "part", part, "took", time.Since(at))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("make the basemap: %w", err)
	}
	log.Info("basemap made", "took", time.Since(begun))
	return nil
}

// clearBasemap takes the basemap out when the extract it was made of is gone.
func clearBasemap(ctx context.Context, db postgis.DB) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `delete from osm.basemap_state where not exists (select from osm.state)`)
		if err == nil && tag.RowsAffected() > 0 {
			_, err = tx.Exec(ctx, `truncate osm.basemap`)
		}
		if err != nil {
			return fmt.Errorf("clear the basemap: %w", err)
		}
		return nil
	})
}

// basemapTile is the query of a basemap tile, and the names of its layers.
var (
	basemapTile  = basemapText("basemap_tile")
	basemapNames = func() []string {
		list := make([]string, len(shortbread))
		for i, l := range shortbread {
			list[i] = l.name
		}
		return list
	}()
)

// basemap makes a tile of the basemap. A step of the ladder leaves out what is
// smaller than so many pixels, addresses and points of interest first.
func (t *Tiles) basemap(ctx context.Context, a address, level int) ([]byte, error) {
	first, last := min(a.z, 12), min(a.z, 14)
	least := 0.0
	if level > 0 {
		least = a.width() / 512 * float64(int(1)<<(level-1))
	}
	rows, err := t.pool.Query(ctx, basemapTile, a.z, a.x, a.y, first, last, basemapNames, least)
	if err != nil {
		return nil, err
	}
	var body, part []byte
	var layer int
	_, err = pgx.ForEachRow(rows, []any{&layer, &part}, func() error {
		body = append(body, part...)
		return nil
	})
	return body, err
}

// readBasemap completes the plan of the basemap: the tag of what is built now,
// whatever the extract that the catalogue knows.
func (t *Tiles) readBasemap(ctx context.Context, pl *plan) error {
	var id *int64
	var box [4]*float64
	err := t.pool.QueryRow(ctx, `
		select s.id, st_xmin(s.box), st_ymin(s.box), st_xmax(s.box), st_ymax(s.box)
		from (select) one
		left join osm.basemap_state s on true`).Scan(&id, &box[0], &box[1], &box[2], &box[3])
	if err != nil {
		return err
	}
	pl.tag, pl.extent = "b0", geo.EmptyBox()
	if id != nil {
		pl.tag = fmt.Sprintf("b%d", *id)
		pl.extent = geo.Box{MinX: *box[0], MinY: *box[1], MaxX: *box[2], MaxY: *box[3]}
	}
	return nil
}
