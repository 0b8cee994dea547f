package api

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm"
	"calanque/osm/match"
	"calanque/osm/osmtest"
	"calanque/osm/workshop"
)

// Every value is marked by where it is from: texts by a word, positions by the
// last two of the seven decimals of their longitude.
var (
	fileMark = regexp.MustCompile(`FILE-|\b5\.\d{5}11\b`)
	osmMark  = regexp.MustCompile(`OSM-|\b5\.\d{5}22\b|\b[nwr]\d{3,}\b`)
	deskMark = regexp.MustCompile(`DESK-|\b5\.\d{5}55\b`)
	seenMark = regexp.MustCompile(`OBS-|\b5\.\d{5}33\b`)
)

// lonMarked is a longitude near another that ends with two figures.
func lonMarked(lon float64, end string) float64 {
	f, _ := strconv.ParseFloat(fmt.Sprintf("%.5f%s", lon, end), 64)
	return f
}

// gatedThemes are compared with one file each, of one class of licence each.
var gatedThemes = []struct{ id, amenity, class string }{
	{"eau", "fountain", "green"}, {"toilettes", "toilets", "green-odbl"}, {"bancs", "bench", "orange"}, {"abris", "shelter", "red"},
}

// A gated site has those themes, each with so many places.
type gated struct {
	*site
	places   int
	mediator int64
}

func newGated(t *testing.T, places int) *gated {
	t.Helper()
	g := &gated{site: staffed(t, newSite(t)), places: places}
	if err := g.hub.Owner.QueryRow(t.Context(), `select id from account where login = 'atelier'`).Scan(&g.mediator); err != nil {
		t.Fatal(err)
	}
	m := osmtest.Grid(t, [2]float64{5.3, 43.1}, .001, `| 900001 |`)
	var themes []osm.Theme
	for k, theme := range gatedThemes {
		g.file(k)
		themes = append(themes, osm.Theme{
			ID: theme.id, Title: geo.Text{"fr": theme.id}, Selection: osm.Selection{Any: []osm.Terms{{"amenity": {theme.amenity}}}},
		})
		for i := range places {
			lon, lat := g.at(k, i)
			water := []string{"yes", "no"}[min(1, i%5/3)]
			switch i % 5 {
			case 1:
				continue // in the file alone
			case 4:
				lon += .00074 // sixty metres away
			}
			m.Add(fmt.Sprintf("n%d v1 Tamenity=%s,name=%s,drinking_water=%s x%.7f y%.7f", k*100000+i+1, theme.amenity, placeName(i), water, lonMarked(lon, "22"), lat))
		}
	}
	g.tx(func(tx pgx.Tx) error { _, err := osm.PutThemes(t.Context(), tx, themes); return err })
	if _, err := osm.Import(t.Context(), g.hub, m.Date(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)).File(), osm.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, theme := range gatedThemes {
		g.tx(func(tx pgx.Tx) error {
			_, err := match.PutRule(t.Context(), tx, match.Rule{
				Layer: theme.id, Theme: theme.id, Name: "nom", Distance: match.Distance{Max: 250, Moved: 30},
				Attributes: []match.Attribute{{Field: "potable", Tag: "drinking_water", Type: match.Bool}},
			})
			return err
		})
	}
	if err := postgis.Drain(t.Context(), g.hub.Owner, "match", match.Handle(g.hub, g.Log)); err != nil {
		t.Fatal(err)
	}
	g.markValues()
	g.refresh()
	return g
}

func (g *gated) tx(fn func(pgx.Tx) error) {
	g.t.Helper()
	if err := pgx.BeginFunc(g.t.Context(), g.hub.Owner, fn); err != nil {
		g.t.Fatal(err)
	}
}

// at lays the places of a theme out a hundred and fifty metres apart.
func (g *gated) at(theme, i int) (lon, lat float64) {
	return 5.40 + float64(i%40)*.0019, 43.20 + float64(theme)*.06 + float64(i/40)*.00135
}

// placeName is unlike its neighbours' names, so that the matcher has no doubt.
func placeName(i int) string {
	words := []string{"Abricotier", "Bergerie", "Calvaire", "Douane", "Ermitage", "Forgerons", "Hospice", "Iris", "Kiosque", "Moulin", "Noria", "Quai", "Wagon"}
	return words[i%13] + "%20%" + words[(i*7+i/13*3+3)%13]
}

