package match

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// records reads the layer in key order and gives each key its identity.
func (s *store) records(ctx context.Context) ([]record, error) {
	table := pgx.Identifier{s.rel.Schema, s.rel.Table}.Sanitize()
	version := any(s.rel.Version)
	if s.rel.Version == 0 {
		version = nil
	}
	_, err := s.tx.Exec(ctx, `
		insert into record (layer_id, key, last_version_id)
		select $1, _key, $2 from `+table+`
		on conflict (layer_id, key) do update set last_version_id = excluded.last_version_id
			where record.last_version_id is distinct from excluded.last_version_id`, s.layer, version)
	if err != nil {
		return nil, fmt.Errorf("give the records their identity: %w", postgis.Kind(err))
	}
	fields := s.rule.fields()
	columns := ""
	for _, f := range fields {
		columns += ", t." + pgx.Identifier{f}.Sanitize() + "::text"
	}
	point := "null::geometry"
	if s.rel.Geom3857 != "" {
		point = "case when st_dimension(t._geom_3857) = 0 then st_centroid(t._geom_3857) else st_pointonsurface(t._geom_3857) end"
	}
	rows, err := s.tx.Query(ctx, `
		select r.id, r.key, st_x(p), st_y(p)`+columns+`
		from `+table+` t
		join record r on r.layer_id = $1 and r.key = t._key,
		lateral (select `+point+` as p) g
		order by r.key`, s.layer)
	if err != nil {
		return nil, fmt.Errorf("read the records: %w", postgis.Kind(err))
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (record, error) {
		r := record{values: make(map[string]string, len(fields))}
		var x, y *float64
		texts := make([]*string, len(fields))
		dest := []any{&r.id, &r.key, &x, &y}
		for i := range texts {
			dest = append(dest, &texts[i])
		}
		if err := row.Scan(dest...); err != nil {
			return r, err
		}
		r.x, r.y = nan(x), nan(y)
		for i, f := range fields {
			if texts[i] != nil {
				r.values[f] = strings.TrimSpace(*texts[i])
			}
		}
		r.name = r.values[s.rule.Name]
		if s.rule.Reference != nil {
			r.ref = r.values[s.rule.Reference.Field]
		}
		if s.rule.Category != nil {
			r.category = r.values[s.rule.Category.Field]
		}
		return r, nil
	})
}

//go:embed sql/objects.sql
var objectsSQL string

// nameTags are the tags that may hold a name, the ones to show first.
var nameTags = []string{"name", "official_name", "alt_name", "short_name", "old_name", "loc_name", "name:fr", "name:oc", "name:frp", "operator", "brand"}

