package catalogue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"calanque/geo"
)

// A field is one thing that is said of a T and may be changed: where it is in
// the T and in its row.
type field[T any] struct {
	name   string // as the catalogue file names it
	column string // "" when its row is elsewhere
	as     string // how the argument is written, with %s for its $n; "" is as it is
	of     func(*T) any
}

// A Difference is a field that two descriptions say otherwise. Both are JSON,
// null for nothing.
type Difference struct {
	Field  string          `json:"field"`
	Before json.RawMessage `json:"before"`
	After  json.RawMessage `json:"after"`
}

// value is what a T says in a field, as JSON. What is empty is null, so that
// nothing said in two ways is no difference.
func (f field[T]) value(t *T) json.RawMessage {
	switch v := f.of(t).(type) {
	case **time.Time: // a day
		if *v == nil {
			return json.RawMessage("null")
		}
		return json.RawMessage(strconv.Quote((*v).Format(time.DateOnly)))
	default:
		e := reflect.ValueOf(v).Elem()
		empty := e.IsZero()
		if k := e.Kind(); k == reflect.Map || k == reflect.Slice {
			empty = e.Len() == 0
		}
		if empty && e.Kind() != reflect.Bool && e.Kind() != reflect.Int {
			return json.RawMessage("null")
		}
		b, err := json.Marshal(e.Interface())
		if err != nil {
			return json.RawMessage("null") // texts, numbers and days only: it can't be
		}
		return b
	}
}

// set makes a T say what another says in a field.
func (f field[T]) set(to, from *T) {
	reflect.ValueOf(f.of(to)).Elem().Set(reflect.ValueOf(f.of(from)).Elem())
}

// arg is the value as the database takes it.
func (f field[T]) arg(t *T) any {
	switch v := f.of(t).(type) {
	case **geo.Box:
		if *v == nil {
			return nil
		}
		b := **v
		return fmt.Sprintf("BOX(%v %v,%v %v)", b.MinX, b.MinY, b.MaxX, b.MaxY)
	case *geo.Text:
		return jsonOr(len(*v) > 0, *v)
	case *map[string]string:
		return jsonOr(len(*v) > 0, *v)
	case *[]geo.Text:
		return list(*v)
	case *[]string:
		return list(*v)
	default:
		return reflect.ValueOf(v).Elem().Interface()
	}
}

func jsonOr(there bool, v any) any {
	if !there {
		return nil
	}
	return v
}

// list is never null: an empty list says that there is none.
func list[E any](l []E) any {
	if l == nil {
		return []E{}
	}
	return l
}

// values is all that a T says, by field.
func values[T any](fields []field[T], t *T) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	for _, f := range fields {
		m[f.name] = f.value(t)
	}
	return m
}

// A Kind is how one kind of thing is described: what the catalogue file and
// pages may say of it, field by field.
type Kind[T any] struct {
	Subject Subject
	fields  []field[T]
}

// The kinds of things that are described.
var (
	DatasetOf  = Kind[Entry]{OfDataset, entryFields}
	ProducerOf = Kind[Producer]{OfProducer, producerFields}
	LicenceOf  = Kind[Licence]{OfLicence, licenceFields}
	ResourceOf = Kind[Resource]{OfResource, resourceFields}
)

// Fields lists the names of what may be said, in the order in which people are
// told.
func (k Kind[T]) Fields() []string {
	list := make([]string, len(k.fields))
	for i, f := range k.fields {
		list[i] = f.name
	}
	return list
}

// Differences lists what two descriptions say otherwise.
func (k Kind[T]) Differences(was, now *T) []Difference { return differ(k.fields, was, now) }

// Values is all that a description says, as JSON by field.
func (k Kind[T]) Values(t *T) map[string]json.RawMessage { return values(k.fields, t) }

// Copy makes one description say what another says in a field.
func (k Kind[T]) Copy(to, from *T, name string) {
	for _, f := range k.fields {
		if f.name == name {
			f.set(to, from)
		}
	}
}

// differ lists what two Ts say otherwise, in the order of the fields.
func differ[T any](fields []field[T], was, now *T) []Difference {
	var list []Difference
	for _, f := range fields {
		before, after := f.value(was), f.value(now)
		if !bytes.Equal(before, after) {
			list = append(list, Difference{f.name, before, after})
		}
	}
	return list
}

// assign makes "column = $n" pairs of the fields that differ, arguments
// numbered after those that are there.
func assign[T any](fields []field[T], t *T, list []Difference, args []any) (columns, values []string, all []any) {
	for _, f := range fields {
		if f.column == "" || !slices.ContainsFunc(list, func(d Difference) bool { return d.Field == f.name }) {
			continue
		}
		args = append(args, f.arg(t))
		value := "$" + strconv.Itoa(len(args))
		if f.as != "" {
			value = strings.ReplaceAll(f.as, "%s", value)
		}
		columns, values = append(columns, f.column), append(values, value)
	}
	return columns, values, args
}

// A Stale edit was begun on a description that somebody has changed since. It
// is an ErrConflict.
type Stale struct {
	Now Entry // as it is
}

func (e *Stale) Error() string {
	return fmt.Sprintf("dataset %s is at edition %d: %v", e.Now.Slug, e.Now.Edition, geo.ErrConflict)
}

// Is makes every Stale an ErrConflict.
func (e *Stale) Is(target error) bool { return target == geo.ErrConflict }
