package api

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/catalogue"
	"calanque/geo/picture"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/tiles"
)

// now is the clock of tests: the middle of a day in Provence.
var now = time.Date(2026, 11, 24, 11, 0, 0, 0, time.UTC)

// A site is a server on a test's own database.
type site struct {
	t   testing.TB
	hub *postgis.Hub
	*Server
	mediator string // cookie of one who is signed in, where a test has one
}

func newSite(t testing.TB) *site {
	t.Helper()
	hub := postgistest.New(t)
	_, err := hub.Owner.Exec(t.Context(), `
		insert into producer (id, title, contact) values
			('crige', '{"fr": "CRIGE"}', '{"url": "https://crige.example"}'),
			('air', '{"fr": "AirPACA"}', null),
			('openstreetmap', '{"fr": "OpenStreetMap"}', null);
		insert into licence (id, title, url, class) values
			('lo-2.0', '{"fr": "Licence Ouverte 2.0"}', 'https://www.etalab.gouv.fr/licence-ouverte-open-licence', 'green')`)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s := New(Options{Hub: hub, Tiles: tiles.New(hub, tiles.Options{}), Files: blob.New(t.TempDir()), Redraw: redrawHere, ReadSheet: readSheetHere, Log: log, Now: func() time.Time { return now }})
	return &site{t: t, hub: hub, Server: s}
}

// redrawHere draws a picture in this process.
func redrawHere(_ context.Context, out io.Writer, in io.Reader) (int, int, error) {
	b, err := io.ReadAll(in)
	if err != nil {
		return 0, 0, err
	}
	p, err := picture.Redraw(out, bytes.NewReader(b))
	return p.Width, p.Height, err
}

// readSheetHere reads a spreadsheet in this process.
func readSheetHere(_ context.Context, file, name string, in io.Reader) (*catalogue.Sheet, error) {
	return catalogue.ReadSheet(file, name, in)
}

// testLog writes what the server says into the test's log.
type testLog struct{ t testing.TB }

func (l testLog) Write(b []byte) (int, error) {
	l.t.Log(strings.TrimSpace(string(b)))
	return len(b), nil
}

