package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// describePage answers the form that describes a dataset.
func (s *Server) describePage(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.desked(r, account.Describe)
	if err != nil {
		return err
	}
	p, err := s.describeForm(r, actor, &e)
	if err != nil {
		return err
	}
	p.F = formOf(&e)
	return s.writeDescribe(w, p, http.StatusOK)
}

// describe saves the form. Nothing that was typed is lost: the same page says
// what is wrong, or what somebody else has saved meanwhile.
func (s *Server) describe(w http.ResponseWriter, r *http.Request) error {
	was, actor, err := s.desked(r, account.Describe)
	if err != nil {
		return err
	}
	typed := typedForm(r.PostForm)
	e, faults := entryOf(&typed, &was)
	e.Edition = number(r.PostForm.Get("edition"))
	if len(faults) == 0 {
		err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error {
			_, err := catalogue.Put(r.Context(), tx, e, catalogue.By{Account: actor.ID})
			return err
		})
		if err == nil {
			seeOther(w, r, "/bureau/jeux/"+e.Slug, "fait", "decrit")
			return nil
		}
	}
	p, perr := s.describeForm(r, actor, &was)
	if perr != nil {
		return perr
	}
	p.F = typed
	return s.describeRefused(w, r, &p, &e, faults, err)
}

// describeRefused says why a form was not saved.
func (s *Server) describeRefused(w http.ResponseWriter, r *http.Request, p *viewer.DescribePage, e *catalogue.Entry, faults []viewer.FieldFault, err error) error {
	p.Faults = faults
	var stale *catalogue.Stale
	switch {
	case errors.As(err, &stale):
		p.Edition = stale.Now.Edition
		for _, d := range catalogue.DatasetOf.Differences(&stale.Now, e) {
			theirs, yours := said(p.Lang, d.Before), said(p.Lang, d.After)
			p.Conflicts = append(p.Conflicts, viewer.FieldConflict{Field: d.Field, Theirs: theirs, Yours: yours})
		}
		if edits, err := catalogue.Edits(r.Context(), s.Hub.Web, catalogue.OfDataset, stale.Now.Slug, 1); err == nil && len(edits) > 0 {
			p.By = orElse(edits[0].Login, edits[0].Body)
		}
		return s.writeDescribe(w, *p, http.StatusConflict)
	case err != nil:
		list := catalogue.Every(err)
		if len(list) == 0 {
			return err
		}
		for _, f := range list {
			field, _ := f.Args["field"].(string)
			p.Faults = append(p.Faults, viewer.FieldFault{Field: field, Message: f.Message})
		}
	}
	return s.writeDescribe(w, *p, http.StatusUnprocessableEntity)
}

func (s *Server) writeDescribe(w http.ResponseWriter, p viewer.DescribePage, status int) error {
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.Describe(b, p) })
}

// describeForm is the form with what there is to choose from.
func (s *Server) describeForm(r *http.Request, actor account.Actor, e *catalogue.Entry) (viewer.DescribePage, error) {
	p := viewer.DescribePage{
		Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Slug: e.Slug, Name: e.Title, Edition: e.Edition, New: e.ID == 0,
		Notice: deskNotice(r.URL.Query().Get("fait")),
	}
	about, err := catalogue.ReadAbout(r.Context(), s.Hub.Web)
	if err != nil {
		return p, err
	}
	for _, l := range about.Licences {
		p.Licences = append(p.Licences, viewer.Option{ID: l.ID, Title: l.Title.In(p.Lang)})
	}
	for _, t := range about.Topics {
		p.Topics = append(p.Topics, viewer.Option{ID: t.ID, Title: t.Title.In(p.Lang)})
	}
	if actor.Role == account.Coordinator {
		for _, m := range about.Producers {
			p.Producers = append(p.Producers, viewer.Option{ID: m.ID, Title: m.Title.In(p.Lang)})
		}
	}
	for _, list := range [][]viewer.Option{p.Licences, p.Topics, p.Producers} {
		slices.SortFunc(list, func(a, b viewer.Option) int { return strings.Compare(a.Title, b.Title) })
	}
	for _, f := range geo.Frequencies {
		p.Rhythms = append(p.Rhythms, viewer.Option{ID: f.ID, Title: viewer.Say(p.Lang, "bureau.rhythm-"+f.ID)})
	}
	for _, h := range catalogue.HighValue {
		p.HighValue = append(p.HighValue, viewer.Option{ID: h.URI, Title: viewer.Say(p.Lang, "bureau.high-"+h.ID)})
	}
	return p, nil
}

