package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"calanque/api/account"
	"calanque/geo/postgis"
	"calanque/osm/match"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// leastPeople is how many people a number must be about to be told.
const leastPeople = 5

// reportPage answers /atelier/{code}/rapport. Nothing of it is stored: it says
// how things are when it is read.
func (s *Server) reportPage(w http.ResponseWriter, r *http.Request) error {
	session, err := s.shown(w, r, account.SeeReport)
	if err != nil {
		return answered(err)
	}
	ctx := r.Context()
	p := viewer.ReportPage{Page: s.page(r, s.state.Load()), CSV: "/atelier/" + session.Code + "/rapport.csv", Day: session.Created}
	if session.Opened != nil {
		p.Day = *session.Opened
	}
	p.Day = p.Day.In(s.Zone)
	if p.Room, err = s.room(ctx, &session); err != nil {
		return err
	}
	measured, err := workshop.Measure(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return err
	}
	p.Progress = progress(&measured, nil)
	tasks, err := workshop.Tasks(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return err
	}
	if err := s.attendance(ctx, &session, &p); err != nil {
		return err
	}
	s.countTasks(&p, tasks)
	if len(tasks) > 0 {
		if p.Before, p.After, err = s.reportPlans(ctx, p.Lang, &session, tasks); err != nil {
			return err
		}
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.SessionReport(b, p) })
}

// attendance tells how many took part and for how long, unless that would be
// about a few.
func (s *Server) attendance(ctx context.Context, session *workshop.Session, p *viewer.ReportPage) error {
	var people int
	err := s.Hub.Web.QueryRow(ctx, `select count(*) from session_event where session_id = $1 and kind = 'joined'`, session.ID).Scan(&people)
	if err != nil {
		return fmt.Errorf("count who took part: %w", postgis.Kind(err))
	}
	if people < leastPeople {
		return nil
	}
	p.People = people
	if session.Opened != nil && session.Closed != nil {
		p.Hours = float64(int(session.Closed.Sub(*session.Opened).Hours()*float64(people)*10+.5)) / 10
	}
	return nil
}

// countTasks fills the tables of the report.
func (s *Server) countTasks(p *viewer.ReportPage, tasks []workshop.Task) {
	before, after := map[match.Group]int{}, map[match.Group]int{}
	says, seen := map[string]int{}, map[string]int{}
	for i := range tasks {
		t := &tasks[i]
		before[t.Asked.Group()]++
		after[t.Kind.Group()]++
		if t.Told() {
			says[t.Says()]++
			seen[string(t.Seen)]++
		} else {
			p.Left = append(p.Left, viewer.TaskRow{Number: t.Number, Cell: t.Cell, Name: t.Name, Ask: t.Question().Ask})
		}
		if l := s.layer(t.Layer); l != nil && p.Layer == nil {
			p.Layer, p.Producer = l.Titles, l.Producer.Title
		}
	}
	for _, g := range []string{"same", "partner", "osm", "differs"} {
		p.Counts = append(p.Counts, viewer.ReportCount{Group: g, Before: before[match.Group(g)], After: after[match.Group(g)]})
	}
	p.Outcomes, p.Seen = outcomes(says), outcomes(seen)
}

// outcomes puts counts in order, the largest first.
func outcomes(counts map[string]int) []viewer.ReportOutcome {
	var list []viewer.ReportOutcome
	for what, n := range counts {
		if what != "" {
			list = append(list, viewer.ReportOutcome{What: what, N: n})
		}
	}
	slices.SortFunc(list, func(a, b viewer.ReportOutcome) int {
		if a.N != b.N {
			return b.N - a.N
		}
		return strings.Compare(a.What, b.What)
	})
	return list
}

// reportPlans draws the places of the session as they were asked about, and as
// they are.
func (s *Server) reportPlans(ctx context.Context, lang string, session *workshop.Session, tasks []workshop.Task) (before, after template.HTML, err error) {
	plan := viewer.Plan{ID: "r", Width: 540, Height: 360}
	area, err := sphericalArea(session.Area)
	if err != nil {
		return "", "", err
	}
	box := area.Bound()
	plan.Frame = viewer.Fit(box, plan.Width, plan.Height, 12)
	if plan.Ground, err = s.planGround(ctx, &plan); err != nil {
		return "", "", err
	}
	draw := func(id, code string, kind func(*workshop.Task) match.Kind) template.HTML {
		d := plan
		d.ID, d.Label, d.Marks = id, viewer.Say(lang, code), nil
		for i := range tasks {
			t := &tasks[i]
			d.Marks = append(d.Marks, viewer.PlanMark{At: viewer.Spherical(t.Lon, t.Lat), Group: string(kind(t).Group())})
		}
		return viewer.DrawPlan(lang, d)
	}
	before = draw("rb", "pages.before", func(t *workshop.Task) match.Kind { return t.Asked })
	return before, draw("ra", "pages.after", func(t *workshop.Task) match.Kind { return t.Kind }), nil
}

// reportCSV answers the questions of a session as a table for spreadsheets.
func (s *Server) reportCSV(w http.ResponseWriter, r *http.Request) error {
	session, err := s.shown(w, r, account.SeeReport)
	if err != nil {
		return answered(err)
	}
	tasks, err := workshop.Tasks(r.Context(), s.Hub.Web, session.ID)
	if err != nil {
		return err
	}
	lang := viewer.Lang(r.URL.Query().Get("lg"), r.Header.Get("Accept-Language"))
	var b bytes.Buffer
	b.WriteString("\uFEFF") // for French spreadsheets
	c := csv.NewWriter(&b)
	c.Comma, c.UseCRLF = ';', true
	rows := [][]string{{"number", "cell", "record", "osm", "question", "asked", "now", "answers", "says", "seen"}}
	for i := range tasks {
		t := &tasks[i]
		rows = append(rows, []string{
			strconv.Itoa(t.Number), strconv.Itoa(t.Cell), harmless(t.Record), harmless(t.OSM), harmless(viewer.Sentence(lang, t.Question().Ask)),
			string(t.Asked), string(t.Kind), strconv.Itoa(t.Answers), t.Says(), string(t.Seen),
		})
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="rapport-`+session.Code+`.csv"`)
	h.Set("Content-Type", "text/csv; charset=utf-8")
	_, _ = w.Write(b.Bytes())
	return nil
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
