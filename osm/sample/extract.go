package sample

import (
	"io"
	"time"

	"calanque/osm/pbf"
)

// encode writes the model as .osm.pbf; state is the moment of OpenStreetMap
// that it claims to show.
func (m *model) encode(out io.Writer, state time.Time) error {
	lon0, lat0 := pt{extent.X0, extent.Y0}.degrees()
	lon1, lat1 := pt{extent.X1, extent.Y1}.degrees()
	w := pbf.NewWriter(out, pbf.Header{
		Box:         &pbf.Box{MinLon: lon0, MinLat: lat0, MaxLon: lon1, MaxLat: lat1},
		Program:     "calanque sample",
		Source:      "fictional: nothing in this file exists",
		Replication: state,
		Sorted:      true,
	})
	for _, n := range m.nodes {
		if n.gone {
			continue
		}
		if err := w.Node(pbf.Node{ID: n.id, Lon: n.lon, Lat: n.lat, Version: int32(n.version), Tags: n.tags}); err != nil {
			return err
		}
	}
	var refs []int64
	for _, o := range m.ways {
		if o.gone {
			continue
		}
		refs = refs[:0]
		for _, n := range o.nodes {
			refs = append(refs, n.id)
		}
		if err := w.Way(pbf.Way{ID: o.id, Version: int32(o.version), Refs: refs, Tags: o.tags}); err != nil {
			return err
		}
	}
	for _, o := range m.relations {
		if err := w.Relation(pbf.Relation{ID: o.id, Version: int32(o.version), Members: o.members, Tags: o.tags}); err != nil {
			return err
		}
	}
	return w.Close()
}
