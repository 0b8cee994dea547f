package api

import (
	"bytes"
	"fmt"
	"html"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"calanque/geo/catalogue"
)

// sheetMadeElsewhere is a spreadsheet as a service keeps it: saved by Excel in
// Windows-1252 with semicolons, a title above, blank lines, titles that nobody
// would think of, the titles again further down.
func sheetMadeElsewhere() []byte {
	const text = "Ville de Marignac – Pôle culture & sports;;;;;;\r\n" +
		"Inventaire des données (à retourner au SIG);;;;;;\r\n" +
		";;;;;;\r\n" +
		"N°;Ce qu'on a;Qui s'en occupe;Où ça se trouve;Droits;Rythme de mise à jour;Remarques\r\n" +
		"1;Équipements sportifs;Ville;serveur SIG2;Licence Ouverte;tous les ans;\r\n" +
		";;;;;;\r\n" +
		"2;Écoles d'été;Ville;clé USB de Paul;LO;parfois;=A1\r\n" +
		"3;Théâtre de verdure;Mairie annexe;;Licence Machin;annuelle;€ 120 par an\r\n" +
		"N°;Ce qu'on a;Qui s'en occupe;Où ça se trouve;Droits;Rythme de mise à jour;Remarques\r\n" +
		"4;;Ville;;LO;annuelle;\r\n"
	var b []byte
	for _, c := range text {
		switch c {
		case '–':
			b = append(b, 0x96)
		case '€':
			b = append(b, 0x80)
		default:
			b = append(b, byte(c))
		}
	}
	return b
}

// upload sends a form with a file as a browser does.
func (s *site) upload(target, cookie, name string, content []byte, pairs ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	if cookie != "" {
		pairs = append([]string{"csrf", s.mark(cookie)}, pairs...)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if err := m.WriteField(pairs[i], pairs[i+1]); err != nil {
			s.t.Fatal(err)
		}
	}
	w, err := m.CreateFormFile("fichier", name)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, target, &body)
	r.Host = "hub.example"
	for k, v := range map[string]string{
		"Content-Type": m.FormDataContentType(), "Sec-Fetch-Site": "same-origin", "Accept": "text/html", "Accept-Language": "fr", "Cookie": cookie,
	} {
		r.Header.Set(k, v)
	}
	out := httptest.NewRecorder()
	s.ServeHTTP(out, r)
	return out
}

// A pageForm is a page's form, as a browser without a script reads it.
type pageForm struct {
	page   string
	fields url.Values
}

var (
	inputField  = regexp.MustCompile(`<input [^>]*name="([^"]+)"[^>]*>`)
	inputValue  = regexp.MustCompile(`value="([^"]*)"`)
	selectField = regexp.MustCompile(`(?s)<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>`)
	selected    = regexp.MustCompile(`<option value="([^"]*)" selected>`)
)

// readForm reads the form of a page whose action begins so.
func readForm(t *testing.T, page, action string) pageForm {
	t.Helper()
	at := strings.Index(page, ` action="`+action)
	if at < 0 {
		t.Fatalf("no form leads to %s:\n%s", action, page)
	}
	form, _, _ := strings.Cut(page[at:], "</form>")
	f := pageForm{page, url.Values{}}
	for _, m := range inputField.FindAllStringSubmatch(form, -1) {
		if v := inputValue.FindStringSubmatch(m[0]); v != nil {
			f.fields.Set(m[1], html.UnescapeString(v[1]))
		}
	}
	for _, m := range selectField.FindAllStringSubmatch(form, -1) {
		v := ""
		if o := selected.FindStringSubmatch(m[2]); o != nil {
			v = html.UnescapeString(o[1])
		}
		f.fields.Set(m[1], v)
	}
	return f
}

// censusDesk is a site with a coordinator and a producer called Ville.
func censusDesk(t *testing.T) (s *site, cookie string) {
	t.Helper()
	s = staffed(t, newSite(t).refresh())
	if _, err := s.hub.Owner.Exec(t.Context(), `insert into producer (id, title) values ('ville', '{"fr": "Ville"}')`); err != nil {
		t.Fatal(err)
	}
	return s, s.in("coordination")
}

