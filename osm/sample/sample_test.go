package sample

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"calanque/osm/pbf"
)

var today = time.Date(2026, 11, 24, 8, 10, 0, 0, time.UTC)

// A written sample is made once for all tests that read it.
type written struct {
	dir      string
	manifest Manifest
	err      error
}

var cache struct {
	sync.Mutex
	made map[string]*sync.Once
	got  map[string]*written
	dirs []string
}

func TestMain(m *testing.M) {
	cache.made, cache.got = map[string]*sync.Once{}, map[string]*written{}
	code := m.Run()
	for _, d := range cache.dirs {
		os.RemoveAll(d)
	}
	os.Exit(code)
}

func sampleOf(t *testing.T, seed int64, edition int) (string, Manifest) {
	t.Helper()
	key := fmt.Sprint(seed, "/", edition)
	cache.Lock()
	if cache.made[key] == nil {
		cache.made[key], cache.got[key] = &sync.Once{}, &written{}
	}
	once, w := cache.made[key], cache.got[key]
	cache.Unlock()
	once.Do(func() {
		if w.dir, w.err = os.MkdirTemp("", "calanque-sample-test-"); w.err != nil {
			return
		}
		cache.Lock()
		cache.dirs = append(cache.dirs, w.dir)
		cache.Unlock()
		w.manifest, w.err = Write(t.Context(), w.dir, Options{Seed: seed, Today: today, Edition: edition})
	})
	if w.err != nil {
		t.Fatal(w.err)
	}
	return w.dir, w.manifest
}

