package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// A candidate is a word of the catalogue or a place that a misspelt word may
// have meant.
type candidate struct {
	word, sound string
	place       *Place
	distance    int // edits, between what the words sound like
	exact       int // edits, between the words themselves
}

// A correction is what a word that the catalogue does not know may stand for.
type correction struct {
	begun bool     // words begin with it: it was not typed to its end
	place *Place   // or a place
	words []string // or words, the best first
}

// better looks for what a word may stand for. Trigrams of the sound find the
// candidates, edits order them; more than a third of the letters wrong is
// another word. A word whose stem is known stays, unless it sounds just like a
// place.
func (f *Finder) better(ctx context.Context, db postgis.DB, word string, stemKnown bool) (correction, error) {
	if len(word) < 3 {
		return correction{}, nil
	}
	list, sound, err := f.candidates(ctx, db, word)
	if err != nil {
		return correction{}, err
	}
	for i := range list {
		c := &list[i]
		if c.place == nil && !stemKnown && strings.HasPrefix(c.word, word) {
			return correction{begun: true}, nil
		}
		c.distance, c.exact = edits(sound, c.sound), edits(word, c.word)
	}
	worst := max(1, len(sound)/3)
	if stemKnown {
		worst = 0
	}
	list = slices.DeleteFunc(list, func(c candidate) bool {
		return c.distance > worst || stemKnown && (c.place == nil || len(word) < 5)
	})
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.exact, b.exact), cmp.Compare(a.word, b.word))
	})
	if len(list) == 0 {
		return correction{}, nil
	}
	best := list[0]
	if best.place != nil {
		return correction{place: best.place}, nil
	}
	var words []string
	for _, c := range list {
		if c.place == nil && c.distance == best.distance && c.exact <= best.exact+1 && len(words) < 4 {
			words = append(words, c.word)
		}
	}
	return correction{words: words}, nil
}

func (f *Finder) candidates(ctx context.Context, db postgis.DB, word string) ([]candidate, string, error) {
	rows, err := db.Query(ctx, `
		with asked as (select search_sound($1) as sound)
		(select asked.sound, w.word, w.sound, null, null, null
			from asked, (
				select w.word, w.sound from search_word w, asked a where w.sound % a.sound
				union
				select word, sound from search_word where word ~>=~ $1 and word ~<~ ($1 || '~') -- letters and digits come before
			) w
			order by similarity(w.sound, asked.sound) desc, w.word limit 40)
		union all
		(select asked.sound, plain(p.name), p.sound, p.code, p.kind, p.name from asked, search_place p where p.sound % asked.sound
			order by similarity(p.sound, asked.sound) desc, p.code limit 10)`, word)
	if err != nil {
		return nil, "", fmt.Errorf("look for words like %q: %w", word, postgis.Kind(err))
	}
	var list []candidate
	var sound string
	var c candidate
	var code, kind, name *string
	_, err = pgx.ForEachRow(rows, []any{&sound, &c.word, &c.sound, &code, &kind, &name}, func() error {
		if c.place = nil; code != nil {
			c.place = &Place{Code: *code, Kind: *kind, Name: *name}
		}
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, "", fmt.Errorf("look for words like %q: %w", word, postgis.Kind(err))
	}
	return list, sound, nil
}

// edits is the Damerau-Levenshtein distance (optimal string alignment):
// letters put in, left out, changed, or swapped with their neighbour.
func edits(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last, row := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := 1
			if x[i-1] == y[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(y)]
}
