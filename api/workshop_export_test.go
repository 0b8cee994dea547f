package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"calanque/api/account"
	"calanque/osm/workshop"
)

// exported is a site with a session in which all three fountains were answered
// on site: A's water is as the file says, B is there, C is gone.
func exported(t *testing.T) (*fountains, workshop.Session) {
	t.Helper()
	f, ctx := newFountains(t), t.Context()
	var mediator int64
	if err := f.hub.Owner.QueryRow(ctx, `select id from account where login = 'atelier'`).Scan(&mediator); err != nil {
		t.Fatal(err)
	}
	area := workshop.Area{GeoJSON: json.RawMessage(`{"type": "Polygon", "coordinates": [[[5.39, 43.29], [5.45, 43.29], [5.45, 43.35], [5.39, 43.35], [5.39, 43.29]]]}`)}
	s, _, err := workshop.Prepare(ctx, f.hub.Desk, mediator, workshop.Plan{Title: "Les fontaines", Theme: "eau", Area: area, Minutes: 60, People: 12})
	if err != nil {
		t.Fatal(err)
	}
	if err := workshop.Open(ctx, f.hub.Desk, s.Code); err != nil {
		t.Fatal(err)
	}
	p, _, err := workshop.Join(ctx, f.hub.Desk, s.Code)
	if err != nil {
		t.Fatal(err)
	}
	if err := workshop.SetOnSite(ctx, f.hub.Desk, p.ID, true); err != nil {
		t.Fatal(err)
	}
	tasks, err := workshop.Tasks(ctx, f.hub.Web, s.ID)
	if err != nil || len(tasks) == 0 {
		t.Fatalf("%d tasks (%v)", len(tasks), err)
	}
	for _, task := range tasks {
		choice := 1
		if task.Record == "" || task.Record == "B" {
			choice = 3
		}
		a := workshop.Answer{Key: newKey(), Task: task.ID, Participant: &p.ID, Choice: choice, How: workshop.Screen}
		if _, err := workshop.Record(ctx, f.hub.Desk, a); err != nil {
			t.Fatal(err)
		}
	}
	return f, s
}

// TestExports is the table of who gets which file.
func TestExports(t *testing.T) {
	t.Parallel()
	f, s := exported(t)
	if err := account.Add(t.Context(), f.hub.Owner, account.Account{Login: "autre", Role: account.Mediator, ERIC: "mediatheque"}, passphrase); err != nil {
		t.Fatal(err)
	}
	if err := account.Add(t.Context(), f.hub.Owner, account.Account{Login: "air", Role: account.Producer, Producer: "air"}, passphrase); err != nil {
		t.Fatal(err)
	}
	for login, want := range map[string]struct{ osm, corrections int }{
		"": {401, 401}, "atelier": {200, 200}, "coordination": {200, 200}, "autre": {404, 404}, "crige": {404, 200}, "air": {404, 404},
	} {
		var header []string
		if login != "" {
			header = []string{"Cookie", f.in(login)}
		}
		for name, kind := range exportTypes {
			wanted := want.osm
			if strings.HasPrefix(name, "corrections.") {
				wanted = want.corrections
			}
			w := f.ask(http.MethodGet, "/atelier/"+s.Code+"/exports/"+name, header...)
			if w.Code != wanted {
				t.Errorf("%s asks for %s: got %d, want %d", login, name, w.Code, wanted)
			}
			if h := w.Header(); w.Code == 200 && (h.Get("Content-Type") != kind || h.Get("Cache-Control") != "no-store" || h.Get("Access-Control-Allow-Origin") != "") {
				t.Errorf("%s: header %v", name, h)
			}
		}
	}
	mediator := f.in("atelier")
	if text := string(f.get("/atelier/"+s.Code+"/exports/josm.osm", "Cookie", mediator)); !strings.Contains(text, `k="disused:amenity" v="fountain"`) {
		t.Errorf("josm.osm: %s", text)
	}
	if text := string(f.get("/atelier/"+s.Code+"/exports/corrections.csv", "Cookie", mediator)); !strings.Contains(text, "fontaines;B;_exists;yes;no;gone;") {
		t.Errorf("corrections.csv: %s", text)
	}
}

var href = regexp.MustCompile(`href="(http[^"]+)"`)

