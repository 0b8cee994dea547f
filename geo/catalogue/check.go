package catalogue

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// Faults are all that is wrong with a description. Each names its field in
// Args["field"]. errors.As finds the first as a *geo.InputError.
type Faults []*geo.InputError

func (f Faults) Error() string {
	list := make([]string, len(f))
	for i, e := range f {
		list[i] = e.Error()
	}
	return strings.Join(list, "; ")
}

// Unwrap gives them all.
func (f Faults) Unwrap() []error {
	list := make([]error, len(f))
	for i, e := range f {
		list[i] = e
	}
	return list
}

// Of gives the fault of a field; nil when there is none.
func (f Faults) Of(field string) *geo.InputError {
	for _, e := range f {
		if e.Args["field"] == field {
			return e
		}
	}
	return nil
}

func (f *Faults) add(code, field string, value any, args ...any) {
	*f = append(*f, geo.Bad(nil, code, append([]any{"field", field, "value", value}, args...)...))
}

func (f Faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// The longest that a text and a list may be: a page is to be read by people.
const (
	maxTitle = 300
	maxText  = 20_000
	maxList  = 100
)

var (
	slugShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	// Codes of communes, intercommunalities (SIREN), départements and regions.
	territoryShape = regexp.MustCompile(`^([0-9]{5}|2[AB][0-9]{3}|EPCI:[0-9]{9}|D([0-9]{2,3}|2[AB])|R[0-9]{2})$`)
)

// HighValue are the categories of high-value datasets of the Implementing
// Regulation (EU) 2023/138, by short names.
var HighValue = []struct{ ID, URI string }{
	{"geospatial", "http://data.europa.eu/bna/c_ac64a52d"},
	{"environment", "http://data.europa.eu/bna/c_dd313021"},
	{"meteorological", "http://data.europa.eu/bna/c_164e0bf5"},
	{"statistics", "http://data.europa.eu/bna/c_e1da4e07"},
	{"companies", "http://data.europa.eu/bna/c_a9135398"},
	{"mobility", "http://data.europa.eu/bna/c_b79e35eb"},
}

// Check finds what is wrong with a description by itself: what it says of
// other things is looked up by Put.
func Check(e *Entry) Faults {
	var f Faults
	if !slugShape.MatchString(e.Slug) {
		f.add("put.slug", "id", e.Slug)
	}
	if strings.TrimSpace(e.Title["fr"]) == "" {
		f.add("put.required", "title", "")
	}
	f.text("title", e.Title, maxTitle)
	f.text("description", e.Description, maxText)
	f.text("limits", e.Limits, maxText)
	if len(e.Keywords) > maxList {
		f.add("put.too-many", "keywords", len(e.Keywords), "max", maxList)
	}
	for _, k := range e.Keywords {
		f.text("keywords", k, maxTitle)
		if k.In("fr") == "" {
			f.add("put.required", "keywords", "")
		}
	}
	for _, code := range e.Territory {
		if !territoryShape.MatchString(code) {
			f.add("put.territory", "territory", code)
		}
	}
	if b := e.SaidExtent; b != nil && (b.MinX > b.MaxX || b.MinY > b.MaxY || b.MinX < -180 || b.MaxX > 180 || b.MinY < -90 || b.MaxY > 90) {
		f.add("put.extent", "extent", fmt.Sprint(b.MinX, b.MinY, b.MaxX, b.MaxY))
	}
	if e.TemporalStart != nil && e.TemporalEnd != nil && e.TemporalStart.After(*e.TemporalEnd) {
		f.add("put.dates", "to", e.TemporalEnd.Format("2006-01-02"), "from", e.TemporalStart.Format("2006-01-02"))
	}
	if _, ok := geo.FindFrequency(e.Frequency); !ok && e.Frequency != "" {
		f.add("put.frequency", "frequency", e.Frequency, "known", frequencies())
	}
	if e.HighValue != "" && !slices.ContainsFunc(HighValue, func(h struct{ ID, URI string }) bool { return h.URI == e.HighValue }) {
		f.add("put.high-value", "highValue", e.HighValue)
	}
	if e.Chain != Region && e.Chain != Partner && e.Chain != "" {
		f.add("put.chain", "chain", string(e.Chain))
	}
	f.url("landingPage", e.LandingPage)
	f.contact(e.Contact)
	return f
}

func frequencies() string {
	list := make([]string, len(geo.Frequencies))
	for i, f := range geo.Frequencies {
		list[i] = f.ID
	}
	return strings.Join(list, ", ")
}

func (f *Faults) text(field string, t geo.Text, limit int) {
	for _, lang := range []string{"fr", "en", "it"} {
		if n := utf8.RuneCountInString(t[lang]); n > limit {
			f.add("put.too-long", field, lang, "n", n, "max", limit)
		}
	}
	for lang := range t {
		if lang != "fr" && lang != "en" && lang != "it" {
			f.add("put.language", field, lang)
		}
	}
}

// url refuses what is no address of a page: another scheme, no host, a name
// and password.
func (f *Faults) url(field, address string) {
	if address == "" {
		return
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || len(address) > 2000 {
		f.add("put.url", field, address)
	}
}

func (f *Faults) contact(c map[string]string) {
	f.url("contact", c["url"])
	if a := c["email"]; a != "" {
		if m, err := mail.ParseAddress(a); err != nil || m.Address != a {
			f.add("put.email", "contact", a)
		}
	}
}

// check is Check with what a description names: producer, licence, topics, and
// an address that is free. Only what changed is looked up.
func check(ctx context.Context, tx pgx.Tx, e *Entry, changed []Difference) error {
	faults := Check(e)
	for _, q := range []struct {
		field, code, sql string
		values           []string
	}{
		{"producer", "put.producer", `select id from producer`, []string{e.Producer}},
		{"licence", "put.licence", `select id from licence`, []string{e.Licence}},
		{"topics", "put.topic", `select id from topic`, e.Topics},
	} {
		if !slices.ContainsFunc(changed, func(d Difference) bool { return d.Field == q.field }) && (q.field == "topics" || q.values[0] != "") {
			continue
		}
		rows, err := tx.Query(ctx, q.sql+` order by 1`)
		if err != nil {
			return fmt.Errorf("read what there is: %w", postgis.Kind(err))
		}
		known, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return fmt.Errorf("read what there is: %w", postgis.Kind(err))
		}
		for _, v := range q.values {
			if v == "" {
				faults.add("put.required", q.field, "")
			} else if !slices.Contains(known, v) {
				faults.add(q.code, q.field, v, "known", strings.Join(known, ", "))
			}
		}
	}
	return faults.err()
}

// Every tells all faults of an error: those of Faults, or the one that it is.
func Every(err error) []*geo.InputError {
	var list Faults
	if errors.As(err, &list) {
		return list
	}
	var one *geo.InputError
	if errors.As(err, &one) {
		return []*geo.InputError{one}
	}
	return nil
}
