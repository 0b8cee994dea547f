package format

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// A charset is a single-byte encoding of French text, beside UTF-8.
type charset struct {
	name   string
	runes  [256]rune   // utf8.RuneError where undefined
	text   [256]string // the same as UTF-8
	weight [256]int    // how French the character is
	class  [256]letterClass
}

// A letterClass tells how a character fits between its neighbours.
type letterClass uint8

const (
	sign       letterClass = iota
	apostrophe             // a sign that may stand inside words
	lower
	final     // à, ù: small letters that end words
	diaeresis // ë, ï, ü: small letters that follow vowels
	upper
)

func (c letterClass) small() bool { return c >= lower && c <= diaeresis }

// The encodings that French files come in. ISO-8859-1 and -15 are read as
// cp1252: files that declare them use its apostrophes, euro and œ.
var (
	cp1252   = newCharset("cp1252", charmap.Windows1252)
	cp850    = newCharset("cp850", charmap.CodePage850)
	macRoman = newCharset("mac", charmap.Macintosh)
	charsets = []*charset{cp1252, cp850, macRoman}
)

func newCharset(name string, m *charmap.Charmap) *charset {
	c := &charset{name: name}
	for i := range 256 {
		c.runes[i] = m.DecodeByte(byte(i))
		if c.runes[i] >= 0x80 && c.runes[i] < 0xA0 { // C1 controls: no text has them
			c.runes[i] = utf8.RuneError
		}
		c.text[i] = string(c.runes[i])
		c.weight[i], c.class[i] = weigh(c.runes[i])
	}
	return c
}

// weigh gives how much a character speaks for a decoding in which it appears,
// and its class. Undefined bytes speak against it most.
func weigh(r rune) (int, letterClass) {
	class := sign
	switch {
	case r == 'à' || r == 'ù':
		class = final
	case r == 'ë' || r == 'ï' || r == 'ü':
		class = diaeresis
	case unicode.IsUpper(r):
		class = upper
	case unicode.IsLetter(r):
		class = lower
	case r == '’' || r == '·':
		class = apostrophe
	}
	w, known := frenchWeight[r]
	switch {
	case r == utf8.RuneError:
		w = -20
	case known:
	case class >= lower:
		w = -1 // Spanish, Nordic: possible, rare
	default:
		w = -6
	}
	return w, class
}

// charsetNamed gives the charset that a name, a code page number or the content
// of a .cpg means; nil with true for UTF-8, nil with false for what is unknown.
func charsetNamed(s string) (*charset, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	s = strings.NewReplacer(" ", "", "-", "", "_", "", ":", "").Replace(s)
	switch s {
	case "utf8", "65001", "utf8bom", "unicodeutf8":
		return nil, true
	case "cp1252", "1252", "ansi1252", "windows1252", "win1252", "ansi", "iso88591", "88591", "8859-1", "latin1", "l1",
		"iso885915", "885915", "latin9", "ldid/87", "ldid87", "system":
		return cp1252, true
	case "cp850", "850", "oem850", "oem", "ibm850", "dos", "437", "cp437", "oem437":
		return cp850, true
	case "mac", "macroman", "macintosh", "10000", "xmacroman":
		return macRoman, true
	}
	return nil, false
}

// charsetOfLDID gives the charset hinted by byte 29 of a DBF, nil for none.
func charsetOfLDID(b byte) *charset {
	switch b {
	case 0x01, 0x02, 0x0D, 0x0F, 0x11, 0x17, 0x19, 0x1C, 0x24, 0x25, 0x37:
		return cp850
	case 0x03, 0x57, 0x58, 0x59:
		return cp1252
	case 0x04:
		return macRoman
	}
	return nil
}

// A verdict gathers what the values of a file say about its encoding.
type verdict struct {
	utf8, single int // values that are not ASCII: valid UTF-8, not valid
	cut, maybe   int // of single: valid UTF-8 but for a last character cut short, other accents before it or not
	scores       [3]int
}

// add weighs one value.
func (v *verdict) add(b []byte) {
	if isASCII(b) {
		return
	}
	if utf8.Valid(b) {
		v.utf8++
		return
	}
	v.single++
	if n := cutTail(b); n > 0 && utf8.Valid(b[:len(b)-n]) {
		if !isASCII(b[:len(b)-n]) {
			v.cut++
			return // UTF-8 cut at the width: no evidence for a single-byte charset
		}
		v.maybe++
	}
	for i, c := range charsets {
		v.scores[i] += c.score(b)
	}
}

// choose gives the charset of the values that are not UTF-8. The hint decides
// between equals.
func (v *verdict) choose(hint *charset) *charset {
	best := -1
	for i, c := range charsets {
		s := v.scores[i]
		if c == hint {
			s += 3
		}
		if best < 0 || s > v.scores[best]+bonus(charsets[best], hint) {
			best = i
		}
	}
	return charsets[best]
}

func bonus(c, hint *charset) int {
	if c == hint {
		return 3
	}
	return 0
}

