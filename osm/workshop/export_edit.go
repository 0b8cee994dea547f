package workshop

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"calanque/geo"
	"calanque/osm"
	"calanque/osm/match"
)

// maxTag is the length of keys and values of OpenStreetMap, in characters.
const maxTag = 255

// mainKeys are those that say what a thing is: what is gone takes the prefix
// disused: on them.
var mainKeys = []string{
	"amenity", "craft", "emergency", "healthcare", "highway", "historic", "leisure", "man_made", "natural", "office", "public_transport",
	"railway", "shop", "sport", "tourism",
}

// An Edit is what a session proposes to OpenStreetMap. A person looks at it,
// and uploads it with their own account, or not.
type Edit struct {
	Task    *Task
	Object  string            // n123, w123 or r123; "" for a new node
	Place   *[2]float64       // lon, lat: where to put it; nil: stays
	Set     map[string]string // tags
	Unset   []string          // keys, sorted
	Left    geo.Message       // why no file can hold it and a person has to do it; Code "" when one can
	Sources []Origin          // of what it says, sorted

	object *object // as the copy has it; nil for a new one
}

// Empty reports whether there is nothing to do, for a file or a person.
func (e *Edit) Empty() bool {
	return e.Place == nil && len(e.Set) == 0 && len(e.Unset) == 0 && e.Left.Code == ""
}

// InFile reports whether a file can hold the edit.
func (e *Edit) InFile() bool { return !e.Empty() && e.Left.Code == "" }

// An object is one of OpenStreetMap as the copy has it.
type object struct {
	version  *int // nil when the extract has none
	tags     map[string]string
	lon, lat float64   // of a node
	nodes    []element // of a way, in their order; none where the copy has no list of them
}

// whole reports whether a file can hold the object: with its version, and
// with all nodes of a way and theirs.
func (o *object) whole() bool {
	return o.version != nil && !slices.ContainsFunc(o.nodes, func(n element) bool { return n.version == 0 })
}

// A row is a record as the file has it.
type row struct {
	values   map[string]string
	lon, lat *float64 // of a point
}

// A finding is a settled task with all that a file may need to say of it.
type finding struct {
	task   *Task
	values map[string]value // of the answers that agree with the verdict, by field
	object *object
	row    *row
	theme  osm.Selection
}

// edit proposes what OpenStreetMap should hold after the verdict. Nothing is
// ever deleted, and nothing is proposed that does not pass the gate.
func (f *finding) edit() Edit {
	t := f.task
	e := Edit{Task: t, Object: t.OSM, object: f.object}
	done := t.Seen == Verified || t.Seen == FixedByAnother
	if t.Practice || t.Verdict == "" || done || Gate(t.LicenceClass, ToOSM) != nil {
		return e
	}
	switch t.Verdict {
	case gone:
		f.disuse(&e)
	case exists:
		switch t.Kind {
		case match.OnlyOpenData:
			f.create(&e)
		case match.ClosedInOSM:
			e.Left = geo.Say("exports.left-reopen")
		}
	case elsewhere:
		if t.OSM == "" {
			f.create(&e)
		} else {
			f.move(&e)
		}
	case wrongOSM, wrongFile:
		if t.Kind == match.Moved || t.Kind == match.FarReference {
			f.move(&e)
		} else {
			f.retag(&e)
		}
	case samePlace, duplicate:
		if t.Kind == match.Ambiguous || t.Kind == match.DuplicateOSM {
			e.Left = geo.Say("exports.left-merge")
		}
	}
	f.fits(&e)
	return e
}

// take gives a value of the answers that may go to OpenStreetMap.
func (f *finding) take(e *Edit, field string) (string, bool) {
	v, ok := f.values[field]
	if !ok || !passes(v.origin, f.task.LicenceClass, ToOSM) {
		return "", false
	}
	e.from(v.origin)
	return v.value, true
}

func (e *Edit) from(o Origin) {
	if !slices.Contains(e.Sources, o) {
		e.Sources = append(e.Sources, o)
		slices.Sort(e.Sources)
	}
}

func (e *Edit) set(key, text string) {
	if e.Set == nil {
		e.Set = map[string]string{}
	}
	e.Set[key] = text
}

// create adds what the file has and OpenStreetMap lacks: where somebody
// pointed at, else where the file has it.
func (f *finding) create(e *Edit) {
	t := f.task
	if f.row == nil || !passes(OpenData, t.LicenceClass, ToOSM) {
		return
	}
	switch text, ok := f.take(e, placeValue); {
	case ok:
		e.to(text)
	case t.Verdict == exists && f.row.lon != nil && f.row.lat != nil:
		e.Place = &[2]float64{*f.row.lon, *f.row.lat}
	default:
		e.Left = geo.Say("exports.left-place")
		return
	}
	main := f.mainTags()
	if len(main) == 0 || e.Place == nil {
		e.Place, e.Left = nil, geo.Say("exports.left-kind")
		return
	}
	e.from(OpenData)
	for k, v := range main {
		e.set(k, v)
	}
	for _, field := range append([]string{t.rule.Name}, t.ruleFields()...) {
		if text := f.row.values[field]; text != "" {
			if k, v, ok := t.tag(field, text, nil); ok && e.Set[k] == "" {
				e.set(k, v)
			}
		}
	}
}

