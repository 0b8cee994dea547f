package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// facets are what a dataset is to the filters beside the results. Datasets
// with the same ones share a profile: a third of a large catalogue is counted
// by a few hundred profiles.
type facets struct {
	Topic, Producer, Licence, Format, Want, Territory []string
}

var facetNames = [...]string{"topic", "producer", "licence", "format", "want", "territory"}

// A profile is facets by number: for each facet, in the order of facetNames,
// places in vocabulary.values. Thousands of them are counted for a question.
type profile [len(facetNames)][]int32

// A vocabulary numbers the values of a facet as they come.
type vocabulary struct {
	values []string
	number map[string]int32
}

func (v *vocabulary) numbers(values []string) []int32 {
	list := make([]int32, len(values))
	for i, s := range values {
		n, known := v.number[s]
		if !known {
			if v.number == nil {
				v.number = map[string]int32{}
			}
			n = int32(len(v.values))
			v.values, v.number[s] = append(v.values, s), n
		}
		list[i] = n
	}
	return list
}

// chosen gives what the query asks of each facet; -1 for what nothing has.
func (f *Finder) chosen(q *SearchQuery) (want profile) {
	for i, name := range facetNames {
		for _, v := range q.chosen(name) {
			n, known := f.words[i].number[v]
			if !known {
				n = -1
			}
			want[i] = append(want[i], n)
		}
	}
	return want
}

// chosen gives what the query asks of a facet.
func (q *SearchQuery) chosen(name string) []string {
	switch name {
	case "topic":
		return q.Topics
	case "producer":
		return q.Producers
	case "licence":
		return q.Licences
	case "format":
		return q.Formats
	case "want":
		return q.Wants
	default:
		return q.Territories
	}
}

// A group counts the results of one profile and age.
type group struct {
	profile int32
	age     int32 // 2 within a month, 1 within a year, 0 older or unknown
	count   int
}

func (q *SearchQuery) age() int32 {
	switch q.Fresh {
	case "month":
		return 2
	case "year":
		return 1
	default:
		return 0
	}
}

// count fills total and facets. A facet's counts are of the results that all
// other facets leave, so that a second value of it can be chosen beside the
// first.
func (f *Finder) count(ctx context.Context, db postgis.DB, q SearchQuery, groups []group, res *SearchResult) error {
	if err := f.learn(ctx, db, groups); err != nil {
		return err
	}
	counts := map[string]map[string]int{}
	f.mu.Lock()
	sums, fresh := f.sum(&q, groups, res)
	for i, name := range facetNames {
		counts[name] = map[string]int{}
		for v, n := range sums[i] {
			if n > 0 {
				counts[name][f.words[i].values[v]] = n
			}
		}
	}
	f.mu.Unlock()
	res.Facets = map[string][]FacetCount{"fresh": {{Value: "month", Count: fresh[2]}, {Value: "year", Count: fresh[1]}}}
	return f.label(ctx, db, q, counts, res)
}

// sum counts by facet and number of a value, and by age. f.mu is held.
func (f *Finder) sum(q *SearchQuery, groups []group, res *SearchResult) (sums [len(facetNames)][]int, fresh [3]int) {
	want := f.chosen(q)
	for i := range sums {
		sums[i] = make([]int, len(f.words[i].values))
	}
	for _, g := range groups {
		p := f.profiles[g.profile]
		if p == nil {
			continue
		}
		missing, failed := 0, 0
		for i := range want {
			if len(want[i]) > 0 && !overlap(p[i], want[i]) {
				missing, failed = missing+1, i
			}
		}
		if missing == 0 {
			for a := range g.age + 1 {
				fresh[a] += g.count
			}
		}
		if g.age < q.age() || missing > 1 {
			continue
		}
		if missing == 0 {
			res.Total += g.count
		}
		for i := range p {
			if missing == 0 || failed == i {
				for _, v := range p[i] {
					sums[i][v] += g.count
				}
			}
		}
	}
	return sums, fresh
}

