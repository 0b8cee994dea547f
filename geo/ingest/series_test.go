package ingest_test

import (
	"testing"

	"calanque/geo"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

const day1 = "code_zone;date_ech;code_qual;valeur\n4001;2026-11-01;2;10\n13055;2026-11-01;3;12\n"

// A series adds days, corrects what comes again, and loses nothing.
func TestSeries(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	series := func(name, content string) ingest.Request {
		r := request("indice", write(t, name, content))
		r.Key, r.Series = []string{"code_zone"}, &ingest.Series{Time: "date_ech"}
		return r
	}
	load(t, hub, series("a.csv", day1))
	r := load(t, hub, ingest.Request{Dataset: "indice", Path: write(t, "b.csv",
		"code_zone;date_ech;code_qual;valeur;lib_qual\n4001;2026-12-02;4;10,5;Mauvais\n13055;2026-11-01;6;99;Extr\n")})
	if r.State != ingest.Published || r.Loaded() != 2 {
		t.Fatalf("got %+v", r)
	}
	got := items(t, hub, "indice", geo.Query{})
	want := map[string][]any{
		"04001@2026-11-01": {"04001", date(2026, 11, 1), int64(2), 10.0, nil},
		"13055@2026-11-01": {"13055", date(2026, 11, 1), int64(6), 99.0, "Extr"},
		"04001@2026-12-02": {"04001", date(2026, 12, 2), int64(4), 10.5, "Mauvais"},
	}
	compare(t, got, want)
	again := load(t, hub, ingest.Request{Dataset: "indice", Path: write(t, "a.csv", day1)})
	if again.State != ingest.Published {
		t.Errorf("an older day again: got %s, want published", again.State)
	}
	if got := items(t, hub, "indice", geo.Query{}); len(got) != 3 || got["13055@2026-11-01"][2] != int64(3) {
		t.Errorf("after the correction: got %v", got)
	}
	day := date(2026, 12, 2)
	if got := items(t, hub, "indice", geo.Query{Interval: &geo.Interval{From: day, To: day}}); len(got) != 1 {
		t.Errorf("one day: got %v", got)
	}
	checkInvariants(t, hub)
}

// A series that borrows geometry shows the other layer's, also after that was
// published anew, and its revision grows with it.
func TestSeriesBorrowsGeometry(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	communes := `{"type":"FeatureCollection","features":[
{"type":"Feature","properties":{"insee":"04001"},"geometry":{"type":"Polygon","coordinates":[[[5,44],[5.1,44],[5.1,44.1],[5,44]]]}},
{"type":"Feature","properties":{"insee":"13055"},"geometry":{"type":"Polygon","coordinates":[[[5,43],[5.1,43],[5.1,43.1],[5,43]]]}}]}`
	req := request("communes", write(t, "communes.geojson", communes))
	req.Key = []string{"insee"}
	load(t, hub, req)
	series := request("indice", write(t, "a.csv", day1))
	series.Key = []string{"code_zone"}
	series.Series = &ingest.Series{Time: "date_ech", Borrow: "communes", BorrowField: "code_zone"}
	load(t, hub, series)
	before := relation(t, hub, "indice")
	if before.GeometryType != geo.Polygon || before.SRID != 4326 || before.Extent.Empty() {
		t.Errorf("got %+v", before)
	}
	box := &geo.Box{MinX: 4.9, MinY: 43.9, MaxX: 5.2, MaxY: 44.2}
	if got := items(t, hub, "indice", geo.Query{Box: box}); len(got) != 1 || got["04001@2026-11-01"] == nil {
		t.Errorf("inside a box: got %v", got)
	}
	req = request("communes", write(t, "communes2.geojson", communes[:len(communes)-2]+`,
{"type":"Feature","properties":{"insee":"13001"},"geometry":null}]}`))
	req.Key = []string{"insee"}
	load(t, hub, req)
	if after := relation(t, hub, "indice"); after.Revision <= before.Revision {
		t.Errorf("revision: got %d after %d", after.Revision, before.Revision)
	}
	if n, err := postgis.Sweep(t.Context(), hub, -1); err != nil || n != 1 {
		t.Errorf("sweep: %d, %v", n, err)
	}
	if got := items(t, hub, "indice", geo.Query{Box: box}); len(got) != 1 {
		t.Errorf("inside a box, after the communes came again: got %v", got)
	}
	load(t, hub, ingest.Request{Dataset: "indice", Path: write(t, "b.csv", "code_zone;date_ech;code_qual;valeur\n04001;2026-11-02;2;texte\n")})
	if got := items(t, hub, "indice", geo.Query{Box: box}); len(got) != 2 || got["04001@2026-11-01"][3] != "10" {
		t.Errorf("after a field was widened to text: got %v", got)
	}
	checkInvariants(t, hub)
}

func TestSeriesRejectsRowsWithoutTime(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	req := request("mesures", write(t, "m.csv", "station;date;v\nA;2026-11-01;1\nA;;2\nA;2026-11-01;3\n;2026-11-01;4\n"))
	req.Key, req.Series, req.MaxRejected = []string{"station"}, &ingest.Series{Time: "date"}, new(float64)
	*req.MaxRejected = 1
	r := load(t, hub, req)
	rules := map[string]int64{}
	for _, c := range r.Layers[0].Rules {
		rules[c.Rule] = c.Count
	}
	if r.Loaded() != 1 || rules["series.no-time"] != 1 || rules["key.duplicate"] != 1 || rules["key.missing"] != 1 {
		t.Errorf("got %d loaded, %v", r.Loaded(), rules)
	}
	checkInvariants(t, hub)
}
