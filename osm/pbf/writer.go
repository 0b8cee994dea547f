package pbf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/zlib"
	"github.com/qedus/osmpbf/OSMPBF"
	"google.golang.org/protobuf/proto"
)

// blockObjects is how many objects a block holds at most: what other writers
// do and readers expect.
const blockObjects = 8000

// A Writer writes one .osm.pbf: dense nodes, zlib, in the order of the calls,
// which must be nodes, then ways, then relations, each by growing id. The same
// calls give the same bytes. Close writes what is left; the file is whole only
// after it.
type Writer struct {
	w      io.Writer
	header Header
	begun  bool
	closed bool
	err    error // the first one, for ever

	kind   Kinds // of the objects waiting in group
	last   int64 // id of the last object of that kind
	any    bool  // an object of that kind has been written
	group  *OSMPBF.PrimitiveGroup
	count  int
	strs   []string
	index  map[string]uint32
	delta  struct{ id, lon, lat, time int64 }
	stamps bool // some node of the waiting group has a timestamp
	buf    bytes.Buffer
	z      *zlib.Writer
}

// NewWriter starts a file on w; nothing is written before the first object or
// Close.
func NewWriter(w io.Writer, h Header) *Writer {
	return &Writer{w: w, header: h}
}

// Node adds a node.
func (w *Writer) Node(n Node) error {
	if err := w.begin(Nodes, n.ID); err != nil {
		return err
	}
	if n.Lon < -180e7 || n.Lon > 180e7 || n.Lat < -90e7 || n.Lat > 90e7 {
		return w.fail(fmt.Errorf("pbf: node %d: %d, %d is outside the globe", n.ID, n.Lon, n.Lat))
	}
	if w.group.Dense == nil {
		w.group.Dense = &OSMPBF.DenseNodes{Denseinfo: &OSMPBF.DenseInfo{}}
		w.delta = struct{ id, lon, lat, time int64 }{}
	}
	d, di := w.group.Dense, w.group.Dense.Denseinfo
	d.Id = append(d.Id, n.ID-w.delta.id)
	d.Lon = append(d.Lon, int64(n.Lon)-w.delta.lon)
	d.Lat = append(d.Lat, int64(n.Lat)-w.delta.lat)
	di.Version = append(di.Version, n.Version)
	di.Timestamp = append(di.Timestamp, n.Timestamp-w.delta.time)
	w.stamps = w.stamps || n.Timestamp != 0
	w.delta.id, w.delta.lon, w.delta.lat, w.delta.time = n.ID, int64(n.Lon), int64(n.Lat), n.Timestamp
	for _, t := range n.Tags {
		d.KeysVals = append(d.KeysVals, int32(w.str(t.Key)), int32(w.str(t.Value)))
	}
	d.KeysVals = append(d.KeysVals, 0)
	return w.added()
}

// Way adds a way.
func (w *Writer) Way(o Way) error {
	if err := w.begin(Ways, o.ID); err != nil {
		return err
	}
	p := &OSMPBF.Way{Id: &o.ID, Info: info(o.Version, o.Timestamp)}
	p.Keys, p.Vals = w.tags(o.Tags)
	var last int64
	for _, ref := range o.Refs {
		p.Refs = append(p.Refs, ref-last)
		last = ref
	}
	w.group.Ways = append(w.group.Ways, p)
	return w.added()
}

// Relation adds a relation.
func (w *Writer) Relation(o Relation) error {
	if err := w.begin(Relations, o.ID); err != nil {
		return err
	}
	p := &OSMPBF.Relation{Id: &o.ID, Info: info(o.Version, o.Timestamp)}
	p.Keys, p.Vals = w.tags(o.Tags)
	var last int64
	for _, m := range o.Members {
		var t OSMPBF.Relation_MemberType
		switch m.Type {
		case 'n':
			t = OSMPBF.Relation_NODE
		case 'w':
			t = OSMPBF.Relation_WAY
		case 'r':
			t = OSMPBF.Relation_RELATION
		default:
			return w.fail(fmt.Errorf("pbf: relation %d: member type %q, want 'n', 'w' or 'r'", o.ID, m.Type))
		}
		p.Types = append(p.Types, t)
		p.RolesSid = append(p.RolesSid, int32(w.str(m.Role)))
		p.Memids = append(p.Memids, m.Ref-last)
		last = m.Ref
	}
	w.group.Relations = append(w.group.Relations, p)
	return w.added()
}

// Close writes what is left. It does not close the underlying writer.
func (w *Writer) Close() error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return nil
	}
	w.closed = true
	if err := w.start(); err != nil {
		return err
	}
	return w.flush()
}

// begin makes ready for an object of that kind and id.
func (w *Writer) begin(k Kinds, id int64) error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return w.fail(fmt.Errorf("pbf: write after Close"))
	}
	if err := w.start(); err != nil {
		return err
	}
	if w.kind != k {
		if w.kind > k {
			return w.fail(fmt.Errorf("pbf: object %d: nodes come first, then ways, then relations", id))
		}
		if err := w.flush(); err != nil {
			return err
		}
		w.kind, w.any = k, false
	}
	if w.any && id <= w.last {
		return w.fail(fmt.Errorf("pbf: object %d after %d: ids must grow", id, w.last))
	}
	w.last, w.any = id, true
	if w.group == nil {
		w.group, w.count = &OSMPBF.PrimitiveGroup{}, 0
		w.strs, w.index = append(w.strs[:0], ""), map[string]uint32{"": 0}
	}
	return nil
}

