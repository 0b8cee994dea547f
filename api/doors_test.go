package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

// stations are how a dataset comes to stand where it stands, by what the test
// calls it. Only what is open and not retired may be seen.
var stations = []struct {
	name  string
	chain catalogue.Chain
	steps []catalogue.State
	open  bool
}{
	{"counted", "region", nil, false},
	{"legal", "region", []catalogue.State{"legal"}, false},
	{"committee", "region", []catalogue.State{"legal", "committee"}, false},
	{"vote", "region", []catalogue.State{"legal", "committee", "vote"}, false},
	{"approved", "region", []catalogue.State{"legal", "committee", "vote", "approved"}, false},
	{"open", "region", []catalogue.State{"legal", "committee", "vote", "approved", "open"}, true},
	{"refused", "region", []catalogue.State{"legal", "refused"}, false},
	{"withdrawn", "region", []catalogue.State{"legal", "committee", "approved", "open", "withdrawn"}, false},
	{"opened", "partner", []catalogue.State{"open"}, true},
	{"closed", "partner", []catalogue.State{"open", "withdrawn"}, false},
	{"retired", "partner", []catalogue.State{"open"}, false},
}

// station loads a dataset with everything that the public could find it by,
// and takes it where it shall stand. What was open for a while has been looked
// at meanwhile, so that whatever may be cached is.
func (s *site) station(i int) {
	s.t.Helper()
	ctx, st := s.t.Context(), stations[i]
	exec := func(sql string, args ...any) {
		s.t.Helper()
		if _, err := s.hub.Owner.Exec(ctx, sql, args...); err != nil {
			s.t.Fatal(err)
		}
	}
	exec(`insert into producer (id, title) values ($1, jsonb_build_object('fr', 'Producteur xq' || $1)) on conflict do nothing`, st.name)
	exec(`insert into dataset (slug, producer_id, licence_id, title, chain, keywords, territory)
		values ($1, $1, 'lo-2.0', jsonb_build_object('fr', 'Jeu xq' || $1), $2, jsonb_build_array(jsonb_build_object('fr', 'xq' || $1)), '["13055"]')`, st.name, st.chain)
	exec(`insert into dataset_topic select id, 'culture' from dataset where slug = $1`, st.name)
	exec(`insert into resource (dataset_id, name, kind, title, url) select id, 'lien', 'reference', '{"fr": "Lien"}', 'https://example.org/' || slug from dataset where slug = $1`, st.name)
	table := waterTable()
	table.Layer, table.Title = st.name, geo.Text{"fr": "Couche xq" + st.name}
	rows := water(3, "xq"+st.name)
	s.load(table, geo.Snapshot, rows)
	exec(`insert into record (layer_id, key) select id, 'p00001' from layer where name = $1`, st.name)
	exec(`insert into rule (layer_id, theme_id, spec) select id, 'eau', jsonb_build_object('layer', $1::text, 'theme', 'eau', 'name', 'nom') from layer where name = $1`, st.name)
	exec(`insert into outcome (rule_id, record_id, kind, reason, fingerprint, name, geom)
		select r.id, c.id, 'only_open_data', '{}', '\x01', 'Fontaine xq' || $1, st_transform(st_setsrid(st_point(5.01, 43), 4326), 3857)
		from rule r join layer l on l.id = r.layer_id join record c on c.layer_id = l.id where l.name = $1`, st.name)
	s.outcomes(st.name)
	for _, to := range st.steps {
		err := pgx.BeginFunc(ctx, s.hub.Desk, func(tx pgx.Tx) error {
			from, err := catalogue.Find(ctx, tx, catalogue.Desk, st.name)
			if err != nil || from.State == to {
				return err // its first publication has opened it
			}
			return catalogue.Take(ctx, tx, st.name, catalogue.Step{To: to, Body: "Comité", Reason: "xqraison"})
		})
		if err != nil {
			s.t.Fatal(err)
		}
		if to == catalogue.Open {
			s.refresh()
			for _, d := range doors {
				d.look(s, st.name)
			}
		}
	}
	if st.name == "retired" {
		err := pgx.BeginFunc(ctx, s.hub.Owner, func(tx pgx.Tx) error {
			return catalogue.Retire(ctx, tx, st.name, true, catalogue.By{Body: "calanque apply"})
		})
		if err != nil {
			s.t.Fatal(err)
		}
	}
}

