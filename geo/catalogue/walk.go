package catalogue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// batch is how many entries a walk holds at once.
const batch = 100

// Walk gives the datasets behind a door to fn in the order of their slugs,
// those after a slug ("" for the first), at most limit (0 for all). Whatever
// it walks over, it holds a hundred entries, and no connection while fn runs.
// An error of fn ends it and is returned.
func Walk(ctx context.Context, db postgis.DB, door Door, after string, limit int, fn func(*Entry) error) error {
	for done := 0; limit == 0 || done < limit; {
		n := batch
		if limit > 0 {
			n = min(n, limit-done)
		}
		list, err := Entries(ctx, db, door, `d.slug > $1 order by d.slug limit $2`, after, n)
		if err != nil {
			return err
		}
		for i := range list {
			if err := fn(&list[i]); err != nil {
				return err
			}
		}
		if len(list) < n {
			return nil
		}
		done += n
		after = list[n-1].Slug
	}
	return nil
}

// After gives the slug that a walk of limit datasets ends with when more
// follow, "" when none do.
func After(ctx context.Context, db postgis.DB, door Door, after string, limit int) (string, error) {
	rows, err := db.Query(ctx, `select slug from `+string(door)+` where slug > $1 order by slug offset $2 limit 2`, after, limit-1)
	if err != nil {
		return "", fmt.Errorf("page the catalogue: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return "", fmt.Errorf("page the catalogue: %w", postgis.Kind(err))
	}
	if len(list) < 2 {
		return "", nil
	}
	return list[0], nil
}

// Count tells how many datasets are behind a door.
func Count(ctx context.Context, db postgis.DB, door Door) (int, error) {
	var n int
	if err := db.QueryRow(ctx, `select count(*) from `+string(door)).Scan(&n); err != nil {
		return 0, fmt.Errorf("count the catalogue: %w", postgis.Kind(err))
	}
	return n, nil
}

// Stamp tells one state of the public catalogue from every other, and since
// when it is so: the newest entry of the log that may have changed it, where
// whoever changes something public says so. It is 0 and the zero time when
// nothing was ever published.
func Stamp(ctx context.Context, db postgis.DB) (id int64, at time.Time, err error) {
	err = db.QueryRow(ctx, `select id, at from change where kind in ('dataset', 'catalogue') order by id desc limit 1`).Scan(&id, &at)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, time.Time{}, fmt.Errorf("read the last change of the catalogue: %w", postgis.Kind(err))
	}
	return id, at, nil
}

// A Layer is a layer of a dataset's published version.
type Layer struct {
	Name     string
	Title    geo.Text
	Geometry geo.GeometryType
	Rows     int64
	Labelled bool // its fields have names for people
}

func addLayers(ctx context.Context, db postgis.DB, list []Entry, at map[geo.DatasetID]int, ids []geo.DatasetID) error {
	rows, err := db.Query(ctx, `
		select d.id, l.name, l.title, lv.geometry_type, lv.n_rows, l.labels <> '{}'
		from dataset d
		join layer_version lv on lv.version_id = d.published_id
		join layer l on l.id = lv.layer_id
		where d.id = any ($1)
		order by d.id, l.position, l.name`, ids)
	if err != nil {
		return fmt.Errorf("read the layers: %w", postgis.Kind(err))
	}
	var id geo.DatasetID
	var l Layer
	_, err = pgx.ForEachRow(rows, []any{&id, &l.Name, &l.Title, &l.Geometry, &l.Rows, &l.Labelled}, func() error {
		e := &list[at[id]]
		e.Layers = append(e.Layers, l)
		l = Layer{}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the layers: %w", postgis.Kind(err))
	}
	return nil
}

// addReceived adds what the published versions were loaded from, where it is
// kept.
func addReceived(ctx context.Context, db postgis.DB, list []Entry, at map[geo.DatasetID]int, ids []geo.DatasetID) error {
	rows, err := db.Query(ctx, `
		select d.id, b.sha256, v.file_name, b.media_type, b.bytes, d.published_at
		from dataset d
		join version v on v.id = d.published_id
		join blob b on b.sha256 = v.file_sha256
		where d.id = any ($1)`, ids)
	if err != nil {
		return fmt.Errorf("read what was received: %w", postgis.Kind(err))
	}
	var id geo.DatasetID
	var r Received
	_, err = pgx.ForEachRow(rows, []any{&id, &r.SHA256, &r.Name, &r.MediaType, &r.Bytes, &r.At}, func() error {
		kept := r
		list[at[id]].Received = &kept
		r = Received{}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read what was received: %w", postgis.Kind(err))
	}
	return nil
}
