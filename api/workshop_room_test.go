package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"calanque/geo/postgis"
	"calanque/osm/workshop"
)

// A guest is a browser in a session.
type guest struct {
	*fountains
	code    string
	cookies map[string]string
}

// opened is a site with an open session on the three fountains.
func opened(t *testing.T) (f *fountains, code, recovery string) {
	t.Helper()
	f = newFountains(t)
	var mediator int64
	if err := f.hub.Owner.QueryRow(t.Context(), `select id from account where login = 'atelier'`).Scan(&mediator); err != nil {
		t.Fatal(err)
	}
	s, recovery, err := workshop.Prepare(t.Context(), f.hub.Desk, mediator, workshop.Plan{Title: "Les fontaines", Theme: "eau", Area: fountainArea, Minutes: 60, People: 12})
	if err != nil {
		t.Fatal(err)
	}
	if err := workshop.Open(t.Context(), f.hub.Desk, s.Code); err != nil {
		t.Fatal(err)
	}
	return f, s.Code, recovery
}

var fountainArea = workshop.Area{GeoJSON: []byte(`{"type": "Polygon", "coordinates": [[[5.39, 43.29], [5.45, 43.29], [5.45, 43.35], [5.39, 43.35], [5.39, 43.29]]]}`)}

func (f *fountains) guest(code string) *guest {
	return &guest{fountains: f, code: code, cookies: map[string]string{}}
}

// keep takes the cookies of an answer over.
func (g *guest) keep(w *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	for _, c := range w.Result().Cookies() {
		g.cookies[c.Name] = c.Value
	}
	return w
}

func (g *guest) cookie() string {
	var list []string
	for _, name := range []string{seatCookie, stepCookie, recoveryCookie} {
		if v := g.cookies[name]; v != "" {
			list = append(list, name+"="+v)
		}
	}
	return strings.Join(list, "; ")
}

// page asks for a page below the session's.
func (g *guest) page(rest string) string {
	g.t.Helper()
	w := g.keep(g.ask(http.MethodGet, "/atelier/"+g.code+rest, "Cookie", g.cookie(), "Accept", "text/html"))
	if w.Code != http.StatusOK {
		g.t.Fatalf("GET %s: got %d: %s", rest, w.Code, w.Body)
	}
	return w.Body.String()
}

// send sends a form below the session's.
func (g *guest) send(rest string, form url.Values, header ...string) *httptest.ResponseRecorder {
	g.t.Helper()
	return g.keep(g.post("/atelier/"+g.code+rest, form.Encode(), append([]string{"Origin", "http://hub.example", "Cookie", g.cookie()}, header...)...))
}

var field = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// form is the hidden part of the question's form on a page.
func (g *guest) form(page string) url.Values {
	g.t.Helper()
	_, rest, ok := strings.Cut(page, `data-question="`)
	if !ok {
		g.t.Fatalf("no question on the page: %.3000s", page)
	}
	rest, _, _ = strings.Cut(rest, "</form>")
	out := url.Values{}
	for _, m := range field.FindAllStringSubmatch(rest, -1) {
		out.Set(m[1], m[2])
	}
	return out
}

func (g *guest) join(wish url.Values) string {
	g.t.Helper()
	if w := g.send("/rejoindre", wish); w.Code != http.StatusSeeOther {
		g.t.Fatalf("join: got %d: %s", w.Code, w.Body)
	}
	return g.page("")
}

// number counts rows.
func (f *fountains) number(sql string, args ...any) (n int) {
	f.t.Helper()
	if err := f.hub.Owner.QueryRow(f.t.Context(), sql, args...).Scan(&n); err != nil {
		f.t.Fatal(err)
	}
	return n
}

