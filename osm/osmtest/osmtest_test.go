package osmtest

import (
	"testing"

	"calanque/osm/pbf"
)

func TestGrid(t *testing.T) {
	t.Parallel()
	m := Grid(t, [2]float64{7.4, 43.7}, 0.001, `
		|   | 3 |
		| 1 | 2 |`,
		"n3 v7 Tname=Le%20%port,amenity=bench",
		"n9 x7.5 y43.25",
		"w1 Tnatural=water Nn1,n2,n3,n1\nr1 Ttype=multipolygon Mw1@outer,n9@")
	if lon, lat := m.At(3); lon != 7.401 || lat != 43.7 {
		t.Errorf("node 3 at %v, %v, want 7.401, 43.7", lon, lat)
	}
	if lon, lat := m.At(1); lon != 7.4 || lat != 43.699 {
		t.Errorf("node 1 at %v, %v, want 7.4, 43.699", lon, lat)
	}
	r, err := pbf.Open(m.File())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	nodes, ways, relations := 0, 0, 0
	err = r.Read(t.Context(), pbf.ReadOptions{Ordered: true}, func(b *pbf.Block) error {
		nodes, ways, relations = nodes+len(b.Nodes.ID), ways+len(b.Ways.ID), relations+len(b.Relations.ID)
		for i, id := range b.Nodes.ID {
			if id == 3 && (b.Nodes.Version[i] != 7 || b.Nodes.Tags(i)[0] != pbf.Tag{Key: "name", Value: "Le port"}) {
				t.Errorf("node 3: version %d, tags %v", b.Nodes.Version[i], b.Nodes.Tags(i))
			}
		}
		return nil
	})
	if err != nil || nodes != 4 || ways != 1 || relations != 1 {
		t.Errorf("got %d nodes, %d ways, %d relations, %v, want 4, 1, 1", nodes, ways, relations, err)
	}
}
