package osm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Theme is a selection of OpenStreetMap objects that is served as a layer
// osm_<id> of points: areas and lines by a point on them. Its rows are the
// table osm.theme_<id>, with columns _fid, _key, type, osm_id, version, name,
// kind ("point", "line", "area": what the object is), one text column for each
// of Fields, tags and geom (3857).
type Theme struct {
	ID        string       `yaml:"id" json:"id"`
	Title     geo.Text     `yaml:"title" json:"title"`
	Selection Selection    `yaml:"selection" json:"selection"`
	Fields    []ThemeField `yaml:"fields,omitempty" json:"fields,omitempty"` // main tags, in the order they are shown
	Position  int          `yaml:"-" json:"-"`                               // in lists; PutThemes counts
}

// A ThemeField is a tag that a theme shows as a column of its own. In YAML it
// may be the bare tag.
type ThemeField struct {
	Tag   string   `yaml:"tag" json:"tag"`
	Name  string   `yaml:"name,omitempty" json:"name"` // of the column; by default the tag with _ for what is no letter or digit
	Label geo.Text `yaml:"label,omitempty" json:"label,omitempty"`
}

// reserved are the names of columns and layers that a theme can't take.
var (
	reservedColumns = []string{"id", "_fid", "_key", "type", "osm_id", "version", "name", "kind", "tags", "geom"}
	reservedThemes  = []string{"points", "lines", "areas"}
	themeID         = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,40}$`)
	notName         = regexp.MustCompile(`[^a-z0-9_]+`)
)

// check completes a theme and says what is wrong with it.
func (t *Theme) check() error {
	if !themeID.MatchString(t.ID) || slices.Contains(reservedThemes, t.ID) {
		return geo.Bad(nil, "theme.id", "theme", t.ID)
	}
	if t.Title.In("fr") == "" {
		return geo.Bad(nil, "theme.title", "theme", t.ID)
	}
	if err := t.Selection.check(t.ID); err != nil {
		return err
	}
	taken := slices.Clone(reservedColumns)
	t.Fields = slices.Clone(t.Fields)
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Tag == "" {
			return geo.Bad(nil, "theme.field", "theme", t.ID, "field", f.Name)
		}
		if f.Name == "" {
			f.Name = strings.Trim(notName.ReplaceAllString(strings.ToLower(f.Tag), "_"), "_")
		}
		if f.Name == "" || len(f.Name) > 63 || notName.MatchString(f.Name) || slices.Contains(taken, f.Name) {
			return geo.Bad(nil, "theme.field", "theme", t.ID, "field", f.Tag)
		}
		taken = append(taken, f.Name)
	}
	return nil
}

// Layer is the name of the theme's layer.
func (t Theme) Layer() string { return "osm_" + t.ID }

// table is the name of the theme's table in schema osm.
func (t Theme) table() string { return "theme_" + t.ID }

// PutThemes declares themes, in the order of lists. Those whose selection or
// fields are new or have changed are built anew from the copy; those that are
// not named stay as they are. It returns the ids of those that changed in any
// way, and appends to the log of changes when there are some: call it last in
// the transaction. A theme that can't be is a *geo.InputError.
func PutThemes(ctx context.Context, tx pgx.Tx, themes []Theme) (changed []string, err error) {
	if len(themes) == 0 {
		return nil, nil
	}
	if is, err := unchanged(ctx, tx, themes); err != nil || is {
		return nil, err
	}
	if err := putProducer(ctx, tx); err != nil {
		return nil, err
	}
	// An import publishes the themes it has read: it must not read between.
	if _, err := tx.Exec(ctx, `lock table theme in share row exclusive mode`); err != nil {
		return nil, fmt.Errorf("lock the themes: %w", err)
	}
	state, err := current(ctx, tx)
	if err != nil {
		return nil, err
	}
	updated := time.Now().UTC()
	if state != nil {
		updated = state.Extract
	}
	for i, t := range themes {
		t.Position = i
		is, err := t.put(ctx, tx, updated)
		if err != nil {
			return nil, err
		}
		if is {
			changed = append(changed, t.ID)
		}
	}
	if len(changed) == 0 {
		return nil, nil
	}
	return changed, postgis.Append(ctx, tx, postgis.Change{
		Kind: "osm", Subject: "themes", Detail: map[string]any{"themes": changed},
	})
}

// unchanged tells whether themes are stored as they are said: then nothing is
// locked or written.
func unchanged(ctx context.Context, tx pgx.Tx, themes []Theme) (bool, error) {
	old, err := stored(ctx, tx)
	if err != nil {
		return false, err
	}
	for i, t := range themes {
		t.Position = i
		if err := t.check(); err != nil {
			return false, err
		}
		if !slices.ContainsFunc(old, func(o Theme) bool { return o.ID == t.ID && same(o, t) }) {
			return false, nil
		}
	}
	return true, nil
}

// put declares one theme and tells whether that changed anything.
func (t Theme) put(ctx context.Context, tx pgx.Tx, updated time.Time) (bool, error) {
	if err := t.check(); err != nil {
		return false, err
	}
	old, err := storedOne(ctx, tx, t.ID)
	if err != nil {
		return false, err
	}
	if old != nil && same(*old, t) {
		return false, nil
	}
	_, err = tx.Exec(ctx, `
		insert into theme (id, title, selection, fields, position) values ($1, $2, $3, $4, $5)
		on conflict (id) do update set
			title = excluded.title, selection = excluded.selection, fields = excluded.fields, position = excluded.position`,
		t.ID, t.Title, t.Selection, append([]ThemeField{}, t.Fields...), t.Position)
	if err != nil {
		return false, fmt.Errorf("store theme %s: %w", t.ID, err)
	}
	if old == nil || !same(Theme{ID: t.ID, Selection: old.Selection, Fields: old.Fields}, Theme{ID: t.ID, Selection: t.Selection, Fields: t.Fields}) {
		if err := t.build(ctx, tx, ""); err != nil {
			return false, err
		}
	}
	_, err = t.putLayer(ctx, tx, updated)
	return true, err
}

// same compares what two themes say.
func same(a, b Theme) bool {
	x, err := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err == nil && err2 == nil && string(x) == string(y) && a.Position == b.Position
}

const storedColumns = `select id, title, selection, fields, position from theme`

func scanTheme(row pgx.CollectableRow) (t Theme, err error) {
	err = row.Scan(&t.ID, &t.Title, &t.Selection, &t.Fields, &t.Position)
	if len(t.Fields) == 0 {
		t.Fields = nil
	}
	return t, err
}

// stored gives all declared themes, in the order of lists.
func stored(ctx context.Context, db postgis.DB) ([]Theme, error) {
	rows, err := db.Query(ctx, storedColumns+` order by position, id`)
	if err != nil {
		return nil, fmt.Errorf("read the themes: %w", postgis.Kind(err))
	}
	themes, err := pgx.CollectRows(rows, scanTheme)
	if err != nil {
		return nil, fmt.Errorf("read the themes: %w", postgis.Kind(err))
	}
	return themes, nil
}

// Themes gives all declared themes, in the order of lists.
func Themes(ctx context.Context, db postgis.DB) ([]Theme, error) { return stored(ctx, db) }

func storedOne(ctx context.Context, tx pgx.Tx, id string) (*Theme, error) {
	rows, err := tx.Query(ctx, storedColumns+` where id = $1`, id)
	if err != nil {
		return nil, fmt.Errorf("read theme %s: %w", id, err)
	}
	t, err := pgx.CollectExactlyOneRow(rows, scanTheme)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read theme %s: %w", id, err)
	}
	return &t, nil
}

// build makes osm.<prefix>theme_<id> anew from the tables osm.<prefix>point,
// line and area.
func (t Theme) build(ctx context.Context, tx pgx.Tx, prefix string) error {
	name := prefix + t.table()
	table := pgx.Identifier{"osm", name}.Sanitize()
	var ours, theirs strings.Builder
	args := []any{}
	for _, f := range t.Fields {
		args = append(args, f.Tag)
		column := pgx.Identifier{f.Name}.Sanitize()
		ours.WriteString(", " + column + " text")
		theirs.WriteString(", tags ->> $" + strconv.Itoa(len(args)) + "::text")
	}
	_, err := tx.Exec(ctx, `
		drop table if exists `+table+`;
		create table `+table+` (
			_fid bigint not null, _key text collate "C" not null, type text not null, osm_id bigint not null, version int,
			name text, kind text not null check (kind in ('point', 'line', 'area'))`+ours.String()+`,
			tags jsonb not null, geom geometry(point, 3857) not null)`)
	if err != nil {
		return fmt.Errorf("make theme %s: %w", t.ID, err)
	}
	where := t.Selection.where(&args)
	part := func(kind, geom string) string {
		return `select _key, type, osm_id, version, name, '` + kind + `' as kind, tags, ` + geom + ` as geom
			from osm.` + prefix + kind + ` where ` + where
	}
	_, err = tx.Exec(ctx, `
		insert into `+table+`
		select row_number() over (order by geom, _key), _key, type, osm_id, version, name, kind`+theirs.String()+`, tags, geom
		from (
			`+part("point", "geom")+`
			union all
			`+part("line", "st_pointonsurface(geom)")+`
			union all
			`+part("area", "st_pointonsurface(geom)")+`
		) o
		order by geom, _key`, args...)
	if err != nil {
		return fmt.Errorf("fill theme %s: %w", t.ID, err)
	}
	index := func(end string) string { return pgx.Identifier{name + end}.Sanitize() }
	_, err = tx.Exec(ctx, `
		create unique index `+index("_key")+` on `+table+` (_key);
		create index `+index("_geom")+` on `+table+` using gist (geom);
		analyze `+table)
	if err != nil {
		return fmt.Errorf("index theme %s: %w", t.ID, err)
	}
	return nil
}

// putLayer registers the theme's layer and gives its number of objects.
func (t Theme) putLayer(ctx context.Context, tx pgx.Tx, updated time.Time) (int64, error) {
	var n int64
	var x0, y0, x1, y1 *float64
	err := tx.QueryRow(ctx, `
		select n, st_xmin(e), st_ymin(e), st_xmax(e), st_ymax(e)
		from (
			select count(*) as n, st_transform(st_setsrid(st_extent(geom)::geometry, 3857), 4326) as e
			from `+pgx.Identifier{"osm", t.table()}.Sanitize()+`
		) x`).Scan(&n, &x0, &y0, &x1, &y1)
	if err != nil {
		return 0, fmt.Errorf("count theme %s: %w", t.ID, err)
	}
	extent := geo.EmptyBox()
	if x0 != nil {
		extent = geo.Box{MinX: *x0, MinY: *y0, MaxX: *x1, MaxY: *y1}
	}
	list := slices.Clone(fields[:4])
	list = append(list, geo.Field{Name: "kind", Type: geo.TextField})
	for _, f := range t.Fields {
		list = append(list, geo.Field{Name: f.Name, Title: f.Tag, Label: f.Label, Type: geo.TextField})
	}
	list = append(list, fields[4])
	_, err = postgis.PutLiveLayer(ctx, tx, postgis.LiveLayer{
		Name: t.Layer(), Title: t.Title, Position: themePosition + t.Position,
		Schema: "osm", Table: t.table(), Key: "_key", Geom: "geom", SRID: geo.WebMercator, Geom3857: "geom",
		GeometryType: geo.Point, Fields: list, Producer: Producer, Extent: extent, Count: n, Updated: updated,
	})
	return n, err
}

// DropThemes takes themes out of what is served, with their rows. A theme that
// a matching rule uses stays: geo.ErrConflict.
func DropThemes(ctx context.Context, tx pgx.Tx, ids []string) error {
	for _, id := range ids {
		t := Theme{ID: id}
		tag, err := tx.Exec(ctx, `delete from theme where id = $1 and not exists (select from rule where theme_id = $1)`, id)
		if err != nil {
			return fmt.Errorf("drop theme %s: %w", id, err)
		}
		if tag.RowsAffected() == 0 {
			return fmt.Errorf("drop theme %s: unknown, or a rule uses it: %w", id, geo.ErrConflict)
		}
		if err := postgis.RemoveLiveLayer(ctx, tx, t.Layer()); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `drop table if exists `+pgx.Identifier{"osm", t.table()}.Sanitize()); err != nil {
			return fmt.Errorf("drop theme %s: %w", id, err)
		}
	}
	return nil
}
