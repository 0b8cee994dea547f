// Package pbf reads and writes .osm.pbf as flat batches without personal data;
// it is the only importer of qedus/osmpbf.
//
// Scope: files of current objects (nodes, ways, relations), uncompressed or
// zlib. A Reader first walks the headers of all blocks, so that a truncated
// file, a foreign format or an absurd size is a *geo.InputError that names the
// file, the place and the remedy before anything is decoded; then it decodes
// the blocks in goroutines of its own, which end with the call.
//
// Not here: history files, change files (.osc), the other compressions
// (osmium rewrites them), and user, uid and changeset, which no type of this
// package can hold.
//
// Locations are whole numbers of 1e-7 degrees, as OpenStreetMap stores them:
// exact, EPSG:4326, lon before lat.
package pbf

import (
	"math"
	"time"
)

// Nowhere is the longitude and latitude of a node whose location in the file
// is outside the globe.
const Nowhere int32 = math.MaxInt32

// E7 gives degrees as whole 1e-7 degrees, rounded to the nearest.
func E7(degrees float64) int32 { return int32(math.Round(degrees * 1e7)) }

// Degrees gives whole 1e-7 degrees as degrees.
func Degrees(e7 int32) float64 { return float64(e7) / 1e7 }

// A Tag is one key=value of an object.
type Tag struct {
	Key, Value string
}

// A Node is a point: Lon and Lat in 1e-7 degrees (see E7).
type Node struct {
	ID        int64
	Lon, Lat  int32
	Version   int32 // 0 when the file does not say
	Timestamp int64 // Unix seconds; 0 when the file does not say
	Tags      []Tag
}

// A Way is an ordered list of nodes.
type Way struct {
	ID        int64
	Version   int32
	Timestamp int64
	Refs      []int64
	Tags      []Tag
}

// A Relation is an ordered list of members with roles.
type Relation struct {
	ID        int64
	Version   int32
	Timestamp int64
	Members   []Member
	Tags      []Tag
}

// A Member of a relation: Type is 'n', 'w' or 'r'.
type Member struct {
	Type byte
	Ref  int64
	Role string
}

// A Box is an extent in 1e-7 degrees.
type Box struct {
	MinLon, MinLat, MaxLon, MaxLat int32
}

// A Header says what a file declares about itself; all of it may be missing.
type Header struct {
	Box         *Box
	Program     string
	Source      string
	Replication time.Time // the state of OpenStreetMap that the extract shows
	Sequence    int64     // number of that state in the feed
	Feed        string    // base URL of the feed
	Sorted      bool      // declared Sort.Type_then_ID
}

// Kinds is a set of object kinds.
type Kinds uint8

// The kinds of objects.
const (
	Nodes Kinds = 1 << iota
	Ways
	Relations
	All = Nodes | Ways | Relations
)

// A Block is what one block of the file holds, as flat columns. It and all its
// slices belong to the Reader again when the callback returns; strings may be
// kept.
type Block struct {
	Index     int // place among the data blocks of the file, from 0
	Nodes     NodeColumns
	Ways      WayColumns
	Relations RelationColumns
	Newest    int64 // greatest timestamp of an object, Unix seconds; 0 for none
}

// Kinds tells which kinds of objects the block holds.
func (b *Block) Kinds() Kinds {
	var k Kinds
	if len(b.Nodes.ID) > 0 {
		k |= Nodes
	}
	if len(b.Ways.ID) > 0 {
		k |= Ways
	}
	if len(b.Relations.ID) > 0 {
		k |= Relations
	}
	return k
}

// NodeColumns are nodes; column i of each slice is one node.
type NodeColumns struct {
	ID       []int64
	Lon, Lat []int32 // 1e-7 degrees, or Nowhere
	Version  []int32
	tags     tagColumn
}

// Tags of node i, in file order.
func (c *NodeColumns) Tags(i int) []Tag { return c.tags.at(i) }

// WayColumns are ways; column i of each slice is one way.
type WayColumns struct {
	ID      []int64
	Version []int32
	refs    []int64
	refEnd  []int
	tags    tagColumn
}

// Tags of way i, in file order.
func (c *WayColumns) Tags(i int) []Tag { return c.tags.at(i) }

// Refs are the ids of the nodes of way i.
func (c *WayColumns) Refs(i int) []int64 { return span(c.refs, c.refEnd, i) }

// RelationColumns are relations; column i of each slice is one relation.
type RelationColumns struct {
	ID        []int64
	Version   []int32
	members   []Member
	memberEnd []int
	tags      tagColumn
}

// Tags of relation i, in file order.
func (c *RelationColumns) Tags(i int) []Tag { return c.tags.at(i) }

// Members of relation i, in file order.
func (c *RelationColumns) Members(i int) []Member { return span(c.members, c.memberEnd, i) }

// A tagColumn holds the tags of many objects in one slice.
type tagColumn struct {
	all []Tag
	end []int
}

func (t *tagColumn) at(i int) []Tag { return span(t.all, t.end, i) }

func (t *tagColumn) add(key, value string) { t.all = append(t.all, Tag{key, value}) }

func (t *tagColumn) close() { t.end = append(t.end, len(t.all)) }

func (t *tagColumn) reset() { t.all, t.end = t.all[:0], t.end[:0] }

// span is the part of all that belongs to i when end holds where each part
// ends.
func span[T any](all []T, end []int, i int) []T {
	start := 0
	if i > 0 {
		start = end[i-1]
	}
	return all[start:end[i]:end[i]]
}

func (b *Block) reset(index int) {
	b.Index, b.Newest = index, 0
	n, w, r := &b.Nodes, &b.Ways, &b.Relations
	n.ID, n.Lon, n.Lat, n.Version = n.ID[:0], n.Lon[:0], n.Lat[:0], n.Version[:0]
	w.ID, w.Version, w.refs, w.refEnd = w.ID[:0], w.Version[:0], w.refs[:0], w.refEnd[:0]
	r.ID, r.Version, r.members, r.memberEnd = r.ID[:0], r.Version[:0], r.members[:0], r.memberEnd[:0]
	n.tags.reset()
	w.tags.reset()
	r.tags.reset()
}
