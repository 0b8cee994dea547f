package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"calanque/geo"
	"calanque/geo/ingest"
)

// A bar shows how far a load is: on a terminal as one line that is drawn
// again, elsewhere as a line for each step.
type bar struct {
	w     io.Writer
	say   func(geo.Message) string
	tty   bool
	width int
	now   string // what is under way, as said
	shown bool
	last  time.Time
}

func newBar(w io.Writer, say func(geo.Message) string) *bar {
	b := &bar{w: w, say: say, width: 80}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		b.tty = true
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 20 {
			b.width = n
		}
	}
	return b
}

// event is an ingest.Progress.
func (b *bar) event(e ingest.Event) {
	b.step(b.say(geo.Say("load.step-"+string(e.Step), "layer", e.Layer)), e.Done, e.Total)
}

// step shows what is under way; total is 0 or -1 when nobody knows.
func (b *bar) step(what string, done, total int64) {
	fresh := what != b.now
	b.now = what
	if !b.tty {
		if fresh {
			fmt.Fprintln(b.w, what)
		}
		return
	}
	if now := time.Now(); fresh || now.Sub(b.last) > 80*time.Millisecond {
		b.last = now
		b.draw(what, done, total)
	}
}

func (b *bar) draw(what string, done, total int64) {
	line := what
	if done > 0 && total > 0 {
		const cells = 24
		full := int(min(done, total) * cells / total)
		line = fmt.Sprintf("%s%s %3d %%  %s", strings.Repeat("█", full), strings.Repeat("░", cells-full), min(done, total)*100/total, what)
	} else if done > 0 {
		line = fmt.Sprintf("%d  %s", done, what)
	}
	if r := []rune(line); len(r) >= b.width {
		line = string(r[:b.width-1])
	}
	fmt.Fprintf(b.w, "\r\x1b[K%s", line)
	b.shown = true
}

// done clears the line.
func (b *bar) done() {
	if b.shown {
		fmt.Fprint(b.w, "\r\x1b[K")
	}
}
