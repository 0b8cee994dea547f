package ingest

import (
	"strings"
	"testing"
	"time"

	"calanque/geo"
	"calanque/geo/format"
)

func TestParseNumbers(t *testing.T) {
	t.Parallel()
	cases := []struct {
		in      string
		integer any // nil: it is none
		real    any
	}{
		{"12", int64(12), 12.0},
		{"-5", int64(-5), -5.0},
		{"0", int64(0), 0.0},
		{"1 234", int64(1234), 1234.0},
		{"1\u00a0234\u202f567", int64(1234567), 1234567.0},
		{"1 234,5", nil, 1234.5},
		{"0,5", nil, 0.5},
		{",5", nil, 0.5},
		{"3.25", nil, 3.25},
		{"1.5E+05", nil, 150000.0},
		{"1E-2", nil, 0.01},
		{"12E3", nil, nil},
		{"01", nil, nil},
		{"00,5", nil, nil},
		{"+33", nil, nil},
		{"04 94 12 34 56", nil, nil},
		{"12 34", nil, nil},
		{"1,234,567", nil, nil},
		{"1.234.567", nil, nil},
		{"2A004", nil, nil},
		{"12 %", nil, nil},
		{"NaN", nil, nil},
		{"inf", nil, nil},
		{"0x10", nil, nil},
		{"", nil, nil},
		{"-", nil, nil},
		{"9e999", nil, nil},
		{"123456789012345678901", nil, 123456789012345678901.0},
	}
	for _, c := range cases {
		n, ok := parseInteger(c.in)
		if ok != (c.integer != nil) || ok && n != c.integer {
			t.Errorf("parseInteger(%q): got %d, %v; want %v", c.in, n, ok, c.integer)
		}
		f, ok := parseReal(c.in)
		if ok != (c.real != nil) || ok && f != c.real {
			t.Errorf("parseReal(%q): got %g, %v; want %v", c.in, f, ok, c.real)
		}
	}
}

func TestParseMoment(t *testing.T) {
	t.Parallel()
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip("no time zones here")
	}
	cases := []struct {
		in    string
		want  string // RFC 3339; "" when it is none
		kind  momentKind
		clock bool
	}{
		{"14/10/2019", "2019-10-13T22:00:00Z", goodMoment, false},
		{"14-10-2019 08:30", "2019-10-14T06:30:00Z", goodMoment, true},
		{"2019-10-14", "2019-10-13T22:00:00Z", goodMoment, false},
		{"2019/10/14 08h30", "2019-10-14T06:30:00Z", goodMoment, true},
		{"2019-10-14T08:30:15Z", "2019-10-14T08:30:15Z", goodMoment, true},
		{"2019-10-14T08:30:15.5+02:00", "2019-10-14T06:30:15.5Z", goodMoment, true},
		{"4/7/2019", "2019-07-03T22:00:00Z", goodMoment, false},
		{"31/02/2014", "", impossibleMoment, false},
		{"00/00/0000", "", impossibleMoment, false},
		{"12/13/2014", "", impossibleMoment, false},
		{"04.94.12.34", "", noMoment, false},
		{"12/10/19", "", noMoment, false},
		{"2019-10", "", noMoment, false},
		{"20191014", "", noMoment, false},
		{"2019-10-14 matin", "", noMoment, false},
	}
	for _, c := range cases {
		m, kind := parseMoment(c.in, paris)
		if kind != c.kind || kind == goodMoment && (m.t.Format(time.RFC3339Nano) != c.want || m.clock != c.clock) {
			t.Errorf("parseMoment(%q): got %s, %v, %v; want %s, %v", c.in, m.t.Format(time.RFC3339Nano), kind, m.clock, c.want, c.kind)
		}
	}
}

