package tiles_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
	"calanque/osm/osmtest"
	"calanque/tiles"
)

var basemap = geo.Relation{Layer: tiles.BasemapLayer, Life: geo.Live, Extent: geo.EmptyBox(), Revision: 1}

func importOSM(t testing.TB, hub *postgis.Hub, file string) {
	t.Helper()
	if _, err := osm.Import(t.Context(), hub, file, osm.Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	if err := tiles.Prepare(t.Context(), hub, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
}

// A coast from west to east with the land in the north, an island, and one of
// each thing that a basemap draws.
func coast(t testing.TB) *osmtest.Map {
	return osmtest.Grid(t, [2]float64{5.36, 43.3}, 0.002, `
		| 51| 52| 53| 54|   |   | 81|
		|   |   | 61|   |   |   |   |
		| 21|   | 22|   | 23|   | 24|
		|   | 31| 32|   | 71|   |   |
		|   | 34| 33|   |   |   |   |
		| 1 | 2 | 3 | 4 | 5 | 6 | 7 |
		|   |   |   |   |   |   |   |
		|   | 11| 12|   |   |   | 91|
		|   | 14| 13|   |   | 92|   |`,
		"w1 Tnatural=coastline Nn1,n2,n3,n4",
		"w2 Tnatural=coastline Nn4,n5,n6,n7",
		"w3 Tnatural=coastline Nn11,n14,n13,n12,n11",
		"w4 Thighway=motorway,ref=A%20%50 Nn21,n22,n23",
		"w5 Thighway=motorway,ref=A%20%50,bridge=yes Nn23,n24",
		"w6 Thighway=residential,name=Rue%20%des%20%Moulins,name:fr=Rue%20%des%20%Moulins,name:oc=Carriera%20%dels%20%Molins,oneway=yes Nn51,n52,n53,n54",
		"w7 Tlanduse=forest Nn31,n32,n33,n34,n31",
		"w8 Tbuilding=yes,addr:housenumber=12 Nn61,n52,n53,n61",
		"w9 Troute=ferry Nn91,n92",
		"n71 Tplace=town,name=La%20%Calanque,population=6021",
		"n81 Tamenity=drinking_water",
		"n91 Thighway=bus_stop,name=Port")
}

func TestBasemap(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	ts := tiles.New(hub, tiles.Options{})
	x, y := address(5.366, 43.294, 14)
	before, err := ts.Get(t.Context(), basemap, 14, x, y, tiles.Params{})
	if err != nil || len(before.Body) != 0 {
		t.Errorf("before any import: got %d bytes, %v, want an empty tile", len(before.Body), err)
	}
	m := coast(t)
	importOSM(t, hub, m.File())
	ts = tiles.New(hub, tiles.Options{})
	tile, err := ts.Get(t.Context(), basemap, 14, x, y, tiles.Params{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "basemap", tile)
	again, err := tiles.New(hub, tiles.Options{}).Get(t.Context(), basemap, 14, x, y, tiles.Params{})
	if err != nil || !bytes.Equal(tile.Body, again.Body) || tile.ETag != again.ETag {
		t.Errorf("made twice: got %s and %s, %v", tile.ETag, again.ETag, err)
	}
	j, err := ts.TileJSON(t.Context(), basemap, tiles.About{})
	if err != nil {
		t.Fatal(err)
	}
	if len(j.VectorLayers) != 26 || j.MaxZoom != 14 || len(j.Bounds) != 4 || j.Bounds[0] > 5.36 {
		t.Errorf("got TileJSON %+v", j)
	}
}

// The sea is south of the coast and around the island, at every zoom, within
// the extract and as far beyond it as the basemap goes.
func TestBasemapOcean(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	importOSM(t, hub, coast(t).File())
	ts := tiles.New(hub, tiles.Options{})
	places := []struct {
		name     string
		lon, lat float64
		sea      bool
	}{
		{"inland", 5.366, 43.295, false},
		{"off the coast", 5.370, 43.288, true},
		{"on the island", 5.363, 43.285, false},
		{"beyond the island", 5.363, 43.2826, true},
		{"west of the extract, inland", 5.357, 43.296, false},
		{"east of the extract, at sea", 5.375, 43.287, true},
	}
	for z := 12; z <= 16; z++ {
		for _, p := range places {
			x, y := address(p.lon, p.lat, z)
			tile, err := ts.Get(t.Context(), basemap, z, x, y, tiles.Params{})
			if err != nil {
				t.Fatal(err)
			}
			if got := atSea(t, tile, p.lon, p.lat, z); got != p.sea {
				t.Errorf("zoom %d, %s: sea is %v, want %v", z, p.name, got, p.sea)
			}
		}
	}
}

func atSea(t testing.TB, tile tiles.Tile, lon, lat float64, z int) bool {
	t.Helper()
	fx, fy := fraction(lon, lat, z)
	at := orb.Point{fx * 4096, fy * 4096}
	for _, l := range decode(t, tile) {
		for _, f := range l.Features {
			switch g := f.Geometry.(type) {
			case orb.Polygon:
				if l.Name == "ocean" && planar.PolygonContains(g, at) {
					return true
				}
			case orb.MultiPolygon:
				if l.Name == "ocean" && planar.MultiPolygonContains(g, at) {
					return true
				}
			}
		}
	}
	return false
}

func TestBasemapFollowsTheExtract(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	importOSM(t, hub, coast(t).File())
	x, y := address(5.366, 43.294, 14)
	ts := tiles.New(hub, tiles.Options{})
	first, err := ts.Get(t.Context(), basemap, 14, x, y, tiles.Params{})
	if err != nil {
		t.Fatal(err)
	}
	if err := tiles.Prepare(t.Context(), hub, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if !ts.Current(basemap, first.ETag) {
		t.Error("Prepare without an import: want nothing made again")
	}
	m := coast(t).Remove("w6")
	m.Date(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC))
	importOSM(t, hub, m.File())
	second, err := tiles.New(hub, tiles.Options{}).Get(t.Context(), basemap, 14, x, y, tiles.Params{})
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(first.Body, second.Body) || first.ETag == second.ETag {
		t.Error("after another import: want another tile")
	}
	if bytes.Contains(second.Body, []byte("Moulins")) {
		t.Error("the street that is gone is still drawn")
	}
	// The process that served the first tile learns of the new basemap by itself.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		tile, err := ts.Get(ctx, basemap, 14, x, y, tiles.Params{})
		if err != nil {
			t.Fatal(err)
		}
		if tile.ETag == second.ETag {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestBasemapOfRealExtracts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"monaco-2021-04-21.osm.pbf", "liechtenstein-2013-08-03.osm.pbf"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := shared(t, "osm", name)
			hub := postgistest.New(t)
			importOSM(t, hub, file)
			ts := tiles.New(hub, tiles.Options{})
			j, err := ts.TileJSON(t.Context(), basemap, tiles.About{})
			if err != nil {
				t.Fatal(err)
			}
			seen := map[string]bool{}
			largest := map[int]int{}
			for z := 0; z <= 14; z++ {
				x0, y1 := address(j.Bounds[0], j.Bounds[1], z)
				x1, y0 := address(j.Bounds[2], j.Bounds[3], z)
				for x := x0; x <= x1; x++ {
					for y := y0; y <= y1; y++ {
						tile, err := ts.Get(t.Context(), basemap, z, x, y, tiles.Params{})
						if err != nil && !errors.Is(err, geo.ErrNotFound) {
							t.Fatal(err)
						}
						if len(tile.Gzip) > tiles.Budget || tile.Level != 0 {
							t.Errorf("tile %d/%d/%d: %d bytes, level %d", z, x, y, len(tile.Gzip), tile.Level)
						}
						largest[z] = max(largest[z], len(tile.Gzip))
						for _, l := range decode(t, tile) {
							seen[l.Name] = true
						}
					}
				}
			}
			var layers []string
			for l := range seen {
				layers = append(layers, l)
			}
			slices.Sort(layers)
			t.Logf("layers %v; largest tile by zoom %v", layers, largest)
			if len(layers) < 12 {
				t.Errorf("got %d layers, want a map", len(layers))
			}
		})
	}
}

// shared is the path of a real file, or skips the test.
func shared(t testing.TB, path ...string) string {
	t.Helper()
	dir := os.Getenv("CALANQUE_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared", "data")
	}
	name := filepath.Join(append([]string{dir}, path...)...)
	if _, err := os.Stat(name); err != nil {
		t.Skipf("skipped: no real file %s", filepath.Join(path...))
	}
	return name
}
