package workshop

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/match"
)

// questions are the kinds of outcome that a person can be asked about.
var questions = []match.Kind{
	match.AttributesDiffer, match.Moved, match.FarReference, match.ClosedInOSM, match.OnlyOpenData, match.OnlyOSM,
	match.Ambiguous, match.DuplicateOpenData, match.DuplicateOSM,
}

//go:embed sql/tasks.sql
var tasksSQL string

// Where tasks are read from: those that are, and outcomes that may become one.
const (
	fromTasks    = "task t join outcome o on o.id = t.outcome_id"
	fromOutcomes = "outcome o left join task t on false"
)

// Tasks gives a session's tasks in the order of their numbers, the practice
// task left out.
func Tasks(ctx context.Context, db postgis.DB, session int64) ([]Task, error) {
	return readTasks(ctx, db, fromTasks, "t.session_id = $2 and not t.practice", session)
}

func oneTask(ctx context.Context, db postgis.DB, id int64) (Task, error) {
	list, err := readTasks(ctx, db, fromTasks, "t.id = $2", id)
	if err != nil {
		return Task{}, err
	}
	if len(list) == 0 {
		return Task{}, fmt.Errorf("task %d: %w", id, geo.ErrNotFound)
	}
	return list[0], nil
}

func readTasks(ctx context.Context, db postgis.DB, from, where string, args ...any) ([]Task, error) {
	sql := strings.NewReplacer("{from}", from, "{where}", where).Replace(tasksSQL)
	rows, err := db.Query(ctx, sql, append([]any{questions}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("read the tasks: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, (&reading{}).task)
	if err != nil {
		return nil, fmt.Errorf("read the tasks: %w", postgis.Kind(err))
	}
	return list, nil
}

// A reading is one run of tasks.sql, which tells what tasks of a rule share
// with the first of them.
type reading struct{ shared map[geo.RuleID]about }

func (r *reading) task(row pgx.CollectableRow) (Task, error) {
	var t Task
	var x, y, osmX, osmY *float64 // a record may have lost its geometry
	var rule geo.RuleID
	var shared []byte
	err := row.Scan(&t.ID, &t.Session, &t.Outcome, &t.Number, &t.Cell, &t.Practice,
		&t.Asked, &t.fields, &t.askedOSM, &t.OSMVersion, &t.askedPrint,
		&t.Kind, &t.print, &t.OSM, &t.Name, &t.Reason, &t.Comparison, &t.distance,
		&t.Record, &t.record,
		&x, &y, &osmX, &osmY,
		&t.Layer, &t.LicenceClass, &rule, &shared,
		&t.version, &t.there,
		&t.Open, &t.Verdict, &t.decidedBy,
		&t.Answers, &t.allAnswers, &t.first, &t.held,
		&t.judged,
		&t.Claimed, &t.wasSeen, &t.lastSeen, &t.wanted, &t.visits)
	if err != nil {
		return t, err
	}
	if t.about, err = r.about(rule, shared); err != nil {
		return t, fmt.Errorf("decode what is known of layer %s: %w", t.Layer, err)
	}
	if t.LicenceClass == closedLicence && t.Record != "" {
		t.Name = "" // the file's: no page, map or list may show it
	}
	if x != nil && y != nil {
		t.x, t.y = *x, *y
		t.Lon, t.Lat = geographic(*x, *y)
	}
	if osmX != nil && osmY != nil {
		lon, lat := geographic(*osmX, *osmY)
		t.OSMLon, t.OSMLat = &lon, &lat
	}
	var args struct {
		Args struct {
			Candidates []candidate `json:"candidates"`
		} `json:"args"`
	}
	if err := json.Unmarshal(t.Reason, &args); err != nil {
		return t, fmt.Errorf("decode a reason of layer %s: %w", t.Layer, err)
	}
	t.candidates = args.Args.Candidates
	if err := json.Unmarshal(t.Comparison, &t.compared); err != nil {
		return t, fmt.Errorf("decode a comparison of layer %s: %w", t.Layer, err)
	}
	t.Seen = seen(&t)
	return t, nil
}

// about decodes what the first task of a rule came with, for all of them.
func (r *reading) about(rule geo.RuleID, shared []byte) (about, error) {
	if shared == nil {
		return r.shared[rule], nil
	}
	var in struct {
		Labels   map[string]geo.Text            `json:"labels"`
		Noun     geo.Text                       `json:"noun"`
		Values   map[string]map[string]geo.Text `json:"values"`
		Producer geo.Text                       `json:"producer"`
		Spec     match.Rule                     `json:"spec"`
	}
	if err := json.Unmarshal(shared, &in); err != nil {
		return about{}, err
	}
	noun := geo.Text{}
	for lang, words := range in.Noun {
		noun[lang], _, _ = strings.Cut(words, "|") // one|many
	}
	if r.shared == nil {
		r.shared = map[geo.RuleID]about{}
	}
	r.shared[rule] = about{in.Labels, in.Values, noun, in.Producer, in.Spec}
	return r.shared[rule], nil
}

// geographic gives the place of a point of EPSG:3857, in degrees.
func geographic(x, y float64) (lon, lat float64) {
	const degree = math.Pi / 180
	return x / earthRadius / degree, math.Atan(math.Sinh(y/earthRadius)) / degree
}

// A compared is one attribute side by side, as package match stores it.
type compared struct {
	Field  string `json:"field"`
	Tag    string `json:"tag"`
	Ours   string `json:"ours"`
	Theirs string `json:"theirs"`
	Is     string `json:"is"`
}

// A candidate is an object that an ambiguous record may be.
type candidate struct {
	OSM      string  `json:"osm"`
	Name     string  `json:"name"`
	Distance float64 `json:"distance"`
}

// conflicts lists the attributes that contradict each other, the name first.
func (t *Task) conflicts() []compared {
	var list []compared
	for _, c := range t.compared {
		if c.Is == "conflict" {
			list = append(list, c)
		}
	}
	return list
}

func (t *Task) conflictFields() []string {
	list := []string{}
	for _, c := range t.conflicts() {
		list = append(list, c.Field)
	}
	return list
}

// stale tells whether the outcome is not what the task asked about any more.
func (t *Task) stale() bool { return string(t.print) != string(t.askedPrint) }
