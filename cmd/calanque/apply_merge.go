package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

// byApply is who is said to have written what apply writes.
var byApply = catalogue.By{Body: "calanque apply"}

// What to do with a field that was edited by hand since the file last said it.
const (
	keepPages = "pages"
	keepFile  = "file"
)

// A saying is what the file last said of a field. Kept is what pages said
// instead when a person chose to keep it: that choice holds until either
// changes.
type saying struct {
	Value, Kept json.RawMessage
}

// A told is where sayings are kept: of what, by its lasting name.
type told struct {
	kind    catalogue.Subject
	subject string // id of the dataset, which lasts when its address changes; dataset/resource; id
}

// readSayings reads all that the file last said.
func readSayings(ctx context.Context, db postgis.DB) (map[told]map[string]saying, error) {
	rows, err := db.Query(ctx, `select kind, subject, field, value, coalesce(kept, 'null') from said`)
	if err != nil {
		return nil, fmt.Errorf("read what the file said: %w", postgis.Kind(err))
	}
	all := map[told]map[string]saying{}
	var of told
	var field string
	var s saying
	_, err = pgx.ForEachRow(rows, []any{&of.kind, &of.subject, &field, &s.Value, &s.Kept}, func() error {
		if all[of] == nil {
			all[of] = map[string]saying{}
		}
		all[of][field] = saying{slices.Clone(s.Value), slices.Clone(s.Kept)}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what the file said: %w", postgis.Kind(err))
	}
	return all, nil
}

// putSayings keeps what the file says now, and forgets what it says no more.
// It writes only what differs.
func putSayings(ctx context.Context, tx pgx.Tx, of told, was, now map[string]saying) error {
	batch := &pgx.Batch{}
	for field, s := range now {
		if old, ok := was[field]; ok && same(old, s) {
			continue
		}
		batch.Queue(`
			insert into said (kind, subject, field, value, kept) values ($1, $2, $3, $4, nullif($5::jsonb, 'null'))
			on conflict (kind, subject, field) do update set value = excluded.value, kept = excluded.kept, at = now()`,
			of.kind, of.subject, field, orNull(s.Value), orNull(s.Kept))
	}
	for field := range was {
		if _, still := now[field]; !still {
			batch.Queue(`delete from said where (kind, subject, field) = ($1, $2, $3)`, of.kind, of.subject, field)
		}
	}
	if batch.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("keep what the file says of %s: %w", of.subject, postgis.Kind(err))
	}
	return nil
}

// differs tells whether putSayings would write.
func sayingsDiffer(was, now map[string]saying) bool {
	if len(was) != len(now) {
		return true
	}
	for field, s := range now {
		if old, ok := was[field]; !ok || !same(old, s) {
			return true
		}
	}
	return false
}

func orNull(j json.RawMessage) json.RawMessage {
	if len(j) == 0 {
		return json.RawMessage("null")
	}
	return j
}

// A conflict is a field that the file and a person say otherwise.
type conflict struct {
	What  string          `json:"what"`
	ID    string          `json:"id"`
	Field string          `json:"field"`
	Pages json.RawMessage `json:"pages"` // what stands there
	File  json.RawMessage `json:"file"`
	Login string          `json:"login"`
	At    time.Time       `json:"at"`
}

// A merged description is what apply makes of what the file says and what is
// stored.
type merged[T any] struct {
	want     T
	changed  []catalogue.Difference
	sayings  map[string]saying
	conflict []conflict
}

// A described thing is what merge compares.
type described[T any] struct {
	what, id string // for people
	kind     catalogue.Kind[T]
	names    []string // under which its edits are logged
	stored   *T       // nil for a new one
	file     *T
	was      map[string]saying
}

