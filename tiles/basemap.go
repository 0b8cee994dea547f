package tiles

import (
	"context"

	"calanque/geo/postgis"
)

// BasemapLayer is the name of the basemap's tileset.
const BasemapLayer = "basemap"

func (t *Tiles) basemap(ctx context.Context, a address, level int) ([]byte, error) { return nil, nil }
func basemapLayers() []VectorLayer                                                 { return nil }

func PrepareBasemap(ctx context.Context, db postgis.DB) error { return nil }
