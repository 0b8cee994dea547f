package api

import (
	"bytes"
	"errors"
	"math"
	"net/http"
	"strconv"

	"calanque/api/account"
	"calanque/geo"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// signInPage answers /connexion: the form, or who is signed in.
func (s *Server) signInPage(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	page := viewer.SignInPage{Page: s.page(r, s.state.Load()), Back: ownPath(q.Get("vers")), Out: q.Get("sorti") == "1"}
	w.Header().Set("Cache-Control", "no-store")
	return write(w, r, page.Page, func(b *bytes.Buffer) error { return viewer.SignIn(b, page) })
}

// signIn begins a login, and leads where the visitor wanted to go. Why it
// can't is said on the same page, without telling whether the login exists.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	back := ownPath(r.PostForm.Get("vers"))
	token, err := s.gate.SignIn(r.Context(), s.Hub.Desk, r.PostForm.Get("login"), r.PostForm.Get("password"), s.visitorAddress(r), s.Now())
	if err != nil {
		return s.signInRefused(w, r, back, err)
	}
	// A login that this browser had before ends: nobody could end it any more.
	if was, err := account.Who(r.Context(), s.Hub.Desk, s.Hub.Desk, s.loginToken(r), s.Now()); err == nil && was.SignedIn() {
		if err := account.SignOut(r.Context(), s.Hub.Desk, was); err != nil {
			return err
		}
	}
	s.keepLogin(w, r, token)
	if back == "" {
		if back, err = s.workplace(r, token); err != nil {
			return err
		}
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}

// workplace is where somebody who has just signed in goes on: a mediator to
// their sessions, or to prepare the first one; everybody else to the map.
func (s *Server) workplace(r *http.Request, token string) (string, error) {
	ctx, path := r.Context(), "/carte"
	actor, err := account.Who(ctx, s.Hub.Desk, s.Hub.Desk, token, s.Now())
	if err != nil {
		return "", err
	}
	if actor.Role == account.Mediator {
		path = "/atelier"
		list, err := workshop.List(ctx, s.Hub.Web, actor.ID)
		if err != nil {
			return "", err
		}
		if len(list) == 0 {
			path = "/atelier/nouveau"
		}
	}
	return path + "?lg=" + viewer.Lang(r.PostForm.Get("lg"), r.Header.Get("Accept-Language")), nil
}

func (s *Server) signInRefused(w http.ResponseWriter, r *http.Request, back string, err error) error {
	page := viewer.SignInPage{Page: s.page(r, s.state.Load()), Back: back, Login: r.PostForm.Get("login")}
	if lang := r.PostForm.Get("lg"); lang != "" {
		page.Lang = viewer.Lang(lang, r.Header.Get("Accept-Language"))
	}
	status := http.StatusForbidden
	var many *account.TooMany
	switch {
	case errors.Is(err, account.ErrWrong):
		page.Refused = geo.Say("account.wrong")
	case errors.As(err, &many):
		status = http.StatusTooManyRequests
		seconds := int(math.Ceil(many.Wait.Seconds()))
		w.Header().Set("Retry-After", strconv.Itoa(seconds))
		page.Refused = geo.Say("account.too-many", "n", (seconds+59)/60)
	default:
		return err
	}
	var b bytes.Buffer
	if err := viewer.SignIn(&b, page); err != nil {
		return err
	}
	pageHeaders(w.Header(), page.Page)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
	return nil
}

// signOut ends the login, or with partout=1 all those of the account.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.actor(r)
	if err != nil {
		return err
	}
	if actor.SignedIn() {
		end := account.SignOut
		if r.PostForm.Get("partout") == "1" {
			end = account.SignOutEverywhere
		}
		if err := end(r.Context(), s.Hub.Desk, actor); err != nil {
			return err
		}
	}
	s.keepLogin(w, r, "")
	http.Redirect(w, r, "/connexion?sorti=1&lg="+viewer.Lang(r.PostForm.Get("lg"), r.Header.Get("Accept-Language")), http.StatusSeeOther)
	return nil
}
