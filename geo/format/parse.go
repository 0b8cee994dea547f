package format

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"
)

// parseInt reads an optional sign and digits; false for anything else and for
// what int64 does not hold.
func parseInt(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > 19 {
		return 0, false
	}
	neg := false
	if b[0] == '-' || b[0] == '+' {
		neg = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 || len(b) > 18 {
		return 0, false
	}
	var n int64
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}

var powersOfTen = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// parseFloat reads a decimal number with a point or a comma, correctly rounded.
// Infinities and NaN are refused.
func parseFloat(b []byte) (float64, bool) {
	i, neg := 0, false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		i = 1
	}
	var m uint64
	digits, decimals, comma := 0, -1, false
	for ; i < len(b); i++ {
		c := b[i]
		switch {
		case c >= '0' && c <= '9':
			if digits++; digits > 18 {
				return slowFloat(b)
			}
			m = m*10 + uint64(c-'0')
			if decimals >= 0 {
				decimals++
			}
		case (c == '.' || c == ',') && decimals < 0:
			decimals, comma = 0, c == ','
		default:
			return slowFloat(b)
		}
	}
	if digits == 0 {
		return 0, false
	}
	if m > 1<<53 || decimals > 22 {
		if comma {
			return slowFloat(b)
		}
		f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
		return f, err == nil
	}
	f := float64(m) // exact, and so is the power of ten: one rounding
	if decimals > 0 {
		f /= powersOfTen[decimals]
	}
	if neg {
		f = -f
	}
	return f, true
}

func slowFloat(b []byte) (float64, bool) {
	s := strings.Replace(string(b), ",", ".", 1)
	if s == "" || strings.ContainsAny(s, "xXpP_nN") || strings.Count(s, ".") > 1 {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsInf(f, 0)
}

// ParseNumber reads a number as French files write it: decimal point or comma,
// thousands parted by a space, a no-break space or a narrow one, a sign. It
// refuses what has anything else in it, a unit or a percent sign included.
func ParseNumber(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return 0, false
	}
	if strings.ContainsAny(s, " \u00a0\u202f\u2009") {
		var ok bool
		if s, ok = joinThousands(s); !ok {
			return 0, false
		}
	}
	s = strings.Replace(s, "\u2212", "-", 1)
	if strings.Contains(s, ",") && strings.Contains(s, ".") { // 1,234.5 or 1.234,5: cannot be told apart safely
		return 0, false
	}
	return parseFloat([]byte(s))
}

// joinThousands takes out the spaces of a number whose groups have three
// digits; false for others, which are two numbers or none.
func joinThousands(s string) (string, bool) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || r == '\u00a0' || r == '\u202f' || r == '\u2009' })
	if len(parts) < 2 {
		return "", false
	}
	for i, p := range parts[1:] {
		if i == len(parts)-2 {
			p, _, _ = strings.Cut(strings.ReplaceAll(p, ".", ","), ",")
		}
		if len(p) != 3 || strings.Trim(p, "0123456789") != "" {
			return "", false
		}
	}
	if first := strings.TrimLeft(parts[0], "+-\u2212"); first == "" || len(first) > 3 {
		return "", false
	}
	return strings.Join(parts, ""), true
}

// ParseInteger reads a whole number as ParseNumber does, within ±2^53; a
// decimal part of zeros is allowed.
func ParseInteger(s string) (int64, bool) {
	f, ok := ParseNumber(s)
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// ParseBool reads oui/non, vrai/faux, true/false, yes/no, o/n, t/f, in any
// case. Digits are numbers, not booleans.
func ParseBool(s string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "oui", "vrai", "true", "yes", "o", "t", "y", "v", "sì", "si":
		return true, true
	case "non", "faux", "false", "no", "n", "f":
		return false, true
	}
	return false, false
}

