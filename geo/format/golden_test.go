package format

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/twpayne/go-geom/encoding/ewkb"
	"github.com/twpayne/go-geom/encoding/wkt"

	"calanque/geo"
)

var update = flag.Bool("update", false, "rewrite the want.txt of every case")

// Every folder testdata/<format>/<case> holds one file to open (with its side
// files), perhaps options.json, and want.txt: all that reading it gives.
func TestCases(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("testdata/*/*")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, dir := range dirs {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() || strings.HasPrefix(dir, "testdata/fuzz") {
			continue
		}
		t.Run(strings.TrimPrefix(filepath.ToSlash(dir), "testdata/"), func(t *testing.T) {
			t.Parallel()
			got := dumpCase(t, dir)
			file := filepath.Join(dir, "want.txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", dir, got, want)
			}
		})
	}
}

// dumpCase opens the file of a case and writes down everything.
func dumpCase(t *testing.T, dir string) string {
	t.Helper()
	var o Options
	if b, err := os.ReadFile(filepath.Join(dir, "options.json")); err == nil {
		if err := json.Unmarshal(b, &o); err != nil {
			t.Fatal(err)
		}
	}
	src, err := Open(t.Context(), mainFile(t, dir), o)
	if err != nil {
		return "refused " + dumpError(err) + "\n"
	}
	defer func() {
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}()
	return dump(t.Context(), src)
}

// mainFile is the file of a case that is opened: the first that is no side file.
func mainFile(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	best, rank := "", 9
	for _, e := range entries {
		r := 1
		switch ext := strings.ToLower(filepath.Ext(e.Name())); {
		case e.Name() == "want.txt" || e.Name() == "options.json" || ext == ".cpg" || ext == ".prj" || ext == ".gpkg-wal" || ext == ".gpkg-shm":
			continue
		case ext == ".dbf" || ext == ".shx":
			r = 2
		case ext == ".shp" || ext == ".zip" || ext == ".gpkg":
			r = 0
		}
		if r < rank {
			best, rank = e.Name(), r
		}
	}
	if best == "" {
		return dir
	}
	return filepath.Join(dir, best)
}

func dump(ctx context.Context, src Source) string {
	var b strings.Builder
	fmt.Fprintf(&b, "format %s\n", src.Format())
	for i, l := range src.Layers() {
		dumpLayer(&b, l)
		err := src.Read(ctx, i, func(r *Record) error {
			dumpRecord(&b, l, r)
			return nil
		})
		if err != nil {
			fmt.Fprintf(&b, "broken %s\n", dumpError(err))
		}
	}
	return b.String()
}

func dumpLayer(b *strings.Builder, l Layer) {
	fmt.Fprintf(b, "layer %q %s count=%d srid=%d", l.Name, l.GeometryType, l.Count, l.CRS.SRID)
	if l.CRS.Guessed {
		b.WriteString(" guessed")
	}
	if l.Encoding != "" {
		fmt.Fprintf(b, " encoding=%q", l.Encoding)
	}
	if len(l.Geometry) > 0 {
		fmt.Fprintf(b, " geometry=%q", l.Geometry)
	}
	b.WriteByte('\n')
	for _, c := range l.Columns {
		fmt.Fprintf(b, "column %q %s", c.Title, c.Type)
		if c.Untyped {
			b.WriteString(" untyped")
		}
		if c.Width > 0 {
			fmt.Fprintf(b, " %d", c.Width)
		}
		b.WriteByte('\n')
	}
	for _, n := range l.Notes {
		fmt.Fprintf(b, "note %s\n", dumpMessage(n))
	}
}

func dumpRecord(b *strings.Builder, l Layer, r *Record) {
	fmt.Fprintf(b, "record %d", r.Number)
	if r.Line > 0 {
		fmt.Fprintf(b, " line %d", r.Line)
	}
	if r.ID != "" {
		fmt.Fprintf(b, " id %q", r.ID)
	}
	fmt.Fprintf(b, " %s\n", geometryText(r.Geometry))
	if r.Err != nil {
		fmt.Fprintf(b, "\trejected %s raw=%q\n", dumpError(r.Err), clip(r.Raw(), 120))
		return
	}
	for i, v := range r.Values {
		if v != nil {
			fmt.Fprintf(b, "\t%s = %s\n", l.Columns[i].Title, valueText(v))
		}
	}
	for _, m := range r.Issues {
		fmt.Fprintf(b, "\tissue %s\n", dumpMessage(m))
	}
}

func valueText(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return fmt.Sprintf("%v (%T)", v, v)
}

func geometryText(b []byte) string {
	if b == nil {
		return "null"
	}
	g, err := ewkb.Unmarshal(b)
	if err != nil {
		return fmt.Sprintf("BROKEN %x: %v", b, err)
	}
	s, err := wkt.Marshal(g, wkt.EncodeOptionWithMaxDecimalDigits(9))
	if err != nil {
		return fmt.Sprintf("BROKEN %x: %v", b, err)
	}
	return s
}

func dumpError(err error) string {
	var input *geo.InputError
	if !errors.As(err, &input) {
		return "NOT AN INPUT ERROR: " + err.Error()
	}
	return dumpMessage(input.Message)
}

func dumpMessage(m geo.Message) string {
	s := m.Code
	names := make([]string, 0, len(m.Args))
	for k := range m.Args {
		names = append(names, k)
	}
	sort.Strings(names)
	for _, k := range names {
		s += fmt.Sprintf(" %s=%q", k, fmt.Sprint(m.Args[k]))
	}
	return s
}
