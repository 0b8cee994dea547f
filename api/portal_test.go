package api

import (
	"encoding/json"
	"html"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/viewer"
)

// openPortal is a site with a dataset of each sort: a layer with documents, a
// table, one that stays at its producer's, and those that nobody may see.
func openPortal(t testing.TB) *site {
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(120, "v1"))
	s.load(postgis.Table{
		Layer: "budget", Title: geo.Text{"fr": "Budget"}, GeometryType: geo.None, KeyFields: []string{"ligne"},
		Fields: []geo.Field{{Name: "ligne", Type: geo.IntegerField}, {Name: "objet", Type: geo.TextField}},
	}, geo.Snapshot, []postgis.Row{{Key: "1", Values: []any{int64(1), "Écoles"}}, {Key: "2", Values: []any{int64(2), "Routes"}}})
	_, err := s.hub.Owner.Exec(t.Context(), `
		insert into producer (id, title, kind, contact, description, territory) values
			('parc', '{"fr": "Parc naturel régional"}', 'park', '{"email": "donnees@parc.example", "url": "https://parc.example"}',
				'{"fr": "Un parc, **deux** vallées. <script>alert(1)</script>"}', '["D83"]'),
			('cache', '{"fr": "Organisme discret"}', 'other', null, null, '[]');
		update dataset set temporal_start = '2019-01-01', title = '{"fr": "Points d’eau", "en": "Drinking water"}', frequency = 'yearly', territory = '["R93", "13055"]',
			keywords = '[{"fr": "fontaine", "en": "fountain"}]',
			description = '{"fr": "Où boire : les *fontaines* de la région.\n\n- [ici](https://eau.example)\n- <img src=x onerror=alert(1)>\n- [là](javascript:alert(1))"}',
			limits = '{"fr": "Les puits **privés** n’y sont pas."}'
		where slug = 'points-eau';
		insert into dataset (slug, producer_id, licence_id, title, description, frequency, delivered_at, chain) values
			('sentiers', 'parc', 'lo-2.0', '{"fr": "Sentiers balisés du parc", "en": "Waymarked paths"}', '{"fr": "Les itinéraires entretenus."}', 'quarterly', '2026-03-20', 'partner'),
			('secret', 'cache', 'lo-2.0', '{"fr": "Fontaine secrète"}', null, null, null, 'region'),
			('retire', 'cache', 'lo-2.0', '{"fr": "Fontaine retirée"}', null, null, null, 'partner');
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) select id, chain, 1, 'counted', 'open', false, 'Parc' from dataset where slug in ('sentiers', 'retire');
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body, reason) select id, chain, 2, 'open', 'withdrawn', true, 'Parc', 'Erreur.' from dataset where slug = 'retire';
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body) select id, chain, 1, 'counted', 'legal', false, 'Service juridique' from dataset where slug = 'secret';
		insert into dataset_topic (dataset_id, topic_id) select id, case slug when 'points-eau' then 'environnement' else 'tourisme' end from dataset where slug <> 'budget';
		insert into former_slug (slug, dataset_id) select 'bornes-fontaines', id from dataset where slug = 'points-eau'
			union all select 'ancien-secret', id from dataset where slug = 'secret';
		insert into resource (dataset_id, name, kind, title, url, format, document, public)
		select d.id, r.name, r.kind, r.title, r.url, r.format, r.document, r.public from dataset d join (values
			('points-eau', 'deliberation', 'administrative', '{"fr": "Ouverture des données d’eau"}'::jsonb, 'https://parc.example/d.pdf', 'pdf', '{"type": "deliberation", "number": "26-118", "date": "2026-03-14"}'::jsonb, true),
			('points-eau', 'avis', 'administrative', '{"fr": "Avis gardé"}', 'https://parc.example/avis.pdf', 'pdf', '{"type": "avis"}', false),
			('points-eau', 'wms', 'service', '{"fr": "Service d’images"}', 'https://parc.example/wms', 'wms', null, true),
			('sentiers', 'site', 'reference', '{"fr": "Le site du parc"}', 'https://parc.example/sentiers', 'geotrek', null, true)
		) r (slug, name, kind, title, url, format, document, public) on d.slug = r.slug`)
	if err != nil {
		t.Fatal(err)
	}
	return s.refresh()
}

// text is a page without its no-break spaces.
func (s *site) text(target string) string {
	s.t.Helper()
	return strings.NewReplacer("\u202f", " ", "\u00a0", " ").Replace(string(s.get(target, "Accept-Language", "fr")))
}

var linkedData = regexp.MustCompile(`(?s)<script type="application/ld\+json">[^<>]*</script>`)

