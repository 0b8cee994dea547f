package workshop

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/match"
)

// Limits of a plan.
const (
	maxTitle   = 120
	maxMinutes = 600
	maxPeople  = 60
)

// Check says what is wrong with a plan, as a *geo.InputError.
func (p *Plan) Check() error {
	p.Title = strings.TrimSpace(p.Title)
	switch {
	case p.Title == "" || utf8.RuneCountInString(p.Title) > maxTitle:
		return geo.Bad(nil, "workshop.title", "most", maxTitle)
	case p.Minutes < 1 || p.Minutes > maxMinutes:
		return geo.Bad(nil, "workshop.minutes", "most", maxMinutes)
	case p.People < 1 || p.People > maxPeople:
		return geo.Bad(nil, "workshop.people", "most", maxPeople)
	}
	return nil
}

// Propose says what Prepare would make: tasks dealt into cells, and a warning
// where they are few. It writes nothing. A theme without any rule or an area
// that can't be found is a *geo.InputError.
func Propose(ctx context.Context, db postgis.DB, p Plan) (Proposal, error) {
	if err := p.Check(); err != nil {
		return Proposal{}, err
	}
	if err := checkTheme(ctx, db, p.Theme); err != nil {
		return Proposal{}, err
	}
	area, err := resolve(ctx, db, p.Area)
	if err != nil {
		return Proposal{}, err
	}
	return propose(ctx, db, p, area)
}

func propose(ctx context.Context, db postgis.DB, p Plan, area []byte) (Proposal, error) {
	all, err := candidates(ctx, db, p.Theme, area)
	if err != nil {
		return Proposal{}, err
	}
	out := Proposal{Area: area}
	n := min(wanted(p.People, p.Minutes), len(all))
	if n < fewTasks {
		if out.Warnings, err = warn(ctx, db, p, area, n); err != nil || n == 0 {
			return out, err
		}
	}
	box, err := extent(ctx, db, area)
	if err != nil {
		return Proposal{}, err
	}
	spots := make([]spot, len(all))
	for i := range all {
		spots[i] = spot{x: all[i].x, y: all[i].y, task: i, priority: priority(&all[i])}
	}
	for i, part := range split(choose(spots, n), cellsFor(n), box) {
		cell := Cell{Number: i + 1, Sign: Signs[i%len(Signs)], Tasks: len(part.spots)}
		if cell.Area, err = within(ctx, db, area, part.box); err != nil {
			return Proposal{}, err
		}
		out.Cells = append(out.Cells, cell)
		for _, s := range part.spots {
			t := all[s.task]
			t.Number, t.Cell = len(out.Tasks)+1, cell.Number
			out.Tasks = append(out.Tasks, t)
		}
	}
	return out, nil
}

// candidates reads the outcomes of a theme that are questions without a
// verdict, inside an area.
func candidates(ctx context.Context, db postgis.DB, theme string, area []byte) ([]Task, error) {
	return readTasks(ctx, db, fromOutcomes, `
		r.theme_id = $2 and o.kind = any ($1) and v.id is null and r.id in (select id from public_rule)
		and st_intersects(o.geom, st_transform(st_geomfromewkb($3), 3857))`, theme, area)
}

// widerBy is how much wider an area is tried when it holds few tasks, in
// metres.
var widerBy = []float64{500, 1000, 2000, 5000}

// warn says that there are few tasks, or none, and how many a wider area has.
func warn(ctx context.Context, db postgis.DB, p Plan, area []byte, n int) ([]geo.Message, error) {
	code := "workshop.few-tasks"
	if n == 0 {
		code = "workshop.no-tasks"
	}
	for _, by := range widerBy {
		var found int
		err := db.QueryRow(ctx, `
			select count(*)
			from outcome o
			join public_rule r on r.id = o.rule_id
			where r.theme_id = $1 and o.kind = any ($2)
			  and not exists (select from verdict_in_force v where v.outcome_id = o.id)
			  and st_intersects(o.geom, st_transform(st_buffer(st_geomfromewkb($3)::geography, $4)::geometry, 3857))`,
			p.Theme, questions, area, by).Scan(&found)
		if err != nil {
			return nil, fmt.Errorf("look for tasks farther away: %w", postgis.Kind(err))
		}
		if found >= fewTasks && found > n {
			return []geo.Message{geo.Say(code, "n", n, "wider", by, "there", found)}, nil
		}
	}
	return []geo.Message{geo.Say(code+"-anywhere", "n", n)}, nil
}

