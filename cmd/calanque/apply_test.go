package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// A shell runs commands against one database and folder.
type shell struct {
	t   *testing.T
	url string
	dir string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	return &shell{t, postgistest.URL(t), t.TempDir()}
}

func (s *shell) file(name, content string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// run gives the exit code, stdout and stderr of a command.
func (s *shell) run(args ...string) (int, string, string) {
	s.t.Helper()
	var out, errs bytes.Buffer
	code := run(context.WithoutCancel(s.t.Context()), append(args, "--database-url", s.url, "--data", s.dir), &out, &errs)
	return code, out.String(), errs.String()
}

func (s *shell) invariants() {
	s.t.Helper()
	hub, err := postgis.Open(s.t.Context(), postgis.Config{URL: s.url})
	if err != nil {
		s.t.Fatal(err)
	}
	defer hub.Close()
	broken, err := postgis.Invariants(s.t.Context(), hub.Owner)
	if err != nil || len(broken) > 0 {
		s.t.Errorf("invariants: %v %v", broken, err)
	}
}

const fourPoints = "code;nom;lat;lon\n1;Fontaine;43.1;6.2\n2;Borne;43.2;6.3\n3;Source;43.3;6.4\n4;Puits;;\n"

// Exit codes tell a script what happened.
func TestLoadExitCodes(t *testing.T) {
	s := newShell(t)
	t.Setenv("LANG", "en_GB.UTF-8")
	t.Setenv("LC_ALL", "")
	path := s.file("points.csv", fourPoints)
	steps := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"a new dataset without a producer", []string{"load", path, "--dataset", "points"}, 1, "--producer"},
		{"an unknown licence", []string{"load", path, "--dataset", "points", "--producer", "Ville", "--licence", "mit"}, 2, "lo-2.0"},
		{"no dataset", []string{"load", path}, 2, "--dataset"},
		{"a share that is none", []string{"load", path, "--dataset", "points", "--max-rejected", "many"}, 2, "max-rejected"},
		{"a first version", []string{"load", path, "--dataset", "points", "--producer", "Ville de Nulle-Part", "--licence", "lo-2.0", "--key", "code"}, 0, "read 4 = loaded 4"},
		{"the same again", []string{"load", path, "--dataset", "points"}, 0, "already"},
		{"too many rejected", []string{"load", s.file("bad.csv", fourPoints+"4;Double;43.1;6.2\n"), "--dataset", "points"}, 3, "1 of 5"},
		{"a web page", []string{"load", s.file("page.geojson", "<!DOCTYPE html><title>x</title>"), "--dataset", "points"}, 1, "page.geojson"},
		{"status", []string{"status"}, 0, "ville-de-nulle-part"},
		{"status of one", []string{"status", "points"}, 0, "bad.csv"},
		{"issues", []string{"status", "points", "--issues"}, 0, "4;Double;43.1;6.2"},
		{"status of none", []string{"status", "other"}, 1, "other"},
		{"help", []string{"load", "--help"}, 0, "Examples:"},
		{"help of apply", []string{"apply", "--help"}, 0, "Examples:"},
		{"help of status", []string{"status", "--help"}, 0, "Examples:"},
	}
	for _, c := range steps {
		code, out, errs := s.run(c.args...)
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%s: got %d, want %d and %q:\n%s%s", c.name, code, c.code, c.says, out, errs)
		}
	}
	code, out, _ := s.run("load", path, "--dataset", "points", "--force", "--json")
	var report struct {
		State  string
		Layers []struct{ Read, Loaded, Rejected int }
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 || report.State != "published" || report.Layers[0].Loaded != 4 {
		t.Errorf("--json: %d, %v, %+v", code, err, report)
	}
	s.invariants()
}

const smallCatalogue = `producers:
  - id: ville
    title: {fr: Ville, en: Town, it: Città}
datasets:
  - id: points
    title: {fr: Points, en: Points, it: Punti}
    producer: ville
    licence: lo-2.0
    source: {path: points.csv}
    key: [code]
    style: {icon: water}
`

