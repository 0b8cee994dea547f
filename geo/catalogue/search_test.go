package catalogue_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// table reads a file of tab-separated lines; those that begin with # are for
// people.
func table(t testing.TB, path string) [][]string {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows [][]string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := lines.Text(); line != "" && line[0] != '#' {
			rows = append(rows, strings.Split(line, "\t"))
		}
	}
	return rows
}

// communes are some of the region's, with the code INSEE.
var communes = [][2]string{
	{"13055", "Marseille"},
	{"13001", "Aix-en-Provence"},
	{"13004", "Arles"},
	{"13005", "Aubagne"},
	{"13028", "La Ciotat"},
	{"13056", "Martigues"},
	{"13103", "Salon-de-Provence"},
	{"13047", "Istres"},
	{"13002", "Allauch"},
	{"06088", "Nice"},
	{"06029", "Cannes"},
	{"06004", "Antibes"},
	{"06069", "Grasse"},
	{"06083", "Menton"},
	{"83137", "Toulon"},
	{"83069", "Hyères"},
	{"83061", "Fréjus"},
	{"83050", "Draguignan"},
	{"83009", "Bandol"},
	{"84007", "Avignon"},
	{"84031", "Carpentras"},
	{"84087", "Orange"},
	{"84035", "Cavaillon"},
	{"84003", "Apt"},
	{"05061", "Gap"},
	{"05023", "Briançon"},
	{"04070", "Digne-les-Bains"},
	{"04112", "Manosque"},
	{"04209", "Sisteron"},
	{"04019", "Barcelonnette"},
}

// ofCommunes are what communes publish.
var ofCommunes = [][2]string{
	{"Écoles de %s", "culture"},
	{"Crèches municipales de %s", "urbanisme"},
	{"Équipements sportifs de %s", "culture"},
	{"Arbres de %s", "environnement"},
	{"Budget primitif de %s", "urbanisme"},
	{"Subventions de %s", "urbanisme"},
	{"Délibérations du conseil municipal de %s", "urbanisme"},
	{"Marchés publics de %s", "urbanisme"},
	{"Voirie communale de %s", "transports"},
	{"Stationnement à %s", "transports"},
	{"Pistes cyclables de %s", "transports"},
	{"Bornes de recharge de %s", "transports"},
	{"Fontaines de %s", "environnement"},
	{"Points de collecte des déchets de %s", "environnement"},
	{"Parcs et jardins de %s", "environnement"},
	{"Patrimoine bâti de %s", "culture"},
	{"Musées et bibliothèques de %s", "culture"},
	{"Agenda culturel de %s", "culture"},
	{"Hébergements touristiques de %s", "tourisme"},
	{"Plages et sites de baignade de %s", "tourisme"},
	{"Plan local d’urbanisme de %s", "urbanisme"},
	{"Permis de construire de %s", "urbanisme"},
	{"Éclairage public de %s", "energie"},
	{"Consommation énergétique des bâtiments de %s", "energie"},
	{"Élections : résultats par bureau de vote, %s", "urbanisme"},
	{"Prénoms donnés à %s", "urbanisme"},
	{"Menus des cantines de %s", "agriculture"},
	{"Marchés forains de %s", "agriculture"},
	{"Adresses de %s", "urbanisme"},
	{"Défibrillateurs de %s", "urbanisme"},
	{"Toilettes publiques de %s", "urbanisme"},
	{"Associations de %s", "culture"},
	{"Liste des entreprises de %s", "urbanisme"},
	{"Bruit à %s", "environnement"},
	{"Risques naturels à %s", "environnement"},
	{"Accidents de la route à %s", "transports"},
	{"Comptage des vélos à %s", "transports"},
	{"Lignes de bus de %s", "transports"},
	{"Horaires des piscines de %s", "culture"},
	{"Zones de rencontre de %s", "transports"},
}

// elsewhere are real titles of other portals, when they are at hand.
func elsewhere(t testing.TB) []string {
	var titles []string
	paths, _ := filepath.Glob("../../../shared/data/api/*")
	title := regexp.MustCompile(`(?:<(?:dct|dc):title[^>]*>|"title"\s*:\s*")([^<"]{8,150})`)
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			continue
		}
		for _, m := range title.FindAllSubmatch(b, -1) {
			if s := string(m[1]); !slices.Contains(titles, s) {
				titles = append(titles, s)
			}
		}
	}
	if len(titles) == 0 {
		t.Log("no real titles of other portals here: ../shared/data/api is missing")
	}
	return titles
}

