package workshop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/match"
)

// maxNote and maxValue are lengths in characters.
const (
	maxNote  = 140
	maxValue = 200
)

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// check refuses what no answer may hold, as a *geo.InputError that says so
// kindly.
func (a *Answer) check() error {
	if !uuid.MatchString(a.Key) {
		return &geo.ParamError{Param: "key", Value: a.Key, Want: "want a UUID"}
	}
	a.Note = strings.TrimSpace(a.Note)
	return checkText(a.Note, maxNote)
}

// checkText refuses free text that is too long, is none, or says how to reach a
// person.
func checkText(s string, most int) error {
	switch {
	case utf8.RuneCountInString(s) > most:
		return geo.Bad(nil, "workshop.note-long", "most", most)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return geo.Bad(nil, "workshop.note-text")
	case geo.HasPhone(s):
		return geo.Bad(nil, "workshop.note-phone")
	case geo.HasMail(s):
		return geo.Bad(nil, "workshop.note-email")
	}
	return nil
}

// Record keeps an answer and settles its task if that is enough. The same key
// again is the same answer: it counts once and gives what it gave. An answer
// that comes late, after its lease or after others, is a second opinion, and
// never refused while its author is known; one that judged what is no more is
// kept and settles nothing. A person who answers a task again replaces their
// answer.
//
// A bad note or value is a *geo.InputError; an unknown task, or one of another
// session, geo.ErrNotFound.
func Record(ctx context.Context, db postgis.DB, a Answer) (r Recorded, err error) {
	if err := a.check(); err != nil {
		return Recorded{}, err
	}
	err = briefly(ctx, db, func(tx pgx.Tx) error {
		var code string
		r, code, err = record(ctx, tx, a)
		if err != nil || r.Again {
			return err
		}
		return tell(ctx, tx, code)
	})
	return r, err
}

func record(ctx context.Context, tx pgx.Tx, a Answer) (r Recorded, code string, err error) {
	session, err := hold(ctx, tx, a.Task)
	if err != nil {
		return r, "", err
	}
	if r, err = received(ctx, tx, a); err != nil || r.Again {
		return r, "", err
	}
	s, by, err := author(ctx, tx, session, a)
	if err != nil {
		return r, "", err
	}
	t, err := oneTask(ctx, tx, a.Task)
	if err != nil {
		return r, "", err
	}
	c, err := t.chosen(a)
	if err != nil {
		return r, "", err
	}
	if !t.sees(&a) {
		c.Value = "" // of another question
	}
	onSite := a.How == Sheet || by != nil && by.OnSite
	values, err := t.values(&a, c, onSite)
	if err != nil {
		return r, "", err
	}
	id, before, err := insertAnswer(ctx, tx, &t, &a, c, onSite, &r)
	if err != nil {
		return r, "", err
	}
	if err := insertValues(ctx, tx, id, onSite, values); err != nil {
		return r, "", err
	}
	if err := endClaim(ctx, tx, &t, a); err != nil {
		return r, "", err
	}
	e := event{
		session: s.ID, task: t.ID, role: a.role(), participant: a.Participant, kind: "answered",
		before: before,
		after:  map[string]any{"answer": id, "says": c.Says, "opinion": r.Opinion, "on_site": onSite, "how": a.How},
	}
	if err := put(ctx, tx, e); err != nil {
		return r, "", err
	}
	r.Verdict, err = settle(ctx, tx, &t, "rule")
	r.Settled = r.Verdict != ""
	return r, s.Code, err
}

// hold waits until the transaction is alone with a task's outcome, whatever
// sessions ask about it, so that opinions are numbered and weighed one after
// the other. It gives the task's session.
func hold(ctx context.Context, tx pgx.Tx, task int64) (session int64, err error) {
	err = tx.QueryRow(ctx, `
		select session_id
		from task, pg_advisory_xact_lock(hashtextextended('outcome ' || outcome_id, 0))
		where id = $1`, task).Scan(&session)
	if err != nil {
		return 0, fmt.Errorf("hold task %d: %w", task, postgis.Kind(err))
	}
	return session, nil
}

