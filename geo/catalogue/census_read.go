package catalogue

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"calanque/geo"
)

// readLine understands one row. What is wrong is in its problems; a cell that
// is none of the known words where any word may stand is kept as it is.
func readLine(columns []CensusColumn, row []string, raw map[string]string, number int, k *known, def CensusDefault) CensusLine {
	l := CensusLine{Line: number, Raw: raw}
	e := &l.entry
	e.Chain, e.Producer, e.Licence, e.Extra = def.Chain, def.Producer, def.Licence, map[string]string{}
	if e.Licence == "" {
		e.Licence = "restricted"
	}
	r := lineReader{l: &l, k: k}
	names := columnNames(columns)
	for i, c := range columns {
		r.column, r.name, r.value = c, names[i], cellOf(row, c.Column)
		if r.value == "" {
			continue
		}
		if c.Field != "" && slices.Contains([]string{"#REF!", "#N/A", "#NAME?", "#NOM?", "#VALUE!", "#VALEUR!", "#DIV/0!", "#NULL!", "#NUM!"}, r.value) {
			r.problem("census.formula")
			continue
		}
		r.cell()
	}
	l.Title = e.Title["fr"]
	if l.Title == "" {
		l.Problems = append(l.Problems, CensusProblem{Column: columnOf(columns, "title"), Title: titleOf(columns, "title"), Message: geo.Say("census.no-title")})
	}
	if e.Producer == "" && !l.wrong(columnOf(columns, "producer")) {
		l.Problems = append(l.Problems, CensusProblem{Column: columnOf(columns, "producer"), Title: titleOf(columns, "producer"), Message: geo.Say("census.no-producer")})
	}
	r.link(columns)
	l.Slug = e.Slug
	if l.Slug == "" {
		l.Slug = slugOf(l.Title)
	}
	e.Slug = l.Slug
	if l.Title != "" && l.Slug == "" {
		l.Problems = append(l.Problems, CensusProblem{Column: columnOf(columns, "title"), Title: titleOf(columns, "title"), Message: geo.Say("census.no-slug")})
	}
	for _, f := range Check(e) {
		field, _ := f.Args["field"].(string)
		if field == "contact" && f.Code == "put.email" && columnOf(columns, "email") != "" {
			field = "email"
		}
		if column := columnOf(columns, field); !l.wrong(column) && (l.Title != "" && l.Slug != "" || field != "title" && field != "id") {
			l.Problems = append(l.Problems, CensusProblem{Column: column, Title: titleOf(columns, field), Message: f.Message})
		}
	}
	for name := range maps.Keys(e.Extra) {
		if name != "" {
			l.said = append(l.said, "extra")
			break
		}
	}
	return l
}

// wrong tells whether a cell of the line has been told to be wrong.
func (l *CensusLine) wrong(column string) bool {
	return slices.ContainsFunc(l.Problems, func(p CensusProblem) bool { return p.Column == column })
}

func columnOf(columns []CensusColumn, field string) string {
	for _, c := range columns {
		if c.Field == field {
			return ColumnName(c.Column)
		}
	}
	return ""
}

func titleOf(columns []CensusColumn, field string) string {
	for _, c := range columns {
		if c.Field == field {
			return c.Title
		}
	}
	return ""
}

// A lineReader goes through the cells of one row.
type lineReader struct {
	l      *CensusLine
	k      *known
	column CensusColumn
	name   string // under which its cell is kept
	value  string
	url    string
	format string
}

func (r *lineReader) problem(code string, args ...any) {
	r.l.Problems = append(r.l.Problems, CensusProblem{
		Column: ColumnName(r.column.Column), Title: r.column.Title, Message: geo.Say(code, append([]any{"value", clipped(r.value)}, args...)...),
	})
}

func clipped(s string) string {
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}

// keep keeps a cell as it is, under its column's name.
func (r *lineReader) keep() {
	r.l.entry.Extra[r.name] = r.value
}

