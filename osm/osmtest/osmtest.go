// Package osmtest draws OpenStreetMap data as a grid of characters and gives
// it as a .osm.pbf, so that a test shows the shape it is about.
//
//	m := osmtest.Grid(t, [2]float64{7.4, 43.7}, 0.001, `
//	    |   |   |   | 7 |   | 8 |
//	    | 3 | 4 |   | 9 |10 |   |
//	    | 1 | 2 | 5 |   |   | 6 |`,
//	    "w1 Tnatural=water,name=pool Nn1,n2,n4,n3,n1",
//	    "n7 Tamenity=drinking_water",
//	    "r1 Ttype=multipolygon,landuse=forest Mw1@outer,w2@inner")
//	osm.Import(ctx, hub, m.File(), osm.Options{})
package osmtest

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"calanque/osm/pbf"
)

// A Map is drawn data. Its fields may be changed before File.
type Map struct {
	t         testing.TB
	Header    pbf.Header
	nodes     map[int64]pbf.Node
	ways      map[int64]pbf.Way
	relations map[int64]pbf.Relation
}

// Grid places the numbered nodes of a drawing: the first cell of its first row
// lies at origin (lon, lat), each cell is step degrees wide and high, columns
// go east and rows south. Cells are separated by |; a line without | draws
// nothing. A cell holds a node's id or nothing.
//
// Objects are lines like osmium's OPL, parts in any order: n, w or r and the
// id, then v<version> (1 when left out), T<key=value,…>, N<n1,n2,…> (nodes of
// a way), M<w1@role,…> (members of a relation), x<lon> and y<lat> (a node off
// the grid). In tags and roles %20% stands for a space, as in OPL. A node that
// is only in the drawing has no tags.
func Grid(t testing.TB, origin [2]float64, step float64, drawing string, objects ...string) *Map {
	t.Helper()
	m := &Map{
		t: t, Header: pbf.Header{Program: "osmtest", Replication: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)},
		nodes: map[int64]pbf.Node{}, ways: map[int64]pbf.Way{}, relations: map[int64]pbf.Relation{},
	}
	row := 0
	for line := range strings.Lines(drawing) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) < 2 {
			continue
		}
		for column, cell := range cells[1:] {
			cell = strings.TrimSpace(cell)
			if cell == "" {
				continue
			}
			id, err := strconv.ParseInt(cell, 10, 64)
			if err != nil {
				t.Fatalf("osmtest: cell %q: want a node's number", cell)
			}
			m.nodes[id] = pbf.Node{
				ID: id, Version: 1,
				Lon: pbf.E7(origin[0] + float64(column)*step), Lat: pbf.E7(origin[1] - float64(row)*step),
			}
		}
		row++
	}
	return m.Add(objects...)
}

// Add adds or replaces objects; each argument may hold several lines.
func (m *Map) Add(objects ...string) *Map {
	m.t.Helper()
	for _, text := range objects {
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			if err := m.add(line); err != nil {
				m.t.Fatalf("osmtest: %q: %v", line, err)
			}
		}
	}
	return m
}

// Remove takes objects like "n7" out, so that those that use them are broken.
func (m *Map) Remove(objects ...string) *Map {
	m.t.Helper()
	for _, o := range objects {
		id, err := number(o)
		if err != nil {
			m.t.Fatalf("osmtest: %q: %v", o, err)
		}
		switch o[0] {
		case 'n':
			delete(m.nodes, id)
		case 'w':
			delete(m.ways, id)
		default:
			delete(m.relations, id)
		}
	}
	return m
}

// Date sets the state of OpenStreetMap that the extract shows.
func (m *Map) Date(t time.Time) *Map {
	m.Header.Replication = t
	return m
}

// At is where a node lies, in degrees.
func (m *Map) At(node int64) (lon, lat float64) {
	n := m.nodes[node]
	return pbf.Degrees(n.Lon), pbf.Degrees(n.Lat)
}

