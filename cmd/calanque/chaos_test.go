package main

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"calanque/osm/pbf"
)

// chaos is how many times each kind of process is killed:
//
//	go test ./cmd/calanque -run Chaos -v -timeout 2h -chaos 20 -chaosrows 50000
var (
	chaosKills = flag.Int("chaos", 3, "times that a load, an import, a server and a database are killed")
	chaosRows  = flag.Int("chaosrows", 2000, "records of the files that are loaded meanwhile")
	chaosSeed  = flag.Uint64("chaosseed", 1, "seed of the moments of the kills")
)

// A victim is a machine whose processes are killed, with two states of one
// delivery and two of an extract, loaded in turn.
type victim struct {
	*machine
	random   *rand.Rand
	files    [2]string
	extracts [2]string
	next     int           // which of the two comes next
	took     time.Duration // of an undisturbed run
}

func newVictim(t *testing.T, stream uint64) *victim {
	t.Helper()
	v := &victim{machine: newUsedMachine(t), random: rand.New(rand.NewPCG(*chaosSeed, stream))}
	for i := range v.files {
		v.files[i] = v.write(fmt.Sprintf("points-%d.csv", i), manyRows(*chaosRows+i, i))
		v.extracts[i] = v.write(fmt.Sprintf("town-%d.osm.pbf", i), town(t, *chaosRows+i, i))
	}
	return v
}

// manyRows is CSV of n points in Lambert-93 with a key.
func manyRows(n, edition int) []byte {
	var b bytes.Buffer
	b.WriteString("code;nom;remarque;x;y\n")
	for i := range n {
		fmt.Fprintf(&b, "P%06d;Fontaine n° %d;édition %d;%d;%d\n", i, i, edition, 850000+i%400*200, 6250000+i/400*200+edition)
	}
	return b.Bytes()
}

// town is an extract of n fountains and as many houses.
func town(t testing.TB, n, edition int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pbf.NewWriter(&b, pbf.Header{Replication: time.Date(2026, 1, 1+edition, 0, 0, 0, 0, time.UTC)})
	place := func(i int) (lon, lat float64) { return 5.3 + float64(i%300)*0.001, 43.2 + float64(i/300)*0.001 }
	check := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	id := int64(0)
	for i := range n {
		lon, lat := place(i)
		for c := range 4 {
			id++
			node := pbf.Node{ID: id, Version: 1, Lon: pbf.E7(lon + float64(c/2)*0.0002), Lat: pbf.E7(lat + float64((c+1)/2%2)*0.0002)}
			if c == 0 && i%2 == 0 {
				node.Tags = []pbf.Tag{{Key: "amenity", Value: "drinking_water"}, {Key: "name", Value: fmt.Sprint("Fontaine n° ", i)}}
			}
			check(w.Node(node))
		}
	}
	for i := range n {
		first := int64(i*4 + 1)
		check(w.Way(pbf.Way{ID: int64(i + 1), Version: 1, Refs: []int64{first, first + 1, first + 2, first + 3, first}, Tags: []pbf.Tag{{Key: "building", Value: "yes"}}}))
	}
	check(w.Close())
	return b.Bytes()
}

const fountains = `
licences: [{id: lo-2.0, title: {fr: Licence Ouverte}, class: green}]
producers: [{id: crige, title: {fr: CRIGE}}]
datasets:
  - {id: points, title: {fr: Points}, producer: crige, licence: lo-2.0, source: {path: points-1.csv}, key: [code]}
themes:
  - {id: eau, title: {fr: Eau}, selection: {any: [{amenity: [drinking_water]}]}}
rules:
  - {layer: points, theme: eau, name: nom, distance: {max: 100, moved: 30}}
`

// settle brings the machine to where killing begins: a dataset, an extract,
// and a rule between them.
func (v *victim) settle() {
	v.t.Helper()
	v.must("osm", "import", v.extracts[1])
	v.must("apply", v.write("catalogue.yaml", []byte(fountains)))
}

