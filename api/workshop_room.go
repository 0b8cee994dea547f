package api

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"net/http"

	"calanque/geo"
	"calanque/osm/match"
	"calanque/osm/workshop"
	"calanque/viewer"
)

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
	"appele": "room.called", "donnee": "room.sheet-given", "vide": "room.sheet-empty", "code": "room.recoded", "surnom": "room.renamed",
}

// awayPage is what a participant's browser keeps to show when the room is
// opened while the hub is away. It says nothing of anybody.
func (s *Server) awayPage(w http.ResponseWriter, r *http.Request) error {
	p := s.page(r, nil)
	p.SignedIn = nil
	return write(w, r, p, func(b *bytes.Buffer) error { return viewer.Away(b, p) })
}

func (s *Server) questionPage(w http.ResponseWriter, r *http.Request, p *workshop.Participant, a asking) error {
	page := s.participant(r, p)
	page.Refused, page.Note = a.refused, a.note
	if code, ok := notices[a.notice]; ok {
		page.Notice = geo.Say(code)
	}
	step, _ := r.Cookie(stepCookie)
	page.Undo = step != nil && step.Value == "2"
	if err := s.fillQuestion(r, p, &page, a, step == nil); err != nil {
		return err
	}
	status := http.StatusOK
	if a.refused.Code != "" {
		status = http.StatusBadRequest
	}
	return s.writePrivate(w, page.Page, status, func(b *bytes.Buffer) error { return viewer.Question(b, page) })
}

// participant is a page of somebody who has joined, without a question yet.
func (s *Server) participant(r *http.Request, p *workshop.Participant) viewer.QuestionPage {
	return viewer.QuestionPage{
		Page: s.page(r, s.state.Load()), Room: s.room(&p.Session), Pseudonym: p.Pseudonym, Sign: string(p.Sign), Cell: p.Cell, OnSite: p.OnSite, Key: newKey(),
	}
}

// fillQuestion decides what is asked: the one whose number was chosen, else
// the trial, else the next. A list asks nothing, and takes nothing in hand.
func (s *Server) fillQuestion(r *http.Request, p *workshop.Participant, page *viewer.QuestionPage, a asking, trial bool) error {
	ctx := r.Context()
	chosen := a.number
	if chosen == 0 {
		chosen = number(r.URL.Query().Get("question"))
	}
	var cell []workshop.Task
	if page.List = r.URL.Query().Get("liste") == "1"; !page.List {
		q, hold, err := s.ask(ctx, p, chosen, trial, &cell)
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
			if err := s.showQuestion(ctx, page, &q); err != nil {
				return err
			}
			page.Hold = string(hold)
		}
	}
	if cell == nil { // read after the question, which may have waited for the matcher
		var err error
		if cell, err = workshop.FreshCell(ctx, s.Hub, p.Session.ID, page.Cell); err != nil {
			return err
		}
	}
	page.Rows = taskRows(cell)
	around(page, r.URL.Query().Get("lg"))
	if !page.Practice {
		return nil
	}
	var err error
	page.Examples, err = s.examples(ctx, p.Session.ID)
	return err
}

// showQuestion puts a question on a page.
func (s *Server) showQuestion(ctx context.Context, page *viewer.QuestionPage, q *workshop.Question) (err error) {
	page.State, page.Task, page.Practice, page.Seen = "ask", q.Task.ID, q.Task.Practice, hex.EncodeToString(q.Print())
	page.Ask, page.Choices = q.Ask, choices(q, s.layer(q.Task.Layer))
	if !q.Task.Practice {
		page.Cell, page.Number = q.Task.Cell, q.Task.Number
	}
	page.At = spot(q.Task.Lon, q.Task.Lat)
	page.At.Group = string(q.Task.Kind.Group())
	if lon, lat := q.Task.OSMLon, q.Task.OSMLat; lon != nil && lat != nil && (q.Task.Kind == match.Moved || q.Task.Kind == match.FarReference) {
		other := spot(*lon, *lat)
		page.Other = &other
	}
	page.Plan, err = s.questionPlan(ctx, page.Lang, &q.Task)
	return err
}

// ask gives a question and whether it can be answered; and its cell, where it
// came with it.
func (s *Server) ask(ctx context.Context, p *workshop.Participant, chosen int, trial bool, cell *[]workshop.Task) (workshop.Question, workshop.Hold, error) {
	if chosen != 0 {
		q, hold, err := workshop.Take(ctx, s.Hub, p.ID, chosen)
		if !errors.Is(err, geo.ErrNotFound) {
			return q, hold, err
		}
	}
	if trial && p.Session.State == workshop.Running && !p.Session.Frozen {
		q, err := workshop.Practice(ctx, s.Hub.Web, p.Session.ID)
		if !errors.Is(err, geo.ErrNotFound) {
			return q, workshop.Mine, err
		}
	}
	q, tasks, err := workshop.Next(ctx, s.Hub, p.ID)
	*cell = tasks
	return q, workshop.Mine, err
}

func (s *Server) examples(ctx context.Context, session int64) (list []viewer.ExampleView, err error) {
	solved, err := workshop.Examples(ctx, s.Hub.Web, session)
	for i := range solved {
		e := viewer.ExampleView{Ask: solved[i].Question.Ask}
		for _, c := range solved[i].Question.Choices {
			if c.Key == solved[i].Key {
				e.Answer = c.Label
			}
		}
		list = append(list, e)
	}
	return list, err
}

// mostAhead is how many questions a page holds for when the hub is out of
// reach: about a quarter of an hour.
const mostAhead = 4

// aheadPage answers /atelier/{code}/avance: questions that an open page may go
// on with by itself, each as the whole page would ask it. They are leased to
// nobody.
func (s *Server) aheadPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.seated(r)
	if err != nil {
		return err
	}
	questions, err := workshop.Ahead(r.Context(), s.Hub, p.ID, mostAhead)
	if _, refused := refusal(err); err != nil && !refused {
		return err
	}
	base := s.participant(r, &p)
	pages := make([]viewer.QuestionPage, len(questions))
	for i := range questions {
		page := base
		page.Ahead, page.Key, page.Hold = true, newKey(), string(workshop.Mine)
		if err := s.showQuestion(r.Context(), &page, &questions[i]); err != nil {
			return err
		}
		pages[i] = page
	}
	return s.writePrivate(w, base.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Ahead(b, base.Lang, pages) })
}

// layer is a served layer by its id; nil when it is not.
func (s *Server) layer(name string) *viewer.Layer {
	st := s.state.Load()
	if st == nil {
		return nil
	}
	return st.layer(name)
}

func taskRows(tasks []workshop.Task) []viewer.TaskRow {
	rows := make([]viewer.TaskRow, len(tasks))
	for i := range tasks {
		t := &tasks[i]
		rows[i] = viewer.TaskRow{
			Number: t.Number, Cell: t.Cell, Name: t.Name, Ask: t.Question().Ask, Done: t.Told(), Claimed: t.Claimed, Task: t.ID,
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

// spot is a place to look at, to a metre as the drawn map shows it: the figures
// of the file are its producer's.
func spot(lon, lat float64) viewer.Spot {
	const metre = 1e5 // of a degree
	return viewer.Spot{Lon: math.Round(lon*metre) / metre, Lat: math.Round(lat*metre) / metre}
}
