package osm

import "sort"

// Locations are kept in chunks, so that growing never copies or doubles.
const chunkBits = 16

// locations finds nodes by id. Nodes are added by growing id; 16 bytes a node
// and about one more for the directory.
type locations struct {
	ids   [][]int64
	where [][]location
	n     int

	shift uint    // ids with equal id>>shift lie in one stretch
	base  int64   // first id >> shift
	start []int32 // where each stretch begins; one more for the end
}

// add takes the next node; its id must be greater than the last.
func (s *locations) add(id int64, l location) {
	if s.n>>chunkBits == len(s.ids) {
		s.ids = append(s.ids, make([]int64, 0, 1<<chunkBits))
		s.where = append(s.where, make([]location, 0, 1<<chunkBits))
	}
	c := s.n >> chunkBits
	s.ids[c] = append(s.ids[c], id)
	s.where[c] = append(s.where[c], l)
	s.n++
}

func (s *locations) id(i int) int64 { return s.ids[i>>chunkBits][i&(1<<chunkBits-1)] }

func (s *locations) at(i int) location { return s.where[i>>chunkBits][i&(1<<chunkBits-1)] }

// index makes the directory once all nodes are there: about four nodes a
// stretch on average.
func (s *locations) index() {
	if s.n == 0 {
		return
	}
	first, last := s.id(0), s.id(s.n-1)
	for (last>>s.shift)-(first>>s.shift) > int64(s.n/4+16) {
		s.shift++
	}
	s.base = first >> s.shift
	s.start = make([]int32, (last>>s.shift)-s.base+2)
	next := 0
	for i := range s.n {
		for k := s.id(i)>>s.shift - s.base; int64(next) <= k; next++ {
			s.start[next] = int32(i)
		}
	}
	s.start[next] = int32(s.n)
}

// find gives the location of a node. hint is where the last one was found:
// nodes of a way often follow each other.
func (s *locations) find(id int64, hint *int) (location, bool) {
	if i := *hint + 1; i < s.n && s.id(i) == id {
		*hint = i
		return s.at(i), true
	}
	k := id>>s.shift - s.base
	if s.n == 0 || k < 0 || k >= int64(len(s.start)-1) {
		return location{}, false
	}
	from, to := int(s.start[k]), int(s.start[k+1])
	i := from + sort.Search(to-from, func(j int) bool { return s.id(from+j) >= id })
	if i == to || s.id(i) != id {
		return location{}, false
	}
	*hint = i
	return s.at(i), true
}
