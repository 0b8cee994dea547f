package osm

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// A spool keeps rows until all are there and they can be written in the order
// of the Hilbert curve. They lie in a file that has no name any more, so the
// system frees it however the process ends; the memory that holds it is the
// system's cache.
type spool struct {
	mu      sync.Mutex
	f       *os.File
	size    int64
	entries []entry
	extent  box
	data    []byte // the file, mapped, once sorted
}

func newSpool(dir string) (*spool, error) {
	f, err := os.CreateTemp(dir, "calanque-osm-*")
	if err != nil {
		return nil, fmt.Errorf("make a file for rows: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		f.Close()
		return nil, fmt.Errorf("make a file for rows: %w", err)
	}
	return &spool{f: f, extent: emptyBox()}, nil
}

// close frees the rows.
func (s *spool) close() {
	if s.data != nil {
		_ = unix.Munmap(s.data)
	}
	s.f.Close()
}

// take appends the rows of a batch and empties it.
func (s *spool) take(b *batch) error {
	if len(b.entries) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.f.WriteAt(b.rows, s.size); err != nil {
		return fmt.Errorf("keep rows: %w", err)
	}
	for _, e := range b.entries {
		e.at += s.size
		s.entries = append(s.entries, e)
	}
	s.size += int64(len(b.rows))
	s.extent.extend(point{b.extent.minX, b.extent.minY})
	s.extent.extend(point{b.extent.maxX, b.extent.maxY})
	b.reset()
	return nil
}

// sort puts the rows in order: along the Hilbert curve, then by their bytes,
// so that the order does not depend on which goroutine was faster.
func (s *spool) sort() error {
	if s.size == 0 {
		return nil
	}
	data, err := unix.Mmap(int(s.f.Fd()), 0, int(s.size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map rows: %w", err)
	}
	s.data = data
	slices.SortFunc(s.entries, func(a, b entry) int {
		if c := cmp.Compare(a.hilbert, b.hilbert); c != 0 {
			return c
		}
		return bytes.Compare(s.row(a), s.row(b))
	})
	return nil
}

func (s *spool) row(e entry) []byte { return s.data[e.at : e.at+int64(e.size)] }

// unsure gives the _fid of the rows whose validity is for PostGIS to tell.
func (s *spool) unsure() []int64 {
	var fids []int64
	for i, e := range s.entries {
		if e.check {
			fids = append(fids, int64(i+1))
		}
	}
	return fids
}

// A copyReader gives the rows of a sorted spool as a binary COPY. _fid counts
// them from 1.
type copyReader struct {
	s    *spool
	next int
	buf  []byte
	rest []byte
	done func(rows int) // told now and then how many rows were given
	end  bool
}

// copyHead begins every binary COPY: signature, flags, length of extension.
var copyHead = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")

// copyChunk is how many bytes of rows are made at a time.
const copyChunk = 256 << 10

func (r *copyReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		if r.end {
			return 0, io.EOF
		}
		r.fill()
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *copyReader) fill() {
	b := r.buf[:0]
	if r.next == 0 {
		b = append(b, copyHead...)
	}
	for len(b) < copyChunk && r.next < len(r.s.entries) {
		e := r.s.entries[r.next]
		r.next++
		b = append(b, 0, 8, 0, 0, 0, 8) // eight columns; the first has eight bytes
		b = binary.BigEndian.AppendUint64(b, uint64(r.next))
		b = append(b, r.s.row(e)...)
	}
	if r.next == len(r.s.entries) {
		b = append(b, 0xff, 0xff)
		r.end = true
	}
	r.buf, r.rest = b, b
	if r.done != nil {
		r.done(r.next)
	}
}
