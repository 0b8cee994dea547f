// Package sample draws a fictional commune: OSM extract, partner files, and
// the truth about their disagreements.
//
// Roquebelle-les-Pins and its neighbours are laid down on the coast of the Var
// and exist nowhere else: their INSEE codes, UAI codes, telephone numbers,
// sites and OpenStreetMap ids are of ranges that nothing real uses.
//
// Everything follows from Options: the same seed, the same day and the same
// edition give the same bytes (on one processor architecture: another may
// round sums differently). Each subject draws from its own stream of random
// numbers; a partner's record and an OpenStreetMap object are two imperfect
// views of one place, each with the noise of its own stream, so that nothing
// in keys, ids or order tells which belongs to which. That is written to
// truth.csv alone.
//
// Not here: loading any of it, and comparing it.
package sample

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Options say which world is drawn.
type Options struct {
	Seed  int64
	Today time.Time // rounded down to the day, UTC; dates in the files are relative to it
	// Edition is which state of OpenStreetMap the extract shows: 1 (or 0), or
	// 2 and more, as many days later, with some disagreements mended, objects moved, deleted
	// and added, and the truth to match. Partner files are the same in both.
	Edition int
	// Changes is a change file (.osc) that somebody uploaded before the extract
	// of an edition after the first was made; nil for none. The truth does not
	// know of it.
	Changes []byte
}

// A Manifest says what was written.
type Manifest struct {
	Seed    int64
	Today   time.Time
	Edition int
	Files   []File
	Commune string // its code INSEE
	Lon     float64
	Lat     float64 // the middle of its old centre, EPSG:4326
	Truth   []Truth

	Changed, Conflicts int // objects of Options.Changes that were taken, and that were not as others had changed them
}

// A File is one file of the sample, its path relative to the folder.
type File struct {
	Path    string
	Bytes   int
	SHA256  string
	Records int // rows, or objects of an extract; 0 where it does not apply
}

// A document is a file before it is written.
type document struct {
	path    string
	data    []byte
	records int
}

// Write draws the sample into the folder, which it makes where missing. Files
// are replaced one by one, each atomically; others in the folder stay.
func Write(ctx context.Context, dir string, o Options) (Manifest, error) {
	o.Today = o.Today.UTC().Truncate(24 * time.Hour)
	if o.Edition == 0 {
		o.Edition = 1
	}
	m := Manifest{Seed: o.Seed, Today: o.Today, Edition: o.Edition}
	docs, err := draw(ctx, o, &m)
	if err != nil {
		return m, fmt.Errorf("draw sample: %w", err)
	}
	for _, d := range docs {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		if err := d.write(dir); err != nil {
			return m, fmt.Errorf("write sample: %w", err)
		}
		sum := sha256.Sum256(d.data)
		m.Files = append(m.Files, File{d.path, len(d.data), hex.EncodeToString(sum[:]), d.records})
	}
	return m, nil
}

func (d document) write(dir string) error {
	path := filepath.Join(dir, filepath.FromSlash(d.path))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".sample-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // gone already when the rename worked
	_, err = f.Write(d.data)
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Chmod(f.Name(), 0o644)
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// draw makes all documents in memory.
func draw(ctx context.Context, o Options, m *Manifest) ([]document, error) {
	w, err := newWorld(o.Seed)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	p := w.paint()
	water, facilities := p.irrigate(), p.provide()
	decide(newStream(o.Seed, "fates water"), water)
	decide(newStream(o.Seed, "fates facilities"), facilities)
	p.survey(newStream(o.Seed, "survey water"), water)
	p.survey(newStream(o.Seed, "survey facilities"), facilities)

	waterRecords := newRecorder(o.Seed, "water", o.Today, waterMoved).list(o.Seed, water, "PE")
	facilityRecords := newRecorder(o.Seed, "facilities", o.Today, facilityMoved).list(o.Seed, facilities, "EQ")
	if o.Edition > 1 {
		p.edit(newStream(o.Seed, "edits"), water, facilities)
		if o.Changes != nil {
			var err error
			if m.Changed, m.Conflicts, err = p.m.upload(o.Changes); err != nil {
				return nil, err
			}
		}
	}
	m.Truth = append(judge("points-eau", water, waterRecords, waterMoved), judge("equipements-publics", facilities, facilityRecords, facilityMoved)...)
	m.Commune = p.communes[0].insee
	lon, lat := oldCentre.degrees()
	m.Lon, m.Lat = float64(lon)/1e7, float64(lat)/1e7

	docs := []document{{"README.txt", []byte(readme), 0}}
	var extract bytes.Buffer
	if err := p.m.encode(&extract, o.Today.AddDate(0, 0, o.Edition-2)); err != nil {
		return nil, err
	}
	docs = append(docs, document{"osm/roquebelle.osm.pbf", extract.Bytes(), len(p.m.nodes) + len(p.m.ways) + len(p.m.relations)})
	for _, f := range []func() ([]document, error){
		func() ([]document, error) { return crige(w.region, waterRecords, facilityRecords, o.Today) },
		func() ([]document, error) { return w.air(o.Today) },
		func() ([]document, error) { return p.park(ctx, o.Today) },
		func() ([]document, error) { return paperwork(o.Today) },
	} {
		d, err := f()
		if err != nil {
			return nil, err
		}
		docs = append(docs, d...)
	}
	return append(docs, document{"truth.csv", truthCSV(m.Truth), len(m.Truth)}), nil
}

// crige makes the files of the first partner.
func crige(r *region, water, facilities []*record, today time.Time) ([]document, error) {
	w, err := waterFile(water, today)
	if err != nil {
		return nil, err
	}
	f, err := facilityFile(facilities, today)
	if err != nil {
		return nil, err
	}
	c, err := communeFile(r, today)
	if err != nil {
		return nil, err
	}
	packed, err := zipped("Équipements publics", "EQUIPEMENTS_PUBLICS", f.parts(prjOld), note, today)
	if err != nil {
		return nil, err
	}
	var docs []document
	for _, p := range w.parts(prjEsri) {
		docs = append(docs, document{"crige/points-eau." + p.extension, p.data, w.rows})
	}
	docs = append(docs, document{"crige/equipements-publics.zip", packed, f.rows})
	for _, p := range c.parts(prjEsri) {
		docs = append(docs, document{"crige/communes." + p.extension, p.data, c.rows})
	}
	return docs, nil
}
