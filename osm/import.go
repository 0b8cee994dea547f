package osm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/pbf"
)

// rules is the revision of what makes a feature and how. It grows with every
// change of the code that gives other rows of the same extract, so that the
// same file is imported again.
const rules = 2

// An importer is one import.
type importer struct {
	hub    *postgis.Hub
	path   string
	o      Options
	before *State // nil before the first import
	themes []Theme
	report Report
	sum    []byte
	by     string // where the extract's date is from
	region geo.Box

	mu   sync.Mutex
	told time.Time // when progress was told last
}

// Import replaces the copy of OpenStreetMap by an extract, in one transaction
// at its end: whatever stops it before, a kill included, leaves the older copy
// as it was, and the next import works. One import runs at a time; another is
// geo.ErrConflict.
//
// It returns a *geo.InputError for a file that can't be read (codes osm.pbf.…),
// is not sorted (osm.unsorted), holds nothing (osm.nothing), or, without
// Options.Force, is older than what is shown (osm.older). The file that is
// shown already is not imported again: Report.Unchanged says so.
func Import(ctx context.Context, hub *postgis.Hub, path string, o Options) (Report, error) {
	start := time.Now()
	unlock, err := alone(ctx, hub)
	if err != nil {
		return Report{}, fmt.Errorf("import %s: %w", filepath.Base(path), err)
	}
	defer unlock()
	im := &importer{hub: hub, path: path, o: o}
	im.report.File = filepath.Base(path)
	if err := im.run(ctx); err != nil {
		return Report{}, err
	}
	im.report.Took = time.Since(start)
	return im.report, nil
}

// alone takes the lock of imports. It tries for some seconds, which is what the
// server needs to notice that an importer was killed.
func alone(ctx context.Context, hub *postgis.Hub) (unlock func(), err error) {
	for range 20 {
		unlock, ok, err := postgis.TryLock(ctx, hub.Owner, "osm import")
		if err != nil || ok {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(150 * time.Millisecond):
		}
	}
	return nil, geo.Bad(geo.ErrConflict, "osm.running")
}

func (im *importer) run(ctx context.Context) error {
	r, err := pbf.Open(im.path)
	if err != nil {
		return err
	}
	defer r.Close()
	st, err := os.Stat(im.path)
	if err != nil {
		return fmt.Errorf("look at the extract: %w", err)
	}
	if im.sum, err = sum(im.path); err != nil {
		return err
	}
	im.report.SHA256 = hex.EncodeToString(im.sum)
	if im.before, err = current(ctx, im.hub.Owner); err != nil {
		return err
	}
	if im.themes, err = stored(ctx, im.hub.Owner); err != nil {
		return err
	}
	if b := im.before; b != nil {
		if b.SHA256 == im.report.SHA256 && b.rules == rules && b.lists(im.themes) && !im.o.Force {
			im.report = b.Report
			im.report.Unchanged = true
			return nil
		}
		im.report.Replaced = b.Extract
	}
	if at := r.Header().Replication; !at.IsZero() { // known before reading: refuse at once
		if err := im.refuseOlder(at); err != nil {
			return err
		}
	}
	if err := dropBuilds(ctx, im.hub.Owner); err != nil {
		return err
	}
	return im.replace(ctx, r, st.ModTime())
}

// replace reads the extract, builds the tables and publishes them.
func (im *importer) replace(ctx context.Context, r *pbf.Reader, fileTime time.Time) error {
	x := &read{
		r: r, file: im.report.File, selections: selections(im.themes),
		progress: func(done int64) { im.progress("read", done, r.Size()) },
	}
	for _, s := range []**spool{&x.points, &x.lines, &x.areas} {
		var err error
		if *s, err = newSpool(im.o.TempDir); err != nil {
			return err
		}
		defer (*s).close()
	}
	if err := x.run(ctx); err != nil {
		return err
	}
	im.report.Extract, im.by = x.extractAt(fileTime)
	if err := im.refuseOlder(im.report.Extract); err != nil {
		return err
	}
	rows := int64(len(x.points.entries) + len(x.lines.entries) + len(x.areas.entries))
	if rows == 0 && !im.o.Force {
		return geo.Bad(nil, "osm.nothing", "file", im.report.File)
	}
	x.places = locations{} // free it before the server needs the memory
	tables := []*table{{name: "area", spool: x.areas}, {name: "line", spool: x.lines}, {name: "point", spool: x.points}}
	b := &builder{pool: im.hub.Owner, places: make(chan struct{}, builders), progress: im.progress, total: rows}
	var found []Problem
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		found, err = b.run(gctx, tables)
		return err
	})
	g.Go(func() (err error) {
		im.report.ListedWays, err = x.writeKept(gctx, im.hub.Owner)
		return err
	})
	if err := g.Wait(); err != nil {
		return err
	}
	problems := append(x.problems, found...)
	if err := writeProblems(ctx, im.hub.Owner, problems); err != nil {
		return err
	}
	im.account(x, tables, problems)
	im.progress("publish", 0, 1)
	if err := im.publish(ctx, tables, r.Header()); err != nil {
		return err
	}
	im.progress("publish", 1, 1)
	return nil
}

func (im *importer) account(x *read, tables []*table, problems []Problem) {
	r := &im.report
	r.Nodes, r.Ways, r.Relations = x.nodes, x.wayCount, x.relationCount
	r.Areas, r.Lines, r.Points = tables[0].rows, tables[1].rows, tables[2].rows
	r.FromRelations, r.OldStyle = x.fromRelations.Load(), x.oldStyle.Load()
	r.Absorbed, r.OtherRelations = int64(len(x.absorbed)), x.otherRelations
	r.Problems = map[string]int64{}
	for _, p := range problems {
		r.Problems[p.Message.Code]++
	}
	im.region = geo.EmptyBox()
	for _, t := range tables {
		im.region = im.region.Union(t.spool.extent.unproject())
	}
	if b := x.r.Header().Box; b != nil {
		im.region = degreesOf(*b)
	}
}

func (im *importer) refuseOlder(at time.Time) error {
	if im.o.Force || im.before == nil || !at.Before(im.before.Extract) {
		return nil
	}
	return geo.Bad(nil, "osm.older", "file", im.report.File,
		"extract", at.Format(time.RFC3339), "shown", im.before.Extract.Format(time.RFC3339))
}

// progress tells how far the import is, ten times a second at most.
func (im *importer) progress(phase string, done, total int64) {
	if im.o.Progress == nil {
		return
	}
	im.mu.Lock()
	defer im.mu.Unlock()
	if now := time.Now(); done >= total || now.Sub(im.told) >= 100*time.Millisecond {
		im.told = now
		im.o.Progress(Progress{phase, done, total})
	}
}

// sum is the SHA-256 of a file.
func sum(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open extract: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return nil, fmt.Errorf("read extract: %w", err)
	}
	return h.Sum(nil), nil
}
