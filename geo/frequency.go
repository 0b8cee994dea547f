package geo

import (
	"slices"
	"time"
)

// A Frequency is how often a dataset is said to be delivered.
type Frequency struct {
	ID string // as in catalogue files: "yearly"
	// Every is the time to the next delivery, 0 when none is due.
	Every time.Duration
	// EU is the code in the authority table "frequency" of the Publications
	// Office, which DCAT-AP asks for.
	EU string
}

const day = 24 * time.Hour

// Frequencies are all that are known, the most frequent first.
var Frequencies = []Frequency{
	{"continuous", time.Hour, "UPDATE_CONT"},
	{"hourly", time.Hour, "HOURLY"},
	{"daily", day, "DAILY"},
	{"weekly", 7 * day, "WEEKLY"},
	{"biweekly", 14 * day, "BIWEEKLY"},
	{"monthly", 31 * day, "MONTHLY"},
	{"bimonthly", 61 * day, "BIMONTHLY"},
	{"quarterly", 92 * day, "QUARTERLY"},
	{"half-yearly", 183 * day, "ANNUAL_2"},
	{"yearly", 366 * day, "ANNUAL"},
	{"biennial", 731 * day, "BIENNIAL"},
	{"triennial", 1096 * day, "TRIENNIAL"},
	{"irregular", 0, "IRREG"},
	{"once", 0, "NEVER"},
	{"unknown", 0, "UNKNOWN"},
}

// FindFrequency gives the frequency of that id; false when it is none.
func FindFrequency(id string) (Frequency, bool) {
	i := slices.IndexFunc(Frequencies, func(f Frequency) bool { return f.ID == id })
	if i < 0 {
		return Frequency{}, false
	}
	return Frequencies[i], true
}
