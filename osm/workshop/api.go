package workshop

import (
	"context"
	"time"

	"calanque/geo"
	"calanque/geo/postgis"
)

func Propose(ctx context.Context, db postgis.DB, p Plan) (Proposal, error) {
	return Proposal{}, geo.ErrUnavailable
}

func Prepare(ctx context.Context, db postgis.DB, mediator int64, p Plan) (s Session, recovery string, err error) {
	return Session{}, "", geo.ErrUnavailable
}

// Duplicate prepares another session like this one, with tasks that are open now.
func Duplicate(ctx context.Context, db postgis.DB, mediator int64, code string) (s Session, recovery string, err error) {
	return Session{}, "", geo.ErrUnavailable
}
func Open(ctx context.Context, db postgis.DB, code string) error  { return geo.ErrUnavailable }
func Close(ctx context.Context, db postgis.DB, code string) error { return geo.ErrUnavailable }
func SetPhase(ctx context.Context, db postgis.DB, code string, p Phase) error {
	return geo.ErrUnavailable
}
func Freeze(ctx context.Context, db postgis.DB, code string, frozen bool) error {
	return geo.ErrUnavailable
}

// ByCode finds a session that people may join (open). Any other code is geo.ErrNotFound.
func ByCode(ctx context.Context, db postgis.DB, code string) (Session, error) {
	return Session{}, geo.ErrNotFound
}

// Find gives a session in whatever state: for the mediator, the wall and the report.
func Find(ctx context.Context, db postgis.DB, code string) (Session, error) {
	return Session{}, geo.ErrNotFound
}

// List gives a mediator's sessions, newest first; 0 gives all.
func List(ctx context.Context, db postgis.DB, mediator int64) ([]Session, error) { return nil, nil }

// Recover tells whether the recovery code is the session's.
func Recover(ctx context.Context, db postgis.DB, code, recovery string) (Session, error) {
	return Session{}, geo.ErrNotFound
}
func Cells(ctx context.Context, db postgis.DB, session int64) ([]Cell, error) { return nil, nil }

func Join(ctx context.Context, db postgis.DB, code string) (p Participant, token string, err error) {
	return Participant{}, "", geo.ErrNotFound
}
func ByToken(ctx context.Context, db postgis.DB, token string) (Participant, error) {
	return Participant{}, geo.ErrNotFound
}

// SetOnSite is the switch "Je suis sur place".
func SetOnSite(ctx context.Context, db postgis.DB, participant int64, onSite bool) error {
	return geo.ErrUnavailable
}

// Rename gives another pseudonym, drawn anew.
func Rename(ctx context.Context, db postgis.DB, participant int64) (string, error) {
	return "", geo.ErrUnavailable
}

func Next(ctx context.Context, hub *postgis.Hub, participant int64) (Question, Claim, error) {
	return Question{}, Claim{}, geo.ErrNotFound
}

// Ask gives a task's question without claiming it.
func Ask(ctx context.Context, db postgis.DB, task int64) (Question, error) {
	return Question{}, geo.ErrNotFound
}

// Practice is the question to try out on; Example a solved one, with the key of its answer.
func Practice(ctx context.Context, db postgis.DB, session int64) (Question, error) {
	return Question{}, geo.ErrNotFound
}
func Example(ctx context.Context, db postgis.DB, session int64) (Question, int, error) {
	return Question{}, 0, geo.ErrNotFound
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

func Tasks(ctx context.Context, db postgis.DB, session int64) ([]Task, error) { return nil, nil }
func Measure(ctx context.Context, db postgis.DB, session int64) (Progress, error) {
	return Progress{}, nil
}
func Doubtful(ctx context.Context, db postgis.DB, session int64) ([]Doubt, error) { return nil, nil }

// Decide is the mediator's second reading: key of a choice.
func Decide(ctx context.Context, db postgis.DB, account, task int64, choice int) error {
	return geo.ErrUnavailable
}
func Sweep(ctx context.Context, db postgis.DB, now time.Time) error { return nil }
