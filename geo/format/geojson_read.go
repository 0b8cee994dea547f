package format

import (
	"context"
	"encoding/json"
	"strings"
	"unsafe"

	"calanque/geo"
)

func (g *geoJSONSource) Read(ctx context.Context, _ int, fn func(*Record) error) error {
	r := &geoJSONReader{geoJSONSource: g}
	r.rec.Values = make([]any, len(g.columns))
	r.rec.Raw = func() string { return strings.ToValidUTF8(string(r.raw[:min(len(r.raw), 64<<10)]), "\uFFFD") }
	return g.walk(ctx, false, func(raw []byte, line int64) error {
		r.take(raw)
		r.rec.Number++
		r.rec.Line = line
		return fn(&r.rec)
	})
}

// A geoJSONReader is one reading of a file.
type geoJSONReader struct {
	*geoJSONSource
	rec    Record
	raw    []byte
	shaper jsonShaper
	buf    []byte
}

// take reads one raw feature into r.rec.
func (r *geoJSONReader) take(raw []byte) {
	r.raw = raw
	r.rec.Geometry, r.rec.Err, r.rec.Issues, r.rec.ID = nil, nil, r.rec.Issues[:0], ""
	clear(r.rec.Values)
	f := splitFeature(raw, r.rows)
	if f.why != "" {
		r.rec.Err = geo.Bad(nil, "geojson.feature", "why", f.why)
		return
	}
	if len(f.id) > 0 && string(f.id) != "null" {
		r.rec.ID = r.plainText(f.id)
	}
	r.rec.Geometry, r.rec.Issues, r.rec.Err = r.shaper.convert(f.geometry, r.rec.Issues)
	if r.rec.Err == nil {
		r.properties(f.properties)
	}
}

func (r *geoJSONReader) properties(raw []byte) {
	c := &cursor{b: raw}
	if c.peek() != '{' {
		return
	}
	c.i++
	for first := true; c.next('}', first); first = false {
		k := c.key()
		v := c.skip()
		if c.bad {
			r.rec.Err = geo.Bad(nil, "geojson.feature", "why", "syntax")
			return
		}
		if i, ok := r.index[string(k)]; ok {
			r.rec.Values[i] = r.value(i, v)
		}
	}
}

// value reads a raw value as its column's type; a null, or what stands for
// none, is nil.
func (r *geoJSONReader) value(i int, raw []byte) any {
	col := &r.columns[i]
	switch raw[0] {
	case 'n', 'N', 'I':
		return nil
	}
	slot := col.cache.find(raw)
	if slot != nil && slot.hit {
		return slot.value
	}
	v, issue := r.parse(i, raw)
	if issue.Code != "" {
		r.rec.Issues = append(r.rec.Issues, issue)
		return v
	}
	col.cache.put(slot, raw, v)
	return v
}

func (r *geoJSONReader) parse(i int, raw []byte) (any, geo.Message) {
	title := r.layer.Columns[i].Title
	switch r.columns[i].typ {
	case geo.IntegerField:
		if n, ok := parseInt(raw); ok {
			return n, geo.Message{}
		}
	case geo.RealField:
		if f, ok := parseFloat(raw); ok {
			return f, geo.Message{}
		}
	case geo.BooleanField:
		switch string(raw) {
		case "true":
			return true, geo.Message{}
		case "false":
			return false, geo.Message{}
		}
	case geo.JSONField:
		return r.nested(title, raw)
	default:
		return r.textValue(title, raw)
	}
	return nil, geo.Say("value.number", "field", title, "value", strings.ToValidUTF8(string(raw), "\uFFFD"))
}

// nested gives JSON text that a jsonb column takes.
func (r *geoJSONReader) nested(title string, raw []byte) (any, geo.Message) {
	t, flags := r.text.appendText(nil, raw, false)
	s := strings.ReplaceAll(string(t), `\u0000`, `\ufffd`)
	if !json.Valid([]byte(s)) {
		return nil, geo.Say("value.json", "field", title, "value", clip(plain(s), 100))
	}
	if flags != 0 || len(s) != len(t) {
		return s, geo.Say("text.lost", "field", title, "value", clip(plain(s), 100))
	}
	return s, geo.Message{}
}

func (r *geoJSONReader) textValue(title string, raw []byte) (any, geo.Message) {
	if raw[0] == '"' {
		raw = raw[1 : len(raw)-1]
	} else if raw[0] == '{' || raw[0] == '[' {
		return r.nested(title, raw)
	}
	var flags int
	r.buf, flags = r.text.appendText(r.buf[:0], raw, false)
	out, damaged := appendUnescaped(make([]byte, 0, len(r.buf)), r.buf)
	s := unsafe.String(unsafe.SliceData(out), len(out)) // out is not used again
	if strings.IndexByte(s, 0) >= 0 {
		s, damaged = strings.ReplaceAll(s, "\x00", "\uFFFD"), true
	}
	if damaged || flags&textLost != 0 {
		return s, geo.Say("text.lost", "field", title, "value", clip(plain(s), 100))
	}
	return s, geo.Message{}
}

func (r *geoJSONReader) plainText(raw []byte) string {
	v, _ := r.textValue("id", raw)
	s, _ := v.(string)
	return s
}