// A catalogue is made true again and again; what it no longer names is
// retired only when asked to, and kept.
func TestApply(t *testing.T) {
	s := newShell(t)
	t.Setenv("LANG", "en_GB.UTF-8")
	t.Setenv("LC_ALL", "")
	s.file("points.csv", fourPoints)
	cat := s.file("catalogue.yaml", smallCatalogue)
	changes := func(args ...string) []string {
		t.Helper()
		code, out, errs := s.run(append([]string{"apply", cat, "--json"}, args...)...)
		var r applyReport
		if err := json.Unmarshal([]byte(out), &r); err != nil || code != 0 {
			t.Fatalf("apply: %d, %v\n%s%s", code, err, out, errs)
		}
		list := []string{}
		for _, c := range r.Changes {
			list = append(list, strings.TrimSpace(c.Does+" "+c.What+" "+c.ID+" "+strings.Join(c.Fields, ",")))
		}
		return list
	}
	check := func(what string, got []string, want ...string) {
		t.Helper()
		if strings.Join(got, "; ") != strings.Join(want, "; ") {
			t.Errorf("%s: got %q, want %q", what, got, want)
		}
	}
	all := []string{"add licence lo-2.0", "add producer ville", "add dataset points", "load dataset points points.csv"}
	check("a dry run", changes("--dry-run"), all...)
	check("the first time", changes(), all...)
	check("again", changes())
	s.file("catalogue.yaml", strings.Replace(smallCatalogue, "{icon: water}", "{icon: bench}", 1))
	check("another style is no reason to load", changes())
	s.file("catalogue.yaml", strings.Replace(smallCatalogue, "key: [code]", "frequency: yearly\n    key: [code, nom]", 1))
	check("another key is", changes(), "change dataset points frequency,source", "load dataset points points.csv")
	s.file("points.csv", fourPoints+"5;Lavoir;43.4;6.5\n")
	check("another content is", changes("--dry-run"), "load dataset points points.csv")
	check("another content is", changes(), "load dataset points points.csv")
	s.file("catalogue.yaml", "producers: []\n")
	check("not named any more", changes())
	check("pruned", changes("--prune"), "retire dataset points")
	check("pruned again", changes("--prune"))
	s.file("catalogue.yaml", smallCatalogue)
	check("named again", changes(), "change dataset points frequency,source,retired", "load dataset points points.csv")
	s.invariants()
}

// Faults say where they are and what was perhaps meant, and nothing is written.
func TestApplyFaults(t *testing.T) {
	s := newShell(t)
	t.Setenv("LANG", "en_GB.UTF-8")
	t.Setenv("LC_ALL", "")
	s.file("points.csv", fourPoints)
	cases := []struct{ name, old, with, says string }{
		{"an unknown field", "licence: lo-2.0", "license: lo-2.0", "line 8, column 5: there is no field “license” (→ licence)"},
		{"broken YAML", "key: [code]", "key: [code", "line 11, column"},
		{"a wrong type", "key: [code]", "key: {a: 1}", "line 10, column"},
		{"no such licence", "lo-2.0", "lo-2", "line 8, column 14"},
		{"no such producer", "producer: ville", "producer: vile", "(→ ville)"},
		{"no such file", "points.csv", "point.csv", "line 9, column 13"},
		{"no title", "title: {fr: Points, en: Points, it: Punti}\n    ", "", "title (fr)"},
	}
	for _, c := range cases {
		path := s.file("catalogue.yaml", strings.Replace(smallCatalogue, c.old, c.with, 1))
		code, out, errs := s.run("apply", path)
		if code != 1 || !strings.Contains(errs, c.says) || out != "" {
			t.Errorf("%s: got %d, want %q:\n%s%s", c.name, code, c.says, out, errs)
		}
	}
	if _, out, _ := s.run("status", "--json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("something was written: %s", out)
	}
}

// The catalogue that demo applies is well formed.
func TestDemoCatalogue(t *testing.T) {
	t.Parallel()
	cat, where, err := parseCatalogue("catalogue.yaml", demoCatalogue)
	if err != nil {
		t.Fatal(err)
	}
	k := known{licences: map[string]bool{}, producers: map[string]bool{}}
	if err := cat.check(where, k); err != nil {
		t.Error(err)
	}
	for i := range cat.Rules {
		if err := cat.Rules[i].Check(); err != nil {
			t.Error(err)
		}
	}
	for _, d := range cat.Datasets {
		for lang := range d.Title {
			if d.Title[lang] == "" {
				t.Errorf("%s has no title in %s", d.ID, lang)
			}
		}
		if len(d.Title) != 3 || len(d.Description) != 3 {
			t.Errorf("%s: want title and description in three languages", d.ID)
		}
	}
}
