package api

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"calanque/geo"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// record takes an answer. What is refused is said on the question's page, with
// what was typed. A script that asks for JSON is told in one word what became
// of it, and shows the next page itself.
func (s *Server) record(w http.ResponseWriter, r *http.Request) error {
	script := r.Header.Get("Accept") == "application/json"
	p, err := s.seated(r)
	if errors.Is(err, geo.ErrNotFound) {
		if script {
			return writeJSON(w, http.StatusUnauthorized, map[string]any{"seat": false})
		}
		return s.doorPage(w, r)
	}
	if err != nil {
		return err
	}
	form := r.PostForm
	a, err := s.readAnswer(r, &p)
	var kept workshop.Recorded
	if err == nil {
		kept, err = workshop.Record(r.Context(), s.Hub.Desk, a)
	}
	if m, refused := refusal(err); refused {
		if script {
			lang := viewer.Lang(r.URL.Query().Get("lg"), r.Header.Get("Accept-Language"))
			return writeJSON(w, http.StatusBadRequest, map[string]any{"refused": viewer.Sentence(lang, m)})
		}
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
	if script {
		return writeJSON(w, http.StatusOK, map[string]any{"kept": done})
	}
	seeOther(w, r, "/atelier/"+p.Session.Code, "fait", done)
	return nil
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(b)
	return nil
}

// readAnswer takes an answer out of its form: choix is the key of a choice and
// after a space what it says, vu what the page had shown.
func (s *Server) readAnswer(r *http.Request, p *workshop.Participant) (workshop.Answer, error) {
	form := r.PostForm
	key, says, _ := strings.Cut(form.Get("choix"), " ")
	a := workshop.Answer{
		Key: form.Get("cle"), Task: id(form.Get("question")), Participant: &p.ID, Choice: number(key), Says: says,
		Note: form.Get("mot"), How: workshop.Screen, Values: map[string]string{},
	}
	if seen := form.Get("vu"); seen != "" {
		var err error
		if a.Print, err = hex.DecodeString(seen); err != nil || len(a.Print) > 64 {
			return a, &geo.ParamError{Param: "vu", Value: short(seen), Want: "want what the page had"}
		}
	}
	for name, values := range form {
		if field, ok := strings.CutPrefix(name, "valeur-"); ok && len(values) > 0 {
			a.Values[field] = values[0]
		}
	}
	return a, s.toward(r, &a)
}

// toward makes a position of "so many metres towards so": how people say where
// something is whose page has no map to touch. Half of what is needed counts
// for nothing.
func (s *Server) toward(r *http.Request, a *workshop.Answer) error {
	metres, bearing := number(r.PostForm.Get("metres")), bearings[r.PostForm.Get("vers")]
	if a.Values[positionField] != "" || metres == 0 || bearing == 0 {
		return nil
	}
	q, err := workshop.Ask(r.Context(), s.Hub.Web, a.Task)
	if errors.Is(err, geo.ErrNotFound) {
		return nil // said when it is recorded
	}
	if err != nil {
		return err
	}
	a.Values[positionField] = q.Task.Toward(float64(bearing), float64(metres))
	return nil
}

// positionField is the value of an answer that says where something is.
const positionField = "_geom"

// bearings are the directions of the form in degrees; north is 360, for 0 says
// nothing.
var bearings = map[string]int{"n": 360, "ne": 45, "e": 90, "se": 135, "s": 180, "so": 225, "o": 270, "no": 315}

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

// keepLease is the heartbeat of an open page: its question stays with who
// reads it. 404 says that it has ended.
func (s *Server) keepLease(w http.ResponseWriter, r *http.Request) error {
	p, err := s.seated(r)
	if err != nil {
		return err
	}
	if err := workshop.Heartbeat(r.Context(), s.Hub.Desk, p.ID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
