package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// TestSchedule has the worker read the sources that are due again: the one that
// has changed is published, the others stay as they were.
func TestSchedule(t *testing.T) {
	t.Parallel()
	url := postgistest.URL(t)
	m := newMachineOn(t, url)
	hub, err := postgis.Open(t.Context(), postgis.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	const datasets = `
producers:
  - {id: ville, title: {fr: Ville}}
datasets:
  - {id: due, producer: ville, title: {fr: Dû}, licence: lo-2.0, schedule: hourly, source: {path: due.csv}, key: [code]}
  - {id: same, producer: ville, title: {fr: Le même}, licence: lo-2.0, schedule: daily, source: {path: same.csv}, key: [code]}
  - {id: later, producer: ville, title: {fr: Plus tard}, licence: lo-2.0, schedule: weekly, source: {path: later.csv}, key: [code]}
`
	file := m.write("catalogue.yaml", []byte(datasets))
	const three = "code;nom;lat;lon\n1;Fontaine;43.1;6.2\n2;Borne;43.2;6.3\n3;Source;43.3;6.4\n"
	for _, name := range []string{"due", "same", "later"} {
		m.write(name+".csv", []byte(three))
	}
	m.must("apply", file)
	m.write("due.csv", []byte(three+"4;Puits;43.4;6.5\n"))
	m.write("later.csv", []byte(three+"4;Puits;43.4;6.5\n"))
	var all map[string]scheduled
	if _, err := postgis.Setting(t.Context(), hub.Owner, scheduleSetting, &all); err != nil || len(all) != 3 {
		t.Fatalf("schedules are %+v, %v", all, err)
	}
	before := time.Now().UTC().Add(-25 * time.Hour) // the hourly and the daily one are due, the weekly one is not
	for id, s := range all {
		s.Last = before
		all[id] = s
	}
	if err := postgis.PutSetting(t.Context(), hub.Owner, scheduleSetting, all); err != nil {
		t.Fatal(err)
	}
	m.start("work")
	put, err := enqueuer(hub, jobKinds)
	if err == nil {
		err = pgx.BeginFunc(t.Context(), hub.Desk, func(tx pgx.Tx) error { return put(t.Context(), tx, "schedules", struct{}{}) })
	}
	if err != nil {
		t.Fatal(err)
	}
	served := func() string {
		return fmt.Sprint(askAll[string](t, url, `
			select d.slug || ' ' || lv.n_rows from dataset d join layer_version lv on lv.version_id = d.published_id order by d.slug`))
	}
	done := func() bool {
		return ask[int64](t, url, `select count(*) from river.river_job where kind = 'reread' and state = 'completed'`) == 2
	}
	for begun := time.Now(); !done(); time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) > 2*time.Minute {
			t.Fatalf("the sources were not read again: %s", served())
		}
	}
	if got, want := served(), "[due 4 later 3 same 3]"; got != want {
		t.Errorf("served is %s, want %s", got, want)
	}
	if n := ask[int64](t, url, `select count(*) from version v join dataset d on d.id = v.dataset_id where d.slug = 'same' and v.published_at is not null`); n != 1 {
		t.Errorf("what is the same was published %d times", n)
	}
	if _, err := postgis.Setting(t.Context(), hub.Owner, scheduleSetting, &all); err != nil || all["due"].Last.Equal(before) || !all["later"].Last.Equal(before) {
		t.Errorf("when they were last read is %+v, %v", all, err)
	}
	checkInvariants(t, url, "at the end")
}
