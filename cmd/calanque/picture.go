package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"time"

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
	debug.SetMemoryLimit(512 << 20)
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

// redrawTime is how long one picture may take.
const redrawTime = 20 * time.Second

// maxRedraws is how many pictures are drawn at a time: each may take 400 MB.
const maxRedraws = 1

var redraws = make(chan struct{}, maxRedraws)

// redraw has this program draw a picture anew, in a process of its own.
func (a *app) redraw(ctx context.Context, out io.Writer, in io.Reader) (width, height int, err error) {
	ctx, cancel := context.WithTimeout(ctx, redrawTime)
	defer cancel()
	select {
	case redraws <- struct{}{}:
		defer func() { <-redraws }()
	case <-ctx.Done():
		return 0, 0, geo.Bad(ctx.Err(), "picture.busy")
	}
	program, err := ownProgram()
	if err != nil {
		return 0, 0, err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "redraw-picture")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GOMAXPROCS=1"} // no address of the database, no password
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return 0, 0, geo.Bad(err, "picture.busy")
		}
		return 0, 0, geo.Bad(fmt.Errorf("%w: %s", err, lastLine(said.Bytes())), "picture.broken") // it fell over
	}
	var r redrawn
	if err := json.Unmarshal([]byte(lastLine(said.Bytes())), &r); err != nil {
		return 0, 0, fmt.Errorf("redraw a picture: %w", err)
	}
	if r.Refused != nil {
		return 0, 0, &geo.InputError{Message: *r.Refused}
	}
	return r.Width, r.Height, nil
}
