package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"calanque/geo"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

type applyCmd struct {
	File   string `arg:"" help:"Catalogue file (YAML)." type:"existingfile"`
	DryRun bool   `help:"Say what would change, and change nothing."`
	Prune  bool   `help:"Retire the datasets that the file does not name: no longer served, data kept."`
	JSON   bool   `name:"json" help:"Print the report as JSON."`
}

// Help shows an example.
func (*applyCmd) Help() string {
	return `Examples:
  calanque apply catalogue.yaml --dry-run
  calanque apply catalogue.yaml

Sources whose content has changed are loaded; what has not is left alone, so
applying again and again costs nothing. Nothing is ever deleted.

Exit code 0: all is as the file says; 1: something failed; 3: a source had too
many rejected records and what it was before is still published.`
}

// Run makes the catalogue file true.
func (c *applyCmd) Run(ctx context.Context, a *app) error {
	cat, where, err := readCatalogue(c.File)
	if err != nil {
		return err
	}
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	ap := &applier{app: a, hub: hub, cat: cat, where: where, dir: filepath.Dir(c.File), dryRun: c.DryRun, prune: c.Prune, quiet: c.JSON}
	err = ap.run(ctx)
	if c.JSON {
		return errors.Join(a.printJSON(ap.report), err)
	}
	return err
}

// An applyReport is what apply did, or would do.
type applyReport struct {
	DryRun  bool            `json:"dry_run,omitempty"`
	Changes []applyChange   `json:"changes"`
	Loads   []ingest.Report `json:"loads,omitempty"`
}

// An applyChange is one difference between the file and the database.
type applyChange struct {
	Does string `json:"does"` // add, change, load, retire
	What string `json:"what"` // region, licence, producer, eric, dataset, theme, rule
	ID   string `json:"id"`
	// Fields are what differs of something that is there.
	Fields []string `json:"fields,omitempty"`
}

// An applier makes one catalogue file true.
type applier struct {
	*app
	hub    *postgis.Hub
	cat    *catalogue
	where  locator
	dir    string // that source paths are relative to
	dryRun bool
	prune  bool
	quiet  bool // no report on stdout
	report applyReport
}

// run checks everything first, then writes what all datasets share, loads
// what has changed, and ends with themes, rules and what is to be retired. A
// dataset that fails does not keep the others from being loaded.
func (ap *applier) run(ctx context.Context) error {
	ap.report = applyReport{DryRun: ap.dryRun, Changes: []applyChange{}}
	if err := ap.check(ctx); err != nil {
		return err
	}
	if err := ap.putShared(ctx); err != nil {
		return err
	}
	var failed []error
	for _, i := range ap.order() {
		if err := ap.dataset(ctx, i); err != nil {
			if ctx.Err() != nil {
				return err
			}
			failed = append(failed, err)
		}
	}
	if err := ap.putThemes(ctx); err != nil {
		return errors.Join(append(failed, err)...)
	}
	if err := ap.putRules(ctx, len(failed) > 0); err != nil {
		return errors.Join(append(failed, err)...)
	}
	if err := ap.retire(ctx); err != nil {
		return errors.Join(append(failed, err)...)
	}
	if !ap.dryRun {
		if err := ap.keepSchedules(ctx); err != nil {
			failed = append(failed, err)
		}
		if err := ap.catchUp(ctx, ap.hub); err != nil {
			failed = append(failed, err)
		}
	}
	if len(ap.report.Changes) == 0 && len(failed) == 0 {
		ap.tell(geo.Say("apply.nothing"))
	}
	return errors.Join(failed...)
}

// check finds the faults that the file has in itself and towards the database
// and the folder it lies in.
func (ap *applier) check(ctx context.Context) error {
	k := known{licences: map[string]bool{}, producers: map[string]bool{}}
	for _, l := range licences {
		k.licences[l.ID] = true
	}
	stored, err := postgis.Licences(ctx, ap.hub.Owner)
	if err != nil {
		return err
	}
	for _, l := range stored {
		k.licences[l.ID] = true
	}
	makers, err := postgis.Producers(ctx, ap.hub.Owner)
	if err != nil {
		return err
	}
	for _, p := range makers {
		k.producers[p.ID] = true
	}
	if err := ap.cat.check(ap.where, k); err != nil {
		return err
	}
	for i := range ap.cat.Datasets {
		if _, err := ap.sources(i); err != nil {
			return err
		}
	}
	for i := range ap.cat.ERICs {
		if err := ap.cat.ERICs[i].Check(); err != nil {
			return ap.placed(err, "erics", i)
		}
	}
	for i := range ap.cat.Rules {
		if err := ap.cat.Rules[i].Check(); err != nil {
			return ap.placed(err, "rules", i)
		}
	}
	return nil
}

// placed says where in the file the fault of a section's entry stands.
func (ap *applier) placed(err error, section string, i int) error {
	var input *geo.InputError
	if !errors.As(err, &input) {
		return err
	}
	line, column := ap.where.find(section, i, "")
	return geo.Bad(err, "catalogue.entry", "file", ap.where.file, "line", line, "column", column, "message", ap.sentence(input.Message))
}

// sources lists the files of a dataset: one, or those that match the pattern
// of a series, by name.
func (ap *applier) sources(i int) ([]string, error) {
	d := &ap.cat.Datasets[i]
	if d.Source == nil {
		return nil, nil
	}
	path := filepath.FromSlash(d.Source.Path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(ap.dir, path)
	}
	list := []string{path}
	if d.Series != nil {
		found, err := filepath.Glob(path)
		if err != nil {
			return nil, ap.where.bad("catalogue.no-file", "datasets", i, "source", "dataset", d.ID, "path", d.Source.Path)
		}
		// By name without its ending: indice.csv comes before indice-suite.csv, which corrects it.
		slices.SortFunc(found, func(a, b string) int {
			return strings.Compare(strings.TrimSuffix(a, filepath.Ext(a)), strings.TrimSuffix(b, filepath.Ext(b)))
		})
		list = found
	} else if _, err := ingest.Digest(path); err != nil {
		list = nil
	}
	if len(list) == 0 {
		return nil, ap.where.bad("catalogue.no-file", "datasets", i, "source", "dataset", d.ID, "path", d.Source.Path)
	}
	return list, nil
}

// order is that of the file, with series that borrow geometry after the
// layers they may borrow.
func (ap *applier) order() []int {
	var own, borrow []int
	for i := range ap.cat.Datasets {
		if s := ap.cat.Datasets[i].Series; s != nil && s.Borrow != nil {
			borrow = append(borrow, i)
		} else {
			own = append(own, i)
		}
	}
	return append(own, borrow...)
}

// changed notes a difference and says it.
func (ap *applier) changed(c applyChange) {
	ap.report.Changes = append(ap.report.Changes, c)
	fields := ""
	for i, f := range c.Fields {
		if i > 0 {
			fields += ", "
		}
		fields += f
	}
	if fields != "" {
		fields = " (" + fields + ")"
	}
	ap.tell(geo.Say("apply."+c.Does, "what", ap.sentence(geo.Say("apply.what-"+c.What)), "id", c.ID, "fields", fields))
}

func (ap *applier) tell(m geo.Message) {
	if !ap.quiet {
		fmt.Fprintln(ap.stdout, ap.sentence(m))
	}
}
