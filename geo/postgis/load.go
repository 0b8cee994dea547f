package postgis

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
)

// A Loading is one delivery of a dataset on its way into the database. It
// holds the dataset's load lock, so there is one at a time; what it writes is
// seen by nobody before Publish.
type Loading struct {
	Version geo.VersionID // 0 before Begin
	Number  int           // of the version in its dataset

	hub     *Hub
	slug    string
	dataset geo.DatasetID
	lock    *pgx.Conn
	staged  []staged // series, merged by Publish

	described []described // layers, whose description Publish makes true

	// Plan is how the delivery was read, kept with the version.
	Plan json.RawMessage

	// Body is the command that opens a dataset of the short chain at its first
	// publication, "" for "calanque load". Closed leaves it hidden: somebody
	// opens it later.
	Body   string
	Closed bool
}

// A staged layer is a series' delivery that waits in a table of its own.
type staged struct {
	Layer geo.LayerID
	Table string
	T     Table
}

// A Delivery is what a version is made of.
type Delivery struct {
	SHA256 []byte // of the content of all files
	Source string // file name as received, for people
}

// BeginLoad takes the load lock of a dataset, which may not exist yet. It is
// ErrConflict while another load of it is running. What a loader that died
// left behind is cleared first. Close frees the lock.
func BeginLoad(ctx context.Context, h *Hub, slug string) (*Loading, error) {
	// A connection of its own: loads that wait for one of the pool while they
	// hold a lock in it could wait for each other.
	conn, err := pgx.ConnectConfig(ctx, h.Owner.Config().ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("load %s: %w", slug, Kind(err))
	}
	l := &Loading{hub: h, slug: slug, lock: conn}
	free, err := l.tryLock(ctx)
	if err == nil && !free {
		err = geo.Bad(geo.ErrConflict, "load.running", "dataset", slug)
	}
	if err == nil {
		err = l.recover(ctx)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("begin the load of %s: %w", slug, Kind(err))
	}
	return l, nil
}

// patience is how long the lock of a loader that was killed a moment ago may
// take to be freed: the server has to notice.
const patience = 2 * time.Second

func (l *Loading) tryLock(ctx context.Context) (free bool, err error) {
	for waited := time.Duration(0); ; waited += patience / 10 {
		err = l.lock.QueryRow(ctx, `select pg_try_advisory_lock($1)`, lockKey("load "+l.slug)).Scan(&free)
		if err != nil || free || waited >= patience || ctx.Err() != nil {
			return free, err
		}
		wait(ctx, patience/10)
	}
}

// Close frees the lock. A version that was begun and neither published nor
// failed is cleared by the next load.
func (l *Loading) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = l.lock.Close(ctx) // ends the session, and with it the lock
}

