package workshop

import (
	"bytes"
	"encoding/csv"
	"errors"
	"strings"
	"testing"
	"time"

	"calanque/geo"
)

// TestReport reads the report of a session as its days go by: before and after
// in the whole area, what was sent, what producers say, what is seen on the
// seventh day and has stayed on the thirtieth.
func TestReport(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 40)
	ctx := t.Context()
	s := r.session(12, 60)
	by := r.tasks(s)
	var seats []Participant
	for range LeastPeople {
		seats = append(seats, r.join(s))
	}
	if err := SetOnSite(ctx, r.hub.Desk, seats[0].ID, true); err != nil {
		t.Fatal(err)
	}
	here, gone := by[onlyFile][0], by[onlyFile][1]
	r.answer(seats[0], here.ID, 1)
	r.answer(seats[0], gone.ID, 3)
	r.answer(seats[0], by[onlyOSM][0].ID, 1)
	report := r.report(s, time.Now())
	if report.Before.total() != 40 || report.Before["same"] != 8 || report.Before["partner"] != 8 || report.After["partner"] != 8 {
		t.Errorf("before %v, after %v", report.Before, report.After)
	}
	if got := report.Before.Agreement(); got != .2 {
		t.Errorf("agreement %v, want 0.2", got)
	}
	if got := report.Before.Completeness(); got != .75 { // 8 of 32 records are unknown
		t.Errorf("completeness %v, want 0.75", got)
	}
	if report.People != LeastPeople || len(report.Milestones) != 0 || report.Proposed() != 1 {
		t.Errorf("%d people, %v, %d proposed", report.People, report.Milestones, report.Proposed())
	}
	if err := Close(ctx, r.hub.Desk, s.Code); err != nil {
		t.Fatal(err)
	}
	closed, err := Find(ctx, r.hub.Web, s.Code)
	if err != nil {
		t.Fatal(err)
	}
	// Somebody draws the place that was missing.
	r.importOSM(r.node(r.index(&here), 1))
	r.rematch()
	if _, err := observe(ctx, r.hub.Desk); err != nil {
		t.Fatal(err)
	}
	days := func(n int) time.Time { return closed.Closed.AddDate(0, 0, n).Add(time.Minute) }
	report = r.report(closed, days(8))
	if m := report.Milestones; len(m) != 3 || !m[0].Due || m[0].Mended != 1 || !m[1].Due || m[1].Mended != 1 || m[2].Due || m[2].Mended != 0 {
		t.Errorf("on the eighth day: %+v", m)
	}
	if report.After["same"] != 9 || report.Before["same"] != 8 {
		t.Errorf("before %v, after %v", report.Before, report.After)
	}
	// On the tenth it is taken away again.
	r.importOSM("-" + r.node(r.index(&here), 1)[:strings.Index(r.node(r.index(&here), 1), " ")])
	r.rematch()
	if _, err := observe(ctx, r.hub.Desk); err != nil {
		t.Fatal(err)
	}
	r.exec(`update session_event set at = now() + interval '10 days' where id = (select max(id) from session_event where kind = 'seen')`)
	if m := r.report(closed, days(31)).Milestones; m[1].Mended != 1 || m[1].Reverted != 0 || m[2].Mended != 0 || m[2].Reverted != 1 {
		t.Errorf("after a month: %+v", m)
	}
}

func (r *room) report(s Session, at time.Time) Report {
	r.t.Helper()
	report, err := ReadReport(r.t.Context(), r.hub.Web, s, at)
	if err != nil {
		r.t.Fatal(err)
	}
	return report
}

// TestReportOfFew holds that a number about fewer than five people is not told.
func TestReportOfFew(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 40)
	s := r.session(12, 60)
	for range LeastPeople - 1 {
		r.join(s)
	}
	r.answer(r.join(s), r.tasks(s)[onlyFile][0].ID, 3)
	r.exec(`delete from session_event where kind = 'joined' and id = (select max(id) from session_event where kind = 'joined')`)
	report := r.report(s, time.Now())
	if report.People != 0 || report.Hours != 0 {
		t.Errorf("%d people for %v hours are told", report.People, report.Hours)
	}
	for _, row := range r.csv(&report) {
		if row["answers"] != "" {
			t.Errorf("question %s: %s answers are told", row["number"], row["answers"])
		}
	}
}

// csv reads a report back as a spreadsheet would.
func (r *room) csv(report *Report) []map[string]string {
	r.t.Helper()
	var b bytes.Buffer
	if err := WriteReportCSV(&b, report, func(m geo.Message) string { return m.Code }); err != nil {
		r.t.Fatal(err)
	}
	c := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), "\uFEFF")))
	c.Comma = ';'
	rows, err := c.ReadAll()
	if err != nil {
		r.t.Fatal(err)
	}
	var list []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		list = append(list, m)
	}
	return list
}

