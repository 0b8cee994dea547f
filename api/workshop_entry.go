package api

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"calanque/geo"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// The form by which a mediator enters a sheet that came back.

// unreadableKey is typed for a line that nobody can read.
const unreadableKey = "0"

var formKey = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// entryPage answers /atelier/{code}/conduite/saisie.
func (s *Server) entryPage(w http.ResponseWriter, r *http.Request) error {
	session, actor, err := s.mediated(w, r)
	if err != nil {
		return answered(err)
	}
	q := r.URL.Query()
	p := viewer.EntryPage{CSRF: actor.CSRF, Cell: max(1, number(q.Get("feuille"))), Form: newKey()}
	if form := q.Get("saisie"); formKey.MatchString(form) {
		p.Saved = &viewer.EntrySaved{
			Form: form, Answered: number(q.Get("gardees")), Unreadable: number(q.Get("illisibles")), Blanked: number(q.Get("vides")),
		}
	}
	return s.writeEntry(w, r, &session, p, nil)
}

// writeEntry writes the form, with what was typed where it was refused.
func (s *Server) writeEntry(w http.ResponseWriter, r *http.Request, session *workshop.Session, p viewer.EntryPage, typed map[int]workshop.Line) error {
	ctx := r.Context()
	p.Page = s.page(r, s.state.Load())
	var err error
	p.Room = s.room(session)
	tasks, err := workshop.Tasks(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return err
	}
	cells, err := workshop.Cells(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return err
	}
	out, err := workshop.SheetsOut(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return err
	}
	done := map[int]int{}
	for i := range tasks {
		t := &tasks[i]
		if t.Told() {
			done[t.Cell]++
		}
		if t.Cell == p.Cell {
			p.Lines = append(p.Lines, s.entryLine(&p, t, typed))
		}
	}
	for _, c := range cells {
		p.Sheets = append(p.Sheets, viewer.EntrySheet{Number: c.Number, Sign: string(c.Sign), Done: done[c.Number], Total: c.Tasks, Out: out[c.Number]})
	}
	status := http.StatusOK
	if p.Refused.Code != "" {
		status = http.StatusBadRequest
	}
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.Entry(b, p) })
}

func (s *Server) entryLine(p *viewer.EntryPage, t *workshop.Task, typed map[int]workshop.Line) viewer.EntryLine {
	q := t.Question()
	l := viewer.NewEntryLine(p.Lang, viewer.SheetQuestion{Number: t.Number, Ask: q.Ask, Choices: choices(&q, s.layer(t.Layer))}, t.Told())
	if line, ok := typed[t.Number]; ok {
		l.Note = line.Note
		switch {
		case line.Unreadable:
			l.Key = unreadableKey
		case line.Choice > 0:
			l.Key = strconv.Itoa(line.Choice)
		}
		for field, v := range line.Values {
			if field == positionField {
				l.Square = v
			} else {
				l.Value = v
			}
		}
		l.Wrong = p.Refused.Code != "" && p.Refused.Args["line"] == t.Number
	}
	return l
}

// enterSheet takes the lines of a sheet. All of them: what is blank keeps no
// question from others.
func (s *Server) enterSheet(w http.ResponseWriter, r *http.Request) error {
	session, actor, err := s.mediated(w, r)
	if err != nil {
		return answered(err)
	}
	p := viewer.EntryPage{CSRF: actor.CSRF, Cell: number(r.PostForm.Get("feuille")), Form: r.PostForm.Get("saisie")}
	if !formKey.MatchString(p.Form) {
		return &geo.ParamError{Param: "saisie", Value: p.Form, Want: "want a UUID"}
	}
	lines, err := s.typedLines(r, &session, &p)
	typed := map[int]workshop.Line{}
	for _, l := range lines {
		typed[l.Number] = l
	}
	if err == nil {
		lines, err = s.placed(r, &session, p.Cell, lines)
	}
	if err == nil {
		_, err = workshop.EnterSheet(r.Context(), s.Hub.Desk, session.Code, lines)
	}
	var line *workshop.LineError
	if m, refused := refusal(err); refused && errors.As(err, &line) {
		p.Refused = geo.Say("paper.line-refused", "line", line.Number, "why", m)
		return s.writeEntry(w, r, &session, p, typed)
	}
	if err != nil {
		return err
	}
	saved := viewer.EntrySaved{}
	for _, l := range lines {
		switch {
		case l.Unreadable:
			saved.Unreadable++
		case l.Choice > 0:
			saved.Answered++
		default:
			saved.Blanked++
		}
	}
	seeOther(w, r, "/atelier/"+session.Code+"/conduite/saisie", "feuille", strconv.Itoa(p.Cell), "saisie", p.Form,
		"gardees", strconv.Itoa(saved.Answered), "illisibles", strconv.Itoa(saved.Unreadable), "vides", strconv.Itoa(saved.Blanked))
	return nil
}

