package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

// A datasetPlan is what is to be done for one dataset of the file.
type datasetPlan struct {
	at      int // in the file
	section *datasetSection
	slug    string // where it is found now: pages may have moved it
	row     postgis.Dataset
	entry   catalogue.Entry // as stored; without ID for a new one
	merged  merged[catalogue.Entry]
	place   []string // "position", "source", "retired", "formerly": what else differs
	source  json.RawMessage
	loads   []string
	things  []resourcePlan
	steps   []stepSection // those that are still to be made
}

func (p *datasetPlan) told(id geo.DatasetID) told {
	return told{catalogue.OfDataset, strconv.FormatInt(int64(id), 10)}
}

// planDataset compares one dataset of the file with what is stored.
func (ap *applier) planDataset(ctx context.Context, i int) (*datasetPlan, error) {
	d := &ap.cat.Datasets[i]
	p := &datasetPlan{at: i, section: d, slug: d.ID}
	var stored *catalogue.Entry
	for _, name := range append([]string{d.ID}, d.Formerly...) {
		if stored = ap.find(name); stored != nil {
			break
		}
	}
	file := d.entry()
	names := append([]string{d.ID}, d.Formerly...)
	if stored != nil {
		p.entry, p.slug, p.row = *stored, stored.Slug, ap.rows[stored.ID]
		names = append(names, stored.Slug)
	}
	way, err := json.Marshal(d.way())
	if err != nil {
		return nil, fmt.Errorf("describe the source of %s: %w", d.ID, err)
	}
	p.source = way
	p.merged, err = merge(ctx, ap, described[catalogue.Entry]{
		what: "dataset", id: d.ID, kind: catalogue.DatasetOf, names: names, stored: stored, file: &file, was: ap.said[p.told(p.entry.ID)],
	})
	if err != nil {
		return nil, err
	}
	if stored != nil {
		p.place = p.placeDiffers()
	}
	if p.loads, err = ap.loads(ctx, p); err != nil {
		return nil, err
	}
	if p.things, err = ap.planResources(ctx, p); err != nil {
		return nil, err
	}
	return p, ap.planSteps(ctx, p)
}

// planOne is planDataset for one dataset alone, of a file that was applied.
func (ap *applier) planOne(ctx context.Context, i int) (*datasetPlan, error) {
	var err error
	ap.inputs = make([][]sourceFile, len(ap.cat.Datasets))
	if ap.inputs[i], err = ap.sources(i); err != nil {
		return nil, err
	}
	if err := ap.read(ctx); err != nil {
		return nil, err
	}
	return ap.planDataset(ctx, i)
}

// find gives the stored dataset of an address, which may be a former one.
func (ap *applier) find(slug string) *catalogue.Entry {
	if e, ok := ap.entries[slug]; ok {
		return e
	}
	return ap.entries[ap.former[slug]]
}

// placeDiffers lists what the file says otherwise of what only it can say.
func (p *datasetPlan) placeDiffers() []string {
	var list []string
	if p.row.Position != p.at+1 {
		list = append(list, "position")
	}
	if !same(p.row.Source, p.source) {
		list = append(list, "source")
	}
	if p.row.Retired {
		list = append(list, "retired")
	}
	return list
}

func (p *datasetPlan) life() geo.Life {
	if p.section.Series != nil {
		return geo.Series
	}
	return geo.Snapshot
}

// tellPlan says what differs.
func (ap *applier) tellPlan(p *datasetPlan) {
	c := applyChange{Does: addOrChange(p.entry.ID != 0), What: "dataset", ID: p.section.ID}
	if p.entry.ID != 0 {
		c.Differences = p.merged.changed
		for _, d := range p.merged.changed {
			c.Fields = append(c.Fields, d.Field)
		}
		c.Fields = append(c.Fields, p.place...)
	}
	if p.entry.ID == 0 || len(c.Fields) > 0 {
		ap.changed(c)
	}
	for _, r := range p.things {
		if r.changes() {
			ap.changed(applyChange{Does: r.does(), What: "resource", ID: p.section.ID + "/" + r.name, Fields: r.fields(), Differences: r.differences()})
		}
	}
	for _, s := range p.steps {
		ap.changed(applyChange{Does: "step", What: "dataset", ID: p.section.ID, Fields: []string{string(s.To)}})
	}
	if ap.dryRun {
		for _, path := range p.loads {
			ap.changed(applyChange{Does: "load", What: "dataset", ID: p.section.ID, Fields: []string{filepath.Base(path)}})
		}
	}
}

// idle tells whether nothing is to be done, so that nothing is written.
func (p *datasetPlan) idle(ap *applier) bool {
	return p.entry.ID != 0 && len(p.merged.changed) == 0 && len(p.place) == 0 && len(p.loads) == 0 && len(p.steps) == 0 &&
		!slices.ContainsFunc(p.things, func(r resourcePlan) bool { return r.changes() || r.remembers() }) &&
		!sayingsDiffer(ap.said[p.told(p.entry.ID)], p.merged.sayings)
}

// dataset makes one dataset as the file says: described, then its sources
// loaded when their content or the way to read them has changed, then the look
// of its layers and the steps of its chain.
func (ap *applier) dataset(ctx context.Context, p *datasetPlan) error {
	ap.tellPlan(p)
	if ap.dryRun {
		return nil
	}
	if !p.idle(ap) {
		err := pgx.BeginFunc(ctx, ap.hub.Owner, func(tx pgx.Tx) error { return ap.putDataset(ctx, tx, p) })
		if err != nil {
			return ap.placed(err, "datasets", p.at)
		}
	}
	for _, path := range p.loads {
		if err := ap.load(ctx, p, path); err != nil {
			return err
		}
	}
	if err := ap.look(ctx, p); err != nil {
		return err
	}
	return ap.takeSteps(ctx, p)
}

