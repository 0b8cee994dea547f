package postgis

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// account writes what became of a layer: its issues, and its row in
// layer_version. What was loaded is counted in the table, what was rejected
// in load_issue, what was read comes from the reader; the database refuses a
// sum that is not right.
func (l *Loading) account(ctx context.Context, tx pgx.Tx, id geo.LayerID, table string, t *Table, tally Tally) (LoadedLayer, error) {
	done := LoadedLayer{ID: id, Name: t.Layer, Geometry: t.GeometryType, SRID: t.SRID, Fields: t.Fields, Read: tally.Read}
	relation := table
	if t.Series != nil {
		relation = tableName("s", int64(id), t.Layer)
		if t.Series.Borrow != "" {
			relation = borrowerView(id, t.Layer)
		}
	}
	noGeometry, extent := "0", "null::box2d"
	if t.GeometryType != geo.None {
		noGeometry = "count(*) filter (where _geom is null)"
		extent = "box2d(st_transform(st_setsrid(st_extent(_geom_3857)::geometry, 3857), 4326))"
	}
	var box *string
	err := tx.QueryRow(ctx, fmt.Sprintf(`select count(*), %s, (%s)::text from %s`, noGeometry, extent,
		pgx.Identifier{"data", table}.Sanitize())).Scan(&done.Loaded, &done.NoGeometry, &box)
	if err != nil {
		return done, fmt.Errorf("count the rows: %w", err)
	}
	done.Rows = done.Loaded
	if err := l.issues(ctx, tx, id, tally.Issues); err != nil {
		return done, err
	}
	err = tx.QueryRow(ctx, `
		select count(*) filter (where action = 'rejected'),
		       count(distinct record) filter (where action = 'repaired' and not exists (
		         select from load_issue r
		         where (r.version_id, r.layer_id, r.record, r.action) = (i.version_id, i.layer_id, i.record, 'rejected')))
		from load_issue i
		where version_id = $1 and layer_id = $2`, l.Version, id).Scan(&done.Rejected, &done.Repaired)
	if err != nil {
		return done, fmt.Errorf("count the issues: %w", err)
	}
	if done.Read != done.Loaded+done.Rejected {
		return done, fmt.Errorf("layer %s: read %d records, loaded %d and rejected %d", t.Layer, done.Read, done.Loaded, done.Rejected)
	}
	_, err = tx.Exec(ctx, `
		insert into layer_version (layer_id, version_id, dataset_id, relation, srid, geometry_type, fields, extent,
			n_read, n_loaded, n_repaired, n_rejected, n_no_geometry, n_rows)
		values ($1, $2, $3, $4, $5, $6, $7, $8::text::box2d, $9, $10, $11, $12, $13, $14)`,
		id, l.Version, l.dataset, relation, t.SRID, t.GeometryType, t.Fields, box,
		done.Read, done.Loaded, done.Repaired, done.Rejected, done.NoGeometry, done.Rows)
	if err != nil {
		return done, fmt.Errorf("write the account: %w", err)
	}
	return done, nil
}

func (l *Loading) issues(ctx context.Context, tx pgx.Tx, id geo.LayerID, issues []Issue) error {
	if len(issues) == 0 {
		return nil
	}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"load_issue"},
		[]string{"layer_id", "version_id", "record", "field", "value", "rule", "action", "message", "raw"},
		pgx.CopyFromSlice(len(issues), func(i int) ([]any, error) {
			is := &issues[i]
			action, raw := "repaired", nullable(is.Raw)
			if is.Rejected {
				action, raw = "rejected", &is.Raw
			}
			return []any{int64(id), int64(l.Version), is.Record, nullable(is.Field), nullable(is.Value), is.Rule, action, is.Message, raw}, nil
		}))
	if err != nil {
		return fmt.Errorf("write the issues: %w", err)
	}
	return nil
}

func nullable(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
