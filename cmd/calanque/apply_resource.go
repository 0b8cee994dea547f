package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

// maxFile is how long a file of a resource may be.
const maxFile = 2 << 30

// A resourcePlan is what is to be done about one resource of a dataset.
type resourcePlan struct {
	name    string
	path    string // of its file, "" when it has none
	stored  *catalogue.Resource
	merged  merged[catalogue.Resource]
	was     map[string]saying
	remove  bool // the file no longer names it
	forgets bool // somebody took it away and that stays
}

func (r *resourcePlan) changes() bool {
	return r.remove || !r.forgets && (r.stored == nil || len(r.merged.changed) > 0)
}

// remembers tells whether what the file says of it is to be noted.
func (r *resourcePlan) remembers() bool { return sayingsDiffer(r.was, r.merged.sayings) }

func (r *resourcePlan) does() string {
	if r.remove {
		return "remove"
	}
	return addOrChange(r.stored != nil)
}

func (r *resourcePlan) differences() []catalogue.Difference {
	if r.stored == nil || r.remove {
		return nil
	}
	return r.merged.changed
}

func (r *resourcePlan) fields() []string {
	var list []string
	for _, d := range r.differences() {
		list = append(list, d.Field)
	}
	return list
}

// deletedField stands in what the file said for a resource that somebody took
// away.
const deletedField = "deleted"

// planResources compares the resources that the file names, and those that it
// named before and no longer does, with what is stored. Others are pages'.
func (ap *applier) planResources(ctx context.Context, p *datasetPlan) ([]resourcePlan, error) {
	var list []resourcePlan
	stored := map[string]*catalogue.Resource{}
	for i := range p.entry.Resources {
		stored[p.entry.Resources[i].Name] = &p.entry.Resources[i]
	}
	named := map[string]bool{}
	for n := range p.section.Resources {
		s := &p.section.Resources[n]
		named[s.Name] = true
		file := s.resource(n)
		r := resourcePlan{name: s.Name, stored: stored[s.Name], was: ap.said[p.toldResource(p.entry.ID, s.Name)]}
		if s.Path != "" {
			if err := ap.readFile(p, s, &file, &r); err != nil {
				return nil, err
			}
		}
		names := p.resourceNames(s.Name)
		if r.stored == nil && p.entry.ID != 0 {
			gone, err := ap.tookAway(ctx, p, &r, names)
			if err != nil {
				return nil, err
			}
			if gone {
				list = append(list, r)
				continue
			}
		}
		var err error
		r.merged, err = merge(ctx, ap, described[catalogue.Resource]{
			what: "resource", id: p.section.ID + "/" + s.Name, kind: catalogue.ResourceOf, names: names, stored: r.stored, file: &file, was: r.was,
		})
		if err != nil {
			return nil, err
		}
		p.merged.conflict = append(p.merged.conflict, r.merged.conflict...)
		list = append(list, r)
	}
	for _, name := range ap.saidResources(p) {
		if !named[name] {
			list = append(list, resourcePlan{name: name, stored: stored[name], was: ap.said[p.toldResource(p.entry.ID, name)], remove: stored[name] != nil})
		}
	}
	return list, nil
}

func (p *datasetPlan) toldResource(id geo.DatasetID, name string) told {
	return told{catalogue.OfResource, strconv.FormatInt(int64(id), 10) + "/" + name}
}

// resourceNames are what edits of a resource may be logged under.
func (p *datasetPlan) resourceNames(name string) []string {
	list := []string{p.section.ID + "/" + name, p.slug + "/" + name}
	for _, f := range p.section.Formerly {
		list = append(list, f+"/"+name)
	}
	return list
}

