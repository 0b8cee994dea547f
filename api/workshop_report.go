package api

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"calanque/api/account"
	"calanque/geo"
	"calanque/osm/match"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// reportPage answers /atelier/{code}/rapport: to whoever has the address once
// the session is closed, to who runs it before. It says how things are when it
// is read.
func (s *Server) reportPage(w http.ResponseWriter, r *http.Request) error {
	session, err := s.shown(w, r, account.SeeReport)
	if err != nil {
		return answered(err)
	}
	ctx := r.Context()
	report, err := workshop.ReadReport(ctx, s.Hub.Web, session, s.Now())
	if err != nil {
		return err
	}
	p := viewer.ReportPage{Page: s.page(r, s.state.Load()), CSV: "/atelier/" + session.Code + "/rapport.csv", Day: session.Created, Today: s.Now().In(s.Zone)}
	if session.Opened != nil {
		p.Day = *session.Opened
	}
	p.Day = p.Day.In(s.Zone)
	p.Room = s.room(&session)
	actor, err := s.actor(r)
	if err != nil {
		return err
	}
	if account.May(actor, account.Conduct, subject(&session)) {
		p.CSRF = actor.CSRF
	}
	p.Tasks, p.Proposed, p.Sent, p.Unmatched = len(report.Tasks), report.Proposed(), len(report.Sent), report.Unmatched()
	p.People, p.Hours = report.People, float64(int(report.Hours*10+.5))/10
	s.countTasks(&p, report.Tasks)
	compareReport(&p, &report)
	s.milestones(&p, &report)
	s.replies(&p, &report)
	p.Wiki = wiki(&p, &session)
	if len(report.Tasks) > 0 {
		if p.Before, p.After, err = s.reportPlans(ctx, p.Lang, &session, report.Tasks); err != nil {
			return err
		}
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.SessionReport(b, p) })
}

// countTasks counts what was said, what has become of it, and what is left.
func (s *Server) countTasks(p *viewer.ReportPage, tasks []workshop.Task) {
	says, seen := map[string]int{}, map[string]int{}
	var cells []int
	for i := range tasks {
		t := &tasks[i]
		if t.Told() {
			p.Answered++
			says[t.Says()]++
			if t.AsksOSM() {
				seen[string(t.Seen)]++
			}
		} else {
			p.Left = append(p.Left, viewer.TaskRow{Number: t.Number, Cell: t.Cell, Name: t.Name, Ask: t.Question().Ask})
			cells = append(cells, t.Cell)
		}
		if l := s.layer(t.Layer); l != nil && p.Layer == nil {
			p.Layer, p.Producer = l.Titles, l.Producer.Title
		}
	}
	slices.Sort(cells)
	for _, c := range slices.Compact(cells) {
		p.LeftCells = append(p.LeftCells, strconv.Itoa(c))
	}
	p.Outcomes, p.Seen = outcomes(says), outcomes(seen)
}

// compareReport sets before beside after: of the whole area where the history
// tells what there was, else of the questions.
func compareReport(p *viewer.ReportPage, report *workshop.Report) {
	before, after := report.Before, report.After
	if p.Whole = before != nil; !p.Whole {
		before, after = workshop.Comparison{}, workshop.Comparison{}
		for i := range report.Tasks {
			before[report.Tasks[i].Asked.Group()]++
			after[report.Tasks[i].Kind.Group()]++
		}
	}
	for _, g := range []match.Group{"same", "partner", "osm", "differs"} {
		p.Counts = append(p.Counts, viewer.ReportCount{Group: string(g), Before: before[g], After: after[g]})
	}
	p.Agreement = [2]float64{before.Agreement(), after.Agreement()}
	p.Completeness = [2]float64{before.Completeness(), after.Completeness()}
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

func (s *Server) milestones(p *viewer.ReportPage, report *workshop.Report) {
	for _, m := range report.Milestones {
		p.Milestones = append(p.Milestones, viewer.ReportMilestone{
			Days: m.Days, Day: m.At.In(s.Zone), Due: m.Due, Mended: m.Mended, Reverted: m.Reverted, Awaited: m.Awaited,
		})
	}
}

// replies groups what was sent by what the producer says to it; what waits
// comes last.
func (s *Server) replies(p *viewer.ReportPage, report *workshop.Report) {
	counts := report.Replied()
	for _, k := range []struct {
		says workshop.ReplyKind
		icon string
	}{{workshop.Corrected, "check"}, {workshop.Accepted, "check"}, {workshop.Refused, "cross"}, {"", "clock"}} {
		if counts[k.says] == 0 {
			continue
		}
		group := viewer.ReportReplies{Says: string(k.says), Icon: k.icon, N: counts[k.says]}
		for i := range report.Sent {
			c := &report.Sent[i]
			if c.Reply != nil && c.Reply.Says == k.says {
				group.Lines = append(group.Lines, viewer.ReportReply{
					Number: c.Question, Place: c.Record, Field: s.fieldText(c), Reason: c.Reply.Reason, Version: c.Reply.Number, Visible: c.Visible(),
				})
			}
		}
		p.Replies = append(p.Replies, group)
	}
}

// fieldText names what a correction is about.
func (s *Server) fieldText(c *workshop.Correction) any {
	if c.Field[0] == '_' {
		return geo.Say("report.field" + strings.ReplaceAll(c.Field, "_", "-"))
	}
	if l := s.layer(c.Layer); l != nil {
		for _, f := range l.Fields {
			if f.Name == c.Field && len(f.Label) > 0 {
				return f.Label
			}
		}
	}
	return c.Field
}

// wiki is a paragraph for OpenStreetMap's wiki, as its guidelines for
// organised editing ask: who, where, when, from what source, under which
// hashtag.
func wiki(p *viewer.ReportPage, session *workshop.Session) string {
	say := func(code string, args ...any) string { return viewer.Say(p.Lang, code, args...) }
	lines := []string{
		"=== " + session.Title + " ===",
		"* " + say("report.wiki-when", "day", p.Day, "minutes", session.Minutes),
	}
	if p.Room.ERIC != "" {
		lines = append(lines, "* "+say("report.wiki-where", "place", p.Room.ERIC))
	}
	if p.People > 0 {
		lines = append(lines, "* "+say("report.wiki-people", "n", p.People))
	}
	if p.Layer != nil {
		lines = append(lines, "* "+say("report.wiki-source", "layer", p.Layer, "producer", p.Producer))
	}
	lines = append(lines,
		"* "+say("report.wiki-result", "answers", p.Answered, "tasks", p.Tasks, "proposed", p.Proposed),
		"* "+say("report.wiki-how"))
	return strings.Join(lines, "\n")
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

// reportCSV answers the report as a table for spreadsheets.
func (s *Server) reportCSV(w http.ResponseWriter, r *http.Request) error {
	session, err := s.shown(w, r, account.SeeReport)
	if err != nil {
		return answered(err)
	}
	// What has come due is forgotten before anything leaves.
	if err := workshop.Sweep(r.Context(), s.Hub.Desk, s.Now()); err != nil {
		return err
	}
	report, err := workshop.ReadReport(r.Context(), s.Hub.Web, session, s.Now())
	if err != nil {
		return err
	}
	lang := viewer.Lang(r.URL.Query().Get("lg"), r.Header.Get("Accept-Language"))
	var b bytes.Buffer
	if err := workshop.WriteReportCSV(&b, &report, func(m geo.Message) string { return viewer.Sentence(lang, m) }); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="rapport-%s.csv"`, session.Code))
	h.Set("Content-Type", "text/csv; charset=utf-8")
	_, _ = w.Write(b.Bytes())
	return nil
}
