package geo_test

import (
	"testing"

	"calanque/geo"
)

func TestPersonal(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text        string
		phone, mail bool
	}{
		{"La fontaine est à sec depuis mars 2026.", false, false},
		{"Appelez le 04 91 00 00 00.", true, false},
		{"+33 (0)4.91.00.00.00", true, false},
		{"claire @ exemple.fr", false, true},
		{"claire arobase exemple point fr", false, true},
		{"À 43.2969512, 5.3697812 exactement", false, false},
		{"À 43,2969512° N", false, false},
		{"13001 Marseille, 12 rue de Rome", false, false},
	} {
		if got := geo.HasPhone(geo.WithoutPositions(c.text)); got != c.phone {
			t.Errorf("%q: phone %v, want %v", c.text, got, c.phone)
		}
		if got := geo.HasMail(c.text); got != c.mail {
			t.Errorf("%q: mail %v, want %v", c.text, got, c.mail)
		}
	}
}