func (a *Answer) role() string {
	if a.How == Sheet {
		return "sheet"
	}
	return "participant"
}

// received looks for the same answer, sent before.
func received(ctx context.Context, tx pgx.Tx, a Answer) (r Recorded, err error) {
	var task int64
	var by *int64
	err = tx.QueryRow(ctx, `
		select a.task_id, a.participant_id, a.opinion, coalesce((select v.says from verdict_in_force v where v.outcome_id = t.outcome_id), '')
		from answer a
		join task t on t.id = a.task_id
		where a.idempotency_key = $1`, a.Key).Scan(&task, &by, &r.Opinion, &r.Verdict)
	if errors.Is(err, pgx.ErrNoRows) {
		return Recorded{}, nil
	}
	if err != nil {
		return Recorded{}, fmt.Errorf("look for an answer: %w", postgis.Kind(err))
	}
	if task != a.Task || by != nil && a.Participant != nil && *by != *a.Participant {
		return Recorded{}, &geo.ParamError{Param: "key", Value: a.Key, Want: "want a key that no other answer has"}
	}
	r.Again, r.Settled = true, r.Verdict != ""
	return r, nil
}

// author finds the session and, of an answer on a screen, who gives it.
// Answers are taken from when the session opens until a day after it closes.
func author(ctx context.Context, tx pgx.Tx, session int64, a Answer) (Session, *Participant, error) {
	if a.Participant != nil {
		p, err := findParticipant(ctx, tx, `p.id = $1 and p.session_id = $2`, *a.Participant, session)
		return p.Session, &p, err
	}
	s, err := findSession(ctx, tx, `where s.id = $1 and s.opened_at is not null and (s.closed_at is null or s.closed_at > now() - $2::interval)`,
		session, forgetAfter)
	if err == nil && a.How != Sheet {
		err = fmt.Errorf("answer task %d on behalf of nobody: %w", a.Task, geo.ErrInvalid)
	}
	return s, nil, err
}

// chosen finds the choice that was made, among those of the question as it was
// asked.
func (t *Task) chosen(a Answer) (Choice, error) {
	if !t.sees(&a) {
		if !slices.Contains(said, a.Says) {
			return Choice{}, &geo.ParamError{Param: "choice", Value: a.Says, Want: "want what an answer may say"}
		}
		return Choice{Says: a.Says, Fields: t.typable()}, nil
	}
	asked := *t
	if t.stale() {
		asked.Kind = t.Asked
	}
	q := asked.question()
	if a.Choice == 0 && a.Says == "osm_fixed" { // said from outside a question: "I have mended it"
		return Choice{Says: a.Says}, nil
	}
	c, ok := q.choice(a.Choice, a.Says)
	if !ok {
		return c, &geo.ParamError{Param: "choice", Value: fmt.Sprint(a.Choice, " ", a.Says), Want: "want one of the question's choices"}
	}
	return c, nil
}

// sees tells whether an answer is to what the task asks: a page that was kept
// while the hub was away may have shown an older question.
func (t *Task) sees(a *Answer) bool {
	return a.Print == nil || bytes.Equal(a.Print, t.askedPrint) || bytes.Equal(a.Print, t.print)
}

// said is what answers on a screen may say, whatever the question.
var said = []string{
	exists, elsewhere, gone, wrongFile, wrongOSM, samePlace, otherPlace, duplicate, twoPlaces, cantTell, needsVisit,
}

// typable lists the fields that some question about the task lets people type.
func (t *Task) typable() []string {
	list := []string{placeValue}
	if t.rule.Name != "" {
		list = append(list, t.rule.Name)
	}
	for _, a := range t.rule.Attributes {
		if !slices.Contains(list, a.Field) {
			list = append(list, a.Field)
		}
	}
	return list
}

// A value is one that an answer gives, and where it is from.
type value struct {
	field, value string
	origin       Origin
}

