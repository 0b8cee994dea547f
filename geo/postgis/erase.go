package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// Erase takes a dataset out for good: its versions, its rows, its outcomes
// and its address. It is for sample data and mistakes; what partners deliver
// is retired instead. A dataset whose geometry a series of another borrows is
// an ErrConflict; one that is not there is an ErrNotFound.
func Erase(ctx context.Context, h *Hub, slug string) error {
	unlock, ok, err := TryLock(ctx, h.Owner, "load "+slug)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("erase %s while it is being loaded: %w", slug, geo.ErrConflict)
	}
	defer unlock()
	err = pgx.BeginFunc(ctx, h.Owner, func(tx pgx.Tx) error {
		var id geo.DatasetID
		if err := tx.QueryRow(ctx, `select id from dataset where slug = $1 for update`, slug).Scan(&id); err != nil {
			return Kind(err)
		}
		if err := eraseRelations(ctx, tx, id); err != nil {
			return err
		}
		if err := eraseRows(ctx, tx, id); err != nil {
			return err
		}
		return Append(ctx, tx, Change{Kind: "dataset", Subject: slug, Detail: map[string]any{"erased": true}})
	})
	if err != nil {
		return fmt.Errorf("erase %s: %w", slug, err)
	}
	return nil
}

// eraseRelations drops the dataset's tables and views: versions (v), series
// (s), borrowing views (b), overviews of tiles, and the views of outcomes.
func eraseRelations(ctx context.Context, tx pgx.Tx, id geo.DatasetID) error {
	rows, err := tx.Query(ctx, `
		with prefix as (
			select 'v' || id || '_' as p from version where dataset_id = $1
			union all select k || id || '_' from layer, unnest('{s,b}'::text[]) k where dataset_id = $1
		), whole as (
			select 'outcome_' || r.id as name from rule r join layer l on l.id = r.layer_id where l.dataset_id = $1
			union all select t.overview::text from tile_plan t join layer l on l.name = t.layer where l.dataset_id = $1 and t.overview is not null
		)
		select case c.relkind when 'v' then 'view ' else 'table ' end || c.oid::regclass
		from pg_class c
		where c.relnamespace = 'data'::regnamespace and c.relkind in ('r', 'p', 'v') and not c.relispartition
		  and (exists (select from prefix where starts_with(c.relname::text, p)) or c.relname::text in (select name from whole))
		order by c.relkind = 'v' desc, c.relname`, id)
	if err != nil {
		return fmt.Errorf("find its tables: %w", Kind(err))
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("find its tables: %w", Kind(err))
	}
	for _, name := range names {
		if _, err := tx.Exec(ctx, "drop "+name); err != nil { // quoted by regclass
			return fmt.Errorf("drop %s: %w: %w", name, geo.ErrConflict, err)
		}
	}
	return nil
}

// erased are the outcomes of a dataset's rules, and what sessions made of them.
const erased = `
	with outcomes as (
		select o.id from outcome o join rule r on r.id = o.rule_id join layer l on l.id = r.layer_id where l.dataset_id = $1
	), tasks as (
		select t.id from task t where t.outcome_id in (select id from outcomes)
	), answers as (
		select a.id from answer a where a.task_id in (select id from tasks)
	) `

func eraseRows(ctx context.Context, tx pgx.Tx, id geo.DatasetID) error {
	for _, sql := range []string{
		erased + `delete from correction_reply where correction_id in (select id from correction where answer_id in (select id from answers))`,
		erased + `delete from correction where answer_id in (select id from answers)`,
		erased + `delete from answer_value where answer_id in (select id from answers)`,
		erased + `delete from answer where id in (select id from answers)`,
		erased + `delete from claim where task_id in (select id from tasks)`,
		erased + `delete from session_event where task_id in (select id from tasks)`,
		erased + `delete from verdict where outcome_id in (select id from outcomes)`,
		erased + `delete from visit where outcome_id in (select id from outcomes)`,
		erased + `delete from task where id in (select id from tasks)`,
		`delete from live_layer v using layer o, layer l, rule r
			where o.id = v.layer_id and l.dataset_id = $1 and r.layer_id = l.id and v.relation = 'outcome_' || r.id`,
		`delete from rule where layer_id in (select id from layer where dataset_id = $1)`, // outcomes and runs go with it
		`delete from record where layer_id in (select id from layer where dataset_id = $1)`,
		`delete from tile_plan where layer in (select name from layer where dataset_id = $1)`,
		`delete from load_issue where layer_id in (select id from layer where dataset_id = $1)`,
		`delete from layer_version where dataset_id = $1`,
		`delete from borrowed_geometry where layer_id in (select id from layer where dataset_id = $1)`,
		`delete from chain_step where dataset_id = $1`,
		`delete from resource where dataset_id = $1`,
		`delete from dataset_topic where dataset_id = $1`,
		`delete from former_slug where dataset_id = $1`,
		`delete from census_line where dataset_id = $1`,
		`delete from said s using dataset d where d.id = $1 and (s.kind, s.subject) = ('dataset', d.slug)
			or s.kind = 'resource' and d.id = $1 and starts_with(s.subject, d.slug || '/')`,
		`delete from upload where dataset_id = $1`,
		`delete from report where dataset_id = $1`,
		`delete from reuse_dataset where dataset_id = $1`,
		`delete from download where layer_id in (select id from layer where dataset_id = $1)`,
		`delete from correction_reply where version_id in (select id from version where dataset_id = $1)`,
		`delete from layer where dataset_id = $1`,
		`update dataset set published_id = null, published_at = null where id = $1`,
		`delete from version where dataset_id = $1`,
		`delete from dataset where id = $1`,
	} {
		if _, err := tx.Exec(ctx, sql, id); err != nil {
			return fmt.Errorf("delete its rows: %w", Kind(err))
		}
	}
	return eraseSessions(ctx, tx)
}

// eraseSessions deletes the sessions that were about nothing else.
func eraseSessions(ctx context.Context, tx pgx.Tx) error {
	for _, table := range []string{"session_event", "participant", "cell"} {
		_, err := tx.Exec(ctx, `delete from `+table+` where session_id in (
			select id from session s where not exists (select from task t where t.session_id = s.id))`)
		if err != nil {
			return fmt.Errorf("delete the sessions about it: %w", Kind(err))
		}
	}
	_, err := tx.Exec(ctx, `delete from session s where not exists (select from task t where t.session_id = s.id)`)
	if err != nil {
		return fmt.Errorf("delete the sessions about it: %w", Kind(err))
	}
	return nil
}
