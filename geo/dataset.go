package geo

import "time"

// Identities in the database. They are distinct types so that one can't be
// passed for another.
type (
	DatasetID int64
	VersionID int64
	LayerID   int64
	RuleID    int64
)

// A Producer is an organisation that makes datasets: CRIGE, AtmoSud, a park.
type Producer struct {
	ID      string // "crige"
	Title   Text
	Contact map[string]string // "url", "email"; may be nil
}

// A Licence says what may be done with a dataset.
type Licence struct {
	ID    string // "lo-2.0", "odbl-1.0"
	Title Text
	URL   string
	Class LicenceClass
}

// A LicenceClass says what a licence allows towards OpenStreetMap.
type LicenceClass string

// The classes, from the freest to the closed one.
const (
	Green     LicenceClass = "green"      // values may be copied into OSM, source cited
	GreenODbL LicenceClass = "green-odbl" // likewise, share-alike
	Orange    LicenceClass = "orange"     // only with the producer's written consent
	Red       LicenceClass = "red"        // never
)

// A Life is how the rows of a layer change (architecture, rule 1).
type Life string

// The three lives of a layer. All layers of a dataset share one.
const (
	Snapshot Life = "snapshot" // immutable versions, published by moving one pointer
	Series   Life = "series"   // one row per key and time, upserted, partitioned by month
	Live     Life = "live"     // rows change in place: OSM, outcomes
)

// A Dataset is what a producer delivers; its layers are what the hub serves.
type Dataset struct {
	ID        DatasetID
	Slug      string // "points-eau": lower case, digits and hyphens
	Producer  string
	Licence   string
	Title     Text
	Published *Version // nil before the first publication
	Retired   bool     // by apply --prune: data kept, not served
}

// A Version is one delivery of a dataset.
type Version struct {
	ID        VersionID
	Number    int
	Published time.Time
}
