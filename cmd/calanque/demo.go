package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/osm"
	"calanque/osm/sample"
	"calanque/viewer"
)

type demoCmd struct {
	Seed   int64 `help:"Draw another commune." default:"1"`
	Remove bool  `help:"Take the sample data out again, and stop."`
	JSON   bool  `name:"json" help:"Print how to sign in as one line of JSON, once all is loaded."`
}

// Help shows an example.
func (*demoCmd) Help() string {
	return `Examples:
  calanque demo
  calanque demo --json | head -1

Draws a fictional commune of Provence, loads what partners might deliver about
it, and serves it. A mediator ("atelier"), a producer ("producteur") and a
coordinator ("coordination") may sign in with the passwords that are printed:
others at each start. Safe to run again; your own data stay. Take it
out with
  calanque demo --remove`
}

// demoCatalogue describes the sample's files; it is written beside them.
//
//go:embed demo/catalogue.yaml
var demoCatalogue []byte

// Run loads the sample while the server already answers.
func (c *demoCmd) Run(ctx context.Context, a *app) error {
	cat, _, err := parseCatalogue("catalogue.yaml", demoCatalogue)
	if err != nil {
		return err
	}
	if c.Remove {
		return a.removeDemo(ctx, cat)
	}
	return a.serve(ctx, serving{
		prepare:   func(ctx context.Context, hub *postgis.Hub) error { return a.prepareDemo(ctx, hub, c.Seed) },
		ready:     func(url string) error { return a.tellSignIn(ctx, url, c.JSON) },
		want:      func() []string { return demoLayers(cat) },
		fictional: func([]viewer.Layer) bool { return true },
	})
}

// A demoSignIn is what demo --json prints.
type demoSignIn struct {
	URL      string `json:"url"`     // of the hub
	SignIn   string `json:"sign_in"` // of the page that signs in
	Login    string `json:"login"`   // of the mediator
	Password string `json:"password"`

	// Accounts are all that the sample has, by role.
	Accounts map[account.Role]demoAccount `json:"accounts"`
}

// A demoAccount is how one role signs in.
type demoAccount struct {
	Login    string `json:"login"`
	Password string `json:"password"`
}

// tellSignIn says how the sample's mediator signs in.
func (a *app) tellSignIn(ctx context.Context, url string, asJSON bool) error {
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	in := demoSignIn{URL: url, SignIn: url + "/connexion", Login: demoLogin, Accounts: map[account.Role]demoAccount{}}
	for _, acc := range demoAccounts {
		password, err := openDemoAccount(ctx, hub, acc)
		if err != nil {
			return err
		}
		if password == "" {
			fmt.Fprintln(a.stderr, a.sentence(geo.Say("account.demo-taken", "login", acc.Login)))
			continue
		}
		if acc.Role == account.Mediator {
			in.Password = password
		}
		in.Accounts[acc.Role] = demoAccount{acc.Login, password}
		if !asJSON {
			fmt.Fprintln(a.stderr, a.sentence(geo.Say("account.demo-"+string(acc.Role), "url", in.SignIn, "login", acc.Login, "password", password)))
		}
	}
	if asJSON && len(in.Accounts) > 0 {
		return json.NewEncoder(a.stdout).Encode(in)
	}
	return nil
}

func (a *app) demoFolder() string { return filepath.Join(a.dataFolder(), "demo") }

// drawn is where the last drawn sample says what it is.
type drawn struct {
	Seed  int64  `json:"seed"`
	Day   string `json:"day"`
	Build string `json:"build"` // of the program: another one may draw another commune
}

// prepareDemo draws the sample, when it is not there for this seed and day,
// and makes its catalogue true.
func (a *app) prepareDemo(ctx context.Context, hub *postgis.Hub, seed int64) error {
	dir := a.demoFolder()
	unlock, err := postgis.Lock(ctx, hub.Owner, demoSetting) // a second demo waits, and finds all done
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.claimDemo(ctx, hub); err != nil {
		return err
	}
	if _, err := a.drawSample(ctx, dir, seed, time.Now()); err != nil {
		return err
	}
	if err := a.importSample(ctx, hub, filepath.Join(dir, sampleExtract)); err != nil {
		return err
	}
	cat, where, err := readCatalogue(filepath.Join(dir, "catalogue.yaml"))
	if err != nil {
		return err
	}
	ap := &applier{app: a, hub: hub, cat: cat, where: where, dir: dir, quiet: true}
	if err := ap.run(ctx); err != nil {
		return err
	}
	if err := a.proposeDemoReuses(ctx, hub); err != nil {
		return err
	}
	return a.drain(ctx, hub, true) // the first look at the map is at its basemap
}