// load publishes a version of a dataset with one layer of the same name.
func (s *site) load(t postgis.Table, life geo.Life, rows []postgis.Row) {
	s.t.Helper()
	ctx := s.t.Context()
	if t.Title == nil {
		t.Title = geo.Text{"fr": t.Layer}
	}
	slug := strings.ReplaceAll(t.Layer, "_", "-")
	_, err := s.hub.Owner.Exec(ctx, `
		insert into dataset (slug, producer_id, licence_id, title, life) values ($1, 'crige', 'lo-2.0', $2, $3)
		on conflict (slug) do nothing`, slug, t.Title, life)
	if err != nil {
		s.t.Fatal(err)
	}
	l, err := postgis.BeginLoad(ctx, s.hub, slug)
	if err != nil {
		s.t.Fatal(err)
	}
	defer l.Close()
	if err := l.Begin(ctx, postgis.Delivery{SHA256: []byte{1}, Source: "test"}); err != nil {
		s.t.Fatal(err)
	}
	_, err = l.Layer(ctx, t, func(put func(*postgis.Row) error) (postgis.Tally, error) {
		for i := range rows {
			rows[i].Record = int64(i + 1)
			if err := put(&rows[i]); err != nil {
				return postgis.Tally{}, err
			}
		}
		return postgis.Tally{Read: int64(len(rows))}, nil
	})
	if err == nil {
		err = l.Publish(ctx, nil)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) refresh() *site {
	s.t.Helper()
	if err := s.Refresh(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return s
}

// waterFields are the fields of the layer that most tests read.
var waterFields = []geo.Field{
	{Name: "nom", Title: "NOM", Type: geo.TextField},
	{Name: "numero", Type: geo.IntegerField},
	{Name: "debit", Type: geo.RealField},
	{Name: "potable", Type: geo.BooleanField},
	{Name: "pose", Type: geo.DateField},
	{Name: "releve", Type: geo.TimeField},
	{Name: "autres", Type: geo.JSONField},
}

func waterTable() postgis.Table {
	return postgis.Table{
		Layer: "points_eau", Title: geo.Text{"fr": "Points d’eau", "en": "Drinking water"}, SRID: geo.WGS84,
		GeometryType: geo.Point, Fields: waterFields, KeyFields: []string{"numero"},
		Bounds: geo.Box{MinX: 5, MinY: 43, MaxX: 6, MaxY: 44},
	}
}

// water makes n points in a grid near Marseille. mark tells versions apart.
func water(n int, mark string) []postgis.Row {
	rows := make([]postgis.Row, n)
	for i := range rows {
		g, err := geo.EWKB(orb.Point{5 + float64(i%100)/100, 43 + float64(i/100)/100}, 0)
		if err != nil {
			panic(err)
		}
		rows[i] = postgis.Row{
			Key: fmt.Sprintf("p%05d", i), Geometry: g,
			Values: []any{
				fmt.Sprintf("Fontaine %d %s", i, mark), int64(i), float64(i) / 4, i%2 == 0,
				time.Date(2020, 1, 1+i%28, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 1, i%24, 0, 0, 0, time.UTC),
				json.RawMessage(`{"a":[1,2]}`),
			},
		}
	}
	return rows
}

// odd are keys that a careless server can't address.
var odd = []string{"a/b", "a@b", "île d’If", "x y", "q?r=1&s#t", "100%", `"guillemets"`, "../up"}

func oddRows() []postgis.Row {
	rows := water(len(odd), "odd")
	for i := range rows {
		rows[i].Key = odd[i]
	}
	return rows
}

// air makes the index of three communes on some days, as a series.
func (s *site) air() {
	table := postgis.Table{
		Layer: "indice", Title: geo.Text{"fr": "Indice de l’air"}, GeometryType: geo.Point, SRID: geo.WGS84,
		KeyFields: []string{"code"}, Series: &postgis.SeriesTable{}, Bounds: geo.Box{MinX: 5, MinY: 43, MaxX: 6, MaxY: 44},
		Fields: []geo.Field{{Name: "code", Type: geo.TextField}, {Name: "lib_zone", Type: geo.TextField}, {Name: "code_qual", Type: geo.IntegerField}},
	}
	var rows []postgis.Row
	for d := range 5 {
		day := time.Date(2026, 11, 22+d, 0, 0, 0, 0, s.Zone)
		for i, code := range []string{"13001", "13055", "83061"} {
			g, err := geo.EWKB(orb.Point{5.1 + float64(i)/10, 43.5}, 0)
			if err != nil {
				s.t.Fatal(err)
			}
			rows = append(rows, postgis.Row{
				Key: code, Time: day, Item: code + "@" + day.Format(time.DateOnly), Geometry: g,
				Values: []any{code, "Commune " + code, int64(1 + (d+i)%5)},
			})
		}
	}
	s.load(table, geo.Series, rows)
}

// communesTable and communeRows make a small region of squares.
func (s *site) communesOf(names ...string) {
	table := postgis.Table{
		Layer: "communes", Title: geo.Text{"fr": "Communes"}, GeometryType: geo.Polygon, SRID: geo.WGS84,
		KeyFields: []string{"insee"}, Bounds: geo.Box{MinX: 5, MinY: 43, MaxX: 6, MaxY: 44},
		Fields: []geo.Field{{Name: "insee", Type: geo.TextField}, {Name: "nom", Type: geo.TextField}},
	}
	var rows []postgis.Row
	for i, name := range names {
		x, y := 5+float64(i)*0.05, 43.0
		g, err := geo.EWKB(orb.MultiPolygon{{{{x, y}, {x, y + 0.05}, {x + 0.05, y + 0.05}, {x + 0.05, y}, {x, y}}}}, 0)
		if err != nil {
			s.t.Fatal(err)
		}
		code := fmt.Sprintf("13%03d", i+1)
		rows = append(rows, postgis.Row{Key: code, Geometry: g, Values: []any{code, name}})
	}
	s.load(table, geo.Snapshot, rows)
}

// ask sends a request and gives the answer.
func (s *site) ask(method, target string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, target, nil)
	r.Host = "hub.example"
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// get wants 200 and gives the body.
func (s *site) get(target string, header ...string) []byte {
	s.t.Helper()
	w := s.ask(http.MethodGet, target, header...)
	if w.Code != http.StatusOK {
		s.t.Fatalf("GET %s: got %d, want 200: %s", target, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// getJSON wants 200 and decodes the body.
func (s *site) getJSON(target string, into any) {
	s.t.Helper()
	if err := json.Unmarshal(s.get(target), into); err != nil {
		s.t.Fatalf("GET %s: %v", target, err)
	}
}

// A featurePage is a page of items as a client reads it.
type featurePage struct {
	Type           string `json:"type"`
	NumberMatched  *int64 `json:"numberMatched"`
	NumberReturned int    `json:"numberReturned"`
	TimeStamp      string `json:"timeStamp"`
	Links          []struct{ Href, Rel, Type string }
	Features       []struct {
		Type       string          `json:"type"`
		ID         string          `json:"id"`
		Geometry   json.RawMessage `json:"geometry"`
		Properties map[string]any  `json:"properties"`
	}
}

func (p featurePage) link(rel string) string {
	for _, l := range p.Links {
		if l.Rel == rel {
			return l.Href
		}
	}
	return ""
}

func gunzip(t testing.TB, b []byte) []byte {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// serveOn serves a site on a port of its own and gives its address.
func serveOn(t testing.TB, s *site) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.URL
}

func countLines(t testing.TB, file string) int {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("\n"))
}
