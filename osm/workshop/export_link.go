package workshop

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// The addresses of the editors. JOSM answers on the machine of who uses it.
const (
	idEditor = "https://www.openstreetmap.org/edit"
	josm     = "http://127.0.0.1:8111/"
)

// An Editor makes links that open an editor with what a changeset of the
// session should say of itself.
type Editor struct {
	Comment  string
	Hashtags []string // with their #
	Source   string
	Locale   string // "fr"
	GPX      string // address of the waypoints, "" none
}

// ID gives the link that opens iD at a place, the object selected.
func (e Editor) ID(lon, lat float64, object string) string {
	q := url.Values{"editor": {"id"}}
	if object != "" {
		q.Set(osmTypes[object[0]], object[1:])
	}
	f := url.Values{
		"map": {fmt.Sprintf("19/%.5f/%.5f", lat, lon)}, "comment": {e.Comment}, "hashtags": {strings.Join(e.Hashtags, ",")},
		"source": {e.Source}, "locale": {e.Locale},
	}
	if e.GPX != "" {
		f.Set("gpx", e.GPX)
	}
	return idEditor + "?" + query(q) + "#" + query(f)
}

// JOSMFile gives the link that makes JOSM open a file at an address.
func (e Editor) JOSMFile(address, name string) string {
	return josm + "import?" + query(url.Values{"new_layer": {"true"}, "layer_name": {name}, "url": {address}})
}

// JOSMObject gives the link that makes JOSM fetch an object from OpenStreetMap
// and offer the change of its tags; JOSM asks before it does. That is how
// relations are mended, and ways of which the copy lacks the nodes.
func (e Editor) JOSMObject(object string, edit *Edit) string {
	q := url.Values{
		"objects": {object}, "relation_members": {"true"},
		"changeset_comment": {e.Comment}, "changeset_hashtags": {strings.Join(e.Hashtags, ",")}, "changeset_source": {e.Source},
	}
	if edit != nil {
		if tags := edit.addTags(); tags != "" {
			q.Set("addtags", tags)
		}
	}
	return josm + "load_object?" + query(q)
}

// addTags writes changes of tags as JOSM takes them: key=value, separated by
// |, no value for a key that goes. A | in a value can't be written there: it
// is left for a person.
func (e *Edit) addTags() string {
	var list []string
	for _, k := range slices.Sorted(maps.Keys(e.Set)) {
		if pair := k + "=" + e.Set[k]; !strings.Contains(pair, "|") {
			list = append(list, pair)
		}
	}
	for _, k := range e.Unset {
		list = append(list, k+"=")
	}
	return strings.Join(list, "|")
}

// query encodes with %20 for a space: JOSM and fragments know no +.
func query(v url.Values) string { return strings.ReplaceAll(v.Encode(), "+", "%20") }
