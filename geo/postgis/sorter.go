package postgis

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
)

// sorterMemory is how many bytes of rows a sorter holds before it spills.
const sorterMemory = 32 << 20

// A sorter orders encoded rows by a number, equal ones as they came, in
// bounded memory: what does not fit is written to a temporary file in sorted
// runs and merged.
type sorter struct {
	limit int
	arena []byte
	index []sorted
	seq   uint64
	file  *os.File
	runs  []run
	size  int64 // of the file
}

type sorted struct {
	place  uint32 // what rows are sorted by
	length uint32
	offset int
	seq    uint64
}

type run struct{ from, to int64 }

// add keeps a copy of the row. The tag comes back with it.
func (s *sorter) add(place uint32, row []byte) error {
	if len(s.arena)+len(row) > s.limit && len(s.arena) > 0 {
		if err := s.spill(); err != nil {
			return err
		}
	}
	if len(s.index) == 1<<12 && cap(s.arena) < s.limit { // no small file: growing by doubling would hold twice as much
		s.arena = slices.Grow(s.arena, s.limit-len(s.arena))
	}
	s.index = append(s.index, sorted{place: place, length: uint32(len(row)), offset: len(s.arena), seq: s.seq})
	s.arena = append(s.arena, row...)
	s.seq++
	return nil
}

func (s *sorter) sort() {
	slices.SortFunc(s.index, func(a, b sorted) int {
		if c := cmp.Compare(a.place, b.place); c != 0 {
			return c
		}
		return cmp.Compare(a.seq, b.seq)
	})
}

func (s *sorter) spill() error {
	if s.file == nil {
		f, err := os.CreateTemp("", "calanque-sort-*")
		if err != nil {
			return fmt.Errorf("make a temporary file to sort in: %w", err)
		}
		// The name goes at once: nothing is left behind whatever happens.
		if err := os.Remove(f.Name()); err != nil {
			return fmt.Errorf("unlink a temporary file: %w", err)
		}
		s.file = f
	}
	s.sort()
	w := bufio.NewWriterSize(s.file, 1<<20)
	from := s.size
	var head [16]byte
	for _, e := range s.index {
		binary.LittleEndian.PutUint32(head[0:], e.place)
		binary.LittleEndian.PutUint32(head[4:], e.length)
		binary.LittleEndian.PutUint64(head[8:], e.seq)
		if _, err := w.Write(head[:]); err != nil {
			return fmt.Errorf("write sorted rows: %w", err)
		}
		if _, err := w.Write(s.arena[e.offset : e.offset+int(e.length)]); err != nil {
			return fmt.Errorf("write sorted rows: %w", err)
		}
		s.size += 16 + int64(e.length)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write sorted rows: %w", err)
	}
	s.runs = append(s.runs, run{from, s.size})
	s.arena, s.index = s.arena[:0], s.index[:0]
	return nil
}

// each calls fn with all rows in order; seq is 0 for the first row added. The
// row is valid during the call.
func (s *sorter) each(fn func(row []byte, seq uint64) error) error {
	s.sort()
	if len(s.runs) == 0 {
		for _, e := range s.index {
			if err := fn(s.arena[e.offset:e.offset+int(e.length)], e.seq); err != nil {
				return err
			}
		}
		return nil
	}
	return s.merge(fn)
}

func (s *sorter) merge(fn func(row []byte, seq uint64) error) error {
	var h cursors
	for _, r := range s.runs {
		h = append(h, &cursor{r: bufio.NewReaderSize(io.NewSectionReader(s.file, r.from, r.to-r.from), 256<<10)})
	}
	h = append(h, &cursor{s: s})
	live := h[:0]
	for _, c := range h {
		ok, err := c.next()
		if err != nil {
			return err
		}
		if ok {
			live = append(live, c)
		}
	}
	h = live
	heap.Init(&h)
	for len(h) > 0 {
		c := h[0]
		if err := fn(c.row, c.seq); err != nil {
			return err
		}
		ok, err := c.next()
		if err != nil {
			return err
		}
		if ok {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return nil
}

// close frees the temporary file.
func (s *sorter) close() {
	if s.file != nil {
		_ = s.file.Close()
	}
	*s = sorter{}
}

// A cursor walks one sorted run: in the file, or what is still in memory.
type cursor struct {
	r     *bufio.Reader
	s     *sorter
	at    int
	place uint32
	seq   uint64
	row   []byte
}

func (c *cursor) next() (bool, error) {
	if c.r == nil {
		if c.at == len(c.s.index) {
			return false, nil
		}
		e := c.s.index[c.at]
		c.at++
		c.place, c.seq, c.row = e.place, e.seq, c.s.arena[e.offset:e.offset+int(e.length)]
		return true, nil
	}
	var head [16]byte
	if _, err := io.ReadFull(c.r, head[:]); err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("read sorted rows: %w", err)
	}
	c.place = binary.LittleEndian.Uint32(head[0:])
	c.seq = binary.LittleEndian.Uint64(head[8:])
	n := int(binary.LittleEndian.Uint32(head[4:]))
	c.row = slices.Grow(c.row[:0], n)[:n]
	if _, err := io.ReadFull(c.r, c.row); err != nil {
		return false, fmt.Errorf("read sorted rows: %w", err)
	}
	return true, nil
}

type cursors []*cursor

func (h cursors) Len() int { return len(h) }
func (h cursors) Less(i, j int) bool {
	if h[i].place != h[j].place {
		return h[i].place < h[j].place
	}
	return h[i].seq < h[j].seq
}
func (h cursors) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *cursors) Push(x any)   { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	old := *h
	c := old[len(old)-1]
	*h = old[:len(old)-1]
	return c
}
