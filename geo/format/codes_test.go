package format

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// saying finds the codes that the sources say.
var saying = regexp.MustCompile(`(?s)(?:geo\.Bad\([^",]*,|geo\.Say\(|countIssue\(issues,|s\.say\()\s*"([a-z0-9-]+\.[a-z0-9-]+)"((?:, "[a-z]+", [^,()]*(?:\([^()]*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)[^()]*)*\)[^,()]*)*)*)`)

// Every code has its sentence in three languages, with no argument that the
// code does not give; every sentence has its code.
func TestEveryCodeHasItsSentences(t *testing.T) {
	t.Parallel()
	codes := map[string][]string{}
	files, _ := filepath.Glob("*.go")
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range saying.FindAllStringSubmatch(string(b), -1) {
			for _, a := range regexp.MustCompile(`, "([a-z]+)", `).FindAllStringSubmatch(m[2]+", ", -1) {
				codes[m[1]] = append(codes[m[1]], a[1])
			}
			if strings.HasPrefix(m[0], "countIssue") || strings.HasPrefix(m[0], "s.say") {
				codes[m[1]] = append(codes[m[1]], "count")
			}
			codes[m[1]] = append(codes[m[1]], "")
		}
	}
	if len(codes) < 80 {
		t.Fatalf("got %d codes in the sources, want all of them", len(codes))
	}
	for _, lang := range []string{"fr", "en", "it"} {
		b, err := os.ReadFile("../../viewer/i18n/parts/format." + lang + ".json")
		if err != nil {
			t.Fatal(err)
		}
		sentences := map[string]string{}
		if err := json.Unmarshal(b, &sentences); err != nil {
			t.Fatal(err)
		}
		for code := range codes {
			if sentences[code] == "" {
				t.Errorf("%s: no sentence for %s", lang, code)
			}
		}
		for code, s := range sentences {
			args, ok := codes[code]
			if !ok {
				t.Errorf("%s: nothing says %s", lang, code)
			}
			for _, p := range regexp.MustCompile(`\{([a-z]+)`).FindAllStringSubmatch(s, -1) {
				if !slices.Contains(args, p[1]) {
					t.Errorf("%s: %s has no argument %s (it has %v)", lang, code, p[1], args)
				}
			}
		}
	}
}
