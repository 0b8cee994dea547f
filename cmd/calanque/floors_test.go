package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// edges is the picture of docs/architecture.md: which of the project's
// packages each may import. A package that is not here may not exist.
var edges = map[string]string{
	"geo":                     "",
	"geo/postgis/cluster":     "geo",
	"osm/pbf":                 "geo",
	"geo/crs":                 "geo",
	"viewer":                  "geo",
	"geo/format":              "geo geo/crs",
	"geo/postgis":             "geo",
	"geo/postgis/postgistest": "geo geo/postgis geo/postgis/cluster",
	"geo/ingest":              "geo geo/blob geo/crs geo/format geo/postgis",
	"geo/blob":                "geo",
	"geo/picture":             "geo",
	"geo/catalogue":           "geo geo/blob geo/postgis",
	"api/dcat":                "api/answer geo geo/catalogue",
	"tiles":                   "geo geo/postgis",
	"osm":                     "geo geo/postgis osm/pbf",
	"osm/osmtest":             "osm/pbf",
	"osm/sample":              "geo osm/pbf",
	"osm/match":               "geo geo/postgis",
	"osm/workshop":            "geo geo/postgis osm osm/match",
	"api/answer":              "geo",
	"api/account":             "geo geo/postgis",
	"api/features":            "api/answer geo geo/format geo/postgis",
	"api":                     "api/account api/answer api/dcat api/features geo geo/blob geo/catalogue geo/ingest geo/postgis osm/match osm/workshop tiles viewer",
	"cmd/calanque":            "*",
}

// TestFloors holds the import rule: lower floors never import upper ones, and
// every edge is one that was decided.
func TestFloors(t *testing.T) {
	t.Parallel()
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", "calanque/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		words := strings.Fields(line)
		pkg := strings.TrimPrefix(words[0], "calanque/")
		allowed, known := edges[pkg]
		if !known {
			t.Errorf("package %s has no floor: decide its edges here and in docs/architecture.md", pkg)
			continue
		}
		for _, imp := range words[1:] {
			to, own := strings.CutPrefix(imp, "calanque/")
			if own && allowed != "*" && !slices.Contains(strings.Fields(allowed), to) {
				t.Errorf("%s imports %s, which is not an edge of the architecture", pkg, to)
			}
		}
	}
}
