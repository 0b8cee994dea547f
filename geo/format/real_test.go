package format

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"calanque/geo"
	"calanque/geo/crs"
)

// sharedData gives the folder of real files, or skips and says so.
func sharedData(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("CALANQUE_SHARED_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(dir, "README.md")); err != nil {
		t.Skip("no real data: CALANQUE_SHARED_DATA and ../shared/data are absent")
	}
	return dir
}

// What real files should give, beside the counts that ogrinfo finds. Geoms is
// how many records have a geometry, rejected how many can't be read.
var realFiles = []struct {
	file     string
	srid     geo.SRID
	geoms    int
	encoding string
	anywhere bool
	ogr      []string // open options that ogrinfo needs
}{
	{file: "regional/cnig/172014607_AC1_2A_20180130/AC1_ASSIETTE_SUP_S.shp", srid: 2154, geoms: 206, encoding: "utf-8", anywhere: true},
	{file: "regional/cnig/172014607_AC1_2A_20180130/AC1_GENERATEUR_SUP_S.shp", srid: 2154, geoms: 104, encoding: "utf-8", anywhere: true},
	{file: "regional/cnig/172014607_AC1_2A_20180130/AC1_ACTE_SUP.dbf", encoding: "utf-8"},
	{file: "regional/cnig/172014607_AC1_2A_20180130/AC1_SERVITUDE.dbf", encoding: "utf-8"},
	{file: "regional/cnig/213000896_INT1_83044_20160130/INT1_ASSIETTE_SUP_S.shp", srid: 2154, geoms: 1, encoding: "utf-8"},
	{file: "regional/cnig/213000896_INT1_83044_20160130/INT1_GENERATEUR_SUP_S.shp", srid: 2154, geoms: 1, encoding: "utf-8"},
	{file: "regional/encoding-crs/data/shp_latin1/PRESCRIPTION_PCT.shp", srid: 2154, geoms: 59, encoding: "cp1252", anywhere: true},
	{file: "regional/encoding-crs/data/shp_utf8/PRESCRIPTION_PCT.shp", srid: 2154, geoms: 59, encoding: "utf-8", anywhere: true},
	{file: "regional/encoding-crs/data/dbf_latin1/ACTE_SUP.dbf", encoding: "cp1252"},
	{file: "regional/encoding-crs/dbf/SPECIAL_CHARS.DBF", encoding: "cp1252"},
	{file: "regional/encoding-crs/geopackage/pprt_69dreal20090005/pprt_69dreal20090005.gpkg", srid: 2154, geoms: 10, anywhere: true},
	{file: "regional/quadogeo-pertuis-commune.gpkg", srid: 2154, geoms: 1},
	{file: "regional/quadogeo-plu-pertuis.gpkg", srid: 2154, geoms: 113},
	{file: "communes/communes-paca-2016-10.geojson", srid: 4326, geoms: 968, encoding: "utf-8"},
	{file: "communes/communes-paca-2018-10.geojson", srid: 4326, geoms: 947, encoding: "utf-8"},
	{file: "communes/departements-paca-2018-10.geojson", srid: 4326, geoms: 6, encoding: "utf-8"},
	{file: "pnr/PNR-paca.geojson", srid: 4326, geoms: 9, encoding: "utf-8"},
	{file: "regional/crige-bateaubus-lignes.geojson", srid: 4326, geoms: 15, encoding: "utf-8"},
	{file: "regional/crige-bateaubus-ports.geojson", srid: 4326, geoms: 8, encoding: "utf-8"},
	{file: "regional/crige-crau-camargue-occupation-agricole-2025.geojson", srid: 4326, geoms: 8, encoding: "utf-8"},
	{file: "matching/eau-potable-opendata.geojson", srid: 4326, geoms: 148, encoding: "utf-8", anywhere: true},
	{file: "air/atmosud-06-journalier-7j-2019-10.csv", srid: 2154, geoms: 188, encoding: "utf-8"},
	{file: "regional/paca/adresses-accm-arles-2013.csv", geoms: 21752, encoding: "utf-8"},
	{file: "regional/paca/codes-postaux-paca-2014-11-27.csv", encoding: "cp1252"},
	{file: "regional/paca/fuel-paca-2016-10-29.csv", srid: 4326, geoms: 1032, encoding: "utf-8"},
	{file: "regional/paca/fuel-paca-2017-08-30.csv", srid: 4326, geoms: 789, encoding: "utf-8"},
	{file: "regional/paca/gares-rff-paca-2011-11-23.csv", srid: 4326, geoms: 144, encoding: "cp1252"},
	{file: "regional/paca/gendarmerie-paca-2014-07-08.csv", srid: 2154, geoms: 180, encoding: "cp1252", ogr: []string{"pipe"}},
	{file: "regional/paca/laposte-paca-monaco-2012-10-31.csv", srid: 4326, geoms: 957, encoding: "cp1252"},
	{file: "regional/paca/laposte-paca-monaco-2014-06-06.csv", srid: 4326, geoms: 950, encoding: "cp1252"},
	{file: "regional/paca/merimee-paca-2014-06-06.tsv", srid: 4326, geoms: 1992, encoding: "utf-8", ogr: []string{"-oo", "HEADERS=NO"}},
	{file: "regional/paca/merimee-paca-2016-06-22.csv", srid: 4326, geoms: 2116, encoding: "utf-8", ogr: []string{"pipe"}},
	{file: "regional/paca/passages-a-niveau-paca-bbox-2014-06-06.csv", srid: 4326, geoms: 666, encoding: "cp1252"},
	{file: "regional/paca/pharmacies-paca-monaco-2014-10-07.csv", srid: 2154, geoms: 1915, encoding: "utf-8"},
	{file: "regional/paca/schools-paca-2014-06-06.csv", geoms: 4186, encoding: "cp1252"},
	{file: "regional/paca/services-publics-paca-2016-10-29.tsv", srid: 4326, geoms: 2728, encoding: "utf-8", ogr: []string{"-oo", "HEADERS=NO"}},
	{file: "regional/paca/sncf-stops-paca-bbox-2015-08-24.txt", srid: 4326, geoms: 378, encoding: "utf-8", ogr: []string{"csv"}},
	{file: "regional/encoding-crs/csv/AC2_ASSIETTE_SUP_S_014_latin1.csv", encoding: "cp1252"},
	{file: "regional/encoding-crs/csv/AC2_GENERATEUR_SUP_S_014_utf8.csv", encoding: "utf-8"},
	{file: "regional/encoding-crs/geometry/ZONE_URBA.csv", geoms: 27, encoding: "utf-8"},
}

