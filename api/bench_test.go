package api

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"

	"calanque/geo"
	"calanque/geo/postgis"
)

// buildings makes n little houses in Lambert-93 with four attributes, as a
// department's building layer has them.
func (s *site) buildings(n int) {
	s.t.Helper()
	table := postgis.Table{
		Layer: "batiments", Title: geo.Text{"fr": "Bâtiments"}, SRID: geo.Lambert93, GeometryType: geo.Polygon, KeyFields: []string{"id"},
		Fields: []geo.Field{
			{Name: "id", Type: geo.TextField},
			{Name: "nature", Type: geo.TextField},
			{Name: "hauteur", Type: geo.RealField},
			{Name: "etages", Type: geo.IntegerField},
		},
		Bounds: geo.Box{MinX: 880000, MinY: 6240000, MaxX: 920000, MaxY: 6280000},
	}
	rows := make([]postgis.Row, n)
	for i := range rows {
		x, y := 880000+float64(i%400)*100+float64(i%7), 6240000+float64(i/400)*100+float64(i%11)
		id := fmt.Sprintf("BATIMENT%012d", i)
		rows[i] = postgis.Row{Key: id, Geometry: house(x, y, i), Values: []any{id, "Indifférenciée", float64(i%30) + 0.5, int64(i % 7)}}
	}
	s.load(table, geo.Snapshot, rows)
	if _, err := s.hub.Owner.Exec(s.t.Context(), "vacuum analyze"); err != nil {
		s.t.Fatal(err)
	}
	s.refresh()
}

// house is a multipolygon of one ring of six corners, as EWKB.
func house(x, y float64, i int) []byte {
	w, d := 8+float64(i%5), 6+float64(i%3)
	ring := [][2]float64{{0, 0}, {w, 0}, {w, d / 2}, {w / 2, d / 2}, {w / 2, d}, {0, d}, {0, 0}}
	b := []byte{1}
	word := func(n uint32) { b = binary.LittleEndian.AppendUint32(b, n) }
	word(6)
	word(1)
	b = append(b, 1)
	word(3)
	word(1)
	word(uint32(len(ring)))
	for _, p := range ring {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x+p[0]))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(y+p[1]))
	}
	return b
}

// BenchmarkItems reads pages of 1000 buildings of a box, the way the server
// answers them and the way a server does that lets PostGIS write the GeoJSON.
func BenchmarkItems(b *testing.B) {
	s := newSite(b)
	s.buildings(100_000)
	b.Run("server", func(b *testing.B) {
		for i := range b.N {
			x := 5.1 + float64(i%50)/1000
			w := s.ask(http.MethodGet, fmt.Sprintf("/api/collections/batiments/items?limit=1000&bbox=%g,43.2,%g,43.5", x, x+0.2))
			if w.Code != 200 || !strings.Contains(w.Body.String(), `"numberReturned":1000`) {
				b.Fatalf("got %d: %.300s", w.Code, w.Body)
			}
		}
	})
	b.Run("st_asgeojson", s.letPostGISWrite)
	b.Run("first ten", func(b *testing.B) {
		for range b.N {
			s.get("/api/collections/batiments/items?limit=10")
		}
	})
	b.Run("deep page", func(b *testing.B) {
		target := "/api/collections/batiments/items?limit=1000"
		for range 90 {
			var p featurePage
			s.getJSON(target, &p)
			target = strings.TrimPrefix(p.link("next"), "http://hub.example")
		}
		for b.Loop() {
			s.get(target)
		}
	})
	b.Run("first page", func(b *testing.B) {
		for b.Loop() {
			s.get("/api/collections/batiments/items?limit=1000")
		}
	})
	b.Run("not modified", func(b *testing.B) {
		const target = "/api/collections/batiments/items?limit=1000"
		tag := s.ask(http.MethodGet, target).Header().Get("ETag")
		for b.Loop() {
			if w := s.ask(http.MethodGet, target, "If-None-Match", tag); w.Code != 304 {
				b.Fatal(w.Code)
			}
		}
	})
}

// letPostGISWrite is the work of a server that lets PostGIS write the
// geometry and Go's encoder the rest: the statement of pg_featureserv 1.3, its
// order left out. It has no count and no HTTP.
func (s *site) letPostGISWrite(b *testing.B) {
	rel := s.state.Load().relation("batiments")
	sql := fmt.Sprintf(`
		select st_asgeojson(st_transform(_geom, 4326), 9), id, nature, hauteur, etages
		from data.%s
		where st_intersects(_geom, st_transform(st_makeenvelope($1, $2, $3, $4, 4326), 2154))
		limit 1000`, rel.Table)
	if _, err := s.hub.Owner.Exec(b.Context(), fmt.Sprintf("create index on data.%s using gist (_geom)", rel.Table)); err != nil {
		b.Fatal(err)
	}
	for i := range b.N {
		x := 5.1 + float64(i%50)/1000
		rows, err := s.hub.Web.Query(b.Context(), sql, x, 43.2, x+0.2, 43.5)
		if err != nil {
			b.Fatal(err)
		}
		var features []map[string]any
		for rows.Next() {
			v, err := rows.Values()
			if err != nil {
				b.Fatal(err)
			}
			features = append(features, map[string]any{
				"type": "Feature", "geometry": json.RawMessage(v[0].(string)), "id": v[1],
				"properties": map[string]any{"id": v[1], "nature": v[2], "hauteur": v[3], "etages": v[4]},
			})
		}
		if err := rows.Err(); err != nil || len(features) != 1000 {
			b.Fatalf("%d features: %v", len(features), err)
		}
		if _, err := json.Marshal(map[string]any{"type": "FeatureCollection", "features": features}); err != nil {
			b.Fatal(err)
		}
	}
}
