package sample

import (
	"slices"
	"strings"

	"calanque/osm/pbf"
)

// A tag is one key and value of an OpenStreetMap object.
type tag = pbf.Tag

// tags are kept in order of their keys.
type tags []tag

// tagged makes tags from key, value, key, value…; an empty value is left out.
func tagged(kv ...string) tags {
	var t tags
	for i := 0; i+1 < len(kv); i += 2 {
		t = t.with(kv[i], kv[i+1])
	}
	return t
}

func (t tags) find(key string) (int, bool) {
	return slices.BinarySearchFunc(t, key, func(a tag, k string) int { return strings.Compare(a.Key, k) })
}

func (t tags) get(key string) string {
	if i, ok := t.find(key); ok {
		return t[i].Value
	}
	return ""
}

// with gives the tags with the key set, or without it when the value is "".
func (t tags) with(key, value string) tags {
	i, ok := t.find(key)
	switch {
	case ok && value == "":
		return slices.Delete(slices.Clone(t), i, i+1)
	case value == "":
		return t
	case ok:
		t = slices.Clone(t)
		t[i].Value = value
		return t
	}
	return slices.Insert(slices.Clone(t), i, tag{Key: key, Value: value})
}

func (t tags) and(kv ...string) tags {
	for i := 0; i+1 < len(kv); i += 2 {
		t = t.with(kv[i], kv[i+1])
	}
	return t
}

type node struct {
	id       int64
	version  int
	lon, lat int32 // 1e-7 degrees
	at       pt
	tags     tags
	gone     bool // deleted by an edit
}

type way struct {
	id      int64
	version int
	nodes   []*node // a ring ends with its first node
	tags    tags
	gone    bool // deleted by an edit
}

func (w *way) closed() bool { return len(w.nodes) > 3 && w.nodes[0] == w.nodes[len(w.nodes)-1] }

// ring gives the closed way's outline.
func (w *way) ring() line {
	out := make(line, len(w.nodes)-1)
	for i := range out {
		out[i] = w.nodes[i].at
	}
	return out
}

type member = pbf.Member

type relation struct {
	id      int64
	version int
	members []member
	tags    tags
}

// A model is the extract while it is drawn. Ids start above all those that
// OpenStreetMap has given out, so that none of them is a real object's.
type model struct {
	nodes     []*node
	ways      []*way
	relations []*relation
	shared    map[[2]int32]*node
	random    stream
	lastNode  int64
	lastWay   int64
	lastRel   int64
}

const (
	firstNode     = 90_000_000_000
	firstWay      = 9_000_000_000
	firstRelation = 900_000_000
	longestWay    = 1900 // OpenStreetMap refuses ways of more than 2,000 nodes
)

func newModel(seed int64) *model {
	return &model{
		shared: map[[2]int32]*node{}, random: newStream(seed, "ids"),
		lastNode: firstNode, lastWay: firstWay, lastRel: firstRelation,
	}
}

// version draws a plausible one: most objects were touched a few times.
func (m *model) version() int {
	v := 1
	for v < 30 && m.random.chance(.42) {
		v++
	}
	return v
}

func (m *model) newNode(p pt, t tags) *node {
	m.lastNode += 1 + int64(m.random.IntN(5))
	lon, lat := p.degrees()
	n := &node{id: m.lastNode, version: m.version(), lon: lon, lat: lat, at: p, tags: t}
	m.nodes = append(m.nodes, n)
	return n
}

// corner gives the one untagged node at the place, so that lines which meet
// there share it.
func (m *model) corner(p pt) *node {
	lon, lat := p.degrees()
	if n := m.shared[[2]int32{lon, lat}]; n != nil {
		return n
	}
	n := m.newNode(p, nil)
	m.shared[[2]int32{lon, lat}] = n
	return n
}

func (m *model) newWay(nodes []*node, t tags) *way {
	m.lastWay += 1 + int64(m.random.IntN(5))
	w := &way{id: m.lastWay, version: m.version(), nodes: nodes, tags: t}
	m.ways = append(m.ways, w)
	return w
}

func (m *model) corners(l line) []*node {
	out := make([]*node, 0, len(l)+1)
	for _, p := range l {
		if n := m.corner(p); len(out) == 0 || out[len(out)-1] != n {
			out = append(out, n)
		}
	}
	return out
}

// draw adds an open line; nil when it shrinks to a point.
func (m *model) draw(l line, t tags) *way {
	nodes := m.corners(l)
	if len(nodes) < 2 {
		return nil
	}
	return m.newWay(nodes, t)
}

// enclose adds a ring; nil when it is degenerate.
func (m *model) enclose(ring line, t tags) *way {
	nodes := m.corners(ring)
	if len(nodes) > 1 && nodes[0] == nodes[len(nodes)-1] {
		nodes = nodes[:len(nodes)-1]
	}
	if len(nodes) < 3 {
		return nil
	}
	return m.newWay(append(nodes, nodes[0]), t)
}

// rings adds the ring as one way, or as several that share their ends.
func (m *model) rings(ring line, role string, members []member) []member {
	if len(ring) <= longestWay {
		if w := m.enclose(ring, nil); w != nil {
			members = append(members, member{Type: 'w', Ref: w.id, Role: role})
		}
		return members
	}
	closed := append(slices.Clone(ring), ring[0])
	parts := len(closed)/longestWay + 1
	for k := range parts {
		i, j := k*(len(closed)-1)/parts, (k+1)*(len(closed)-1)/parts
		if w := m.draw(closed[i:j+1], nil); w != nil {
			members = append(members, member{Type: 'w', Ref: w.id, Role: role})
		}
	}
	return members
}

// cover adds an area: a closed way, or a multipolygon where it has holes or
// too many corners for one.
func (m *model) cover(p patch, t tags) {
	if len(p.holes) == 0 && len(p.outer) <= longestWay {
		m.enclose(p.outer, t)
		return
	}
	members := m.rings(p.outer, "outer", nil)
	for _, h := range p.holes {
		members = m.rings(h, "inner", members)
	}
	m.relate(members, t.and("type", "multipolygon"))
}

func (m *model) relate(members []member, t tags) *relation {
	m.lastRel += 1 + int64(m.random.IntN(5))
	r := &relation{id: m.lastRel, version: m.version(), members: members, tags: t}
	m.relations = append(m.relations, r)
	return r
}