// objects reads the theme's objects near a record or inside the territory, and
// those that were of the theme ("disused:amenity").
func (s *store) objects(ctx context.Context) ([]object, error) {
	territory, err := s.territory(ctx)
	if err != nil {
		return nil, err
	}
	selection, err := s.selectionKeys(ctx)
	if err != nil {
		return nil, err
	}
	sql := strings.NewReplacer("{theme}", pgx.Identifier{"osm", "theme_" + s.rule.Theme}.Sanitize(),
		"{layer}", pgx.Identifier{s.rel.Schema, s.rel.Table}.Sanitize(),
		"{geom}", s.recordGeom()).Replace(objectsSQL)
	rows, err := s.tx.Query(ctx, sql, territory, s.rule.Distance.Max*2, selection)
	if err != nil {
		return nil, fmt.Errorf("read the objects of %s: %w", s.rule.Theme, postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (object, error) {
		var o object
		var closed *string
		err := row.Scan(&o.key, &o.x, &o.y, &o.tags, &o.inside, &closed)
		if closed != nil {
			o.closed = *closed
			reopen(o.tags, o.closed)
		}
		o.names = names(o.tags)
		if s.rule.Reference != nil {
			o.ref = o.tags[s.rule.Reference.Tag]
		}
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the objects of %s: %w", s.rule.Theme, postgis.Kind(err))
	}
	return list, nil
}

// reopen gives an object that is no more the tags it had: "disused:amenity"
// becomes amenity, for comparing.
func reopen(tags map[string]string, prefix string) {
	for k, v := range tags {
		if rest, ok := strings.CutPrefix(k, prefix+":"); ok && tags[rest] == "" {
			tags[rest] = v
		}
	}
}

// names lists what an object is called, without repeats.
func names(tags map[string]string) []string {
	var list []string
	for _, k := range nameTags {
		if len(list) == 0 && (k == "operator" || k == "brand") {
			break // who runs it is not its name, but may be told beside one
		}
		for _, v := range strings.Split(tags[k], ";") {
			if v = strings.TrimSpace(v); v != "" && !slices.Contains(list, v) {
				list = append(list, v)
			}
		}
	}
	return list
}

func (s *store) recordGeom() string {
	if s.rel.Geom3857 == "" {
		return "null::geometry"
	}
	return "_geom_3857"
}

// lifecycle are the prefixes that say that a thing is no more.
var lifecycle = []string{"disused", "was", "abandoned", "demolished", "removed", "razed"}

// selectionKeys lists the tag keys of the theme's selection with each
// lifecycle prefix.
func (s *store) selectionKeys(ctx context.Context) ([]string, error) {
	var selection struct {
		Any []map[string]json.RawMessage `json:"any"`
	}
	var raw []byte
	if err := s.tx.QueryRow(ctx, `select selection from theme where id = $1`, s.rule.Theme).Scan(&raw); err != nil {
		return nil, fmt.Errorf("read theme %s: %w", s.rule.Theme, postgis.Kind(err))
	}
	if err := json.Unmarshal(raw, &selection); err != nil {
		return nil, fmt.Errorf("decode the selection of theme %s: %w", s.rule.Theme, err)
	}
	list := []string{}
	for _, tags := range selection.Any {
		for key := range tags {
			for _, prefix := range lifecycle {
				if k := prefix + ":" + key; !slices.Contains(list, k) {
					list = append(list, k)
				}
			}
		}
	}
	slices.Sort(list)
	return list, nil
}

// territory is the area in which only_osm is asked, as EWKB in EPSG:3857: the
// declared areas, else those that hold a record, else the records' own extent.
func (s *store) territory(ctx context.Context) ([]byte, error) {
	if s.rel.Geom3857 == "" {
		return nil, nil
	}
	records := pgx.Identifier{s.rel.Schema, s.rel.Table}.Sanitize()
	relations, err := postgis.Relations(ctx, s.tx)
	if err != nil {
		return nil, err
	}
	var area []byte
	for _, rel := range relations {
		if rel.Layer != s.rule.Territory.Layer || rel.Geom3857 == "" {
			continue
		}
		keys := s.rule.Territory.Keys
		err := s.tx.QueryRow(ctx, `
			select st_asewkb(st_union(a._geom_3857))
			from `+pgx.Identifier{rel.Schema, rel.Table}.Sanitize()+` a
			where case when $1::text[] is null
				then exists (select from `+records+` r where st_intersects(a._geom_3857, r._geom_3857))
				else a._key = any ($1) end`, keys).Scan(&area)
		if err != nil || area != nil {
			return area, postgis.Kind(err)
		}
	}
	if len(s.rule.Territory.Keys) > 0 {
		return nil, geo.Bad(nil, "rule.no-territory", "rule", s.rule.ID(), "layer", s.rule.Territory.Layer, "keys", s.rule.Territory.Keys)
	}
	err = s.tx.QueryRow(ctx, `select st_asewkb(st_convexhull(st_collect(_geom_3857))) from `+records).Scan(&area)
	return area, postgis.Kind(err)
}

//go:embed sql/pairs.sql
var pairsSQL string

// pairs finds the candidates: every object within reach of a record, and those
// that carry its reference wherever they are.
func (s *store) pairs(ctx context.Context, recs []record, objects []object) ([]pair, error) {
	xs, ys := make([]*float64, len(recs)), make([]*float64, len(recs))
	for i := range recs {
		if recs[i].placed() {
			xs[i], ys[i] = &recs[i].x, &recs[i].y
		}
	}
	keys := make([]string, len(objects))
	ox, oy := make([]float64, len(objects)), make([]float64, len(objects))
	for i := range objects {
		keys[i], ox[i], oy[i] = objects[i].key, objects[i].x, objects[i].y
	}
	if _, err := s.tx.Exec(ctx, `create temp table candidate_object on commit drop as
		select i::int, key, st_setsrid(st_point(x, y), 3857) as geom
		from unnest($1::text[], $2::float8[], $3::float8[]) with ordinality o (key, x, y, i)`, keys, ox, oy); err != nil {
		return nil, fmt.Errorf("lay out the objects: %w", postgis.Kind(err))
	}
	if _, err := s.tx.Exec(ctx, `create index on candidate_object using gist (geom); analyze candidate_object`); err != nil {
		return nil, fmt.Errorf("index the objects: %w", postgis.Kind(err))
	}
	rows, err := s.tx.Query(ctx, pairsSQL, xs, ys, s.rule.Distance.Max)
	if err != nil {
		return nil, fmt.Errorf("find the candidates: %w", postgis.Kind(err))
	}
	var p pair
	var list []pair
	_, err = pgx.ForEachRow(rows, []any{&p.rec, &p.obj, &p.metres}, func() error {
		fits, _ := s.rule.fits(recs[p.rec].category, objects[p.obj].tags)
		p.misfit = !fits
		list = append(list, p)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("find the candidates: %w", postgis.Kind(err))
	}
	return append(list, byReference(recs, objects, s.rule.Distance.Max)...), nil
}

// byReference pairs records and objects that carry the same reference and lie
// too far apart to be candidates otherwise.
func byReference(recs []record, objects []object, reach float64) []pair {
	of := map[string][]int{}
	for j := range objects {
		if ref := strings.ToLower(objects[j].ref); ref != "" {
			of[ref] = append(of[ref], j)
		}
	}
	var list []pair
	for i := range recs {
		r := &recs[i]
		if r.ref == "" || !r.placed() {
			continue
		}
		for _, j := range of[strings.ToLower(r.ref)] {
			d := metresBetween(r.x, r.y, objects[j].x, objects[j].y)
			if d > reach {
				list = append(list, pair{rec: i, obj: j, metres: d})
			}
		}
	}
	return list
}

//go:embed sql/write.sql
var writeSQL string

// write stores the outcomes. What is as it was is not touched, so an id stays
// with its question; what has gone is withdrawn, because verdicts may point at
// it. It gives the number of rows that are not what they were.
func (s *store) write(ctx context.Context, m *model, recs []record, outcomes []outcome) (int64, error) {
	if _, err := s.tx.Exec(ctx, `create temp table fresh_outcome (record_id bigint, osm_type "char", osm_id bigint, kind text, score real,
		reason jsonb, comparison jsonb, name text, distance float8, x float8, y float8, ox float8, oy float8, fingerprint bytea) on commit drop`); err != nil {
		return 0, fmt.Errorf("lay out the outcomes: %w", postgis.Kind(err))
	}
	ours := 0
	rows := make([][]any, len(outcomes))
	for i := range outcomes {
		row, err := m.row(&outcomes[i], recs)
		if err != nil {
			return 0, err
		}
		rows[i] = row
		if outcomes[i].record >= 0 {
			ours++
		}
	}
	_, err := s.tx.CopyFrom(ctx, pgx.Identifier{"fresh_outcome"}, []string{
		"record_id", "osm_type", "osm_id", "kind", "score",
		"reason", "comparison", "name", "distance", "x", "y", "ox", "oy", "fingerprint",
	}, pgx.CopyFromRows(rows))
	if err != nil {
		return 0, fmt.Errorf("copy the outcomes: %w", postgis.Kind(err))
	}
	if _, err := s.tx.Exec(ctx, `analyze fresh_outcome`); err != nil { // nobody else looks at a temporary table
		return 0, fmt.Errorf("count the outcomes: %w", postgis.Kind(err))
	}
	var changed int64
	for _, statement := range strings.Split(writeSQL, ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		tag, err := s.tx.Exec(ctx, statement, s.id)
		if err != nil {
			return 0, fmt.Errorf("write the outcomes: %w", postgis.Kind(err))
		}
		changed += tag.RowsAffected()
	}
	return changed, s.finish(ctx, len(recs), ours, changed > 0)
}

// row is one outcome as fresh_outcome has it.
func (m *model) row(o *outcome, recs []record) ([]any, error) {
	var recordID, osmType, osmID, x, y, ox, oy, name, distance any
	if o.record >= 0 {
		r := &recs[o.record]
		recordID, name = r.id, r.name
		x, y = finite(r.x), finite(r.y)
	}
	if o.object >= 0 {
		b := &m.objects[o.object]
		osmType, osmID = split1(b.key)
		ox, oy = b.x, b.y
		if o.record < 0 {
			x, y = b.x, b.y
		}
		if name == nil || name == "" {
			name = first(b.names)
		}
	}
	if name == "" {
		name = nil
	}
	distance = finite(o.metres)
	if o.comparison == nil {
		o.comparison = []comparison{}
	}
	reason, err := json.Marshal(o.reason)
	if err != nil {
		return nil, fmt.Errorf("encode a reason: %w", err)
	}
	compared, err := json.Marshal(o.comparison)
	if err != nil {
		return nil, fmt.Errorf("encode a comparison: %w", err)
	}
	return []any{
		recordID, osmType, osmID, string(o.kind), float32(o.bits), reason, compared, name, distance, x, y, ox, oy,
		m.fingerprint(o, recs),
	}, nil
}

func finite(v float64) any {
	if math.IsNaN(v) {
		return nil
	}
	return v
}

// split1 cuts "n123" into its type and number.
func split1(key string) (typ byte, id int64) {
	for _, c := range key[1:] {
		id = id*10 + int64(c-'0')
	}
	return key[0], id
}

// finish records the run and, when something changed, tells the readers.
func (s *store) finish(ctx context.Context, records, ours int, changed bool) error {
	version := any(s.rel.Version)
	if s.rel.Version == 0 {
		version = nil
	}
	_, err := s.tx.Exec(ctx, `
		insert into match_run (rule_id, version_id, osm_at, n_records, n_outcomes, finished_at)
		values ($1, $2, (select extract_at from osm.state), $3, $4, clock_timestamp())`, s.id, version, records, ours)
	if err != nil {
		return fmt.Errorf("record the run: %w", postgis.Kind(err))
	}
	if !changed {
		return nil
	}
	layer, err := s.publish(ctx)
	if err != nil {
		return err
	}
	return postgis.Append(ctx, s.tx, postgis.Change{Kind: "match", Subject: layer})
}

//go:embed sql/view.sql
var viewSQL string

// publish registers the live layer of the rule's outcomes and gives its name.
func (s *store) publish(ctx context.Context) (string, error) {
	view := fmt.Sprintf("outcome_%d", s.id)
	if _, err := s.tx.Exec(ctx, strings.NewReplacer("{view}", view, "{rule}", fmt.Sprint(s.id)).Replace(viewSQL)); err != nil {
		return "", fmt.Errorf("make the view of the outcomes: %w", postgis.Kind(err))
	}
	name := s.rule.Layer + "-osm"
	var firstRule geo.RuleID
	var count int64
	var x0, y0, x1, y1 *float64
	err := s.tx.QueryRow(ctx, `
		with e as (select count(*) as n, st_transform(st_setsrid(st_extent(_geom_3857)::geometry, 3857), 4326) as g from data.`+view+`)
		select (select min(id) from rule where layer_id = $1), n, st_xmin(g), st_ymin(g), st_xmax(g), st_ymax(g) from e`,
		s.layer).Scan(&firstRule, &count, &x0, &y0, &x1, &y1)
	if err != nil {
		return "", fmt.Errorf("measure the outcomes: %w", postgis.Kind(err))
	}
	if firstRule != s.id {
		name += "-" + s.rule.Theme
	}
	extent := geo.EmptyBox()
	if x0 != nil {
		extent = geo.Box{MinX: *x0, MinY: *y0, MaxX: *x1, MaxY: *y1}
	}
	_, err = postgis.PutLiveLayer(ctx, s.tx, postgis.LiveLayer{
		Name: name, Title: s.rel.Title, Position: int(s.id), Style: map[string]any{"hidden": true}, Schema: "data", Table: view, Key: "_key",
		Geom: "_geom_3857", SRID: geo.WebMercator, Geom3857: "_geom_3857", GeometryType: geo.Point,
		Fields: outcomeFields, Producer: s.rel.Producer, Extent: extent, Count: count, Updated: time.Now(),
	})
	return name, err
}

// outcomeFields are the columns of an outcome layer.
var outcomeFields = []geo.Field{
	{Name: "kind", Type: geo.TextField},
	{Name: "group", Type: geo.TextField},
	{Name: "name", Type: geo.TextField},
	{Name: "record", Type: geo.TextField},
	{Name: "osm", Type: geo.TextField},
	{Name: "distance", Type: geo.RealField},
	{Name: "score", Type: geo.RealField},
	{Name: "osm_lon", Type: geo.RealField},
	{Name: "osm_lat", Type: geo.RealField},
	{Name: "reason", Type: geo.JSONField},
	{Name: "comparison", Type: geo.JSONField},
}
