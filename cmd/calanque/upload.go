package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	portal "calanque/geo/catalogue"
	"calanque/geo/format"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

// An uploadJob names the upload that a job is about.
type uploadJob struct {
	Upload int64 `json:"upload"`
}

func findUpload(ctx context.Context, w *worker, args json.RawMessage) (portal.Upload, error) {
	var j uploadJob
	if err := json.Unmarshal(args, &j); err != nil {
		return portal.Upload{}, fmt.Errorf("read the job: %w", err)
	}
	return portal.FindUpload(ctx, w.hub.Owner, j.Upload)
}

// loadUpload takes a file that was sent to a version that waits for a yes, and
// compares it with what is published. It can be done again from any point: a
// worker may have died in it.
func loadUpload(ctx context.Context, w *worker, args json.RawMessage) error {
	u, err := findUpload(ctx, w, args)
	if err != nil || u.State != portal.Waiting && u.State != portal.Loading {
		return err
	}
	if u.State == portal.Waiting {
		if err := portal.MoveUpload(ctx, w.hub.Owner, u.ID, portal.Waiting, portal.Loading); err != nil {
			return err
		}
	}
	if u.Kind == "earlier" && u.Version != 0 && u.Kept {
		return w.compared(ctx, &u, nil)
	}
	report, err := w.readUpload(ctx, &u)
	var bad *geo.InputError
	switch {
	case errors.As(err, &bad) && !errors.Is(err, geo.ErrConflict) && ctx.Err() == nil:
		return w.refused(ctx, &u, report, bad.Message)
	case err != nil:
		return err
	case report.State == ingest.Unchanged:
		_, err := w.hub.Owner.Exec(ctx, `update upload set state = 'unchanged', report = $2, updated_at = now() where id = $1 and state = 'loading'`, u.ID, report)
		return err
	}
	u.Version = report.Version
	return w.compared(ctx, &u, &report)
}

// readUpload loads the file under the name it came with.
func (w *worker) readUpload(ctx context.Context, u *portal.Upload) (ingest.Report, error) {
	if err := w.dropRemains(ctx, u); err != nil {
		return ingest.Report{}, err
	}
	dir := filepath.Join(w.dataFolder(), "work", fmt.Sprint("upload-", u.ID))
	path, err := w.unpack(u, dir)
	if err != nil {
		return ingest.Report{}, err
	}
	defer os.RemoveAll(dir)
	req := ingest.Request{
		Dataset: u.Dataset, Path: path, Hold: true, Files: w.files(), Key: u.Choices.Key, Anywhere: u.Choices.Anywhere,
		Options: format.Options{
			Encoding: u.Choices.Encoding, Delimiter: delimiter(u.Choices.Delimiter), Layer: u.Choices.Layer, X: u.Choices.X, Y: u.Choices.Y,
			CRS: geo.SRID(u.Choices.CRS),
		},
	}
	if u.Choices.Rejected != "" {
		share, err := percent(u.Choices.Rejected)
		if err != nil {
			return ingest.Report{}, err
		}
		req.MaxRejected = &share
	}
	if req.Region, err = region(ctx, w.hub); err != nil {
		return ingest.Report{}, err
	}
	return ingest.Load(ctx, w.hub, req, w.progress(ctx, u.ID))
}

// unpack gives the content its name again: formats are told by it. The link is
// in the data folder, where a killed worker's is replaced by the next.
func (w *worker) unpack(u *portal.Upload, dir string) (string, error) {
	f, err := w.files().Open(u.SHA256)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("clear the folder of upload %d: %w", u.ID, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make the folder of upload %d: %w", u.ID, err)
	}
	content, err := filepath.Abs(f.Name())
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, filepath.Base(u.Filename))
	if err := os.Symlink(content, path); err != nil {
		return "", fmt.Errorf("name upload %d: %w", u.ID, err)
	}
	return path, nil
}

