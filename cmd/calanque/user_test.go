package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"calanque/api/account"
	"calanque/geo/postgis"
)

// stdin makes what the next command reads.
func stdin(t *testing.T, text string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	was := os.Stdin
	os.Stdin = r
	t.Cleanup(func() { os.Stdin = was; _ = r.Close() })
}

// Accounts are made, listed, closed and opened again by the command line.
func TestUser(t *testing.T) {
	s := newShell(t)
	t.Setenv("LANG", "en_GB.UTF-8")
	t.Setenv("LC_ALL", "")
	catalogue := s.file("catalogue.yaml", "erics:\n  - {id: centre, title: Médiathèque, place: [5.4, 43.3]}\nproducers:\n  - {id: crige, title: {fr: CRIGE}}\n")
	steps := []struct {
		name string
		args []string
		code int
		says string
	}{
		{"nobody yet", []string{"user", "list"}, 0, "calanque user add"},
		{"an ERIC that is not there", []string{"user", "add", "m", "--role", "mediator", "--eric", "centre"}, 1, "section erics"},
		{"a place that is none", []string{"apply", s.file("bad.yaml", "erics:\n  - {id: centre, title: x, place: [900000, 43.3]}\n")}, 1, "longitude"},
		{"an ERIC twice", []string{"apply", s.file("twice.yaml", "erics:\n  - {id: a, title: x, place: [5, 43]}\n  - {id: a, title: x, place: [5, 43]}\n")}, 1, "line 3"},
		{"a dry run", []string{"apply", catalogue, "--dry-run"}, 0, "ERIC centre"},
		{"the catalogue", []string{"apply", catalogue}, 0, "ERIC centre"},
		{"the catalogue again", []string{"apply", catalogue}, 0, "already"},
		{"a mediator", []string{"user", "add", "Mediatheque", "--role", "mediator", "--eric", "centre"}, 0, "shown this once"},
		{"the same again", []string{"user", "add", "mediatheque", "--role", "coordinator"}, 1, "is taken"},
		{"no role", []string{"user", "add", "x"}, 2, "--role"},
		{"an unknown role", []string{"user", "add", "x", "--role", "king"}, 2, "coordinator"},
		{"a mediator without ERIC", []string{"user", "add", "x", "--role", "mediator"}, 1, "--eric"},
		{"a producer", []string{"user", "add", "crige", "--role", "producer", "--producer", "crige"}, 0, "ready"},
		{"list", []string{"user", "list"}, 0, "mediatheque  mediator  centre"},
		{"disable", []string{"user", "disable", "mediatheque"}, 0, "calanque user password"},
		{"disable nobody", []string{"user", "disable", "nobody"}, 1, "user list"},
		{"password", []string{"user", "password", "mediatheque"}, 0, "shown this once"},
		{"help", []string{"user", "add", "--help"}, 0, "Examples:"},
		{"help of password", []string{"user", "password", "--help"}, 0, "Examples:"},
	}
	for _, c := range steps {
		code, out, errs := s.run(c.args...)
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%s: got %d, want %d and %q:\n%s%s", c.name, code, c.code, c.says, out, errs)
		}
	}
	stdin(t, "correct horse battery\n")
	if code, out, errs := s.run("user", "add", "coordination", "--role", "coordinator", "--password-stdin"); code != 0 || strings.Contains(out+errs, "horse") || strings.Contains(out, "shown") {
		t.Errorf("--password-stdin: got %d:\n%s%s", code, out, errs)
	}
	for name, text := range map[string]string{"nothing": "", "short": "court\n"} {
		stdin(t, text)
		if code, out, errs := s.run("user", "password", "coordination", "--password-stdin"); code != 1 || !strings.Contains(errs, "password") {
			t.Errorf("%s: got %d:\n%s%s", name, code, out, errs)
		}
	}
	code, out, _ := s.run("user", "list", "--json")
	var list []account.Account
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || len(list) != 3 || list[2].ERIC != "centre" || list[2].Disabled != nil {
		t.Errorf("--json: %d, %v, %+v", code, err, list)
	}
	if regexp.MustCompile(`(?i)argon|hash`).MatchString(out) {
		t.Errorf("the list tells hashes:\n%s", out)
	}
}

// The sample's mediator gets a new password each time; an account of the same
// login that is somebody else's is left alone.
func TestDemoMediator(t *testing.T) {
	s := newShell(t)
	catalogue := s.file("catalogue.yaml", "erics:\n  - {id: roquebelle, title: x, place: [6.2, 43.1]}\n")
	if code, _, errs := s.run("apply", catalogue); code != 0 {
		t.Fatal(errs)
	}
	hub, err := postgis.Open(t.Context(), postgis.Config{URL: s.url})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	one, err := openDemoAccount(t.Context(), hub, demoAccounts[0])
	if err != nil {
		t.Fatal(err)
	}
	two, err := openDemoAccount(t.Context(), hub, demoAccounts[0])
	if err != nil || one == two || len(one) != 19 {
		t.Errorf("got %q then %q, %v", one, two, err)
	}
	if _, err := hub.Owner.Exec(t.Context(), `update account set role = 'coordinator', eric_id = null`); err != nil {
		t.Fatal(err)
	}
	if three, err := openDemoAccount(t.Context(), hub, demoAccounts[0]); three != "" || err != nil {
		t.Errorf("somebody else's account got the password %q, %v", three, err)
	}
}
