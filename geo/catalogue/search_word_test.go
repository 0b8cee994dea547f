package catalogue

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

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

// TestSieve writes the condition of a unit, for texts and for titles: what the
// catalogue does not have is in none of it, and each parameter has its value.
func TestSieve(t *testing.T) {
	t.Parallel()
	s := &sieve{
		ids:  map[string]int32{"ecol": 1, "ecole": 2, "etabl": 3, "scolair": 4},
		with: map[string][]int32{"biblio": {8, 9}},
		args: parameters{},
	}
	for _, c := range []struct {
		unit unit
		want string
		ids  []any // of the parameters, in their order
	}{
		{unit{any: []stems{{"ecol"}, {"ecole"}, {"school"}}}, "(terms && @words0)", []any{[]int32{1, 2}}},
		{unit{any: []stems{{"ecol"}, {"etabl", "scolair"}}}, "(terms @> @words0 or terms && @words1)", []any{[]int32{3, 4}, []int32{1}}},
		{unit{any: []stems{{"etabl", "lunair"}, {"ecol"}}}, "(terms && @words0)", []any{[]int32{1}}},
		{unit{any: []stems{{"lune"}}}, "(false)", nil},
		{unit{begun: "biblio"}, "(terms && @words0)", []any{[]int32{8, 9}}},
		{unit{begun: "zz"}, "false", nil},
	} {
		clear(s.args)
		got := s.unit(&c.unit)
		if got != c.want || len(s.args) != len(c.ids) {
			t.Errorf("%+v: %s with %v, want %s with %v", c.unit, got, s.args, c.want, c.ids)
		}
		for i, ids := range c.ids {
			if a := s.args[fmt.Sprint("words", i)]; !reflect.DeepEqual(a, ids) {
				t.Errorf("%+v: parameter %d is %v, want %v", c.unit, i, a, ids)
			}
		}
		if title := inTitle(got); strings.Contains(title, "terms") || strings.Count(title, "@words") != len(c.ids) {
			t.Errorf("%s in a title: %s", got, title)
		}
	}
}
