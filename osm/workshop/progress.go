package workshop

import "calanque/geo"

// Progress is the state of a session in numbers.
type Progress struct {
	Tasks    int // without the practice task
	Answered int // with an answer that counts, or a verdict
	Left     int
	ToVerify int // answered, not seen in OSM yet
	Doubtful int // for the second reading
	// What the answers say, for the wall: the file and OSM agree with the
	// place; they differ; OSM lacked it.
	Same, Differs, Missing int
	Seen                   map[Seen]int
	People                 int
	Cells                  []CellProgress
	Groups                 []GroupProgress
}

// CellProgress is how far a cell is.
type CellProgress struct {
	Number   int
	Sign     Sign
	Area     []byte // GeoJSON
	Box      geo.Box
	Tasks    int
	Answered int
	Sheet    bool // held by a sheet on paper
}

// GroupProgress is how far a group is. People is how many have joined.
type GroupProgress struct {
	Sign     Sign
	People   int
	Tasks    int
	Answered int
}