// TestPortalPages reads each page for what it must tell.
func TestPortalPages(t *testing.T) {
	t.Parallel()
	s := openPortal(t)
	for _, c := range []struct {
		target        string
		says, without []string
	}{
		{"/", []string{"Points d’eau", "Voir les 3 jeux de données", "/themes/environnement", `action="/donnees"`, "/atelier"}, []string{"secrète", "retirée"}},
		{"/donnees", []string{"3 jeux de données", "Parc naturel régional", "Aller chez le producteur", "Télécharger un fichier"}, []string{"secrète", "retirée", "discret"}},
		{"/donnees?q=fontaine", []string{"1 jeu de données pour « fontaine »", `value="fontaine"`}, []string{"secrète", "Sentiers"}},
		{"/donnees?q=fountain&lg=en", []string{"1 dataset for “fountain”", "Drinking water"}, nil},
		{"/donnees?q=fontaine&producteur=parc", []string{"Rien ne répond", "Chercher sans les filtres (1 jeu de données)", "checked", "/carte?q=fontaine"}, nil},
		{"/donnees?q=fontane", []string{"Points d’eau"}, []string{"secrète"}},
		{"/donnees?q=%00%ff&page=-4&tri=x&veux=x&theme=%00", []string{"<h1>"}, nil},
		{"/donnees?page=9", []string{"3 jeux de données", "Points d’eau"}, nil},
		{"/donnees?theme=tourisme", []string{"1 jeu de données", "Sentiers", `name="theme" value="tourisme"`}, []string{"Points d’eau<"}},
		{"/donnees?veux=lien", []string{"1 jeu de données", "Sentiers"}, nil},
		{"/donnees/points-eau", []string{
			"Où boire", "<em>fontaines</em>", `href="https://eau.example"`, "Licence Ouverte 2.0", "en citant la source", "Provence-Alpes-Côte d’Azur",
			"Prochaine prévue", "Depuis le 1er janvier 2019", "Chaque année", "Fontaine 0 v1", "Voir les 120 lignes", "/apercu/points_eau.svg", "Délibération 26-118", "Service d’images",
			"Historique des versions (1)", "120 lignes lues, 120 gardées", "<strong>privés</strong>", `hreflang="it"`, `<script type="application/ld+json">{"@context":"https://schema.org/"`, `type="text/turtle" href="/donnees/points-eau.ttl"`, `rel="canonical"`, `href="/themes/environnement"`, ">fontaine<",
		}, []string{"onerror", "javascript:", "<img src=\"x", "Avis gardé", "style="}},
		{"/donnees/budget", []string{"Écoles", "Tableur"}, []string{"/apercu/", "Voir sur la carte"}},
		{"/donnees/sentiers", []string{"Ces données restent chez leur producteur", `href="https://parc.example/sentiers"`, "Non, faute de copie", "tag warn", "Il y a 8 mois", "Était attendue le"}, []string{"/apercu/", "Aperçu", "id=\"telecharger\""}},
		{"/themes/tourisme", []string{"Sentiers balisés", "Parc naturel régional", "1 jeu de données."}, []string{"secrète"}},
		{"/themes/culture", []string{"0 jeu de données."}, nil},
		{"/producteurs/parc", []string{"<strong>deux</strong>", "donnees@parc.example", "Var", "Un parc naturel"}, []string{"<script>alert"}},
		{"/accessibilite", []string{"non conforme"}, nil},
		{"/donnees-personnelles", []string{"cookie"}, nil},
		{"/specialistes", []string{"http://hub.example/api"}, nil},
	} {
		page := s.text(c.target)
		shown := linkedData.ReplaceAllString(page, "") // quotes what people wrote, as a string
		for _, want := range c.says {
			if !strings.Contains(page, want) {
				t.Errorf("%s lacks %q", c.target, want)
			}
		}
		for _, bad := range append(c.without, "ZgotmplZ", "%!", "portal.", "<no value>") {
			if strings.Contains(shown, bad) {
				t.Errorf("%s has %q", c.target, bad)
			}
		}
	}
}

// TestPortalLanguages asks each page in each language for codes that nobody
// turned into words.
func TestPortalLanguages(t *testing.T) {
	t.Parallel()
	s := openPortal(t)
	code := regexp.MustCompile(`[>" ](portal|ui|chain|nav|compare|pages|frequency)\.[a-z]`)
	for _, lang := range viewer.Languages {
		for _, target := range []string{"/", "/donnees", "/donnees?q=zzz", "/donnees/points-eau", "/donnees/sentiers", "/donnees/budget", "/themes/tourisme", "/producteurs/parc", "/accessibilite", "/donnees-personnelles", "/specialistes", "/aide"} {
			page := string(s.get(target, "Accept-Language", lang))
			if !strings.Contains(page, `<html lang="`+lang+`">`) {
				t.Errorf("%s is not in %s", target, lang)
			}
			if found := code.FindString(page); found != "" {
				t.Errorf("%s in %s has the code %q", target, lang, found)
			}
		}
	}
}

