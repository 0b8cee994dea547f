package api

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/features"
	"calanque/geo"
	"calanque/viewer"
)

// outcomeGroups are the groups of outcomes that a page may ask for.
var outcomeGroups = []string{"same", "partner", "osm", "differs", "other"}

// The fields of an outcome that this package asks for: the group it is shown
// in, and the key of its record.
const (
	groupField  = "group"
	recordField = "record"
)

func hasField(r *geo.Relation, name string) bool {
	_, ok := r.Field(name)
	return ok
}

// ident quotes names of the catalogue for SQL.
func ident(names ...string) string { return pgx.Identifier(names).Sanitize() }

// compare reads the outcomes of a layer: the counts of all groups, and a page
// of those that are shown.
func (f *filler) compare(ctx context.Context, l *viewer.Layer, place *geo.Place, commune string) (*viewer.Compare, error) {
	rel := f.st.relation(l.Outcomes)
	if !hasField(rel, groupField) {
		return nil, nil
	}
	c := &viewer.Compare{Layer: l.ID, Counts: map[string]int64{}}
	for _, g := range outcomeGroups {
		n, err := f.s.features.Count(ctx, rel, geo.Query{AnyOf: []geo.AnyOf{{Field: groupField, Values: []string{g}}}, Inside: place})
		if err != nil {
			return nil, err
		}
		c.Counts[g] = n
	}
	for _, g := range f.q["groupes"] {
		for _, one := range strings.Split(g, ",") {
			if slices.Contains(outcomeGroups, one) {
				c.Shown = append(c.Shown, one)
			}
		}
	}
	if c.Shown == nil {
		c.Shown = []string{"partner", "osm", "differs"}
	}
	list, err := f.list(ctx, l.Outcomes, geo.Query{AnyOf: []geo.AnyOf{{Field: groupField, Values: c.Shown}}, Inside: place}, commune)
	if err != nil {
		return nil, err
	}
	c.List = *list
	c.Chosen, err = f.one(ctx, rel, f.q.Get("sel"))
	return c, err
}

// monthDays is how many days of a commune's index a card shows.
const monthDays = 30

// air reads one day of the index for all communes, and the last days of the
// chosen one.
func (f *filler) air(ctx context.Context, l *viewer.Layer) (*viewer.Air, error) {
	rel := f.st.relation(l.ID)
	a := &viewer.Air{Day: f.day(l), Days: l.Times.Values}
	if a.Day == "" {
		return nil, nil
	}
	interval, err := features.ParseInterval(a.Day, f.s.Zone)
	if err != nil {
		return nil, err
	}
	if a.Values, err = f.read(ctx, rel, geo.Query{Interval: &interval, NoGeom: true, Limit: features.MaxLimit}); err != nil {
		return nil, err
	}
	chosen, _, _ := strings.Cut(f.q.Get("sel"), "@")
	if chosen == "" || !plainKey(chosen) {
		return a, nil
	}
	a.Chosen = chosen
	last, err := time.Parse(time.DateOnly, a.Day)
	if err != nil {
		return nil, fmt.Errorf("day of %s: %w", l.ID, err)
	}
	// Item ids are code@day, in order: the days before are the keys before.
	first := chosen + "@" + last.AddDate(0, 0, 1-monthDays).Format(time.DateOnly)
	days, err := f.read(ctx, rel, geo.Query{After: first, Limit: monthDays, NoGeom: true})
	if err != nil {
		return nil, err
	}
	for _, d := range days {
		if code, day, _ := strings.Cut(d.Key, "@"); code == chosen && day <= a.Day {
			a.Month = append(a.Month, d)
		}
	}
	return a, nil
}
