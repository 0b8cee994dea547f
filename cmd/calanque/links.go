package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"calanque/geo"
	portal "calanque/geo/catalogue" // beside the catalogue file
	"calanque/geo/postgis"
)

// followLinks is the job that follows what was not followed for a day, and once
// more what has just failed.
func followLinks(ctx context.Context, w *worker, _ json.RawMessage) error {
	report, err := w.app.followLinks(ctx, w.hub, time.Now().Add(-linksDaily))
	if err != nil {
		return err
	}
	if report.Offline {
		w.log.Warn("no link could be followed: is this machine offline?")
	} else if report.Tried > 0 {
		w.log.Info("links followed", "tried", report.Tried, "broken", report.Broken, "mended", report.Mended, "unclear", report.Unclear)
	}
	return nil
}

func (a *app) followLinks(ctx context.Context, hub *postgis.Hub, due time.Time) (portal.LinkReport, error) {
	about := ""
	if a.PublicURL != "" {
		about = strings.TrimSuffix(a.PublicURL, "/") + "/aide"
	}
	return portal.CheckLinks(ctx, hub, portal.NewLinkClient(portal.ClientOptions{About: about}), due, time.Now)
}

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
	report, err := a.followLinks(ctx, hub, due)
	if err != nil {
		return err
	}
	broken, err := portal.BrokenLinks(ctx, hub.Owner)
	if err != nil {
		return err
	}
	if report.Offline {
		return geo.Bad(geo.ErrUnavailable, "links.offline")
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
