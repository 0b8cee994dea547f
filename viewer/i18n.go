package viewer

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"sync"

	"calanque/geo"
)

//go:embed i18n/*.json i18n/parts/*.json
var dictionaries embed.FS

// Languages are what the hub speaks; the first is the one it was written in.
var Languages = []string{"fr", "en", "it"}

// Lang chooses the language of a page: what the URL asks for (?lg=), else the
// best of the Accept-Language header, else French.
func Lang(asked, accept string) string {
	if spoken(asked) {
		return asked
	}
	for part := range strings.SplitSeq(accept, ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(part), ";")
		tag, _, _ = strings.Cut(strings.ToLower(tag), "-")
		if spoken(tag) {
			return tag
		}
	}
	return Languages[0]
}

func spoken(lang string) bool {
	for _, l := range Languages {
		if l == lang {
			return true
		}
	}
	return false
}

// A dictionary holds the sentences of one language by code.
type dictionary map[string]string

// loaded reads all dictionaries, once. A code that two files of a language
// define is a mistake that the test of this package finds.
var loaded = sync.OnceValue(func() map[string]dictionary {
	all := map[string]dictionary{}
	for _, lang := range Languages {
		d := dictionary{}
		for _, file := range dictionaryFiles(lang) {
			data, err := dictionaries.ReadFile(file)
			if err == nil {
				err = json.Unmarshal(data, &d)
			}
			if err != nil {
				panic(fmt.Sprintf("dictionary %s: %v", file, err)) // embedded, and tested
			}
		}
		all[lang] = d
	}
	return all
})

// dictionaryFiles lists the files of a language: the viewer's own, then one
// for each other part of the hub.
func dictionaryFiles(lang string) []string {
	parts, _ := fs.Glob(dictionaries, path.Join("i18n/parts", "*."+lang+".json"))
	return append([]string{"i18n/" + lang + ".json"}, parts...)
}

// Sentence says a message in a language. Numbers, dates and distances among
// its arguments are written as that language writes them. A code without a
// sentence, which the tests refuse, is said as it is, with its arguments.
func Sentence(lang string, m geo.Message) string {
	if !spoken(lang) {
		lang = Languages[0]
	}
	d := loaded()[lang]
	s, ok := d[m.Code]
	if !ok {
		s, ok = d[m.Code+plural(lang, m.Args["n"])]
	}
	if !ok {
		return m.Code + " " + fmt.Sprint(m.Args)
	}
	return fill(lang, s, m.Args)
}

// Say is Sentence for alternating argument names and values.
func Say(lang, code string, args ...any) string { return Sentence(lang, geo.Say(code, args...)) }

// plural gives the suffix of the form that goes with n. French counts 0 and 1
// as one; English and Italian 1 alone.
func plural(lang string, n any) string {
	count, ok := asFloat(n)
	if ok && (count == 1 || lang == "fr" && count >= 0 && count < 2) {
		return ".one"
	}
	return ".other"
}

// placeholder is {name} or {name:format}; the formats are those of format.
var placeholder = regexp.MustCompile(`\{([a-z_0-9]+)(?::([a-z]+))?\}`)

func fill(lang, s string, args map[string]any) string {
	return placeholder.ReplaceAllStringFunc(s, func(found string) string {
		m := placeholder.FindStringSubmatch(found)
		v, ok := args[m[1]]
		if !ok {
			return found
		}
		return format(lang, m[2], v)
	})
}
