package workshop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"
	"github.com/paulmach/orb"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm"
)

// Words turns a message into a sentence of the language a file is for.
type Words func(geo.Message) string

// An Export is what a session may hand on to OpenStreetMap: its questions and
// what it proposes. No name, pseudonym, note or practice task is in it.
type Export struct {
	Session  Session
	Tasks    []Task // whose licence lets them leave, by number
	Edits    []Edit // of those that are settled and not mended yet, by number
	Withheld int    // tasks that the licence gate keeps here
}

// ForOSM reads what a session may hand on to OpenStreetMap. Tasks about
// datasets whose licence does not allow it stay here; where that is all of
// them, the answer is the gate's *geo.InputError.
func ForOSM(ctx context.Context, db postgis.DB, s Session) (Export, error) {
	x := Export{Session: s}
	tasks, err := Tasks(ctx, db, s.ID)
	if err != nil {
		return x, err
	}
	if x.Tasks, x.Withheld, err = let(tasks); err != nil {
		return x, err
	}
	findings, err := findings(ctx, db, s, x.Tasks)
	if err != nil {
		return x, err
	}
	x.propose(findings)
	return x, nil
}

// let gives the tasks that the gate lets go to OpenStreetMap.
func let(tasks []Task) (list []Task, withheld int, err error) {
	var why error
	for i := range tasks {
		if tasks[i].Practice {
			continue
		}
		if err := Gate(tasks[i].LicenceClass, ToOSM); err != nil {
			why = err
			withheld++
			continue
		}
		list = append(list, tasks[i])
	}
	if len(list) == 0 && why != nil {
		return nil, withheld, why
	}
	return list, withheld, nil
}

func (x *Export) propose(findings []finding) {
	for i := range findings {
		if e := findings[i].edit(); !e.Empty() {
			x.Edits = append(x.Edits, e)
		}
	}
}

