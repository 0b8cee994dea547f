package osm_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
	"calanque/osm/osmtest"
)

// board is a grid of 8 by 8 nodes, numbered row by row from 1; a cell is one
// unit of area.
const board = `
	|  1 |  2 |  3 |  4 |  5 |  6 |  7 |  8 |
	|  9 | 10 | 11 | 12 | 13 | 14 | 15 | 16 |
	| 17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 |
	| 25 | 26 | 27 | 28 | 29 | 30 | 31 | 32 |
	| 33 | 34 | 35 | 36 | 37 | 38 | 39 | 40 |
	| 41 | 42 | 43 | 44 | 45 | 46 | 47 | 48 |
	| 49 | 50 | 51 | 52 | 53 | 54 | 55 | 56 |
	| 57 | 58 | 59 | 60 | 61 | 62 | 63 | 64 |`

// At the equator cells are squares of this many metres in 3857.
const cellMetres = 111.31949079327357

// The outer square of 49 cells, whole and in pieces.
const (
	square   = "Nn1,n8,n64,n57,n1"
	squareNE = "Nn1,n8,n64"
	squareSW = "Nn57,n64"
	squareW  = "Nn57,n1"
)

// An areaCase is drawn objects and what becomes of them: each area as
// key:cells/polygons/rings, then lines, then problems as key code drawn.
type areaCase struct {
	name     string
	objects  []string
	remove   []string
	areas    []string
	lines    []string
	problems []string
}

