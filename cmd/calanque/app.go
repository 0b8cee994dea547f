package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/cluster"
)

// An app is what commands share: configuration, where to print, and the
// database, opened when a command first asks for it.
type app struct {
	config
	stdout, stderr io.Writer
	log            *slog.Logger
	hub            *postgis.Hub
	shut           []func() error // in reverse order
}

func newApp(c *config, stdout, stderr io.Writer) *app {
	return &app{config: *c, stdout: stdout, stderr: stderr, log: slog.New(slog.NewTextHandler(stderr, nil))}
}

// database opens the hub's database: the server of DATABASE_URL, else the
// private one in the data folder.
func (a *app) database(ctx context.Context) (*postgis.Hub, error) {
	if a.hub != nil {
		return a.hub, nil
	}
	url := a.DatabaseURL
	if url == "" {
		private, err := cluster.Open(ctx, filepath.Join(a.dataFolder(), "postgres"), cluster.Options{Log: a.log})
		if err != nil {
			return nil, err
		}
		a.shut = append(a.shut, private.Close)
		url = private.URL()
	}
	hub, err := postgis.Open(ctx, postgis.Config{URL: url})
	if err != nil {
		return nil, err
	}
	a.hub = hub
	a.shut = append(a.shut, func() error { hub.Close(); return nil })
	return hub, nil
}

func (a *app) close() {
	for i := len(a.shut) - 1; i >= 0; i-- {
		if err := a.shut[i](); err != nil {
			a.log.Error("shutting down", "err", err)
		}
	}
}

// complain says on stderr what went wrong.
func (a *app) complain(err error) {
	fmt.Fprintln(a.stderr, "calanque:", err)
}

// printJSON writes a result for scripts, indented for people.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// sentence says a message in the language of the terminal.
func (a *app) sentence(m geo.Message) string { return fmt.Sprint(m.Code, m.Args) }