// file loads the file of a theme under its licence.
func (g *gated) file(k int) {
	g.t.Helper()
	theme := gatedThemes[k]
	var rows []postgis.Row
	for i := range g.places {
		if i%5 == 2 {
			continue // in OpenStreetMap alone
		}
		lon, lat := g.at(k, i)
		shape, err := geo.EWKB(orb.Point{lonMarked(lon, "11"), lat}, 0)
		if err != nil {
			g.t.Fatal(err)
		}
		key := fmt.Sprintf("K%05d", i)
		rows = append(rows, postgis.Row{Key: key, Geometry: shape, Values: []any{key, strings.ReplaceAll(placeName(i), "%20%", " "), "O"}})
	}
	g.load(postgis.Table{
		Layer: theme.id, Title: geo.Text{"fr": theme.id}, SRID: geo.WGS84, GeometryType: geo.Point, KeyFields: []string{"id"},
		Fields: []geo.Field{{Name: "id", Type: geo.TextField}, {Name: "nom", Type: geo.TextField}, {Name: "potable", Type: geo.TextField}},
		Bounds: geo.Box{MinX: 5, MinY: 43, MaxX: 6, MaxY: 44},
	}, geo.Snapshot, rows)
	_, err := g.hub.Owner.Exec(g.t.Context(), `insert into licence (id, title, class) values ($1, '{"fr": "L"}', $2)`, "l-"+theme.id, theme.class)
	if err == nil {
		_, err = g.hub.Owner.Exec(g.t.Context(), `update dataset set licence_id = $1 where slug = $2`, "l-"+theme.id, theme.id)
	}
	if err != nil {
		g.t.Fatal(err)
	}
}

// markValues marks the values where they lie; fingerprints stay what they are.
func (g *gated) markValues() {
	g.t.Helper()
	_, err := g.hub.Owner.Exec(g.t.Context(), `
		do $$ declare name text; begin
			for name in select relation from layer_version loop execute format('update data.%I set nom = ''FILE-'' || _key', name); end loop; end $$;
		update outcome set name = case when record_id is null then 'OSM-x' else 'FILE-x' end,
			comparison = (select coalesce(jsonb_agg(c || '{"ours": "FILE-o", "theirs": "OSM-t"}'), '[]') from jsonb_array_elements(comparison) c);
		update osm.point set tags = tags || '{"name": "OSM-n"}'`)
	if err != nil {
		g.t.Fatal(err)
	}
}