var areaCases = []areaCase{
	{name: "way", objects: []string{"w1 Tlanduse=forest " + square}, areas: []string{"w1:49/1/1"}},
	{name: "clockwise or not", objects: []string{"w1 Tlanduse=forest Nn1,n57,n64,n8,n1"}, areas: []string{"w1:49/1/1"}},
	{
		name:    "split in pieces of any direction",
		objects: []string{"w1 " + squareNE, "w2 " + squareSW, "w3 " + squareW, "r1 Ttype=multipolygon,landuse=forest Mw2@outer,w1@,w3@outer"},
		areas:   []string{"r1:49/1/1"},
	},
	{
		name: "hole", objects: []string{
			"w1 " + square, "w2 Nn19,n22,n46,n43,n19", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner",
		}, areas: []string{"r1:40/1/2"},
	},
	{
		name: "hole that is a lake too", objects: []string{
			"w1 " + square, "w2 Tnatural=water Nn19,n22,n46,n43,n19", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner",
		}, areas: []string{"r1:40/1/2", "w2:9/1/1"},
	},
	{
		name: "roles are not believed", objects: []string{
			"w1 " + square, "w2 Nn19,n22,n46,n43,n19", "r1 Ttype=multipolygon,landuse=forest Mw1@inner,w2@outer",
		}, areas: []string{"r1:40/1/2"},
	},
	{
		name: "holes that share a corner", objects: []string{
			"w1 " + square, "w2 Nn10,n12,n28,n26,n10", "w3 Nn28,n30,n46,n44,n28",
			"r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner,w3@inner",
		}, areas: []string{"r1:41/1/3"},
	},
	{
		name: "holes that share a side", objects: []string{
			"w1 " + square, "w2 Nn10,n12,n28,n26,n10", "w3 Nn12,n14,n30,n28,n12",
			"r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner,w3@inner",
		}, areas: []string{"r1:41/1/2"}, problems: []string{"r1 osm.segments-twice true"},
	},
	{
		name: "hole that touches the outside at a corner", objects: []string{
			"w1 Nn1,n4,n8,n64,n57,n1", "w2 Nn4,n19,n21,n4", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner",
		}, areas: []string{"r1:47/1/2"},
	},
	{
		name: "hole that cuts the area in two by two corners", objects: []string{
			"w1 Nn1,n4,n8,n64,n60,n57,n1", "w2 Nn4,n28,n60,n27,n4", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner",
		}, areas: []string{"r1:45.5/2/2"},
	},
	{
		name: "hole that shares a side with the outside", objects: []string{
			"w1 Nn1,n3,n6,n8,n64,n57,n1", "w2 Nn3,n6,n22,n19,n3", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner",
		}, areas: []string{"r1:43/1/1"}, problems: []string{"r1 osm.segments-twice true"},
	},
	{
		name: "island in a lake in an island", objects: []string{
			"w1 " + square, "w2 Nn10,n15,n55,n50,n10", "w3 Nn19,n22,n46,n43,n19", "w4 Nn28,n29,n37,n36,n28",
			"r1 Ttype=multipolygon,place=island Mw1@outer,w2@inner,w3@outer,w4@inner",
		}, areas: []string{"r1:32/2/4"},
	},
	{
		name: "two outer rings that share a corner", objects: []string{
			"w1 Nn1,n4,n28,n25,n1", "w2 Nn28,n32,n64,n60,n28", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@outer",
		}, areas: []string{"r1:25/2/2"},
	},
	{
		name: "two outer rings that share a side are one", objects: []string{
			"w1 Nn1,n4,n28,n25,n1", "w2 Nn4,n8,n32,n28,n4", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@outer",
		}, areas: []string{"r1:21/1/1"}, problems: []string{"r1 osm.segments-twice true"},
	},
	{
		name: "ring of two islands that touch twice", objects: []string{
			// A diamond's frame: left and right half meet at 4 and 60 only.
			"w1 Nn4,n1,n57,n60,n27,n4", "w2 Nn4,n8,n64,n60,n29,n4", "r1 Ttype=multipolygon,natural=wood Mw1@outer,w2@outer",
		}, areas: []string{"r1:42/2/2"},
	},
	{
		name: "figure of eight", objects: []string{"w1 Tnatural=water Nn1,n4,n28,n32,n64,n60,n28,n25,n1"},
		areas: []string{"w1:25/2/2"},
	},
	{
		name: "boundary with a label", objects: []string{
			"w1 " + square, "n28 Tplace=village,name=Bandol",
			"r1 Ttype=boundary,boundary=administrative,name=Bandol Mw1@outer,n28@label",
		}, areas: []string{"r1:49/1/1"},
	},
	{
		name: "old style: tags on the outer way", objects: []string{
			"w1 Tlanduse=forest,source=cadastre " + square, "w2 Nn19,n22,n46,n43,n19", "r1 Ttype=multipolygon Mw1@outer,w2@inner",
		}, areas: []string{"r1:40/1/2"},
	},
	{
		name: "old style: a hole with the same tags is no object", objects: []string{
			"w1 Tlanduse=forest " + square, "w2 Tlanduse=forest Nn19,n22,n46,n43,n19", "r1 Ttype=multipolygon Mw1@outer,w2@inner",
		}, areas: []string{"r1:40/1/2"},
	},
	{
		name: "old style: a hole with other tags is one", objects: []string{
			"w1 Tlanduse=forest " + square, "w2 Tnatural=water Nn19,n22,n46,n43,n19", "r1 Ttype=multipolygon Mw1@outer,w2@inner",
		}, areas: []string{"r1:40/1/2", "w2:9/1/1"},
	},
	{
		name: "old style: common tags make the area, others stay on the way", objects: []string{
			"w1 Tlanduse=forest,barrier=fence " + squareNE, "w2 Tlanduse=forest Nn64,n57,n1", "r1 Ttype=multipolygon Mw1@outer,w2@outer",
		}, areas: []string{"r1:49/1/1"}, lines: []string{"w1"}, problems: []string{"w1 osm.area-open true"},
	},
	{
		name: "nothing says what it is", objects: []string{
			"w1 Tbarrier=fence " + squareNE, "w2 Thighway=path Nn64,n57,n1", "r1 Ttype=multipolygon Mw1@outer,w2@outer",
		}, lines: []string{"w1", "w2"}, problems: []string{"r1 osm.relation-bare false"},
	},
	{
		name: "member twice", objects: []string{"w1 " + square, "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w1@outer"},
		areas: []string{"r1:49/1/1"},
	},
	{
		name: "member missing, cut at the border", objects: []string{
			"w1 " + squareNE, "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@outer",
		}, problems: []string{"r1 osm.area-open false", "r1 osm.members-missing false"},
	},
	{
		name: "hole missing", objects: []string{"w1 " + square, "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner"},
		areas: []string{"r1:49/1/1"}, problems: []string{"r1 osm.members-missing true"},
	},
	{
		name: "outer ring open", objects: []string{"w1 Nn1,n8,n64,n57", "r1 Ttype=multipolygon,landuse=forest Mw1@outer"},
		problems: []string{"r1 osm.area-open false"},
	},
	{
		name: "hole open: the rest is drawn", objects: []string{
			"w1 " + square, "w2 Nn19,n22,n46,n43", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner",
		}, areas: []string{"r1:49/1/1"}, problems: []string{"r1 osm.area-open true"},
	},
	{
		name: "spur on the border", objects: []string{
			"w1 " + square, "w2 Nn8,n15", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@outer",
		}, areas: []string{"r1:49/1/1"}, problems: []string{"r1 osm.area-open true"},
	},
	{
		name: "crosses itself", objects: []string{"w1 Tbuilding=yes Nn1,n64,n8,n57,n1"},
		areas: []string{"w1:24.5/2/2"}, problems: []string{"w1 osm.area-repaired true"},
	},
	{
		name: "there and back", objects: []string{"w1 Tbuilding=yes Nn1,n2,n3,n2,n1"},
		lines: []string{"w1"}, problems: []string{"w1 osm.area-flat true", "w1 osm.segments-twice true"},
	},
	{
		name: "unclosed building", objects: []string{"w1 Tbuilding=yes Nn1,n2,n10"},
		lines: []string{"w1"}, problems: []string{"w1 osm.area-open true"},
	},
	{
		name: "node missing", objects: []string{"w1 Tbuilding=yes Nn1,n2,n10,n9,n1", "w2 Thighway=path Nn1,n2,n10"}, remove: []string{"n10"},
		lines: []string{"w1", "w2"}, problems: []string{"w1 osm.nodes-missing true", "w2 osm.nodes-missing true"},
	},
	{
		name: "way of one node", objects: []string{"w1 Thighway=path Nn1,n1"},
		problems: []string{"w1 osm.way-short false"},
	},
	{
		name: "tags decide", objects: []string{
			"w1 Thighway=pedestrian Nn1,n2,n10,n9,n1", "w2 Thighway=pedestrian,area=yes Nn1,n2,n10,n9,n1",
			"w3 Tnatural=coastline Nn1,n2,n10,n9,n1", "w4 Tleisure=track Nn1,n2,n10,n9,n1", "w5 Tleisure=pitch Nn1,n2,n10,n9,n1",
			"w6 Tbuilding=yes,area=no Nn1,n2,n10,n9,n1", "w7 Tnatural=ridge Nn1,n2,n10,n9,n1", "w8 Tbarrier=hedge Nn1,n2,n10,n9,n1",
			"w9 Tboundary=protected_area Nn1,n2,n10,n9,n1", "w10 Troundabout=yes,junction=roundabout Nn1,n2,n10,n9,n1",
		}, areas: []string{"w2:1/1/1", "w5:1/1/1", "w9:1/1/1"}, lines: []string{"w1", "w10", "w3", "w4", "w6", "w7", "w8"},
	},
	{
		name: "relation of relations", objects: []string{
			"w1 " + square, "r1 Ttype=multipolygon,landuse=forest Mw1@outer", "r2 Ttype=multipolygon,natural=wood Mr1@outer",
		}, areas: []string{"r1:49/1/1"}, problems: []string{"r2 osm.member-relation false"},
	},
	{
		name: "two nodes at one place close a ring", objects: []string{
			"n99 x0 y0", "w1 Nn1,n8,n64", "w2 Nn64,n57,n99", "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@outer",
		}, areas: []string{"r1:49/1/1"},
	},
}

