package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// slugPattern keeps the addresses of datasets apart from those with an ending.
const slugPattern = "{slug:[a-z0-9][a-z0-9-]*}"

// portalRoutes are what citizens see of the catalogue.
func (s *Server) portalRoutes(get func(string, answer.Handler)) {
	get("/", s.homePage)
	get("/donnees", s.cataloguePage)
	get("/donnees/", moved("/donnees"))
	get("/donnees/"+slugPattern, s.datasetPage)
	get("/themes/{id:[a-z0-9][a-z0-9-]*}", s.topicPage)
	get("/producteurs/{id}", s.producerPage)
	get("/apercu/{layer}.svg", s.glimpse)
	for path := range viewer.TextPages {
		get(path, s.textPage)
	}
}

// moved answers where a page is now.
func moved(to string) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		redirect(w, r, to)
		return nil
	}
}

// redirect says for ever that a page has another address; what was asked of it
// goes along.
func redirect(w http.ResponseWriter, r *http.Request, path string) {
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	w.Header().Set("Cache-Control", answer.Revalidate)
	http.Redirect(w, r, path, http.StatusMovedPermanently)
}

// mapMembers are what links to the map had when it was at /.
var mapMembers = []string{"c", "o", "t", "q", "sel", "vue", "comparer", "groupes", "commune", "apres", "cadre", "mode"}

// newest is how many datasets the home page shows.
const newest = 5

func (s *Server) homePage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	if slices.ContainsFunc(mapMembers, q.Has) {
		redirect(w, r, "/carte")
		return nil
	}
	st, err := s.current()
	if err != nil {
		return err
	}
	p := viewer.HomePage{Page: s.page(r, st)}
	found, err := s.finder.Search(r.Context(), catalogue.SearchQuery{Lang: p.Lang, Sort: "recent", Limit: newest})
	if err != nil {
		return features.Kind(err)
	}
	p.Total = found.Total
	if p.Hits, err = s.hits(r.Context(), st, found.Hits); err != nil {
		return err
	}
	if p.Topics, err = s.topics(r.Context(), found.Facets["topic"], nil); err != nil {
		return err
	}
	return write(w, r, p.Page, func(b *bytes.Buffer) error { return viewer.Home(b, p) })
}

// topics are all themes with their counts, as a search gave them.
func (s *Server) topics(ctx context.Context, counts []catalogue.FacetCount, chosen []string) ([]viewer.Topic, error) {
	all, err := catalogue.Topics(ctx, s.Hub.Web)
	if err != nil {
		return nil, err
	}
	list := make([]viewer.Topic, len(all))
	for i, t := range all {
		list[i] = viewer.Topic{ID: t.ID, Title: t.Title, Chosen: slices.Contains(chosen, t.ID)}
		for _, c := range counts {
			if c.Value == t.ID {
				list[i].Count = c.Count
			}
		}
	}
	return list, nil
}

// hits makes what a list shows of what a search found.
func (s *Server) hits(ctx context.Context, st *state, found []catalogue.SearchHit) ([]viewer.Hit, error) {
	list := make([]viewer.Hit, len(found))
	for i, h := range found {
		list[i] = viewer.Hit{
			Slug: h.Slug, Title: h.Title, Summary: h.Summary,
			Producer:  viewer.Producer{ID: h.Producer, Title: h.ProducerTitle},
			Licence:   viewer.Licence{ID: h.Licence, Title: h.LicenceTitle},
			Delivered: h.Delivered, Formats: h.Formats,
			Late: catalogue.FreshnessOf(h.Frequency, h.Delivered, nil, s.Now()).Late,
			URL:  h.URL, Documents: h.Documents,
		}
		// What the map can't show is not offered there.
		if l := st.layer(h.Layer); l != nil && l.Tiles != "" {
			list[i].Layer = h.Layer
		}
		if h.Layer == "" {
			continue
		}
		share, err := s.agreement(ctx, st, h.Slug)
		if err != nil {
			return nil, err
		}
		list[i].Compared, list[i].Agreement = share >= 0, share
	}
	return list, nil
}

