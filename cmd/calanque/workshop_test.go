package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
	"calanque/osm/match"
	"calanque/osm/sample"
	"calanque/osm/workshop"
)

// TestWholeSession plays a session on the sample: prepared around the ERIC,
// answered on site from what is true, and seen again in the newer copy of
// OpenStreetMap that holds a day of edits.
func TestWholeSession(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs a database")
	}
	ctx := t.Context()
	const seed = 1
	a := newApp(&config{DatabaseURL: postgistest.URL(t), Data: t.TempDir()}, io.Discard, io.Discard)
	t.Cleanup(a.close)
	hub, err := a.database(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.prepareDemo(ctx, hub, seed); err != nil {
		t.Fatal(err)
	}
	mediator := sampleMediator(t, hub)
	erics, err := workshop.ERICs(ctx, hub.Web)
	if err != nil || len(erics) == 0 {
		t.Fatalf("ERICs: %v (%v)", erics, err)
	}
	var sessions []workshop.Session
	for _, theme := range []string{"eau", "equipements"} {
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
	for i := range sessions {
		answerAll(t, hub, sessions[i])
	}
	// A day later OpenStreetMap is another.
	dir := filepath.Join(a.dataFolder(), "next")
	after, err := sample.Write(ctx, dir, sample.Options{Seed: seed, Today: time.Now(), Edition: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := osm.Import(ctx, hub, filepath.Join(dir, sampleExtract), osm.Options{}); err != nil {
		t.Fatal(err)
	}
	if err := a.catchUp(ctx, hub); err != nil {
		t.Fatal(err)
	}
	judgeSeen(t, hub, sessions, after.Truth)
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

// judgeSeen holds what was seen against what is true after the edits.
func judgeSeen(t *testing.T, hub *postgis.Hub, sessions []workshop.Session, truth []sample.Truth) {
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
			case task.Asked != match.OnlyOpenData || !known:
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
	err := hub.Owner.QueryRow(t.Context(), `select count(*) from session_event where kind = 'seen'`).Scan(&lines)
	if want := count[workshop.Verified] + count[workshop.Partially]; err != nil || lines != want {
		t.Errorf("%d lines of history say that something was seen, want %d (%v)", lines, want, err)
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
