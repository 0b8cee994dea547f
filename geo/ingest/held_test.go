package ingest_test

import (
	"errors"
	"testing"
	"time"

	"calanque/geo"
	"calanque/geo/ingest"
	"calanque/geo/postgis"
)

const (
	fountains1 = "code;nom;eau;x;y\nA;Fontaine;oui;850000;6250000\nB;Source;oui;850100;6250000\nC;Borne;non;850200;6250000\nD;Puits;non;850300;6250000\n"
	fountains2 = "code;nom;debit;x;y\nA;Fontaine;1,5;850000;6250000\nB;Source;2;850110;6250000\nC;Borne verte;3;850200;6250000\nE;Lavoir;4;850400;6250000\n"
)

// A version that is held is seen by nobody until it is published; an earlier
// one comes back, with how it was read.
func TestHeld(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	ctx := t.Context()
	first := request("fontaines", write(t, "f1.csv", fountains1))
	first.Key, first.Options.CRS = []string{"code"}, 2154
	r1 := load(t, hub, first)
	held := ingest.Request{Dataset: "fontaines", Path: write(t, "f2.csv", fountains2), Hold: true, Title: geo.Text{"fr": "Autre titre"}}
	r2 := load(t, hub, held)
	if r2.State != ingest.Held || r2.Loaded() != 4 || r2.Version == r1.Version {
		t.Fatalf("got %+v", r2)
	}
	if rel := relation(t, hub, "fontaines"); rel.Version != r1.Version || len(items(t, hub, "fontaines", geo.Query{})) != 4 {
		t.Errorf("the held version is served: %+v", rel)
	}
	if _, err := postgis.RelationAt(ctx, hub.Web, "fontaines", r2.Version); !errors.Is(err, geo.ErrNotFound) {
		t.Errorf("a walk on the held version: %v", err)
	}
	checkInvariants(t, hub)

	c, err := postgis.Compare(ctx, hub.Owner, "fontaines", r2.Version)
	if err != nil || len(c.Layers) != 1 || c.From != r1.Version {
		t.Fatalf("the comparison: %+v, %v", c, err)
	}
	l := c.Layers[0]
	compare(t, []int64{l.Added, l.Removed, l.Changed, l.Same}, []int64{1, 1, 2, 1})
	compare(t, []string{l.FieldsAdded[0].Name, l.FieldsRemoved[0].Name}, []string{"debit", "eau"})
	compare(t, []string{l.Samples[0].Kind, l.Samples[0].Key, l.Samples[0].Name, l.Samples[1].Key}, []string{"added", "E", "Lavoir", "D"})
	if b := l.Samples[2]; b.Key != "B" || b.Metres < 9 || b.Metres > 11 || !l.Keyed {
		t.Errorf("B has moved by 10 m: %+v", b)
	}
	name := postgis.ValueChange{Field: "nom", Before: "Borne", After: "Borne verte"}
	if s := l.Samples[3]; s.Key != "C" || len(s.Fields) != 1 || s.Fields[0] != name {
		t.Errorf("C is called otherwise: %+v", s)
	}

	for _, v := range []struct {
		version geo.VersionID
		field   string
	}{{r2.Version, "debit"}, {r1.Version, "eau"}, {r2.Version, "debit"}} {
		if err := postgis.PublishReady(ctx, hub, "fontaines", v.version, nil); err != nil {
			t.Fatal(err)
		}
		rel := relation(t, hub, "fontaines")
		if _, has := rel.Field(v.field); rel.Version != v.version || !has {
			t.Errorf("served is %+v", rel)
		}
		checkInvariants(t, hub)
	}
	if d, err := postgis.FindDataset(ctx, hub.Owner, "fontaines"); err != nil || d.Title["fr"] != "Essai" {
		t.Errorf("a held load says nothing of the dataset: %+v, %v", d.Title, err)
	}
	if r := load(t, hub, ingest.Request{Dataset: "fontaines", Path: held.Path}); r.State != ingest.Unchanged {
		t.Errorf("what is published again: %+v", r)
	}
}

// A held delivery of a series waits in its own table, and is no version to go
// back to once it is a part of the series.
func TestHeldSeries(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	ctx := t.Context()
	req := request("indice", write(t, "a.csv", day1))
	req.Key, req.Series = []string{"code_zone"}, &ingest.Series{Time: "date_ech"}
	first := load(t, hub, req)
	second := load(t, hub, ingest.Request{Dataset: "indice", Hold: true, Path: write(t, "b.csv",
		"code_zone;date_ech;code_qual;valeur\n4001;2026-12-02;4;10,5\n13055;2026-11-01;6;99\n")})
	if got := items(t, hub, "indice", geo.Query{}); len(got) != 2 {
		t.Errorf("before: got %v", got)
	}
	c, err := postgis.Compare(ctx, hub.Owner, "indice", second.Version)
	if err != nil {
		t.Fatal(err)
	}
	l := c.Layers[0]
	compare(t, []int64{l.Added, l.Removed, l.Changed, l.Same}, []int64{1, 0, 1, 0})
	if err := postgis.PublishReady(ctx, hub, "indice", second.Version, nil); err != nil {
		t.Fatal(err)
	}
	if got := items(t, hub, "indice", geo.Query{}); len(got) != 3 {
		t.Errorf("after: got %v", got)
	}
	if err := postgis.PublishReady(ctx, hub, "indice", first.Version, nil); !errors.Is(err, geo.ErrGone) {
		t.Errorf("an earlier delivery of a series: %v", err)
	}
	checkInvariants(t, hub)
}

// What nobody published goes when it was thrown away, or after a month.
func TestHeldIsSwept(t *testing.T) {
	t.Parallel()
	hub := newHub(t)
	ctx := t.Context()
	req := request("fontaines", write(t, "f1.csv", fountains1))
	req.Hold = true
	kept := load(t, hub, req)
	req.Path = write(t, "f2.csv", fountains2)
	old := load(t, hub, req)
	if n, err := postgis.Sweep(ctx, hub, time.Hour); n != 0 || err != nil {
		t.Errorf("too early: %d swept, %v", n, err)
	}
	if _, err := hub.Owner.Exec(ctx, `update version set ended_at = now() - interval '31 days' where id = $1`, old.Version); err != nil {
		t.Fatal(err)
	}
	if n, err := postgis.Sweep(ctx, hub, time.Hour); n != 1 || err != nil {
		t.Errorf("after a month: %d swept, %v", n, err)
	}
	if err := postgis.PublishReady(ctx, hub, "fontaines", old.Version, nil); !errors.Is(err, geo.ErrGone) {
		t.Errorf("what was swept: %v", err)
	}
	if err := postgis.PublishReady(ctx, hub, "fontaines", kept.Version, nil); err != nil {
		t.Error(err)
	}
	checkInvariants(t, hub)
}