// recover marks the version of a dead loader as failed and drops its tables.
func (l *Loading) recover(ctx context.Context) error {
	return pgx.BeginFunc(ctx, l.hub.Owner, func(tx pgx.Tx) error {
		dead, err := all[struct{ ID geo.VersionID }](ctx, tx, "what a dead loader left", `
			update version v set state = 'failed', ended_at = now(), failure = $2
			from dataset d
			where d.id = v.dataset_id and d.slug = $1 and v.state = 'loading'
			returning v.id`, l.slug, geo.Say("load.interrupted"))
		if err != nil {
			return err
		}
		for _, v := range dead {
			if err := dropTables(ctx, tx, v.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// Begin makes the version that layers are then loaded into. The dataset must
// exist.
func (l *Loading) Begin(ctx context.Context, d Delivery) error {
	err := l.hub.Owner.QueryRow(ctx, `
		insert into version (dataset_id, number, blob_sha256, source)
		select d.id, coalesce((select max(number) from version where dataset_id = d.id), 0) + 1, $2, $3
		from dataset d
		where d.slug = $1
		returning dataset_id, id, number`, l.slug, d.SHA256, d.Source).Scan(&l.dataset, &l.Version, &l.Number)
	if err != nil {
		return fmt.Errorf("begin a version of %s: %w", l.slug, Kind(err))
	}
	return nil
}

// Fail ends the version: its tables go, its account of layers and issues
// stays. It works after ctx has ended.
func (l *Loading) Fail(ctx context.Context, why geo.Message) error {
	if l.Version == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	err := pgx.BeginFunc(ctx, l.hub.Owner, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			update version set state = 'failed', ended_at = now(), failure = $2
			where id = $1 and state = 'loading'`, l.Version, why)
		if err != nil {
			return err
		}
		return dropTables(ctx, tx, l.Version)
	})
	if err != nil {
		return fmt.Errorf("end version %d of %s: %w", l.Number, l.slug, Kind(err))
	}
	return nil
}

// Publish makes the version the dataset's published one, with what else the
// caller does in the same transaction.
func (l *Loading) Publish(ctx context.Context, also func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, l.hub.Owner, func(tx pgx.Tx) error {
		if err := l.finish(ctx, tx); err != nil {
			return err
		}
		if err := l.make(ctx, tx); err != nil {
			return err
		}
		if also != nil {
			if err := also(tx); err != nil {
				return err
			}
		}
		if !l.Closed {
			if err := openShort(ctx, tx, l.dataset, cmp.Or(l.Body, "calanque load")); err != nil {
				return err
			}
		}
		return Publish(ctx, tx, l.dataset, l.Version)
	})
}

// Publish moves the dataset's pointer to a version that is ready, marks the
// one it replaces, refreshes the views of series that borrow its geometry, and
// appends the change: call it last in the transaction. Readers go over from
// one version to the other at the commit, as a whole.
func Publish(ctx context.Context, tx pgx.Tx, dataset geo.DatasetID, version geo.VersionID) error {
	var slug string
	err := tx.QueryRow(ctx, `
		with replaced as (
			update version v set replaced_at = clock_timestamp()
			from dataset d
			where d.id = $1 and v.id = d.published_id and v.id <> $2
		), published as (
			update version set published_at = clock_timestamp(), replaced_at = null
			where id = $2 and dataset_id = $1
		), grown as (
			update layer set revision = revision + 1 where dataset_id = $1
		)
		update dataset set published_id = $2, published_at = clock_timestamp()
		where id = $1
		returning slug`, dataset, version).Scan(&slug)
	if err != nil {
		return fmt.Errorf("publish version %d: %w", version, Kind(err))
	}
	if err := putLayerResources(ctx, tx, dataset, version); err != nil {
		return err
	}
	borrowers, err := borrowersOf(ctx, tx, dataset)
	if err != nil {
		return fmt.Errorf("find who borrows the geometry of %s: %w", slug, err)
	}
	changed := []string{}
	for _, b := range borrowers {
		if err := refreshBorrower(ctx, tx, b.Layer); err != nil {
			return err
		}
		if b.Slug != slug && !slices.Contains(changed, b.Slug) {
			changed = append(changed, b.Slug)
		}
	}
	// The log's lock is taken here: nothing slow comes after.
	for _, s := range append(changed, slug) {
		if err := Append(ctx, tx, Change{Kind: "dataset", Subject: s, Detail: map[string]any{"version": version}}); err != nil {
			return err
		}
	}
	return nil
}

// openShort takes a dataset of the short chain to its last step at its first
// publication: what a command brings in is public unless the catalogue file
// says otherwise. One of the long chain stays hidden until people decide.
func openShort(ctx context.Context, tx pgx.Tx, dataset geo.DatasetID, body string) error {
	_, err := tx.Exec(ctx, `
		insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body)
		select id, chain, 1, 'counted', 'open', false, $2
		from dataset d
		where id = $1 and chain = 'partner' and not exists (select from chain_step where dataset_id = d.id)`, dataset, body)
	if err != nil {
		return fmt.Errorf("open dataset %d: %w", dataset, Kind(err))
	}
	return nil
}

// putLayerResources makes each layer of a version a resource of its dataset,
// and takes away those of layers that it no longer has.
func putLayerResources(ctx context.Context, tx pgx.Tx, dataset geo.DatasetID, version geo.VersionID) error {
	_, err := tx.Exec(ctx, `
		with gone as (
			update resource r set deleted_at = now(), updated_at = now()
			where dataset_id = $1 and kind = 'layer' and deleted_at is null
			  and not exists (select from layer_version lv where (lv.layer_id, lv.version_id) = (r.layer_id, $2))
		)
		insert into resource (dataset_id, name, kind, title, layer_id, format, position)
		select l.dataset_id,
			l.name || case when exists (select from resource r where (r.dataset_id, r.name) = ($1, l.name) and r.layer_id is distinct from l.id) then '-couche' else '' end,
			'layer', l.title, l.id, 'ogc-api', l.position
		from layer_version lv
		join layer l on l.id = lv.layer_id
		where lv.version_id = $2
		on conflict (layer_id) do update set deleted_at = null, updated_at = now() where resource.deleted_at is not null`, dataset, version)
	if err != nil {
		return fmt.Errorf("make the layers of dataset %d its resources: %w", dataset, Kind(err))
	}
	return nil
}

type borrower struct {
	Layer geo.LayerID
	Slug  string
}

// borrowersOf lists the series that borrow geometry from layers of the
// dataset, or are layers of it; the revisions of the others grow too.
func borrowersOf(ctx context.Context, tx pgx.Tx, dataset geo.DatasetID) ([]borrower, error) {
	rows, err := tx.Query(ctx, `
		with found as (
			select b.layer_id, l.dataset_id from borrowed_geometry b
			join layer l on l.id = b.layer_id
			join layer f on f.id = b.from_id
			where $1 in (f.dataset_id, l.dataset_id)
		), grown as (
			update layer set revision = revision + 1
			where id in (select layer_id from found where dataset_id <> $1)
		)
		select f.layer_id, d.slug from found f join dataset d on d.id = f.dataset_id order by 1`, dataset)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[borrower])
}

// keepHeld is how long a version waits for a person's yes.
const keepHeld = 30 * 24 * time.Hour

// Sweep drops the tables of versions that were replaced longer ago than keep,
// and of those that nobody has published. A version that somebody is reading at
// this moment is left for the next sweep. It returns how many versions it
// dropped.
func Sweep(ctx context.Context, h *Hub, keep time.Duration) (int, error) {
	rows, err := h.Owner.Query(ctx, `
		select v.id from version v
		where v.state = 'ready'
		  and (v.replaced_at < now() - $1::interval
		    or v.published_at is null and (v.ended_at < now() - $2::interval
		      or exists (select from upload u where u.version_id = v.id and u.state = 'discarded')))
		  and not exists (select from dataset d where d.published_id = v.id)
		order by v.id`, keep, keepHeld)
	if err != nil {
		return 0, fmt.Errorf("find versions to sweep: %w", Kind(err))
	}
	old, err := pgx.CollectRows(rows, pgx.RowTo[geo.VersionID])
	if err != nil {
		return 0, fmt.Errorf("find versions to sweep: %w", Kind(err))
	}
	n := 0
	for _, v := range old {
		err := pgx.BeginFunc(ctx, h.Owner, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `set local lock_timeout = '1s'`); err != nil {
				return err
			}
			if err := dropTables(ctx, tx, v); err != nil {
				return err
			}
			_, err := tx.Exec(ctx, `update version set state = 'dropped' where id = $1`, v)
			return err
		})
		if err = Kind(err); errors.Is(err, geo.ErrUnavailable) {
			continue
		} else if err != nil {
			return n, fmt.Errorf("sweep version %d: %w", v, err)
		}
		n++
	}
	return n, nil
}

// DropHeld takes away a version that was never published.
func DropHeld(ctx context.Context, h *Hub, version geo.VersionID) error {
	return pgx.BeginFunc(ctx, h.Owner, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `update version set state = 'dropped' where id = $1 and state = 'ready' and published_at is null`, version)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return dropTables(ctx, tx, version)
	})
}

// dropTables drops the tables of one version: those named v<id>_…
func dropTables(ctx context.Context, db DB, version geo.VersionID) error {
	rows, err := db.Query(ctx, `
		select relname::text from pg_class
		where relnamespace = 'data'::regnamespace and relkind = 'r' and relname like $1
		order by relname`, fmt.Sprintf(`v%d\_%%`, version))
	if err != nil {
		return fmt.Errorf("find the tables of version %d: %w", version, err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("find the tables of version %d: %w", version, err)
	}
	for _, name := range names {
		if _, err := db.Exec(ctx, "drop table "+pgx.Identifier{"data", name}.Sanitize()); err != nil {
			return fmt.Errorf("drop table %s: %w", name, err)
		}
	}
	return nil
}

// tableName makes the name of a data table: what tells it apart, then the
// layer's name, in the 63 bytes that PostgreSQL keeps.
func tableName(prefix string, id int64, layer string) string {
	name := fmt.Sprintf("%s%d_%s", prefix, id, layer)
	if len(name) <= 63 {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return name[:54] + "_" + hex.EncodeToString(sum[:4])
}
