package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/mux"

	"calanque/api/account"
	"calanque/osm/workshop"
)

// A hall is a site with two open sessions of two mediators, and everybody who
// may come to one of them.
type hall struct {
	*fountains
	session, other workshop.Session
	cookies        map[string]string // who → Cookie header
	marks          map[string]string // who → mark of their login
}

// The people of a hall, in the order of columns. Link holds a signed link of
// the session, other-link one of the other session.
var people = []string{
	"visitor", "participant", "other-participant", "link", "other-link", "producer", "other-producer", "mediator", "colleague", "coordinator",
}

func newHall(t *testing.T) *hall {
	t.Helper()
	h := &hall{fountains: newFountains(t), cookies: map[string]string{}, marks: map[string]string{}}
	for _, a := range []account.Account{
		{Login: "collegue", Role: account.Mediator, ERIC: "mediatheque"}, // the same ERIC, not the same sessions
		{Login: "air", Role: account.Producer, Producer: "air"},
	} {
		if err := account.Add(t.Context(), h.hub.Owner, a, passphrase); err != nil {
			t.Fatal(err)
		}
	}
	for who, login := range map[string]string{
		"mediator": "atelier", "colleague": "collegue", "coordinator": "coordination", "producer": "crige", "other-producer": "air",
	} {
		h.cookies[who] = h.in(login)
	}
	h.session, h.other = h.open("atelier"), h.open("collegue")
	h.seat("participant", h.session)
	h.seat("other-participant", h.other)
	return h
}

