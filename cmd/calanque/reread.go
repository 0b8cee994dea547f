package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// schedules are how often a catalogue file may ask for a source to be read
// again. A little less than a whole period: who looks every minute must not
// come later each day.
var schedules = map[string]time.Duration{
	"hourly": 59 * time.Minute, "daily": 24*time.Hour - 5*time.Minute,
	"weekly": 7*24*time.Hour - 5*time.Minute, "monthly": 30*24*time.Hour - 5*time.Minute,
}

// scheduleSetting is where the hub keeps what to read again, by dataset.
const scheduleSetting = "schedules"

// A scheduled source is read again from the catalogue file that named it.
type scheduled struct {
	File     string    `json:"file"` // absolute
	Schedule string    `json:"schedule"`
	Last     time.Time `json:"last"` // when its reading was last asked for
}

// keepSchedules notes which sources of the file are to be read again, and
// when: what apply does now counts.
func (ap *applier) keepSchedules(ctx context.Context) error {
	file, err := filepath.Abs(filepath.Join(ap.dir, ap.where.file))
	if err != nil {
		return fmt.Errorf("find the catalogue file: %w", err)
	}
	var all map[string]scheduled
	if _, err := postgis.Setting(ctx, ap.hub.Owner, scheduleSetting, &all); err != nil {
		return err
	}
	was, err := json.Marshal(all)
	if err != nil {
		return err
	}
	if all == nil {
		all = map[string]scheduled{}
	}
	for _, d := range ap.cat.Datasets {
		known, there := all[d.ID]
		switch {
		case d.Schedule == "":
			delete(all, d.ID)
		case !there || known.File != file || known.Schedule != d.Schedule:
			all[d.ID] = scheduled{File: file, Schedule: d.Schedule, Last: time.Now().UTC()}
		}
	}
	now, err := json.Marshal(all)
	if err != nil || string(now) == string(was) || len(all) == 0 && string(was) == "null" {
		return err
	}
	return postgis.PutSetting(ctx, ap.hub.Owner, scheduleSetting, all)
}

// A rereading names the dataset whose source is to be read again.
type rereading struct {
	Dataset string `json:"dataset"`
}

// callForReading queues the sources that are due.
func callForReading(ctx context.Context, w *worker, _ json.RawMessage) error {
	var all map[string]scheduled
	if _, err := postgis.Setting(ctx, w.hub.Owner, scheduleSetting, &all); err != nil || len(all) == 0 {
		return err
	}
	put, err := enqueuer(w.hub, w.kinds)
	if err != nil {
		return err
	}
	now := time.Now().UTC()
	return pgx.BeginFunc(ctx, w.hub.Owner, func(tx pgx.Tx) error {
		changed := false
		for _, id := range slices.Sorted(maps.Keys(all)) {
			s := all[id]
			every, known := schedules[s.Schedule]
			if !known || now.Sub(s.Last) < every {
				continue
			}
			if err := put(ctx, tx, "reread", rereading{id}); err != nil {
				return err
			}
			s.Last, changed = now, true
			all[id] = s
		}
		if !changed {
			return nil
		}
		return postgis.PutSetting(ctx, tx, scheduleSetting, all)
	})
}

// reread reads the source of one dataset again, and loads it when it has
// changed. What people say of the dataset is left as it is.
func reread(ctx context.Context, w *worker, args json.RawMessage) error {
	var r rereading
	if err := json.Unmarshal(args, &r); err != nil {
		return fmt.Errorf("read the job: %w", err)
	}
	var all map[string]scheduled
	if _, err := postgis.Setting(ctx, w.hub.Owner, scheduleSetting, &all); err != nil {
		return err
	}
	s, there := all[r.Dataset]
	if !there {
		return nil // taken out meanwhile
	}
	cat, where, err := readCatalogue(s.File)
	if err != nil {
		return err
	}
	ap := &applier{app: w.app, hub: w.hub, cat: cat, where: where, dir: filepath.Dir(s.File), quiet: true}
	i := slices.IndexFunc(cat.Datasets, func(d datasetSection) bool { return d.ID == r.Dataset })
	if i < 0 {
		return nil
	}
	plan, err := ap.planOne(ctx, i)
	if err != nil || plan.entry.ID == 0 {
		return err // what apply has not described yet is not loaded either
	}
	for _, path := range plan.loads {
		if err := ap.load(ctx, plan, path); err != nil {
			return err
		}
	}
	for _, report := range ap.report.Loads {
		w.log.Info("source read again", "dataset", r.Dataset, "state", report.State, "read", report.Read(), "rejected", report.Rejected())
	}
	return nil
}
