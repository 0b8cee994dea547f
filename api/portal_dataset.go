package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"html/template"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"calanque/api/dcat"
	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// previewRows is how many rows of a layer its dataset's page shows.
const previewRows = 5

// datasetPage answers /donnees/{slug}, also under the addresses it once had.
func (s *Server) datasetPage(w http.ResponseWriter, r *http.Request) error {
	st, err := s.current()
	if err != nil {
		return err
	}
	slug := pathVar(r, "slug")
	w.Header().Add("Vary", "Accept")
	if f, ok := wantsGraph(r); ok {
		return s.datasetGraph(f)(w, r)
	}
	e, err := catalogue.Find(r.Context(), s.Hub.Web, catalogue.Public, slug)
	if errors.Is(err, geo.ErrNotFound) {
		return s.formerPage(w, r, slug, err)
	}
	if err != nil {
		return features.Kind(err)
	}
	d := datasetFiller{s: s, st: st, e: &e, p: viewer.DatasetPage{Page: s.page(r, st)}}
	if err := d.fill(r.Context()); err != nil {
		return err
	}
	d.machines(s.dcatSite(r))
	return write(w, r, d.p.Page, func(b *bytes.Buffer) error { return viewer.Dataset(b, d.p) })
}

// formerPage leads from an address that a dataset had to that it has, for
// ever; of one that is not public there is nothing to tell.
func (s *Server) formerPage(w http.ResponseWriter, r *http.Request, slug string, otherwise error) error {
	now, err := catalogue.Moved(r.Context(), s.Hub.Web, slug)
	if err == nil {
		_, err = catalogue.Find(r.Context(), s.Hub.Web, catalogue.Public, now)
	}
	if errors.Is(err, geo.ErrNotFound) {
		return otherwise
	}
	if err != nil {
		return features.Kind(err)
	}
	redirect(w, r, "/donnees/"+now)
	return nil
}

// A datasetFiller reads what a dataset's page shows.
type datasetFiller struct {
	s  *Server
	st *state
	e  *catalogue.Entry
	p  viewer.DatasetPage

	known *catalogue.About
}

