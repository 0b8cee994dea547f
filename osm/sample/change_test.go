package sample

import (
	"testing"
)

const uploaded = `<osmChange version="0.6"><create><node id="-1" lat="43.1" lon="6.2"><tag k="amenity" v="bench"/></node></create>
<modify><node id="1" version="3" lat="43.1" lon="6.2"><tag k="name" v="A"/></node><node id="2" version="1" lat="43" lon="6"/>
<way id="7" version="2"><nd ref="1"/><nd ref="2"/><tag k="shop" v="yes"/></way></modify></osmChange>`

// streets is a model of two nodes and the way between them.
func streets() *model {
	m := newModel(1)
	a, b := &node{id: 1, version: 3}, &node{id: 2, version: 5}
	m.nodes = []*node{a, b}
	m.ways = []*way{{id: 7, version: 2, nodes: []*node{a, b}}}
	return m
}

func TestUpload(t *testing.T) {
	t.Parallel()
	m := streets()
	changes, conflicts, err := m.upload([]byte(uploaded))
	if err != nil || changes != 3 || conflicts != 1 {
		t.Fatalf("%d changes, %d conflicts (%v), want 3 and 1", changes, conflicts, err)
	}
	if n := m.nodes[0]; n.version != 4 || n.tags.get("name") != "A" || n.lon != 62000000 {
		t.Errorf("changed node: %+v", n)
	}
	if n := m.nodes[1]; n.version != 5 {
		t.Errorf("a node that others had changed: %+v", n)
	}
	if w := m.ways[0]; w.version != 3 || w.tags.get("shop") != "yes" {
		t.Errorf("changed way: %+v", w)
	}
	if n := m.nodes[2]; len(m.nodes) != 3 || n.id <= 2 || n.version != 1 || n.tags.get("amenity") != "bench" {
		t.Errorf("new node: %+v", n)
	}
}

func FuzzUpload(f *testing.F) {
	f.Add([]byte(uploaded))
	f.Add([]byte(`<osmChange><modify><way id="7" version="2"/></modify></osmChange>`))
	f.Add([]byte(`<osm/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := streets()
		changes, _, err := m.upload(b)
		if err != nil && changes > 0 {
			t.Errorf("%d changes of a file that can't be read", changes)
		}
		if len(m.ways) != 1 || len(m.ways[0].nodes) != 2 {
			t.Error("a shape has changed")
		}
	})
}
