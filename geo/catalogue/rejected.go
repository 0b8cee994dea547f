package catalogue

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"calanque/geo"
)

// A RejectedRow is what happened to one row of a file that was sent. They are
// kept as JSON, one a line, so that they can be said in any language.
type RejectedRow struct {
	Layer    string      `json:"layer"`
	Record   int64       `json:"record"`
	Field    string      `json:"field,omitempty"`
	Value    string      `json:"value,omitempty"`
	Rule     string      `json:"rule"`
	Rejected bool        `json:"rejected"` // else it was repaired
	Message  geo.Message `json:"message"`
	Raw      string      `json:"raw,omitempty"`
}

// EachRejected calls fn with the rows of such a file. It is ErrUnsupported for one that an earlier version wrote: a CSV in French, of
// which nothing has been read.
func EachRejected(r *bufio.Reader, fn func(RejectedRow) error) error {
	if first, err := r.Peek(1); err == nil && first[0] != '{' {
		return errors.ErrUnsupported
	}
	rows := json.NewDecoder(r)
	for {
		var row RejectedRow
		err := rows.Decode(&row)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the rejected rows: %w", err)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
}
