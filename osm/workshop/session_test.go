package workshop

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/match"
)

func TestPrepare(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 100)
	ctx := t.Context()
	kinds := map[string]int{}
	for _, k := range match.Kinds {
		if n := r.number(`select count(*) from outcome where kind = $1`, k); n > 0 {
			kinds[string(k)] = n
		}
	}
	if got := fmt.Sprint(kinds); got != "map[attributes_differ:20 identical:20 moved:20 only_open_data:20 only_osm:18]" {
		t.Fatalf("the fixture is not what it should be: %s", got)
	}
	p := Plan{Title: " Fontaines ", Theme: "eau", Area: everywhere, Minutes: 90, People: 12}
	proposal, err := Propose(ctx, r.hub.Web, p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Propose(ctx, r.hub.Web, p)
	if err != nil || fmt.Sprint(again.Cells) != fmt.Sprint(proposal.Cells) {
		t.Errorf("proposed differently the second time (%v)", err)
	}
	if len(proposal.Tasks) != 48 || len(proposal.Cells) != 8 || len(proposal.Warnings) != 0 {
		t.Fatalf("got %d tasks in %d cells, warnings %v, want 48 in 8 and none", len(proposal.Tasks), len(proposal.Cells), proposal.Warnings)
	}
	s := r.session(12, 90)
	if s.Title != "Les fontaines du centre" || s.State != Running || s.Cells != 8 {
		t.Errorf("session %+v", s)
	}
	// Cells tile the area, and every task lies in its own.
	if n := r.number(`
		select count(*) from session s where id = $1
		  and abs(st_area(s.area) - (select sum(st_area(c.area)) from cell c where c.session_id = s.id)) < 1e-9
		  and st_area(st_symdifference(s.area, (select st_union(c.area) from cell c where c.session_id = s.id))) < 1e-9`, s.ID); n != 1 {
		t.Error("the cells don't tile the area")
	}
	if n := r.number(`
		select count(*) from task t join outcome o on o.id = t.outcome_id join cell c on (c.session_id, c.number) = (t.session_id, t.cell)
		where t.session_id = $1 and not t.practice and not st_intersects(st_buffer(c.area, 1e-7), st_transform(o.geom, 4326))`, s.ID); n != 0 {
		t.Errorf("%d tasks lie outside their cell", n)
	}
	list, err := Tasks(ctx, r.hub.Web, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	cell := 1
	for i, task := range list {
		if task.Number != i+1 || task.Cell < cell {
			t.Errorf("task %d has number %d in cell %d after cell %d", i+1, task.Number, task.Cell, cell)
		}
		if !task.Open || task.Practice || task.Seen != NotSeenYet {
			t.Errorf("task %d: open %v, practice %v, %s", task.Number, task.Open, task.Practice, task.Seen)
		}
		cell = task.Cell
	}
	practice, err := Practice(ctx, r.hub.Web, s.ID)
	if err != nil || !practice.Task.Practice || practice.Task.Kind != match.Identical || practice.Ask.Code != "workshop.ask.only-open-data" {
		t.Errorf("practice %+v (%v)", practice.Ask, err)
	}
	if _, key, err := Example(ctx, r.hub.Web, s.ID); err != nil || key != 1 {
		t.Errorf("example: answer %d (%v)", key, err)
	}
}

func TestFewTasks(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	ctx := t.Context()
	small := func(metres float64) Plan {
		return Plan{Title: "x", Theme: "eau", Area: Area{Around: &Around{"roquebelle", metres}}, Minutes: 60, People: 10}
	}
	p, err := Propose(ctx, r.hub.Web, small(250))
	if err != nil || len(p.Tasks) == 0 || len(p.Tasks) >= 10 || len(p.Warnings) != 1 || p.Warnings[0].Code != "workshop.few-tasks" {
		t.Errorf("%d tasks, warnings %v (%v)", len(p.Tasks), p.Warnings, err)
	}
	r.exec(`insert into eric (id, title, place) values ('loin', 'Loin', st_setsrid(st_point(5.39, 43.19), 4326)), ('ailleurs', 'Ailleurs', st_setsrid(st_point(6, 44), 4326))`)
	for eric, want := range map[string]string{"loin": "workshop.no-tasks", "ailleurs": "workshop.no-tasks-anywhere"} {
		plan := small(100)
		plan.Area.Around.ERIC = eric
		p, err := Propose(ctx, r.hub.Web, plan)
		if err != nil || len(p.Tasks) != 0 || len(p.Warnings) != 1 || p.Warnings[0].Code != want {
			t.Errorf("%s: %d tasks, warnings %v (%v), want %s", eric, len(p.Tasks), p.Warnings, err, want)
		}
		var bad *geo.InputError
		if _, _, err := Prepare(ctx, r.hub.Desk, r.mediator, plan); !errors.As(err, &bad) || bad.Code != want {
			t.Errorf("%s: got %v, want %s", eric, err, want)
		}
	}
	for name, c := range map[string]struct {
		change func(*Plan)
		want   string
	}{
		"title":   {func(p *Plan) { p.Title = "  " }, "workshop.title"},
		"theme":   {func(p *Plan) { p.Theme = "ecoles" }, "workshop.theme"},
		"eric":    {func(p *Plan) { p.Area.Around.ERIC = "nulle-part" }, "workshop.no-eric"},
		"radius":  {func(p *Plan) { p.Area.Around.Metres = 1e6 }, "workshop.radius"},
		"people":  {func(p *Plan) { p.People = 0 }, "workshop.people"},
		"minutes": {func(p *Plan) { p.Minutes = 601 }, "workshop.minutes"},
		"commune": {func(p *Plan) { p.Area = Area{Commune: "Nulle-Part"} }, "workshop.no-commune"},
		"no area": {func(p *Plan) { p.Area = Area{} }, "workshop.no-area"},
		"shape":   {func(p *Plan) { p.Area = Area{GeoJSON: []byte(`{"type": "Point", "coordinates": [5, 43]}`)} }, "workshop.shape"},
		"ring":    {func(p *Plan) { p.Area = Area{GeoJSON: []byte(`{"type": "Polygon", "coordinates": [[[5, 43]]]}`)} }, "workshop.shape"},
		"world": {func(p *Plan) {
			p.Area = Area{GeoJSON: []byte(`{"type": "Polygon", "coordinates": [[[0, 0], [500, 0], [500, 90], [0, 0]]]}`)}
		}, "workshop.shape"},
		"large": {func(p *Plan) {
			p.Area = Area{GeoJSON: []byte(`{"type": "Polygon", "coordinates": [[[0, 0], [5, 0], [5, 9], [0, 0]]]}`)}
		}, "workshop.area-too-large"},
	} {
		plan := small(500)
		c.change(&plan)
		var bad *geo.InputError
		if _, err := Propose(ctx, r.hub.Web, plan); !errors.As(err, &bad) || bad.Code != c.want {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestLife(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	ctx := t.Context()
	s, recovery, err := Prepare(ctx, r.hub.Desk, r.mediator, Plan{Title: "x", Theme: "eau", Area: everywhere, Minutes: 60, People: 10})
	if err != nil {
		t.Fatal(err)
	}
	closedTo := func(when string) {
		t.Helper()
		if _, err := ByCode(ctx, r.hub.Web, s.Code); !errors.Is(err, geo.ErrNotFound) {
			t.Errorf("%s: got %v, want not found", when, err)
		}
		if _, _, err := Join(ctx, r.hub.Desk, s.Code); !errors.Is(err, geo.ErrNotFound) {
			t.Errorf("%s: joined (%v)", when, err)
		}
	}
	closedTo("before it opens")
	if got, err := Recover(ctx, r.hub.Web, s.Code, strings.ToLower(recovery[:4]+" "+recovery[4:])); err != nil || got.ID != s.ID {
		t.Errorf("recovery: %v", err)
	}
	if _, err := Recover(ctx, r.hub.Web, s.Code, "ABCDEFGHJKMN"); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("another recovery code: %v", err)
	}
	for _, step := range []func() error{
		func() error { return Open(ctx, r.hub.Desk, s.Code) },
		func() error { return Open(ctx, r.hub.Desk, s.Code) },
		func() error { return SetPhase(ctx, r.hub.Desk, s.Code, Go) },
		func() error { return Freeze(ctx, r.hub.Desk, s.Code, true) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	p := r.join(s)
	var bad *geo.InputError
	if _, _, err := Next(ctx, r.hub, p.ID); !errors.As(err, &bad) || bad.Code != "workshop.frozen" {
		t.Errorf("frozen: got %v", err)
	}
	if err := Freeze(ctx, r.hub.Desk, s.Code, false); err != nil {
		t.Fatal(err)
	}
	q := r.next(p)
	if err := Close(ctx, r.hub.Desk, s.Code); err != nil {
		t.Fatal(err)
	}
	closedTo("after it closed")
	if n := r.number(`select count(*) from claim where ended_at is null`); n != 0 {
		t.Errorf("%d leases outlive the session", n)
	}
	if rec := r.answer(p, q.Task.ID, 1); rec.Opinion != 1 {
		t.Errorf("an answer that was on its way: %+v", rec)
	}
	if err := Open(ctx, r.hub.Desk, s.Code); !errors.Is(err, geo.ErrConflict) {
		t.Errorf("opened again: %v", err)
	}
	d, _, err := Duplicate(ctx, r.hub.Desk, r.mediator, s.Code)
	if err != nil || d.Code == s.Code || d.Title != "x" || d.State != Prepared {
		t.Errorf("duplicate %+v (%v)", d, err)
	}
	if list, err := List(ctx, r.hub.Web, r.mediator); err != nil || len(list) != 2 || list[0].ID != d.ID {
		t.Errorf("list %v (%v)", list, err)
	}
	// Each step is a line of history and an entry in the log.
	if got := r.number(`select count(*) from session_event where session_id = $1 and task_id is null`, s.ID); got != 7 {
		t.Errorf("got %d lines of history, want 7: prepared, opened, phase, frozen twice, joined, closed", got)
	}
	if got := r.number(`select count(*) from change where kind = 'workshop' and subject = $1`, s.Code); got != 8 {
		t.Errorf("got %d entries in the log, want 8", got)
	}
}

func TestJoin(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 100)
	s := r.session(12, 90)
	ctx := t.Context()
	names, groups, cells := map[string]bool{}, map[Sign]int{}, map[int]int{}
	for range 24 {
		p, token, err := Join(ctx, r.hub.Desk, " "+strings.ToLower(s.Code[:3])+" "+s.Code[3:])
		if err != nil {
			t.Fatal(err)
		}
		names[p.Pseudonym], groups[p.Sign], cells[p.Cell] = true, groups[p.Sign]+1, cells[p.Cell]+1
		back, err := ByToken(ctx, r.hub.Web, token)
		if err != nil || back.ID != p.ID || back.Pseudonym != p.Pseudonym || back.Session.Code != s.Code {
			t.Fatalf("resumed as %+v (%v)", back, err)
		}
		if n := r.number(`select count(*) from participant where token_sha256 = $1 or position($1 in token_sha256) > 0`, []byte(token)); n != 0 {
			t.Fatal("the token is in the database")
		}
	}
	if len(names) != 24 || fmt.Sprint(groups) != "map[fish:6 pine:6 sail:6 sun:6]" || fmt.Sprint(cells) != "map[1:3 2:3 3:3 4:3 5:3 6:3 7:3 8:3]" {
		t.Errorf("%d pseudonyms, groups %v, cells %v", len(names), groups, cells)
	}
	if _, err := ByToken(ctx, r.hub.Web, "no such token"); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("a wrong token: %v", err)
	}
	p := r.join(s)
	if err := ChooseGroup(ctx, r.hub.Desk, p.ID, Fish); err != nil {
		t.Fatal(err)
	}
	if name, err := Rename(ctx, r.hub.Desk, p.ID); err != nil || name == "" {
		t.Errorf("renamed %q (%v)", name, err)
	}
	if err := ChooseGroup(ctx, r.hub.Desk, p.ID, "cat"); !errors.Is(err, geo.ErrInvalid) {
		t.Errorf("a group that is none: %v", err)
	}
}

// TestErase holds that sample data can be taken out although sessions were
// about them.
func TestErase(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 40)
	s := r.session(12, 60)
	p := r.join(s)
	if err := SetOnSite(t.Context(), r.hub.Desk, p.ID, true); err != nil {
		t.Fatal(err)
	}
	r.answer(p, r.next(p).Task.ID, 3)
	r.next(p)
	if err := postgis.Erase(t.Context(), r.hub, "fontaines"); err != nil {
		t.Fatal(err)
	}
	if n := r.number(`select (select count(*) from session) + (select count(*) from task) + (select count(*) from answer) + (select count(*) from verdict)`); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}
