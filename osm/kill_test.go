package osm_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
)

// TestMain is also the child that TestKill kills.
func TestMain(m *testing.M) {
	url, path := os.Getenv("OSM_TEST_CHILD"), os.Getenv("OSM_TEST_EXTRACT")
	if url == "" {
		os.Exit(m.Run())
	}
	if err := child(url, path); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(url, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	hub, err := postgis.Open(ctx, postgis.Config{URL: url})
	if err != nil {
		return err
	}
	defer hub.Close()
	fmt.Println("ready")
	_, err = osm.Import(ctx, hub, path, osm.Options{Force: true})
	return err
}

// TestKill ends importing processes at moments of chance: the copy is always
// one whole extract, and the next import works and leaves nothing behind.
func TestKill(t *testing.T) {
	t.Parallel()
	url := postgistest.URL(t)
	hub := open(t, url)
	putThemes(t, hub, fountains)
	older, newer := sharedFile(t, "monaco-2018-05-25.osm.pbf"), sharedFile(t, "monaco-2021-04-21.osm.pbf")
	a := load(t, hub, older)
	start := time.Now()
	b := load(t, hub, newer)
	took := time.Since(start)
	whole := map[string]bool{}
	for _, r := range []osm.Report{a, b} {
		whole[fmt.Sprint(r.SHA256, r.Points, r.Lines, r.Areas, r.Themes["drinking-water"])] = true
	}
	random := rand.New(rand.NewPCG(1, 2))
	killed := 0
	for i := 0; killed < 6; i++ {
		if i == 50 {
			t.Fatalf("only %d of %d imports were killed", killed, i)
		}
		path := []string{older, newer}[i%2]
		if killedAt(t, url, path, time.Duration(random.Int64N(int64(took/2)))) {
			killed++
		}
		s, err := osm.Status(t.Context(), hub.Web)
		if err != nil {
			t.Fatal(err)
		}
		got := fmt.Sprint(s.SHA256,
			number(t, hub.Web, `select count(*) from osm.point`), number(t, hub.Web, `select count(*) from osm.line`),
			number(t, hub.Web, `select count(*) from osm.area`), number(t, hub.Web, `select count(*) from osm."theme_drinking-water"`))
		if !whole[got] {
			t.Fatalf("after a kill the copy is %s, want one of %v", got, whole)
		}
	}
	if _, err := osm.Import(t.Context(), hub, newer, osm.Options{Force: true}); err != nil {
		t.Fatal(err)
	}
	if left := texts(t, hub.Owner, `select relname::text from pg_class where relname like 'build\_%'`); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	want := []string{"area_geom", "area_key", "area_tags", "line_geom", "line_key", "line_tags", "point_geom", "point_key", "point_tags"}
	got := texts(t, hub.Owner, `select indexname::text from pg_indexes where schemaname = 'osm' and tablename in ('point', 'line', 'area') order by 1`)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("indexes (-want +got)\n%s", d)
	}
}

// killedAt imports in another process and kills it some time after it began;
// false when it was done before.
func killedAt(t *testing.T, url, path string, after time.Duration) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), "OSM_TEST_CHILD="+url, "OSM_TEST_EXTRACT="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 6)); err != nil {
		t.Fatalf("the child did not begin: %v", err)
	}
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	return cmd.Wait() != nil
}
