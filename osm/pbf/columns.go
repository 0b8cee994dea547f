package pbf

import (
	"errors"
	"fmt"

	"github.com/qedus/osmpbf/OSMPBF"
)

var errColumns = errors.New("columns of different lengths")

// A frame is what all objects of a block share.
type frame struct {
	strs       []string
	gran       int64 // nanodegrees a unit
	lon0, lat0 int64 // nanodegrees
	dateGran   int64 // milliseconds a unit
}

// fill copies the wanted objects of a message into the columns.
func (b *Block) fill(m *OSMPBF.PrimitiveBlock, want Kinds) error {
	f := frame{
		strs: m.GetStringtable().GetS(), gran: int64(m.GetGranularity()),
		lon0: m.GetLonOffset(), lat0: m.GetLatOffset(), dateGran: int64(m.GetDateGranularity()),
	}
	for _, g := range m.GetPrimitivegroup() {
		if want&Nodes != 0 {
			for _, n := range g.GetNodes() {
				if err := b.addNode(&f, n); err != nil {
					return fmt.Errorf("node %d: %w", n.GetId(), err)
				}
			}
			if g.Dense != nil {
				if err := b.addDense(&f, g.Dense); err != nil {
					return fmt.Errorf("dense nodes: %w", err)
				}
			}
		}
		if want&Ways != 0 {
			for _, w := range g.GetWays() {
				if err := b.addWay(&f, w); err != nil {
					return fmt.Errorf("way %d: %w", w.GetId(), err)
				}
			}
		}
		if want&Relations != 0 {
			for _, r := range g.GetRelations() {
				if err := b.addRelation(&f, r); err != nil {
					return fmt.Errorf("relation %d: %w", r.GetId(), err)
				}
			}
		}
	}
	return nil
}

func (b *Block) addNode(f *frame, n *OSMPBF.Node) error {
	c := &b.Nodes
	c.ID = append(c.ID, n.GetId())
	c.Lon = append(c.Lon, e7(f.lon0+f.gran*n.GetLon(), 180e7))
	c.Lat = append(c.Lat, e7(f.lat0+f.gran*n.GetLat(), 90e7))
	c.Version = append(c.Version, max(0, n.GetInfo().GetVersion()))
	b.stamp(f, n.GetInfo().GetTimestamp())
	return f.tags(&c.tags, n.GetKeys(), n.GetVals())
}

func (b *Block) addDense(f *frame, d *OSMPBF.DenseNodes) error {
	n := len(d.Id)
	versions, stamps := d.GetDenseinfo().GetVersion(), d.GetDenseinfo().GetTimestamp()
	if len(d.Lon) != n || len(d.Lat) != n || (len(versions) != 0 && len(versions) != n) || (len(stamps) != 0 && len(stamps) != n) {
		return errColumns
	}
	if len(b.Nodes.ID)+n > maxObjects {
		return errCount
	}
	c, kv := &b.Nodes, d.KeysVals
	var id, lon, lat, stamp, newest int64
	for i := range n {
		id += d.Id[i]
		lon += d.Lon[i]
		lat += d.Lat[i]
		c.ID = append(c.ID, id)
		c.Lon = append(c.Lon, e7(f.lon0+f.gran*lon, 180e7))
		c.Lat = append(c.Lat, e7(f.lat0+f.gran*lat, 90e7))
		var v int32
		if len(versions) > 0 {
			v = max(0, versions[i])
		}
		c.Version = append(c.Version, v)
		if len(stamps) > 0 {
			stamp += stamps[i]
			newest = max(newest, stamp)
		}
		for len(kv) > 0 && kv[0] != 0 {
			if len(kv) < 2 {
				return errors.New("key without value")
			}
			k, ok1 := f.str(int64(kv[0]))
			v, ok2 := f.str(int64(kv[1]))
			if !ok1 || !ok2 {
				return fmt.Errorf("node %d: %w", id, errString)
			}
			c.tags.add(k, v)
			kv = kv[2:]
		}
		if len(kv) > 0 {
			kv = kv[1:]
		}
		c.tags.close()
	}
	b.stamp(f, newest)
	return nil
}

func (b *Block) addWay(f *frame, w *OSMPBF.Way) error {
	c := &b.Ways
	c.ID = append(c.ID, w.GetId())
	c.Version = append(c.Version, max(0, w.GetInfo().GetVersion()))
	var ref int64
	for _, d := range w.GetRefs() {
		ref += d
		c.refs = append(c.refs, ref)
	}
	c.refEnd = append(c.refEnd, len(c.refs))
	b.stamp(f, w.GetInfo().GetTimestamp())
	return f.tags(&c.tags, w.GetKeys(), w.GetVals())
}

func (b *Block) addRelation(f *frame, r *OSMPBF.Relation) error {
	c := &b.Relations
	ids, types, roles := r.GetMemids(), r.GetTypes(), r.GetRolesSid()
	if len(types) != len(ids) || len(roles) != len(ids) {
		return errColumns
	}
	c.ID = append(c.ID, r.GetId())
	c.Version = append(c.Version, max(0, r.GetInfo().GetVersion()))
	var ref int64
	for i, d := range ids {
		ref += d
		role, ok := f.str(int64(roles[i]))
		if !ok {
			return errString
		}
		if types[i] < 0 || types[i] > 2 {
			return fmt.Errorf("member type %d", types[i])
		}
		c.members = append(c.members, Member{"nwr"[types[i]], ref, role})
	}
	c.memberEnd = append(c.memberEnd, len(c.members))
	b.stamp(f, r.GetInfo().GetTimestamp())
	return f.tags(&c.tags, r.GetKeys(), r.GetVals())
}

// stamp notes a timestamp in the block's unit.
func (b *Block) stamp(f *frame, t int64) {
	b.Newest = max(b.Newest, t*f.dateGran/1000)
}

var errString = errors.New("text outside the string table")

func (f *frame) str(i int64) (string, bool) {
	if i < 0 || i >= int64(len(f.strs)) {
		return "", false
	}
	return f.strs[i], true
}

func (f *frame) tags(c *tagColumn, keys, values []uint32) error {
	if len(keys) != len(values) {
		return errColumns
	}
	for i := range keys {
		k, ok1 := f.str(int64(keys[i]))
		v, ok2 := f.str(int64(values[i]))
		if !ok1 || !ok2 {
			return errString
		}
		c.add(k, v)
	}
	c.close()
	return nil
}

// e7 turns nanodegrees into 1e-7 degrees, rounded to the nearest; Nowhere
// beyond ±limit (also in 1e-7 degrees).
func e7(nano, limit int64) int32 {
	v := nano / 100
	switch rest := nano % 100; {
	case rest >= 50:
		v++
	case rest <= -50:
		v--
	}
	if v < -limit || v > limit {
		return Nowhere
	}
	return int32(v)
}
