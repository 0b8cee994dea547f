package viewer

import "calanque/geo"

// NameFields are the fields of a layer that name its features, best first:
// those of its style, else those that usually do.
func NameFields(l *Layer) []string {
	names := l.Style.Name
	if len(names) == 0 {
		names = nameFields
	}
	var has []string
	for _, n := range names {
		for _, f := range l.Fields {
			if f.Name == n && f.Type == geo.TextField {
				has = append(has, n)
			}
		}
	}
	return has
}
