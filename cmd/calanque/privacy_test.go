package main

import (
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// marks are what tells who somebody is, in what a browser sends or a person
// types: none of it may be found anywhere afterwards.
var marks = []string{
	"marqueur", "jeanne", "exemple-prive", // a name, a login, an address of mail
	"06 98 76 54 32", "0698765432", "06.98.76.54.32", // a telephone number
	"127.44.55.66", "203.0.113.199", // where requests come from
	"navigateurrare", "xx-rare", // what browsers say of themselves
}

// found lists the marks that a text holds.
func found(text string, marks []string) (list []string) {
	text = strings.ToLower(text)
	for _, m := range marks {
		if strings.Contains(text, strings.ToLower(m)) {
			list = append(list, m)
		}
	}
	return list
}

var seatName = regexp.MustCompile(`(?s)class="seat"[^>]*>.*?<span>([^<]+)`)

// TestNobodyIsFound plays a session whose people tell who they are wherever
// they can, and looks for them in the database, its files, the logs and every
// file that leaves the hub.
func TestNobodyIsFound(t *testing.T) {
	t.Parallel()
	h := newHall(t, 200)
	up := h.serve("--trust-proxy")
	h.code = h.mediator.prepare(t, "eau", aroundTown, 12, 60)
	pseudonyms := h.tellAll()
	h.mediator.conduct(t, h.code, "phase", url.Values{"phase": {"4"}})
	// While the session lives its pseudonyms are on pages, never in a file.
	h.nowhere("open", append(pseudonyms, marks...), h.files())
	h.mediator.conduct(t, h.code, "terminer", nil)
	h.nowhere("closed", append(pseudonyms, marks...), h.files())
	h.nowhere("closed", marks, h.dump())
	r := up.interrupt()
	h.nowhere("closed", marks, map[string]string{"what the server said": r.out + r.err})
	h.nowhere("closed", marks, h.onDisk(t))
	// A day later the server starts again: it forgets before it serves.
	h.dayLater()
	up = h.serve()
	for begun := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		dump := h.dump()
		if len(found(dump["dump"], pseudonyms)) == 0 {
			break
		}
		if time.Since(begun) > 30*time.Second {
			t.Errorf("a day later %v are still known", found(dump["dump"], pseudonyms))
			break
		}
	}
	h.nowhere("archived", append(pseudonyms, marks...), h.files())
	r = up.interrupt()
	h.nowhere("archived", append(pseudonyms, marks...), map[string]string{"what the server said": r.out + r.err, "PostgreSQL's log": h.read("postgres/postgres.log")})
	url, release := h.hold()
	defer release()
	for sql, want := range map[string]int{
		`select count(*) from participant`:                                           0,
		`select count(*) from answer where participant_id is not null`:               0,
		`select count(*) from claim where participant_id is not null`:                0,
		`select count(*) from session_event where participant_id is not null`:        0,
		`select (count(*) > 5)::int from answer where note is null`:                  1, // the answers are there
		`select count(*) from session where state = 'archived'`:                      1,
		`select count(*) from session_event where kind = 'forgotten'`:                1,
		`select (count(*) > 3)::int from session_event where account_id is not null`: 1, // who has an account is named
	} {
		if got := ask[int](t, url, sql); got != want {
			t.Errorf("%s: got %d, want %d", sql, got, want)
		}
	}
	if found(h.dump()["dump"], []string{"Le tour du quartier"}) == nil {
		t.Error("what is in the database is not found: this test sees nothing")
	}
}

// tellAll has three people say who they are, be refused where text is free,
// and answer; it gives their pseudonyms.
func (h *hall) tellAll() (pseudonyms []string) {
	h.t.Helper()
	for range 3 {
		b := newBrowser(h.t, h.base, "127.44.55.66")
		b.header = http.Header{
			"User-Agent": {"NavigateurRare/1.0 (Jeanne Marqueur)"}, "X-Forwarded-For": {"203.0.113.199"}, "Accept-Language": {"xx-rare"},
			"From": {"jeanne@exemple-prive.fr"}, "Referer": {h.base + "/?q=Jeanne+Marqueur"},
		}
		for _, path := range []string{"/atelier/JEANNE-MARQUEUR", "/atelier?code=Jeanne+Marqueur", "/recherche?q=Jeanne+Marqueur"} {
			if _, err := b.get(path); err != nil {
				h.t.Fatal(err)
			}
		}
		if s, err := b.post("/connexion", url.Values{"login": {"jeanne.marqueur@exemple-prive.fr"}, "password": {"Marqueur 0698765432"}}); err != nil || s.status == http.StatusOK && s.path != "/connexion" {
			h.t.Fatalf("signed in: %v %v", s, err)
		}
		door := b.must(h.t, "/atelier?code="+h.code)
		f, _ := door.form("/rejoindre")
		for _, name := range []string{"nom", "name", "pseudonyme", "email", "telephone"} {
			f.fields.Set(name, "Jeanne Marqueur jeanne@exemple-prive.fr 06 98 76 54 32")
		}
		if s, err := b.post(f.action, f.fields); err != nil || s.status != http.StatusOK {
			h.t.Fatalf("join: %v %v", s, err)
		}
		if s, err := b.post("/atelier/"+h.code+"/sur-place", url.Values{"sur-place": {"1"}, "numero": {"Jeanne Marqueur"}}); err != nil || s.status != http.StatusOK {
			h.t.Fatalf("on site: %v %v", s, err)
		}
		pseudonyms = append(pseudonyms, h.answerAndTell(b))
	}
	return pseudonyms
}

