package api

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/dcat"
	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
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

// versions reads the deliveries: counts and rules, never rows.
func (d *datasetFiller) versions(ctx context.Context) error {
	if d.e.Version == 0 {
		return nil
	}
	rows, err := d.s.Hub.Web.Query(ctx, `
		select v.id, v.number, v.published_at, v.source, lv.n_read, lv.n_loaded, lv.n_repaired, lv.n_rejected, lv.n_no_geometry, count(*) over ()
		from version v
		cross join lateral (
			select coalesce(sum(n_read), 0)::bigint as n_read, coalesce(sum(n_loaded), 0)::bigint as n_loaded,
				coalesce(sum(n_repaired), 0)::bigint as n_repaired, coalesce(sum(n_rejected), 0)::bigint as n_rejected,
				coalesce(sum(n_no_geometry), 0)::bigint as n_no_geometry
			from layer_version where version_id = v.id) lv
		where v.dataset_id = $1 and v.published_at is not null
		order by v.number desc
		limit $2`, d.e.ID, viewer.VersionsShown)
	if err != nil {
		return fmt.Errorf("versions of %s: %w", d.e.Slug, features.Kind(err))
	}
	var ids []int64
	var id int64
	var v viewer.Version
	r := &v.Report
	_, err = pgx.ForEachRow(rows, []any{&id, &v.Number, &v.At, &v.Source, &r.Read, &r.Loaded, &r.Repaired, &r.Rejected, &r.NoGeometry, &d.p.AllVersions}, func() error {
		ids = append(ids, id)
		d.p.Versions = append(d.p.Versions, v)
		return nil
	})
	if err != nil {
		return fmt.Errorf("versions of %s: %w", d.e.Slug, features.Kind(err))
	}
	return d.rules(ctx, ids)
}

// rules tells of the deliveries what was repaired and rejected, by rule. It is
// counted once for each: a delivery does not change.
func (d *datasetFiller) rules(ctx context.Context, ids []int64) error {
	for i, id := range ids {
		v := &d.p.Versions[i]
		if v.Report.Repaired+v.Report.Rejected+v.Report.NoGeometry == 0 {
			continue
		}
		counts, err := d.s.rules.of(strconv.FormatInt(id, 10), 0, func() (ruleCounts, error) { return readRules(ctx, d.s.Hub.Web, id) })
		if err != nil {
			return fmt.Errorf("rules of %s: %w", d.e.Slug, err)
		}
		v.Repaired, v.Rejects = counts.repaired, counts.rejected
	}
	return nil
}

// ruleCounts are what a delivery's rules did, the most frequent first.
type ruleCounts struct{ repaired, rejected []viewer.RuleCount }

func readRules(ctx context.Context, db postgis.DB, version int64) (ruleCounts, error) {
	var counts ruleCounts
	rows, err := db.Query(ctx, `select action, rule, n from issue_count where version_id = $1 order by n desc, rule`, version)
	if err != nil {
		return counts, features.Kind(err)
	}
	var action string
	var c viewer.RuleCount
	_, err = pgx.ForEachRow(rows, []any{&action, &c.Rule, &c.Count}, func() error {
		if action == "rejected" {
			counts.rejected = append(counts.rejected, c)
		} else {
			counts.repaired = append(counts.repaired, c)
		}
		return nil
	})
	return counts, features.Kind(err)
}

// timeline is the chain as the public may read it: states, days and bodies;
// neither accounts nor reasons.
func (d *datasetFiller) timeline(ctx context.Context) error {
	steps, err := catalogue.Steps(ctx, d.s.Hub.Web, d.e.Slug)
	if err != nil {
		return features.Kind(err)
	}
	if len(steps) < 2 && d.e.Chain == catalogue.Partner {
		return nil // opened by its producer: nothing to tell
	}
	for _, step := range steps {
		m := viewer.Milestone{Step: string(step.From) + "-" + string(step.To), At: step.At, Body: step.Body}
		if step.DecidedOn != nil {
			m.At = *step.DecidedOn
		}
		if strings.HasPrefix(m.Body, "calanque") {
			m.Body = "" // a command decides nothing
		}
		for _, r := range d.e.Resources {
			if r.ID == step.Document {
				m.Doc, m.Href = r.Title, r.URL
				if m.Href == "" {
					m.Href = d.p.Path() + "/fichiers/" + r.Name
				}
			}
		}
		if step.Number == 1 && d.e.CountedAt.Before(m.At) { // else it was decided before it was written down
			d.p.Timeline = append(d.p.Timeline, viewer.Milestone{Step: string(catalogue.Counted), At: d.e.CountedAt})
		}
		d.p.Timeline = append(d.p.Timeline, m)
	}
	return nil
}

// groupCounts counts the outcomes of a comparison by group, once for each
// revision of it.
func (s *Server) groupCounts(ctx context.Context, outcomes *geo.Relation) (map[string]int64, error) {
	return s.groups.of(outcomes.Layer, outcomes.Revision, func() (map[string]int64, error) {
		counts := map[string]int64{}
		rows, err := s.Hub.Web.Query(ctx, fmt.Sprintf(`select coalesce(%s::text, ''), count(*) from %s group by 1`,
			ident(groupField), ident(outcomes.Schema, outcomes.Table)))
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", outcomes.Layer, features.Kind(err))
		}
		var group string
		var n int64
		_, err = pgx.ForEachRow(rows, []any{&group, &n}, func() error {
			counts[group] = n
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("count %s: %w", outcomes.Layer, features.Kind(err))
		}
		return counts, nil
	})
}
