package api

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// rejectedRows answers what happened to single rows, as CSV in the language of
// who asks: for the producer's eyes.
func (s *Server) rejectedRows(w http.ResponseWriter, r *http.Request) error {
	u, _, err := s.delivered(r, account.SeeDesk)
	if err != nil {
		return err
	}
	if len(u.Rejects) == 0 {
		return fmt.Errorf("rejected rows of upload %d: %w", u.ID, geo.ErrNotFound)
	}
	f, err := s.Files.Open(u.Rejects)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Del("Access-Control-Allow-Origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+viewer.Say(s.page(r, nil).Lang, "bureau.csv-file")+"-"+u.Dataset+"-"+strconv.FormatInt(u.ID, 10)+`.csv"`)
	if r.Method == http.MethodHead {
		return nil
	}
	if err := writeRejected(w, s.page(r, nil).Lang, bufio.NewReader(f)); err != nil && r.Context().Err() == nil {
		s.Log.Warn("rejected rows are cut short", "upload", u.ID, "err", err) // the answer has begun
	}
	return nil
}

// writeRejected writes the rows as spreadsheets read them: with a byte order
// mark, semicolons, and no cell that is taken for a formula.
func writeRejected(w io.Writer, lang string, rows *bufio.Reader) error {
	var out *csv.Writer
	head := func() error {
		if _, err := io.WriteString(w, "\ufeff"); err != nil {
			return err
		}
		out = csv.NewWriter(w)
		out.Comma = ';'
		var titles []string
		for _, name := range []string{"layer", "line", "field", "value", "rule", "action", "message", "content"} {
			titles = append(titles, viewer.Say(lang, "bureau.csv-"+name))
		}
		return out.Write(titles)
	}
	err := catalogue.EachRejected(rows, func(i catalogue.RejectedRow) error {
		if out == nil {
			if err := head(); err != nil {
				return err
			}
		}
		action := "bureau.csv-repaired"
		if i.Rejected {
			action = "bureau.csv-rejected"
		}
		return out.Write([]string{
			i.Layer, strconv.FormatInt(i.Record, 10), i.Field, workshop.Harmless(i.Value), i.Rule, viewer.Say(lang, action),
			viewer.Sentence(lang, i.Message), workshop.Harmless(i.Raw),
		})
	})
	if errors.Is(err, errors.ErrUnsupported) { // as an earlier version wrote it
		_, err = io.Copy(w, rows)
		return err
	}
	if err == nil && out == nil {
		err = head()
	}
	if err == nil {
		out.Flush()
		err = out.Error()
	}
	return err
}
