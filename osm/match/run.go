package match

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Report says what a run found.
type Report struct {
	Rule    geo.RuleID    `json:"rule"`
	Layer   string        `json:"layer"`
	Theme   string        `json:"theme"`
	Records int           `json:"records"`
	Objects int           `json:"objects"` // of the theme, near a record or inside the territory
	Kinds   map[Kind]int  `json:"kinds"`
	Groups  map[Group]int `json:"groups"`
	Changed int64         `json:"changed"` // outcomes that are not what they were
	Took    time.Duration `json:"took"`
}

// PutRule writes a rule of the catalogue file and tells whether it is new or
// changed. It is run by whoever follows the log of changes: the entry is the
// last thing PutRule does in the transaction. A rule whose layer or theme does
// not exist is a *geo.InputError.
func PutRule(ctx context.Context, tx pgx.Tx, r Rule) (changed bool, err error) {
	if err := r.Check(); err != nil {
		return false, err
	}
	var layer *geo.LayerID
	var theme bool
	err = tx.QueryRow(ctx, `
		select (select id from layer where name = $1), exists (select from theme where id = $2)`, r.Layer, r.Theme).Scan(&layer, &theme)
	if err != nil {
		return false, fmt.Errorf("look up rule %s: %w", r.ID(), postgis.Kind(err))
	}
	if layer == nil {
		return false, geo.Bad(nil, "rule.no-layer", "rule", r.ID(), "layer", r.Layer)
	}
	if !theme {
		return false, geo.Bad(nil, "rule.no-theme", "rule", r.ID(), "theme", r.Theme)
	}
	var is bool
	err = tx.QueryRow(ctx, `select exists (select from rule where (layer_id, theme_id) = ($1, $2) and spec = $3::jsonb)`, layer, r.Theme, r).Scan(&is)
	if err != nil || is {
		return false, postgis.Kind(err) // as it was: nothing is written
	}
	tag, err := tx.Exec(ctx, `
		insert into rule (layer_id, theme_id, spec) values ($1, $2, $3)
		on conflict (layer_id, theme_id) do update set spec = excluded.spec where rule.spec <> excluded.spec`, layer, r.Theme, r)
	if err != nil {
		return false, fmt.Errorf("write rule %s: %w", r.ID(), postgis.Kind(err))
	}
	if tag.RowsAffected() == 0 {
		return false, nil // as it was
	}
	return true, postgis.Append(ctx, tx, postgis.Change{Kind: "match", Subject: r.Layer, Detail: map[string]any{"rule": true}})
}