// dropRemains takes away what an earlier run of the same job had made ready
// when it was killed: nobody else would for a month.
func (w *worker) dropRemains(ctx context.Context, u *portal.Upload) error {
	rows, err := w.hub.Owner.Query(ctx, `
		select v.id from version v
		join dataset d on d.id = v.dataset_id
		where d.slug = $1 and v.state = 'ready' and v.published_at is null and v.started_at >= $2 and v.state = 'ready'
		  and not exists (select from upload o where o.version_id = v.id)`, u.Dataset, u.Created)
	if err != nil {
		return fmt.Errorf("look for remains of upload %d: %w", u.ID, postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[geo.VersionID])
	if err != nil {
		return fmt.Errorf("look for remains of upload %d: %w", u.ID, postgis.Kind(err))
	}
	for _, v := range list {
		if err := postgis.DropHeld(ctx, w.hub, v); err != nil {
			return err
		}
	}
	return nil
}

// progressEvery is how often a load writes down how far it is.
const progressEvery = 500 * time.Millisecond

func (w *worker) progress(ctx context.Context, id int64) ingest.Progress {
	var last time.Time
	var step ingest.Step
	return func(e ingest.Event) {
		now := time.Now()
		if e.Step == step && now.Sub(last) < progressEvery {
			return
		}
		step, last = e.Step, now
		_, err := w.hub.Owner.Exec(ctx, `update upload set step = $2, layer = $3, done = $4, total = $5, updated_at = now() where id = $1`,
			id, string(e.Step), e.Layer, e.Done, e.Total)
		if err != nil && ctx.Err() == nil {
			w.log.Debug("progress is not written down", "err", err)
		}
	}
}

// compared ends an upload's load: what would change is known, a person decides.
func (w *worker) compared(ctx context.Context, u *portal.Upload, report *ingest.Report) error {
	_, err := w.hub.Owner.Exec(ctx, `update upload set step = 'compare', layer = null, done = 0, total = -1, updated_at = now() where id = $1`, u.ID)
	if err != nil {
		return fmt.Errorf("note the step of upload %d: %w", u.ID, postgis.Kind(err))
	}
	c, err := postgis.Compare(ctx, w.hub.Owner, u.Dataset, u.Version)
	if errors.Is(err, geo.ErrNotFound) {
		return geo.Bad(errors.Join(geo.ErrGone, err), "version.gone", "dataset", u.Dataset, "number", u.Number)
	}
	if err != nil {
		return err
	}
	rejects, err := w.keepRejects(ctx, u.Version, report)
	if err != nil {
		return err
	}
	_, err = w.hub.Owner.Exec(ctx, `
		update upload set state = 'ready', version_id = $2, report = coalesce($3, report), comparison = $4, rejects_sha256 = coalesce($5, rejects_sha256), updated_at = now()
		where id = $1 and state = 'loading'`, u.ID, u.Version, report, c, rejects)
	if err != nil {
		return fmt.Errorf("end upload %d: %w", u.ID, postgis.Kind(err))
	}
	return nil
}

// refused ends an upload that can't be taken as it is, with its reason and the
// rows that were rejected.
func (w *worker) refused(ctx context.Context, u *portal.Upload, report ingest.Report, why geo.Message) error {
	var rejects []byte
	var err error
	if report.Version != 0 {
		if rejects, err = w.keepRejects(ctx, report.Version, &report); err != nil {
			return err
		}
	}
	_, err = w.hub.Owner.Exec(ctx, `
		update upload set state = 'failed', failure = $2, version_id = nullif($3, 0), report = $4, rejects_sha256 = $5, updated_at = now()
		where id = $1 and state in ('waiting', 'loading', 'publishing')`, u.ID, why, int64(report.Version), report, rejects)
	if err != nil {
		return fmt.Errorf("end upload %d: %w", u.ID, postgis.Kind(err))
	}
	return nil
}

// keepRejects writes what happened to single rows into a file of its own: the
// server's role can't read the rows, which may name people, and the file goes
// to the producer alone. It is nil when nothing happened.
func (w *worker) keepRejects(ctx context.Context, version geo.VersionID, report *ingest.Report) ([]byte, error) {
	if report == nil || report.Rejected() == 0 && !report.Repairs() {
		return nil, nil
	}
	pr, pw := io.Pipe()
	go func() { pw.CloseWithError(w.writeIssues(ctx, pw, version)) }()
	b, err := w.files().Put(ctx, pr, 1<<40)
	pr.CloseWithError(err)
	if err != nil {
		return nil, fmt.Errorf("keep the rejected rows: %w", err)
	}
	return b.SHA256, portal.KeepBlob(ctx, w.hub.Owner, b)
}

func (w *worker) writeIssues(ctx context.Context, to io.Writer, version geo.VersionID) error {
	buffered := bufio.NewWriter(to)
	out := json.NewEncoder(buffered)
	out.SetEscapeHTML(false)
	err := postgis.EachIssue(ctx, w.hub.Owner, version, func(i postgis.StoredIssue) error {
		return out.Encode(portal.RejectedRow(i))
	})
	if err != nil {
		return err
	}
	return buffered.Flush()
}

// publishUpload makes a version public that somebody said yes to.
func publishUpload(ctx context.Context, w *worker, args json.RawMessage) error {
	u, err := findUpload(ctx, w, args)
	if err != nil || u.State != portal.Publishing {
		return err
	}
	err = postgis.PublishReady(ctx, w.hub, u.Dataset, u.Version, func(tx pgx.Tx) error {
		if err := openByHand(ctx, tx, &u); err != nil {
			return err
		}
		return portal.MoveUpload(ctx, tx, u.ID, portal.Publishing, portal.Published)
	})
	if err != nil {
		return err
	}
	w.log.Info("version published", "dataset", u.Dataset, "version", u.Version)
	return nil
}

// openByHand takes a dataset of the short chain to its end with its first
// publication: the referent who says yes to it opens it. One that was
// withdrawn or refused stays so, and the long chain is people's.
func openByHand(ctx context.Context, tx pgx.Tx, u *portal.Upload) error {
	e, err := portal.Find(ctx, tx, portal.Desk, u.Dataset)
	if err != nil || e.Chain != portal.Partner || e.State != portal.Counted {
		return err
	}
	return portal.Take(ctx, tx, u.Dataset, portal.Step{From: portal.Counted, To: portal.Open, Account: u.Account})
}

// gaveUpUpload says on the upload's page why nothing came of it.
func gaveUpUpload(ctx context.Context, w *worker, args json.RawMessage, why geo.Message) error {
	u, err := findUpload(ctx, w, args)
	if err != nil || !u.State.Under() {
		return err
	}
	return w.refused(ctx, &u, ingest.Report{Version: u.Version}, why)
}
