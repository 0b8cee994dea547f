package ingest

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// missing are what people write in a column of numbers or dates when they
// have no value. They are null there, and text in a column of text.
var missing = map[string]bool{
	"-": true, "--": true, ".": true, "n/a": true, "na": true, "n.a.": true, "#n/a": true, "nc": true, "n.c.": true, "nd": true,
	"n.d.": true, "nr": true, "null": true, "nan": true, "#ref!": true, "#valeur!": true, "#value!": true, "#div/0!": true, "s/o": true, "?": true,
}

func isMissing(s string) bool { return len(s) <= 8 && missing[strings.ToLower(s)] }

// spaces that French numbers are grouped with.
var groupSpaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ")

// parseInteger reads "1234", "-5", "1 234 567". What has a leading zero or a
// plus sign is a code, not a number.
func parseInteger(s string) (int64, bool) {
	if plainDigits(s) {
		if len(s) > 1 && s[0] == '0' || len(s) > 18 {
			return 0, false
		}
		var n int64
		for i := 0; i < len(s); i++ {
			n = n*10 + int64(s[i]-'0')
		}
		return n, true
	}
	t, ok := ungroup(s)
	if !ok {
		return 0, false
	}
	digits := strings.TrimPrefix(t, "-")
	if !plainDigits(digits) || len(digits) > 1 && digits[0] == '0' || len(digits) > 18 {
		return 0, false
	}
	n, err := strconv.ParseInt(t, 10, 64)
	return n, err == nil
}

func plainDigits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// ungroup takes the spaces out of a number that is grouped by three.
func ungroup(s string) (string, bool) {
	if strings.IndexByte(s, ' ') < 0 && isASCII(s) {
		return s, true
	}
	s = groupSpaces.Replace(s)
	if strings.IndexByte(s, ' ') < 0 {
		return s, true
	}
	whole, rest := s, ""
	if i := strings.IndexAny(s, ",."); i >= 0 {
		whole, rest = s[:i], s[i:]
	}
	if strings.IndexByte(rest, ' ') >= 0 {
		return "", false
	}
	groups := strings.Split(strings.TrimPrefix(whole, "-"), " ")
	for i, g := range groups {
		if !plainDigits(g) || i > 0 && len(g) != 3 || i == 0 && len(g) > 3 {
			return "", false
		}
	}
	return strings.ReplaceAll(whole, " ", "") + rest, true
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// parseReal reads a number with decimals as the French and the English write
// it: "1 234,5", "1234.5", ",5", "-0,25", "1.5E+05". A leading zero before
// another digit makes it a code.
func parseReal(s string) (float64, bool) {
	s, ok := ungroup(s)
	if !ok || s == "" {
		return 0, false
	}
	digits, point, exponent := 0, -1, -1
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' && (i == 0 || exponent == i-1):
		case c == '+' && exponent == i-1 && exponent >= 0:
		case (c == ',' || c == '.') && point < 0 && exponent < 0:
			point = i
		case (c == 'e' || c == 'E') && exponent < 0 && digits > 0 && i+1 < len(s):
			exponent = i
		default:
			return 0, false
		}
	}
	if digits == 0 {
		return 0, false
	}
	// "12E3" may be a code; a sign or a point makes it a number.
	if exponent >= 0 && point < 0 && s[exponent+1] != '+' && s[exponent+1] != '-' {
		return 0, false
	}
	abs := strings.TrimPrefix(s, "-")
	if len(abs) > 1 && abs[0] == '0' && abs[1] >= '0' && abs[1] <= '9' {
		return 0, false
	}
	if point >= 0 && s[point] == ',' {
		s = s[:point] + "." + s[point+1:]
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// parseBool reads the French and English words for yes and no.
func parseBool(s string) (value, ok bool) {
	if len(s) > 5 {
		return false, false
	}
	switch strings.ToLower(s) {
	case "oui", "vrai", "true", "yes":
		return true, true
	case "non", "faux", "false", "no":
		return false, true
	}
	return false, false
}

// A moment is a date or time as read.
type moment struct {
	t     time.Time
	clock bool // the text has a time of day
}

// A momentKind says how a text looks as a date.
type momentKind uint8

const (
	noMoment         momentKind = iota
	impossibleMoment            // it is written like a date, and there is no such day: 31/02/2014, 00/00/0000
	goodMoment
)

// parseMoment reads 14/10/2019, 14-10-2019 08:30, 2019-10-14, 2019/10/14,
// 2019-10-14T08:30:00Z and the like. Days come before months, as in France.
// A time without a zone is in the given one.
func parseMoment(s string, zone *time.Location) (moment, momentKind) {
	if len(s) < 8 || len(s) > 40 || s[0] < '0' || s[0] > '9' {
		return moment{}, noMoment
	}
	y, m, d, rest, ok := parseDay(s)
	if !ok {
		return moment{}, noMoment
	}
	h, mi, sec, nano := 0, 0, 0, 0
	clock := rest != ""
	if clock {
		if h, mi, sec, nano, zone, ok = parseClock(rest, zone); !ok {
			return moment{}, noMoment
		}
	}
	t := time.Date(y, time.Month(m), d, h, mi, sec, nano, zone)
	if t.Day() != d && h != 24 || int(m) < 1 || m > 12 || d < 1 || d > 31 || y < 1000 || h > 24 || mi > 59 || sec > 60 {
		return moment{}, impossibleMoment
	}
	return moment{t.UTC(), clock}, goodMoment
}

// The day numbers of a spreadsheet that are taken for dates: 1954 to 2064.
const firstSerial, lastSerial = 20000, 60000

// serialDay is the day that a spreadsheet's number stands for.
func serialDay(n int64) time.Time {
	return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(n))
}

