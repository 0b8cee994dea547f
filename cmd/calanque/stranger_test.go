package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/mvt"
	"github.com/paulmach/orb/maptile"

	"calanque/geo/postgis/postgistest"
)

// A page is what items answer.
type page struct {
	NumberMatched int
	Features      []struct {
		ID         string
		Properties map[string]any
	}
	Links []struct{ Rel, Href string }
}

func (p *page) next() string {
	for _, l := range p.Links {
		if l.Rel == "next" {
			return l.Href
		}
	}
	return ""
}

// walk follows the next links of a collection to the end; between is called
// after each page.
func (m *machine) walk(path string, between func(page int)) (ids, editions []string) {
	m.t.Helper()
	for n := 1; path != ""; n++ {
		var p page
		m.getJSON(strings.TrimPrefix(path, "http://"+m.addr), &p)
		for _, f := range p.Features {
			ids = append(ids, f.ID)
			editions = append(editions, fmt.Sprint(f.Properties["remarque"]))
		}
		between(n)
		path = p.next()
	}
	slices.Sort(editions)
	return ids, slices.Compact(editions)
}

// A walk through items that began before a publication ends on the version on
// which it began.
func TestWalkWhileAnotherProcessPublishes(t *testing.T) {
	t.Parallel()
	m := newMachineOn(t, postgistest.URL(t))
	first, second := m.write("1.csv", manyRows(61, 1)), m.write("2.csv", manyRows(65, 2))
	m.must("load", first, "--dataset", "points", "--producer", "crige", "--licence", "lo-2.0", "--key", "code")
	up := m.start("up")
	m.ready(up, time.Minute)
	const start = "/api/collections/points/items?limit=7"
	ids, editions := m.walk(start, func(n int) {
		if n == 3 {
			m.must("load", second, "--dataset", "points")
			m.seen("points", 65)
		}
	})
	if want := []string{"édition 1"}; !slices.Equal(editions, want) || len(ids) != 61 {
		t.Errorf("the walk gives %d objects of %v, want 61 of %v", len(ids), editions, want)
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(ids)))); n != len(ids) {
		t.Errorf("%d objects come twice", len(ids)-n)
	}
	ids, editions = m.walk(start, func(int) {})
	if want := []string{"édition 2"}; !slices.Equal(editions, want) || len(ids) != 65 {
		t.Errorf("a new walk gives %d objects of %v, want 65 of %v", len(ids), editions, want)
	}
	if r := up.interrupt(); r.code != 0 {
		t.Errorf("the server does not end well: %v", r)
	}
}

// seen waits until the server shows n objects of a collection.
func (m *machine) seen(collection string, n int) {
	m.t.Helper()
	var p page
	for begun := time.Now(); time.Since(begun) < 20*time.Second; time.Sleep(20 * time.Millisecond) {
		m.getJSON("/api/collections/"+collection+"/items?limit=1", &p)
		if p.NumberMatched == n {
			return
		}
	}
	m.t.Fatalf("%s has %d objects after 20 s, want %d", collection, p.NumberMatched, n)
}

// The objects of random tiles that are not thinned are those that the table's
// other geometry column, in Lambert-93, has there.
func TestTilesAreTheTable(t *testing.T) {
	t.Parallel()
	m := newMachineOn(t, postgistest.URL(t))
	layers := []string{"communes", "equipements-publics", "points-eau", "sentiers"}
	for name, file := range map[string]string{
		"communes": "crige/communes.shp", "equipements-publics": "crige/equipements-publics.zip", "points-eau": "crige/points-eau.shp",
	} {
		m.must("load", sampleFile(t, file), "--dataset", name, "--producer", "crige", "--licence", "lo-2.0")
	}
	m.must("load", sampleFile(t, "pnr/parc.gpkg"), "--dataset", "sentiers", "--layer", "sentiers", "--producer", "pnr", "--licence", "lo-2.0")
	m.ready(m.start("up"), time.Minute)
	conn, err := pgx.Connect(t.Context(), m.database())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	dice := rand.New(rand.NewPCG(1, 2))
	total := 0
	for _, layer := range layers {
		table := ask[string](t, m.database(), `
			select 'data.' || quote_ident(relation) from layer_version lv
			join dataset d on d.published_id = lv.version_id
			join layer l on l.id = lv.layer_id
			where l.name = $1`, layer)
		keys := askOn[string](t, conn, `select _key from `+table+` where _geom is not null order by _key`)
		for range 200 / len(layers) {
			total += m.compareTile(conn, layer, table, keys[dice.IntN(len(keys))], 9+dice.IntN(9))
		}
	}
	if total < 500 {
		t.Errorf("got %d objects in all, want a test that sees more", total)
	}
}

