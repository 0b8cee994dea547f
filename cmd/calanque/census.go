package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

type censusCmd struct {
	File     string   `arg:"" help:"Spreadsheet (XLSX or CSV): one line for each data set." type:"path"`
	Producer string   `help:"Producer of lines that name none: an id." placeholder:"ID"`
	Licence  string   `help:"Licence of lines that name none (default: restricted)." placeholder:"ID"`
	Chain    string   `help:"Chain that the data sets will take: region or partner." enum:"region,partner" default:"region"`
	Sheet    string   `help:"Sheet of the workbook (default: the one whose titles say most)." placeholder:"NAME"`
	Header   int      `help:"Line with the titles of the columns (default: the one that says most)." placeholder:"LINE"`
	Column   []string `help:"What a column is, where its title does not say: C=title; C= keeps it as it is." placeholder:"C=FIELD"`
	DryRun   bool     `help:"Say how columns and lines are understood, and write nothing."`
	JSON     bool     `name:"json" help:"Print the report as JSON."`
}

// Help shows an example.
func (*censusCmd) Help() string {
	return `Examples:
  calanque census recensement.xlsx --producer region --dry-run
  calanque census recensement.xlsx --producer region

Columns are known by their titles, whatever their order: titre, description,
producteur, thème, mots-clés, licence, territoire, fréquence, date de mise à
jour, url, contact… Cells of other columns are kept. Every good line makes a
data set that stands in the census, hidden; the others are listed with what to
mend. The same file again changes nothing, a mended one adds what is new.

Exit code 0: all lines were taken; 3: some were not.`
}

// A censusReport is what census prints for scripts.
type censusReport struct {
	DryRun  bool                     `json:"dry_run,omitempty"`
	File    string                   `json:"file"`
	Header  int                      `json:"header"` // line of the titles
	Columns []catalogue.CensusColumn `json:"columns"`
	Taken   int                      `json:"taken"`
	Same    int                      `json:"same"`
	Refused int                      `json:"refused"`
	Lines   []censusLine             `json:"lines"`
}

type censusLine struct {
	Line     int                       `json:"line"`
	State    string                    `json:"state"`
	Dataset  string                    `json:"dataset,omitempty"`
	Title    string                    `json:"title,omitempty"`
	Problems []catalogue.CensusProblem `json:"problems,omitempty"`
}

// Run takes a census in.
func (c *censusCmd) Run(ctx context.Context, a *app) error {
	sheet, err := c.read()
	if err != nil {
		return err
	}
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	def, err := c.defaults(ctx, hub)
	if err != nil {
		return err
	}
	var r catalogue.Census
	if c.DryRun {
		r, err = catalogue.ReadCensus(ctx, hub.Owner, sheet, def)
	} else {
		r, err = catalogue.TakeCensus(ctx, hub.Owner, sheet, def, catalogue.By{Body: catalogue.CensusBody})
	}
	if err != nil {
		return err
	}
	if c.JSON {
		err = a.printJSON(c.report(sheet, r))
	} else {
		err = a.printCensus(sheet, r, c.DryRun)
	}
	if err == nil && r.Refused > 0 {
		err = geo.Bad(geo.ErrRejected, "census.refused", "n", r.Refused, "lines", len(r.Lines))
	}
	return err
}

func (c *censusCmd) read() (*catalogue.Sheet, error) {
	f, err := os.Open(c.File)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, geo.Bad(err, "format.no-file", "file", c.File)
		}
		return nil, fmt.Errorf("read the census: %w", err)
	}
	defer f.Close()
	return catalogue.ReadSheet(filepath.Base(c.File), c.Sheet, f)
}

func (c *censusCmd) defaults(ctx context.Context, hub *postgis.Hub) (catalogue.CensusDefault, error) {
	def := catalogue.CensusDefault{Chain: catalogue.Chain(c.Chain), Sheet: c.Sheet, Header: c.Header, Fields: map[int]string{}}
	for _, said := range c.Column {
		letters, field, ok := strings.Cut(said, "=")
		n := catalogue.ColumnNumber(letters)
		if !ok || n == 0 {
			return def, geo.Bad(errUsage, "census.column-option", "value", said)
		}
		def.Fields[n] = field
	}
	if c.Producer != "" {
		p, known, err := producer(ctx, hub.Owner, c.Producer)
		if err != nil {
			return def, err
		}
		if !known {
			return def, geo.Bad(errUsage, "census.unknown-producer", "producer", c.Producer)
		}
		def.Producer = p.ID
	}
	if c.Licence != "" {
		l, err := knownLicence(ctx, hub.Owner, c.Licence)
		if err != nil {
			return def, err
		}
		def.Licence = l.ID
	}
	return def, nil
}

func (c *censusCmd) report(s *catalogue.Sheet, r catalogue.Census) censusReport {
	out := censusReport{
		DryRun: c.DryRun, File: s.Source, Header: r.Header, Columns: r.Columns, Taken: r.Taken, Same: r.Same, Refused: r.Refused, Lines: []censusLine{},
	}
	for _, l := range r.Lines {
		out.Lines = append(out.Lines, censusLine{l.Line, l.State, l.Slug, l.Title, l.Problems})
	}
	return out
}

// printCensus shows the mapping first, then what became of the lines.
func (a *app) printCensus(s *catalogue.Sheet, r catalogue.Census, dry bool) error {
	say := func(code string, args ...any) string { return a.sentence(geo.Say(code, args...)) }
	fmt.Fprintln(a.stdout, say("census.columns", "file", s.Source, "line", r.Header))
	w := tabwriter.NewWriter(a.stdout, 0, 4, 2, ' ', 0)
	for _, c := range r.Columns {
		field := say("census.kept")
		if c.Field != "" {
			field = say("field." + c.Field)
		}
		fmt.Fprintf(w, "  %s\t%s\t→ %s\n", catalogue.ColumnName(c.Column), c.Title, field)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, l := range r.Lines {
		if l.State != catalogue.LineRefused {
			fmt.Fprintln(a.stdout, say("census.line-"+l.State, "line", l.Line, "title", l.Title, "dataset", l.Slug))
			continue
		}
		for _, p := range l.Problems {
			at := strings.TrimSpace(p.Column + fmt.Sprint(l.Line))
			fmt.Fprintln(a.stdout, say("census.line-refused", "at", at, "title", p.Title, "message", p.Message))
		}
	}
	code := "census.done"
	if dry {
		code = "census.would"
	}
	fmt.Fprintln(a.stdout, say(code, "taken", r.Taken, "same", r.Same, "refused", r.Refused))
	return nil
}
