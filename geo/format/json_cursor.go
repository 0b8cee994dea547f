package format

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// A cursor reads one JSON value held in memory. A mistake sets bad, after which
// everything ends.
type cursor struct {
	b   []byte
	i   int
	bad bool
}

func (c *cursor) space() {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\t', '\r', '\n':
			c.i++
		default:
			return
		}
	}
}

// peek gives the next byte that is no white space, 0 at the end.
func (c *cursor) peek() byte {
	c.space()
	if c.bad || c.i >= len(c.b) {
		return 0
	}
	return c.b[c.i]
}

// enter consumes an opening bracket; false, and bad, for anything else.
func (c *cursor) enter(open byte) bool {
	if c.peek() != open {
		c.bad = true
		return false
	}
	c.i++
	return true
}

// next tells whether another element follows, consuming commas and the closing
// bracket. First is true before the first element.
func (c *cursor) next(closing byte, first bool) bool {
	switch b := c.peek(); {
	case b == closing:
		c.i++
		return false
	case b == 0:
		c.bad = true
		return false
	case first:
		return true
	case b == ',':
		c.i++
		if c.peek() == closing { // a comma too many
			c.i++
			return false
		}
		return c.peek() != 0
	}
	c.bad = true
	return false
}

// key reads "name": and gives the raw name.
func (c *cursor) key() []byte {
	k := c.text()
	if c.peek() != ':' {
		c.bad = true
		return nil
	}
	c.i++
	return k
}

// text reads a string and gives what stands between its quotes, escapes and all.
func (c *cursor) text() []byte {
	if c.peek() != '"' {
		c.bad = true
		return nil
	}
	c.i++
	from := c.i
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case '"':
			c.i++
			return c.b[from : c.i-1]
		case '\\':
			c.i++
		}
		c.i++
	}
	c.bad = true
	return nil
}

// skip reads any value and gives it raw.
func (c *cursor) skip() []byte {
	switch b := c.peek(); b {
	case 0:
		c.bad = true
		return nil
	case '"':
		from := c.i
		c.text()
		if c.bad {
			return nil
		}
		return c.b[from:c.i]
	case '{', '[':
		return c.skipNested()
	default:
		from := c.i
		for c.i < len(c.b) && bytes.IndexByte(scalarEnds, c.b[c.i]) < 0 {
			c.i++
		}
		if from == c.i {
			c.bad = true
		}
		return c.b[from:c.i]
	}
}

var scalarEnds = []byte(",]}[{:\" \t\r\n")

func (c *cursor) skipNested() []byte {
	from, depth := c.i, 0
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case '"':
			c.text()
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				c.i++
				return c.b[from:c.i]
			}
		}
		c.i++
	}
	c.bad = true
	return nil
}

// appendUnescaped appends the text of a raw string. Half surrogates and
// characters that no text column holds become U+FFFD; it reports whether any did.
func appendUnescaped(dst, raw []byte) ([]byte, bool) {
	damaged := false
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' || i+1 >= len(raw) {
			dst = append(dst, raw[i])
			continue
		}
		i++
		switch raw[i] {
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'u':
			r, n := unicodeEscape(raw[i+1:])
			i += n
			if r == 0 || r == utf8.RuneError {
				r, damaged = utf8.RuneError, true
			}
			dst = utf8.AppendRune(dst, r)
		default:
			dst = append(dst, raw[i])
		}
	}
	return dst, damaged
}

// unicodeEscape reads what follows \u, with the second half of a pair, and
// tells how many bytes that took.
func unicodeEscape(b []byte) (rune, int) {
	r, ok := hex4(b)
	if !ok {
		return utf8.RuneError, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 4
	}
	if len(b) >= 10 && b[4] == '\\' && b[5] == 'u' {
		if low, ok := hex4(b[6:]); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, 10
			}
		}
	}
	return utf8.RuneError, 4
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		r <<= 4
		switch {
		case c >= '0' && c <= '9':
			r |= rune(c - '0')
		case c >= 'a' && c <= 'f':
			r |= rune(c - 'a' + 10)
		case c >= 'A' && c <= 'F':
			r |= rune(c - 'A' + 10)
		default:
			return 0, false
		}
	}
	return r, true
}
