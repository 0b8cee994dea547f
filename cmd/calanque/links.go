package main

import (
	"context"
	"fmt"
	"time"

	"calanque/geo"
	portal "calanque/geo/catalogue" // beside the catalogue file
)

// linksDaily is how old a look at a link may be.
const linksDaily = 20 * time.Hour

type linksCmd struct {
	All  bool `help:"Follow all links, also those that were followed today."`
	JSON bool `name:"json" help:"Print the report and the broken links as JSON."`
}

// Help says what is followed.
func (*linksCmd) Help() string {
	return "Follows the links of public datasets to what stays with its producer, keeps to robots.txt, and lists those that are broken.\n" +
		"A link that fails is called broken when it fails again; one that leads to nothing (404, 410), at once."
}

// Run follows the links that are due and prints those that are broken.
func (c *linksCmd) Run(ctx context.Context, a *app) error {
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	due := time.Now()
	if !c.All {
		due = due.Add(-linksDaily)
	}
	report, err := portal.CheckLinks(ctx, hub, portal.NewLinkClient(portal.ClientOptions{About: a.PublicURL}), due, time.Now)
	if err != nil {
		return err
	}
	broken, err := portal.BrokenLinks(ctx, hub.Owner)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(map[string]any{"report": report, "broken": broken})
	}
	for _, b := range broken {
		why := geo.Say("link.broken", "since", b.Since, "why", b.Message)
		fmt.Fprintln(a.stdout, a.sentence(geo.Say("links.line", "dataset", b.Dataset, "resource", b.Resource, "url", b.URL, "why", why)))
	}
	fmt.Fprintln(a.stdout, a.sentence(geo.Say("links.report", "tried", report.Tried, "broken", report.Broken, "mended", report.Mended, "unclear", report.Unclear)))
	return nil
}
