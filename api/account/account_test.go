package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// office is a hub with one account of each role.
func office(t *testing.T) *postgis.Hub {
	t.Helper()
	hub := postgistest.New(t)
	if _, err := hub.Owner.Exec(t.Context(), `insert into producer (id, title) values ('crige', '{"fr": "CRIGE"}')`); err != nil {
		t.Fatal(err)
	}
	if err := PutERIC(t.Context(), hub.Owner, ERIC{"mediatheque", "Médiathèque", [2]float64{5.4, 43.3}}); err != nil {
		t.Fatal(err)
	}
	for _, a := range []Account{
		{Login: "coordination", Role: Coordinator},
		{Login: "atelier", Role: Mediator, ERIC: "mediatheque"},
		{Login: "crige", Role: Producer, Producer: "crige"},
	} {
		if err := Add(t.Context(), hub.Owner, a, "correct horse "+a.Login); err != nil {
			t.Fatal(err)
		}
	}
	return hub
}

func code(err error) string {
	var input *geo.InputError
	if errors.As(err, &input) {
		return input.Code
	}
	return fmt.Sprint(err)
}

func TestPassword(t *testing.T) {
	t.Parallel()
	h := hash("correct horse battery")
	if !strings.HasPrefix(h, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %q", h)
	}
	if h == hash("correct horse battery") {
		t.Error("two hashes of a password are the same: no salt")
	}
	for _, c := range []struct {
		name, password, hash string
		want                 bool
	}{
		{"right", "correct horse battery", h, true},
		{"wrong", "correct horse batterz", h, false},
		{"empty", "", h, false},
		{"longer", "correct horse battery ", h, false},
		// Made by the argon2 command of the reference implementation:
		// printf password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32 -e
		{"reference", "password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", true},
		{"no hash", "x", "", false},
		{"other kind", "x", "$2b$12$abc", false},
		{"truncated", "correct horse battery", h[:len(h)-10], false},
		{"costly", "x", "$argon2id$v=19$m=4294967295,t=3,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", false},
		{"no passes", "x", "$argon2id$v=19$m=65536,t=0,p=4$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", false},
	} {
		if got := verify(c.password, c.hash); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if p, q := NewPassword(), NewPassword(); p == q || len(p) != 19 || strong("x", p) != nil {
		t.Errorf("made %q and %q", p, q)
	}
}

func TestAdd(t *testing.T) {
	t.Parallel()
	hub := office(t)
	const good = "correct horse battery"
	for _, c := range []struct {
		name, password string
		a              Account
		want           string
	}{
		{"taken", good, Account{Login: " Atelier ", Role: Mediator, ERIC: "mediatheque"}, "account.taken"},
		{"spaces in a login", good, Account{Login: "a b", Role: Coordinator}, "account.login"},
		{"empty login", good, Account{Role: Coordinator}, "account.login"},
		{"no ERIC", good, Account{Login: "m", Role: Mediator}, "account.needs-eric"},
		{"unknown ERIC", good, Account{Login: "m", Role: Mediator, ERIC: "nowhere"}, "account.unknown-eric"},
		{"unknown producer", good, Account{Login: "p", Role: Producer, Producer: "nobody"}, "account.unknown-producer"},
		{"coordinator with an ERIC", good, Account{Login: "c", Role: Coordinator, ERIC: "mediatheque"}, "account.no-eric"},
		{"mediator with a producer", good, Account{Login: "m", Role: Mediator, ERIC: "mediatheque", Producer: "crige"}, "account.no-producer"},
		{"short password", "court", Account{Login: "c", Role: Coordinator}, "account.password-length"},
		{"login as password", "Coordination2", Account{Login: "coordination2", Role: Coordinator}, "account.password-login"},
	} {
		if got := code(Add(t.Context(), hub.Owner, c.a, c.password)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
	list, err := List(t.Context(), hub.Owner)
	if err != nil || len(list) != 3 || list[0].Login != "atelier" || list[0].ERIC != "mediatheque" || list[2].Producer != "crige" {
		t.Errorf("got %v, %v", list, err)
	}
	for name, err := range map[string]error{
		"disable":  Disable(t.Context(), hub.Owner, "nobody"),
		"password": SetPassword(t.Context(), hub.Owner, "nobody", good),
	} {
		if got := code(err); got != "account.unknown" {
			t.Errorf("%s: got %s, want account.unknown", name, got)
		}
	}
}

func who(t *testing.T, hub *postgis.Hub, token string, at time.Time) string {
	t.Helper()
	a, err := Who(t.Context(), hub.Web, hub.Desk, token, at)
	if err != nil {
		t.Fatal(err)
	}
	return a.Login
}

// TestLogin walks through the life of a login: it slides for twelve hours,
// ends after a week, by signing out, and with its account.
func TestLogin(t *testing.T) {
	t.Parallel()
	hub := office(t)
	ctx := t.Context()
	g := NewGate()
	in := func(at time.Time) string {
		t.Helper()
		token, err := g.SignIn(ctx, hub.Desk, "ATELIER ", "correct horse atelier", "192.0.2.1", at)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	token := in(noon)
	a, err := Who(ctx, hub.Web, hub.Desk, token, noon)
	if err != nil || a.Role != Mediator || a.ERIC != "mediatheque" || len(a.CSRF) != 43 || len(token) != 43 || token == a.CSRF {
		t.Fatalf("got %+v, %v", a, err)
	}
	if a.Confirms("") || a.Confirms(token) || !a.Confirms(a.CSRF) || (Actor{}).Confirms("") {
		t.Error("the mark of a login is not checked")
	}
	var stored []byte
	if err := hub.Owner.QueryRow(ctx, `select token_sha256 from login`).Scan(&stored); err != nil || bytes.Contains(stored, []byte(token)) || len(stored) != 32 {
		t.Errorf("the token is stored as it is, or %v", err)
	}
	at := noon
	for at.Sub(noon) < Absolute-11*time.Hour {
		at = at.Add(11 * time.Hour)
		if who(t, hub, token, at) != "atelier" {
			t.Fatalf("ended after %s of use", at.Sub(noon))
		}
	}
	if got := who(t, hub, token, noon.Add(Absolute)); got != "" {
		t.Errorf("after a week: still %s", got)
	}
	token = in(noon)
	if got := who(t, hub, token, noon.Add(Idle)); got != "" {
		t.Errorf("after twelve idle hours: still %s", got)
	}
	for name, bad := range map[string]string{"none": "", "another": newToken(), "long": strings.Repeat("x", 5000), "its hash": string(stored)} {
		if got := who(t, hub, bad, noon); got != "" {
			t.Errorf("token %s: %s", name, got)
		}
	}
	one, two := in(noon), in(noon)
	b, _ := Who(ctx, hub.Web, hub.Desk, one, noon)
	if err := SignOut(ctx, hub.Desk, b); err != nil || who(t, hub, one, noon) != "" || who(t, hub, two, noon) != "atelier" {
		t.Errorf("signing out ends another login, or not its own: %v", err)
	}
	b, _ = Who(ctx, hub.Web, hub.Desk, two, noon)
	three := in(noon)
	if err := SignOutEverywhere(ctx, hub.Desk, b); err != nil || who(t, hub, two, noon) != "" || who(t, hub, three, noon) != "" {
		t.Errorf("not signed out everywhere: %v", err)
	}
	four := in(noon)
	if err := Disable(ctx, hub.Owner, "atelier"); err != nil || who(t, hub, four, noon) != "" {
		t.Errorf("a disabled account is signed in: %v", err)
	}
	if _, err := g.SignIn(ctx, hub.Desk, "atelier", "correct horse atelier", "192.0.2.1", noon); !errors.Is(err, ErrWrong) {
		t.Errorf("a disabled account signs in: %v", err)
	}
	if err := SetPassword(ctx, hub.Owner, "atelier", "another phrase"); err != nil {
		t.Fatal(err)
	}
	if _, err := g.SignIn(ctx, hub.Desk, "atelier", "another phrase", "192.0.2.1", noon); err != nil {
		t.Errorf("with the new password: %v", err)
	}
	var left int
	if err := hub.Owner.QueryRow(ctx, `select count(*) from login`).Scan(&left); err != nil || left != 1 {
		t.Errorf("%d logins are left, want 1 (%v)", left, err)
	}
}

// TestGuessing: wrong passwords are slowed down by account and by address,
// the same for logins that do not exist; who was in today is not shut out.
func TestGuessing(t *testing.T) {
	t.Parallel()
	hub := office(t)
	ctx := t.Context()
	g := NewGate()
	try := func(login, password, address string) string {
		_, err := g.SignIn(ctx, hub.Desk, login, password, address, noon)
		var many *TooMany
		switch {
		case err == nil:
			return "in"
		case errors.Is(err, ErrWrong):
			return "wrong"
		case errors.As(err, &many):
			return "wait"
		}
		return err.Error()
	}
	if got := try("atelier", "correct horse atelier", "198.51.100.7"); got != "in" {
		t.Fatal(got)
	}
	for _, login := range []string{"atelier", "does-not-exist"} {
		for i := range 5 {
			if got := try(login, "guess", fmt.Sprint("192.0.2.", i)); got != "wrong" {
				t.Errorf("%s, try %d: %s", login, i, got)
			}
		}
		if got := try(login, "guess", "192.0.2.99"); got != "wait" {
			t.Errorf("%s, sixth try from elsewhere: %s", login, got)
		}
	}
	if got := try("atelier", "correct horse atelier", "192.0.2.99"); got != "wait" {
		t.Errorf("the right password, among guesses: %s", got)
	}
	if got := try("atelier", "correct horse atelier", "198.51.100.7"); got != "in" {
		t.Errorf("the owner is shut out by strangers' guesses: %s", got)
	}
	for i := range 12 {
		if got := try("crige", "correct horse crige", "203.0.113.1"); got != "in" {
			t.Fatalf("sign-in %d with the right password: %s", i, got)
		}
	}
}

// TestAddressIsLimited: one address can't go through many logins.
func TestAddressIsLimited(t *testing.T) {
	t.Parallel()
	g := NewGate()
	for i := range 30 {
		if _, wait := g.take(noon, fmt.Sprint("login", i), "192.0.2.1"); wait > 0 {
			t.Fatalf("try %d waits %s", i, wait)
		}
	}
	if _, wait := g.take(noon, "one-more", "192.0.2.1"); wait == 0 {
		t.Error("the 31st login is tried from the same address")
	}
	if _, wait := g.take(noon, "one-more", "192.0.2.2"); wait > 0 {
		t.Error("another address waits for it")
	}
}

// TestNothingIsLearnt: a wrong login costs what a wrong password costs.
func TestNothingIsLearnt(t *testing.T) {
	hub := office(t)
	g := NewGate()
	nobody() // made once, before anyone asks
	took := func(login string) time.Duration {
		best := time.Hour
		for i := range 4 {
			began := time.Now()
			if _, err := g.check(t.Context(), hub.Desk, login, "guess"); !errors.Is(err, ErrWrong) {
				t.Fatal(err)
			}
			if d := time.Since(began); d < best && i > 0 {
				best = d
			}
		}
		return best
	}
	there, not := took("atelier"), took("does-not-exist")
	if not < there/3 || there < not/3 {
		t.Errorf("a login that exists takes %s, one that does not %s", there, not)
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	hub := office(t)
	g := NewGate()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			token, err := g.SignIn(context.WithoutCancel(t.Context()), hub.Desk, "coordination", "correct horse coordination", "192.0.2.1", noon)
			if err != nil {
				var many *TooMany
				if !errors.As(err, &many) {
					t.Error(err)
				}
				return
			}
			if _, err := Who(t.Context(), hub.Web, hub.Desk, token, noon.Add(2*time.Minute)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestERICs(t *testing.T) {
	t.Parallel()
	hub := office(t)
	e := ERIC{"mediatheque", "Médiathèque du port", [2]float64{5.5, 43.4}}
	if err := PutERIC(t.Context(), hub.Owner, e); err != nil {
		t.Fatal(err)
	}
	list, err := ERICs(t.Context(), hub.Web)
	if err != nil || len(list) != 1 || list[0] != e {
		t.Errorf("got %v, %v", list, err)
	}
	for want, e := range map[string]ERIC{
		"account.eric-incomplete": {"Médiathèque", "x", [2]float64{5, 43}},
		"account.eric-place":      {"m", "x", [2]float64{843210, 43}},
	} {
		if got := code(e.Check()); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
