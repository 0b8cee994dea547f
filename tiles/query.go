package tiles

import (
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// Pixel is a pixel of a map that shows a tile at 512 pixels, in tile units:
// what thinning counts in.
const Pixel = Extent / 512

// The emergency ladder of one tile that would be over the budget in spite of
// its layer's rule: without attributes, then one feature per cell of so many
// pixels.
var ladder = []int{0, 0, 2, 4, 8, 16, 32}

const lastLevel = 6

// A source is where the features of a tile are read: the relation's table, or
// the overview of it that Prepare made for low zooms.
type source struct {
	table   string // quoted
	geom    string // quoted column in 3857
	key     string // quoted
	order   string // quoted column that orders features: _fid, else the key
	fid     bool   // the column _fid is there
	where   string // more conditions, beginning with "and"
	fields  []geo.Field
	counted bool // the column "__count" is there
}

// A query is a statement with its arguments.
type query struct {
	sql  string
	args []any
}

// statement is the query of a tile at a step of the ladder. Features come in
// a fixed order, so the same table gives the same bytes.
func statement(rel geo.Relation, pl *plan, a address, p Params, level int) query {
	q := query{args: []any{a.z, a.x, a.y, rel.Layer}}
	src := pl.source(rel, a.z)
	if rel.Time != "" {
		src.where += during(rel, pl, p, &q.args)
	}
	halo := max(Buffer, ladder[level]*Pixel)
	from := fmt.Sprintf(`
		from (select st_tileenvelope($1, $2, $3) as bounds, st_tileenvelope($1, $2, $3, margin => %d.0 / %d) as halo) b,
			%s r
		where r.%s && b.halo %s`, halo, Extent, src.table, src.geom, src.where)
	if ladder[level] > 0 {
		from = onePerCell(src, from, a.width()/Extent*float64(ladder[level]*Pixel))
	}
	columns := properties(src, level > 0)
	fid := ""
	if src.fid {
		columns = append([]string{`r."_fid" as "__fid"`}, columns...)
		fid = `, '__fid'`
	}
	q.sql = fmt.Sprintf(`
		select st_asmvt(t, $4, %d, '__geom'%s)
		from (
			select %s as "__geom", %s
			%s
			order by r.%s
		) t
		where t."__geom" is not null`, Extent, fid, drawn(src, a, level), strings.Join(columns, ", "), from, src.order)
	return q
}

// drawn is the expression of the geometry in tile units. ST_AsMVTGeom gives
// null for what falls below a tile unit; it is drawn one unit large instead,
// because a tile that declares to be complete is. What is long but too thin
// is made thick enough where it meets the tile.
func drawn(src source, a address, level int) string {
	unit := a.width() / Extent
	box := a.box(0)
	shape := "r." + src.geom
	if ladder[level] > 0 {
		shape = fmt.Sprintf("st_simplify(%s, %.17g, true)", shape, unit*Pixel)
	}
	// x and y are the tile units of a small feature's centre.
	return strings.NewReplacer(
		"{g}", "r."+src.geom, "{shape}", shape, "{unit}", fmt.Sprintf("%.17g", unit), "{thick}", fmt.Sprintf("%.17g", 1.5*unit),
		"{x}", fmt.Sprintf("floor(((st_xmin(r.%[1]s) + st_xmax(r.%[1]s)) / 2 - %.17[2]g) / %.17[3]g)", src.geom, box.MinX, unit),
		"{y}", fmt.Sprintf("floor((%.17[2]g - (st_ymin(r.%[1]s) + st_ymax(r.%[1]s)) / 2) / %.17[3]g)", src.geom, box.MaxY, unit),
		"{clip}", fmt.Sprintf("b.bounds, %d, %d, true", Extent, Buffer),
	).Replace(`
				case
				when st_dimension({g}) = 0 then st_asmvtgeom({g}, {clip})
				when st_xmax({g}) - st_xmin({g}) < {unit} and st_ymax({g}) - st_ymin({g}) < {unit} then
					case st_dimension({g})
					when 1 then st_makeline(st_makepoint({x}, {y}), st_makepoint({x} + 1, {y}))
					else st_reverse(st_makeenvelope({x}, {y}, {x} + 1, {y} + 1)) end
				else coalesce(
					st_asmvtgeom({shape}, {clip}),
					case when st_intersects({g}, b.bounds) then
						case st_dimension({g})
						when 1 then st_asmvtgeom(st_makeline(
							st_translate(st_pointonsurface(st_intersection({g}, b.bounds)), -{unit}, 0),
							st_translate(st_pointonsurface(st_intersection({g}, b.bounds)), {unit}, 0)), {clip})
						else st_asmvtgeom(st_buffer(st_intersection({g}, b.bounds), {thick}, 'quad_segs=1'), {clip}) end
					end)
				end`)
}

// onePerCell keeps the largest feature of each cell of a grid that all tiles
// share; between equals a hash of the key decides, which prefers no place.
func onePerCell(src source, from string, cell float64) string {
	return fmt.Sprintf(`
			from (
				select distinct on ("__gx", "__gy") *
				from (
					select r.*, b.bounds,
						floor((st_xmin(r.%[1]s) + st_xmax(r.%[1]s)) / 2 / %.17[2]g) as "__gx",
						floor((st_ymin(r.%[1]s) + st_ymax(r.%[1]s)) / 2 / %.17[2]g) as "__gy"
					%[3]s
				) r
				order by "__gx", "__gy",
					greatest(st_xmax(r.%[1]s) - st_xmin(r.%[1]s), st_ymax(r.%[1]s) - st_ymin(r.%[1]s)) desc,
					md5(r.%[4]s::text), r.%[4]s
			) r, lateral (select r.bounds) b`, src.geom, cell, from, src.key)
}

// properties are the select expressions of a feature's attributes, null ones
// are left out by ST_AsMVT: the item id, then the fields.
func properties(src source, bare bool) []string {
	list := []string{fmt.Sprintf(`r.%s::text as "id"`, src.key)}
	if src.counted {
		list = append(list, `nullif(r."__count", 1) as "point_count"`)
	}
	if bare {
		return list
	}
	for _, f := range src.fields {
		if f.Name == "id" || src.counted && f.Name == "point_count" {
			continue // the item's id has this name
		}
		list = append(list, property(f)...)
	}
	return list
}

// maxSafe is the greatest integer that a browser reads exactly, 2^53-1.
const maxSafe = 1<<53 - 1

func property(f geo.Field) []string {
	name := pgx.Identifier{f.Name}.Sanitize()
	col := "r." + name
	switch f.Type {
	case geo.IntegerField:
		// Two columns of one name, never both set: what a browser would
		// round is sent as text.
		return []string{
			fmt.Sprintf(`case when %s between -%d and %[2]d then %[1]s end as %[3]s`, col, int64(maxSafe), name),
			fmt.Sprintf(`case when %s not between -%d and %[2]d then %[1]s::text end as %[3]s`, col, int64(maxSafe), name),
		}
	case geo.DateField:
		return []string{fmt.Sprintf(`to_char(%s, 'YYYY-MM-DD') as %s`, col, name)}
	case geo.TimeField:
		return []string{fmt.Sprintf(`to_char(%s at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as %s`, col, name)}
	case geo.JSONField:
		return []string{fmt.Sprintf(`%s::text as %s`, col, name)}
	default:
		return []string{col + " as " + name}
	}
}

// during is the condition on the time of a series: within the interval asked
// for, else the latest time. Both let the planner leave out partitions.
func during(rel geo.Relation, pl *plan, p Params, args *[]any) string {
	col := "r." + pgx.Identifier{rel.Time}.Sanitize()
	add := func(v any) string {
		*args = append(*args, v)
		return fmt.Sprintf("$%d", len(*args))
	}
	if p.Time == nil {
		return fmt.Sprintf("and %s = %s", col, add(pl.latest))
	}
	s := ""
	if !p.Time.From.IsZero() {
		s += fmt.Sprintf(" and %s >= %s", col, add(p.Time.From))
	}
	if !p.Time.To.IsZero() {
		s += fmt.Sprintf(" and %s <= %s", col, add(p.Time.To))
	}
	return s
}

// table is where a relation's rows are, quoted.
func table(rel geo.Relation) string { return pgx.Identifier{rel.Schema, rel.Table}.Sanitize() }

// full is the source of everything that a relation has.
func full(rel geo.Relation, fid bool) source {
	s := source{
		table: table(rel), geom: pgx.Identifier{rel.Geom3857}.Sanitize(), key: pgx.Identifier{rel.Key}.Sanitize(),
		fid: fid, fields: rel.Fields,
	}
	s.order = s.key
	if fid {
		s.order = pgx.Identifier{postgis.FIDColumn}.Sanitize()
	}
	return s
}
