package format

import (
	"context"
	"database/sql"
	"strings"

	"calanque/geo"
)

// finish describes a table whose rows are all there, and gives it its tree.
func (t *packageOutput) finish(ctx context.Context, conn *sql.Conn) error {
	l := t.layer
	kind, box, srs := "features", []any{nil, nil, nil, nil}, any(l.SRID)
	if l.Geometry == geo.None {
		kind, srs = "attributes", nil
	}
	if !t.extent.Empty() {
		box = []any{t.extent.MinX, t.extent.MinY, t.extent.MaxX, t.extent.MaxY}
	}
	_, err := conn.ExecContext(ctx, `insert into gpkg_contents values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		append(append([]any{l.Name, kind, t.identifier(), l.Description, l.Updated.UTC().Format("2006-01-02T15:04:05.000Z")}, box...), srs)...)
	if err != nil {
		return err
	}
	if err := t.describeColumns(ctx, conn); err != nil || l.Geometry == geo.None {
		return err
	}
	name := t.geometryName()
	if t.multi { // promised to have single parts, and changed meanwhile
		name = "GEOMETRY"
	}
	_, err = conn.ExecContext(ctx, `insert into gpkg_geometry_columns values (?, ?, ?, ?, ?, ?)`,
		l.Name, t.geom, name, l.SRID, dimension(t.z, t.flat), dimension(t.m, true))
	if err != nil {
		return err
	}
	return t.writeTree(ctx, conn)
}

// dimension is GeoPackage's 0 for prohibited, 1 for mandatory, 2 for optional.
func dimension(seen, unseen bool) int {
	switch {
	case !seen:
		return 0
	case unseen:
		return 2
	}
	return 1
}

// identifier is the layer's title; the standard wants them unique.
func (t *packageOutput) identifier() string {
	if t.layer.Title == "" {
		return t.layer.Name
	}
	return t.layer.Title
}

// describeColumns writes down what people call the fields, and which are JSON.
func (t *packageOutput) describeColumns(ctx context.Context, conn *sql.Conn) error {
	used := map[string]bool{}
	for i, f := range t.layer.Fields {
		title := f.Label.In(t.layer.Lang)
		if title == "" {
			title = f.Title
		}
		var name, mime any
		if title != "" && !used[title] {
			used[title], name = true, title
		}
		if f.Type == geo.JSONField {
			mime = "application/json"
		}
		if title == "" && mime == nil {
			continue
		}
		_, err := conn.ExecContext(ctx, `insert into gpkg_data_columns values (?, ?, ?, nullif(?, ''), null, ?, null)`,
			t.layer.Name, t.names[i], name, title, mime)
		if err != nil {
			return err
		}
	}
	return nil
}

// writeTree makes the R-tree and fills the tables behind it with one that is
// packed: inserting row by row takes as long as all the rest.
func (t *packageOutput) writeTree(ctx context.Context, conn *sql.Conn) error {
	l := t.layer
	tree := "rtree_" + l.Name + "_" + t.geom
	_, err := conn.ExecContext(ctx, "create virtual table "+quoted(tree)+" using rtree(id, minx, maxx, miny, maxy)")
	if err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `insert into gpkg_extensions
		values (?, ?, 'gpkg_rtree_index', 'http://www.geopackage.org/spec121/#extension_rtree', 'write-only')`, l.Name, t.geom)
	if err != nil {
		return err
	}
	if len(t.tree) > 0 {
		packed := packTree(t.tree)
		t.tree = nil
		if err := packed.write(ctx, conn, tree); err != nil {
			return err
		}
	}
	named := strings.NewReplacer("{t}", inner(l.Name), "{c}", inner(t.geom), "{i}", inner(t.key), "{r}", inner(tree))
	_, err = conn.ExecContext(ctx, named.Replace(treeTriggers))
	return err
}

// inner doubles the quotes of a name that stands between some.
func inner(name string) string { return strings.ReplaceAll(name, `"`, `""`) }

func (p packedTree) write(ctx context.Context, conn *sql.Conn, tree string) error {
	if _, err := conn.ExecContext(ctx, "delete from "+quoted(tree+"_node")); err != nil { // the empty root
		return err
	}
	i := 0
	err := insertAll(ctx, conn, tree+"_node", len(p.nodes), func() [2]any { i++; return [2]any{int64(i), p.nodes[i-1]} })
	if err != nil {
		return err
	}
	j := 0
	err = insertAll(ctx, conn, tree+"_rowid", len(p.rows), func() [2]any { j++; return [2]any{p.rows[j-1].id, p.rows[j-1].node} })
	if err != nil {
		return err
	}
	k := 1 // the root has none
	return insertAll(ctx, conn, tree+"_parent", len(p.parent)-1, func() [2]any { k++; return [2]any{int64(k), p.parent[k-1]} })
}
