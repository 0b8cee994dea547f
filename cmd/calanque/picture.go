package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"calanque/geo"
	"calanque/geo/picture"
)

// redrawCmd draws a picture anew, from its input to its output: what the
// server does not do itself, because decoders of foreign files may fall over.
type redrawCmd struct{}

// A redrawn is what the command says on its last line of errors.
type redrawn struct {
	Width   int          `json:"width,omitempty"`
	Height  int          `json:"height,omitempty"`
	Refused *geo.Message `json:"refused,omitempty"`
}

// Run draws it.
func (c *redrawCmd) Run(_ context.Context, a *app) error {
	limitMemory()
	b, err := io.ReadAll(io.LimitReader(a.stdin, picture.MaxBytes+1))
	if err != nil {
		return fmt.Errorf("read a picture: %w", err)
	}
	var said redrawn
	p, err := picture.Redraw(a.stdout, bytes.NewReader(b))
	var bad *geo.InputError
	switch {
	case errors.As(err, &bad):
		said.Refused = &bad.Message
	case err != nil:
		return err
	default:
		said.Width, said.Height = p.Width, p.Height
	}
	return json.NewEncoder(a.stderr).Encode(said)
}

// maxRedraws is how many pictures are drawn at a time: each may take 400 MB.
const maxRedraws = 1

var redraws = make(chan struct{}, maxRedraws)

// redraw has this program draw a picture anew, in a process of its own.
func (a *app) redraw(ctx context.Context, out io.Writer, in io.Reader) (width, height int, err error) {
	said, err := apart(ctx, redraws, in, out, "redraw-picture")
	switch {
	case errors.Is(err, errBusy):
		return 0, 0, geo.Bad(err, "picture.busy")
	case errors.Is(err, errFell):
		return 0, 0, geo.Bad(err, "picture.broken")
	case err != nil:
		return 0, 0, err
	}
	var r redrawn
	if err := json.Unmarshal(said, &r); err != nil {
		return 0, 0, fmt.Errorf("redraw a picture: %w", err)
	}
	if r.Refused != nil {
		return 0, 0, &geo.InputError{Message: *r.Refused}
	}
	return r.Width, r.Height, nil
}
