package catalogue

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Quality is how well a dataset is described, by nine criteria: those that
// udata counts, so that a dataset has the same score here and on data.gouv.fr.
type Quality struct {
	Criteria []Criterion // the nine, always in this order
	Earned   int         // of them
}

// A Criterion is one of the nine. Name says what it is, Why what earned it or
// what to do to earn it.
type Criterion struct {
	ID        string // "licence"
	Earned    bool
	Name, Why geo.Message
}

// Score is the share of the criteria that are earned, 0 to 1.
func (q Quality) Score() float64 { return float64(q.Earned) / float64(len(q.Criteria)) }

// Summary says how many criteria are earned.
func (q Quality) Summary() geo.Message {
	return geo.Say("quality.summary", "n", q.Earned, "all", len(q.Criteria))
}

// leastDescription is how many characters make a description, more than.
const leastDescription = 100

// closedFormats are those that ask for a program of one maker, or are not data.
var closedFormats = []string{"doc", "docx", "excel", "pdf", "word", "xls", "xlsx"}

// criteria are the nine, with what earns each.
var criteria = []struct {
	id     string
	earned func(e *Entry, l Licence, f Freshness) bool
}{
	{"licence", func(_ *Entry, l Licence, _ Freshness) bool { return l.URL != "" || l.EU != "" }},
	{"temporal", func(e *Entry, _ Licence, f Freshness) bool {
		return e.TemporalStart != nil || e.TemporalEnd != nil || f.Last != nil
	}},
	{"spatial", func(e *Entry, _ Licence, _ Freshness) bool { return e.Extent != nil || len(e.Territory) > 0 }},
	{"frequency", func(e *Entry, _ Licence, _ Freshness) bool { return hasFrequency(e) }},
	// What comes when it comes is never late.
	{"on-time", func(e *Entry, _ Licence, f Freshness) bool {
		known, _ := geo.FindFrequency(e.Frequency)
		return hasFrequency(e) && !f.Late && (f.Due != nil || known.Every == 0)
	}},
	{"description", func(e *Entry, _ Licence, _ Freshness) bool {
		return utf8.RuneCountInString(strings.TrimSpace(e.Description.In("fr"))) > leastDescription
	}},
	{"open-format", func(e *Entry, _ Licence, _ Freshness) bool {
		return len(e.Layers) > 0 || slices.ContainsFunc(e.Resources, func(r Resource) bool {
			return isData(r) && r.Format != "" && !slices.Contains(closedFormats, strings.ToLower(r.Format))
		})
	}},
	{"available", func(e *Entry, _ Licence, _ Freshness) bool {
		some := len(e.Layers) > 0 || slices.ContainsFunc(e.Resources, isData)
		return some && !slices.ContainsFunc(e.Resources, func(r Resource) bool { return r.Link != nil && r.Link.BrokenSince != nil })
	}},
	{"documented", func(e *Entry, _ Licence, _ Freshness) bool {
		return slices.ContainsFunc(e.Layers, func(l Layer) bool { return l.Labelled }) ||
			slices.ContainsFunc(e.Resources, func(r Resource) bool {
				return r.Kind == Documentation || isData(r) && r.Description.In("fr") != ""
			})
	}},
}

func hasFrequency(e *Entry) bool {
	_, ok := geo.FindFrequency(e.Frequency)
	return ok && e.Frequency != "unknown"
}

// isData reports whether a resource is data, not words about them.
func isData(r Resource) bool { return r.Kind != Documentation && r.Kind != Administrative }

// QualityOf judges a dataset, with its resources as the public sees them.
func QualityOf(e *Entry, l Licence, f Freshness) Quality {
	var q Quality
	for _, c := range criteria {
		earned := c.earned(e, l, f)
		why := "todo"
		if earned {
			why = "done"
			q.Earned++
		}
		q.Criteria = append(q.Criteria, Criterion{c.id, earned, geo.Say("quality." + c.id), geo.Say("quality." + c.id + "." + why)})
	}
	return q
}

// Judge reads what it takes to judge a dataset, and does.
func Judge(ctx context.Context, db postgis.DB, e *Entry, about *About, now time.Time) (Freshness, Quality, error) {
	f, err := Fresh(ctx, db, e, now)
	if err != nil {
		return f, Quality{}, err
	}
	return f, QualityOf(e, about.Licences[e.Licence], f), nil
}
