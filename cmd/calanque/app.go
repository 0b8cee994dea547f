package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/postgis"
	"calanque/geo/postgis/cluster"
	"calanque/viewer"
)

// An app is what commands share: configuration, where to print, and the
// database, opened when a command first asks for it.
type app struct {
	config
	stdin          io.Reader
	stdout, stderr io.Writer
	log            *slog.Logger
	level          *slog.LevelVar // of the log: commands that end say what they do in sentences
	hub            *postgis.Hub
	url            string         // of the database, once it is open
	shut           []func() error // in reverse order
}

func newApp(c *config, stdout, stderr io.Writer) *app {
	level := new(slog.LevelVar)
	level.Set(slog.LevelWarn)
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level}))
	return &app{config: *c, stdin: os.Stdin, stdout: stdout, stderr: stderr, log: log, level: level}
}

// database opens the hub's database: the server of DATABASE_URL, else the
// private one in the data folder.
func (a *app) database(ctx context.Context) (*postgis.Hub, error) {
	if a.hub != nil {
		return a.hub, nil
	}
	url, err := a.address(ctx)
	if err != nil {
		return nil, err
	}
	hub, err := postgis.Open(ctx, postgis.Config{URL: url})
	if err != nil {
		return nil, err
	}
	a.hub, a.url = hub, url
	a.shut = append(a.shut, func() error { hub.Close(); return nil })
	return hub, nil
}

// address is how to connect to the database: DATABASE_URL, else the private
// server, which it starts when needed and holds until the program ends.
func (a *app) address(ctx context.Context) (string, error) {
	if a.DatabaseURL != "" {
		return a.DatabaseURL, nil
	}
	private, err := cluster.Open(ctx, filepath.Join(a.dataFolder(), "postgres"), cluster.Options{Log: a.log})
	if err != nil {
		return "", err
	}
	a.shut = append(a.shut, private.Close)
	return private.URL(), nil
}

// files is the store of uploads, documents and downloads in the data folder,
// which all processes of a hub share.
func (a *app) files() *blob.Store {
	return blob.New(filepath.Join(a.dataFolder(), "files"))
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
	var input *geo.InputError
	if errors.As(err, &input) {
		fmt.Fprintln(a.stderr, "calanque:", a.sentence(input.Message))
		return
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(a.stderr, "calanque:", a.sentence(geo.Say("program.interrupted")))
		return
	}
	if errors.Is(err, geo.ErrUnavailable) {
		fmt.Fprintln(a.stderr, "calanque:", a.sentence(geo.Say("database.lost", "said", err.Error())))
		return
	}
	fmt.Fprintln(a.stderr, "calanque:", err)
}

// printJSON writes a result for scripts, indented for people.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// sentence says a message in the language of the terminal: French, Italian,
// else English.
func (a *app) sentence(m geo.Message) string {
	lang := "en"
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := os.Getenv(name); v != "" {
			if len(v) >= 2 && slices.Contains(viewer.Languages, v[:2]) {
				lang = v[:2]
			}
			break
		}
	}
	return viewer.Sentence(lang, m)
}
