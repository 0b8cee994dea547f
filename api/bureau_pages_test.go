package api

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"calanque/geo/catalogue"
	"calanque/osm/workshop"
)

// as sends a form as somebody of the office.
func (o *office) as(who, target string, pairs ...string) *httptest.ResponseRecorder {
	o.t.Helper()
	form := url.Values{"csrf": {o.marks[who]}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return o.post(target, form.Encode(), "Cookie", o.cookies[who], "Sec-Fetch-Site", "same-origin", "Accept-Language", "fr")
}

// TestNewDataset describes a new dataset: it stands in the census of the short
// chain, hidden, whoever's the form says it is.
func TestNewDataset(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	w := o.as("editor", "/bureau/nouveau", "titre-fr", "Bancs publics de l’été", "producteur", "air", "licence", "lo-2.0", "mots", "banc | bench")
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/bureau/jeux/bancs-publics-de-l-ete?fait=cree" {
		t.Fatalf("described: %d to %q: %s", w.Code, w.Header().Get("Location"), w.Body)
	}
	e, err := catalogue.Find(t.Context(), o.hub.Web, catalogue.Desk, "bancs-publics-de-l-ete")
	if err != nil || e.Producer != "crige" || e.State != catalogue.Counted || e.Chain != catalogue.Partner || e.Keywords[0]["en"] != "bench" {
		t.Errorf("it is %+v, %v", e, err)
	}
	if got := o.ask(http.MethodGet, "/donnees/bancs-publics-de-l-ete").Code; got != http.StatusNotFound {
		t.Errorf("the public sees it: %d", got)
	}
	for _, c := range []struct {
		name  string
		pairs []string
		says  string
	}{
		{"without a title", []string{"licence", "lo-2.0", "limites-fr", "Ce que j’avais écrit"}, "#f-title"},
		{"an address that is taken", []string{"titre-fr", "Autres", "slug", "fontaines", "licence", "lo-2.0", "limites-fr", "Ce que j’avais écrit"}, "#f-id"},
		{"no licence", []string{"titre-fr", "Autres", "limites-fr", "Ce que j’avais écrit"}, "#f-licence"},
		{"a day that is none", []string{"titre-fr", "Autres", "licence", "lo-2.0", "debut", "hier", "limites-fr", "Ce que j’avais écrit"}, "#f-from"},
	} {
		w := o.as("editor", "/bureau/nouveau", c.pairs...)
		if body := w.Body.String(); w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, `href="`+c.says+`"`) || !strings.Contains(body, "Ce que j’avais écrit") {
			t.Errorf("%s: %d, want the field %s: %s", c.name, w.Code, c.says, body)
		}
	}
	if w := o.as("coordinator", "/bureau/nouveau", "titre-fr", "Indices", "producteur", "air", "licence", "lo-2.0"); w.Code != http.StatusSeeOther {
		t.Errorf("for another: %d %s", w.Code, w.Body)
	}
	if e, err := catalogue.Find(t.Context(), o.hub.Web, catalogue.Desk, "indices"); err != nil || e.Producer != "air" {
		t.Errorf("a coordinator's is %+v, %v", e, err)
	}
}

// TestRenameDataset gives a dataset another address: the old one leads on for
// ever, at the desk and for the public, and is nobody else's.
func TestRenameDataset(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.refresh()
	if w := o.as("referent", "/bureau/jeux/fontaines/adresse", "slug", "Fontaines d’eau"); w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "ne peut pas être une adresse") {
		t.Errorf("no address: %d %s", w.Code, w.Body)
	}
	if w := o.as("referent", "/bureau/jeux/fontaines/adresse", "slug", "points-d-eau"); w.Header().Get("Location") != "/bureau/jeux/points-d-eau?fait=adresse" {
		t.Fatalf("renamed: %d %s", w.Code, w.Body)
	}
	o.refresh()
	for from, want := range map[string]string{
		"/donnees/fontaines?lg=it": "/donnees/points-d-eau?lg=it", "/donnees/fontaines.ttl": "/donnees/points-d-eau.ttl", "/donnees/fontaines": "/donnees/points-d-eau",
	} {
		if w := o.ask(http.MethodGet, from); w.Code != http.StatusMovedPermanently && w.Code != http.StatusPermanentRedirect || !strings.HasSuffix(w.Header().Get("Location"), want) {
			t.Errorf("%s: %d to %q, want %s", from, w.Code, w.Header().Get("Location"), want)
		}
	}
	if w := o.ask(http.MethodGet, "/bureau/jeux/fontaines", "Cookie", o.cookies["editor"]); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/bureau/jeux/points-d-eau" {
		t.Errorf("at the desk: %d to %q", w.Code, w.Header().Get("Location"))
	}
	if w := o.as("editor", "/bureau/nouveau", "titre-fr", "Fontaines", "licence", "lo-2.0"); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("the old address is given away: %d", w.Code)
	}
	if w := o.as("referent", "/bureau/jeux/fontaines/adresse", "slug", "fontaines"); w.Code != http.StatusSeeOther { // by the old address, and back
		t.Errorf("back: %d %s", w.Code, w.Body)
	}
	o.refresh()
	if w := o.ask(http.MethodGet, "/donnees/points-d-eau"); !strings.HasSuffix(w.Header().Get("Location"), "/donnees/fontaines") {
		t.Errorf("the address in between: %d to %q", w.Code, w.Header().Get("Location"))
	}
}

