package catalogue_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

var hand = catalogue.By{Body: "calanque apply"}

func put(t *testing.T, h *postgis.Hub, e catalogue.Entry) ([]catalogue.Difference, error) {
	t.Helper()
	var changed []catalogue.Difference
	err := pgx.BeginFunc(t.Context(), h.Desk, func(tx pgx.Tx) (err error) {
		changed, err = catalogue.Put(t.Context(), tx, e, hand)
		return err
	})
	return changed, err
}

func names(list []catalogue.Difference) string {
	var s []string
	for _, d := range list {
		s = append(s, d.Field)
	}
	return strings.Join(s, ",")
}

func day(s string) *time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return &t
}

// TestPut writes a whole description, reads it back, changes a part of it and
// finds every change in the log.
func TestPut(t *testing.T) {
	t.Parallel()
	h := hub(t)
	full := catalogue.Entry{
		Slug: "pistes", Producer: "region", Licence: "lo-2.0", Chain: catalogue.Region,
		Title:       geo.Text{"fr": "Pistes cyclables", "en": "Cycle tracks"},
		Description: geo.Text{"fr": "Toutes."}, Limits: geo.Text{"fr": "Sans les voies vertes."},
		Keywords: []geo.Text{{"fr": "vélo", "en": "bicycle"}, {"fr": "piste"}},
		Topics:   []string{"transports", "tourisme"}, Territory: []string{"R93", "EPCI:200054807", "2A004", "D13"},
		Frequency: "yearly", HighValue: catalogue.HighValue[5].URI, LandingPage: "https://example.org/pistes",
		Contact:       map[string]string{"email": "velo@example.org"},
		SaidExtent:    &geo.Box{MinX: 4.5, MinY: 43, MaxX: 7.75, MaxY: 45.125},
		TemporalStart: day("2020-01-01"), TemporalEnd: day("2025-12-31"), IssuedAt: day("2021-05-04"), SaidDelivered: day("2026-01-15"),
		CountedFrom: "essai", Extra: map[string]string{"Serveur": "SIG2"},
	}
	if _, err := put(t, h, full); err != nil {
		t.Fatal(err)
	}
	e, err := catalogue.Find(t.Context(), h.Web, catalogue.Desk, "pistes")
	if err != nil {
		t.Fatal(err)
	}
	if d := catalogue.DatasetOf.Differences(&full, &e); len(d) > 0 || e.State != catalogue.Counted || e.CountedFrom != "essai" || *e.Extent != *full.SaidExtent {
		t.Fatalf("read back: %v in %+v", d, e)
	}
	if changed, err := put(t, h, e); err != nil || len(changed) > 0 {
		t.Errorf("the same again changes %v, %v", changed, err)
	}
	e.Title, e.Topics, e.Frequency, e.SaidExtent = geo.Text{"fr": "Pistes et bandes cyclables"}, []string{"tourisme", "transports"}, "", nil
	changed, err := put(t, h, e)
	if err != nil || names(changed) != "title,topics,extent,frequency" {
		t.Errorf("changed %v, %v", changed, err)
	}
	if _, err := put(t, h, e); !errors.Is(err, geo.ErrConflict) {
		t.Errorf("saved on an old edition: %v", err)
	}
	var stale *catalogue.Stale
	if _, err := put(t, h, e); !errors.As(err, &stale) || stale.Now.Title["fr"] != "Pistes et bandes cyclables" {
		t.Errorf("saved on an old edition: %v", err)
	}
	edits, err := catalogue.Edits(t.Context(), h.Web, catalogue.OfDataset, "pistes", 4)
	if err != nil || len(edits) != 4 || edits[0].Field != "frequency" || string(edits[0].Before) != `"yearly"` || edits[0].Body != "calanque apply" {
		t.Errorf("the log says %+v, %v", edits, err)
	}
}

