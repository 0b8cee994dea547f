package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"calanque/api/account"
	"calanque/geo"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// joinPage answers /atelier: the field for a code, and for mediators their
// sessions. A code leads to its session.
func (s *Server) joinPage(w http.ResponseWriter, r *http.Request) error {
	p := viewer.JoinPage{Page: s.page(r, s.state.Load()), Typed: strings.TrimSpace(r.URL.Query().Get("code"))}
	if p.Typed != "" {
		code := workshop.Normalise(p.Typed)
		if _, err := workshop.ByCode(r.Context(), s.Hub.Web, code); err == nil {
			seeOther(w, r, "/atelier/"+code)
			return nil
		} else if !errors.Is(err, geo.ErrNotFound) {
			return err
		}
		return answered(s.wrongCode(w, r, p.Typed))
	}
	actor, err := s.actor(r)
	if err != nil {
		return err
	}
	if p.Prepare = account.May(actor, account.Prepare, account.Subject{}); p.Prepare {
		p.CSRF = actor.CSRF
		mine := actor.ID
		if actor.Role == account.Coordinator {
			mine = 0
		}
		list, err := workshop.List(r.Context(), s.Hub.Web, mine)
		if err != nil {
			return err
		}
		for i := range list[:min(len(list), 40)] {
			p.Mine = append(p.Mine, viewer.Room{Code: list[i].Code, Title: list[i].Title, State: string(list[i].State)})
		}
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Join(b, p) })
}

// The cookies of a seat: the token, and how far the person is, so that the
// trial comes once. They outlive the browser: a PC that crashed takes its seat
// again.
const (
	seatCookie = "place"
	stepCookie = "pas"
	seatAge    = 26 * 60 * 60 // seconds; the seat itself is forgotten earlier
)