// Real files of the region and the State read whole: as many records as
// ogrinfo finds, none rejected, in their place, in the right encoding.
func TestRealFiles(t *testing.T) {
	t.Parallel()
	dir := sharedData(t)
	_, err := exec.LookPath("ogrinfo")
	haveOGR := err == nil
	if !haveOGR {
		t.Log("ogrinfo is absent: counts are not compared with its own")
	}
	for _, c := range realFiles {
		t.Run(filepath.Base(c.file), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(dir, c.file)
			src, err := Open(t.Context(), path, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			l := src.Layers()[0]
			if l.CRS.SRID != c.srid || l.Encoding != c.encoding {
				t.Errorf("got srid %d, encoding %q, want %d, %q", l.CRS.SRID, l.Encoding, c.srid, c.encoding)
			}
			counts := make([]int, len(src.Layers()))
			for i := range counts {
				geoms, points := readReal(t, src, i, &counts[i])
				if i > 0 {
					continue
				}
				if geoms != c.geoms {
					t.Errorf("got %d geometries, want %d", geoms, c.geoms)
				}
				if p := crs.Propose(points, crs.Reading{SRID: l.CRS.SRID}, crs.Region); !c.anywhere && geoms > 0 {
					if len(p) == 0 || c.srid != 0 && p[0].SRID != c.srid {
						t.Errorf("place test: got %v, want %d first", p, c.srid)
					}
				}
			}
			if haveOGR {
				compareOGR(t, path, src.Layers(), counts, c.ogr)
			}
		})
	}
}