// mostlyUTF8 reports whether the values that are not ASCII are UTF-8 in the
// main, those with a cut last character counted with it.
func (v *verdict) mostlyUTF8() bool { return v.utf8 > 0 && v.utf8 >= v.single-v.cut-v.maybe }

// name says how the file is encoded.
func (v *verdict) name(c *charset) string {
	switch {
	case v.single == v.cut || (v.single == v.cut+v.maybe && v.mostlyUTF8()):
		return "utf-8"
	case v.utf8 > 0:
		return "utf-8 + " + c.name
	}
	return c.name
}

// frenchWeight is how much a character speaks for a decoding in which it
// appears. The order follows the frequency of French letters.
var frenchWeight = func() map[rune]int {
	m := map[rune]int{'é': 10, 'è': 7, 'ê': 6, 'à': 7, 'ç': 6, 'É': 7, 'È': 5, 'Ê': 5, 'À': 4, 'Ç': 4, '’': 5, '°': 4}
	for _, r := range "âîôûùïëüœÿ" {
		m[r] = 5
	}
	for _, r := range "ÂÎÔÛÙÏËÜŒ" {
		m[r] = 4
	}
	for _, r := range "«»€–—…“”‘²³½ºª\u00a0·•§æ" {
		m[r] = 2
	}
	return m
}()

// score says how French the bytes look when decoded: the letters of the
// language speak for it, capitals inside small words, signs inside words and
// undefined bytes against.
func (c *charset) score(b []byte) int {
	s := 0
	for i, x := range b {
		if x >= 0x80 {
			s += c.weight[x] - c.misfit(b, i)
		}
	}
	return s
}

// misfit is the penalty of a character that its neighbours contradict.
func (c *charset) misfit(b []byte, i int) int {
	prev, next := sign, sign
	if i > 0 {
		prev = c.class[b[i-1]]
	}
	if i+1 < len(b) {
		next = c.class[b[i+1]]
	}
	class := c.class[b[i]]
	switch {
	case class == sign && prev >= lower && next >= lower && c.runes[b[i]] != utf8.RuneError:
		return 10
	case class == upper && (prev.small() || next.small() && prev == upper):
		return 14
	case class.small() && prev == upper && next == upper:
		return 10
	case class == final && next >= lower:
		return 4
	case class == diaeresis && (i == 0 || !strings.ContainsRune("aeiouéAEIOU", c.runes[b[i-1]])):
		return 4
	}
	return 0
}

// isASCII reports whether no byte has its high bit set.
func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if (b[0]|b[1]|b[2]|b[3]|b[4]|b[5]|b[6]|b[7])&0x80 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

// cutTail gives the number of bytes at the end that begin a UTF-8 character
// without finishing it; 0 for none.
func cutTail(b []byte) int {
	for n := 1; n <= 3 && n <= len(b); n++ {
		c := b[len(b)-n]
		if c < 0x80 {
			return 0
		}
		if c >= 0xC0 {
			want := 2
			if c >= 0xE0 {
				want = 3
			}
			if c >= 0xF0 {
				want = 4
			}
			if n < want {
				return n
			}
			return 0
		}
	}
	return 0
}

// A decoder turns the bytes of a file's text into UTF-8, value by value.
type decoder struct {
	single *charset // of values that are not valid UTF-8
	utf8   bool     // the file is UTF-8 in the main, so a cut tail is UTF-8
	forced bool     // a person said the encoding: single is used even for valid UTF-8
}

// Defects that decoding may find in a value.
const (
	textCut  = 1 << iota // a character cut at the field's width was left out
	textLost             // undefined bytes became U+FFFD, or the file already had it
)

// appendText appends the value as UTF-8. Full means that the value fills its
// field, so that its last character may be cut.
func (d *decoder) appendText(dst, b []byte, full bool) ([]byte, int) {
	if isASCII(b) {
		return append(dst, b...), 0
	}
	if !d.forced || d.single == nil {
		if utf8.Valid(b) {
			return append(dst, b...), lost(b)
		}
		if n := cutTail(b); n > 0 && full && utf8.Valid(b[:len(b)-n]) && (d.utf8 || !isASCII(b[:len(b)-n])) {
			return append(dst, b[:len(b)-n]...), textCut
		}
	}
	if d.single == nil {
		return append(dst, strings.ToValidUTF8(string(b), "\uFFFD")...), textLost
	}
	flags := 0
	for _, c := range b {
		if c < 0x80 {
			dst = append(dst, c)
			continue
		}
		if d.single.runes[c] == utf8.RuneError {
			flags |= textLost
		}
		dst = append(dst, d.single.text[c]...)
	}
	return dst, flags
}

func lost(b []byte) int {
	for i := 0; i+2 < len(b); i++ {
		if b[i] == 0xEF && b[i+1] == 0xBF && b[i+2] == 0xBD {
			return textLost
		}
	}
	return 0
}
