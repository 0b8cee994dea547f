package workshop

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// callLasts is how long a call for attention stays on the screens: it ends by
// itself.
const callLasts = time.Minute

// Call asks everybody in an open session to look up for a minute, with a few
// words if the mediator has some. Bad words are a *geo.InputError, a session
// that is not open geo.ErrConflict.
func Call(ctx context.Context, db postgis.DB, code, words string) error {
	words = strings.TrimSpace(words)
	if err := checkText(words, maxNote); err != nil {
		return err
	}
	return change(ctx, db, code, "called", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		if s.State != Running {
			return nil, fmt.Errorf("call in a session that is %s: %w", s.State, geo.ErrConflict)
		}
		_, err := tx.Exec(ctx, `update session set attention = $2, attention_until = now() + $3::interval where id = $1`, s.ID, words, callLasts)
		return map[string]any{"attention": words}, err
	})
}

// Recode gives a session that has not been opened another code, and with it
// another recovery code: the ones before open nothing any more, and are never
// given again. An opened session is geo.ErrConflict.
func Recode(ctx context.Context, db postgis.DB, code string) (again, recovery string, err error) {
	if recovery, err = letters(rand.Reader, recoveryLength); err != nil {
		return "", "", err
	}
	err = change(ctx, db, code, "recoded", func(tx pgx.Tx, s *Session) (map[string]any, error) {
		if s.State != Prepared {
			return nil, fmt.Errorf("change the code of a session that is %s: %w", s.State, geo.ErrConflict)
		}
		for range 20 {
			if again, err = newCode(rand.Reader); err != nil {
				return nil, err
			}
			tag, err := tx.Exec(ctx, `
				update session set code = $2, recovery_sha256 = $3, former_codes = former_codes || code
				where id = $1 and not exists (select from session o where o.code = $2 or $2 = any (o.former_codes))`,
				s.ID, again, recoveryHash(again, recovery))
			if err != nil {
				return nil, err
			}
			if tag.RowsAffected() == 1 {
				return map[string]any{"code": again}, nil
			}
		}
		return nil, fmt.Errorf("draw a code that was never given: %w", geo.ErrUnavailable)
	})
	return again, recovery, err
}

// A Solved is a question with the answer that it has.
type Solved struct {
	Question Question
	Key      int // of the choice
}

// Examples gives two solved questions to look at before the first real one:
// places that the file and OpenStreetMap agree on, one asked whether it is
// there, the other whether both mean the same place. Fewer where there are
// fewer such places.
func Examples(ctx context.Context, db postgis.DB, session int64) (out []Solved, err error) {
	list, err := samePlaces(ctx, db, session, 2)
	if err != nil {
		return nil, err
	}
	for i := range list {
		t := &list[i]
		q := Question{Task: *t}
		if i == 0 {
			q.Ask, q.Choices = t.askExists("")
		} else {
			t.candidates = []candidate{{OSM: t.OSM, Name: t.Name, Distance: t.distance}}
			q.Ask, q.Choices = t.askWhich()
		}
		out = append(out, Solved{Question: q, Key: 1})
	}
	return out, nil
}

// samePlaces gives at most n places that the file and OpenStreetMap agree on and
// that are no tasks of a session, the nearest to the middle of its area first.
func samePlaces(ctx context.Context, db postgis.DB, session int64, n int) (list []Task, err error) {
	err = briefly(ctx, db, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
			select near.id
			from (select id, theme_id, st_transform(st_centroid(area), 3857) as centre from session where id = $1 offset 0) s,
				lateral ( -- nearest first, by the index
					select n.id
					from outcome n
					where n.kind = 'identical'
					  and n.rule_id in (select q.id from public_rule q where q.theme_id = s.theme_id)
					  and not exists (select from task k where (k.session_id, k.outcome_id) = (s.id, n.id))
					order by n.geom <-> s.centre, n.id
					limit $2
				) near`, session, n)
		outcomes, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return fmt.Errorf("look for examples: %w", postgis.Kind(err))
		}
		list, err = readTasks(ctx, tx, fromOutcomes, "o.id = any ($2)", outcomes)
		return err
	})
	return list, err
}
