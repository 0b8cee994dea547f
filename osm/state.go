package osm

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/pbf"
)

// A State is the copy that is shown.
type State struct {
	Extract   time.Time `json:"extract"`    // the state of OpenStreetMap
	ExtractBy string    `json:"extract_by"` // where that date is from: "header", "objects", "file"
	Imported  time.Time `json:"imported"`
	File      string    `json:"file"`
	SHA256    string    `json:"sha256"`
	Sequence  int64     `json:"sequence,omitempty"` // of the feed, when the extract says
	Feed      string    `json:"feed,omitempty"`
	Region    geo.Box   `json:"region"` // CRS84
	Report    Report    `json:"report"` // of the import
	rules     int
	listed    []Selection // those whose ways have their lists of nodes
}

// Status gives the copy that is shown; geo.ErrNotFound before the first import.
func Status(ctx context.Context, db postgis.DB) (State, error) {
	s, err := current(ctx, db)
	if err != nil {
		return State{}, err
	}
	if s == nil {
		return State{}, fmt.Errorf("no extract was imported: %w", geo.ErrNotFound)
	}
	return *s, nil
}

// current is Status that gives nil before the first import.
func current(ctx context.Context, db postgis.DB) (*State, error) {
	var s State
	var sha []byte
	var sequence *int64
	var feed *string
	err := db.QueryRow(ctx, `
		select extract_at, extract_by, imported_at, file, sha256, sequence, feed, rules, report, listed,
			st_xmin(region), st_ymin(region), st_xmax(region), st_ymax(region)
		from osm.state`).Scan(&s.Extract, &s.ExtractBy, &s.Imported, &s.File, &sha, &sequence, &feed, &s.rules, &s.Report, &s.listed,
		&s.Region.MinX, &s.Region.MinY, &s.Region.MaxX, &s.Region.MaxY)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the state of the OpenStreetMap copy: %w", postgis.Kind(err))
	}
	s.Extract, s.Imported, s.SHA256 = s.Extract.UTC(), s.Imported.UTC(), hex.EncodeToString(sha)
	if sequence != nil {
		s.Sequence = *sequence
	}
	if feed != nil {
		s.Feed = *feed
	}
	return &s, nil
}

func (im *importer) putState(ctx context.Context, tx pgx.Tx, h pbf.Header) error {
	var sequence *int64
	var feed *string
	if h.Sequence != 0 {
		sequence = &h.Sequence
	}
	if h.Feed != "" {
		feed = &h.Feed
	}
	_, err := tx.Exec(ctx, `
		insert into osm.state (extract_at, extract_by, sequence, feed, region, file, sha256, rules, report, listed)
		values ($1, $2, $3, $4, st_multi(st_makeenvelope($5, $6, $7, $8, 4326)), $9, $10, $11, $12, $13)
		on conflict (one) do update set
			extract_at = excluded.extract_at, extract_by = excluded.extract_by, sequence = excluded.sequence,
			feed = excluded.feed, region = excluded.region, file = excluded.file, sha256 = excluded.sha256,
			rules = excluded.rules, report = excluded.report, listed = excluded.listed, imported_at = now()`,
		im.report.Extract, im.by, sequence, feed, im.region.MinX, im.region.MinY, im.region.MaxX, im.region.MaxY,
		im.report.File, im.sum, rules, im.report, selections(im.themes))
	if err != nil {
		return fmt.Errorf("write the state of the OpenStreetMap copy: %w", err)
	}
	return nil
}

// Problems calls fn with what was wrong in the extract that is shown, by type
// and id.
func Problems(ctx context.Context, db postgis.DB, fn func(Problem) error) error {
	rows, err := db.Query(ctx, `select type, osm_id, drawn, code, args from osm.problem order by type, osm_id, code`)
	if err != nil {
		return fmt.Errorf("read the problems of the extract: %w", postgis.Kind(err))
	}
	defer rows.Close()
	for rows.Next() {
		var p Problem
		var kind string
		if err := rows.Scan(&kind, &p.ID, &p.Drawn, &p.Message.Code, &p.Message.Args); err != nil {
			return fmt.Errorf("read a problem of the extract: %w", err)
		}
		p.Type = kind[0]
		if err := fn(p); err != nil {
			return err
		}
	}
	return postgis.Kind(rows.Err())
}

// Clear takes the copy out: its tables are empty afterwards, its layers and
// state gone; the themes stay declared.
func Clear(ctx context.Context, hub *postgis.Hub) error {
	err := pgx.BeginFunc(ctx, hub.Owner, func(tx pgx.Tx) error {
		themes, err := stored(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `truncate osm.point, osm.line, osm.area, osm.problem, osm.way, osm.node; delete from osm.state`); err != nil {
			return err
		}
		for _, name := range []string{"osm_points", "osm_lines", "osm_areas"} {
			if err := postgis.RemoveLiveLayer(ctx, tx, name); err != nil {
				return err
			}
		}
		for _, t := range themes {
			if _, err := tx.Exec(ctx, `truncate `+pgx.Identifier{"osm", t.table()}.Sanitize()); err != nil {
				return err
			}
			if _, err := t.putLayer(ctx, tx, time.Now().UTC()); err != nil {
				return err
			}
		}
		return postgis.Append(ctx, tx, postgis.Change{Kind: "osm", Subject: "osm", Detail: map[string]any{"cleared": true}})
	})
	if err != nil {
		return fmt.Errorf("clear the OpenStreetMap copy: %w", err)
	}
	return nil
}
