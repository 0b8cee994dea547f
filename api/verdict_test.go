package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm"
	"calanque/osm/match"
	"calanque/osm/osmtest"
	"calanque/viewer"
)

// A fountains is a site whose file of three fountains was compared with
// OpenStreetMap: A differs in its water, B is in the file alone, C in
// OpenStreetMap alone.
type fountains struct {
	*site
	rule geo.RuleID
	day  int
}

func newFountains(t *testing.T) *fountains {
	t.Helper()
	f := &fountains{site: staffed(t, newSite(t))}
	table := postgis.Table{
		Layer: "fontaines", Title: geo.Text{"fr": "Fontaines"}, SRID: geo.WGS84, GeometryType: geo.Point, KeyFields: []string{"id"},
		Fields: []geo.Field{{Name: "id", Type: geo.TextField}, {Name: "nom", Type: geo.TextField}, {Name: "potable", Type: geo.TextField}},
		Bounds: geo.Box{MinX: 5, MinY: 43, MaxX: 6, MaxY: 44},
	}
	var rows []postgis.Row
	for i, name := range []string{"Fontaine des Herbes", "Fontaine du Lavoir"} {
		g, err := geo.EWKB(orb.Point{5.4 + float64(i)/100, 43.3}, 0)
		if err != nil {
			t.Fatal(err)
		}
		key := string(rune('A' + i))
		rows = append(rows, postgis.Row{Key: key, Geometry: g, Values: []any{key, name, "O"}})
	}
	f.load(table, geo.Snapshot, rows)
	f.tx(func(tx pgx.Tx) error {
		_, err := osm.PutThemes(t.Context(), tx, []osm.Theme{{
			ID: "eau", Title: geo.Text{"fr": "Points d’eau"}, Selection: osm.Selection{Any: []osm.Terms{{"amenity": {"fountain"}}}},
		}})
		return err
	})
	f.osm("no")
	f.tx(func(tx pgx.Tx) error {
		_, err := match.PutRule(t.Context(), tx, match.Rule{
			Layer: "fontaines", Theme: "eau", Name: "nom", Distance: match.Distance{Max: 250, Moved: 30},
			Attributes: []match.Attribute{{Field: "potable", Tag: "drinking_water", Type: match.Bool}},
		})
		return err
	})
	if err := f.hub.Owner.QueryRow(t.Context(), `select id from rule`).Scan(&f.rule); err != nil {
		t.Fatal(err)
	}
	f.match()
	return f
}

func (f *fountains) tx(fn func(pgx.Tx) error) {
	f.t.Helper()
	if err := pgx.BeginFunc(f.t.Context(), f.hub.Owner, fn); err != nil {
		f.t.Fatal(err)
	}
}

// osm imports an extract of a day later, in which A's water is as said.
func (f *fountains) osm(water string) {
	f.t.Helper()
	f.day++
	m := osmtest.Grid(f.t, [2]float64{5.3, 43.1}, .001, `| 900001 |`)
	m.Add("n1 v1 Tamenity=fountain,name=Fontaine%20%des%20%Herbes,drinking_water=" + water + " x5.40005 y43.3")
	m.Add("n3 v1 Tamenity=fountain,name=Vivier%20%Zola x5.4018 y43.3")
	m.Date(time.Date(2026, 11, f.day, 0, 0, 0, 0, time.UTC))
	if _, err := osm.Import(f.t.Context(), f.hub, m.File(), osm.Options{}); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fountains) match() {
	f.t.Helper()
	if _, err := match.Run(f.t.Context(), f.hub, f.rule); err != nil {
		f.t.Fatal(err)
	}
	f.refresh()
}

// outcome is the id of the outcome of a kind.
func (f *fountains) outcome(kind match.Kind) string {
	f.t.Helper()
	var id int64
	if err := f.hub.Owner.QueryRow(f.t.Context(), `select id from outcome where kind = $1`, kind).Scan(&id); err != nil {
		f.t.Fatalf("outcome %s: %v", kind, err)
	}
	return fmt.Sprint(id)
}

// desk is what the page's script is told.
func (f *fountains) deskOf(cookie, outcome string) viewer.Desk {
	f.t.Helper()
	var d viewer.Desk
	if err := json.Unmarshal(f.get("/carte/verdict?outcome="+outcome, "Cookie", cookie), &d); err != nil {
		f.t.Fatal(err)
	}
	return d
}

// say sends an answer as the page's script does, and gives the status.
func (f *fountains) say(cookie, outcome, fingerprint, says string) int {
	f.t.Helper()
	form := url.Values{"csrf": {f.mark(cookie)}, "outcome": {outcome}, "fingerprint": {fingerprint}, "says": {says}}
	return f.post("/carte/verdict", form.Encode(), "Cookie", cookie, "Accept", "application/json").Code
}

