package api

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"

	"calanque/api/account"
	"calanque/geo"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// recoveryCookie keeps a session's recovery code: in the browser that prepared
// it, to print it, and in one that resumes the session with it. The hub itself
// keeps a hash.
const recoveryCookie = "secours"

func recoveryCode(r *http.Request) string {
	c, err := r.Cookie(recoveryCookie)
	if err != nil || len(c.Value) > 40 {
		return ""
	}
	return c.Value
}

// resumed is the mediator of the address's session where the browser holds
// its recovery code; else a visitor.
func (s *Server) resumed(r *http.Request) (account.Actor, error) {
	code, secret := sessionCode(r), recoveryCode(r)
	if code == "" || secret == "" {
		return account.Actor{}, nil
	}
	// Counted apart from what is typed: a room that mistypes shares the address.
	session, wait, err := s.tryRecovery(r, s.codes, "cookie ", code, secret)
	if wait > 0 || errors.Is(err, geo.ErrNotFound) {
		return account.Actor{}, nil
	}
	if err != nil {
		return account.Actor{}, err
	}
	return account.Recovered(session.ID, session.Mediator, secret), nil
}

// tryRecovery looks whether a recovery code is right, unless too many wrong
// ones have come from the same place: then it says how many seconds to wait.
func (s *Server) tryRecovery(r *http.Request, count *account.Limiter, kind, code, secret string) (session workshop.Session, wait float64, err error) {
	address := kind + s.visitorAddress(r)
	if left := count.Take(s.Now(), address); left > 0 {
		return session, left.Seconds(), nil
	}
	session, err = workshop.Recover(r.Context(), s.Hub.Web, code, secret)
	if !errors.Is(err, geo.ErrNotFound) {
		count.GiveBack(s.Now(), address) // nobody has guessed
	}
	return session, 0, err
}

// recoverPage answers /atelier/reprendre: where a mediator whose machine is
// gone types the code printed on the index sheet.
func (s *Server) recoverPage(w http.ResponseWriter, r *http.Request) error {
	p := viewer.RecoverPage{Page: s.page(r, s.state.Load()), Code: short(r.URL.Query().Get("code"))}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Recover(b, p) })
}

// recoverSession leads to the board of the session whose recovery code was
// typed, and keeps the code for this browser.
func (s *Server) recoverSession(w http.ResponseWriter, r *http.Request) error {
	code := workshop.Normalise(r.PostForm.Get("code"))
	secret := workshop.Normalise(strings.TrimSpace(r.PostForm.Get("secours")))
	session, wait, err := s.tryRecovery(r, s.recovery, "", code, secret)
	if wait == 0 && err == nil {
		s.keepSeat(w, r, session.Code, recoveryCookie, secret)
		seeOther(w, r, "/atelier/"+session.Code+"/conduite")
		return nil
	}
	if err != nil && !errors.Is(err, geo.ErrNotFound) {
		return err
	}
	p := viewer.RecoverPage{Page: s.page(r, s.state.Load()), Code: short(r.PostForm.Get("code")), Wrong: geo.Say("room.wrong-recovery")}
	status := http.StatusNotFound
	if wait > 0 {
		status, p.Wrong = http.StatusTooManyRequests, geo.Say("room.too-many-recoveries")
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait))))
	}
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.Recover(b, p) })
}