// compareTile asks for the tile of an object and compares its ids with the
// table; it gives how many there are.
func (m *machine) compareTile(conn *pgx.Conn, layer, table, key string, z int) int {
	m.t.Helper()
	at := askOn[[]float64](m.t, conn, `
		select array[st_x(p), st_y(p)] from (select st_transform(st_pointonsurface(_geom), 4326) as p from `+table+` where _key = $1) t`, key)[0]
	tile := maptile.At(orb.Point{at[0], at[1]}, maptile.Zoom(z))
	path := fmt.Sprintf("/tiles/%s/%d/%d/%d.mvt", layer, tile.Z, tile.X, tile.Y)
	status, body, err := m.get(path)
	if err != nil || status != http.StatusOK {
		m.t.Fatalf("GET %s: %d %v %.200s", path, status, err, body)
	}
	decoded, err := mvt.Unmarshal(body)
	if err != nil || len(decoded) != 1 {
		m.t.Fatalf("GET %s: %d layers, %v", path, len(decoded), err)
	}
	var got []string
	for _, f := range decoded[0].Features {
		got = append(got, fmt.Sprint(f.Properties["id"]))
	}
	slices.Sort(got)
	within := func(margin float64) []string {
		return askOn[string](m.t, conn, `
			with b as (select st_transform(st_segmentize(e, st_perimeter(e) / 256), 2154) as box from st_tileenvelope($1, $2, $3, margin => $4) e)
			select _key from `+table+`, b where st_intersects(_geom, box) order by _key`, int(tile.Z), int(tile.X), int(tile.Y), margin)
	}
	if missing := without(within(0), got); len(missing) > 0 {
		m.t.Errorf("%s lacks %v", path, missing)
	}
	if more := without(got, within(65.0/4096)); len(more) > 0 { // 64 units are drawn beyond the edge
		m.t.Errorf("%s has %v, which are far from it", path, more)
	}
	return len(got)
}

func without(list, sorted []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool {
		_, found := slices.BinarySearch(sorted, s)
		return found
	})
}

// Processes share the private database: none stops another's, whatever ends
// first, and the last one out stops it.
func TestProcessesShareTheDatabase(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	var loads sync.WaitGroup
	for i := range 2 { // two at once, on a folder where nothing is yet
		file := m.write(fmt.Sprintf("%d.csv", i), manyRows(3000, i))
		loads.Go(func() {
			if r := m.run("load", file, "--dataset", fmt.Sprint("points-", i), "--producer", "crige", "--licence", "lo-2.0"); r.code != 0 {
				t.Errorf("%v", r)
			}
		})
	}
	loads.Wait()
	m.stopped()
	up := m.start("up")
	m.ready(up, time.Minute)
	load := m.start("load", m.write("2.csv", manyRows(30_000, 2)), "--dataset", "points-0")
	time.Sleep(300 * time.Millisecond)
	if r := up.interrupt(); r.code != 0 {
		t.Errorf("the server does not end well: %v", r)
	}
	if r := load.wait(); r.code != 0 {
		t.Errorf("the load that the server leaves behind: %v", r)
	}
	m.stopped()
	url, release := m.hold()
	checkInvariants(t, url, "after all")
	if n := ask[int64](t, url, `select sum(n_rows)::bigint from layer_version lv join dataset d on d.published_id = lv.version_id`); n != 33_000 {
		t.Errorf("%d rows, want 33000", n)
	}
	release()
	m.stopped()
}

