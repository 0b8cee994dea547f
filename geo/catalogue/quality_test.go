package catalogue_test

import (
	"strings"
	"testing"
	"time"

	"calanque/geo"
	"calanque/geo/catalogue"
)

func at(s string) *time.Time {
	t, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		panic(err)
	}
	return &t
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, frequency string
		delivered, last *time.Time
		now             string
		due             *time.Time
		late            bool
		says            string
	}{
		{"nobody said", "", at("2026-01-01 00:00"), nil, "2026-11-01 00:00", nil, false, "fresh.unknown"},
		{"never delivered", "yearly", nil, nil, "2026-11-01 00:00", nil, false, "fresh.never"},
		{"once", "once", at("2012-01-01 00:00"), nil, "2026-11-01 00:00", nil, false, "fresh.once"},
		{"irregular", "irregular", at("2012-01-01 00:00"), nil, "2026-11-01 00:00", nil, false, "fresh.irregular"},
		{"unknown", "unknown", at("2012-01-01 00:00"), nil, "2026-11-01 00:00", nil, false, "fresh.unknown"},
		{"no such frequency", "fortnightly", at("2012-01-01 00:00"), nil, "2026-11-01 00:00", nil, false, "fresh.unknown"},
		{"yearly, in time", "yearly", at("2026-01-01 00:00"), nil, "2026-11-01 00:00", at("2027-01-02 00:00"), false, "fresh.due"},
		{"weekly, within the grace", "weekly", at("2026-11-01 00:00"), nil, "2026-11-09 00:00", at("2026-11-08 00:00"), false, "fresh.due"},
		{"weekly, after it", "weekly", at("2026-11-01 00:00"), nil, "2026-11-09 00:01", at("2026-11-08 00:00"), true, "fresh.late"},
		{"hourly, within the grace", "hourly", at("2026-11-01 00:00"), nil, "2026-11-01 02:00", at("2026-11-01 01:00"), false, "fresh.due"},
		{"hourly, after it", "hourly", at("2026-11-01 00:00"), nil, "2026-11-01 02:01", at("2026-11-01 01:00"), true, "fresh.late"},
		// Daily means: yesterday's came this morning.
		{"series, in time", "daily", at("2026-11-02 06:00"), at("2026-11-01 00:00"), "2026-11-03 05:00", at("2026-11-03 00:00"), false, "fresh.due"},
		{"series, delivered and old", "daily", at("2026-11-09 06:00"), at("2026-11-01 00:00"), "2026-11-09 07:00", at("2026-11-03 00:00"), true, "fresh.late"},
		{"series with a forecast", "daily", at("2026-11-02 06:00"), at("2026-11-04 00:00"), "2026-11-02 09:00", at("2026-11-03 06:00"), false, "fresh.due"},
	} {
		f := catalogue.FreshnessOf(c.frequency, c.delivered, c.last, *at(c.now))
		if (f.Due == nil) != (c.due == nil) || f.Due != nil && !f.Due.Equal(*c.due) || f.Late != c.late {
			t.Errorf("%s: due %v, late %t; want %v, %t", c.name, f.Due, f.Late, c.due, c.late)
		}
		if m := f.Message(c.frequency); m.Code != c.says {
			t.Errorf("%s: says %s, want %s", c.name, m.Code, c.says)
		}
	}
}

// good is a dataset that earns all nine, and a licence.
func good() (*catalogue.Entry, catalogue.Licence) {
	return &catalogue.Entry{
		Description: geo.Text{"fr": strings.Repeat("é", 101)}, Frequency: "yearly", DeliveredAt: at("2026-03-01 00:00"),
		TemporalStart: at("2026-01-01 00:00"), Territory: []string{"13055"},
		Resources: []catalogue.Resource{
			{Kind: catalogue.Reference, URL: "https://exemple.fr/x.csv", Format: "csv", Link: &catalogue.Link{Status: 200}},
			{Kind: catalogue.Documentation, URL: "https://exemple.fr/x.pdf", Format: "pdf"},
		},
	}, catalogue.Licence{Licence: geo.Licence{URL: "https://exemple.fr/licence"}}
}

