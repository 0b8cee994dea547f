package postgis

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"calanque/geo"
)

// A Table says what one layer of a version is to look like.
type Table struct {
	Layer        string // its one name everywhere
	Title        geo.Text
	KeyFields    []string // what the key is made of; none for a hash of the content
	Position     int
	Style        map[string]any      // how the viewer draws it; nil keeps what is there
	Labels       map[string]geo.Text // of fields
	SRID         geo.SRID            // 0 with geometry type None
	GeometryType geo.GeometryType
	Curves       bool // some geometry may have arcs: they become lines
	Fields       []geo.Field
	Bounds       geo.Box `json:"-"` // of all geometry, in SRID: rows are laid out along a curve through it
	Series       *SeriesTable
}

// A SeriesTable is what a layer needs beyond its Table to be a series.
type SeriesTable struct {
	Borrow      string // layer whose geometry this one shows; "" when it has its own
	BorrowField string // field that holds the other layer's key
}

// A Row is one record to load. Its slices may be reused after the call.
type Row struct {
	Record   int64     // number in the file, for issues
	Key      string    // unique in the layer; of a series, with the time
	Time     time.Time // of a series
	Item     string    // of a series: key@time
	Geometry []byte    // EWKB, little endian, 2D or with Z, without SRID; nil for none
	Values   []any     // by Table.Fields
}

// An Issue is something that happened to one record.
type Issue struct {
	Record   int64
	Field    string // column name; "" when it is the record or its geometry
	Value    string // as the file has it; "" when it is not one value
	Rule     string // what was broken: the message's code
	Rejected bool   // the record was not loaded
	Message  geo.Message
	Raw      string // the whole record, of a rejected one
}

// A Tally is what the reader counted while it filled a layer.
type Tally struct {
	Read   int64
	Issues []Issue
}

// A LoadedLayer is the account of one layer of a version. Loaded is counted in
// the database, not in the reader.
type LoadedLayer struct {
	ID         geo.LayerID      `json:"-"`
	Name       string           `json:"name"`
	Geometry   geo.GeometryType `json:"geometry_type"`
	SRID       geo.SRID         `json:"srid"`
	Fields     []geo.Field      `json:"fields"`
	Read       int64            `json:"read"`
	Loaded     int64            `json:"loaded"`
	Repaired   int64            `json:"repaired"`
	Rejected   int64            `json:"rejected"`
	NoGeometry int64            `json:"no_geometry"`
	Rows       int64            `json:"rows"` // of the layer once published: of a series, all times
}

// Layer loads one layer. fill is called once with what takes a row, and says
// what it read; it runs before anything is written. Rows end up in Hilbert
// order of their geometry, those without at the end.
func (l *Loading) Layer(ctx context.Context, t Table, fill func(put func(*Row) error) (Tally, error)) (LoadedLayer, error) {
	in := newIntake(&t)
	defer in.close()
	tally, err := fill(in.put)
	if err != nil {
		return LoadedLayer{}, err
	}
	name := tableName("v", int64(l.Version), t.Layer)
	var done LoadedLayer
	var id geo.LayerID
	err = pgx.BeginFunc(ctx, l.hub.Owner, func(tx pgx.Tx) error {
		if id, err = l.putLayer(ctx, tx, &t); err != nil {
			return err
		}
		if err := createTable(ctx, tx, name, &t); err != nil {
			return err
		}
		if err := in.copyTo(ctx, tx, name); err != nil {
			return err
		}
		repairs, err := settle(ctx, tx, name, &t, in)
		if err != nil {
			return err
		}
		tally.Issues = append(tally.Issues, repairs...)
		done, err = l.account(ctx, tx, id, name, &t, tally)
		return err
	})
	if err != nil {
		return LoadedLayer{}, fmt.Errorf("load layer %s: %w", t.Layer, Kind(err))
	}
	l.described = append(l.described, described{id, t})
	if t.Series != nil {
		l.staged = append(l.staged, staged{id, name, t})
		return done, nil
	}
	if err := index(ctx, l.hub, name, &t); err != nil {
		return LoadedLayer{}, fmt.Errorf("index layer %s: %w", t.Layer, Kind(err))
	}
	return done, nil
}

