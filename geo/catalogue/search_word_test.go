package catalogue

import "testing"

// TestEdits counts by hand.
func TestEdits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"eau", "", 3},
		{"fontaine", "fontaine", 0},
		{"momument", "monument", 1},
		{"aeroprt", "aeroport", 1},
		{"ecoel", "ecole", 1}, // neighbours swapped
		{"chat", "chien", 3},
	} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d edits, want %d", c.a, c.b, got, c.want)
		}
		if got := edits(c.b, c.a); got != c.want {
			t.Errorf("%q to %q: %d edits, want %d", c.b, c.a, got, c.want)
		}
	}
}

// TestSynonyms reads the file that is embedded.
func TestSynonyms(t *testing.T) {
	t.Parallel()
	s := synonyms()
	if len(s) < 500 {
		t.Errorf("only %d phrases have synonyms", len(s))
	}
	for phrase, list := range s {
		if phrase == "" || len(list) == 0 {
			t.Errorf("an empty group: %q %v", phrase, list)
		}
	}
	for _, c := range [][2]string{{"Bicyclettes", "velo"}, {"Établissement scolaire", "school"}, {"centres nautiques", "piscine"}} {
		found := false
		for _, o := range s[base(c[0])] {
			found = found || o == c[1]
		}
		if !found {
			t.Errorf("%q does not bring %q: %v", c[0], c[1], s[base(c[0])])
		}
	}
	// One way: who asks for a hotel is not shown all lodgings.
	for _, o := range s[base("hôtel")] {
		if o == "hebergement" {
			t.Error("hôtel brings hébergement")
		}
	}
}
