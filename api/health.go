package api

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
)

// health answers as long as the process does.
func (s *Server) health(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	answer.Write(w, answer.TypeJSON, []byte("{\"status\":\"ok\"}\n"))
	return nil
}

// ready answers 200 when everything that was asked for is served: the database
// is there, the catalogue has been read, and what Options.Ready waits for has
// come.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	st := s.state.Load()
	if st == nil {
		return fmt.Errorf("the catalogue has not been read yet: %w", geo.ErrUnavailable)
	}
	var one int
	if err := s.Hub.Web.QueryRow(ctx, `select 1`).Scan(&one); err != nil {
		return fmt.Errorf("ask the database: %w: %w", geo.ErrUnavailable, features.Kind(err))
	}
	names := make([]string, len(st.layers))
	for i := range st.layers {
		names[i] = st.layers[i].ID
	}
	if s.Ready != nil {
		if err := s.Ready(ctx, names); err != nil {
			return fmt.Errorf("not everything is served yet: %w: %w", geo.ErrUnavailable, err)
		}
	}
	body, err := answer.Encode(map[string]any{"status": "ready", "layers": len(names)})
	if err != nil {
		return err
	}
	answer.Write(w, answer.TypeJSON, body)
	return nil
}
