package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"calanque/api/answer"
	"calanque/api/dcat"
	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// machineRoutes are the addresses that harvesters and search engines read.
// All look through the public door.
func (s *Server) machineRoutes(get func(path string, h answer.Handler)) {
	get("/catalogue", s.anyCatalogue)
	for _, f := range dcat.Formats {
		get("/catalogue"+f.Suffix, s.catalogueGraph(f))
		get("/donnees/{slug:[a-z0-9-]+}"+f.Suffix, s.datasetGraph(f))
	}
	get("/catalogue.csv", s.catalogueCSV)
	get("/sitemap.xml", s.sitemap(dcat.MapSize))
	get("/sitemap-{number:[0-9]{1,6}}.xml", s.sitemap(dcat.MapSize))
	get("/nouveautes.atom", s.news)
}

// dcatSite is what documents for machines say of the hub.
func (s *Server) dcatSite(r *http.Request) dcat.Site {
	said := func(code string) geo.Text {
		t := geo.Text{}
		for _, lang := range viewer.Languages {
			t[lang] = viewer.Say(lang, code)
		}
		return t
	}
	return dcat.Site{
		Base: s.base(r), Title: said("machines.title"), Description: said("machines.description"), Publisher: said("machines.publisher"),
	}
}

// anyCatalogue answers the catalogue in the syntax that the reader likes best;
// people are led to its pages.
func (s *Server) anyCatalogue(w http.ResponseWriter, r *http.Request) error {
	w.Header().Add("Vary", "Accept")
	f, ok := graphFormat(r.Header.Get("Accept"))
	if !ok {
		http.Redirect(w, r, "/donnees", http.StatusSeeOther)
		return nil
	}
	return s.catalogueGraph(f)(w, r)
}

// wantsGraph tells whether who asks for a page of a dataset would rather have
// its description for machines, and in which syntax.
func wantsGraph(r *http.Request) (dcat.Format, bool) {
	accept := r.Header.Get("Accept")
	if accept == "" || strings.Contains(accept, "*/*") && !strings.Contains(accept, "rdf") && !strings.Contains(accept, "turtle") && !strings.Contains(accept, "ld+json") {
		return dcat.Format{}, false
	}
	return graphFormat(accept)
}

// graphTypes are the media types that ask for a syntax, in the order of
// dcat.Formats.
var graphTypes = [][]string{
	{"application/ld+json", "application/json", "*/*", "application/*"},
	{"text/turtle", "application/x-turtle", "text/n3"},
	{"application/rdf+xml", "application/xml", "text/xml"},
}

// graphFormat chooses the syntax that an Accept header likes best. It is false
// when it likes HTML as well: that is a browser.
func graphFormat(accept string) (dcat.Format, bool) {
	if strings.TrimSpace(accept) == "" {
		return dcat.Formats[0], true
	}
	best, chosen, html := 0.0, -1, 0.0
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), ";")
		name = strings.TrimSpace(name)
		q := quality(params)
		if name == answer.TypeHTML {
			html = max(html, q)
		}
		for i, names := range graphTypes {
			// What names a syntax wins over what takes anything.
			if slices.Contains(names, name) && (q > best || q == best && chosen < 0) {
				best, chosen = q, i
			}
		}
	}
	if chosen < 0 || html >= best {
		return dcat.Format{}, false
	}
	return dcat.Formats[chosen], true
}

// quality reads the q of a media range's parameters, 1 when there is none.
func quality(params string) float64 {
	for p := range strings.SplitSeq(params, ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(p), "q="); ok {
			q, err := strconv.ParseFloat(v, 64)
			if err != nil || q < 0 || q > 1 {
				return 0
			}
			return q
		}
	}
	return 1
}

