package geo

// A Message is something the hub has to tell a person: a code and its
// arguments. Package viewer turns it into a French, English or Italian
// sentence with its remedy; nothing below viewer writes sentences, and none is
// stored in the database.
type Message struct {
	Code string         `json:"code"` // "crs.outside-region", "row.ragged": lower case, area.detail
	Args map[string]any `json:"args,omitempty"`
}

// Say makes a Message of a code and alternating argument names and values:
// Say("csv.ragged", "line", 12, "got", 4, "want", 5). It panics when a name is
// not a string or a value is missing, which is a mistake in the program.
func Say(code string, args ...any) Message {
	if len(args)%2 != 0 {
		panic("geo.Say: odd number of arguments for " + code)
	}
	m := Message{Code: code}
	if len(args) > 0 {
		m.Args = make(map[string]any, len(args)/2)
	}
	for i := 0; i < len(args); i += 2 {
		m.Args[args[i].(string)] = args[i+1]
	}
	return m
}
