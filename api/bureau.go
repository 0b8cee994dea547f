package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/api/answer"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// The producer's desk. An account sees what is its producer's; of the rest it
// is told nothing. Publishing is for referents.

// bureauRoutes adds the addresses of the desk. raw is for forms with files,
// which their handlers read as they come.
func (s *Server) bureauRoutes(get, post, raw func(string, answer.Handler)) {
	const (
		one  = "/bureau/jeux/{slug:[a-z0-9][a-z0-9-]*}"
		sent = "/bureau/envois/{id:[0-9]{1,18}}"
	)
	get("/bureau", s.deskPage)
	get("/bureau/nouveau", s.newDatasetPage)
	post("/bureau/nouveau", s.newDataset)
	get(one, s.deskDatasetPage)
	get(one+"/decrire", s.describePage)
	post(one+"/decrire", s.describe)
	post(one+"/adresse", s.renameDataset)
	raw(one+"/fichier", s.sendFile)
	post(one+"/versions/{number:[0-9]{1,9}}/reprendre", s.bringVersion)
	get(one+"/documents", s.documentsPage)
	raw(one+"/documents", s.addDocument)
	post(one+"/documents/{name}/{act:monter|descendre|retirer|remettre}", s.moveDocument)
	get(sent, s.deliveryPage)
	get(sent+"/evenements", s.deliveryEvents)
	get(sent+"/rejets.csv", s.rejectedRows)
	post(sent+"/{act:publier|jeter|relire|comparer}", s.decideDelivery)
	get("/bureau/corrections", s.correctionsPage)
	post("/bureau/corrections/{id:[0-9]{1,18}}", s.replyCorrection)
	get("/bureau/signalements", s.reportsPage)
	post("/bureau/signalements/{id:[0-9]{1,18}}", s.answerReport)
}

// deskActor is who is signed in at a desk: a producer or a coordinator.
func (s *Server) deskActor(r *http.Request) (account.Actor, error) {
	actor, err := s.actor(r)
	switch {
	case err != nil:
		return actor, err
	case !actor.SignedIn():
		return actor, errSignIn
	case !account.May(actor, account.SeeDesk, account.Subject{Producer: actor.Producer}):
		return actor, geo.ErrForbidden
	}
	return actor, nil
}

// desked gives the dataset of the address to who may do something with it.
func (s *Server) desked(r *http.Request, action account.Action) (catalogue.Entry, account.Actor, error) {
	actor, err := s.deskActor(r)
	if err != nil {
		return catalogue.Entry{}, actor, err
	}
	e, err := s.deskEntry(r.Context(), actor, pathVar(r, "slug"))
	if err == nil && !account.May(actor, action, account.Subject{Producer: e.Producer}) {
		err = geo.ErrForbidden
	}
	return e, actor, err
}

// deskEntry gives a dataset to those whose it is; for the others there is none.
func (s *Server) deskEntry(ctx context.Context, actor account.Actor, slug string) (catalogue.Entry, error) {
	e, err := catalogue.Find(ctx, s.Hub.Web, catalogue.Desk, slug)
	if errors.Is(err, geo.ErrNotFound) {
		if now, merr := catalogue.Moved(ctx, s.Hub.Web, slug); merr == nil {
			e, err = catalogue.Find(ctx, s.Hub.Web, catalogue.Desk, now)
		}
	}
	if err == nil && !account.May(actor, account.SeeDesk, account.Subject{Producer: e.Producer}) {
		err = fmt.Errorf("dataset %s: %w", slug, geo.ErrNotFound)
	}
	return e, err
}

// deskPage answers /bureau.
func (s *Server) deskPage(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.deskActor(r)
	if err != nil {
		return err
	}
	p, err := s.producerDesk(r, actor)
	if err != nil {
		return err
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Bureau(b, p) })
}

// producerDesk is what a producer's people see first.
func (s *Server) producerDesk(r *http.Request, actor account.Actor) (viewer.DeskPage, error) {
	ctx := r.Context()
	p := viewer.DeskPage{
		Page: s.page(r, s.state.Load()), CSRF: actor.CSRF,
		MayPublish:  account.May(actor, account.Publish, account.Subject{Producer: actor.Producer}),
		Coordinates: account.May(actor, account.SeeBoard, account.Subject{}),
	}
	list, err := catalogue.Entries(ctx, s.Hub.Web, catalogue.Desk, `($1 = '' or d.producer_id = $1) and d.retired_at is null order by d.title->>'fr', d.slug`, actor.Producer)
	if err != nil {
		return p, err
	}
	about, err := catalogue.ReadAbout(ctx, s.Hub.Web)
	if err != nil {
		return p, err
	}
	p.Producer = about.Producers[actor.Producer].Title
	waits, err := s.waitingUploads(ctx)
	if err != nil {
		return p, err
	}
	for i := range list {
		row, _, err := s.deskRow(ctx, &list[i], about)
		if err != nil {
			return p, err
		}
		row.Upload, row.Waits = waits[row.Slug].id, waits[row.Slug].state
		p.Rows = append(p.Rows, row)
	}
	p.Corrections, p.Reports, err = s.deskWaits(ctx, actor.Producer)
	return p, err
}

