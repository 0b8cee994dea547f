package catalogue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/postgis"
)

// An UploadState is where a file that was sent, or an earlier version that
// somebody wants back, stands.
type UploadState string

// The states. A person is waited for in Ready only.
const (
	Waiting    UploadState = "waiting" // in the queue
	Loading    UploadState = "loading"
	Ready      UploadState = "ready" // may be published or thrown away
	Publishing UploadState = "publishing"
	Published  UploadState = "published"
	Unchanged  UploadState = "unchanged" // the same is published already
	Failed     UploadState = "failed"
	Discarded  UploadState = "discarded"
)

// Under reports whether work on it is under way.
func (s UploadState) Under() bool { return s == Waiting || s == Loading || s == Publishing }

// Choices are what a person knows better than the file: what is "" or 0 is
// decided by it, or as the last time.
type Choices struct {
	Key       []string `json:"key,omitempty"`
	CRS       int      `json:"crs,omitempty"` // EPSG code
	Encoding  string   `json:"encoding,omitempty"`
	Delimiter string   `json:"delimiter,omitempty"`
	Layer     string   `json:"layer,omitempty"`
	X         string   `json:"x,omitempty"`
	Y         string   `json:"y,omitempty"`
	Rejected  string   `json:"rejected,omitempty"` // share that may be: "5%"
	Anywhere  bool     `json:"anywhere,omitempty"`
}

// An Upload is one file on its way to a version, or an earlier version on its
// way back.
type Upload struct {
	ID       int64
	Dataset  string // slug
	Title    geo.Text
	Producer string
	Account  int64
	Login    string
	Kind     string // "file", "earlier"
	SHA256   []byte // nil for an earlier version that is still there
	Filename string
	Bytes    int64
	Choices  Choices
	Version  geo.VersionID // 0 before there is one
	Number   int           // of the version
	State    UploadState

	Step    string // of the load
	Layer   string
	Done    int64
	Total   int64 // -1 when nobody knows
	Report  json.RawMessage
	Changes *postgis.Comparison
	Rejects []byte // SHA-256 of the rejected rows, as CSV
	Failure *geo.Message
	Created time.Time
	Updated time.Time

	Now     geo.VersionID // what is published of the dataset now
	Kept    bool          // its version's tables are there
	Waiting int           // jobs before it
}

// Receive notes a file that has been kept (package blob) as a delivery of a
// dataset. What waited for a person's yes is thrown away: this replaces it. It
// is ErrConflict ("upload.under-way") while another is being worked on.
func Receive(ctx context.Context, tx pgx.Tx, slug string, account int64, b blob.Blob, filename string, c Choices) (int64, error) {
	if err := KeepBlob(ctx, tx, b); err != nil {
		return 0, err
	}
	return newUpload(ctx, tx, slug, `
		insert into upload (dataset_id, account_id, kind, blob_sha256, filename, bytes, choices)
		select id, $2, 'file', $3, $4, $5, $6 from dataset where slug = $1
		returning id`, slug, account, b.SHA256, filename, b.Bytes, c)
}

// Reread has the file of an upload read again with other choices.
func Reread(ctx context.Context, tx pgx.Tx, id, account int64, c Choices) (int64, error) {
	u, err := FindUpload(ctx, tx, id)
	if err != nil {
		return 0, err
	}
	return newUpload(ctx, tx, u.Dataset, `
		insert into upload (dataset_id, account_id, kind, blob_sha256, filename, bytes, choices)
		select dataset_id, $2, 'file', blob_sha256, filename, bytes, $3 from upload where id = $1 and blob_sha256 is not null
		returning id`, id, account, c)
}

// Bring asks for an earlier version of a dataset back: its tables while they
// are kept, else its file as received. It is ErrGone where there is neither.
func Bring(ctx context.Context, tx pgx.Tx, slug string, account int64, number int) (int64, error) {
	id, err := newUpload(ctx, tx, slug, `
		insert into upload (dataset_id, account_id, kind, version_id, blob_sha256, filename, bytes)
		select d.id, $2, 'earlier', case when v.state = 'ready' and d.life = 'snapshot' then v.id end, b.sha256, v.file_name, b.bytes
		from dataset d
		join version v on v.dataset_id = d.id
		left join blob b on b.sha256 = v.file_sha256
		where d.slug = $1 and v.number = $3 and v.published_at is not null and d.published_id is distinct from v.id
		  and (v.state = 'ready' and d.life = 'snapshot' or b.sha256 is not null)
		returning id`, slug, account, number)
	if errors.Is(err, geo.ErrNotFound) {
		return 0, geo.Bad(geo.ErrGone, "version.gone", "dataset", slug, "number", number)
	}
	return id, err
}

func newUpload(ctx context.Context, tx pgx.Tx, slug, insert string, args ...any) (int64, error) {
	_, err := tx.Exec(ctx, `
		update upload set state = 'discarded', updated_at = now()
		where state = 'ready' and dataset_id = (select id from dataset where slug = $1)`, slug)
	if err != nil {
		return 0, fmt.Errorf("make room for a delivery of %s: %w", slug, postgis.Kind(err))
	}
	var id int64
	err = tx.QueryRow(ctx, insert, args...).Scan(&id)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "one_upload" {
		return 0, geo.Bad(errors.Join(geo.ErrConflict, err), "upload.under-way", "dataset", slug)
	}
	if err != nil {
		return 0, fmt.Errorf("note a delivery of %s: %w", slug, postgis.Kind(err))
	}
	return id, nil
}

