package ingest_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"calanque/geo"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// newHub gives a database with a producer and a licence.
func newHub(t testing.TB) *postgis.Hub {
	t.Helper()
	hub := postgistest.New(t)
	prepare(t, hub)
	return hub
}

func prepare(t testing.TB, hub *postgis.Hub) {
	t.Helper()
	ctx := t.Context()
	if err := postgis.PutProducer(ctx, hub.Owner, geo.Producer{ID: "crige", Title: geo.Text{"fr": "CRIGE"}}); err != nil {
		t.Fatal(err)
	}
	if err := postgis.PutLicence(ctx, hub.Owner, geo.Licence{ID: "lo-2.0", Title: geo.Text{"fr": "Licence Ouverte 2.0"}, Class: geo.Green}); err != nil {
		t.Fatal(err)
	}
}

// request asks to load a file as a new dataset.
func request(dataset, path string) ingest.Request {
	return ingest.Request{Dataset: dataset, Path: path, Producer: "crige", Licence: "lo-2.0", Title: geo.Text{"fr": "Essai"}}
}

// write makes a file for a test.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t testing.TB, hub *postgis.Hub, req ingest.Request) ingest.Report {
	t.Helper()
	r, err := ingest.Load(t.Context(), hub, req, nil)
	if err != nil {
		t.Fatalf("load %s: %v", req.Path, err)
	}
	return r
}

const threePoints = `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"code":"01","nom":"Fontaine","depuis":"2014-03-01"},"geometry":{"type":"Point","coordinates":[5.4,43.3]}},
{"type":"Feature","properties":{"code":"02","nom":"Source","depuis":null},"geometry":{"type":"Point","coordinates":[5.5,43.4]}},
{"type":"Feature","properties":{"code":"03","nom":"Borne","depuis":"2015-01-01"},"geometry":null}]}`

func TestLoadPublishes(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	r := load(t, hub, request("points", write(t, "points.geojson", threePoints)))
	if r.State != ingest.Published || r.Read() != 3 || r.Loaded() != 3 || r.Layers[0].NoGeometry != 1 {
		t.Errorf("got %+v", r)
	}
	relations, err := postgis.Relations(t.Context(), hub.Web)
	if err != nil || len(relations) != 1 {
		t.Fatalf("relations: %v, %v", relations, err)
	}
	rel := relations[0]
	if rel.Layer != "points" || rel.Count != 3 || rel.GeometryType != geo.Point || rel.SRID != 4326 {
		t.Errorf("got %+v", rel)
	}
	var names []string
	err = postgis.Each(t.Context(), hub.Web, &rel, geo.Query{}, func(f *geo.Feature) error {
		names = append(names, f.Values[1].(string))
		return nil
	})
	if err != nil || len(names) != 3 {
		t.Errorf("features: %v, %v", names, err)
	}
	again := load(t, hub, ingest.Request{Dataset: "points", Path: r0path(t)})
	if again.State != ingest.Unchanged {
		t.Errorf("the same file again: got %s, want unchanged", again.State)
	}
	checkInvariants(t, hub)
}

func r0path(t *testing.T) string { return write(t, "points.geojson", threePoints) }

func checkInvariants(t testing.TB, hub *postgis.Hub) {
	t.Helper()
	broken, err := postgis.Invariants(context.WithoutCancel(t.Context()), hub.Owner)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Errorf("invariant broken: %s", b)
	}
}