// readReal reads a layer and gives its number of geometries and their first points.
func readReal(t *testing.T, src Source, i int, count *int) (geoms int, points []crs.Point) {
	t.Helper()
	l := src.Layers()[i]
	err := src.Read(t.Context(), i, func(r *Record) error {
		*count++
		if r.Err != nil {
			t.Errorf("record %d rejected: %v: %s", r.Number, r.Err, r.Raw())
			return nil
		}
		if err := checkRecord(l, r); err != nil {
			t.Errorf("record %d: %v", r.Number, err)
		}
		for k, v := range r.Values {
			if s, ok := v.(string); ok && strings.ContainsRune(s, '\uFFFD') {
				t.Errorf("record %d: %s: lost text %q", r.Number, l.Columns[k].Title, s)
			}
		}
		if r.Geometry != nil {
			geoms++
			if x, y, ok := FirstPoint(r.Geometry); ok {
				points = append(points, crs.Point{x, y})
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if int64(*count) != l.Count {
		t.Errorf("layer %s: got %d records, count says %d", l.Name, *count, l.Count)
	}
	return geoms, points
}

// compareOGR compares layers and counts with what ogrinfo finds. The option
// "csv" stands for a text file that ogrinfo knows only by that extension,
// "pipe" for one whose delimiter it does not know: it gets a copy with tabs.
func compareOGR(t *testing.T, path string, layers []Layer, counts []int, options []string) {
	t.Helper()
	if len(options) == 1 && options[0] == "csv" {
		options, path = nil, "CSV:"+path
	} else if len(options) == 1 {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		options, path = nil, filepath.Join(t.TempDir(), "copy.csv")
		if err := os.WriteFile(path, bytes.ReplaceAll(b, []byte("|"), []byte("\t")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := append([]string{"-json", "-al", "-so"}, options...)
	out, err := exec.Command("ogrinfo", append(args, path)...).Output()
	if err != nil || len(out) == 0 || out[0] != '{' { // before 3.7 there is no -json
		compareOGRText(t, path, layers, counts, options)
		return
	}
	var info struct {
		Layers []struct {
			Name         string
			FeatureCount int
		}
	}
	if err := json.Unmarshal(out, &info); err != nil {
		t.Fatal(err)
	}
	want := map[string]int{}
	for _, l := range info.Layers {
		want[l.Name] = l.FeatureCount
	}
	compareCounts(t, layers, counts, want)
}

func compareOGRText(t *testing.T, path string, layers []Layer, counts []int, options []string) {
	t.Helper()
	args := append([]string{"-al", "-so"}, options...)
	out, err := exec.Command("ogrinfo", append(args, path)...).Output()
	if err != nil {
		t.Fatalf("ogrinfo: %v", err)
	}
	want, name := map[string]int{}, ""
	for line := range strings.Lines(string(out)) {
		if n, ok := strings.CutPrefix(line, "Layer name: "); ok {
			name = strings.TrimSpace(n)
		}
		if n, ok := strings.CutPrefix(line, "Feature Count: "); ok {
			k, _ := parseInt([]byte(strings.TrimSpace(n)))
			want[name] = int(k)
		}
	}
	compareCounts(t, layers, counts, want)
}

func compareCounts(t *testing.T, layers []Layer, counts []int, want map[string]int) {
	t.Helper()
	if len(want) != len(layers) {
		t.Errorf("got %d layers, ogrinfo finds %v", len(layers), want)
	}
	for i, l := range layers {
		n, ok := want[l.Name]
		if len(layers) == 1 && !ok {
			for _, n = range want {
				ok = true
			}
		}
		if !ok || n != counts[i] {
			t.Errorf("layer %s: got %d records, ogrinfo finds %d", l.Name, counts[i], n)
		}
	}
}

// Geometries of real files are those that ogr2ogr finds, ring by ring.
func TestRealGeometries(t *testing.T) {
	t.Parallel()
	dir := sharedData(t)
	if _, err := exec.LookPath("ogr2ogr"); err != nil {
		t.Skip("ogr2ogr is absent: geometries are not compared with its own")
	}
	for _, file := range []string{
		"regional/cnig/172014607_AC1_2A_20180130/AC1_ASSIETTE_SUP_S.shp",
		"regional/cnig/172014607_AC1_2A_20180130/AC1_GENERATEUR_SUP_S.shp",
		"regional/quadogeo-plu-pertuis.gpkg",
		"communes/communes-paca-2018-10.geojson",
		"pnr/PNR-paca.geojson",
	} {
		other := filepath.Join(t.TempDir(), "other.gpkg") // not CSV: its WKT has fifteen digits
		if strings.HasSuffix(file, ".gpkg") {
			other = filepath.Join(t.TempDir(), "other.shp")
		}
		out, err := exec.Command("ogr2ogr", "-nlt", "PROMOTE_TO_MULTI", other, filepath.Join(dir, file)).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		got, want := geometries(t, filepath.Join(dir, file)), geometries(t, other)
		if len(got) != len(want) || len(got) == 0 {
			t.Errorf("%s: got %d geometries, ogr2ogr finds %d", file, len(got), len(want))
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%s: record %d\ngot  %.300s\nwant %.300s", file, i+1, got[i], want[i])
				break
			}
		}
	}
}

func geometries(t *testing.T, path string) []string {
	t.Helper()
	src, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var out []string
	if err := src.Read(t.Context(), 0, func(r *Record) error {
		out = append(out, plainGeometry(t, r.Geometry))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}
