package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// openHub opens the shell's database beside the commands.
func (s *shell) openHub() *postgis.Hub {
	s.t.Helper()
	hub, err := postgis.Open(s.t.Context(), postgis.Config{URL: s.url})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(hub.Close)
	return hub
}

// apply gives the exit code, the report and what was said on stderr.
func (s *shell) apply(args ...string) (int, applyReport, string) {
	s.t.Helper()
	code, out, errs := s.run(append([]string{"apply", s.dir + "/catalogue.yaml", "--json"}, args...)...)
	var r applyReport
	if out != "" {
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			s.t.Fatalf("apply: %d, %v\n%s%s", code, err, out, errs)
		}
	}
	return code, r, errs
}

func changesOf(r applyReport) string {
	var list []string
	for _, c := range r.Changes {
		list = append(list, strings.TrimSpace(c.Does+" "+c.What+" "+c.ID+" "+strings.Join(c.Fields, ",")))
	}
	return strings.Join(list, "; ")
}

const wholeCatalogue = `producers:
  - id: ville
    title: {fr: Ville}
    kind: city
    siret: "21130055300016"
    territory: ["13055"]
    contact: {name: Service des données, email: donnees@ville.example}
datasets:
  - id: lycees
    title: {fr: Lycées, en: Secondary schools}
    description: {fr: Les lycées publics.}
    producer: ville
    licence: lo-2.0
    chain: region
    topics: [culture, urbanisme]
    keywords: [école, {fr: lycée, en: school}]
    territory: [R93, "13055"]
    temporal: {from: 2020-01-01, to: 2025-12-31}
    frequency: yearly
    limits: {fr: Sans les lycées privés.}
    highValue: geospatial
    landingPage: https://ville.example/lycees
    contact: {email: lycees@ville.example}
    extent: [4.5, 43, 7.5, 45]
    formerly: [etablissements-lycees]
    resources:
      - {name: wfs, kind: service, title: {fr: WFS}, url: "https://ville.example/wfs", format: wfs}
      - name: avis
        kind: administrative
        title: {fr: Avis du service juridique}
        path: avis.pdf
        public: false
        document: {type: avis, number: "26-118", date: 2026-03-01}
    steps:
      - {to: legal, on: 2026-02-01, body: Service SIG}
      - {to: committee, on: 2026-03-01, body: Service juridique, document: avis}
  - id: repas
    title: {fr: Menus}
    producer: ville
    licence: lo-2.0
    resources:
      - {name: page, kind: reference, title: {fr: Menus}, url: "https://ville.example/menus"}
`

