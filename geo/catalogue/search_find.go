package catalogue

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// searchCandidates is how many results are scored: those that have most of the
// words in their title first, then the widest and best described.
const searchCandidates = 200

type scored struct {
	id    geo.DatasetID
	score float64
}

type found struct {
	groups []group  // of all results, whatever the facets
	top    []scored // one page of those that the facets leave
}

// find runs the question. Relaxed, one of its units is enough.
func (f *Finder) find(ctx context.Context, db postgis.DB, q SearchQuery, asked question, relaxed bool) (found, error) {
	s, err := f.sieve(ctx, db, asked)
	if err != nil {
		return found{}, err
	}
	want := s.wanted(asked, relaxed)
	if _, err := db.Exec(ctx, plansMade); err != nil {
		return found{}, fmt.Errorf("search: %w", postgis.Kind(err))
	}
	rows, err := db.Query(ctx, findSQL(q, want), s.args.with(q, asked.plain))
	if err != nil {
		return found{}, fmt.Errorf("search: %w", postgis.Kind(err))
	}
	var res found
	var id *int64
	var n *float64
	var packed []byte
	_, err = pgx.ForEachRow(rows, []any{&id, &n, &packed}, func() error {
		if id == nil {
			res.groups = unpack(packed)
		} else {
			res.top = append(res.top, scored{geo.DatasetID(*id), *n})
		}
		return nil
	})
	if err == nil {
		_, err = db.Exec(ctx, plansKept)
	}
	if err != nil {
		return found{}, fmt.Errorf("search: %w", postgis.Kind(err))
	}
	return res, nil
}

// A wanted is a question as SQL: all is the condition on what a dataset has, ""
// for all of them; titles how many units its title has; here whether it is of
// the very place.
type wanted struct{ all, titles, here string }

// wanted writes the question, and its parameters.
func (s *sieve) wanted(asked question, relaxed bool) wanted {
	var own, wide, ownKey, wideKey, must, titled []string
	elsewhere := "false"
	for i := range asked.units {
		u := &asked.units[i]
		if len(u.any) == 0 && u.begun == "" {
			continue
		}
		has := s.unit(u)
		titled = append(titled, inTitle(has))
		if u.place {
			elsewhere = has
			continue
		}
		must = append(must, has)
		typed, any := u.queries("")
		own, wide = append(own, typed), append(wide, any)
		typed, any = u.queries("AB")
		ownKey, wideKey = append(ownKey, typed), append(wideKey, any)
	}
	near, w := asked.near, wanted{strings.Join(must, " and "), s.titles(titled), "false"}
	switch {
	case relaxed:
		near, w.all = nil, cmp.Or(strings.Join(must, " or "), "false")
	case near != nil:
		around := make([]string, len(near))
		for i, code := range near {
			around[i] = area(code)
		}
		w.here = s.any(around[:1])
		w.all = strings.Join(append(must, "("+s.any(around)+" or "+elsewhere+")"), " and ")
	}
	maps.Copy(s.args, parameters{
		"own": nonNil(own), "wide": nonNil(wide), "own_key": nonNil(ownKey), "wide_key": nonNil(wideKey), "near": nonNil(near),
	})
	return w
}

// parameters are those of findSQL.
type parameters pgx.NamedArgs

// with adds what is asked beside words and places.
func (p parameters) with(q SearchQuery, plain string) pgx.NamedArgs {
	maps.Copy(p, parameters{
		"plain": plain, "age": q.age(), "limit": q.Limit, "offset": q.Offset, "candidates": max(searchCandidates, q.Offset+q.Limit), "scored": searchCandidates,
		"topic": nonNil(q.Topics), "producer": nonNil(q.Producers), "licence": nonNil(q.Licences), "format": nonNil(q.Formats),
		"want": nonNil(q.Wants), "territory": nonNil(q.Territories),
	})
	return pgx.NamedArgs(p)
}