func TestQuality(t *testing.T) {
	t.Parallel()
	const all = "licence temporal spatial frequency on-time description open-format available documented"
	for _, c := range []struct {
		name    string
		change  func(*catalogue.Entry, *catalogue.Licence)
		without string // the criteria that are lost
	}{
		{"all", func(*catalogue.Entry, *catalogue.Licence) {}, ""},
		{"licence without a text", func(_ *catalogue.Entry, l *catalogue.Licence) { l.URL = "" }, "licence"},
		{"licence of the authority", func(_ *catalogue.Entry, l *catalogue.Licence) { l.URL, l.EU = "", "http://x" }, ""},
		{"no time", func(e *catalogue.Entry, _ *catalogue.Licence) { e.TemporalStart = nil }, "temporal"},
		{"end alone", func(e *catalogue.Entry, _ *catalogue.Licence) {
			e.TemporalStart, e.TemporalEnd = nil, at("2026-01-01 00:00")
		}, ""},
		{"nowhere", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Territory = nil }, "spatial"},
		{"extent", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Territory, e.Extent = nil, &geo.Box{} }, ""},
		{"no frequency", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Frequency = "" }, "frequency on-time"},
		{"frequency unknown", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Frequency = "unknown" }, "frequency on-time"},
		{"irregular", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Frequency = "irregular" }, ""},
		{"late", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Frequency = "monthly" }, "on-time"},
		{"never delivered", func(e *catalogue.Entry, _ *catalogue.Licence) { e.DeliveredAt = nil }, "on-time"},
		{"100 characters", func(e *catalogue.Entry, _ *catalogue.Licence) {
			e.Description = geo.Text{"fr": strings.Repeat("é", 100) + "  \n"}
		}, "description"},
		{"pdf alone", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Resources[0].Format = "PDF" }, "open-format"},
		{"no format", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Resources[0].Format = "" }, "open-format"},
		{"broken", func(e *catalogue.Entry, _ *catalogue.Licence) {
			e.Resources[0].Link = &catalogue.Link{BrokenSince: at("2026-01-01 00:00")}
		}, "available"},
		{"broken document", func(e *catalogue.Entry, _ *catalogue.Licence) {
			e.Resources[1].Link = &catalogue.Link{BrokenSince: at("2026-01-01 00:00")}
		}, "available"},
		{"never tried", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Resources[0].Link = nil }, ""},
		{"no document", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Resources = e.Resources[:1] }, "documented"},
		{"described resource", func(e *catalogue.Entry, _ *catalogue.Licence) {
			e.Resources = e.Resources[:1]
			e.Resources[0].Description = geo.Text{"fr": "Une ligne par point."}
		}, ""},
		{"layer with labels", func(e *catalogue.Entry, _ *catalogue.Licence) {
			e.Resources, e.Layers = nil, []catalogue.Layer{{Labelled: true}}
		}, ""},
		{"nothing to take", func(e *catalogue.Entry, _ *catalogue.Licence) { e.Resources = nil }, "open-format available documented"},
		{"a decision alone", func(e *catalogue.Entry, _ *catalogue.Licence) {
			e.Resources = []catalogue.Resource{{Kind: catalogue.Administrative, Format: "odt"}}
		}, "open-format available documented"},
	} {
		e, l := good()
		c.change(e, &l)
		q := catalogue.QualityOf(e, l, catalogue.FreshnessOf(e.Frequency, e.DeliveredAt, nil, *at("2026-11-01 00:00")))
		var ids, lost []string
		for _, k := range q.Criteria {
			ids = append(ids, k.ID)
			if !k.Earned {
				lost = append(lost, k.ID)
			}
		}
		if got := strings.Join(lost, " "); got != c.without || strings.Join(ids, " ") != all || q.Earned != 9-len(lost) {
			t.Errorf("%s: lost %q of %v, %d earned; want %q lost", c.name, got, ids, q.Earned, c.without)
		}
	}
}
