package catalogue

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// A question is a text as it was understood: units that must all be found,
// each in its own words or in others that mean the same.
type question struct {
	units     []unit
	plain     string // all words as typed, plain: to know a title again
	place     *Place
	near      []string // areas that have to do with the place, the nearest first
	corrected string
}

// A unit is a word or phrase of the question.
type unit struct {
	own   []stems // of the words as typed, or as corrected; any of them will do
	any   []stems // those, and of what means the same
	begun string  // instead of both: what words begin with
	place bool    // it is the place's name: what lies there need not say it
}

// stems are the lexemes of a phrase in one language, all of which a text must
// have.
type stems []string

// tsquery asks for the texts that have one of the phrases, with these weights;
// "" for all.
func tsquery(list []stems, weights string) string {
	quote := strings.NewReplacer("'", "''", `\`, `\\`)
	phrases := make([]string, len(list))
	for i, p := range list {
		words := make([]string, len(p))
		for j, lexeme := range p {
			words[j] = "'" + quote.Replace(lexeme) + "':" + weights
		}
		phrases[i] = "(" + strings.Join(words, " & ") + ")"
	}
	return strings.Join(phrases, " | ")
}

// queries gives the unit as two tsqueries.
func (u *unit) queries(weights string) (own, wide string) {
	if u.begun != "" {
		q := "'" + u.begun + "':*" + weights // letters and digits only
		return q, q
	}
	wide = tsquery(u.any, weights)
	if len(u.own) == 0 {
		return wide, wide
	}
	return tsquery(u.own, weights), wide
}

// A span is a phrase of the question before its words are known.
type span struct {
	words []string
	place *Place
}

var inseeCode = regexp.MustCompile(`^(?:[0-9]{2}|2[ab]|97)[0-9]{3}$`)

// understand takes a text apart: places first, then phrases with synonyms, then
// words; those that the catalogue does not know are corrected.
func (f *Finder) understand(ctx context.Context, db postgis.DB, text string) (question, error) {
	words := split(text)
	words = words[:min(len(words), searchWords)]
	q := question{plain: strings.Join(words, " ")}
	if len(words) == 0 {
		return q, nil
	}
	spans, err := f.spans(ctx, db, words)
	if err != nil {
		return q, err
	}
	var asked []string
	for _, s := range spans {
		asked = append(asked, strings.Join(s.words, " "))
	}
	known, err := f.known(ctx, db, asked)
	if err != nil {
		return q, err
	}
	changed := false
	for i, s := range spans {
		alternatives := synonyms()[base(asked[i])]
		begun := ""
		if s.place == nil && len(s.words) == 1 && len(alternatives) == 0 && known[asked[i]] != exactWord {
			better, err := f.better(ctx, db, asked[i], known[asked[i]] == sameStem)
			if err != nil {
				return q, err
			}
			switch {
			case better.begun:
				begun = asked[i]
			case better.place != nil && q.place == nil:
				s.place, changed = better.place, true
				asked[i] = strings.Join(split(better.place.Name), " ")
			case len(better.words) > 0:
				alternatives = append(slices.Clone(better.words[1:]), synonyms()[base(better.words[0])]...)
				asked[i], changed = better.words[0], true
			}
		}
		if s.place != nil && q.place == nil {
			q.place, q.near = s.place, near(s.place)
		}
		u, err := f.unit(ctx, db, asked[i], alternatives)
		if err != nil {
			return q, err
		}
		u.begun = begun
		u.place = s.place != nil && s.place == q.place
		if len(u.any) > 0 || u.begun != "" || u.place {
			q.units = append(q.units, u)
		}
	}
	if changed {
		q.corrected = strings.Join(asked, " ")
	}
	return q, nil
}

// spans cuts the words into the longest places and phrases with synonyms;
// small words between them are left out unless there is nothing else.
func (f *Finder) spans(ctx context.Context, db postgis.DB, words []string) ([]span, error) {
	var phrases, codes []string
	for i := range words {
		for n := 1; n <= 5 && i+n <= len(words); n++ {
			phrases = append(phrases, strings.Join(words[i:i+n], " "))
		}
		if inseeCode.MatchString(words[i]) {
			codes = append(codes, strings.ToUpper(words[i]))
		}
	}
	rows, err := db.Query(ctx, `select code, kind, name, plain from search_place where plain = any ($1) or code = any ($2) order by code`, phrases, codes)
	if err != nil {
		return nil, fmt.Errorf("look for places: %w", postgis.Kind(err))
	}
	places := map[string]*Place{}
	var p Place
	var name string
	_, err = pgx.ForEachRow(rows, []any{&p.Code, &p.Kind, &p.Name, &name}, func() error {
		c := p
		places[name], places[strings.ToLower(p.Code)] = &c, &c
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look for places: %w", postgis.Kind(err))
	}
	var list, all []span
	for i := 0; i < len(words); {
		s := longest(words[i:], places)
		i += len(s.words)
		all = append(all, s)
		if s.place != nil || len(s.words) > 1 || !small[s.words[0]] && len(s.words[0]) > 1 {
			list = append(list, s)
		}
	}
	if list == nil {
		list = all
	}
	return list, nil
}

func longest(words []string, places map[string]*Place) span {
	for n := min(5, len(words)); n > 0; n-- {
		phrase := strings.Join(words[:n], " ")
		if p := places[phrase]; p != nil {
			return span{words[:n], p}
		}
		if n > 1 && n <= phraseLength && !small[words[0]] && !small[words[n-1]] && synonyms()[base(phrase)] != nil {
			return span{words[:n], nil}
		}
	}
	return span{words[:1], nil}
}

// near lists the areas that a dataset about a place may have, the nearest
// first.
func near(p *Place) []string {
	switch p.Kind {
	case "commune":
		department := p.Code[:2]
		if strings.HasPrefix(p.Code, "97") {
			department = p.Code[:3]
		}
		return []string{p.Code, "D" + department, "R93", "*"}
	case "department":
		return []string{p.Code, "in:" + p.Code, "R93", "*"}
	default:
		return []string{p.Code, "*"}
	}
}

// A familiarity is how well the catalogue knows a phrase.
type familiarity string

const (
	unknown   familiarity = ""
	sameStem  familiarity = "stem" // it has words of the same stem
	exactWord familiarity = "word" // it has the very word
)

// known tells how well the catalogue knows the phrases, in any language.
func (f *Finder) known(ctx context.Context, db postgis.DB, phrases []string) (map[string]familiarity, error) {
	rows, err := db.Query(ctx, `
		select p, case when exists (select from search_word where word = p) then 'word' else 'stem' end
		from unnest($1::text[]) p
		where exists (select from search_lexeme where lexeme = any (
			tsvector_to_array(to_tsvector('public.fr', p)) || tsvector_to_array(to_tsvector('public.en', p)) || tsvector_to_array(to_tsvector('public.it', p))))`,
		phrases)
	if err != nil {
		return nil, fmt.Errorf("look words up: %w", postgis.Kind(err))
	}
	known := map[string]familiarity{}
	var phrase string
	var is familiarity
	if _, err = pgx.ForEachRow(rows, []any{&phrase, &is}, func() error { known[phrase] = is; return nil }); err != nil {
		return nil, fmt.Errorf("look words up: %w", postgis.Kind(err))
	}
	return known, nil
}

// unit finds the lexemes of a phrase and of what means the same. A small word
// of any of the three languages gives none: it would narrow the search for
// nothing.
func (f *Finder) unit(ctx context.Context, db postgis.DB, phrase string, alternatives []string) (unit, error) {
	phrases := append([]string{phrase}, alternatives...)
	if err := f.stem(ctx, db, phrases); err != nil {
		return unit{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	u := unit{own: f.lexemes[phrase]}
	for _, p := range phrases {
		u.any = append(u.any, f.lexemes[p]...)
	}
	return u, nil
}

// stem fills f.lexemes for phrases that are not there yet. What the typed words
// of strangers stem to is not kept beyond some size.
func (f *Finder) stem(ctx context.Context, db postgis.DB, phrases []string) error {
	f.mu.Lock()
	if len(f.lexemes) > 20_000 {
		clear(f.lexemes)
	}
	missing := slices.DeleteFunc(slices.Clone(phrases), func(p string) bool { _, known := f.lexemes[p]; return known })
	f.mu.Unlock()
	if len(missing) == 0 {
		return nil
	}
	rows, err := db.Query(ctx, `
		select p, tsvector_to_array(to_tsvector('public.fr', p)), tsvector_to_array(to_tsvector('public.en', p)),
			tsvector_to_array(to_tsvector('public.it', p)), tsvector_to_array(to_tsvector('simple', p))
		from unnest($1::text[]) p`, missing)
	if err != nil {
		return fmt.Errorf("find the stems of words: %w", postgis.Kind(err))
	}
	found := map[string][]stems{}
	var p string
	var l [4]stems
	_, err = pgx.ForEachRow(rows, []any{&p, &l[0], &l[1], &l[2], &l[3]}, func() error {
		var list []stems
		for _, s := range l {
			if len(s) == 0 {
				list = nil
				break
			}
			if !slices.ContainsFunc(list, func(o stems) bool { return slices.Equal(o, s) }) {
				list = append(list, slices.Clone(s))
			}
		}
		found[p] = list
		return nil
	})
	if err != nil {
		return fmt.Errorf("find the stems of words: %w", postgis.Kind(err))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for p, list := range found {
		f.lexemes[p] = list
	}
	return nil
}
