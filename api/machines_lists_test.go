package api

import (
	"encoding/csv"
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"calanque/geo"
)

// TestCatalogueCSV reads the table back: the end of the period is its end, and
// no cell is a formula.
func TestCatalogueCSV(t *testing.T) {
	t.Parallel()
	s := portal(t)
	_, err := s.hub.Owner.Exec(t.Context(), `
		update dataset set title = '{"fr": "=cmd|''/C calc''!A0"}', description = '{"fr": "Une \"ligne\",\nune autre"}', frequency = 'yearly',
			temporal_start = '2012-01-02', temporal_end = '2013-12-31', territory = '["13055", "D13"]', issued_at = '2013-05-01',
			delivered_at = '2026-02-03', keywords = '[{"fr": "eau"}, {"fr": "mer; port"}, {"fr": "eau"}]'
		where slug = 'jeu-1';
		update producer set siret = '12345678901234' where id = 'crige';
		insert into dataset_topic (dataset_id, topic_id) select id, 'culture' from dataset where slug = 'jeu-1'`)
	if err != nil {
		t.Fatal(err)
	}
	body := s.get("/catalogue.csv")
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(body), "\ufeff"))).ReadAll()
	if err != nil || len(rows) != 6 {
		t.Fatalf("%d rows, %v, want a header and 5", len(rows), err)
	}
	got := map[string]string{}
	for i, name := range rows[0] {
		got[name] = rows[1][i]
	}
	for name, want := range map[string]string{
		"COLL_NOM": "CRIGE", "COLL_SIRET": "12345678901234", "ID": "jeu-1", "TITRE": "'=cmd|'/C calc'!A0", "DESCRIPTION": "Une \"ligne\",\nune autre",
		"THEME": "Culture et patrimoine", "PRODUCTEUR_NOM": "CRIGE", "PRODUCTEUR_SIRET": "12345678901234", "COUV_SPAT_MAILLE": "Départementale",
		"COUV_SPAT_NOM": "13055;Bouches-du-Rhône", "COUV_TEMP_DEBUT": "2012-01-02", "COUV_TEMP_FIN": "2013-12-31", "DATE_PUBL": "2013-05-01",
		"FREQ_MAJ": "Annuelle", "DATE_MAJ": "2026-02-03", "MOTS_CLES": "eau;mer, port", "LICENCE": "Licence Ouverte 2.0", "NOMBRE_RESSOURCES": "1",
		"FORMAT_RESSOURCES": "csv", "URL": "http://hub.example/donnees/jeu-1",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
	if len(got) != 20 {
		t.Errorf("%d columns, want 20", len(got))
	}
}

type urlset struct {
	XMLName xml.Name
	URLs    []struct {
		Loc     string `xml:"loc"`
		LastMod string `xml:"lastmod"`
	} `xml:",any"`
}

