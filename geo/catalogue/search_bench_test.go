package catalogue_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

// large adds datasets whose words are as unequal as real ones: word k of
// 30,000 comes with a chance of 1/(50+k), Zipf's law without its first fifty,
// which are the small words that search leaves out; so the commonest is in one
// dataset of nine. Titles have 4 to 9, descriptions 30. The words are those of
// the questions' datasets first, then made up.
func large(tb testing.TB, h *postgis.Hub, n int) {
	rng := rand.New(rand.NewPCG(1, 2))
	var words []string
	for _, q := range table(tb, "testdata/search/datasets.tsv") {
		for _, w := range strings.Fields(q[3]) {
			if !slices.Contains(words, w) {
				words = append(words, w)
			}
		}
	}
	syllables := []string{"ba", "cor", "de", "fi", "gra", "lu", "mon", "ne", "pi", "ro", "sa", "ti", "ver", "zo", "lin", "tour", "mar", "ce"}
	for len(words) < 30_000 {
		w := ""
		for range 2 + rng.IntN(3) {
			w += syllables[rng.IntN(len(syllables))]
		}
		words = append(words, w)
	}
	zipf := rand.NewZipf(rng, 1.0001, 50, uint64(len(words)-1))
	text := func(n int) string {
		s := ""
		for range n {
			s += words[zipf.Uint64()] + " "
		}
		return s
	}
	producers := make([]string, 300)
	for i := range producers {
		producers[i] = fmt.Sprintf("p%d", i)
	}
	exec := func(sql string, args ...any) {
		tb.Helper()
		if _, err := h.Owner.Exec(tb.Context(), sql, args...); err != nil {
			tb.Fatal(err)
		}
	}
	exec(`insert into producer (id, title) select p, jsonb_build_object('fr', 'Organisme ' || p) from unnest($1::text[]) p`, producers)
	exec(`insert into licence (id, title, class) values ('odbl-1.0', '{"fr": "ODbL"}', 'green-odbl'), ('cc0', '{"fr": "CC0"}', 'green')`)
	topics := []string{"culture", "transports", "tourisme", "environnement", "agriculture", "energie", "urbanisme", "air-climat"}
	licences := []string{"lo-2.0", "lo-2.0", "lo-2.0", "odbl-1.0", "cc0"}
	for done := 0; done < n; done += 10_000 {
		var slugs, makers, titles, descriptions, themes, permits, territories []string
		var ages []int
		for i := range 10_000 {
			slugs = append(slugs, fmt.Sprintf("g%d", done+i))
			makers = append(makers, producers[int(float64(len(producers))*math.Pow(rng.Float64(), 3))])
			titles, descriptions = append(titles, text(4+rng.IntN(6))), append(descriptions, text(30))
			themes, permits = append(themes, topics[rng.IntN(8)]), append(permits, licences[rng.IntN(5)])
			territories = append(territories, communes[rng.IntN(len(communes))][0])
			ages = append(ages, rng.IntN(1500))
		}
		exec(`
			insert into dataset (slug, producer_id, licence_id, title, description, territory, delivered_at)
			select s, p, l, jsonb_build_object('fr', t), jsonb_build_object('fr', d), jsonb_build_array(c), now() - a * interval '1 day'
			from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[]) r (s, p, l, t, d, c, a)`,
			slugs, makers, permits, titles, descriptions, territories, ages)
		exec(`insert into dataset_topic (dataset_id, topic_id) select d.id, t from unnest($1::text[], $2::text[]) r (s, t) join dataset d on d.slug = r.s`, slugs, themes)
		exec(`
			insert into chain_step (dataset_id, chain, number, from_state, to_state, why, body)
			select id, 'partner', 1, 'counted', 'open', false, 'test' from dataset d where slug = any ($1)`, slugs)
	}
	exec(`vacuum analyze`)
}

// BenchmarkSearch asks the two hundred questions of 100,000 datasets, facet
// counts included, and says the times that half and 95 of 100 stay below.
func BenchmarkSearch(b *testing.B) {
	h, _ := library(b)
	large(b, h, 100_000)
	f := catalogue.NewFinder(h.Web)
	if err := f.Warm(b.Context()); err != nil {
		b.Fatal(err)
	}
	queries := table(b, "testdata/search/queries.tsv")
	var times []time.Duration
	var slowest string
	var worst time.Duration
	results := 0
	b.ResetTimer()
	for i := range b.N {
		q := queries[i%len(queries)]
		start := time.Now()
		res, err := f.Search(b.Context(), catalogue.SearchQuery{Text: q[1]})
		if err != nil {
			b.Fatal(err)
		}
		took := time.Since(start)
		times, results = append(times, took), results+res.Total
		if took > worst {
			worst, slowest = took, fmt.Sprintf("%q: %d results, %v", q[1], res.Total, took)
		}
	}
	b.StopTimer()
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-ms")
	b.ReportMetric(float64(results)/float64(b.N), "results/query")
	b.Logf("slowest: %s", slowest)
}
