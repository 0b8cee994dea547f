package osm

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"

	"calanque/geo"
)

// A Selection says which objects belong to a theme: those that match one of
// Any and none of Not.
//
//	any: [{amenity: [drinking_water, fountain]}, {man_made: water_tap}]
//	not: [{access: private}]
type Selection struct {
	Any []Terms `yaml:"any" json:"any"`
	Not []Terms `yaml:"not,omitempty" json:"not,omitempty"`
}

// Terms match an object that has, for every key, one of the values; the value
// "*" is any. A single value may be written without a list.
type Terms map[string]Values

// Values are the alternatives of a term.
type Values []string

// AnyValue matches every value of a key.
const AnyValue = "*"

// UnmarshalJSON takes a string or a list of strings.
func (v *Values) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*v = Values{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(v))
}

// UnmarshalYAML takes a scalar or a list of scalars.
func (v *Values) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*v = Values{n.Value}
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		return fmt.Errorf("line %d: want a value or a list of values", n.Line)
	}
	*v = nil
	for _, c := range n.Content {
		if c.Kind != yaml.ScalarNode {
			return fmt.Errorf("line %d: want a value", c.Line)
		}
		*v = append(*v, c.Value) // as written: yes stays "yes"
	}
	return nil
}

// UnmarshalYAML takes a tag or a mapping.
func (f *ThemeField) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		f.Tag = n.Value
		return nil
	}
	type plain ThemeField
	return n.Decode((*plain)(f))
}

func (s Selection) check(theme string) error {
	if len(s.Any) == 0 {
		return geo.Bad(nil, "theme.selection", "theme", theme)
	}
	for _, t := range slices.Concat(s.Any, s.Not) {
		if len(t) == 0 {
			return geo.Bad(nil, "theme.selection", "theme", theme)
		}
		for k, values := range t {
			if k == "" || len(values) == 0 || slices.Contains(values, "") {
				return geo.Bad(nil, "theme.selection", "theme", theme)
			}
		}
	}
	return nil
}

// where is the selection as a condition on a column tags (jsonb).
func (s Selection) where(args *[]any) string {
	any := make([]string, len(s.Any))
	for i, t := range s.Any {
		any[i] = t.where(args)
	}
	cond := "(" + strings.Join(any, " or ") + ")"
	for _, t := range s.Not {
		cond += " and not " + t.where(args)
	}
	return cond
}

// where writes each value as "tags @> …", which the index on tags answers.
func (t Terms) where(args *[]any) string {
	arg := func(v any) string {
		*args = append(*args, v)
		return "$" + strconv.Itoa(len(*args))
	}
	keys := make([]string, 0, len(t))
	for k := range t {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var all []string
	for _, k := range keys {
		if slices.Contains(t[k], AnyValue) {
			all = append(all, "tags ? "+arg(k))
			continue
		}
		var one []string
		for _, v := range t[k] {
			one = append(one, "tags @> "+arg(map[string]string{k: v}))
		}
		all = append(all, "("+strings.Join(one, " or ")+")")
	}
	return "(" + strings.Join(all, " and ") + ")"
}

// Matches reports whether an object with these tags belongs to the selection.
func (s Selection) Matches(tags map[string]string) bool {
	for _, t := range s.Not {
		if t.matches(tags) {
			return false
		}
	}
	return slices.ContainsFunc(s.Any, func(t Terms) bool { return t.matches(tags) })
}

func (t Terms) matches(tags map[string]string) bool {
	for k, values := range t {
		v, ok := tags[k]
		if !ok || !slices.Contains(values, AnyValue) && !slices.Contains(values, v) {
			return false
		}
	}
	return true
}
