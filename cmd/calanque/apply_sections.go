package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/crs"
	"calanque/geo/postgis"
	"calanque/osm"
	"calanque/osm/match"
)

// regionSetting is where the region of the catalogue file is kept.
const regionSetting = "region"

// region is where data should be: what the catalogue file said, else
// Provence-Alpes-Côte d'Azur. Lon/lat.
func region(ctx context.Context, hub *postgis.Hub) (geo.Box, error) {
	var box []float64
	set, err := postgis.Setting(ctx, hub.Owner, regionSetting, &box)
	if err != nil || !set || len(box) != 4 {
		return crs.Region, err
	}
	return geo.Box{MinX: box[0], MinY: box[1], MaxX: box[2], MaxY: box[3]}, nil
}

// A sharedPlan is what is to be done about licences and producers.
type sharedPlan struct {
	licences  []sharedThing[catalogue.Licence]
	producers []sharedThing[catalogue.Producer]
	conflicts []conflict
}

// A sharedThing is one licence or producer.
type sharedThing[T any] struct {
	id     string
	there  bool
	merged merged[T]
	was    map[string]saying
}

// planShared compares licences and producers with what is stored.
func (ap *applier) planShared(ctx context.Context) (sharedPlan, error) {
	var p sharedPlan
	licences, err := catalogue.StoredLicences(ctx, ap.hub.Owner)
	if err != nil {
		return p, err
	}
	for _, l := range ap.wantedLicences(licences) {
		i := slices.IndexFunc(licences, func(s catalogue.Licence) bool { return s.ID == l.ID })
		t, err := planThing(ctx, ap, catalogue.LicenceOf, "licence", l.ID, at(licences, i), &l)
		if err != nil {
			return p, err
		}
		t.merged.want.ID = l.ID
		p.licences, p.conflicts = append(p.licences, t), append(p.conflicts, t.merged.conflict...)
	}
	producers, err := catalogue.Producers(ctx, ap.hub.Owner)
	if err != nil {
		return p, err
	}
	for n := range ap.cat.Producers {
		d := ap.cat.Producers[n].described()
		d.Position = n + 1
		i := slices.IndexFunc(producers, func(s catalogue.Producer) bool { return s.ID == d.ID })
		t, err := planThing(ctx, ap, catalogue.ProducerOf, "producer", d.ID, at(producers, i), &d)
		if err != nil {
			return p, err
		}
		t.merged.want.ID = d.ID
		p.producers, p.conflicts = append(p.producers, t), append(p.conflicts, t.merged.conflict...)
	}
	return p, nil
}

func at[T any](list []T, i int) *T {
	if i < 0 {
		return nil
	}
	return &list[i]
}

func planThing[T any](ctx context.Context, ap *applier, kind catalogue.Kind[T], what, id string, stored, file *T) (sharedThing[T], error) {
	was := ap.said[told{kind.Subject, id}]
	m, err := merge(ctx, ap, described[T]{what: what, id: id, kind: kind, names: []string{id}, stored: stored, file: file, was: was})
	return sharedThing[T]{id, stored != nil, m, was}, err
}

// wantedLicences are those of the file, and those of every hub that its
// datasets name.
func (ap *applier) wantedLicences(stored []catalogue.Licence) []catalogue.Licence {
	var want []catalogue.Licence
	own, used := map[string]bool{}, map[string]bool{}
	for _, s := range ap.cat.Licences {
		l := catalogue.Licence{Licence: geo.Licence{ID: s.ID, Title: s.Title, URL: s.URL, Class: s.Class}, EU: s.EU, Sentence: s.Sentence}
		if i := slices.IndexFunc(catalogue.Licences, func(b catalogue.Licence) bool { return b.ID == s.ID }); i >= 0 {
			// What the file does not say of a licence of every hub is known.
			if l.EU == "" {
				l.EU = catalogue.Licences[i].EU
			}
			if l.Sentence == nil {
				l.Sentence = catalogue.Licences[i].Sentence
			}
		}
		want, own[s.ID] = append(want, l), true
	}
	for _, d := range ap.cat.Datasets {
		used[d.Licence] = true
	}
	for _, l := range catalogue.Licences {
		there := slices.ContainsFunc(stored, func(s catalogue.Licence) bool { return s.ID == l.ID })
		if used[l.ID] && !own[l.ID] && !there {
			want = append(want, l)
		}
	}
	return want
}

// putShared writes the region, the licences, the producers and the ERICs.
func (ap *applier) putShared(ctx context.Context, p sharedPlan) error {
	return pgx.BeginFunc(ctx, ap.hub.Owner, func(tx pgx.Tx) error {
		if err := ap.putRegion(ctx, tx); err != nil {
			return err
		}
		if err := ap.putGazetteer(ctx, tx); err != nil {
			return err
		}
		for _, t := range p.licences {
			if err := putThing(ctx, tx, ap, catalogue.LicenceOf, "licence", t, catalogue.PutLicence); err != nil {
				return err
			}
		}
		for _, t := range p.producers {
			if err := putThing(ctx, tx, ap, catalogue.ProducerOf, "producer", t, catalogue.PutProducer); err != nil {
				return err
			}
		}
		return ap.putERICs(ctx, tx)
	})
}

func putThing[T any](ctx context.Context, tx pgx.Tx, ap *applier, kind catalogue.Kind[T], what string, t sharedThing[T],
	put func(context.Context, pgx.Tx, T, catalogue.By) ([]catalogue.Difference, error),
) error {
	if !t.there || len(t.merged.changed) > 0 {
		c := applyChange{Does: addOrChange(t.there), What: what, ID: t.id}
		if t.there {
			c.Differences = t.merged.changed
			for _, d := range t.merged.changed {
				c.Fields = append(c.Fields, d.Field)
			}
		}
		ap.changed(c)
	}
	if ap.dryRun {
		return nil
	}
	if !t.there || len(t.merged.changed) > 0 {
		if _, err := put(ctx, tx, t.merged.want, byApply); err != nil {
			return err
		}
	}
	if !sayingsDiffer(t.was, t.merged.sayings) {
		return nil
	}
	return putSayings(ctx, tx, told{kind.Subject, t.id}, t.was, t.merged.sayings)
}