func (r *lineReader) cell() {
	e, v := &r.l.entry, r.value
	said := r.column.Field
	switch r.column.Field {
	case "":
		r.keep()
		return
	case "id":
		if s := slugOf(v); s != "" {
			e.Slug = s
		}
		said = ""
	case "title":
		e.Title = geo.Text{"fr": strings.Join(strings.Fields(v), " ")}
	case "description":
		e.Description = geo.Text{"fr": v}
	case "limits":
		e.Limits = geo.Text{"fr": v}
	case "producer":
		id, ok := r.k.producer(v)
		if !ok {
			r.problem("census.producer", "known", strings.Join(sortedKeys(r.k.names), ", "))
			return
		}
		e.Producer = id
	case "licence":
		id, ok := r.k.licence(v)
		if !ok {
			r.problem("census.licence")
			return
		}
		e.Licence = id
	case "topics":
		r.topics()
	case "keywords":
		for _, w := range splitList(v) {
			e.Keywords = append(e.Keywords, geo.Text{"fr": w})
		}
	case "territory":
		r.territory()
	case "frequency":
		id, ok := frequencyOf(v)
		if !ok {
			r.problem("census.frequency")
			return
		}
		e.Frequency = id
	case "contact":
		r.contact("name")
	case "email":
		r.contact("email")
		said = "contact"
	case "url":
		r.url, said = v, ""
	case "landingPage":
		e.LandingPage = v
	case "format":
		r.format, said = v, ""
	default:
		r.date()
		return
	}
	if said != "" {
		r.l.said = append(r.l.said, said)
	}
}

func (r *lineReader) topics() {
	for _, w := range splitList(r.value) {
		if id, ok := r.k.topic(w); !ok {
			r.keep()
		} else if !slices.Contains(r.l.entry.Topics, id) {
			r.l.entry.Topics = append(r.l.entry.Topics, id)
		}
	}
}

func (r *lineReader) territory() {
	for _, w := range splitList(r.value) {
		if code, ok := territoryOf(w); !ok {
			r.keep()
		} else if !slices.Contains(r.l.entry.Territory, code) {
			r.l.entry.Territory = append(r.l.entry.Territory, code)
		}
	}
}

func (r *lineReader) contact(what string) {
	e := &r.l.entry
	if e.Contact == nil {
		e.Contact = map[string]string{}
	}
	if what == "name" && strings.Contains(r.value, "@") && !strings.ContainsAny(r.value, " ,;") {
		what = "email"
	}
	e.Contact[what] = r.value
}

// date understands a cell of a column of dates; "year" is both ends of it.
func (r *lineReader) date() {
	e, field := &r.l.entry, r.column.Field
	first, rest := r.value, r.value
	if field == "year" {
		if a, b, ok := strings.Cut(r.value, "-"); ok && len(strings.TrimSpace(a)) == 4 && len(strings.TrimSpace(b)) == 4 {
			first, rest = strings.TrimSpace(a), strings.TrimSpace(b)
		}
	}
	from, ok := dayOf(first, false)
	to, ok2 := dayOf(rest, true)
	if !ok || !ok2 {
		if field == "year" {
			r.keep() // "2010 et 2015" is no fault: it is kept
			return
		}
		r.problem("census.date")
		return
	}
	switch field {
	case "delivered":
		e.SaidDelivered = &from
	case "issued":
		e.IssuedAt = &from
	case "from":
		e.TemporalStart = &from
	case "to":
		e.TemporalEnd = &to
	case "year":
		e.TemporalStart, e.TemporalEnd = &from, &to
		r.l.said = append(r.l.said, "from", "to")
		return
	}
	r.l.said = append(r.l.said, field)
}

// serviceWords are formats that are services rather than files.
var serviceWords = []string{"wfs", "wms", "wmts", "ogc-api", "csw"}

// link makes the resource that the columns of address and format tell.
func (r *lineReader) link(columns []CensusColumn) {
	if r.url == "" {
		if r.format != "" {
			r.l.entry.Extra[titleOf(columns, "format")] = r.format
		}
		return
	}
	res := Resource{Name: "lien", Kind: Reference, Title: geo.Text{"fr": "Accès aux données", "en": "Access to the data", "it": "Accesso ai dati"}, URL: r.url, Public: true, Position: 1}
	format := strings.ReplaceAll(plainWords(r.format), " ", "-")
	if formatShape.MatchString(format) {
		res.Format = format
	}
	if slices.Contains(serviceWords, format) {
		res.Kind = Service
	}
	for _, f := range CheckResource(&res) {
		r.l.Problems = append(r.l.Problems, CensusProblem{Column: columnOf(columns, "url"), Title: titleOf(columns, "url"), Message: f.Message})
	}
	r.l.resources = append(r.l.resources, res)
}

func sortedKeys(m map[string]bool) []string {
	return slices.Sorted(maps.Keys(m))
}

// String names a problem in a log.
func (p CensusProblem) String() string { return fmt.Sprintf("%s: %s", p.Column, p.Message.Code) }
