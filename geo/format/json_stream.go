package format

import (
	"bytes"
	"errors"
	"io"
	"regexp"
)

// A jsonStream gives one JSON value after the other as raw bytes, holding no
// more than one value in memory.
type jsonStream struct {
	r        io.Reader
	buf      []byte
	pos, end int
	line     int64 // of pos, 1-based
	offset   int64 // of buf[0] in the stream
	eof      bool
	err      error
}

// maxJSONValue bounds one feature.
const maxJSONValue = 512 << 20

var (
	errJSONSyntax = errors.New("invalid JSON")
	errJSONEnd    = io.ErrUnexpectedEOF
	errJSONSize   = errors.New("value too long")
)

func newJSONStream(r io.Reader) *jsonStream {
	return &jsonStream{r: r, buf: make([]byte, 256<<10), line: 1}
}

// more reads on, keeping the bytes from pos; false at the end of the stream.
func (s *jsonStream) more() bool {
	if s.eof || s.err != nil {
		return false
	}
	if s.pos > 0 && (s.end == len(s.buf) || s.pos == s.end) {
		copy(s.buf, s.buf[s.pos:s.end])
		s.offset += int64(s.pos)
		s.end -= s.pos
		s.pos = 0
	}
	if s.end == len(s.buf) {
		if len(s.buf) >= maxJSONValue {
			s.err = errJSONSize
			return false
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	for {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err == io.EOF {
			s.eof = true
		} else if err != nil {
			s.err = err
		}
		if n > 0 || err != nil {
			return n > 0
		}
	}
}

// skip moves on by n bytes, counting lines.
func (s *jsonStream) skip(n int) {
	s.line += int64(bytes.Count(s.buf[s.pos:s.pos+n], []byte{'\n'}))
	s.pos += n
}

// peek gives the next byte that is no white space; false at the end. The record
// separator of GeoJSON text sequences counts as white space.
func (s *jsonStream) peek() (byte, bool) {
	for {
		for i := s.pos; i < s.end; i++ {
			switch s.buf[i] {
			case ' ', '\t', '\r', '\n', 0x1E:
			default:
				s.skip(i - s.pos)
				return s.buf[s.pos], true
			}
		}
		s.skip(s.end - s.pos)
		if !s.more() {
			return 0, false
		}
	}
}

var assignment = regexp.MustCompile(`^(?:(?:var|let|const)\s+)?[A-Za-z_$][\w$]*\s*=\s*[{[]`)

// skipAssignment passes over "var couche =", which web maps put before their
// GeoJSON.
func (s *jsonStream) skipAssignment() {
	if c, ok := s.peek(); !ok || c == '{' || c == '[' {
		return
	}
	if m := assignment.Find(s.buf[s.pos:min(s.end, s.pos+512)]); m != nil {
		s.skip(len(m) - 1)
	}
}

// take consumes the byte if it comes next.
func (s *jsonStream) take(c byte) bool {
	if b, ok := s.peek(); ok && b == c {
		s.skip(1)
		return true
	}
	return false
}

// value gives the next value, whole, as raw bytes that stay valid until the
// next call. Brackets are balanced; what is between them is not checked.
func (s *jsonStream) value() ([]byte, error) {
	c, ok := s.peek()
	if !ok {
		return nil, s.fault()
	}
	n := 0 // bytes of the value seen
	var err error
	switch {
	case c == '{' || c == '[' || c == '"':
		n, err = s.balanced()
	default:
		n = s.scalar()
		if n == 0 {
			err = errJSONSyntax
		}
	}
	if err != nil {
		return nil, err
	}
	v := s.buf[s.pos : s.pos+n : s.pos+n]
	s.skip(n)
	return v, nil
}

// balanced measures an object, array or string.
func (s *jsonStream) balanced() (int, error) {
	depth, inText := 0, false
	for i := 0; ; i++ {
		if s.pos+i >= s.end && !s.more() {
			return 0, s.fault()
		}
		c := s.buf[s.pos+i]
		if inText {
			switch c {
			case '\\':
				if i++; s.pos+i >= s.end && !s.more() {
					return 0, s.fault()
				}
			case '"':
				inText = false
				if depth == 0 {
					return i + 1, nil
				}
			}
			continue
		}
		switch c {
		case '"':
			inText = true
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, nil
			}
		}
	}
}

func (s *jsonStream) scalar() int {
	for i := 0; ; i++ {
		if s.pos+i >= s.end && !s.more() {
			return i
		}
		switch s.buf[s.pos+i] {
		case ',', '}', ']', '{', '[', ':', '"', ' ', '\t', '\r', '\n', 0x1E:
			return i
		}
	}
}

func (s *jsonStream) fault() error {
	if s.err != nil {
		return s.err
	}
	return errJSONEnd
}

// near gives some of what comes next, for messages.
func (s *jsonStream) near() string {
	return plain(string(s.buf[s.pos:min(s.end, s.pos+80)]))
}