// unpack counts results by profile and age: four bytes each, profile times four
// plus age.
func unpack(b []byte) []group {
	counts := map[uint32]int{}
	for ; len(b) >= 4; b = b[4:] {
		counts[binary.BigEndian.Uint32(b)]++
	}
	groups := make([]group, 0, len(counts))
	for is, n := range counts {
		groups = append(groups, group{int32(is / 4), int32(is % 4), n})
	}
	return groups
}

// A sieve writes conditions on the lexemes of datasets. Lexemes are numbers in
// the index; those that the catalogue does not have are in none of it.
type sieve struct {
	ids  map[string]int32
	with map[string][]int32 // that begin so
	args parameters
}

// sieve looks up what the units of a question and its places are made of.
func (f *Finder) sieve(ctx context.Context, db postgis.DB, asked question) (*sieve, error) {
	var words, begins []string
	for i := range asked.units {
		u := &asked.units[i]
		if u.begun != "" {
			begins = append(begins, u.begun)
		}
		for _, phrase := range u.any {
			words = append(words, phrase...)
		}
	}
	for _, a := range asked.near {
		words = append(words, area(a))
	}
	s := &sieve{map[string]int32{}, map[string][]int32{}, parameters{}}
	rows, err := db.Query(ctx, `
		select '', lexeme, id from search_lexeme where lexeme = any ($1)
		union all
		select b, lexeme, id from unnest($2::text[]) b join search_lexeme on lexeme ~>=~ b and lexeme ~<~ (b || '~') -- letters and digits come before`,
		words, begins)
	if err != nil {
		return nil, fmt.Errorf("look lexemes up: %w", postgis.Kind(err))
	}
	var begin, lexeme string
	var id int32
	_, err = pgx.ForEachRow(rows, []any{&begin, &lexeme, &id}, func() error {
		if begin == "" {
			s.ids[lexeme] = id
		} else {
			s.with[begin] = append(s.with[begin], id)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("look lexemes up: %w", postgis.Kind(err))
	}
	return s, nil
}

// area is the lexeme of an area.
func area(code string) string { return "@" + code }

// arg gives the name of a parameter for a list of lexemes.
func (s *sieve) arg(ids []int32) string {
	name := fmt.Sprint("words", len(s.args))
	s.args[name] = ids
	return "@" + name
}

// any is the condition that a dataset has one of some lexemes.
func (s *sieve) any(lexemes []string) string {
	ids := []int32{}
	for _, l := range lexemes {
		if id, known := s.ids[l]; known {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return "false"
	}
	return "terms && " + s.arg(ids)
}

// unit is the condition that a dataset has a unit: one of its words, or all
// words of one of its phrases.
func (s *sieve) unit(u *unit) string {
	if u.begun != "" {
		if len(s.with[u.begun]) == 0 {
			return "false"
		}
		return "(terms && " + s.arg(s.with[u.begun]) + ")"
	}
	var words, any []string
	for _, phrase := range u.any {
		if len(phrase) == 1 {
			words = append(words, phrase[0])
			continue
		}
		ids := make([]int32, 0, len(phrase))
		for _, l := range phrase {
			if id, known := s.ids[l]; known {
				ids = append(ids, id)
			}
		}
		if len(ids) == len(phrase) {
			any = append(any, "terms @> "+s.arg(ids))
		}
	}
	return "(" + strings.Join(append(any, s.any(words)), " or ") + ")"
}

// inTitle is 1 for what has a unit in its title, else 0.
func inTitle(has string) string { return strings.ReplaceAll(has, "terms ", "titles ") + "::int" }

// titles counts the units that a title has. Most have no word of any: that is
// asked first.
func (s *sieve) titles(units []string) string {
	ids := slices.Concat(slices.Collect(maps.Values(s.ids)), slices.Concat(slices.Collect(maps.Values(s.with))...))
	if len(ids) == 0 || units == nil {
		return "0"
	}
	return "case when titles && " + s.arg(ids) + " then " + strings.Join(units, " + ") + " else 0 end"
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// findSQL is one statement for groups and page: both are of the same instant.
// What is read and carried of every result is narrow: a common word has
// thousands.
func findSQL(q SearchQuery, want wanted) string {
	var b strings.Builder
	b.WriteString(`
		with units as materialized (
			select own::tsquery, wide::tsquery, own_key::tsquery, wide_key::tsquery
			from unnest(@own::text[], @wide::text[], @own_key::text[], @wide_key::text[]) u (own, wide, own_key, wide_key)
		), matched as materialized (
			select dataset_id, profile_id, delivered_at, standing, ` + want.titles + ` as titles, ` + want.here + ` as here,
				case when delivered_at > now() - interval '31 days' then 2 when delivered_at > now() - interval '366 days' then 1 else 0 end as age
			from search_index
			where ` + cmp.Or(want.all, "true"))
	b.WriteString(`
		), left_over as (
			select * from matched m where m.age >= @age`)
	for _, name := range facetNames {
		if len(q.chosen(name)) > 0 {
			b.WriteString(` and m.profile_id in (select id from search_profile where facets -> '` + name + `' ?| @` + name + `)`)
		}
	}
	b.WriteString(`
		), scored as (` + pages[q.Sort] + `)
		select null, null, string_agg(int4send(profile_id * 4 + age), '') from matched
		union all
		(select dataset_id, score, null from scored order by n)`)
	return b.String()
}

// By relevance, results stand in the order of what is known without their
// texts; the first of them are scored and sorted again, and stand before those
// that are not, so that pages never overlap.
const relevance = `
			select dataset_id, score, row_number() over (order by score desc, width desc, merit desc, title_plain, pre) as n
			from (
				select p.*, e.width, e.merit, e.title_plain, case when p.pre <= @scored then (` + scoreSQL + `)::float8 else -p.pre end as score
				from (
					select c.*, row_number() over (order by titles desc, here desc, standing desc, dataset_id) as pre
					from (select * from left_over order by titles desc, here desc, standing desc, dataset_id limit @candidates) c
				) p
				join search_entry e using (dataset_id)
				join search_text t using (dataset_id)
			) s
			order by n limit @limit offset @offset`

// pages are the statements that sort what the facets leave: dataset_id, score
// and n, the place, of one page.
var pages = map[string]string{
	"": relevance, SortRelevance: relevance,
	SortRecent: `
			select dataset_id, 0::float8 as score, row_number() over (order by delivered_at desc nulls last, dataset_id) as n
			from (select * from left_over order by delivered_at desc nulls last, dataset_id limit @candidates) c order by n limit @limit offset @offset`,
	SortTitle: `
			select dataset_id, 0::float8 as score, row_number() over (order by title_plain, dataset_id) as n
			from (select l.dataset_id, e.title_plain from left_over l join search_entry e using (dataset_id)
				order by e.title_plain, l.dataset_id limit @candidates) c order by n limit @limit offset @offset`,
}

// scoreSQL adds up: how many of the words the title has as asked (1) or as
// synonyms (0.6), or else its keywords (0.8, 0.4), and how much of the title
// they are; what else of the text has them; being the title itself; how near
// the place is, or, with none asked, how wide; and how well it is described.
const scoreSQL = `
	coalesce((select sum(case when e.title_words @@ u.own then 1.0 when t.words @@ u.own_key then 0.8
			when e.title_words @@ u.wide then 0.6 when t.words @@ u.wide_key then 0.4 else 0 end)
		/ count(*) * (2 + 1.5 / (1 + cardinality(string_to_array(e.title_plain, ' '))))
		+ avg(ts_rank('{0.1, 0.2, 0.6, 0.6}', t.words, u.own)) * 1.2 + avg(ts_rank('{0.1, 0.2, 0.6, 0.6}', t.words, u.wide)) * 0.4
		from units u), 0)
	+ case when e.title_plain = @plain then 2 else 0 end
	+ case when cardinality(@near::text[]) > 0 then coalesce(0.9 - 0.25 * (array_position(@near::text[], (select a from unnest(e.areas) a
		where a = any (@near::text[]) order by array_position(@near::text[], a) limit 1)) - 1), 0) else 0.25 * e.width end
	+ 0.2 * e.merit`
