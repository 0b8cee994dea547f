package tiles

import (
	"context"
	"embed"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo/postgis"
)

//go:embed sql/*.sql
var statements embed.FS

// text gives an embedded statement with names put in for {name}. The values
// are numbers and quoted identifiers made here, never input.
func text(file string, replace ...string) string {
	b, err := statements.ReadFile("sql/" + file + ".sql")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return strings.NewReplacer(replace...).Replace(string(b))
}

// overview builds the table of the zooms that are thinned, from the deepest to
// 0, each from the one before: so what a zoom shows, the deeper ones show too.
// A zoom takes the finest cells that fit, never finer than the zoom below it.
func (m *maker) overview(ctx context.Context, th *Thinning) error {
	kept, fid := "", ""
	for _, name := range th.Fields {
		kept += ", r." + pgx.Identifier{name}.Sanitize()
	}
	if m.fid {
		fid = ", r." + pgx.Identifier{postgis.FIDColumn}.Sanitize()
	}
	into := pgx.Identifier{"data", m.name}.Sanitize()
	base := []string{
		"{table}", table(m.rel), "{g}", "r." + pgx.Identifier{m.rel.Geom3857}.Sanitize(),
		"{key}", "r." + pgx.Identifier{m.rel.Key}.Sanitize(), "{fields}", fid + kept, "{overview}", into,
	}
	if _, err := m.tx.Exec(ctx, text("begin_overview", base...)); err != nil {
		return fmt.Errorf("begin the overview: %w", err)
	}
	cell := 0
	for z := th.Unthinned - 1; z >= 0; z-- {
		rule, err := m.step(ctx, th, z, cell, base)
		if err != nil {
			return fmt.Errorf("overview of zoom %d: %w", z, err)
		}
		cell = rule.Cell
		th.Rules = append(th.Rules, rule)
	}
	slices.Reverse(th.Rules)
	_, err := m.tx.Exec(ctx, text("end_overview", base...))
	if err != nil {
		return fmt.Errorf("end the overview: %w", err)
	}
	return nil
}

// step thins one zoom: tile_step holds the deeper one and is replaced.
func (m *maker) step(ctx context.Context, th *Thinning, z, cell int, base []string) (Rule, error) {
	rule := Rule{Zoom: z}
	pixel := address{z: z}.width() / 512
	for _, rule.Cell = range cells {
		if rule.Cell < cell {
			continue
		}
		names := append(base,
			"{z}", fmt.Sprint(z), "{pixel}", fmt.Sprintf("%.17g", pixel), "{cell}", fmt.Sprintf("%.17g", pixel*float64(rule.Cell)))
		if _, err := m.tx.Exec(ctx, text("thin_zoom", names...)); err != nil {
			return rule, err
		}
		try := &plan{fid: m.fid, thinning: th, table: "pg_temp.tile_next"}
		fits, err := m.fits(ctx, try, z, fmt.Sprintf(`
			select floor((__cx + %.17[1]g) / %.17[2]g)::int, floor((%.17[1]g - __cy) / %.17[2]g)::int, count(*)::float8, sum(96 + 2.5 * st_npoints(__geom))::float8
			from tile_next group by 1, 2`, edge, address{z: z}.width()))
		if err != nil {
			return rule, err
		}
		if fits || rule.Cell == cells[len(cells)-1] {
			break
		}
		if _, err := m.tx.Exec(ctx, `drop table tile_next`); err != nil {
			return rule, err
		}
	}
	if _, err := m.tx.Exec(ctx, text("keep_zoom", base...)); err != nil {
		return rule, err
	}
	if err := m.tx.QueryRow(ctx, `select count(*) from tile_step`).Scan(&rule.Shown); err != nil {
		return rule, err
	}
	rule.LeftOut = m.rel.Count - rule.Shown
	return rule, nil
}
