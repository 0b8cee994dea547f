package workshop

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSentences holds that every code of this package has its sentence; the
// viewer's own test holds the three languages against each other.
func TestSentences(t *testing.T) {
	t.Parallel()
	dictionary, err := os.ReadFile("../../viewer/i18n/parts/workshop.fr.json")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	code := regexp.MustCompile(`"(workshop\.[a-z-]+(?:\.[a-z-]+)?)"`)
	has := func(c string) bool {
		return strings.Contains(string(dictionary), `"`+c+`"`) || strings.Contains(string(dictionary), `"`+c+`.other"`)
	}
	n := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range code.FindAllStringSubmatch(string(text), -1) {
			n++
			if !has(m[1]) {
				t.Errorf("%s: %s has no sentence", f, m[1])
			}
			if strings.HasPrefix(m[1], "workshop.ask.") && !strings.HasSuffix(m[1], "-unnamed") && !has(m[1]+"-unnamed") {
				t.Errorf("%s: %s has no sentence for a place without a name", f, m[1])
			}
		}
	}
	for _, says := range []string{
		exists, elsewhere, gone, wrongFile, wrongOSM, samePlace, otherPlace, duplicate, twoPlaces, cantTell, needsVisit, "osm_fixed",
	} {
		if !has("workshop.says." + says) {
			t.Errorf("workshop.says.%s has no sentence", says)
		}
	}
	if n < 50 {
		t.Errorf("only %d codes found", n)
	}
}