// TestRename keeps every address that a dataset ever had.
func TestRename(t *testing.T) {
	t.Parallel()
	h := hub(t)
	find := func(slug string) catalogue.Entry {
		t.Helper()
		e, err := catalogue.Find(t.Context(), h.Web, catalogue.Desk, slug)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := find("lycees")
	for _, slug := range []string{"lycees-publics", "etablissements", "lycees", "lycees-2026"} {
		e.Slug, e.Edition = slug, 0
		if changed, err := put(t, h, e); err != nil || names(changed) != "id" {
			t.Fatalf("rename to %s: %v, %v", slug, changed, err)
		}
	}
	for _, slug := range []string{"lycees", "lycees-publics", "etablissements"} {
		if now, err := catalogue.Moved(t.Context(), h.Web, slug); err != nil || now != "lycees-2026" {
			t.Errorf("%s leads to %s, %v", slug, now, err)
		}
	}
	other := find("sentiers")
	for _, taken := range []string{"lycees", "lycees-2026"} {
		other.Slug = taken
		_, err := put(t, h, other)
		var bad *geo.InputError
		if !errors.As(err, &bad) || bad.Code != "put.slug-taken" || bad.Args["field"] != "id" || !errors.Is(err, geo.ErrExists) {
			t.Errorf("a taken address %s: %v", taken, err)
		}
	}
	if edits, err := catalogue.Edits(t.Context(), h.Web, catalogue.OfDataset, "lycees-2026", 10); err != nil || len(edits) != 4 {
		t.Errorf("the history is lost by renaming: %d, %v", len(edits), err)
	}
}

// TestPutFaults names the field of every fault, all at once, and writes nothing.
func TestPutFaults(t *testing.T) {
	t.Parallel()
	h := hub(t)
	for name, c := range map[string]struct {
		change func(*catalogue.Entry)
		want   string // field:code of each
	}{
		"an address that is none":  {func(e *catalogue.Entry) { e.Slug = "Lycées publics" }, "id:put.slug"},
		"no French title":          {func(e *catalogue.Entry) { e.Title = geo.Text{"en": "Schools"} }, "title:put.required"},
		"a title without end":      {func(e *catalogue.Entry) { e.Title = geo.Text{"fr": strings.Repeat("é", 301)} }, "title:put.too-long"},
		"a language nobody speaks": {func(e *catalogue.Entry) { e.Title = geo.Text{"fr": "a", "de": "b"} }, "title:put.language"},
		"no producer":              {func(e *catalogue.Entry) { e.Producer = "" }, "producer:put.required"},
		"an unknown producer":      {func(e *catalogue.Entry) { e.Producer = "x" }, "producer:put.producer"},
		"an unknown licence":       {func(e *catalogue.Entry) { e.Licence = "x" }, "licence:put.licence"},
		"an unknown topic":         {func(e *catalogue.Entry) { e.Topics = []string{"culture", "sport"} }, "topics:put.topic"},
		"a keyword without French": {func(e *catalogue.Entry) { e.Keywords = []geo.Text{{}} }, "keywords:put.required"},
		"a territory that is none": {func(e *catalogue.Entry) { e.Territory = []string{"Marseille"} }, "territory:put.territory"},
		"dates swapped":            {func(e *catalogue.Entry) { e.TemporalStart, e.TemporalEnd = day("2021-01-02"), day("2021-01-01") }, "to:put.dates"},
		"an unknown frequency":     {func(e *catalogue.Entry) { e.Frequency = "often" }, "frequency:put.frequency"},
		"a category that is none":  {func(e *catalogue.Entry) { e.HighValue = "geospatial" }, "highValue:put.high-value"},
		"an address with a script": {func(e *catalogue.Entry) { e.LandingPage = "javascript:alert(1)" }, "landingPage:put.url"},
		"an address with a secret": {func(e *catalogue.Entry) { e.LandingPage = "https://a:b@example.org/" }, "landingPage:put.url"},
		"a mail address":           {func(e *catalogue.Entry) { e.Contact = map[string]string{"email": "not one"} }, "contact:put.email"},
		"a box inside out":         {func(e *catalogue.Entry) { e.SaidExtent = &geo.Box{MinX: 5, MinY: 43, MaxX: 4, MaxY: 44} }, "extent:put.extent"},
		"a chain that is none":     {func(e *catalogue.Entry) { e.Chain = "x" }, "chain:put.chain"},
		"many at once": {func(e *catalogue.Entry) {
			e.Frequency, e.Topics, e.LandingPage = "often", []string{"sport"}, "ftp://x"
		}, "frequency:put.frequency landingPage:put.url topics:put.topic"},
	} {
		e, err := catalogue.Find(t.Context(), h.Web, catalogue.Desk, "lycees")
		if err != nil {
			t.Fatal(err)
		}
		c.change(&e)
		_, err = put(t, h, e)
		var got []string
		for _, f := range catalogue.Every(err) {
			got = append(got, f.Args["field"].(string)+":"+f.Code)
		}
		if strings.Join(got, " ") != c.want || !errors.Is(err, geo.ErrInvalid) {
			t.Errorf("%s: got %q, want %q (%v)", name, got, c.want, err)
		}
	}
	if edits, err := catalogue.Edits(t.Context(), h.Web, catalogue.OfDataset, "lycees", 10); err != nil || len(edits) > 0 {
		t.Errorf("something was written: %v, %v", edits, err)
	}
}

// TestResources puts resources of all kinds, takes one away and brings it back.
func TestResources(t *testing.T) {
	t.Parallel()
	h := hub(t)
	if _, err := h.Owner.Exec(t.Context(), `insert into blob (sha256, bytes, media_type) values (decode(repeat('ab', 32), 'hex'), 1234, 'application/pdf')`); err != nil {
		t.Fatal(err)
	}
	sha := []byte(strings.Repeat("\xab", 32))
	within := func(fn func(tx pgx.Tx) error) error { return pgx.BeginFunc(t.Context(), h.Desk, fn) }
	opinion := catalogue.Resource{
		Name: "avis", Kind: catalogue.Administrative, Title: geo.Text{"fr": "Avis"}, SHA256: sha, Filename: "avis.pdf", Format: "pdf",
		Document: &catalogue.Document{Type: "avis", Number: "26-118", Date: "2026-03-01"},
	}
	for _, r := range []catalogue.Resource{
		{Name: "wfs", Kind: catalogue.Service, Title: geo.Text{"fr": "WFS"}, URL: "https://example.org/wfs", Format: "wfs", Public: true},
		{Name: "fichier.csv", Kind: catalogue.FileResource, Title: geo.Text{"fr": "Fichier"}, SHA256: sha, Filename: "lycées.csv", Public: true, Position: 2},
		opinion,
	} {
		err := within(func(tx pgx.Tx) error { _, err := catalogue.PutResource(t.Context(), tx, "lycees", r, hand); return err })
		if err != nil {
			t.Fatalf("%s: %v", r.Name, err)
		}
		err = within(func(tx pgx.Tx) error {
			changed, err := catalogue.PutResource(t.Context(), tx, "lycees", r, hand)
			if len(changed) > 0 {
				t.Errorf("%s again changes %v", r.Name, changed)
			}
			return err
		})
		if err != nil {
			t.Fatalf("%s again: %v", r.Name, err)
		}
	}
	list := func() string {
		e, err := catalogue.Find(t.Context(), h.Web, catalogue.Desk, "lycees")
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, r := range e.Resources {
			s = append(s, r.Name)
		}
		return strings.Join(s, " ")
	}
	if got := list(); got != "avis wfs fichier.csv" {
		t.Errorf("resources are %s", got)
	}
	if err := within(func(tx pgx.Tx) error { return catalogue.RemoveResource(t.Context(), tx, "lycees", "wfs", hand) }); err != nil {
		t.Fatal(err)
	}
	if got := list(); got != "avis fichier.csv" {
		t.Errorf("after one was taken away: %s", got)
	}
	if err := within(func(tx pgx.Tx) error { return catalogue.RestoreResource(t.Context(), tx, "lycees", "wfs", hand) }); err != nil {
		t.Fatal(err)
	}
	if got := list(); got != "avis wfs fichier.csv" {
		t.Errorf("after it came back: %s", got)
	}
	bad := opinion
	for want, change := range map[string]func(*catalogue.Resource){
		"document:put.document":    func(r *catalogue.Resource) { r.Document = nil },
		"name:put.resource-name":   func(r *catalogue.Resource) { r.Name = "../avis" },
		"url:put.resource-url":     func(r *catalogue.Resource) { r.Kind, r.Document = catalogue.Reference, nil },
		"kind:put.resource-kind":   func(r *catalogue.Resource) { r.Kind, r.Document = "other", nil },
		"document:put.date":        func(r *catalogue.Resource) { r.Document = &catalogue.Document{Type: "avis", Date: "1er mars"} },
		"file:put.resource-target": func(r *catalogue.Resource) { r.URL = "https://example.org/" },
	} {
		r := bad
		change(&r)
		faults := catalogue.CheckResource(&r)
		if !slices.ContainsFunc(faults, func(f *geo.InputError) bool { return f.Args["field"].(string)+":"+f.Code == want }) {
			t.Errorf("want %s, got %v", want, faults)
		}
	}
}
