package account

import (
	"strings"
	"testing"
)

// TestMay is the table of who may do what: it names all that may, for each
// action, and everybody else may not.
func TestMay(t *testing.T) {
	t.Parallel()
	who := map[string]Actor{
		"visitor":           {},
		"participant":       {Role: Participant, Session: 7},
		"other-participant": {Role: Participant, Session: 8},
		"link":              {Role: Link, Session: 7},
		"other-link":        {Role: Link, Session: 8},
		"producer":          {Role: Producer, ID: 1, Producer: "crige"},
		"referent":          {Role: Producer, ID: 6, Producer: "crige", Member: Referent},
		"editor":            {Role: Producer, ID: 7, Producer: "crige", Member: Editor},
		"other-referent":    {Role: Producer, ID: 8, Producer: "airpaca", Member: Referent},
		"false-referent":    {Role: Mediator, ID: 9, Producer: "crige", Member: Referent},
		"other-producer":    {Role: Producer, ID: 2, Producer: "airpaca"},
		"mediator":          {Role: Mediator, ID: 3, ERIC: "a"},
		"other-mediator":    {Role: Mediator, ID: 4, ERIC: "a"},
		"recovered":         Recovered(7, 3, "secret"),
		"other-recovered":   Recovered(8, 3, "secret"),
		"coordinator":       {Role: Coordinator, ID: 5},
		"unknown-role":      {Role: "admin", ID: 3, Session: 7, Producer: "crige"},
		"roleless-account":  {ID: 3, Session: 7, Producer: "crige"},
	}
	session := Subject{Session: 7, Mediator: 3, Producer: "crige", Author: 3}
	closed := session
	closed.Closed = true
	everybody := "coordinator editor false-referent link mediator other-link other-mediator other-participant other-producer other-recovered other-referent participant producer recovered referent roleless-account unknown-role visitor"
	for _, c := range []struct {
		name   string
		action Action
		on     Subject
		may    string
	}{
		{"the coordinator's board", SeeBoard, Subject{}, "coordinator"},
		{"a census", TakeCensus, Subject{Producer: "crige"}, "coordinator"},
		{"the history of a chain", SeeChain, Subject{Producer: "crige", Chain: "region"}, "coordinator editor producer referent"},
		{"a step of the long chain", MoveChain, Subject{Producer: "crige", Chain: "region", To: "legal"}, "coordinator"},
		{"the last step of the long chain", MoveChain, Subject{Producer: "crige", Chain: "region", To: "open"}, "coordinator"},
		{"opening one's own", MoveChain, Subject{Producer: "crige", Chain: "partner", To: "open"}, "coordinator referent"},
		{"withdrawing one's own", MoveChain, Subject{Producer: "crige", Chain: "partner", To: "withdrawn"}, "coordinator referent"},
		{"refusing one's own", MoveChain, Subject{Producer: "crige", Chain: "partner", To: "refused"}, "coordinator"},
		{"a step of nobody's", MoveChain, Subject{Chain: "partner", To: "open"}, "coordinator"},
		{"a verdict at a desk", Judge, Subject{}, "coordinator false-referent mediator other-mediator"},
		{"take back the mediator's verdict", Unjudge, session, "coordinator mediator"},
		{"take back the rule's verdict", Unjudge, Subject{}, "coordinator"},
		{"make a session", Prepare, Subject{}, "coordinator false-referent mediator other-mediator"},
		{"run it", Conduct, session, "coordinator mediator recovered"},
		{"run none", Conduct, Subject{}, "coordinator"},
		{"its history", SeeHistory, session, "coordinator mediator recovered"},
		{"answer", Answer, session, "participant"},
		{"answer late", Answer, closed, "participant"},
		{"answer none", Answer, Subject{}, ""},
		{"its wall", SeeWall, session, everybody},
		{"its report while it goes on", SeeReport, session, "coordinator mediator recovered"},
		{"its report afterwards", SeeReport, closed, everybody},
		{"files for OpenStreetMap", ExportOSM, session, "coordinator link mediator recovered"},
		{"files for OpenStreetMap of none", ExportOSM, Subject{}, "coordinator"},
		{"the producer's file", ExportCorrected, session, "coordinator editor mediator producer recovered referent"},
		{"what stays inside", SeeInside, session, "coordinator editor producer referent"},
		{"what stays inside nobody", SeeInside, Subject{}, "coordinator"},
		{"a reuse", DecideReuse, Subject{}, "coordinator"},
		{"the producer's file of nobody", ExportCorrected, Subject{}, "coordinator"},
		{"a producer's desk", SeeDesk, session, "coordinator editor producer referent"},
		{"nobody's desk", SeeDesk, Subject{}, "coordinator"},
		{"describe", Describe, session, "coordinator editor producer referent"},
		{"send a file", Deliver, session, "coordinator editor producer referent"},
		{"answer visitors and sessions", ReplyToAll, session, "coordinator editor producer referent"},
		{"publish", Publish, session, "coordinator referent"},
		{"publish for nobody", Publish, Subject{}, "coordinator"},
		{"something new", "something new", session, ""},
		{"nothing", "", session, ""},
	} {
		var may []string
		for _, name := range strings.Fields(everybody) {
			if May(who[name], c.action, c.on) {
				may = append(may, name)
			}
		}
		if got := strings.Join(may, " "); got != c.may {
			t.Errorf("%s: got %q, want %q", c.name, got, c.may)
		}
	}
	if len(strings.Fields(everybody)) != len(who) {
		t.Errorf("the table leaves somebody out")
	}
}
