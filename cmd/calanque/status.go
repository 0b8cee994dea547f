package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/osm"
)

type statusCmd struct {
	Dataset string `arg:"" optional:"" help:"Dataset to look at; all of them when left out."`
	Issues  bool   `help:"Write what happened to each record of the last delivery, as CSV."`
	Jobs    bool   `help:"Show the queue of work alone: what waits, runs and failed."`
	JSON    bool   `name:"json" help:"Print as JSON."`
}

// Help shows an example.
func (*statusCmd) Help() string {
	return `Examples:
  calanque status
  calanque status points-eau
  calanque status points-eau --issues > issues.csv
  calanque status --jobs --json

The CSV holds whole rejected rows, which may name people: it is for the
producer, not for publication.`
}

// A datasetStatus is what status prints of a dataset.
type datasetStatus struct {
	Dataset   string                  `json:"dataset"`
	Title     geo.Text                `json:"title"`
	Producer  string                  `json:"producer"`
	Licence   string                  `json:"licence"`
	Life      geo.Life                `json:"life"`
	Frequency string                  `json:"frequency,omitempty"`
	Chain     catalogue.Chain         `json:"chain"`
	State     catalogue.State         `json:"state"` // where it stands in its chain; only open is public
	Since     time.Time               `json:"since"` // of the state
	Retired   bool                    `json:"retired,omitempty"`
	Published *time.Time              `json:"published"`
	Layers    []postgis.LayerStatus   `json:"layers"`
	Versions  []postgis.VersionStatus `json:"versions,omitempty"`
}

// Run prints where datasets stand.
func (c *statusCmd) Run(ctx context.Context, a *app) error {
	if c.Issues && c.Dataset == "" {
		return geo.Bad(errUsage, "option.issues")
	}
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	if c.Issues {
		return c.issues(ctx, a, hub)
	}
	if c.Jobs {
		return a.printJobs(ctx, hub, c.JSON)
	}
	list, err := c.collect(ctx, hub)
	if err != nil {
		return err
	}
	if c.JSON {
		return a.printJSON(list)
	}
	if err := a.printStatus(list); err != nil || c.Dataset != "" {
		return err
	}
	if err := a.printOSMStatus(ctx, hub, len(list) == 0); err != nil {
		return err
	}
	return a.printJobs(ctx, hub, false)
}

func (a *app) printStatus(list []datasetStatus) error {
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, d := range list {
		when := "–"
		if d.Published != nil {
			when = d.Published.Format("2006-01-02 15:04")
		}
		if d.Retired {
			when += " " + a.sentence(geo.Say("status.retired"))
		}
		state := a.sentence(geo.Say("status.chain", "state", geo.Say("chain."+string(d.State)), "since", d.Since.Format("2006-01-02")))
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", d.Dataset, d.Producer, d.Licence, when, state)
		for _, l := range d.Layers {
			fmt.Fprintf(w, "  %s\t%s\n", l.Name, a.sentence(geo.Say("status.layer", "n", l.Rows, "read", l.Read, "loaded", l.Loaded,
				"repaired", l.Repaired, "rejected", l.Rejected, "no_geometry", l.NoGeometry)))
		}
		for _, v := range d.Versions {
			line := a.sentence(geo.Say("status.version", "number", v.Number, "source", v.Source, "state", a.sentence(geo.Say("status.state-"+v.State)), "at", v.Started.Format("2006-01-02 15:04")))
			if v.Failure != nil {
				line += " – " + a.sentence(*v.Failure)
			}
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	return w.Flush()
}

// printOSMStatus says which OpenStreetMap is shown, or how to begin.
func (a *app) printOSMStatus(ctx context.Context, hub *postgis.Hub, nothingElse bool) error {
	state, err := osm.Status(ctx, hub.Owner)
	code := "status.osm"
	switch {
	case errors.Is(err, geo.ErrNotFound) && nothingElse:
		code = "status.empty"
	case errors.Is(err, geo.ErrNotFound):
		code = "status.no-osm"
	case err != nil:
		return err
	}
	fmt.Fprintln(a.stdout, a.sentence(geo.Say(code, "extract", state.Extract, "file", state.File,
		"points", state.Report.Points, "lines", state.Report.Lines, "areas", state.Report.Areas)))
	return nil
}

func (c *statusCmd) collect(ctx context.Context, hub *postgis.Hub) ([]datasetStatus, error) {
	datasets, err := postgis.Datasets(ctx, hub.Owner)
	if err != nil {
		return nil, err
	}
	entries, err := catalogue.Entries(ctx, hub.Owner, catalogue.Desk, "true")
	if err != nil {
		return nil, err
	}
	stands := map[geo.DatasetID]*catalogue.Entry{}
	for i := range entries {
		stands[entries[i].ID] = &entries[i]
	}
	list := []datasetStatus{}
	for _, d := range datasets {
		if c.Dataset != "" && c.Dataset != d.Slug {
			continue
		}
		s := datasetStatus{
			Dataset: d.Slug, Title: d.Title, Producer: d.Producer, Licence: d.Licence, Life: d.Life, Frequency: d.Frequency, Retired: d.Retired,
		}
		if e := stands[d.ID]; e != nil { // else it was made between the two questions
			s.Chain, s.State, s.Since = e.Chain, e.State, e.Since
		}
		if d.Published != 0 {
			s.Published = &d.PublishedAt
			if s.Layers, err = postgis.VersionLayers(ctx, hub.Owner, d.Published); err != nil {
				return nil, err
			}
		}
		if c.Dataset != "" {
			if s.Versions, err = postgis.Versions(ctx, hub.Owner, d.Slug, 20); err != nil {
				return nil, err
			}
		}
		list = append(list, s)
	}
	if c.Dataset != "" && len(list) == 0 {
		return nil, geo.Bad(geo.ErrNotFound, "status.no-dataset", "dataset", c.Dataset)
	}
	return list, nil
}

// issues writes those of the last delivery, published or refused.
func (c *statusCmd) issues(ctx context.Context, a *app, hub *postgis.Hub) error {
	versions, err := postgis.Versions(ctx, hub.Owner, c.Dataset, 1)
	if err != nil {
		return err
	}
	if len(versions) == 0 {
		return geo.Bad(geo.ErrNotFound, "status.no-dataset", "dataset", c.Dataset)
	}
	w := csv.NewWriter(a.stdout)
	if err := w.Write([]string{"layer", "record", "field", "value", "rule", "action", "message", "raw"}); err != nil {
		return err
	}
	err = postgis.EachIssue(ctx, hub.Owner, versions[0].Version, func(i postgis.StoredIssue) error {
		action := "repaired"
		if i.Rejected {
			action = "rejected"
		}
		return w.Write([]string{i.Layer, strconv.FormatInt(i.Record, 10), i.Field, i.Value, i.Rule, action, a.sentence(i.Message), i.Raw})
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}