// TestApplyDescribes takes a whole description from the file, again and again.
func TestApplyDescribes(t *testing.T) {
	s := newShell(t)
	t.Setenv("LANG", "en_GB.UTF-8")
	t.Setenv("LC_ALL", "")
	s.file("avis.pdf", "%PDF-1.4 avis")
	s.file("catalogue.yaml", wholeCatalogue)
	const first = "add licence lo-2.0; add producer ville; add dataset lycees; add resource lycees/wfs; add resource lycees/avis; " +
		"step dataset lycees legal; step dataset lycees committee; add dataset repas; add resource repas/page"
	if code, r, errs := s.apply("--dry-run"); code != 0 || changesOf(r) != first {
		t.Fatalf("a dry run: %d, %s\n%s", code, changesOf(r), errs)
	}
	if code, r, errs := s.apply(); code != 0 || changesOf(r) != first {
		t.Fatalf("the first time: %d, %s\n%s", code, changesOf(r), errs)
	}
	hub := s.openHub()
	find := func(slug string) catalogue.Entry {
		t.Helper()
		e, err := catalogue.Find(t.Context(), hub.Owner, catalogue.Desk, slug)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := find("lycees")
	if e.State != catalogue.Committee || e.Chain != catalogue.Region || len(e.Resources) != 2 || e.Keywords[0]["fr"] != "école" || e.SaidExtent == nil {
		t.Errorf("the dataset is %+v", e)
	}
	if avis := e.Resources[1]; avis.Name != "avis" || avis.Public || avis.Bytes != 13 || avis.MediaType != "application/pdf" || avis.Document.Date != "2026-03-01" {
		t.Errorf("the opinion is %+v", avis)
	}
	steps, err := catalogue.Steps(t.Context(), hub.Owner, "lycees")
	if err != nil || len(steps) != 2 || steps[1].Document == 0 || steps[0].DecidedOn.Format("2006-01-02") != "2026-02-01" || steps[0].Body != "Service SIG" {
		t.Errorf("the chain is %+v, %v", steps, err)
	}
	steps, err = catalogue.Steps(t.Context(), hub.Owner, "repas")
	if err != nil || len(steps) != 1 || steps[0].Body != "calanque apply" || find("repas").State != catalogue.Open {
		t.Errorf("what has nothing to load is not opened: %+v, %v", steps, err)
	}
	if to, err := catalogue.Moved(t.Context(), hub.Owner, "etablissements-lycees"); err != nil || to != "lycees" {
		t.Errorf("the old address leads to %s, %v", to, err)
	}
	if code, r, errs := s.apply(); code != 0 || changesOf(r) != "" {
		t.Errorf("again: %d, %s\n%s", code, changesOf(r), errs)
	}
	// The file no longer says some things, and says others.
	s.file("catalogue.yaml", strings.NewReplacer(
		"    frequency: yearly\n", "", "id: lycees", "id: lycees-publics", "formerly: [etablissements-lycees]", "formerly: [lycees, etablissements-lycees]",
		"      - {name: wfs, kind: service, title: {fr: WFS}, url: \"https://ville.example/wfs\", format: wfs}\n", "",
		"title: {fr: Menus}\n    producer", "title: {fr: Menus des cantines}\n    producer").Replace(wholeCatalogue))
	code, out, errs := s.run("apply", s.dir+"/catalogue.yaml", "--dry-run")
	for _, want := range []string{"frequency: yearly → (nothing)", "id: lycees → lycees-publics", `title: {"fr":"Menus"} → {"fr":"Menus des cantines"}`, "resource lycees-publics/wfs"} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("the dry run does not say %q:\n%s%s", want, out, errs)
		}
	}
	if code, r, errs := s.apply(); code != 0 || changesOf(r) != "change dataset lycees-publics id,frequency; change resource lycees-publics/avis position; remove resource lycees-publics/wfs; change dataset repas title" {
		t.Errorf("changed: %d, %s\n%s", code, changesOf(r), errs)
	}
	if e := find("lycees-publics"); e.Frequency != "" || len(e.Resources) != 1 || e.State != catalogue.Committee {
		t.Errorf("after the change: %+v", e)
	}
	if code, r, errs := s.apply(); code != 0 || changesOf(r) != "" {
		t.Errorf("changed again: %d, %s\n%s", code, changesOf(r), errs)
	}
}