const uploadSelect = `
	select u.id, d.slug, d.title, d.producer_id, u.account_id, a.login, u.kind, u.blob_sha256, coalesce(u.filename, ''), coalesce(u.bytes, 0),
		u.choices, coalesce(u.version_id, 0), coalesce(v.number, 0), u.state, coalesce(u.step, ''), coalesce(u.layer, ''), u.done, u.total,
		u.report, u.comparison, u.rejects_sha256, u.failure, u.created_at, u.updated_at, coalesce(d.published_id, 0), coalesce(v.state = 'ready', false),
		case when u.state = 'waiting' then (select count(*) from upload o where o.state in ('waiting', 'loading') and o.id < u.id) else 0 end
	from upload u
	join dataset d on d.id = u.dataset_id
	join account a on a.id = u.account_id
	left join version v on v.id = u.version_id`

func scanUpload(row pgx.CollectableRow) (Upload, error) {
	var u Upload
	err := row.Scan(&u.ID, &u.Dataset, &u.Title, &u.Producer, &u.Account, &u.Login, &u.Kind, &u.SHA256, &u.Filename, &u.Bytes,
		&u.Choices, &u.Version, &u.Number, &u.State, &u.Step, &u.Layer, &u.Done, &u.Total,
		&u.Report, &u.Changes, &u.Rejects, &u.Failure, &u.Created, &u.Updated, &u.Now, &u.Kept, &u.Waiting)
	return u, err
}

// FindUpload gives an upload, or ErrNotFound.
func FindUpload(ctx context.Context, db postgis.DB, id int64) (Upload, error) {
	list, err := uploads(ctx, db, ` where u.id = $1`, id)
	if err == nil && len(list) == 0 {
		err = fmt.Errorf("upload %d: %w", id, geo.ErrNotFound)
	}
	if err != nil {
		return Upload{}, err
	}
	return list[0], nil
}

// Uploads gives those of a dataset, the newest first.
func Uploads(ctx context.Context, db postgis.DB, slug string, limit int) ([]Upload, error) {
	return uploads(ctx, db, ` where d.slug = $1 order by u.id desc limit $2`, slug, limit)
}

func uploads(ctx context.Context, db postgis.DB, where string, args ...any) ([]Upload, error) {
	rows, err := db.Query(ctx, uploadSelect+where, args...)
	if err != nil {
		return nil, fmt.Errorf("read the uploads: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, scanUpload)
	if err != nil {
		return nil, fmt.Errorf("read the uploads: %w", postgis.Kind(err))
	}
	return list, nil
}

// MoveUpload takes an upload from one state to the next; it is ErrConflict when
// somebody has moved it meanwhile.
func MoveUpload(ctx context.Context, db postgis.DB, id int64, from, to UploadState) error {
	tag, err := db.Exec(ctx, `update upload set state = $3, updated_at = now() where id = $1 and state = $2`, id, from, to)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.ConstraintName == "one_upload" {
		return geo.Bad(errors.Join(geo.ErrConflict, err), "upload.under-way", "dataset", "")
	}
	if err != nil {
		return fmt.Errorf("move upload %d: %w", id, postgis.Kind(err))
	}
	if tag.RowsAffected() == 0 {
		return geo.Bad(geo.ErrConflict, "upload.moved")
	}
	return nil
}

// keepUploads is how long the files of uploads that have ended are kept beside
// those of versions.
const keepUploads = 30 * 24 * time.Hour

// SweepUploads lets go of the files of uploads that ended long ago: what was
// published keeps its own with its version.
func SweepUploads(ctx context.Context, db postgis.DB, now time.Time) error {
	_, err := db.Exec(ctx, `
		update upload set blob_sha256 = null, rejects_sha256 = null
		where state not in ('waiting', 'loading', 'ready', 'publishing') and updated_at < $1
		  and num_nonnulls(blob_sha256, rejects_sha256) > 0`, now.Add(-keepUploads))
	if err != nil {
		return fmt.Errorf("let go of uploads: %w", postgis.Kind(err))
	}
	return nil
}

// A PastVersion is a version of a dataset as its desk shows it.
type PastVersion struct {
	Number    int
	Source    string
	State     string // loading, ready, failed, dropped
	At        time.Time
	Published *time.Time
	Current   bool
	Tables    bool // can come back at once
	File      bool // can be read again from its file
	Rows      int64
	Rejected  int64
	Failure   *geo.Message
}

// PastVersions gives the versions of a dataset, the newest first.
func PastVersions(ctx context.Context, db postgis.DB, slug string, limit int) ([]PastVersion, error) {
	rows, err := db.Query(ctx, `
		select v.number, v.source, v.state, v.started_at, v.published_at, d.published_id is not distinct from v.id,
			v.state = 'ready' and d.life = 'snapshot' and v.published_at is not null, b.sha256 is not null and v.published_at is not null,
			coalesce((select sum(n_loaded) from layer_version lv where lv.version_id = v.id), 0)::bigint,
			coalesce((select sum(n_rejected) from layer_version lv where lv.version_id = v.id), 0)::bigint, v.failure
		from version v
		join dataset d on d.id = v.dataset_id
		left join blob b on b.sha256 = v.file_sha256
		where d.slug = $1
		order by v.number desc
		limit $2`, slug, limit)
	if err != nil {
		return nil, fmt.Errorf("read the versions of %s: %w", slug, postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[PastVersion])
	if err != nil {
		return nil, fmt.Errorf("read the versions of %s: %w", slug, postgis.Kind(err))
	}
	return list, nil
}