// formOf fills the form with what is stored.
func formOf(e *catalogue.Entry) viewer.DescribeForm {
	day := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.Format(time.DateOnly)
	}
	f := viewer.DescribeForm{
		Slug: e.Slug, Producer: e.Producer, Licence: e.Licence, Frequency: e.Frequency, HighValue: e.HighValue, LandingPage: e.LandingPage,
		Title: e.Title, Description: e.Description, Limits: e.Limits, Topics: map[string]bool{},
		Territory: strings.Join(e.Territory, ", "), From: day(e.TemporalStart), To: day(e.TemporalEnd), Issued: day(e.IssuedAt),
		ContactName: e.Contact["name"], ContactMail: e.Contact["email"], ContactURL: e.Contact["url"],
	}
	for i, t := range e.Topics {
		f.Topics[t] = true
		if i == 0 {
			f.Topic = t
		}
	}
	for _, k := range e.Keywords {
		line := []string{k["fr"], k["en"], k["it"]}
		for len(line) > 1 && line[len(line)-1] == "" {
			line = line[:len(line)-1]
		}
		f.Keywords += strings.Join(line, " | ") + "\n"
	}
	return f
}

// typedForm is what was typed.
func typedForm(v url.Values) viewer.DescribeForm {
	get := func(name string) string { return strings.TrimSpace(strings.ReplaceAll(v.Get(name), "\r\n", "\n")) }
	texts := func(name string) map[string]string {
		return map[string]string{"fr": get(name + "-fr"), "en": get(name + "-en"), "it": get(name + "-it")}
	}
	f := viewer.DescribeForm{
		Slug: get("slug"), Producer: get("producteur"), Licence: get("licence"), Frequency: get("rythme"), HighValue: get("valeur"),
		LandingPage: get("page"), Title: texts("titre"), Description: texts("description"), Limits: texts("limites"),
		Keywords: get("mots"), Topic: get("theme"), Topics: map[string]bool{}, Territory: get("territoire"),
		From: get("debut"), To: get("fin"), Issued: get("publie"),
		ContactName: get("contact-nom"), ContactMail: get("contact-mail"), ContactURL: get("contact-page"),
	}
	for _, t := range v["themes"] {
		f.Topics[t] = true
	}
	return f
}

// entryOf is the description that a form makes of the one that is stored; what
// no form asks for stays as it is.
func entryOf(f *viewer.DescribeForm, was *catalogue.Entry) (catalogue.Entry, []viewer.FieldFault) {
	e := *was
	var faults []viewer.FieldFault
	day := func(field, typed string) *time.Time {
		if typed == "" {
			return nil
		}
		t, err := time.Parse(time.DateOnly, typed)
		if err != nil {
			faults = append(faults, viewer.FieldFault{Field: field, Message: geo.Say("put.date", "field", field, "value", typed)})
			return nil
		}
		return &t
	}
	text := func(m map[string]string) geo.Text {
		t := geo.Text{}
		for lang, s := range m {
			if s != "" {
				t[lang] = s
			}
		}
		return t
	}
	e.Title, e.Description, e.Limits = text(f.Title), text(f.Description), text(f.Limits)
	e.Licence, e.Frequency, e.HighValue, e.LandingPage = f.Licence, f.Frequency, f.HighValue, f.LandingPage
	e.TemporalStart, e.TemporalEnd, e.IssuedAt = day("from", f.From), day("to", f.To), day("issued", f.Issued)
	e.Territory = strings.FieldsFunc(f.Territory, func(c rune) bool { return strings.ContainsRune(", ;\n\t", c) })
	e.Contact = map[string]string{}
	for k, v := range map[string]string{"name": f.ContactName, "email": f.ContactMail, "url": f.ContactURL} {
		if v != "" {
			e.Contact[k] = v
		}
	}
	e.Keywords, e.Topics = keywords(f.Keywords), topics(f)
	return e, faults
}

