package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"calanque/api/account"
	"calanque/geo"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// joinPage answers /atelier: the field for a code, and for mediators their
// sessions. A code leads to its session.
func (s *Server) joinPage(w http.ResponseWriter, r *http.Request) error {
	p := viewer.JoinPage{Page: s.page(r, s.state.Load()), Typed: strings.TrimSpace(r.URL.Query().Get("code"))}
	if p.Typed != "" {
		code := workshop.Normalise(p.Typed)
		if _, err := workshop.ByCode(r.Context(), s.Hub.Web, code); err == nil {
			seeOther(w, r, "/atelier/"+code)
			return nil
		} else if !errors.Is(err, geo.ErrNotFound) {
			return err
		}
		return answered(s.wrongCode(w, r, p.Typed))
	}
	actor, err := s.actor(r)
	if err != nil {
		return err
	}
	if p.Prepare = account.May(actor, account.Prepare, account.Subject{}); p.Prepare {
		p.CSRF = actor.CSRF
		mine := actor.ID
		if actor.Role == account.Coordinator {
			mine = 0
		}
		list, err := workshop.List(r.Context(), s.Hub.Web, mine)
		if err != nil {
			return err
		}
		for i := range list[:min(len(list), 40)] {
			p.Mine = append(p.Mine, viewer.Room{Code: list[i].Code, Title: list[i].Title, State: string(list[i].State)})
		}
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Join(b, p) })
}

// The cookies of a seat: the token, and how far the person is, so that the
// trial comes once. They outlive the browser: a PC that crashed takes its seat
// again.
const (
	seatCookie = "place"
	stepCookie = "pas"
	seatAge    = 26 * 60 * 60 // seconds; the seat itself is forgotten earlier
)

func (s *Server) keepSeat(w http.ResponseWriter, r *http.Request, code, name, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/atelier/" + code, MaxAge: seatAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(r),
	})
}

// seated gives who sits at this browser, of the session in the address.
func (s *Server) seated(r *http.Request) (workshop.Participant, error) {
	c, err := r.Cookie(seatCookie)
	if err != nil {
		return workshop.Participant{}, geo.ErrNotFound
	}
	p, err := workshop.ByToken(r.Context(), s.Hub.Desk, c.Value)
	if err != nil {
		return p, err
	}
	here := account.Subject{}
	if p.Session.Code == sessionCode(r) {
		here = subject(&p.Session)
	}
	if !account.May(account.Actor{Role: account.Participant, Session: p.Session.ID}, account.Answer, here) {
		err = geo.ErrNotFound
	}
	return p, err
}

// join gives a seat, and leads to the first question.
func (s *Server) join(w http.ResponseWriter, r *http.Request) error {
	code := sessionCode(r)
	if p, err := s.seated(r); err == nil { // a second tap on the same button
		seeOther(w, r, "/atelier/"+p.Session.Code)
		return nil
	}
	p, token, err := workshop.Join(r.Context(), s.Hub.Desk, code)
	if errors.Is(err, geo.ErrNotFound) {
		return answered(s.wrongCode(w, r, code))
	}
	if err != nil {
		return err
	}
	s.keepSeat(w, r, p.Session.Code, seatCookie, token)
	seeOther(w, r, "/atelier/"+p.Session.Code)
	return nil
}

// participantPage answers /atelier/{code}: how to join, or the question.
func (s *Server) participantPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.seated(r)
	if errors.Is(err, geo.ErrNotFound) {
		return s.doorPage(w, r)
	}
	if err != nil {
		return err
	}
	return s.questionPage(w, r, &p, asking{notice: r.URL.Query().Get("fait")})
}

// doorPage is what a session shows to who has not joined yet.
func (s *Server) doorPage(w http.ResponseWriter, r *http.Request) error {
	session, err := s.findSession(w, r, workshop.ByCode)
	if err != nil {
		return answered(err)
	}
	room, err := s.room(r.Context(), &session)
	if err != nil {
		return err
	}
	p := viewer.JoinPage{Page: s.page(r, s.state.Load()), Room: &room}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Join(b, p) })
}