// putLayer makes or finds the layer. A name that another dataset has is
// ErrExists. What is said of a layer that is there changes when the version is
// published, see describe: a delivery may still be refused.
func (l *Loading) putLayer(ctx context.Context, tx pgx.Tx, t *Table) (geo.LayerID, error) {
	life := geo.Snapshot
	if t.Series != nil {
		life = geo.Series
	}
	var id geo.LayerID
	err := tx.QueryRow(ctx, `
		insert into layer (dataset_id, name, title, life, key_fields, position, style, labels)
		values ($1, $2, $3, $4, $5, $6, $7, coalesce($8::jsonb, '{}'))
		on conflict (name) do update set name = excluded.name
			where layer.dataset_id = excluded.dataset_id
		returning id`, l.dataset, t.Layer, t.Title, life, orNone(t.KeyFields), t.Position, jsonOrNull(t.Style), jsonOrNull(t.Labels)).Scan(&id)
	if err == pgx.ErrNoRows {
		return 0, geo.Bad(geo.ErrExists, "layer.taken", "layer", t.Layer)
	}
	return id, err
}

// A described layer is what a version that is published says of a layer.
type described struct {
	Layer geo.LayerID
	T     Table
}

// describe makes true what the version says of a layer.
func describe(ctx context.Context, tx pgx.Tx, d described) error {
	t := d.T
	_, err := tx.Exec(ctx, `
		update layer set title = $2, key_fields = $3, position = $4, style = coalesce($5::jsonb, style),
			labels = labels || coalesce($6::jsonb, '{}')
		where id = $1`, d.Layer, t.Title, orNone(t.KeyFields), t.Position, jsonOrNull(t.Style), jsonOrNull(t.Labels))
	if err != nil {
		return fmt.Errorf("describe layer %s: %w", t.Layer, Kind(err))
	}
	return nil
}

func orNone(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// createTable makes the data table. While rows are copied in, _geom_3857 is
// computed by the database; settle makes it an ordinary column.
func createTable(ctx context.Context, tx pgx.Tx, name string, t *Table) error {
	var b strings.Builder
	fmt.Fprintf(&b, "create table %s (", pgx.Identifier{"data", name}.Sanitize())
	b.WriteString("_fid bigint not null, _key text collate \"C\" not null")
	if t.Series != nil {
		b.WriteString(", _time timestamptz not null, _item text collate \"C\" not null")
	}
	if t.GeometryType != geo.None {
		fmt.Fprintf(&b, ", _geom geometry(geometry, %d), _geom_3857 geometry(geometry, 3857) generated always as (%s) stored",
			t.SRID, toMercator(t.SRID))
	}
	for _, f := range t.Fields {
		fmt.Fprintf(&b, ", %s %s", quote(f.Name), sqlType(f.Type))
	}
	b.WriteString(")")
	_, err := tx.Exec(ctx, b.String())
	return err
}

// toMercator is _geom in the plane of the tiles, 2D. The old French systems
// (NTF) go by Lambert-93, the only way on which PostGIS uses their grid.
func toMercator(s geo.SRID) string {
	switch {
	case s == geo.WebMercator:
		return "st_force2d(_geom)"
	case NTF(s):
		return "st_force2d(st_transform(st_transform(_geom, 2154), 3857))"
	}
	return "st_force2d(st_transform(_geom, 3857))"
}

// An intake encodes rows as they come and sorts them.
type intake struct {
	t       *Table
	sorter  sorter
	row     copyRow
	columns int
	records []int64 // by order of arrival; kept where geometry may need mending
	byFID   []int64 // the same by _fid - 1, once copied
}

func newIntake(t *Table) *intake {
	in := &intake{t: t, sorter: sorter{limit: sorterMemory}, columns: 2 + len(t.Fields)}
	if t.Series != nil {
		in.columns += 2
	}
	if t.GeometryType != geo.None {
		in.columns++
	}
	return in
}

func (in *intake) close() { in.sorter.close() }

// mends tells whether geometry of the layer can be invalid: points can't.
func (t *Table) mends() bool {
	return t.GeometryType != geo.None && t.GeometryType != geo.Point
}

func (in *intake) put(r *Row) error {
	t, row := in.t, &in.row
	row.b = row.b[:0]
	row.text(r.Key)
	if t.Series != nil {
		row.timestamp(r.Time)
		row.text(r.Item)
	}
	place := ^uint32(0) // without geometry: at the end
	if t.GeometryType != geo.None {
		row.ewkb(r.Geometry, t.SRID)
		if x, y, ok := Centre(r.Geometry); ok {
			place = hilbert(t.Bounds, x, y)
		}
	}
	for i, f := range t.Fields {
		if err := row.value(f.Type, r.Values[i]); err != nil {
			return fmt.Errorf("record %d, field %s: %w", r.Record, f.Name, err)
		}
	}
	if t.mends() {
		in.records = append(in.records, r.Record)
	}
	return in.sorter.add(place, row.b)
}

// copyTo streams the rows into the table by binary COPY, numbering them in
// order. FREEZE is allowed because the table was made in this transaction.
func (in *intake) copyTo(ctx context.Context, tx pgx.Tx, name string) error {
	columns := []string{FIDColumn, KeyColumn}
	if in.t.Series != nil {
		columns = append(columns, TimeColumn, ItemColumn)
	}
	if in.t.GeometryType != geo.None {
		columns = append(columns, GeomColumn)
	}
	for _, f := range in.t.Fields {
		columns = append(columns, f.Name)
	}
	for i := range columns {
		columns[i] = quote(columns[i])
	}
	sql := fmt.Sprintf("copy %s (%s) from stdin with (format binary, freeze)", pgx.Identifier{"data", name}.Sanitize(), strings.Join(columns, ", "))
	pr, pw := io.Pipe()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		err := in.stream(pw)
		pw.CloseWithError(err) // nil ends the data
		return err
	})
	g.Go(func() error {
		_, err := tx.Conn().PgConn().CopyFrom(ctx, pr, sql)
		pr.CloseWithError(err) // ends the writer when the server refuses
		return err
	})
	return g.Wait()
}

