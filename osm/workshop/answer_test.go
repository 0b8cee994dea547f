package workshop

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"calanque/geo"
	"calanque/osm/match"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	desk := func(id int64, says string) opinion { return opinion{id: id, says: says} }
	site := func(id int64, says string) opinion { return opinion{id: id, says: says, onSite: true} }
	for name, c := range map[string]struct {
		opinions []opinion
		want     int64 // 0: for the second reading
	}{
		"nobody":                          {nil, 0},
		"one at a desk":                   {[]opinion{desk(1, gone)}, 0},
		"two who agree":                   {[]opinion{desk(1, gone), desk(2, gone)}, 1},
		"two who don't":                   {[]opinion{desk(1, gone), desk(2, exists)}, 0},
		"a third agrees with one":         {[]opinion{desk(1, gone), desk(2, exists), desk(3, exists)}, 2},
		"one on site":                     {[]opinion{site(1, gone)}, 1},
		"on site above two at desks":      {[]opinion{desk(1, gone), desk(2, gone), site(3, exists)}, 3},
		"the first on site":               {[]opinion{site(1, gone), site(2, exists)}, 1},
		"the same word, different values": {[]opinion{{id: 1, says: wrongFile, values: "nom=a"}, {id: 2, says: wrongFile, values: "nom=b"}}, 0},
	} {
		if got, _ := decide(c.opinions); got.id != c.want {
			t.Errorf("%s: got %d, want %d", name, got.id, c.want)
		}
	}
}

func TestSettle(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	ctx := t.Context()
	s := r.session(12, 60)
	by := r.tasks(s)
	a, b, c := r.join(s), r.join(s), r.join(s)

	one := by[onlyFile][0].ID
	if rec := r.answer(a, one, 1); rec.Settled || rec.Opinion != 1 {
		t.Errorf("one at a desk: %+v", rec)
	}
	if rec := r.answer(b, one, 1); !rec.Settled || rec.Opinion != 2 || rec.Verdict != exists {
		t.Errorf("two at desks: %+v", rec)
	}
	if task := r.task(one); task.Open || task.Verdict != exists {
		t.Errorf("settled: open %v, verdict %q", task.Open, task.Verdict)
	}
	if n := r.number(`select count(*) from correction`); n != 0 {
		t.Errorf("%d corrections from desks", n)
	}

	// Two who don't agree, and a third on site.
	two := by[onlyOSM][0].ID
	r.answer(a, two, 1)
	r.answer(b, two, 3)
	doubts, err := Doubtful(ctx, r.hub.Web, s.ID)
	if err != nil || len(doubts) != 1 || doubts[0].Why.Code != "workshop.why.disagree" || len(doubts[0].Opinions) != 2 {
		t.Errorf("doubts %+v (%v)", doubts, err)
	}
	if err := SetOnSite(ctx, r.hub.Desk, c.ID, true); err != nil {
		t.Fatal(err)
	}
	if rec := r.answer(c, two, 1); !rec.Settled || rec.Verdict != exists || rec.Opinion != 3 {
		t.Errorf("on site: %+v", rec)
	}
	// Seen on site, absent from the file.
	if n := r.number(`select count(*) from correction_in_force where record_id is null and field = '_exists'`); n != 1 {
		t.Errorf("%d corrections for what the file lacks, want 1", n)
	}

	// The rule settled at desks gives way to somebody on site.
	three := by[onlyFile][1].ID
	r.answer(a, three, 1)
	r.answer(b, three, 1)
	if rec := r.answer(c, three, 3); rec.Verdict != gone {
		t.Errorf("on site against two at desks: %+v", rec)
	}
	// A person's decision does not.
	if err := Decide(ctx, r.hub.Desk, r.mediator, three, 1); err != nil {
		t.Fatal(err)
	}
	if task := r.task(three); task.Verdict != exists || task.decidedBy != r.mediator {
		t.Errorf("decided: %q by %d", task.Verdict, task.decidedBy)
	}
	if n := r.number(`select count(*) from correction_in_force k join answer a on a.id = k.answer_id where a.task_id = $1`, three); n != 0 {
		t.Errorf("%d corrections against the decision", n)
	}
	if err := Decide(ctx, r.hub.Desk, r.mediator, three, 4); !errors.Is(err, geo.ErrInvalid) {
		t.Errorf("decided not to know: %v", err)
	}

	// "I don't know" settles nothing, however often.
	four := by[other][0].ID
	for _, p := range []Participant{a, b, c} {
		if rec := r.answer(p, four, 4); rec.Settled {
			t.Errorf("nobody knows: %+v", rec)
		}
	}
	p, err := Measure(ctx, r.hub.Web, s.ID)
	if err != nil || p.Answered != 3 || p.Doubtful != 1 || p.Missing != 2 || p.Same != 1 || p.People != 3 || p.Left != p.Tasks-3 {
		t.Errorf("progress %+v (%v)", p, err)
	}
}

