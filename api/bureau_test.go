package api

import (
	"bytes"
	"context"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gorilla/mux"
	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo/catalogue"
	"calanque/osm/workshop"
)

// An office is a site with a dataset of CRIGE that has everything a desk deals
// with, and everybody who may come to a desk.
type office struct {
	*fountains
	session workshop.Session
	cookies map[string]string // who → Cookie header
	marks   map[string]string // who → mark of their login
	queued  []string          // kinds of work that was asked for
}

// staff are the people of an office, in the order of columns.
var staff = []string{"visitor", "participant", "mediator", "other-producer", "editor", "referent", "coordinator"}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{cookies: map[string]string{}, marks: map[string]string{}}
	o.fountains, o.session = exported(t)
	o.Enqueue = func(_ context.Context, _ pgx.Tx, kind string, _ any) error {
		o.queued = append(o.queued, kind)
		return nil
	}
	for _, a := range []account.Account{
		{Login: "air", Role: account.Producer, Producer: "air", Member: account.Referent},
		{Login: "ines", Role: account.Producer, Producer: "crige", Member: account.Referent},
	} {
		if err := account.Add(t.Context(), o.hub.Owner, a, passphrase); err != nil {
			t.Fatal(err)
		}
	}
	for who, login := range map[string]string{"mediator": "atelier", "other-producer": "air", "editor": "crige", "referent": "ines", "coordinator": "coordination"} {
		o.cookies[who] = o.in(login)
		o.marks[who] = o.mark(o.cookies[who])
	}
	_, token, err := workshop.Join(t.Context(), o.hub.Desk, o.session.Code)
	if err != nil {
		t.Fatal(err)
	}
	o.cookies["participant"] = seatCookie + "=" + token
	_, err = o.hub.Owner.Exec(t.Context(), `
		insert into resource (dataset_id, name, kind, title, url) select id, 'notice', 'documentation', '{"fr": "Notice"}', 'https://x.example/notice' from dataset where slug = 'fontaines'`)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// one gives a value of the database.