// outcomes registers the live layer of a layer's comparison, as osm/match does.
func (s *site) outcomes(layer string) {
	s.t.Helper()
	err := pgx.BeginFunc(s.t.Context(), s.hub.Owner, func(tx pgx.Tx) error {
		var rule int64
		err := tx.QueryRow(s.t.Context(), `select r.id from rule r join layer l on l.id = r.layer_id where l.name = $1`, layer).Scan(&rule)
		if err != nil {
			return err
		}
		view := fmt.Sprintf("outcome_%d", rule)
		sql, err := os.ReadFile("../osm/match/sql/view.sql")
		if err != nil {
			return err
		}
		if _, err = tx.Exec(s.t.Context(), strings.NewReplacer("{view}", view, "{rule}", fmt.Sprint(rule)).Replace(string(sql))); err != nil {
			return err
		}
		_, err = postgis.PutLiveLayer(s.t.Context(), tx, postgis.LiveLayer{
			Name: layer + outcomesSuffix, Title: geo.Text{"fr": "Comparaison xq" + layer}, Schema: "data", Table: view, Key: "_key",
			Geom: "_geom_3857", Geom3857: "_geom_3857", SRID: 3857, GeometryType: geo.Point, Producer: "openstreetmap", Count: 1,
			Fields: []geo.Field{
				{Name: "kind", Type: geo.TextField},
				{Name: "group", Type: geo.TextField},
				{Name: "name", Type: geo.TextField},
				{Name: "record", Type: geo.TextField},
				{Name: "osm", Type: geo.TextField},
				{Name: "distance", Type: geo.RealField},
				{Name: "score", Type: geo.RealField},
				{Name: "osm_lon", Type: geo.RealField},
				{Name: "osm_lat", Type: geo.RealField},
				{Name: "reason", Type: geo.JSONField},
				{Name: "comparison", Type: geo.JSONField},
			},
			Extent: geo.Box{MinX: 5, MinY: 43, MaxX: 6, MaxY: 44}, Updated: now,
		})
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// A door is a way in which the public could see a dataset: look tells whether
// it did. Each dataset is told by the word "xq" and its name.
type door struct {
	name string
	look func(s *site, name string) bool
}

// at is a door that is an address of its own, there or not; in is one whose
// answer would speak of the dataset.
func at(format string) door {
	return door{format, func(s *site, name string) bool {
		w := s.ask(http.MethodGet, strings.ReplaceAll(format, "NAME", name))
		return w.Code < 400
	}}
}

func in(target string) door {
	return door{target, func(s *site, name string) bool {
		target := strings.ReplaceAll(target, "NAME", name)
		w := s.ask(http.MethodGet, target, "Accept", "text/html,application/json;q=0.9,*/*;q=0.8")
		body := w.Body.Bytes()
		if strings.Contains(target, "xq"+name) { // a page repeats what was asked
			body = bytes.ReplaceAll(body, []byte(target), nil)
			return bytes.Contains(body, []byte("Jeu xq"+name)) || bytes.Contains(body, []byte("Couche xq"+name)) || bytes.Contains(body, []byte("Fontaine 0 xq"+name))
		}
		if w.Code >= 400 { // a page that there is none repeats the address
			return bytes.Contains(body, []byte("xq"+name))
		}
		for _, word := range []string{"xq" + name, "/" + name + `"`, "/" + name + "<", `"` + name + `"`, "/" + name + "/", ";" + name + ";"} {
			if bytes.Contains(body, []byte(word)) {
				return true
			}
		}
		return false
	}}
}

// comparison is the page of a comparison with one of its outcomes chosen.
var comparison = door{"/carte comparing, an outcome chosen", func(s *site, name string) bool {
	var id int64
	err := s.hub.Owner.QueryRow(s.t.Context(), `select o.id from outcome o join rule r on r.id = o.rule_id join layer l on l.id = r.layer_id where l.name = $1`, name).Scan(&id)
	if err != nil {
		s.t.Fatal(err)
	}
	w := s.ask(http.MethodGet, fmt.Sprintf("/carte?c=%s&comparer=1&sel=%d", name, id))
	return w.Code < 400 && strings.Contains(w.Body.String(), "Fontaine xq"+name)
}}

var doors = []door{
	at("/api/collections/NAME"), at("/api/collections/NAME/items"), at("/api/collections/NAME/items/p00001"),
	at("/api/collections/NAME" + outcomesSuffix + "/items"),
	in("/api/collections"), in("/api"), in("/api/api"),
	at("/tiles/NAME.json"), at("/tiles/NAME/8/131/94.mvt"), at("/tiles/NAME" + outcomesSuffix + "/8/131/94.mvt"), at("/tiles/NAME" + outcomesSuffix + ".json"),
	at("/image/NAME.svg"), in("/recherche?q=xqNAME"), in("/recherche?q=Fontaine"),
	at("/telecharger/NAME.geojson"), at("/telecharger/NAME.csv"),
	in("/carte"), in("/carte?c=NAME"), in("/carte?c=NAME&sel=p00001"), in("/carte?q=xqNAME"), in("/aide"),
	in("/carte?c=NAME&comparer=1"), in("/carte?c=NAME&comparer=1&vue=liste"), comparison,
	at("/donnees/NAME.jsonld"), at("/donnees/NAME.ttl"), at("/donnees/NAME.rdf"),
	in("/catalogue.jsonld"), in("/catalogue.ttl"), in("/catalogue.rdf"), in("/catalogue.csv"), in("/sitemap.xml"), in("/nouveautes.atom"),
	in("/donnees"), in("/donnees?q=xqNAME"), in("/"), in("/producteurs/NAME"), in("/themes/culture"), at("/donnees/NAME"),
	at("/donnees/NAME/telechargements/NAME.csv"), at("/donnees/NAME/telechargements/NAME.gpkg"), in("/donnees/NAME/reutilisations"), in("/reutilisations/proposer"),
	{"search", func(s *site, name string) bool {
		res, err := catalogue.NewFinder(s.hub.Web).Search(s.t.Context(), catalogue.SearchQuery{Text: "xq" + name, Limit: 50})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, h := range res.Hits {
			if h.Slug == name {
				return true
			}
		}
		for _, f := range res.Facets["producer"] {
			if f.Value == name && f.Count > 0 {
				return true
			}
		}
		return false
	}},
	{"preparing a session", func(s *site, name string) bool {
		form := url.Values{
			"csrf": {s.mark(s.mediator)}, "titre": {"Fontaines"}, "theme": {"eau"}, "zone": {"forme"}, "duree": {"180"}, "personnes": {"30"},
			"forme": {`{"type": "Polygon", "coordinates": [[[5, 42.99], [5.05, 42.99], [5.05, 43.02], [5, 43.02], [5, 42.99]]]}`},
		}
		w := s.post("/atelier/nouveau", form.Encode(), "Cookie", s.mediator, "Sec-Fetch-Site", "same-origin")
		if w.Code != http.StatusOK && w.Code != http.StatusBadRequest { // there may be nothing to ask yet
			s.t.Fatalf("preparing a session: %d %s", w.Code, w.Body)
		}
		return strings.Contains(w.Body.String(), "xq"+name)
	}},
	{"a mediator's verdict", func(s *site, name string) bool {
		var id int64
		err := s.hub.Owner.QueryRow(s.t.Context(), `select o.id from outcome o join rule r on r.id = o.rule_id join layer l on l.id = r.layer_id where l.name = $1`, name).Scan(&id)
		if err != nil {
			s.t.Fatal(err)
		}
		w := s.ask(http.MethodGet, fmt.Sprint("/carte/verdict?outcome=", id), "Cookie", s.mediator)
		return w.Code < 400
	}},
	{"what a mediator may ask about", func(s *site, name string) bool {
		var n int
		err := s.hub.Web.QueryRow(s.t.Context(), `select count(*) from public_rule r join layer l on l.id = r.layer_id where l.name = $1`, name).Scan(&n)
		if err != nil {
			s.t.Fatal(err)
		}
		return n > 0
	}},
	{"a desk's verdict", func(s *site, name string) bool {
		var id int64
		err := s.hub.Owner.QueryRow(s.t.Context(), `select o.id from outcome o join rule r on r.id = o.rule_id join layer l on l.id = r.layer_id where l.name = $1`, name).Scan(&id)
		if err != nil {
			s.t.Fatal(err)
		}
		_, err = s.deskOf(s.t.Context(), account.Actor{}, fmt.Sprint(id))
		return err == nil
	}},
}

// sometimes are doors that need not show what is open: they are other pages'
// to build. What is hidden they hide all the same.
func sometimes(s *site, name string) bool {
	for _, always := range []string{"/api", "/tiles", "/image", "/telecharger", "/carte", "/donnees/NAME.", "/catalogue.", "/sitemap", "search", "what a", "a desk", "preparing", "a mediator"} {
		if strings.HasPrefix(name, always) {
			return strings.HasPrefix(name, "/api/api") || name == "/api" || name == "/carte?c=NAME&sel=p00001"
		}
	}
	return true
}

// TestDoors tries every door on a dataset in every state, once more after it
// has been open, and after the server has started anew.
func TestDoors(t *testing.T) {
	t.Parallel()
	s := staffed(t, newSite(t))
	s.mediator = s.in("atelier")
	if _, err := s.hub.Owner.Exec(t.Context(), `insert into theme (id, title, selection) values ('eau', '{"fr": "Eau"}', '{}')`); err != nil {
		t.Fatal(err)
	}
	for i := range stations {
		s.station(i)
	}
	s.refresh()
	for _, d := range doors {
		for _, st := range stations {
			seen := d.look(s, st.name)
			if seen && !st.open || !seen && st.open && !sometimes(s, d.name) {
				t.Errorf("%s: %s is seen: %t, want %t", d.name, st.name, seen, st.open)
			}
		}
	}
	// Counts are counts of what is open.
	var n int
	if err := s.hub.Web.QueryRow(t.Context(), `select count(*) from public_dataset`).Scan(&n); err != nil || n != 2 {
		t.Errorf("%d datasets are public, %v", n, err)
	}
}

// TestWithdrawnTile holds what a browser that has a tile gets once its dataset
// was withdrawn, by the server that cached it and without its being asked to.
func TestWithdrawnTile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.refresh()
	const tile = "/tiles/points_eau/8/131/94.mvt"
	w := s.ask(http.MethodGet, tile)
	if w.Code != http.StatusOK {
		t.Fatalf("the tile is %d", w.Code)
	}
	tag := w.Header().Get("ETag")
	take := func(to catalogue.State) {
		t.Helper()
		err := pgx.BeginFunc(t.Context(), s.hub.Desk, func(tx pgx.Tx) error {
			return catalogue.Take(t.Context(), tx, "points-eau", catalogue.Step{To: to, Body: "CRIGE", Reason: "Erreur."})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	followed := make(chan struct{})
	go func() { s.Follow(ctx); close(followed) }()
	defer func() { stop(); <-followed }()
	until := func(code int, header ...string) {
		t.Helper()
		for w := s.ask(http.MethodGet, tile, header...); w.Code != code; w = s.ask(http.MethodGet, tile, header...) {
			if t.Context().Err() != nil {
				t.Fatalf("the tile stays %d", w.Code)
			}
		}
	}
	take(catalogue.Withdrawn)
	until(http.StatusNotFound, "If-None-Match", tag)
	take(catalogue.Open)
	until(http.StatusNotModified, "If-None-Match", tag) // the same rows: what the browser kept is right again
}
