package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/osm/sample"
)

// Figures that the matcher must reach on communes it has never seen.
const (
	wantPrecision = 0.9
	wantRecall    = 0.75
)

// TestMatchAgainstTruth draws communes, loads them as `calanque demo` does and
// holds the outcomes against what is true of them, beside the radius join that
// is the common method. Pairs count: the record and the object it is given.
func TestMatchAgainstTruth(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a database")
	}
	for _, seed := range []int64{11, 12} {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			hub, truth := sampleHub(t, seed)
			for _, layer := range []string{"points-eau", "equipements-publics"} {
				got := outcomes(t, hub, layer)
				ours := judge(truth, layer, got)
				t.Logf("seed %d, %s: %s\n%s", seed, layer, ours, ours.matrix())
				if ours.precision() < wantPrecision || ours.recall() < wantRecall {
					t.Errorf("seed %d, %s: %s, want precision %.2f at recall %.2f", seed, layer, ours, wantPrecision, wantRecall)
				}
				for _, radius := range []float64{20, 50, 100} {
					join := judge(truth, layer, radiusJoin(t, hub, layer, radius))
					t.Logf("  radius join at %.0f m: %s", radius, join)
					if join.f1() >= ours.f1() {
						t.Errorf("seed %d, %s: the radius join at %.0f m reaches F1 %.3f, ours %.3f", seed, layer, radius, join.f1(), ours.f1())
					}
				}
			}
		})
	}
}

// sampleHub loads a sample into a database of the test's own.
func sampleHub(t *testing.T, seed int64) (*postgis.Hub, []sample.Truth) {
	t.Helper()
	a := newApp(&config{DatabaseURL: postgistest.URL(t), Data: t.TempDir()}, io.Discard, io.Discard)
	t.Cleanup(a.close)
	hub, err := a.database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := a.drawSample(t.Context(), a.demoFolder(), seed, time.Now()) // the truth comes with the drawing
	if err == nil {
		err = a.prepareDemo(t.Context(), hub, seed)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Truth) == 0 {
		t.Fatal("there is no truth about the sample")
	}
	return hub, m.Truth
}

// A given is what a matcher says of a record.
type given struct{ kind, osm string }

func outcomes(t *testing.T, hub *postgis.Hub, layer string) map[string]given {
	t.Helper()
	return collectGiven(t, hub, `
		select r.key, o.kind, coalesce(o.osm_type::text || o.osm_id, '')
		from outcome o
		join record r on r.id = o.record_id
		join layer l on l.id = r.layer_id
		where l.name = $1 and o.kind <> 'withdrawn'`, layer)
}

// radiusJoin is the common method: the nearest object of the theme within a
// radius, whatever it is called and whoever else has it.
func radiusJoin(t *testing.T, hub *postgis.Hub, layer string, radius float64) map[string]given {
	t.Helper()
	relations, err := postgis.Relations(t.Context(), hub.Web)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(relations, func(r geo.Relation) bool { return r.Layer == layer })
	theme := map[string]string{"points-eau": "theme_eau", "equipements-publics": "theme_equipements"}[layer]
	return collectGiven(t, hub, `
		select r._key, 'identical', o._key
		from `+pgx.Identifier{relations[i].Schema, relations[i].Table}.Sanitize()+` r
		cross join lateral (
			select o._key from osm.`+theme+` o
			where st_dwithin(o.geom, r._geom_3857, $1 * cosh(st_y(st_centroid(r._geom_3857)) / 6378137))
			order by o.geom <-> r._geom_3857
			limit 1
		) o`, radius)
}

func collectGiven(t *testing.T, hub *postgis.Hub, sql string, args ...any) map[string]given {
	t.Helper()
	rows, err := hub.Owner.Query(t.Context(), sql, args...)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]given{}
	var key string
	var g given
	if _, err := pgx.ForEachRow(rows, []any{&key, &g.kind, &g.osm}, func() error { all[key] = g; return nil }); err != nil {
		t.Fatal(err)
	}
	return all
}

// paired are the kinds that give a record an object.
var paired = []string{"identical", "attributes_differ", "moved", "far_reference", "closed_in_osm"}

// A score counts right and wrong pairs, and what became of every kind.
type score struct {
	right, wrong, missed int
	kinds                map[[2]string]int
}

func judge(truth []sample.Truth, layer string, got map[string]given) score {
	s := score{kinds: map[[2]string]int{}}
	for _, t := range truth {
		if t.Dataset != layer || t.Side != "record" {
			continue
		}
		g := got[t.Key]
		s.kinds[[2]string{t.Kind, g.kind}]++
		isPair := slices.Contains(paired, t.Kind)
		switch {
		case g.osm != "" && isPair && slices.Contains(t.OSM, g.osm):
			s.right++
		case g.osm != "" && isPair:
			s.wrong++
			s.missed++
		case g.osm != "":
			s.wrong++
		case isPair:
			s.missed++
		}
	}
	return s
}

func (s score) precision() float64 { return float64(s.right) / float64(max(1, s.right+s.wrong)) }
func (s score) recall() float64    { return float64(s.right) / float64(max(1, s.right+s.missed)) }
func (s score) f1() float64 {
	return 2 * float64(s.right) / float64(max(1, 2*s.right+s.wrong+s.missed))
}

func (s score) String() string {
	return fmt.Sprintf("precision %.3f, recall %.3f, F1 %.3f", s.precision(), s.recall(), s.f1())
}

// matrix lists what became of each kind, truth first.
func (s score) matrix() string {
	lines := make([]string, 0, len(s.kinds))
	for k, n := range s.kinds {
		lines = append(lines, fmt.Sprintf("  %-20s → %-20s %4d", k[0], k[1], n))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