// putERICs writes the public internet-access points. One that the file does
// not name stays: accounts and sessions belong to it.
func (ap *applier) putERICs(ctx context.Context, tx pgx.Tx) error {
	stored, err := account.ERICs(ctx, tx)
	if err != nil {
		return err
	}
	was := map[string]account.ERIC{}
	for _, e := range stored {
		was[e.ID] = e
	}
	for _, e := range ap.cat.ERICs {
		old, there := was[e.ID]
		if there && old == e {
			continue
		}
		ap.changed(applyChange{Does: addOrChange(there), What: "eric", ID: e.ID})
		if ap.dryRun {
			continue
		}
		if err := account.PutERIC(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

func (ap *applier) putRegion(ctx context.Context, tx pgx.Tx) error {
	if ap.cat.Region == nil {
		return nil
	}
	var was []float64
	set, err := postgis.Setting(ctx, tx, regionSetting, &was)
	if err != nil || reflect.DeepEqual(was, ap.cat.Region.Box) {
		return err
	}
	ap.changed(applyChange{Does: addOrChange(set), What: "region", ID: fmt.Sprint(ap.cat.Region.Box)})
	if ap.dryRun {
		return nil
	}
	return postgis.PutSetting(ctx, tx, regionSetting, ap.cat.Region.Box)
}

// putGazetteer names the layer of the communes; search hears of it.
func (ap *applier) putGazetteer(ctx context.Context, tx pgx.Tx) error {
	if ap.cat.Gazetteer == nil {
		return nil
	}
	var was catalogue.Gazetteer
	set, err := postgis.Setting(ctx, tx, catalogue.GazetteerSetting, &was)
	if err != nil || was == *ap.cat.Gazetteer {
		return err
	}
	ap.changed(applyChange{Does: addOrChange(set), What: "gazetteer", ID: ap.cat.Gazetteer.Layer})
	if ap.dryRun {
		return nil
	}
	if err := postgis.PutSetting(ctx, tx, catalogue.GazetteerSetting, ap.cat.Gazetteer); err != nil {
		return err
	}
	return postgis.Append(ctx, tx, postgis.Change{Kind: "catalogue", Subject: catalogue.GazetteerSetting})
}

func addOrChange(there bool) string {
	if there {
		return "change"
	}
	return "add"
}

// same compares by what is stored: JSON.
func same(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	if err1 != nil || err2 != nil {
		return false
	}
	var u, v any
	if json.Unmarshal(x, &u) != nil || json.Unmarshal(y, &v) != nil {
		return false
	}
	return reflect.DeepEqual(u, v)
}

// putThemes declares the selections of OpenStreetMap objects.
func (ap *applier) putThemes(ctx context.Context) error {
	if len(ap.cat.Themes) == 0 {
		return nil
	}
	var changed []string
	err := ap.try(ctx, func(tx pgx.Tx) (err error) {
		changed, err = osm.PutThemes(ctx, tx, ap.cat.Themes)
		return err
	})
	for _, id := range changed {
		ap.changed(applyChange{Does: "change", What: "theme", ID: id})
	}
	return err
}

// putRules declares the comparisons. When a dataset could not be loaded,
// rules of layers that do not exist are left for the next time.
func (ap *applier) putRules(ctx context.Context, incomplete bool) error {
	for i := range ap.cat.Rules {
		rule := ap.cat.Rules[i]
		there, err := postgis.HasLayer(ctx, ap.hub.Owner, rule.Layer)
		if err != nil {
			return err
		}
		if !there && (incomplete || ap.dryRun) {
			ap.changed(applyChange{Does: "add", What: "rule", ID: rule.ID()})
			continue
		}
		changed := false
		err = ap.try(ctx, func(tx pgx.Tx) (err error) {
			changed, err = match.PutRule(ctx, tx, rule)
			return err
		})
		if err != nil {
			return ap.placed(err, "rules", i)
		}
		if changed {
			ap.changed(applyChange{Does: "change", What: "rule", ID: rule.ID()})
		}
	}
	return nil
}

// try does something in a transaction, which a dry run rolls back.
func (ap *applier) try(ctx context.Context, fn func(pgx.Tx) error) error {
	tx, err := ap.hub.Owner.Begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", postgis.Kind(err))
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after a commit it does nothing
	if err := fn(tx); err != nil {
		return err
	}
	if ap.dryRun {
		return nil
	}
	return tx.Commit(ctx)
}

// retire takes out of service what the file no longer names, when asked to.
func (ap *applier) retire(ctx context.Context) error {
	if !ap.prune {
		return nil
	}
	named := map[string]bool{}
	for _, d := range ap.cat.Datasets {
		if e := ap.find(d.ID); e != nil {
			named[e.Slug] = true // pages may have moved it
		}
		named[d.ID] = true
	}
	stored, err := postgis.Datasets(ctx, ap.hub.Owner)
	if err != nil {
		return err
	}
	for _, d := range stored {
		if named[d.Slug] || d.Retired {
			continue
		}
		ap.changed(applyChange{Does: "retire", What: "dataset", ID: d.Slug})
		if err := ap.try(ctx, func(tx pgx.Tx) error { return catalogue.Retire(ctx, tx, d.Slug, true, byApply) }); err != nil {
			return err
		}
	}
	return nil
}
