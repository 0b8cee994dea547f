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

	"golang.org/x/sys/unix"

	"calanque/geo"
	"calanque/geo/catalogue"
)

// Foreign files that libraries take apart (pictures, workbooks) are read by
// this program in a process of its own: it may fall over, take too much memory
// or never end, and nothing else suffers.

// apartTime is how long such a process may take, waiting for its turn included.
const apartTime = 20 * time.Second

var (
	errBusy = errors.New("it took too long")
	errFell = errors.New("it fell over")
)

// apart runs a hidden command of this program with one file as its input, when
// there is a slot, and gives the last line of its errors, where the command
// says what came of it. It is errBusy when that took too long, and errFell when
// it fell over.
func apart(ctx context.Context, slots chan struct{}, in io.Reader, out io.Writer, command ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, apartTime)
	defer cancel()
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return nil, errors.Join(errBusy, ctx.Err())
	}
	program, err := ownProgram()
	if err != nil {
		return nil, err
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, command...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "GOMAXPROCS=1"} // no address of the database, no password
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &said
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, errors.Join(errBusy, err)
		}
		return nil, fmt.Errorf("%w: %w: %s", errFell, err, lastLine(said.Bytes()))
	}
	return []byte(lastLine(said.Bytes())), nil
}

// The memory that such a process tries to stay below, and that it never gets
// more of.
const (
	softMemory = 512 << 20
	hardMemory = 4 << 30 // of addresses, of which Go takes more than it uses
)

func limitMemory() {
	debug.SetMemoryLimit(softMemory)
	_ = unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: hardMemory, Max: hardMemory}) // it is only the second bound
}

// readSheetCmd reads a spreadsheet from its input and writes its cells.
type readSheetCmd struct {
	File  string `help:"Name of the file, for people."`
	Sheet string `help:"Sheet of the workbook."`
}

// A readApart is what such commands say on their last line.
type readApart struct {
	Refused *geo.Message `json:"refused,omitempty"`
}

// Run reads it.
func (c *readSheetCmd) Run(_ context.Context, a *app) error {
	limitMemory()
	s, err := catalogue.ReadSheet(c.File, c.Sheet, a.stdin)
	var said readApart
	var bad *geo.InputError
	switch {
	case errors.As(err, &bad):
		said.Refused = &bad.Message
	case err != nil:
		return err
	default:
		if err := json.NewEncoder(a.stdout).Encode(s); err != nil {
			return fmt.Errorf("write the sheet: %w", err)
		}
	}
	return json.NewEncoder(a.stderr).Encode(said)
}

// sheetReads bounds how many spreadsheets are read at a time.
var sheetReads = make(chan struct{}, 1)

// readSheet has this program read a spreadsheet, in a process of its own.
func (a *app) readSheet(ctx context.Context, file, name string, in io.Reader) (*catalogue.Sheet, error) {
	var out bytes.Buffer
	said, err := apart(ctx, sheetReads, in, &out, "read-sheet", "--file="+file, "--sheet="+name)
	switch {
	case errors.Is(err, errBusy), errors.Is(err, errFell):
		return nil, geo.Bad(err, "census.broken", "file", file)
	case err != nil:
		return nil, err
	}
	var r readApart
	if err := json.Unmarshal(said, &r); err != nil {
		return nil, fmt.Errorf("read a spreadsheet: %w", err)
	}
	if r.Refused != nil {
		return nil, &geo.InputError{Message: *r.Refused}
	}
	s := &catalogue.Sheet{}
	if err := json.Unmarshal(out.Bytes(), s); err != nil {
		return nil, fmt.Errorf("read a spreadsheet: %w", err)
	}
	return s, nil
}