// findings reads what settled tasks were told, what OpenStreetMap has and what
// the file has.
func findings(ctx context.Context, db postgis.DB, s Session, tasks []Task) ([]finding, error) {
	values, err := toldValues(ctx, db, s.ID)
	if err != nil {
		return nil, err
	}
	var selection []byte
	if err := db.QueryRow(ctx, `select selection from theme where id = $1`, s.Theme).Scan(&selection); err != nil {
		return nil, fmt.Errorf("read theme %s: %w", s.Theme, postgis.Kind(err))
	}
	var theme osm.Selection
	if err := json.Unmarshal(selection, &theme); err != nil {
		return nil, fmt.Errorf("decode theme %s: %w", s.Theme, err)
	}
	var keys []string
	var list []finding
	for i := range tasks {
		t := &tasks[i]
		if t.Verdict == "" {
			continue
		}
		f := finding{task: t, values: values[t.ID], theme: theme}
		f.byButton()
		list = append(list, f)
		keys = append(keys, t.OSM)
	}
	objects, err := readObjects(ctx, db, keys)
	if err != nil {
		return nil, err
	}
	files := files{db: db}
	for i := range list {
		f := &list[i]
		f.object = objects[f.task.OSM]
		if f.row, err = files.row(ctx, f.task.Layer, f.task.Record); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// byButton gives a verdict that a person decided without an answer that says
// the same what its button stands for.
func (f *finding) byButton() {
	if len(f.values) > 0 {
		return
	}
	q := f.task.question()
	if c, ok := q.choice(0, f.task.Verdict); ok && c.Value != "" {
		field := f.task.valueField(c)
		f.values = map[string]value{field: {field, c.Value, c.Origin}}
	}
}

// toldValues reads, by task and field, the values of the answers that agree
// with the verdict in force; of several, who was on site comes before, then
// who came first.
func toldValues(ctx context.Context, db postgis.DB, session int64) (map[int64]map[string]value, error) {
	rows, err := db.Query(ctx, `
		select distinct on (t.id, v.field) t.id, v.field, v.value, v.origin
		from task t
		join answer a on a.task_id = t.id and a.undone_at is null
		join verdict_in_force f on (f.outcome_id, f.says, f.fingerprint) = (t.outcome_id, a.says, a.fingerprint)
		join answer_value v on v.answer_id = a.id
		where t.session_id = $1 and not t.practice
		order by t.id, v.field, a.on_site desc, a.id`, session)
	if err != nil {
		return nil, fmt.Errorf("read the values of session %d: %w", session, postgis.Kind(err))
	}
	told := map[int64]map[string]value{}
	var task int64
	var v value
	_, err = pgx.ForEachRow(rows, []any{&task, &v.field, &v.value, &v.origin}, func() error {
		if told[task] == nil {
			told[task] = map[string]value{}
		}
		told[task][v.field] = v
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the values of session %d: %w", session, postgis.Kind(err))
	}
	return told, nil
}

// readObjects reads objects of the copy by their keys.
func readObjects(ctx context.Context, db postgis.DB, keys []string) (map[string]*object, error) {
	rows, err := db.Query(ctx, `
		select f._key, f.version, f.tags, coalesce(st_x(f.at), 0), coalesce(st_y(f.at), 0)
		from (
			select _key, version, tags, st_transform(geom, 4326) as at from osm.point where _key = any ($1)
			union all select _key, version, tags, null from osm.line where _key = any ($1)
			union all select _key, version, tags, null from osm.area where _key = any ($1)
		) f`, keys)
	if err != nil {
		return nil, fmt.Errorf("read objects: %w", postgis.Kind(err))
	}
	objects := map[string]*object{}
	for rows.Next() {
		var key string
		o := &object{}
		if err := rows.Scan(&key, &o.version, &o.tags, &o.lon, &o.lat); err != nil {
			return nil, fmt.Errorf("read objects: %w", err)
		}
		objects[key] = o
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read objects: %w", postgis.Kind(err))
	}
	return objects, readNodes(ctx, db, objects)
}

// readNodes reads the nodes of ways, where the copy has their lists.
func readNodes(ctx context.Context, db postgis.DB, objects map[string]*object) error {
	ways := map[int64]*object{}
	var ids []int64
	for key, o := range objects {
		if id, err := strconv.ParseInt(key[1:], 10, 64); err == nil && key[0] == 'w' {
			ways[id] = o
			ids = append(ids, id)
		}
	}
	rows, err := db.Query(ctx, `
		select w.id, n.id, coalesce(n.version, 0), n.lon / 1e7::float8, n.lat / 1e7::float8, n.tags
		from osm.way w
		cross join unnest(w.nodes) with ordinality r(node, at)
		join osm.node n on n.id = r.node
		where w.id = any ($1)
		order by w.id, r.at`, ids)
	if err != nil {
		return fmt.Errorf("read the nodes of ways: %w", postgis.Kind(err))
	}
	var way int64
	n := element{kind: 'n'}
	_, err = pgx.ForEachRow(rows, []any{&way, &n.id, &n.version, &n.lon, &n.lat, &n.tags}, func() error {
		ways[way].nodes = append(ways[way].nodes, n)
		n.tags = nil
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the nodes of ways: %w", postgis.Kind(err))
	}
	return nil
}

// files reads records of the layers that are served.
type files struct {
	db        postgis.DB
	relations []geo.Relation
}

// row gives a record as the file has it now; nil for one that is no more.
func (f *files) row(ctx context.Context, layer, key string) (*row, error) {
	if key == "" {
		return nil, nil
	}
	if f.relations == nil {
		var err error
		if f.relations, err = postgis.Relations(ctx, f.db); err != nil {
			return nil, err
		}
	}
	i := slices.IndexFunc(f.relations, func(r geo.Relation) bool { return r.Layer == layer })
	if i < 0 {
		return nil, nil
	}
	found, err := postgis.One(ctx, f.db, &f.relations[i], key)
	if errors.Is(err, geo.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := &row{values: map[string]string{}}
	for i, field := range f.relations[i].Fields {
		if v := found.Values[i]; v != nil {
			r.values[field.Name] = fmt.Sprint(v)
		}
	}
	g, err := found.XY()
	if p, ok := g.(orb.Point); ok && err == nil {
		r.lon, r.lat = &p[0], &p[1]
	}
	return r, err
}

// Layers lists the layers whose values are in the files, in order.
func (x *Export) Layers() []string {
	var list []string
	for i := range x.Tasks {
		if l := x.Tasks[i].Layer; !slices.Contains(list, l) {
			list = append(list, l)
		}
	}
	slices.Sort(list)
	return list
}
