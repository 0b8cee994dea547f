package ingest_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"calanque/geo"
	"calanque/geo/postgis"
)

func date(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

func relation(t testing.TB, hub *postgis.Hub, layer string) geo.Relation {
	t.Helper()
	list, err := postgis.Relations(t.Context(), hub.Web)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Layer == layer {
			return r
		}
	}
	t.Fatalf("layer %s is not served", layer)
	return geo.Relation{}
}

// items gives the values of the features that a query selects, by key.
func items(t testing.TB, hub *postgis.Hub, layer string, q geo.Query) map[string][]any {
	t.Helper()
	r := relation(t, hub, layer)
	got := map[string][]any{}
	err := postgis.Each(t.Context(), hub.Web, &r, q, func(f *geo.Feature) error {
		got[f.Key] = append([]any(nil), f.Values...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func compare(t testing.TB, got, want any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("got (+), want (-):\n%s", d)
	}
}
