package format

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/encoding/ewkb"
	"github.com/paulmach/orb/encoding/wkt"
)

// The same features come out of every format, whatever the format thinks of
// types, multi-geometries and the direction of rings.
func TestConformance(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, layer := range []string{"points", "lignes", "surfaces"} {
		want := features(t, filepath.Join("testdata/conformance", layer+".geojson"), nil)
		if len(want) < 2 {
			t.Fatalf("%s: %d features", layer, len(want))
		}
		files, err := filepath.Glob(filepath.Join("testdata/conformance", layer+".*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			switch filepath.Ext(file) {
			case ".dbf", ".shx", ".prj", ".cpg":
				continue
			}
			got := features(t, file, seen)
			if !slices.Equal(got, want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
	}
	for _, f := range All {
		if !seen[f.Name] {
			t.Errorf("no conformance file for format %s", f.Name)
		}
	}
}

// features lists the records of a file's only layer in a form that all formats
// can have.
func features(t *testing.T, file string, seen map[string]bool) []string {
	t.Helper()
	src, err := Open(t.Context(), file, Options{})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	defer src.Close()
	if seen != nil {
		seen[src.Format()] = true
	}
	l := src.Layers()[0]
	if l.CRS.SRID != 4326 && l.CRS.SRID != 0 {
		t.Errorf("%s: srid %d", file, l.CRS.SRID)
	}
	var out []string
	err = src.Read(t.Context(), 0, func(r *Record) error {
		if r.Err != nil || len(r.Issues) > 0 {
			t.Errorf("%s: record %d: %v %v", file, r.Number, r.Err, r.Issues)
		}
		s := plainGeometry(t, r.Geometry)
		for i, v := range r.Values {
			if name := l.Columns[i].Title; name != "WKT" && v != nil {
				s += fmt.Sprintf(" %s=%v", name, v)
			}
		}
		out = append(out, s)
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return out
}

// plainGeometry writes a geometry as WKT, promoted, with every ring turned
// counterclockwise from its lowest-left vertex.
func plainGeometry(t *testing.T, b []byte) string {
	t.Helper()
	if b == nil {
		return "null"
	}
	g, _, err := ewkb.Unmarshal(Multi(nil, b))
	if err != nil {
		t.Fatal(err)
	}
	if mp, ok := g.(orb.MultiPolygon); ok {
		for _, p := range mp {
			for i, r := range p {
				p[i] = turned(r)
			}
		}
	}
	return wkt.MarshalString(g)
}

func turned(r orb.Ring) orb.Ring {
	r = r[:len(r)-1]
	if r.Orientation() == orb.CW {
		slices.Reverse(r)
	}
	low := 0
	for i, p := range r {
		if p[0] < r[low][0] || p[0] == r[low][0] && p[1] < r[low][1] {
			low = i
		}
	}
	out := append(append(orb.Ring{}, r[low:]...), r[:low]...)
	return append(out, out[0])
}

// What Source promises holds for every case that opens: the count, reading
// twice, the types of values, plain EWKB, errors given back, contexts heeded.
func TestPromises(t *testing.T) {
	t.Parallel()
	dirs, _ := filepath.Glob("testdata/*/*")
	opened := 0
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			continue
		}
		src, err := Open(t.Context(), mainFile(t, dir), Options{})
		if err != nil {
			continue
		}
		opened++
		if a, b := dump(t.Context(), src), dump(t.Context(), src); a != b {
			t.Errorf("%s: the second reading differs:\n%s\n%s", dir, a, b)
		}
		for i := range src.Layers() {
			checkLayer(t, dir, src, i)
		}
		if err := src.Close(); err != nil {
			t.Errorf("%s: close: %v", dir, err)
		}
	}
	if opened < 100 {
		t.Errorf("got %d cases that open, want at least 100", opened)
	}
}

func checkLayer(t *testing.T, dir string, src Source, i int) {
	t.Helper()
	l := src.Layers()[i]
	n, last := int64(0), int64(0)
	err := src.Read(t.Context(), i, func(r *Record) error {
		n++
		if r.Number <= last {
			t.Errorf("%s: record %d after %d", dir, r.Number, last)
		}
		last = r.Number
		if err := checkRecord(l, r); err != nil {
			t.Errorf("%s: record %d: %v", dir, r.Number, err)
		}
		return nil
	})
	if err == nil && l.Count >= 0 && n != l.Count {
		t.Errorf("%s: layer %s: got %d records, count says %d", dir, l.Name, n, l.Count)
	}
	stop := errors.New("stop")
	if err := src.Read(t.Context(), i, func(*Record) error { return stop }); n > 0 && !errors.Is(err, stop) {
		t.Errorf("%s: got %v, want the error of fn", dir, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := src.Read(ctx, i, func(*Record) error { return nil }); n > 0 && !errors.Is(err, context.Canceled) {
		t.Errorf("%s: got %v, want context.Canceled", dir, err)
	}
}

// checkRecord checks the types of a record against its layer.
func checkRecord(l Layer, r *Record) error {
	if r.Raw == nil {
		return errors.New("no Raw")
	}
	r.Raw()
	if r.Err != nil {
		return nil
	}
	if len(r.Values) != len(l.Columns) {
		return fmt.Errorf("%d values for %d columns", len(r.Values), len(l.Columns))
	}
	for k, v := range r.Values {
		if v != nil && !fits(v, l.Columns[k]) {
			return fmt.Errorf("%T in %s column %s", v, l.Columns[k].Type, l.Columns[k].Title)
		}
	}
	if r.Geometry == nil {
		return nil
	}
	if kind := KindOf(r.Geometry); mergeKind(l.GeometryType, kind) != l.GeometryType {
		return fmt.Errorf("%s geometry in a layer of %s", kind, l.GeometryType)
	}
	if t := binary.LittleEndian.Uint32(r.Geometry[1:]); r.Geometry[0] != 1 || t&(sFlag|mFlag) != 0 {
		return fmt.Errorf("geometry of type %x", t)
	}
	if s := geometryText(r.Geometry); strings.HasPrefix(s, "BROKEN") {
		return errors.New(s)
	}
	return nil
}

func fits(v any, c Column) bool {
	switch c.Type {
	case "integer":
		_, ok := v.(int64)
		return ok
	case "real":
		f, ok := v.(float64)
		return ok && !math.IsNaN(f)
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "date", "timestamp":
		_, ok := v.(interface{ Unix() int64 })
		return ok
	}
	s, ok := v.(string)
	return ok && s == strings.ToValidUTF8(s, "?") && !strings.Contains(s, "\x00")
}

func TestMulti(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"POINT(1 2)", "MULTIPOINT((1 2))"},
		{"LINESTRING(1 2,3 4)", "MULTILINESTRING((1 2,3 4))"},
		{"POLYGON((0 0,1 0,1 1,0 0))", "MULTIPOLYGON(((0 0,1 0,1 1,0 0)))"},
		{"MULTIPOINT((1 2),(3 4))", "MULTIPOINT((1 2),(3 4))"},
		{"GEOMETRYCOLLECTION(POINT(1 2))", "GEOMETRYCOLLECTION(POINT(1 2))"},
	} {
		var r wktReader
		b, _, err := r.convert([]byte(c.in), nil)
		if err != nil {
			t.Fatal(err)
		}
		g, _, uerr := ewkb.Unmarshal(Multi(nil, b))
		if uerr != nil {
			t.Fatal(uerr)
		}
		if got := wkt.MarshalString(g); got != c.want {
			t.Errorf("Multi(%s): got %s, want %s", c.in, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"1234,5": "1234.5", "1 234,50": "1234.5", "1\u202f234": "1234", "-1\u00a0234\u00a0567,8": "-1.2345678e+06", "12": "12", " 7 ": "7",
		"+3": "3", "1e3": "1000", ".5": "0.5", "5.": "5", "−4": "-4", "0.1": "0.1", "123456789012345678901": "1.2345678901234568e+20",
		"": "", "12 %": "", "1 2": "", "12 34": "", "1.234,5": "", "abc": "", "1,2,3": "", "0x10": "", "NaN": "", "Inf": "", "1_000": "", "-": "", ",": "", "1 234 5": "",
	} {
		got := ""
		if f, ok := ParseNumber(s); ok {
			got = strconv.FormatFloat(f, 'g', -1, 64)
		}
		if got != want {
			t.Errorf("ParseNumber(%q): got %q, want %q", s, got, want)
		}
	}
	for s, want := range map[string]string{
		"2021-03-28": "2021-03-28T00:00:00Z day", "28/03/2021": "2021-03-28T00:00:00Z day", "28-03-2021 00:00:00": "2021-03-28T00:00:00Z clock",
		"14/10/2019 00:00": "2019-10-14T00:00:00Z clock", "28.3.2021": "2021-03-28T00:00:00Z day", "28/03/21": "2021-03-28T00:00:00Z day", "28/03/71": "1971-03-28T00:00:00Z day",
		"2021-03-28T14:05:09.25Z": "2021-03-28T14:05:09.25Z clock", "2021-03-28T14:05:09+02:00": "2021-03-28T12:05:09Z clock", "2021/03/28 14h05": "2021-03-28T14:05:00Z clock",
		"28/03/2021 14h": "2021-03-28T14:00:00Z clock", "2021-03-28 14:05:09-0130": "2021-03-28T15:35:09Z clock", "2021-03-28T24:00": "2021-03-29T00:00:00Z clock",
		"31/04/2021": "", "2021-13-01": "", "20210328": "", "12": "", "": "", "0000-00-00": "", "28/03": "", "28/03/2021 25:00": "", "28/03/2021 x": "", "1.2.3": "", "04-94-12-34-56": "", "10.1.1.1": "", "1/2/123": "",
	} {
		got := ""
		if d, clock, ok := ParseDate(s); ok {
			got = valueText(d) + map[bool]string{true: " clock", false: " day"}[clock]
		}
		if got != want {
			t.Errorf("ParseDate(%q): got %q, want %q", s, got, want)
		}
	}
	for s, want := range map[string]string{"Oui": "true", "NON": "false", "vrai": "true", "f": "false", "x": "", "1": "", "": ""} {
		got := ""
		if v, ok := ParseBool(s); ok {
			got = strconv.FormatBool(v)
		}
		if got != want {
			t.Errorf("ParseBool(%q): got %q, want %q", s, got, want)
		}
	}
	if n, ok := ParseInteger("1\u202f234,00"); !ok || n != 1234 {
		t.Errorf("ParseInteger: got %d %v, want 1234", n, ok)
	}
	if _, ok := ParseInteger("1,5"); ok {
		t.Error("ParseInteger(1,5): got a number")
	}
}

// parseFloat rounds as strconv does.
func TestParseFloat(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"0.1", "123.456", "9007199254740993", "9007199254740992.5", "0.30000000000000004", "6247035.123456789", "1e22", "1e23", "-0.000001",
		"179769313486231570000", "4.35", "0.0000000000000000000000012345", "5.1999999999999993", "43.28999999999999", "1234567890.12345678",
	} {
		want, _ := strconv.ParseFloat(s, 64)
		if got, ok := parseFloat([]byte(s)); !ok || got != want {
			t.Errorf("parseFloat(%s): got %v %v, want %v", s, got, ok, want)
		}
	}
}