func (v *victim) load() []string {
	return []string{"load", v.files[v.next], "--dataset", "points", "--force"}
}

func (v *victim) imports() []string {
	return []string{"osm", "import", v.extracts[v.next], "--force"}
}

// works runs a command to its end, after which the database is in order and
// shows what the command brought.
func (v *victim) works(when string, args []string) {
	v.t.Helper()
	r := v.run(args...)
	if r.code != 0 {
		v.t.Errorf("%s, the next run fails: %v", when, r)
		return
	}
	url, release := v.hold()
	defer release()
	checkInvariants(v.t, url, when+", and the next run")
	left := askAll[string](v.t, url, `
		select 'version ' || id from version where state = 'loading'
		union all
		select relname::text from pg_class where relnamespace = 'osm'::regnamespace and relname like 'build\_%'`)
	if len(left) > 0 {
		v.t.Errorf("%s, the next run leaves behind %v", when, left)
	}
	sql := `select n_rows from layer_version lv join dataset d on d.published_id = lv.version_id where d.slug = 'points'`
	if args[0] == "osm" {
		sql = `select n_rows from live_layer join layer on layer.id = layer_id where name = 'osm_areas'`
	}
	if got, want := ask[int64](v.t, url, sql), int64(*chaosRows+v.next); got != want {
		v.t.Errorf("%s, the next run gives %d objects, want %d", when, got, want)
	}
	v.next = 1 - v.next
}

// killed runs a command and kills it at a moment of chance; false when it was
// done before.
func (v *victim) killed(args []string) (when string, ok bool) {
	p := v.start(args...)
	after := time.Duration(v.random.Int64N(int64(v.took)))
	select {
	case <-p.ended:
	case <-time.After(after):
		p.kill()
	}
	r := p.wait()
	if r.code > 0 {
		v.t.Errorf("ended by itself: %v", r)
	}
	return fmt.Sprintf("%s killed after %v", args[0], after.Round(time.Millisecond)), r.code == -1
}

func (v *victim) checkAfterKill(when string) {
	v.t.Helper()
	url, release := v.hold()
	defer release()
	checkInvariants(v.t, url, when)
}

// killAgain kills a kind of command as often as asked, letting it work after
// each kill.
func (v *victim) killAgain(command func() []string) {
	v.took = v.must(command()...).took
	v.next = 1 - v.next
	n, done := 0, 0
	for n < *chaosKills && !v.t.Failed() {
		when, ok := v.killed(command())
		if !ok {
			if done++; done > 5+*chaosKills {
				v.t.Fatalf("%d runs ended before they were killed", done)
			}
		} else {
			n++
		}
		v.checkAfterKill(when)
		v.works(when, command())
	}
	v.clean()
	v.t.Logf("killed %d times at moments of %v; %d runs were faster", n, v.took.Round(time.Millisecond), done)
}

// clean checks that nothing is left in the folder for temporary files.
func (v *victim) clean() {
	v.t.Helper()
	left, err := filepath.Glob(filepath.Join(v.temp(), "*"))
	if err != nil || len(left) > 0 {
		v.t.Errorf("left in the folder for temporary files: %v %v", left, err)
	}
}

func TestChaosLoad(t *testing.T) {
	t.Parallel()
	v := newVictim(t, 1)
	v.settle()
	v.killAgain(v.load)
}

func TestChaosImport(t *testing.T) {
	t.Parallel()
	v := newVictim(t, 2)
	v.settle()
	v.killAgain(v.imports)
}