// keepSeat gives the browser a cookie of a session; "" takes it away.
func (s *Server) keepSeat(w http.ResponseWriter, r *http.Request, code, name, value string) {
	c := &http.Cookie{
		Name: name, Value: value, Path: "/atelier/" + code, MaxAge: seatAge,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(r),
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// seated gives who sits at this browser, of the session in the address.
func (s *Server) seated(r *http.Request) (workshop.Participant, error) {
	c, err := r.Cookie(seatCookie)
	if err != nil {
		return workshop.Participant{}, geo.ErrNotFound
	}
	p, err := workshop.ByToken(r.Context(), s.Hub.Desk, c.Value)
	if err != nil {
		return p, err
	}
	here := account.Subject{}
	if p.Session.Code == sessionCode(r) {
		here = subject(&p.Session)
	}
	if !account.May(account.Actor{Role: account.Participant, Session: p.Session.ID}, account.Answer, here) {
		err = geo.ErrNotFound
	}
	return p, err
}

// join gives a seat, with the group and the pseudonym that were chosen where
// they can be had, and leads to the first question.
func (s *Server) join(w http.ResponseWriter, r *http.Request) error {
	code := sessionCode(r)
	if p, err := s.seated(r); err == nil { // a second tap on the same button
		seeOther(w, r, "/atelier/"+p.Session.Code)
		return nil
	}
	wish := workshop.Wish{Sign: workshop.Sign(r.PostForm.Get("groupe")), Pseudonym: r.PostForm.Get("surnom")}
	p, token, err := workshop.JoinAs(r.Context(), s.Hub.Desk, code, wish)
	if errors.Is(err, geo.ErrNotFound) {
		return answered(s.wrongCode(w, r, code))
	}
	if err != nil {
		return err
	}
	s.keepSeat(w, r, p.Session.Code, seatCookie, token)
	seeOther(w, r, "/atelier/"+p.Session.Code)
	return nil
}

// doorPage is what a session shows to who has not joined yet: its groups with
// how many are there, one of them chosen, and a pseudonym; ?autre=1 draws
// another.
func (s *Server) doorPage(w http.ResponseWriter, r *http.Request) error {
	session, err := s.findSession(w, r, workshop.ByCode)
	if err != nil {
		return answered(err)
	}
	ctx, q := r.Context(), r.URL.Query()
	room := s.room(&session)
	p := viewer.JoinPage{Page: s.page(r, s.state.Load()), Room: &room, Group: q.Get("groupe")}
	// Another language keeps what was chosen, never the wish for another name.
	p.URL = &url.URL{Path: room.Path()}
	if p.Groups, err = s.sessionGroups(ctx, &session, &p.Group); err != nil {
		return err
	}
	if p.Pseudonym, err = workshop.Pseudonym(); err != nil {
		return err
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Join(b, p) })
}

// sessionGroups lists a session's groups; chosen becomes the one with the fewest
// people when it is none of them.
func (s *Server) sessionGroups(ctx context.Context, session *workshop.Session, chosen *string) (list []viewer.GroupView, err error) {
	groups, err := workshop.Groups(ctx, s.Hub.Web, session.ID)
	if err != nil {
		return nil, err
	}
	fewest, known := "", false
	least := 0
	for i, g := range groups {
		list = append(list, viewer.GroupView{Sign: string(g.Sign), People: g.People})
		known = known || string(g.Sign) == *chosen
		if i == 0 || g.People < least {
			fewest, least = string(g.Sign), g.People
		}
	}
	if !known {
		*chosen = fewest
	}
	return list, nil
}

// seatPage answers /atelier/{code}/place: another group, another pseudonym, or
// leave.
func (s *Server) seatPage(w http.ResponseWriter, r *http.Request) error {
	p, err := s.seated(r)
	if errors.Is(err, geo.ErrNotFound) {
		return s.doorPage(w, r)
	}
	if err != nil {
		return err
	}
	page := viewer.SeatPage{Page: s.page(r, s.state.Load()), Room: s.room(&p.Session), Pseudonym: p.Pseudonym, Group: string(p.Sign)}
	if code, ok := notices[r.URL.Query().Get("fait")]; ok {
		page.Notice = geo.Say(code)
	}
	sign := page.Group
	if page.Groups, err = s.sessionGroups(r.Context(), &p.Session, &sign); err != nil {
		return err
	}
	return s.writePrivate(w, page.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Seat(b, page) })
}

// changeSeat does what a form of the seat's page asks. Whoever leaves gives
// back what they had in hand; their answers stay.
func (s *Server) changeSeat(w http.ResponseWriter, r *http.Request) error {
	p, err := s.seated(r)
	if errors.Is(err, geo.ErrNotFound) {
		return s.doorPage(w, r)
	}
	if err != nil {
		return err
	}
	ctx, desk, path := r.Context(), s.Hub.Desk, "/atelier/"+p.Session.Code
	switch r.PostForm.Get("faire") {
	case "groupe":
		sign := workshop.Sign(r.PostForm.Get("groupe"))
		if err := workshop.ChooseGroup(ctx, desk, p.ID, sign); err != nil {
			return err
		}
		if sign != p.Sign { // what they hold is the other group's
			if err := workshop.Release(ctx, desk, p.ID); err != nil {
				return err
			}
		}
		seeOther(w, r, path)
	case "surnom":
		if _, err := workshop.Rename(ctx, desk, p.ID); err != nil {
			return err
		}
		seeOther(w, r, path+"/place", "fait", "surnom")
	case "quitter":
		if err := workshop.Release(ctx, desk, p.ID); err != nil {
			return err
		}
		s.keepSeat(w, r, p.Session.Code, seatCookie, "")
		s.keepSeat(w, r, p.Session.Code, stepCookie, "")
		seeOther(w, r, "/atelier")
	default:
		return &geo.ParamError{Param: "faire", Value: short(r.PostForm.Get("faire")), Want: "want groupe, surnom or quitter"}
	}
	return nil
}