// An answer of a script: told in one word, counted once however often it is
// sent, refused with a sentence, and nobody's without a seat.
func TestAnswerByScript(t *testing.T) {
	t.Parallel()
	f, code, _ := opened(t)
	g := f.guest(code)
	form := g.form(g.join(url.Values{}))
	if form.Get("vu") == "" || form.Get("cle") == "" {
		t.Fatalf("the form lacks what was seen or its key: %v", form)
	}
	script := []string{"Accept", "application/json"}
	form.Set("choix", "4 cant_tell")
	form.Set("mot", "06 12 34 56 78")
	if w := g.send("/reponse?lg=fr", form, script...); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "téléphone") {
		t.Errorf("a telephone number: got %d %s", w.Code, w.Body)
	}
	form.Set("mot", "")
	for i := range 2 {
		if w := g.send("/reponse", form, script...); w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != `{"kept":"1"}` {
			t.Errorf("answer, time %d: got %d %s", i+1, w.Code, w.Body)
		}
	}
	if n := f.number(`select count(*) from answer`); n != 1 {
		t.Errorf("%d answers, want 1", n)
	}
	form.Set("vu", "no hex")
	form.Set("cle", newKey())
	if w := g.send("/reponse", form, script...); w.Code != http.StatusBadRequest {
		t.Errorf("what was seen is none: got %d", w.Code)
	}
	stranger := f.guest(code)
	if w := stranger.send("/reponse", form, script...); w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `"seat":false`) {
		t.Errorf("without a seat: got %d %s", w.Code, w.Body)
	}
	if w := g.send("/garder", nil); w.Code != http.StatusNotFound {
		t.Errorf("keep a lease that has ended: got %d", w.Code)
	}
	g.page("")
	if w := g.send("/garder", nil); w.Code != http.StatusNoContent {
		t.Errorf("keep a lease: got %d", w.Code)
	}
}

// A position is observed by those on site and read off a map at a desk; told
// in metres and a direction it is the same.
func TestPositionOfAnAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		onSite bool
		tell   url.Values
		origin string
		value  string // as like
	}{
		{"pointed at on site", true, url.Values{"valeur-_geom": {"5.4101 43.3002"}}, "observed", "5.4101000 43.3002000"},
		{"pointed at from a desk", false, url.Values{"valeur-_geom": {"5.4101 43.3002"}}, "osm", "5.4101000 43.3002000"},
		{"told on site", true, url.Values{"metres": {"50"}, "vers": {"n"}}, "observed", "5.4100000 43.30044%"},
		{"told by half", true, url.Values{"metres": {"50"}, "vers": {""}}, "", ""},
		{"told of no direction", true, url.Values{"metres": {"50"}, "vers": {"up"}}, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f, code, _ := opened(t)
			g := f.guest(code)
			g.join(url.Values{})
			if c.onSite {
				g.send("/sur-place", url.Values{"sur-place": {"1"}})
			}
			n := f.number(`select t.number from task t join outcome o on o.id = t.outcome_id where o.kind = 'only_open_data'`)
			form := g.form(g.page(fmt.Sprint("?question=", n)))
			form.Set("choix", "2 exists_elsewhere")
			for k, v := range c.tell {
				form[k] = v
			}
			if w := g.send("/reponse", form); w.Code != http.StatusSeeOther {
				t.Fatalf("answer: got %d: %s", w.Code, w.Body)
			}
			if got := f.number(`select count(*) from answer_value where field = '_geom'`); c.origin == "" && got != 0 {
				t.Errorf("%d positions, want none", got)
			}
			if c.origin != "" && f.number(`select count(*) from answer_value where field = '_geom' and origin = $1 and value like $2`, c.origin, c.value) != 1 {
				t.Errorf("no position like %s with origin %s", c.value, c.origin)
			}
		})
	}
}

