package workshop

import (
	"calanque/geo"
)

// A Destination is whom a file is for.
type Destination string

// The destinations.
const (
	ToOSM      Destination = "osm"
	ToProducer Destination = "producer"
)

// openLicence is the licence class whose values OpenStreetMap may take.
const openLicence = "green"

// Gate is the licence gate (design: workshops C9): nil when what is made of a
// dataset of that licence class may leave towards the destination, else a
// *geo.InputError that says why not and is geo.ErrForbidden. What is observed
// goes back to the producer whatever its licence. No waiver and no community
// agreement is on record here, so a class that needs one is refused, as is a
// class that nobody knows.
func Gate(class string, to Destination) error {
	if to == ToProducer {
		return nil
	}
	if to != ToOSM {
		return geo.Bad(geo.ErrForbidden, "exports.gate-unknown", "class", class)
	}
	switch class {
	case openLicence:
		return nil
	case "green-odbl":
		return geo.Bad(geo.ErrForbidden, "exports.gate-odbl")
	case "orange":
		return geo.Bad(geo.ErrForbidden, "exports.gate-orange")
	case closedLicence:
		return geo.Bad(geo.ErrForbidden, "exports.gate-red")
	}
	return geo.Bad(geo.ErrForbidden, "exports.gate-unknown", "class", class)
}

// passes is the provenance firewall: whether a value of that origin, told
// about a dataset of that licence class, may be written into a file for the
// destination. A producer receives what was observed and nothing else;
// OpenStreetMap receives that, and values of files whose licence lets it.
func passes(o Origin, class string, to Destination) bool {
	if Gate(class, to) != nil {
		return false
	}
	return o == Observed || o == OpenData && to == ToOSM
}
