package main

import (
	"context"
	"fmt"

	"calanque/geo"
	"calanque/osm/match"
)

type matchCmd struct {
	Dataset string `arg:"" optional:"" help:"Dataset to compare; all that have a rule when left out."`
	JSON    bool   `name:"json" help:"Print the report as JSON."`
}

// Help shows an example.
func (*matchCmd) Help() string {
	return "Example:\n  calanque match points-eau\n\nThe rules are in the catalogue file. Comparing again changes nothing unless a side has changed."
}

// Run compares now and prints what was found.
func (c *matchCmd) Run(ctx context.Context, a *app) error {
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	ids, err := match.Rules(ctx, hub.Owner, c.Dataset)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return geo.Bad(nil, "match.no-rule", "dataset", c.Dataset)
	}
	reports := make([]match.Report, 0, len(ids))
	for _, id := range ids {
		rep, err := match.Run(ctx, hub, id)
		if err != nil {
			return err
		}
		reports = append(reports, rep)
	}
	if c.JSON {
		return a.printJSON(reports)
	}
	for _, rep := range reports {
		fmt.Fprintln(a.stdout, a.sentence(geo.Say("match.report", "layer", rep.Layer, "theme", rep.Theme,
			"records", rep.Records, "objects", rep.Objects, "changed", rep.Changed)))
		for _, k := range match.Kinds {
			if n := rep.Kinds[k]; n > 0 {
				fmt.Fprintf(a.stdout, "%8d  %s\n", n, k)
			}
		}
	}
	return nil
}
