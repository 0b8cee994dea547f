package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"calanque/geo"
)

// portal is a site with five public datasets, one that was renamed, and one
// that is still in its chain.
func portal(t *testing.T) *site {
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(10, "a"))
	_, err := s.hub.Owner.Exec(t.Context(), `
		insert into dataset (slug, producer_id, licence_id, title, chain)
			select 'jeu-' || i, 'crige', 'lo-2.0', jsonb_build_object('fr', 'Jeu ' || i), case i when 5 then 'region' else 'partner' end
			from generate_series(1, 5) i;
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body)
			select id, 'partner', 1, 'counted', 'open', false, 'test' from dataset where slug like 'jeu-%' and chain = 'partner';
		insert into resource (dataset_id, name, kind, title, url, format, position, public)
			select id, 'lien', 'reference', '{"fr": "Lien"}'::jsonb, 'https://exemple.fr/x.csv', 'csv', 1, true from dataset where slug = 'jeu-1'
			union all select id, 'secret', 'reference', '{"fr": "Secret"}'::jsonb, 'https://exemple.fr/secret.csv', 'csv', 2, false from dataset where slug = 'jeu-1';
		insert into former_slug (slug, dataset_id) select 'vieux-jeu', id from dataset where slug = 'jeu-2';
		insert into former_slug (slug, dataset_id) select 'vieux-secret', id from dataset where slug = 'jeu-5'`)
	if err != nil {
		t.Fatal(err)
	}
	return s.refresh()
}

