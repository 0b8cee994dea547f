package format

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"calanque/geo"
)

// A treeEntry is one box of an R-tree: of a row, or of a node below.
type treeEntry struct {
	id                     int64
	minX, maxX, minY, maxY float32
}

// treeCells is how many entries SQLite puts into a node of a tree of two
// dimensions in pages of 4 KiB; treeNode is the node's size in bytes.
const (
	treeCells = 51
	treeNode  = 4 + 24*treeCells
)

// entry makes an entry of a box. SQLite's tree has single precision: it is
// rounded outwards, so that nothing is lost.
func entry(id int64, b geo.Box) treeEntry {
	return treeEntry{id, down(b.MinX), up(b.MaxX), down(b.MinY), up(b.MaxY)}
}

func down(f float64) float32 {
	if g := float32(f); float64(g) <= f {
		return g
	}
	return math.Nextafter32(float32(f), float32(math.Inf(-1)))
}

func up(f float64) float32 {
	if g := float32(f); float64(g) >= f {
		return g
	}
	return math.Nextafter32(float32(f), float32(math.Inf(1)))
}

// A packedTree is an R-tree as SQLite's module keeps it, in rows of its three
// tables: nodes by number from 1, the root; the node of each id; the node above
// each node.
type packedTree struct {
	nodes  [][]byte // nodes[0] is number 1
	rows   []treeRow
	parent []int64 // parent[i] of node i+1; 0 for the root
}

type treeRow struct{ id, node int64 }

// packTree packs entries into full nodes, by strips (Leutenegger and others,
// "STR: a simple and efficient algorithm for R-tree packing", 1997): the tree
// is built once, and better than by inserting. The entries are sorted in place.
func packTree(entries []treeEntry) packedTree {
	levels := [][][]treeEntry{group(entries)} // leaves first
	for len(levels[len(levels)-1]) > 1 {
		below := levels[len(levels)-1]
		above := make([]treeEntry, len(below))
		for i, node := range below {
			above[i] = cover(int64(i), node)
		}
		levels = append(levels, group(above))
	}
	// Numbers go from the root down, so that it is number 1.
	first := make([]int64, len(levels))
	next := int64(1)
	for l := len(levels) - 1; l >= 0; l-- {
		first[l] = next
		next += int64(len(levels[l]))
	}
	t := packedTree{nodes: make([][]byte, next-1), parent: make([]int64, next-1), rows: make([]treeRow, 0, len(entries))}
	for l := len(levels) - 1; l >= 0; l-- {
		for i, node := range levels[l] {
			number := first[l] + int64(i)
			for j := range node {
				if l == 0 {
					t.rows = append(t.rows, treeRow{node[j].id, number})
					continue
				}
				node[j].id += first[l-1]
				t.parent[node[j].id-1] = number
			}
			depth := 0
			if number == 1 {
				depth = len(levels) - 1
			}
			t.nodes[number-1] = encodeNode(depth, node)
		}
	}
	slices.SortFunc(t.rows, func(a, b treeRow) int { return cmp.Compare(a.id, b.id) })
	return t
}

// group cuts entries into nodes: vertical strips, each in turn from south to
// north.
func group(entries []treeEntry) [][]treeEntry {
	if len(entries) <= treeCells {
		return [][]treeEntry{entries}
	}
	nodes := (len(entries) + treeCells - 1) / treeCells
	strip := int(math.Ceil(math.Sqrt(float64(nodes)))) * treeCells
	slices.SortStableFunc(entries, func(a, b treeEntry) int { return cmp.Compare(a.minX+a.maxX, b.minX+b.maxX) })
	list := make([][]treeEntry, 0, nodes)
	for s := range slices.Chunk(entries, strip) {
		slices.SortStableFunc(s, func(a, b treeEntry) int { return cmp.Compare(a.minY+a.maxY, b.minY+b.maxY) })
		list = slices.AppendSeq(list, slices.Chunk(s, treeCells))
	}
	return list
}

// cover is the entry of a node in the one above it.
func cover(id int64, node []treeEntry) treeEntry {
	c := node[0]
	c.id = id
	for _, e := range node[1:] {
		c.minX, c.maxX = min(c.minX, e.minX), max(c.maxX, e.maxX)
		c.minY, c.maxY = min(c.minY, e.minY), max(c.maxY, e.maxY)
	}
	return c
}

// encodeNode writes a node as rtree.c does: depth of the tree (of the root),
// number of cells, then id and four floats of each, big-endian.
func encodeNode(depth int, node []treeEntry) []byte {
	b := make([]byte, 0, treeNode)
	b = binary.BigEndian.AppendUint16(b, uint16(depth))
	b = binary.BigEndian.AppendUint16(b, uint16(len(node)))
	for _, e := range node {
		b = binary.BigEndian.AppendUint64(b, uint64(e.id))
		for _, f := range [...]float32{e.minX, e.maxX, e.minY, e.maxY} {
			b = binary.BigEndian.AppendUint32(b, math.Float32bits(f))
		}
	}
	return b[:treeNode]
}
