package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

type applyCmd struct {
	File   string `arg:"" help:"Catalogue file (YAML)." type:"existingfile"`
	DryRun bool   `help:"Say what would change, and change nothing."`
	Keep   string `help:"What stays of a field that was edited by hand since the last time: pages or file." enum:",pages,file" default:"" placeholder:"pages|file"`
	Prune  bool   `help:"Retire the datasets that the file does not name: no longer served, data kept."`
	JSON   bool   `name:"json" help:"Print the report as JSON."`
}

// Help shows an example.
func (*applyCmd) Help() string {
	return `Examples:
  calanque apply catalogue.yaml --dry-run
  calanque apply catalogue.yaml
  calanque apply catalogue.yaml --keep pages

Sources whose content has changed are loaded; what has not is left alone, so
applying again and again costs nothing. Nothing is ever deleted. What people
have edited on pages since the file last said it is never overwritten in
silence: apply stops and says what, by whom and when. --keep pages leaves it,
until file or page change again; --keep file writes what the file says.

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
	ap := &applier{app: a, hub: hub, cat: cat, where: where, dir: filepath.Dir(c.File), dryRun: c.DryRun, keep: c.Keep, prune: c.Prune, quiet: c.JSON}
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
	// Conflicts are what people have edited since; nothing was written then.
	Conflicts []conflict `json:"conflicts,omitempty"`
}

// An applyChange is one difference between the file and the database.
type applyChange struct {
	Does string `json:"does"` // add, change, load, retire
	What string `json:"what"` // region, licence, producer, eric, dataset, theme, rule
	ID   string `json:"id"`
	// Fields are what differs of something that is there.
	Fields []string `json:"fields,omitempty"`
	// Differences are what fields say before and after.
	Differences []catalogue.Difference `json:"differences,omitempty"`
}

// An applier makes one catalogue file true.
type applier struct {
	*app
	hub    *postgis.Hub
	cat    *catalogueFile
	where  locator
	dir    string // that source paths are relative to
	dryRun bool
	keep   string
	prune  bool
	quiet  bool // no report on stdout
	report applyReport
	wrote  bool // something, so that others must hear of it

	inputs [][]sourceFile // of each dataset
	stored
}

// stored is what the database holds, read once.
type stored struct {
	entries map[string]*catalogue.Entry // by slug
	former  map[string]string           // former slug → slug
	rows    map[geo.DatasetID]postgis.Dataset
	looks   map[string]postgis.Look // by layer
	states  map[geo.DatasetID][]catalogue.State
	said    map[told]map[string]saying
}

// A sourceFile is a file that a dataset is loaded from.
type sourceFile struct {
	path   string
	digest []byte
}

// run checks everything first, and looks what people have edited since; then
// it writes what all datasets share, loads what has changed, and ends with
// themes, rules and what is to be retired. A dataset that fails does not keep
// the others from being loaded.
func (ap *applier) run(ctx context.Context) error {
	ap.report = applyReport{DryRun: ap.dryRun, Changes: []applyChange{}}
	if err := ap.check(ctx); err != nil {
		return err
	}
	if err := ap.read(ctx); err != nil {
		return err
	}
	shared, err := ap.planShared(ctx)
	if err != nil {
		return err
	}
	conflicts := shared.conflicts
	plans := make([]*datasetPlan, 0, len(ap.cat.Datasets))
	for _, i := range ap.order() {
		p, err := ap.planDataset(ctx, i)
		if err != nil {
			return err
		}
		plans = append(plans, p)
		conflicts = append(conflicts, p.merged.conflict...)
	}
	stop := ap.stop(conflicts)
	if stop != nil && !ap.dryRun {
		return stop
	}
	if err := ap.putShared(ctx, shared); err != nil {
		return err
	}
	var failed []error
	for _, p := range plans {
		if err := ap.dataset(ctx, p); err != nil {
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
	}
	if !ap.dryRun && (ap.wrote || len(ap.report.Changes) > 0) {
		if err := ap.catchUp(ctx, ap.hub); err != nil {
			failed = append(failed, err)
		}
	}
	if len(ap.report.Changes) == 0 && len(failed) == 0 && stop == nil {
		ap.tell(geo.Say("apply.nothing"))
	}
	return errors.Join(append(failed, stop)...)
}

// read takes what the database holds into memory: a thousand datasets are
// compared without asking for each.
func (ap *applier) read(ctx context.Context) error {
	db := ap.hub.Owner
	list, err := catalogue.Entries(ctx, db, catalogue.Desk, "true")
	if err != nil {
		return err
	}
	ap.entries = map[string]*catalogue.Entry{}
	for i := range list {
		ap.entries[list[i].Slug] = &list[i]
	}
	if ap.former, err = catalogue.FormerSlugs(ctx, db); err != nil {
		return err
	}
	rows, err := postgis.Datasets(ctx, db)
	if err != nil {
		return err
	}
	ap.rows = map[geo.DatasetID]postgis.Dataset{}
	for _, r := range rows {
		ap.rows[r.ID] = r
	}
	looks, err := postgis.Looks(ctx, db, "")
	if err != nil {
		return err
	}
	ap.looks = map[string]postgis.Look{}
	for _, k := range looks {
		ap.looks[k.Layer] = k
	}
	if ap.states, err = catalogue.StatesMade(ctx, db); err != nil {
		return err
	}
	ap.said, err = readSayings(ctx, db)
	return err
}

// check finds the faults that the file has in itself and towards the database
// and the folder it lies in.
func (ap *applier) check(ctx context.Context) error {
	k := known{licences: map[string]bool{}, producers: map[string]bool{}, topics: map[string]bool{}}
	for _, l := range catalogue.Licences {
		k.licences[l.ID] = true
	}
	stored, err := catalogue.StoredLicences(ctx, ap.hub.Owner)
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
	topics, err := catalogue.Topics(ctx, ap.hub.Owner)
	if err != nil {
		return err
	}
	for _, t := range topics {
		k.topics[t.ID] = true
	}
	if err := ap.cat.check(ap.where, k); err != nil {
		return err
	}
	ap.inputs = make([][]sourceFile, len(ap.cat.Datasets))
	for i := range ap.cat.Datasets {
		if ap.inputs[i], err = ap.sources(i); err != nil {
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
	return geo.Bad(err, "catalogue.entry", "file", ap.where.file, "line", line, "column", column, "message", input.Message)
}

// sources lists the files of a dataset with their content: one, or those that
// match the pattern of a series, by name.
func (ap *applier) sources(i int) ([]sourceFile, error) {
	d := &ap.cat.Datasets[i]
	if d.Source == nil {
		return nil, nil
	}
	path := filepath.FromSlash(d.Source.Path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(ap.dir, path)
	}
	paths := []string{path}
	if d.Series != nil {
		found, err := filepath.Glob(path)
		if err != nil {
			found = nil
		}
		// By name without its ending: indice.csv comes before indice-suite.csv, which corrects it.
		slices.SortFunc(found, func(a, b string) int {
			return strings.Compare(strings.TrimSuffix(a, filepath.Ext(a)), strings.TrimSuffix(b, filepath.Ext(b)))
		})
		paths = found
	}
	list := make([]sourceFile, 0, len(paths))
	for _, path := range paths {
		digest, err := ingest.Digest(path)
		if err != nil {
			list = nil
			break
		}
		list = append(list, sourceFile{path, digest})
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

// changed notes a difference and says it; a dry run also says what each field
// says before and after.
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
	if !ap.dryRun {
		return
	}
	for _, d := range c.Differences {
		ap.tell(geo.Say("apply.difference", "field", d.Field, "before", ap.shown(d.Before), "after", ap.shown(d.After)))
	}
}

func (ap *applier) tell(m geo.Message) {
	if !ap.quiet {
		fmt.Fprintln(ap.stdout, ap.sentence(m))
	}
}
