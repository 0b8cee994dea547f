package postgis

import (
	"context"
	"fmt"

	"calanque/geo"
)

// System tells whether the database has a coordinate system.
func System(ctx context.Context, db DB, srid geo.SRID) (bool, error) {
	var known bool
	err := db.QueryRow(ctx, `select exists (select from spatial_ref_sys where srid = $1)`, srid).Scan(&known)
	if err != nil {
		return false, fmt.Errorf("look up EPSG:%d: %w", srid, Kind(err))
	}
	return known, nil
}

// Geographic tells whether the coordinates of a system are degrees (or
// grads): longitude and latitude.
func Geographic(ctx context.Context, db DB, srid geo.SRID) (bool, error) {
	var is bool
	err := db.QueryRow(ctx, `
		select coalesce((select srtext like 'GEOGCS%' from spatial_ref_sys where srid = $1), false)`, srid).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("look up EPSG:%d: %w", srid, Kind(err))
	}
	return is, nil
}

// HasLayer tells whether a partner's layer of that name exists.
func HasLayer(ctx context.Context, db DB, name string) (bool, error) {
	var is bool
	err := db.QueryRow(ctx, `select exists (select from layer where name = $1 and life <> 'live')`, name).Scan(&is)
	if err != nil {
		return false, fmt.Errorf("look up layer %s: %w", name, Kind(err))
	}
	return is, nil
}

// A RuleCount says how often a rule was broken in a layer of a version.
type RuleCount struct {
	Rule     string
	Rejected bool
	Count    int64
	Example  geo.Message
	Record   int64 // the first
}

// IssueCounts counts the issues of a layer by rule, rejections first, the most
// frequent first.
func IssueCounts(ctx context.Context, db DB, layer geo.LayerID, version geo.VersionID) ([]RuleCount, error) {
	return all[RuleCount](ctx, db, "the issues", `
		select rule, action = 'rejected', count(*), (array_agg(message order by record))[1], min(record)
		from load_issue
		where version_id = $1 and layer_id = $2
		group by 1, 2
		order by 2 desc, 3 desc, 1`, version, layer)
}
