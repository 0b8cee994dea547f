package features

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"calanque/geo"
)

// The parameters of /items that are not names of fields. One of these names
// means the parameter even where a field is called the same.
var itemParams = []string{"after", "bbox", "datetime", "f", "limit", "skipGeometry"}

// parseQuery reads a query string. Every parameter may be given once.
func parseQuery(raw string) (url.Values, error) {
	v, err := url.ParseQuery(raw)
	if err != nil {
		return nil, &geo.ParamError{Param: "query", Value: clip(raw), Want: "want name=value pairs joined by &, percent-encoded"}
	}
	for _, name := range sortedKeys(v) {
		if len(v[name]) > 1 {
			return nil, &geo.ParamError{Param: name, Value: clip(strings.Join(v[name], ", ")), Want: "want it once"}
		}
		if s := v[name][0]; !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
			return nil, &geo.ParamError{Param: name, Value: "…", Want: "want UTF-8 text without a zero byte"}
		}
	}
	return v, nil
}

// ParseQuery reads a query string in which only the named parameters may be,
// each once.
func ParseQuery(raw string, names ...string) (url.Values, error) {
	v, err := parseQuery(raw)
	if err != nil {
		return nil, err
	}
	return v, known(v, names, nil)
}

// onlyFormat refuses every parameter but f, and tells what f asks for.
func onlyFormat(raw string) (html bool, err error) {
	v, err := ParseQuery(raw, "f")
	if err != nil {
		return false, err
	}
	return parseFormat(v)
}

func parseFormat(v url.Values) (html bool, err error) {
	if !v.Has("f") {
		return false, nil
	}
	switch f := v.Get("f"); f {
	case "json", "geojson":
		return false, nil
	case "html":
		return true, nil
	default:
		return false, &geo.ParamError{Param: "f", Value: clip(f), Want: "want json or html"}
	}
}

// known refuses parameters that are neither among names nor fields, and lists
// those that are.
func known(v url.Values, names []string, fields []geo.Field) error {
	for _, name := range sortedKeys(v) {
		isField := slices.ContainsFunc(fields, func(f geo.Field) bool { return f.Name == name })
		if slices.Contains(names, name) || isField {
			continue
		}
		all := slices.Clone(names)
		for _, f := range fields {
			if f.Type != geo.JSONField {
				all = append(all, f.Name)
			}
		}
		slices.Sort(all)
		all = slices.Compact(all)
		want := "unknown parameter; none is known here"
		if len(all) > 0 {
			want = "unknown parameter; known here are " + strings.Join(all, ", ")
		}
		return &geo.ParamError{Param: clip(name), Value: clip(v.Get(name)), Want: want}
	}
	return nil
}

// An itemsRequest is what the query string of /items asks for.
type itemsRequest struct {
	geo.Query
	token *token // of a next link; nil on a first page
	html  bool
}

// parseItems reads the parameters of /items of a relation.
func parseItems(r *geo.Relation, v url.Values, zone *time.Location) (itemsRequest, error) {
	req := itemsRequest{Query: geo.Query{Limit: DefaultLimit}}
	var err error
	if err := known(v, itemParams, r.Fields); err != nil {
		return req, err
	}
	if req.html, err = parseFormat(v); err != nil {
		return req, err
	}
	if v.Has("limit") {
		if req.Limit, err = parseLimit(v.Get("limit")); err != nil {
			return req, err
		}
	}
	if v.Has("bbox") {
		box, err := ParseBox("bbox", v.Get("bbox"))
		if err != nil {
			return req, err
		}
		req.Box = &box
	}
	if v.Has("datetime") {
		interval, err := ParseInterval(v.Get("datetime"), zone)
		if err != nil {
			return req, err
		}
		req.Interval = &interval
	}
	if v.Has("skipGeometry") {
		if req.NoGeom, err = parseBool("skipGeometry", v.Get("skipGeometry")); err != nil {
			return req, err
		}
	}
	if v.Has("after") {
		t, err := parseToken(v.Get("after"))
		if err != nil {
			return req, err
		}
		req.token, req.After = &t, t.key
	}
	req.Equals, err = parseEquals(r, v)
	return req, err
}

func parseEquals(r *geo.Relation, v url.Values) ([]geo.Equal, error) {
	var list []geo.Equal
	for _, f := range r.Fields {
		if !v.Has(f.Name) || slices.Contains(itemParams, f.Name) {
			continue
		}
		value, err := parseValue(f, v.Get(f.Name))
		if err != nil {
			return nil, err
		}
		list = append(list, geo.Equal{Field: f.Name, Value: value})
	}
	return list, nil
}

// parseValue reads the value of an equality filter by the type of its field.
func parseValue(f geo.Field, s string) (any, error) {
	var value any
	var err error
	var want string
	switch f.Type {
	case geo.IntegerField:
		want = "want a whole number such as 12"
		value, err = strconv.ParseInt(s, 10, 64)
	case geo.RealField:
		want = "want a number such as 12.5"
		value, err = parseFinite(s)
	case geo.BooleanField:
		return parseBool(f.Name, s)
	case geo.DateField:
		want = "want a date such as 2026-11-24"
		value, err = time.Parse(time.DateOnly, s)
	case geo.TimeField:
		want = "want a time such as 2026-11-24T09:00:00Z"
		value, err = time.Parse(time.RFC3339, s)
	case geo.JSONField:
		return nil, &geo.ParamError{Param: f.Name, Value: clip(s), Want: "this field holds JSON, which can't be filtered by"}
	default:
		return s, nil
	}
	if err != nil {
		return nil, &geo.ParamError{Param: f.Name, Value: clip(s), Want: want}
	}
	return value, nil
}