// putDataset writes the description, the resources and what the file says of
// where the data come from.
func (ap *applier) putDataset(ctx context.Context, tx pgx.Tx, p *datasetPlan) error {
	want := p.merged.want
	want.ID, want.Edition = p.entry.ID, 0
	if p.entry.ID == 0 {
		want.CountedFrom = ap.where.file
	}
	if _, err := catalogue.Put(ctx, tx, want, byApply); err != nil {
		return err
	}
	p.slug = want.Slug
	if want.ID == 0 {
		e, err := catalogue.Find(ctx, tx, catalogue.Desk, p.slug)
		if err != nil {
			return err
		}
		want.ID = e.ID
	}
	if slices.Contains(p.place, "retired") {
		if err := catalogue.Retire(ctx, tx, p.slug, false, byApply); err != nil {
			return err
		}
	}
	if p.entry.ID == 0 || len(p.place) > 0 {
		err := postgis.Redescribe(ctx, tx, postgis.Dataset{Slug: p.slug, Life: p.life(), Source: p.source, Position: p.at + 1})
		if err != nil {
			return err
		}
	}
	if _, err := catalogue.AddFormer(ctx, tx, want, p.formerly(want)); err != nil {
		return err
	}
	for _, r := range p.things {
		if err := ap.putResource(ctx, tx, p, want.ID, r); err != nil {
			return err
		}
	}
	return putSayings(ctx, tx, p.told(want.ID), ap.said[p.told(want.ID)], p.merged.sayings)
}

// formerly is what the file says that the dataset was called, but for what it
// is called now.
func (p *datasetPlan) formerly(e catalogue.Entry) []string {
	var list []string
	for _, s := range p.section.Formerly {
		if s != e.Slug {
			list = append(list, s)
		}
	}
	return list
}

// loads gives the sources that are not in the database as they are, or would
// be read in another way.
func (ap *applier) loads(ctx context.Context, p *datasetPlan) ([]string, error) {
	sameWay := p.row.Published != 0 && same(p.row.Source, p.source)
	var list []string
	for _, f := range ap.inputs[p.at] {
		have := p.row.SHA256
		if p.section.Series != nil && p.entry.ID != 0 {
			var err error
			if have, err = postgis.Delivered(ctx, ap.hub.Owner, p.slug, filepath.Base(f.path)); err != nil {
				return nil, err
			}
		}
		if !sameWay || !bytes.Equal(have, f.digest) {
			list = append(list, f.path)
		}
	}
	return list, nil
}

func (ap *applier) load(ctx context.Context, p *datasetPlan, path string) error {
	d := p.section
	req, err := d.request(p.at, path)
	if err != nil {
		return err
	}
	req.Dataset = p.slug
	if req.Region, err = region(ctx, ap.hub); err != nil {
		return err
	}
	// What differs from the last time has been found out already.
	req.Force, req.Files = false, ap.files()
	bar := newBar(ap.stderr, ap.sentence)
	report, err := ingest.Load(ctx, ap.hub, req, bar.event)
	bar.done()
	if report.State != "" {
		ap.report.Loads = append(ap.report.Loads, report)
		if report.State != ingest.Unchanged {
			ap.wrote = true
			ap.report.Changes = append(ap.report.Changes, applyChange{Does: "load", What: "dataset", ID: d.ID, Fields: []string{report.Source}})
		}
		if !ap.quiet {
			if perr := ap.printReport(report, false); perr != nil {
				return perr
			}
		}
	}
	if err != nil {
		return fmt.Errorf("dataset %s: %w", d.ID, err)
	}
	return nil
}

// look makes the layers look as the file says, when they do not.
func (ap *applier) look(ctx context.Context, p *datasetPlan) error {
	row := p.row
	if len(p.loads) > 0 || row.ID == 0 {
		var err error
		if row, err = postgis.FindDataset(ctx, ap.hub.Owner, p.slug); err != nil {
			return err
		}
	}
	names, err := ingest.LayerNames(row.Plan)
	if err != nil {
		return err
	}
	looks := p.section.looks(names, p.merged.want.Title)
	if !slices.ContainsFunc(looks, ap.looksOther) {
		return nil
	}
	return pgx.BeginFunc(ctx, ap.hub.Owner, func(tx pgx.Tx) error {
		changed, err := postgis.PutLooks(ctx, tx, looks)
		if err != nil || !changed {
			return err
		}
		ap.wrote = true
		return postgis.Append(ctx, tx, postgis.Change{
			Kind: "dataset", Subject: p.slug, Detail: map[string]any{"version": row.Published, "described": true},
		})
	})
}

// looksOther tells whether a layer that was there before looks otherwise; of
// one that was not, PutLooks finds out.
func (ap *applier) looksOther(k postgis.Look) bool {
	was, there := ap.looks[k.Layer]
	if !there {
		return true
	}
	if k.Title == nil {
		k.Title = was.Title
	}
	return !same(was.Title, k.Title) || !same(orEmpty(was.Labels), orEmpty(k.Labels)) || was.Position != k.Position || !same(noStyle(was.Style), noStyle(k.Style))
}

func orEmpty(m map[string]geo.Text) map[string]geo.Text {
	if m == nil {
		return map[string]geo.Text{}
	}
	return m
}

func noStyle(m map[string]any) any {
	if len(m) == 0 {
		return nil
	}
	return m
}
