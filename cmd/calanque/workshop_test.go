package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api"
	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
	"calanque/osm/match"
	"calanque/osm/sample"
	"calanque/osm/workshop"
	"calanque/tiles"
)

// TestWholeSession plays the whole circle on the sample: sessions prepared
// around the ERIC, answered on site from what is true, their change files
// uploaded by somebody, and seen again in the newer copy of OpenStreetMap that
// holds them beside a day of others' edits; then reverted, and that is seen too.
func TestWholeSession(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a database")
	}
	ctx := t.Context()
	a, hub := preparedDemo(t)
	mediator := sampleMediator(t, hub)
	erics, err := workshop.ERICs(ctx, hub.Web)
	if err != nil || len(erics) == 0 {
		t.Fatalf("ERICs: %v (%v)", erics, err)
	}
	var sessions []workshop.Session
	for _, theme := range []string{"eau", "equipements", "eau"} { // the last is one to which nobody comes
		s, _, err := workshop.Prepare(ctx, hub.Desk, mediator, workshop.Plan{
			Title: "Tout le territoire", Theme: theme, Minutes: 120, People: 40,
			Area: workshop.Area{Around: &workshop.Around{ERIC: erics[0].ID, Metres: 10_000}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := workshop.Open(ctx, hub.Desk, s.Code); err != nil {
			t.Fatal(err)
		}
		sessions = append(sessions, s)
	}
	idle := sessions[2]
	sessions = sessions[:2]
	var changes []byte
	proposed := map[int64]bool{} // tasks with an edit in a file
	for i := range sessions {
		answerAll(t, hub, sessions[i])
		x, err := workshop.ForOSM(ctx, hub.Web, sessions[i])
		if err != nil {
			t.Fatal(err)
		}
		for j := range x.Edits {
			if x.Edits[j].InFile() {
				proposed[x.Edits[j].Task.ID] = true
			}
		}
		changes = joinChanges(t, changes, &x)
	}
	// A day later OpenStreetMap is another, with what was proposed in it.
	newer := func(edition int, changes []byte) sample.Manifest {
		t.Helper()
		dir := filepath.Join(a.dataFolder(), fmt.Sprint("edition", edition))
		m, err := sample.Write(ctx, dir, sample.Options{Seed: demoSeed, Today: time.Now(), Edition: edition, Changes: changes})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := osm.Import(ctx, hub, filepath.Join(dir, sampleExtract), osm.Options{}); err != nil {
			t.Fatal(err)
		}
		if err := a.catchUp(ctx, hub); err != nil {
			t.Fatal(err)
		}
		return m
	}
	after := newer(2, changes)
	if after.Changed < 10 || after.Conflicts > after.Changed/2 {
		t.Errorf("%d objects changed, %d conflicts", after.Changed, after.Conflicts)
	}
	judgeSeen(t, hub, sessions, proposed, after.Truth)
	count := map[workshop.Seen]int{}
	var verified []int64
	for _, s := range sessions {
		for _, task := range tasksOf(t, hub, s) {
			if proposed[task.ID] {
				count[task.Seen]++
			}
			if task.Seen == workshop.Verified {
				verified = append(verified, task.ID)
			}
		}
	}
	t.Logf("of %d proposals: %v (%d conflicts)", len(proposed), count, after.Conflicts)
	if count[workshop.NotSeenYet] > after.Conflicts || count[workshop.Verified] < len(proposed)*3/4 {
		t.Errorf("of %d proposals that were uploaded, with %d conflicts: %v", len(proposed), after.Conflicts, count)
	}
	byOthers := 0
	for _, task := range tasksOf(t, hub, idle) {
		if task.Seen == workshop.FixedByAnother {
			byOthers++
		}
		if task.Seen == workshop.Verified {
			t.Errorf("question %d of a session to which nobody came is verified", task.Number)
		}
	}
	if byOthers < 5 {
		t.Errorf("%d questions that nobody had answered were mended by others", byOthers)
	}
	onBoards(t, hub, sessions[0])
	// The day after, it is all taken back.
	newer(3, nil)
	count = map[workshop.Seen]int{}
	for _, s := range sessions {
		for _, task := range tasksOf(t, hub, s) {
			if slices.Contains(verified, task.ID) {
				count[task.Seen]++
			}
		}
	}
	t.Logf("of %d that were verified, a day later: %v", len(verified), count)
	if count[workshop.Reverted] < after.Changed/2 || count[workshop.NotSeenYet] != 0 {
		t.Errorf("after the revert: %v", count)
	}
	onBoards(t, hub, sessions[0])
}

func tasksOf(t *testing.T, hub *postgis.Hub, s workshop.Session) []workshop.Task {
	t.Helper()
	tasks, err := workshop.Tasks(t.Context(), hub.Web, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	return tasks
}

// joinChanges appends the change file of a session to another.
func joinChanges(t *testing.T, changes []byte, x *workshop.Export) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := x.WriteOSC(&b, func(geo.Message) string { return "" }); err != nil {
		t.Fatal(err)
	}
	const end = "</osmChange>"
	own := b.String()[strings.Index(b.String(), "<osmChange"):]
	if changes == nil {
		return []byte(own)
	}
	own = own[strings.Index(own, "\n"):]
	return []byte(strings.Replace(string(changes), end, "", 1) + own)
}

// onBoards holds that the wall says how much was seen.
func onBoards(t *testing.T, hub *postgis.Hub, s workshop.Session) {
	t.Helper()
	p, err := workshop.Measure(t.Context(), hub.Web, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	server := api.New(api.Options{Hub: hub, Tiles: tiles.New(hub, tiles.Options{}), Log: slog.Default(), Now: time.Now})
	w := httptest.NewRecorder()
	server.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/atelier/"+s.Code+"/projecteur?lg=en", nil))
	if want := fmt.Sprintf("<b>%d</b>seen in OSM", p.Seen[workshop.Verified]+p.Seen[workshop.Partially]); !strings.Contains(w.Body.String(), want) {
		t.Errorf("the wall does not say %q", want)
	}
}

// sampleMediator is an account to prepare sessions with.
func sampleMediator(t *testing.T, hub *postgis.Hub) (id int64) {
	t.Helper()
	err := hub.Owner.QueryRow(t.Context(), `
		insert into account (login, password_hash, role, eric_id) select 'essai', 'x', 'mediator', min(id) from eric returning id`).Scan(&id)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// answerAll has one person on site say of everything that the file is right.
func answerAll(t *testing.T, hub *postgis.Hub, s workshop.Session) {
	t.Helper()
	ctx := t.Context()
	p, _, err := workshop.Join(ctx, hub.Desk, s.Code)
	if err != nil {
		t.Fatal(err)
	}
	if err := workshop.SetOnSite(ctx, hub.Desk, p.ID, true); err != nil {
		t.Fatal(err)
	}
	for n := 0; ; n++ {
		q, _, err := workshop.Next(ctx, hub, p.ID)
		if errors.Is(err, geo.ErrNotFound) {
			if n < 10 {
				t.Errorf("%s: %d questions", s.Theme, n)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		choice := 1
		if q.Task.Kind == match.OnlyOSM {
			choice = 3
		}
		rec, err := workshop.Record(ctx, hub.Desk, workshop.Answer{
			Key: fmt.Sprintf("00000000-0000-4000-8000-%012d", q.Task.ID), Task: q.Task.ID, Participant: &p.ID, Choice: choice, How: workshop.Screen,
		})
		if err != nil || !rec.Settled {
			t.Fatalf("%s: %s: %+v (%v)", s.Theme, q.Ask.Code, rec, err)
		}
	}
}

// judgeSeen holds what was seen against what is true after the edits of
// others; the truth does not know of what the sessions themselves proposed.
func judgeSeen(t *testing.T, hub *postgis.Hub, sessions []workshop.Session, proposed map[int64]bool, truth []sample.Truth) {
	t.Helper()
	now := map[string]string{}
	for _, tr := range truth {
		now[tr.Dataset+" "+tr.Key] = tr.Kind
	}
	count := map[workshop.Seen]int{}
	for _, s := range sessions {
		tasks, err := workshop.Tasks(t.Context(), hub.Web, s.ID)
		if err != nil {
			t.Fatal(err)
		}
		for _, task := range tasks {
			count[task.Seen]++
			is, known := now[task.Layer+" "+task.Record]
			switch {
			case proposed[task.ID] || task.Asked != match.OnlyOpenData || !known:
			case task.Seen == workshop.Verified && slices.Contains([]string{"only_open_data", "out_of_scope"}, is):
				t.Errorf("%s %s was seen in OpenStreetMap and is not there", task.Layer, task.Record)
			case task.Seen == workshop.NotSeenYet && is == "identical":
				t.Errorf("%s %s is in OpenStreetMap and was not seen", task.Layer, task.Record)
			}
		}
	}
	t.Logf("%v", count)
	if count[workshop.Verified] < 5 || count[workshop.NotSeenYet] < 10 || count[workshop.FixedByAnother] != 0 {
		t.Errorf("seen %v", count)
	}
	var lines int
	err := hub.Owner.QueryRow(t.Context(), `select count(*) from session_event where kind = 'seen' and session_id in ($1, $2)`,
		sessions[0].ID, sessions[1].ID).Scan(&lines)
	if want := count[workshop.Verified] + count[workshop.Partially]; err != nil || lines != want {
		t.Errorf("%d lines of history say that something was seen, want %d (%v)", lines, want, err)
	}
}

// TestRestoreDrill plays a session, loses the database, and goes on with what
// the backup holds: the participant with the token they had, the mediator with
// the answers that were acknowledged; a day after the end nobody is known, and
// every answer is there.
func TestRestoreDrill(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a database")
	}
	ctx := t.Context()
	file := filepath.Join(t.TempDir(), "calanque.dump")
	a, hub := preparedDemo(t)
	url := a.DatabaseURL
	erics, err := workshop.ERICs(ctx, hub.Web)
	if err != nil {
		t.Fatal(err)
	}
	s, recovery, err := workshop.Prepare(ctx, hub.Desk, sampleMediator(t, hub), workshop.Plan{
		Title: "Avant la panne", Theme: "eau", Minutes: 120, People: 20, Area: workshop.Area{Around: &workshop.Around{ERIC: erics[0].ID, Metres: 10_000}},
	})
	if err == nil {
		err = workshop.Open(ctx, hub.Desk, s.Code)
	}
	if err != nil {
		t.Fatal(err)
	}
	_, token, err := workshop.Join(ctx, hub.Desk, s.Code)
	if err != nil {
		t.Fatal(err)
	}
	answerAll(t, hub, s)
	before := map[string]string{}
	for name, digest := range contents(t, url) {
		if !strings.HasPrefix(name, "public.change_reader") { // where readers are
			before[name] = digest
		}
	}
	files := blob.New(filepath.Join(t.TempDir(), "files"))
	if err := backup(ctx, url, file, files); err != nil {
		t.Fatal(err)
	}
	a.close()
	fill(t, url, `truncate answer, correction, session_event cascade`)
	if err := restore(ctx, url, file, files); err != nil {
		t.Fatal(err)
	}
	after := contents(t, url)
	for name, digest := range before {
		if after[name] != digest {
			t.Errorf("%s is not what it was: %s, was %s", name, after[name], digest)
		}
	}
	hub, err = postgis.Open(ctx, postgis.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	p, err := workshop.ByToken(ctx, hub.Desk, token)
	if err != nil || p.Session.Code != s.Code {
		t.Errorf("the participant has lost their seat: %v", err)
	}
	if _, err := workshop.Recover(ctx, hub.Web, s.Code, recovery); err != nil {
		t.Errorf("the recovery code is not known any more: %v", err)
	}
	measured, err := workshop.Measure(ctx, hub.Web, s.ID)
	if err != nil || measured.Answered < 10 {
		t.Errorf("%d answers (%v)", measured.Answered, err)
	}
	if err := workshop.Close(ctx, hub.Desk, s.Code); err != nil {
		t.Fatal(err)
	}
	if err := workshop.Sweep(ctx, hub.Owner, time.Now().Add(25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, err := workshop.ByToken(ctx, hub.Desk, token); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("the token opens something a day later: %v", err)
	}
	var tokens, answers int
	err = hub.Owner.QueryRow(ctx, `select (select count(*) from participant), (select count(*) from answer where undone_at is null)`).Scan(&tokens, &answers)
	if err != nil || tokens != 0 || answers < measured.Answered {
		t.Errorf("%d tokens, %d answers (%v), want 0 and %d at least", tokens, answers, err, measured.Answered)
	}
}

// TestBackupForgets holds that a backup keeps nobody who is to be forgotten,
// and a restore forgets what has come due since.
func TestBackupForgets(t *testing.T) {
	t.Parallel()
	url, file := postgistest.URL(t), filepath.Join(t.TempDir(), "calanque.dump")
	fill(t, url, published+`;
		insert into eric values ('e', 'E', st_setsrid(st_point(5, 43), 4326));
		insert into account (login, password_hash, role, eric_id) values ('m', 'x', 'mediator', 'e');
		insert into theme (id, title, selection) values ('eau', '{}', '{}');
		insert into session (code, title, theme_id, mediator_id, area, minutes, people, recovery_sha256, state, opened_at, closed_at)
			select c, c, 'eau', 1, st_multi(st_makeenvelope(5, 43, 6, 44, 4326)), 60, 10, '\x00', 'closed', now() - age, now() - age
			from (values ('AAAAAA', interval '25 hours'), ('BBBBBB', '23 hours')) s (c, age);
		insert into participant (session_id, pseudonym, sign, token_sha256) select id, 'Thym ' || id, 'sail', code::bytea from session`)
	names := func(when, want string) {
		t.Helper()
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		var got string
		err = conn.QueryRow(t.Context(), `
			select coalesce(string_agg(pseudonym, ', ' order by id), '') || ' / ' || (select string_agg(state, ' ' order by id) from session) from participant`).Scan(&got)
		if err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", when, got, want, err)
		}
	}
	if err := backup(t.Context(), url, file, blob.New(filepath.Join(t.TempDir(), "files"))); err != nil {
		t.Fatal(err)
	}
	names("after the backup", "Thym 2 / archived closed")
	// A day goes by; the database is lost.
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), `update session set closed_at = now() - interval '24 hours 1 second' where state = 'closed'`)
	conn.Close(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	later := filepath.Join(t.TempDir(), "later.dump")
	server, err := askServer(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := server.run(t.Context(), "pg_dump", server.name, "--format=custom", "--no-owner", "--no-privileges", "--no-comments", "--file="+later); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	names("before the restore", "Thym 2 / archived closed")
	if err := restore(t.Context(), url, later, blob.New(filepath.Join(t.TempDir(), "files"))); err != nil {
		t.Fatal(err)
	}
	names("after the restore", " / archived archived")
}
