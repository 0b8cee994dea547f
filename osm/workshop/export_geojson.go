package workshop

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// A pointJSON is a GeoJSON point, lon and lat.
type pointJSON struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"`
}

// A featureJSON is a GeoJSON feature (RFC 7946, CRS84).
type featureJSON struct {
	Type       string         `json:"type"`
	ID         string         `json:"id,omitempty"`
	Geometry   *pointJSON     `json:"geometry"`
	Properties map[string]any `json:"properties"`
}

type collectionJSON struct {
	Type            string         `json:"type"`
	Features        []featureJSON  `json:"features"`
	CooperativeWork map[string]any `json:"cooperativeWork,omitempty"` // of MapRoulette
}

func pointAt(lon, lat float64) *pointJSON {
	return &pointJSON{"Point", [2]float64{round7(lon), round7(lat)}}
}

func round7(f float64) float64 {
	r, err := strconv.ParseFloat(degrees(f), 64)
	if err != nil {
		return f
	}
	return r
}

// WriteGeoJSON writes the questions with what is known of them, what is
// proposed, and links that open the place in an editor.
func (x *Export) WriteGeoJSON(w io.Writer, say Words, editor Editor) error {
	edits := x.byTask()
	c := collectionJSON{Type: "FeatureCollection", Features: []featureJSON{}}
	for i := range x.Tasks {
		t := &x.Tasks[i]
		f := x.feature(t, say)
		f.ID = taskID(t)
		f.Properties["id_editor"] = editor.ID(t.Lon, t.Lat, t.OSM)
		e := edits[t.ID]
		if e != nil {
			f.Properties["edit"] = e.json(say)
		}
		if t.OSM != "" {
			f.Properties["josm"] = editor.JOSMObject(t.OSM, e)
		}
		c.Features = append(c.Features, f)
	}
	b := &bytes.Buffer{}
	if err := encodeLine(b, c); err != nil {
		return err
	}
	return send(w, b)
}

// byTask gives the edits by task.
func (x *Export) byTask() map[int64]*Edit {
	m := make(map[int64]*Edit, len(x.Edits))
	for i := range x.Edits {
		m[x.Edits[i].Task.ID] = &x.Edits[i]
	}
	return m
}

// taskID names a task the same in every file, and not by the code that lets
// people join.
func taskID(t *Task) string { return "task-" + strconv.FormatInt(t.ID, 10) }

func (x *Export) feature(t *Task, say Words) featureJSON {
	f := featureJSON{Type: "Feature", Properties: map[string]any{
		"number": t.Number, "cell": t.Cell, "layer": t.Layer, "record": orNull(t.Record), "osm": orNull(t.OSM), "name": orNull(t.Name),
		"asked": t.Asked, "now": t.Kind, "question": say(t.question().Ask), "open": t.Open, "says": orNull(t.Verdict), "seen": t.Seen,
	}}
	if t.placed() {
		f.Geometry = pointAt(t.Lon, t.Lat)
	}
	return f
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// json is an edit as GeoJSON tells it.
func (e *Edit) json(say Words) map[string]any {
	m := map[string]any{}
	if len(e.Set) > 0 {
		m["set"] = e.Set
	}
	if len(e.Unset) > 0 {
		m["unset"] = e.Unset
	}
	if e.Place != nil {
		m["place"] = pointAt(e.Place[0], e.Place[1])
	}
	if e.Left.Code != "" {
		m["by_hand"] = say(e.Left)
	}
	return m
}

// encodeLine writes JSON and a line feed, and leaves < and & readable.
func encodeLine(b *bytes.Buffer, v any) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("encode an export: %w", err)
	}
	return nil
}
