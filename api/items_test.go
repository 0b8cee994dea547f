package api

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"calanque/geo"
	"calanque/geo/postgis"
)

// walk follows next links to the end. between is called before each page but
// the first.
func (s *site) walk(target string, between func(page int)) (ids []string, marks map[string]int, pages []featurePage) {
	s.t.Helper()
	marks = map[string]int{}
	for n := 1; target != ""; n++ {
		if n > 1 && between != nil {
			between(n)
		}
		var p featurePage
		s.getJSON(strings.TrimPrefix(target, "http://hub.example"), &p)
		if p.NumberReturned != len(p.Features) {
			s.t.Errorf("page %d: numberReturned is %d, want %d", n, p.NumberReturned, len(p.Features))
		}
		for _, f := range p.Features {
			ids = append(ids, f.ID)
			name, _ := f.Properties["nom"].(string)
			words := strings.Fields(name)
			if len(words) > 0 {
				marks[words[len(words)-1]]++
			}
		}
		pages = append(pages, p)
		target = p.link("next")
	}
	return ids, marks, pages
}

// TestWalkWhileRepublished walks by sevens while another version is published
// on page 3: the union is one version, and nothing comes twice.
func TestWalkWhileRepublished(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(100, "old"))
	s.refresh()
	ids, marks, pages := s.walk("/api/collections/points_eau/items?limit=7&potable=true", func(page int) {
		if page == 3 {
			s.load(waterTable(), geo.Snapshot, water(60, "new"))
			s.refresh()
		}
	})
	seen := map[string]bool{}
	for _, id := range ids {
		if seen[id] {
			t.Errorf("%s comes twice", id)
		}
		seen[id] = true
	}
	if len(ids) != 50 || marks["old"] != 50 || len(marks) != 1 {
		t.Errorf("got %d ids of versions %v, want 50 of the old one", len(ids), marks)
	}
	for i, p := range pages {
		if p.NumberMatched == nil || *p.NumberMatched != 50 {
			t.Errorf("page %d: numberMatched is %v, want 50", i+1, p.NumberMatched)
		}
	}
	if ids, marks, _ = s.walk("/api/collections/points_eau/items?limit=7&potable=true", nil); len(ids) != 30 || marks["new"] != 30 {
		t.Errorf("a new walk got %d ids of versions %v, want 30 of the new one", len(ids), marks)
	}
}

// TestWalkOnGoneVersion holds that a walk whose version was swept says so.
func TestWalkOnGoneVersion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(20, "old"))
	s.refresh()
	var p featurePage
	s.getJSON("/api/collections/points_eau/items?limit=7", &p)
	s.load(waterTable(), geo.Snapshot, water(20, "new"))
	s.refresh()
	if _, err := postgis.Sweep(t.Context(), s.hub, -time.Minute); err != nil {
		t.Fatal(err)
	}
	w := s.ask(http.MethodGet, strings.TrimPrefix(p.link("next"), "http://hub.example"))
	if w.Code != http.StatusGone || !strings.Contains(w.Body.String(), "Start again") {
		t.Errorf("got %d, want 410 that says to start again: %s", w.Code, w.Body)
	}
}

// TestLateCatalogue holds that a reader is answered when the catalogue is
// older than the database: the table it knows has been swept.
func TestLateCatalogue(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(20, "old"))
	s.refresh()
	s.get("/api/collections/points_eau/items?limit=7")
	s.load(waterTable(), geo.Snapshot, water(20, "new"))
	if _, err := postgis.Sweep(t.Context(), s.hub, -time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, marks, _ := s.walk("/api/collections/points_eau/items?limit=7", nil); marks["new"] != 20 {
		t.Errorf("got versions %v, want 20 of the new one", marks)
	}
}

