package catalogue

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

var resourceFields = []field[Resource]{
	{"kind", "kind", "", func(r *Resource) any { return &r.Kind }},
	{"title", "title", "coalesce(%s::jsonb, '{}')", func(r *Resource) any { return &r.Title }},
	{"description", "description", "", func(r *Resource) any { return &r.Description }},
	{"url", "url", "nullif(%s, '')", func(r *Resource) any { return &r.URL }},
	{"file", "blob_sha256", "", func(r *Resource) any { return &r.SHA256 }},
	{"layer", "layer_id", "(select id from layer where name = %s::text)", func(r *Resource) any { return &r.Layer }},
	{"filename", "filename", "nullif(%s, '')", func(r *Resource) any { return &r.Filename }},
	{"format", "format", "nullif(%s, '')", func(r *Resource) any { return &r.Format }},
	{"document", "document", "", func(r *Resource) any { return &r.Document }},
	{"public", "public", "", func(r *Resource) any { return &r.Public }},
	{"position", "position", "", func(r *Resource) any { return &r.Position }},
}

// documentTypes are what an administrative document may be.
var documentTypes = []string{"deliberation", "convention", "avis", "clause", "other"}

var (
	nameShape   = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,62}$`)
	formatShape = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]{0,30}$`)
)

// CheckResource finds what is wrong with a resource.
func CheckResource(r *Resource) Faults {
	var f Faults
	if !nameShape.MatchString(r.Name) {
		f.add("put.resource-name", "name", r.Name)
	}
	if strings.TrimSpace(r.Title["fr"]) == "" {
		f.add("put.required", "title", "")
	}
	f.text("title", r.Title, maxTitle)
	f.text("description", r.Description, maxText)
	f.url("url", r.URL)
	if r.Format != "" && !formatShape.MatchString(r.Format) {
		f.add("put.format", "format", r.Format)
	}
	targets := 0
	for _, there := range []bool{r.URL != "", len(r.SHA256) > 0, r.Layer != ""} {
		if there {
			targets++
		}
	}
	switch r.Kind {
	case LayerResource:
		if r.Layer == "" || targets != 1 {
			f.add("put.resource-layer", "layer", r.Layer)
		}
	case Reference, Service:
		if r.URL == "" || targets != 1 {
			f.add("put.resource-url", "url", r.URL, "kind", string(r.Kind))
		}
	case FileResource, Documentation, Administrative:
		if targets != 1 || r.Layer != "" {
			f.add("put.resource-target", "file", "", "kind", string(r.Kind))
		}
	default:
		f.add("put.resource-kind", "kind", string(r.Kind))
	}
	if len(r.SHA256) > 0 && strings.TrimSpace(r.Filename) == "" {
		f.add("put.required", "filename", "")
	}
	f.document(r)
	return f
}

func (f *Faults) document(r *Resource) {
	d := r.Document
	if (r.Kind == Administrative) != (d != nil) {
		f.add("put.document", "document", "", "known", strings.Join(documentTypes, ", "))
		return
	}
	if d == nil {
		return
	}
	if !slices.Contains(documentTypes, d.Type) {
		f.add("put.document", "document", d.Type, "known", strings.Join(documentTypes, ", "))
	}
	if _, err := time.Parse(time.DateOnly, d.Date); d.Date != "" && err != nil {
		f.add("put.date", "document", d.Date)
	}
}

