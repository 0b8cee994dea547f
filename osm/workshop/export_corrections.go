package workshop

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

// A Correction is one line of the producer's file: its own value beside what
// people saw on site. Nothing of OpenStreetMap is in it: no value, no position,
// no object.
type Correction struct {
	Layer, Record string // record "": seen on site, absent from the file
	Field         string // of the layer; _exists, _geom and _duplicate for the record as a whole
	InFile        string
	Observed      string // "" when it was only seen that the file's value is wrong
	Says          string // what the answer says
	Day           time.Time
	Observers     int // answers on site that say the same
	Lon, Lat      *float64
	Question      int    // its number in the session
	Session       string // code
	IDs           []int64
	Reply         *Response // the producer's; nil while there is none
}

// Visible reports whether the file says by now what was observed.
func (c *Correction) Visible() bool {
	switch c.Field {
	case existsValue:
		return c.Observed == c.InFile
	case placeValue, doubleValue:
		return false // a matter of metres, and of two records: the producer says so
	}
	return c.Observed != "" && strings.EqualFold(strings.Join(strings.Fields(c.Observed), " "), strings.Join(strings.Fields(c.InFile), " "))
}

// An observation is a value of an answer that stands, as it was kept.
type observation struct {
	id, task     int64
	session      string
	number       int
	layer, class string
	record       string
	value        value
	says         string
	at           time.Time
	filed        *row // the record as the file has it
	practice     bool
	reply        *Response
}

// ForProducer reads what a session observed about records of a producer; of
// all producers with "". What isn't confirmed by a verdict is left out.
func ForProducer(ctx context.Context, db postgis.DB, s Session, producer string) ([]Correction, error) {
	return corrections(ctx, db, s.ID, producer)
}

// corrections reads those of a session, or of all with 0.
func corrections(ctx context.Context, db postgis.DB, session int64, producer string) ([]Correction, error) {
	list, err := observations(ctx, db, session, producer)
	if err != nil {
		return nil, err
	}
	files := files{db: db}
	for i := range list {
		if list[i].filed, err = files.row(ctx, list[i].layer, list[i].record); err != nil {
			return nil, err
		}
	}
	return gather(list), nil
}