// session opens a session on all places of a theme; ok is false when no
// question is left.
func (g *gated) session(k, people int) (s workshop.Session, ok bool) {
	g.t.Helper()
	south := 43.2 + float64(k)*.06 - .003
	area := workshop.Area{GeoJSON: fmt.Appendf(nil, `{"type": "Polygon", "coordinates": [[[5.398, %[1]f], [5.478, %[1]f], [5.478, %[2]f], [5.398, %[2]f], [5.398, %[1]f]]]}`, south, south+.05)}
	s, _, err := workshop.Prepare(g.t.Context(), g.hub.Desk, g.mediator, workshop.Plan{
		Title: "Atelier", Theme: gatedThemes[k].id, Area: area, Minutes: 120, People: people,
	})
	if m, refused := refusal(err); refused && strings.HasPrefix(m.Code, "workshop.no-tasks") {
		return s, false
	}
	if err == nil {
		err = workshop.Open(g.t.Context(), g.hub.Desk, s.Code)
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return s, true
}

// seat joins a session as a browser does, on site or not, and gives the cookie.
func (g *gated) seat(s workshop.Session, onSite bool) string {
	g.t.Helper()
	w := g.post("/atelier/"+s.Code+"/rejoindre", "")
	cookie := ""
	for _, c := range w.Result().Cookies() {
		cookie += c.Name + "=" + c.Value + "; "
	}
	if w.Code != http.StatusSeeOther || cookie == "" {
		g.t.Fatalf("join: got %d", w.Code)
	}
	if onSite {
		if w := g.post("/atelier/"+s.Code+"/sur-place", "sur-place=1", "Cookie", cookie); w.Code != http.StatusSeeOther {
			g.t.Fatalf("on site: got %d", w.Code)
		}
	}
	return cookie
}

// TestFirewallHTTP lets people answer at random through HTTP, about files of
// all licences, and looks for marks in every file that leaves. One case is one
// answer; CALANQUE_FIREWALL_HTTP asks for more of them (10000 is the long one).
func TestFirewallHTTP(t *testing.T) {
	t.Parallel()
	cases, places, people := 240, 80, 12
	if n, err := strconv.Atoi(os.Getenv("CALANQUE_FIREWALL_HTTP")); err == nil {
		cases, places, people = n, n/7, 36
	}
	g := newGated(t, places)
	random := rand.New(rand.NewPCG(uint64(cases), 9))
	tally := map[string]int{}
	for tally["answers"]+tally["lines"] < cases {
		before := tally["answers"] + tally["lines"]
		for k := range gatedThemes {
			g.play(k, people, random, tally)
		}
		if tally["answers"]+tally["lines"] == before {
			break // every question is settled
		}
	}
	t.Logf("%v", tally)
	if tally["answers"]+tally["lines"] < cases*9/10 || tally["edits"] == 0 || tally["corrections"] == 0 || tally["refused"] == 0 || tally["seen"] == 0 {
		t.Errorf("too little of a kind: %v", tally)
	}
}

// play holds a session on a theme, and looks at all that leaves it.
func (g *gated) play(k, people int, random *rand.Rand, tally map[string]int) {
	g.t.Helper()
	s, ok := g.session(k, people)
	if !ok {
		return
	}
	tasks, err := workshop.Tasks(g.t.Context(), g.hub.Web, s.ID)
	if err != nil {
		g.t.Fatal(err)
	}
	mediator := g.in("atelier")
	csrf := g.mark(mediator)
	desk, other, site, second := g.seat(s, false), g.seat(s, false), g.seat(s, true), g.seat(s, true)
	for i := range tasks {
		t := &tasks[i]
		if random.IntN(4) == 0 { // on paper
			form := url.Values{"csrf": {csrf}, "feuille": {strconv.Itoa(t.Cell)}, "saisie": {newKey()}}
			n := strconv.Itoa(t.Number)
			form.Set("ligne-"+n, strconv.Itoa(1+random.IntN(4)))
			form.Set("valeur-"+n, "OBS-"+n)
			form.Set("mot-"+n, "DESK-note")
			if w := g.post("/atelier/"+s.Code+"/conduite/saisie", form.Encode(), "Cookie", mediator); w.Code != http.StatusSeeOther {
				g.t.Fatalf("line %s: got %d %s", n, w.Code, w.Body)
			}
			tally["lines"]++
			continue
		}
		choice := 1 + random.IntN(4)
		for _, cookie := range [][]string{{desk, other}, {site, second, desk}, {desk, other, site}, {desk, site, other, second}}[random.IntN(4)] {
			word, end := "DESK-", "55"
			if cookie == site || cookie == second {
				word, end = "OBS-", "33"
			}
			if random.IntN(5) == 0 {
				choice = 1 + random.IntN(4)
			}
			form := url.Values{
				"cle": {newKey()}, "question": {fmt.Sprint(t.ID)}, "numero": {strconv.Itoa(t.Number)}, "choix": {strconv.Itoa(choice)}, "mot": {"DESK-note"},
				"valeur-nom": {word + "n"}, "valeur-potable": {word + "p"},
				"valeur-_geom": {fmt.Sprintf("%.7f %.7f", lonMarked(t.Lon+.0001, end), t.Lat)},
			}
			if w := g.post("/atelier/"+s.Code+"/reponse", form.Encode(), "Cookie", cookie); w.Code != http.StatusSeeOther {
				g.t.Fatalf("answer to %d: got %d %s", t.Number, w.Code, w.Body)
			}
			tally["answers"]++
			if random.IntN(20) == 0 {
				g.post("/atelier/"+s.Code+"/annuler", "", "Cookie", cookie)
			}
		}
		if random.IntN(10) == 0 { // the mediator decides
			form := url.Values{"csrf": {csrf}, "question": {fmt.Sprint(t.ID)}, "choix": {strconv.Itoa(1 + random.IntN(3))}}
			g.post("/atelier/"+s.Code+"/conduite/decider", form.Encode(), "Cookie", mediator)
		}
	}
	g.look(k, s, mediator, desk, tally)
}

// look reads every file that leaves a session, and the pages of a closed one.
func (g *gated) look(k int, s workshop.Session, mediator, desk string, tally map[string]int) {
	g.t.Helper()
	class := gatedThemes[k].class
	for name := range exportTypes {
		w := g.ask(http.MethodGet, "/atelier/"+s.Code+"/exports/"+name, "Cookie", mediator)
		text := w.Body.String()
		switch {
		case strings.HasPrefix(name, "corrections."):
			if w.Code != 200 {
				g.t.Fatalf("%s of a %s dataset: got %d", name, class, w.Code)
			}
			if m := osmMark.FindString(text) + deskMark.FindString(text); m != "" {
				g.t.Fatalf("the producer of a %s dataset gets %q in %s", class, m, name)
			}
			tally["corrections"] += strings.Count(text, "\n")
			tally["seen"] += len(seenMark.FindAllString(text, -1))
		case class != "green":
			if w.Code != 403 || fileMark.MatchString(text) || !json.Valid(w.Body.Bytes()) {
				g.t.Fatalf("%s of a %s dataset: got %d %.300s", name, class, w.Code, text)
			}
			tally["refused"]++
		default:
			if w.Code != 200 {
				g.t.Fatalf("%s: got %d", name, w.Code)
			}
			if m := deskMark.FindString(text); m != "" {
				g.t.Fatalf("OpenStreetMap gets %q in %s", m, name)
			}
			if name == "josm.osm" {
				tally["edits"] += strings.Count(text, `action="modify"`)
			}
		}
	}
	if class != "red" {
		return
	}
	for path, cookie := range map[string]string{
		"?lg=fr": desk, "?liste=1&lg=fr": desk, "/conduite": mediator, "/conduite/saisie?feuille=1": mediator, "/feuilles": mediator,
		"/rapport": mediator, "/rapport.csv": mediator,
	} {
		if m := fileMark.Find(g.get("/atelier/"+s.Code+path, "Cookie", cookie, "Accept", "text/html")); m != nil {
			g.t.Fatalf("%s about a closed dataset shows %q", path, m)
		}
	}
}
