package catalogue

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"calanque/geo"
)

// sheetOf reads a spreadsheet that is right.
func sheetOf(t testing.TB, content string) *Sheet {
	t.Helper()
	s, err := ReadSheet("recensement.csv", "", strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func mapping(columns []CensusColumn) string {
	var list []string
	for _, c := range columns {
		list = append(list, ColumnName(c.Column)+"="+c.Field)
	}
	return strings.Join(list, " ")
}

// TestCensusColumns holds what columns are taken for: by their titles, and by
// what a person chose, which wins.
func TestCensusColumns(t *testing.T) {
	t.Parallel()
	const odd = "Direction;;;\n;;;\nCe que c'est;Qui;Titre court;\nStades;Ville;St.;note\n"
	for _, c := range []struct {
		name, content string
		def           CensusDefault
		header        int
		want, code    string
	}{
		{"by titles", "Nom;Licence\na;b", CensusDefault{}, 1, "A=title B=licence", ""},
		{"one is chosen, the other steps back", odd, CensusDefault{Fields: map[int]string{1: "title"}}, 3, "A=title B= C= D=", ""},
		{"chosen to be kept", odd, CensusDefault{Fields: map[int]string{3: ""}}, 3, "A= B= C= D=", "census.no-title-column"},
		{"a column without a title", odd, CensusDefault{}, 3, "A= B= C=title D=", ""},
		{"one thing twice", odd, CensusDefault{Fields: map[int]string{1: "title", 2: "title"}}, 3, "A= B= C=title D=", "census.same-field"},
		{"nothing that columns are", odd, CensusDefault{Fields: map[int]string{1: "<b>"}}, 3, "A= B= C=title D=", "census.no-field"},
		{"another line of titles", "x;y\nNom;Droits\na;b", CensusDefault{Header: 1, Fields: map[int]string{1: "title"}}, 1, "A=title B=", ""},
		{"no titles", "1;2;3\n4;5;6", CensusDefault{}, 1, "A= B= C=", "census.no-header"},
		{"no titles, and one chosen", "1;2;3\n4;5;6", CensusDefault{Fields: map[int]string{2: "title"}}, 1, "A= B=title C=", ""},
		{"a line that is not there", "Nom\na", CensusDefault{Header: 3}, 1, "", "census.header-line"},
		{"our own columns", "Nom;calanque : ligne;calanque : à corriger\na;5;x", CensusDefault{}, 1, "A=title", ""},
		{"the same title twice", "Nom;Note;Note\na;b;c", CensusDefault{}, 1, "A=title B= C=", ""},
	} {
		header, columns, err := c.def.Columns(sheetOf(t, c.content))
		code := ""
		if list := Every(err); len(list) > 0 {
			code = list[0].Code
		} else if err != nil {
			code = err.Error()
		}
		if header+1 != c.header || mapping(columns) != c.want || code != c.code {
			t.Errorf("%s: got line %d, %s, %q; want line %d, %s, %q", c.name, header+1, mapping(columns), code, c.header, c.want, c.code)
		}
	}
}

// TestCensusKeeps holds that no cell is lost: two columns of one title, one
// without any, and what our own lists keep from being a formula.
func TestCensusKeeps(t *testing.T) {
	t.Parallel()
	s := sheetOf(t, "Nom;Note;Note;\nStades;a;b;c\nPiscines;;'=d;\n")
	_, columns, err := (&CensusDefault{}).Columns(s)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i, row := range s.Rows[1:] {
		raw, _ := cells(columns, row)
		l := readLine(columns, row, raw, i+2, &known{}, CensusDefault{Producer: "ville", Chain: Region})
		got = append(got, strings.Join(l.Cells(columns), "|")+" "+l.entry.Extra["Note"]+l.entry.Extra["Note C"]+l.entry.Extra["D"])
	}
	if want := []string{"Stades|a|b|c abc", "Piscines||=d| =d"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// workbook makes an XLSX with a merged title above, a hidden sheet, dates and
// cells that are merged downwards.
func workbook(t testing.TB) []byte {
	t.Helper()
	x := excelize.NewFile()
	for _, name := range []string{"Recensement", "Caché"} {
		if _, err := x.NewSheet(name); err != nil {
			t.Fatal(err)
		}
	}
	for cell, v := range map[string]any{
		"A1": "Service des sports – recensement 2026", "A3": "Producteur", "B3": "Titre", "C3": "Date de mise à jour",
		"A4": "Ville", "B4": "Stades", "C4": 45322, "B5": "Piscines", "C5": "n/a",
	} {
		if err := x.SetCellValue("Recensement", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		x.MergeCell("Recensement", "A1", "C1"), x.MergeCell("Recensement", "A4", "A5"),
		x.SetCellValue("Caché", "A1", "Titre"), x.SetSheetVisible("Caché", false),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := x.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWorkbookSheets(t *testing.T) {
	t.Parallel()
	b := workbook(t)
	s, err := ReadSheet("sports.xlsx", "", bytes.NewReader(b))
	if err != nil || s.Name != "Recensement" || len(s.Sheets) != 2 || s.Rows[4][0] != "Ville" {
		t.Errorf("got %+v, %v", s, err)
	}
	if s, err = ReadSheet("sports.xlsx", "Sheet1", bytes.NewReader(b)); err != nil || s.Name != "Sheet1" || !s.Empty() {
		t.Errorf("the sheet that is named: %+v, %v", s, err)
	}
	if _, err = ReadSheet("sports.xlsx", "Nulle part", bytes.NewReader(b)); err == nil {
		t.Error("a sheet that is not there was read")
	}
}

// FuzzCensus reads what is no spreadsheet, and understands its lines, without
// falling over; what is taken has a title and an address.
func FuzzCensus(f *testing.F) {
	f.Add([]byte("Direction;;\nINTITULÉ;Structure;Droits\nStades;Ville;LO\n;;\nx;y;z"), 0, 1, "title")
	f.Add(workbook(f), 3, 2, "producer")
	f.Add([]byte("\xFF\xFET\x00i\x00t\x00r\x00e\x00\n\x00a\x00"), 1, 1, "")
	f.Add([]byte("\"titre\"\n\"a\nb"), -1, 7, "date")
	f.Add([]byte("titre\tann\xE9e\tlien\tformat\tth\xE8me\nStades\t2010-2015\thttp://[::1\tWFS\tculture, x"), 1, 3, "url")
	k := &known{producers: []Producer{{Producer: geo.Producer{ID: "ville", Title: geo.Text{"fr": "Ville"}}}}, licences: Licences, topics: []Topic{{ID: "culture", Title: geo.Text{"fr": "Culture"}}}}
	f.Fuzz(func(t *testing.T, data []byte, header, column int, field string) {
		s, err := ReadSheet("f.csv", "", bytes.NewReader(data))
		if err != nil {
			return
		}
		if len(s.Rows) > maxSheetRows {
			t.Errorf("%d rows", len(s.Rows))
		}
		def := CensusDefault{Chain: Region, Header: header, Fields: map[int]string{column: field}}
		at, columns, err := def.Columns(s)
		if err != nil {
			return
		}
		for i, row := range s.Rows[at+1:] {
			raw, blank := cells(columns, row)
			if blank || isTitles(columns, raw) {
				continue
			}
			l := readLine(columns, row, raw, at+2+i, k, def)
			if len(l.Problems) == 0 && (l.Title == "" || !slugShape.MatchString(l.Slug) || l.entry.Producer != "ville") {
				t.Errorf("a line is taken as %+v", l)
			}
			l.Cells(columns)
		}
	})
}