// hammer asks the server for this and that until stop is closed, and counts
// the answers that are neither right nor an honest "not now".
func (v *victim) hammer(stop <-chan struct{}) (answers, wrong *atomic.Int64, wait func()) {
	answers, wrong = new(atomic.Int64), new(atomic.Int64)
	paths := []string{
		"/", "/api/collections", "/api/collections/points/items?limit=20", "/api/collections/osm_points/items?bbox=5.3,43.2,5.4,43.3",
		"/tiles/points/9/263/186.mvt", "/tiles/basemap/12/2109/1493.mvt", "/tiles/osm_areas/14/8436/5975.mvt", "/healthz",
		"/recherche?q=fontaine&lg=fr", "/api/collections/points-osm/items",
	}
	var all sync.WaitGroup
	for worker := range 4 {
		all.Go(func() {
			for i := worker; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(2 * time.Millisecond):
				}
				status, body, err := v.get(paths[i%len(paths)])
				switch {
				case err != nil, status == http.StatusServiceUnavailable:
				case status >= 500 || status == 400:
					if wrong.Add(1) < 4 {
						v.t.Errorf("GET %s: %d %.200s", paths[i%len(paths)], status, body)
					}
				default:
					answers.Add(1)
				}
			}
		})
	}
	return answers, wrong, all.Wait
}

func TestChaosServer(t *testing.T) {
	t.Parallel()
	v := newVictim(t, 3)
	v.settle()
	stop := make(chan struct{})
	answers, _, wait := v.hammer(stop)
	worst := time.Duration(0)
	for i := 0; i < *chaosKills && !t.Failed(); i++ {
		begun := time.Now()
		up := v.start("up")
		v.ready(up, time.Minute)
		worst = max(worst, time.Since(begun))
		var load *process
		if i%2 == 0 { // a load beside it, at times
			load = v.start(v.load()...)
		}
		time.Sleep(time.Duration(v.random.Int64N(int64(time.Second))))
		up.kill()
		when := fmt.Sprintf("kill %d of the server", i)
		if load != nil {
			if r := load.wait(); r.code != 0 {
				t.Errorf("%s: the load beside it fails: %v", when, r)
			}
			v.next = 1 - v.next
		}
		v.checkAfterKill(when)
		v.works(when, v.load())
	}
	close(stop)
	wait()
	t.Logf("%d answers; ready again after %v at worst", answers.Load(), worst.Round(time.Millisecond))
}

// TestChaosDatabase kills the postmaster while the server answers and a load
// runs.
func TestChaosDatabase(t *testing.T) {
	t.Parallel()
	v := newVictim(t, 4)
	v.settle()
	v.took = v.must(v.load()...).took
	v.next = 1 - v.next
	up := v.start("up")
	v.ready(up, time.Minute)
	stop := make(chan struct{})
	answers, _, wait := v.hammer(stop)
	worst, failed := time.Duration(0), 0
	for i := 0; i < *chaosKills && !t.Failed(); i++ {
		load := v.start(v.load()...)
		time.Sleep(time.Duration(v.random.Int64N(int64(v.took))))
		v.killPostmaster()
		begun := time.Now()
		if r := load.wait(); r.code != 0 {
			failed++
			if r.code != 1 || !strings.Contains(r.err, "calanque: ") {
				t.Errorf("the load whose database was killed: %v", r)
			}
		} else {
			v.next = 1 - v.next
		}
		v.ready(up, time.Minute)
		v.get("/api/collections/points/items?limit=1")
		worst = max(worst, time.Since(begun))
		when := fmt.Sprintf("kill %d of the database", i)
		v.checkAfterKill(when)
		v.works(when, v.load())
	}
	close(stop)
	wait()
	if r := up.interrupt(); r.code != 0 {
		t.Errorf("the server does not end well: %v", r)
	}
	t.Logf("%d answers; %d loads lost their database; all well after %v at worst", answers.Load(), failed, worst.Round(time.Millisecond))
}

// killPostmaster kills the server of the machine's database, when it runs.
func (m *machine) killPostmaster() {
	m.t.Helper()
	b, err := os.ReadFile(filepath.Join(m.data(), "postgres", "data", "postmaster.pid"))
	if err != nil {
		m.t.Logf("no postmaster to kill: %v", err)
		return
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil || pid <= 1 {
		m.t.Fatalf("postmaster.pid says %q", line)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		m.t.Fatal(err)
	}
}
