package ingest_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"calanque/geo"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

// shared is the folder of real files that organisations published. It is not
// part of the project: without it the tests that want it are skipped.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("CALANQUE_SHARED_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	path := filepath.Join(dir, filepath.FromSlash(name))
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no real data: %s is not there (set CALANQUE_SHARED_DATA)", name)
	}
	return path
}

// ogrCounts asks ogrinfo for the number of features of each layer.
func ogrCounts(t testing.TB, path string) map[string]int64 {
	t.Helper()
	if _, err := exec.LookPath("ogrinfo"); err != nil {
		t.Skip("no ogrinfo to compare with")
	}
	out, err := exec.Command("ogrinfo", "-ro", "-json", "-al", "-so", path).Output()
	if err == nil {
		var v struct {
			Layers []struct {
				Name         string
				FeatureCount int64
			}
		}
		if err := json.Unmarshal(out, &v); err == nil {
			counts := map[string]int64{}
			for _, l := range v.Layers {
				counts[l.Name] = l.FeatureCount
			}
			return counts
		}
	}
	return ogrText(t, path)
}

// ogrText does so with a GDAL that does not speak JSON yet.
func ogrText(t testing.TB, path string) map[string]int64 {
	t.Helper()
	out, err := exec.Command("ogrinfo", "-ro", "-al", "-so", path).Output()
	if err != nil {
		t.Fatalf("ogrinfo %s: %v", path, err)
	}
	counts := map[string]int64{}
	name := ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		if n, ok := strings.CutPrefix(line, "Layer name: "); ok {
			name = n
		}
		if n, ok := strings.CutPrefix(line, "Feature Count: "); ok {
			var c int64
			if err := json.Unmarshal([]byte(n), &c); err != nil {
				t.Fatal(err)
			}
			counts[name] = c
		}
	}
	return counts
}

// lines counts the lines of a file that has no line break within a record.
func lines(t testing.TB, path string) int64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return int64(bytes.Count(b, []byte("\n")))
}

// realFiles are loaded as they came.
var realFiles = []struct {
	name   string
	file   string
	change func(*ingest.Request)
	lines  int    // GDAL does not read it: its lines less so many are its records
	noGeom int64  // -1: not checked
	text   string // a field that must be text
	srid   geo.SRID
}{
	{name: "communes", file: "communes/communes-paca-2018-10.geojson", text: "code", srid: 4326, change: key("code")},
	{name: "parks", file: "pnr/PNR-paca.geojson", srid: 4326},
	{name: "measures", file: "air/atmosud-06-journalier-7j-2019-10.csv", srid: 2154},
	{name: "merimee-2014", file: "regional/paca/merimee-paca-2014-06-06.tsv", noGeom: 201},
	{name: "merimee-2016", lines: 1, file: "regional/paca/merimee-paca-2016-06-22.csv", noGeom: -1},
	{name: "pharmacies", file: "regional/paca/pharmacies-paca-monaco-2014-10-07.csv", noGeom: -1, srid: 2154},
	{name: "schools", file: "regional/paca/schools-paca-2014-06-06.csv", noGeom: -1, srid: 2154},
	{name: "laposte-2014", file: "regional/paca/laposte-paca-monaco-2014-06-06.csv", noGeom: 12},
	{name: "laposte-2012", file: "regional/paca/laposte-paca-monaco-2012-10-31.csv", noGeom: -1},
	{name: "gendarmerie", lines: 1, file: "regional/paca/gendarmerie-paca-2014-07-08.csv", noGeom: -1, srid: 2154},
	{name: "stations", file: "regional/paca/gares-rff-paca-2011-11-23.csv", noGeom: -1},
	{name: "fuel", file: "regional/paca/fuel-paca-2017-08-30.csv", noGeom: -1},
	{name: "postcodes", file: "regional/paca/codes-postaux-paca-2014-11-27.csv", noGeom: -1},
	{name: "services", file: "regional/paca/services-publics-paca-2016-10-29.tsv", noGeom: -1},
	{name: "stops", lines: 1, file: "regional/paca/sncf-stops-paca-bbox-2015-08-24.txt", noGeom: -1},
	{name: "crossings", file: "regional/paca/passages-a-niveau-paca-bbox-2014-06-06.csv", noGeom: -1},
	{name: "addresses", file: "regional/paca/adresses-accm-arles-2013.csv", noGeom: -1},
	{name: "plu", file: "regional/quadogeo-plu-pertuis.gpkg", srid: 2154, noGeom: -1},
	{name: "pertuis", file: "regional/quadogeo-pertuis-commune.gpkg", srid: 2154},
	{name: "pprt", file: "regional/encoding-crs/geopackage/pprt_69dreal20090005/pprt_69dreal20090005.gpkg", srid: 2154, change: anywhere},
	{name: "ac1-assiette", file: "regional/cnig/172014607_AC1_2A_20180130/AC1_ASSIETTE_SUP_S.shp", srid: 2154, change: anywhere},
	{name: "ac1-generateur", file: "regional/cnig/172014607_AC1_2A_20180130/AC1_GENERATEUR_SUP_S.shp", srid: 2154, change: anywhere},
	{name: "ac1-acte", file: "regional/cnig/172014607_AC1_2A_20180130/AC1_ACTE_SUP.dbf"},
	{name: "int1-assiette", file: "regional/cnig/213000896_INT1_83044_20160130/INT1_ASSIETTE_SUP_S.shp", srid: 2154},
	{name: "int1-generateur", file: "regional/cnig/213000896_INT1_83044_20160130/INT1_GENERATEUR_SUP_S.shp", srid: 2154},
	{name: "prescription-latin1", file: "regional/encoding-crs/data/shp_latin1/PRESCRIPTION_PCT.shp", srid: 2154, change: anywhere},
	{name: "prescription-utf8", file: "regional/encoding-crs/data/shp_utf8/PRESCRIPTION_PCT.shp", srid: 2154, change: anywhere},
	{name: "special-chars", file: "regional/encoding-crs/dbf/SPECIAL_CHARS.DBF"},
	{name: "crau", file: "regional/crige-crau-camargue-occupation-agricole-2025.geojson", srid: 4326},
	{name: "boat-lines", file: "regional/crige-bateaubus-lignes.geojson", srid: 4326},
	{name: "boat-piers", file: "regional/crige-bateaubus-embarcaderes.geojson", srid: 4326},
}

