package match

import (
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A comparison is one attribute side by side.
type comparison struct {
	Field  string  `json:"field"`
	Tag    string  `json:"tag"`
	Ours   string  `json:"ours"`
	Theirs string  `json:"theirs"`
	Is     verdict `json:"is"`
}

// A verdict is how two values compare.
type verdict string

const (
	equal      verdict = "equal"       // to the letter
	equivalent verdict = "equivalent"  // written in another way
	conflict   verdict = "conflict"    // they say different things
	oursOnly   verdict = "ours_only"   // OSM does not say
	theirsOnly verdict = "theirs_only" // the record does not say
	neither    verdict = "neither"
)

// compare puts the attributes of a pair side by side, the name first.
func (r *Rule) compare(rec *record, obj *object) []comparison {
	list := make([]comparison, 0, len(r.Attributes)+1)
	if r.Name != "" {
		c := comparison{Field: r.Name, Tag: "name", Ours: rec.name, Theirs: first(obj.names)}
		l, which := compareNames(rec.name, obj.names)
		switch {
		case c.Ours == "" || c.Theirs == "":
			c.Is = missing(c.Ours, c.Theirs)
		case l == nameExact:
			c.Is, c.Theirs = equal, which
		case l == nameNormalised, l == nameMissing: // "Mairie" does not contradict "Mairie de Roquebelle"
			c.Is, c.Theirs = equivalent, which
		default:
			c.Is = conflict
		}
		list = append(list, c)
	}
	for _, a := range r.Attributes {
		ours, theirs := rec.values[a.Field], a.theirs(obj.tags)
		list = append(list, comparison{a.Field, a.Tag, ours, theirs, a.compare(ours, theirs)})
	}
	return list
}

// theirs is the value of the first of the tags that is there, else what
// another tag implies.
func (a Attribute) theirs(tags map[string]string) string {
	for tag := range strings.SplitSeq(a.Tag, "|") {
		if v := tags[tag]; v != "" {
			return v
		}
	}
	for _, tag := range slices.Sorted(maps.Keys(a.Implied)) {
		if k, v, _ := strings.Cut(tag, "="); tags[k] == v {
			return a.Implied[tag]
		}
	}
	return ""
}

func missing(ours, theirs string) verdict {
	switch {
	case ours == "" && theirs == "":
		return neither
	case ours == "":
		return theirsOnly
	}
	return oursOnly
}

func (a Attribute) compare(ours, theirs string) verdict {
	if ours == "" || theirs == "" {
		return missing(ours, theirs)
	}
	if ours == theirs {
		return equal
	}
	if a.equivalent(ours, theirs) {
		return equivalent
	}
	return conflict
}

func (a Attribute) equivalent(ours, theirs string) bool {
	switch a.Type {
	case Name:
		return normalise(ours).text == normalise(theirs).text
	case Phone:
		return anyOf(theirs, func(t string) bool { return phone(ours) == phone(t) })
	case Enum:
		want, ok := a.Values[ours]
		return ok && anyOf(theirs, func(t string) bool { return t == want })
	case Number:
		x, errX := number(ours)
		y, errY := number(theirs)
		return errX == nil && errY == nil && math.Abs(x-y) <= 1e-9*max(math.Abs(x), math.Abs(y), 1)
	case Bool:
		x, okX := yes(ours)
		y, okY := yes(theirs)
		return okX && okY && x == y
	case URL:
		return address(ours) == address(theirs)
	}
	return strings.Join(split(ours), " ") == strings.Join(split(theirs), " ")
}

// anyOf tries the values of a tag that holds several, separated by semicolons.
func anyOf(tag string, same func(string) bool) bool {
	for _, v := range strings.Split(tag, ";") {
		if same(strings.TrimSpace(v)) {
			return true
		}
	}
	return false
}

// phone is a French number by its national digits: "+33 4 94 00 00 00" and
// "04.94.00.00.00" are one.
func phone(s string) string {
	digits := strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) || r == '+' {
			return r
		}
		return -1
	}, strings.ReplaceAll(s, "(0)", ""))
	for _, prefix := range []string{"+33", "0033"} {
		if rest, ok := strings.CutPrefix(digits, prefix); ok {
			return "0" + strings.TrimPrefix(rest, "0")
		}
	}
	return digits
}

// number reads a number as the French write it: decimal comma, spaces of any
// kind between thousands.
func number(s string) (float64, error) {
	plain := strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return -1
		case r == ',':
			return '.'
		}
		return r
	}, s)
	return strconv.ParseFloat(plain, 64)
}

func yes(s string) (is, ok bool) {
	switch strings.Join(split(s), " ") {
	case "oui", "yes", "true", "1", "vrai", "o", "designated":
		return true, true
	case "non", "no", "false", "0", "faux", "n":
		return false, true
	}
	return false, false
}

// address is a web address by host and path, scheme and www aside.
func address(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if !strings.Contains(s, "://") {
		s = "http://" + s
	}
	u, err := url.Parse(s)
	if err != nil {
		return s
	}
	return strings.TrimPrefix(u.Host, "www.") + strings.TrimSuffix(u.Path, "/")
}