// answerAndTell answers five questions, each after two that are refused.
func (h *hall) answerAndTell(b *browser) (pseudonym string) {
	h.t.Helper()
	page := b.pass(h.t, h.code)
	if m := seatName.FindStringSubmatch(page.body); m != nil {
		pseudonym = strings.TrimSpace(m[1])
	}
	for n := range 5 {
		page = b.must(h.t, "/atelier/"+h.code)
		f, choices, ok := page.question()
		if !ok {
			h.t.Fatalf("question %d is not asked: %v", n, page)
		}
		f.fields.Set("choix", choices[0])
		for _, note := range []string{"Jeanne Marqueur, 06 98 76 54 32", "écrire à jeanne.marqueur@exemple-prive.fr"} {
			f.fields.Set("mot", note)
			if s, err := b.post(f.action, f.fields); err != nil || s.status != http.StatusBadRequest {
				h.t.Errorf("a note with %q: %d %v", note, s.status, err)
			}
		}
		f.fields.Del("mot")
		if s, err := b.send(f); err != nil || s.status != http.StatusSeeOther {
			h.t.Errorf("an answer is not taken: %v %v", s, err)
		}
	}
	if pseudonym == "" {
		h.t.Errorf("no pseudonym in %v", page)
	}
	return pseudonym
}

// files are what a session hands on, and its public pages.
func (h *hall) files() map[string]string {
	h.t.Helper()
	files := map[string]string{}
	for _, path := range []string{
		"exports/josm.osm", "exports/changements.osc", "exports/points.gpx", "exports/taches.geojson", "exports/maproulette.geojsonl",
		"exports/corrections.csv", "exports/corrections.geojson", "rapport", "rapport.csv", "projecteur", "feuilles",
	} {
		s, err := h.mediator.get("/atelier/" + h.code + "/" + path)
		if err != nil || s.status != http.StatusOK {
			h.t.Errorf("%s: %d %v", path, s.status, err)
		}
		files[path] = s.body
	}
	return files
}

// dump is the whole database as SQL.
func (h *hall) dump() map[string]string {
	h.t.Helper()
	address, release := h.hold()
	defer release()
	server, err := askServer(h.t.Context(), address)
	if err != nil {
		h.t.Fatal(err)
	}
	out, err := server.run(h.t.Context(), "pg_dump", server.name)
	if err != nil {
		h.t.Fatalf("pg_dump: %v %.300s", err, out)
	}
	return map[string]string{"dump": string(out)}
}

// onDisk is every file below the data folder as it lies on the disk, logs and
// write-ahead log among them.
func (h *hall) onDisk(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(h.data(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (h *hall) read(name string) string {
	h.t.Helper()
	b, err := os.ReadFile(filepath.Join(h.data(), name))
	if err != nil {
		h.t.Fatal(err)
	}
	return string(b)
}

// dayLater moves the end of the session a day back.
func (h *hall) dayLater() {
	h.t.Helper()
	address, release := h.hold()
	defer release()
	conn, err := pgx.Connect(h.t.Context(), address)
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close(h.t.Context())
	if _, err := conn.Exec(h.t.Context(), `update session set closed_at = closed_at - interval '24 hours 1 second'`); err != nil {
		h.t.Fatal(err)
	}
}

// nowhere fails where one of the marks is found.
func (h *hall) nowhere(when string, marks []string, texts map[string]string) {
	h.t.Helper()
	for name, text := range texts {
		if text == "" && strings.HasPrefix(name, "exports/") {
			h.t.Errorf("%s: %s is empty", when, name)
		}
		if list := found(text, marks); len(list) > 0 {
			h.t.Errorf("%s: %s holds %q", when, name, list)
		}
	}
}
