package osm_test

import (
	"fmt"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"calanque/geo"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
)

const listsSQL = `
	select 'w' || w.id || ' ' || w.nodes::text from osm.way w
	union all select concat_ws(' ', 'n' || id, 'v' || version, round(lon / 1e7, 4), round(lat / 1e7, 4), tags) from osm.node
	order by 1`

// TestWayNodes: ways that may be asked about keep their nodes, whole.
func TestWayNodes(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	putThemes(t, hub, osm.Theme{
		ID: "murs", Title: geo.Text{"fr": "Murs"}, Selection: osm.Selection{Any: []osm.Terms{{"barrier": {"wall"}}}},
	})
	m := grid(t,
		"n1 v3 Tentrance=main,source=survey",
		"w1 Tbuilding=yes Nn1,n2,n6,n5,n1", // nobody asks about it
		"w2 Tbarrier=wall Nn2,n3,n7",       // a theme does
		"w4 v5 Tamenity=school,building=yes Nn1,n2,n6,n5,n1",
		"w5 Tamenity=parking Nn7,n8,n99") // lacks a node in the extract
	report := load(t, hub, m.File())
	want := []string{
		`n1 v3 5.4000 43.2000 {"source": "survey", "entrance": "main"}`, "n2 v1 5.4010 43.2000", "n3 v1 5.4020 43.2000", "n5 v1 5.4000 43.1990",
		"n6 v1 5.4010 43.1990", "n7 v1 5.4020 43.1990", "n8 v1 5.4030 43.1990", "w2 {2,3,7}", "w4 {1,2,6,5,1}",
	}
	if d := cmp.Diff(want, texts(t, hub.Web, listsSQL)); d != "" || report.ListedWays != 2 {
		t.Errorf("%d ways (-want +got)\n%s", report.ListedWays, d)
	}
	// A newer extract replaces all of it.
	newer := grid(t, "w4 v6 Tamenity=school Nn1,n2,n6,n1").Date(time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)).File()
	load(t, hub, newer)
	if got := texts(t, hub.Web, `select nodes::text from osm.way`); !cmp.Equal(got, []string{"{1,2,6,1}"}) {
		t.Errorf("after a newer extract: %v", got)
	}
	// A theme that selects other ways brings the same extract back in.
	if !load(t, hub, newer).Unchanged {
		t.Error("the same extract was imported again for nothing")
	}
	putThemes(t, hub, osm.Theme{
		ID: "maisons", Title: geo.Text{"fr": "Maisons"}, Selection: osm.Selection{Any: []osm.Terms{{"building": {"*"}}}},
	})
	if load(t, hub, newer).Unchanged {
		t.Error("the ways of a new theme got no lists of nodes")
	}
	// So does a copy that was made before there were any.
	if _, err := hub.Owner.Exec(t.Context(), `truncate osm.way, osm.node; update osm.state set rules = 1, listed = '[]'`); err != nil {
		t.Fatal(err)
	}
	if r := load(t, hub, newer); r.Unchanged || r.ListedWays != 1 {
		t.Errorf("an older copy: %+v", r)
	}
}

// TestWayNodesOsmium compares the lists of nodes with what osmium reads, way by
// way and node by node.
func TestWayNodesOsmium(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"monaco-2021-04-21.osm.pbf", "saint_barthelemy.osm.pbf"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := sharedFile(t, name)
			filtered := t.TempDir() + "/ways.osm.pbf"
			osmium(t, "tags-filter", path, "w/amenity", "w/craft", "w/emergency", "w/healthcare", "w/historic", "w/office", "w/public_transport",
				"w/shop", "w/tourism", "-o", filtered)
			want := opl(osmium(t, "cat", filtered, "-f", "opl,add_metadata=version"))
			hub := postgistest.New(t)
			load(t, hub, path)
			got := texts(t, hub.Web, `
				select 'w' || id || ' N' || (select string_agg('n' || n, ',' order by i) from unnest(nodes) with ordinality x(n, i)) from osm.way
				union all
				select format('n%s v%s x%s y%s', id, version, trim_scale(lon / 1e7::numeric), trim_scale(lat / 1e7::numeric)) from osm.node
				where id in (select unnest(nodes) from osm.way)`)
			sort.Strings(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-osmium +osm)\n%.2000s", d)
			}
			t.Logf("%d ways and nodes", len(got))
		})
	}
}

// opl gives ways with their nodes and nodes with their versions and places, in
// order; ways that the extract cuts off are left out.
func opl(text []byte) []string {
	nodes, list := map[string]bool{}, []string{}
	for _, line := range lines(text) {
		f := fields(line)
		switch line[0] {
		case 'n':
			nodes[f['n']] = true
			list = append(list, fmt.Sprintf("n%s v%s x%s y%s", f['n'], f['v'], f['x'], f['y']))
		case 'w':
			whole := strings.Contains(f['N'], ",")
			for _, n := range strings.Split(f['N'], ",") {
				whole = whole && nodes[strings.TrimPrefix(n, "n")]
			}
			if whole {
				list = append(list, "w"+f['w']+" N"+f['N'])
			}
		}
	}
	sort.Strings(list)
	return list
}

// fields are the parts of a line of OPL by their letter.
func fields(line string) map[byte]string {
	m := map[byte]string{}
	for _, part := range strings.Fields(line) {
		m[part[0]] = part[1:]
	}
	return m
}
