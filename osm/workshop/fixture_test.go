package workshop

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
	"calanque/osm/match"
	"calanque/osm/osmtest"
)

// A place of the fixture is one kind of agreement between a file of fountains
// and OpenStreetMap.
type place int

const (
	agreed   place = iota // on both sides, the same
	onlyFile              // OpenStreetMap lacks it
	onlyOSM               // the file lacks it
	other                 // the water is fit to drink in the file, not in OpenStreetMap
	shifted               // the two sides are sixty metres apart
	outlined              // as other, a building in OpenStreetMap
)

// A room is a hub with fountains, compared with OpenStreetMap.
type room struct {
	t        testing.TB
	hub      *postgis.Hub
	places   []place
	mediator int64
	rule     geo.RuleID
	day      int // of the extract
	edits    []string
	extract  string // that is shown
}

// names are unlike each other, so that the matcher has no doubt.
var names = []string{
	"Abricotier", "Bergerie", "Calvaire", "Douane", "Ermitage", "Forgerons", "Glacière", "Hospice", "Iris", "Jonquille", "Kiosque", "Lavoir",
	"Moulin", "Noria", "Oratoire", "Pénitents", "Quai", "Remparts", "Sémaphore", "Tanneurs", "Ursulines", "Vignerons", "Wagon", "Yeuse", "Zéphyr",
}

func name(i int) string {
	return fmt.Sprintf("Fontaine %s %s", names[i%len(names)], names[(i*7+i/len(names)*3+3)%len(names)])
}

// at lays the places out a hundred and fifty metres apart, ten in a row, a
// thousand to a block.
func at(i int) (lon, lat float64) {
	block, i := i/1000, i%1000
	return 5.40 + float64(block)*.0195 + float64(i%10)*.00185, 43.20 + float64(i/10)*.00135
}

// newRoom makes the hub; the last rows repeat until there are n places.
func newRoom(t testing.TB, n int, cycle ...place) *room {
	t.Helper()
	r := &room{t: t, hub: postgistest.New(t)}
	if len(cycle) == 0 {
		cycle = []place{agreed, onlyFile, onlyOSM, other, shifted}
	}
	for i := range n {
		r.places = append(r.places, cycle[i%len(cycle)])
	}
	r.exec(`
		insert into producer (id, title, contact) values ('crige', '{"fr": "CRIGE"}', null), ('openstreetmap', '{"fr": "OpenStreetMap"}', null);
		insert into licence (id, title, class) values ('lo-2.0', '{"fr": "Licence Ouverte 2.0"}', 'green'), ('closed', '{"fr": "Usage interne"}', 'red');
		insert into dataset (slug, producer_id, licence_id, title, life) values ('fontaines', 'crige', 'lo-2.0', '{"fr": "Fontaines"}', 'snapshot');
		insert into eric (id, title, place) values ('roquebelle', 'ERIC de Roquebelle', st_setsrid(st_point(5.408, 43.205), 4326))`)
	if err := r.hub.Owner.QueryRow(t.Context(), `
		insert into account (login, password_hash, role, eric_id) values ('mediateur', 'x', 'mediator', 'roquebelle') returning id`).Scan(&r.mediator); err != nil {
		t.Fatal(err)
	}
	r.loadRecords()
	r.tx(func(tx pgx.Tx) error {
		_, err := osm.PutThemes(t.Context(), tx, []osm.Theme{{
			ID: "eau", Title: geo.Text{"fr": "Points d’eau"}, Selection: osm.Selection{Any: []osm.Terms{{"amenity": {"drinking_water", "fountain"}}}},
		}})
		return err
	})
	r.importOSM()
	r.tx(func(tx pgx.Tx) error {
		_, err := match.PutRule(t.Context(), tx, match.Rule{
			Layer: "fontaines", Theme: "eau", Name: "nom", Distance: match.Distance{Max: 250, Moved: 30},
			Attributes: []match.Attribute{{Field: "potable", Tag: "drinking_water", Type: match.Bool}},
		})
		return err
	})
	if err := catchUp(t.Context(), r.hub); err != nil {
		t.Fatal(err)
	}
	if err := r.hub.Owner.QueryRow(t.Context(), `select id from rule`).Scan(&r.rule); err != nil {
		t.Fatal(err)
	}
	r.exec(`analyze`)
	return r
}