// library fills a database with the datasets of testdata/search, those of the
// communes and those of other portals.
func library(t testing.TB) (h *postgis.Hub, n int) {
	h = postgistest.New(t)
	exec := func(sql string, args ...any) {
		t.Helper()
		if _, err := h.Owner.Exec(t.Context(), sql, args...); err != nil {
			t.Fatal(err)
		}
	}
	exec(`
		insert into licence (id, title, class) values ('lo-2.0', '{"fr": "Licence Ouverte 2.0"}', 'green');
		insert into producer (id, title) values ('region', '{"fr": "Région"}'), ('communes', '{"fr": "Communes"}')`)
	for _, c := range communes {
		exec(`insert into search_place (code, kind, name, plain, sound)
			values ($1, 'commune', $2, trim(regexp_replace(plain($2), '[^a-z0-9]+', ' ', 'g')), search_sound($2))`, c[0], c[1])
	}
	type row struct {
		slug, producer, topic, territory, keywords string
		title                                      map[string]string
	}
	var rows []row
	for _, r := range table(t, "testdata/search/datasets.tsv") {
		rows = append(rows, row{r[0], "region", r[1], r[2], r[6], map[string]string{"fr": r[3], "en": r[4], "it": r[5]}})
	}
	for i, o := range ofCommunes {
		for _, c := range communes {
			rows = append(rows, row{fmt.Sprintf("c%d-%s", i, c[0]), "communes", o[1], c[0], "", map[string]string{"fr": fmt.Sprintf(o[0], c[1])}})
		}
	}
	for i, s := range elsewhere(t) {
		rows = append(rows, row{fmt.Sprintf("ailleurs-%d", i), "communes", "urbanisme", "", "", map[string]string{"fr": s}})
	}
	var slugs, producers, topics, territories, keywords []string
	var titles []map[string]string
	for _, r := range rows {
		slugs, producers, topics = append(slugs, r.slug), append(producers, r.producer), append(topics, r.topic)
		territories, keywords, titles = append(territories, r.territory), append(keywords, r.keywords), append(titles, r.title)
	}
	exec(`
		insert into dataset (slug, producer_id, licence_id, title, territory, keywords)
		select s, p, 'lo-2.0', i, case when t = '' then '[]' else jsonb_build_array(t) end,
			coalesce((select jsonb_agg(jsonb_build_object('fr', trim(k))) from regexp_split_to_table(nullif(w, ''), ',') k), '[]')
		from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::jsonb[]) r (s, p, t, w, i)`, slugs, producers, territories, keywords, titles)
	exec(`
		insert into dataset_topic (dataset_id, topic_id)
		select d.id, t from unnest($1::text[], $2::text[]) r (s, t) join dataset d on d.slug = r.s`, slugs, topics)
	exec(`
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body)
		select id, 'partner', 1, 'counted', 'open', false, 'test' from dataset`)
	exec(`analyze`)
	return h, len(rows)
}

// TestQuestions asks two hundred questions in people's own words. Their
// datasets must be among the first three for 95 of 100.
func TestQuestions(t *testing.T) {
	t.Parallel()
	h, n := library(t)
	if n < 1000 {
		t.Fatalf("only %d datasets to find them among", n)
	}
	f := catalogue.NewFinder(h.Web)
	asked, found := map[string]int{}, map[string]int{}
	for _, q := range table(t, "testdata/search/queries.tsv") {
		res, err := f.Search(t.Context(), catalogue.SearchQuery{Text: q[1], Limit: 10})
		if err != nil {
			t.Fatalf("%q: %v", q[1], err)
		}
		var slugs []string
		for _, hit := range res.Hits {
			slugs = append(slugs, fmt.Sprintf("%s %.2f", hit.Slug, hit.Score))
		}
		asked[q[0]]++
		if slices.ContainsFunc(res.Hits[:min(3, len(res.Hits))], func(h catalogue.SearchHit) bool { return h.Slug == q[2] }) {
			found[q[0]]++
		} else {
			t.Logf("%s: %q wants %s: %d found, understood as %q, %v", q[0], q[1], q[2], res.Total, res.Corrected, slugs[:min(5, len(slugs))])
		}
	}
	all, of := 0, 0
	for kind, n := range asked {
		t.Logf("%s: %d of %d", kind, found[kind], n)
		all, of = all+found[kind], of+n
	}
	if of < 200 || all*100 < of*95 {
		t.Errorf("%d of %d questions find their dataset among the first three of %d, want 95 %%", all, of, n)
	}
}

// TestSearch asks what was found to be hard, and looks at what comes first.
func TestSearch(t *testing.T) {
	t.Parallel()
	h, _ := library(t)
	f := catalogue.NewFinder(h.Web)
	for _, c := range []struct{ text, first, place, corrected string }{
		{"ecole marseile", "c0-13055", "13055", "ecole marseille"},
		{"écoles à Marseille", "c0-13055", "13055", ""},
		{"velo", "pistes-cyclables", "", ""},
		{"air quality", "indice-atmo", "", ""},
		{"parchi naturali", "parcs-naturels", "", ""},
		{"budget gap", "c4-05061", "05061", ""},
		{"Lycées publics et privés", "lycees", "", ""},
		{"biblio", "bibliotheques", "", ""},
		{"'); drop table dataset; -- & | ! :*", "", "", ""},
		{"arbres d’alignement de la lune", "arbres", "", ""}, // nothing has all the words
	} {
		res, err := f.Search(t.Context(), catalogue.SearchQuery{Text: c.text})
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
			continue
		}
		first, place := "", ""
		if len(res.Hits) > 0 {
			first = res.Hits[0].Slug
		}
		if res.Place != nil {
			place = res.Place.Code
		}
		if c.first != "" && first != c.first || place != c.place || !strings.HasPrefix(res.Corrected, c.corrected) || c.corrected == "" && res.Corrected != "" && c.first != "" && !res.Relaxed {
			t.Errorf("%q brings %s near %q, understood as %q; want %s near %q, %q", c.text, first, place, res.Corrected, c.first, c.place, c.corrected)
		}
	}
	res, err := f.Search(t.Context(), catalogue.SearchQuery{Text: "13055"})
	if err != nil || res.Place == nil || len(res.Hits) == 0 {
		t.Fatalf("13055: %+v, %v", res, err)
	}
	for _, hit := range res.Hits {
		if !strings.HasSuffix(hit.Slug, "-13055") && !slices.Contains([]string{"arbres", "ilots-chaleur", "velos-libre-service", "navettes-maritimes", "cantines", "toilettes", "prenoms"}, hit.Slug) {
			t.Errorf("13055 brings %s on its first page", hit.Slug)
		}
	}
}