// saidResources lists the resources of a dataset that the file named last.
func (ap *applier) saidResources(p *datasetPlan) []string {
	if p.entry.ID == 0 {
		return nil
	}
	prefix := strconv.FormatInt(int64(p.entry.ID), 10) + "/"
	var list []string
	for of := range ap.said {
		if name, ok := strings.CutPrefix(of.subject, prefix); ok && of.kind == catalogue.OfResource {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// tookAway decides about a resource that the file names and a person took
// away since: it is a conflict like any other.
func (ap *applier) tookAway(ctx context.Context, p *datasetPlan, r *resourcePlan, names []string) (bool, error) {
	away, there := json.RawMessage("true"), json.RawMessage("false")
	stays, err := ap.keeps(ctx, deletedField, "resource", p.section.ID+"/"+r.name, catalogue.OfResource, names, r.was[deletedField],
		away, there, &p.merged.conflict)
	if err != nil || !stays {
		return false, err
	}
	r.forgets = true
	r.merged.sayings = map[string]saying{}
	for f, s := range r.was {
		r.merged.sayings[f] = s
	}
	r.merged.sayings[deletedField] = saying{Value: there, Kept: away}
	return true, nil
}

// readFile finds the file of a resource and what it is; it is kept when the
// resource is written.
func (ap *applier) readFile(p *datasetPlan, s *resourceSection, file *catalogue.Resource, r *resourcePlan) error {
	path := filepath.FromSlash(s.Path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(ap.dir, path)
	}
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return ap.where.bad("catalogue.no-file", "datasets", p.at, "resources", "dataset", p.section.ID, "path", s.Path)
		}
		return fmt.Errorf("read a file of %s: %w", p.section.ID, err)
	}
	defer f.Close()
	if st, err := f.Stat(); err != nil || !st.Mode().IsRegular() || st.Size() > maxFile {
		return ap.where.bad("catalogue.no-file", "datasets", p.at, "resources", "dataset", p.section.ID, "path", s.Path)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return fmt.Errorf("read a file of %s: %w", p.section.ID, err)
	}
	file.SHA256, file.Filename = h.Sum(nil), filepath.Base(path)
	r.path = path
	return nil
}

// putResource writes one resource: its file first, which nobody sees before
// the row names it.
func (ap *applier) putResource(ctx context.Context, tx pgx.Tx, p *datasetPlan, id geo.DatasetID, r resourcePlan) error {
	switch {
	case r.remove:
		if err := catalogue.RemoveResource(ctx, tx, p.slug, r.name, byApply); err != nil && !errors.Is(err, geo.ErrNotFound) {
			return err
		}
	case r.changes():
		if err := ap.keepFile(ctx, tx, &r); err != nil {
			return err
		}
		want := r.merged.want
		want.Name = r.name
		if _, err := catalogue.PutResource(ctx, tx, p.slug, want, byApply); err != nil {
			return err
		}
	}
	return putSayings(ctx, tx, p.toldResource(id, r.name), r.was, r.merged.sayings)
}

func (ap *applier) keepFile(ctx context.Context, tx pgx.Tx, r *resourcePlan) error {
	if r.path == "" || len(r.merged.want.SHA256) == 0 {
		return nil
	}
	b, err := ap.files().PutFile(ctx, r.path, maxFile)
	if err != nil {
		return err
	}
	r.merged.want.SHA256 = b.SHA256 // what was kept, should it have changed since it was looked at
	return catalogue.KeepBlob(ctx, tx, b)
}

// planSteps finds which steps of the file are still to be made: those after
// what was made, as long as people went the file's way.
func (ap *applier) planSteps(ctx context.Context, p *datasetPlan) error {
	if len(p.section.Steps) == 0 {
		return nil
	}
	if p.entry.ID == 0 {
		p.steps = p.section.Steps
		return nil
	}
	made, ok := ap.states[p.entry.ID]
	if !ok {
		p.steps = p.section.Steps
		return nil
	}
	if len(made) >= len(p.section.Steps) {
		return nil
	}
	for i, state := range made {
		if p.section.Steps[i].To != state {
			return nil
		}
	}
	p.steps = p.section.Steps[len(made):]
	return nil
}

// takeSteps makes the steps that the file tells; a dataset of the short chain
// that nobody has decided about is opened.
func (ap *applier) takeSteps(ctx context.Context, p *datasetPlan) error {
	steps := p.steps
	if len(p.section.Steps) == 0 && ap.opens(p) {
		steps = []stepSection{{To: catalogue.Open}}
	}
	if len(steps) == 0 {
		return nil
	}
	ap.wrote = true
	return pgx.BeginFunc(ctx, ap.hub.Owner, func(tx pgx.Tx) error {
		state := catalogue.State("")
		if err := tx.QueryRow(ctx, `select state from dataset_state s join dataset d on d.id = s.dataset_id where d.slug = $1`, p.slug).Scan(&state); err != nil {
			return fmt.Errorf("read the state of %s: %w", p.slug, postgis.Kind(err))
		}
		if len(p.section.Steps) == 0 && state != catalogue.Counted {
			return nil // its load has opened it
		}
		for _, s := range steps {
			step := catalogue.Step{To: s.To, DecidedOn: s.On.time(), Body: s.Body, Reason: s.Reason}
			if step.Body == "" {
				step.Body = byApply.Body
			}
			if s.Document != "" {
				err := tx.QueryRow(ctx, `select r.id from resource r join dataset d on d.id = r.dataset_id where (d.slug, r.name) = ($1, $2)`,
					p.slug, s.Document).Scan(&step.Document)
				if err != nil {
					return fmt.Errorf("find the document %s of %s: %w", s.Document, p.slug, postgis.Kind(err))
				}
			}
			if err := catalogue.Take(ctx, tx, p.slug, step); err != nil {
				return ap.placed(err, "datasets", p.at)
			}
		}
		return nil
	})
}

// opens tells whether apply is to open a dataset: one of the short chain that
// still stands in the census, and has been loaded when it has a source.
func (ap *applier) opens(p *datasetPlan) bool {
	if p.merged.want.Chain == catalogue.Region {
		return false
	}
	if p.entry.ID != 0 && len(ap.states[p.entry.ID]) > 0 {
		return false
	}
	return p.section.Source == nil || len(p.loads) > 0 || p.row.Published != 0
}