// values gives what an answer tells beside its choice. A button stands for the
// value of its side, whoever presses it wherever: that somebody saw the same
// does not make OpenStreetMap's value the hub's to give. What is typed or
// pointed at on site is observed; at a desk, a position is read off a map that
// OpenStreetMap drew, and text is a note.
func (t *Task) values(a *Answer, c Choice, onSite bool) ([]value, error) {
	var list []value
	if c.Value != "" && !t.stale() {
		list = append(list, value{t.valueField(c), c.Value, c.Origin})
	}
	typed := false
	for _, field := range c.Fields {
		text := strings.TrimSpace(a.Values[field])
		if text == "" {
			continue
		}
		if err := t.checkValue(field, &text); err != nil {
			return nil, err
		}
		switch {
		case onSite:
			list = append(list, value{field, text, Observed})
			typed = true
		case field == placeValue:
			list = append(list, value{field, text, FromOSM})
		case a.Note == "" && utf8.RuneCountInString(text) <= maxNote && checkText(text, maxNote) == nil:
			a.Note = text
		}
	}
	if !onSite || t.Practice || !t.sees(a) {
		return list, nil
	}
	return append(list, t.seenOnSite(c, typed)...), nil
}

// seenOnSite is what a choice itself observes.
func (t *Task) seenOnSite(c Choice, typed bool) []value {
	wrong := func(field string) []value { return []value{{wrongValue, field, Observed}} }
	switch {
	case c.Says == exists:
		return []value{{existsValue, "yes", Observed}}
	case c.Says == gone:
		return []value{{existsValue, "no", Observed}}
	case c.Says == elsewhere && typed:
		return []value{{existsValue, "yes", Observed}}
	case c.Says == elsewhere:
		return append(wrong(placeValue), value{existsValue, "yes", Observed})
	case c.Says == duplicate && t.Kind == match.DuplicateOpenData:
		return []value{{doubleValue, "yes", Observed}}
	case c.Says == wrongFile && !typed:
		if attribute, ok := t.asked(); ok && t.Kind == match.AttributesDiffer {
			return wrong(attribute.Field)
		}
		return wrong(placeValue)
	}
	return nil
}

// valueField names the field of a choice's own value.
func (t *Task) valueField(c Choice) string {
	switch t.Kind {
	case match.Ambiguous:
		return objectValue
	case match.AttributesDiffer:
		attribute, _ := t.asked()
		return attribute.Field
	}
	return placeValue
}

// checkValue refuses what a field can't be, and writes positions in one way. A
// telephone number is refused unless that is what the field is.
func (t *Task) checkValue(field string, text *string) error {
	if field == placeValue {
		lon, lat, err := parsePoint(*text)
		if err != nil {
			return geo.Bad(err, "workshop.position", "value", *text)
		}
		*text = point(lon, lat)
		return nil
	}
	err := checkText(*text, maxValue)
	for _, a := range t.rule.Attributes {
		if a.Field == field && (a.Type == match.Phone || a.Type == match.URL || a.Type == match.Number) && geo.HasPhone(*text) {
			return nil
		}
	}
	return err
}

// insertAnswer adds an answer, and takes back what the same person said before:
// that is what it gives beside its id.
func insertAnswer(ctx context.Context, tx pgx.Tx, t *Task, a *Answer, c Choice, onSite bool, r *Recorded) (id int64, before map[string]any, err error) {
	var replaces *int64
	if a.Participant != nil {
		var said string
		err := tx.QueryRow(ctx, `
			update answer set undone_at = now()
			where task_id = $1 and participant_id = $2 and undone_at is null
			returning id, says`, t.ID, *a.Participant).Scan(&replaces, &said)
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return 0, nil, fmt.Errorf("replace an answer: %w", postgis.Kind(err))
		}
		if replaces != nil {
			before = map[string]any{"answer": *replaces, "says": said}
		}
	}
	print := t.print
	if !t.sees(a) {
		print = a.Print
	}
	err = tx.QueryRow(ctx, `
		insert into answer (idempotency_key, task_id, opinion, participant_id, says, on_site, note, fingerprint, replaces)
		values ($1, $2, (select coalesce(max(opinion), 0) + 1 from answer where task_id = $2), $3, $4, $5, nullif($6, ''), $7, $8)
		returning id, opinion`, a.Key, t.ID, a.Participant, c.Says, onSite, a.Note, print, replaces).Scan(&id, &r.Opinion)
	if err != nil {
		return 0, nil, fmt.Errorf("keep an answer: %w", postgis.Kind(err))
	}
	return id, before, nil
}

