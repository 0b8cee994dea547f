package workshop

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// WriteReportCSV writes a report for French spreadsheets, a line a question:
// UTF-8 with a byte order mark, semicolons, and no cell that is taken for a
// formula. How many answered a question is left out where few took part.
func WriteReportCSV(w io.Writer, r *Report, say Words) error {
	b := &bytes.Buffer{}
	b.WriteString("\uFEFF")
	c := csv.NewWriter(b)
	c.Comma, c.UseCRLF = ';', true
	rows := [][]string{{
		"number", "cell", "layer", "record", "osm", "question", "asked", "now", "answers", "says", "seen",
		"sent", "reply", "reason", "version",
	}}
	for i := range r.Tasks {
		t := &r.Tasks[i]
		answers := ""
		if r.People >= LeastPeople {
			answers = strconv.Itoa(t.Answers)
		}
		row := []string{
			strconv.Itoa(t.Number), strconv.Itoa(t.Cell), t.Layer, t.Record, t.OSM, say(t.Question().Ask),
			string(t.Asked), string(t.Kind), answers, t.Says(), string(t.Seen),
		}
		row = append(row, r.replyCells(t.Number)...)
		for i := range row {
			row[i] = Harmless(row[i])
		}
		rows = append(rows, row)
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return send(w, b)
}

// replyCells are what was sent to the producer about a question, and what it
// says to that.
func (r *Report) replyCells(number int) []string {
	var sent, reply, reason, version []string
	for i := range r.Sent {
		c := &r.Sent[i]
		if c.Question != number {
			continue
		}
		sent = append(sent, c.Field)
		if c.Reply == nil {
			continue
		}
		reply = append(reply, string(c.Reply.Says))
		if c.Reply.Reason != "" {
			reason = append(reason, c.Reply.Reason)
		}
		if c.Reply.Number != 0 {
			version = append(version, strconv.Itoa(c.Reply.Number))
		}
	}
	var cells []string
	for _, list := range [][]string{sent, reply, reason, version} {
		cells = append(cells, strings.Join(list, " / "))
	}
	return cells
}
