package sample

import (
	"encoding/xml"
	"fmt"
	"strings"

	"calanque/osm/pbf"
)

// An osmChange is a change file, as far as mapping sessions write one: nothing
// is ever deleted.
type osmChange struct {
	Create []changed `xml:"create"`
	Modify []changed `xml:"modify"`
}

type changed struct {
	Nodes []changedObject `xml:"node"`
	Ways  []changedObject `xml:"way"`
}

type changedObject struct {
	ID      int64   `xml:"id,attr"`
	Version int     `xml:"version,attr"`
	Lon     float64 `xml:"lon,attr"`
	Lat     float64 `xml:"lat,attr"`
	Refs    []struct {
		Ref int64 `xml:"ref,attr"`
	} `xml:"nd"`
	Tags []struct {
		Key   string `xml:"k,attr"`
		Value string `xml:"v,attr"`
	} `xml:"tag"`
}

func (c *changedObject) tags() tags {
	var kv []string
	for _, t := range c.Tags {
		kv = append(kv, t.Key, t.Value)
	}
	return tagged(kv...)
}

// upload does what OpenStreetMap does with a change file: new nodes get ids,
// objects a version more; one of which the file knows another version is a
// conflict and stays as it is. It gives how many objects changed.
func (m *model) upload(file []byte) (changes, conflicts int, err error) {
	var c osmChange
	if err := xml.Unmarshal(file, &c); err != nil {
		return 0, 0, fmt.Errorf("read a change file: %w", err)
	}
	for _, list := range c.Create {
		for i := range list.Nodes {
			n := m.newNode(pt{}, list.Nodes[i].tags())
			n.lon, n.lat, n.version = pbf.E7(list.Nodes[i].Lon), pbf.E7(list.Nodes[i].Lat), 1
			changes++
		}
	}
	nodes, ways := map[int64]*node{}, map[int64]*way{}
	for _, n := range m.nodes {
		nodes[n.id] = n
	}
	for _, w := range m.ways {
		ways[w.id] = w
	}
	for _, list := range c.Modify {
		for i := range list.Nodes {
			o := &list.Nodes[i]
			n := nodes[o.ID]
			if n == nil || n.gone || n.version != o.Version {
				conflicts++
				continue
			}
			n.tags, n.lon, n.lat = o.tags(), pbf.E7(o.Lon), pbf.E7(o.Lat)
			n.version++
			changes++
		}
		for i := range list.Ways {
			o := &list.Ways[i]
			w := ways[o.ID]
			if w == nil || w.gone || w.version != o.Version || !w.has(o) {
				conflicts++
				continue
			}
			w.tags = o.tags()
			w.version++
			changes++
		}
	}
	return changes, conflicts, nil
}

// has reports whether a change names the nodes that the way has: sessions
// change no shape, and a list that is not whole would break one.
func (w *way) has(o *changedObject) bool {
	var was, is strings.Builder
	for _, n := range w.nodes {
		fmt.Fprintln(&was, n.id)
	}
	for _, r := range o.Refs {
		fmt.Fprintln(&is, r.Ref)
	}
	return was.String() == is.String()
}
