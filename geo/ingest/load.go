package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/crs"
	"calanque/geo/format"
	"calanque/geo/postgis"
)

// Load takes a file to the next published version of a dataset. It returns
// the account of what it did, with
//   - geo.ErrRejected when more records were rejected than allowed: nothing is
//     published, the issues are kept;
//   - a *geo.InputError when the file can't be taken as it is;
//   - geo.ErrConflict when another load of the dataset is running.
//
// In all three cases, and whatever happens to the process, what was published
// before still is, and the next load works.
func Load(ctx context.Context, hub *postgis.Hub, req Request, progress Progress) (Report, error) {
	start := time.Now()
	lock, err := postgis.BeginLoad(ctx, hub, req.Dataset)
	if err != nil {
		return Report{}, err
	}
	defer lock.Close()
	l := &loader{hub: hub, req: req, version: lock, tick: &ticker{to: progress}}
	lock.Body, lock.Closed = req.Body, req.Closed
	l.report = Report{Dataset: req.Dataset, Source: filepath.Base(req.Path)}
	err = l.run(ctx)
	l.report.Seconds = time.Since(start).Seconds()
	return l.report, err
}

// A loader is one load on its way.
type loader struct {
	hub       *postgis.Hub
	req       Request
	version   *postgis.Loading
	tick      *ticker
	known     *postgis.Dataset // nil for a new one
	published []postgis.LayerStatus
	old       plan
	plan      plan
	layers    []*layerPlan
	digest    []byte
	src       format.Source
	report    Report
}

func (l *loader) run(ctx context.Context) error {
	if err := l.recall(ctx); err != nil {
		return err
	}
	same, err := l.unchanged()
	if err != nil || same {
		return err
	}
	l.tick.send(Event{Step: StepOpen, Layer: l.report.Source, Total: -1})
	l.src, err = format.Open(ctx, l.req.Path, l.req.Options)
	if err != nil {
		return err
	}
	defer l.src.Close()
	l.report.Format = l.src.Format()
	if err := l.inspect(ctx); err != nil {
		return err
	}
	if l.req.Prepare != nil {
		if err := l.req.Prepare(ctx, l.hub.Owner); err != nil {
			return err
		}
	}
	if l.known == nil {
		if err := l.putDataset(ctx, l.hub.Owner); err != nil {
			return err
		}
	}
	if err := l.version.Begin(ctx, postgis.Delivery{SHA256: l.digest, Source: l.report.Source}); err != nil {
		return err
	}
	l.report.Version, l.report.Number = l.version.Version, l.version.Number
	if err := l.fill(ctx); err != nil {
		return errors.Join(err, l.version.Fail(ctx, failure(err)))
	}
	return nil
}

// failure is what the version's row says about why it was not published.
func failure(err error) geo.Message {
	var input *geo.InputError
	switch {
	case errors.As(err, &input):
		return cleanMessage(input.Message)
	}
	return geo.Say("load.failed", "error", clip(err.Error()))
}

// recall looks up what is known of the dataset and completes the request.
func (l *loader) recall(ctx context.Context) error {
	d, err := postgis.FindDataset(ctx, l.hub.Owner, l.req.Dataset)
	switch {
	case errors.Is(err, geo.ErrNotFound):
		if !validSlug(l.req.Dataset) {
			return geo.Bad(nil, "dataset.slug", "dataset", l.req.Dataset)
		}
		if l.req.Producer == "" || l.req.Licence == "" {
			return geo.Bad(nil, "dataset.needs-producer-and-licence", "dataset", l.req.Dataset)
		}
	case err != nil:
		return err
	default:
		l.known = &d
		if l.old, err = readPlan(d.Plan); err != nil {
			return err
		}
		if l.published, err = postgis.VersionLayers(ctx, l.hub.Owner, d.Published); err != nil {
			return err
		}
	}
	l.req.replay(l.old)
	l.plan = plan{Options: l.req.Options, Axes: l.req.Axes, Key: l.req.Key, Series: l.req.Series, Anywhere: l.req.Anywhere}
	if l.req.MaxRejected == nil {
		l.req.MaxRejected = ptr(0.01)
	}
	if l.req.Region == (geo.Box{}) {
		l.req.Region = crs.Region
	}
	return nil
}

func validSlug(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' && i > 0) {
			return false
		}
	}
	return s != "" && len(s) <= 63
}

