package api

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"calanque/api/answer"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/viewer"
)

// Reports of visitors: "Signaler une erreur" and "Écrire au producteur".

func (s *Server) reportRoutes(get, _, open func(string, answer.Handler)) {
	get("/signaler", s.reportForm)
	open("/signaler", s.sendReport)
	get("/signalements/{token:[A-Za-z0-9_-]{22}}", s.visitorReport)
}

// asked is the form that a request is about: an object of a layer that is
// served, or a public dataset.
func (s *Server) askedReport(r *http.Request, q url.Values) (viewer.ReportForm, error) {
	p := viewer.ReportForm{
		Page: s.page(r, s.state.Load()), Kind: string(catalogue.ErrorReport),
		Dataset: q.Get("jeu"), Object: q.Get("objet"), Text: q.Get("texte"), Stamp: s.visitors.stamp(s.Now()),
	}
	if q.Get("sujet") == string(catalogue.MessageReport) {
		p.Kind = q.Get("sujet")
	}
	e, err := catalogue.Find(r.Context(), s.Hub.Web, catalogue.Public, p.Dataset)
	if err != nil {
		return p, err
	}
	p.Title = e.Title
	if p.Object != "" {
		p.Name, err = s.objectName(r, p.Lang, p.Dataset, p.Object)
	}
	return p, err
}

// objectName is what people call an object, given as layer/key; ErrNotFound
// when the dataset has none like that now.
func (s *Server) objectName(r *http.Request, lang, dataset, object string) (string, error) {
	layer, key, _ := strings.Cut(object, "/")
	st, err := s.current()
	if err != nil {
		return "", err
	}
	rel, l := st.relation(layer), st.layer(layer)
	if rel == nil || rel.Dataset != dataset || key == "" {
		return "", geo.ErrNotFound
	}
	f, err := postgis.One(r.Context(), s.Hub.Web, rel, key)
	if err != nil {
		return "", err
	}
	return viewer.FeatureName(lang, l, f), nil
}

func (s *Server) reportForm(w http.ResponseWriter, r *http.Request) error {
	p, err := s.askedReport(r, r.URL.Query())
	if err != nil {
		return err
	}
	p.Text = ""
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.WriteReportForm(b, p) })
}

// sendReport keeps a message and leads to its page. What can't be kept is
// shown again with the reason.
func (s *Server) sendReport(w http.ResponseWriter, r *http.Request) error {
	p, err := s.askedReport(r, r.PostForm)
	if err != nil {
		return err
	}
	var refused *geo.InputError
	if refused = s.mayWrite(r); refused == nil {
		report := catalogue.Report{Dataset: p.Dataset, Kind: catalogue.ReportKind(p.Kind), Text: p.Text, Lang: p.Lang}
		report.Layer, report.Key, _ = strings.Cut(p.Object, "/")
		token, err := catalogue.SendReport(r.Context(), s.Hub.Desk, report)
		if err == nil {
			seeOther(w, r, "/signalements/"+token, "envoye", "1")
			return nil
		}
		if !errors.As(err, &refused) {
			return err
		}
	}
	p.Refused = refused.Message
	return s.writePrivate(w, p.Page, refusedStatus(refused.Code), func(b *bytes.Buffer) error { return viewer.WriteReportForm(b, p) })
}

func (s *Server) visitorReport(w http.ResponseWriter, r *http.Request) error {
	report, err := catalogue.FindReport(r.Context(), s.Hub.Web, pathVar(r, "token"))
	if err != nil {
		return err
	}
	p := viewer.VisitorReport{
		Page: s.page(r, s.state.Load()), Kind: string(report.Kind), Title: report.Title, Text: report.Text, At: report.At,
		State: string(report.State), Sent: r.URL.Query().Get("envoye") == "1",
	}
	if report.Open {
		p.Dataset = report.Dataset
	}
	if report.Layer != "" {
		p.Object = report.Key
		if name, err := s.objectName(r, p.Lang, report.Dataset, report.Layer+"/"+report.Key); err == nil {
			p.Object = name
			q := url.Values{"c": {report.Layer}, "sel": {report.Key}, "lg": {p.Lang}}
			p.OnMap = "/carte?" + q.Encode()
		}
	}
	for _, a := range report.Answers {
		p.Answers = append(p.Answers, viewer.ReportAnswer{State: string(a.State), Text: a.Text, Version: a.Version, At: a.At})
	}
	w.Header().Set("X-Robots-Tag", "noindex")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is the secret
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.WriteReport(b, p) })
}