// An asking is how a question page is shown after a form.
type asking struct {
	notice  string // what became of the last one: see notices
	refused geo.Message
	note    string
	number  int // of the question that was refused; 0 for the next
}

// notices are what ?fait= may say.
var notices = map[string]string{
	"1": "pages.kept", "2": "pages.kept-second", "essai": "pages.practice-done", "annule": "pages.undone",
	"repris": "pages.taken-back", "tranche": "pages.decided",
}

func (s *Server) questionPage(w http.ResponseWriter, r *http.Request, p *workshop.Participant, a asking) error {
	ctx := r.Context()
	room, err := s.room(ctx, &p.Session)
	if err != nil {
		return err
	}
	page := viewer.QuestionPage{
		Page: s.page(r, s.state.Load()), Room: room, Pseudonym: p.Pseudonym, Sign: string(p.Sign), Cell: p.Cell, OnSite: p.OnSite,
		Refused: a.refused, Note: a.note, Key: newKey(),
	}
	if code, ok := notices[a.notice]; ok {
		page.Notice = geo.Say(code)
	}
	step, _ := r.Cookie(stepCookie)
	page.Undo = step != nil && step.Value == "2"
	if err := s.fillQuestion(ctx, r, p, &page, a, step == nil); err != nil {
		return err
	}
	status := http.StatusOK
	if a.refused.Code != "" {
		status = http.StatusBadRequest
	}
	return s.writePrivate(w, page.Page, status, func(b *bytes.Buffer) error { return viewer.Question(b, page) })
}

// fillQuestion decides what is asked: the one whose number was chosen, else
// the trial, else the next.
func (s *Server) fillQuestion(ctx context.Context, r *http.Request, p *workshop.Participant, page *viewer.QuestionPage, a asking, trial bool) error {
	tasks, err := workshop.Tasks(ctx, s.Hub.Web, p.Session.ID)
	if err != nil {
		return err
	}
	chosen := a.number
	if chosen == 0 {
		chosen = number(r.URL.Query().Get("question"))
	}
	q, err := s.ask(ctx, p, tasks, chosen, trial)
	m, refused := refusal(err)
	switch {
	case errors.Is(err, geo.ErrNotFound):
		page.State = "nothing-left"
	case refused && m.Code == "workshop.frozen":
		page.State = "frozen"
	case refused:
		page.State = "over"
	case err != nil:
		return err
	default:
		page.State, page.Task, page.Practice = "ask", q.Task.ID, q.Task.Practice
		page.Ask, page.Choices = q.Ask, choices(&q, s.layer(q.Task.Layer))
		if !q.Task.Practice {
			page.Cell, page.Number = q.Task.Cell, q.Task.Number
		}
		if page.Plan, err = s.questionPlan(ctx, page.Lang, &q.Task); err != nil {
			return err
		}
	}
	page.List = r.URL.Query().Get("liste") == "1" && page.State != "over"
	page.Rows = cellRows(tasks, page.Cell)
	around(page, r.URL.Query().Get("lg"))
	return nil
}

func (s *Server) ask(ctx context.Context, p *workshop.Participant, tasks []workshop.Task, chosen int, trial bool) (workshop.Question, error) {
	if p.Session.State == workshop.Running && !p.Session.Frozen {
		for i := range tasks {
			if tasks[i].Number == chosen {
				return tasks[i].Question(), nil
			}
		}
		if trial {
			q, err := workshop.Practice(ctx, s.Hub.Web, p.Session.ID)
			if !errors.Is(err, geo.ErrNotFound) {
				return q, err
			}
		}
	}
	q, _, err := workshop.Next(ctx, s.Hub, p.ID)
	return q, err
}

// layer is a served layer by its id; nil when it is not.
func (s *Server) layer(name string) *viewer.Layer {
	st := s.state.Load()
	if st == nil {
		return nil
	}
	return st.layer(name)
}

