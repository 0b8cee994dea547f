package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	_ "time/tzdata" // zones of series, where the system has none

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/format"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

type loadCmd struct {
	File        string   `arg:"" help:"Shapefile (zipped or not), GeoPackage, GeoJSON or CSV; a folder of them." type:"path"`
	Dataset     string   `required:"" help:"Dataset to load into: lower case, digits, hyphens." placeholder:"NAME"`
	Producer    string   `help:"Who made it: an id, or a name for a new one. A new dataset needs it."`
	Licence     string   `help:"Its licence: lo-2.0, lo-1.0, odbl-1.0, cc0, cc-by-4.0, restricted. A new dataset needs it." placeholder:"ID"`
	Title       string   `help:"Title, in French."`
	Key         []string `help:"Columns that identify a record (default: all of its content)." placeholder:"COLUMN"`
	Time        string   `help:"Column with the time: makes a new dataset a series, to which loads add." placeholder:"COLUMN"`
	Borrow      string   `help:"Layer whose geometry a series shows, and the column with its key." placeholder:"LAYER=COLUMN"`
	CRS         int      `name:"crs" help:"EPSG code of the coordinates, whatever the file says." placeholder:"CODE"`
	Axes        string   `help:"Order of the coordinates, whatever the file says: xy or yx." enum:",xy,yx" default:"" placeholder:"xy|yx"`
	Encoding    string   `help:"Of the text: utf-8, cp1252, cp850, mac, utf-16 (default: decided by its bytes)."`
	Delimiter   string   `help:"Of CSV (default: decided by the file)." placeholder:"CHAR"`
	Header      *bool    `help:"Whether the first row of CSV names the columns (default: decided by the file)." negatable:""`
	X           string   `help:"CSV column with x or longitude." placeholder:"COLUMN"`
	Y           string   `help:"CSV column with y or latitude." placeholder:"COLUMN"`
	Geometry    string   `help:"CSV column with WKT, GeoJSON or 'lat, lon'." placeholder:"COLUMN"`
	Layer       string   `help:"Load this layer of the file only." placeholder:"NAME"`
	MaxRejected string   `help:"Publish nothing when more records are rejected." default:"1%" placeholder:"PERCENT"`
	Anywhere    bool     `help:"Data from outside the region: no test of the place."`
	Force       bool     `help:"Load even what is published already, or has no record."`
	NoKeep      bool     `help:"Do not keep the file as received for download."`
	JSON        bool     `name:"json" help:"Print the report as JSON."`
}

// Help shows an example.
func (*loadCmd) Help() string {
	return `Examples:
  calanque load points-eau.zip --dataset points-eau --producer crige --licence lo-2.0
  calanque load mesures.csv --dataset mesures --producer atmosud --licence odbl-1.0 --key station,polluant --time date
  calanque load points-eau.zip --dataset points-eau    # the next version, read as the last one

Exit code 0: published, or nothing new; 1: the file can't be loaded; 2: wrong
usage; 3: too many records rejected. Unless it is 0, what was published before
still is.`
}

// Run loads the file and says what became of every record.
func (c *loadCmd) Run(ctx context.Context, a *app) error {
	req, err := c.request()
	if err != nil {
		return err
	}
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	if err := c.owner(ctx, hub, &req); err != nil {
		return err
	}
	if req.Region, err = region(ctx, hub); err != nil {
		return err
	}
	if !c.NoKeep {
		req.Files = a.files()
	}
	progress := newBar(a.stderr, a.sentence)
	report, err := ingest.Load(ctx, hub, req, progress.event)
	progress.done()
	if report.State != "" {
		if perr := a.printReport(report, c.JSON); perr != nil {
			return perr
		}
	}
	if err != nil {
		return err
	}
	if report.State == ingest.Published {
		return a.catchUp(ctx, hub)
	}
	return nil
}

func (c *loadCmd) request() (ingest.Request, error) {
	share, err := percent(c.MaxRejected)
	if err != nil {
		return ingest.Request{}, err
	}
	req := ingest.Request{
		Dataset: c.Dataset, Path: c.File, Key: c.Key, Axes: c.Axes, MaxRejected: &share, Anywhere: c.Anywhere, Force: c.Force,
		Options: format.Options{
			Encoding: c.Encoding, Delimiter: delimiter(c.Delimiter), Header: c.Header, X: c.X, Y: c.Y, Geometry: c.Geometry,
			Layer: c.Layer, CRS: geo.SRID(c.CRS),
		},
	}
	if c.Title != "" {
		req.Title = geo.Text{"fr": c.Title}
	}
	if c.Time != "" {
		req.Series = &ingest.Series{Time: c.Time}
	}
	if c.Borrow != "" {
		layer, field, ok := strings.Cut(c.Borrow, "=")
		if !ok || req.Series == nil {
			return req, geo.Bad(errUsage, "option.borrow", "value", c.Borrow)
		}
		req.Series.Borrow, req.Series.BorrowField = layer, field
	}
	return req, nil
}

// delimiter understands the names of characters that a shell makes hard to
// type.
func delimiter(s string) string {
	switch strings.ToLower(s) {
	case "tab", `\t`:
		return "\t"
	case "comma":
		return ","
	case "semicolon":
		return ";"
	case "pipe":
		return "|"
	}
	return s
}

