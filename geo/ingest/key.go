package ingest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// A keyer makes the key of each record: of its key columns, else a hash of
// its content, so that the same record has the same key in the next version.
type keyer struct {
	columns []int
	hash    hash.Hash
	seen    seen
	copies  map[[16]byte]int // how often a content came again
	buf     []byte
	sum     [sha256.Size]byte
}

func newKeyer(columns []int) *keyer {
	return &keyer{columns: columns, hash: sha256.New(), copies: map[[16]byte]int{}}
}

// declared writes the key of a record from its key columns; ok is false when
// one of them is empty.
func (k *keyer) declared(values []any) (key string, ok bool) {
	if len(k.columns) == 1 {
		v := plain(values[k.columns[0]])
		return v, v != ""
	}
	parts := make([]string, len(k.columns))
	for i, c := range k.columns {
		v := plain(values[c])
		if v == "" {
			return "", false
		}
		parts[i] = keyEscapes.Replace(v)
	}
	return strings.Join(parts, ":"), true
}

// keyEscapes keep ("a:b", "c") and ("a", "b:c") apart.
var keyEscapes = strings.NewReplacer(`\`, `\\`, ":", `\:`)

// fresh tells whether a declared key is seen for the first time.
func (k *keyer) fresh(key string) bool { return k.seen.add(k.digest([]byte(key))) }

func (k *keyer) digest(b []byte) [16]byte {
	k.sum = sha256.Sum256(b)
	return [16]byte(k.sum[:16])
}

// content makes the key of a record that has none declared: 20 hexadecimal
// digits of a hash of its values and geometry, and a number for the second and
// further ones that are the same in everything.
func (k *keyer) content(values []any, geometry []byte) string {
	b := k.buf[:0]
	for _, v := range values {
		s := plain(v)
		if v == nil {
			b = append(b, 0)
			continue
		}
		b = append(b, 1)
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	b = append(b, 2)
	b = append(b, geometry...)
	k.buf = b
	sum := k.digest(b)
	key := hex.EncodeToString(sum[:10])
	if k.seen.add(sum) {
		return key
	}
	k.copies[sum]++
	return fmt.Sprintf("%s-%d", key, k.copies[sum]+1)
}

// seen is a set of digests: 16 bytes each in one open-addressed table, a
// third of what a map takes.
type seen struct {
	slots [][16]byte
	n     int
	zero  bool
}

// add tells whether the digest was not there.
func (s *seen) add(d [16]byte) bool {
	if d == ([16]byte{}) {
		was := s.zero
		s.zero = true
		return !was
	}
	if 4*(s.n+1) > 3*len(s.slots) {
		s.grow()
	}
	if !s.insert(d) {
		return false
	}
	s.n++
	return true
}

func (s *seen) insert(d [16]byte) bool {
	mask := uint64(len(s.slots) - 1)
	for i := binary.LittleEndian.Uint64(d[:]) & mask; ; i = (i + 1) & mask {
		if s.slots[i] == d {
			return false
		}
		if s.slots[i] == ([16]byte{}) {
			s.slots[i] = d
			return true
		}
	}
}

func (s *seen) grow() {
	old := s.slots
	s.slots = make([][16]byte, max(1024, 2*len(old)))
	for _, d := range old {
		if d != ([16]byte{}) {
			s.insert(d)
		}
	}
}