// What is looked up is compared anew, leased, or only to be read.
func TestQuestionLookedUp(t *testing.T) {
	t.Parallel()
	f, code, _ := opened(t)
	ann, bob := f.guest(code), f.guest(code)
	ann.join(url.Values{})
	bob.join(url.Values{})
	n := f.number(`select t.number from task t join outcome o on o.id = t.outcome_id where o.kind = 'attributes_differ'`)
	at := fmt.Sprint("?question=", n, "&lg=fr")
	first := ann.form(ann.page(at))
	if page := bob.page(at); strings.Contains(page, "data-question") || !strings.Contains(page, "Quelqu’un d’autre") {
		t.Errorf("another's question can be answered: %.2000s", page)
	}
	// OpenStreetMap is mended, and the matcher has not looked yet: nobody sees the older question.
	f.osm("yes")
	if page := ann.page(at); strings.Contains(page, "data-question") || !strings.Contains(page, "déjà sa réponse") {
		t.Errorf("a question that is no more can be answered: %.2000s", page)
	}
	first.Set("choix", "2 wrong_open_data")
	first.Set("cle", newKey())
	if w := ann.send("/reponse", first); w.Code != http.StatusSeeOther {
		t.Errorf("a late answer: got %d", w.Code)
	}
	if n := f.number(`select count(*) from answer where says = 'wrong_open_data'`); n != 1 {
		t.Errorf("%d late answers kept, want 1", n)
	}
	if n := f.number(`select count(*) from verdict`); n != 0 {
		t.Errorf("a late answer to an older question has settled something")
	}
}

// The questions that a page holds ahead are leased to nobody.
func TestQuestionsAhead(t *testing.T) {
	t.Parallel()
	f, code, _ := opened(t)
	g := f.guest(code)
	g.join(url.Values{})
	page := g.page("/avance")
	if n := strings.Count(page, "data-ahead="); n == 0 || n > mostAhead {
		t.Errorf("%d questions ahead", n)
	}
	if n := f.number(`select count(*) from claim where ended_at is null`); n != 1 {
		t.Errorf("%d live leases, want that of the question alone", n)
	}
	if w := f.ask(http.MethodGet, "/atelier/"+code+"/avance"); w.Code != http.StatusNotFound {
		t.Errorf("without a seat: got %d", w.Code)
	}
}

func TestDoor(t *testing.T) {
	t.Parallel()
	f, code, _ := opened(t)
	g := f.guest(code)
	page := g.page("?lg=fr")
	name := regexp.MustCompile(`name="surnom" value="([^"]+)"`).FindStringSubmatch(page)
	if name == nil || !strings.Contains(page, `name="groupe" value="sail" checked`) {
		t.Fatalf("the door: %s", page)
	}
	if page := g.join(url.Values{"surnom": {name[1]}, "groupe": {"sail"}}); !strings.Contains(page, name[1]) {
		t.Errorf("the pseudonym is not %s", name[1])
	}
	if w := g.send("/place", url.Values{"faire": {"groupe"}, "groupe": {"star"}}); w.Code != http.StatusBadRequest {
		t.Errorf("a group that is none: got %d", w.Code)
	}
	if w := g.send("/place", url.Values{"faire": {"surnom"}}); w.Code != http.StatusSeeOther || strings.Contains(g.page("/place"), ">"+name[1]+"<") {
		t.Errorf("another pseudonym: got %d", w.Code)
	}
	if w := g.send("/place", url.Values{"faire": {"quitter"}}); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/atelier" {
		t.Errorf("leave: got %d to %s", w.Code, w.Header().Get("Location"))
	}
	if n := f.number(`select count(*) from claim where ended_at is null`); n != 0 {
		t.Errorf("%d leases of somebody who has left", n)
	}
}

