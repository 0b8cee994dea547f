package osm_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/geo/postgis/postgistest"
	"calanque/osm"
)

// osmium runs osmium and gives its output, or skips the test.
func osmium(t testing.TB, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("osmium")
	if err != nil {
		t.Skip("skipped: no osmium on PATH")
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("osmium %v: %v\n%s", args, err, stderr.Bytes())
	}
	return out
}

func lines(b []byte) []string {
	s := strings.TrimSpace(string(b))
	if s == "" {
		return nil
	}
	return strings.Split(s, "\n")
}

// TestMonaco replaces an extract by a newer one and knows the older again.
func TestMonaco(t *testing.T) {
	t.Parallel()
	hub := postgistest.New(t)
	first := load(t, hub, sharedFile(t, "monaco-2018-05-25.osm.pbf"))
	second := load(t, hub, sharedFile(t, "monaco-2021-04-21.osm.pbf"))
	if !second.Replaced.Equal(first.Extract) || second.Extract.Year() != 2021 {
		t.Errorf("replaced %v by %v", second.Replaced, second.Extract)
	}
	_, err := osm.Import(t.Context(), hub, sharedFile(t, "monaco-2019-09-30.osm.pbf"), osm.Options{})
	var in *geo.InputError
	if !errors.As(err, &in) || in.Code != "osm.older" {
		t.Errorf("got %v, want osm.older", err)
	}
	_, err = osm.Import(t.Context(), hub, sharedFile(t, "monaco-2021-04-21.lz4.osm.pbf"), osm.Options{})
	if !errors.As(err, &in) || in.Code != "osm.pbf.compression" {
		t.Errorf("got %v, want osm.pbf.compression", err)
	}
	if n := number(t, hub.Web, `select count(*) from osm.area`); n != second.Areas {
		t.Errorf("%d areas, want %d", n, second.Areas)
	}
}