func parseFinite(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
		err = strconv.ErrRange
	}
	return f, err
}

func parseBool(param, s string) (bool, error) {
	switch s {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, &geo.ParamError{Param: param, Value: clip(s), Want: "want true or false"}
}

// parseLimit reads a limit. What is above the maximum is brought down to it,
// as the standard asks.
func parseLimit(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 64)
	if numError, ok := err.(*strconv.NumError); ok && numError.Err == strconv.ErrRange {
		n, err = MaxLimit, nil
	}
	if err != nil || n == 0 {
		return 0, &geo.ParamError{Param: "limit", Value: clip(s), Want: fmt.Sprintf("want a whole number from 1 to %d", MaxLimit)}
	}
	return int(min(n, MaxLimit)), nil
}

// ParseBox reads a bounding box in CRS84: west, south, east, north, or the six
// numbers with heights, which are left aside. Longitudes beyond ±180 are
// brought into the range; west greater than east crosses the antimeridian.
func ParseBox(param, s string) (geo.Box, error) {
	bad := func(want string) (geo.Box, error) {
		return geo.Box{}, &geo.ParamError{Param: param, Value: clip(s), Want: want}
	}
	parts := strings.SplitN(s, ",", 7)
	if len(parts) != 4 && len(parts) != 6 {
		return bad("want 4 or 6 numbers: west,south,east,north in degrees")
	}
	n := make([]float64, len(parts))
	for i, p := range parts {
		f, err := parseFinite(strings.TrimSpace(p))
		if err != nil {
			return bad("want 4 or 6 numbers: west,south,east,north in degrees")
		}
		n[i] = f
	}
	b := geo.Box{MinX: n[0], MinY: n[1], MaxX: n[2], MaxY: n[3]}
	if len(n) == 6 {
		b.MaxX, b.MaxY = n[3], n[4]
	}
	if b.MinY > b.MaxY {
		return bad("want south before north: the second number is greater than the " + ordinal(len(n)))
	}
	if b.MaxX-b.MinX >= 360 {
		b.MinX, b.MaxX = -180, 180
	}
	b.MinX, b.MaxX = wrap(b.MinX), wrap(b.MaxX)
	b.MinY, b.MaxY = max(b.MinY, -90), min(b.MaxY, 90)
	if b.MinY > b.MaxY {
		return bad("want latitudes from -90 to 90")
	}
	return b, nil
}

func ordinal(n int) string {
	if n == 6 {
		return "fifth"
	}
	return "fourth"
}

// wrap brings a longitude into [-180, 180]. 180 and -180 stay what they are.
func wrap(lon float64) float64 {
	if lon >= -180 && lon <= 180 {
		return lon
	}
	lon = math.Mod(lon+180, 360)
	if lon < 0 {
		lon += 360
	}
	return lon - 180
}

const wantTime = "want a time such as 2026-11-24T09:00:00Z, a date such as 2026-11-24, or an interval of two such as 2026-11-01/2026-11-30, where .. is an open end"

// ParseInterval reads the parameter datetime: an instant, a date, or an
// interval with at most one open end ("..", or nothing). A date is the whole
// day; what names no zone is local to the given one.
func ParseInterval(s string, zone *time.Location) (geo.Interval, error) {
	bad := &geo.ParamError{Param: "datetime", Value: clip(s), Want: wantTime}
	from, to, isInterval := strings.Cut(s, "/")
	if !isInterval {
		to = from
	}
	var i geo.Interval
	openFrom, openTo := from == ".." || from == "", to == ".." || to == ""
	if openFrom && openTo {
		return i, bad
	}
	if !openFrom {
		first, _, ok := parseTime(from, zone)
		if !ok {
			return i, bad
		}
		i.From = first
	}
	if !openTo {
		_, last, ok := parseTime(to, zone)
		if !ok {
			return i, bad
		}
		i.To = last
	}
	if !openFrom && !openTo && i.To.Before(i.From) {
		bad.Want = "want the earlier time before the later one"
		return i, bad
	}
	return i, nil
}

// parseTime gives the first and the last moment that a time or date names.
// The database counts microseconds.
func parseTime(s string, zone *time.Location) (first, last time.Time, ok bool) {
	if day, err := time.ParseInLocation(time.DateOnly, s, zone); err == nil {
		return day, day.AddDate(0, 0, 1).Add(-time.Microsecond), inRange(day)
	}
	s = strings.ToUpper(s)
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, t, inRange(t)
		}
	}
	return first, last, false
}

// inRange keeps the zero time, which means an open end, and years that the
// database can't hold out of queries.
func inRange(t time.Time) bool { return t.Year() >= 1 && t.Year() <= 9999 && !t.IsZero() }

// clip keeps a value that is quoted in an error short.
func clip(s string) string {
	const most = 100
	s = strings.ToValidUTF8(s, "�")
	if len(s) <= most {
		return s
	}
	cut := most
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}

func sortedKeys(v url.Values) []string {
	keys := make([]string, 0, len(v))
	for k := range v {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