// TestReplyCorrections answers what a session saw, in each way, and takes an
// answer back; whoever made the session sees the answer.
func TestReplyCorrections(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	list, err := workshop.Replies(t.Context(), o.hub.Web, "crige")
	if err != nil || len(list) == 0 {
		t.Fatalf("%d corrections, %v", len(list), err)
	}
	at := "/bureau/corrections/" + idText(list[0].IDs[0])
	reply := func() *workshop.Response {
		list, err := workshop.Replies(t.Context(), o.hub.Web, "crige")
		if err != nil {
			t.Fatal(err)
		}
		return list[0].Reply
	}
	for _, c := range []struct {
		name   string
		pairs  []string
		status int
		want   string // what the answer is then
		says   string
	}{
		{"refused in silence", []string{"dit", "refused", "raison", " "}, 422, "", "Un refus se motive"},
		{"accepted", []string{"dit", "accepted"}, 303, "accepted ", ""},
		{"refused with a reason", []string{"dit", "refused", "raison", "Elle est bien là."}, 303, "refused Elle est bien là.", ""},
		{"a reason that is too long", []string{"dit", "refused", "raison", strings.Repeat("long ", 200)}, 422, "refused Elle est bien là.", "long long"},
		{"corrected in a version that is not there", []string{"dit", "corrected", "jeu", "fontaines", "version", "7"}, 404, "refused Elle est bien là.", ""},
		{"corrected in a version", []string{"dit", "corrected", "jeu", "fontaines", "version", "1"}, 303, "corrected ", ""},
		{"taken back", []string{"dit", "retirer"}, 303, "", ""},
		{"taken back twice", []string{"dit", "retirer"}, 404, "", ""},
		{"something else", []string{"dit", "peut-être"}, 0, "", ""},
	} {
		w := o.as("editor", at, c.pairs...)
		got := ""
		if r := reply(); r != nil {
			got = string(r.Says) + " " + r.Reason
		}
		if c.status != 0 && w.Code != c.status || c.status == 0 && w.Code < 400 || got != c.want || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d and %q, want %d and %q with %q: %s", c.name, w.Code, got, c.status, c.want, c.says, w.Body)
		}
	}
	if w := o.as("editor", at, "dit", "corrected", "jeu", "fontaines", "version", "1"); w.Code != http.StatusSeeOther {
		t.Fatalf("corrected: %d", w.Code)
	}
	page := string(o.get("/bureau/corrections", "Cookie", o.cookies["editor"], "Accept", "text/html", "Accept-Language", "fr"))
	if !strings.Contains(page, "Corrigé") || reply().Number != 1 {
		t.Errorf("the page does not say in which version: %+v\n%s", reply(), page)
	}
}