// percent reads "1%", "0,5 %" or "0.01".
func percent(s string) (float64, error) {
	t, isPercent := strings.CutSuffix(strings.TrimSpace(s), "%")
	f, err := strconv.ParseFloat(strings.ReplaceAll(strings.TrimSpace(t), ",", "."), 64)
	if isPercent {
		f /= 100
	}
	if err != nil || f < 0 || f > 1 {
		return 0, geo.Bad(errUsage, "option.percent", "value", s)
	}
	return f, nil
}

// owner finds the producer and licence that were named; those that are new
// are made once the file is known to be loadable.
func (c *loadCmd) owner(ctx context.Context, hub *postgis.Hub, req *ingest.Request) error {
	var make []func(context.Context, pgx.Tx) error
	if c.Licence != "" {
		l, err := knownLicence(ctx, hub.Owner, c.Licence)
		if err != nil {
			return err
		}
		req.Licence = l.ID
		make = append(make, func(ctx context.Context, tx pgx.Tx) error {
			_, err := catalogue.PutLicence(ctx, tx, l, byLoad)
			return err
		})
	}
	if c.Producer != "" {
		p, known, err := producer(ctx, hub.Owner, c.Producer)
		if err != nil {
			return err
		}
		req.Producer = p.ID
		if !known {
			d := catalogue.Producer{Producer: p}
			make = append(make, func(ctx context.Context, tx pgx.Tx) error {
				_, err := catalogue.PutProducer(ctx, tx, d, byLoad)
				return err
			})
		}
	}
	change, err := redescribe(ctx, hub, req)
	if err != nil {
		return err
	}
	if change != nil {
		make = append(make, change)
	}
	req.Prepare = func(ctx context.Context, db postgis.DB) error {
		return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
			for _, f := range make {
				if err := f(ctx, tx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return nil
}

// byLoad is who is said to have written what load writes.
var byLoad = catalogue.By{Body: "calanque load"}

// redescribe takes what the command says of a dataset that is there out of the
// request, and gives what writes it, so that it stands in the log of edits;
// nil when it says nothing.
func redescribe(ctx context.Context, hub *postgis.Hub, req *ingest.Request) (func(context.Context, pgx.Tx) error, error) {
	if req.Title == nil && req.Producer == "" && req.Licence == "" {
		return nil, nil
	}
	_, err := catalogue.Find(ctx, hub.Owner, catalogue.Desk, req.Dataset)
	if errors.Is(err, geo.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	said := *req
	req.Title, req.Producer, req.Licence = nil, "", ""
	return func(ctx context.Context, tx pgx.Tx) error {
		e, err := catalogue.Find(ctx, tx, catalogue.Desk, req.Dataset)
		if err != nil {
			return err
		}
		if said.Title != nil {
			e.Title = said.Title
		}
		e.Producer = cmp.Or(said.Producer, e.Producer)
		e.Licence = cmp.Or(said.Licence, e.Licence)
		_, err = catalogue.Put(ctx, tx, e, byLoad)
		return err
	}, nil
}

// producer finds a producer by id or title, or makes one of the name.
func producer(ctx context.Context, db postgis.DB, name string) (p geo.Producer, known bool, err error) {
	list, err := postgis.Producers(ctx, db)
	if err != nil {
		return p, false, err
	}
	for _, p := range list {
		if strings.EqualFold(p.ID, name) || strings.EqualFold(p.Title.In("fr"), name) {
			return p, true, nil
		}
	}
	id := strings.ReplaceAll(ingest.ColumnName(name), "_", "-")
	if id == "" {
		return p, false, geo.Bad(errUsage, "option.producer", "value", name)
	}
	return geo.Producer{ID: id, Title: geo.Text{"fr": name}}, false, nil
}

// printReport says what became of every record.
func (a *app) printReport(r ingest.Report, asJSON bool) error {
	if asJSON {
		return a.printJSON(r)
	}
	say := func(code string, args ...any) {
		fmt.Fprintln(a.stdout, a.sentence(geo.Say(code, args...)))
	}
	if r.State == ingest.Unchanged {
		say("load.unchanged", "dataset", r.Dataset, "source", r.Source)
		return nil
	}
	for _, l := range r.Layers {
		say("load.layer", "layer", l.Name, "read", l.Read, "loaded", l.Loaded, "rejected", l.Rejected)
		if l.Repaired+l.NoGeometry > 0 {
			fmt.Fprint(a.stdout, "  ")
			say("load.layer-more", "repaired", l.Repaired, "no_geometry", l.NoGeometry)
		}
		for _, n := range l.Notes {
			fmt.Fprintln(a.stdout, "  ·", a.sentence(n))
		}
		for _, rule := range l.Rules {
			fmt.Fprint(a.stdout, "  ! ")
			say("load.rule", "n", rule.Count, "record", rule.Record, "message", a.sentence(rule.Example))
		}
	}
	if r.State == ingest.Published {
		say("load.published", "dataset", r.Dataset, "number", r.Number, "seconds", fmt.Sprintf("%.1f", r.Seconds))
	}
	if r.Rejected() > 0 || r.State == ingest.Rejected {
		say("load.see-issues", "dataset", r.Dataset)
	}
	return nil
}