func (s *site) page(target, cookie string) string {
	s.t.Helper()
	return string(s.get(target, "Cookie", cookie, "Accept", "text/html", "Accept-Language", "fr"))
}

func (s *site) datasets() (n int) {
	s.t.Helper()
	if err := s.hub.Owner.QueryRow(s.t.Context(), `select count(*) from dataset`).Scan(&n); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestCensusUpload sends a spreadsheet that was not made for it, says what its
// columns are, has it written, and mends what was refused.
func TestCensusUpload(t *testing.T) {
	t.Parallel()
	s, cookie := censusDesk(t)
	w := s.upload("/bureau/recensement", cookie, "Inventaire culture.csv", sheetMadeElsewhere(), "producteur", "ville", "parcours", "partner")
	draft := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasPrefix(draft, "/bureau/recensement/essais/") {
		t.Fatalf("sent: %d to %q: %s", w.Code, draft, w.Body)
	}
	// Nobody knows that "Ce qu'on a" is the title: it is said so, and all is kept.
	form := readForm(t, s.page(draft, cookie), draft)
	if !strings.Contains(form.page, "Il faut une colonne") || strings.Contains(form.page, `value="prendre"`) || form.fields.Get("producteur") != "ville" || form.fields.Get("parcours") != "partner" {
		t.Fatalf("the first look: %v\n%s", form.fields, form.page)
	}
	form.fields.Set("entete", "4")
	form.fields.Set("faire", "relire")
	w = s.post(draft, form.fields.Encode(), "Cookie", cookie, "Sec-Fetch-Site", "same-origin", "Accept-Language", "fr")
	if w.Code != http.StatusUnprocessableEntity || !strings.Contains(w.Body.String(), "Aucune colonne ne donne le titre") {
		t.Fatalf("with the line of titles: %d %s", w.Code, w.Body)
	}
	form = readForm(t, w.Body.String(), draft)
	if form.fields.Get("c-5") != "licence" || form.fields.Get("c-6") != "frequency" || form.fields.Get("c-2") != "" {
		t.Errorf("columns are %v", form.fields)
	}
	form.fields.Set("c-2", "title")
	form.fields.Set("c-3", "producer")
	// To write at once what nobody has been shown is to be shown it first.
	form.fields.Set("faire", "prendre")
	w = s.post(draft, form.fields.Encode(), "Cookie", cookie, "Sec-Fetch-Site", "same-origin", "Accept-Language", "fr")
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "Rien n’est encore écrit") || s.datasets() != 0 {
		t.Fatalf("written unseen: %d, %d datasets", w.Code, s.datasets())
	}
	form = readForm(t, s.page(draft, cookie), draft)
	for _, want := range []string{"<b>1</b>ligne bonne", "<b>3</b>lignes à corriger", ">F7<", "La fréquence « parfois »", ">C8<", "Mairie annexe", ">E8<", ">B10<", "Le titre manque"} {
		if !strings.Contains(form.page, strings.NewReplacer("« ", "«\u202f", " »", "\u202f»").Replace(want)) {
			t.Errorf("the look does not say %q:\n%s", want, form.page)
		}
	}
	form.fields.Set("faire", "prendre")
	w = s.post(draft, form.fields.Encode(), "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	report := strings.TrimSuffix(w.Header().Get("Location"), "?fait=pris")
	if w.Code != http.StatusSeeOther || report != "/bureau/recensement/1" {
		t.Fatalf("written: %d to %q: %s", w.Code, report, w.Body)
	}
	e, err := catalogue.Find(t.Context(), s.hub.Web, catalogue.Desk, "equipements-sportifs")
	if err != nil || e.Chain != catalogue.Partner || e.State != catalogue.Counted || e.Licence != "lo-2.0" || e.Extra["Où ça se trouve"] != "serveur SIG2" || e.Extra["N°"] != "1" {
		t.Errorf("the dataset is %+v, %v", e, err)
	}
	edits, err := catalogue.Edits(t.Context(), s.hub.Web, catalogue.OfDataset, "equipements-sportifs", 1)
	if err != nil || len(edits) != 1 || edits[0].Login != "coordination" || edits[0].Body != catalogue.CensusBody {
		t.Errorf("who wrote it is not kept: %+v, %v", edits, err)
	}
	if w := s.ask(http.MethodGet, draft, "Cookie", cookie, "Accept", "text/html"); w.Code != http.StatusSeeOther || w.Header().Get("Location") != report {
		t.Errorf("the draft's address leads to %q (%d)", w.Header().Get("Location"), w.Code)
	}
	if page := s.page(report, cookie); !strings.Contains(page, "Mairie annexe") || !strings.Contains(page, "/bureau/parcours/equipements-sportifs") || !strings.Contains(page, "pris par coordination") {
		t.Errorf("the report: %s", page)
	}
	if page := s.page("/bureau/recensement", cookie); !strings.Contains(page, `href="/bureau/recensement/1`) || strings.Contains(page, "À vérifier") {
		t.Errorf("the list: %s", page)
	}
	// What was refused comes as a spreadsheet that can be mended and sent again.
	s.mendAndSendAgain(cookie, report)
}

func (s *site) mendAndSendAgain(cookie, report string) {
	t := s.t
	t.Helper()
	for lang, want := range map[string]string{"fr": "calanque : à corriger", "en": "calanque : to mend", "it": "calanque : da correggere"} {
		if got := string(s.get(report+"/a-corriger.csv?lg="+lang, "Cookie", cookie)); !strings.Contains(got, want) {
			t.Errorf("in %s: %s", lang, got)
		}
	}
	w := s.ask(http.MethodGet, report+"/a-corriger.csv?lg=fr", "Cookie", cookie)
	lines := strings.Split(w.Body.String(), "\r\n")
	if w.Header().Get("Content-Disposition") != `attachment; filename="a-corriger-inventaire-culture.csv"` || len(lines) != 5 ||
		!strings.HasPrefix(lines[0], "\ufeffN°;Ce qu'on a;") || !strings.Contains(lines[1], "clé USB de Paul;LO;parfois;'=A1;7;") || strings.Contains(w.Body.String(), "Équipements") {
		t.Fatalf("the refused lines: %v\n%s", w.Header(), w.Body)
	}
	mended := strings.NewReplacer(";parfois;", ";annuelle;", "Mairie annexe", "Ville", "Licence Machin", "CC0").Replace(w.Body.String())
	w = s.upload("/bureau/recensement", cookie, "a-corriger.csv", []byte(mended))
	draft := w.Header().Get("Location")
	form := readForm(s.t.(*testing.T), s.page(draft, cookie), draft)
	form.fields.Set("c-2", "title")
	form.fields.Set("c-3", "producer")
	form.fields.Set("entete", "1")
	form.fields.Set("faire", "relire")
	s.post(draft, form.fields.Encode(), "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
	form = readForm(s.t.(*testing.T), s.page(draft, cookie), draft)
	form.fields.Set("faire", "prendre")
	if w = s.post(draft, form.fields.Encode(), "Cookie", cookie, "Sec-Fetch-Site", "same-origin"); w.Code != http.StatusSeeOther || s.datasets() != 3 {
		t.Fatalf("mended: %d, %d datasets: %s", w.Code, s.datasets(), w.Body)
	}
	e, err := catalogue.Find(t.Context(), s.hub.Web, catalogue.Desk, "theatre-de-verdure")
	if err != nil || e.Licence != "cc0" || e.Extra["Remarques"] != "€ 120 par an" || len(e.Extra) != 2 {
		t.Errorf("the mended dataset is %+v, %v", e, err)
	}
}

// TestCensusUploadRefused sends what can't be read: the page says why, and
// keeps what was chosen.
func TestCensusUploadRefused(t *testing.T) {
	t.Parallel()
	s, cookie := censusDesk(t)
	for _, c := range []struct {
		name, file string
		content    []byte
		status     int
		says       string
	}{
		{"too large", "gros.csv", bytes.Repeat([]byte("a;b\n"), (maxCensus>>2)+1), http.StatusRequestEntityTooLarge, "trop grand"},
		{"an old workbook", "vieux.xls", []byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and more"), http.StatusUnprocessableEntity, ".xlsx"},
		{"a broken one", "casse.xlsx", []byte("PK\x03\x04 nothing"), http.StatusUnprocessableEntity, "casse.xlsx"},
		{"nothing in it", "vide.csv", []byte(";;;\n;;;\n"), http.StatusUnprocessableEntity, "ne contient rien"},
		{"no bytes", "vide.csv", nil, http.StatusUnprocessableEntity, "vide"},
		{"a picture", "photo.xlsx", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"), http.StatusUnprocessableEntity, "photo.xlsx"},
		{"a document", "note.pdf", []byte("%PDF-1.4"), http.StatusUnprocessableEntity, "note.pdf"},
		{"no file", "", nil, http.StatusUnprocessableEntity, "Choisissez d’abord un tableur"},
	} {
		w := s.upload("/bureau/recensement", cookie, c.file, c.content, "producteur", "ville", "licence", "cc0", "parcours", "partner")
		body := w.Body.String()
		if w.Code != c.status || !strings.Contains(body, c.says) || !strings.Contains(body, `role="alert"`) {
			t.Errorf("%s: %d, want %d and %q: %s", c.name, w.Code, c.status, c.says, body)
			continue
		}
		f := readForm(t, body, "/bureau/recensement")
		if f.fields.Get("producteur") != "ville" || f.fields.Get("licence") != "cc0" || f.fields.Get("parcours") != "partner" {
			t.Errorf("%s: what was chosen is lost: %v", c.name, f.fields)
		}
	}
	if w := s.upload("/bureau/recensement", "", "a.csv", []byte("Titre\na")); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/connexion") {
		t.Errorf("a visitor: %d", w.Code)
	}
	if w := s.upload("/bureau/recensement", s.in("crige"), "a.csv", []byte("Titre\na")); w.Code != http.StatusForbidden {
		t.Errorf("a producer: %d", w.Code)
	}
	unmarked := s.uploadUnmarked(cookie)
	if unmarked.Code != http.StatusForbidden {
		t.Errorf("without the mark of the login: %d", unmarked.Code)
	}
	var n int
	if err := s.hub.Owner.QueryRow(t.Context(), `select count(*) from census_draft`).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d drafts are kept, %v", n, err)
	}
}

// uploadUnmarked sends a spreadsheet without the mark of the login.
func (s *site) uploadUnmarked(cookie string) *httptest.ResponseRecorder {
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	w, err := m.CreateFormFile("fichier", "a.csv")
	if err == nil {
		_, err = w.Write([]byte("Titre\na"))
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/bureau/recensement", &body)
	r.Host = "hub.example"
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Cookie", cookie)
	out := httptest.NewRecorder()
	s.ServeHTTP(out, r)
	return out
}

// TestCensusDraft chooses another sheet, is wrong about the line of titles,
// looks at what two people do at once, and throws a spreadsheet away.
func TestCensusDraft(t *testing.T) {
	t.Parallel()
	s, cookie := censusDesk(t)
	x := excelize.NewFile()
	for cell, v := range map[string]any{"A1": "Titre", "B1": "Producteur", "A2": "Parcs", "B2": "Ville", "A3": "Plages", "B3": "Ville"} {
		if err := x.SetCellValue("Sheet1", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := x.NewSheet("Autre"); err != nil {
		t.Fatal(err)
	}
	for cell, v := range map[string]any{"A1": "Ville de Marignac", "A2": "Nom", "B2": "Organisme", "A3": "Musées", "B3": "Ville"} {
		if err := x.SetCellValue("Autre", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.MergeCell("Autre", "A1", "B1"); err != nil {
		t.Fatal(err)
	}
	b, err := x.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	draft := s.upload("/bureau/recensement", cookie, "deux feuilles.xlsx", b.Bytes()).Header().Get("Location")
	send := func(change func(url.Values)) *httptest.ResponseRecorder {
		form := readForm(t, s.page(draft, cookie), draft).fields
		change(form)
		return s.post(draft, form.Encode(), "Cookie", cookie, "Sec-Fetch-Site", "same-origin", "Accept-Language", "fr")
	}
	w := send(func(v url.Values) {
		v.Set("entete", "99")
		v.Set("c-2", "")
		v.Set("licence", "cc0")
		v.Set("faire", "relire")
	})
	if body := w.Body.String(); w.Code != http.StatusUnprocessableEntity || !strings.Contains(body, "un nombre de 1 à 3") {
		t.Errorf("a line that is not there: %d %s", w.Code, body)
	} else if f := readForm(t, body, draft); f.fields.Get("c-2") != "" || f.fields.Get("licence") != "cc0" {
		t.Errorf("what was chosen is lost: %v", f.fields)
	}
	send(func(v url.Values) { v.Set("feuille", "Autre"); v.Set("faire", "relire") })
	form := readForm(t, s.page(draft, cookie), draft)
	if form.fields.Get("entete") != "2" || form.fields.Get("c-1") != "title" || form.fields.Get("c-2") != "producer" || form.fields.Get("licence") != "cc0" {
		t.Errorf("the other sheet is understood as %v", form.fields)
	}
	// Two people write the same thing: there is one census.
	form.fields.Set("faire", "prendre")
	var to []string
	for range 2 {
		w := s.post(draft, form.fields.Encode(), "Cookie", cookie, "Sec-Fetch-Site", "same-origin")
		to = append(to, fmt.Sprint(w.Code, " ", w.Header().Get("Location")))
	}
	if to[0] != "303 /bureau/recensement/1?fait=pris" || to[1] != "303 /bureau/recensement/1" || s.datasets() != 1 {
		t.Errorf("twice: %q, %d datasets", to, s.datasets())
	}
	// The same file again says nothing new, and leads to the same report.
	draft = s.upload("/bureau/recensement", cookie, "deux feuilles.xlsx", b.Bytes()).Header().Get("Location")
	send(func(v url.Values) { v.Set("feuille", "Autre"); v.Set("licence", "cc0"); v.Set("faire", "relire") })
	if w = send(func(v url.Values) { v.Set("faire", "prendre") }); w.Header().Get("Location") != "/bureau/recensement/1?fait=pris" {
		t.Errorf("the same again: %d to %q", w.Code, w.Header().Get("Location"))
	}
	draft = s.upload("/bureau/recensement", cookie, "jeter.csv", []byte("Titre\nRien")).Header().Get("Location")
	if body := string(s.get(draft+"/a-corriger.csv?lg=en", "Cookie", cookie)); !strings.Contains(body, "Rien;2;") || !strings.Contains(body, "producer is missing") {
		t.Errorf("what would be refused: %s", body)
	}
	if w = send(func(v url.Values) { v.Set("faire", "prendre") }); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("nothing good: %d", w.Code)
	}
	if w = send(func(v url.Values) { v.Set("faire", "jeter") }); w.Code != http.StatusSeeOther || s.ask(http.MethodGet, draft, "Cookie", cookie).Code != http.StatusNotFound {
		t.Errorf("thrown away: %d", w.Code)
	}
	for who, want := range map[string]int{"crige": http.StatusForbidden, "atelier": http.StatusForbidden} {
		for _, target := range []string{draft, "/bureau/recensement/1", "/bureau/recensement/1/a-corriger.csv", "/bureau/recensement"} {
			if got := s.ask(http.MethodGet, target, "Cookie", s.in(who)).Code; got != want {
				t.Errorf("%s at %s: %d, want %d", who, target, got, want)
			}
		}
	}
}