func insertValues(ctx context.Context, tx pgx.Tx, answer int64, onSite bool, values []value) error {
	for _, v := range values {
		_, err := tx.Exec(ctx, `insert into answer_value (answer_id, on_site, field, value, origin) values ($1, $2, $3, $4, $5)`,
			answer, onSite, v.field, v.value, v.origin)
		if err != nil {
			return fmt.Errorf("keep the value of %s: %w", v.field, postgis.Kind(err))
		}
	}
	return nil
}

// endClaim ends the lease that an answer was given under.
func endClaim(ctx context.Context, tx pgx.Tx, t *Task, a Answer) error {
	var err error
	if a.Participant != nil {
		_, err = tx.Exec(ctx, `update claim set ended_at = now() where task_id = $1 and participant_id = $2 and ended_at is null`, t.ID, *a.Participant)
	} else {
		_, err = tx.Exec(ctx, `update claim set ended_at = now() where task_id = $1 and how = 'sheet' and ended_at is null`, t.ID)
	}
	if err != nil {
		return fmt.Errorf("end the lease of task %d: %w", t.ID, postgis.Kind(err))
	}
	return nil
}

// Undo takes a participant's last answer back and leases its task to them
// again, if nobody else has it; it gives the task. With nothing to undo it is
// geo.ErrNotFound. The answer stays in the history.
func Undo(ctx context.Context, db postgis.DB, participant int64) (task int64, err error) {
	err = pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		p, err := findParticipant(ctx, tx, `p.id = $1 for no key update`, participant)
		if err != nil {
			return err
		}
		var answer int64
		var says string
		err = tx.QueryRow(ctx, `
			select id, task_id, says from answer
			where participant_id = $1 and undone_at is null
			order by id desc
			limit 1`, participant).Scan(&answer, &task, &says)
		if err != nil {
			return fmt.Errorf("find an answer to undo: %w", postgis.Kind(err))
		}
		return undo(ctx, tx, &p, answer, task, says)
	})
	return task, err
}

func undo(ctx context.Context, tx pgx.Tx, p *Participant, answer, task int64, says string) error {
	if _, err := hold(ctx, tx, task); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update answer set undone_at = now() where id = $1 and undone_at is null`, answer); err != nil {
		return fmt.Errorf("undo an answer: %w", postgis.Kind(err))
	}
	t, err := oneTask(ctx, tx, task)
	if err != nil {
		return err
	}
	e := event{
		session: t.Session, task: t.ID, role: "participant", participant: &p.ID, kind: "undone",
		before: map[string]any{"answer": answer, "says": says},
	}
	if err := put(ctx, tx, e); err != nil {
		return err
	}
	if _, err := settle(ctx, tx, &t, "rule"); err != nil {
		return err
	}
	if p.Session.State == Running && !t.Practice {
		if err := reclaim(ctx, tx, p, &t); err != nil {
			return err
		}
	}
	return tell(ctx, tx, p.Session.Code)
}

// reclaim puts a task back into a participant's hands, in place of what they
// hold.
func reclaim(ctx context.Context, tx pgx.Tx, p *Participant, t *Task) error {
	if err := endExpired(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update claim set ended_at = now() where participant_id = $1 and how = 'screen' and ended_at is null`, p.ID); err != nil {
		return fmt.Errorf("let go of a task: %w", postgis.Kind(err))
	}
	_, err := tx.Exec(ctx, `
		insert into claim (task_id, session_id, outcome_id, participant_id, how, expires_at)
		values ($1, $2, $3, $4, 'screen', now() + $5::interval)
		on conflict do nothing`, t.ID, t.Session, t.Outcome, p.ID, Lease)
	if err != nil {
		return fmt.Errorf("lease task %d: %w", t.ID, postgis.Kind(err))
	}
	return nil
}

// afterHours is how long what is claimed until the end of a session stays
// claimed after the plan's end, at most.
const afterHours = time.Hour
