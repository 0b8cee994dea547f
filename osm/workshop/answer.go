package workshop

import (
	"calanque/geo"
)

// How an answer was given.
type How string

// The ways.
const (
	Screen How = "screen"
	Sheet  How = "sheet" // on paper, on site; the mediator enters it
)

// An Answer is what a person says to a question.
type Answer struct {
	Key         string // UUID made by the client: the same answer sent twice counts once
	Task        int64
	Participant *int64 // nil for a sheet
	Choice      int    // key of the choice, 1–4; 0: by Says
	Says        string
	Values      map[string]string // typed: field of the layer → text; "_geom" → "lon lat"
	Note        string            // at most 140 characters, without telephone numbers and mail addresses
	How         How
	// Print is Question.Print of what the person saw; nil is what is asked now.
	// An answer to what is asked no more is kept by what it says, and settles
	// nothing.
	Print []byte
}

// Recorded says what became of an answer.
type Recorded struct {
	Opinion int    // 1 the first on the task, 2 a second opinion, …
	Settled bool   // a verdict is in force
	Verdict string // what it says
	Again   bool   // the same answer had been received before
}

// A Line is one task of a sheet as the mediator enters it.
type Line struct {
	Key    string // UUID
	Number int    // of the task
	Choice int    // 1–4; 0: left blank, or not readable
	Values map[string]string
	Note   string

	Unreadable bool // there is something, and nobody can tell what
}

// An Opinion is one answer as the second reading shows it.
type Opinion struct {
	Number int
	Says   string
	Label  geo.Message
	Value  string
	OnSite bool
	Note   string
}

// A Doubt is a task whose answers don't settle it.
type Doubt struct {
	Question Question
	Opinions []Opinion
	Why      geo.Message
}