// TestAreas draws each shape and asks PostGIS what came of it. All areas are
// valid, outer rings counter-clockwise.
func TestAreas(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	for _, c := range areaCases { // one after the other: the hub holds one extract
		m := osmtest.Grid(t, [2]float64{0, 0}, 0.001, board, c.objects...).Remove(c.remove...)
		if _, err := osm.Import(t.Context(), hub, m.File(), osm.Options{Force: true}); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got := areaCase{name: c.name, objects: c.objects, remove: c.remove}
		got.areas, got.lines, got.problems = drawnAreas(t, hub), texts(t, hub.Web, `select _key from osm.line order by 1`), problems(t, hub)
		if d := cmp.Diff(c, got, cmp.AllowUnexported(areaCase{}), cmp.Transformer("nil", func(s []string) []string {
			return append([]string{}, s...)
		})); d != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, d)
		}
	}
}

func drawnAreas(t *testing.T, hub *postgis.Hub) []string {
	t.Helper()
	bad := texts(t, hub.Web, `
		select _key || ' ' || st_isvalidreason(geom)
		from osm.area
		where not st_isvalid(geom) or not st_ispolygonccw(geom)`)
	if len(bad) > 0 {
		t.Errorf("invalid or turned: %v", bad)
	}
	// The sixth decimal of a cell: the plane stretches to the south by so little.
	return texts(t, hub.Web, `
		select format('%s:%s/%s/%s', _key, round((st_area(geom) / $1)::numeric, 2)::real, st_numgeometries(geom), st_nrings(geom))
		from osm.area
		order by 1`, cellMetres*cellMetres)
}

func problems(t *testing.T, hub *postgis.Hub) []string {
	t.Helper()
	var list []string
	err := osm.Problems(t.Context(), hub.Web, func(p osm.Problem) error {
		list = append(list, fmt.Sprintf("%c%d %s %v", p.Type, p.ID, p.Message.Code, p.Drawn))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