func (t *Task) ruleFields() []string {
	list := make([]string, 0, len(t.rule.Attributes))
	for _, a := range t.rule.Attributes {
		list = append(list, a.Field)
	}
	return list
}

// mainTags are those that make a new object one of the theme.
func (f *finding) mainTags() map[string]string {
	if c := f.task.rule.Category; c != nil {
		if tags := firstOf(c.Values[f.row.values[c.Field]]); len(tags) > 0 {
			return tags
		}
	}
	for _, terms := range f.theme.Any {
		tags := map[string]string{}
		for key, values := range terms {
			if len(values) > 0 && values[0] != osm.AnyValue {
				tags[key] = values[0]
			}
		}
		if len(tags) == len(terms) {
			return tags
		}
	}
	return nil
}

// firstOf takes the first of the values that a rule takes for the same
// ("school|college"); none where that is any value.
func firstOf(tags map[string]string) map[string]string {
	list := map[string]string{}
	for k, v := range tags {
		v, _, _ = strings.Cut(v, "|")
		if v == "" || v == osm.AnyValue {
			return nil
		}
		list[k] = v
	}
	return list
}

func (e *Edit) to(text string) {
	if lon, lat, err := parsePoint(text); err == nil {
		e.Place = &[2]float64{lon, lat}
	}
}

// move puts an object where somebody pointed at, or where the file has it.
func (f *finding) move(e *Edit) {
	text, ok := f.take(e, placeValue)
	switch {
	case ok:
		e.to(text)
	case f.task.Verdict == elsewhere:
		e.Left = geo.Say("exports.left-place")
	}
}

// retag gives an object the value that was told.
func (f *finding) retag(e *Edit) {
	t := f.task
	c, ok := t.asked()
	if !ok {
		return
	}
	text, ok := f.take(e, c.Field)
	if !ok {
		return
	}
	var tags map[string]string
	if f.object != nil {
		tags = f.object.tags
	}
	k, v, ok := t.tag(c.Field, text, tags)
	if !ok {
		e.Left = geo.Say("exports.left-value", "field", t.label(c.Field))
		return
	}
	if tags[k] != v {
		e.set(k, v)
	}
}

// disuse proposes the prefix disused: for what is gone.
func (f *finding) disuse(e *Edit) {
	if f.object == nil {
		return
	}
	for _, terms := range f.theme.Any {
		for key, values := range terms {
			v := f.object.tags[key]
			if v != "" && slices.Contains(mainKeys, key) && (slices.Contains(values, v) || slices.Contains(values, osm.AnyValue)) {
				e.set("disused:"+key, v)
				e.Unset = append(e.Unset, key)
			}
		}
	}
	slices.Sort(e.Unset)
	e.Unset = slices.Compact(e.Unset)
	f.take(e, existsValue) // seen on site, or agreed on at desks
	if len(e.Set) == 0 {
		e.Left = geo.Say("exports.left-gone")
	}
}

// fits leaves to a person what no file can hold: relations, whose members the
// copy does not keep, ways whose nodes it lacks, shapes that are to move, and
// what can't be changed safely as its version is not known.
func (f *finding) fits(e *Edit) {
	switch {
	case e.Empty() || e.Left.Code != "" || e.Object == "":
	case e.object == nil:
		e.Left = geo.Say("exports.left-lost")
	case e.Object[0] != 'n' && e.Place != nil:
		e.Left = geo.Say("exports.left-shape")
	case e.Object[0] == 'r':
		e.Left = geo.Say("exports.left-relation")
	case e.Object[0] == 'w' && len(e.object.nodes) == 0:
		e.Left = geo.Say("exports.left-way")
	case !e.object.whole():
		e.Left = geo.Say("exports.left-version")
	}
}

// tag writes a value of a field as OpenStreetMap does; of several keys, the
// one that the object has. ok is false for what can't be said there.
func (t *Task) tag(field, text string, has map[string]string) (key, val string, ok bool) {
	text = strings.TrimSpace(text)
	if field == t.rule.Name {
		return "name", text, fitsTag(text)
	}
	for _, a := range t.rule.Attributes {
		if a.Field != field {
			continue
		}
		keys := strings.Split(a.Tag, "|")
		key = keys[0]
		for _, k := range keys {
			if has[k] != "" {
				key = k
				break
			}
		}
		val, ok = written(a, text)
		return key, val, ok && fitsTag(val) && fitsTag(key)
	}
	return "", "", false
}

// written translates a value into OpenStreetMap's words.
func written(a match.Attribute, text string) (string, bool) {
	switch a.Type {
	case match.Bool:
		yes, ok := truth(text)
		if yes {
			return "yes", ok
		}
		return "no", ok
	case match.Enum:
		if v, ok := a.Values[text]; ok {
			return v, true
		}
		return text, slices.Contains(slices.Collect(maps.Values(a.Values)), text)
	case match.Number:
		return strings.ReplaceAll(text, ",", "."), true
	}
	return text, true
}

// truth reads yes and no as files and people write them.
func truth(s string) (yes, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "yes", "true", "1", "oui", "o":
		return true, true
	case "no", "false", "0", "non", "n":
		return false, true
	}
	return false, false
}

func fitsTag(s string) bool {
	return s != "" && utf8.ValidString(s) && utf8.RuneCountInString(s) <= maxTag && !strings.ContainsFunc(s, unicode.IsControl)
}