// sampleExtract is where the sample's OpenStreetMap is, in its folder.
const sampleExtract = "osm/roquebelle.osm.pbf"

// drawSample gives what it has drawn, nothing where the sample was there.
func (a *app) drawSample(ctx context.Context, dir string, seed int64, now time.Time) (m sample.Manifest, err error) {
	want := drawn{Seed: seed, Day: now.UTC().Format(time.DateOnly), Build: buildID()}
	stamp := filepath.Join(dir, "drawn.json")
	var have drawn
	if b, err := os.ReadFile(stamp); err == nil && json.Unmarshal(b, &have) == nil && have == want {
		return m, nil
	}
	fmt.Fprintln(a.stderr, a.sentence(geo.Say("demo.drawing")))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return m, fmt.Errorf("make the sample's folder: %w", err)
	}
	if m, err = sample.Write(ctx, dir, sample.Options{Seed: seed, Today: now}); err != nil {
		return m, err
	}
	if err := os.WriteFile(filepath.Join(dir, "catalogue.yaml"), demoCatalogue, 0o644); err != nil {
		return m, fmt.Errorf("write the sample's catalogue: %w", err)
	}
	b, err := json.Marshal(want)
	if err != nil {
		return m, err
	}
	if err := os.WriteFile(stamp, b, 0o644); err != nil {
		return m, fmt.Errorf("note which sample this is: %w", err)
	}
	return m, nil
}

// buildID tells programs apart, so that a newer one draws its own sample.
func buildID() string {
	exe, err := os.Executable()
	if err != nil {
		return ""
	}
	st, err := os.Stat(exe)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d-%d", st.Size(), st.ModTime().UnixNano())
}

// importSample imports the sample's extract, unless somebody's own is there.
func (a *app) importSample(ctx context.Context, hub *postgis.Hub, path string) error {
	state, err := osm.Status(ctx, hub.Owner)
	if err != nil && !errors.Is(err, geo.ErrNotFound) {
		return err
	}
	ours := state.File == filepath.Base(path)
	if err == nil && !ours {
		fmt.Fprintln(a.stderr, a.sentence(geo.Say("demo.other-osm", "file", state.File)))
		return nil
	}
	progress := newBar(a.stderr, a.sentence)
	// Another seed's extract may be older or of the same day: it is ours to replace.
	_, err = osm.Import(ctx, hub, path, osm.Options{Progress: func(p osm.Progress) {
		progress.step(a.sentence(geo.Say("osm.step-"+p.Phase)), p.Done, p.Total)
	}})
	progress.done()
	return err
}

// demoLayers lists the layers that the sample's catalogue makes.
func demoLayers(cat *catalogueFile) []string {
	list := []string{"osm_points", "osm_lines", "osm_areas"}
	for _, d := range cat.Datasets {
		if d.Source == nil || d.Chain == catalogue.Region {
			continue // nothing to load, or hidden until people decide
		}
		if len(d.Layers) == 0 {
			list = append(list, d.ID)
		}
		for _, l := range d.Layers {
			list = append(list, l.Name)
		}
	}
	for _, t := range cat.Themes {
		list = append(list, "osm_"+t.ID)
	}
	return list
}

// demoSetting is where the hub keeps what the sample brought.
const demoSetting = "demo"

// brought is what the sample brought: names that were nobody's before.
type brought struct {
	Datasets []string `json:"datasets"`
	Themes   []string `json:"themes"`
}

// claimDemo notes that the names of the sample's datasets and themes are the
// sample's. It refuses where one of them is somebody's own: the sample would
// replace it, and take it along when it goes.
func (a *app) claimDemo(ctx context.Context, hub *postgis.Hub) error {
	cat, _, err := parseCatalogue("catalogue.yaml", demoCatalogue)
	if err != nil {
		return err
	}
	ours, _, err := a.demoBrought(ctx, hub, cat)
	if err != nil {
		return err
	}
	all := names(cat)
	datasets, err := postgis.Datasets(ctx, hub.Owner)
	if err != nil {
		return err
	}
	themes, err := osm.Themes(ctx, hub.Owner)
	if err != nil {
		return err
	}
	var taken []string
	for _, d := range datasets {
		if slices.Contains(all.Datasets, d.Slug) && !slices.Contains(ours.Datasets, d.Slug) {
			taken = append(taken, d.Slug)
		}
	}
	for _, t := range themes {
		if slices.Contains(all.Themes, t.ID) && !slices.Contains(ours.Themes, t.ID) {
			taken = append(taken, t.ID)
		}
	}
	if len(taken) > 0 {
		return geo.Bad(geo.ErrExists, "demo.taken", "names", strings.Join(taken, ", "))
	}
	return postgis.PutSetting(ctx, hub.Owner, demoSetting, all)
}

