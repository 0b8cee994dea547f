package workshop

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"calanque/geo"
	"calanque/geo/postgis"
)

// plants of Provence are what pseudonyms are made of: nobody's name.
var plants = []string{
	"Ajonc", "Amandier", "Arbousier", "Aubépine", "Bruyère", "Câprier", "Caroubier", "Cèdre", "Châtaignier", "Chêne", "Chèvrefeuille", "Ciste",
	"Coquelicot", "Cyprès", "Églantier", "Érable", "Fenouil", "Figuier", "Filaire", "Garance", "Genêt", "Genévrier", "Grenadier", "Immortelle",
	"Jujubier", "Laurier", "Lavande", "Lentisque", "Lierre", "Marjolaine", "Mélisse", "Micocoulier", "Mimosa", "Mûrier", "Myrte", "Nerprun",
	"Olivier", "Orchis", "Peuplier", "Pistachier", "Platane", "Romarin", "Roseau", "Salsepareille", "Sarriette", "Sauge", "Saule", "Serpolet",
	"Sorbier", "Sureau", "Tamaris", "Térébinthe", "Thym", "Tilleul", "Troène", "Valériane",
}

// maxSeats is how many participants a session gives a pseudonym to, wiped
// browsers included.
const maxSeats = 500

// pseudonym draws "Genévrier 12".
func pseudonym(random io.Reader) (string, error) {
	plant, err := rand.Int(random, big.NewInt(int64(len(plants))))
	if err != nil {
		return "", fmt.Errorf("draw a pseudonym: %w", err)
	}
	number, err := rand.Int(random, big.NewInt(98))
	if err != nil {
		return "", fmt.Errorf("draw a pseudonym: %w", err)
	}
	return fmt.Sprintf("%s %d", plants[plant.Int64()], 2+number.Int64()), nil
}

// Join gives a person a seat in an open session: a pseudonym, the group with
// the fewest people and of its cells the emptiest, and a token of which the
// hub keeps the hash. A code that is wrong or not open is geo.ErrNotFound.
func Join(ctx context.Context, db postgis.DB, code string) (p Participant, token string, err error) {
	return JoinAs(ctx, db, code, Wish{})
}

// A Wish is what somebody who joins would like. What can't be had, or is none
// of the session's signs or of the hub's pseudonyms, is passed over.
type Wish struct {
	Sign      Sign
	Pseudonym string // one of Pseudonym
}

// Pseudonym proposes a pseudonym. Whoever joins may ask for another one, never
// write their own: it might be a name.
func Pseudonym() (string, error) { return pseudonym(rand.Reader) }

// ours tells whether a pseudonym is one that the hub makes.
func ours(name string) bool {
	plant, number, _ := strings.Cut(name, " ")
	n, err := strconv.Atoi(number)
	return err == nil && n >= 2 && n <= 99 && number == strconv.Itoa(n) && slices.Contains(plants, plant)
}

// JoinAs is Join for somebody who has looked at the groups first.
func JoinAs(ctx context.Context, db postgis.DB, code string, w Wish) (p Participant, token string, err error) {
	err = briefly(ctx, db, func(tx pgx.Tx) error {
		// The session's row is held, so that two who join at once don't both
		// take the last place of a group.
		s, err := findSession(ctx, tx, `where s.code = $1 and s.state = 'open' for no key update of s`, Normalise(code))
		if err != nil {
			return err
		}
		p, token, err = seat(ctx, tx, &s, w, rand.Reader)
		if err != nil {
			return err
		}
		after := map[string]any{"sign": p.Sign, "cell": p.Cell} // the pseudonym is the participant's: it goes with them
		if err := put(ctx, tx, event{session: s.ID, role: "participant", participant: &p.ID, kind: "joined", after: after}); err != nil {
			return err
		}
		return tell(ctx, tx, s.Code)
	})
	return p, token, err
}

func seat(ctx context.Context, tx pgx.Tx, s *Session, w Wish, random io.Reader) (Participant, string, error) {
	p := Participant{Session: *s}
	var seats int
	err := tx.QueryRow(ctx, `select count(*) from participant where session_id = $1`, s.ID).Scan(&seats)
	if err != nil {
		return p, "", fmt.Errorf("count the seats: %w", postgis.Kind(err))
	}
	if seats >= maxSeats {
		return p, "", geo.Bad(nil, "workshop.full", "most", maxSeats)
	}
	err = tx.QueryRow(ctx, `
		select c.sign, c.number
		from cell c
		left join participant p on p.session_id = c.session_id and p.sign = c.sign
		where c.session_id = $1
		group by c.sign, c.number
		order by c.sign = $2 desc, count(p.id), count(p.id) filter (where p.cell = c.number), c.number
		limit 1`, s.ID, w.Sign).Scan(&p.Sign, &p.Cell)
	if err != nil {
		return p, "", fmt.Errorf("find a group: %w", postgis.Kind(err))
	}
	token, hash, err := newToken(random)
	if err != nil {
		return p, "", err
	}
	for range 50 {
		if p.Pseudonym, w.Pseudonym = w.Pseudonym, ""; !ours(p.Pseudonym) {
			if p.Pseudonym, err = pseudonym(random); err != nil {
				return p, "", err
			}
		}
		err = tx.QueryRow(ctx, `
			insert into participant (session_id, pseudonym, sign, cell, token_sha256)
			values ($1, $2, $3, $4, $5)
			on conflict (session_id, pseudonym) do nothing
			returning id`, s.ID, p.Pseudonym, p.Sign, p.Cell, hash).Scan(&p.ID)
		if !errors.Is(err, pgx.ErrNoRows) {
			return p, token, postgis.Kind(err)
		}
	}
	return p, "", geo.Bad(nil, "workshop.full", "most", maxSeats)
}