// TestLiechtensteinNames: no name of a mapper is in the database, although the
// extract is full of them.
func TestLiechtensteinNames(t *testing.T) {
	t.Parallel()
	path := sharedFile(t, "liechtenstein-2013-08-03.osm.pbf")
	users := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m) u(\S+)`).FindAllSubmatch(osmium(t, "cat", path, "-f", "opl"), -1) {
		users[string(m[1])] = true
	}
	if len(users) == 0 {
		t.Fatal("the extract names no mapper: this test shows nothing")
	}
	url := postgistest.URL(t)
	hub := open(t, url)
	load(t, hub, path)
	// Geometry is written in hexadecimal, where "AE35" means nothing.
	dump := regexp.MustCompile(`\b01[0-9A-F]{40,}\b`).ReplaceAll(dump(t, url), nil)
	// A mapper may be called what a place is called: only names that no tag
	// holds can be looked for.
	tags := osmium(t, "cat", path, "-f", "opl,add_metadata=false")
	looked := 0
	for u := range users {
		name := unescape(u)
		if bytes.Contains(tags, []byte(u)) || len(name) < 4 {
			continue
		}
		looked++
		if bytes.Contains(dump, []byte(name)) {
			t.Errorf("mapper %q is in the database", name)
		}
	}
	t.Logf("looked for %d of %d mappers", looked, len(users))
	if looked < len(users)/2 {
		t.Errorf("looked for %d of %d mappers only", looked, len(users))
	}
	for _, column := range texts(t, hub.Owner, `
		select table_name || '.' || column_name
		from information_schema.columns
		where table_schema = 'osm' and column_name ~ 'user|uid|changeset'`) {
		t.Errorf("column %s exists", column)
	}
}

// TestCounts compares what was imported with what osmium exports, object by
// object. The differences that remain are named and must be all.
func TestCounts(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"monaco-2018-05-25.osm.pbf", "monaco-2019-09-30.osm.pbf", "monaco-2021-04-21.osm.pbf",
		"liechtenstein-2013-08-03.osm.pbf", "saint_barthelemy.osm.pbf",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := sharedFile(t, name)
			hub := postgistest.New(t)
			report := load(t, hub, path)
			t.Logf("%d points, %d lines, %d areas (%d of relations, %d old style, %d absorbed), problems %v",
				report.Points, report.Lines, report.Areas, report.FromRelations, report.OldStyle, report.Absorbed, report.Problems)
			if n := number(t, hub.Web, `select count(*) from osm.area where not st_isvalid(geom) or not st_ispolygonccw(geom)`); n != 0 {
				t.Errorf("%d areas are not valid", n)
			}
			config := filepath.Join(t.TempDir(), "export.json")
			if err := os.WriteFile(config, []byte(osm.OsmiumConfig()), 0o600); err != nil {
				t.Fatal(err)
			}
			theirs := map[string]bool{}
			var shapes [][]any
			wkt := regexp.MustCompile(`[A-Z]+\([-\d., ()]+\)`)
			for _, l := range lines(osmium(t, "export", "-c", config, "-u", "type_id", "-f", "text", path)) {
				k := key(l)
				theirs[k] = true
				shapes = append(shapes, []any{k, wkt.FindString(l)})
			}
			ours := map[string]bool{}
			for _, k := range texts(t, hub.Web, `
				select 'point ' || _key from osm.point union all select 'line ' || _key from osm.line
				union all select 'area ' || _key from osm.area`) {
				ours[k] = true
			}
			explain(t, hub, path, ours, theirs)
			compareShapes(t, hub, shapes)
		})
	}
}

// key turns "w12 LINESTRING(…" or "a25 POLYGON(…" of osmium's text export into
// "line w12" or "area r12".
func key(line string) string {
	id, rest, _ := strings.Cut(line, " ")
	switch {
	case strings.HasPrefix(rest, "POINT"):
		return "point " + id
	case strings.HasPrefix(rest, "LINESTRING"):
		return "line " + id
	}
	n, _ := strconv.ParseInt(id[1:], 10, 64)
	return "area " + string("wr"[n%2]) + strconv.FormatInt(n/2, 10)
}

// explain accounts for every object that only one side has.
//
// Only ours: areas with old-style tags (osmium knows them no more); areas and
// lines of objects that osmium refuses and we mend or draw in part, each of
// which is in osm.problem. Only theirs: the ways that are such an old-style
// border and no object of their own.
func explain(t *testing.T, hub *postgis.Hub, path string, ours, theirs map[string]bool) {
	t.Helper()
	problem := map[string]bool{}
	for _, k := range texts(t, hub.Web, `select type || osm_id from osm.problem`) {
		problem[k] = true
	}
	old := oldStyle(t, path)
	count := map[string]int{}
	for k := range ours {
		_, id, _ := strings.Cut(k, " ")
		switch {
		case theirs[k]:
			count["both"]++
		case old[id]:
			count["only ours, old style"]++
		case problem[id]:
			count["only ours, mended"]++
		default:
			t.Errorf("only ours: %s", k)
		}
	}
	for k := range theirs {
		_, id, _ := strings.Cut(k, " ")
		switch {
		case ours[k]:
		case old[id]:
			count["only osmium's, absorbed"]++
		default:
			t.Errorf("only osmium's: %s", k)
		}
	}
	t.Logf("objects: %v", count)
	if both := count["both"]; both < len(theirs)*95/100 {
		t.Errorf("only %d of osmium's %d objects", both, len(theirs))
	}
}

// oldStyle gives the multipolygon relations without tags of their own, and
// their member ways.
func oldStyle(t *testing.T, path string) map[string]bool {
	t.Helper()
	old := map[string]bool{}
	for _, l := range lines(osmium(t, "cat", "-t", "relation", "-f", "opl,add_metadata=false", path)) {
		var id, tags, members string
		for i, f := range strings.Split(l, " ") {
			switch {
			case i == 0:
				id = f
			case f[0] == 'T':
				tags = f[1:]
			case f[0] == 'M':
				members = f[1:]
			}
		}
		area, bare := false, true
		for _, tag := range strings.Split(tags, ",") {
			k, v, _ := strings.Cut(tag, "=")
			area = area || k == "type" && (v == "multipolygon" || v == "boundary")
			bare = bare && (k == "type" || osm.Empty(unescape(k)))
		}
		if !area || !bare {
			continue
		}
		old[id] = true
		for _, m := range strings.Split(members, ",") {
			ref, _, _ := strings.Cut(m, "@")
			old[ref] = true
		}
	}
	return old
}

// unescape replaces %hex% by the character, as OPL does.
func unescape(s string) string {
	return regexp.MustCompile(`%([0-9a-f]+)%`).ReplaceAllStringFunc(s, func(m string) string {
		n, err := strconv.ParseInt(m[1:len(m)-1], 16, 32)
		if err != nil {
			return m
		}
		return string(rune(n))
	})
}

func open(t *testing.T, url string) *postgis.Hub {
	t.Helper()
	hub, err := postgis.Open(t.Context(), postgis.Config{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(hub.Close)
	return hub
}

// dump is all that pg_dump writes of a database.
func dump(t *testing.T, url string) []byte {
	t.Helper()
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
	if err != nil || len(found) == 0 {
		t.Skip("skipped: no pg_dump")
	}
	out, err := exec.CommandContext(t.Context(), found[len(found)-1], "--dbname", url).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	return out
}

// compareShapes compares the geometry of every object that both sides have:
// the same set of points, to a micrometre of the plane.
func compareShapes(t *testing.T, hub *postgis.Hub, shapes [][]any) {
	t.Helper()
	err := pgx.BeginFunc(t.Context(), hub.Owner, func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `create temporary table theirs (key text primary key, wkt text) on commit drop`); err != nil {
			return err
		}
		_, err := tx.CopyFrom(t.Context(), pgx.Identifier{"theirs"}, []string{"key", "wkt"}, pgx.CopyFromRows(shapes))
		if err != nil {
			return err
		}
		for _, k := range texts(t, tx, `
			with ours as (
				select 'point ' || _key as key, geom from osm.point union all select 'line ' || _key, geom from osm.line
				union all select 'area ' || _key, geom from osm.area
			), both_sides as (
				select key, o.geom as a, st_transform(st_geomfromtext(t.wkt, 4326), 3857) as b
				from ours o
				join theirs t using (key)
			)
			select key
			from both_sides
			where abs(st_area(a) - st_area(b)) > 1e-6 * st_perimeter(a) or abs(st_length(a) - st_length(b)) > 1e-6
			   or abs(st_perimeter(a) - st_perimeter(b)) > 1e-6 or not st_equals(st_snaptogrid(st_envelope(a), 1e-3), st_snaptogrid(st_envelope(b), 1e-3))
			   or st_npoints(a) < 100 and st_hausdorffdistance(a, b) > 1e-6`) {
			t.Errorf("%s has another shape than osmium's", k)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