// stopped checks that the machine's database does not run.
func (m *machine) stopped() {
	m.t.Helper()
	if _, err := os.Stat(filepath.Join(m.data(), "postgres", "data", "postmaster.pid")); err == nil {
		m.t.Error("the database still runs after the last process")
	}
}

// TestDemo is the life of a hub that began with the sample: two start at once,
// somebody's own data come, the sample goes, a backup brings it back.
func TestDemo(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	other := *m
	other.addr = freeAddress(t)
	other.env = append(slices.Clone(m.env), "CALANQUE_ADDR="+other.addr)
	one, two := m.start("demo"), other.start("demo")
	m.ready(one, 3*time.Minute)
	other.ready(two, 3*time.Minute)
	first := time.Since(one.begun)
	for _, p := range []*process{one, two} {
		if r := p.interrupt(); r.code != 0 {
			t.Errorf("a demo does not end well: %v", r)
		}
	}
	m.stopped()
	again := m.start("demo")
	m.ready(again, time.Minute)
	t.Logf("two at once ready after %v, again after %v", first.Round(time.Millisecond), time.Since(again.begun).Round(time.Millisecond))
	m.must("load", m.write("mine.csv", manyRows(50, 1)), "--dataset", "mine", "--producer", "Ma commune", "--licence", "lo-2.0")
	m.answers()
	url, release := m.hold()
	dump, before := m.dump(url)
	if r := again.interrupt(); r.code != 0 {
		t.Errorf("the demo does not end well: %v", r)
	}
	checkInvariants(t, url, "with the sample")
	m.must("demo", "--remove")
	m.onlyMine(url)
	m.must("demo", "--remove") // nothing to remove is no fault
	release()

	if r := m.run("restore", m.write("garbage.dump", bytes.Repeat([]byte("PGDMP garbage "), 1000))); r.code != 1 {
		t.Errorf("restoring garbage: %v", r)
	}
	url, release = m.hold()
	m.onlyMine(url)
	release()
	m.must("restore", dump)
	url, release = m.hold()
	defer release()
	if d := cmp.Diff(before, contents(t, url)); d != "" {
		t.Errorf("what was restored differs (-want +got):\n%s", d)
	}
	checkInvariants(t, url, "after the restore")
}

// dump makes a backup beside the server and gives what was in the database
// then: the server may be building files to download, and so it is made again
// until nothing has changed meanwhile.
func (m *machine) dump(url string) (file string, holds map[string]string) {
	m.t.Helper()
	for n := range 100 {
		file, holds = filepath.Join(m.dir, fmt.Sprint(n, ".dump")), contents(m.t, url)
		m.must("backup", file)
		if cmp.Equal(holds, contents(m.t, url)) {
			return file, holds
		}
	}
	m.t.Fatal("the database does not come to rest")
	return "", nil
}

// The sample never replaces what is somebody's own, nor takes it along.
func TestDemoLeavesOnesOwn(t *testing.T) {
	t.Parallel()
	m := newMachineOn(t, postgistest.URL(t))
	m.must("load", m.write("mine.csv", manyRows(50, 1)), "--dataset", "communes", "--producer", "Ma commune", "--licence", "lo-2.0")
	before := contents(t, m.database())
	if r := m.run("demo"); r.code != 1 || !strings.Contains(r.err, "communes") || !strings.Contains(r.err, "--data") {
		t.Errorf("want a refusal that names communes: %v", r)
	}
	m.must("demo", "--remove")
	after := contents(t, m.database())
	for _, d := range []map[string]string{before, after} {
		delete(d, "change_reader r f") // demo serves, and so caught up
	}
	if d := cmp.Diff(before, after); d != "" {
		t.Errorf("the database changed (-want +got):\n%s", d)
	}
}

