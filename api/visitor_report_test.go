package api

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"calanque/geo"
	"calanque/geo/catalogue"
)

// earlier is the mark of a form that was asked for a minute ago.
func (s *site) earlier() string { return s.visitors.stamp(now.Add(-time.Minute)) }

func TestReport(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.refresh()
	form := s.ask(http.MethodGet, "/signaler?jeu=points-eau&objet=points_eau/p00001", "Accept", "text/html")
	if body := form.Body.String(); form.Code != 200 || !strings.Contains(body, "Signaler une erreur") || !strings.Contains(body, `name="instant"`) {
		t.Fatalf("form: %d %s", form.Code, body)
	}
	sent := url.Values{"jeu": {"points-eau"}, "objet": {"points_eau/p00001"}, "sujet": {"error"}, "instant": {s.earlier()}, "texte": {"La fontaine n’existe plus <b>depuis 2024</b>."}}
	w := s.post("/signaler", sent.Encode())
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !regexp.MustCompile(`^/signalements/[\w-]{22}\?envoye=1$`).MatchString(to) {
		t.Fatalf("sent: %d to %q", w.Code, to)
	}
	token := to[len("/signalements/") : len("/signalements/")+22]
	page := s.ask(http.MethodGet, to, "Accept", "text/html")
	if body := page.Body.String(); page.Code != 200 || !strings.Contains(body, "&lt;b&gt;") || page.Header().Get("X-Robots-Tag") != "noindex" || page.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("page: %d %v", page.Code, page.Header())
	}
	report, err := catalogue.FindReport(t.Context(), s.hub.Web, token)
	if err != nil || report.Key != "p00001" || report.State != catalogue.ReportReceived {
		t.Fatalf("got %+v, %v", report, err)
	}
	answer := catalogue.ReportAnswer{Number: 1, State: catalogue.ReportRefused, Text: "La fontaine est bien là."}
	if err := catalogue.AnswerReport(t.Context(), s.hub.Desk, report.ID, answer); err != nil {
		t.Fatal(err)
	}
	if body := s.ask(http.MethodGet, "/signalements/"+token, "Accept", "text/html").Body.String(); !strings.Contains(body, "La fontaine est bien là.") || !strings.Contains(body, "Refusé") {
		t.Errorf("after the answer: %s", body)
	}
	if w := s.ask(http.MethodGet, "/signalements/aaaaaaaaaaaaaaaaaaaaaa"); w.Code != 404 {
		t.Errorf("an address that nobody was given: %d", w.Code)
	}
}

// TestReportRefused sends what can't be kept: the form comes back with the
// reason and with all that was typed.
func TestReportRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.load(waterTable(), geo.Snapshot, water(3, "v1"))
	s.refresh()
	for _, c := range []struct{ name, field, value, says string }{
		{"a telephone number", "texte", "Appelez-moi au 04 91 00 00 00", "numéro de téléphone"},
		{"a mail address", "texte", "claire@exemple.fr", "adresse électronique"},
		{"nothing", "texte", "  ", "est vide"},
		{"the trap", "site", "https://spam.example", "Relisez"},
		{"too quick", "instant", s.visitors.stamp(now), "Relisez"},
		{"a mark of nobody", "instant", "AAAA", "Relisez"},
	} {
		form := url.Values{"jeu": {"points-eau"}, "sujet": {"error"}, "instant": {s.earlier()}, "texte": {"Il manque une fontaine."}}
		form.Set(c.field, c.value)
		w := s.post("/signaler", form.Encode())
		body := w.Body.String()
		if w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, c.says) || !strings.Contains(body, strings.TrimSpace(form.Get("texte"))) {
			t.Errorf("%s: %d %s", c.name, w.Code, body)
		}
	}
	for _, to := range []string{"/signaler", "/signaler?jeu=nulle-part", "/signaler?jeu=points-eau&objet=points_eau/none", "/signaler?jeu=points-eau&objet=autre/1"} {
		if w := s.ask(http.MethodGet, to); w.Code != 404 {
			t.Errorf("%s: %d, want 404", to, w.Code)
		}
	}
	form := url.Values{"jeu": {"points-eau"}, "sujet": {"message"}, "instant": {s.earlier()}, "texte": {"Merci."}}
	last := 0
	for range 21 {
		last = s.post("/signaler", form.Encode()).Code
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("the twenty-first message: %d", last)
	}
}

func TestStamp(t *testing.T) {
	t.Parallel()
	v := newVisitors()
	if at, ok := v.made(v.stamp(now)); !ok || !at.Equal(now) {
		t.Errorf("got %v, %v", at, ok)
	}
	other := newVisitors()
	for _, stamp := range []string{"", "x", other.stamp(now), v.stamp(now)[2:]} {
		if _, ok := v.made(stamp); ok {
			t.Errorf("%q is ours", stamp)
		}
	}
}
