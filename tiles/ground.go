package tiles

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// A GroundItem is one feature of the basemap outside tiles.
type GroundItem struct {
	Layer, Kind, Name, Ref string
	Rail                   bool
	Geometry               []byte // EWKB, EPSG:3857
}

// ground is the statement of Ground.
var ground = basemapText("ground")

// Ground gives what the basemap shows nearest inside a box of EPSG:3857, cut
// to it and simplified to a tolerance in its metres, from the lowest drawn up:
// for maps that are drawn whole, such as field sheets. It is empty without an
// extract of OpenStreetMap.
func (t *Tiles) Ground(ctx context.Context, box geo.Box, tolerance float64) ([]GroundItem, error) {
	var there bool
	if err := t.pool.QueryRow(ctx, `select to_regclass('osm.area') is not null`).Scan(&there); err != nil || !there {
		return nil, wrapGround(err)
	}
	names := make([]string, len(shortbread))
	for i, l := range shortbread {
		names[i] = l.name
	}
	rows, err := t.pool.Query(ctx, ground, box.MinX, box.MinY, box.MaxX, box.MaxY, names, tolerance)
	if err != nil {
		return nil, wrapGround(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[GroundItem])
	return list, wrapGround(err)
}

func wrapGround(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read the ground: %w", kind(err))
}