// TestOrigins holds what the firewall rests on: the server says where each
// value is from.
func TestOrigins(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	ctx := t.Context()
	s := r.session(12, 60)
	by := r.tasks(s)
	desk, site := r.join(s), r.join(s)
	if err := SetOnSite(ctx, r.hub.Desk, site.ID, true); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		who    Participant
		task   Task
		choice int
		values map[string]string
		want   string // field=value origin, sorted
		sent   string // fields of the corrections
	}{
		"file's side, at a desk":     {desk, by[other][0], 1, nil, "potable=O open_data", ""},
		"OSM's side, at a desk":      {desk, by[other][1], 2, nil, "potable=no osm", ""},
		"other, at a desk":           {desk, by[other][2], 3, map[string]string{"potable": "parfois"}, "", ""},
		"file's side, on site":       {site, by[other][3], 1, nil, "potable=O open_data", ""},
		"OSM's side, on site":        {site, by[other][4], 2, nil, "_wrong=potable observed, potable=no osm", "_wrong"},
		"other, on site":             {site, by[other][5], 3, map[string]string{"potable": "N", "nom": "x"}, "potable=N observed", "potable"},
		"gone, on site":              {site, by[onlyFile][0], 3, nil, "_exists=no observed", "_exists"},
		"there, on site":             {site, by[onlyFile][1], 1, nil, "_exists=yes observed", ""},
		"elsewhere, on site":         {site, by[onlyFile][2], 2, map[string]string{"_geom": "5.4, 43.2"}, "_exists=yes observed, _geom=5.4000000 43.2000000 observed", "_geom"},
		"elsewhere, but not where":   {site, by[onlyFile][3], 2, nil, "_exists=yes observed, _wrong=_geom observed", "_wrong"},
		"elsewhere, at a desk":       {desk, by[onlyFile][4], 2, map[string]string{"_geom": "5.4 43.2"}, "_geom=5.4000000 43.2000000 osm", ""},
		"absent from the file":       {site, by[onlyOSM][0], 1, map[string]string{"nom": "La Vieille"}, "_exists=yes observed, nom=La Vieille observed", "_exists nom"},
		"gone, at a desk":            {desk, by[onlyOSM][1], 3, nil, "", ""},
		"the file's point, on site":  {site, by[shifted][0], 1, nil, "_geom=" + pointOf(by[shifted][0]) + " open_data", ""},
		"OSM's point, on site":       {site, by[shifted][1], 2, nil, "_geom=" + osmPointOf(by[shifted][1]) + " osm, _wrong=_geom observed", "_wrong"},
		"neither point, on site":     {site, by[shifted][2], 3, map[string]string{"_geom": "5.4 43.2"}, "_exists=yes observed, _geom=5.4000000 43.2000000 observed", "_geom"},
		"a field that was not asked": {site, by[onlyFile][5], 1, map[string]string{"nom": "x", "_exists": "no"}, "_exists=yes observed", ""},
	} {
		_, err := Record(ctx, r.hub.Desk, Answer{Key: newKey(), Task: c.task.ID, Participant: &c.who.ID, Choice: c.choice, Values: c.values, How: Screen})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := r.text(`
			select coalesce(string_agg(v.field || '=' || v.value || ' ' || v.origin, ', ' order by v.field), '')
			from answer a join answer_value v on v.answer_id = a.id where a.task_id = $1`, c.task.ID); got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if got := r.text(`
			select coalesce(string_agg(k.field, ' ' order by k.field), '')
			from answer a join correction_in_force k on k.answer_id = a.id where a.task_id = $1`, c.task.ID); got != c.sent {
			t.Errorf("%s: corrected %q, want %q", name, got, c.sent)
		}
	}
	if got := r.text(`select note from answer where note is not null`); got != "parfois" {
		t.Errorf("what was typed at a desk: note %q", got)
	}
}

