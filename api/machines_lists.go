package api

import (
	"net/http"
	"strconv"
	"time"

	"calanque/api/answer"
	"calanque/api/dcat"
	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// catalogueCSV answers the whole catalogue as a table.
func (s *Server) catalogueCSV(w http.ResponseWriter, r *http.Request) error {
	ctx, db := r.Context(), s.Hub.Web
	stamp, _, err := catalogue.Stamp(ctx, db)
	if err != nil {
		return features.Kind(err)
	}
	site := s.dcatSite(r)
	places, err := s.communeNames(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="catalogue.csv"`)
	if answer.Unchanged(w, r, answer.Tag(stamp, "catalogue.csv", site, len(places))) {
		return nil
	}
	about, err := catalogue.ReadAbout(ctx, db)
	if err != nil {
		return features.Kind(err)
	}
	w.Header().Set("Content-Type", dcat.TypeCSV)
	if r.Method == http.MethodHead {
		return nil
	}
	out := slowly{w, http.NewResponseController(w)}
	buf := dcat.AppendHeader(nil)
	err = catalogue.Walk(ctx, db, catalogue.Public, "", 0, func(e *catalogue.Entry) error {
		if buf = dcat.AppendRow(buf, site, about, places, e); len(buf) < 32<<10 {
			return nil
		}
		_, err := out.Write(buf)
		buf = buf[:0]
		return err
	})
	return s.whole(ctx, r, func() error { _, err := out.Write(buf); return err }, err)
}

// communeNames gives the names of communes by code INSEE; none when no layer
// has them.
func (s *Server) communeNames(r *http.Request) (map[string]string, error) {
	names := map[string]string{}
	st, err := s.current()
	if err != nil {
		return nil, err
	}
	list, err := s.communeList(r.Context(), st)
	if err != nil {
		return nil, features.Kind(err)
	}
	for _, c := range list {
		names[c.code] = c.name
	}
	return names, nil
}

// sitemap answers the addresses of all pages for search engines, or the list of
// sitemaps when there are more than one may have: the pages of the portal
// itself, then the datasets.
func (s *Server) sitemap(size int) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, db := r.Context(), s.Hub.Web
		stamp, changed, err := catalogue.Stamp(ctx, db)
		if err != nil {
			return features.Kind(err)
		}
		site := s.dcatSite(r)
		if answer.Unchanged(w, r, answer.Tag(stamp, r.URL.Path, site.Base)) {
			return nil
		}
		total, err := catalogue.Count(ctx, db, catalogue.Public)
		if err != nil {
			return features.Kind(err)
		}
		pages, err := s.portalPages(r, changed)
		if err != nil {
			return err
		}
		number, several := pathVar(r, "number"), len(pages)+total > size
		if number == "" && several {
			var list []dcat.MapEntry
			for n := 0; n*size < total+size; n++ {
				list = append(list, dcat.MapEntry{Path: "/sitemap-" + strconv.Itoa(n) + ".xml", Changed: changed})
			}
			answer.Write(w, dcat.TypeXML, dcat.SitemapIndex(site, list))
			return nil
		}
		list := pages
		if n, err := strconv.Atoi(number); number != "" && (err != nil || n > 0) {
			if list = nil; err != nil || n > total/size+1 {
				return geo.ErrNotFound
			}
			list, err = datasetPages(r, s, (n-1)*size, size)
			if err != nil {
				return err
			}
		} else if number == "" {
			all, err := datasetPages(r, s, 0, size)
			if err != nil {
				return err
			}
			list = append(list, all...)
		}
		answer.Write(w, dcat.TypeXML, dcat.Sitemap(site, list))
		return nil
	}
}

// portalPages are the pages beside those of datasets.
func (s *Server) portalPages(r *http.Request, changed time.Time) ([]dcat.MapEntry, error) {
	list := []dcat.MapEntry{{Path: "/", Changed: changed}, {Path: "/donnees", Changed: changed}, {Path: "/carte"}, {Path: "/aide"}}
	topics, err := catalogue.Topics(r.Context(), s.Hub.Web)
	if err != nil {
		return nil, features.Kind(err)
	}
	for _, t := range topics {
		list = append(list, dcat.MapEntry{Path: "/themes/" + t.ID})
	}
	producers, err := catalogue.PublicProducers(r.Context(), s.Hub.Web)
	if err != nil {
		return nil, features.Kind(err)
	}
	for _, id := range producers {
		list = append(list, dcat.MapEntry{Path: "/producteurs/" + id})
	}
	return list, nil
}

func datasetPages(r *http.Request, s *Server, offset, limit int) ([]dcat.MapEntry, error) {
	found, err := catalogue.Addresses(r.Context(), s.Hub.Web, offset, limit)
	if err != nil {
		return nil, features.Kind(err)
	}
	list := make([]dcat.MapEntry, len(found))
	for i, a := range found {
		list[i] = dcat.MapEntry{Path: "/donnees/" + a.Slug, Changed: a.Changed}
	}
	return list, nil
}

// feedSize is how many news the feed tells.
const feedSize = 50

// news answers what is new in the catalogue as an Atom feed.
func (s *Server) news(w http.ResponseWriter, r *http.Request) error {
	v, err := features.ParseQuery(r.URL.RawQuery, "lg")
	if err != nil {
		return err
	}
	lang := viewer.Lang(v.Get("lg"), "")
	stamp, changed, err := catalogue.Stamp(r.Context(), s.Hub.Web)
	if err != nil {
		return features.Kind(err)
	}
	site := s.dcatSite(r)
	if answer.Unchanged(w, r, answer.Tag(stamp, "nouveautes", lang, site.Base)) {
		return nil
	}
	list, err := catalogue.Latest(r.Context(), s.Hub.Web, feedSize)
	if err != nil {
		return features.Kind(err)
	}
	about, err := catalogue.ReadAbout(r.Context(), s.Hub.Web)
	if err != nil {
		return features.Kind(err)
	}
	feed := dcat.Feed{Site: site, Lang: lang, Title: viewer.Say(lang, "machines.feed"), Self: site.Base + "/nouveautes.atom", Updated: changed}
	if lang != viewer.Languages[0] {
		feed.Self += "?lg=" + lang
	}
	for _, n := range list {
		producer := about.Producers[n.Producer].Title.In(lang)
		if producer == "" {
			producer = n.Producer
		}
		feed.Entries = append(feed.Entries, dcat.FeedEntry{
			Slug: n.Slug, Identifier: n.Identifier, ID: string(n.Kind) + "-" + strconv.FormatInt(n.Number, 10), At: n.At,
			Title:   viewer.Say(lang, "news."+string(n.Kind)+".title", "title", n.Title),
			Summary: n.Description.In(lang), Producer: producer,
			Category: string(n.Kind), Subject: viewer.Say(lang, "news."+string(n.Kind)),
		})
	}
	body, err := feed.Atom()
	if err != nil {
		return err
	}
	answer.Write(w, dcat.TypeAtom, body)
	return nil
}
