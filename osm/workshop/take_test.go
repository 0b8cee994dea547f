package workshop

import (
	"errors"
	"fmt"
	"testing"

	"calanque/geo"
)

func TestTakeByNumber(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 25)
	ctx := t.Context()
	s := r.session(12, 90)
	ann, bob := r.join(s), r.join(s)
	q, _, err := Next(ctx, r.hub, ann.ID)
	if err != nil {
		t.Fatal(err)
	}
	other := q.Task.Number%2 + 1 // another one
	if got, h, err := Take(ctx, r.hub, ann.ID, other); err != nil || h != Mine || got.Task.Number != other {
		t.Fatalf("take %d: %v %v %v", other, got.Task.Number, h, err)
	}
	if n := r.number(`select count(*) from claim where participant_id = $1 and ended_at is null`, ann.ID); n != 1 {
		t.Errorf("%d live leases, want the new one alone", n)
	}
	if _, h, err := Take(ctx, r.hub, bob.ID, other); err != nil || h != Taken {
		t.Errorf("another's question: %v %v, want taken", h, err)
	}
	if err := Heartbeat(ctx, r.hub.Desk, ann.ID); err != nil {
		t.Errorf("heartbeat: %v", err)
	}
	if err := Heartbeat(ctx, r.hub.Desk, bob.ID); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("heartbeat of empty hands: %v", err)
	}
	got, _, err := Take(ctx, r.hub, ann.ID, other)
	if err != nil {
		t.Fatal(err)
	}
	r.exec(`update participant set on_site = true where id = $1`, ann.ID)
	if _, err := Record(ctx, r.hub.Desk, Answer{Key: newKey(), Task: got.Task.ID, Participant: &ann.ID, Choice: 1, How: Screen}); err != nil {
		t.Fatal(err)
	}
	if _, h, err := Take(ctx, r.hub, bob.ID, other); err != nil || h != Settled {
		t.Errorf("a settled question: %v %v, want settled", h, err)
	}
	if _, h, err := Take(ctx, r.hub, ann.ID, other); err != nil || h != Mine {
		t.Errorf("their own answer, to mend: %v %v, want mine", h, err)
	}
	if _, _, err := Take(ctx, r.hub, bob.ID, 999); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("an unknown number: %v", err)
	}
	if err := Freeze(ctx, r.hub.Desk, s.Code, true); err != nil {
		t.Fatal(err)
	}
	var input *geo.InputError
	if _, _, err := Take(ctx, r.hub, bob.ID, 3); !errors.As(err, &input) {
		t.Errorf("while frozen: %v", err)
	}
}

// A question that was looked up is never a stale one, and an answer to an
// older one is kept for what it says and settles nothing.
func TestTakeAfterAChange(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 25, agreed, onlyFile, onlyFile, onlyFile, onlyFile)
	ctx := t.Context()
	s := r.session(12, 90)
	ann, bob := r.join(s), r.join(s)
	r.exec(`update participant set on_site = true`)
	ahead, err := Ahead(ctx, r.hub, ann.ID, 3)
	if err != nil || len(ahead) != 3 {
		t.Fatalf("%d questions ahead: %v", len(ahead), err)
	}
	old := ahead[0]
	var i int
	for name(i) != old.Task.Name {
		i++
	}
	lon, lat := at(i)
	// Somebody maps the place, sixty metres off: the question is another one.
	r.importOSM(fmt.Sprintf("n%d v1 Tamenity=fountain,name=%s,drinking_water=yes x%.7f y%.7f", 9000+i, spaced(name(i)), lon+.00074, lat))
	q, h, err := Take(ctx, r.hub, bob.ID, old.Task.Number)
	if err != nil || h != Mine || q.Task.Kind != "moved" || q.Ask.Code != "workshop.ask.moved" {
		t.Fatalf("after the change: %v %v %s %v", h, err, q.Task.Kind, q.Ask.Code)
	}
	a := Answer{
		Key: newKey(), Task: old.Task.ID, Participant: &ann.ID, Choice: 2, Says: "exists_elsewhere", How: Screen, Print: old.Print(),
		Values: map[string]string{"_geom": "5.4 43.2"},
	}
	got, err := Record(ctx, r.hub.Desk, a)
	if err != nil || got.Settled {
		t.Fatalf("an answer to the older question: %+v %v", got, err)
	}
	if n := r.number(`select count(*) from answer where says = 'exists_elsewhere' and fingerprint = $1`, old.Print()); n != 1 {
		t.Errorf("%d answers kept as they were meant, want 1", n)
	}
	if n := r.number(`select count(*) from correction`); n != 0 {
		t.Errorf("%d corrections of a question that is no more", n)
	}
	a.Key, a.Says = newKey(), "fabulous"
	if _, err := Record(ctx, r.hub.Desk, a); err == nil {
		t.Error("what no answer says was taken")
	}
	a = Answer{Key: newKey(), Task: q.Task.ID, Participant: &bob.ID, Choice: 1, How: Screen, Print: q.Print()}
	if got, err := Record(ctx, r.hub.Desk, a); err != nil || !got.Settled {
		t.Errorf("an answer to what is asked: %+v %v", got, err)
	}
}