// The type of a column comes from all of its values.
func TestColumnTypes(t *testing.T) {
	t.Parallel()
	luhn14 := "73282932000074|44306184100047|55208131766522"
	cases := []struct {
		name, values string
		want         geo.FieldType
		pad          int
	}{
		{"n", "1|2|3", geo.IntegerField, 0},
		{"n", "1|2,5|NC", geo.RealField, 0},
		{"n", "1|2|abc", geo.TextField, 0},
		{"n", "01|02", geo.TextField, 0},
		{"n", strings.Repeat("3000|", 3000) + "2A004", geo.TextField, 0},
		{"n", "||", geo.TextField, 0},
		{"n", "NC|NC", geo.TextField, 0},
		{"vu_le", "01/02/2014|31/02/2014|03/02/2014", geo.DateField, 0},
		{"vu_le", "01/02/2014 00:00|02/02/2014 00:00", geo.DateField, 0},
		{"vu_le", "01/02/2014 08:00|02/02/2014 00:00", geo.TimeField, 0},
		{"ouvert", "oui|Non|OUI", geo.BooleanField, 0},
		{"siret", luhn14, geo.TextField, 0},
		{"numero", luhn14, geo.TextField, 0},
		{"numero", "73282932000075|2", geo.IntegerField, 0},
		{"code_insee", "4001|13055", geo.TextField, 5},
		{"code_insee", "04001|13055", geo.TextField, 0},
		{"code_zone", "4001|5001", geo.TextField, 5},
		{"cp", "4000|13001", geo.TextField, 5},
		{"cp", "13001|13002", geo.TextField, 0},
		{"code_qual", "2|3", geo.IntegerField, 0},
		{"dep", "4|13", geo.TextField, 2},
		{"population", "4001|13055", geo.IntegerField, 0},
		{"date_maj", "43831|43832", geo.DateField, 0},
		{"date_maj", "43831|2020", geo.IntegerField, 0},
	}
	for _, c := range cases {
		col := newColumn(format.Column{Title: c.name, Type: geo.TextField, Untyped: true})
		for v := range strings.SplitSeq(c.values, "|") {
			col.see(v)
		}
		got, pad, _ := col.decide(c.name)
		if got != c.want || pad != c.pad {
			t.Errorf("%s %.40q: got %s, %d; want %s, %d", c.name, c.values, got, pad, c.want, c.pad)
		}
	}
}

// Codes that a typed format has as numbers become text again.
func TestTypedCodes(t *testing.T) {
	t.Parallel()
	col := newColumn(format.Column{Title: "id_comm", Type: geo.IntegerField})
	for _, v := range []any{int64(4001), int64(13055), nil} {
		col.see(v)
	}
	got, pad, note := col.decide("id_comm")
	if got != geo.TextField || pad != 5 || note == nil {
		t.Errorf("got %s, %d, %v", got, pad, note)
	}
	p := columnPlan{Name: "id_comm", Type: got, Pad: pad}
	if v, _ := p.convert(int64(4001), time.UTC); v != "04001" {
		t.Errorf("got %v, want 04001", v)
	}
}

func TestColumnNames(t *testing.T) {
	t.Parallel()
	long := "Accessibilité - Absence de ressaut de plus de 2 cm de haut à l'entrée principale "
	cases := []struct {
		titles []string
		want   []string
	}{
		{[]string{"Nom de la gare", "Libellé", "SURFAC-HA", "œuvre"}, []string{"nom_de_la_gare", "libelle", "surfac_ha", "oeuvre"}},
		{[]string{"id", "ID ", "limit"}, []string{"id_source", "id_source_2", "limit_source"}},
		{[]string{"", "  ", "2014"}, []string{"column_1", "column_2", "c_2014"}},
		{[]string{"ctid", "_fid", "Geometry"}, []string{"ctid_source", "fid", "geometry_source"}},
		{[]string{"température (°C)", "µg/m³"}, []string{"temperature_c", "g_m3"}},
	}
	for _, c := range cases {
		got := ColumnNames(c.titles)
		for i := range c.want {
			if got[i] != c.want[i] {
				t.Errorf("%q: got %q, want %q", c.titles[i], got[i], c.want[i])
			}
		}
	}
	names := ColumnNames([]string{long + "A", long + "B"})
	if len(names[0]) > 63 || len(names[1]) > 63 || names[0] == names[1] {
		t.Errorf("got %q", names)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	k := newKeyer([]int{0, 1})
	a, _ := k.declared([]any{"a:b", "c"})
	b, _ := k.declared([]any{"a", "b:c"})
	if a == b {
		t.Errorf("two keys are the same: %q", a)
	}
	if _, ok := k.declared([]any{"a", nil}); ok {
		t.Error("a key with an empty part is none")
	}
	h := newKeyer(nil)
	first := h.content([]any{"x", nil}, []byte{1})
	if again := h.content([]any{"x", nil}, []byte{1}); again != first+"-2" {
		t.Errorf("the same content again: got %s after %s", again, first)
	}
	if other := h.content([]any{nil, "x"}, []byte{1}); other == first {
		t.Error("a value in another column makes another content")
	}
	var s seen
	for i := range 5000 {
		d := k.digest([]byte{byte(i), byte(i >> 8)})
		if !s.add(d) || s.add(d) {
			t.Fatalf("the set forgets or invents %d", i)
		}
	}
}