func pointOf(t Task) string    { return point(t.Lon, t.Lat) }
func osmPointOf(t Task) string { return point(*t.OSMLon, *t.OSMLat) }

func (r *room) text(sql string, args ...any) (s string) {
	r.t.Helper()
	if err := r.hub.Owner.QueryRow(r.t.Context(), sql, args...).Scan(&s); err != nil {
		r.t.Fatal(err)
	}
	return s
}

func TestRecordOnce(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	ctx := t.Context()
	s := r.session(12, 60)
	p, q := r.join(s), r.join(s)
	task := r.next(p).Task.ID
	a := Answer{Key: newKey(), Task: task, Participant: &p.ID, Choice: 1, How: Screen}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if rec, err := Record(ctx, r.hub.Desk, a); err != nil || rec.Opinion != 1 {
				t.Errorf("got %+v (%v)", rec, err)
			}
		})
	}
	wg.Wait()
	if n := r.number(`select count(*) from answer`); n != 1 {
		t.Errorf("sent eight times, kept %d times", n)
	}
	// Two at once on one task: both are kept.
	other := r.next(q).Task.ID
	for _, who := range []Participant{p, q} {
		wg.Go(func() {
			if _, err := Record(ctx, r.hub.Desk, Answer{Key: newKey(), Task: other, Participant: &who.ID, Choice: 1, How: Screen}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := r.text(`select string_agg(opinion::text, ',' order by opinion) from answer where task_id = $1`, other); got != "1,2" {
		t.Errorf("opinions %s, want 1,2", got)
	}
	if r.task(other).Open {
		t.Error("two who agree at once have settled nothing")
	}
	a.Task = other
	if _, err := Record(ctx, r.hub.Desk, a); !errors.Is(err, geo.ErrInvalid) {
		t.Errorf("a key of another answer: %v", err)
	}
	// A person who answers again replaces their answer.
	r.answer(p, task, 3)
	if got := r.text(`select string_agg(says || coalesce(' for ' || replaces, ''), ',') from answer where task_id = $1 and undone_at is null`, task); !strings.HasPrefix(got, "gone for ") {
		t.Errorf("replaced: %s", got)
	}
	// Nobody else's session.
	o := r.session(12, 60)
	stranger := r.join(o)
	if _, err := Record(ctx, r.hub.Desk, Answer{Key: newKey(), Task: task, Participant: &stranger.ID, Choice: 1, How: Screen}); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("a stranger: %v", err)
	}
	if _, err := Record(ctx, r.hub.Desk, Answer{Key: newKey(), Task: task, Choice: 1, How: Screen}); !errors.Is(err, geo.ErrInvalid) {
		t.Errorf("nobody: %v", err)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	s := r.session(12, 60)
	p := r.join(s)
	task := r.next(p).Task.ID
	for note, want := range map[string]string{
		"la fontaine est derrière le mur, à 12 m":   "",
		"en service depuis 1998, 3 becs":            "",
		"appelez le 06 12 34 56 78":                 "workshop.note-phone",
		"+33(0)4.91.00.00.00":                       "workshop.note-phone",
		"0491000000":                                "workshop.note-phone",
		"écrire à marie.dupont@example.org":         "workshop.note-email",
		"marie (at) example.org":                    "workshop.note-email",
		"marie arobase example point org":           "workshop.note-email",
		strings.Repeat("é", 141):                    "workshop.note-long",
		strings.Repeat("é", 140):                    "",
		"du 12 au 24 novembre, de 10 h à 12 h 30 ?": "",
	} {
		_, err := Record(t.Context(), r.hub.Desk, Answer{Key: newKey(), Task: task, Participant: &p.ID, Choice: 1, Note: note, How: Screen})
		var bad *geo.InputError
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", note, err)
		case want != "" && (!errors.As(err, &bad) || bad.Code != want):
			t.Errorf("%q: got %v, want %s", note, err, want)
		}
	}
	for name, a := range map[string]Answer{
		"no key":    {Task: task, Participant: &p.ID, Choice: 1},
		"no choice": {Key: newKey(), Task: task, Participant: &p.ID},
		"choice 7":  {Key: newKey(), Task: task, Participant: &p.ID, Choice: 7},
		"says":      {Key: newKey(), Task: task, Participant: &p.ID, Says: "destroyed"},
	} {
		a.How = Screen
		if _, err := Record(t.Context(), r.hub.Desk, a); !errors.Is(err, geo.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Record(t.Context(), r.hub.Desk, Answer{Key: newKey(), Task: 1 << 40, Participant: &p.ID, Choice: 1, How: Screen}); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("no such task: %v", err)
	}
}

func TestUndo(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	ctx := t.Context()
	s := r.session(12, 60)
	p := r.join(s)
	if err := SetOnSite(ctx, r.hub.Desk, p.ID, true); err != nil {
		t.Fatal(err)
	}
	if _, err := Undo(ctx, r.hub.Desk, p.ID); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("nothing to undo: %v", err)
	}
	task := r.next(p).Task
	if rec := r.answer(p, task.ID, 3); !rec.Settled {
		t.Fatalf("on site: %+v", rec)
	}
	held := r.next(p).Task.ID
	back, err := Undo(ctx, r.hub.Desk, p.ID)
	if err != nil || back != task.ID {
		t.Fatalf("got task %d (%v), want %d", back, err, task.ID)
	}
	if got := r.task(task.ID); !got.Open || !got.Claimed || got.Answers != 0 {
		t.Errorf("undone: open %v, claimed %v, answers %d", got.Open, got.Claimed, got.Answers)
	}
	if r.task(held).Claimed {
		t.Error("two tasks in one hand")
	}
	if q := r.next(p); q.Task.ID != task.ID {
		t.Errorf("next is task %d, want the one undone, %d", q.Task.ID, task.ID)
	}
	if n := r.number(`select count(*) from correction_in_force`); n != 0 {
		t.Errorf("%d corrections of an answer that was undone", n)
	}
	if rec := r.answer(p, task.ID, 1); !rec.Settled || rec.Opinion != 2 {
		t.Errorf("answered again: %+v", rec)
	}
	if got := r.text(`select string_agg(kind, ' ' order by id) from session_event where task_id = $1`, task.ID); got != "claimed answered settled undone withdrawn answered settled" {
		t.Errorf("history: %s", got)
	}
}

func TestSheet(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 100)
	ctx := t.Context()
	s := r.session(12, 90)
	p := r.join(s) // cell 1
	taken, err := TakeSheet(ctx, r.hub.Desk, s.Code, 1)
	if err != nil || taken < 6 {
		t.Fatalf("took %d (%v)", taken, err)
	}
	if q := r.next(p); q.Task.Cell == 1 {
		t.Error("asked on a screen about what is on paper")
	}
	list, err := Tasks(ctx, r.hub.Web, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	lines := []Line{{Key: newKey(), Number: 1, Choice: 1, Note: "au crayon"}, {Key: newKey(), Number: 2, Choice: 4}, {Key: newKey(), Number: 3}}
	for range 2 { // entered twice, counted once
		recs, err := EnterSheet(ctx, r.hub.Desk, s.Code, lines)
		if err != nil || len(recs) != 3 || !recs[0].Settled || recs[1].Settled || recs[2].Opinion != 0 {
			t.Errorf("got %+v (%v)", recs, err)
		}
	}
	if n := r.number(`select count(*) from answer where on_site and participant_id is null`); n != 2 {
		t.Errorf("%d answers, want 2", n)
	}
	if n := r.number(`select count(*) from claim where how = 'sheet' and ended_at is null`); n != taken-3 {
		t.Errorf("%d tasks still on paper, want %d", n, taken-3)
	}
	// A line that is mended replaces what it said; one that is blank now takes it back.
	mended := []Line{{Key: lines[0].Key, Number: 1, Choice: 3}, {Key: lines[1].Key, Number: 2}, {Key: lines[2].Key, Number: 3, Unreadable: true}}
	for range 2 {
		recs, err := EnterSheet(ctx, r.hub.Desk, s.Code, mended)
		if err != nil || !recs[0].Settled || recs[1].Settled {
			t.Errorf("mended: got %+v (%v)", recs, err)
		}
	}
	if n := r.number(`select count(*) from answer where undone_at is null`); n != 1 {
		t.Errorf("%d answers stand, want 1", n)
	}
	if got := r.task(list[0].ID); got.Open || got.Answers != 1 {
		t.Errorf("line 1 is open %v with %d answers", got.Open, got.Answers)
	}
	if n := r.number(`select count(*) from session_event where kind = 'unreadable'`); n != 1 {
		t.Errorf("%d unreadable lines, want 1", n)
	}
	// Undone, and entered once more under the same keys.
	if _, err := EnterSheet(ctx, r.hub.Desk, s.Code, []Line{{Key: lines[0].Key, Number: 1}}); err != nil || !r.task(list[0].ID).Open {
		t.Errorf("undone: %v", err)
	}
	if recs, err := EnterSheet(ctx, r.hub.Desk, s.Code, lines[:1]); err != nil || !recs[0].Settled || r.task(list[0].ID).Answers != 1 {
		t.Errorf("entered after an undo: %+v (%v)", recs, err)
	}
	stand := r.number(`select count(*) from answer where undone_at is null`)
	bad := []Line{{Key: newKey(), Number: list[4].Number, Choice: 1}, {Key: newKey(), Number: list[5].Number, Choice: 1, Note: "06 12 34 56 78"}}
	var input *geo.InputError
	var line *LineError
	if _, err := EnterSheet(ctx, r.hub.Desk, s.Code, bad); !errors.As(err, &input) || !errors.As(err, &line) || line.Number != list[5].Number {
		t.Errorf("a bad line: %v", err)
	}
	if n := r.number(`select count(*) from answer where undone_at is null`); n != stand {
		t.Error("a sheet with a bad line was entered in part")
	}
	if err := TakeBack(ctx, r.hub.Desk, s.Code, list[5].ID); err != nil || r.task(list[5].ID).Claimed {
		t.Errorf("taken back: %v", err)
	}
	if out, err := SheetsOut(ctx, r.hub.Web, s.ID); err != nil || out[1] != taken-4 {
		t.Errorf("on paper: %v (%v), want %d", out, err, taken-4)
	}
	if n, err := ReleaseSheet(ctx, r.hub.Desk, s.Code, 1); err != nil || n != taken-4 {
		t.Errorf("released %d (%v), want %d", n, err, taken-4)
	}
}

func TestQuestions(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	s := r.session(12, 60)
	by := r.tasks(s)
	for place, want := range map[place]string{
		onlyFile: "workshop.ask.only-open-data: exists_as_described, exists_elsewhere, gone, cant_tell",
		onlyOSM:  "workshop.ask.only-osm: exists_as_described, exists_elsewhere, gone, cant_tell",
		other:    "workshop.ask.value: wrong_osm, wrong_open_data, wrong_open_data, cant_tell",
		shifted:  "workshop.ask.moved: wrong_osm, wrong_open_data, exists_elsewhere, cant_tell",
	} {
		q, err := Ask(t.Context(), r.hub.Web, by[place][0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if got := worded(q); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	// A file that is closed shows none of its values.
	r.exec(`update dataset set licence_id = 'closed'`)
	q, err := Ask(t.Context(), r.hub.Web, by[other][0].ID)
	if err != nil {
		t.Fatal(err)
	}
	if got := worded(q); got != "workshop.ask.observe-unnamed: wrong_open_data, gone, needs_visit, cant_tell" {
		t.Errorf("closed licence: %s", got)
	}
	if shown := fmt.Sprint(q.Ask, q.Choices); strings.Contains(shown, by[other][0].Name) || strings.Contains(shown, "{1 wrong_osm") {
		t.Errorf("closed licence shows %s", shown)
	}
	two := Task{Kind: match.Ambiguous, Name: "x", known: known{candidates: []candidate{{OSM: "n1", Name: "A"}, {OSM: "n2"}}}}
	if got := worded(two.question()); got != "workshop.ask.which: same_place, same_place, not_same_place, cant_tell" {
		t.Errorf("two candidates: %s", got)
	}
}

// worded gives a question in a line, and holds that keys count from 1 to 4.
func worded(q Question) string {
	var says []string
	for i, c := range q.Choices {
		if c.Key != i+1 {
			return fmt.Sprintf("choice %d has key %d", i+1, c.Key)
		}
		says = append(says, c.Says)
	}
	return q.Ask.Code + ": " + strings.Join(says, ", ")
}