// TestHarvest walks the catalogue as udata does, by hydra:next, and finds each
// public dataset once and no other.
func TestHarvest(t *testing.T) {
	t.Parallel()
	s := portal(t)
	next := regexp.MustCompile(`hydra:next <http://hub.example([^>]*)>`)
	dataset := regexp.MustCompile(`dcat:dataset <http://hub.example/donnees/([^>]*)#dataset>`)
	var found []string
	path, pages := "/catalogue.ttl?limit=2", 0
	for path != "" {
		w := s.ask(http.MethodGet, path)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "text/turtle; charset=utf-8" {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		body := w.Body.String()
		for _, m := range dataset.FindAllStringSubmatch(body, -1) {
			found = append(found, m[1])
		}
		if strings.Contains(body, "secret") || !strings.Contains(body, `hydra:totalItems "5"`) {
			t.Errorf("%s: says what is hidden, or another total than 5", path)
		}
		path = ""
		if m := next.FindStringSubmatch(body); m != nil {
			path = m[1]
		}
		pages++
	}
	if got, want := strings.Join(found, " "), "jeu-1 jeu-2 jeu-3 jeu-4 points-eau"; got != want || pages != 3 {
		t.Errorf("%d pages with %s, want 3 with %s", pages, got, want)
	}
}

func TestGraphs(t *testing.T) {
	t.Parallel()
	s := portal(t)
	for _, c := range []struct {
		path, accept string
		status       int
		is           string // Content-Type or Location
	}{
		{"/catalogue", "", 200, "application/ld+json"},
		{"/catalogue", "text/turtle", 200, "text/turtle; charset=utf-8"},
		{"/catalogue", "application/ld+json;q=0.5, application/rdf+xml", 200, "application/rdf+xml; charset=utf-8"},
		{"/catalogue", "*/*", 200, "application/ld+json"},
		{"/catalogue", "text/turtle, */*;q=0.1", 200, "text/turtle; charset=utf-8"},
		{"/catalogue", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 303, "/donnees"},
		{"/catalogue", "image/png", 303, "/donnees"},
		{"/catalogue.rdf", "text/html", 200, "application/rdf+xml; charset=utf-8"},
		{"/catalogue.jsonld?limit=0", "", 400, ""},
		{"/catalogue.jsonld?limit=1001", "", 400, ""},
		{"/catalogue.jsonld?page=2", "", 400, ""},
		{"/catalogue.ttl?after=zzz", "", 200, "text/turtle; charset=utf-8"},
		{"/donnees/jeu-1.jsonld", "", 200, "application/ld+json"},
		{"/donnees/jeu-1.ttl", "", 200, "text/turtle; charset=utf-8"},
		{"/donnees/jeu-1.rdf", "", 200, "application/rdf+xml; charset=utf-8"},
		{"/donnees/jeu-5.ttl", "", 404, ""}, // in its chain
		{"/donnees/rien.ttl", "", 404, ""},
		{"/donnees/vieux-jeu.ttl", "", 301, "/donnees/jeu-2.ttl"},
		{"/donnees/vieux-secret.ttl", "", 404, ""},
	} {
		w := s.ask(http.MethodGet, c.path, "Accept", c.accept)
		is := w.Header().Get("Location")
		if w.Code == http.StatusOK {
			is = w.Header().Get("Content-Type")
		}
		if w.Code != c.status || c.is != "" && is != c.is {
			t.Errorf("%s, Accept %q: %d %s, want %d %s", c.path, c.accept, w.Code, is, c.status, c.is)
		}
	}
	// A renamed dataset keeps its identity.
	if body := s.ask(http.MethodGet, "/donnees/jeu-2.ttl").Body.String(); !strings.Contains(body, `dct:identifier "vieux-jeu"`) {
		t.Errorf("the renamed dataset has lost its identifier:\n%s", body)
	}
}

// TestGraphsUnchanged asks twice: the second answer is 304 until something
// public changes.
func TestGraphsUnchanged(t *testing.T) {
	t.Parallel()
	s := portal(t)
	paths := []string{"/catalogue.ttl", "/donnees/points-eau.jsonld"}
	tags := map[string]string{}
	for _, path := range paths {
		tags[path] = s.ask(http.MethodGet, path).Header().Get("ETag")
		if w := s.ask(http.MethodGet, path, "If-None-Match", tags[path]); w.Code != http.StatusNotModified || tags[path] == "" {
			t.Errorf("%s again: %d, want 304", path, w.Code)
		}
	}
	s.load(waterTable(), geo.Snapshot, water(11, "b"))
	for _, path := range paths {
		if w := s.ask(http.MethodGet, path, "If-None-Match", tags[path]); w.Code != http.StatusOK {
			t.Errorf("%s after a publication: %d, want 200", path, w.Code)
		}
	}
}

// TestUdata has a reader with the rules of data.gouv.fr take the catalogue in,
// in each syntax, page by page.
func TestUdata(t *testing.T) {
	t.Parallel()
	const python = "../.tools/rdf/bin/python"
	if exec.Command(python, "-c", "import rdflib").Run() != nil {
		t.Skip("skipped: no Python with rdflib in .tools/rdf (`make test` installs it)")
	}
	s := portal(t)
	_, err := s.hub.Owner.Exec(t.Context(), `
		update dataset set title = '{"fr": "Jeu « un »", "en": "Dataset one"}', frequency = 'yearly', extent = 'BOX(5 43,6 44)'::box2d,
			keywords = '[{"fr": "eau"}]', landing_page = 'https://producteur.exemple.fr/page' where slug = 'jeu-1';
		insert into dataset_topic (dataset_id, topic_id) select id, 'tourisme' from dataset where slug = 'jeu-1';
		insert into resource (dataset_id, name, kind, title, url, format)
			select id, 'wfs', 'service', '{"fr": "WFS"}', 'https://producteur.exemple.fr/wfs?service=WFS', 'wfs' from dataset where slug = 'jeu-1'`)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for _, suffix := range []string{".ttl", ".rdf", ".jsonld"} {
		cmd := exec.Command(python, "dcat/testdata/check.py", "harvest", server.URL+"/catalogue"+suffix+"?limit=2")
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		type dataset struct {
			Title, Page, Frequency  string
			Tags, Licences, Extents []string
			Resources               [][]string
		}
		var got struct {
			Pages    int
			Datasets map[string]dataset
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		if got.Pages != 3 || len(got.Datasets) != 5 || got.Datasets["vieux-jeu"].Page != server.URL+"/donnees/jeu-2" {
			t.Errorf("%s: %d pages, %d datasets, want 3 and 5: %v", suffix, got.Pages, len(got.Datasets), got.Datasets)
		}
		want := dataset{
			Title: "Jeu « un »", Page: server.URL + "/donnees/jeu-1", Frequency: "ANNUAL",
			Tags: []string{"Tourism", "Tourisme", "Turismo", "eau", "Économie et finances"}, Licences: []string{"https://www.etalab.gouv.fr/licence-ouverte-open-licence"},
			Extents:   []string{"POLYGON((5 43, 6 43, 6 44, 5 44, 5 43))"},
			Resources: [][]string{{"Lien", "https://exemple.fr/x.csv", "csv", "main"}, {"WFS", "https://producteur.exemple.fr/wfs?service=WFS", "wfs", "api"}},
		}
		if diff := cmp.Diff(want, got.Datasets["jeu-1"]); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", suffix, diff)
		}
	}
}

// TestOwnAddresses asks for every address of the hub that its own documents
// name.
func TestOwnAddresses(t *testing.T) {
	t.Parallel()
	s := portal(t)
	addresses := regexp.MustCompile(`<http://hub\.example(/[^>#]*)`)
	asked := map[string]bool{}
	for _, m := range addresses.FindAllStringSubmatch(string(s.get("/catalogue.ttl")), -1) {
		if path := m[1]; !asked[path] {
			asked[path] = true
			if w := s.ask(http.MethodGet, path); w.Code != http.StatusOK {
				t.Errorf("%s: %d", path, w.Code)
			}
		}
	}
	if len(asked) < 12 {
		t.Errorf("only %d addresses: %v", len(asked), asked)
	}
}
