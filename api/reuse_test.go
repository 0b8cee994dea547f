package api

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"calanque/geo"
	"calanque/geo/catalogue"
)

// propose sends the form of a reuse as a browser does, with a picture or none.
func (s *site) propose(fields map[string]string, picture []byte) *httptest.ResponseRecorder {
	s.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for _, name := range []string{"instant", "title", "url", "datasets", "description", "contest", "gardee", "site"} {
		if err := m.WriteField(name, fields[name]); err != nil {
			s.t.Fatal(err)
		}
	}
	if picture != nil {
		w, err := m.CreateFormFile("picture", "image.png")
		if err == nil {
			_, err = w.Write(picture)
		}
		if err != nil {
			s.t.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/reutilisations/proposer", &body)
	r.Host = "hub.example"
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	r.Header.Set("Accept", "text/html")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// proposal is a form that is all right.
func (s *site) proposal() map[string]string {
	return map[string]string{
		"instant": s.earlier(), "title": "Carte des fontaines", "url": "https://fontaines.example.org/",
		"datasets": "https://hub.example/donnees/points-eau?lg=fr\n", "description": "Une *carte* <script>alert(1)</script> [ici](javascript:alert(1)).",
	}
}

func pictureOf(t *testing.T, side int) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, side, side))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReuse(t *testing.T) {
	t.Parallel()
	s := staffed(t, newSite(t))
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.refresh()
	w := s.propose(s.proposal(), pictureOf(t, 300))
	follow := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !regexp.MustCompile(`^/reutilisations/suivi/[\w-]{22}\?envoye=1$`).MatchString(follow) {
		t.Fatalf("proposed: %d to %q: %s", w.Code, follow, w.Body)
	}
	follow, _, _ = strings.Cut(follow, "?")
	if body := string(s.get(follow, "Accept", "text/html")); !strings.Contains(body, "Attend une lecture") || strings.Contains(body, "<script>alert") || strings.Contains(body, "javascript:") || !strings.Contains(body, "<em>carte</em>") {
		t.Errorf("the proposal's page: %s", body)
	}
	if body := string(s.get("/reutilisations", "Accept", "text/html")); strings.Contains(body, "fontaines.example.org") {
		t.Error("a proposal appears before anybody has read it")
	}
	if w := s.ask(http.MethodGet, "/reutilisations/1/image"); w.Code != 404 {
		t.Errorf("its picture: %d", w.Code)
	}
	if w := s.ask(http.MethodGet, "/reutilisations/1/image?suivi="+follow[len(follow)-22:]); w.Code != 200 || w.Header().Get("Content-Type") != "image/jpeg" {
		t.Errorf("its picture for its sender: %d %v", w.Code, w.Header())
	}
	for _, who := range []string{"atelier", "crige"} {
		if w := s.ask(http.MethodGet, "/bureau/reutilisations", "Cookie", s.in(who)); w.Code != http.StatusForbidden {
			t.Errorf("%s sees the desk: %d", who, w.Code)
		}
	}
	cookie := s.in("coordination")
	mark := s.mark(cookie)
	decide := func(decision, reason, edition string) *httptest.ResponseRecorder {
		form := url.Values{"csrf": {mark}, "id": {"1"}, "edition": {edition}, "decision": {decision}, "raison": {reason}}
		return s.post("/bureau/reutilisations", form.Encode(), "Cookie", cookie, "Origin", "http://hub.example")
	}
	if w := decide("refused", " ", "1"); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Dites pourquoi") {
		t.Errorf("a refusal in silence: %d", w.Code)
	}
	if w := decide("accepted", "", "1"); w.Code != http.StatusSeeOther {
		t.Fatalf("accepted: %d %s", w.Code, w.Body)
	}
	if w := decide("refused", "Trop tard.", "1"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "Trop tard.") {
		t.Errorf("decided on what somebody has decided: %d", w.Code)
	}
	for _, to := range []string{"/reutilisations", "/donnees/points-eau/reutilisations"} {
		if body := string(s.get(to, "Accept", "text/html")); !strings.Contains(body, `href="https://fontaines.example.org/" rel="nofollow ugc noreferrer"`) {
			t.Errorf("%s: %s", to, body)
		}
	}
	if w := s.ask(http.MethodGet, "/reutilisations/1/image"); w.Code != 200 {
		t.Errorf("its picture when accepted: %d", w.Code)
	}
	if w := decide("proposed", "", "2"); w.Code != http.StatusSeeOther {
		t.Errorf("undone: %d", w.Code)
	}
	if w := s.post(follow, "", "Sec-Fetch-Site", "same-origin"); w.Code != http.StatusSeeOther {
		t.Errorf("withdrawn: %d", w.Code)
	}
	if r, err := catalogue.ReuseByID(t.Context(), s.hub.Web, 1); err != nil || r.State != catalogue.ReuseWithdrawn {
		t.Errorf("got %+v, %v", r, err)
	}
	var edits int
	if err := s.hub.Owner.QueryRow(t.Context(), `select count(*) from edit where kind = 'reuse' and subject = '1'`).Scan(&edits); err != nil || edits != 2 {
		t.Errorf("%d edits, %v", edits, err)
	}
}

