package api

import (
	"context"
	"sync"
)

// A revised keeps what was derived from relations, until their revision moves
// on.
type revised[T any] struct {
	mu   sync.Mutex
	kept map[string]derived[T]
}

type derived[T any] struct {
	revision int64
	value    T
}

// of gives what is kept for a revision, else makes it. Two that ask at once
// may both make it.
func (r *revised[T]) of(name string, revision int64, make func() (T, error)) (T, error) {
	r.mu.Lock()
	d, ok := r.kept[name]
	r.mu.Unlock()
	if ok && d.revision == revision {
		return d.value, nil
	}
	value, err := make()
	if err != nil {
		return value, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept == nil {
		r.kept = map[string]derived[T]{}
	}
	r.kept[name] = derived[T]{revision, value}
	return value, nil
}

// places are the region and its départements by their codes; communes have
// their names from their layer. They are names: no language has others.
var places = map[string]string{
	"R93": "Provence-Alpes-Côte d’Azur", "D04": "Alpes-de-Haute-Provence", "D05": "Hautes-Alpes", "D06": "Alpes-Maritimes",
	"D13": "Bouches-du-Rhône", "D83": "Var", "D84": "Vaucluse",
}

// territory gives the names of codes; a code that nobody knows is its own.
func (s *Server) territory(ctx context.Context, st *state, codes []string) ([]string, error) {
	var names []string
	var list []commune
	for _, code := range codes {
		name, ok := places[code]
		if !ok && list == nil && st.relation(communesLayer) != nil {
			var err error
			if list, err = s.communeList(ctx, st); err != nil {
				return nil, err
			}
		}
		for i := range list {
			if !ok && list[i].code == code {
				name, ok = list[i].name, true
			}
		}
		if !ok {
			name = code
		}
		names = append(names, name)
	}
	return names, nil
}