// Prepare makes a session of a plan: its cells, tasks and practice task, under
// a code that was never given before. The recovery code is said once; the
// hub keeps only its hash. Without any task it is a *geo.InputError that
// proposes a wider area.
func Prepare(ctx context.Context, db postgis.DB, mediator int64, p Plan) (s Session, recovery string, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		proposal, err := Propose(ctx, tx, p)
		if err != nil {
			return err
		}
		s, recovery, err = prepare(ctx, tx, mediator, p, proposal, rand.Reader)
		return err
	})
	return s, recovery, err
}

// Duplicate prepares another session with the title, theme, area and size of
// an earlier one, and the tasks that are open now.
func Duplicate(ctx context.Context, db postgis.DB, mediator int64, code string) (s Session, recovery string, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		old, err := Find(ctx, tx, code)
		if err != nil {
			return err
		}
		p := Plan{Title: old.Title, Theme: old.Theme, Minutes: old.Minutes, People: old.People}
		proposal, err := propose(ctx, tx, p, old.Area)
		if err != nil {
			return err
		}
		s, recovery, err = prepare(ctx, tx, mediator, p, proposal, rand.Reader)
		return err
	})
	return s, recovery, err
}

func prepare(ctx context.Context, tx pgx.Tx, mediator int64, p Plan, what Proposal, random io.Reader) (Session, string, error) {
	ctx = As(ctx, mediator)
	if len(what.Tasks) == 0 {
		w := what.Warnings[0]
		return Session{}, "", &geo.InputError{Message: w}
	}
	recovery, err := letters(random, recoveryLength)
	if err != nil {
		return Session{}, "", err
	}
	code, id, err := insertSession(ctx, tx, mediator, p, what.Area, recovery, random)
	if err != nil {
		return Session{}, "", err
	}
	for _, c := range what.Cells {
		_, err := tx.Exec(ctx, `insert into cell (session_id, number, area, sign) values ($1, $2, st_geomfromewkb($3), $4)`, id, c.Number, c.Area, c.Sign)
		if err != nil {
			return Session{}, "", fmt.Errorf("write cell %d: %w", c.Number, postgis.Kind(err))
		}
	}
	for i := range what.Tasks {
		if err := insertTask(ctx, tx, id, &what.Tasks[i]); err != nil {
			return Session{}, "", err
		}
	}
	if err := insertPractice(ctx, tx, id, p.Theme, what); err != nil {
		return Session{}, "", err
	}
	compared, err := compareArea(ctx, tx, p.Theme, what.Area) // what the report begins with
	if err != nil {
		return Session{}, "", err
	}
	after := map[string]any{
		"title": p.Title, "theme": p.Theme, "minutes": p.Minutes, "people": p.People, "tasks": len(what.Tasks), "cells": len(what.Cells), "compared": compared,
	}
	if err := put(ctx, tx, event{session: id, role: "mediator", kind: "prepared", after: after}); err != nil {
		return Session{}, "", err
	}
	s, err := Find(ctx, tx, code)
	if err != nil {
		return Session{}, "", err
	}
	return s, recovery, tell(ctx, tx, code)
}

