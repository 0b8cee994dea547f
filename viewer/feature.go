package viewer

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"calanque/geo"
)

// nameFields are the columns that name a feature when the style says nothing,
// best first.
var nameFields = geo.NameFields

// value gives a feature's value of a field; nil when there is none.
func value(l *Layer, f geo.Feature, field string) any {
	for i, fd := range l.Fields {
		if fd.Name == field && i < len(f.Values) {
			return f.Values[i]
		}
	}
	return nil
}

// nameOf is what a feature is called: the first name field that is set.
func nameOf(lang string, l *Layer, f geo.Feature) string {
	fields := l.Style.Name
	if len(fields) == 0 {
		fields = nameFields
	}
	for _, field := range fields {
		if s, ok := value(l, f, field).(string); ok && strings.TrimSpace(s) != "" {
			return s
		}
	}
	return Say(lang, "list.unnamed")
}

// noteOf is the second line of a row: the style's note fields that are set.
func noteOf(lang string, l *Layer, f geo.Feature) string {
	var parts []string
	for _, field := range l.Style.Note {
		if v := value(l, f, field); v != nil {
			parts = append(parts, valueText(lang, l, field, v))
		}
	}
	return strings.Join(parts, " · ")
}

// A fact is one line of a card.
type fact struct {
	Label, Value string
	Missing      bool
}

// facts are the lines of a feature's card: the style's facts, else every field
// that does not name it. What is not known is said, not hidden.
func facts(lang string, l *Layer, f geo.Feature) []fact {
	var out []fact
	for _, field := range factFields(l) {
		v := value(l, f, field.Name)
		if tags, ok := asObject(v); ok {
			for _, k := range sortedKeys(tags) {
				out = append(out, fact{Label: k, Value: plainValue(lang, tags[k])})
			}
			continue
		}
		s := ""
		if v != nil {
			s = valueText(lang, l, field.Name, v)
		}
		out = append(out, fact{Label: labelOf(lang, field), Value: s, Missing: s == ""})
	}
	return out
}

func factFields(l *Layer) []geo.Field {
	if len(l.Style.Facts) > 0 {
		var fields []geo.Field
		for _, name := range l.Style.Facts {
			for _, f := range l.Fields {
				if f.Name == name {
					fields = append(fields, f)
				}
			}
		}
		return fields
	}
	skip := map[string]bool{}
	for _, n := range l.Style.Name {
		skip[n] = true
	}
	if len(l.Style.Name) == 0 {
		for _, n := range nameFields[:2] {
			skip[n] = true
		}
	}
	var fields []geo.Field
	for _, f := range l.Fields {
		if !skip[f.Name] && !strings.HasPrefix(f.Name, "_") {
			fields = append(fields, f)
		}
	}
	return fields
}

func labelOf(lang string, f geo.Field) string {
	if s := f.Label.In(lang); s != "" {
		return s
	}
	if f.Title != "" {
		return f.Title
	}
	return f.Name
}

// valueText writes a value: in words where the style has them, else by type. A
// whole number under 10 000 is not grouped: it may be a year.
func valueText(lang string, l *Layer, field string, v any) string {
	if words := l.Style.Values[field]; words != nil {
		if t, ok := words[rawText(v)]; ok {
			return t.In(lang)
		}
	}
	switch v := v.(type) {
	case int64:
		if v > -10000 && v < 10000 {
			return strconv.FormatInt(v, 10)
		}
	case time.Time:
		for _, f := range l.Fields {
			if f.Name == field && f.Type == geo.DateField {
				return Date(lang, v)
			}
		}
	}
	return plainValue(lang, v)
}

// rawText is a value as the style's value lists name it.
func rawText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return fmt.Sprint(v)
}

// asObject decodes a JSON object, such as the tags of an OSM object.
func asObject(v any) (map[string]any, bool) {
	switch v := v.(type) {
	case map[string]any:
		return v, true
	case json.RawMessage:
		var m map[string]any
		if json.Unmarshal(v, &m) == nil && m != nil {
			return m, true
		}
	}
	return nil, false
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// noun gives the word for n features of a layer, from its style, else by its
// geometry.
func noun(lang string, l *Layer, n int64) string {
	forms := l.Style.Noun.In(lang)
	if l.Style.Noun[lang] == "" {
		forms = ""
	}
	if forms == "" {
		forms = Say(lang, nounCode(l.GeometryType))
	}
	one, rest, two := strings.Cut(forms, "|")
	if !two {
		return one
	}
	many, _, _ := strings.Cut(rest, "|")
	if plural(lang, n) == ".one" {
		return one
	}
	return many
}

func nounCode(t geo.GeometryType) string {
	switch t {
	case geo.Point, geo.Line, geo.Polygon:
		return "noun." + string(t)
	}
	return "noun.feature"
}

// FeatureName is what people call a feature of a layer; its key where the
// layer has no names.
func FeatureName(lang string, l *Layer, f geo.Feature) string { return nameOf(lang, l, f) }
