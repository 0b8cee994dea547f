package api

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/api/answer"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/viewer"
)

// chainRoutes are the coordinator's board and the chain of each dataset.
func (s *Server) chainRoutes(get, post func(string, answer.Handler)) {
	const one = "/bureau/parcours/{slug:[a-z0-9][a-z0-9-]*}"
	get("/bureau/parcours", s.chainBoard)
	get(one, s.chainPage)
	post(one, s.takeStep)
}

// waiting are the states in which a dataset waits for somebody, in the order
// of the chain; then those in which it rests.
var waiting = []catalogue.State{
	catalogue.Counted, catalogue.Legal, catalogue.Committee, catalogue.Vote, catalogue.Approved, catalogue.Refused, catalogue.Withdrawn,
}

// chainBoard answers /bureau/parcours: what waits for whom, since when.
func (s *Server) chainBoard(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.require(r, account.SeeBoard, account.Subject{}); err != nil {
		return err
	}
	p := viewer.ChainBoard{Page: s.page(r, s.state.Load())}
	err := s.Hub.Web.QueryRow(r.Context(), `select count(*) from public_dataset`).Scan(&p.Open)
	if err != nil {
		return fmt.Errorf("count what is open: %w", postgis.Kind(err))
	}
	about, err := catalogue.ReadAbout(r.Context(), s.Hub.Web)
	if err != nil {
		return err
	}
	list, err := catalogue.Entries(r.Context(), s.Hub.Web, catalogue.Desk, `st.state <> 'open' and d.retired_at is null order by st.since, d.slug limit 5000`)
	if err != nil {
		return err
	}
	for _, state := range waiting {
		g := viewer.ChainGroup{State: string(state)}
		for _, e := range list {
			if e.State == state {
				g.Rows = append(g.Rows, viewer.ChainRow{
					Slug: e.Slug, Title: e.Title, Producer: about.Producers[e.Producer].Title, Chain: string(e.Chain), Since: e.Since.In(s.Zone),
					Days: int(s.Now().Sub(e.Since).Hours() / 24),
				})
			}
		}
		if len(g.Rows) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.WriteChainBoard(b, p) })
}

// chainEntry finds the dataset of an address for somebody who may see its
// chain; a former address leads on.
func (s *Server) chainEntry(r *http.Request) (catalogue.Entry, account.Actor, error) {
	slug := pathVar(r, "slug")
	e, err := catalogue.Find(r.Context(), s.Hub.Desk, catalogue.Desk, slug)
	if errors.Is(err, geo.ErrNotFound) {
		if to, moved := catalogue.Moved(r.Context(), s.Hub.Desk, slug); moved == nil {
			e, err = catalogue.Find(r.Context(), s.Hub.Desk, catalogue.Desk, to)
		}
	}
	on := account.Subject{Producer: e.Producer, Chain: string(e.Chain)}
	actor, denied := s.require(r, account.SeeChain, on)
	if denied != nil {
		// Whether there is such a dataset is not told to who may not see it.
		return e, actor, denied
	}
	return e, actor, err
}

// chainPage answers /bureau/parcours/{slug}: where a dataset stands, how it
// came there, and the steps that may come next.
func (s *Server) chainPage(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.chainEntry(r)
	if err != nil {
		return err
	}
	p, err := s.chainOf(r, &e, actor)
	if err != nil {
		return err
	}
	p.Done = r.URL.Query().Get("fait") == "etape"
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.WriteChain(b, p) })
}

