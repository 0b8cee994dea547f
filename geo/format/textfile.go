package format

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"unicode/utf16"
	"unicode/utf8"
)

// A textFile reads a text file as bytes of an eight-bit encoding: UTF-16 is
// turned into UTF-8, a byte order mark is taken off.
type textFile struct {
	io.Reader
	f     *os.File
	utf16 bool
	bom   bool
}

func openText(path string, forceUTF16 bool) (*textFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	t := &textFile{f: f}
	br := bufio.NewReaderSize(f, 256<<10)
	head, _ := br.Peek(512)
	switch {
	case bytes.HasPrefix(head, []byte("\xEF\xBB\xBF")):
		t.bom = true
		_, err = br.Discard(3)
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("\xFE\xFF")):
		t.bom, t.utf16 = true, true
		_, err = br.Discard(2)
	case forceUTF16 || zeros(head, 1) > len(head)/4 || zeros(head, 0) > len(head)/4:
		t.utf16 = true
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	t.Reader = br
	if t.utf16 {
		big := bytes.HasPrefix(head, []byte("\xFE\xFF")) || (!t.bom && zeros(head, 0) > zeros(head, 1))
		t.Reader = &utf16Reader{r: br, big: big}
	}
	return t, nil
}

func (t *textFile) Close() error { return t.f.Close() }

// zeros counts the NUL bytes at even (0) or odd (1) places: UTF-16 text without
// a mark has one beside nearly every letter.
func zeros(b []byte, from int) int {
	n := 0
	for i := from; i < len(b); i += 2 {
		if b[i] == 0 {
			n++
		}
	}
	return n
}

// A utf16Reader gives UTF-8.
type utf16Reader struct {
	r   *bufio.Reader
	big bool
	out []byte // not yet given
	err error
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	if len(u.out) == 0 {
		u.fill()
	}
	n := copy(p, u.out)
	u.out = u.out[n:]
	if n == 0 {
		return 0, u.err
	}
	return n, nil
}

func (u *utf16Reader) fill() {
	u.out = u.out[:0:0]
	for u.err == nil && len(u.out) < 32<<10 {
		r := rune(u.unit())
		if u.err != nil {
			return
		}
		if utf16.IsSurrogate(r) {
			low := rune(u.unit())
			if u.err == io.EOF {
				low = 0
			}
			r = utf16.DecodeRune(r, low)
		}
		u.out = utf8.AppendRune(u.out, r)
	}
}

func (u *utf16Reader) unit() uint16 {
	a, err := u.r.ReadByte()
	if err != nil {
		u.err = err
		return 0
	}
	b, err := u.r.ReadByte()
	if err != nil { // an odd byte at the end
		u.err = io.EOF
		return 0
	}
	if u.big {
		return uint16(a)<<8 | uint16(b)
	}
	return uint16(b)<<8 | uint16(a)
}