// unchanged tells whether the same content, read in the same way, is what is
// published already.
func (l *loader) unchanged() (bool, error) {
	var err error
	if l.digest, err = Digest(l.req.Path); err != nil {
		return false, err
	}
	d := l.known
	if d == nil || d.Published == 0 || d.Retired || l.req.Force || string(d.SHA256) != string(l.digest) {
		return false, nil
	}
	was, now := l.old, l.plan
	was.Layers, now.Layers = nil, nil
	a, err := json.Marshal(was)
	if err != nil {
		return false, fmt.Errorf("compare plans: %w", err)
	}
	b, err := json.Marshal(now)
	if err != nil {
		return false, fmt.Errorf("compare plans: %w", err)
	}
	if string(a) != string(b) || !l.sameLayers() {
		return false, nil
	}
	l.report.State, l.report.Version = Unchanged, d.Published
	return true, nil
}

// sameLayers tells whether the layers and fields that a catalogue file asks
// for are the ones that are published.
func (l *loader) sameLayers() bool {
	for source, want := range l.req.Layers {
		was := l.old.layer(source)
		if was == nil || want.Name != "" && want.Name != was.Name || !sameKey(want.Key, was) || !sameTypes(want.Fields, was) {
			return false
		}
	}
	for i := range l.old.Layers {
		if !sameTypes(l.req.Fields, &l.old.Layers[i]) {
			return false
		}
	}
	return true
}

func sameKey(key []string, was *layerPlan) bool {
	if len(key) == 0 {
		return true
	}
	if len(key) != len(was.Key) {
		return false
	}
	for i, k := range key {
		if at := was.find(k); at < 0 || was.Columns[at].Name != was.Key[i] {
			return false
		}
	}
	return true
}

func sameTypes(fields map[string]Field, was *layerPlan) bool {
	for name, f := range fields {
		if at := was.find(name); f.Type != "" && at >= 0 && was.Columns[at].Type != f.Type {
			return false
		}
	}
	return true
}

// putDataset makes a new dataset, or changes what the request says of one.
func (l *loader) putDataset(ctx context.Context, db postgis.DB) error {
	d := postgis.Dataset{
		Slug: l.req.Dataset, Producer: l.req.Producer, Licence: l.req.Licence, Title: l.req.Title, Description: l.req.Description,
		Frequency: l.req.Frequency, Position: l.req.Position, Life: geo.Snapshot,
	}
	if l.req.Series != nil {
		d.Life = geo.Series
	}
	if l.known != nil {
		return postgis.Redescribe(ctx, db, d)
	}
	if d.Title == nil {
		d.Title = geo.Text{"fr": l.req.Dataset}
	}
	if d.Position == 0 {
		d.Position = 1000
	}
	_, err := postgis.PutDataset(ctx, db, d)
	return err
}

// fill loads all layers and publishes them, or refuses them.
func (l *loader) fill(ctx context.Context) error {
	tooMany := false
	for _, p := range l.layers {
		r, err := l.layer(ctx, p)
		if err != nil {
			return err
		}
		l.report.Layers = append(l.report.Layers, r)
		tooMany = tooMany || float64(r.Rejected) > *l.req.MaxRejected*float64(r.Read)
	}
	if tooMany {
		l.report.State = Rejected
		return geo.Bad(geo.ErrRejected, "load.too-many-rejected", "dataset", l.req.Dataset, "n", l.report.Rejected(),
			"read", l.report.Read(), "max", strconv.FormatFloat(100**l.req.MaxRejected, 'g', 3, 64))
	}
	l.tick.send(Event{Step: StepPublish, Layer: l.req.Dataset, Total: -1})
	for _, p := range l.layers {
		l.plan.Layers = append(l.plan.Layers, *p)
	}
	stored, err := json.Marshal(l.plan)
	if err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	l.version.Plan = stored
	kept, name, err := l.keep(ctx)
	if err != nil {
		return err
	}
	received := func(tx pgx.Tx) error {
		if kept == nil {
			return nil
		}
		return putReceived(ctx, tx, l.version.Version, *kept, name)
	}
	if l.req.Hold {
		if err := l.version.Hold(ctx, received); err != nil {
			return err
		}
		l.report.State, l.report.Kept = Held, kept != nil
		return nil
	}
	err = l.version.Publish(ctx, func(tx pgx.Tx) error {
		if err := received(tx); err != nil {
			return err
		}
		if l.known != nil {
			if err := l.putDataset(ctx, tx); err != nil {
				return err
			}
		}
		return postgis.PutPlan(ctx, tx, l.req.Dataset, stored)
	})
	if err == nil {
		l.report.State, l.report.Kept = Published, kept != nil
	}
	return err
}