func (w *Writer) added() error {
	w.count++
	if w.count < blockObjects {
		return nil
	}
	return w.flush()
}

func (w *Writer) fail(err error) error {
	w.err = err
	return err
}

// str gives the index of s in the string table of the block.
func (w *Writer) str(s string) uint32 {
	i, ok := w.index[s]
	if !ok {
		i = uint32(len(w.strs))
		w.index[s] = i
		w.strs = append(w.strs, s)
	}
	return i
}

func (w *Writer) tags(tags []Tag) (keys, values []uint32) {
	for _, t := range tags {
		keys = append(keys, w.str(t.Key))
		values = append(values, w.str(t.Value))
	}
	return keys, values
}

func info(version int32, timestamp int64) *OSMPBF.Info {
	i := &OSMPBF.Info{Version: &version}
	if timestamp != 0 {
		i.Timestamp = &timestamp
	}
	return i
}

// start writes the header block once.
func (w *Writer) start() error {
	if w.begun {
		return nil
	}
	w.begun = true
	h := &OSMPBF.HeaderBlock{
		RequiredFeatures: []string{"OsmSchema-V0.6", "DenseNodes"},
		OptionalFeatures: []string{"Sort.Type_then_ID"},
	}
	if b := w.header.Box; b != nil {
		h.Bbox = &OSMPBF.HeaderBBox{
			Left: nano(b.MinLon), Right: nano(b.MaxLon), Top: nano(b.MaxLat), Bottom: nano(b.MinLat),
		}
	}
	h.Writingprogram = text(w.header.Program)
	h.Source = text(w.header.Source)
	h.OsmosisReplicationBaseUrl = text(w.header.Feed)
	if t := w.header.Replication; !t.IsZero() {
		s := t.Truncate(time.Second).Unix()
		h.OsmosisReplicationTimestamp = &s
	}
	if n := w.header.Sequence; n != 0 {
		h.OsmosisReplicationSequenceNumber = &n
	}
	return w.block("OSMHeader", h)
}

// flush writes the waiting group as a block.
func (w *Writer) flush() error {
	if w.group == nil {
		return nil
	}
	if d := w.group.Dense; d != nil {
		if !w.stamps {
			d.Denseinfo.Timestamp = make([]int64, len(d.Id))
		}
		// Readers expect all columns of the information once there is one.
		// These say "nobody": no number, no name.
		d.Denseinfo.Changeset = make([]int64, len(d.Id))
		d.Denseinfo.Uid = make([]int32, len(d.Id))
		d.Denseinfo.UserSid = make([]int32, len(d.Id))
	}
	b := &OSMPBF.PrimitiveBlock{
		Stringtable:    &OSMPBF.StringTable{S: w.strs},
		Primitivegroup: []*OSMPBF.PrimitiveGroup{w.group},
	}
	err := w.block("OSMData", b)
	w.group, w.stamps = nil, false
	return err
}

// block compresses one message and writes it with its headers.
func (w *Writer) block(kind string, m proto.Message) error {
	raw, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return w.fail(fmt.Errorf("pbf: encode block: %w", err))
	}
	if len(raw) > maxRaw {
		return w.fail(fmt.Errorf("pbf: block of %d bytes, at most %d are allowed", len(raw), maxRaw))
	}
	w.buf.Reset()
	if w.z == nil {
		w.z = zlib.NewWriter(&w.buf)
	} else {
		w.z.Reset(&w.buf)
	}
	if _, err := w.z.Write(raw); err != nil {
		return w.fail(fmt.Errorf("pbf: compress block: %w", err))
	}
	if err := w.z.Close(); err != nil {
		return w.fail(fmt.Errorf("pbf: compress block: %w", err))
	}
	size := int32(len(raw))
	opt := proto.MarshalOptions{Deterministic: true}
	blob, err := opt.Marshal(&OSMPBF.Blob{RawSize: &size, Data: &OSMPBF.Blob_ZlibData{ZlibData: w.buf.Bytes()}})
	if err != nil {
		return w.fail(fmt.Errorf("pbf: encode blob: %w", err))
	}
	length := int32(len(blob))
	head, err := opt.Marshal(&OSMPBF.BlobHeader{Type: &kind, Datasize: &length})
	if err != nil {
		return w.fail(fmt.Errorf("pbf: encode blob header: %w", err))
	}
	out := binary.BigEndian.AppendUint32(nil, uint32(len(head)))
	out = append(append(out, head...), blob...)
	if _, err := w.w.Write(out); err != nil {
		return w.fail(fmt.Errorf("pbf: write block: %w", err))
	}
	return nil
}

func nano(e7 int32) *int64 {
	n := int64(e7) * 100
	return &n
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
