package api

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// reportsPage answers /bureau/signalements: what visitors wrote.
func (s *Server) reportsPage(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.deskActor(r)
	if err != nil {
		return err
	}
	p, err := s.deskReports(r, actor)
	if err != nil {
		return err
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Reports(b, p) })
}

func (s *Server) deskReports(r *http.Request, actor account.Actor) (viewer.ReportsPage, error) {
	p := viewer.ReportsPage{Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Notice: deskNotice(r.URL.Query().Get("fait")), Versions: map[string][]viewer.DeskVersion{}}
	list, err := catalogue.Reports(r.Context(), s.Hub.Web, catalogue.ReportFilter{Producer: actor.Producer, Limit: 100})
	if err != nil {
		return p, err
	}
	for _, short := range list {
		one, err := catalogue.ReportByID(r.Context(), s.Hub.Web, short.ID)
		if err != nil {
			return p, err
		}
		d := viewer.DeskReport{
			ID: one.ID, Dataset: one.Dataset, Title: one.Title, Object: strings.Trim(one.Layer+"/"+one.Key, "/"), Kind: string(one.Kind),
			Text: one.Text, Lang: one.Lang, At: one.At, State: string(one.State), Next: len(one.Answers) + 1,
		}
		for _, a := range one.Answers {
			d.Answers = append(d.Answers, viewer.DeskAnswer{State: string(a.State), Text: a.Text, Version: a.Version, At: a.At})
		}
		p.List = append(p.List, d)
		if _, known := p.Versions[d.Dataset]; !known {
			if p.Versions[d.Dataset], err = s.publishedVersions(r, d.Dataset); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

// publishedVersions are those of a dataset that were ever published.
func (s *Server) publishedVersions(r *http.Request, slug string) ([]viewer.DeskVersion, error) {
	past, err := catalogue.PastVersions(r.Context(), s.Hub.Web, slug, 10)
	list := []viewer.DeskVersion{}
	for _, v := range past {
		if v.Published != nil {
			list = append(list, pastVersion(v))
		}
	}
	return list, err
}

// answerReport answers a visitor; the answer stands at the address that they
// were given.
func (s *Server) answerReport(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.deskActor(r)
	if err != nil {
		return err
	}
	one, err := catalogue.ReportByID(r.Context(), s.Hub.Web, id(pathVar(r, "id")))
	if err == nil && !account.May(actor, account.ReplyToAll, account.Subject{Producer: one.Producer}) {
		err = fmt.Errorf("report %d: %w", one.ID, geo.ErrNotFound)
	}
	if err != nil {
		return err
	}
	f := r.PostForm
	a := catalogue.ReportAnswer{
		Number: number(f.Get("suite")), State: catalogue.ReportState(f.Get("dit")), Text: strings.TrimSpace(f.Get("reponse")), Account: actor.ID,
	}
	switch a.State {
	case catalogue.ReportAnswered, catalogue.ReportAccepted, catalogue.ReportRefused:
	case catalogue.ReportCorrected:
		a.Version = number(f.Get("version"))
	default:
		return &geo.ParamError{Param: "dit", Value: string(a.State), Want: "want answered, accepted, refused or corrected"}
	}
	err = catalogue.AnswerReport(r.Context(), s.Hub.Desk, one.ID, a)
	if isConflict(err) {
		err = geo.Bad(err, "bureau.answered-meanwhile")
	}
	if m, refused := refusal(err); refused {
		p, perr := s.deskReports(r, actor)
		if perr != nil {
			return perr
		}
		p.Refused, p.At, p.Typed = m, one.ID, a.Text
		return s.writePrivate(w, p.Page, deskStatus(err), func(b *bytes.Buffer) error { return viewer.Reports(b, p) })
	}
	if err != nil {
		return err
	}
	seeOther(w, r, "/bureau/signalements", "fait", "repondu")
	return nil
}
