package geo

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// phoneFigures is how many figures in a row are taken for a telephone number:
// a French one has ten, without its first 0 nine, an Italian one from eight on.
const phoneFigures = 8

// HasPhone reports whether a text holds a telephone number, whatever its
// country and however its figures are grouped or written. Dates and spans of
// years are none; what is in doubt is taken for one, because whoever types can
// put it otherwise.
func HasPhone(s string) bool {
	run, gap := 0, 0
	for _, r := range withoutDates(figures(s)) {
		switch {
		case r >= '0' && r <= '9':
			run, gap = run+1, 0
			if run >= phoneFigures {
				return true
			}
		case strings.ContainsRune(between, r) && gap < 3:
			gap++
		default:
			run, gap = 0, 0
		}
	}
	return false
}

// between are what people put between the figures of a number. Colons are not:
// they are in opening hours.
const between = " .-/()_+*|'’•·–—~"

// figures writes a text's figures as 0 to 9, its spaces as one kind, and leaves
// out what is seen as nothing or belongs to the figure before.
func figures(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u20e3' || unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Cf, r):
			return -1 // keycaps, marks, joiners
		case unicode.IsSpace(r):
			return ' '
		case r < utf8.RuneSelf || !unicode.IsDigit(r):
			return r
		}
		// The figures of every script are ten in a row.
		for zero := r; ; zero-- {
			if !unicode.IsDigit(zero-1) || r-zero == 9 {
				return '0' + (r - zero)
			}
		}
	}, s)
}

var dates = []*regexp.Regexp{
	regexp.MustCompile(`(?:19|20)\d\d ?[-/.] ?(?:1[0-2]|0?[1-9]) ?[-/.] ?(?:3[01]|[12]\d|0?[1-9])`),
	regexp.MustCompile(`(?:3[01]|[12]\d|0?[1-9]) ?[-/.] ?(?:1[0-2]|0?[1-9]) ?[-/.] ?(?:19|20)\d\d`),
	regexp.MustCompile(`(?:19|20)\d\d ?(?:[-/–]|à|a) ?(?:19|20)\d\d`),
}

// withoutDates takes out dates and spans of years that stand alone: with other
// figures on either side, they are part of a number.
func withoutDates(s string) string {
	for _, d := range dates {
		s = cutAlone(s, d)
	}
	return s
}

func cutAlone(s string, pattern *regexp.Regexp) string {
	var b strings.Builder
	last := 0
	for _, at := range pattern.FindAllStringIndex(s, -1) {
		left := strings.TrimRight(s[:at[0]], between)
		right := strings.TrimLeft(s[at[1]:], between)
		if endsInFigure(left) || right != "" && right[0] >= '0' && right[0] <= '9' {
			continue
		}
		b.WriteString(s[last:at[0]] + ",")
		last = at[1]
	}
	return b.String() + s[last:]
}

func endsInFigure(s string) bool {
	return s != "" && s[len(s)-1] >= '0' && s[len(s)-1] <= '9'
}

// mailAddress is an address of mail, also as people write one to hide it.
var mailAddress = regexp.MustCompile(`(?i)[\pL\pN._%+-]+(?:` +
	`\s*(?:[@＠﹫]|[(\[{<]\s*(?:at|@|arobase?|chez|chiocciola)\s*[)\]}>])\s*|\s+(?:arobase?|arobas|chiocciola)\s+|\s+at\s+)` +
	`(?:[\pL\pN-]+\s*(?:\.|[(\[{<]\s*(?:dot|point|punto|\.)\s*[)\]}>]|\s(?:dot|point|punto)\s)\s*)+\pL{2,}`)

// HasMail reports whether a text holds an address of mail.
func HasMail(s string) bool { return mailAddress.MatchString(s) }

// position is a coordinate in degrees: many figures, and nobody's number.
var position = regexp.MustCompile(`(?:^|[^\d.,])-?\d{1,2}[.,]\d{3,}(?:°|\b)`)

// WithoutPositions takes coordinates in degrees out of a text, before it is
// looked at for telephone numbers.
func WithoutPositions(s string) string { return position.ReplaceAllString(s, " ") }