// merge goes through the fields that the file speaks of, and those that it
// spoke of last time and no longer does, which it takes back. What pages say
// of others stays. A field that was edited by hand is a conflict, unless the
// person has decided it with --keep, now or before and nothing changed since.
func merge[T any](ctx context.Context, ap *applier, d described[T]) (merged[T], error) {
	var nothing T
	m := merged[T]{sayings: map[string]saying{}}
	stored := &nothing
	if d.stored != nil {
		stored = d.stored
	}
	m.want = *stored
	file, now := d.kind.Values(d.file), d.kind.Values(stored)
	for _, f := range d.kind.Fields() {
		_, spoken := d.was[f]
		if says := string(file[f]) != "null" && !same(file[f], d.kind.Values(&nothing)[f]); says {
			m.sayings[f] = saying{Value: file[f], Kept: json.RawMessage("null")}
		} else if !spoken {
			continue
		}
		if same(file[f], now[f]) {
			continue
		}
		keep := false
		if d.stored != nil {
			var err error
			if keep, err = ap.keeps(ctx, f, d.what, d.id, d.kind.Subject, d.names, d.was[f], now[f], file[f], &m.conflict); err != nil {
				return m, err
			}
		}
		if keep {
			m.sayings[f] = saying{Value: file[f], Kept: now[f]}
			continue
		}
		d.kind.Copy(&m.want, d.file, f)
	}
	m.changed = d.kind.Differences(stored, &m.want)
	return m, nil
}

// keeps tells whether what pages say of a field stays. An open conflict stays
// too, and is noted.
func (ap *applier) keeps(ctx context.Context, field, what, id string, kind catalogue.Subject, names []string, was saying,
	pages, file json.RawMessage, conflicts *[]conflict,
) (bool, error) {
	login, at, err := ap.byHand(ctx, kind, names, field)
	if err != nil || login == "" {
		return false, err
	}
	// A choice that was made before, and neither side has changed since.
	if ap.keep != keepFile && was.Kept != nil && string(was.Kept) != "null" && same(was.Value, file) && same(was.Kept, pages) {
		return true, nil
	}
	switch ap.keep {
	case keepFile:
		return false, nil
	case keepPages:
		return true, nil
	}
	*conflicts = append(*conflicts, conflict{what, id, field, pages, file, login, at})
	return true, nil
}

// byHand tells who last changed a field, if that was a person and not a
// command: their login, or "" .
func (ap *applier) byHand(ctx context.Context, kind catalogue.Subject, names []string, field string) (string, time.Time, error) {
	var login *string
	var at time.Time
	err := ap.hub.Owner.QueryRow(ctx, `
		select a.login, e.at
		from edit e
		left join account a on a.id = e.account_id and e.body is null -- a census is a command, whoever ran it
		where e.kind = $1 and e.subject = any ($2) and e.field = $3
		order by e.id desc
		limit 1`, kind, names, field).Scan(&login, &at)
	if errors.Is(err, pgx.ErrNoRows) || err == nil && login == nil {
		return "", at, nil
	}
	if err != nil {
		return "", at, fmt.Errorf("look who changed %s: %w", strings.Join(names, ", "), postgis.Kind(err))
	}
	return *login, at, nil
}

// stop says what people have edited since the file last said it.
func (ap *applier) stop(list []conflict) error {
	if len(list) == 0 {
		return nil
	}
	ap.report.Conflicts = list
	for _, c := range list {
		ap.tell(ap.conflictMessage(c))
	}
	c := list[0]
	return geo.Bad(geo.ErrConflict, "apply.conflicts", "n", len(list), "what", geo.Say("apply.what-"+c.What), "id", c.ID,
		"field", fieldName(c.Field), "login", c.Login, "at", c.At.Local().Format("2006-01-02 15:04"))
}

func (ap *applier) conflictMessage(c conflict) geo.Message {
	return geo.Say("apply.conflict", "what", geo.Say("apply.what-"+c.What), "id", c.ID, "field", fieldName(c.Field),
		"login", c.Login, "at", c.At.Local().Format("2006-01-02 15:04"), "pages", ap.shown(c.Pages), "file", ap.shown(c.File))
}

// fieldName is what people call a field.
func fieldName(field string) geo.Message { return geo.Say("field." + field) }

// shown writes a value for people, in one line.
func (ap *applier) shown(j json.RawMessage) string {
	if len(j) == 0 || string(j) == "null" {
		return ap.sentence(geo.Say("apply.nothing-said"))
	}
	var v any
	if json.Unmarshal(j, &v) != nil {
		return string(j)
	}
	if s, ok := v.(string); ok {
		return s
	}
	s := string(j)
	if r := []rune(s); len(r) > 200 {
		s = string(r[:200]) + "…"
	}
	return s
}