// observations reads the corrections in force, with the origin of each value
// once more.
func observations(ctx context.Context, db postgis.DB, session int64, producer string) ([]observation, error) {
	rows, err := db.Query(ctx, `
		select c.id, t.id, s.code, t.number, l.name, lic.class, coalesce(rec.key, ''), v.field, v.value, v.origin, a.says, a.at, t.practice,
			coalesce(y.says, ''), coalesce(y.reason, ''), coalesce(y.version_id, 0), coalesce(n.number, 0), coalesce(y.at, 'epoch')
		from correction_in_force c
		join answer a on a.id = c.answer_id
		join answer_value v on (v.answer_id, v.field, v.origin) = (c.answer_id, c.field, c.origin)
		join task t on t.id = a.task_id
		join session s on s.id = t.session_id
		join outcome o on o.id = t.outcome_id
		join rule r on r.id = o.rule_id
		join layer l on l.id = r.layer_id
		join dataset d on d.id = l.dataset_id
		join licence lic on lic.id = d.licence_id
		left join record rec on rec.id = c.record_id
		left join correction_reply y on y.correction_id = c.id and y.withdrawn_at is null
		left join version n on n.id = y.version_id
		where $1::bigint in (0, t.session_id) and ($2 = '' or d.producer_id = $2)
		order by s.id desc, l.name, rec.key nulls last, t.number, v.field, a.id`, session, producer)
	if err != nil {
		return nil, fmt.Errorf("read the corrections of session %d: %w", session, postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o observation, err error) {
		var r Response
		err = row.Scan(&o.id, &o.task, &o.session, &o.number, &o.layer, &o.class, &o.record, &o.value.field, &o.value.value, &o.value.origin, &o.says, &o.at, &o.practice,
			&r.Says, &r.Reason, &r.Version, &r.Number, &r.At)
		if r.Says != "" {
			o.reply = &r
		}
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the corrections of session %d: %w", session, postgis.Kind(err))
	}
	return list, nil
}

// gather makes one line of those who saw the same.
func gather(list []observation) []Correction {
	var lines []Correction
	at := map[string]int{}
	for i := range list {
		o := &list[i]
		if o.practice || !passes(o.value.origin, o.class, ToProducer) {
			continue
		}
		same := fmt.Sprintf("%d\x00%s\x00%s", o.task, o.value.field, strings.ToLower(strings.Join(strings.Fields(o.value.value), " ")))
		n, again := at[same]
		if !again {
			n = len(lines)
			at[same] = n
			lines = append(lines, o.correction())
		}
		c := &lines[n]
		c.Observers++
		c.IDs = append(c.IDs, o.id)
		if o.reply != nil {
			c.Reply = o.reply
		}
		if day := o.at.UTC().Truncate(24 * time.Hour); day.After(c.Day) {
			c.Day = day
		}
	}
	return lines
}

// correction is the line of one observation: the producer's own value, read
// from its file, beside what was seen.
func (o *observation) correction() Correction {
	c := Correction{Layer: o.layer, Record: o.record, Field: o.value.field, Observed: o.value.value, Says: o.says, Question: o.number, Session: o.session}
	if c.Field == wrongValue {
		c.Field, c.Observed = o.value.value, ""
	}
	if o.filed != nil {
		c.Lon, c.Lat = o.filed.lon, o.filed.lat
	}
	switch c.Field {
	case existsValue:
		c.InFile = "no"
		if o.filed != nil {
			c.InFile = "yes"
		}
	case doubleValue:
		c.InFile = "no"
	case placeValue:
		if c.Lon != nil && c.Lat != nil {
			c.InFile = point(*c.Lon, *c.Lat)
		}
		if lon, lat, err := parsePoint(c.Observed); err == nil {
			c.Lon, c.Lat = &lon, &lat
		}
	default:
		if o.filed != nil {
			c.InFile = o.filed.values[c.Field]
		}
	}
	return c
}

// WriteCorrectionsCSV writes corrections for French spreadsheets: UTF-8 with a
// byte order mark, semicolons, and no cell that is taken for a formula.
func WriteCorrectionsCSV(w io.Writer, list []Correction) error {
	b := &bytes.Buffer{}
	b.WriteString("\uFEFF")
	c := csv.NewWriter(b)
	c.Comma, c.UseCRLF = ';', true
	rows := [][]string{{"layer", "record", "field", "value_in_file", "value_observed", "says", "date", "observers", "lon", "lat", "question"}}
	for i := range list {
		k := &list[i]
		rows = append(rows, []string{
			Harmless(k.Layer), Harmless(k.Record), Harmless(k.Field), Harmless(k.InFile), Harmless(k.Observed), Harmless(k.Says),
			k.Day.Format(time.DateOnly), strconv.Itoa(k.Observers), optional(k.Lon), optional(k.Lat), strconv.Itoa(k.Question),
		})
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("write the corrections: %w", err)
	}
	return send(w, b)
}

func optional(f *float64) string {
	if f == nil {
		return ""
	}
	return degrees(*f)
}

// Harmless keeps a spreadsheet from taking a text for a formula, and a line
// feed in a cell from breaking a careless reader's rows.
func Harmless(s string) string {
	s = printable(s)
	trimmed := strings.TrimLeft(s, " \u00a0\u202f")
	if trimmed != "" && strings.ContainsRune("=+-@＝＋－＠", []rune(trimmed)[0]) {
		return "'" + s
	}
	return s
}

// WriteCorrectionsGeoJSON writes corrections as GeoJSON, each where it was
// observed, else where the file has its record.
func WriteCorrectionsGeoJSON(w io.Writer, list []Correction) error {
	c := collectionJSON{Type: "FeatureCollection", Features: []featureJSON{}}
	for i := range list {
		k := &list[i]
		f := featureJSON{Type: "Feature", Properties: map[string]any{
			"layer": k.Layer, "record": orNull(k.Record), "field": k.Field, "value_in_file": orNull(k.InFile), "value_observed": orNull(k.Observed),
			"says": k.Says, "date": k.Day.Format(time.DateOnly), "observers": k.Observers, "question": k.Question,
		}}
		if k.Lon != nil && k.Lat != nil {
			f.Geometry = pointAt(*k.Lon, *k.Lat)
		}
		c.Features = append(c.Features, f)
	}
	b := &bytes.Buffer{}
	if err := encodeLine(b, c); err != nil {
		return err
	}
	return send(w, b)
}