// TestPortalHides asks every door for what its chain has not opened.
func TestPortalHides(t *testing.T) {
	t.Parallel()
	s := openPortal(t)
	for _, target := range []string{
		"/donnees/secret", "/donnees/retire", "/donnees/ancien-secret", "/donnees/gone", "/donnees/SECRET", "/producteurs/cache", "/producteurs/gone",
		"/producteurs/%00", "/themes/gone", "/donnees/points-eau/gone",
	} {
		w := s.ask(http.MethodGet, target, "Accept", "text/html")
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), `name="q"`) {
			t.Errorf("%s: got %d, want 404 with a search box", target, w.Code)
		}
		if strings.Contains(w.Body.String(), "secrète") || w.Header().Get("ETag") != "" {
			t.Errorf("%s tells what is hidden", target)
		}
	}
	for _, target := range []string{"/donnees?q=secrete", "/donnees?q=retiree", "/donnees?producteur=cache"} {
		if page := s.text(target); strings.Contains(page, "secrète") || strings.Contains(page, "retirée") || strings.Contains(page, "discret") || !strings.Contains(page, "class=\"none\"") {
			t.Errorf("%s finds what is hidden", target)
		}
	}
}

// TestPortalRedirects follows addresses that were true once.
func TestPortalRedirects(t *testing.T) {
	t.Parallel()
	s := openPortal(t)
	for _, c := range []struct{ from, to string }{
		{"/donnees/bornes-fontaines", "/donnees/points-eau"},
		{"/donnees/bornes-fontaines?lg=it&x=a%20b", "/donnees/points-eau?lg=it&x=a%20b"},
		{"/donnees/?q=eau", "/donnees?q=eau"},
		{"/?c=points_eau&sel=p00003", "/carte?c=points_eau&sel=p00003"},
		{"/?commune=13001", "/carte?commune=13001"},
		{"/?q=eau", "/carte?q=eau"},
	} {
		w := s.ask(http.MethodGet, c.from)
		if w.Code != http.StatusMovedPermanently || w.Header().Get("Location") != c.to {
			t.Errorf("%s: got %d to %q, want 301 to %q", c.from, w.Code, w.Header().Get("Location"), c.to)
		}
	}
}

// TestPortalCaching holds that the same revision is the same bytes, that those
// who have them are told so, and that a visitor gets no cookie.
func TestPortalCaching(t *testing.T) {
	t.Parallel()
	s := openPortal(t)
	for _, target := range []string{"/", "/donnees", "/donnees?q=fontaine", "/donnees/points-eau", "/donnees/sentiers", "/themes/tourisme", "/producteurs/parc", "/accessibilite"} {
		first := s.ask(http.MethodGet, target)
		tag := first.Header().Get("ETag")
		if tag == "" || first.Header().Get("Cache-Control") != "public, no-cache" || first.Header().Get("Set-Cookie") != "" {
			t.Errorf("%s: ETag %q, Cache-Control %q, Set-Cookie %q", target, tag, first.Header().Get("Cache-Control"), first.Header().Get("Set-Cookie"))
		}
		if again := s.ask(http.MethodGet, target); again.Header().Get("ETag") != tag {
			t.Errorf("%s: the same revision has two ETags", target)
		}
		if w := s.ask(http.MethodGet, target, "If-None-Match", tag); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("%s: got %d with %d bytes, want 304 with none", target, w.Code, w.Body.Len())
		}
	}
	tag := s.ask(http.MethodGet, "/donnees/points-eau").Header().Get("ETag")
	s.load(waterTable(), geo.Snapshot, water(121, "v2"))
	s.refresh()
	if w := s.ask(http.MethodGet, "/donnees/points-eau", "If-None-Match", tag); w.Code != http.StatusOK {
		t.Errorf("a new version: got %d, want 200", w.Code)
	}
}