// TestAnswerVisitor answers what a visitor reported: the answers stand on the
// page whose address only they have.
func TestAnswerVisitor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.refresh()
	sent := url.Values{"jeu": {"fontaines"}, "objet": {"fontaines/A"}, "sujet": {"error"}, "instant": {o.earlier()}, "texte": {"Elle ne coule plus depuis mai."}}
	to, _, _ := strings.Cut(o.post("/signaler", sent.Encode()).Header().Get("Location"), "?")
	id := idText(o.one(`select max(id) from report`))
	if page := string(o.get("/bureau/signalements", "Cookie", o.cookies["editor"], "Accept", "text/html")); !strings.Contains(page, "Elle ne coule plus depuis mai.") {
		t.Fatalf("the desk does not show it: %s", page)
	}
	theirs := func() string { return string(o.get(to, "Accept", "text/html", "Accept-Language", "fr")) }
	at := "/bureau/signalements/" + id
	if w := o.as("editor", at, "suite", "1", "dit", "refused", "reponse", ""); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("refused in silence: %d %s", w.Code, w.Body)
	}
	if w := o.as("editor", at, "suite", "1", "dit", "accepted", "reponse", "Nous envoyons quelqu’un <b>voir</b>."); w.Code != http.StatusSeeOther {
		t.Fatalf("accepted: %d %s", w.Code, w.Body)
	}
	if page := theirs(); !strings.Contains(page, "Nous envoyons quelqu’un &lt;b&gt;voir&lt;/b&gt;.") || !strings.Contains(page, "Accepté") {
		t.Errorf("the visitor's page: %s", page)
	}
	// Two people answer at once: the second is told, and keeps what was typed.
	w := o.as("referent", at, "suite", "1", "dit", "answered", "reponse", "Ce que j’avais écrit")
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "Ce que j’avais écrit") {
		t.Errorf("answered meanwhile: %d %s", w.Code, w.Body)
	}
	if w = o.as("referent", at, "suite", "2", "dit", "corrected", "version", "1", "reponse", ""); w.Code != http.StatusSeeOther {
		t.Fatalf("corrected: %d %s", w.Code, w.Body)
	}
	if page := theirs(); !strings.Contains(page, "version 1") || strings.Contains(page, "Ce que j’avais écrit") {
		t.Errorf("the visitor's page after the correction: %s", page)
	}
	if w = o.as("editor", at, "suite", "3", "dit", "corrected", "version", "9"); w.Code == http.StatusSeeOther {
		t.Errorf("corrected in a version that is not there: %d", w.Code)
	}
}

// TestDescribeTogether has two people save the same form: the second is told
// which field the first changed, and keeps all that was typed.
func TestDescribeTogether(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const at = "/bureau/jeux/fontaines/decrire"
	read := func(who string) pageForm {
		return readForm(t, string(o.get(at, "Cookie", o.cookies[who], "Accept", "text/html", "Accept-Language", "fr")), at)
	}
	save := func(who string, f pageForm, pairs ...string) *httptest.ResponseRecorder {
		pairs = append([]string{"edition", f.fields.Get("edition"), "titre-fr", "Fontaines", "licence", "lo-2.0"}, pairs...)
		return o.as(who, at, pairs...)
	}
	first, second := read("editor"), read("referent")
	if w := save("editor", first, "limites-fr", "Sans celles des jardins."); w.Code != http.StatusSeeOther {
		t.Fatalf("saved: %d %s", w.Code, w.Body)
	}
	w := save("referent", second, "limites-fr", "Relevé de 2024.", "contact-mail", "eau@crige.example")
	body := w.Body.String()
	if w.Code != http.StatusConflict {
		t.Fatalf("saved over: %d", w.Code)
	}
	for _, want := range []string{"crige", "Sans celles des jardins.", "Relevé de 2024.", "eau@crige.example"} {
		if !strings.Contains(body, want) {
			t.Errorf("the conflict does not say %q: %s", want, body)
		}
	}
	if e, err := catalogue.Find(t.Context(), o.hub.Web, catalogue.Desk, "fontaines"); err != nil || e.Limits["fr"] != "Sans celles des jardins." {
		t.Errorf("it says %q, %v", e.Limits["fr"], err)
	}
	if w = save("referent", readForm(t, body, at), "limites-fr", "Relevé de 2024."); w.Code != http.StatusSeeOther {
		t.Errorf("saved knowingly: %d %s", w.Code, w.Body)
	}
}

// endless is a file that goes on for as long as somebody reads.
type endless struct{ left int64 }

func (e *endless) Read(b []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(b)), e.left)
	e.left -= n
	copy(b[:n], bytes.Repeat([]byte("a;b\n"), int(n)/4+1))
	return int(n), nil
}

