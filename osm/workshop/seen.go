package workshop

import (
	"slices"

	"calanque/osm/match"
)

// seen derives what has become of a task in OpenStreetMap (design: workshops
// C11). A task is its outcome's question; it is mended when a later copy of
// OpenStreetMap no longer raises it. The matcher that raised it says so:
// nothing is compared here.
func seen(t *Task) Seen {
	how := mended(t)
	switch {
	case how == NotSeenYet && t.wasSeen:
		return Reverted
	case how == Verified && !t.held:
		return FixedByAnother
	}
	return how
}

// mended tells whether what the task asked about holds no longer, wholly or in
// part, because OpenStreetMap changed.
func mended(t *Task) Seen {
	if !t.stale() && t.Kind == t.Asked || !t.changedInOSM() {
		return NotSeenYet
	}
	switch t.Asked {
	case match.OnlyOpenData:
		return t.byKind([]match.Kind{match.Identical}, []match.Kind{match.AttributesDiffer, match.Moved})
	case match.AttributesDiffer:
		return t.attributesMended()
	case match.Moved, match.FarReference:
		if t.Kind == match.AttributesDiffer && t.distance <= t.rule.Distance.Moved {
			return Verified // it is in its place; that another value differs was not the question
		}
		return t.byKind([]match.Kind{match.Identical}, nil)
	case match.OnlyOSM, match.DuplicateOSM:
		if t.Kind != t.Asked {
			return Verified // the object is gone, or it has its record now
		}
	case match.Ambiguous:
		return t.byKind([]match.Kind{match.Identical}, []match.Kind{match.AttributesDiffer, match.Moved, match.OnlyOpenData})
	case match.ClosedInOSM:
		return t.byKind([]match.Kind{match.Identical}, []match.Kind{match.AttributesDiffer, match.Moved, match.OnlyOpenData})
	case match.DuplicateOpenData:
		return t.byKind([]match.Kind{match.Identical, match.AttributesDiffer, match.Moved}, nil)
	}
	return NotSeenYet
}

func (t *Task) byKind(whole, part []match.Kind) Seen {
	switch {
	case slices.Contains(whole, t.Kind):
		return Verified
	case slices.Contains(part, t.Kind):
		return Partially
	}
	return NotSeenYet
}

// attributesMended compares the fields that contradicted each other then and
// now. That the object has gone is what was to be seen when the answer was
// that it had.
func (t *Task) attributesMended() Seen {
	switch t.Kind {
	case match.Identical, match.Moved:
		return Verified
	case match.ClosedInOSM, match.OnlyOpenData:
		if t.judged == "gone" || t.first == "gone" {
			return Verified
		}
	case match.AttributesDiffer:
		still := 0
		now := t.conflictFields()
		for _, f := range t.fields {
			if slices.Contains(now, f) {
				still++
			}
		}
		switch still {
		case 0:
			return Verified
		case len(t.fields):
			return NotSeenYet
		}
		return Partially
	}
	return NotSeenYet
}

// changedInOSM tells whether the object is another one, of a later version, or
// no more. An extract without versions is believed when the outcome changed.
func (t *Task) changedInOSM() bool {
	switch {
	case t.OSM != "" && t.OSM != t.askedOSM:
		return true
	case t.askedOSM == "":
		return false
	case !t.there:
		return true
	case t.version == nil || t.OSMVersion == 0:
		return t.stale()
	}
	return *t.version > t.OSMVersion
}
