package api

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"calanque/api/account"
	"calanque/geo/catalogue"
)

// person adds an account and signs it in.
func (s *site) person(a account.Account) string {
	s.t.Helper()
	if err := account.Add(s.t.Context(), s.hub.Owner, a, passphrase); err != nil {
		s.t.Fatal(err)
	}
	return s.in(a.Login)
}

// TestChainPages moves a dataset through its chain as a coordinator does, with
// the mistakes that people make, and looks who may see it.
func TestChainPages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_, err := s.hub.Owner.Exec(t.Context(), `
		insert into dataset (slug, producer_id, licence_id, title, chain) values
			('lycees', 'crige', 'lo-2.0', '{"fr": "Lycées"}', 'region'), ('sentiers', 'crige', 'lo-2.0', '{"fr": "Sentiers"}', 'partner');
		insert into resource (dataset_id, name, kind, title, url, document) select id, 'avis', 'administrative', '{"fr": "Avis 26-118"}', 'https://x.example', '{"type": "avis"}'
			from dataset where slug = 'lycees'`)
	if err != nil {
		t.Fatal(err)
	}
	s.refresh()
	coordinator := s.person(account.Account{Login: "marc", Role: account.Coordinator})
	referent := s.person(account.Account{Login: "ines", Role: account.Producer, Producer: "crige", Member: account.Referent})
	editor := s.person(account.Account{Login: "paul", Role: account.Producer, Producer: "crige", Member: account.Editor})
	stranger := s.person(account.Account{Login: "zoe", Role: account.Producer, Producer: "air", Member: account.Referent})
	for target, who := range map[string]map[string]int{
		"/bureau/parcours":          {"": 303, coordinator: 200, referent: 403, stranger: 403},
		"/bureau/recensement":       {"": 303, coordinator: 200, referent: 403},
		"/bureau/parcours/lycees":   {"": 303, coordinator: 200, referent: 200, editor: 200, stranger: 403},
		"/bureau/parcours/inconnu":  {"": 303, coordinator: 404, referent: 403, stranger: 403},
		"/bureau/parcours/sentiers": {coordinator: 200, referent: 200},
	} {
		for cookie, want := range who {
			if w := s.ask(http.MethodGet, target, "Cookie", cookie, "Accept", "text/html"); w.Code != want {
				t.Errorf("%s: got %d, want %d", target, w.Code, want)
			}
		}
	}
	take := func(cookie, slug string, want int, says string, pairs ...string) {
		t.Helper()
		form := url.Values{"csrf": {s.mark(cookie)}}
		for i := 0; i < len(pairs); i += 2 {
			form.Set(pairs[i], pairs[i+1])
		}
		w := s.post("/bureau/parcours/"+slug, form.Encode(), "Cookie", cookie, "Accept", "text/html", "Accept-Language", "fr")
		if w.Code != want || !strings.Contains(w.Body.String(), says) {
			t.Errorf("%v: got %d, want %d and %q:\n%s", pairs, w.Code, want, says, w.Body)
		}
	}
	take(coordinator, "lycees", 422, "Choisissez")
	take(coordinator, "lycees", 303, "", "vers_etat", "legal", "de_etat", "counted", "organe", "Service SIG", "decide", "2026-11-20")
	take(coordinator, "lycees", 409, "entre-temps", "vers_etat", "legal", "de_etat", "counted", "organe", "Service SIG", "raison", "Ce que j’avais écrit")
	take(coordinator, "lycees", 409, "Ce que j’avais écrit", "vers_etat", "open", "de_etat", "legal", "raison", "Ce que j’avais écrit")
	take(coordinator, "lycees", 422, "Dites pourquoi", "vers_etat", "counted", "de_etat", "legal")
	take(coordinator, "lycees", 422, "pas une date", "vers_etat", "committee", "de_etat", "legal", "decide", "hier")
	take(coordinator, "lycees", 422, "document", "vers_etat", "committee", "de_etat", "legal", "document", "99999")
	take(coordinator, "lycees", 303, "", "vers_etat", "committee", "de_etat", "legal", "organe", "Service juridique", "document", "1")
	take(referent, "lycees", 403, "", "vers_etat", "vote", "de_etat", "committee")
	take(editor, "sentiers", 403, "", "vers_etat", "open", "de_etat", "counted")
	take(stranger, "sentiers", 403, "", "vers_etat", "open", "de_etat", "counted")
	take(referent, "sentiers", 303, "", "vers_etat", "open", "de_etat", "counted")
	take(referent, "sentiers", 303, "", "vers_etat", "withdrawn", "de_etat", "open", "raison", "Erreur.")
	page := string(s.get("/bureau/parcours/lycees", "Cookie", coordinator, "Accept-Language", "fr"))
	for _, want := range []string{"Service juridique", "Avis 26-118", "marc", "novembre 2026", "Renvoyer"} {
		if !strings.Contains(page, want) {
			t.Errorf("the history does not say %q", want)
		}
	}
	board := string(s.get("/bureau/parcours", "Cookie", coordinator, "Accept-Language", "fr"))
	if !strings.Contains(board, "attend le comité de pilotage") || !strings.Contains(board, "Un jeu retiré") {
		t.Errorf("the board does not say who waits:\n%s", board)
	}
	steps, err := catalogue.Steps(t.Context(), s.hub.Web, "sentiers")
	if err != nil || len(steps) != 2 || steps[1].Login != "ines" {
		t.Errorf("steps are %+v, %v", steps, err)
	}
}