func (d *datasetFiller) fill(ctx context.Context) error {
	e, p := d.e, &d.p
	p.Slug, p.Title, p.Description, p.Limits = e.Slug, e.Title, e.Description, e.Limits
	p.Keywords, p.Start, p.End = e.Keywords, e.TemporalStart, e.TemporalEnd
	p.Delivered, p.Frequency, p.Landing = e.DeliveredAt, e.Frequency, e.LandingPage
	for _, step := range []func(context.Context) error{d.about, d.layers, d.resources, d.versions, d.timeline} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// graphNames are what people call the syntaxes.
var graphNames = map[string]string{".jsonld": "JSON-LD", ".ttl": "Turtle", ".rdf": "RDF/XML"}

// machines says the same to search engines, and where harvesters find it.
func (d *datasetFiller) machines(site dcat.Site) {
	d.p.LinkedData = template.JS(dcat.SchemaOrg(site, d.known, d.e, d.p.Lang))
	for _, f := range dcat.Formats {
		d.p.Alternates = append(d.p.Alternates, viewer.Alternate{Type: strings.TrimSuffix(f.MediaType, "; charset=utf-8"), Name: graphNames[f.Suffix], Href: d.p.Path() + f.Suffix})
	}
}

// about says who and how: the producer, the licence, the themes, the names of
// the territory; how fresh it is, and how well described.
func (d *datasetFiller) about(ctx context.Context) error {
	e, p := d.e, &d.p
	about, err := catalogue.ReadAbout(ctx, d.s.Hub.Web)
	if err != nil {
		return features.Kind(err)
	}
	d.known = about
	p.Producer = producerOf(about.Producers[e.Producer])
	l := about.Licences[e.Licence]
	p.Licence = viewer.Licence{ID: l.ID, Title: l.Title, URL: l.URL, Class: l.Class}
	p.Sentence = l.Sentence
	for _, id := range e.Topics {
		t := about.Topics[id]
		p.Topics = append(p.Topics, viewer.Topic{ID: t.ID, Title: t.Title})
	}
	fresh, quality, err := catalogue.Judge(ctx, d.s.Hub.Web, e, about, p.Now)
	if err != nil {
		return features.Kind(err)
	}
	p.Next, p.Missed, p.Fresh = fresh.Due, fresh.Late, fresh.Message(e.Frequency)
	p.Score = &viewer.Score{Value: quality.Earned, Of: len(quality.Criteria)}
	for _, c := range quality.Criteria {
		p.Score.Criteria = append(p.Score.Criteria, viewer.Criterion{Name: c.Name, Why: c.Why, Earned: c.Earned})
	}
	p.Territory, err = d.s.territory(ctx, e.Territory)
	return err
}

// layers reads the first rows and the comparison of each layer.
func (d *datasetFiller) layers(ctx context.Context) error {
	for i := range d.st.layers {
		l := &d.st.layers[i]
		if l.Dataset != d.e.Slug {
			continue
		}
		v := viewer.DatasetLayer{Layer: *l}
		q := geo.Query{Limit: previewRows, NoGeom: true}
		f := filler{s: d.s, st: d.st}
		q.Interval = f.when(l)
		rows, err := readFeatures(ctx, d.s.Hub.Web, &d.st.relations[i], q)
		if err != nil {
			return err
		}
		v.Rows = rows
		if outcomes := d.st.relation(l.Outcomes); outcomes != nil && hasField(outcomes, groupField) {
			if v.Counts, err = d.s.groupCounts(ctx, outcomes); err != nil {
				return err
			}
		}
		d.p.Layers = append(d.p.Layers, v)
		d.p.Credit = d.p.Credit || nearby(d.st, l)
	}
	return d.files(ctx)
}

// shownReuses is how many reuses a dataset's page lists.
const shownReuses = 3

func (d *datasetFiller) reuses(ctx context.Context) error {
	list, err := catalogue.Reuses(ctx, d.s.Hub.Web, catalogue.ReuseFilter{Dataset: d.e.Slug, State: catalogue.ReuseAccepted, Limit: shownReuses})
	if err != nil || len(list) == 0 {
		return err
	}
	for _, r := range list {
		href := d.p.Path() + "/reutilisations#r" + strconv.FormatInt(r.ID, 10)
		d.p.Reuses = append(d.p.Reuses, viewer.Link{Title: geo.Text{r.Lang: r.Title}, Href: href})
	}
	if d.p.AllReuses = len(list); len(list) == shownReuses {
		d.p.AllReuses, err = catalogue.CountReuses(ctx, d.s.Hub.Web, d.e.Slug)
	}
	return err
}

// files lists what can be taken: the file as received, then each layer in the
// formats that people ask for, with what it weighs.
func (d *datasetFiller) files(ctx context.Context) error {
	received, err := catalogue.FindReceived(ctx, d.s.Hub.Web, d.e.Slug)
	switch {
	case err == nil:
		d.p.Files = append(d.p.Files, viewer.Download{
			Kind: "received", Format: strings.TrimPrefix(strings.ToLower(path.Ext(received.Name)), "."), Bytes: received.Bytes,
			Href: "/donnees/" + d.e.Slug + "/telechargements/fichier-recu",
		})
	case !errors.Is(err, geo.ErrNotFound):
		return err
	}
	if err := d.reuses(ctx); err != nil {
		return err
	}
	list, err := d.s.layerDownloads(ctx, d.st, d.e.Slug)
	if err != nil {
		return err
	}
	for _, f := range list {
		v := viewer.Download{Kind: f.Format, Format: f.Format, Href: f.Path, Bytes: max(f.Bytes, 0), About: f.Bytes > 0 && !f.Exact}
		if title := d.st.layer(f.Layer).Titles.In(d.p.Lang); title != d.e.Title.In(d.p.Lang) {
			v.Layer = title
		}
		d.p.Files = append(d.p.Files, v)
	}
	// What most people open first: the table, the map, the web.
	order := []string{"csv", "gpkg", "geojson"}
	slices.SortStableFunc(d.p.Files, func(a, b viewer.Download) int {
		if a.Layer != b.Layer {
			return 0
		}
		return cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind))
	})
	return nil
}

// resources sorts what people can take or open.
func (d *datasetFiller) resources(context.Context) error {
	p := &d.p
	var documentation []viewer.Document
	for _, r := range d.e.Resources {
		href := r.URL
		if href == "" {
			href = p.Path() + "/fichiers/" + r.Name
		}
		switch r.Kind {
		case catalogue.FileResource:
			p.Files = append(p.Files, viewer.Download{Kind: "received", Title: r.Title, Href: href, Format: r.Format, Bytes: r.Bytes})
		case catalogue.Reference:
			if p.Reference == nil {
				p.Reference = &viewer.Link{Title: r.Title, Href: r.URL}
				p.Checked = checked(r.Link)
			}
		case catalogue.Service:
			p.Services = append(p.Services, viewer.Service{Title: r.Title, Format: r.Format, URL: r.URL})
		case catalogue.Administrative, catalogue.Documentation:
			doc := viewer.Document{Title: r.Title, Href: href, Format: r.Format, Bytes: r.Bytes, Outside: r.URL != ""}
			if r.Document == nil {
				documentation = append(documentation, doc)
				continue
			}
			doc.Type, doc.Number = r.Document.Type, r.Document.Number
			if day, err := time.Parse(time.DateOnly, r.Document.Date); err == nil {
				doc.Date = &day
			}
			p.Documents = append(p.Documents, doc)
		}
	}
	p.Documents = append(p.Documents, documentation...)
	if len(p.Layers) > 0 || len(p.Files) > 0 {
		p.Reference = nil // there is something to take here
	}
	return nil
}

// checked says how a link was last found; an empty message when nobody looked.
func checked(l *catalogue.Link) geo.Message {
	switch {
	case l == nil:
		return geo.Message{}
	case l.BrokenSince != nil && l.Message != nil:
		return geo.Say("link.broken", "since", *l.BrokenSince, "why", *l.Message)
	case l.Message != nil:
		return *l.Message
	}
	return geo.Say("link.answers", "at", l.At)
}
