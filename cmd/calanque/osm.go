package main

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"calanque/geo"
	"calanque/osm"
)

type osmCmd struct {
	Import osmImportCmd `cmd:"" help:"Replace the copy of OpenStreetMap by an extract (.osm.pbf)."`
}

type osmImportCmd struct {
	File  string `arg:"" help:"Extract, for example from Geofabrik." type:"path"`
	Force bool   `help:"Import an extract that is older than the copy, or the same again."`
	JSON  bool   `name:"json" help:"Print the report as JSON."`
}

// Help shows an example.
func (*osmImportCmd) Help() string {
	return `Example:
  calanque osm import provence-alpes-cote-d-azur-latest.osm.pbf

The older copy is shown until the new one is whole. Names of mappers are never
kept. Datasets that have a rule are compared again before the command ends.`
}

// Run imports and then compares again.
func (c *osmImportCmd) Run(ctx context.Context, a *app) error {
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	progress := newBar(a.stderr, a.sentence)
	report, err := osm.Import(ctx, hub, c.File, osm.Options{Force: c.Force, Progress: func(p osm.Progress) {
		progress.step(a.sentence(geo.Say("osm.step-"+p.Phase)), p.Done, p.Total)
	}})
	progress.done()
	if err != nil {
		return err
	}
	if err := a.catchUp(ctx, hub); err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(report)
	}
	a.printImport(report)
	return nil
}

func (a *app) printImport(r osm.Report) {
	if r.Unchanged {
		fmt.Fprintln(a.stdout, a.sentence(geo.Say("osm.unchanged", "file", r.File, "extract", r.Extract)))
		return
	}
	fmt.Fprintln(a.stdout, a.sentence(geo.Say("osm.imported", "file", r.File, "extract", r.Extract, "nodes", r.Nodes, "ways", r.Ways,
		"relations", r.Relations, "points", r.Points, "lines", r.Lines, "areas", r.Areas, "seconds", r.Took.Seconds())))
	for _, theme := range slices.Sorted(maps.Keys(r.Themes)) {
		fmt.Fprintf(a.stdout, "%9d  osm_%s\n", r.Themes[theme], theme)
	}
	for _, code := range slices.Sorted(maps.Keys(r.Problems)) {
		fmt.Fprintf(a.stdout, "%9d  %s\n", r.Problems[code], a.sentence(geo.Message{Code: code + ".all"}))
	}
}
