package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// How long a login lasts: while it is used at least twice a day, and at most
// a week.
const (
	Idle     = 12 * time.Hour
	Absolute = 7 * 24 * time.Hour
)

// seenEvery is how exactly the use of a login is written down: a page must not
// cost a write each time.
const seenEvery = time.Minute

// An Actor is who asks for something. The zero Actor is a visitor.
type Actor struct {
	Role     Role
	ID       int64  // of the account; 0 without one
	Login    string // of the account
	Producer string // that a producer speaks for
	Member   Member // what a producer's person may do
	ERIC     string // that a mediator works at
	Session  int64  // that a participant or a link belongs to

	// CSRF goes into every form that this login sends; "" without an account.
	CSRF string

	token []byte // the login's, hashed
}

// SignedIn reports whether an actor has an account.
func (a Actor) SignedIn() bool { return a.ID != 0 }

// Confirms reports whether a form came from a page that this login was shown.
func (a Actor) Confirms(csrf string) bool {
	return a.CSRF != "" && subtle.ConstantTimeCompare([]byte(a.CSRF), []byte(csrf)) == 1
}

// newToken makes 256 random bits that fit a cookie and a form.
func newToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

func hashed(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// A Gate lets people in: it counts wrong passwords, in memory only, by account
// and by address.
type Gate struct {
	byAccount, byAddress *Limiter
	trusted              *Limiter // pairs of account and address that have been right today
}

// NewGate makes a gate.
func NewGate() *Gate {
	return &Gate{
		byAccount: NewLimiter(5, time.Minute),     // guesses at one account: 5, then one a minute
		byAddress: NewLimiter(30, 20*time.Second), // a room of mediators shares one address
		trusted:   NewLimiter(10, time.Minute),
	}
}

// ErrWrong is a login and a password that do not go together: whether the
// login exists, is disabled or has another password is not said.
var ErrWrong = errors.New("login and password do not go together")

// TooMany is a sign-in that comes too early after wrong ones.
type TooMany struct{ Wait time.Duration }

func (e *TooMany) Error() string { return fmt.Sprintf("too many wrong passwords, wait %s", e.Wait) }

// SignIn checks a password and begins a login. It returns the token that the
// browser keeps, of which the database keeps a hash. ErrWrong and *TooMany say
// why not. address is where the request comes from; it is kept nowhere.
func (g *Gate) SignIn(ctx context.Context, db postgis.DB, login, password, address string, now time.Time) (string, error) {
	login = Login(login)
	giveBack, wait := g.take(now, login, address)
	if wait > 0 {
		return "", &TooMany{wait}
	}
	id, err := g.check(ctx, db, login, password)
	if err != nil {
		if !errors.Is(err, ErrWrong) {
			giveBack() // nobody has guessed
		}
		return "", err
	}
	giveBack()
	g.trusted.Trust(now, pair(login, address))
	return begin(ctx, db, id, now)
}

// take counts one try before it is made, so that many at once are counted
// each. Where an account has been used rightly today, strangers' guesses at it
// do not shut its owner out.
func (g *Gate) take(now time.Time, login, address string) (giveBack func(), wait time.Duration) {
	if wait := g.byAddress.Take(now, address); wait > 0 {
		return nil, wait
	}
	guard, key := g.byAccount, login
	if g.trusted.Trusts(now, pair(login, address)) {
		guard, key = g.trusted, pair(login, address)
	}
	if wait := guard.Take(now, key); wait > 0 {
		return nil, wait
	}
	return func() {
		g.byAddress.GiveBack(now, address)
		guard.GiveBack(now, key)
	}, 0
}

func pair(login, address string) string { return login + "\x00" + address }

// check gives the account of a login and its password, in a time that does not
// tell whether there is one.
func (g *Gate) check(ctx context.Context, db postgis.DB, login, password string) (int64, error) {
	var id int64
	var stored string
	var disabled bool
	err := db.QueryRow(ctx, `select id, password_hash, disabled_at is not null from account where login = $1`, login).
		Scan(&id, &stored, &disabled)
	unknown := errors.Is(err, pgx.ErrNoRows) || len(password) > 4*maxPassword
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return 0, fmt.Errorf("read the account: %w", postgis.Kind(err))
	case unknown:
		stored, password = nobody(), password[:min(len(password), 4*maxPassword)]
	}
	if !verify(password, stored) || unknown || disabled {
		return 0, ErrWrong
	}
	return id, nil
}

// begin writes a login, and forgets those that have ended.
func begin(ctx context.Context, db postgis.DB, id int64, now time.Time) (string, error) {
	token := newToken()
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `delete from login where expires_at <= $1 or seen_at <= $2`, now, now.Add(-Idle)); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `
			insert into login (token_sha256, account_id, csrf, created_at, seen_at, expires_at)
			values ($1, $2, $3, $4, $4, $5)`, hashed(token), id, newToken(), now, now.Add(Absolute))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("begin a login: %w", postgis.Kind(err))
	}
	return token, nil
}

// Who gives the actor that a token belongs to, and notes that the login is in
// use. A token that is unknown, has ended or belongs to a disabled account is
// a visitor's, not an error.
func Who(ctx context.Context, read, write postgis.DB, token string, now time.Time) (Actor, error) {
	if token == "" || len(token) > 100 {
		return Actor{}, nil
	}
	a := Actor{token: hashed(token)}
	var seen time.Time
	err := read.QueryRow(ctx, `
		select a.id, a.login, a.role, coalesce(a.producer_id, ''), coalesce(a.member, ''), coalesce(a.eric_id, ''), l.csrf, l.seen_at
		from login l
		join account a on a.id = l.account_id
		where l.token_sha256 = $1 and l.expires_at > $2 and l.seen_at > $3 and a.disabled_at is null`,
		a.token, now, now.Add(-Idle)).
		Scan(&a.ID, &a.Login, &a.Role, &a.Producer, &a.Member, &a.ERIC, &a.CSRF, &seen)
	if errors.Is(err, pgx.ErrNoRows) {
		return Actor{}, nil
	}
	if err != nil {
		return Actor{}, fmt.Errorf("find the login: %w", postgis.Kind(err))
	}
	if now.Sub(seen) >= seenEvery {
		if _, err := write.Exec(ctx, `update login set seen_at = $2 where token_sha256 = $1 and seen_at < $2`, a.token, now); err != nil {
			return Actor{}, fmt.Errorf("note the login: %w", postgis.Kind(err))
		}
	}
	return a, nil
}

// SignOut ends an actor's login.
func SignOut(ctx context.Context, db postgis.DB, a Actor) error {
	if _, err := db.Exec(ctx, `delete from login where token_sha256 = $1`, a.token); err != nil {
		return fmt.Errorf("sign out: %w", postgis.Kind(err))
	}
	return nil
}

// SignOutEverywhere ends all logins of an actor's account.
func SignOutEverywhere(ctx context.Context, db postgis.DB, a Actor) error {
	return signOutEverywhere(ctx, db, a.ID)
}

func signOutEverywhere(ctx context.Context, db postgis.DB, id int64) error {
	if _, err := db.Exec(ctx, `delete from login where account_id = $1`, id); err != nil {
		return fmt.Errorf("sign out everywhere: %w", postgis.Kind(err))
	}
	return nil
}