func (o *office) one(sql string, args ...any) int64 {
	o.t.Helper()
	var n int64
	if err := o.hub.Owner.QueryRow(o.t.Context(), sql, args...).Scan(&n); err != nil {
		o.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// fresh makes what an address of the table is about anew, so that everybody
// finds it as it was.
func (o *office) fresh(path string) string {
	o.t.Helper()
	ctx := o.t.Context()
	fill := []string{"{slug}", "fontaines", "{name}", "notice", "{number}", "1"}
	if strings.Contains(path, "{upload}") {
		rejects, err := o.Files.Put(ctx, strings.NewReader("ligne;raison\r\n"), 1<<20)
		if err == nil {
			err = catalogue.KeepBlob(ctx, o.hub.Owner, rejects)
		}
		if err != nil {
			o.t.Fatal(err)
		}
		id := o.one(`
			with away as (update upload set state = 'discarded')
			insert into upload (dataset_id, account_id, blob_sha256, filename, version_id, state, rejects_sha256)
			select d.id, a.id, $1, 'f.csv', d.published_id, 'ready', $1 from dataset d, account a where d.slug = 'fontaines' and a.login = 'crige'
			returning id`, rejects.SHA256)
		fill = append(fill, "{upload}", fmt.Sprint(id))
	}
	if strings.Contains(path, "{report}") {
		if _, err := catalogue.SendReport(ctx, o.hub.Desk, catalogue.Report{Dataset: "fontaines", Kind: catalogue.MessageReport, Text: "Bonjour.", Lang: "fr"}); err != nil {
			o.t.Fatal(err)
		}
		fill = append(fill, "{report}", fmt.Sprint(o.one(`select max(id) from report`)))
	}
	if strings.Contains(path, "{correction}") {
		fill = append(fill, "{correction}", fmt.Sprint(o.one(`select min(id) from correction_in_force`)))
	}
	if strings.Contains(path, "{draft}") || strings.Contains(path, "{census}") {
		fill = append(fill, "{draft}", fmt.Sprint(o.draft()), "{census}", fmt.Sprint(o.one(`
			insert into census (source, sha256, mapping, taken, same, refused) values ('c.csv', '\x01', '[{"column": 1, "title": "Titre", "field": "title"}]', 0, 0, 0) returning id`)))
	}
	return strings.NewReplacer(fill...).Replace(path)
}

// draft is the id of a spreadsheet that waits.
func (o *office) draft() int64 {
	o.t.Helper()
	ctx := o.t.Context()
	b, err := o.Files.Put(ctx, strings.NewReader("Titre;Producteur\r\nStades;CRIGE\r\n"), 1<<20)
	var id int64
	if err == nil {
		err = pgx.BeginFunc(ctx, o.hub.Desk, func(tx pgx.Tx) error {
			id, err = catalogue.ReceiveCensus(ctx, tx, o.one(`select id from account where login = 'coordination'`), b, "c.csv", catalogue.CensusDefault{Chain: catalogue.Region})
			return err
		})
	}
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}

// status asks as somebody does, for scripts: a visitor is then told 401 and not
// led elsewhere. A path that ends in "+" takes a form with a file.
func (o *office) status(who, method, path, form string) int {
	o.t.Helper()
	path, file := strings.CutSuffix(path, "+")
	var body bytes.Buffer
	kind := "application/x-www-form-urlencoded"
	if file {
		m := multipart.NewWriter(&body)
		_ = m.WriteField("csrf", o.marks[who]) // a buffer takes everything
		_ = m.Close()
		kind = m.FormDataContentType()
	} else {
		body.WriteString(form + "&csrf=" + url.QueryEscape(o.marks[who]))
	}
	r := httptest.NewRequestWithContext(o.t.Context(), method, path, &body)
	r.Host = "hub.example"
	for k, v := range map[string]string{"Accept": "application/json", "Content-Type": kind, "Sec-Fetch-Site": "same-origin", "Cookie": o.cookies[who]} {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	o.ServeHTTP(w, r)
	return w.Code
}

// desks is who may call what of the desks and of the coordinator's pages. A
// letter a person, in the order of staff: y it is answered, s sign in first
// (401), f it may not be done (403), n there is no such thing (404).
var desks = []address{
	// visitor, participant, mediator, producer of another organisation, editor and referent of this one, coordinator
	{"GET", "/bureau", "", "ssfyyyy"},
	{"GET", "/bureau/nouveau", "", "ssfyyyy"},
	{"POST", "/bureau/nouveau", "titre-fr=x&producteur=crige", "ssfyyyy"}, // of one's own: the form names no other
	{"GET", "/bureau/jeux/{slug}", "", "ssfnyyy"},
	{"GET", "/bureau/jeux/{slug}/decrire", "", "ssfnyyy"},
	{"POST", "/bureau/jeux/{slug}/decrire", "titre-fr=Fontaines&licence=lo-2.0&limites-fr={who}", "ssfnyyy"},
	{"POST", "/bureau/jeux/{slug}/adresse", "slug=fontaines", "ssfnfyy"},
	{"POST", "/bureau/jeux/{slug}/fichier+", "", "ssfnyyy"},
	{"POST", "/bureau/jeux/{slug}/versions/{number}/reprendre", "", "ssfnfyy"},
	{"GET", "/bureau/jeux/{slug}/documents", "", "ssfnyyy"},
	{"POST", "/bureau/jeux/{slug}/documents+", "", "ssfnyyy"},
	{"POST", "/bureau/jeux/{slug}/documents/{name}/monter", "", "ssfnyyy"},
	{"POST", "/bureau/jeux/{slug}/documents/{name}/descendre", "", "ssfnyyy"},
	{"POST", "/bureau/jeux/{slug}/documents/{name}/retirer", "", "ssfnyyy"},
	{"POST", "/bureau/jeux/{slug}/documents/{name}/remettre", "", "ssfnyyy"},
	{"GET", "/bureau/envois/{upload}", "", "ssfnyyy"},
	{"GET", "/bureau/envois/{upload}/evenements", "", "ssfnyyy"},
	{"GET", "/bureau/envois/{upload}/rejets.csv", "", "ssfnyyy"},
	{"POST", "/bureau/envois/{upload}/publier", "", "ssfnfyy"},
	{"POST", "/bureau/envois/{upload}/jeter", "", "ssfnfyy"},
	{"POST", "/bureau/envois/{upload}/relire", "", "ssfnyyy"},
	{"POST", "/bureau/envois/{upload}/comparer", "", "ssfnyyy"},
	{"GET", "/bureau/corrections", "", "ssfyyyy"},
	{"POST", "/bureau/corrections/{correction}", "dit=accepted", "ssfnyyy"},
	{"GET", "/bureau/signalements", "", "ssfyyyy"},
	{"POST", "/bureau/signalements/{report}", "dit=answered&suite=1&reponse=Merci", "ssfnyyy"},
	{"GET", "/bureau/parcours", "", "ssffffy"},
	{"GET", "/bureau/parcours/{slug}", "", "ssffyyy"},
	{"POST", "/bureau/parcours/{slug}", "de_etat=open&vers_etat=withdrawn&raison=", "ssfffyy"}, // refused for its reason to who may
	{"GET", "/bureau/recensement", "", "ssffffy"},
	{"POST", "/bureau/recensement+", "", "ssffffy"},
	{"GET", "/bureau/recensement/{census}", "", "ssffffy"},
	{"GET", "/bureau/recensement/{census}/a-corriger.csv", "", "ssffffy"},
	{"GET", "/bureau/recensement/essais/{draft}", "", "ssffffy"},
	{"GET", "/bureau/recensement/essais/{draft}/a-corriger.csv", "", "ssffffy"},
	{"POST", "/bureau/recensement/essais/{draft}", "faire=relire&c-1=title&c-2=producer&entete=1&entete-vue=1", "ssffffy"},
	{"GET", "/bureau/reutilisations", "", "ssffffy"},
	{"POST", "/bureau/reutilisations", "id=1&decision=accepted&edition=1", "ssffffn"}, // there is none
}

// TestWhoMayCallDesks holds the table of who may call what of the desks through
// HTTP: everybody, at every address there is; and nothing happens where it is
// refused.
func TestWhoMayCallDesks(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, a := range desks {
		for i, who := range staff {
			path, before := o.fresh(a.path), ""
			form := strings.NewReplacer("{who}", who).Replace(a.form)
			before = o.footprint()
			status := o.status(who, a.method, path, form)
			letter := map[int]string{200: "y", 303: "y", 400: "y", 409: "y", 410: "y", 422: "y", 401: "s", 403: "f", 404: "n"}[status]
			if want := a.may[i : i+1]; letter != want {
				t.Errorf("%s %s as %s: got %d, want %s", a.method, a.path, who, status, want)
			}
			if (status >= 400 || a.method == http.MethodGet) && o.footprint() != before {
				t.Errorf("%s %s as %s: %d, and something has happened", a.method, a.path, who, status)
			}
		}
	}
	o.everyDesk()
}

// footprint tells whether anything has happened at a desk.
func (o *office) footprint() string {
	o.t.Helper()
	var print string
	err := o.hub.Owner.QueryRow(o.t.Context(), `
		select concat_ws(' ', (select count(*) from edit), (select count(*) from upload), (select string_agg(state, '' order by id) from upload),
			(select count(*) from chain_step), (select count(*) from report_answer), (select count(*) from correction_reply), (select count(*) from resource),
			(select count(*) from resource where deleted_at is null), (select count(*) from dataset), (select count(*) from census),
			(select string_agg(choices::text, '' order by id) from census_draft))`).Scan(&print)
	if err != nil {
		o.t.Fatal(err)
	}
	return print + fmt.Sprint(len(o.queued))
}

var routeVariable = regexp.MustCompile(`\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}`)

// everyDesk fails for an address of desks that the table leaves out.
func (o *office) everyDesk() {
	o.t.Helper()
	name := map[string]string{"/bureau/envois": "upload", "/bureau/corrections": "correction", "/bureau/signalements": "report", "/bureau/recensement": "census", "/bureau/recensement/essais": "draft"}
	err := o.routes().(*mux.Router).Walk(func(route *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, err := route.GetPathTemplate()
		if err != nil || !strings.HasPrefix(path, "/bureau") {
			return nil
		}
		before, _, _ := strings.Cut(path, "/{id")
		paths := []string{path}
		if _, acts, ok := strings.Cut(path, "{act:"); ok {
			paths = nil
			for act := range strings.SplitSeq(strings.TrimSuffix(acts, "}"), "|") {
				paths = append(paths, strings.Replace(path, "{act:"+acts, act, 1))
			}
		}
		methods, err := route.GetMethods()
		if err != nil {
			return err
		}
		for _, p := range paths {
			p = strings.ReplaceAll(routeVariable.ReplaceAllString(p, "{$1}"), "{id}", "{"+name[before]+"}")
			for _, m := range methods {
				known := slices.ContainsFunc(desks, func(a address) bool { return a.method == m && strings.TrimSuffix(a.path, "+") == p })
				if !known && (m == http.MethodGet || m == http.MethodPost) {
					o.t.Errorf("%s %s is not in the table of who may call what", m, p)
				}
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
}
