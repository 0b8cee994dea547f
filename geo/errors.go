package geo

import (
	"errors"
	"fmt"
	"sort"
	"strings"
)

// The kinds of error that callers tell apart with errors.Is. Package api maps
// each to one HTTP status, cmd/calanque to one exit code.
var (
	ErrNotFound    = errors.New("not found")               // the thing named does not exist, or is not public
	ErrGone        = errors.New("gone")                    // it was public and is no more: a version that was replaced
	ErrExists      = errors.New("already exists")          // the name is taken
	ErrForbidden   = errors.New("forbidden")               // who asks may not do this
	ErrInvalid     = errors.New("invalid")                 // input that can never succeed as it is
	ErrConflict    = errors.New("conflict")                // someone else is doing this, or has changed it meanwhile
	ErrRejected    = errors.New("too many rejected")       // a load above its --max-rejected
	ErrUnavailable = errors.New("temporarily unavailable") // try again later: database down, statement timeout, pool full
)

// An InputError is a file, record or setting that can't be taken as it is. Its
// Message says what, where and how to mend it. It is an ErrInvalid.
type InputError struct {
	Message
	Err error // the cause, for logs; may be nil
}

func (e *InputError) Error() string {
	s := e.Code + args(e.Args)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap gives the cause.
func (e *InputError) Unwrap() error { return e.Err }

// Is makes every InputError an ErrInvalid.
func (e *InputError) Is(target error) bool { return target == ErrInvalid }

// Bad makes an InputError of a cause (or nil), a code and alternating argument
// names and values.
func Bad(err error, code string, args ...any) *InputError {
	return &InputError{Message: Say(code, args...), Err: err}
}

// A ParamError is one request parameter or flag that is wrong. Want says in a
// few English words what would be right ("want 4 or 6 numbers"). It is an
// ErrInvalid.
type ParamError struct {
	Param, Value, Want string
}

func (e *ParamError) Error() string {
	return fmt.Sprintf("parameter %s: %q: %s", e.Param, e.Value, e.Want)
}

// Is makes every ParamError an ErrInvalid.
func (e *ParamError) Is(target error) bool { return target == ErrInvalid }

func args(m map[string]any) string {
	if len(m) == 0 {
		return ""
	}
	pairs := make([]string, 0, len(m))
	for k, v := range m {
		pairs = append(pairs, fmt.Sprintf("%s=%v", k, v))
	}
	sort.Strings(pairs)
	return " (" + strings.Join(pairs, ", ") + ")"
}
