package viewer

import (
	"fmt"

	"calanque/geo"
)

// waitIcon is the sign of an upload's state.
func waitIcon(state string) string {
	if state == "ready" {
		return "eye"
	}
	return "clock"
}

// extentText is an extent as people read one: degrees, with three decimals.
func extentText(lang string, b *geo.Box) string {
	if b == nil {
		return "–"
	}
	n := func(v float64) string { return Number(lang, float64(int(v*1000+0.5))/1000) }
	return fmt.Sprintf("%s – %s, %s – %s", n(b.MinX), n(b.MaxX), n(b.MinY), n(b.MaxY))
}

// correctionText says what a session saw otherwise than the file.
func correctionText(lang, field, was, seen string) string {
	switch field {
	case "_exists":
		code := "bureau.seen-there"
		if seen == "no" || seen == "false" || was == "yes" || was == "true" {
			code = "bureau.seen-gone"
		}
		return Say(lang, code)
	case "_geom":
		return Say(lang, "bureau.seen-elsewhere")
	case "_duplicate":
		return Say(lang, "bureau.seen-twice")
	}
	if was == "" {
		was = Say(lang, "bureau.nothing")
	}
	if seen == "" {
		return Say(lang, "bureau.seen-wrong", "field", field, "was", was)
	}
	return Say(lang, "bureau.seen-otherwise", "field", field, "was", was, "seen", seen)
}