// agreement gives the share of a dataset's records that OpenStreetMap says
// alike, counted as its own page and the map do; -1 when nothing is compared.
func (s *Server) agreement(ctx context.Context, st *state, slug string) (float64, error) {
	for i := range st.layers {
		l := &st.layers[i]
		outcomes := st.relation(l.Outcomes)
		if l.Dataset != slug || outcomes == nil || !hasField(outcomes, groupField) {
			continue
		}
		counts, err := s.groupCounts(ctx, outcomes)
		if err != nil {
			return -1, err
		}
		return viewer.Agreement(counts), nil
	}
	return -1, nil
}

func (s *Server) textPage(w http.ResponseWriter, r *http.Request) error {
	p := viewer.TextPage{Page: s.page(r, s.state.Load()), Name: viewer.TextPages[r.URL.Path]}
	return write(w, r, p.Page, func(b *bytes.Buffer) error { return viewer.Words(b, p) })
}

// topicPage answers /themes/{id}.
func (s *Server) topicPage(w http.ResponseWriter, r *http.Request) error {
	st, err := s.current()
	if err != nil {
		return err
	}
	p := viewer.TopicPage{Page: s.page(r, st)}
	id := pathVar(r, "id")
	found, err := s.finder.Search(r.Context(), catalogue.SearchQuery{Lang: p.Lang, Topics: []string{id}, Sort: "recent", Limit: viewer.HitsPage})
	if err != nil {
		return features.Kind(err)
	}
	all, err := s.topics(r.Context(), nil, nil)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(t viewer.Topic) bool { return t.ID == id })
	if i < 0 {
		return fmt.Errorf("theme %s: %w", id, geo.ErrNotFound)
	}
	p.Topic, p.Total = all[i], found.Total
	if p.Hits, err = s.hits(r.Context(), st, found.Hits); err != nil {
		return err
	}
	p.Producers = facetChoices(found.Facets["producer"], nil)
	return write(w, r, p.Page, func(b *bytes.Buffer) error { return viewer.TopicOf(b, p) })
}

// producerPage answers /producteurs/{id}: of those alone who have something
// public.
func (s *Server) producerPage(w http.ResponseWriter, r *http.Request) error {
	st, err := s.current()
	if err != nil {
		return err
	}
	p := viewer.ProducerPage{Page: s.page(r, st)}
	id, err := url.PathUnescape(pathVar(r, "id"))
	if err != nil || !plainKey(id) {
		return fmt.Errorf("producer %q: %w", short(id), geo.ErrNotFound)
	}
	found, err := s.finder.Search(r.Context(), catalogue.SearchQuery{Lang: p.Lang, Producers: []string{id}, Sort: "recent", Limit: viewer.HitsPage})
	if err != nil {
		return features.Kind(err)
	}
	if found.Total == 0 {
		return fmt.Errorf("producer %q: %w", short(id), geo.ErrNotFound)
	}
	about, err := catalogue.ReadAbout(r.Context(), s.Hub.Web)
	if err != nil {
		return features.Kind(err)
	}
	of := about.Producers[id]
	p.Producer, p.Description, p.Kind = producerOf(of), of.Description, of.Kind
	if strings.Contains(of.Contact["email"], "@") {
		p.Email = of.Contact["email"]
	}
	if p.Territory, err = s.territory(r.Context(), of.Territory); err != nil {
		return err
	}
	p.Total = found.Total
	if p.Hits, err = s.hits(r.Context(), st, found.Hits); err != nil {
		return err
	}
	topics, err := s.topics(r.Context(), found.Facets["topic"], nil)
	if err != nil {
		return err
	}
	p.Topics = slices.DeleteFunc(topics, func(t viewer.Topic) bool { return t.Count == 0 })
	return write(w, r, p.Page, func(b *bytes.Buffer) error { return viewer.ProducerOf(b, p) })
}

// producerOf is a producer as pages name it.
func producerOf(p catalogue.Producer) viewer.Producer {
	return viewer.Producer{ID: p.ID, Title: p.Title, URL: p.Contact["url"]}
}
