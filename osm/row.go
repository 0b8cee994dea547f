package osm

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"calanque/osm/pbf"
)

// columns of osm.point, osm.line and osm.area, in the order of a row's bytes.
const columns = "_fid, _key, type, osm_id, version, name, tags, geom"

// An entry is where one row waits, and where it belongs.
type entry struct {
	hilbert uint64
	at      int64
	size    uint32
	check   bool // validity is for PostGIS to tell
}

// A batch is rows that one goroutine has made, as they go into a binary COPY
// without the leading column count and _fid.
type batch struct {
	rows    []byte
	entries []entry
	extent  box
	sorted  []pbf.Tag // scratch
	geom    []byte    // scratch
}

// add makes one row of an object and the EWKB in b.geom.
func (b *batch) add(o object, bounds box, check bool) {
	start := len(b.rows)
	r := b.rows
	r = appendField(r, func(r []byte) []byte {
		return strconv.AppendInt(append(r, o.kind), o.id, 10)
	})
	r = append(r, 0, 0, 0, 1, o.kind)
	r = binary.BigEndian.AppendUint32(r, 8)
	r = binary.BigEndian.AppendUint64(r, uint64(o.id))
	if o.version > 0 {
		r = binary.BigEndian.AppendUint32(r, 4)
		r = binary.BigEndian.AppendUint32(r, uint32(o.version))
	} else {
		r = append(r, 0xff, 0xff, 0xff, 0xff)
	}
	if name := value(o.tags, "name"); name != "" {
		r = appendField(r, func(r []byte) []byte { return append(r, clean(name)...) })
	} else {
		r = append(r, 0xff, 0xff, 0xff, 0xff)
	}
	b.sorted = sortedTags(append(b.sorted[:0], o.tags...))
	r = appendField(r, func(r []byte) []byte {
		return appendTags(append(r, 1), b.sorted) // jsonb begins with its format's version
	})
	r = appendField(r, func(r []byte) []byte { return append(r, b.geom...) })
	b.rows = r
	b.entries = append(b.entries, entry{bounds.hilbert(), int64(start), uint32(len(r) - start), check})
	b.extent.extend(point{bounds.minX, bounds.minY})
	b.extent.extend(point{bounds.maxX, bounds.maxY})
}

func newBatch() *batch { return &batch{extent: emptyBox()} }

func (b *batch) reset() {
	b.rows, b.entries, b.extent = b.rows[:0], b.entries[:0], emptyBox()
}

// appendField writes a value with its length before it.
func appendField(r []byte, value func([]byte) []byte) []byte {
	at := len(r)
	r = value(append(r, 0, 0, 0, 0))
	binary.BigEndian.PutUint32(r[at:], uint32(len(r)-at-4))
	return r
}

// sortedTags puts tags into the order of their keys, in place.
func sortedTags(tags []pbf.Tag) []pbf.Tag {
	slices.SortStableFunc(tags, func(x, y pbf.Tag) int { return strings.Compare(x.Key, y.Key) })
	return tags
}

// appendTags writes tags as a JSON object.
func appendTags(b []byte, tags []pbf.Tag) []byte {
	b = append(b, '{')
	for i, t := range tags {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendJSONString(b, t.Key)
		b = append(b, ':')
		b = appendJSONString(b, t.Value)
	}
	return append(b, '}')
}

func appendJSONString(b []byte, s string) []byte {
	b = append(b, '"')
	for _, c := range []byte(clean(s)) {
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, '\\', 'u', '0', '0', "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// clean gives text that PostgreSQL can hold: valid UTF-8 without NUL.
func clean(s string) string {
	if storable(s) {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
