package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"calanque/api/account"
)

const passphrase = "correct horse battery"

// staffed adds an account of each role to a site.
func staffed(t *testing.T, s *site) *site {
	t.Helper()
	if err := account.PutERIC(t.Context(), s.hub.Owner, account.ERIC{ID: "mediatheque", Title: "Médiathèque", Place: [2]float64{5.4, 43.3}}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []account.Account{
		{Login: "coordination", Role: account.Coordinator},
		{Login: "atelier", Role: account.Mediator, ERIC: "mediatheque"},
		{Login: "crige", Role: account.Producer, Producer: "crige"},
	} {
		if err := account.Add(t.Context(), s.hub.Owner, a, passphrase); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// post sends a form as a browser on the hub's own page does.
func (s *site) post(target, form string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(form))
	r.Host = "hub.example"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "text/html")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// in signs in and gives the cookie.
func (s *site) in(login string) string {
	s.t.Helper()
	w := s.post("/connexion", url.Values{"login": {login}, "password": {passphrase}}.Encode(), "Origin", "http://hub.example")
	if w.Code != http.StatusSeeOther {
		s.t.Fatalf("sign in %s: got %d: %s", login, w.Code, w.Body)
	}
	c := w.Result().Cookies()[0]
	return c.Name + "=" + c.Value
}

var csrfField = regexp.MustCompile(`name="csrf" value="([^"]+)"`)

// mark is what a page puts into the forms of a login.
func (s *site) mark(cookie string) string {
	s.t.Helper()
	m := csrfField.FindSubmatch(s.get("/aide", "Cookie", cookie))
	if m == nil {
		s.t.Fatal("the page has no form of the login")
	}
	return string(m[1])
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := staffed(t, newSite(t).refresh())
	w := s.ask(http.MethodGet, "/connexion?vers=/aide&lg=fr")
	if w.Code != 200 || w.Header().Get("Cache-Control") != "no-store" || !strings.Contains(w.Body.String(), `name="vers" value="/aide"`) {
		t.Errorf("the page: %d %v", w.Code, w.Header())
	}
	w = s.post("/connexion", "login=Atelier&vers=%2Faide&password="+url.QueryEscape(passphrase), "Sec-Fetch-Site", "same-origin")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/aide" {
		t.Fatalf("got %d to %s", w.Code, w.Header().Get("Location"))
	}
	set := w.Header().Get("Set-Cookie")
	if !regexp.MustCompile(`^calanque=[\w-]{43}; Path=/; HttpOnly; SameSite=Lax$`).MatchString(set) {
		t.Errorf("the cookie is %q", set)
	}
	cookie, _, _ := strings.Cut(set, ";")
	w = s.ask(http.MethodGet, "/aide", "Cookie", cookie, "Accept-Language", "fr")
	if !strings.Contains(w.Body.String(), "<b>atelier</b>") || !strings.Contains(w.Body.String(), "Se déconnecter") || w.Header().Get("Cache-Control") != "private, no-store" {
		t.Errorf("the header does not say who is signed in, or caches may keep it: %v", w.Header())
	}
	if !strings.Contains(w.Header().Get("Content-Security-Policy"), "form-action 'self'") {
		t.Errorf("policy is %q", w.Header().Get("Content-Security-Policy"))
	}
	if body := string(s.get("/aide")); strings.Contains(body, "csrf") || strings.Contains(body, "déconnecter") {
		t.Error("a visitor sees what belongs to those who are signed in")
	}
	if body := string(s.get("/carte?cadre=1", "Cookie", cookie)); strings.Contains(body, "csrf\":") {
		t.Error("a page in a frame of another site can act")
	}
}

// Whether a login exists, is disabled or has another password looks the same.
func TestSignInRefused(t *testing.T) {
	t.Parallel()
	s := staffed(t, newSite(t).refresh())
	if err := account.Disable(t.Context(), s.hub.Owner, "crige"); err != nil {
		t.Fatal(err)
	}
	var first string
	for _, login := range []string{"atelier", "nobody", "crige"} {
		w := s.post("/connexion", url.Values{"login": {login}, "password": {"wrong wrong wrong"}}.Encode())
		body := strings.ReplaceAll(w.Body.String(), `value="`+login+`"`, `value="X"`) // the header has a link to /atelier
		if w.Code != http.StatusForbidden || len(w.Result().Cookies()) != 0 || !strings.Contains(body, `role="alert"`) || strings.Contains(body, "wrong wrong") {
			t.Errorf("%s: got %d %s", login, w.Code, body)
		}
		if first == "" {
			first = body
		}
		if body != first {
			t.Errorf("%s is refused in other words", login)
		}
	}
	for range 5 {
		s.post("/connexion", "login=atelier&password=wrong")
	}
	w := s.post("/connexion", "login=atelier&lg=fr&password="+url.QueryEscape(passphrase))
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "60" || !strings.Contains(w.Body.String(), "Attendez 1 minute") {
		t.Errorf("after too many: got %d, Retry-After %s: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
}

func TestSignInBehindTLS(t *testing.T) {
	t.Parallel()
	s := staffed(t, newSite(t).refresh())
	s.PublicURL = "https://hub.example"
	w := s.post("/connexion", "login=atelier&password="+url.QueryEscape(passphrase), "Origin", "https://hub.example")
	set := w.Header().Get("Set-Cookie")
	if !regexp.MustCompile(`^__Host-calanque=[\w-]{43}; Path=/; HttpOnly; Secure; SameSite=Lax$`).MatchString(set) {
		t.Errorf("the cookie is %q", set)
	}
}

// A redirect after signing in stays on the hub.
func TestSignInLeadsNowhereElse(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{
		"/carte?c=x#y": "/carte?c=x#y", "/atelier/ABC234/conduite": "/atelier/ABC234/conduite",
		"//evil.example": "", "https://evil.example/": "", `/\evil.example`: "", "javascript:alert(1)": "", "/a\r\nb": "",
		"": "", "carte": "", "/\tevil": "",
	} {
		if got := ownPath(to); got != want {
			t.Errorf("%q: got %q, want %q", to, got, want)
		}
	}
}

// TestForms holds that every POST is refused that another site has sent, and
// that those who are signed in confirm theirs.
func TestForms(t *testing.T) {
	t.Parallel()
	s := staffed(t, newSite(t).refresh())
	cookie := s.in("atelier")
	good := "csrf=" + s.mark(cookie)
	for _, c := range []struct {
		name, form string
		header     []string
		want       int
	}{
		{"another site, by fetch metadata", good, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		{"a site beside", good, []string{"Sec-Fetch-Site", "same-site"}, 403},
		{"another site, by origin", good, []string{"Origin", "https://evil.example"}, 403},
		{"no site", good, []string{"Origin", "null"}, 403},
		{"no mark", "", nil, 403},
		{"another mark", "csrf=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", []string{"Sec-Fetch-Site", "same-origin"}, 403},
		{"too long", good + "&x=" + strings.Repeat("x", maxForm), nil, 413},
		{"not a form", good + "&x=%zz", nil, 400},
		{"as it should be", good, []string{"Origin", "http://hub.example", "Sec-Fetch-Site", "same-origin"}, 303},
	} {
		w := s.post("/deconnexion", c.form, append([]string{"Cookie", cookie}, c.header...)...)
		if w.Code != c.want {
			t.Errorf("%s: got %d, want %d: %s", c.name, w.Code, c.want, w.Body)
		}
	}
	if body := string(s.get("/aide", "Cookie", cookie)); strings.Contains(body, "csrf") {
		t.Error("still signed in after signing out")
	}
	if w := s.post("/connexion", "login=a&password=b", "Origin", "https://evil.example"); w.Code != 403 {
		t.Errorf("signing in from another site: got %d", w.Code)
	}
}

func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	s := staffed(t, newSite(t).refresh())
	here, there, other := s.in("atelier"), s.in("atelier"), s.in("coordination")
	w := s.post("/deconnexion", "partout=1&csrf="+s.mark(here), "Cookie", here)
	if w.Code != http.StatusSeeOther || !strings.Contains(w.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("got %d, cookie %q", w.Code, w.Header().Get("Set-Cookie"))
	}
	for cookie, want := range map[string]bool{here: false, there: false, other: true} {
		if got := strings.Contains(string(s.get("/aide", "Cookie", cookie)), "csrf"); got != want {
			t.Errorf("%s: signed in is %v, want %v", cookie, got, want)
		}
	}
	// Signing in again on the same browser ends the login it had.
	w = s.post("/connexion", url.Values{"login": {"atelier"}, "password": {passphrase}}.Encode(), "Cookie", other)
	if w.Code != http.StatusSeeOther || strings.Contains(string(s.get("/aide", "Cookie", other)), "csrf") {
		t.Errorf("the login before goes on: %d", w.Code)
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	s := newSite(t).refresh()
	for _, c := range []struct{ method, target, allow string }{
		{http.MethodGet, "/deconnexion", "POST"},
		{http.MethodPut, "/connexion", "GET, HEAD, POST, OPTIONS"},
		{http.MethodPost, "/carte", "GET, HEAD, OPTIONS"},
		{http.MethodDelete, "/api/collections", "GET, HEAD, OPTIONS"},
	} {
		w := s.ask(c.method, c.target)
		if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != c.allow {
			t.Errorf("%s %s: got %d, Allow %q, want %q", c.method, c.target, w.Code, w.Header().Get("Allow"), c.allow)
		}
	}
}

func TestVisitorAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		remote, forwarded string
		trust             bool
		want              string
	}{
		{"192.0.2.1:1234", "", false, "192.0.2.1"},
		{"192.0.2.1:1234", "203.0.113.9", false, "192.0.2.1"},
		{"192.0.2.1:1234", "203.0.113.9, 198.51.100.2", true, "198.51.100.2"},
		{"[2001:db8:1:2:3:4:5:6]:80", "", false, "2001:db8:1:2::/64"},
		{"[::ffff:192.0.2.7]:80", "", false, "192.0.2.7"},
		{"@", "", false, "@"},
	} {
		s := &Server{Options: Options{TrustProxy: c.trust}}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.remote
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := s.visitorAddress(r); got != c.want {
			t.Errorf("%v: got %s, want %s", c, got, c.want)
		}
	}
}