func key(fields ...string) func(*ingest.Request) {
	return func(r *ingest.Request) { r.Key = fields }
}

func anywhere(r *ingest.Request) { r.Anywhere = true }

func TestRealFiles(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	for _, c := range realFiles {
		t.Run(c.name, func(t *testing.T) {
			path := shared(t, c.file)
			req := request(c.name, path)
			if c.change != nil {
				c.change(&req)
			}
			r := load(t, hub, req)
			checkCounts(t, r, path, c.lines)
			for _, l := range r.Layers {
				t.Logf("%s: %s %d, %s, read %d loaded %d repaired %d rejected %d no geometry %d", l.Name, l.Geometry, l.SRID, l.Encoding, l.Read, l.Loaded, l.Repaired, l.Rejected, l.NoGeometry)
				for _, f := range l.Fields {
					t.Logf("  %s %s (%s)", f.Name, f.Type, f.Title)
				}
				for _, n := range l.Notes {
					t.Logf("  note %s %v", n.Code, n.Args)
				}
				for _, n := range l.Rules {
					t.Logf("  rule %s %d %v", n.Rule, n.Count, n.Example)
				}
				if c.noGeom >= 0 && l.NoGeometry != c.noGeom && l.Geometry != geo.None {
					t.Errorf("got %d without geometry, want %d", l.NoGeometry, c.noGeom)
				}
				if c.srid != 0 && l.Geometry != geo.None && l.SRID != c.srid {
					t.Errorf("got SRID %d, want %d", l.SRID, c.srid)
				}
				for _, f := range l.Fields {
					if f.Name == c.text && f.Type != geo.TextField {
						t.Errorf("field %s: got %s, want text", f.Name, f.Type)
					}
				}
			}
		})
	}
	checkInvariants(t, hub)
	checkValid(t, hub)
}

// checkCounts compares what was read with what ogrinfo counts.
func checkCounts(t *testing.T, r ingest.Report, path string, heads int) {
	t.Helper()
	var want map[string]int64
	if heads > 0 {
		want = map[string]int64{"": lines(t, path) - int64(heads)}
	} else {
		want = ogrCounts(t, path)
	}
	for _, l := range r.Layers {
		n, ok := want[l.Source]
		if !ok && len(want) == 1 {
			for _, only := range want {
				n = only
			}
		}
		if l.Read != n || l.Read != l.Loaded+l.Rejected {
			t.Errorf("%s: read %d, loaded %d, rejected %d; ogrinfo counts %d", l.Source, l.Read, l.Loaded, l.Rejected, n)
		}
	}
	if len(r.Layers) != len(want) {
		t.Errorf("got %d layers, ogrinfo has %d", len(r.Layers), len(want))
	}
}

// checkValid makes sure that all geometry that is served is valid, flat and
// in order.
func checkValid(t *testing.T, hub *postgis.Hub) {
	t.Helper()
	relations, err := postgis.Relations(t.Context(), hub.Owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range relations {
		if r.Geom3857 == "" {
			continue
		}
		var bad int
		err := hub.Owner.QueryRow(t.Context(), `
			select count(*) from "data"."`+r.Table+`"
			where not st_isvalid(_geom) or not st_isvalid(_geom_3857) or st_ndims(_geom_3857) <> 2
			   or st_distance(st_setsrid(st_makepoint(st_xmin(st_transform(_geom, 3857)), st_ymax(st_transform(_geom, 3857))), 3857),
			      st_setsrid(st_makepoint(st_xmin(_geom_3857), st_ymax(_geom_3857)), 3857)) > 0.01`).Scan(&bad)
		if err != nil {
			t.Fatal(err)
		}
		if bad > 0 {
			t.Errorf("%s: %d geometries are not as they should be", r.Layer, bad)
		}
	}
}

// AtmoSud's measures are a series: the week comes in two halves, and again.
func TestRealSeries(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	path := shared(t, "air/atmosud-06-journalier-7j-2019-10.csv")
	req := request("mesures", path)
	req.Key, req.Series = []string{"nom_station", "polluant"}, &ingest.Series{Time: "date"}
	r := load(t, hub, req)
	want := lines(t, path) - 1
	if r.Loaded() != want || relation(t, hub, "mesures").Count != want {
		t.Errorf("got %d loaded, %d served; the file has %d", r.Loaded(), relation(t, hub, "mesures").Count, want)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	later := write(t, "later.csv", strings.ReplaceAll(string(b), "/10/2019", "/11/2019"))
	load(t, hub, ingest.Request{Dataset: "mesures", Path: later})
	load(t, hub, ingest.Request{Dataset: "mesures", Path: path})
	if got := relation(t, hub, "mesures").Count; got != 2*want {
		t.Errorf("after another week, and the first again: got %d, want %d", got, 2*want)
	}
	day := date(2019, 11, 14)
	got := items(t, hub, "mesures", geo.Query{Interval: &geo.Interval{From: day, To: day}})
	if v := got["ANTIBES JEAN MOULIN:Dioxyde d'azote@2019-11-14"]; v == nil || v[2] != 17.3 {
		t.Errorf("got %v", got)
	}
	checkInvariants(t, hub)
}