func read(t *testing.T, dir, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSameSeedSameBytes(t *testing.T) {
	t.Parallel()
	a, m := sampleOf(t, 1, 1)
	other, _ := sampleOf(t, 2, 1)
	again := t.TempDir()
	if _, err := Write(t.Context(), again, Options{Seed: 1, Today: today.Add(5 * time.Hour)}); err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Files {
		if !bytes.Equal(read(t, a, f.Path), read(t, again, f.Path)) {
			t.Errorf("%s: the same seed gave other bytes", f.Path)
		}
		ext := filepath.Ext(f.Path)
		paper := ext == ".pdf" || f.Path == "ville/menus-cantines.csv" // the same in every commune
		if !paper && !slices.Contains([]string{".txt", ".prj", ".cpg"}, ext) && f.Path != "crige/points-eau.shx" && f.Path != "crige/communes.shx" &&
			bytes.Equal(read(t, a, f.Path), read(t, other, f.Path)) {
			t.Errorf("%s: another seed gave the same bytes", f.Path)
		}
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	_, m := sampleOf(t, 1, 1)
	for _, f := range m.Files {
		if f.Path == "osm/roquebelle.osm.pbf" && f.Bytes > 3<<20 {
			t.Errorf("%s: got %d bytes, want at most 3 MB", f.Path, f.Bytes)
		}
		if f.Path == "crige/points-eau.shp" && f.Records < 100 || f.Path == "crige/equipements-publics.zip" && f.Records < 200 {
			t.Errorf("%s: got %d records, too few to judge a matcher", f.Path, f.Records)
		}
	}
}

// osmIDs are the keys of all objects of an extract with their versions.
func osmIDs(t *testing.T, path string) map[string]int32 {
	t.Helper()
	r, err := pbf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ids := map[string]int32{}
	err = r.Read(t.Context(), pbf.ReadOptions{Ordered: true}, func(b *pbf.Block) error {
		for i, id := range b.Nodes.ID {
			ids[fmt.Sprint("n", id)] = b.Nodes.Version[i]
		}
		for i, id := range b.Ways.ID {
			ids[fmt.Sprint("w", id)] = b.Ways.Version[i]
		}
		for i, id := range b.Relations.ID {
			ids[fmt.Sprint("r", id)] = b.Relations.Version[i]
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// dbfKeys are the values of a table's first column.
func dbfKeys(t *testing.T, data []byte) []string {
	t.Helper()
	rows := int(binary.LittleEndian.Uint32(data[4:]))
	start, width := int(binary.LittleEndian.Uint16(data[8:])), int(binary.LittleEndian.Uint16(data[10:]))
	first := int(data[32+16])
	var keys []string
	for i := range rows {
		row := data[start+i*width:]
		keys = append(keys, strings.TrimRight(string(row[1:1+first]), " "))
	}
	return keys
}

func facilityTable(t *testing.T, dir string) []byte {
	t.Helper()
	data := read(t, dir, "crige/equipements-publics.zip")
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		if !strings.HasSuffix(f.Name, ".DBF") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		table, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	t.Fatal("the zip holds no table")
	return nil
}

func TestTruthFitsFiles(t *testing.T) {
	t.Parallel()
	for _, edition := range []int{1, 2} {
		dir, m := sampleOf(t, 1, edition)
		ids := osmIDs(t, filepath.Join(dir, "osm", "roquebelle.osm.pbf"))
		keys := map[string][]string{
			"points-eau":          dbfKeys(t, read(t, dir, "crige/points-eau.dbf")),
			"equipements-publics": dbfKeys(t, facilityTable(t, dir)),
		}
		seen := map[string]int{}
		for _, tr := range m.Truth {
			if tr.Side == "record" {
				seen[tr.Dataset+" "+tr.Key]++
			} else if _, ok := ids[tr.Key]; !ok {
				t.Errorf("edition %d: object %s is not in the extract", edition, tr.Key)
			}
			for _, id := range append(slices.Clone(tr.OSM), tr.Candidates...) {
				if _, ok := ids[id]; !ok {
					t.Errorf("edition %d: %s of record %s is not in the extract", edition, id, tr.Key)
				}
			}
		}
		for dataset, list := range keys {
			for _, k := range list {
				if seen[dataset+" "+k] != 1 {
					t.Errorf("edition %d: record %s of %s: got %d truths, want 1", edition, k, dataset, seen[dataset+" "+k])
				}
				delete(seen, dataset+" "+k)
			}
		}
		for k := range seen {
			t.Errorf("edition %d: truth about %s, which is no record", edition, k)
		}
		rows, err := csv.NewReader(bytes.NewReader(read(t, dir, "truth.csv"))).ReadAll()
		if err != nil || len(rows) != len(m.Truth)+1 {
			t.Errorf("edition %d: truth.csv has %d rows (%v), want %d", edition, len(rows), err, len(m.Truth)+1)
		}
	}
}

// wanted are the kinds that every seed must show, by dataset and side.
var wanted = map[string][]string{
	"record": {"identical", "attributes_differ", "moved", "only_open_data", "ambiguous", "duplicate_open_data", "closed_in_osm", "out_of_scope"},
	"osm":    {"only_osm", "duplicate_osm"},
}

// TestEveryKind looks at a few seeds; CALANQUE_SAMPLE_SEEDS=20 at that many.
func TestEveryKind(t *testing.T) {
	t.Parallel()
	seeds := int64(2)
	if n := os.Getenv("CALANQUE_SAMPLE_SEEDS"); n != "" {
		if _, err := fmt.Sscan(n, &seeds); err != nil {
			t.Fatal(err)
		}
	}
	for seed := int64(1); seed <= seeds; seed++ {
		_, m := sampleOf(t, seed, 1)
		have := map[string]int{}
		noise := map[string]int{}
		for _, tr := range m.Truth {
			have[tr.Dataset+" "+tr.Side+" "+tr.Kind]++
			for _, n := range tr.Noise {
				noise[n]++
			}
		}
		for _, dataset := range []string{"points-eau", "equipements-publics"} {
			for side, kinds := range wanted {
				for _, k := range kinds {
					if have[dataset+" "+side+" "+k] == 0 {
						t.Errorf("seed %d: %s has no %s", seed, dataset, k)
					}
				}
			}
		}
		if have["equipements-publics record far_reference"] == 0 {
			t.Errorf("seed %d: no far_reference", seed)
		}
		for _, n := range []string{"shifted", "street_start", "wrong_place", "prefix", "no_name", "abbreviated", "article", "capitals", "no_accents", "category"} {
			if noise[n] == 0 {
				t.Errorf("seed %d: no record suffered %s", seed, n)
			}
		}
	}
}

func TestSecondEdition(t *testing.T) {
	t.Parallel()
	a, first := sampleOf(t, 1, 1)
	b, second := sampleOf(t, 1, 2)
	for _, f := range first.Files {
		same := bytes.Equal(read(t, a, f.Path), read(t, b, f.Path))
		changes := f.Path == "osm/roquebelle.osm.pbf" || f.Path == "truth.csv"
		if same == changes {
			t.Errorf("%s: same in both editions: %v", f.Path, same)
		}
	}
	old, now := osmIDs(t, filepath.Join(a, "osm", "roquebelle.osm.pbf")), osmIDs(t, filepath.Join(b, "osm", "roquebelle.osm.pbf"))
	gone, added, changed := 0, 0, 0
	for id, v := range old {
		w, ok := now[id]
		switch {
		case !ok:
			gone++
		case w > v:
			changed++
		case w < v:
			t.Errorf("%s: version %d, then %d", id, v, w)
		}
	}
	for id := range now {
		if _, ok := old[id]; !ok {
			added++
		}
	}
	if gone < 4 || added < 4 || changed < 10 {
		t.Errorf("got %d gone, %d added, %d changed: too few edits", gone, added, changed)
	}
	kinds := map[string]string{}
	for _, tr := range first.Truth {
		kinds[tr.Dataset+tr.Key] = tr.Kind
	}
	differ := 0
	for _, tr := range second.Truth {
		if k, ok := kinds[tr.Dataset+tr.Key]; ok && k != tr.Kind {
			differ++
		}
	}
	if differ < 10 {
		t.Errorf("got %d truths that changed with the edits, want at least 10", differ)
	}
}

func TestAirSeries(t *testing.T) {
	t.Parallel()
	dir, _ := sampleOf(t, 1, 1)
	rows := func(path string) [][]string {
		data := read(t, dir, path)
		if !bytes.HasPrefix(data, []byte("\ufeff")) {
			t.Errorf("%s: no byte order mark", path)
		}
		list, err := csv.NewReader(bytes.NewReader(data[3:])).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		return list[1:]
	}
	first, next := rows("airpaca/indice.csv"), rows("airpaca/indice-suite.csv")
	at := map[string]string{}
	days, unavailable, nameless := map[string]int{}, 0, 0
	for _, r := range first {
		at[r[0]+r[7]] = strings.Join(r, ",")
		days[r[0]]++
		if r[2] == "0" {
			unavailable++
		}
		if r[8] == "" {
			nameless++
		}
		if len(r[7]) != 5 {
			t.Errorf("code_zone %q: want five characters", r[7])
		}
	}
	if len(days) != 33 || unavailable != 1 || nameless != 33 {
		t.Errorf("got %d days, %d unavailable, %d without a name; want 33, 1, 33", len(days), unavailable, nameless)
	}
	corrected, added := 0, 0
	for _, r := range next {
		old, ok := at[r[0]+r[7]]
		switch {
		case !ok:
			added++
		case old != strings.Join(r, ","):
			corrected++
		}
	}
	if corrected == 0 || added == 0 {
		t.Errorf("the next file corrects %d and adds %d rows; want some of both", corrected, added)
	}
	if len(rows("airpaca/mesures.csv")) < 200 {
		t.Error("too few measures")
	}
}

func tool(t *testing.T, name string, args ...string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("skipped: no %s on PATH", name)
	}
	out, err := exec.CommandContext(t.Context(), path, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func TestOsmiumAgrees(t *testing.T) {
	t.Parallel()
	for seed := int64(1); seed <= 2; seed++ {
		dir, _ := sampleOf(t, seed, 1)
		osmiumReads(t, filepath.Join(dir, "osm", "roquebelle.osm.pbf"))
	}
}

func osmiumReads(t *testing.T, file string) {
	t.Helper()
	if out := tool(t, "osmium", "fileinfo", "-e", file); !strings.Contains(out, "Objects ordered (by type and id): yes") ||
		!strings.Contains(out, "Number of changesets: 0") {
		t.Errorf("fileinfo:\n%s", out)
	}
	tool(t, "osmium", "check-refs", "-r", file)
	out := tool(t, "osmium", "export", "-e", "-o", filepath.Join(t.TempDir(), "x.geojson"), file)
	if strings.Contains(out, "error") {
		t.Errorf("export:\n%s", out)
	}
}

func TestOgrAgrees(t *testing.T) {
	t.Parallel()
	dir, m := sampleOf(t, 1, 1)
	records := map[string]int{}
	for _, f := range m.Files {
		records[f.Path] = f.Records
	}
	for _, c := range []struct {
		source, layer string
		count         int
		contains      string
	}{
		{filepath.Join(dir, "crige", "points-eau.shp"), "points-eau", records["crige/points-eau.shp"], "Fontaine de la place aux Herbes"},
		{"/vsizip/" + filepath.Join(dir, "crige", "equipements-publics.zip") + "/Équipements publics/EQUIPEMENTS_PUBLICS.SHP", "EQUIPEMENTS_PUBLICS", records["crige/equipements-publics.zip"], "École"},
		{filepath.Join(dir, "crige", "communes.shp"), "communes", records["crige/communes.shp"], "INSEE (String) = 048"},
		{filepath.Join(dir, "pnr", "parc.gpkg"), "sentiers", records["pnr/parc.gpkg"] - 1, "Sentier du littoral"},
		{filepath.Join(dir, "pnr", "parc.gpkg"), "perimetre", 1, "Roches-Blanches"},
	} {
		args := []string{"-al", "-oo", "ENCODING=CP1252", c.source}
		switch {
		case c.layer == "communes":
			args = []string{"-al", c.source}
		case strings.HasSuffix(c.source, ".gpkg"):
			args = []string{c.source, c.layer}
		}
		out := tool(t, "ogrinfo", args...)
		if !strings.Contains(out, fmt.Sprintf("Feature Count: %d\n", c.count)) {
			t.Errorf("%s: ogrinfo does not count %d", c.layer, c.count)
		}
		if !strings.Contains(out, c.contains) {
			t.Errorf("%s: ogrinfo does not read %q", c.layer, c.contains)
		}
		if !strings.Contains(out, "Lambert-93") && !strings.Contains(out, "RGF93 Lambert 93") {
			t.Errorf("%s: ogrinfo does not know Lambert-93", c.layer)
		}
	}
}

// TestNamesAreFree compares with the official list of communes: none of the
// fictional names or codes may be a real one.
func TestNamesAreFree(t *testing.T) {
	t.Parallel()
	shared := os.Getenv("CALANQUE_SHARED_DATA")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared", "data")
	}
	data, err := os.ReadFile(filepath.Join(shared, "communes", "cog-communes-paca-2026.json"))
	if err != nil {
		t.Skipf("skipped: no official list of communes: %v", err)
	}
	var official []struct{ Code, Nom string }
	if err := json.Unmarshal(data, &official); err != nil {
		t.Fatal(err)
	}
	real := map[string]bool{}
	for _, c := range official {
		real[c.Code], real[c.Nom] = true, true
	}
	for seed := int64(1); seed <= 6; seed++ {
		r, err := newRegion(seed)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.communes {
			if real[c.name] || real[c.insee] {
				t.Errorf("seed %d: %s (%s) is a real commune's", seed, c.name, c.insee)
			}
			if len(c.insee) != 5 {
				t.Errorf("seed %d: code %q has not five characters", seed, c.insee)
			}
		}
	}
	for _, h := range append(slices.Clone(communeHeads), communeSaints...) {
		if real[h] {
			t.Errorf("%s is a real commune", h)
		}
	}
}