// parseDay splits the day off: year, month, day and what follows.
func parseDay(s string) (y, m, d int, rest string, ok bool) {
	a, sep1, r, ok1 := number(s)
	b, sep2, r2, ok2 := number(r)
	if !ok1 || !ok2 || sep1 != sep2 || sep1 != '/' && sep1 != '-' && sep1 != '.' {
		return 0, 0, 0, "", false
	}
	first, second := len(s)-len(r)-1, len(r)-len(r2)-1
	i := 0
	for i < len(r2) && r2[i] >= '0' && r2[i] <= '9' {
		i++
	}
	if i == 0 || second > 2 || i > 4 {
		return 0, 0, 0, "", false
	}
	c, _ := strconv.Atoi(r2[:i])
	rest = r2[i:]
	switch {
	case first == 4 && i <= 2 && sep1 != '.':
		return a, b, c, rest, true
	case first <= 2 && i == 4:
		return c, b, a, rest, true
	}
	return 0, 0, 0, "", false
}

// number reads digits and the separator after them.
func number(s string) (n int, sep byte, rest string, ok bool) {
	i := 0
	for i < len(s) && i < 5 && s[i] >= '0' && s[i] <= '9' {
		n = n*10 + int(s[i]-'0')
		i++
	}
	if i == 0 || i > 4 || i >= len(s) {
		return 0, 0, "", false
	}
	return n, s[i], s[i+1:], true
}

// parseClock reads " 08:30", "T08:30:00.5Z", " 8h30", "T08:30:00+02:00".
func parseClock(s string, zone *time.Location) (h, m, sec, nano int, z *time.Location, ok bool) {
	if s[0] != ' ' && s[0] != 'T' {
		return 0, 0, 0, 0, nil, false
	}
	s = strings.TrimSpace(s[1:])
	var sep byte
	if h, sep, s, ok = number(s); !ok || sep != ':' && sep != 'h' {
		return 0, 0, 0, 0, nil, false
	}
	parts := [2]*int{&m, &sec}
	for i, p := range parts {
		n := 0
		for n < len(s) && n < 2 && s[n] >= '0' && s[n] <= '9' {
			*p = *p*10 + int(s[n]-'0')
			n++
		}
		if n == 0 {
			return 0, 0, 0, 0, nil, false
		}
		s = s[n:]
		if i == 0 {
			if s == "" || s[0] != ':' {
				break
			}
			s = s[1:]
		}
	}
	if s != "" && (s[0] == '.' || s[0] == ',') {
		n := 1
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		f, err := strconv.ParseFloat("0."+s[1:n]+"0", 64)
		if err != nil {
			return 0, 0, 0, 0, nil, false
		}
		nano, s = int(f*1e9), s[n:]
	}
	z, ok = parseZone(strings.TrimSpace(s), zone)
	return h, m, sec, nano, z, ok
}

func parseZone(s string, zone *time.Location) (*time.Location, bool) {
	switch {
	case s == "":
		return zone, true
	case s == "Z" || s == "z" || s == "UTC":
		return time.UTC, true
	case s[0] == '+' || s[0] == '-':
		for _, layout := range []string{"-07:00", "-0700", "-07"} {
			if t, err := time.Parse(layout, s); err == nil {
				_, offset := t.Zone()
				return time.FixedZone("", offset), true
			}
		}
	}
	return nil, false
}
