package workshop

import (
	"context"
	"time"

	"calanque/geo"
	"calanque/geo/postgis"
)

func Next(ctx context.Context, hub *postgis.Hub, participant int64) (Question, Claim, error) {
	return Question{}, Claim{}, geo.ErrNotFound
}

func Record(ctx context.Context, db postgis.DB, a Answer) (Recorded, error) {
	return Recorded{}, geo.ErrUnavailable
}

// Undo takes the participant's last answer back and gives its task to them again.
func Undo(ctx context.Context, db postgis.DB, participant int64) (task int64, err error) {
	return 0, geo.ErrNotFound
}

// Release ends a participant's own lease; TakeBack ends whoever's on a task (mediator).
func Release(ctx context.Context, db postgis.DB, claim int64) error { return geo.ErrUnavailable }
func TakeBack(ctx context.Context, db postgis.DB, code string, task int64) error {
	return geo.ErrUnavailable
}

// TakeSheet claims a cell's open tasks for paper until the session ends.
func TakeSheet(ctx context.Context, db postgis.DB, code string, cell int) error {
	return geo.ErrUnavailable
}
func EnterSheet(ctx context.Context, db postgis.DB, code string, lines []Line) ([]Recorded, error) {
	return nil, geo.ErrUnavailable
}

func Measure(ctx context.Context, db postgis.DB, session int64) (Progress, error) {
	return Progress{}, nil
}
func Doubtful(ctx context.Context, db postgis.DB, session int64) ([]Doubt, error) { return nil, nil }

// Decide is the mediator's second reading: key of a choice.
func Decide(ctx context.Context, db postgis.DB, account, task int64, choice int) error {
	return geo.ErrUnavailable
}
func Sweep(ctx context.Context, db postgis.DB, now time.Time) error { return nil }
