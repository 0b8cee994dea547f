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

// of gives the values of a facet by its name.
func (f *facets) of(name string) []string {
	switch name {
	case "topic":
		return f.Topic
	case "producer":
		return f.Producer
	case "licence":
		return f.Licence
	case "format":
		return f.Format
	case "want":
		return f.Want
	default:
		return f.Territory
	}
}

var facetNames = []string{"topic", "producer", "licence", "format", "want", "territory"}

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
func (f *Finder) count(ctx context.Context, q SearchQuery, groups []group, res *SearchResult) error {
	if err := f.learn(ctx, groups); err != nil {
		return err
	}
	counts := map[string]map[string]int{}
	for _, name := range facetNames {
		counts[name] = map[string]int{}
	}
	fresh := [3]int{}
	f.mu.Lock()
	for _, g := range groups {
		p := f.profiles[g.profile]
		if p == nil {
			continue
		}
		missing, failed := 0, ""
		for _, name := range facetNames {
			if want := q.chosen(name); len(want) > 0 && !overlap(p.of(name), want) {
				missing, failed = missing+1, name
			}
		}
		young := g.age >= q.age()
		if missing == 0 {
			for a := range g.age + 1 {
				fresh[a] += g.count
			}
		}
		if !young || missing > 1 {
			continue
		}
		if missing == 0 {
			res.Total += g.count
		}
		for _, name := range facetNames {
			if missing == 0 || failed == name {
				for _, v := range p.of(name) {
					counts[name][v] += g.count
				}
			}
		}
	}
	f.mu.Unlock()
	res.Facets = map[string][]FacetCount{"fresh": {{Value: "month", Count: fresh[2]}, {Value: "year", Count: fresh[1]}}}
	return f.label(ctx, q, counts, res)
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}

// learn reads the profiles that are not known yet.
func (f *Finder) learn(ctx context.Context, groups []group) error {
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
	rows, err := f.db.Query(ctx, `select id, facets from search_profile where id = any ($1)`, missing)
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
		f.profiles[id] = p
	}
	return nil
}

// label orders the counts, the most first but topics as the portal has them,
// and says their titles. A chosen value stays, even with nothing left.
func (f *Finder) label(ctx context.Context, q SearchQuery, counts map[string]map[string]int, res *SearchResult) error {
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
	rows, err := f.db.Query(ctx, `
		select 'topic', id, title, position from topic
		union all select 'producer', p.id, p.title, 0 from producer p where p.id = any ($1)
			and exists (select from public_dataset d where d.producer_id = p.id)
		union all select 'licence', id, title, 0 from licence where id = any ($2)
		union all select 'territory', code, jsonb_build_object('fr', name), 0 from search_place where code = any ($3)`,
		keys("producer"), keys("licence"), keys("territory"))
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
