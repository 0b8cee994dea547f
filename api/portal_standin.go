package api

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

type searchQuery struct {
	Text, Lang                                               string
	Topics, Producers, Territories, Licences, Formats, Wants []string
	Fresh, Sort                                              string
	Limit, Offset                                            int
}

type searchHit struct {
	ID             geo.DatasetID
	Slug           string
	Title, Summary geo.Text
	Producer       string
	ProducerTitle  geo.Text
	Licence        string
	LicenceTitle   geo.Text
	Delivered      *time.Time
	Frequency      string
	Formats        []string
	Wants          []string
	Topics         []string
	Territory      []string
	Layer          string
	URL            string
	Documents      int
	Agreement      *float64
}

type facetCount struct {
	Value string
	Title geo.Text
	Count int
}

type searchPlace struct{ Code, Name string }

type searchResult struct {
	Total  int
	Hits   []searchHit
	Facets map[string][]facetCount
	Place  *searchPlace
}

// searchCatalogue reads all that is public and looks for each word in it.
func searchCatalogue(ctx context.Context, db postgis.DB, q searchQuery) (searchResult, error) {
	all, err := catalogue.Entries(ctx, db, catalogue.Public, `true order by coalesce(d.published_at, d.delivered_at) desc nulls last, d.id`)
	if err != nil {
		return searchResult{}, err
	}
	titles := map[string]geo.Text{}
	layers := map[string]string{}
	rows, err := db.Query(ctx, `select id, title from producer union all select 'l/' || id, title from licence`)
	if err != nil {
		return searchResult{}, err
	}
	for rows.Next() {
		var id string
		var t geo.Text
		if err := rows.Scan(&id, &t); err != nil {
			return searchResult{}, err
		}
		titles[id] = t
	}
	rows, err = db.Query(ctx, `select d.slug, l.name from layer l join dataset d on d.id = l.dataset_id where d.published_id is not null order by l.position desc`)
	if err != nil {
		return searchResult{}, err
	}
	for rows.Next() {
		var slug, name string
		if err := rows.Scan(&slug, &name); err != nil {
			return searchResult{}, err
		}
		layers[slug] = name
	}
	r := searchResult{Facets: map[string][]facetCount{}}
	count := func(facet, value string, title geo.Text) {
		for i := range r.Facets[facet] {
			if r.Facets[facet][i].Value == value {
				r.Facets[facet][i].Count++
				return
			}
		}
		r.Facets[facet] = append(r.Facets[facet], facetCount{value, title, 1})
	}
	asked := significant(words(q.Text))
	for _, e := range all {
		h := hitOf(e, titles, layers)
		if !matches(h, e, q, asked) {
			continue
		}
		r.Hits = append(r.Hits, h)
		for _, t := range h.Topics {
			count("topic", t, nil)
		}
		for _, t := range h.Territory {
			count("territory", t, nil)
		}
		for _, t := range h.Formats {
			count("format", t, nil)
		}
		for _, t := range h.Wants {
			count("want", t, nil)
		}
		count("producer", h.Producer, h.ProducerTitle)
		count("licence", h.Licence, h.LicenceTitle)
		if h.Delivered != nil {
			if time.Since(*h.Delivered) < 31*24*time.Hour {
				count("fresh", "month", nil)
			}
			if time.Since(*h.Delivered) < 366*24*time.Hour {
				count("fresh", "year", nil)
			}
		}
	}
	if q.Sort == "title" {
		slices.SortStableFunc(r.Hits, func(a, b searchHit) int { return cmp.Compare(a.Title.In(q.Lang), b.Title.In(q.Lang)) })
	}
	r.Total = len(r.Hits)
	r.Hits = r.Hits[min(q.Offset, len(r.Hits)):min(q.Offset+q.Limit, len(r.Hits))]
	return r, nil
}

func hitOf(e catalogue.Entry, titles map[string]geo.Text, layers map[string]string) searchHit {
	h := searchHit{
		ID: e.ID, Slug: e.Slug, Title: e.Title, Summary: e.Description, Producer: e.Producer, ProducerTitle: titles[e.Producer],
		Licence: e.Licence, LicenceTitle: titles["l/"+e.Licence], Delivered: e.DeliveredAt, Frequency: e.Frequency,
		Topics: e.Topics, Territory: e.Territory, Layer: layers[e.Slug],
	}
	if h.Layer != "" {
		h.Formats, h.Wants = []string{"csv", "gpkg", "geojson"}, []string{"map", "file"}
	}
	for _, r := range e.Resources {
		switch r.Kind {
		case catalogue.FileResource:
			h.Formats, h.Wants = append(h.Formats, r.Format), append(h.Wants, "file")
		case catalogue.Reference:
			h.URL, h.Wants = r.URL, append(h.Wants, "link")
		case catalogue.Administrative:
			h.Documents++
		}
	}
	return h
}

func matches(h searchHit, e catalogue.Entry, q searchQuery, asked []string) bool {
	any := func(chosen []string, values ...string) bool {
		return len(chosen) == 0 || slices.ContainsFunc(values, func(v string) bool { return slices.Contains(chosen, v) })
	}
	if !any(q.Topics, h.Topics...) || !any(q.Producers, h.Producer) || !any(q.Licences, h.Licence) ||
		!any(q.Territories, h.Territory...) || !any(q.Formats, h.Formats...) || !any(q.Wants, h.Wants...) {
		return false
	}
	age := map[string]time.Duration{"month": 31 * 24 * time.Hour, "year": 366 * 24 * time.Hour}[q.Fresh]
	if age > 0 && (h.Delivered == nil || time.Since(*h.Delivered) > age) {
		return false
	}
	var text []string
	for _, t := range append([]geo.Text{e.Title, e.Description}, e.Keywords...) {
		for _, s := range t {
			text = append(text, s)
		}
	}
	return allBegun(words(strings.Join(text, " ")), asked)
}
