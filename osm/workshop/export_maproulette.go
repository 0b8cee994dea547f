package workshop

import (
	"bytes"
	"io"
	"slices"
)

// recordSeparator begins each line of a line-by-line file (RFC 8142).
const recordSeparator = 0x1e

// osmTypes are the names of kinds of object by the letter of their keys.
var osmTypes = map[byte]string{'n': "node", 'w': "way", 'r': "relation"}

// WriteMapRoulette writes, one line each, what others can still do: questions
// that are open, and proposals that change tags of an object, which MapRoulette
// shows for approval ("cooperative work").
func (x *Export) WriteMapRoulette(w io.Writer, say Words) error {
	b := &bytes.Buffer{}
	edits := x.byTask()
	for i := range x.Tasks {
		t := &x.Tasks[i]
		e := edits[t.ID]
		if !t.placed() || !t.Open && e == nil {
			continue
		}
		f := x.feature(t, say)
		f.Properties["id"] = taskID(t)
		if t.OSM != "" {
			f.Properties["@id"] = osmTypes[t.OSM[0]] + "/" + t.OSM[1:]
		}
		c := collectionJSON{Type: "FeatureCollection", Features: []featureJSON{f}}
		if e != nil && e.Object != "" {
			c.CooperativeWork = e.cooperative()
		}
		b.WriteByte(recordSeparator)
		if err := encodeLine(b, c); err != nil {
			return err
		}
	}
	return send(w, b)
}

// cooperative is a change of tags as MapRoulette takes it (mr-cli, version 2,
// type 1); nil where the tags stay.
func (e *Edit) cooperative() map[string]any {
	var operations []any
	if len(e.Set) > 0 {
		operations = append(operations, map[string]any{"operation": "setTags", "data": e.Set})
	}
	if len(e.Unset) > 0 {
		operations = append(operations, map[string]any{"operation": "unsetTags", "data": slices.Clone(e.Unset)})
	}
	if len(operations) == 0 {
		return nil
	}
	return map[string]any{
		"meta": map[string]any{"version": 2, "type": 1},
		"operations": []any{map[string]any{
			"operationType": "modifyElement",
			"data":          map[string]any{"id": osmTypes[e.Object[0]] + "/" + e.Object[1:], "operations": operations},
		}},
	}
}
