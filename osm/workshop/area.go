package workshop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// Limits of an area: what can be walked, and what a drawn shape may weigh.
const (
	maxAround    = 10_000 // metres
	maxSquareKm  = 400
	maxShapeSize = 200_000 // bytes of GeoJSON
)

// resolve gives the area of a plan as the EWKB of a valid multipolygon. What
// can't be found or drawn is a *geo.InputError.
func resolve(ctx context.Context, db postgis.DB, a Area) ([]byte, error) {
	switch {
	case a.Around != nil:
		return around(ctx, db, *a.Around)
	case a.Commune != "":
		return bounded(ctx, db, a.Commune)
	case len(a.GeoJSON) > 0:
		return drawn(ctx, db, a.GeoJSON)
	}
	return nil, geo.Bad(nil, "workshop.no-area")
}

func around(ctx context.Context, db postgis.DB, a Around) ([]byte, error) {
	if a.Metres < 50 || a.Metres > maxAround {
		return nil, geo.Bad(nil, "workshop.radius", "least", 50, "most", maxAround)
	}
	var area []byte
	err := db.QueryRow(ctx, `select st_asewkb(st_multi(st_buffer(place::geography, $2)::geometry)) from eric where id = $1`, a.ERIC, a.Metres).Scan(&area)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, geo.Bad(nil, "workshop.no-eric", "eric", a.ERIC)
	}
	if err != nil {
		return nil, fmt.Errorf("draw the area around %s: %w", a.ERIC, postgis.Kind(err))
	}
	return area, nil
}

// bounded finds an area of OpenStreetMap by its key, else the smallest commune
// or quarter of that name.
func bounded(ctx context.Context, db postgis.DB, which string) ([]byte, error) {
	var area []byte
	var km2 float64
	err := db.QueryRow(ctx, `
		select st_asewkb(st_multi(g)), st_area(g::geography) / 1e6
		from (
			select st_transform(geom, 4326) as g
			from osm.area
			where _key = $1 or public.plain(name) = public.plain($1) and (tags ? 'boundary' or tags ? 'place')
			order by _key = $1 desc, st_area(geom), _key
			limit 1
		) a`, which).Scan(&area, &km2)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, geo.Bad(nil, "workshop.no-commune", "commune", which)
	}
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", which, postgis.Kind(err))
	}
	if km2 > maxSquareKm {
		return nil, geo.Bad(nil, "workshop.area-too-large", "most", maxSquareKm)
	}
	return area, nil
}

// drawn reads a shape that somebody drew.
func drawn(ctx context.Context, db postgis.DB, shape []byte) ([]byte, error) {
	if len(shape) > maxShapeSize {
		return nil, geo.Bad(nil, "workshop.shape")
	}
	var doc struct {
		Type     string          `json:"type"`
		Geometry json.RawMessage `json:"geometry"`
		Features []struct {
			Geometry json.RawMessage `json:"geometry"`
		} `json:"features"`
	}
	if err := json.Unmarshal(shape, &doc); err != nil {
		return nil, geo.Bad(err, "workshop.shape")
	}
	switch {
	case doc.Type == "Feature":
		shape = doc.Geometry
	case doc.Type == "FeatureCollection" && len(doc.Features) > 0:
		shape = doc.Features[0].Geometry
	case doc.Type != "Polygon" && doc.Type != "MultiPolygon":
		return nil, geo.Bad(nil, "workshop.shape")
	}
	var area []byte
	var km2 float64
	var inWorld bool
	// In a transaction of its own, so that bad geometry does not end the caller's.
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `
			with shape as (
				select st_multi(st_collectionextract(st_makevalid(st_setsrid(st_force2d(st_geomfromgeojson($1::text)), 4326)), 3)) as g
			)
			select st_asewkb(g), case when w then st_area(g::geography) / 1e6 else 0 end, w
			from shape, lateral (select coalesce(g @ st_makeenvelope(-180, -85, 180, 85, 4326), false) as w) inside`,
			string(shape)).Scan(&area, &km2, &inWorld)
	})
	switch err := postgis.Kind(err); {
	case errors.Is(err, geo.ErrUnavailable) || ctx.Err() != nil:
		return nil, fmt.Errorf("read a drawn shape: %w", err)
	case err != nil || !inWorld || km2 <= 0:
		return nil, geo.Bad(err, "workshop.shape")
	case km2 > maxSquareKm:
		return nil, geo.Bad(nil, "workshop.area-too-large", "most", maxSquareKm)
	}
	return area, nil
}

// extent is the box of an area in EPSG:3857.
func extent(ctx context.Context, db postgis.DB, area []byte) (geo.Box, error) {
	var b geo.Box
	err := db.QueryRow(ctx, `
		select st_xmin(g), st_ymin(g), st_xmax(g), st_ymax(g)
		from (select st_transform(st_geomfromewkb($1), 3857) as g) a`, area).Scan(&b.MinX, &b.MinY, &b.MaxX, &b.MaxY)
	if err != nil {
		return b, fmt.Errorf("measure an area: %w", postgis.Kind(err))
	}
	return b, nil
}

// within cuts a cell's rectangle (EPSG:3857) out of an area.
func within(ctx context.Context, db postgis.DB, area []byte, box geo.Box) ([]byte, error) {
	var cell []byte
	// The rectangle's sides run along meridians and parallels in both systems.
	err := db.QueryRow(ctx, `
		select st_asewkb(st_multi(st_collectionextract(
			st_intersection(st_geomfromewkb($1), st_transform(st_makeenvelope($2, $3, $4, $5, 3857), 4326)), 3)))`,
		area, box.MinX, box.MinY, box.MaxX, box.MaxY).Scan(&cell)
	if err != nil {
		return nil, fmt.Errorf("cut out a cell: %w", postgis.Kind(err))
	}
	return cell, nil
}

// A Commune is an area of OpenStreetMap that a session may take.
type Commune struct {
	Key  string
	Name string
}

// Communes lists the communes and quarters that OpenStreetMap bounds, by name.
func Communes(ctx context.Context, db postgis.DB) ([]Commune, error) {
	rows, err := db.Query(ctx, `
		select _key, name
		from osm.area
		where name is not null and (tags ->> 'boundary' = 'administrative' and tags ->> 'admin_level' in ('8', '9', '10', '11')
			or tags ->> 'place' in ('quarter', 'suburb', 'neighbourhood'))
		order by public.plain(name), _key
		limit 2000`)
	if err != nil {
		return nil, fmt.Errorf("list the communes: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Commune])
}

// An ERIC is a public internet-access point.
type ERIC struct {
	ID, Title string
	Lon, Lat  float64
}

// ERICs lists them by title.
func ERICs(ctx context.Context, db postgis.DB) ([]ERIC, error) {
	rows, err := db.Query(ctx, `select id, title, st_x(place), st_y(place) from eric order by public.plain(title), id`)
	if err != nil {
		return nil, fmt.Errorf("list the ERICs: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[ERIC])
}