// PutResource makes the resource of a dataset that has r's name what r says,
// and gives what changed; one that was taken away comes back. A file must have
// been kept (package blob) before. Faults are told as Put tells them.
func PutResource(ctx context.Context, tx pgx.Tx, slug string, r Resource, by By) ([]Difference, error) {
	if f := CheckResource(&r); len(f) > 0 {
		return nil, f
	}
	dataset, was, deleted, err := lockResource(ctx, tx, slug, r.Name)
	if err != nil {
		return nil, err
	}
	changed := ResourceOf.Differences(&was, &r)
	if was.ID != 0 && len(changed) == 0 && !deleted {
		return nil, nil
	}
	if deleted {
		changed = append(changed, Difference{"deleted", []byte("true"), []byte("false")})
	}
	if was.ID == 0 {
		columns, values, args := assign(resourceFields, &r, allOf(resourceFields), []any{dataset, r.Name})
		_, err = tx.Exec(ctx, `insert into resource (dataset_id, name, `+strings.Join(columns, ", ")+`) values ($1, $2, `+strings.Join(values, ", ")+`)`, args...)
	} else {
		columns, values, args := assign(resourceFields, &r, changed, []any{was.ID})
		set := []string{"updated_at = now()", "deleted_at = null"}
		for i := range columns {
			set = append(set, columns[i]+" = "+values[i])
		}
		_, err = tx.Exec(ctx, `update resource set `+strings.Join(set, ", ")+` where id = $1`, args...)
	}
	if err != nil {
		return nil, fmt.Errorf("write resource %s/%s: %w", slug, r.Name, postgis.Kind(err))
	}
	return changed, resourceEdited(ctx, tx, slug, r.Name, changed, by)
}

// RemoveResource takes a resource away; RestoreResource undoes it. A layer's
// comes and goes with its layer.
func RemoveResource(ctx context.Context, tx pgx.Tx, slug, name string, by By) error {
	return moveResource(ctx, tx, slug, name, true, by)
}

// RestoreResource brings back what RemoveResource took away.
func RestoreResource(ctx context.Context, tx pgx.Tx, slug, name string, by By) error {
	return moveResource(ctx, tx, slug, name, false, by)
}

func moveResource(ctx context.Context, tx pgx.Tx, slug, name string, away bool, by By) error {
	_, was, deleted, err := lockResource(ctx, tx, slug, name)
	if err != nil || deleted == away && was.ID != 0 {
		return err
	}
	if was.ID == 0 {
		return fmt.Errorf("resource %s of %s: %w", name, slug, geo.ErrNotFound)
	}
	if was.Kind == LayerResource {
		return geo.Bad(geo.ErrConflict, "put.resource-of-layer", "field", "name", "value", name)
	}
	_, err = tx.Exec(ctx, `update resource set updated_at = now(), deleted_at = case when $2 then now() end where id = $1`, was.ID, away)
	if err != nil {
		return fmt.Errorf("take away resource %s of %s: %w", name, slug, postgis.Kind(err))
	}
	d := Difference{"deleted", []byte("false"), []byte("true")}
	if !away {
		d.Before, d.After = d.After, d.Before
	}
	return resourceEdited(ctx, tx, slug, name, []Difference{d}, by)
}

// lockResource finds a resource, also one that was taken away, and locks its
// dataset; was has no ID when there is none.
func lockResource(ctx context.Context, tx pgx.Tx, slug, name string) (dataset geo.DatasetID, was Resource, deleted bool, err error) {
	if err := tx.QueryRow(ctx, `select id from dataset where slug = $1 for update`, slug).Scan(&dataset); err != nil {
		return 0, was, false, fmt.Errorf("dataset %s: %w", slug, postgis.Kind(err))
	}
	rows, err := tx.Query(ctx, resourceSelect+` where r.dataset_id = $1 and r.name = $2`, dataset, name)
	if err != nil {
		return 0, was, false, fmt.Errorf("read resource %s: %w", name, postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Resource, error) {
		_, r, gone, err := scanResource(row)
		deleted = gone
		return r, err
	})
	if err != nil {
		return 0, was, false, fmt.Errorf("read resource %s: %w", name, postgis.Kind(err))
	}
	if len(list) > 0 {
		was = list[0]
	}
	return dataset, was, deleted, nil
}

func resourceEdited(ctx context.Context, tx pgx.Tx, slug, name string, changed []Difference, by By) error {
	if err := log(ctx, tx, OfResource, slug+"/"+name, changed, by); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update dataset set updated_at = now(), edition = edition + 1 where slug = $1`, slug); err != nil {
		return fmt.Errorf("date the change of %s: %w", slug, postgis.Kind(err))
	}
	return postgis.Append(ctx, tx, postgis.Change{Kind: "catalogue", Subject: slug})
}

// allOf says that every field is to be written.
func allOf[T any](fields []field[T]) []Difference {
	list := make([]Difference, len(fields))
	for i, f := range fields {
		list[i].Field = f.name
	}
	return list
}
