package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo"
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

// putShared writes the region, the licences, the producers and the ERICs.
func (ap *applier) putShared(ctx context.Context) error {
	return pgx.BeginFunc(ctx, ap.hub.Owner, func(tx pgx.Tx) error {
		if err := ap.putRegion(ctx, tx); err != nil {
			return err
		}
		if err := ap.putLicences(ctx, tx); err != nil {
			return err
		}
		if err := ap.putProducers(ctx, tx); err != nil {
			return err
		}
		return ap.putERICs(ctx, tx)
	})
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

// putLicences writes those of the file, and those of every hub that its
// datasets name.
func (ap *applier) putLicences(ctx context.Context, tx pgx.Tx) error {
	stored, err := postgis.Licences(ctx, tx)
	if err != nil {
		return err
	}
	was := map[string]geo.Licence{}
	for _, l := range stored {
		was[l.ID] = l
	}
	want := make([]geo.Licence, 0, len(ap.cat.Licences))
	own := map[string]bool{}
	for _, l := range ap.cat.Licences {
		want = append(want, geo.Licence(l))
		own[l.ID] = true
	}
	used := map[string]bool{}
	for _, d := range ap.cat.Datasets {
		used[d.Licence] = true
	}
	for _, l := range licences {
		if _, there := was[l.ID]; used[l.ID] && !own[l.ID] && !there {
			want = append(want, l)
		}
	}
	for _, l := range want {
		old, there := was[l.ID]
		if there && same(old, l) {
			continue
		}
		ap.changed(applyChange{Does: addOrChange(there), What: "licence", ID: l.ID})
		if ap.dryRun {
			continue
		}
		if err := postgis.PutLicence(ctx, tx, l); err != nil {
			return err
		}
	}
	return nil
}

func (ap *applier) putProducers(ctx context.Context, tx pgx.Tx) error {
	stored, err := postgis.Producers(ctx, tx)
	if err != nil {
		return err
	}
	was := map[string]geo.Producer{}
	for _, p := range stored {
		was[p.ID] = p
	}
	for _, s := range ap.cat.Producers {
		p := geo.Producer{ID: s.ID, Title: s.Title, Contact: map[string]string{}}
		if s.URL != "" {
			p.Contact["url"] = s.URL
		}
		if s.Email != "" {
			p.Contact["email"] = s.Email
		}
		old, there := was[p.ID]
		if there && same(old, p) {
			continue
		}
		ap.changed(applyChange{Does: addOrChange(there), What: "producer", ID: p.ID})
		if ap.dryRun {
			continue
		}
		if err := postgis.PutProducer(ctx, tx, p); err != nil {
			return err
		}
	}
	return nil
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
		if err := ap.try(ctx, func(tx pgx.Tx) error { return postgis.Retire(ctx, tx, d.Slug) }); err != nil {
			return err
		}
	}
	return nil
}
