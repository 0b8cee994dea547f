package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// facets are the ways to narrow the catalogue, in the order of the page: the
// member of the query, and what the search calls it. Values that are words of
// the page are written in French in addresses.
var facets = []struct {
	name, facet string
	words       []word // in their order; nil for values as they are
}{
	{"veux", "want", []word{{"carte", "map"}, {"fichier", "file"}, {"comparer", "compare"}, {"lien", "link"}}},
	{"producteur", "producer", nil},
	{"maj", "fresh", []word{{"mois", "month"}, {"an", "year"}}},
	{"licence", "licence", nil},
	{"territoire", "territory", nil},
	{"format", "format", nil},
}

type word struct{ said, code string }

var sorts = []word{{"pertinence", "relevance"}, {"recent", "recent"}, {"titre", "title"}}

// choicesShown is how many values of a facet a page offers, beside the chosen.
const choicesShown = 12

// mostPages bounds how far a list is walked: nobody reads further, and a
// number that is no page is the first.
const mostPages = 5000

// cataloguePage answers /donnees: what was asked for, as far as it makes
// sense; an old link never fails.
func (s *Server) cataloguePage(w http.ResponseWriter, r *http.Request) error {
	st, err := s.current()
	if err != nil {
		return err
	}
	p := viewer.CataloguePage{Page: s.page(r, st)}
	v := r.URL.Query()
	p.Query = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(clipQuery(v.Get("q")), "\x00", ""), ""))
	p.Sort = spoken(sorts, v.Get("tri"), p.Query != "")
	p.Number = 1
	if n, err := strconv.Atoi(v.Get("page")); err == nil && n > 1 && n <= mostPages {
		p.Number = n
	}
	q := asked(v, p)
	found, err := s.finder.Search(r.Context(), q)
	if err != nil {
		return features.Kind(err)
	}
	if len(found.Hits) == 0 && found.Total > 0 { // a page that is no more
		p.Number = 1
		q.Offset = 0
		if found, err = s.finder.Search(r.Context(), q); err != nil {
			return features.Kind(err)
		}
	}
	p.Total = found.Total
	if p.Hits, err = s.hits(r.Context(), st, found.Hits); err != nil {
		return err
	}
	if p.Topics, err = s.topics(r.Context(), found.Facets["topic"], v["theme"]); err != nil {
		return err
	}
	p.Facets = facetsOf(found.Facets, v)
	if err := s.nameChosen(r.Context(), p.Facets); err != nil {
		return err
	}
	if found.Place != nil {
		p.Place = &viewer.FoundItem{Title: found.Place.Name, Subtitle: found.Place.Kind, ID: found.Place.Code}
	}
	p.Corrected, p.Relaxed = found.Corrected, found.Relaxed
	if p.Total == 0 {
		if err := s.help(r.Context(), &p, q); err != nil {
			return err
		}
	}
	return write(w, r, p.Page, func(b *bytes.Buffer) error { return viewer.Catalogue(b, p) })
}

// spoken gives the word of an order, else the natural one: the best match for
// words, the newest without.
func spoken(words []word, asked string, search bool) string {
	if slices.ContainsFunc(words, func(w word) bool { return w.said == asked }) {
		return asked
	}
	if search {
		return "pertinence"
	}
	return "recent"
}

// asked is what the query asks of the search.
func asked(v url.Values, p viewer.CataloguePage) catalogue.SearchQuery {
	values := func(name string) []string {
		var list []string
		for _, s := range v[name] {
			if s != "" && plainKey(s) && len(list) < 50 {
				list = append(list, s)
			}
		}
		return list
	}
	q := catalogue.SearchQuery{
		Text: p.Query, Lang: p.Lang, Topics: values("theme"), Producers: values("producteur"), Licences: values("licence"),
		Territories: values("territoire"), Formats: values("format"),
		Limit: viewer.HitsPage, Offset: (p.Number - 1) * viewer.HitsPage,
	}
	for _, said := range v["veux"] {
		for _, w := range facets[0].words {
			if w.said == said {
				q.Wants = append(q.Wants, w.code)
			}
		}
	}
	for _, w := range facets[2].words { // the longer time includes the shorter
		if slices.Contains(v["maj"], w.said) {
			q.Fresh = w.code
		}
	}
	for _, w := range sorts {
		if w.said == p.Sort {
			q.Sort = w.code
		}
	}
	return q
}

// facetsOf are the facets that offer a choice.
func facetsOf(counts map[string][]catalogue.FacetCount, v url.Values) []viewer.Facet {
	var list []viewer.Facet
	for _, f := range facets {
		found := counts[f.facet]
		var offered []viewer.Choice
		if f.words == nil {
			offered = facetChoices(found, v[f.name])
		} else {
			for _, w := range f.words {
				c := viewer.Choice{Value: w.said, Chosen: slices.Contains(v[f.name], w.said)}
				for _, n := range found {
					if n.Value == w.code {
						c.Count = n.Count
					}
				}
				if c.Count > 0 || c.Chosen {
					offered = append(offered, c)
				}
			}
		}
		if len(offered) > 0 {
			list = append(list, viewer.Facet{Name: f.name, Choices: offered})
		}
	}
	return list
}

// facetChoices are the first values of a facet, and those that are chosen.
func facetChoices(found []catalogue.FacetCount, chosen []string) []viewer.Choice {
	var list []viewer.Choice
	for i, f := range found {
		c := viewer.Choice{Value: f.Value, Title: f.Title, Count: f.Count, Chosen: slices.Contains(chosen, f.Value)}
		if c.Chosen || i < choicesShown && c.Count > 0 {
			list = append(list, c)
		}
	}
	for _, value := range chosen { // what is chosen can be let go of, also where nothing is left of it
		if value != "" && plainKey(value) && !slices.ContainsFunc(list, func(c viewer.Choice) bool { return c.Value == value }) {
			list = append(list, viewer.Choice{Value: value, Chosen: true})
		}
	}
	return list
}

// nameChosen gives their titles to values that are chosen although nothing is
// left of them. Of a producer without public data there is nothing to tell.
func (s *Server) nameChosen(ctx context.Context, list []viewer.Facet) error {
	for i := range list {
		for j := range list[i].Choices {
			c := &list[i].Choices[j]
			if c.Count > 0 {
				continue
			}
			var err error
			switch list[i].Name {
			case "producteur":
				c.Title = nil
				err = s.Hub.Web.QueryRow(ctx, `
					select title from producer p
					where id = $1 and exists (select from public_dataset d where d.producer_id = p.id)`, c.Value).Scan(&c.Title)
			case "licence":
				err = s.Hub.Web.QueryRow(ctx, `select title from licence where id = $1`, c.Value).Scan(&c.Title)
			case "territoire":
				var names []string
				if names, err = s.territory(ctx, []string{c.Value}); err == nil {
					c.Title = geo.Text{"fr": names[0]}
				}
			}
			if err = features.Kind(err); err != nil && !errors.Is(err, geo.ErrNotFound) {
				return fmt.Errorf("name the choice %q: %w", short(c.Value), err)
			}
		}
	}
	return nil
}

// help fills what a page without results proposes: the same words without the
// filters.
func (s *Server) help(ctx context.Context, p *viewer.CataloguePage, q catalogue.SearchQuery) error {
	if q.Text == "" {
		return nil
	}
	wide, err := s.finder.Search(ctx, catalogue.SearchQuery{Text: q.Text, Lang: q.Lang, Limit: 1})
	if err != nil {
		return err
	}
	p.Wider = wide.Total
	return nil
}
