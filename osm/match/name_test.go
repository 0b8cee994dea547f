package match

import "testing"

func TestCompareNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ours, theirs string
		want         nameLevel
	}{
		{"Fontaine du Marché", "Fontaine du Marché", nameExact},
		{"FONTAINE DU MARCHE", "Fontaine du Marché", nameNormalised},
		{"St Ours", "Saint-Ours", nameNormalised},
		{"Ecole Elem. Publique Jean Moulin", "École élémentaire publique Jean Moulin", nameNormalised},
		{"École élémentaire publique Jean Moulin", "Jean Moulin", nameNormalised},
		{"Av. du Gal de Gaulle", "Avenue du Général de Gaulle", nameNormalised},
		{"Sacré-Cœur", "Sacre Coeur", nameNormalised},
		{"P. Sémard", "Pierre Sémard", nameSimilar},
		{"Spinosa", "Spinoza", nameSimilar},
		{"Fontaine des Lavandières", "Fontaine des Lavandieres du Cours", namePartial},
		{"Prairie de Vararey", "Col d’Hurtières", nameDifferent},
		{"Fontaine de la place aux Herbes", "Fontaine de la place du Marché", namePartial},
		{"", "Fontaine", nameMissing},
		{"Fontaine", "", nameMissing},
		{"Mairie", "Mairie", nameExact},
	} {
		theirs := []string{c.theirs}
		if c.theirs == "" {
			theirs = nil
		}
		if got, _ := compareNames(c.ours, theirs); got != c.want {
			t.Errorf("compareNames(%q, %q) = %s, want %s", c.ours, c.theirs, got, c.want)
		}
	}
}

func TestCompareNamesTakesTheBest(t *testing.T) {
	t.Parallel()
	got, which := compareNames("Saint Pons", []string{"Chapelle basse", "St-Pons"})
	if got != nameNormalised || which != "St-Pons" {
		t.Errorf("got %s by %q, want normalised by St-Pons", got, which)
	}
}

func FuzzCompareNames(f *testing.F) {
	f.Add("École J.-B. Clément", "ecole jean baptiste clement")
	f.Add("", "\xff")
	f.Fuzz(func(t *testing.T, a, b string) {
		l, _ := compareNames(a, []string{b})
		r, _ := compareNames(b, []string{a})
		if (l == nameExact) != (r == nameExact) {
			t.Errorf("%q and %q: %s one way, %s the other", a, b, l, r)
		}
	})
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ          AttributeType
		ours, theirs string
		want         verdict
	}{
		{Phone, "04 94 00 00 01", "+33 4 94 00 00 01", equivalent},
		{Phone, "04.94.00.00.01", "+33 4 94 00 00 02;+33494000001", equivalent},
		{Phone, "04 94 00 00 01", "+33 4 94 00 00 09", conflict},
		{Bool, "Oui", "yes", equivalent},
		{Bool, "Non", "yes", conflict},
		{Number, "1 234,50", "1234.5", equivalent},
		{Number, "12", "13", conflict},
		{URL, "https://www.exemple.fr/a/", "http://exemple.fr/a", equivalent},
		{Text, "Régie des Eaux", "regie des eaux", equivalent},
		{Text, "", "x", theirsOnly},
		{Text, "x", "", oursOnly},
		{Text, "", "", neither},
		{"", "x", "x", equal},
	} {
		a := Attribute{Type: c.typ}
		if got := a.compare(c.ours, c.theirs); got != c.want {
			t.Errorf("%s: %q against %q: got %s, want %s", c.typ, c.ours, c.theirs, got, c.want)
		}
	}
}
