package api

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"

	"calanque/api/account"
	"calanque/geo"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// aroundERIC is the radius of the area that is proposed first, in metres.
const aroundERIC = 800

// newSessionPage answers /atelier/nouveau: the four fields.
func (s *Server) newSessionPage(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.require(r, account.Prepare, account.Subject{})
	if err != nil {
		return err
	}
	p, err := s.newPage(r, actor)
	if err != nil {
		return err
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.New(b, p) })
}

// newPage is the form with what there is to choose from.
func (s *Server) newPage(r *http.Request, actor account.Actor) (viewer.NewPage, error) {
	p := viewer.NewPage{Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Area: "eric", ERIC: actor.ERIC, Minutes: 90, People: 12}
	themes, err := workshop.Themes(r.Context(), s.Hub.Web)
	if err != nil {
		return p, err
	}
	for _, t := range themes {
		if p.Theme == "" && t.Open > 0 {
			p.Theme = t.ID
		}
		p.Themes = append(p.Themes, viewer.ThemeChoice{ID: t.ID, Title: t.Title})
	}
	erics, err := workshop.ERICs(r.Context(), s.Hub.Web)
	if err != nil {
		return p, err
	}
	for _, e := range erics {
		if actor.Role != account.Mediator || e.ID == actor.ERIC {
			p.ERICs = append(p.ERICs, viewer.Option{ID: e.ID, Title: e.Title})
			if p.At == nil {
				p.At = &viewer.Spot{Lon: e.Lon, Lat: e.Lat}
			}
		}
	}
	communes, err := workshop.Communes(r.Context(), s.Hub.Web)
	if err != nil {
		return p, err
	}
	for _, c := range communes {
		p.Communes = append(p.Communes, viewer.Option{ID: c.Key, Title: c.Name})
	}
	if len(p.ERICs) == 0 {
		p.Area = "commune"
	}
	return p, nil
}

// newSession shows what the hub proposes for the four fields, or makes it so.
func (s *Server) newSession(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.require(r, account.Prepare, account.Subject{})
	if err != nil {
		return err
	}
	p, err := s.newPage(r, actor)
	if err != nil {
		return err
	}
	plan := readPlan(r, &p)
	if r.PostForm.Get("faire") == "creer" {
		session, recovery, err := workshop.Prepare(r.Context(), s.Hub.Desk, actor.ID, plan)
		if err == nil {
			s.prepared(w, r, &session, recovery)
			return nil
		}
		return s.proposalRefused(w, &p, err)
	}
	proposal, err := workshop.Propose(r.Context(), s.Hub.Web, plan)
	if err != nil {
		return s.proposalRefused(w, &p, err)
	}
	if err := s.fillProposal(r.Context(), &p, &proposal); err != nil {
		return err
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.New(b, p) })
}

// readPlan takes the four fields, into the page too.
func readPlan(r *http.Request, p *viewer.NewPage) workshop.Plan {
	f := r.PostForm
	p.Title, p.Theme, p.Area = strings.TrimSpace(f.Get("titre")), f.Get("theme"), f.Get("zone")
	p.ERIC, p.Commune, p.Shape = f.Get("eric"), f.Get("commune"), strings.TrimSpace(f.Get("forme"))
	p.Minutes, p.People = number(f.Get("duree")), number(f.Get("personnes"))
	plan := workshop.Plan{Title: p.Title, Theme: p.Theme, Minutes: p.Minutes, People: p.People}
	switch p.Area {
	case "eric":
		plan.Area.Around = &workshop.Around{ERIC: p.ERIC, Metres: aroundERIC}
	case "commune":
		plan.Area.Commune = p.Commune
	default:
		plan.Area.GeoJSON = []byte(p.Shape)
	}
	return plan
}

func (s *Server) proposalRefused(w http.ResponseWriter, p *viewer.NewPage, err error) error {
	var refused bool
	if p.Refused, refused = refusal(err); !refused {
		return err
	}
	return s.writePrivate(w, p.Page, http.StatusBadRequest, func(b *bytes.Buffer) error { return viewer.New(b, *p) })
}

func (s *Server) fillProposal(ctx context.Context, p *viewer.NewPage, proposal *workshop.Proposal) error {
	p.Proposed, p.Cells, p.Warnings = true, len(proposal.Cells), proposal.Warnings
	plan := viewer.Plan{ID: "n", Label: viewer.Say(p.Lang, "pages.area-preview"), Width: 900, Height: 760}
	area, err := sphericalArea(proposal.Area)
	if err != nil {
		return err
	}
	cells, box, err := planCells(proposal.Cells)
	if err != nil {
		return err
	}
	if len(cells) == 0 {
		box = area.Bound()
		cells = []viewer.PlanCell{{Area: area}}
	}
	for i := range cells {
		cells[i].Total = 0
	}
	for i := range proposal.Tasks {
		t := &proposal.Tasks[i]
		p.Questions = append(p.Questions, viewer.TaskRow{Number: t.Number, Cell: t.Cell, Name: t.Name, Ask: t.Question().Ask})
		plan.Marks = append(plan.Marks, viewer.PlanMark{At: viewer.Spherical(t.Lon, t.Lat), Group: string(t.Kind.Group())})
	}
	plan.Cells, plan.Frame = cells, viewer.Fit(box, plan.Width, plan.Height, 60)
	if plan.Ground, err = s.planGround(ctx, &plan); err != nil {
		return err
	}
	p.Plan = viewer.DrawPlan(p.Lang, plan)
	return nil
}

func (s *Server) prepared(w http.ResponseWriter, r *http.Request, session *workshop.Session, recovery string) {
	s.keepSeat(w, r, session.Code, recoveryCookie, recovery)
	seeOther(w, r, "/atelier/"+session.Code+"/conduite")
}

// duplicate prepares a session like an earlier one.
func (s *Server) duplicate(w http.ResponseWriter, r *http.Request) error {
	session, actor, err := s.mediated(w, r)
	if err != nil {
		return answered(err)
	}
	if !account.May(actor, account.Prepare, account.Subject{}) {
		return errSignIn // a recovery code opens one session
	}
	again, recovery, err := workshop.Duplicate(r.Context(), s.Hub.Desk, actor.ID, session.Code)
	if _, refused := refusal(err); refused {
		return err // it says so on a page of its own
	}
	if err != nil {
		return err
	}
	s.prepared(w, r, &again, recovery)
	return nil
}

// isConflict reports whether something is no more what a form was about.
func isConflict(err error) bool {
	return errors.Is(err, geo.ErrConflict) || errors.Is(err, geo.ErrNotFound)
}