func (s *Server) chainOf(r *http.Request, e *catalogue.Entry, actor account.Actor) (viewer.ChainPage, error) {
	ctx := r.Context()
	p := viewer.ChainPage{
		Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Slug: e.Slug, Title: e.Title, State: string(e.State), Since: e.Since.In(s.Zone), Chain: string(e.Chain),
		CountedAt: e.CountedAt.In(s.Zone), CountedFrom: e.CountedFrom, Public: e.State == catalogue.Open && !e.Retired,
		Coordinator: account.May(actor, account.SeeBoard, account.Subject{}),
		From:        string(e.State), Today: s.Now().In(s.Zone).Format(time.DateOnly),
	}
	documents := map[int64]geo.Text{}
	for _, res := range e.Resources {
		if res.Kind == catalogue.Administrative || res.Kind == catalogue.Documentation {
			p.Documents = append(p.Documents, viewer.ChainDocument{ID: res.ID, Title: res.Title})
		}
		documents[res.ID] = res.Title
	}
	moves, err := catalogue.Moves(ctx, s.Hub.Desk, e.Slug)
	if err != nil {
		return p, err
	}
	for _, m := range moves {
		if account.May(actor, account.MoveChain, account.Subject{Producer: e.Producer, Chain: string(e.Chain), To: string(m.To)}) {
			p.Moves = append(p.Moves, viewer.ChainMove{To: string(m.To), Why: m.Why, Back: back(m)})
		}
	}
	steps, err := catalogue.Steps(ctx, s.Hub.Desk, e.Slug)
	if err != nil {
		return p, err
	}
	for _, st := range steps {
		v := viewer.ChainStep{From: string(st.From), To: string(st.To), At: st.At.In(s.Zone), Body: st.Body, Login: st.Login, Reason: st.Reason, Document: documents[st.Document]}
		if st.DecidedOn != nil {
			v.Decided = *st.DecidedOn
		}
		p.Steps = append(p.Steps, v)
	}
	edits, err := catalogue.Edits(ctx, s.Hub.Desk, catalogue.OfDataset, e.Slug, 30)
	if err != nil {
		return p, err
	}
	for _, d := range edits {
		p.Edits = append(p.Edits, viewer.ChainEdit{Field: geo.Say("field." + d.Field), At: d.At.In(s.Zone), Who: orElse(d.Login, d.Body)})
	}
	return p, nil
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// back tells whether a move leads towards the beginning: it is sent back.
func back(m catalogue.Move) bool {
	order := func(s catalogue.State) int {
		for i, o := range []catalogue.State{catalogue.Counted, catalogue.Legal, catalogue.Committee, catalogue.Vote, catalogue.Approved, catalogue.Open} {
			if s == o {
				return i
			}
		}
		return -1
	}
	return order(m.To) >= 0 && order(m.From) > order(m.To)
}

// takeStep makes a step of the chain. What can't be is told on the same page,
// with all that was typed.
func (s *Server) takeStep(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.chainEntry(r)
	if err != nil {
		return err
	}
	step, typed, err := readStep(r)
	if err == nil {
		if !account.May(actor, account.MoveChain, account.Subject{Producer: e.Producer, Chain: string(e.Chain), To: string(step.To)}) {
			return geo.ErrForbidden
		}
		step.Account = actor.ID
		err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error { return catalogue.Take(r.Context(), tx, e.Slug, step) })
	}
	if err == nil {
		seeOther(w, r, "/bureau/parcours/"+e.Slug, "fait", "etape")
		return nil
	}
	refused, status := geo.Message{}, http.StatusUnprocessableEntity
	var input *geo.InputError
	switch {
	case errors.As(err, &input):
		refused = input.Message
		for _, arg := range []string{"from", "to"} {
			if state, ok := refused.Args[arg].(string); ok {
				refused.Args[arg] = geo.Say("chain." + state)
			}
		}
	case errors.Is(err, geo.ErrConflict):
		refused = geo.Say("board.moved")
	default:
		return err
	}
	if errors.Is(err, geo.ErrConflict) {
		status = http.StatusConflict
	}
	if e, _, err = s.chainEntry(r); err != nil {
		return err
	}
	p, err := s.chainOf(r, &e, actor)
	if err != nil {
		return err
	}
	p.Refused, p.Typed = refused, typed
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.WriteChain(b, p) })
}

// The longest that a body and a reason may be.
const (
	maxBody   = 200
	maxReason = 2000
)

func readStep(r *http.Request) (catalogue.Step, viewer.ChainTyped, error) {
	f := func(name string) string { return strings.TrimSpace(strings.ToValidUTF8(r.PostForm.Get(name), "")) }
	typed := viewer.ChainTyped{To: f("vers_etat"), Decided: f("decide"), Body: f("organe"), Reason: f("raison"), Document: f("document")}
	step := catalogue.Step{From: catalogue.State(f("de_etat")), To: catalogue.State(typed.To), Body: typed.Body, Reason: typed.Reason}
	if typed.To == "" {
		return step, typed, geo.Bad(nil, "board.choose")
	}
	if typed.Decided != "" {
		day, err := time.Parse(time.DateOnly, typed.Decided)
		if err != nil {
			return step, typed, geo.Bad(err, "put.date", "field", "decide", "value", typed.Decided)
		}
		step.DecidedOn = &day
	}
	if len([]rune(typed.Body)) > maxBody || len([]rune(typed.Reason)) > maxReason {
		return step, typed, geo.Bad(nil, "put.too-long", "field", "raison", "n", len([]rune(typed.Reason)), "max", maxReason)
	}
	if typed.Document != "" {
		id, err := strconv.ParseInt(typed.Document, 10, 64)
		if err != nil || id <= 0 {
			return step, typed, geo.Bad(err, "chain.document", "dataset", "")
		}
		step.Document = id
	}
	return step, typed, nil
}