// Bytes is the data as .osm.pbf.
func (m *Map) Bytes() []byte {
	m.t.Helper()
	var buf bytes.Buffer
	w := pbf.NewWriter(&buf, m.Header)
	check := func(err error) {
		if err != nil {
			m.t.Fatalf("osmtest: %v", err)
		}
	}
	for _, id := range sorted(m.nodes) {
		check(w.Node(m.nodes[id]))
	}
	for _, id := range sorted(m.ways) {
		check(w.Way(m.ways[id]))
	}
	for _, id := range sorted(m.relations) {
		check(w.Relation(m.relations[id]))
	}
	check(w.Close())
	return buf.Bytes()
}

// File writes the data to a .osm.pbf in the test's folder and gives its path.
func (m *Map) File() string {
	m.t.Helper()
	path := filepath.Join(m.t.TempDir(), "drawn.osm.pbf")
	if err := os.WriteFile(path, m.Bytes(), 0o600); err != nil {
		m.t.Fatal(err)
	}
	return path
}

func sorted[T any](m map[int64]T) []int64 {
	ids := make([]int64, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// An object is a parsed line, whatever its kind.
type object struct {
	version int32
	tags    []pbf.Tag
	refs    []int64
	members []pbf.Member
	lon     *int32
	lat     *int32
}

func (m *Map) add(line string) error {
	parts := strings.FieldsFunc(line, unicode.IsSpace)
	id, err := number(parts[0])
	if err != nil {
		return err
	}
	o := object{version: 1}
	for _, p := range parts[1:] {
		if err := o.part(p[0], p[1:]); err != nil {
			return err
		}
	}
	switch parts[0][0] {
	case 'n':
		n, drawn := m.nodes[id]
		n.ID, n.Version, n.Tags = id, o.version, o.tags
		if o.lon != nil && o.lat != nil {
			n.Lon, n.Lat = *o.lon, *o.lat
		} else if !drawn {
			return fmt.Errorf("not in the drawing and without x and y")
		}
		m.nodes[id] = n
	case 'w':
		m.ways[id] = pbf.Way{ID: id, Version: o.version, Tags: o.tags, Refs: o.refs}
	default:
		m.relations[id] = pbf.Relation{ID: id, Version: o.version, Tags: o.tags, Members: o.members}
	}
	return nil
}

func (o *object) part(kind byte, text string) error {
	switch kind {
	case 'v':
		v, err := strconv.ParseInt(text, 10, 32)
		o.version = int32(v)
		return err
	case 'x', 'y':
		degrees, err := strconv.ParseFloat(text, 64)
		e7 := pbf.E7(degrees)
		if kind == 'x' {
			o.lon = &e7
		} else {
			o.lat = &e7
		}
		return err
	case 'T':
		for _, pair := range list(text) {
			k, v, ok := strings.Cut(pair, "=")
			if !ok {
				return fmt.Errorf("tag %q: want key=value", pair)
			}
			o.tags = append(o.tags, pbf.Tag{Key: unescape(k), Value: unescape(v)})
		}
	case 'N':
		for _, ref := range list(text) {
			id, err := number(ref)
			if err != nil {
				return err
			}
			o.refs = append(o.refs, id)
		}
	case 'M':
		for _, member := range list(text) {
			ref, role, _ := strings.Cut(member, "@")
			id, err := number(ref)
			if err != nil {
				return err
			}
			o.members = append(o.members, pbf.Member{Type: ref[0], Ref: id, Role: unescape(role)})
		}
	default:
		return fmt.Errorf("part %q: want v, T, N, M, x or y", string(kind)+text)
	}
	return nil
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// number is the id in "n12", "w12" or "r12".
func number(s string) (int64, error) {
	if len(s) < 2 || !strings.ContainsRune("nwr", rune(s[0])) {
		return 0, fmt.Errorf("%q: want n, w or r and a number", s)
	}
	return strconv.ParseInt(s[1:], 10, 64)
}

// unescape replaces %hex% by the character, as OPL does.
func unescape(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, "%")
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		hex, after, ok := strings.Cut(rest, "%")
		code, err := strconv.ParseInt(hex, 16, 32)
		if !ok || err != nil {
			b.WriteString("%" + rest)
			return b.String()
		}
		b.WriteRune(rune(code))
		s = after
	}
}
