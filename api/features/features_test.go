package features

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/geojson"

	"calanque/api/answer"
	"calanque/geo"
)

func zone(t testing.TB) *time.Location {
	t.Helper()
	z, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// FuzzParseBox holds that what is taken is a box of the world.
func FuzzParseBox(f *testing.F) {
	for _, s := range []string{"5,43,6,44", "177,-10,-177,10", "-180,-90,180,90", "1,2,3,4,5,6", "", ",,,", "1e400,0,0,0", "NaN,0,0,0", "-1e308,0,1e308,0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, err := ParseBox("bbox", s)
		if err != nil {
			return
		}
		for _, v := range []float64{b.MinX, b.MaxX} {
			if math.IsNaN(v) || v < -180 || v > 180 {
				t.Errorf("%q: longitude %v", s, v)
			}
		}
		if math.IsNaN(b.MinY) || b.MinY < -90 || b.MaxY > 90 || b.MinY > b.MaxY {
			t.Errorf("%q: latitudes %v to %v", s, b.MinY, b.MaxY)
		}
	})
}

// FuzzParseInterval holds that what is taken is in order and the database can
// hold it.
func FuzzParseInterval(f *testing.F) {
	for _, s := range []string{"2026-11-24", "2026-11-24T10:00:00Z", "../2026-11-24", "2026-11-24/..", "2026-03-29/2026-03-30", "/", "0000-01-01", "9999-12-31T23:59:59.999999999+14:00"} {
		f.Add(s)
	}
	z := zone(f)
	f.Fuzz(func(t *testing.T, s string) {
		i, err := ParseInterval(s, z)
		if err != nil {
			return
		}
		if i.From.IsZero() && i.To.IsZero() {
			t.Errorf("%q: no end", s)
		}
		if !i.From.IsZero() && !i.To.IsZero() && i.To.Before(i.From) {
			t.Errorf("%q: %v to %v", s, i.From, i.To)
		}
	})
}

// FuzzToken holds that a token reads back as itself, and others not at all.
func FuzzToken(f *testing.F) {
	f.Add(int64(42), "a/b é", "AQ")
	f.Fuzz(func(t *testing.T, version int64, key, junk string) {
		if got, err := parseToken(junk); err == nil {
			// Base64 has several spellings of the same last byte; what counts is what is read.
			if again, err := parseToken(got.String()); err != nil || again != got {
				t.Errorf("%q read as %v, then as %v", junk, got, again)
			}
		}
		if version < 0 || version > 1<<62 {
			return
		}
		want := token{geo.VersionID(version), key}
		if got, err := parseToken(want.String()); err == nil && got != want {
			t.Errorf("got %v, want %v", got, want)
		}
	})
}

// FuzzItems holds that no query string does harm, and that what is taken
// stays within the limits.
func FuzzItems(f *testing.F) {
	r := &geo.Relation{Layer: "x", Fields: []geo.Field{{Name: "n", Type: geo.IntegerField}, {Name: "limit", Type: geo.TextField}, {Name: "d", Type: geo.DateField}}}
	for _, s := range []string{"limit=10&n=3", "bbox=1,2,3,4&datetime=../2026-01-01", "d=2026-11-24&f=json", "n=%zz", "a;b", "limit=%00", "after=AQ"} {
		f.Add(s)
	}
	z := zone(f)
	f.Fuzz(func(t *testing.T, raw string) {
		v, err := parseQuery(raw)
		if err != nil {
			return
		}
		req, err := parseItems(r, v, z)
		if err == nil && (req.Limit < 1 || req.Limit > MaxLimit) {
			t.Errorf("%q: limit %d", raw, req.Limit)
		}
	})
}

// FuzzGeometry holds that bytes from anywhere become valid JSON.
func FuzzGeometry(f *testing.F) {
	for _, g := range orb.AllGeometries {
		if b, err := geo.EWKB(g, 4326); err == nil {
			f.Add(b)
		}
	}
	f.Add([]byte{1, 3, 0, 0, 0, 255, 255, 255, 255})
	f.Add([]byte{1, 1, 0, 0, 0xa0, 0xe6, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0x40, 0, 0, 0, 0, 0, 0x80, 0x45, 0x40, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f})
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := appendGeometry(nil, b)
		if !json.Valid(out) {
			t.Errorf("%x: %s", b, out)
		}
		if len(out) > 40*len(b)+100 {
			t.Errorf("%d bytes became %d", len(b), len(out))
		}
		text, wktErr := appendWKT(nil, b)
		if len(b) > 0 && (err == nil) != (wktErr == nil) {
			t.Errorf("%x: as GeoJSON %v, as WKT %v: %s", b, err, wktErr, text)
		}
	})
}

