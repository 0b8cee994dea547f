package workshop

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// An opinion is an answer as the rule weighs it: it stands, it judged what the
// outcome still is, and it tells something.
type opinion struct {
	id     int64
	says   string
	values string // of fields, so that two who name different values don't agree
	onSite bool
}

func (o opinion) agrees(p opinion) bool { return o.says == p.says && o.values == p.values }

// decide is the rule of C5: one on site settles, the first if there are
// several; else two at desks that agree. The opinions are in the order they
// came. Anything else is for the second reading.
func decide(opinions []opinion) (winner opinion, ok bool) {
	for _, o := range opinions {
		if o.onSite {
			return o, true
		}
	}
	for i, o := range opinions {
		for _, p := range opinions[:i] {
			if o.agrees(p) {
				return p, true
			}
		}
	}
	return opinion{}, false
}

// settle makes the verdict on an outcome what the answers amount to, and what
// was observed on site the producer's corrections. A verdict of a person at a
// desk stands above the rule. It tells what verdict is in force.
func settle(ctx context.Context, tx pgx.Tx, t *Task, role string) (says string, err error) {
	if t.Practice {
		return "", nil
	}
	opinions, err := standing(ctx, tx, t)
	if err != nil {
		return "", err
	}
	winner, ok := decide(opinions)
	var verdict int64
	var person bool
	err = tx.QueryRow(ctx, `select id, says, account_id is not null from verdict_in_force where outcome_id = $1`, t.Outcome).Scan(&verdict, &says, &person)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		if !ok {
			return "", nil
		}
	case err != nil:
		return "", fmt.Errorf("read the verdict on task %d: %w", t.ID, postgis.Kind(err))
	case person:
		return says, nil
	case !ok || winner.says != says:
		if err := withdraw(ctx, tx, t, verdict, says, role); err != nil || !ok {
			return "", err
		}
	}
	if verdict == 0 || winner.says != says {
		if err := rule(ctx, tx, t, nil, winner.says, role); err != nil {
			return "", err
		}
	}
	return winner.says, correct(ctx, tx, t, winner, opinions)
}

// standing reads the opinions on a task's outcome as it is now, of all
// sessions, in the order they came.
func standing(ctx context.Context, tx pgx.Tx, t *Task) ([]opinion, error) {
	rows, err := tx.Query(ctx, `
		select a.id, a.says, coalesce(v.list, ''), a.on_site
		from task k
		join answer a on a.task_id = k.id
		left join lateral (
			select string_agg(field || '=' || public.plain(value), ';' order by field) as list
			from answer_value
			where answer_id = a.id and field not in ('_exists', '_geom', '_wrong', '_duplicate')
		) v on true
		where k.outcome_id = $1 and not k.practice
		  and a.undone_at is null and a.fingerprint = $2 and a.says not in ('cant_tell', 'needs_visit', 'osm_fixed')
		  and k.fingerprint = a.fingerprint -- the question was about what the outcome is
		order by a.id`, t.Outcome, t.print)
	if err != nil {
		return nil, fmt.Errorf("read the opinions on task %d: %w", t.ID, postgis.Kind(err))
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (o opinion, err error) {
		err = row.Scan(&o.id, &o.says, &o.values, &o.onSite)
		return o, err
	})
}

// rule writes a verdict; whoever has written the same just before is as good.
func rule(ctx context.Context, tx pgx.Tx, t *Task, account *int64, says, role string) error {
	_, err := tx.Exec(ctx, `
		insert into verdict (outcome_id, says, account_id, fingerprint) values ($1, $2, $3, $4)
		on conflict (outcome_id, fingerprint) where withdrawn_at is null do nothing`, t.Outcome, says, account, t.print)
	if err != nil {
		return fmt.Errorf("settle task %d: %w", t.ID, postgis.Kind(err))
	}
	return put(ctx, tx, event{session: t.Session, task: t.ID, role: role, kind: "settled", after: map[string]any{"says": says}})
}

func withdraw(ctx context.Context, tx pgx.Tx, t *Task, verdict int64, says, role string) error {
	if _, err := tx.Exec(ctx, `update verdict set withdrawn_at = now() where id = $1 and withdrawn_at is null`, verdict); err != nil {
		return fmt.Errorf("withdraw the verdict on task %d: %w", t.ID, postgis.Kind(err))
	}
	return put(ctx, tx, event{session: t.Session, task: t.ID, role: role, kind: "withdrawn", before: map[string]any{"says": says}})
}

// correct hands on to the producer what was observed on site by those who
// agree with the winner. That a place of the file is where it is corrects
// nothing. The database lets nothing pass that was not observed.
func correct(ctx context.Context, tx pgx.Tx, t *Task, winner opinion, opinions []opinion) error {
	var answers []int64
	for _, o := range opinions {
		if o.onSite && o.agrees(winner) {
			answers = append(answers, o.id)
		}
	}
	if len(answers) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `
		insert into correction (record_id, answer_id, field)
		select $2, answer_id, field
		from answer_value
		where answer_id = any ($1) and origin = 'observed' and not (field = '_exists' and value = 'yes' and $2::bigint is not null)
		order by answer_id, field
		on conflict (answer_id, field) do nothing`, answers, t.record)
	if err != nil {
		return fmt.Errorf("write the corrections of task %d: %w", t.ID, postgis.Kind(err))
	}
	return nil
}