// The recovery code opens its session on another machine, and nothing else.
func TestRecovery(t *testing.T) {
	t.Parallel()
	f, code, recovery := opened(t)
	g := f.guest(code)
	post := func(secret string) *httptest.ResponseRecorder {
		return g.keep(f.post("/atelier/reprendre", url.Values{"code": {code}, "secours": {secret}}.Encode(), "Origin", "http://hub.example"))
	}
	if w := post(strings.ToLower(recovery[:4]) + " " + recovery[4:]); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/atelier/"+code+"/conduite" {
		t.Fatalf("the right code: got %d to %s", w.Code, w.Header().Get("Location"))
	}
	board := g.page("/conduite")
	mark := csrfField.FindStringSubmatch(board)
	if mark == nil {
		t.Fatal("the board has no form")
	}
	if w := g.send("/conduite/phase", url.Values{"phase": {"2"}}); w.Code != http.StatusForbidden {
		t.Errorf("without the mark of its forms: got %d", w.Code)
	}
	if w := g.send("/conduite/phase", url.Values{"phase": {"2"}, "csrf": {mark[1]}}); w.Code != http.StatusSeeOther {
		t.Errorf("another phase: got %d", w.Code)
	}
	if w := g.send("/dupliquer", url.Values{"csrf": {mark[1]}}); !strings.HasPrefix(w.Header().Get("Location"), "/connexion") {
		t.Errorf("duplicate: got %d to %s", w.Code, w.Header().Get("Location"))
	}
	if w := f.ask(http.MethodGet, "/atelier/nouveau", "Cookie", g.cookie(), "Accept", "text/html"); w.Code == http.StatusOK {
		t.Error("it prepares sessions")
	}
	other := f.guest(code)
	other.cookies[recoveryCookie] = "ABCDEFGHJKMN"
	if w := f.ask(http.MethodGet, "/atelier/"+code+"/conduite", "Cookie", other.cookie(), "Accept", "text/html"); w.Code == http.StatusOK {
		t.Error("another code opens the board")
	}
	var last int
	for range 8 {
		last = post("ABCDEFGHJKMN").Code
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the eighth wrong code: got %d", last)
	}
	if w := f.ask(http.MethodGet, "/atelier/"+code+"/conduite", "Cookie", g.cookie()); w.Code != http.StatusOK {
		t.Errorf("the room's mistakes shut the mediator out: got %d", w.Code)
	}
	if _, err := f.hub.Owner.Exec(t.Context(), `update account set disabled_at = now() where login = 'atelier'`); err != nil {
		t.Fatal(err)
	}
	if w := f.ask(http.MethodGet, "/atelier/"+code+"/conduite", "Cookie", g.cookie(), "Accept", "text/html"); w.Code == http.StatusOK {
		t.Error("a disabled mediator's code opens the board")
	}
}

// Those who answer are woken by what everybody must hear of alone.
func TestLiveRoom(t *testing.T) {
	t.Parallel()
	f, code, _ := opened(t)
	room, leave := f.live.watch(code, true)
	defer leave()
	all, leaveAll := f.live.watch(code, false)
	defer leaveAll()
	last, err := postgis.LastChange(t.Context(), f.hub.Owner)
	if err != nil {
		t.Fatal(err)
	}
	tell := func() {
		t.Helper()
		changes, err := postgis.Changes(t.Context(), f.hub.Owner, last, 100)
		if err != nil || len(changes) == 0 {
			t.Fatalf("%d changes: %v", len(changes), err)
		}
		last = changes[len(changes)-1].ID
		f.live.tell(changes)
	}
	f.guest(code).join(url.Values{})
	tell()
	if len(all) != 1 {
		t.Error("the board did not hear that somebody joined")
	}
	if len(room) != 0 {
		t.Error("participants heard that somebody joined")
	}
	if err := workshop.Call(t.Context(), f.hub.Desk, code, ""); err != nil {
		t.Fatal(err)
	}
	tell()
	if len(room) != 1 {
		t.Error("participants did not hear the call")
	}
}

// A mediator who signs in goes on with their sessions, or with the first one.
func TestSignInLeadsToWork(t *testing.T) {
	t.Parallel()
	f := newFountains(t)
	to := func(login string) string {
		w := f.post("/connexion", url.Values{"login": {login}, "password": {passphrase}, "lg": {"fr"}}.Encode(), "Origin", "http://hub.example")
		return w.Header().Get("Location")
	}
	if got, want := to("atelier"), "/atelier/nouveau?lg=fr"; got != want {
		t.Errorf("a mediator without a session: got %s, want %s", got, want)
	}
	if got, want := to("coordination"), "/carte?lg=fr"; got != want {
		t.Errorf("a coordinator: got %s, want %s", got, want)
	}
	f, _, _ = opened(t)
	if got, want := to("atelier"), "/atelier?lg=fr"; got != want {
		t.Errorf("a mediator with one: got %s, want %s", got, want)
	}
}