// TestSelections compares what filters select with what was loaded.
func TestSelections(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rows := water(300, "v1")
	rows[7].Geometry = nil
	s.load(waterTable(), geo.Snapshot, rows)
	s.air()
	s.refresh()
	for _, c := range []struct {
		layer, query string
		want         int64
	}{
		{"points_eau", "", 300},
		{"points_eau", "bbox=5.0,42.9,5.0951,43.0049", 9}, // ten, one of them without geometry
		{"points_eau", "bbox=5.0,42.9,-10,5.0951,43.0049,10", 9},
		{"points_eau", "bbox=-180,-90,180,90", 299},
		{"points_eau", "bbox=-200,-95,200,95", 299},
		{"points_eau", "bbox=177,-90,-177,90", 0},
		{"points_eau", "bbox=5.985,-90,-170,90", 3}, // across the antimeridian, the last column
		{"points_eau", "bbox=-180,85,180,90", 0},
		{"points_eau", "bbox=-180,-90,180,-85", 0},
		{"points_eau", "bbox=5,43,5,43", 1},
		{"points_eau", "numero=12", 1},
		{"points_eau", "numero=-12", 0},
		{"points_eau", "debit=0.25", 1},
		{"points_eau", "potable=false", 150},
		{"points_eau", "pose=2020-01-01", 11},
		{"points_eau", "releve=2026-11-01T05:00:00Z", 13},
		{"points_eau", "releve=2026-11-01T06:00:00%2B01:00", 13},
		{"points_eau", "nom=Fontaine%2012%20v1", 1},
		{"points_eau", "nom=Fontaine+12+v1&potable=true", 1},
		{"points_eau", "nom=Fontaine+12+v1&potable=false", 0},
		{"points_eau", "datetime=1999-01-01", 300}, // no time: everything is always
		{"indice", "", 15},
		{"indice", "datetime=2026-11-24", 3},
		{"indice", "datetime=2026-11-23T23:00:00Z", 3},
		{"indice", "datetime=2026-11-24T00:00:00", 3},
		{"indice", "datetime=2026-11-23T22:59:59Z", 0},
		{"indice", "datetime=2026-11-23/2026-11-24", 6},
		{"indice", "datetime=../2026-11-23", 6},
		{"indice", "datetime=/2026-11-23", 6},
		{"indice", "datetime=2026-11-24/..", 9},
		{"indice", "datetime=2026-11-24&code=13055", 1},
	} {
		var p featurePage
		s.getJSON("/api/collections/"+c.layer+"/items?limit=10000&"+c.query, &p)
		if p.NumberMatched == nil || *p.NumberMatched != c.want || int64(len(p.Features)) != c.want {
			t.Errorf("%s?%s: got %d features, matched %v, want %d", c.layer, c.query, len(p.Features), *p.NumberMatched, c.want)
		}
		ids, _, pages := s.walk("/api/collections/"+c.layer+"/items?limit=7&"+c.query, nil)
		if int64(len(ids)) != c.want || *pages[0].NumberMatched != c.want {
			t.Errorf("%s?%s by sevens: got %d features, matched %d, want %d", c.layer, c.query, len(ids), *pages[0].NumberMatched, c.want)
		}
	}
}

// TestSeriesItem reads one moment of a series by its id.
func TestSeriesItem(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.air()
	s.refresh()
	var f struct {
		ID         string
		Properties map[string]any
	}
	s.getJSON("/api/collections/indice/items/13055@2026-11-24", &f)
	if f.ID != "13055@2026-11-24" || f.Properties["code"] != "13055" {
		t.Errorf("got %+v", f)
	}
	var c struct {
		Extent struct {
			Temporal struct{ Interval [][2]time.Time }
		}
		Calanque struct {
			Times struct{ Values []string }
		}
	}
	s.getJSON("/api/collections/indice", &c)
	if got := fmt.Sprint(c.Calanque.Times.Values); got != "[2026-11-22 2026-11-23 2026-11-24 2026-11-25 2026-11-26]" {
		t.Errorf("values are %s", got)
	}
	if len(c.Extent.Temporal.Interval) != 1 || !c.Extent.Temporal.Interval[0][0].Equal(time.Date(2026, 11, 21, 23, 0, 0, 0, time.UTC)) {
		t.Errorf("temporal extent is %v", c.Extent.Temporal.Interval)
	}
}

