package account

// An Action is something that not everybody may do.
type Action string

// The actions. What is not here anybody may do.
const (
	Judge           Action = "judge"            // a verdict at a desk
	Unjudge         Action = "unjudge"          // take a verdict back
	Prepare         Action = "prepare"          // make or duplicate a mapping session
	Conduct         Action = "conduct"          // its board: open, phases, freeze, sheets, second reading, close
	Answer          Action = "answer"           // its questions
	SeeWall         Action = "see-wall"         // its projector page
	SeeReport       Action = "see-report"       // its report
	SeeHistory      Action = "see-history"      // who did what, when
	ExportOSM       Action = "export-osm"       // what goes towards OpenStreetMap
	ExportCorrected Action = "export-corrected" // what goes to the producer

	SeeDesk     Action = "see-desk"     // a producer's desk, and what is sent and reported there
	Describe    Action = "describe"     // a dataset, its documents, its address; a new one
	Deliver     Action = "deliver"      // send a file, have it read again
	Publish     Action = "publish"      // publish or throw away what was sent, go back to an earlier version
	ReplyToAll  Action = "reply"        // answer what sessions corrected and visitors reported
	SeeInside   Action = "see-inside"   // files of a dataset that the public may not have
	DecideReuse Action = "decide-reuse" // let a reuse appear, or not

	SeeBoard   Action = "see-board"   // what waits for whom in the chains of all, and what censuses brought
	TakeCensus Action = "take-census" // a spreadsheet of datasets
	SeeChain   Action = "see-chain"   // the whole history of a dataset's chain
	MoveChain  Action = "move-chain"  // a step of it
)

// A Subject is what an action is done to. Members that do not matter to an
// action are left at zero.
type Subject struct {
	Session  int64  // the mapping session
	Mediator int64  // account of who runs it
	Closed   bool   // it is over
	Producer string // whose records or datasets they are
	Author   int64  // account of who gave the verdict; 0 when the rule did
	Chain    string // of a dataset: region or partner
	To       string // state that a step leads to
}

// May reports whether an actor may do something to a subject. It is the only
// place that decides; what it does not know it refuses.
func May(actor Actor, action Action, on Subject) bool {
	coordinator := actor.Role == Coordinator
	// A mediator with a session has shown its recovery code: it opens nothing else.
	mediator := actor.Role == Mediator && actor.Session == 0
	runs := actor.Role == Mediator && actor.ID != 0 && actor.ID == on.Mediator && (mediator || actor.Session == on.Session)
	switch action {
	case Judge, Prepare:
		return coordinator || mediator
	case Unjudge:
		return coordinator || mediator && actor.ID != 0 && actor.ID == on.Author
	case Conduct, SeeHistory:
		return coordinator || runs
	case Answer:
		return actor.Role == Participant && actor.Session != 0 && actor.Session == on.Session // a seat ends a day after its session
	case SeeDesk, Describe, Deliver, ReplyToAll:
		return coordinator || speaks(actor, on)
	case Publish:
		return coordinator || speaks(actor, on) && actor.Member == Referent
	case SeeWall:
		return true // whoever has the address
	case SeeReport:
		return on.Closed || coordinator || runs
	case ExportOSM:
		return coordinator || runs || actor.Role == Link && actor.Session != 0 && actor.Session == on.Session
	case SeeInside:
		return coordinator || speaks(actor, on)
	case DecideReuse, SeeBoard, TakeCensus:
		return coordinator
	case SeeChain:
		return coordinator || speaks(actor, on)
	case MoveChain:
		// A producer opens and withdraws what is its own to open; bodies of the
		// long chain have no account: the coordinator writes down what they decide.
		own := on.Chain == "partner" && (on.To == "open" || on.To == "withdrawn")
		return coordinator || own && speaks(actor, on) && actor.Member == Referent
	case ExportCorrected:
		return coordinator || runs || speaks(actor, on)
	}
	return false
}

// speaks reports whether an actor speaks for the producer of a subject.
func speaks(actor Actor, on Subject) bool {
	return actor.Role == Producer && actor.ID != 0 && actor.Producer != "" && actor.Producer == on.Producer
}