// insertSession writes the session under a code that is free: codes of all
// sessions there ever were are kept, so none is given twice.
func insertSession(ctx context.Context, tx pgx.Tx, mediator int64, p Plan, area []byte, recovery string, random io.Reader) (string, int64, error) {
	for range 20 {
		code, err := newCode(random)
		if err != nil {
			return "", 0, err
		}
		var id int64
		err = tx.QueryRow(ctx, `
			insert into session (code, title, theme_id, mediator_id, area, minutes, people, recovery_sha256)
			select $1, $2, $3, $4, st_geomfromewkb($5), $6, $7, $8
			where not exists (select from session where $1 = any (former_codes))
			on conflict (code) do nothing
			returning id`, code, p.Title, p.Theme, mediator, area, p.Minutes, p.People, recoveryHash(code, recovery)).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			continue // the code was given once
		}
		if err != nil {
			return "", 0, fmt.Errorf("write the session: %w", postgis.Kind(err))
		}
		return code, id, nil
	}
	return "", 0, fmt.Errorf("draw a code that was never given: %w", geo.ErrUnavailable)
}

func insertTask(ctx context.Context, tx pgx.Tx, session int64, t *Task) error {
	_, err := tx.Exec(ctx, `
		insert into task (session_id, outcome_id, cell, number, practice, asked, fingerprint, osm, osm_version, fields)
		values ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), (
			select version from (select _key, version from osm.point union all select _key, version from osm.area union all select _key, version from osm.line) f
			where f._key = $8 limit 1), $9)`,
		session, t.Outcome, t.Cell, t.Number, t.Practice, t.Kind, t.print, t.object(), t.conflictFields())
	if err != nil {
		return fmt.Errorf("write task %d: %w", t.Number, postgis.Kind(err))
	}
	return nil
}

// object is what a task's question is about in OpenStreetMap: the outcome's
// object, or the first that its record may be.
func (t *Task) object() string {
	if t.OSM == "" && t.Kind == match.Ambiguous && len(t.candidates) > 0 {
		return t.candidates[0].OSM
	}
	return t.OSM
}

// insertPractice adds the question to try out on: a place on which the file
// and OpenStreetMap agree, the nearest to the first task. It has the number
// after the last and is never settled nor exported. Where there is no such
// place, there is no practice.
func insertPractice(ctx context.Context, tx pgx.Tx, session int64, theme string, what Proposal) error {
	first := what.Tasks[0]
	list, err := readTasks(ctx, tx, fromOutcomes, `
		o.id = (
			select n.id
			from outcome n
			join public_rule q on q.id = n.rule_id
			where q.theme_id = $2 and n.kind = $3
			order by n.geom <-> st_setsrid(st_point($4, $5), 3857), n.id
			limit 1)`, theme, match.Identical, first.x, first.y)
	if err != nil || len(list) == 0 {
		return err
	}
	t := list[0]
	t.Practice, t.Cell, t.Number = true, first.Cell, len(what.Tasks)+1
	return insertTask(ctx, tx, session, &t)
}

// checkTheme refuses a theme that no rule compares with a layer.
func checkTheme(ctx context.Context, db postgis.DB, theme string) error {
	var known bool
	if err := db.QueryRow(ctx, `select exists (select from public_rule where theme_id = $1)`, theme).Scan(&known); err != nil {
		return fmt.Errorf("look up theme %s: %w", theme, postgis.Kind(err))
	}
	if !known {
		return geo.Bad(nil, "workshop.theme", "theme", theme)
	}
	return nil
}

// A Theme is one that sessions can be about.
type Theme struct {
	ID    string
	Title geo.Text
	Open  int // questions without a verdict, wherever they are
}

// Themes lists the themes that some layer is compared with, in the order of
// the catalogue file.
func Themes(ctx context.Context, db postgis.DB) ([]Theme, error) {
	rows, err := db.Query(ctx, `
		select t.id, t.title, (
			select count(*) from outcome o join public_rule r on r.id = o.rule_id
			where r.theme_id = t.id and o.kind = any ($1) and not exists (select from verdict_in_force v where v.outcome_id = o.id))
		from theme t
		where exists (select from public_rule r where r.theme_id = t.id)
		order by t.position, t.id`, questions)
	if err != nil {
		return nil, fmt.Errorf("list the themes: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Theme])
}