// TestValues reads back every type of value, and those JSON has no word for.
func TestValues(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	rows := water(3, "v1")
	rows[1].Values = []any{"œ \"\\\n\t\x01</script>", int64(1) << 60, math.NaN(), nil, nil, nil, nil}
	rows[2].Values = []any{nil, int64(-7), 1e300, true, time.Date(1789, 7, 14, 0, 0, 0, 0, time.UTC), time.Date(1900, 1, 1, 0, 0, 0, 123456000, time.UTC), json.RawMessage(`null`)}
	s.load(waterTable(), geo.Snapshot, rows)
	s.refresh()
	var p struct {
		Features []struct {
			ID         string
			Properties json.RawMessage
		}
	}
	s.getJSON("/api/collections/points_eau/items", &p)
	for i, want := range []string{
		`{"nom":"Fontaine 0 v1","numero":0,"debit":0.0,"potable":true,"pose":"2020-01-01","releve":"2026-11-01T00:00:00Z","autres":{"a": [1, 2]}}`,
		`{"nom":"œ \"\\\n\t\u0001</script>","numero":"1152921504606846976","debit":null,"potable":null,"pose":null,"releve":null,"autres":null}`,
		`{"nom":null,"numero":-7,"debit":1e+300,"potable":true,"pose":"1789-07-14","releve":"1900-01-01T00:00:00.123456Z","autres":null}`,
	} {
		if got := string(p.Features[i].Properties); got != want {
			t.Errorf("row %d: got %s\nwant %s", i, got, want)
		}
	}
}

// TestGeometryAgainstPostGIS compares geometry of all types with ST_AsGeoJSON.
func TestGeometryAgainstPostGIS(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	hole := orb.Ring{{5.2, 43.2}, {5.4, 43.2}, {5.4, 43.4}, {5.2, 43.4}, {5.2, 43.2}}
	shapes := []orb.Geometry{
		orb.Point{5.123456789, 43.5},
		orb.MultiPoint{{5, 43}, {5.1, 43.1}},
		orb.LineString{{5, 43}, {5.5, 43.25}},
		orb.MultiLineString{{{5, 43}, {5.1, 43}}, {{5.2, 43}, {5.3, 43.3}}},
		orb.Polygon{{{5, 43}, {6, 43}, {6, 44}, {5, 44}, {5, 43}}, hole},
		orb.Polygon{{{5, 43}, {5, 44}, {6, 44}, {6, 43}, {5, 43}}, hole},
		orb.MultiPolygon{{{{5, 43}, {6, 43}, {6, 44}, {5, 44}, {5, 43}}}, {{{7, 43}, {7, 44}, {8, 44}, {7, 43}}}},
	}
	table := postgis.Table{
		Layer: "formes", SRID: geo.WGS84, GeometryType: geo.Mixed, KeyFields: []string{"n"},
		Fields: []geo.Field{{Name: "n", Type: geo.IntegerField}}, Bounds: geo.Box{MinX: 5, MinY: 43, MaxX: 8, MaxY: 44},
	}
	var rows []postgis.Row
	for i, g := range shapes {
		b, err := geo.EWKB(g, 0)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, postgis.Row{Key: fmt.Sprintf("%02d", i), Geometry: b, Values: []any{int64(i)}})
	}
	s.load(table, geo.Snapshot, rows)
	s.refresh()
	var p featurePage
	s.getJSON("/api/collections/formes/items", &p)
	var relation string
	if err := s.hub.Owner.QueryRow(t.Context(), `select relation::text from layer_version`).Scan(&relation); err != nil {
		t.Fatal(err)
	}
	for _, f := range p.Features {
		var want string
		err := s.hub.Owner.QueryRow(t.Context(), `select st_asgeojson(case st_dimension(_geom) when 2 then st_forcepolygonccw(_geom) else _geom end, 7) from data.`+relation+` where _key = $1`, f.ID).Scan(&want)
		if err != nil {
			t.Fatal(err)
		}
		if compact(t, f.Geometry) != compact(t, []byte(want)) {
			t.Errorf("%s: got %s\nwant %s", f.ID, f.Geometry, want)
		}
	}
}

// compact writes JSON in one way only. Rings are turned so that their least
// position comes first: where a ring begins means nothing.
func compact(t *testing.T, b []byte) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	turnRings(v)
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func turnRings(v any) {
	switch v := v.(type) {
	case map[string]any:
		turnRings(v["coordinates"])
	case []any:
		if !isRing(v) {
			for _, e := range v {
				turnRings(e)
			}
			return
		}
		ring := v[:len(v)-1]
		least := 0
		for i := range ring {
			if fmt.Sprint(ring[i]) < fmt.Sprint(ring[least]) {
				least = i
			}
		}
		turned := append(append([]any{}, ring[least:]...), ring[:least]...)
		copy(v, append(turned, turned[0]))
	}
}