// typedLines reads the lines of a sheet from the form. The first that can't be
// is a *workshop.LineError beside the others.
func (s *Server) typedLines(r *http.Request, session *workshop.Session, p *viewer.EntryPage) (lines []workshop.Line, wrong error) {
	tasks, err := workshop.Tasks(r.Context(), s.Hub.Web, session.ID)
	if err != nil {
		return nil, err
	}
	for i := range tasks {
		t := &tasks[i]
		if t.Cell != p.Cell {
			continue
		}
		n := strconv.Itoa(t.Number)
		l := workshop.Line{Key: workshop.LineKey(p.Form, t.Number), Number: t.Number, Note: strings.TrimSpace(r.PostForm.Get("mot-" + n))}
		switch key := strings.TrimSpace(r.PostForm.Get("ligne-" + n)); key {
		case "":
		case unreadableKey:
			l.Unreadable = true
		case "1", "2", "3", "4":
			l.Choice = number(key)
		default:
			if wrong == nil {
				wrong = &workshop.LineError{Number: t.Number, Err: geo.Bad(nil, "paper.wrong-key")}
			}
		}
		value := strings.TrimSpace(r.PostForm.Get("valeur-" + n))
		q := t.Question()
		for _, c := range q.Choices {
			for _, field := range c.Fields {
				if c.Key != l.Choice {
					continue
				}
				if field == positionField {
					value = strings.TrimSpace(r.PostForm.Get("case-" + n))
				}
				if value != "" {
					l.Values = map[string]string{field: value}
				}
			}
		}
		lines = append(lines, l)
	}
	return lines, wrong
}

// placed puts in the place of the squares that were typed the positions that
// they are on the sheet's map. What names no square is a *workshop.LineError.
func (s *Server) placed(r *http.Request, session *workshop.Session, cell int, lines []workshop.Line) ([]workshop.Line, error) {
	cells, err := workshop.Cells(r.Context(), s.Hub.Web, session.ID)
	if err != nil {
		return nil, err
	}
	drawn, _, err := planCells(cells)
	if err != nil {
		return nil, err
	}
	out := slices.Clone(lines)
	for i := range out {
		square, ok := out[i].Values[positionField]
		if !ok {
			continue
		}
		at := slices.IndexFunc(drawn, func(c viewer.PlanCell) bool { return c.Number == cell })
		if at < 0 {
			return nil, geo.ErrNotFound
		}
		place, err := cellGrid(drawn[at].Area.Bound()).Place(square)
		if err != nil {
			return nil, &workshop.LineError{Number: out[i].Number, Err: err}
		}
		out[i].Values = map[string]string{positionField: place}
	}
	return out, nil
}

// undoSheet takes back what was entered by one form.
func (s *Server) undoSheet(w http.ResponseWriter, r *http.Request) error {
	session, _, err := s.mediated(w, r)
	if err != nil {
		return answered(err)
	}
	form, cell := r.PostForm.Get("saisie"), number(r.PostForm.Get("feuille"))
	if !formKey.MatchString(form) {
		return &geo.ParamError{Param: "saisie", Value: form, Want: "want a UUID"}
	}
	tasks, err := workshop.Tasks(r.Context(), s.Hub.Web, session.ID)
	if err != nil {
		return err
	}
	var lines []workshop.Line
	for i := range tasks {
		if t := &tasks[i]; t.Cell == cell {
			lines = append(lines, workshop.Line{Key: workshop.LineKey(form, t.Number), Number: t.Number})
		}
	}
	if _, err := workshop.EnterSheet(r.Context(), s.Hub.Desk, session.Code, lines); err != nil {
		return fmt.Errorf("undo a sheet: %w", err)
	}
	seeOther(w, r, "/atelier/"+session.Code+"/conduite/saisie", "feuille", strconv.Itoa(cell))
	return nil
}

// giveSheet lets a sheet's questions be asked on paper alone, or on screens
// again.
func (s *Server) giveSheet(w http.ResponseWriter, r *http.Request) error {
	session, _, err := s.mediated(w, r)
	if err != nil {
		return answered(err)
	}
	cell := number(r.PostForm.Get("feuille"))
	if r.PostForm.Get("sens") == "rendre" {
		_, err = workshop.ReleaseSheet(r.Context(), s.Hub.Desk, session.Code, cell)
	} else {
		_, err = workshop.TakeSheet(r.Context(), s.Hub.Desk, session.Code, cell)
	}
	if err != nil {
		return err
	}
	seeOther(w, r, "/atelier/"+session.Code+"/conduite/saisie", "feuille", strconv.Itoa(cell))
	return nil
}