func overlap(a, b []int32) bool {
	return slices.ContainsFunc(a, func(n int32) bool { return slices.Contains(b, n) })
}

// Warm reads all profiles, so that nobody who searches has to wait for them.
// What comes later is read when it is met.
func (f *Finder) Warm(ctx context.Context) error {
	return f.read(ctx, f.pool, `select id, facets from search_profile where id in (select profile_id from search_index)`)
}

// learn reads the profiles that are not known yet.
func (f *Finder) learn(ctx context.Context, db postgis.DB, groups []group) error {
	var missing []int32
	f.mu.Lock()
	for _, g := range groups {
		if f.profiles[g.profile] == nil {
			missing = append(missing, g.profile)
		}
	}
	f.mu.Unlock()
	if len(missing) == 0 {
		return nil
	}
	return f.read(ctx, db, `select id, facets from search_profile where id = any ($1)`, missing)
}

func (f *Finder) read(ctx context.Context, db postgis.DB, sql string, args ...any) error {
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return fmt.Errorf("read the facets: %w", postgis.Kind(err))
	}
	read := map[int32]*facets{}
	var id int32
	var p facets
	_, err = pgx.ForEachRow(rows, []any{&id, &p}, func() error {
		c := p
		read[id], p = &c, facets{}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the facets: %w", postgis.Kind(err))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, p := range read {
		f.profiles[id] = &profile{
			f.words[0].numbers(p.Topic), f.words[1].numbers(p.Producer), f.words[2].numbers(p.Licence),
			f.words[3].numbers(p.Format), f.words[4].numbers(p.Want), f.words[5].numbers(p.Territory),
		}
	}
	return nil
}

// label orders the counts, the most first but topics as the portal has them,
// and says their titles. A chosen value stays, even with nothing left.
func (f *Finder) label(ctx context.Context, db postgis.DB, q SearchQuery, counts map[string]map[string]int, res *SearchResult) error {
	for _, name := range facetNames {
		for _, v := range q.chosen(name) {
			counts[name][v] += 0
		}
	}
	keys := func(name string) []string {
		list := make([]string, 0, len(counts[name]))
		for v := range counts[name] {
			list = append(list, v)
		}
		return list
	}
	found := slices.DeleteFunc(keys("producer"), func(v string) bool { return counts["producer"][v] == 0 })
	rows, err := db.Query(ctx, `
		select 'topic', id, title, position from topic
		union all select 'producer', p.id, p.title, 0 from producer p where p.id = any ($1)
			and (p.id = any ($4) or exists (select from public_dataset d where d.producer_id = p.id)) -- of what was found, or chosen
		union all select 'licence', id, title, 0 from licence where id = any ($2)
		union all select 'territory', code, jsonb_build_object('fr', name), 0 from search_place where code = any ($3)`,
		keys("producer"), keys("licence"), keys("territory"), found)
	if err != nil {
		return fmt.Errorf("read the titles of facets: %w", postgis.Kind(err))
	}
	titles, order := map[string]geo.Text{}, map[string]int{}
	var name, value string
	var title geo.Text
	var position int
	_, err = pgx.ForEachRow(rows, []any{&name, &value, &title, &position}, func() error {
		if name == "topic" {
			counts[name][value] += 0
		}
		titles[name+" "+value], order[name+" "+value] = title, position
		title = nil
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the titles of facets: %w", postgis.Kind(err))
	}
	for _, name := range facetNames {
		list := []FacetCount{}
		for v, n := range counts[name] {
			list = append(list, FacetCount{Value: v, Title: titles[name+" "+v], Count: n})
		}
		slices.SortFunc(list, func(a, b FacetCount) int {
			return cmp.Or(cmp.Compare(order[name+" "+a.Value], order[name+" "+b.Value]), cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
		})
		res.Facets[name] = list
	}
	return nil
}