// TestSitemap follows every address of the sitemap that is built, and splits
// it where it would be too long.
func TestSitemap(t *testing.T) {
	t.Parallel()
	s := portal(t)
	read := func(body []byte) (locs []string, root string) {
		var u urlset
		if err := xml.Unmarshal(body, &u); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		for _, e := range u.URLs {
			locs = append(locs, strings.TrimPrefix(e.Loc, "http://hub.example"))
			if _, err := time.Parse(time.RFC3339, e.LastMod); err != nil && strings.HasPrefix(e.Loc, "http://hub.example/donnees/") {
				t.Errorf("%s: %v", e.Loc, err)
			}
		}
		return locs, u.XMLName.Local
	}
	locs, root := read(s.get("/sitemap.xml"))
	all := strings.Join(locs, " ")
	if root != "urlset" || !strings.HasSuffix(all, "/producteurs/crige /donnees/jeu-1 /donnees/jeu-2 /donnees/jeu-3 /donnees/jeu-4 /donnees/points-eau") {
		t.Errorf("the sitemap is a %s of %s", root, all)
	}
	if body := string(s.get("/robots.txt")); !strings.Contains(body, "\nSitemap: http://hub.example/sitemap.xml\n") {
		t.Errorf("robots.txt names no sitemap:\n%s", body)
	}
	small := func(number string) ([]string, string) {
		r := httptest.NewRequest(http.MethodGet, "/sitemap"+number+".xml", nil)
		r.Host = "hub.example"
		if number != "" {
			r = mux.SetURLVars(r, map[string]string{"number": number[1:]})
		}
		w := httptest.NewRecorder()
		if err := s.sitemap(4)(w, r); err != nil {
			t.Fatal(err)
		}
		return read(w.Body.Bytes())
	}
	index, root := small("")
	if root != "sitemapindex" || strings.Join(index, " ") != "/sitemap-0.xml /sitemap-1.xml /sitemap-2.xml" {
		t.Errorf("the index is a %s of %v", root, index)
	}
	var found []string
	for i := range index {
		locs, _ := small("-" + strconv.Itoa(i))
		found = append(found, locs...)
	}
	if got := strings.Join(found, " "); got != all {
		t.Errorf("the parts hold %s\nwant %s", got, all)
	}
	if w := s.ask(http.MethodGet, "/sitemap-7.xml"); w.Code != http.StatusNotFound {
		t.Errorf("a part that is not there: %d, want 404", w.Code)
	}
}

// TestNews reads the feed as RFC 4287 wants it.
func TestNews(t *testing.T) {
	t.Parallel()
	s := portal(t)
	s.load(waterTable(), geo.Snapshot, water(11, "b"))
	_, err := s.hub.Owner.Exec(t.Context(), `
		update dataset set title = '{"fr": "Jeu <1> & \u0001"}', updated_at = now() + interval '1 hour', edition = 2 where slug = 'jeu-1';
		update version set published_at = now() + interval '30 minutes' where number = 2`)
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []string{"", "en", "it"} {
		w := s.ask(http.MethodGet, "/nouveautes.atom?lg="+lang)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), "application/atom+xml") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		var feed struct {
			XMLName xml.Name `xml:"http://www.w3.org/2005/Atom feed"`
			ID      string   `xml:"id"`
			Title   string   `xml:"title"`
			Updated string   `xml:"updated"`
			Links   []struct {
				Rel  string `xml:"rel,attr"`
				Href string `xml:"href,attr"`
			} `xml:"link"`
			Author struct {
				Name string `xml:"name"`
			} `xml:"author"`
			Entries []struct {
				ID       string `xml:"id"`
				Title    string `xml:"title"`
				Updated  string `xml:"updated"`
				Category struct {
					Term string `xml:"term,attr"`
				} `xml:"category"`
				Author struct {
					Name string `xml:"name"`
				} `xml:"author"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal(w.Body.Bytes(), &feed); err != nil {
			t.Fatal(err)
		}
		if feed.ID != "http://hub.example/nouveautes.atom" || feed.Title == "" || feed.Author.Name == "" || len(feed.Links) != 2 {
			t.Errorf("the feed is %+v", feed)
		}
		ids, kinds := map[string]bool{}, map[string]int{}
		last := ""
		for _, e := range feed.Entries {
			if _, err := time.Parse(time.RFC3339, e.Updated); err != nil || ids[e.ID] || e.Title == "" || e.Author.Name == "" {
				t.Errorf("entry %+v, %v: want a time, an id of its own, a title and an author", e, err)
			}
			if last != "" && e.Updated > last {
				t.Errorf("entry %s is newer than the one before", e.ID)
			}
			ids[e.ID], last = true, e.Updated
			kinds[e.Category.Term]++
		}
		if kinds["opened"] != 5 || kinds["delivered"] != 1 || kinds["described"] != 1 || len(feed.Entries) != 7 {
			t.Errorf("the feed tells %v, want 5 opened, 1 delivered, 1 described", kinds)
		}
		if first := feed.Entries[0].Title; !strings.HasPrefix(first, "Jeu <1> & \ufffd") {
			t.Errorf("the first entry is %q", first)
		}
	}
}