func TestJoinAs(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 60)
	ctx := t.Context()
	s := r.session(12, 90)
	name, err := Pseudonym()
	if err != nil {
		t.Fatal(err)
	}
	p, _, err := JoinAs(ctx, r.hub.Desk, s.Code, Wish{Sign: Sun, Pseudonym: name})
	if err != nil || p.Sign != Sun || p.Pseudonym != name {
		t.Fatalf("got %s %s %v, want %s %s", p.Pseudonym, p.Sign, err, name, Sun)
	}
	again, _, err := JoinAs(ctx, r.hub.Desk, s.Code, Wish{Sign: "star", Pseudonym: name})
	if err != nil || again.Pseudonym == name || !ours(again.Pseudonym) {
		t.Errorf("a name that is taken: got %q %v", again.Pseudonym, err)
	}
	for _, bad := range []string{"Camille Dupont", "Olivier", "Olivier 1", "Olivier 007", "Olivier 100", "Olivier 12 "} {
		if p, _, err := JoinAs(ctx, r.hub.Desk, s.Code, Wish{Pseudonym: bad}); err != nil || p.Pseudonym == bad {
			t.Errorf("%q became a pseudonym: %v", bad, err)
		}
	}
	groups, err := Groups(ctx, r.hub.Web, s.ID)
	if err != nil || len(groups) == 0 {
		t.Fatalf("groups: %v", err)
	}
	total := 0
	for _, g := range groups {
		total += g.People
	}
	if total != 8 {
		t.Errorf("%d people in groups, want 8", total)
	}
}

func TestCallAndRecode(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 25)
	ctx := t.Context()
	s, recovery, err := Prepare(ctx, r.hub.Desk, r.mediator, Plan{Title: "x", Theme: "eau", Area: everywhere, Minutes: 60, People: 10})
	if err != nil {
		t.Fatal(err)
	}
	if err := Call(ctx, r.hub.Desk, s.Code, ""); !errors.Is(err, geo.ErrConflict) {
		t.Errorf("a call before opening: %v", err)
	}
	code, again, err := Recode(ctx, r.hub.Desk, s.Code)
	if err != nil || code == s.Code || again == recovery {
		t.Fatalf("recode: %q %q %v", code, again, err)
	}
	if _, err := Find(ctx, r.hub.Web, s.Code); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("the code before: %v", err)
	}
	if _, err := Recover(ctx, r.hub.Web, code, recovery); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("the recovery code before: %v", err)
	}
	if _, err := Recover(ctx, r.hub.Web, code, again); err != nil {
		t.Errorf("the new recovery code: %v", err)
	}
	if n := r.number(`select count(*) from session where $1 = any (former_codes)`, s.Code); n != 1 {
		t.Errorf("the code before is not kept from being given again")
	}
	if err := Open(ctx, r.hub.Desk, code); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Recode(ctx, r.hub.Desk, code); !errors.Is(err, geo.ErrConflict) {
		t.Errorf("recode an open session: %v", err)
	}
	if err := Call(ctx, r.hub.Desk, code, "Regardez le mur"); err != nil {
		t.Fatal(err)
	}
	if got, err := Find(ctx, r.hub.Web, code); err != nil || got.Attention != "Regardez le mur" || got.AttentionLeft < 50 || got.AttentionLeft > 60 {
		t.Errorf("called: %q %v %v", got.Attention, got.AttentionLeft, err)
	}
	var input *geo.InputError
	if err := Call(ctx, r.hub.Desk, code, "06 12 34 56 78"); !errors.As(err, &input) {
		t.Errorf("a telephone number: %v", err)
	}
	r.exec(`update session set attention_until = now() - interval '1 second'`)
	if got, err := Find(ctx, r.hub.Web, code); err != nil || got.AttentionLeft > 0 {
		t.Errorf("a minute later: %v %v", got.AttentionLeft, err)
	}
}

func TestExamples(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 25)
	s := r.session(12, 90)
	list, err := Examples(t.Context(), r.hub.Web, s.ID)
	if err != nil || len(list) != 2 {
		t.Fatalf("%d examples: %v", len(list), err)
	}
	for i, want := range []string{"workshop.ask.only-open-data", "workshop.ask.same"} {
		if got := list[i].Question.Ask.Code; got != want {
			t.Errorf("example %d asks %s, want %s", i, got, want)
		}
		if c, ok := list[i].Question.choice(list[i].Key, ""); !ok || c.Label.Code == "" {
			t.Errorf("example %d has no answer", i)
		}
	}
}