// demoBrought tells what the sample brought, and whether it is here at all.
func (a *app) demoBrought(ctx context.Context, hub *postgis.Hub, cat *catalogueFile) (ours brought, here bool, err error) {
	here, err = postgis.Setting(ctx, hub.Owner, demoSetting, &ours)
	if err != nil || here || a.DatabaseURL != "" {
		return ours, here, err
	}
	if _, err := os.Stat(filepath.Join(a.demoFolder(), "drawn.json")); err == nil {
		return names(cat), true, nil // drawn before the hub kept account of it
	}
	return ours, false, nil
}

// names lists what a catalogue names.
func names(cat *catalogueFile) brought {
	var b brought
	for _, d := range cat.Datasets {
		b.Datasets = append(b.Datasets, d.ID)
	}
	for _, t := range cat.Themes {
		b.Themes = append(b.Themes, t.ID)
	}
	return b
}

// removeDemo takes out what the sample's catalogue brought, and its copy of
// OpenStreetMap; producers and licences stay.
func (a *app) removeDemo(ctx context.Context, cat *catalogueFile) error {
	hub, err := a.database(ctx)
	if err != nil {
		return err
	}
	unlock, err := postgis.Lock(ctx, hub.Owner, demoSetting)
	if err != nil {
		return err
	}
	defer unlock()
	if _, here, err := a.demoBrought(ctx, hub, cat); err != nil || !here {
		if err == nil {
			fmt.Fprintln(a.stdout, a.sentence(geo.Say("demo.removed"))) // never what is somebody's own
		}
		return err
	}
	order := make([]string, 0, len(cat.Datasets))
	for _, d := range cat.Datasets { // those that borrow geometry go before those that lend it
		if d.Series != nil && d.Series.Borrow != nil {
			order = slices.Insert(order, 0, d.ID)
		} else {
			order = append(order, d.ID)
		}
	}
	if err := dropDemoReuses(ctx, hub); err != nil {
		return err
	}
	for _, id := range order {
		if err := postgis.Erase(ctx, hub, id); err != nil && !errors.Is(err, geo.ErrNotFound) {
			return err
		}
	}
	state, err := osm.Status(ctx, hub.Owner)
	if err == nil && state.File == filepath.Base(sampleExtract) {
		err = osm.Clear(ctx, hub)
	}
	if err != nil && !errors.Is(err, geo.ErrNotFound) {
		return err
	}
	if err := a.dropDemoThemes(ctx, hub, cat); err != nil {
		return err
	}
	if err := disableDemoAccounts(ctx, hub); err != nil {
		return err
	}
	if err := os.RemoveAll(a.demoFolder()); err != nil {
		return fmt.Errorf("remove the sample's files: %w", err)
	}
	if err := a.drain(ctx, hub, true); err != nil { // its basemap and overviews go too
		return err
	}
	if _, err := hub.Owner.Exec(ctx, `delete from setting where name = $1`, demoSetting); err != nil {
		return fmt.Errorf("forget the sample: %w", err)
	}
	fmt.Fprintln(a.stdout, a.sentence(geo.Say("demo.removed")))
	return nil
}

// disableDemoAccounts lets nobody sign in any more with what the sample made.
func disableDemoAccounts(ctx context.Context, hub *postgis.Hub) error {
	list, err := account.List(ctx, hub.Owner)
	if err != nil {
		return err
	}
	var ours []string
	if _, err := postgis.Setting(ctx, hub.Owner, demoAccountsSetting, &ours); err != nil {
		return err
	}
	for _, acc := range list {
		if !isDemoAccount(acc, ours) {
			continue
		}
		if err := account.Disable(ctx, hub.Owner, acc.Login); err != nil {
			return err
		}
	}
	return nil
}

// dropDemoThemes takes out the sample's themes but for those that somebody
// else's rule uses.
func (a *app) dropDemoThemes(ctx context.Context, hub *postgis.Hub, cat *catalogueFile) error {
	for _, id := range names(cat).Themes {
		err := pgx.BeginFunc(ctx, hub.Owner, func(tx pgx.Tx) error { return osm.DropThemes(ctx, tx, []string{id}) })
		if err != nil && !errors.Is(err, geo.ErrConflict) {
			return err
		}
	}
	return nil
}