// TestReply holds what a producer may say to a correction, and that the last
// word counts, for all who saw the same.
func TestReply(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 40)
	ctx := t.Context()
	s := r.session(12, 60)
	task := r.tasks(s)[onlyFile][0]
	for range 2 {
		p := r.join(s)
		if err := SetOnSite(ctx, r.hub.Desk, p.ID, true); err != nil {
			t.Fatal(err)
		}
		r.answer(p, task.ID, 3)
	}
	desk := r.join(s)
	r.answer(desk, r.tasks(s)[onlyFile][1].ID, 3)
	r.exec(`
		insert into producer (id, title) values ('air', '{}');
		insert into account (login, password_hash, role, producer_id) values ('crige', 'x', 'producer', 'crige');
		insert into dataset (slug, producer_id, licence_id, title) values ('air', 'air', 'lo-2.0', '{}');
		insert into version (dataset_id, number, blob_sha256, source, state, ended_at, published_at, replaced_at)
			select id, 1, '\x02', 'f', 'ready', now(), now(), now() from dataset where slug = 'air'`)
	account := int64(r.number(`select id from account where login = 'crige'`))
	version := geo.VersionID(r.number(`select published_id from dataset where slug = 'fontaines'`))
	other := geo.VersionID(r.number(`select v.id from version v join dataset d on d.id = v.dataset_id where d.slug = 'air'`))
	lines := func() []Correction {
		t.Helper()
		list, err := Replies(ctx, r.hub.Web, "crige")
		if err != nil || len(list) != 1 || len(list[0].IDs) != 2 || list[0].Session != s.Code {
			t.Fatalf("sent %+v (%v)", list, err)
		}
		return list
	}
	ids := lines()[0].IDs
	var input *geo.InputError
	var param *geo.ParamError
	for _, c := range []struct {
		name     string
		producer string
		id       int64
		r        Response
		is       func(error) bool
	}{
		{"nothing said", "crige", ids[0], Response{}, func(err error) bool { return errors.As(err, &param) }},
		{"refused without a reason", "crige", ids[0], Response{Says: Refused, Reason: " "}, func(err error) bool { return errors.As(err, &input) }},
		{"a telephone number", "crige", ids[0], Response{Says: Refused, Reason: "Appelez le 04 91 00 00 00"}, func(err error) bool { return errors.As(err, &input) }},
		{"too long", "crige", ids[0], Response{Says: Refused, Reason: strings.Repeat("a ", maxReason)}, func(err error) bool { return errors.As(err, &input) }},
		{"corrected in no version", "crige", ids[0], Response{Says: Corrected}, func(err error) bool { return errors.As(err, &param) }},
		{"corrected in another's version", "crige", ids[0], Response{Says: Corrected, Version: other}, func(err error) bool { return errors.As(err, &param) }},
		{"accepted in a version", "crige", ids[0], Response{Says: Accepted, Version: version}, func(err error) bool { return errors.As(err, &param) }},
		{"another's correction", "air", ids[0], Response{Says: Accepted}, func(err error) bool { return errors.Is(err, geo.ErrNotFound) }},
		{"no correction", "crige", 99999, Response{Says: Accepted}, func(err error) bool { return errors.Is(err, geo.ErrNotFound) }},
	} {
		if err := Reply(ctx, r.hub.Desk, account, c.producer, c.id, c.r); !c.is(err) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if got := lines()[0].Reply; got != nil {
		t.Fatalf("a refused reply is kept: %+v", got)
	}
	for i, c := range []Response{{Says: Accepted}, {Says: Refused, Reason: "=1+1 en travaux"}, {Says: Corrected, Version: version}, {Says: Refused, Reason: "=1+1 en travaux"}} {
		if err := Reply(ctx, r.hub.Desk, account, "crige", ids[i%2], c); err != nil {
			t.Fatal(err)
		}
		got := lines()[0].Reply
		if got == nil || got.Says != c.Says || got.Reason != c.Reason || got.Version != c.Version || (c.Version != 0) != (got.Number == 1) {
			t.Errorf("said %+v, read %+v", c, got)
		}
	}
	report := r.report(s, time.Now())
	if got := report.Replied(); got[Refused] != 1 || len(got) != 1 {
		t.Errorf("replied %v", got)
	}
	for _, row := range r.csv(&report) {
		if row["record"] == task.Record && (row["reply"] != "refused" || row["reason"] != "'=1+1 en travaux") {
			t.Errorf("the file says %v", row)
		}
	}
	if n := r.number(`select count(*) from session_event where kind = 'replied' and role = 'producer' and account_id = $1`, account); n != 4 {
		t.Errorf("%d replies in the history, want 4", n)
	}
	if err := WithdrawReply(ctx, r.hub.Desk, account, "crige", ids[0]); err != nil || lines()[0].Reply != nil {
		t.Errorf("withdrawn: %v", err)
	}
	if err := WithdrawReply(ctx, r.hub.Desk, account, "crige", ids[0]); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("withdrawn twice: %v", err)
	}
}
