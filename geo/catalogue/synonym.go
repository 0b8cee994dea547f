package catalogue

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/runes"
	"golang.org/x/text/transform"
	"golang.org/x/text/unicode/norm"
)

//go:embed synonyms.txt
var synonymFile string

// phraseLength is the most words of a synonym that are looked for in a
// question.
const phraseLength = 4

// A thesaurus gives, for a phrase in its base form, the other phrases that
// mean the same or less.
type thesaurus map[string][]string

// synonyms is read once: the file is embedded and its test reads it too.
var synonyms = sync.OnceValue(func() thesaurus { return readSynonyms(synonymFile) })

func readSynonyms(file string) thesaurus {
	t := thesaurus{}
	add := func(from []string, to []string) {
		for _, f := range from {
			key := base(f)
			for _, o := range to {
				if o = strings.Join(split(o), " "); base(o) != key && !slices.Contains(t[key], o) {
					t[key] = append(t[key], o)
				}
			}
		}
	}
	for line := range strings.Lines(file) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		asked, found, oneWay := strings.Cut(line, ">")
		from := phrases(asked)
		if oneWay {
			add(from, phrases(found))
		} else {
			add(from, from)
		}
	}
	return t
}

func phrases(list string) []string {
	var all []string
	for p := range strings.SplitSeq(list, ",") {
		if p = strings.TrimSpace(p); p != "" {
			all = append(all, p)
		}
	}
	return all
}

// base is a phrase without accents, case, small words and plural endings:
// "pistes cyclables" and "piste cyclable" are one.
func base(phrase string) string {
	var list []string
	for _, w := range split(phrase) {
		if !small[w] {
			list = append(list, singular(w))
		}
	}
	return strings.Join(list, " ")
}

func singular(w string) string {
	if len(w) > 3 && (w[len(w)-1] == 's' || w[len(w)-1] == 'x') {
		return w[:len(w)-1]
	}
	return w
}

// small are the words between the words of a phrase.
var small = map[string]bool{
	"l": true, "le": true, "la": true, "les": true, "d": true, "de": true, "du": true, "des": true, "a": true, "au": true, "aux": true,
	"en": true, "et": true, "of": true, "the": true, "and": true, "di": true, "da": true, "dei": true, "del": true, "dell": true, "della": true,
	"delle": true, "il": true, "lo": true, "gli": true, "i": true, "un": true, "une": true, "pour": true, "sur": true, "dans": true, "par": true,
}

// split takes a text apart into words of letters and digits, without accents
// and case.
func split(text string) []string {
	return strings.FieldsFunc(Plain(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// Plain takes accents and case off a text.
func Plain(s string) string {
	// A transformer keeps state: one for each call.
	t := transform.Chain(norm.NFD, runes.Remove(runes.In(unicode.Mn)), norm.NFC)
	out, _, err := transform.String(t, s)
	if err != nil {
		out = s
	}
	return strings.NewReplacer("œ", "oe", "æ", "ae", "ß", "ss").Replace(strings.ToLower(out))
}