// TestExportLinks follows the links that the page gives to editors.
func TestExportLinks(t *testing.T) {
	t.Parallel()
	f, s := exported(t)
	page := "/atelier/" + s.Code + "/exports"
	body := string(f.get(page, "Cookie", f.in("atelier"), "Accept", "text/html"))
	if !strings.Contains(string(f.get("/atelier/"+s.Code+"/conduite", "Cookie", f.in("atelier"))), page) {
		t.Error("the board does not lead to the exports")
	}
	var files []string
	for _, m := range href.FindAllStringSubmatch(body, -1) {
		u, err := url.Parse(strings.ReplaceAll(m[1], "&amp;", "&"))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(u.Fragment, s.Code) && !strings.Contains(u.Fragment, "gpx=") {
			t.Errorf("the code that lets people join is in %s", u)
		}
		if file := u.Query().Get("url"); file != "" {
			files = append(files, file)
		}
		if in, err := url.ParseQuery(u.EscapedFragment()); err == nil && in.Get("gpx") != "" {
			files = append(files, in.Get("gpx"))
			if !strings.Contains(in.Get("source"), "CRIGE") || !strings.Contains(in.Get("hashtags"), "#ERIC-mediatheque") {
				t.Errorf("iD is told %v", in)
			}
		}
	}
	slices.Sort(files)
	if len(files) != 2 {
		t.Fatalf("links of %v in %s", files, body)
	}
	for _, file := range files {
		path := strings.TrimPrefix(file, "http://hub.example")
		if w := f.ask(http.MethodGet, path); w.Code != 200 || w.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: got %d %v", path, w.Code, w.Header())
		}
		for name, other := range map[string]string{
			"another file":    strings.NewReplacer("josm.osm", "changements.osc", "points.gpx", "taches.geojson").Replace(path),
			"the corrections": regexp.MustCompile(`exports/[^?]+`).ReplaceAllString(path, "exports/corrections.csv"),
			"another token":   strings.Replace(path, "jeton=A", "jeton=B", 1),
		} {
			if w := f.ask(http.MethodGet, other); w.Code != 403 && w.Code != 401 {
				t.Errorf("%s with the same token: got %d", name, w.Code)
			}
		}
	}
	// A restart of the server ends no link; the mediator does.
	path := strings.TrimPrefix(files[0], "http://hub.example")
	again := &site{t: t, hub: f.hub, Server: New(f.Options)}
	if w := again.ask(http.MethodGet, path); w.Code != 200 {
		t.Errorf("after a restart: got %d %s", w.Code, w.Body)
	}
	later := now.Add(linkLife + time.Second)
	f.Now = func() time.Time { return later }
	if w := f.ask(http.MethodGet, path); w.Code != 403 || !strings.Contains(w.Body.String(), "exports.link-over") {
		t.Errorf("after its time: got %d %s", w.Code, w.Body)
	}
}

// TestExportLinksRevoked holds that who runs the session ends its links, and
// nobody else.
func TestExportLinksRevoked(t *testing.T) {
	t.Parallel()
	f, s := exported(t)
	page := "/atelier/" + s.Code + "/exports"
	key, err := workshop.Links(t.Context(), f.hub.Web, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	path := page + "/josm.osm?jeton=" + key.Sign(s.ID, "josm.osm", now.Add(time.Hour))
	if err := account.Add(t.Context(), f.hub.Owner, account.Account{Login: "autre", Role: account.Mediator, ERIC: "mediatheque"}, passphrase); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		login           string
		answer, thereof int
	}{{"autre", 404, 200}, {"crige", 404, 200}, {"atelier", 303, 403}} {
		cookie := f.in(c.login)
		w := f.post(page+"/revoquer", url.Values{"csrf": {f.mark(cookie)}}.Encode(), "Cookie", cookie)
		if w.Code != c.answer {
			t.Errorf("%s revokes: got %d, want %d", c.login, w.Code, c.answer)
		}
		if w := f.ask(http.MethodGet, path); w.Code != c.thereof {
			t.Errorf("the link after %s: got %d, want %d", c.login, w.Code, c.thereof)
		}
	}
	if w := f.post(page+"/revoquer", "csrf=x", "Cookie", f.in("atelier")); w.Code != 403 {
		t.Errorf("without confirmation: got %d", w.Code)
	}
}

// TestExportGate holds that a licence that forbids it is answered with 403 and
// the reason, and that the producer gets its corrections all the same.
func TestExportGate(t *testing.T) {
	t.Parallel()
	f, s := exported(t)
	cookie := f.in("atelier")
	for class, code := range map[string]string{"green-odbl": "exports.gate-odbl", "orange": "exports.gate-orange", "red": "exports.gate-red"} {
		if _, err := f.hub.Owner.Exec(t.Context(), `update licence set class = $1`, class); err != nil {
			t.Fatal(err)
		}
		for name := range exportTypes {
			w := f.ask(http.MethodGet, "/atelier/"+s.Code+"/exports/"+name, "Cookie", cookie)
			if strings.HasPrefix(name, "corrections.") {
				if w.Code != 200 {
					t.Errorf("%s of a %s dataset: got %d", name, class, w.Code)
				}
				continue
			}
			if w.Code != 403 || w.Header().Get("Content-Type") != "application/problem+json" || !strings.Contains(w.Body.String(), code) {
				t.Errorf("%s of a %s dataset: got %d %s", name, class, w.Code, w.Body)
			}
		}
		if body := string(f.get("/atelier/"+s.Code+"/exports", "Cookie", cookie, "Accept-Language", "fr")); !strings.Contains(body, "refusé") || strings.Contains(body, "josm.osm") {
			t.Errorf("the page of a %s dataset: %s", class, body)
		}
	}
}
