package api

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"

	"calanque/api/account"
	"calanque/api/answer"
	"calanque/geo"
	"calanque/osm/match"
	"calanque/viewer"
)

// desk answers /carte/verdict?outcome=: what may be said about an outcome, and
// what was, for the page's script.
func (s *Server) desk(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.require(r, account.Judge, account.Subject{})
	if err != nil {
		return err
	}
	d, err := s.deskOf(r.Context(), actor, r.URL.Query().Get("outcome"))
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "private, no-store")
	return answer.JSON(w, r, answer.TypeJSON, d)
}

// judge answers the form of screen 03: a verdict, or one that is taken back.
func (s *Server) judge(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.require(r, account.Judge, account.Subject{})
	if err != nil {
		return err
	}
	form := r.PostForm
	id, err := outcomeID(form.Get("outcome"))
	if err != nil {
		return err
	}
	if form.Get("says") == "undo" {
		err = s.unjudge(r, actor, id)
	} else {
		var print []byte
		if print, err = hex.DecodeString(form.Get("fingerprint")); err != nil {
			return &geo.ParamError{Param: "fingerprint", Value: form.Get("fingerprint"), Want: "want the one that was shown"}
		}
		err = match.Judge(r.Context(), s.Hub.Desk, actor.ID, id, print, form.Get("says"))
	}
	if err != nil {
		return err
	}
	if !prefersPage(r) {
		d, err := s.deskOf(r.Context(), actor, form.Get("outcome"))
		if err != nil {
			return err
		}
		w.Header().Set("Cache-Control", "private, no-store")
		return answer.JSON(w, r, answer.TypeJSON, d)
	}
	back := ownPath(form.Get("vers"))
	if back == "" {
		back = "/carte"
	}
	http.Redirect(w, r, back+"#fiche", http.StatusSeeOther)
	return nil
}

func (s *Server) unjudge(r *http.Request, actor account.Actor, outcome int64) error {
	c, err := match.CaseOf(r.Context(), s.Hub.Desk, outcome)
	if err != nil {
		return err
	}
	if !account.May(actor, account.Unjudge, account.Subject{Author: author(c)}) {
		return geo.Bad(geo.ErrForbidden, "verdict.not-yours")
	}
	return match.Unjudge(r.Context(), s.Hub.Desk, c)
}

// author is the account that gave what holds of a case; 0 when a session did.
func author(c match.Case) int64 {
	switch {
	case c.Verdict != nil:
		return c.Verdict.Account
	case c.Visit != nil:
		return c.Visit.Account
	}
	return 0
}

// deskOf is what a person at a desk is shown of an outcome.
func (s *Server) deskOf(ctx context.Context, actor account.Actor, outcome string) (*viewer.Desk, error) {
	id, err := outcomeID(outcome)
	if err != nil {
		return nil, err
	}
	c, err := match.CaseOf(ctx, s.Hub.Desk, id)
	if err != nil {
		return nil, err
	}
	d := &viewer.Desk{Outcome: outcome, Fingerprint: hex.EncodeToString(c.Fingerprint), Pair: c.Pair, Choices: c.Choices()}
	said := c.Verdict
	if said == nil {
		said = c.Visit
	}
	if said != nil {
		d.Says, d.At, d.Mine = said.Says, said.At.In(s.Zone), said.Account == actor.ID
		d.Undo = account.May(actor, account.Unjudge, account.Subject{Author: said.Account})
	}
	return d, nil
}

func outcomeID(s string) (int64, error) {
	id, err := strconv.ParseInt(s, 10, 64)
	if err != nil || id <= 0 {
		return 0, &geo.ParamError{Param: "outcome", Value: s, Want: "want the id of an outcome"}
	}
	return id, nil
}

// desk is what the page shows of a chosen outcome to those who may judge it;
// nil for everybody else.
func (f *filler) desk(r *http.Request, outcome string) (*viewer.Desk, error) {
	actor, err := f.s.actor(r)
	if err != nil || !account.May(actor, account.Judge, account.Subject{}) {
		return nil, nil // the map stays when the database of accounts does not answer
	}
	d, err := f.s.deskOf(r.Context(), actor, outcome)
	if errors.Is(err, geo.ErrNotFound) || errors.Is(err, geo.ErrInvalid) {
		return nil, nil
	}
	return d, err
}
