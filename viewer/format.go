package viewer

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"calanque/geo"
)

// nnbsp is the narrow no-break space of French typography, nbsp the wide one.
const (
	nnbsp = "\u202f"
	nbsp  = "\u00a0"
)

// format writes one argument of a sentence. The formats are: "" by the type of
// the value; raw as it is; distance in metres or kilometres; date, day (with
// its weekday), time; percent of a share; bytes.
func format(lang, how string, v any) string {
	switch how {
	case "raw":
		return fmt.Sprint(v)
	case "distance":
		if f, ok := asFloat(v); ok {
			return Distance(lang, f)
		}
	case "date", "day", "time":
		if t, ok := asTime(v); ok {
			switch how {
			case "day":
				return Day(lang, t)
			case "time":
				return Clock(lang, t)
			}
			return Date(lang, t)
		}
	case "percent":
		if f, ok := asFloat(v); ok {
			return Percent(lang, f)
		}
	case "bytes":
		if f, ok := asFloat(v); ok {
			return Bytes(lang, f)
		}
	}
	return plainValue(lang, v)
}

// plainValue writes a value by its type alone.
func plainValue(lang string, v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return Say(lang, "ui.yes")
		}
		return Say(lang, "ui.no")
	case time.Time:
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return Date(lang, v)
		}
		return Date(lang, v) + " " + Clock(lang, v)
	case geo.Text:
		return v.In(lang)
	case geo.Message:
		return Sentence(lang, v)
	case []string:
		return strings.Join(v, ", ")
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = plainValue(lang, e)
		}
		return strings.Join(parts, ", ")
	case json.RawMessage:
		return string(v)
	case fmt.Stringer:
		return v.String()
	}
	if f, ok := asFloat(v); ok {
		return Number(lang, f)
	}
	return fmt.Sprint(v)
}

// Number writes a number with the language's thousands and decimal signs, at
// most three decimals.
func Number(lang string, f float64) string {
	if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) >= 1e15 {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	s := strconv.FormatFloat(math.Round(math.Abs(f)*1000)/1000, 'f', -1, 64)
	whole, decimals, _ := strings.Cut(s, ".")
	group, point := nnbsp, ","
	switch lang {
	case "en":
		group, point = ",", "."
	case "it":
		group = "."
	}
	var b strings.Builder
	if f < 0 && s != "0" {
		b.WriteString("−")
	}
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteString(group)
		}
		b.WriteRune(r)
	}
	if decimals != "" {
		b.WriteString(point + decimals)
	}
	return b.String()
}

// Distance writes metres: to 10 m from 100 m on, in kilometres from 1 000 m on.
func Distance(lang string, metres float64) string {
	switch {
	case metres >= 10000:
		return Number(lang, math.Round(metres/1000)) + nbsp + "km"
	case metres >= 1000:
		return Number(lang, math.Round(metres/100)/10) + nbsp + "km"
	case metres >= 100:
		return Number(lang, math.Round(metres/10)*10) + nbsp + "m"
	}
	return Number(lang, math.Round(metres)) + nbsp + "m"
}

// Percent writes a share of one as a percentage.
func Percent(lang string, share float64) string {
	s := Number(lang, math.Round(share*1000)/10)
	if lang == "fr" {
		return s + nnbsp + "%"
	}
	return s + "%"
}

// Bytes writes a size in the language's units of a thousand.
func Bytes(lang string, n float64) string {
	unit := "B"
	if lang == "fr" {
		unit = "o"
	}
	for _, prefix := range []string{"", "k", "M", "G"} {
		if n < 1000 || prefix == "G" {
			if prefix != "" && n < 10 {
				return Number(lang, math.Round(n*10)/10) + nbsp + prefix + unit
			}
			return Number(lang, math.Round(n)) + nbsp + prefix + unit
		}
		n /= 1000
	}
	return ""
}

var months = map[string][]string{
	"fr": {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	"en": {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	"it": {"gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre", "novembre", "dicembre"},
}

var weekdays = map[string][]string{
	"fr": {"dimanche", "lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi"},
	"en": {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	"it": {"domenica", "lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato"},
}

// Date writes a day: 22 novembre 2026, 22 November 2026, 22 novembre 2026.
func Date(lang string, t time.Time) string {
	day := strconv.Itoa(t.Day())
	switch {
	case t.Day() == 1 && lang == "fr":
		day = "1er"
	case t.Day() == 1 && lang == "it":
		day = "1º"
	}
	return day + nbsp + months[lang][t.Month()-1] + " " + strconv.Itoa(t.Year())
}

// Day is Date with the weekday before it.
func Day(lang string, t time.Time) string { return weekdays[lang][t.Weekday()] + " " + Date(lang, t) }

// Clock writes the time of day: 14 h 05, 14:05.
func Clock(lang string, t time.Time) string {
	if lang == "fr" {
		if t.Minute() == 0 {
			return strconv.Itoa(t.Hour()) + nbsp + "h"
		}
		return fmt.Sprintf("%d%sh%s%02d", t.Hour(), nbsp, nbsp, t.Minute())
	}
	return fmt.Sprintf("%d:%02d", t.Hour(), t.Minute())
}

// Ago writes how long before now t was, in the largest unit that fits.
func Ago(lang string, t, now time.Time) string {
	d := now.Sub(t)
	for _, u := range []struct {
		code string
		unit time.Duration
	}{
		{"ui.ago.years", 365 * 24 * time.Hour},
		{"ui.ago.months", 30 * 24 * time.Hour},
		{"ui.ago.days", 24 * time.Hour},
		{"ui.ago.hours", time.Hour},
		{"ui.ago.minutes", time.Minute},
	} {
		if d >= u.unit {
			return Say(lang, u.code, "n", int(d/u.unit))
		}
	}
	return Say(lang, "ui.ago.now")
}

func asFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case float32:
		return float64(v), true
	case float64:
		return v, true
	case geo.SRID:
		return float64(v), true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	}
	return 0, false
}

func asTime(v any) (time.Time, bool) {
	switch v := v.(type) {
	case time.Time:
		return v, true
	case *time.Time:
		if v == nil {
			return time.Time{}, false
		}
		return *v, true
	case string:
		for _, layout := range []string{time.RFC3339, time.DateOnly} {
			if t, err := time.Parse(layout, v); err == nil {
				return t, true
			}
		}
	}
	return time.Time{}, false
}

// Duration writes minutes as hours and minutes.
func Duration(lang string, minutes int) string {
	switch {
	case minutes < 60:
		return Say(lang, "pages.minutes", "n", minutes)
	case minutes%60 == 0:
		return Say(lang, "pages.hours", "h", minutes/60)
	}
	return Say(lang, "pages.hours-minutes", "h", minutes/60, "m", minutes%60)
}
