package api

import (
	"bytes"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"strings"

	"calanque/api/account"
	"calanque/geo/catalogue"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// censusRefused answers the lines that were refused, as a spreadsheet: mended,
// it can be sent again.
func (s *Server) censusRefused(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.require(r, account.SeeBoard, account.Subject{}); err != nil {
		return err
	}
	past, c, err := catalogue.FindCensus(r.Context(), s.Hub.Web, id(pathVar(r, "id")))
	if err != nil {
		return err
	}
	return s.writeRefused(w, r, past.Source, &c)
}

func (s *Server) writeRefused(w http.ResponseWriter, r *http.Request, source string, c *catalogue.Census) error {
	lang := s.page(r, nil).Lang
	var b bytes.Buffer
	if err := writeRefusedLines(&b, lang, c); err != nil {
		return err
	}
	name := slugOf(strings.TrimSuffix(source, "."+extension(source)))
	h := w.Header()
	h.Del("Access-Control-Allow-Origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="a-corriger-`+name+`.csv"`)
	h.Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(b.Bytes())
	}
	return nil
}

func extension(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[i+1:]
	}
	return ""
}

// writeRefusedLines writes the refused lines as spreadsheets read them: with a
// byte order mark, semicolons, and no cell that is taken for a formula.
func writeRefusedLines(w io.Writer, lang string, c *catalogue.Census) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.Comma, out.UseCRLF = ';', true
	head := make([]string, 0, len(c.Columns)+2)
	for _, col := range c.Columns {
		head = append(head, workshop.Harmless(col.Title))
	}
	head = append(head, catalogue.Ours+viewer.Say(lang, "census.csv-line"), catalogue.Ours+viewer.Say(lang, "census.csv-fault"))
	if err := out.Write(head); err != nil {
		return err
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		if l.State != catalogue.LineRefused {
			continue
		}
		row := l.Cells(c.Columns)
		for j := range row {
			row[j] = workshop.Harmless(row[j])
		}
		var said []string
		for _, f := range l.Problems {
			text := viewer.Sentence(lang, f.Message)
			if f.Title != "" {
				text = viewer.Say(lang, "census.csv-of", "column", f.Title, "text", text)
			}
			said = append(said, text)
		}
		if err := out.Write(append(row, strconv.Itoa(l.Line), workshop.Harmless(strings.Join(said, " ")))); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}