// TestFacets compares every count with what choosing it leaves.
func TestFacets(t *testing.T) {
	t.Parallel()
	h, n := library(t)
	f := catalogue.NewFinder(h.Web)
	for _, base := range []catalogue.SearchQuery{{}, {Text: "eau"}, {Text: "marseille", Topics: []string{"culture", "transports"}}, {Producers: []string{"communes"}, Territories: []string{"D13"}}} {
		all, err := f.Search(t.Context(), base)
		if err != nil {
			t.Fatal(err)
		}
		if base.Text == "" && base.Producers == nil && all.Total != n {
			t.Errorf("all are %d, want %d", all.Total, n)
		}
		for name, counts := range all.Facets {
			for _, c := range counts {
				q := base
				switch name {
				case "topic":
					q.Topics = []string{c.Value}
				case "producer":
					q.Producers = []string{c.Value}
				case "territory":
					q.Territories = []string{c.Value}
				case "licence":
					q.Licences = []string{c.Value}
				case "format":
					q.Formats = []string{c.Value}
				case "want":
					q.Wants = []string{c.Value}
				case "fresh":
					q.Fresh = c.Value
				}
				res, err := f.Search(t.Context(), q)
				if err != nil || res.Total != c.Count {
					t.Errorf("%+v: %s %s says %d, gives %d: %v", base, name, c.Value, c.Count, res.Total, err)
				}
			}
		}
	}
	// Every result is on exactly one page.
	seen := map[string]bool{}
	for offset := 0; offset < n; offset += 300 {
		res, err := f.Search(t.Context(), catalogue.SearchQuery{Limit: 300, Offset: offset})
		if err != nil {
			t.Fatal(err)
		}
		for _, hit := range res.Hits {
			if seen[hit.Slug] {
				t.Errorf("%s is on two pages", hit.Slug)
			}
			seen[hit.Slug] = true
		}
	}
	if len(seen) != n {
		t.Errorf("the pages show %d of %d", len(seen), n)
	}
}

// TestSearchFollows changes what search is made of and asks at once.
func TestSearchFollows(t *testing.T) {
	t.Parallel()
	h := hub(t)
	f := catalogue.NewFinder(h.Web)
	finds := func(text string, want int) {
		t.Helper()
		res, err := f.Search(t.Context(), catalogue.SearchQuery{Text: text})
		if err != nil || res.Total != want || len(res.Hits) != want {
			t.Errorf("%q finds %d, want %d: %v", text, res.Total, want, err)
		}
	}
	exec := func(sql string) {
		t.Helper()
		if _, err := h.Owner.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	finds("sentiers", 0) // in the census
	if err := take(t.Context(), h, "sentiers", catalogue.Step{To: catalogue.Open, Body: "test"}); err != nil {
		t.Fatal(err)
	}
	finds("sentiers", 1)
	finds("randonnée", 1)
	finds("tourisme", 0)
	exec(`insert into dataset_topic (dataset_id, topic_id) select id, 'tourisme' from dataset where slug = 'sentiers'`)
	finds("tourisme", 1)
	exec(`delete from dataset_topic`)
	finds("tourisme", 0)
	exec(`update dataset set title = '{"fr": "Chemins de Compostelle"}' where slug = 'sentiers'`)
	finds("compostelle", 1)
	exec(`insert into resource (dataset_id, name, kind, title, url) select id, 'topo', 'reference', '{"fr": "Topoguide"}', 'https://example.org/' from dataset where slug = 'sentiers'`)
	finds("topoguide", 1)
	exec(`update resource set public = false`)
	finds("topoguide", 0)
	exec(`update producer set title = '{"fr": "Conseil régional"}'`)
	finds("conseil", 1)
	exec(`update dataset set retired_at = now() where slug = 'sentiers'`)
	finds("compostelle", 0)
	exec(`update dataset set retired_at = null where slug = 'sentiers'`)
	finds("compostelle", 1)
	if err := take(t.Context(), h, "sentiers", catalogue.Step{To: catalogue.Withdrawn, Body: "test", Reason: "essai"}); err != nil {
		t.Fatal(err)
	}
	finds("compostelle", 0)
	finds("", 0)
}