// keywords reads a line for each: French, English and Italian, with bars
// between.
func keywords(typed string) []geo.Text {
	var list []geo.Text
	for line := range strings.SplitSeq(typed, "\n") {
		t := geo.Text{}
		for i, word := range strings.SplitN(line, "|", len(viewer.Languages)) {
			if word = strings.TrimSpace(word); word != "" {
				t[viewer.Languages[i]] = word
			}
		}
		if len(t) > 0 {
			list = append(list, t)
		}
	}
	return list
}

// topics are the main one, then the others.
func topics(f *viewer.DescribeForm) []string {
	var list []string
	for t := range f.Topics {
		if t != f.Topic {
			list = append(list, t)
		}
	}
	slices.Sort(list)
	if f.Topic != "" {
		list = append([]string{f.Topic}, list...)
	}
	return list
}

// said is a value of the log of edits as people read it.
func said(lang string, j []byte) string {
	var v any
	if err := unmarshal(j, &v); err != nil || v == nil {
		return viewer.Say(lang, "bureau.nothing")
	}
	return flat(v)
}

func flat(v any) string {
	var parts []string
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case []any:
		for _, e := range v {
			parts = append(parts, flat(e))
		}
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			parts = append(parts, k+"\u00a0: "+flat(v[k]))
		}
	}
	return strings.Join(parts, "; ")
}

// renameDataset gives a dataset another address; the old one leads to it.
func (s *Server) renameDataset(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.desked(r, account.Publish)
	if err != nil {
		return err
	}
	e.Slug, e.Edition = strings.TrimSpace(r.PostForm.Get("slug")), 0
	err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error {
		_, err := catalogue.Put(r.Context(), tx, e, catalogue.By{Account: actor.ID})
		return err
	})
	if list := catalogue.Every(err); len(list) > 0 {
		old, ferr := s.deskEntry(r.Context(), actor, pathVar(r, "slug"))
		if ferr != nil {
			return ferr
		}
		return s.writeDeskDataset(w, r, &old, actor, http.StatusUnprocessableEntity, list[0].Message, viewer.DeskChoices{})
	}
	if err != nil {
		return err
	}
	seeOther(w, r, "/bureau/jeux/"+e.Slug, "fait", "adresse")
	return nil
}

// newDatasetPage answers the form of a new dataset.
func (s *Server) newDatasetPage(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.deskActor(r)
	if err != nil {
		return err
	}
	p, err := s.describeForm(r, actor, &catalogue.Entry{Producer: actor.Producer})
	if err != nil {
		return err
	}
	p.F = viewer.DescribeForm{Producer: actor.Producer}
	return s.writeDescribe(w, p, http.StatusOK)
}

// newDataset writes a new dataset of the producer into the census: it takes the
// short chain, and is hidden until a referent publishes its first version.
func (s *Server) newDataset(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.deskActor(r)
	if err != nil {
		return err
	}
	typed := typedForm(r.PostForm)
	blank := catalogue.Entry{Producer: actor.Producer, Chain: catalogue.Partner}
	if actor.Role == account.Coordinator {
		blank.Producer = typed.Producer
	}
	e, faults := entryOf(&typed, &blank)
	e.Slug = typed.Slug
	if e.Slug == "" {
		e.Slug = slugOf(e.Title.In("fr"))
		typed.Slug = e.Slug
	}
	if !account.May(actor, account.Describe, account.Subject{Producer: e.Producer}) {
		return geo.ErrForbidden
	}
	if len(faults) == 0 {
		err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error { return createDataset(r.Context(), tx, e, actor.ID) })
		if err == nil {
			seeOther(w, r, "/bureau/jeux/"+e.Slug, "fait", "cree")
			return nil
		}
	}
	p, perr := s.describeForm(r, actor, &blank)
	if perr != nil {
		return perr
	}
	p.F = typed
	return s.describeRefused(w, r, &p, &e, faults, err)
}

func createDataset(ctx context.Context, tx pgx.Tx, e catalogue.Entry, by int64) error {
	if _, err := catalogue.Find(ctx, tx, catalogue.Desk, e.Slug); !errors.Is(err, geo.ErrNotFound) {
		if err != nil {
			return err
		}
		return geo.Bad(geo.ErrExists, "put.slug-taken", "field", "id", "value", e.Slug)
	}
	_, err := catalogue.Put(ctx, tx, e, catalogue.By{Account: by})
	return err
}
