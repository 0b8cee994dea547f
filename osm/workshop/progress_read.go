package workshop

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/match"
)

// Measure counts a session: nothing of this is stored.
func Measure(ctx context.Context, db postgis.DB, session int64) (Progress, error) {
	tasks, err := Tasks(ctx, db, session)
	if err != nil {
		return Progress{}, err
	}
	p := Progress{Seen: map[Seen]int{}}
	if p.Cells, err = cellProgress(ctx, db, session); err != nil {
		return Progress{}, err
	}
	if p.Groups, err = groupProgress(ctx, db, session); err != nil {
		return Progress{}, err
	}
	for i := range tasks {
		p.count(&tasks[i])
	}
	for _, g := range p.Groups {
		p.People += g.People
	}
	doubts, err := Doubtful(ctx, db, session)
	p.Doubtful = len(doubts)
	p.Left = p.Tasks - p.Answered
	return p, err
}

func (p *Progress) count(t *Task) {
	p.Tasks++
	p.Seen[t.Seen]++
	answered := t.answered()
	if answered {
		p.Answered++
		switch t.tells() {
		case missing:
			p.Missing++
		case differs:
			p.Differs++
		case same:
			p.Same++
		}
		if t.Seen == NotSeenYet && t.toOSM() {
			p.ToVerify++
		}
	}
	i := slices.IndexFunc(p.Cells, func(c CellProgress) bool { return c.Number == t.Cell })
	if i < 0 {
		return
	}
	c := &p.Cells[i]
	g := &p.Groups[slices.IndexFunc(p.Groups, func(g GroupProgress) bool { return g.Sign == c.Sign })]
	c.Tasks++
	g.Tasks++
	if answered {
		c.Answered++
		g.Answered++
	}
}

// answered tells whether somebody has told something about the task, or a
// verdict has been given on what it asks.
func (t *Task) answered() bool { return t.judged != "" || t.Verdict != "" || t.first != "" }

// says is what is known of the place: the verdict, else the first answer.
func (t *Task) says() string {
	for _, s := range []string{t.judged, t.Verdict, t.first} {
		if s != "" {
			return s
		}
	}
	return ""
}

// A telling is what an answer means to the room.
type telling int

const (
	nothing telling = iota
	same            // both sides are right about the place
	differs         // one of them is not
	missing         // it is there and OpenStreetMap lacks it
)

func (t *Task) tells() telling {
	switch says := t.says(); {
	case says == "" || says == needsVisit:
		return nothing
	case t.Asked == match.OnlyOpenData && (says == exists || says == elsewhere):
		return missing
	case says == exists, says == samePlace, says == twoPlaces:
		return same
	}
	return differs
}

// toOSM tells whether an answer asks for a change in OpenStreetMap, which is
// then awaited.
func (t *Task) toOSM() bool {
	says := t.says()
	switch t.Asked {
	case match.OnlyOpenData:
		return says == exists || says == elsewhere
	case match.OnlyOSM, match.ClosedInOSM:
		return says == gone && t.Asked == match.OnlyOSM || says == elsewhere || says == exists && t.Asked == match.ClosedInOSM
	case match.DuplicateOSM:
		return says == duplicate
	}
	return says == wrongOSM || says == elsewhere || says == gone
}

func cellProgress(ctx context.Context, db postgis.DB, session int64) ([]CellProgress, error) {
	rows, err := db.Query(ctx, `
		select c.number, c.sign, st_asgeojson(c.area, 6)::text, st_xmin(c.area), st_ymin(c.area), st_xmax(c.area), st_ymax(c.area),
			exists (select from claim l join task t on t.id = l.task_id
				where (t.session_id, t.cell) = (c.session_id, c.number) and l.how = 'sheet' and l.ended_at is null and l.expires_at > now())
		from cell c
		where c.session_id = $1
		order by c.number`, session)
	if err != nil {
		return nil, fmt.Errorf("read the cells: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c CellProgress, err error) {
		var area string
		err = row.Scan(&c.Number, &c.Sign, &area, &c.Box.MinX, &c.Box.MinY, &c.Box.MaxX, &c.Box.MaxY, &c.Sheet)
		c.Area = []byte(area)
		return c, err
	})
}

// Groups gives the groups of a session with how many have joined each, in the
// order of Signs; tasks are not counted.
func Groups(ctx context.Context, db postgis.DB, session int64) ([]GroupProgress, error) {
	return groupProgress(ctx, db, session)
}

