package catalogue

import (
	"slices"
	"strings"

	"calanque/geo"
)

// A CensusDefault is what a person says of a spreadsheet: what lines say that
// do not say it themselves, and how it is read where they know better than its
// titles do.
type CensusDefault struct {
	Producer string         `json:"producer,omitempty"` // id
	Licence  string         `json:"licence,omitempty"`  // id; "" is "restricted": nothing is open because nobody said otherwise
	Chain    Chain          `json:"chain,omitempty"`
	Sheet    string         `json:"sheet,omitempty"`  // of the workbook; "" is the one whose titles say most
	Header   int            `json:"header,omitempty"` // line of the titles, from 1; 0 is the one that says most
	Fields   map[int]string `json:"fields,omitempty"` // by the number of a column, from 1; "" keeps its cells as they are
}

// Columns finds the line of titles (from 0) and what the columns are: by their
// titles, and by what a person chose, which wins. It is a *geo.InputError when
// none says what the data sets are called ("census.no-header",
// "census.no-title-column"), two were chosen for the same thing
// ("census.same-field") or there is no such line ("census.header-line"). The
// columns are given all the same where there is a line of titles.
func (d *CensusDefault) Columns(s *Sheet) (header int, columns []CensusColumn, err error) {
	switch {
	case d.Header > len(s.Rows) || d.Header < 0:
		return 0, nil, geo.Bad(nil, "census.header-line", "last", len(s.Rows))
	case d.Header > 0:
		header = d.Header - 1
		columns, _ = readColumns(s.Rows[header])
	default:
		if header, columns, err = FindColumns(s); err != nil {
			if s.Empty() {
				return 0, nil, err
			}
			header = fullestRow(s)
			columns, _ = readColumns(s.Rows[header])
		}
	}
	columns = append(columns, untitled(s, header)...)
	slices.SortFunc(columns, func(a, b CensusColumn) int { return a.Column - b.Column })
	if chosen := d.choose(columns); chosen != nil {
		if len(d.Fields) == 0 && err != nil {
			return header, columns, err
		}
		return header, columns, chosen
	}
	return header, columns, nil
}

// choose makes columns what a person chose.
func (d *CensusDefault) choose(columns []CensusColumn) error {
	chosen := map[string]int{}
	for _, c := range columns {
		field, said := d.Fields[c.Column]
		if !said || field == "" {
			continue
		}
		if !slices.Contains(CensusFields(), field) {
			return geo.Bad(nil, "census.no-field", "field", field)
		}
		if other, twice := chosen[field]; twice {
			return geo.Bad(nil, "census.same-field", "a", ColumnName(other), "b", ColumnName(c.Column), "field", geo.Say("census.as-"+field))
		}
		chosen[field] = c.Column
	}
	title := false
	for i := range columns {
		c := &columns[i]
		if field, said := d.Fields[c.Column]; said {
			c.Field = field
		} else if chosen[c.Field] != 0 {
			c.Field = "" // another was chosen for it
		}
		title = title || c.Field == "title"
	}
	if !title {
		return geo.Bad(nil, "census.no-title-column")
	}
	return nil
}

// fullestRow is the line (from 0) that most looks like titles where none is
// known: the first that has as many cells as any.
func fullestRow(s *Sheet) int {
	best, most := 0, 0
	for i, row := range s.Rows[:min(len(s.Rows), maxHeaderRow)] {
		n := 0
		for _, cell := range row {
			if strings.TrimSpace(cell) != "" {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	return best
}

// Empty reports whether a sheet says nothing at all.
func (s *Sheet) Empty() bool {
	return !slices.ContainsFunc(s.Rows, func(row []string) bool {
		return slices.ContainsFunc(row, func(cell string) bool { return strings.TrimSpace(cell) != "" })
	})
}

// untitled are the columns that have cells but no title: they are kept too.
func untitled(s *Sheet, header int) []CensusColumn {
	var list []CensusColumn
	seen := map[int]bool{}
	for _, row := range s.Rows[min(header+1, len(s.Rows)):] {
		for i := range row {
			if !seen[i] && cellOf(row, i+1) != "" {
				seen[i] = true
				if cellOf(s.Rows[header], i+1) == "" {
					list = append(list, CensusColumn{Column: i + 1})
				}
			}
		}
	}
	return list
}
