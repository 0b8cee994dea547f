package catalogue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
)

// legal is a licence, a producer and two datasets, one of each chain, that
// stand in the census.
const legal = `
	insert into licence (id, title, class) values ('lo-2.0', '{"fr": "Licence Ouverte 2.0"}', 'green');
	insert into producer (id, title) values ('region', '{"fr": "Région"}');
	insert into dataset (slug, producer_id, licence_id, title, chain) values
		('lycees', 'region', 'lo-2.0', '{"fr": "Lycées"}', 'region'), ('sentiers', 'region', 'lo-2.0', '{"fr": "Sentiers"}', 'partner');`

func hub(t *testing.T) *postgis.Hub {
	h := postgistest.New(t)
	if _, err := h.Owner.Exec(t.Context(), legal); err != nil {
		t.Fatal(err)
	}
	return h
}

func take(ctx context.Context, h *postgis.Hub, slug string, s catalogue.Step) error {
	return pgx.BeginFunc(ctx, h.Desk, func(tx pgx.Tx) error { return catalogue.Take(ctx, tx, slug, s) })
}

// TestChain walks the Region's chain with a sending back and a skipped vote,
// and looks through the public door after each step.
func TestChain(t *testing.T) {
	t.Parallel()
	h := hub(t)
	for i, s := range []struct {
		to     catalogue.State
		reason string
		err    string // code of the message; "" for a step that is taken
	}{
		{catalogue.Open, "", "chain.no-move"},
		{catalogue.Legal, "", ""},
		{catalogue.Counted, "", "chain.why"},
		{catalogue.Counted, "Contient des noms de personnes.", ""},
		{catalogue.Legal, "", ""},
		{catalogue.Committee, "", ""},
		{catalogue.Approved, "", "chain.why"},
		{catalogue.Approved, "Vote inutile : données déjà publiées.", ""},
		{catalogue.Open, "", ""},
		{catalogue.Withdrawn, "", "chain.why"},
		{catalogue.Withdrawn, "Erreur de périmètre.", ""},
		{catalogue.Open, "", ""},
	} {
		err := take(t.Context(), h, "lycees", catalogue.Step{To: s.to, Body: "Comité de pilotage", Reason: s.reason})
		var bad *geo.InputError
		switch {
		case s.err == "" && err != nil:
			t.Fatalf("step %d to %s: %v", i, s.to, err)
		case s.err != "" && (!errors.As(err, &bad) || bad.Code != s.err):
			t.Fatalf("step %d to %s: %v, want %s", i, s.to, err, s.err)
		}
		e, err := catalogue.Find(t.Context(), h.Web, catalogue.Desk, "lycees")
		if err != nil {
			t.Fatal(err)
		}
		if s.err == "" && e.State != s.to {
			t.Fatalf("step %d: the state is %s, want %s", i, e.State, s.to)
		}
		_, err = catalogue.Find(t.Context(), h.Web, catalogue.Public, "lycees")
		if public := err == nil; public != (e.State == catalogue.Open) {
			t.Errorf("step %d: state %s, public %t: %v", i, e.State, public, err)
		}
	}
	steps, err := catalogue.Steps(t.Context(), h.Web, "lycees")
	if err != nil || len(steps) != 8 || steps[6].Reason != "Erreur de périmètre." {
		t.Errorf("the history is %+v, %v", steps, err)
	}
	if moves, err := catalogue.Moves(t.Context(), h.Web, "sentiers"); err != nil || len(moves) != 2 {
		t.Errorf("the short chain's moves: %v, %v", moves, err)
	}
}
