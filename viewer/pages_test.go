package viewer

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"calanque/geo"
)

var now = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

func text(s string) geo.Text { return geo.Text{"fr": s, "en": s + " (en)", "it": s + " (it)"} }

func point(t *testing.T, lon, lat float64) []byte {
	t.Helper()
	b, err := geo.EWKB(orb.Point{lon, lat}, geo.WGS84)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// samplePage is a page with one water point, its comparison and an air index.
func samplePage(t *testing.T, lang, query string) MapPage {
	t.Helper()
	u, err := url.Parse("/carte?" + query)
	if err != nil {
		t.Fatal(err)
	}
	water := Layer{
		ID: "points-eau", Titles: text("Fontaines et points d’eau"), GeometryType: geo.Point, Life: geo.Snapshot,
		Producer: Producer{ID: "crige", Title: text("CRIGE")}, Licence: Licence{ID: "lo", Title: text("Licence Ouverte 2.0"), Class: geo.Green},
		Count: 1214, Updated: now.AddDate(0, 0, -2), Outcomes: "points-eau-osm", Tiles: "/tiles/points-eau.json",
		Fields: []geo.Field{
			{Name: "nom", Type: geo.TextField, Label: text("Nom")},
			{Name: "eau", Type: geo.TextField, Label: text("Eau")},
			{Name: "acces", Type: geo.TextField},
		},
		Style: Style{Icon: "water", Noun: geo.Text{"fr": "point d’eau|points d’eau"}, Note: []string{"eau"}, Precision: 2},
	}
	outcomes := Layer{
		ID: "points-eau-osm", Titles: text("Comparaison"), GeometryType: geo.Point, Life: geo.Live,
		Producer: Producer{ID: "openstreetmap", Title: text("OpenStreetMap")}, Style: Style{Hidden: true},
		Fields: []geo.Field{{Name: "kind"}, {Name: "group"}, {Name: "name"}, {Name: "osm"}, {Name: "distance"}, {Name: "reason"}, {Name: "comparison"}},
	}
	air := Layer{
		ID: "indice", Titles: text("Indice"), GeometryType: geo.Polygon, Life: geo.Series,
		Producer: Producer{ID: "airpaca", Title: text("AirPACA")}, Style: Style{As: "air-index"},
		Fields: []geo.Field{{Name: "lib_zone"}, {Name: "code_qual", Type: geo.IntegerField}, {Name: "code_o3"}},
	}
	f := geo.Feature{Key: "A<1>", Geometry: point(t, 5.4, 43.3), Values: []any{"Fontaine <b>aux</b> Herbes", "Potable", nil}}
	return MapPage{
		Page: Page{Lang: lang, URL: u, Now: now}, Layers: []Layer{water, outcomes, air}, On: []string{"points-eau"},
		Home: geo.Box{MinX: 5, MinY: 43, MaxX: 6, MaxY: 44},
		List: &List{Layer: "points-eau", Total: 1214, Page: 1, Next: "A<1>", Features: []geo.Feature{f}},
	}
}

// spaces replaces the no-break spaces, so that tests can be read.
var spaces = strings.NewReplacer(nnbsp, " ", nbsp, " ")

func write(t *testing.T, p MapPage) string {
	t.Helper()
	var b bytes.Buffer
	if err := Map(&b, p); err != nil {
		t.Fatal(err)
	}
	return spaces.Replace(b.String())
}

func TestMapPageIsCompleteWithoutScript(t *testing.T) {
	t.Parallel()
	for _, lang := range Languages {
		p := samplePage(t, lang, "lg="+lang)
		p.Card = &Card{Layer: "points-eau", Feature: p.List.Features[0]}
		page := write(t, p)
		for _, want := range []string{
			`lang="` + lang + `"`, "CRIGE", "Licence Ouverte 2.0", Say(lang, "card.missing"), "Fontaine &lt;b&gt;aux",
			"apres=A%3C1%3E", `name="q"`, "/image/points-eau.svg", Say(lang, "layer.source"),
		} {
			if !strings.Contains(page, spaces.Replace(want)) {
				t.Errorf("%s: the page lacks %q", lang, want)
			}
		}
		for _, bad := range []string{"<b>aux", "style=", "onclick", "ui.", "card.", "layer.", "%!", "ZgotmplZ", "map["} {
			if strings.Contains(regexp.MustCompile(`(?s)<script type="application/json".*?</script>`).ReplaceAllString(page, ""), bad) {
				t.Errorf("%s: the page has %q", lang, bad)
			}
		}
	}
}

// The data block must be valid JSON whatever the data contains.
func TestStartBlockIsJSON(t *testing.T) {
	t.Parallel()
	p := samplePage(t, "fr", "")
	p.Layers[0].Titles = text(`</script><script>alert(1)</script>`)
	page := write(t, p)
	_, rest, ok := strings.Cut(page, `<script type="application/json" id="start">`)
	if !ok {
		t.Fatal("no data block")
	}
	block, _, _ := strings.Cut(rest, "</script>")
	var v struct{ Layers []Layer }
	if err := json.Unmarshal([]byte(block), &v); err != nil {
		t.Fatal(err)
	}
	if got := v.Layers[0].Titles["fr"]; got != p.Layers[0].Titles["fr"] {
		t.Errorf("got %q", got)
	}
}

func TestComparePage(t *testing.T) {
	t.Parallel()
	p := samplePage(t, "fr", "comparer=1&c=points-eau")
	o := geo.Feature{Key: "7", Geometry: point(t, 5.4, 43.3), Values: []any{
		"attributes_differ", "differs", "Fontaine de la place aux Herbes", "n12", 38.2,
		json.RawMessage(`{"code":"match.attributes-differ","args":{"distance":38.2,"name":"partial","fields":["nom"],"none_within":70}}`),
		json.RawMessage(`[{"field":"nom","tag":"name","ours":"Fontaine de la place aux Herbes","theirs":"Fontaine de la place du Marché","is":"conflict"},{"field":"acces","tag":"access","ours":"yes","theirs":null,"is":"ours_only"}]`),
	}}
	p.Compare = &Compare{Layer: "points-eau", Counts: map[string]int64{"differs": 5, "partner": 7, "osm": 4, "same": 21}, Shown: []string{"differs"}, List: List{Features: []geo.Feature{o}}, Chosen: &o}
	page := write(t, p)
	for _, want := range []string{
		`<u class="df">aux Herbes</u>`, `<u class="df">du Marché</u>`, "16 à regarder", "Peut être recopié dans OSM : oui, en citant CRIGE",
		"56,8 % des deux côtés", "38 m d’écart", "Non renseigné", "Différent : le nom n’est pas le même", "Aucun autre n’est à moins de 70 m.",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestAirPage(t *testing.T) {
	t.Parallel()
	p := samplePage(t, "fr", "c=indice&t=2026-11-24")
	p.On = []string{"indice"}
	values := []geo.Feature{
		{Key: "13001@2026-11-24", Values: []any{"Roquebelle-les-Pins", int64(3), int64(1)}},
		{Key: "13002@2026-11-24", Values: []any{nil, nil, nil}},
	}
	p.List = &List{Layer: "indice", Total: 2, Features: values}
	p.Air = &Air{Day: "2026-11-24", Days: []string{"2026-11-24", "2026-11-25"}, Values: values, Chosen: "13001", Month: values[:1]}
	page := write(t, p)
	for _, want := range []string{"Dégradé", "Indice 3 sur 6", "Ozone", "mercredi 25 novembre 2026, prévision", "Indisponible", "Personnes fragiles"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestOtherPages(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := Help(&b, Page{Lang: "it", Now: now}); err != nil || !strings.Contains(b.String(), "Aiuto") {
		t.Errorf("help: %v", err)
	}
	for _, status := range []int{400, 404, 418, 500, 503} {
		b.Reset()
		if err := Problem(&b, ProblemPage{Page: Page{Lang: "fr", Now: now}, Status: status}); err != nil || !strings.Contains(b.String(), "Erreur") {
			t.Errorf("problem %d: %v", status, err)
		}
	}
	b.Reset()
	if err := Map(&b, MapPage{Page: Page{Lang: "fr", Now: now}, Home: geo.EmptyBox()}); err != nil || !strings.Contains(b.String(), "aucune donnée") {
		t.Errorf("empty hub: %v", err)
	}
}

func TestSVG(t *testing.T) {
	t.Parallel()
	p := samplePage(t, "fr", "")
	square, err := geo.EWKB(orb.Polygon{{{5.3, 43.2}, {5.5, 43.2}, {5.5, 43.4}, {5.3, 43.2}}}, geo.WGS84)
	if err != nil {
		t.Fatal(err)
	}
	d := Drawing{
		Lang: "fr", Title: `Fontaines & <points>`, Width: 600, Height: 400, Box: geo.Box{MinX: 5, MinY: 43, MaxX: 6, MaxY: 44}, Numbered: true,
		Under: []Drawn{{Features: []geo.Feature{{Key: "c", Geometry: square}}}},
		Over: []Drawn{
			{Layer: p.Layers[2], Features: []geo.Feature{{Key: "13001", Geometry: square, Values: []any{"R", int64(5), nil}}}},
			{Layer: p.Layers[0], Features: append(p.List.Features, geo.Feature{Key: "none"})},
		},
	}
	var b bytes.Buffer
	if err := SVG(&b, d); err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(bytes.NewReader(b.Bytes()))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("not XML: %v\n%s", err, b.String())
		}
	}
	for _, want := range []string{"#960032", ">1</text>", "km</text>"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the picture lacks %q:\n%s", want, b.String())
		}
	}
}

func TestManifest(t *testing.T) {
	t.Parallel()
	f, err := parseManifest([]byte(`{"src/main.ts":{"file":"main-1.js","css":["main-1.css"],"imports":["_ol.js"],"isEntry":true},"_ol.js":{"file":"ol-2.js"},"src/i18n/fr.ts":{"file":"fr-3.js"}}`))
	if err != nil {
		t.Fatal(err)
	}
	if f.Entry != "/assets/main-1.js" || len(f.Styles) != 1 || f.Imports[0] != "/assets/ol-2.js" || f.Language["fr"] != "/assets/fr-3.js" {
		t.Errorf("got %+v", f)
	}
}