func (f *fountains) verdicts() (inForce, all int) {
	f.t.Helper()
	err := f.hub.Owner.QueryRow(f.t.Context(), `select (select count(*) from verdict_in_force), (select count(*) from verdict)`).Scan(&inForce, &all)
	if err != nil {
		f.t.Fatal(err)
	}
	return inForce, all
}

// A verdict holds as long as what it judged is the same, comes back with it,
// and what it does not cover any more is a question again.
func TestVerdictHoldsWhileItsFingerprintDoes(t *testing.T) {
	t.Parallel()
	f := newFountains(t)
	cookie := f.in("atelier")
	pair := f.outcome(match.AttributesDiffer)
	d := f.deskOf(cookie, pair)
	if !d.Pair || strings.Join(d.Choices, " ") != "same_place not_same_place needs_visit" || d.Says != "" {
		t.Fatalf("of a pair: got %+v", d)
	}
	if got := f.say(cookie, pair, d.Fingerprint, match.SamePlace); got != http.StatusOK {
		t.Fatalf("judge: got %d", got)
	}
	holds := func(when string, want string) {
		t.Helper()
		d := f.deskOf(cookie, pair)
		if d.Says != want || (len(d.Choices) == 0) != (want != "") || d.Undo != (want != "") {
			t.Errorf("%s: got %+v, want %q to hold", when, d, want)
		}
	}
	holds("at first", match.SamePlace)
	f.osm("no")
	f.match()
	holds("after a match that changed nothing", match.SamePlace)
	f.osm("yes")
	f.match()
	holds("when a judged value has changed", "")
	if inForce, all := f.verdicts(); inForce != 0 || all != 1 {
		t.Errorf("%d of %d verdicts are in force, want 0 of 1", inForce, all)
	}
	if got := f.say(cookie, pair, d.Fingerprint, match.SamePlace); got != http.StatusConflict {
		t.Errorf("judge what has changed since: got %d, want 409", got)
	}
	f.osm("no")
	f.match()
	holds("when the value is back", match.SamePlace)
	if got := f.say(cookie, pair, "", "undo"); got != http.StatusOK {
		t.Errorf("undo: got %d", got)
	}
	holds("when taken back", "")
	if inForce, all := f.verdicts(); inForce != 0 || all != 1 {
		t.Errorf("%d of %d verdicts are in force, want 0 of 1: nothing is deleted", inForce, all)
	}
}

// TestVerdictTable is who may say what, and what may be said of what.
func TestVerdictTable(t *testing.T) {
	t.Parallel()
	f := newFountains(t)
	mediator, coordinator, producer := f.in("atelier"), f.in("coordination"), f.in("crige")
	if err := account.Add(t.Context(), f.hub.Owner, account.Account{Login: "other", Role: account.Mediator, ERIC: "mediatheque"}, passphrase); err != nil {
		t.Fatal(err)
	}
	other := f.in("other")
	pair, alone, extra := f.outcome(match.AttributesDiffer), f.outcome(match.OnlyOpenData), f.outcome(match.OnlyOSM)
	prints := map[string]string{}
	for _, o := range []string{pair, alone, extra} {
		prints[o] = f.deskOf(mediator, o).Fingerprint
	}
	for _, c := range []struct {
		name, cookie, outcome, says string
		want                        int
	}{
		{"a producer", producer, pair, match.SamePlace, 403},
		{"one side: the same", mediator, alone, match.SamePlace, 400},
		{"one side: not the same", mediator, extra, match.NotSamePlace, 400},
		{"what nobody sees at a desk", mediator, pair, "gone", 400},
		{"nothing", mediator, pair, "", 400},
		{"one side: to be visited", mediator, alone, match.NeedsVisit, 200},
		{"again", mediator, alone, match.NeedsVisit, 200},
		{"somebody else's", other, alone, "undo", 403},
		{"by who runs the hub", coordinator, alone, "undo", 200},
		{"nothing to undo", coordinator, alone, "undo", 200},
		{"a pair: to be visited", mediator, pair, match.NeedsVisit, 200},
		{"settled after all, by another", other, pair, match.NotSamePlace, 200},
		{"what is settled", coordinator, pair, match.SamePlace, 409},
		{"another's verdict", mediator, pair, "undo", 403},
		{"one's own", other, pair, "undo", 200},
		{"then the other way", mediator, pair, match.SamePlace, 200},
	} {
		if got := f.say(c.cookie, c.outcome, prints[c.outcome], c.says); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
	if got := f.say(mediator, "999999", prints[pair], match.SamePlace); got != 404 {
		t.Errorf("no such outcome: got %d", got)
	}
	if got := f.ask(http.MethodGet, "/carte/verdict?outcome="+pair).Code; got != 401 {
		t.Errorf("a visitor asks: got %d, want 401", got)
	}
	w := f.post("/carte/verdict", "outcome="+pair+"&says=same_place&vers=%2Fcarte%3Fsel%3D"+pair)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/connexion?vers=%2Fcarte%3Fsel%3D"+pair {
		t.Errorf("a visitor answers: got %d to %s", w.Code, w.Header().Get("Location"))
	}
	w = f.post("/carte/verdict", "outcome="+pair+"&says=undo", "Cookie", mediator)
	if w.Code != http.StatusForbidden {
		t.Errorf("without the mark of the login: got %d", w.Code)
	}
	d := f.deskOf(other, pair)
	if d.Mine || d.Undo || d.Says != match.SamePlace || len(d.Choices) > 0 {
		t.Errorf("another's verdict is shown as %+v", d)
	}
}