// TestRecipes runs the lines that a dataset's page offers to copy, as they
// stand.
func TestRecipes(t *testing.T) {
	t.Parallel()
	s := openPortal(t)
	base := serveOn(t, s)
	page, err := http.Get(base + "/donnees/points-eau?lg=fr")
	if err != nil {
		t.Fatal(err)
	}
	defer page.Body.Close()
	body, err := io.ReadAll(page.Body)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ran := 0
	for _, m := range regexp.MustCompile(`<code[^>]*>([^<]*)</code>`).FindAllStringSubmatch(string(body), -1) {
		line := html.UnescapeString(m[1])
		program, _, isCommand := strings.Cut(line, " ")
		if !isCommand {
			continue
		}
		if _, err := exec.LookPath(program); err != nil {
			t.Logf("%s is not here: its line was not run", program)
			continue
		}
		cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
		cmd.Dir = dir
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		ran++
		if strings.Contains(line, "bbox=") && !strings.Contains(string(out), `"numberReturned":`) {
			t.Errorf("%s gave %.200s", line, out)
		}
	}
	if ran == 0 {
		t.Skip("neither curl nor ogr2ogr is here")
	}
	data, err := os.ReadFile(filepath.Join(dir, "points_eau.geojson"))
	var all featurePage
	if err != nil || json.Unmarshal(data, &all) != nil || len(all.Features) != 120 {
		t.Errorf("the line of curl brought %d features, want 120 (%v)", len(all.Features), err)
	}
	if _, err := exec.LookPath("ogrinfo"); err != nil {
		return
	}
	out, err := exec.CommandContext(t.Context(), "ogrinfo", "-so", filepath.Join(dir, "points_eau.gpkg"), "points_eau").Output()
	if err != nil || !strings.Contains(string(out), "Feature Count: 120") {
		t.Errorf("the line of ogr2ogr brought %s (%v)", out, err)
	}
}

// BenchmarkPortal answers the pages of a portal of a thousand datasets: the
// home page, a search with its facets, and the page of a dataset of 20 000
// points.
func BenchmarkPortal(b *testing.B) {
	s := newSite(b)
	s.load(waterTable(), geo.Snapshot, water(20_000, "v1"))
	_, err := s.hub.Owner.Exec(b.Context(), `
		update dataset set description = '{"fr": "Où boire : les fontaines de la région."}', frequency = 'yearly', territory = '["R93"]' where slug = 'points-eau';
		insert into dataset (slug, producer_id, licence_id, title, description, chain)
			select 'jeu-' || n, 'crige', 'lo-2.0', jsonb_build_object('fr', 'Fontaines de la commune ' || n), '{"fr": "Où boire."}', 'partner' from generate_series(1, 1000) n;
		insert into dataset_topic (dataset_id, topic_id) select id, 'environnement' from dataset;
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body)
			select id, chain, 1, 'counted', 'open', false, 'Parc' from dataset where slug like 'jeu-%';
		insert into resource (dataset_id, name, kind, title, url, document)
			select id, 'doc-' || n, 'administrative', '{"fr": "Délibération"}', 'https://parc.example/d.pdf', '{"type": "deliberation"}' from dataset, generate_series(1, 5) n where slug = 'points-eau';
		analyze`)
	if err != nil {
		b.Fatal(err)
	}
	s.refresh()
	for _, c := range []struct{ name, target string }{
		{"home", "/"},
		{"catalogue", "/donnees"},
		{"search", "/donnees?q=fontaines"},
		{"dataset", "/donnees/points-eau"},
		{"glimpse", "/apercu/points_eau.svg"},
	} {
		target := c.target
		b.Run(c.name, func(b *testing.B) {
			took := make([]time.Duration, 0, b.N)
			for range b.N {
				began := time.Now()
				s.get(target)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
			w := s.ask(http.MethodGet, target, "Accept-Encoding", "gzip")
			b.ReportMetric(float64(w.Body.Len())/1000, "KB")
		})
	}
}

// TestTimeline holds that the page tells who decided and when, and neither
// reasons nor accounts.
func TestTimeline(t *testing.T) {
	t.Parallel()
	s := openPortal(t)
	_, err := s.hub.Owner.Exec(t.Context(), `
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body, decided_on, reason)
		select id, chain, x.n, x.f, x.t, x.why, x.body, x.day, x.reason from dataset, (values
			(2, 'legal', 'counted', true, 'Service juridique', date '2026-02-03', 'Contient des noms.'), (3, 'counted', 'legal', false, 'Coordination', '2026-02-10', null),
			(4, 'legal', 'committee', false, 'Service juridique', '2026-02-20', null), (5, 'committee', 'approved', true, 'Comité de pilotage', '2026-03-04', 'Vote inutile.'),
			(6, 'approved', 'open', false, 'calanque apply', '2026-03-20', null)) x (n, f, t, why, body, day, reason)
		where slug = 'secret'`)
	if err != nil {
		t.Fatal(err)
	}
	page := linkedData.ReplaceAllString(s.text("/donnees/secret"), "")
	for _, want := range []string{"Transmis au service juridique", "Renvoyé à une étape", "Avis juridique favorable", "20 février 2026, Service juridique", "Accord du comité de pilotage", "Publié", "20 mars 2026"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"Contient des noms", "Vote inutile", "calanque apply"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}
