package catalogue

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"

	"calanque/geo"
)

// Limits of a spreadsheet: a census has some hundred lines.
const (
	MaxSheetBytes = 50 << 20
	maxSheetRows  = 20_000
	maxSheetCells = 200      // of a row
	maxSheetText  = 64 << 20 // of all cells, in bytes
	maxCellText   = 32_767   // of one, in bytes: what Excel holds
	maxMerged     = 10_000   // of merged cells
)

// ReadSheet reads a CSV or XLSX file as text. file is its name, for people; of
// a workbook it is the visible sheet whose titles say most, or the one that is
// named. What is no spreadsheet or too large is a *geo.InputError "census.…".
//
// Readers of foreign workbooks may take much memory: the server runs it in a
// process of its own.
func ReadSheet(file, name string, r io.Reader) (*Sheet, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSheetBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read the census: %w", err)
	}
	if len(data) > MaxSheetBytes {
		return nil, geo.Bad(nil, "census.too-large", "file", file, "max", MaxSheetBytes)
	}
	sum := sha256.Sum256(data)
	s := &Sheet{Source: file, SHA256: sum[:]}
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")):
		err = s.parseXLSX(name, data)
	case bytes.HasPrefix(data, []byte{0xD0, 0xCF, 0x11, 0xE0}):
		return nil, geo.Bad(nil, "census.old-excel", "file", file)
	default:
		s.Rows, err = parseCSV(file, data)
	}
	if err != nil {
		return nil, err
	}
	return s, s.bound()
}

// bound holds a sheet to its limits.
func (s *Sheet) bound() error {
	if len(s.Rows) > maxSheetRows {
		return geo.Bad(nil, "census.too-long", "file", s.Source, "n", len(s.Rows), "max", maxSheetRows)
	}
	text := 0
	for i, row := range s.Rows {
		row = row[:min(len(row), maxSheetCells)]
		for j, cell := range row {
			if len(cell) > maxCellText {
				row[j] = strings.ToValidUTF8(cell[:maxCellText], "")
			}
			text += len(row[j])
		}
		s.Rows[i] = row
	}
	if text > maxSheetText {
		return geo.Bad(nil, "census.too-large", "file", s.Source, "max", maxSheetText)
	}
	return nil
}

// parseXLSX reads a workbook. Numbers and dates come as they are stored,
// formulas as what they gave when it was saved; what was merged downwards is
// repeated.
func (s *Sheet) parseXLSX(name string, data []byte) (err error) {
	file := s.Source
	defer func() {
		if r := recover(); r != nil { // a broken workbook is a fault of the file, not of ours
			err = geo.Bad(fmt.Errorf("%v", r), "census.broken", "file", file)
		}
	}()
	x, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{
		RawCellValue: true, UnzipSizeLimit: 500 << 20, UnzipXMLSizeLimit: 100 << 20,
	})
	if err != nil {
		return geo.Bad(err, "census.broken", "file", file)
	}
	defer x.Close()
	best := -1
	for _, sheet := range x.GetSheetList() {
		if visible, err := x.GetSheetVisible(sheet); err == nil && visible {
			s.Sheets = append(s.Sheets, sheet)
		} else if name != sheet {
			continue
		}
		if name != "" && sheet != name {
			continue
		}
		rows, err := sheetRows(x, sheet)
		if err != nil {
			return geo.Bad(err, "census.broken", "file", file)
		}
		if known := countOf(rows); known > best {
			best, s.Name, s.Rows = known, sheet, rows
		}
	}
	if best < 0 {
		return geo.Bad(nil, "census.no-sheet", "file", file, "sheet", name, "sheets", strings.Join(x.GetSheetList(), ", "))
	}
	return nil
}

// countOf is how many columns of a sheet are known.
func countOf(rows [][]string) int {
	_, columns, err := FindColumns(&Sheet{Rows: rows})
	if err != nil {
		return 0
	}
	n := 0
	for _, c := range columns {
		if c.Field != "" {
			n++
		}
	}
	return n
}

func sheetRows(x *excelize.File, sheet string) ([][]string, error) {
	it, err := x.Rows(sheet)
	if err != nil {
		return nil, err
	}
	defer it.Close()
	rows := [][]string{}
	for it.Next() {
		cells, err := it.Columns()
		if err != nil {
			return nil, err
		}
		rows = append(rows, slices.Clone(cells[:min(len(cells), maxSheetCells)])) // a cell in the last column must not cost 16,384 a row
		if len(rows) > maxSheetRows {
			break // the caller says that it is too long
		}
	}
	merged, err := x.GetMergeCells(sheet)
	if err != nil {
		return nil, err
	}
	for _, m := range merged[:min(len(merged), maxMerged)] {
		x0, y0, err := excelize.CellNameToCoordinates(m.GetStartAxis())
		if err != nil {
			continue
		}
		_, y1, err := excelize.CellNameToCoordinates(m.GetEndAxis())
		if err != nil || x0 > maxSheetCells {
			continue
		}
		for y := y0 + 1; y <= min(y1, len(rows)); y++ {
			if y0 > len(rows) || x0 > len(rows[y0-1]) {
				break
			}
			for len(rows[y-1]) < x0 {
				rows[y-1] = append(rows[y-1], "")
			}
			rows[y-1][x0-1] = rows[y0-1][x0-1]
		}
	}
	return rows, nil
}

// parseCSV reads text as spreadsheets save it: UTF-8 with or without its mark,
// UTF-16, else Windows-1252; the delimiter is the one that most rows agree on.
func parseCSV(file string, data []byte) ([][]string, error) {
	text := decodeText(data)
	if strings.ContainsRune(text, 0) {
		return nil, geo.Bad(nil, "census.broken", "file", file)
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = separator(text), true, -1
	rows := [][]string{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, geo.Bad(err, "census.broken", "file", file)
		}
		line, _ := r.FieldPos(0)
		for len(rows) < line-1 && len(rows) <= maxSheetRows {
			rows = append(rows, nil) // blank lines are counted as spreadsheets count them
		}
		rows = append(rows, row)
		if len(rows) > maxSheetRows {
			return rows, nil
		}
	}
}

func decodeText(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte{0xEF, 0xBB, 0xBF}):
		data = data[3:]
	case bytes.HasPrefix(data, []byte{0xFF, 0xFE}), bytes.HasPrefix(data, []byte{0xFE, 0xFF}):
		big := data[0] == 0xFE
		units := make([]uint16, 0, len(data)/2)
		for i := 2; i+1 < len(data); i += 2 {
			if big {
				units = append(units, uint16(data[i])<<8|uint16(data[i+1]))
			} else {
				units = append(units, uint16(data[i+1])<<8|uint16(data[i]))
			}
		}
		return string(utf16.Decode(units))
	}
	if utf8.Valid(data) {
		return string(data)
	}
	out, err := charmap.Windows1252.NewDecoder().Bytes(data)
	if err != nil {
		return strings.ToValidUTF8(string(data), "\uFFFD")
	}
	return string(out)
}

// separator is the sign that is in most of the first lines, outside quotes.
func separator(text string) rune {
	best, most := ';', 0
	for _, sign := range []rune{';', '\t', ',', '|'} {
		lines, quoted, n := 0, false, 0
		for _, c := range text[:min(len(text), 64<<10)] {
			switch {
			case c == '"':
				quoted = !quoted
			case c == '\n' && !quoted:
				lines += min(n, 1)*1000 + n
				n = 0
			case c == sign && !quoted:
				n++
			}
		}
		if lines += min(n, 1)*1000 + n; lines > most {
			best, most = sign, lines
		}
	}
	return best
}
