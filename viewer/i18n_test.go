package viewer

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"calanque/geo"
)

// Every code exists in the three languages, in one file each, with the same
// placeholders.
func TestDictionariesAgree(t *testing.T) {
	t.Parallel()
	codes := map[string]map[string]string{} // code → language → placeholders
	for _, lang := range Languages {
		seen := map[string]string{}
		for _, file := range dictionaryFiles(lang) {
			data, err := dictionaries.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var d dictionary
			if err := json.Unmarshal(data, &d); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for code, sentence := range d {
				if other, twice := seen[code]; twice {
					t.Errorf("%s: %s is in %s too", file, code, other)
				}
				seen[code] = file
				if strings.TrimSpace(sentence) == "" {
					t.Errorf("%s: %s is empty", file, code)
				}
				if codes[code] == nil {
					codes[code] = map[string]string{}
				}
				codes[code][lang] = placeholders(sentence)
			}
		}
	}
	for code, by := range codes {
		for _, lang := range Languages {
			if _, ok := by[lang]; !ok {
				t.Errorf("%s: no sentence in %s", code, lang)
			} else if by[lang] != by["fr"] {
				t.Errorf("%s: placeholders of %s are %q, of fr %q", code, lang, by[lang], by["fr"])
			}
		}
		if base, ok := strings.CutSuffix(code, ".one"); ok && codes[base+".other"] == nil {
			t.Errorf("%s has no %s.other", code, base)
		}
	}
}

func placeholders(s string) string {
	names := placeholder.FindAllString(s, -1)
	sort.Strings(names)
	return strings.Join(names, " ")
}

// frenchFaults are what French typography forbids.
var frenchFaults = []struct {
	name    string
	pattern *regexp.Regexp
}{
	{"a straight apostrophe", regexp.MustCompile(`\pL'\pL|\pL' `)},
	{"a straight quotation mark", regexp.MustCompile(`"`)},
	{"no narrow no-break space before ; ! ? »", regexp.MustCompile(`[^\x{202f}!?\s][;!?»]|[ \x{a0}][;!?»]`)},
	{"no narrow no-break space before :", regexp.MustCompile(`[\pL\d)»] ?:(\s|$)|\x{a0}:`)},
	{"no narrow no-break space after «", regexp.MustCompile(`«[^\x{202f}]`)},
	{"three points instead of …", regexp.MustCompile(`\.\.\.`)},
	{"a space at an end", regexp.MustCompile(`^\s|\s$`)},
	{"a percent sign without its narrow space", regexp.MustCompile(`[\d}]%|[ \x{a0}]%`)},
}

// yamlSample is an example of the catalogue file inside a sentence: it keeps
// the typography of YAML.
var yamlSample = regexp.MustCompile(`[a-z_]+: [a-z_]*:? ?\[.*\]`)

func TestFrenchTypography(t *testing.T) {
	t.Parallel()
	for code, s := range loaded()["fr"] {
		text := yamlSample.ReplaceAllString(placeholder.ReplaceAllString(s, "1"), "x")
		for _, fault := range frenchFaults {
			if fault.pattern.MatchString(text) {
				t.Errorf("%s: %s in %q", code, fault.name, s)
			}
		}
	}
}

func TestSentence(t *testing.T) {
	t.Parallel()
	when := time.Date(2026, 11, 1, 14, 5, 0, 0, time.UTC)
	cases := []struct{ name, lang, code, want string }{
		{"plural of zero", "fr", "n=0", "il y a 0 jour"},
		{"plural of zero in English", "en", "n=0", "0 days ago"},
		{"one", "it", "n=1", "1 giorno fa"},
		{"thousands", "fr", "n=1214", "il y a 1 214 jours"},
		{"unknown language", "de", "n=2", "il y a 2 jours"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var n int
			if err := json.Unmarshal([]byte(strings.TrimPrefix(c.code, "n=")), &n); err != nil {
				t.Fatal(err)
			}
			if got := spaces.Replace(Say(c.lang, "ui.ago.days", "n", n)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got, want := spaces.Replace(Say("fr", "compare.agreement", "share", .567)), "56,7 % des deux côtés."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := spaces.Replace(Date("fr", when)), "1er novembre 2026"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := spaces.Replace(Clock("fr", when)), "14 h 05"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := spaces.Replace(Distance("fr", 1234)), "1,2 km"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Sentence("fr", geo.Say("no.such-code", "a", 1)); !strings.Contains(got, "no.such-code") {
		t.Errorf("got %q, want the code", got)
	}
}

func TestLang(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ asked, accept, want string }{
		{"it", "en", "it"}, {"", "de, en-GB;q=0.8", "en"}, {"xx", "", "fr"}, {"", "it-IT", "it"},
	} {
		if got := Lang(c.asked, c.accept); got != c.want {
			t.Errorf("Lang(%q, %q): got %s, want %s", c.asked, c.accept, got, c.want)
		}
	}
}
