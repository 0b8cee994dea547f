package catalogue

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Freshness says how new a dataset is, and whether it should be newer.
type Freshness struct {
	Delivered *time.Time // the last delivery; nil when nobody said
	Last      *time.Time // the newest time in a series, which may be a forecast's; nil of others
	Due       *time.Time // the next delivery; nil when none is due or nobody knows
	Late      bool       // it was due, and a while has passed
}

// grace is how long after it was due a dataset is not yet called late: a day,
// as udata gives, since a delivery may come by night; of what comes more often,
// as long as it takes to come.
func grace(every time.Duration) time.Duration { return min(every, 24*time.Hour) }

// FreshnessOf tells the freshness of what was delivered, with a frequency of
// geo.Frequencies ("" when nobody said), at a time. last is the newest time of
// a series, nil of others: its values stand for the period that begins there,
// so the next one can be had two periods later. A series that is delivered
// often and stays old is late all the same.
func FreshnessOf(frequency string, delivered, last *time.Time, now time.Time) Freshness {
	f := Freshness{Delivered: delivered, Last: last}
	known, ok := geo.FindFrequency(frequency)
	if !ok || known.Every == 0 || delivered == nil {
		return f
	}
	due := delivered.Add(known.Every)
	if last != nil {
		if next := last.Add(2 * known.Every); next.Before(due) {
			due = next
		}
	}
	f.Due = &due
	f.Late = now.After(due.Add(grace(known.Every)))
	return f
}

// Fresh tells how new a dataset is.
func Fresh(ctx context.Context, db postgis.DB, e *Entry, now time.Time) (Freshness, error) {
	last, err := lastTime(ctx, db, e)
	if err != nil {
		return Freshness{}, err
	}
	return FreshnessOf(e.Frequency, e.DeliveredAt, last, now), nil
}

// Message says a freshness in a sentence.
func (f Freshness) Message(frequency string) geo.Message {
	switch {
	case f.Late:
		return geo.Say("fresh.late", "due", *f.Due)
	case f.Due != nil:
		return geo.Say("fresh.due", "due", *f.Due)
	case frequency == "once":
		return geo.Say("fresh.once")
	case frequency == "irregular":
		return geo.Say("fresh.irregular")
	case f.Delivered == nil:
		return geo.Say("fresh.never")
	}
	return geo.Say("fresh.unknown")
}

// lastTime gives the newest time of a dataset's series, nil when it has none.
func lastTime(ctx context.Context, db postgis.DB, e *Entry) (*time.Time, error) {
	if e.Life != geo.Series || e.Version == 0 {
		return nil, nil
	}
	rows, err := db.Query(ctx, `select relation::text from layer_version where version_id = $1 order by layer_id`, e.Version)
	if err != nil {
		return nil, fmt.Errorf("find the series of %s: %w", e.Slug, postgis.Kind(err))
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("find the series of %s: %w", e.Slug, postgis.Kind(err))
	}
	var newest *time.Time
	for _, table := range tables {
		var last *time.Time
		err := db.QueryRow(ctx, `select max(`+postgis.TimeColumn+`) from `+pgx.Identifier{"data", table}.Sanitize()).Scan(&last)
		if err != nil {
			return nil, fmt.Errorf("read the last time of %s: %w", e.Slug, postgis.Kind(err))
		}
		if newest == nil || last != nil && last.After(*newest) {
			newest = last
		}
	}
	return newest, nil
}