// ParseDate reads a date or a date with a time: 2021-03-28, 28/03/2021,
// 28-03-2021, 28.03.2021, 28/03/21, 20210328 excepted (a number), each with
// 14:05, 14:05:09, 14h05, T, fractions, Z or an offset. Clock reports whether
// there was a time of day. A time without offset is given in UTC: the reader
// knows the zone. Impossible days are refused; so is a bare number.
func ParseDate(s string) (t time.Time, clock, ok bool) {
	s = strings.TrimSpace(s)
	day, rest := s, ""
	if i := strings.IndexAny(s, " T\u00a0"); i > 0 {
		day, rest = s[:i], strings.TrimLeft(s[i:], " T\u00a0")
	}
	t, ok = parseDay(day)
	if !ok || rest == "" {
		return t, false, ok
	}
	d, ok := parseClock(rest)
	if !ok {
		return time.Time{}, false, false
	}
	return t.Add(d), true, true
}

func parseDay(s string) (time.Time, bool) {
	sep := strings.IndexAny(s, "-/.")
	if sep < 1 || sep > 4 {
		return time.Time{}, false
	}
	parts := strings.Split(s, s[sep:sep+1])
	if len(parts) != 3 {
		return time.Time{}, false
	}
	var n [3]int
	for i, p := range parts {
		v, ok := parseInt([]byte(p))
		if !ok || p[0] == '-' || p[0] == '+' || len(p) > 4 || len(p) == 3 {
			return time.Time{}, false
		}
		n[i] = int(v)
	}
	switch {
	case len(parts[0]) == 4 && len(parts[1]) <= 2 && len(parts[2]) <= 2:
		return date(n[0], n[1], n[2])
	case len(parts[0]) > 2 || len(parts[1]) > 2:
		return time.Time{}, false
	case len(parts[2]) == 4:
		return date(n[2], n[1], n[0])
	case len(parts[2]) == 2 && len(parts[0]) == 2 && len(parts[1]) == 2:
		year := 2000 + n[2]
		if n[2] >= 70 {
			year = 1900 + n[2]
		}
		return date(year, n[1], n[0])
	}
	return time.Time{}, false
}

// date gives the day at midnight UTC, refusing the 31st of April.
func date(y, m, d int) (time.Time, bool) {
	if y < 1 || m < 1 || m > 12 || d < 1 || d > 31 {
		return time.Time{}, false
	}
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return t, t.Day() == d
}

// parseClock reads a time of day with an optional offset, which is subtracted.
func parseClock(s string) (time.Duration, bool) {
	var offset time.Duration
	if strings.HasSuffix(s, "Z") || strings.HasSuffix(s, "z") {
		s = s[:len(s)-1]
	} else if i := strings.LastIndexAny(s, "+-"); i > 0 {
		o, ok := parseOffset(s[i+1:])
		if !ok {
			return 0, false
		}
		if offset = o; s[i] == '-' {
			offset = -o
		}
		s = strings.TrimSpace(s[:i])
	}
	s = strings.Replace(strings.Replace(s, "h", ":", 1), "H", ":", 1)
	s = strings.TrimSuffix(s, ":")
	s, frac, _ := strings.Cut(strings.Replace(s, ",", ".", 1), ".")
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0, false
	}
	var n [3]int64
	for i, p := range parts {
		v, ok := parseInt([]byte(p))
		if !ok || len(p) > 2 || p[0] == '-' || p[0] == '+' {
			return 0, false
		}
		n[i] = v
	}
	if n[0] > 24 || n[1] > 59 || n[2] > 60 || (n[0] == 24 && n[1]+n[2] > 0) {
		return 0, false
	}
	d := time.Duration(n[0])*time.Hour + time.Duration(n[1])*time.Minute + time.Duration(n[2])*time.Second
	if frac != "" {
		f, ok := parseFloat([]byte("0." + frac))
		if !ok {
			return 0, false
		}
		d += time.Duration(math.Round(f * 1e9))
	}
	return d - offset, true
}

func parseOffset(s string) (time.Duration, bool) {
	s = strings.Replace(s, ":", "", 1)
	n, ok := parseInt([]byte(s))
	if !ok || n < 0 || (len(s) != 2 && len(s) != 4) {
		return 0, false
	}
	if len(s) == 2 {
		n *= 100
	}
	if n > 1459 || n%100 > 59 {
		return 0, false
	}
	return time.Duration(n/100)*time.Hour + time.Duration(n%100)*time.Minute, true
}
