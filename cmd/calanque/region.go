package main

import (
	"context"

	"calanque/geo"
	"calanque/geo/crs"
	"calanque/geo/postgis"
)

// region is where data should be: what the last catalogue file said, else
// Provence-Alpes-Côte d'Azur. Lon/lat.
func region(_ context.Context, _ *postgis.Hub) (geo.Box, error) { return crs.Region, nil }
