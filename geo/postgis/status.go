package postgis

import (
	"context"
	"time"

	"calanque/geo"
)

// A VersionStatus is one delivery and what became of it.
type VersionStatus struct {
	Version     geo.VersionID `json:"version"`
	Number      int           `json:"number"`
	State       string        `json:"state"` // loading, ready, failed, dropped
	Source      string        `json:"source"`
	Started     time.Time     `json:"started"`
	Ended       *time.Time    `json:"ended,omitempty"`
	Published   *time.Time    `json:"published,omitempty"`
	Replaced    *time.Time    `json:"replaced,omitempty"`
	Failure     *geo.Message  `json:"failure,omitempty"`
	IsPublished bool          `json:"is_published"`
}

// Versions gives the deliveries of a dataset, the newest first.
func Versions(ctx context.Context, db DB, slug string, limit int) ([]VersionStatus, error) {
	return all[VersionStatus](ctx, db, "the versions of "+slug, `
		select v.id, v.number, v.state, v.source, v.started_at, v.ended_at, v.published_at, v.replaced_at, v.failure,
			d.published_id is not distinct from v.id
		from version v
		join dataset d on d.id = v.dataset_id
		where d.slug = $1
		order by v.number desc
		limit $2`, slug, limit)
}

// A LayerStatus is the account of one layer of a version.
type LayerStatus struct {
	Name       string           `json:"name"`
	Geometry   geo.GeometryType `json:"geometry_type"`
	SRID       geo.SRID         `json:"srid"`
	Read       int64            `json:"read"`
	Loaded     int64            `json:"loaded"`
	Repaired   int64            `json:"repaired"`
	Rejected   int64            `json:"rejected"`
	NoGeometry int64            `json:"no_geometry"`
	Rows       int64            `json:"rows"`
	ID         geo.LayerID      `json:"-"`
}

// VersionLayers gives the accounts of the layers of a version.
func VersionLayers(ctx context.Context, db DB, version geo.VersionID) ([]LayerStatus, error) {
	return all[LayerStatus](ctx, db, "the layers of a version", `
		select l.name, lv.geometry_type, lv.srid, lv.n_read, lv.n_loaded, lv.n_repaired, lv.n_rejected, lv.n_no_geometry, lv.n_rows, l.id
		from layer_version lv
		join layer l on l.id = lv.layer_id
		where lv.version_id = $1
		order by l.position, l.name`, version)
}

// A StoredIssue is an issue with its layer.
type StoredIssue struct {
	Layer    string
	Record   int64
	Field    string
	Value    string
	Rule     string
	Rejected bool
	Message  geo.Message
	Raw      string
}

// EachIssue calls fn with the issues of a version, by layer and record.
func EachIssue(ctx context.Context, db DB, version geo.VersionID, fn func(StoredIssue) error) error {
	rows, err := db.Query(ctx, `
		select l.name, i.record, coalesce(i.field, ''), coalesce(i.value, ''), i.rule, i.action = 'rejected', i.message, coalesce(i.raw, '')
		from load_issue i
		join layer l on l.id = i.layer_id
		where i.version_id = $1
		order by l.position, l.name, i.record, i.action desc, i.field, i.rule`, version)
	if err != nil {
		return Kind(err)
	}
	defer rows.Close()
	for rows.Next() {
		var i StoredIssue
		if err := rows.Scan(&i.Layer, &i.Record, &i.Field, &i.Value, &i.Rule, &i.Rejected, &i.Message, &i.Raw); err != nil {
			return err
		}
		if err := fn(i); err != nil {
			return err
		}
	}
	return Kind(rows.Err())
}
