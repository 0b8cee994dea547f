// Command calanque is the hub: it loads partner datasets and OpenStreetMap
// into PostGIS, compares them, and serves tiles, features and a map.
//
// This package is the only place that knows everyone: it reads flags and the
// environment, opens the database, and wires the packages together. What a
// command does is in its own file.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"calanque/geo"
)

// cli is the whole interface, readable as one struct.
type cli struct {
	config

	Up        upCmd        `cmd:"" help:"Serve the map, the tiles and the API (with a private PostGIS unless DATABASE_URL is set)."`
	Demo      demoCmd      `cmd:"" help:"Make and load the sample data, then do as up."`
	Apply     applyCmd     `cmd:"" help:"Make a catalogue file true: producers, datasets, sources, themes, rules."`
	Load      loadCmd      `cmd:"" help:"Load a partner's file as the next version of a dataset and publish it."`
	Census    censusCmd    `cmd:"" help:"Take the census of a service in from a spreadsheet: one line for each data set."`
	OSM       osmCmd       `cmd:"" name:"osm" help:"Keep the copy of OpenStreetMap."`
	Links     linksCmd     `cmd:"" help:"Follow the links to what stays with its producer, and list the broken ones."`
	Match     matchCmd     `cmd:"" help:"Compare a dataset with OpenStreetMap by its rules."`
	User      userCmd      `cmd:"" help:"Keep the accounts of mediators, coordinators and producers."`
	Work      workCmd      `cmd:"" help:"Do what waits in the queue: files sent through the pages, links to check, sources to read again."`
	Status    statusCmd    `cmd:"" help:"Tell where datasets stand, and what happened to their records."`
	Backup    backupCmd    `cmd:"" help:"Write everything to a file."`
	Restore   restoreCmd   `cmd:"" help:"Replace everything by what a file holds."`
	ReadSheet readSheetCmd `cmd:"" name:"read-sheet" hidden:"" help:"Read the spreadsheet on standard input."`
	Redraw    redrawCmd    `cmd:"" name:"redraw-picture" hidden:"" help:"Draw the picture on standard input anew."`
}

// Exit codes: a script can tell a refusal from a failure.
const (
	exitFailed   = 1
	exitUsage    = 2
	exitRejected = 3 // a load above --max-rejected: nothing published
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the program without the process: tests call it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("calanque"),
		kong.Description("A geospatial data hub with OpenStreetMap. See `calanque COMMAND --help`; `calanque demo` shows it all."),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"data_default": defaultData()},
	)
	if err != nil {
		fmt.Fprintln(stderr, "calanque:", err)
		return exitFailed
	}
	cmd, err := parser.Parse(args)
	if exited >= 0 {
		return exited // --help has been printed
	}
	if err != nil {
		fmt.Fprintf(stderr, "calanque: %v\nTry: calanque --help\n", err)
		return exitUsage
	}
	a := newApp(&c.config, stdout, stderr)
	defer a.close()
	cmd.BindTo(ctx, (*context.Context)(nil))
	if err := cmd.Run(a); err != nil {
		a.complain(err)
		return exitCode(err)
	}
	return 0
}

// errUsage is the cause of what was wrong with the command itself.
var errUsage = errors.New("usage")

func exitCode(err error) int {
	switch {
	case errors.Is(err, geo.ErrRejected):
		return exitRejected
	case errors.Is(err, errUsage):
		return exitUsage
	}
	return exitFailed
}