// catalogueGraph answers a page of the catalogue. Datasets are read a hundred
// at a time and written as they come: a page of any size costs the same memory.
func (s *Server) catalogueGraph(f dcat.Format) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		page, err := pageOf(r.URL.RawQuery)
		if err != nil {
			return err
		}
		ctx, db := r.Context(), s.Hub.Web
		stamp, changed, err := catalogue.Stamp(ctx, db)
		if err != nil {
			return features.Kind(err)
		}
		site := s.dcatSite(r)
		page.Changed = changed
		if answer.Unchanged(w, r, answer.Tag(stamp, f.Suffix, page.After, page.Limit, site)) {
			return nil
		}
		w.Header().Set("Content-Type", f.MediaType)
		if r.Method == http.MethodHead {
			return nil
		}
		about, err := catalogue.ReadAbout(ctx, db)
		if err != nil {
			return features.Kind(err)
		}
		if page.Total, err = catalogue.Count(ctx, db, catalogue.Public); err != nil {
			return features.Kind(err)
		}
		if page.Next, err = catalogue.After(ctx, db, catalogue.Public, page.After, page.Limit); err != nil {
			return features.Kind(err)
		}
		out := dcat.NewWriter(slowly{w, http.NewResponseController(w)}, f, site, about)
		out.Catalogue(page)
		err = catalogue.Walk(ctx, db, catalogue.Public, page.After, page.Limit, out.Dataset)
		return s.whole(ctx, r, out.Close, err)
	}
}

// whole ends a document that was begun; when it can't be whole the connection
// is broken, so that nobody takes it for one.
func (s *Server) whole(ctx context.Context, r *http.Request, end func() error, err error) error {
	if err == nil {
		err = end()
	}
	if err == nil {
		return nil
	}
	if ctx.Err() == nil && !errors.Is(err, errGone) {
		s.Log.Error("document cut short", "path", r.URL.Path, "err", err)
	}
	panic(http.ErrAbortHandler)
}

// errGone is a reader who has left.
var errGone = errors.New("the reader has left")

// slowly gives a slow reader time for each piece.
type slowly struct {
	http.ResponseWriter
	control *http.ResponseController
}

const pieceTime = 60 * time.Second

func (w slowly) Write(b []byte) (int, error) {
	_ = w.control.SetWriteDeadline(time.Now().Add(pieceTime)) // a test's recorder has none
	n, err := w.ResponseWriter.Write(b)
	if err != nil {
		err = fmt.Errorf("%w: %w", errGone, err)
	}
	return n, err
}

// pageOf reads which page is asked for.
func pageOf(raw string) (dcat.Page, error) {
	page := dcat.Page{Limit: dcat.PageSize}
	v, err := features.ParseQuery(raw, "after", "limit")
	if err != nil {
		return page, err
	}
	page.After = v.Get("after")
	if v.Has("limit") {
		n, err := strconv.Atoi(v.Get("limit"))
		if err != nil || n < 1 || n > dcat.MaxPage {
			return page, &geo.ParamError{Param: "limit", Value: v.Get("limit"), Want: fmt.Sprintf("want a number from 1 to %d", dcat.MaxPage)}
		}
		page.Limit = n
	}
	return page, nil
}

// datasetGraph answers what is said of one dataset.
func (s *Server) datasetGraph(f dcat.Format) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, db, slug := r.Context(), s.Hub.Web, pathVar(r, "slug")
		e, err := catalogue.Find(ctx, db, catalogue.Public, slug)
		if errors.Is(err, geo.ErrNotFound) {
			return s.moved(w, r, slug, f.Suffix)
		}
		if err != nil {
			return features.Kind(err)
		}
		about, err := catalogue.ReadAbout(ctx, db)
		if err != nil {
			return features.Kind(err)
		}
		var body strings.Builder
		out := dcat.NewWriter(&body, f, s.dcatSite(r), about)
		if err := errors.Join(out.Dataset(&e), out.Close()); err != nil {
			return err
		}
		return answer.Bytes(w, r, f.MediaType, []byte(body.String()))
	}
}

// moved leads from a former address of a public dataset to its present one, or
// says that there is none.
func (s *Server) moved(w http.ResponseWriter, r *http.Request, former, suffix string) error {
	slug, err := catalogue.Moved(r.Context(), s.Hub.Web, former)
	if err == nil {
		_, err = catalogue.Find(r.Context(), s.Hub.Web, catalogue.Public, slug)
	}
	if err != nil {
		return features.Kind(err)
	}
	http.Redirect(w, r, "/donnees/"+url.PathEscape(slug)+suffix, http.StatusMovedPermanently)
	return nil
}