// onlyMine checks that nothing of the sample is left beside the dataset mine.
func (m *machine) onlyMine(url string) {
	m.t.Helper()
	checkInvariants(m.t, url, "without the sample")
	left := askAll[string](m.t, url, `
		select 'dataset ' || slug from dataset where slug <> 'mine'
		union all select 'layer ' || name from layer where name <> 'mine' and life <> 'live' -- those keep their revisions
		union all select 'live layer ' || name from layer l join live_layer on layer_id = l.id where name !~ '^osm_(points|lines|areas)$'
		union all select 'relation ' || relname from pg_class where relnamespace = 'data'::regnamespace and relkind in ('r', 'p', 'v') and relname !~ '_mine$'
		union all select 'theme ' || id from theme
		union all select 'rule ' || id from rule
		union all select 'record ' || id from record
		union all select 'outcome ' || id from outcome
		union all select 'run ' || id from match_run
		union all select 'point ' || _key from osm.point
		union all select 'line ' || _key from osm.line
		union all select 'area ' || _key from osm.area
		union all select 'problem ' || osm_id from osm.problem
		union all select 'osm ' || relname from pg_class where relnamespace = 'osm'::regnamespace and relkind = 'r' and relname ~ '^(build|theme)_'
		union all select 'basemap ' || id from osm.basemap
		limit 20`)
	if len(left) > 0 {
		m.t.Errorf("left of the sample: %v", left)
	}
	if n := ask[int64](m.t, url, `select n_rows from layer_version lv join dataset d on d.published_id = lv.version_id where slug = 'mine'`); n != 50 {
		m.t.Errorf("one's own dataset has %d rows, want 50", n)
	}
	if _, err := os.Stat(filepath.Join(m.data(), "demo")); err == nil {
		m.t.Error("the sample's files are still there")
	}
}

// answers checks what the commands print as JSON: one value, whose names do
// not change from one run to the next.
func (m *machine) answers() {
	m.t.Helper()
	for _, args := range [][]string{
		{"status", "--json"},
		{"status", "points-eau", "--json"},
		{"match", "--json"},
		{"match", "points-eau", "--json"},
		{"load", filepath.Join(m.dir, "mine.csv"), "--dataset", "mine", "--json"},
		{"load", filepath.Join(m.dir, "mine.csv"), "--dataset", "mine", "--force", "--json"},
		{"apply", filepath.Join(m.data(), "demo", "catalogue.yaml"), "--json"},
		{"apply", filepath.Join(m.data(), "demo", "catalogue.yaml"), "--dry-run", "--json"},
		{"osm", "import", filepath.Join(m.data(), "demo", filepath.FromSlash(sampleExtract)), "--json"},
	} {
		var shapes []string
		for range 2 {
			r := m.must(args...)
			d := json.NewDecoder(strings.NewReader(r.out))
			var v any
			if err := d.Decode(&v); err != nil || d.More() {
				m.t.Errorf("not one JSON value (%v): %v", err, r)
			}
			shapes = append(shapes, shape(v))
		}
		if shapes[0] != shapes[1] {
			m.t.Errorf("calanque %s: the answer is not stable:\n%s\n%s", strings.Join(args, " "), shapes[0], shapes[1])
		}
	}
}

// shape is the names of a JSON value and the kinds of what they hold.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var names []string
		for name, value := range v {
			names = append(names, name+":"+shape(value))
		}
		slices.Sort(names)
		return "{" + strings.Join(names, " ") + "}"
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		return "[" + shape(v[0]) + "]"
	}
	return fmt.Sprintf("%T", v)
}

// Every command explains itself with an example, and a wrong one says where to
// look.
func TestHelp(t *testing.T) {
	t.Parallel()
	m := bareMachine(t, t.TempDir())
	for _, command := range []string{"up", "demo", "apply", "load", "osm import", "match", "status", "backup", "restore"} {
		r := m.must(append(strings.Fields(command), "--help")...)
		if !strings.Contains(r.out, "Example") || !strings.Contains(r.out, "calanque "+command) {
			t.Errorf("no example: %v", r)
		}
	}
	for _, args := range []string{"", "lod", "load", "load x.shp", "osm", "up --addr", "status --nonsense"} {
		r := m.run(strings.Fields(args)...)
		if r.code != exitUsage || !strings.Contains(r.err, "--help") {
			t.Errorf("want exit code 2 and a hint: %v", r)
		}
	}
}