func (in *intake) stream(w io.Writer) error {
	b := bufio.NewWriterSize(w, 256<<10)
	if _, err := b.Write(copyHeader); err != nil {
		return err
	}
	if in.records != nil {
		in.byFID = make([]int64, 0, len(in.records))
	}
	var head [14]byte
	binary.BigEndian.PutUint16(head[0:], uint16(in.columns))
	binary.BigEndian.PutUint32(head[2:], 8)
	fid := uint64(0)
	err := in.sorter.each(func(row []byte, seq uint64) error {
		fid++
		binary.BigEndian.PutUint64(head[6:], fid)
		if _, err := b.Write(head[:]); err != nil {
			return err
		}
		if in.records != nil {
			in.byFID = append(in.byFID, in.records[seq])
		}
		_, err := b.Write(row)
		return err
	})
	if err != nil {
		return err
	}
	if _, err := b.Write(copyTrailer); err != nil {
		return err
	}
	return b.Flush()
}

// nameField is the field that search looks in; "" when none names features.
func nameField(fields []geo.Field) string {
	for _, name := range geo.NameFields {
		for _, f := range fields {
			if f.Name == name && f.Type == geo.TextField {
				return name
			}
		}
	}
	return ""
}

// index builds the indexes side by side, then reads the statistics. The rows
// are committed: a table whose loader dies here is dropped by the next.
func index(ctx context.Context, h *Hub, name string, t *Table) error {
	table := pgx.Identifier{"data", name}.Sanitize()
	sum := sha256.Sum256([]byte(name))
	fid := quote("fid_" + hex.EncodeToString(sum[:16]))
	builds := []string{
		fmt.Sprintf("create unique index %s on %s (_fid)", fid, table),
		fmt.Sprintf(`create unique index on %s (_key)`, table),
	}
	if t.GeometryType != geo.None {
		builds = append([]string{fmt.Sprintf("create index on %s using gist (_geom_3857)", table)}, builds...)
	}
	if field := nameField(t.Fields); field != "" {
		builds = append(builds, fmt.Sprintf("create index on %s using gin (public.plain(%s) public.gin_trgm_ops)", table, quote(field)))
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(2)
	for _, sql := range builds {
		g.Go(func() error {
			return pgx.BeginFunc(gctx, h.Owner, func(tx pgx.Tx) error {
				if _, err := tx.Exec(gctx, `set local maintenance_work_mem = '256MB'`); err != nil {
					return err
				}
				_, err := tx.Exec(gctx, sql)
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if _, err := h.Owner.Exec(ctx, fmt.Sprintf("alter table %s add primary key using index %s", table, fid)); err != nil {
		return err
	}
	_, err := h.Owner.Exec(ctx, "analyze "+table)
	return err
}