// deskRow is a dataset as lists of the desk show it.
func (s *Server) deskRow(ctx context.Context, e *catalogue.Entry, about *catalogue.About) (viewer.DeskRow, catalogue.Quality, error) {
	row := viewer.DeskRow{
		Slug: e.Slug, Title: e.Title, Producer: about.Producers[e.Producer].Title, State: string(e.State), Since: e.Since, Delivered: e.DeliveredAt,
	}
	f, q, err := catalogue.Judge(ctx, s.Hub.Web, e, about, s.Now())
	if err != nil {
		return row, q, err
	}
	row.Fresh, row.Late, row.Earned, row.Criteria = f.Message(e.Frequency), f.Late, q.Earned, len(q.Criteria)
	return row, q, nil
}

type waitingUpload struct {
	id    int64
	state string
}

// waitingUploads are the uploads that are under way or wait for a yes, by
// dataset.
func (s *Server) waitingUploads(ctx context.Context) (map[string]waitingUpload, error) {
	rows, err := s.Hub.Web.Query(ctx, `
		select d.slug, u.id, u.state from upload u join dataset d on d.id = u.dataset_id
		where u.state in ('waiting', 'loading', 'ready', 'publishing')
		order by u.id`)
	if err != nil {
		return nil, fmt.Errorf("read what waits: %w", err)
	}
	m := map[string]waitingUpload{}
	var slug string
	var u waitingUpload
	_, err = pgx.ForEachRow(rows, []any{&slug, &u.id, &u.state}, func() error { m[slug] = u; return nil })
	return m, err
}

// deskDatasetPage answers /bureau/jeux/{slug}.
func (s *Server) deskDatasetPage(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.desked(r, account.SeeDesk)
	if err != nil {
		return err
	}
	if slug := pathVar(r, "slug"); slug != e.Slug {
		seeOther(w, r, "/bureau/jeux/"+e.Slug)
		return nil
	}
	return s.writeDeskDataset(w, r, &e, actor, http.StatusOK, geo.Message{}, viewer.DeskChoices{})
}

// writeDeskDataset writes the page of a dataset, with why a file was not taken.
func (s *Server) writeDeskDataset(w http.ResponseWriter, r *http.Request, e *catalogue.Entry, actor account.Actor, status int, refused geo.Message, c viewer.DeskChoices) error {
	ctx := r.Context()
	about, err := catalogue.ReadAbout(ctx, s.Hub.Web)
	if err != nil {
		return err
	}
	p := viewer.DeskDataset{
		Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Public: e.State == catalogue.Open && !e.Retired, Series: e.Life == geo.Series,
		MayPublish: account.May(actor, account.Publish, account.Subject{Producer: e.Producer}),
		Formats:    sentFormats(), MaxBytes: maxSent, Refused: refused, Choices: c,
		Notice: deskNotice(r.URL.Query().Get("fait")),
	}
	var q catalogue.Quality
	if p.Row, q, err = s.deskRow(ctx, e, about); err != nil {
		return err
	}
	for _, c := range q.Criteria {
		p.Criteria = append(p.Criteria, viewer.DeskCriterion{Name: c.Name, Why: c.Why, Earned: c.Earned})
	}
	uploads, err := catalogue.Uploads(ctx, s.Hub.Web, e.Slug, 5)
	if err != nil {
		return err
	}
	for i := range uploads {
		d, err := delivery(&uploads[i])
		if err != nil {
			return err
		}
		p.Uploads = append(p.Uploads, d)
	}
	versions, err := catalogue.PastVersions(ctx, s.Hub.Web, e.Slug, 15)
	if err != nil {
		return err
	}
	for _, v := range versions {
		p.Versions = append(p.Versions, pastVersion(v))
	}
	p.Documents = deskResources(e)
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.DeskOf(b, p) })
}

func pastVersion(v catalogue.PastVersion) viewer.DeskVersion {
	out := viewer.DeskVersion{
		Number: v.Number, Source: v.Source, State: v.State, At: v.At, Published: v.Published, Current: v.Current,
		Rows: v.Rows, Rejected: v.Rejected, Failure: v.Failure,
	}
	switch {
	case v.Current:
	case v.Tables:
		out.Back = "tables"
	case v.File:
		out.Back = "file"
	}
	return out
}

// deskNotices are what a page may say was just done.
var deskNotices = []string{"decrit", "cree", "adresse", "document", "retire", "remis", "jete", "repondu"}

func deskNotice(s string) string {
	for _, n := range deskNotices {
		if n == s {
			return n
		}
	}
	return ""
}
