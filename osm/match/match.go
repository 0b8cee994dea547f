// Package match gives every record of a layer exactly one outcome against
// OpenStreetMap, with its reason.
//
// A Rule says what to compare: a layer, a theme (a selection of OSM objects),
// which field is the name, which fields correspond to which tags, and how far
// apart two descriptions of one place may be. Run compares and stores the
// outcomes; the same input gives the same outcomes in whatever order it comes.
//
// The matcher weighs two things: how unlikely it is that an unrelated object
// of the theme lies this near (so the same 40 m mean much in the countryside
// and little in a town), and how the names compare once French abbreviations,
// articles and accents are out of the way. Then it assigns one object to one
// record. Lines and polygons, other attributes as evidence, and learnt weights
// are not here yet.
package match

import (
	"fmt"
	"slices"
	"strings"

	"calanque/geo"
)

// A Kind is what became of a record or an object. The list is closed, and the
// database holds it too.
type Kind string

// The kinds of outcome (design: cross-reference, B2.11).
const (
	Identical         Kind = "identical"           // same place, nothing to say
	AttributesDiffer  Kind = "attributes_differ"   // same place, a value differs or OSM lacks it
	Moved             Kind = "moved"               // same place, farther apart than the rule's floor
	FarReference      Kind = "far_reference"       // same reference, too far apart to be the same place
	ClosedInOSM       Kind = "closed_in_osm"       // OSM says that it was there
	OnlyOpenData      Kind = "only_open_data"      // no object of OSM is this one
	OnlyOSM           Kind = "only_osm"            // no record is this object, inside the territory
	Ambiguous         Kind = "ambiguous"           // several fit equally, or one fits badly
	DuplicateOpenData Kind = "duplicate_open_data" // another record is the same place
	DuplicateOSM      Kind = "duplicate_osm"       // another object is the same place
	OutOfScope        Kind = "out_of_scope"        // can't be compared: no geometry, outside, category not mapped
	Withdrawn         Kind = "withdrawn"           // a side has gone; kept because verdicts may point at it
)

// Kinds lists them, in the order of reports.
var Kinds = []Kind{
	Identical, AttributesDiffer, Moved, FarReference, ClosedInOSM, OnlyOpenData, OnlyOSM, Ambiguous,
	DuplicateOpenData, DuplicateOSM, OutOfScope, Withdrawn,
}

// A Group is how outcomes are shown: four states, and the rest.
type Group string

// Group gives the group of a kind: "same", "differs", "partner", "osm" or
// "other".
func (k Kind) Group() Group {
	switch k {
	case Identical:
		return "same"
	case AttributesDiffer, Moved, FarReference, ClosedInOSM, Ambiguous, DuplicateOpenData, DuplicateOSM:
		return "differs"
	case OnlyOpenData:
		return "partner"
	case OnlyOSM:
		return "osm"
	}
	return "other"
}

// A Rule says how a layer is compared with a theme of OSM. It is one entry of
// the catalogue file's section rules.
type Rule struct {
	Layer      string      `yaml:"layer" json:"layer"`
	Theme      string      `yaml:"theme" json:"theme"`
	Name       string      `yaml:"name" json:"name,omitempty"`             // field with the name; "" compares none
	Reference  *Reference  `yaml:"reference" json:"reference,omitempty"`   // a key that both sides carry
	Category   *Category   `yaml:"category" json:"category,omitempty"`     // what kinds of object a record may be
	Distance   Distance    `yaml:"distance" json:"distance"`               // metres
	Attributes []Attribute `yaml:"attributes" json:"attributes,omitempty"` // compared, and shown side by side
	Territory  *Territory  `yaml:"territory" json:"territory,omitempty"`   // where only_osm is asked; nil: the communes that hold a record
}

// A Reference is an identifier that OSM objects carry in a tag.
type Reference struct {
	Field string `yaml:"field" json:"field"`
	Tag   string `yaml:"tag" json:"tag"`
}

// A Category maps the values of a field to the tags that fit: "école" →
// amenity=school. An object that fits none of a record's tags is another kind
// of thing, whatever its name.
type Category struct {
	Field  string                       `yaml:"field" json:"field"`
	Values map[string]map[string]string `yaml:"values" json:"values"`
}