func groupProgress(ctx context.Context, db postgis.DB, session int64) ([]GroupProgress, error) {
	rows, err := db.Query(ctx, `
		select g.sign, (select count(*) from participant p where p.session_id = $1 and p.sign = g.sign), 0, 0
		from unnest($2::text[]) with ordinality g (sign, i)
		where exists (select from cell c where c.session_id = $1 and c.sign = g.sign)
		order by g.i`, session, Signs)
	if err != nil {
		return nil, fmt.Errorf("read the groups: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[GroupProgress])
}

// Doubtful gives what the second reading is about: tasks with answers and
// without a verdict, and those where somebody on site said otherwise than the
// verdict does.
func Doubtful(ctx context.Context, db postgis.DB, session int64) ([]Doubt, error) {
	tasks, err := readTasks(ctx, db, fromTasks, `
		t.session_id = $2 and not t.practice and said.all_n > 0 and coalesce(v.account_id, 0) = 0
		and (o.kind = any ($1) and v.id is null
			or exists (select from answer a
				where a.task_id = t.id and a.undone_at is null and a.on_site and a.says <> v.says and a.says not in ('cant_tell', 'needs_visit')))`, session)
	if err != nil {
		return nil, err
	}
	var list []Doubt
	for i := range tasks {
		t := &tasks[i]
		if overtaken(t) {
			continue
		}
		d := Doubt{Question: t.question()}
		if d.Opinions, err = t.opinions(ctx, db, &d.Question); err != nil {
			return nil, err
		}
		d.Why = why(t, d.Opinions)
		list = append(list, d)
	}
	return list, nil
}

// why says why a task is doubtful.
func why(t *Task, opinions []Opinion) geo.Message {
	told := map[string]bool{}
	for _, o := range opinions {
		if o.Says != cantTell {
			told[o.Says+o.Value] = true
		}
	}
	switch {
	case t.Answers == 0 && len(told) > 0:
		return geo.Say("workshop.why.changed")
	case len(told) > 1:
		return geo.Say("workshop.why.disagree", "n", len(opinions))
	case len(told) == 0:
		return geo.Say("workshop.why.unknown", "n", len(opinions))
	case opinions[0].Says == needsVisit:
		return geo.Say("workshop.why.visit")
	}
	return geo.Say("workshop.why.single")
}

func (t *Task) opinions(ctx context.Context, db postgis.DB, q *Question) ([]Opinion, error) {
	rows, err := db.Query(ctx, `
		select a.opinion, a.says, coalesce((
				select string_agg(v.value, ', ' order by v.field) from answer_value v where v.answer_id = a.id and v.field not in ('_exists', '_wrong', '_duplicate')), ''),
			a.on_site, coalesce(a.note, '')
		from answer a
		where a.task_id = $1 and a.undone_at is null
		order by a.id`, t.ID)
	if err != nil {
		return nil, fmt.Errorf("read the opinions on task %d: %w", t.ID, postgis.Kind(err))
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (o Opinion, err error) {
		err = row.Scan(&o.Number, &o.Says, &o.Value, &o.OnSite, &o.Note)
		c, ok := q.choice(0, o.Says)
		for _, other := range q.Choices { // two choices may say the same of different values
			if ok && other.Says == o.Says && other.Value == o.Value {
				c = other
			}
		}
		o.Label = c.Label
		if !ok {
			o.Label = geo.Say("workshop.says." + o.Says)
		}
		return o, err
	})
}

// Decide is the mediator's second reading of a task: the key of one of its
// question's choices becomes the verdict, above what the rule said. That
// somebody must go and look is noted and leaves the task open; "I don't know"
// is a *geo.ParamError.
func Decide(ctx context.Context, db postgis.DB, account, task int64, choice int) error {
	ctx = As(ctx, account)
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := hold(ctx, tx, task); err != nil {
			return err
		}
		t, err := oneTask(ctx, tx, task)
		if err != nil {
			return err
		}
		q := t.question()
		c, ok := q.choice(choice, "")
		if !ok || choice == 0 || c.Says == cantTell || t.Practice {
			return &geo.ParamError{Param: "choice", Value: fmt.Sprint(choice), Want: "want the key of a choice that tells something"}
		}
		var code string
		if err := tx.QueryRow(ctx, `select code from session where id = $1`, t.Session).Scan(&code); err != nil {
			return fmt.Errorf("decide task %d: %w", task, postgis.Kind(err))
		}
		if err := t.decide(ctx, tx, account, c); err != nil {
			return err
		}
		return tell(ctx, tx, code)
	})
}

// askVisit notes that somebody must go and look, once.
func (t *Task) askVisit(ctx context.Context, tx pgx.Tx, account int64) error {
	_, err := tx.Exec(ctx, `
		insert into visit (outcome_id, account_id, fingerprint) values ($1, $2, $3)
		on conflict (outcome_id, fingerprint) where withdrawn_at is null do nothing`, t.Outcome, account, t.print)
	if err != nil {
		return fmt.Errorf("ask for a visit of task %d: %w", t.ID, postgis.Kind(err))
	}
	return put(ctx, tx, event{session: t.Session, task: t.ID, role: "mediator", kind: "visit-asked"})
}

func (t *Task) decide(ctx context.Context, tx pgx.Tx, account int64, c Choice) error {
	if c.Says == needsVisit {
		return t.askVisit(ctx, tx, account)
	}
	var before int64
	err := tx.QueryRow(ctx, `select coalesce(max(id), 0) from verdict_in_force where outcome_id = $1`, t.Outcome).Scan(&before)
	if err != nil {
		return fmt.Errorf("decide task %d: %w", t.ID, postgis.Kind(err))
	}
	if before != 0 {
		if err := withdraw(ctx, tx, t, before, t.Verdict, "mediator"); err != nil {
			return err
		}
	}
	if err := rule(ctx, tx, t, &account, c.Says, "mediator"); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update claim set ended_at = now() where outcome_id = $1 and ended_at is null`, t.Outcome); err != nil {
		return fmt.Errorf("end the lease of task %d: %w", t.ID, postgis.Kind(err))
	}
	// Who was on site and says what was decided has observed it; of two who
	// named different values, the first.
	opinions, err := standing(ctx, tx, t)
	if err != nil {
		return err
	}
	for _, o := range opinions {
		if o.onSite && o.says == c.Says {
			return correct(ctx, tx, t, o, opinions)
		}
	}
	return nil
}