// One verdict holds, however many answer at once.
func TestVerdictsAtOnce(t *testing.T) {
	t.Parallel()
	f := newFountains(t)
	cookies := []string{f.in("atelier"), f.in("coordination")}
	pair := f.outcome(match.AttributesDiffer)
	print := f.deskOf(cookies[0], pair).Fingerprint
	var mu sync.Mutex
	got := map[int]int{}
	var all sync.WaitGroup
	for i := range 12 {
		all.Go(func() {
			code := f.say(cookies[i%2], pair, print, []string{match.SamePlace, match.NotSamePlace}[i/2%2])
			mu.Lock()
			got[code]++
			mu.Unlock()
		})
	}
	all.Wait()
	if got[200] != 1 || got[409] != 11 {
		t.Errorf("got %v, want one 200 and eleven 409", got)
	}
	if inForce, n := f.verdicts(); inForce != 1 || n != 1 {
		t.Errorf("%d of %d verdicts are in force", inForce, n)
	}
}

// TestDeskWithoutScript plays the answer row as a browser without JavaScript.
func TestDeskWithoutScript(t *testing.T) {
	t.Parallel()
	f := newFountains(t)
	cookie := f.in("atelier")
	pair, alone := f.outcome(match.AttributesDiffer), f.outcome(match.OnlyOpenData)
	address := "/carte?c=fontaines&comparer=1&lg=fr&sel="
	page := string(f.get(address+pair, "Cookie", cookie))
	for _, want := range []string{"Est-ce le même lieu", `value="same_place"`, `value="not_same_place"`, `value="needs_visit"`, "Passer"} {
		if !strings.Contains(page, want) {
			t.Errorf("the card of a pair lacks %q", want)
		}
	}
	if got := string(f.get(address+alone, "Cookie", cookie)); strings.Contains(got, "same_place") || !strings.Contains(got, "À vérifier sur place") {
		t.Error("one side alone is asked whether it is the same place, or can't be marked for a visit")
	}
	for name, header := range map[string][]string{"visitor": nil, "producer": {"Cookie", f.in("crige")}} {
		if got := string(f.get(address+pair, header...)); strings.Contains(got, "/carte/verdict") || strings.Contains(got, "Est-ce le même lieu") {
			t.Errorf("a %s is asked", name)
		}
	}
	form := url.Values{}
	for _, m := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)">`).FindAllStringSubmatch(page[strings.Index(page, `action="/carte/verdict"`):], -1) {
		form.Set(m[1], strings.ReplaceAll(m[2], "&amp;", "&"))
	}
	form.Set("says", "same_place")
	w := f.post("/carte/verdict", form.Encode(), "Cookie", cookie)
	to := w.Header().Get("Location")
	if w.Code != http.StatusSeeOther || !strings.HasSuffix(to, "#fiche") || !strings.Contains(to, "sel="+pair) {
		t.Fatalf("got %d to %q: %s", w.Code, to, w.Body)
	}
	page = string(f.get(strings.TrimSuffix(to, "#fiche"), "Cookie", cookie))
	if !strings.Contains(page, "Oui, c’est le même lieu.") || !strings.Contains(page, `value="undo"`) || strings.Contains(page, `value="same_place"`) {
		t.Error("the answer is not shown, or is asked again")
	}
	form.Set("says", "undo")
	f.post("/carte/verdict", form.Encode(), "Cookie", cookie)
	if page = string(f.get(address+pair, "Cookie", cookie)); !strings.Contains(page, `value="same_place"`) {
		t.Error("what was taken back is not asked again")
	}
}
