package tiles

import "context"

// BasemapLayer is the name of the basemap's tileset.
const BasemapLayer = "basemap"

func (t *Tiles) basemap(ctx context.Context, a address, level int) ([]byte, error) { return nil, nil }
func basemapLayers() []VectorLayer                                                 { return nil }