// FuzzString holds that any text reads back as itself.
func FuzzString(f *testing.F) {
	f.Add("île \"d’If\"\n\x00\x7f\u2028<script>")
	f.Fuzz(func(t *testing.T, s string) {
		var got string
		if err := json.Unmarshal(appendString(nil, []byte(s)), &got); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if want := string([]rune(s)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// TestGeometry compares with another encoder what does not need turning.
func TestGeometry(t *testing.T) {
	t.Parallel()
	for _, g := range []orb.Geometry{
		orb.Point{5.25, 43.5},
		orb.Point{-0.0000001, -43.1234567},
		orb.MultiPoint{{5, 43}, {6, 44}},
		orb.LineString{{5, 43}, {6, 44.5}},
		orb.MultiLineString{{{5, 43}, {6, 44}}, {{7, 43}, {8, 44}}},
		orb.Polygon{{{5, 43}, {6, 43}, {6, 44}, {5, 43}}, {{5.5, 43.2}, {5.6, 43.4}, {5.6, 43.2}, {5.5, 43.2}}},
		orb.MultiPolygon{{{{5, 43}, {6, 43}, {6, 44}, {5, 43}}}},
		orb.Collection{orb.Point{5, 43}, orb.LineString{{5, 43}, {6, 44}}},
	} {
		b, err := geo.EWKB(g, geo.WGS84)
		if err != nil {
			t.Fatal(err)
		}
		got, err := appendGeometry(nil, b)
		if err != nil {
			t.Errorf("%v: %v", g, err)
		}
		parsed, err := geojson.UnmarshalGeometry(got)
		if err != nil || !orb.Equal(parsed.Geometry(), g) {
			t.Errorf("got %s, want %v (%v)", got, g, err)
		}
	}
}

// TestGeometryTurns holds RFC 7946's right-hand rule, and what is empty.
func TestGeometryTurns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		g    orb.Geometry
		want string
	}{
		{"exterior clockwise", orb.Polygon{{{0, 0}, {0, 1}, {1, 1}, {0, 0}}}, `{"type":"Polygon","coordinates":[[[0,0],[1,1],[0,1],[0,0]]]}`},
		{"hole counter-clockwise", orb.Polygon{{{0, 0}, {9, 0}, {9, 9}, {0, 0}}, {{5, 1}, {6, 1}, {6, 2}, {5, 1}}}, `{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[5,1],[6,2],[6,1],[5,1]]]}`},
		{"eight decimals", orb.Point{1.00000005, -1.00000005}, `{"type":"Point","coordinates":[1.0000001,-1.0000001]}`},
		{"empty point", orb.Point{math.NaN(), math.NaN()}, `null`},
		{"empty line", orb.LineString{}, `null`},
		{"empty member", orb.Collection{orb.LineString{}, orb.Point{1, 2}}, `{"type":"GeometryCollection","geometries":[{"type":"Point","coordinates":[1,2]}]}`},
		{"nothing", nil, `null`},
	} {
		var b []byte
		if c.g != nil {
			var err error
			if b, err = geo.EWKB(c.g, geo.WGS84); err != nil {
				t.Fatal(err)
			}
		}
		got, err := appendGeometry(nil, b)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %s (%v), want %s", c.name, got, err, c.want)
		}
	}
}

// TestInterval names the moments that a date means, summer and winter.
func TestInterval(t *testing.T) {
	t.Parallel()
	utc := func(s string) time.Time {
		if s == "" {
			return time.Time{}
		}
		at, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	for _, c := range []struct{ s, from, to string }{
		{"2026-11-24", "2026-11-23T23:00:00Z", "2026-11-24T22:59:59.999999Z"},
		{"2026-07-14", "2026-07-13T22:00:00Z", "2026-07-14T21:59:59.999999Z"},
		{"2026-03-29", "2026-03-28T23:00:00Z", "2026-03-29T21:59:59.999999Z"},
		{"2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z", "2026-11-24T10:00:00Z"},
		{"2026-11-24T10:00:00+01:00", "2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z"},
		{"2026-11-24t10:00:00.5z", "2026-11-24T10:00:00.5Z", "2026-11-24T10:00:00.5Z"},
		{"2026-11-24T10:00:00", "2026-11-24T09:00:00Z", "2026-11-24T09:00:00Z"},
		{"../2026-11-24", "", "2026-11-24T22:59:59.999999Z"},
		{"2026-11-24/", "2026-11-23T23:00:00Z", ""},
		{"2026-11-23/2026-11-24", "2026-11-22T23:00:00Z", "2026-11-24T22:59:59.999999Z"},
	} {
		i, err := ParseInterval(c.s, zone(t))
		if err != nil || !i.From.Equal(utc(c.from)) || !i.To.Equal(utc(c.to)) {
			t.Errorf("%s: got %v to %v (%v), want %s to %s", c.s, i.From, i.To, err, c.from, c.to)
		}
	}
}

// TestCells holds what a spreadsheet must not run, and what it must see.
func TestCells(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ s, want string }{
		{"plain", "plain"},
		{"a,b", `"a,b"`},
		{`a"b`, `"a""b"`},
		{"a\nb", "\"a\nb\""},
		{"=1+1", "'=1+1"},
		{"@SUM(A1)", "'@SUM(A1)"},
		{"+33 4 91 00 00 00", "+33 4 91 00 00 00"},
		{"-12,5", `"-12,5"`},
		{"+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"},
		{"-1+cmd", "'-1+cmd"},
		{"\t=1", "'\t=1"},
		{" edges ", `" edges "`},
		{"", ""},
		{"-", "-"},
	} {
		if got := string(answer.AppendCell(nil, c.s)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.s, got, c.want)
		}
	}
}