// TestApplyByHand never overwrites what a person edited, unless told to.
func TestApplyByHand(t *testing.T) {
	s := newShell(t)
	t.Setenv("LANG", "en_GB.UTF-8")
	t.Setenv("LC_ALL", "")
	s.file("avis.pdf", "%PDF-1.4 avis")
	file := func(pairs ...string) { s.file("catalogue.yaml", strings.NewReplacer(pairs...).Replace(wholeCatalogue)) }
	file()
	if code, _, errs := s.apply(); code != 0 {
		t.Fatal(errs)
	}
	hub := s.openHub()
	var account int64
	err := hub.Owner.QueryRow(t.Context(), `insert into account (login, role, password_hash) values ('anne', 'coordinator', 'x') returning id`).Scan(&account)
	if err != nil {
		t.Fatal(err)
	}
	by := catalogue.By{Account: account}
	edit := func(change func(*catalogue.Entry)) {
		t.Helper()
		e, err := catalogue.Find(t.Context(), hub.Owner, catalogue.Desk, "lycees")
		if err != nil {
			t.Fatal(err)
		}
		change(&e)
		err = pgx.BeginFunc(t.Context(), hub.Desk, func(tx pgx.Tx) error { _, err := catalogue.Put(t.Context(), tx, e, by); return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	frequency := func(want string) {
		t.Helper()
		if e, err := catalogue.Find(t.Context(), hub.Owner, catalogue.Desk, "lycees"); err != nil || e.Frequency != want {
			t.Errorf("the frequency is %q, want %q (%v)", e.Frequency, want, err)
		}
	}
	check := func(name string, wantCode int, want string, args ...string) {
		t.Helper()
		code, r, errs := s.apply(args...)
		if code != wantCode || changesOf(r) != want {
			t.Errorf("%s: got %d, %q, want %d, %q\n%s", name, code, changesOf(r), wantCode, want, errs)
		}
	}
	edit(func(e *catalogue.Entry) { e.Frequency = "monthly" })
	code, r, errs := s.apply()
	if code != 1 || len(r.Conflicts) != 1 || r.Conflicts[0].Login != "anne" || r.Conflicts[0].Field != "frequency" || !strings.Contains(errs, "anne") {
		t.Fatalf("edited by hand: %d, %+v\n%s", code, r.Conflicts, errs)
	}
	frequency("monthly")
	check("a dry run stops too", 1, "", "--dry-run")
	file("Menus", "Repas") // something else changes: nothing is written before the conflict is decided
	check("with another change", 1, "")
	check("kept", 0, "change dataset repas title; change resource repas/page title", "--keep", "pages")
	frequency("monthly")
	check("and still kept without saying so", 0, "")
	edit(func(e *catalogue.Entry) { e.Frequency = "weekly" })
	check("pages changed again", 1, "")
	check("kept again", 0, "", "--keep", "pages")
	file("Menus", "Repas", "frequency: yearly", "frequency: quarterly")
	check("the file changed", 1, "")
	check("the file's", 0, "change dataset lycees frequency", "--keep", "file")
	frequency("quarterly")
	check("settled", 0, "")
	edit(func(e *catalogue.Entry) { e.Limits, e.LandingPage = nil, "https://ville.example/nouveau" })
	if code, r, _ := s.apply(); code != 1 || len(r.Conflicts) != 2 {
		t.Errorf("what was emptied by hand: %d, %+v", code, r.Conflicts)
	}
	file("Menus", "Repas", "frequency: yearly", "frequency: quarterly", "    limits: {fr: Sans les lycées privés.}\n", "", "https://ville.example/lycees", "https://ville.example/nouveau")
	check("the file follows", 0, "")
	// A resource that was taken away by hand.
	err = pgx.BeginFunc(t.Context(), hub.Desk, func(tx pgx.Tx) error { return catalogue.RemoveResource(t.Context(), tx, "lycees", "wfs", by) })
	if err != nil {
		t.Fatal(err)
	}
	check("a resource taken away", 1, "")
	check("stays away", 0, "", "--keep", "pages")
	check("and still", 0, "")
	check("comes back", 0, "add resource lycees/wfs", "--keep", "file")
	check("and stays", 0, "")
	// An address that was changed by hand is followed.
	edit(func(e *catalogue.Entry) { e.Slug = "les-lycees" })
	check("moved by hand", 1, "")
	check("follows", 0, "", "--keep", "pages")
	check("and still follows", 0, "")
}

// TestApplyFaultsOfDescriptions says where each is.
func TestApplyFaultsOfDescriptions(t *testing.T) {
	s := newShell(t)
	t.Setenv("LANG", "en_GB.UTF-8")
	t.Setenv("LC_ALL", "")
	s.file("avis.pdf", "%PDF-1.4 avis")
	for name, c := range map[string]struct{ old, with, says string }{
		"an unknown topic":        {"topics: [culture", "topics: [kultur", "line 15, column 13: lycees names the topic “kultur”, which does not exist (→ culture)"},
		"a territory":             {"territory: [R93", "territory: [PACA", "line 17, column 16"},
		"dates swapped":           {"from: 2020-01-01", "from: 2030-01-01", "comes before the beginning"},
		"no date":                 {"from: 2020-01-01", "from: hier", "line 18"},
		"a frequency":             {"frequency: yearly", "frequency: often", "line 19"},
		"a category":              {"highValue: geospatial", "highValue: maps", "line 21"},
		"an address":              {"landingPage: https", "landingPage: ftp", "line 22"},
		"a mail address":          {"email: lycees@ville.example", "email: lycees", "no e-mail address"},
		"an extent":               {"extent: [4.5, 43, 7.5, 45]", "extent: [4.5, 43]", "line 24"},
		"a chain":                 {"chain: region", "chain: long", "line 14"},
		"a kind of resource":      {"kind: service", "kind: layer", "becomes a resource by itself"},
		"a service without one":   {`url: "https://ville.example/wfs", `, "", "has an address"},
		"a document without type": {"document: {type: avis, ", "document: {type: letter, ", "deliberation, convention, avis"},
		"a file that is not":      {"path: avis.pdf", "path: avis-2.pdf", "avis-2.pdf"},
		"a document of no step":   {"document: avis}", "document: lettre}", "lettre"},
		"a step that is none":     {"to: committee", "to: open", "lycees"},
		"a SIRET":                 {"21130055300016", "2113005530001", "line 5"},
		"a kind of producer":      {"kind: city", "kind: town", "line 4"},
	} {
		s.file("catalogue.yaml", strings.Replace(wholeCatalogue, c.old, c.with, 1))
		args := []string{"apply", s.dir + "/catalogue.yaml"}
		code, out, errs := s.run(args...)
		if code != 1 || !strings.Contains(errs, c.says) {
			t.Errorf("%s: got %d, want %q:\n%s%s", name, code, c.says, out, errs)
		}
	}
}

// writes counts what was ever inserted, updated and deleted in a database, and
// the transactions that wrote: both stand still while nothing is written.
func (s *shell) writes(hub *postgis.Hub) (n int64) {
	s.t.Helper()
	err := hub.Owner.QueryRow(s.t.Context(), `
		select pg_stat_force_next_flush() is null, 1`).Scan(new(bool), &n)
	if err == nil {
		err = hub.Owner.QueryRow(s.t.Context(), `
			select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint from pg_stat_user_tables`).Scan(&n)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// manyDatasets is a catalogue of n described datasets.
func manyDatasets(n int) string {
	var b strings.Builder
	b.WriteString("producers:\n  - {id: ville, title: {fr: Ville}}\ndatasets:\n")
	for i := range n {
		fmt.Fprintf(&b, `  - id: jeu-%d
    title: {fr: Jeu %[1]d, en: Dataset %[1]d, it: Dati %[1]d}
    description: {fr: Les données du jeu %[1]d.}
    producer: ville
    licence: lo-2.0
    topics: [culture]
    keywords: [eau, {fr: rivière, en: river}]
    territory: ["13055", R93]
    frequency: yearly
    landingPage: https://ville.example/%[1]d
    resources:
      - {name: page, kind: reference, title: {fr: Page}, url: "https://ville.example/jeu/%[1]d"}
`, i)
	}
	return b.String()
}

// TestApplyWritesNothing applies a catalogue in which nothing has changed.
func TestApplyWritesNothing(t *testing.T) {
	s := newShell(t)
	t.Setenv("LANG", "en_GB.UTF-8")
	t.Setenv("LC_ALL", "")
	s.file("points.csv", fourPoints)
	s.file("catalogue.yaml", manyDatasets(50)+strings.TrimPrefix(smallCatalogue[strings.Index(smallCatalogue, "datasets:\n"):], "datasets:\n"))
	for range 2 {
		if code, _, errs := s.apply(); code != 0 {
			t.Fatal(errs)
		}
	}
	hub := s.openHub()
	before := s.writes(hub)
	if code, r, errs := s.apply(); code != 0 || changesOf(r) != "" {
		t.Fatalf("%d, %s\n%s", code, changesOf(r), errs)
	}
	if after := s.writes(hub); after != before || before == 0 {
		t.Errorf("nothing changed, and %d rows were written", after-before)
	}
}

// BenchmarkApply applies a catalogue of 1,000 datasets in which nothing has
// changed, opening the database included.
func BenchmarkApply(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(dir+"/catalogue.yaml", []byte(manyDatasets(1000)), 0o644); err != nil {
		b.Fatal(err)
	}
	url := postgistest.URL(b)
	apply := func() {
		var out, errs bytes.Buffer
		if code := run(context.WithoutCancel(b.Context()), []string{"apply", dir + "/catalogue.yaml", "--json", "--database-url", url, "--data", dir}, &out, &errs); code != 0 {
			b.Fatal(errs.String())
		}
	}
	apply()
	for b.Loop() {
		apply()
	}
}
