package workshop

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
	"calanque/osm/match"
)

// LeastPeople is how many people a number must be about to be told: with
// fewer, it would tell of each of them.
const LeastPeople = 5

// A Report is what a session came to (design: workshops C12), as things are
// when it is read. What is told of other days is derived from the history.
type Report struct {
	Tasks      []Task       // without the practice task, by number
	People     int          // 0 where fewer than LeastPeople took part
	Hours      float64      // of all of them together; 0 likewise
	Before     Comparison   // of the theme in the area, when the session was prepared
	After      Comparison   // now
	Sent       []Correction // to the producers, with their replies
	Milestones []Milestone
}

// A Comparison counts the outcomes of a theme in an area by their group.
type Comparison map[match.Group]int

// Agreement is the share of places on which the file and OpenStreetMap agree;
// 0 without any.
func (c Comparison) Agreement() float64 { return share(c["same"], c.total()) }

// Completeness is the share of the file's places that OpenStreetMap knows; 0
// without any.
func (c Comparison) Completeness() float64 {
	known := c["same"] + c["differs"]
	return share(known, known+c["partner"])
}

func (c Comparison) total() int { return c["same"] + c["differs"] + c["partner"] + c["osm"] }

func share(n, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(n) / float64(of)
}

// milestones are the days after its end on which a session is looked at again.
var milestones = []int{1, 7, 30}

// A Milestone is how far the answers had come some days after the end.
type Milestone struct {
	Days int
	At   time.Time
	Due  bool // the day has come: what follows is told
	// Of the answers that OpenStreetMap can follow: mended there, wholly or in
	// part; mended and undone again; not yet.
	Mended, Reverted, Awaited int
}

// ReadReport puts a session's report together, as of a moment.
func ReadReport(ctx context.Context, db postgis.DB, s Session, now time.Time) (r Report, err error) {
	if r.Tasks, err = Tasks(ctx, db, s.ID); err != nil {
		return r, err
	}
	if r.People, r.Hours, err = attendance(ctx, db, &s); err != nil {
		return r, err
	}
	if r.After, err = compareArea(ctx, db, s.Theme, s.Area); err != nil {
		return r, err
	}
	if r.Before, err = comparedBefore(ctx, db, s.ID); err != nil {
		return r, err
	}
	if r.Sent, err = ForProducer(ctx, db, s, ""); err != nil {
		return r, err
	}
	r.Milestones, err = readMilestones(ctx, db, &s, r.Tasks, now)
	return r, err
}

// attendance counts who joined and the hours of all, unless they are few.
func attendance(ctx context.Context, db postgis.DB, s *Session) (people int, hours float64, err error) {
	err = db.QueryRow(ctx, `select count(*) from session_event where session_id = $1 and kind = 'joined'`, s.ID).Scan(&people)
	if err != nil {
		return 0, 0, fmt.Errorf("count who took part: %w", postgis.Kind(err))
	}
	if people < LeastPeople {
		return 0, 0, nil
	}
	if s.Opened != nil && s.Closed != nil {
		hours = s.Closed.Sub(*s.Opened).Hours() * float64(people)
	}
	return people, hours, nil
}

// compareArea counts the outcomes of a theme in an area, questions or not.
func compareArea(ctx context.Context, db postgis.DB, theme string, area []byte) (Comparison, error) {
	rows, err := db.Query(ctx, `
		select o.kind, count(*)
		from outcome o
		join rule r on r.id = o.rule_id
		join layer l on l.id = r.layer_id
		join dataset d on d.id = l.dataset_id
		where r.theme_id = $1 and d.published_id is not null and d.retired_at is null
		  and st_intersects(o.geom, st_transform(st_geomfromewkb($2), 3857))
		group by o.kind`, theme, area)
	if err != nil {
		return nil, fmt.Errorf("compare an area: %w", postgis.Kind(err))
	}
	c := Comparison{}
	var kind match.Kind
	var n int
	_, err = pgx.ForEachRow(rows, []any{&kind, &n}, func() error {
		if g := kind.Group(); g != "other" {
			c[g] += n
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("compare an area: %w", postgis.Kind(err))
	}
	return c, nil
}

// comparedBefore is what compareArea gave when the session was prepared, by
// its history; nil where that does not say.
func comparedBefore(ctx context.Context, db postgis.DB, session int64) (c Comparison, err error) {
	var written []byte
	err = db.QueryRow(ctx, `
		select coalesce(after -> 'compared', 'null') from session_event where session_id = $1 and kind = 'prepared' order by id limit 1`, session).Scan(&written)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(written, &c)
	}
	if err != nil {
		return nil, fmt.Errorf("read what session %d began with: %w", session, postgis.Kind(err))
	}
	return c, nil
}

// readMilestones derives, for each milestone that has come, what had been seen
// by then of the answers that OpenStreetMap can follow.
func readMilestones(ctx context.Context, db postgis.DB, s *Session, tasks []Task, now time.Time) ([]Milestone, error) {
	if s.Closed == nil {
		return nil, nil
	}
	followed := map[int64]bool{}
	for i := range tasks {
		if t := &tasks[i]; t.AsksOSM() {
			followed[t.ID] = true
		}
	}
	var list []Milestone
	for _, days := range milestones {
		m := Milestone{Days: days, At: s.Closed.AddDate(0, 0, days)}
		if m.Due = !now.Before(m.At); m.Due {
			seen, err := seenBy(ctx, db, s.ID, m.At)
			if err != nil {
				return nil, err
			}
			for task := range followed {
				switch seen[task] {
				case Verified, Partially, FixedByAnother:
					m.Mended++
				case Reverted:
					m.Reverted++
				default:
					m.Awaited++
				}
			}
		}
		list = append(list, m)
	}
	return list, nil
}

// seenBy tells what the history knew of tasks at a moment.
func seenBy(ctx context.Context, db postgis.DB, session int64, at time.Time) (map[int64]Seen, error) {
	rows, err := db.Query(ctx, `
		select distinct on (task_id) task_id, after ->> 'seen'
		from session_event
		where session_id = $1 and kind = 'seen' and at <= $2
		order by task_id, id desc`, session, at)
	if err != nil {
		return nil, fmt.Errorf("read what was seen: %w", postgis.Kind(err))
	}
	seen := map[int64]Seen{}
	var task int64
	var is Seen
	_, err = pgx.ForEachRow(rows, []any{&task, &is}, func() error {
		seen[task] = is
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was seen: %w", postgis.Kind(err))
	}
	return seen, nil
}

// Replied counts what producers say of what was sent; "" counts what waits for
// a reply.
func (r *Report) Replied() map[ReplyKind]int {
	counts := map[ReplyKind]int{}
	for i := range r.Sent {
		says := ReplyKind("")
		if r.Sent[i].Reply != nil {
			says = r.Sent[i].Reply.Says
		}
		counts[says]++
	}
	return counts
}

// Proposed counts the answers that ask for a change in OpenStreetMap.
func (r *Report) Proposed() (n int) {
	for i := range r.Tasks {
		if t := &r.Tasks[i]; t.AsksOSM() {
			n++
		}
	}
	return n
}

// Unmatched counts the places that the matcher took for one and people told
// apart.
func (r *Report) Unmatched() (n int) {
	for i := range r.Tasks {
		if s := r.Tasks[i].says(); s == otherPlace || s == twoPlaces {
			n++
		}
	}
	return n
}