func cellRows(tasks []workshop.Task, cell int) []viewer.TaskRow {
	var rows []viewer.TaskRow
	for i := range tasks {
		t := &tasks[i]
		if t.Cell == cell || cell == 0 {
			rows = append(rows, viewer.TaskRow{
				Number: t.Number, Cell: t.Cell, Name: t.Name, Ask: t.Question().Ask, Done: t.Told(), Claimed: t.Claimed, Task: t.ID,
			})
		}
	}
	return rows
}

// around sets the addresses of the questions before and after.
func around(page *viewer.QuestionPage, lang string) {
	at := page.Position() - 1
	if at < 0 {
		return
	}
	address := func(n int) string {
		return fmt.Sprintf("%s?question=%d&lg=%s", page.Room.Path(), n, viewer.Lang(lang, page.Lang))
	}
	if at > 0 {
		page.Back = address(page.Rows[at-1].Number)
	}
	if at+1 < len(page.Rows) {
		page.Next = address(page.Rows[at+1].Number)
	}
}

// record takes an answer. What is refused is said on the question's page, with
// what was typed.
func (s *Server) record(w http.ResponseWriter, r *http.Request) error {
	p, err := s.seated(r)
	if errors.Is(err, geo.ErrNotFound) {
		return s.doorPage(w, r)
	}
	if err != nil {
		return err
	}
	form := r.PostForm
	a := workshop.Answer{
		Key: form.Get("cle"), Task: id(form.Get("question")), Participant: &p.ID, Choice: number(form.Get("choix")),
		Note: form.Get("mot"), How: workshop.Screen, Values: map[string]string{},
	}
	for name, values := range form {
		if field, ok := strings.CutPrefix(name, "valeur-"); ok && len(values) > 0 {
			a.Values[field] = values[0]
		}
	}
	kept, err := workshop.Record(r.Context(), s.Hub.Desk, a)
	if m, refused := refusal(err); refused {
		return s.questionPage(w, r, &p, asking{refused: m, note: a.Note, number: number(form.Get("numero"))})
	}
	if err != nil {
		return err
	}
	done := "1"
	switch {
	case number(form.Get("numero")) == 0:
		done = "essai"
		s.keepSeat(w, r, p.Session.Code, stepCookie, "1")
	case kept.Opinion > 1:
		done = "2"
	}
	if done != "essai" {
		s.keepSeat(w, r, p.Session.Code, stepCookie, "2")
	}
	seeOther(w, r, "/atelier/"+p.Session.Code, "fait", done)
	return nil
}

// undo takes the last answer back, and shows its question again.
func (s *Server) undo(w http.ResponseWriter, r *http.Request) error {
	p, err := s.seated(r)
	if errors.Is(err, geo.ErrNotFound) {
		return s.doorPage(w, r)
	}
	if err != nil {
		return err
	}
	task, err := workshop.Undo(r.Context(), s.Hub.Desk, p.ID)
	if errors.Is(err, geo.ErrNotFound) {
		s.keepSeat(w, r, p.Session.Code, stepCookie, "1")
		seeOther(w, r, "/atelier/"+p.Session.Code)
		return nil
	}
	if err != nil {
		return err
	}
	q, err := workshop.Ask(r.Context(), s.Hub.Web, task)
	if err != nil {
		return err
	}
	seeOther(w, r, "/atelier/"+p.Session.Code, "fait", "annule", "question", strconv.Itoa(q.Task.Number))
	return nil
}

// onSite is the switch "I am on site".
func (s *Server) onSite(w http.ResponseWriter, r *http.Request) error {
	p, err := s.seated(r)
	if errors.Is(err, geo.ErrNotFound) {
		return s.doorPage(w, r)
	}
	if err != nil {
		return err
	}
	if err := workshop.SetOnSite(r.Context(), s.Hub.Desk, p.ID, r.PostForm.Get("sur-place") == "1"); err != nil {
		return err
	}
	n := r.PostForm.Get("numero")
	if number(n) == 0 {
		n = ""
	}
	seeOther(w, r, "/atelier/"+p.Session.Code, "question", n)
	return nil
}