// sendLarge sends a file of so many bytes, its length told or not, without
// having it in memory.
func (o *office) sendLarge(target, name string, bytes int64, told bool, pairs ...string) *httptest.ResponseRecorder {
	o.t.Helper()
	r, w := io.Pipe()
	m := multipart.NewWriter(w)
	go func() {
		err := m.WriteField("csrf", o.marks["referent"])
		for i := 0; err == nil && i+1 < len(pairs); i += 2 {
			err = m.WriteField(pairs[i], pairs[i+1])
		}
		part, perr := m.CreateFormFile("fichier", name)
		if err = errors.Join(err, perr); err == nil {
			_, err = io.Copy(part, &endless{bytes})
		}
		_ = w.CloseWithError(errors.Join(err, m.Close()))
	}()
	req := httptest.NewRequest(http.MethodPost, target, r)
	req.Host = "hub.example"
	if told {
		req.ContentLength = 3 << 30
	}
	for k, v := range map[string]string{"Content-Type": m.FormDataContentType(), "Cookie": o.cookies["referent"], "Sec-Fetch-Site": "same-origin", "Accept": "text/html", "Accept-Language": "fr"} {
		req.Header.Set(k, v)
	}
	out := httptest.NewRecorder()
	o.ServeHTTP(out, req)
	return out
}

// TestTooLarge sends files that are too large, by their own word and in
// silence: the answer says how large they may be, and keeps what was typed.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for _, c := range []struct {
		name, target, file string
		bytes              int64
		told               bool
		pairs              []string
		says               []string
	}{
		{"a document of 3 GB", "/bureau/jeux/fontaines/documents", "deliberation.pdf", 1 << 20, true, []string{"titre-fr", "Délibération", "numero", "26-118"}, []string{"50 Mo", `value="Délibération"`, `value="26-118"`}},
		{"a document that does not say", "/bureau/jeux/fontaines/documents", "deliberation.csv", maxDocument + 1, false, []string{"titre-fr", "Délibération"}, []string{"50 Mo", `value="Délibération"`}},
		{"data of 3 GB", "/bureau/jeux/fontaines/fichier", "fontaines.csv", 1 << 20, true, []string{"cle", "id_fontaine"}, []string{"Mo", `value="id_fontaine"`}},
	} {
		w := o.sendLarge(c.target, c.file, c.bytes, c.told, c.pairs...)
		if w.Code != http.StatusRequestEntityTooLarge {
			t.Errorf("%s: %d, want 413: %s", c.name, w.Code, w.Body)
		}
		for _, want := range c.says {
			if !strings.Contains(strings.ReplaceAll(w.Body.String(), "\u202f", " "), want) {
				t.Errorf("%s: the page does not say %q: %s", c.name, want, w.Body)
			}
		}
	}
	if n := o.one(`select count(*) from upload`) + o.one(`select count(*) from resource where filename is not null`); n != 0 {
		t.Errorf("%d files were taken", n)
	}
}

// TestDeliveryQueued sends a file and publishes it: each asks the queue, once.
func TestDeliveryQueued(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	w := o.upload("/bureau/jeux/fontaines/fichier", o.cookies["editor"], "fontaines.csv", []byte("id;nom\nA;Fontaine\n"), "cle", "id")
	at := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || strings.Join(o.queued, " ") != "load" {
		t.Fatalf("sent: %d, queued %v: %s", w.Code, o.queued, w.Body)
	}
	if w := o.upload("/bureau/jeux/fontaines/fichier", o.cookies["referent"], "autre.csv", []byte("id;nom\nB;Autre\n"), "cle", "code"); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), `value="code"`) {
		t.Errorf("while another is under way: %d %s", w.Code, w.Body)
	}
	if w := o.as("referent", at+"/publier"); w.Code != http.StatusConflict {
		t.Errorf("published before it was read: %d", w.Code)
	}
	if _, err := o.hub.Owner.Exec(t.Context(), `update upload u set state = 'ready', version_id = d.published_id from dataset d where d.id = u.dataset_id`); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second click
		w = o.as("referent", at+"/publier")
	}
	if w.Code != http.StatusConflict || strings.Join(o.queued, " ") != "load publish" {
		t.Errorf("published: %d, queued %v", w.Code, o.queued)
	}
}

func idText(n int64) string { return strconv.FormatInt(n, 10) }
