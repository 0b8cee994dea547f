package api

import (
	"bytes"
	"context"
	"html/template"
	"net/http"
	"strconv"

	"calanque/api/account"
	"calanque/osm/workshop"
	"calanque/viewer"

	"calanque/geo"
)

// boardPage answers /atelier/{code}/conduite. With ?vif=1 it leaves out what
// does not change: that is how a page with a script follows.
func (s *Server) boardPage(w http.ResponseWriter, r *http.Request) error {
	session, actor, err := s.mediated(w, r)
	if err != nil {
		return answered(err)
	}
	p, err := s.board(r, &session, actor)
	if err != nil {
		return err
	}
	if code, ok := notices[r.URL.Query().Get("fait")]; ok {
		p.Notice = geo.Say(code)
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Board(b, p) })
}

func (s *Server) board(r *http.Request, session *workshop.Session, actor account.Actor) (viewer.BoardPage, error) {
	ctx := r.Context()
	p := viewer.BoardPage{Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Recovery: recoveryCode(r)}
	var err error
	p.Room = s.room(session)
	whole := r.URL.Query().Get("vif") == ""
	if p.Progress, p.Ground, p.Over, err = s.measured(ctx, p.Lang, session, viewer.Plan{ID: "b", Width: 800, Height: 640, Bleed: 200}, whole); err != nil {
		return p, err
	}
	if p.QR, p.Address, p.OnlyHere, err = s.wayIn(r, p.Lang, session.Code); err != nil {
		return p, err
	}
	if p.Doubts, err = s.doubts(ctx, session); err != nil {
		return p, err
	}
	tasks, err := workshop.Tasks(ctx, s.Hub.Web, session.ID)
	for i := range tasks {
		if t := &tasks[i]; t.Claimed {
			p.Claims = append(p.Claims, viewer.ClaimView{Number: t.Number, Cell: t.Cell, Name: t.Name, Task: t.ID})
		}
	}
	return p, err
}

// measured gives a session in numbers and on a map.
func (s *Server) measured(ctx context.Context, lang string, session *workshop.Session, size viewer.Plan, ground bool) (p viewer.Progress, under, over template.HTML, err error) {
	measured, err := workshop.Measure(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return p, "", "", err
	}
	cells, box, err := s.sessionCells(ctx, session, &measured)
	if err != nil {
		return p, "", "", err
	}
	under, over, err = s.boardPlans(ctx, lang, session, cells, box, size, ground)
	return progress(&measured, cells), under, over, err
}

// wayIn is the code of a session as a QR code, and the address beside it.
func (s *Server) wayIn(r *http.Request, lang, code string) (qr template.HTML, address string, onlyHere bool, err error) {
	base, onlyHere := s.joinAddress(r)
	address = plainAddress(base)
	qr, err = viewer.QR(base+"/atelier/"+code, viewer.Say(lang, "pages.qr", "address", base+"/atelier/"+code))
	return qr, address, onlyHere, err
}

func (s *Server) doubts(ctx context.Context, session *workshop.Session) ([]viewer.DoubtView, error) {
	list, err := workshop.Doubtful(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return nil, err
	}
	var out []viewer.DoubtView
	for i := range list {
		d := &list[i]
		v := viewer.DoubtView{Task: d.Question.Task.ID, Number: d.Question.Task.Number, Ask: d.Question.Ask, Why: d.Why, Choices: choices(&d.Question, nil)}
		for _, o := range d.Opinions {
			v.Opinions = append(v.Opinions, viewer.OpinionView{Number: o.Number, Label: o.Label, Value: o.Value, OnSite: o.OnSite, Note: o.Note})
		}
		out = append(out, v)
	}
	return out, nil
}

// conduct does what a button of the board asks.
func (s *Server) conduct(w http.ResponseWriter, r *http.Request) error {
	session, actor, err := s.mediated(w, r)
	if err != nil {
		return answered(err)
	}
	ctx, desk, form := r.Context(), s.Hub.Desk, r.PostForm
	to, done := "/atelier/"+session.Code+"/conduite", ""
	switch pathVar(r, "act") {
	case "ouvrir":
		err = workshop.Open(ctx, desk, session.Code)
	case "phase":
		n := number(form.Get("phase"))
		if n < 1 || n > len(workshop.Phases) {
			return &geo.ParamError{Param: "phase", Value: strconv.Itoa(n), Want: "want 1 to 4"}
		}
		err = workshop.SetPhase(ctx, desk, session.Code, workshop.Phases[n-1])
	case "figer":
		err = workshop.Freeze(ctx, desk, session.Code, form.Get("figer") == "1")
	case "attention":
		err, done = workshop.Call(ctx, desk, session.Code, form.Get("mot")), "appele"
		if m, refused := refusal(err); refused {
			return s.boardRefused(w, r, &session, actor, m)
		}
	case "feuille":
		var taken int
		taken, err = workshop.TakeSheet(ctx, desk, session.Code, number(form.Get("feuille")))
		if done = "donnee"; taken == 0 {
			done = "vide"
		}
	case "code":
		return s.recode(w, r, &session)
	case "reprendre":
		err, done = workshop.TakeBack(ctx, desk, session.Code, id(form.Get("question"))), "repris"
	case "decider":
		err, done = workshop.Decide(ctx, desk, actor.ID, id(form.Get("question")), number(form.Get("choix"))), "tranche"
	case "terminer":
		err, to = workshop.Close(ctx, desk, session.Code), "/atelier/"+session.Code+"/rapport"
	}
	if err != nil && !isConflict(err) {
		return err
	}
	if err != nil {
		to, done = "/atelier/"+session.Code+"/conduite", "" // it is so already, or no more: the board shows how it is
	}
	seeOther(w, r, to, "fait", done)
	return nil
}

// recode gives a session that is not open yet another code.
func (s *Server) recode(w http.ResponseWriter, r *http.Request, session *workshop.Session) error {
	code, recovery, err := workshop.Recode(r.Context(), s.Hub.Desk, session.Code)
	if isConflict(err) {
		seeOther(w, r, "/atelier/"+session.Code+"/conduite")
		return nil
	}
	if err != nil {
		return err
	}
	s.keepSeat(w, r, code, recoveryCookie, recovery)
	seeOther(w, r, "/atelier/"+code+"/conduite", "fait", "code")
	return nil
}

// boardRefused shows the board with why a form on it was not taken.
func (s *Server) boardRefused(w http.ResponseWriter, r *http.Request, session *workshop.Session, actor account.Actor, m geo.Message) error {
	p, err := s.board(r, session, actor)
	if err != nil {
		return err
	}
	p.Refused, p.Words = m, r.PostForm.Get("mot")
	return s.writePrivate(w, p.Page, http.StatusBadRequest, func(b *bytes.Buffer) error { return viewer.Board(b, p) })
}

// wallPage answers /atelier/{code}/projecteur, to whoever has the address.
func (s *Server) wallPage(w http.ResponseWriter, r *http.Request) error {
	session, err := s.shown(w, r, account.SeeWall)
	if err != nil {
		return answered(err)
	}
	p := viewer.WallPage{Page: s.page(r, s.state.Load())}
	p.Room = s.room(&session)
	size := viewer.Plan{ID: "w", Width: 1200, Height: 790, Bleed: 220, Scale: 2.4}
	if p.Progress, p.Ground, p.Over, err = s.measured(r.Context(), p.Lang, &session, size, r.URL.Query().Get("vif") == ""); err != nil {
		return err
	}
	if p.QR, p.Address, _, err = s.wayIn(r, p.Lang, session.Code); err != nil {
		return err
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Wall(b, p) })
}
