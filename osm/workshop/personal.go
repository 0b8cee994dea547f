package workshop

import (
	"strings"
	"unicode/utf8"

	"calanque/geo"
)

// checkText refuses, as a *geo.InputError that says so kindly, free text that
// is too long, is none, or says how to reach a person.
func checkText(s string, most int) error {
	switch {
	case utf8.RuneCountInString(s) > most:
		return geo.Bad(nil, "workshop.note-long", "most", most)
	case !utf8.ValidString(s) || strings.ContainsRune(s, 0):
		return geo.Bad(nil, "workshop.note-text")
	case geo.HasPhone(s):
		return geo.Bad(nil, "workshop.note-phone")
	case geo.HasMail(s):
		return geo.Bad(nil, "workshop.note-email")
	}
	return nil
}