// Distance is in metres on the ground.
type Distance struct {
	Max   float64 `yaml:"max" json:"max"`     // candidates are looked for so far; default 300
	Moved float64 `yaml:"moved" json:"moved"` // the same place farther apart than this has moved; default 30
}

// An Attribute pairs a field with a tag.
type Attribute struct {
	Field  string            `yaml:"field" json:"field"`
	Tag    string            `yaml:"tag" json:"tag"` // or several, the first that is there counts: phone|contact:phone
	Type   AttributeType     `yaml:"type" json:"type,omitempty"`
	Values map[string]string `yaml:"values" json:"values,omitempty"` // field value → tag value, for enum
	// Implied is what the tag is when it is not there but another one is:
	// {"amenity=drinking_water": "yes"}.
	Implied map[string]string `yaml:"implied" json:"implied,omitempty"`
}

// An AttributeType says how two values are compared.
type AttributeType string

// The ways to compare; "" is Text.
const (
	Text   AttributeType = "text"   // case, accents and spaces aside
	Name   AttributeType = "name"   // as names are
	Phone  AttributeType = "phone"  // by national number
	Enum   AttributeType = "enum"   // through Values
	Number AttributeType = "number" // as numbers
	Bool   AttributeType = "bool"   // oui/non, true/false, 1/0 against yes/no
	URL    AttributeType = "url"    // host and path
)

// A Territory is where the layer claims to be complete: areas of another
// layer, by key.
type Territory struct {
	Layer string   `yaml:"layer" json:"layer"`
	Keys  []string `yaml:"keys" json:"keys,omitempty"` // none: those that hold a record
}

// The defaults of a rule.
const (
	defaultMax       = 300 // metres
	defaultMoved     = 30
	defaultTerritory = "communes" // the layer whose areas hold records
)

// Check fills in the defaults and says what is wrong with a rule, as a
// *geo.InputError.
func (r *Rule) Check() error {
	if r.Layer == "" || r.Theme == "" {
		return geo.Bad(nil, "rule.incomplete", "rule", r.ID())
	}
	if r.Distance.Max == 0 {
		r.Distance.Max = defaultMax
	}
	if r.Distance.Moved == 0 {
		r.Distance.Moved = min(defaultMoved, r.Distance.Max)
	}
	if r.Distance.Max < 0 || r.Distance.Max > 5000 || r.Distance.Moved < 0 || r.Distance.Moved > r.Distance.Max {
		return geo.Bad(nil, "rule.distance", "rule", r.ID(), "max", r.Distance.Max, "moved", r.Distance.Moved)
	}
	if r.Territory == nil {
		r.Territory = &Territory{Layer: defaultTerritory}
	}
	known := []AttributeType{"", Text, Name, Phone, Enum, Number, Bool, URL}
	for _, a := range r.Attributes {
		if a.Field == "" || a.Tag == "" || !slices.Contains(known, a.Type) {
			return geo.Bad(nil, "rule.attribute", "rule", r.ID(), "field", a.Field, "tag", a.Tag, "type", string(a.Type))
		}
	}
	return nil
}

// ID names the rule to people: layer and theme.
func (r *Rule) ID() string { return fmt.Sprintf("%s × %s", r.Layer, r.Theme) }

// fields lists the fields of the layer that the rule reads, without repeats.
func (r *Rule) fields() []string {
	var list []string
	add := func(f string) {
		if f != "" && !slices.Contains(list, f) {
			list = append(list, f)
		}
	}
	add(r.Name)
	if r.Reference != nil {
		add(r.Reference.Field)
	}
	if r.Category != nil {
		add(r.Category.Field)
	}
	for _, a := range r.Attributes {
		add(a.Field)
	}
	return list
}

// fits tells whether the tags suit the record's category; mapped is false when
// the rule does not know the category.
func (r *Rule) fits(category string, tags map[string]string) (fits, mapped bool) {
	if r.Category == nil {
		return true, true
	}
	want, mapped := r.Category.Values[category]
	if !mapped {
		return false, false
	}
	for k, v := range want {
		if have, ok := tags[k]; ok && (v == "*" || slices.Contains(strings.Split(v, "|"), have)) {
			return true, true
		}
	}
	return false, true
}