// Rules gives the ids of the rules of a dataset, or all with "".
func Rules(ctx context.Context, db postgis.DB, dataset string) ([]geo.RuleID, error) {
	rows, err := db.Query(ctx, `
		select r.id
		from rule r
		join layer l on l.id = r.layer_id
		join dataset d on d.id = l.dataset_id
		where ($1 = '' or d.slug = $1) and r.id in (select id from public_rule)
		order by r.id`, dataset)
	if err != nil {
		return nil, fmt.Errorf("list the rules: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, pgx.RowTo[geo.RuleID])
}

// Run compares one rule's layer with its theme and stores the outcomes. It is
// safe to run twice at once: the second waits and finds nothing changed.
// Without a copy of OpenStreetMap it is a *geo.InputError that says so.
func Run(ctx context.Context, hub *postgis.Hub, id geo.RuleID) (Report, error) {
	start := time.Now()
	unlock, err := postgis.Lock(ctx, hub.Owner, fmt.Sprintf("match rule %d", id))
	if err != nil {
		return Report{}, err
	}
	defer unlock()
	var rep Report
	err = pgx.BeginTxFunc(ctx, hub.Owner, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		rep, err = run(ctx, tx, id)
		return err
	})
	if err != nil {
		return Report{}, fmt.Errorf("match rule %d: %w", id, err)
	}
	rep.Took = time.Since(start)
	return rep, nil
}

func run(ctx context.Context, tx pgx.Tx, id geo.RuleID) (Report, error) {
	s, err := openStore(ctx, tx, id)
	if err != nil {
		return Report{}, err
	}
	recs, err := s.records(ctx)
	if err != nil {
		return Report{}, err
	}
	objects, err := s.objects(ctx)
	if err != nil {
		return Report{}, err
	}
	pairs, err := s.pairs(ctx, recs, objects)
	if err != nil {
		return Report{}, err
	}
	m := newModel(&s.rule, objects)
	outcomes := m.decideAll(recs, pairs)
	changed, err := s.write(ctx, m, recs, outcomes)
	if err != nil {
		return Report{}, err
	}
	rep := Report{
		Rule: id, Layer: s.rule.Layer, Theme: s.rule.Theme, Records: len(recs), Objects: len(objects),
		Kinds: map[Kind]int{}, Groups: map[Group]int{}, Changed: changed,
	}
	for _, o := range outcomes {
		rep.Kinds[o.kind]++
		rep.Groups[o.kind.Group()]++
	}
	return rep, nil
}

// Handle gives the function that keeps outcomes up to date from the log of
// changes: a publication re-runs the rules of its dataset, and those whose
// territory it draws; a new rule runs; an import of OSM re-runs all. A rule that can't be run
// is logged and left, so that one mistake does not stop the others.
func Handle(hub *postgis.Hub, log *slog.Logger) func(context.Context, []postgis.Change) error {
	return func(ctx context.Context, changes []postgis.Change) error {
		all := false
		subjects, layers := []string{}, []string{}
		for _, c := range changes {
			switch {
			case c.Kind == "osm":
				all = true
			case c.Kind == "dataset":
				subjects = append(subjects, c.Subject)
			case c.Kind == "match" && c.Detail["rule"] == true:
				layers = append(layers, c.Subject)
			}
		}
		if !all && len(subjects)+len(layers) == 0 {
			return nil
		}
		ids, err := touched(ctx, hub.Owner, all, subjects, layers)
		if err != nil {
			return err
		}
		for _, id := range ids {
			rep, err := Run(ctx, hub, id)
			switch {
			case errors.Is(err, geo.ErrUnavailable) || ctx.Err() != nil:
				return err
			case err != nil:
				log.Error("match failed", "rule", id, "err", err)
			default:
				log.Info("matched", "layer", rep.Layer, "theme", rep.Theme, "records", rep.Records, "changed", rep.Changed, "took", rep.Took)
			}
		}
		return nil
	}
}

func touched(ctx context.Context, db postgis.DB, all bool, subjects, layers []string) ([]geo.RuleID, error) {
	rows, err := db.Query(ctx, `
		select r.id
		from rule r
		join layer l on l.id = r.layer_id
		join dataset d on d.id = l.dataset_id
		where r.id in (select id from public_rule)
		  and exists (select from pg_class where oid = to_regclass('osm.' || quote_ident('theme_' || r.theme_id)))
		  and ($1 or d.slug = any ($2) or l.name = any ($3)
		       or r.spec #>> '{territory,layer}' in (select t.name from layer t join dataset e on e.id = t.dataset_id where e.slug = any ($2)))
		order by r.id`, all, subjects, layers)
	if err != nil {
		return nil, fmt.Errorf("find the rules to run: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, pgx.RowTo[geo.RuleID])
}

// store reads and writes one rule's rows in one transaction.
type store struct {
	tx    pgx.Tx
	id    geo.RuleID
	rule  Rule
	layer geo.LayerID
	rel   geo.Relation
}

func openStore(ctx context.Context, tx pgx.Tx, id geo.RuleID) (*store, error) {
	s := &store{tx: tx, id: id}
	var spec []byte
	var theme, themed bool
	err := tx.QueryRow(ctx, `
		select r.spec, r.layer_id, true, to_regclass('osm.' || quote_ident('theme_' || r.theme_id)) is not null
		from rule r where r.id = $1`, id).Scan(&spec, &s.layer, &theme, &themed)
	if err != nil {
		return nil, postgis.Kind(err)
	}
	if err := json.Unmarshal(spec, &s.rule); err != nil {
		return nil, fmt.Errorf("decode the rule: %w", err)
	}
	if err := s.rule.Check(); err != nil {
		return nil, err
	}
	if !themed {
		return nil, geo.Bad(nil, "match.no-osm", "theme", s.rule.Theme)
	}
	relations, err := postgis.Relations(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, rel := range relations {
		if rel.Layer == s.rule.Layer {
			s.rel = rel
			return s, s.checkFields()
		}
	}
	return nil, geo.Bad(nil, "rule.no-layer", "rule", s.rule.ID(), "layer", s.rule.Layer)
}

func (s *store) checkFields() error {
	for _, f := range s.rule.fields() {
		if _, ok := s.rel.Field(f); !ok {
			names := make([]string, len(s.rel.Fields))
			for i, f := range s.rel.Fields {
				names[i] = f.Name
			}
			return geo.Bad(nil, "rule.no-field", "rule", s.rule.ID(), "field", f, "fields", names)
		}
	}
	return nil
}

func nan(p *float64) float64 {
	if p == nil {
		return math.NaN()
	}
	return *p
}
