package catalogue

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// searchCandidates is how many results are scored: those that have the words
// in their title first, then the widest and best described.
const searchCandidates = 600

type scored struct {
	id    geo.DatasetID
	score float64
}

type found struct {
	groups []group  // of all results, whatever the facets
	top    []scored // one page of those that the facets leave
}

// find runs the question. Relaxed, one of its units is enough.
func (f *Finder) find(ctx context.Context, q SearchQuery, asked question, relaxed bool) (found, error) {
	var own, wide []string // of each unit
	var must, either []string
	elsewhere := ""
	for _, u := range asked.units {
		if u.any == "" {
			continue
		}
		either = append(either, "("+u.any+")")
		if u.place {
			elsewhere = u.any
			continue
		}
		own, wide = append(own, or(u.own, u.any)), append(wide, u.any)
		must = append(must, "("+u.any+")")
	}
	all := strings.Join(must, " & ")
	if relaxed {
		all, elsewhere = strings.Join(must, " | "), ""
	}
	near := asked.near
	if relaxed {
		near = nil
	}
	args := pgx.NamedArgs{
		"all": all, "either": strings.Join(either, " | "), "own": nonNil(own), "wide": nonNil(wide), "own_key": keys(own), "wide_key": keys(wide), "near": near, "elsewhere": elsewhere,
		"plain": asked.plain, "age": q.age(), "limit": q.Limit, "offset": q.Offset, "candidates": max(searchCandidates, q.Offset+q.Limit), "scored": searchCandidates,
		"topic": nonNil(q.Topics), "producer": nonNil(q.Producers), "licence": nonNil(q.Licences), "format": nonNil(q.Formats),
		"want": nonNil(q.Wants), "territory": nonNil(q.Territories),
	}
	rows, err := f.db.Query(ctx, findSQL(q, all != "", near != nil), args)
	if err != nil {
		return found{}, fmt.Errorf("search: %w", postgis.Kind(err))
	}
	var res found
	var id int64
	var age int32
	var n float64
	var isGroup bool
	_, err = pgx.ForEachRow(rows, []any{&isGroup, &id, &age, &n}, func() error {
		if isGroup {
			res.groups = append(res.groups, group{int32(id), age, int(n)})
		} else {
			res.top = append(res.top, scored{geo.DatasetID(id), n})
		}
		return nil
	})
	if err != nil {
		return found{}, fmt.Errorf("search: %w", postgis.Kind(err))
	}
	return res, nil
}

var lexeme = regexp.MustCompile(`'[^']+'(:\*)?`)

// keys are the tsqueries for what stands in titles and keywords only.
func keys(queries []string) []string {
	list := make([]string, len(queries))
	for i, q := range queries {
		list[i] = lexeme.ReplaceAllStringFunc(q, func(l string) string {
			if begun, found := strings.CutSuffix(l, ":*"); found {
				return begun + ":*AB"
			}
			return l + ":AB"
		})
	}
	return list
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func nonNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// findSQL is one statement for groups and page: both are of the same instant.
// What is carried of every result is narrow: a common word has thousands.
func findSQL(q SearchQuery, text, place bool) string {
	var b strings.Builder
	b.WriteString(`
		with units as materialized (
			select own::tsquery, wide::tsquery, own_key::tsquery, wide_key::tsquery
			from unnest(@own::text[], @wide::text[], @own_key::text[], @wide_key::text[]) u (own, wide, own_key, wide_key)
		), matched as materialized (
			select e.dataset_id, e.profile_id, ` + orders[q.Sort].carries + `,
				case when e.delivered_at > now() - interval '31 days' then 2 when e.delivered_at > now() - interval '366 days' then 1 else 0 end as age
			from search_entry e`)
	switch {
	case text && place:
		b.WriteString(` join search_text t using (dataset_id) where t.words @@ @all::tsquery and (e.areas && @near::text[] or t.words @@ @elsewhere::tsquery)`)
	case text:
		b.WriteString(` join search_text t using (dataset_id) where t.words @@ @all::tsquery`)
	case place:
		b.WriteString(` where e.areas && @near::text[]`)
	}
	b.WriteString(`
		), left_over as (
			select * from matched m where m.age >= @age`)
	for _, name := range facetNames {
		if len(q.chosen(name)) > 0 {
			b.WriteString(` and m.profile_id in (select id from search_profile where facets -> '` + name + `' ?| @` + name + `)`)
		}
	}
	b.WriteString(`
		), scored as (` + orders[q.Sort].page + `)
		select true, profile_id::bigint, age, count(*)::float8 from matched group by profile_id, age
		union all
		(select false, dataset_id, 0, score from scored order by n)`)
	return b.String()
}

// An order is a way to sort results: what it needs of each, and its page as
// dataset_id, score and n, the place.
type order struct{ carries, page string }

// By relevance, results stand in the order of what is known without their
// texts; the first of them are scored and sorted again, and stand before those
// that are not, so that pages never overlap.
var relevance = order{`e.title_words @@ @either::tsquery as titled, e.areas && (@near::text[])[1:1] as here, e.width, e.merit`, `
			select dataset_id, score, row_number() over (order by score desc, width desc, merit desc, title_plain, pre) as n
			from (
				select p.*, e.title_plain, case when p.pre <= @scored then (` + scoreSQL + `)::float8 else -p.pre end as score
				from (
					select c.*, row_number() over (order by titled desc, here desc, width desc, merit desc, dataset_id) as pre
					from (select * from left_over order by titled desc, here desc, width desc, merit desc, dataset_id limit @candidates) c
				) p
				join search_entry e using (dataset_id)
				join search_text t using (dataset_id)
			) s
			order by n limit @limit offset @offset`}

var orders = map[string]order{
	"": relevance, SortRelevance: relevance,
	SortRecent: {`e.delivered_at`, `
			select dataset_id, 0::float8 as score, row_number() over (order by delivered_at desc nulls last, dataset_id) as n
			from (select * from left_over order by delivered_at desc nulls last, dataset_id limit @candidates) c order by n limit @limit offset @offset`},
	SortTitle: {`e.title_plain`, `
			select dataset_id, 0::float8 as score, row_number() over (order by title_plain, dataset_id) as n
			from (select * from left_over order by title_plain, dataset_id limit @candidates) c order by n limit @limit offset @offset`},
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
		where a = any (@near::text[]) order by array_position(@near::text[], a) limit 1)) - 1), 0) else 0.25 * p.width end
	+ 0.2 * p.merit`
