package api

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/viewer"
)

// versions reads the deliveries: counts and rules, never rows.
func (d *datasetFiller) versions(ctx context.Context) error {
	if d.e.Version == 0 {
		return nil
	}
	rows, err := d.s.Hub.Web.Query(ctx, `
		select v.id, v.number, v.published_at, v.source, lv.n_read, lv.n_loaded, lv.n_repaired, lv.n_rejected, lv.n_no_geometry, count(*) over ()
		from version v
		cross join lateral (
			select coalesce(sum(n_read), 0)::bigint as n_read, coalesce(sum(n_loaded), 0)::bigint as n_loaded,
				coalesce(sum(n_repaired), 0)::bigint as n_repaired, coalesce(sum(n_rejected), 0)::bigint as n_rejected,
				coalesce(sum(n_no_geometry), 0)::bigint as n_no_geometry
			from layer_version where version_id = v.id) lv
		where v.dataset_id = $1 and v.published_at is not null
		order by v.number desc
		limit $2`, d.e.ID, viewer.VersionsShown)
	if err != nil {
		return fmt.Errorf("versions of %s: %w", d.e.Slug, features.Kind(err))
	}
	var ids []int64
	var id int64
	var v viewer.Version
	r := &v.Report
	_, err = pgx.ForEachRow(rows, []any{&id, &v.Number, &v.At, &v.Source, &r.Read, &r.Loaded, &r.Repaired, &r.Rejected, &r.NoGeometry, &d.p.AllVersions}, func() error {
		ids = append(ids, id)
		d.p.Versions = append(d.p.Versions, v)
		return nil
	})
	if err != nil {
		return fmt.Errorf("versions of %s: %w", d.e.Slug, features.Kind(err))
	}
	return d.rules(ctx, ids)
}

// rules tells of the deliveries what was repaired and rejected, by rule. It is
// counted once for each: a delivery does not change.
func (d *datasetFiller) rules(ctx context.Context, ids []int64) error {
	for i, id := range ids {
		v := &d.p.Versions[i]
		if v.Report.Repaired+v.Report.Rejected+v.Report.NoGeometry == 0 {
			continue
		}
		counts, err := d.s.rules.of(strconv.FormatInt(id, 10), 0, func() (ruleCounts, error) { return readRules(ctx, d.s.Hub.Web, id) })
		if err != nil {
			return fmt.Errorf("rules of %s: %w", d.e.Slug, err)
		}
		v.Repaired, v.Rejects = counts.repaired, counts.rejected
	}
	return nil
}

// ruleCounts are what a delivery's rules did, the most frequent first.
type ruleCounts struct{ repaired, rejected []viewer.RuleCount }

func readRules(ctx context.Context, db postgis.DB, version int64) (ruleCounts, error) {
	var counts ruleCounts
	rows, err := db.Query(ctx, `select action, rule, n from issue_count where version_id = $1 order by n desc, rule`, version)
	if err != nil {
		return counts, features.Kind(err)
	}
	var action string
	var c viewer.RuleCount
	_, err = pgx.ForEachRow(rows, []any{&action, &c.Rule, &c.Count}, func() error {
		if action == "rejected" {
			counts.rejected = append(counts.rejected, c)
		} else {
			counts.repaired = append(counts.repaired, c)
		}
		return nil
	})
	return counts, features.Kind(err)
}

// timeline is the chain as the public may read it: states, days and bodies;
// neither accounts nor reasons.
func (d *datasetFiller) timeline(ctx context.Context) error {
	steps, err := catalogue.Steps(ctx, d.s.Hub.Web, d.e.Slug)
	if err != nil {
		return features.Kind(err)
	}
	if len(steps) < 2 && d.e.Chain == catalogue.Partner {
		return nil // opened by its producer: nothing to tell
	}
	for _, step := range steps {
		m := viewer.Milestone{Step: string(step.From) + "-" + string(step.To), At: step.At, Body: step.Body}
		if step.DecidedOn != nil {
			m.At = *step.DecidedOn
		}
		if strings.HasPrefix(m.Body, "calanque") {
			m.Body = "" // a command decides nothing
		}
		for _, r := range d.e.Resources {
			if r.ID == step.Document {
				m.Doc, m.Href = r.Title, r.URL
				if m.Href == "" {
					m.Href = d.p.Path() + "/fichiers/" + r.Name
				}
			}
		}
		if step.Number == 1 && d.e.CountedAt.Before(m.At) { // else it was decided before it was written down
			d.p.Timeline = append(d.p.Timeline, viewer.Milestone{Step: string(catalogue.Counted), At: d.e.CountedAt})
		}
		d.p.Timeline = append(d.p.Timeline, m)
	}
	return nil
}

// groupCounts counts the outcomes of a comparison by group, once for each
// revision of it.
func (s *Server) groupCounts(ctx context.Context, outcomes *geo.Relation) (map[string]int64, error) {
	return s.groups.of(outcomes.Layer, outcomes.Revision, func() (map[string]int64, error) {
		counts := map[string]int64{}
		rows, err := s.Hub.Web.Query(ctx, fmt.Sprintf(`select coalesce(%s::text, ''), count(*) from %s group by 1`,
			ident(groupField), ident(outcomes.Schema, outcomes.Table)))
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", outcomes.Layer, features.Kind(err))
		}
		var group string
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&group, &n}, func() error {
			counts[group] = n
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", outcomes.Layer, features.Kind(err))
		}
		return counts, nil
	})
}
