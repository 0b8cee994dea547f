package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"calanque/geo"
)

// walk calls fn with every feature as raw JSON and the line where it begins.
// In the first walk the members around the features are noted.
func (g *geoJSONSource) walk(ctx context.Context, first bool, fn func(raw []byte, line int64) error) error {
	t, err := openText(g.path, g.utf16)
	if err != nil {
		return fmt.Errorf("open %s: %w", g.path, err)
	}
	defer t.Close()
	w := &jsonWalk{geoJSONSource: g, ctx: ctx, s: newJSONStream(t), first: first, fn: fn}
	w.s.skipAssignment()
	for {
		c, ok := w.s.peek()
		if !ok {
			return w.end(w.s.err)
		}
		switch {
		case c == '{':
			err = w.object()
		case c == '[' && w.values == 0:
			err = w.array()
		case w.values > 0 && c == ';': // of an assignment
			w.s.skip(1)
			continue
		case w.values > 0: // what follows the end, and is no further object
			if first {
				g.layer.Notes = append(g.layer.Notes, geo.Say("geojson.trailing", "line", w.s.line, "text", w.s.near()))
			}
			return nil
		default:
			err = errJSONSyntax
		}
		if err != nil {
			return w.end(err)
		}
		w.values++
	}
}

// A jsonWalk is one walk over a file.
type jsonWalk struct {
	*geoJSONSource
	ctx    context.Context
	s      *jsonStream
	first  bool
	fn     func([]byte, int64) error
	values int   // at the top of the file
	count  int64 // features
	whole  []byte
}

// end tells a mistake of the file, with its place, from an error of fn.
func (w *jsonWalk) end(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errJSONEnd):
		return geo.Bad(err, "geojson.truncated", "file", w.file, "line", w.s.line, "feature", w.count+1)
	case errors.Is(err, errJSONSyntax):
		return geo.Bad(err, "geojson.syntax", "file", w.file, "line", w.s.line, "feature", w.count+1, "near", w.s.near())
	case errors.Is(err, errJSONSize):
		return geo.Bad(err, "geojson.size", "file", w.file, "line", w.s.line, "limit", maxJSONValue)
	}
	return err
}

func (w *jsonWalk) emit(raw []byte, line int64) error {
	if w.count&0xFF == 0 && w.ctx.Err() != nil {
		return w.ctx.Err()
	}
	w.count++
	return w.fn(raw, line)
}

// elements reads the features of an array whose bracket is consumed.
func (w *jsonWalk) elements() error {
	if w.s.take(']') {
		return nil
	}
	for {
		if _, ok := w.s.peek(); !ok {
			return w.s.fault()
		}
		line := w.s.line
		raw, err := w.s.value()
		if err != nil {
			return err
		}
		if err := w.emit(raw, line); err != nil {
			return err
		}
		switch {
		case w.s.take(','):
			if w.s.take(']') { // a comma too many
				return nil
			}
		case w.s.take(']'):
			return nil
		default:
			if _, ok := w.s.peek(); !ok {
				return w.s.fault()
			}
			return errJSONSyntax
		}
	}
}

func (w *jsonWalk) array() error {
	w.s.skip(1)
	if w.first {
		w.rows = w.plainRows()
	}
	return w.elements()
}

// plainRows looks at the first element of the top array: is it a plain object?
func (w *jsonWalk) plainRows() bool {
	if c, ok := w.s.peek(); !ok || c != '{' {
		return false
	}
	n, err := w.s.balanced()
	if err != nil {
		return false
	}
	return splitFeature(w.s.buf[w.s.pos:w.s.pos+n], false).why == "type"
}

// object reads an object at the top of the file: a collection, whose features
// are given one by one, or a feature, given as it is.
func (w *jsonWalk) object() error {
	line := w.s.line
	w.s.skip(1)
	w.whole = append(w.whole[:0], '{')
	collection := false
	for !w.s.take('}') {
		if len(w.whole) > 1 {
			if !w.s.take(',') {
				if _, ok := w.s.peek(); !ok {
					return w.s.fault()
				}
				return errJSONSyntax
			}
			if w.s.take('}') { // a comma too many
				break
			}
			w.whole = append(w.whole, ',')
		}
		isFeatures, err := w.member()
		if err != nil {
			return err
		}
		collection = collection || isFeatures
	}
	if collection {
		return nil
	}
	return w.emit(append(w.whole, '}'), line)
}

// member reads one member of a top object into w.whole, features excepted,
// which it gives one by one.
func (w *jsonWalk) member() (bool, error) {
	k, err := w.s.value()
	if err != nil {
		return false, err
	}
	if k[0] != '"' {
		return false, errJSONSyntax
	}
	name := string(k[1 : len(k)-1])
	w.whole = append(append(w.whole, k...), ':')
	if !w.s.take(':') {
		if _, ok := w.s.peek(); !ok {
			return false, w.s.fault()
		}
		return false, errJSONSyntax
	}
	if name == "features" && w.s.take('[') {
		w.whole = append(w.whole, "[]"...)
		return true, w.elements()
	}
	v, err := w.s.value()
	if err != nil {
		return false, err
	}
	if len(w.whole)+len(v) > maxJSONValue {
		return false, errJSONSize
	}
	w.whole = append(w.whole, v...)
	if w.first && w.values == 0 && len(w.meta) < 50 {
		w.note(name, v)
	}
	return false, nil
}

// note keeps a small member of the first object, for the system, the name, and
// messages.
func (w *jsonWalk) note(name string, v []byte) {
	if len(v) <= 8<<10 {
		w.meta[name] = string(v)
	}
	if w.meta["members"] != "" {
		name = ", " + name
	}
	w.meta["members"] += strings.ToValidUTF8(name, "\uFFFD")
}

// A jsonFeature is a feature taken apart: raw members.
type jsonFeature struct {
	id                   []byte
	geometry, properties []byte
	foreign              []string
	why                  string // why it is none: "syntax", "type"; "" when it is
}

// splitFeature takes a raw feature, bare geometry, or plain row apart.
func splitFeature(raw []byte, row bool) jsonFeature {
	f := jsonFeature{}
	if row {
		if len(raw) == 0 || raw[0] != '{' {
			return jsonFeature{why: "type"}
		}
		f.properties = raw
		return f
	}
	c := &cursor{b: raw}
	if !c.enter('{') {
		return jsonFeature{why: "syntax"}
	}
	var typ []byte
	for first := true; c.next('}', first); first = false {
		k := c.key()
		v := c.skip()
		if c.bad {
			return jsonFeature{why: "syntax"}
		}
		switch string(k) {
		case "type":
			typ = bytes.Trim(v, `"`)
		case "id":
			f.id = v
		case "geometry":
			f.geometry = v
		case "properties":
			f.properties = v
		case "bbox", "geometry_name", "crs", "coordinates", "geometries", "links":
		default:
			if utf8.Valid(k) {
				f.foreign = append(f.foreign, string(k))
			}
		}
	}
	switch {
	case c.bad:
		return jsonFeature{why: "syntax"}
	case strings.EqualFold(string(typ), "Feature"):
		return f
	case geoJSONKind(typ) != 0:
		return jsonFeature{geometry: raw}
	}
	return jsonFeature{why: "type"}
}