// TestReuseFaults sends what can't be kept: the answer names the field and
// holds all that was typed, the picture too.
func TestReuseFaults(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.refresh()
	for _, c := range []struct {
		name, field, value string
		picture            []byte
		says, of           string
	}{
		{"no title", "title", " ", nil, "Donnez un titre", "title"},
		{"no link", "url", "fontaines", nil, "commence par https://", "url"},
		{"a link to this machine", "url", "http://127.0.0.1/", nil, "réseau intérieur", "url"},
		{"an inner name", "url", "http://intranet/", nil, "réseau intérieur", "url"},
		{"an inner address in disguise", "url", "http://127.1/", nil, "réseau intérieur", "url"},
		{"a link with a program", "url", "javascript:alert(1)", nil, "commence par https://", "url"},
		{"no dataset", "datasets", "", nil, "au moins un jeu", "datasets"},
		{"an unknown dataset", "datasets", "Cadastre de la Lune", nil, "Cadastre de la Lune", "datasets"},
		{"a drawing with a program", "", "", []byte(`<svg><script>alert(1)</script></svg>`), "SVG", "picture"},
		{"a picture that is none", "", "", []byte("bonjour"), "n’est pas une image", "picture"},
		{"a huge picture", "", "", make([]byte, maxPicture+2), "trop lourd", "picture"},
		{"the trap", "site", "x", nil, "Relisez", ""},
	} {
		form := s.proposal()
		if c.field != "" {
			form[c.field] = c.value
		}
		w := s.propose(form, c.picture)
		body := w.Body.String()
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, c.says) || c.of != "" && !strings.Contains(body, `id="`+c.of+`-faux"`) {
			t.Errorf("%s: %d %s", c.name, w.Code, body)
		}
		if c.field != "title" && !strings.Contains(body, "Carte des fontaines") || !strings.Contains(body, "[ici](javascript:alert(1))") {
			t.Errorf("%s: what was typed is lost", c.name)
		}
	}
	form := s.proposal()
	form["title"] = ""
	body := s.propose(form, pictureOf(t, 200)).Body.String()
	kept := regexp.MustCompile(`name="gardee" value="([^"]+)"`).FindStringSubmatch(body)
	if kept == nil {
		t.Fatal("the picture is lost")
	}
	form = s.proposal()
	form["gardee"] = kept[1]
	if w := s.propose(form, nil); w.Code != http.StatusSeeOther {
		t.Fatalf("with the picture that came before: %d %s", w.Code, w.Body)
	}
	list, err := catalogue.Reuses(t.Context(), s.hub.Web, catalogue.ReuseFilter{})
	if err != nil || len(list) != 1 || list[0].Width != 200 {
		t.Errorf("got %+v, %v", list, err)
	}
}