func (r *room) exec(sql string, args ...any) {
	r.t.Helper()
	if _, err := r.hub.Owner.Exec(r.t.Context(), sql, args...); err != nil {
		r.t.Fatal(err)
	}
}

func (r *room) tx(fn func(pgx.Tx) error) {
	r.t.Helper()
	if err := pgx.BeginFunc(r.t.Context(), r.hub.Owner, fn); err != nil {
		r.t.Fatal(err)
	}
}

// number is what a query of one number gives.
func (r *room) number(sql string, args ...any) (n int) {
	r.t.Helper()
	if err := r.hub.Owner.QueryRow(r.t.Context(), sql, args...).Scan(&n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (r *room) loadRecords() {
	r.t.Helper()
	ctx := r.t.Context()
	l, err := postgis.BeginLoad(ctx, r.hub, "fontaines")
	if err != nil {
		r.t.Fatal(err)
	}
	defer l.Close()
	if err := l.Begin(ctx, postgis.Delivery{SHA256: []byte{1}, Source: "test"}); err != nil {
		r.t.Fatal(err)
	}
	table := postgis.Table{
		Layer: "fontaines", Title: geo.Text{"fr": "Fontaines"}, SRID: geo.WGS84, GeometryType: geo.Point,
		Fields: []geo.Field{
			{Name: "id", Type: geo.TextField},
			{Name: "nom", Type: geo.TextField},
			{Name: "potable", Type: geo.TextField},
		},
		KeyFields: []string{"id"}, Bounds: geo.Box{MinX: 5, MinY: 43, MaxX: 6, MaxY: 44},
	}
	_, err = l.Layer(ctx, table, func(put func(*postgis.Row) error) (postgis.Tally, error) {
		var tally postgis.Tally
		for i, p := range r.places {
			if p == onlyOSM {
				continue
			}
			lon, lat := at(i)
			g, err := geo.EWKB(orb.Point{lon, lat}, 0)
			if err != nil {
				return tally, err
			}
			tally.Read++
			key := fmt.Sprintf("F%04d", i)
			if err := put(&postgis.Row{Record: tally.Read, Key: key, Geometry: g, Values: []any{key, name(i), "O"}}); err != nil {
				return tally, err
			}
		}
		return tally, nil
	})
	if err == nil {
		err = l.Publish(ctx, nil)
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// importOSM imports the places as OpenStreetMap has them, and the edits on
// top: lines of osmtest, "-n5" removes an object. Each is a day newer.
func (r *room) importOSM(edits ...string) {
	r.t.Helper()
	r.edits = append(r.edits, edits...)
	r.day++
	m := osmtest.Grid(r.t, [2]float64{5.3, 43.1}, .001, `| 900001 | 900002 |`)
	for i, p := range r.places {
		lon, lat := at(i)
		water := "yes"
		switch p {
		case onlyFile:
			continue
		case other:
			water = "no"
		case shifted:
			lon += .00074
		case outlined:
			m.Add(building(i)...)
			continue
		}
		m.Add(fmt.Sprintf("n%d v1 Tamenity=fountain,name=%s,drinking_water=%s x%.7f y%.7f", i+1, spaced(name(i)), water, lon, lat))
	}
	for _, e := range r.edits {
		if e[0] == '-' {
			m.Remove(e[1:])
		} else {
			m.Add(e)
		}
	}
	m.Date(time.Date(2026, 11, r.day, 0, 0, 0, 0, time.UTC))
	r.extract = m.File()
	if _, err := osm.Import(r.t.Context(), r.hub, r.extract, osm.Options{}); err != nil {
		r.t.Fatal(err)
	}
}

// node is a line of osmtest for a place: mended as its record says.
func (r *room) node(i, version int) string {
	lon, lat := at(i)
	return fmt.Sprintf("n%d v%d Tamenity=fountain,name=%s,drinking_water=yes x%.7f y%.7f", i+1, version, spaced(name(i)), lon, lat)
}

// building draws a place as a way of four nodes, the first of which is a tap.
func building(i int) []string {
	lon, lat := at(i)
	first := 700001 + 4*i
	var objects []string
	for n, d := range [][2]float64{{-4e-5, -3e-5}, {4e-5, -3e-5}, {4e-5, 3e-5}, {-4e-5, 3e-5}} {
		objects = append(objects, fmt.Sprintf("n%d v%d x%.7f y%.7f", first+n, n+2, lon+d[0], lat+d[1]))
	}
	objects[0] += " Tentrance=main"
	return append(objects, fmt.Sprintf("w%d v7 Tamenity=fountain,building=yes,name=%s,drinking_water=no Nn%d,n%d,n%d,n%d,n%d",
		i+1, spaced(name(i)), first, first+1, first+2, first+3, first))
}

func spaced(s string) string {
	out := ""
	for _, c := range s {
		if c == ' ' {
			out += "%20%"
		} else {
			out += string(c)
		}
	}
	return out
}

// everywhere is an area that holds all places.
var everywhere = Area{GeoJSON: json.RawMessage(`{"type": "Polygon", "coordinates": [[[5.39, 43.19], [5.65, 43.19], [5.65, 43.345], [5.39, 43.345], [5.39, 43.19]]]}`)}

// box is an area.
func box(west, south, east, north float64) Area {
	return Area{GeoJSON: fmt.Appendf(nil, `{"type": "Polygon", "coordinates": [[[%[1]f, %[2]f], [%[3]f, %[2]f], [%[3]f, %[4]f], [%[1]f, %[4]f], [%[1]f, %[2]f]]]}`,
		west, south, east, north)}
}

// session prepares a session on all places and opens it.
func (r *room) session(people, minutes int) Session {
	r.t.Helper()
	return r.sessionIn(everywhere, people, minutes)
}

func (r *room) sessionIn(a Area, people, minutes int) Session {
	r.t.Helper()
	ctx := r.t.Context()
	s, recovery, err := Prepare(ctx, r.hub.Desk, r.mediator, Plan{Title: "Les fontaines du centre", Theme: "eau", Area: a, Minutes: minutes, People: people})
	if err != nil {
		r.t.Fatal(err)
	}
	if len(recovery) != recoveryLength {
		r.t.Fatalf("recovery code %q", recovery)
	}
	if err := Open(ctx, r.hub.Desk, s.Code); err != nil {
		r.t.Fatal(err)
	}
	if s, err = ByCode(ctx, r.hub.Web, s.Code); err != nil {
		r.t.Fatal(err)
	}
	return s
}

func (r *room) join(s Session) Participant {
	r.t.Helper()
	p, _, err := Join(r.t.Context(), r.hub.Desk, s.Code)
	if err != nil {
		r.t.Fatal(err)
	}
	return p
}

func (r *room) next(p Participant) Question {
	r.t.Helper()
	q, _, err := Next(r.t.Context(), r.hub, p.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return q
}

var keys atomic.Int64

func newKey() string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", keys.Add(1)) }

func (r *room) answer(p Participant, task int64, choice int) Recorded {
	r.t.Helper()
	rec, err := Record(r.t.Context(), r.hub.Desk, Answer{Key: newKey(), Task: task, Participant: &p.ID, Choice: choice, How: Screen})
	if err != nil {
		r.t.Fatal(err)
	}
	return rec
}

// tasks gives the session's tasks by the place they are about.
func (r *room) tasks(s Session) map[place][]Task {
	r.t.Helper()
	list, err := Tasks(r.t.Context(), r.hub.Web, s.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	by := map[place][]Task{}
	for _, t := range list {
		by[r.places[r.index(&t)]] = append(by[r.places[r.index(&t)]], t)
	}
	return by
}

// index is the number of a task's place.
func (r *room) index(t *Task) (i int) {
	r.t.Helper()
	var err error
	if t.Record != "" {
		_, err = fmt.Sscanf(t.Record, "F%d", &i)
	} else {
		_, err = fmt.Sscanf(t.OSM, "n%d", &i)
		i--
	}
	if err != nil {
		r.t.Fatalf("task %d of record %q and object %q: %v", t.Number, t.Record, t.OSM, err)
	}
	return i
}

// task reads a task again.
func (r *room) task(id int64) Task {
	r.t.Helper()
	t, err := oneTask(r.t.Context(), r.hub.Web, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return t
}

func (r *room) rematch() {
	r.t.Helper()
	if err := catchUp(context.WithoutCancel(r.t.Context()), r.hub); err != nil {
		r.t.Fatal(err)
	}
}