// ByToken finds who a token was given to, in a session that is open or closed
// less than a day ago; others are geo.ErrNotFound.
func ByToken(ctx context.Context, db postgis.DB, token string) (Participant, error) {
	if token == "" {
		return Participant{}, fmt.Errorf("find a participant: %w", geo.ErrNotFound)
	}
	return findParticipant(ctx, db, `p.token_sha256 = $1`, hashOf(token))
}

// findParticipant finds whoever the condition on p says. What has come due is as
// good as forgotten, whether or not the sweep was here.
func findParticipant(ctx context.Context, db postgis.DB, where string, args ...any) (Participant, error) {
	sql, args := participantSQL(where, args...)
	return scanParticipant(db.QueryRow(ctx, sql, args...))
}

func participantSQL(where string, args ...any) (string, []any) {
	args = append(args, forgetAfter)
	return fmt.Sprintf(`
		select p.id, p.pseudonym, p.sign, coalesce(p.cell, 0), p.on_site, %s
		from participant p
		join session s on s.id = p.session_id
		where %s and (s.closed_at is null or s.closed_at > now() - $%d::interval)`, sessionColumns, where, len(args)), args
}

func scanParticipant(row pgx.Row) (p Participant, err error) {
	err = row.Scan(append([]any{&p.ID, &p.Pseudonym, &p.Sign, &p.Cell, &p.OnSite}, p.Session.columns()...)...)
	if err != nil {
		return p, fmt.Errorf("find a participant: %w", postgis.Kind(err))
	}
	return p, nil
}

// holdParticipant is findParticipant by id for who changes something of theirs:
// a second request of theirs waits here, and then sees the session as it is.
func holdParticipant(ctx context.Context, tx pgx.Tx, participant int64) (p Participant, err error) {
	var b pgx.Batch
	b.Queue(`select from participant where id = $1 for no key update`, participant)
	sql, args := participantSQL(`p.id = $1`, participant)
	b.Queue(sql, args...).QueryRow(func(row pgx.Row) error {
		p, err = scanParticipant(row)
		return err
	})
	if err := tx.SendBatch(ctx, &b).Close(); err != nil {
		return p, fmt.Errorf("hold a participant: %w", postgis.Kind(err))
	}
	return p, nil
}

// SetOnSite is the participant's switch "I am on site": only what was seen
// there may reach a producer.
func SetOnSite(ctx context.Context, db postgis.DB, participant int64, onSite bool) error {
	_, err := db.Exec(ctx, `update participant set on_site = $2 where id = $1`, participant, onSite)
	if err != nil {
		return fmt.Errorf("set where a participant is: %w", postgis.Kind(err))
	}
	return nil
}

// Rename draws another pseudonym.
func Rename(ctx context.Context, db postgis.DB, participant int64) (string, error) {
	for range 50 {
		name, err := pseudonym(rand.Reader)
		if err != nil {
			return "", err
		}
		tag, err := db.Exec(ctx, `update participant set pseudonym = $2 where id = $1`, participant, name)
		var pg *pgconn.PgError
		switch {
		case errors.As(err, &pg) && pg.Code == "23505": // somebody has it
			continue
		case err != nil:
			return "", fmt.Errorf("rename a participant: %w", postgis.Kind(err))
		case tag.RowsAffected() == 0:
			return "", fmt.Errorf("rename a participant: %w", geo.ErrNotFound)
		}
		return name, nil
	}
	return "", geo.Bad(nil, "workshop.full", "most", maxSeats)
}

// ChooseGroup moves a participant to another group, into its emptiest cell. A
// group without a cell is a *geo.ParamError.
func ChooseGroup(ctx context.Context, db postgis.DB, participant int64, sign Sign) error {
	return pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		p, err := findParticipant(ctx, tx, `p.id = $1`, participant)
		if err != nil || p.Sign == sign {
			return err
		}
		var cell int
		err = tx.QueryRow(ctx, `
			select c.number
			from cell c
			where c.session_id = $1 and c.sign = $2
			order by (select count(*) from participant p where (p.session_id, p.cell) = (c.session_id, c.number)), c.number
			limit 1`, p.Session.ID, sign).Scan(&cell)
		if errors.Is(err, pgx.ErrNoRows) {
			return &geo.ParamError{Param: "group", Value: string(sign), Want: "want the sign of a group of this session"}
		}
		if err != nil {
			return fmt.Errorf("find a cell: %w", postgis.Kind(err))
		}
		if _, err := tx.Exec(ctx, `update participant set sign = $2, cell = $3 where id = $1`, participant, sign, cell); err != nil {
			return fmt.Errorf("move a participant: %w", postgis.Kind(err))
		}
		e := event{
			session: p.Session.ID, role: "participant", participant: &p.ID, kind: "group",
			before: map[string]any{"sign": p.Sign, "cell": p.Cell}, after: map[string]any{"sign": sign, "cell": cell},
		}
		if err := put(ctx, tx, e); err != nil {
			return err
		}
		return tell(ctx, tx, p.Session.Code)
	})
}