// open prepares a session on the three fountains and opens it.
func (h *hall) open(login string) workshop.Session {
	h.t.Helper()
	ctx := h.t.Context()
	var mediator int64
	if err := h.hub.Owner.QueryRow(ctx, `select id from account where login = $1`, login).Scan(&mediator); err != nil {
		h.t.Fatal(err)
	}
	area := workshop.Area{GeoJSON: json.RawMessage(`{"type": "Polygon", "coordinates": [[[5.39, 43.29], [5.45, 43.29], [5.45, 43.35], [5.39, 43.35], [5.39, 43.29]]]}`)}
	s, _, err := workshop.Prepare(ctx, h.hub.Desk, mediator, workshop.Plan{Title: "Les fontaines", Theme: "eau", Area: area, Minutes: 60, People: 12})
	if err == nil {
		err = workshop.Open(workshop.As(ctx, mediator), h.hub.Desk, s.Code)
	}
	if err == nil {
		s, err = workshop.Find(ctx, h.hub.Web, s.Code)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

// seat joins a session and keeps the cookie.
func (h *hall) seat(who string, s workshop.Session) workshop.Participant {
	h.t.Helper()
	p, token, err := workshop.Join(h.t.Context(), h.hub.Desk, s.Code)
	if err != nil {
		h.t.Fatal(err)
	}
	h.cookies[who] = seatCookie + "=" + token
	return p
}

// task is a question of a session, with its number.
func (h *hall) task(s workshop.Session) workshop.Task {
	h.t.Helper()
	tasks, err := workshop.Tasks(h.t.Context(), h.hub.Web, s.ID)
	if err != nil || len(tasks) == 0 {
		h.t.Fatalf("%d tasks (%v)", len(tasks), err)
	}
	return tasks[0]
}

// status asks as somebody does and gives the answer's status. Forms carry the
// mark of the login, so that it is the table alone that decides.
func (h *hall) status(who, method, path, form string) int {
	h.t.Helper()
	cookie := h.cookies[who]
	for name, s := range map[string]workshop.Session{"link": h.session, "other-link": h.other} {
		if _, file, ok := strings.Cut(path, "/exports/"); ok && who == name {
			key, err := workshop.Links(h.t.Context(), h.hub.Web, s.ID)
			if err != nil {
				h.t.Fatal(err)
			}
			path += "?jeton=" + url.QueryEscape(key.Sign(s.ID, file, h.Now().Add(time.Hour)))
		}
	}
	if method == http.MethodPost && strings.HasPrefix(cookie, "calanque=") {
		if h.marks[who] == "" {
			h.marks[who] = h.mark(cookie)
		}
		form += "&csrf=" + url.QueryEscape(h.marks[who])
	}
	r := httptest.NewRequestWithContext(h.t.Context(), method, path, strings.NewReader(form))
	r.Host = "hub.example"
	r.Header.Set("Accept", "application/json")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder() // can't stream: events end with the first
	h.ServeHTTP(w, r)
	return w.Code
}

// An address of the table: who may call it, and what the others are told. A
// letter a person, in the order of people: y it is answered, s sign in first
// (401), n a wrong code (404), f it may not be done (403), d the door: the
// page that lets people join.
type address struct {
	method, path, form string
	may                string
}

// table is who may call what of an open session. {code} and {task} are those
// of the hall's.
var table = []address{
	// visitor, participant, of another session, link, of another session, producer, another, mediator, colleague, coordinator
	{"GET", "/atelier", "", "yyyyyyyyyy"},
	{"GET", "/atelier/nouveau", "", "sssssffyyy"},
	{"POST", "/atelier/nouveau", "", "sssssffyyy"},
	{"GET", "/atelier/reprendre", "", "yyyyyyyyyy"},
	{"POST", "/atelier/reprendre", "code={code}&secours=AAAAAAAAAAAA", "nnnnnnnnnn"},
	{"GET", "/atelier/hors-ligne", "", "yyyyyyyyyy"},
	{"GET", "/atelier/{code}", "", "dydddddddd"},
	{"GET", "/atelier/{code}/place", "", "dydddddddd"},
	{"POST", "/atelier/{code}/place", "", "dydddddddd"},
	{"GET", "/atelier/{code}/avance", "", "nynnnnnnnn"},
	{"POST", "/atelier/{code}/garder", "", "nynnnnnnnn"},
	{"POST", "/atelier/{code}/rejoindre", "", "yyyyyyyyyy"},
	{"POST", "/atelier/{code}/reponse", "cle={key}&question={task}&numero=1&choix=4", "syssssssss"},
	{"POST", "/atelier/{code}/annuler", "", "dydddddddd"},
	{"POST", "/atelier/{code}/sur-place", "sur-place=1", "dydddddddd"},
	{"GET", "/atelier/{code}/conduite", "", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/ouvrir", "", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/attention", "mots=", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/feuille", "feuille=1", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/code", "", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/phase", "phase=2", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/figer", "figer=0", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/reprendre", "question={task}", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/decider", "question={task}&choix=1", "sssssnnyny"},
	{"GET", "/atelier/{code}/conduite/saisie", "", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/saisie", "feuille=1", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/saisie/annuler", "feuille=1", "sssssnnyny"},
	{"POST", "/atelier/{code}/conduite/saisie/confier", "feuille=1", "sssssnnyny"},
	{"POST", "/atelier/{code}/dupliquer", "", "sssssnnyny"},
	{"GET", "/atelier/{code}/projecteur", "", "yyyyyyyyyy"},
	{"GET", "/atelier/{code}/evenements", "", "yyyyyyyyyy"},
	{"GET", "/atelier/{code}/feuilles", "", "sssssnnyny"},
	{"GET", "/atelier/{code}/exports", "", "sssssnnyny"},
	{"GET", "/atelier/{code}/exports/josm.osm", "", "sssyfnnyny"},
	{"GET", "/atelier/{code}/exports/changements.osc", "", "sssyfnnyny"},
	{"GET", "/atelier/{code}/exports/points.gpx", "", "sssyfnnyny"},
	{"GET", "/atelier/{code}/exports/taches.geojson", "", "sssyfnnyny"},
	{"GET", "/atelier/{code}/exports/maproulette.geojsonl", "", "sssyfnnyny"},
	{"GET", "/atelier/{code}/exports/corrections.csv", "", "sssssynyny"},
	{"GET", "/atelier/{code}/exports/corrections.geojson", "", "sssssynyny"},
	{"POST", "/atelier/{code}/exports/revoquer", "", "sssssnnyny"},
	{"GET", "/atelier/{code}/rapport", "", "nnnnnnnyny"},
	{"GET", "/atelier/{code}/rapport.csv", "", "nnnnnnnyny"},
	{"POST", "/atelier/{code}/conduite/terminer", "", "sssssnnyny"},
	// It is closed now: the report is for whoever has the address, the seats live for another day.
	{"GET", "/atelier/{code}", "", "nynnnnnnnn"},
	{"POST", "/atelier/{code}/rejoindre", "", "nynnnnnnnn"},
	{"POST", "/atelier/{code}/reponse", "cle={key}&question={task}&numero=1&choix=4", "syssssssss"},
	{"GET", "/atelier/{code}/rapport", "", "yyyyyyyyyy"},
	{"GET", "/atelier/{code}/rapport.csv", "", "yyyyyyyyyy"},
	{"GET", "/atelier/{code}/conduite", "", "sssssnnyny"},
}

// TestWhoMayCallWhat holds the table of who may call what of a mapping session
// through HTTP: everybody, at every address there is.
func TestWhoMayCallWhat(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	for _, a := range table {
		for i, who := range people {
			if got, want := h.tried(who, a), a.may[i:i+1]; got != want {
				t.Errorf("%s %s as %s: got %s, want %s", a.method, a.path, who, got, want)
			}
		}
	}
	h.everyRoute()
}

// tried asks an address as somebody does, and gives the letter of the answer.
func (h *hall) tried(who string, a address) string {
	h.t.Helper()
	h.codes, h.recovery = wrongCodes(), account.NewLimiter(5, time.Minute) // the table makes many mistakes
	before := h.footprint()
	fill := strings.NewReplacer("{code}", h.session.Code, "{task}", fmt.Sprint(h.task(h.session).ID), "{key}", newKey())
	status := h.status(who, a.method, fill.Replace(a.path), fill.Replace(a.form))
	changed := h.footprint() != before
	letter := map[int]string{200: "y", 204: "y", 303: "y", 400: "y", 401: "s", 403: "f", 404: "n"}[status]
	seat := slices.Contains([]string{"/atelier/{code}", "/atelier/{code}/place", "/atelier/{code}/annuler", "/atelier/{code}/sur-place"}, a.path)
	if letter == "y" && seat && who != "participant" && !changed {
		letter = "d" // the page that lets people join, and nothing has happened
	}
	if letter != "y" && changed {
		h.t.Errorf("%s %s as %s: refused with %d, and something has happened", a.method, a.path, who, status)
	}
	if letter == "" {
		letter = fmt.Sprint(status)
	}
	return letter
}

// footprint tells whether anything has happened to any session.
func (h *hall) footprint() string {
	h.t.Helper()
	var print string
	err := h.hub.Owner.QueryRow(h.t.Context(), `
		select (select count(*) from session) || ' ' || (select count(*) from session_event) || ' ' || (select count(*) from answer) || ' '
			|| (select count(*) from participant where on_site) || ' ' || (select count(*) from verdict)`).Scan(&print)
	if err != nil {
		h.t.Fatal(err)
	}
	return print
}

var pathVariable = regexp.MustCompile(`\{(\w+)(?::[^{}]*(?:\{[^{}]*\}[^{}]*)*)?\}`)

// everyRoute fails for an address of sessions that the table leaves out.
func (h *hall) everyRoute() {
	h.t.Helper()
	err := h.routes().(*mux.Router).Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		if err != nil || !strings.HasPrefix(path, "/atelier") {
			return nil
		}
		methods, err := route.GetMethods()
		if err != nil {
			return err
		}
		for _, m := range methods {
			if m != http.MethodGet && m != http.MethodPost {
				continue
			}
			for _, one := range spelt(path) {
				if !slices.ContainsFunc(table, func(a address) bool { return a.method == m && a.path == one }) {
					h.t.Errorf("%s %s is not in the table of who may call what", m, one)
				}
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// spelt gives the paths that a route stands for: {act:a|b} is two, {code:…}
// stays a code.
func spelt(route string) []string {
	at := pathVariable.FindStringSubmatchIndex(route)
	if at == nil {
		return []string{route}
	}
	before, name, after := route[:at[0]], route[at[2]:at[3]], route[at[1]:]
	values := []string{"{code}"}
	if _, list, ok := strings.Cut(strings.Trim(route[at[0]:at[1]], "{}"), ":"); ok && name != "code" {
		values = strings.Split(list, "|")
	}
	var out []string
	for _, rest := range spelt(after) {
		for _, v := range values {
			out = append(out, before+v+rest)
		}
	}
	return out
}

// TestWrongCodes holds that wrong codes are rate-limited by where they come
// from, and right ones never: a room shares one address.
func TestWrongCodes(t *testing.T) {
	t.Parallel()
	h := newHall(t)
	at := now
	h.Now = func() time.Time { return at }
	ask := func(address, path string) int {
		r := httptest.NewRequest(http.MethodGet, path, nil)
		r.Host, r.RemoteAddr = "hub.example", address+":4711"
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") == "" {
			t.Error("a refusal does not say when to try again")
		}
		return w.Code
	}
	const room, elsewhere = "192.0.2.7", "192.0.2.8"
	wrong := []string{"/atelier/AAAAAA", "/atelier?code=BBBBBB", "/atelier/CCCCCC/projecteur", "/atelier/DDDDDD/rapport", "/atelier/EEEEEE/evenements"}
	let := 0
	for ask(room, wrong[let%len(wrong)]) == http.StatusNotFound {
		if let++; let > 1000 {
			t.Fatal("codes can be guessed without end")
		}
	}
	if let < 20 || let > 60 {
		t.Errorf("%d wrong codes at once, want some for a room that mistypes, and no more", let)
	}
	for i := range 200 { // the whole room comes in all the same, and looks
		for _, path := range []string{"/atelier/" + h.session.Code, "/atelier?code=" + strings.ToLower(h.session.Code), "/atelier/" + h.session.Code + "/projecteur"} {
			if got := ask(room, path); got != http.StatusOK && got != http.StatusSeeOther {
				t.Fatalf("the right code is refused: %s, time %d: got %d", path, i, got)
			}
		}
	}
	if got := ask(room, wrong[0]); got != http.StatusTooManyRequests {
		t.Errorf("right codes buy wrong ones: got %d", got)
	}
	if got := ask(elsewhere, wrong[0]); got != http.StatusNotFound {
		t.Errorf("from elsewhere: got %d", got)
	}
	at = at.Add(10 * time.Second)
	if got := ask(room, wrong[0]); got != http.StatusNotFound {
		t.Errorf("ten seconds later: got %d", got)
	}
	// A closed session, one that is not open yet and one that never was look the same.
	closed, ahead := h.open("atelier"), h.open("atelier")
	if err := workshop.Close(t.Context(), h.hub.Desk, closed.Code); err != nil {
		t.Fatal(err)
	}
	if _, err := h.hub.Owner.Exec(t.Context(), `update session set state = 'prepared', opened_at = null where id = $1`, ahead.ID); err != nil {
		t.Fatal(err)
	}
	at = at.Add(time.Hour)
	pages := map[string]string{}
	for _, code := range []string{closed.Code, ahead.Code, "AAAAAA"} {
		w := h.ask(http.MethodGet, "/atelier/"+code, "Accept", "text/html")
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: got %d", code, w.Code)
		}
		pages[strings.ReplaceAll(w.Body.String(), code, "CODE")] = code
	}
	if len(pages) != 1 {
		t.Errorf("the page tells a code that was given from one that was not: %v", pages)
	}
}