func isRing(v []any) bool {
	return len(v) > 3 && fmt.Sprint(v[0]) == fmt.Sprint(v[len(v)-1])
}

// TestItemsAnswer holds what else the standard asks of a page of features.
func TestItemsAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(250, "v1"))
	s.refresh()
	w := s.ask(http.MethodGet, "/api/collections/points_eau/items?limit=3&skipGeometry=true")
	for name, want := range map[string]string{
		"Content-Type": "application/geo+json", "Content-Crs": "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>",
		"OGC-NumberMatched": "250", "OGC-NumberReturned": "3",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var p featurePage
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if at, err := time.Parse(time.RFC3339, p.TimeStamp); err != nil || !at.Equal(now) {
		t.Errorf("timeStamp is %s, want %s", p.TimeStamp, now)
	}
	for _, f := range p.Features {
		if f.Type != "Feature" || string(f.Geometry) != "null" {
			t.Errorf("got %s with geometry %s, want a feature without", f.Type, f.Geometry)
		}
	}
	for query, want := range map[string]int{"": 100, "limit=20000": 250, "limit=1": 1} {
		var p featurePage
		s.getJSON("/api/collections/points_eau/items?"+query, &p)
		if len(p.Features) != want {
			t.Errorf("%s: got %d features, want %d", query, len(p.Features), want)
		}
	}
}

// TestLiveLayer reads a layer whose columns are not of its fields' types, in
// the order of its keys.
func TestLiveLayer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	ctx := t.Context()
	_, err := s.hub.Owner.Exec(ctx, `
		create table osm.essai (_key text collate "C" primary key, type "char", osm_id bigint, version int, hauteur real, tags jsonb,
			at timestamp, geom geometry(point, 3857));
		insert into osm.essai
		select 'n' || i, 'n', 9000000000 + i, i, 1.5, '{"name": "x"}', '2026-11-24 10:00', st_point(556597 + i, 5311972, 3857)
		from generate_series(1, 25) i`)
	if err != nil {
		t.Fatal(err)
	}
	err = pgx.BeginFunc(ctx, s.hub.Owner, func(tx pgx.Tx) error {
		_, err := postgis.PutLiveLayer(ctx, tx, postgis.LiveLayer{
			Name: "osm_essai", Title: geo.Text{"fr": "Essai"}, Schema: "osm", Table: "essai", Key: "_key", Geom: "geom",
			SRID: geo.WebMercator, Geom3857: "geom", GeometryType: geo.Point, Producer: "openstreetmap", Count: 25,
			Extent: geo.Box{MinX: 5, MinY: 43, MaxX: 5.1, MaxY: 43.1}, Updated: now,
			Fields: []geo.Field{
				{Name: "type", Type: geo.TextField},
				{Name: "osm_id", Type: geo.TextField},
				{Name: "version", Type: geo.IntegerField},
				{Name: "hauteur", Type: geo.RealField},
				{Name: "tags", Type: geo.JSONField},
				{Name: "at", Type: geo.TimeField},
			},
		})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.refresh()
	ids, _, pages := s.walk("/api/collections/osm_essai/items?limit=7", nil)
	if len(ids) != 25 || ids[0] != "n1" || ids[1] != "n10" {
		t.Errorf("got %v, want 25 ids in the order of their bytes", ids)
	}
	want := map[string]any{
		"type": "n", "osm_id": "9000000001", "version": 1.0, "hauteur": 1.5,
		"tags": map[string]any{"name": "x"}, "at": "2026-11-24T10:00:00Z",
	}
	if got := pages[0].Features[0].Properties; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for query, n := range map[string]int{
		"osm_id=9000000003": 1, "osm_id=x": 0, "type=n": 25, "type=way": 0, "version=3": 1, "version=99999999999": 0, "hauteur=1.5": 25,
	} {
		var p featurePage
		s.getJSON("/api/collections/osm_essai/items?"+query, &p)
		if len(p.Features) != n {
			t.Errorf("%s: got %d features, want %d", query, len(p.Features), n)
		}
	}
	csv := string(s.get("/telecharger/osm_essai.csv"))
	if !strings.Contains(csv, "n1,n,9000000001,1,1.5,") {
		t.Errorf("no line of n1 in %.300s", csv)
	}
}
