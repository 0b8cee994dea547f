package ingest

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"calanque/geo"
)

// A columnPlan says how the values of one column become those of a field.
type columnPlan struct {
	Title string        `json:"title"`
	Name  string        `json:"name"`
	Type  geo.FieldType `json:"type"`
	Pad   int           `json:"pad,omitempty"` // codes that lost leading zeros get them back up to this width
}

// convert gives the value of the field, or the issue why there is none. A
// text may come with an issue: what could not be kept was replaced.
func (p *columnPlan) convert(v any, zone *time.Location) (any, *geo.Message) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string:
		return p.fromText(v, zone)
	case int64:
		switch p.Type {
		case geo.IntegerField:
			return v, nil
		case geo.RealField:
			return float64(v), nil
		case geo.TextField:
			return p.pad(strconv.FormatInt(v, 10)), nil
		}
	case float64:
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			return nil, ptr(geo.Say("value.not-a-number", "field", p.Name))
		case p.Type == geo.RealField:
			return v, nil
		case p.Type == geo.IntegerField && v == math.Trunc(v) && math.Abs(v) < 1<<53:
			return int64(v), nil
		case p.Type == geo.TextField:
			return p.pad(strconv.FormatFloat(v, 'f', -1, 64)), nil
		}
	case bool:
		switch p.Type {
		case geo.BooleanField:
			return v, nil
		case geo.TextField:
			return strconv.FormatBool(v), nil
		}
	case time.Time:
		switch p.Type {
		case geo.DateField:
			return time.Date(v.Year(), v.Month(), v.Day(), 0, 0, 0, 0, time.UTC), nil
		case geo.TimeField:
			return v, nil
		case geo.TextField:
			if h, m, s := v.Clock(); h+m+s == 0 {
				return v.Format(time.DateOnly), nil
			}
			return v.Format(time.RFC3339), nil
		}
	}
	return p.fromText(fmt.Sprint(v), zone)
}

// maxYear keeps times in what PostgreSQL and readers of JSON agree on.
const maxYear = 9999

func (p *columnPlan) fromText(s string, zone *time.Location) (any, *geo.Message) {
	s = strings.TrimSpace(s)
	if s == "" {
		return nil, nil
	}
	switch p.Type {
	case geo.TextField:
		clean, changed := cleanText(s)
		if changed {
			return p.pad(clean), ptr(geo.Say("value.text", "field", p.Name))
		}
		return p.pad(s), nil
	case geo.JSONField:
		if json.Valid([]byte(s)) && !strings.Contains(s, `\u0000`) && utf8.ValidString(s) {
			return json.RawMessage(s), nil
		}
		// What is no JSON is kept as a JSON string.
		clean, _ := cleanText(strings.ReplaceAll(s, `\u0000`, ""))
		b, err := json.Marshal(clean)
		if err == nil {
			return json.RawMessage(b), nil
		}
	}
	if isMissing(s) {
		return nil, nil
	}
	switch p.Type {
	case geo.IntegerField:
		if n, ok := parseInteger(s); ok {
			return n, nil
		}
		if f, ok := parseReal(s); ok && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return int64(f), nil
		}
	case geo.RealField:
		if f, ok := parseReal(s); ok {
			return f, nil
		}
	case geo.BooleanField:
		if b, ok := parseBool(s); ok {
			return b, nil
		}
		if s == "1" || s == "0" {
			return s == "1", nil
		}
	case geo.DateField, geo.TimeField:
		return p.fromMoment(s, zone)
	}
	return nil, ptr(geo.Say("value.type", "field", p.Name, "value", clip(s), "type", string(p.Type)))
}

func (p *columnPlan) fromMoment(s string, zone *time.Location) (any, *geo.Message) {
	if n, ok := parseInteger(s); ok && n >= firstSerial && n <= lastSerial && len(s) == 5 {
		return serialDay(n), nil
	}
	if p.Type == geo.DateField {
		zone = time.UTC // a day is a day everywhere
	}
	m, kind := parseMoment(s, zone)
	switch {
	case kind == impossibleMoment:
		return nil, ptr(geo.Say("value.no-such-date", "field", p.Name, "value", clip(s)))
	case kind == noMoment || m.t.Year() > maxYear:
		return nil, ptr(geo.Say("value.type", "field", p.Name, "value", clip(s), "type", string(p.Type)))
	case p.Type == geo.DateField:
		return m.t.Truncate(24 * time.Hour), nil
	}
	return m.t, nil
}

// pad gives a code its leading zeros back.
func (p *columnPlan) pad(s string) string {
	if p.Pad > 0 && len(s) < p.Pad && plainDigits(s) {
		return strings.Repeat("0", p.Pad-len(s)) + s
	}
	return s
}

// cleanText takes out what PostgreSQL's text can't hold: NUL, and bytes that
// are no UTF-8.
func cleanText(s string) (string, bool) {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s, false
	}
	s = strings.ToValidUTF8(s, "\uFFFD")
	return strings.ReplaceAll(s, "\x00", "\uFFFD"), true
}

// clip shortens a value for a message.
func clip(s string) string {
	s, _ = cleanText(s)
	if r := []rune(s); len(r) > 80 {
		return string(r[:80]) + "…"
	}
	return s
}

// plain writes a field's value as text: for keys, content hashes and issues.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case bool:
		return strconv.FormatBool(v)
	case time.Time:
		if h, m, s := v.Clock(); h+m+s == 0 && v.Nanosecond() == 0 {
			return v.Format(time.DateOnly)
		}
		return v.UTC().Format(time.RFC3339Nano)
	case json.RawMessage:
		return string(v)
	}
	return fmt.Sprint(v)
}
