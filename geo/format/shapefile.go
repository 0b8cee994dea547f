package format

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"calanque/geo"
	"calanque/geo/crs"
)

// shapefile reads .shp with its side files, or a .dbf without .shp as a table.
// The .dbf, .prj, .cpg and .shx may be missing.
var shapefile = Format{
	Name: "shapefile",
	Match: func(h Head) bool {
		switch h.Ext {
		case ".shp", ".shx":
			return true
		case ".dbf":
			return len(h.Bytes) > 32
		}
		return len(h.Bytes) >= 100 && binary.BigEndian.Uint32(h.Bytes) == shapeMagic &&
			binary.LittleEndian.Uint32(h.Bytes[28:]) == 1000
	},
	Open: openShapefile,
}

const shapeMagic = 9994

// A shapeSource is an opened shapefile.
type shapeSource struct {
	layer Layer
	shp   *os.File // nil for a table
	size  int64
	kind  int32 // of all shapes, without Z and M; 0 when all are null
	dbf   *dbf  // nil without attributes
	table *os.File
	index []span // nil: records follow one another
	count int64  // shapes, or rows of a table
}

// A span is one record of the .shp by its .shx: content offset and length in bytes.
type span struct {
	off int64
	len int32
}

func openShapefile(_ context.Context, path string, o Options) (Source, error) {
	side, err := sideFiles(path)
	if err != nil {
		return nil, fmt.Errorf("look beside %s: %w", path, err)
	}
	if ext := strings.ToLower(filepath.Ext(path)); ext != ".shx" && ext != ".dbf" {
		side[".shp"] = path
	}
	s := &shapeSource{layer: Layer{Name: stemOf(path), GeometryType: geo.None}}
	if err := s.open(side, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *shapeSource) open(side map[string]string, o Options) error {
	if p := side[".shp"]; p != "" {
		if err := s.openShapes(p, side[".shx"]); err != nil {
			return err
		}
	} else if side[".dbf"] == "" {
		return geo.Bad(nil, "shapefile.no-shp", "file", s.layer.Name+".shx")
	}
	if err := s.openTable(side, o); err != nil {
		return err
	}
	if s.shp == nil {
		s.count, s.layer.Count = s.dbf.rows, s.dbf.rows-s.dbf.deleted
		return nil
	}
	return s.readProjection(side, o)
}

// openTable opens the .dbf and decides its encoding.
func (s *shapeSource) openTable(side map[string]string, o Options) error {
	s.layer.Count = s.count
	p := side[".dbf"]
	if p == "" {
		s.layer.Notes = append(s.layer.Notes, geo.Say("shapefile.no-dbf", "file", s.layer.Name+".dbf"))
		return nil
	}
	f, err := os.Open(p)
	if err != nil {
		return fmt.Errorf("open %s: %w", p, err)
	}
	s.table = f
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open %s: %w", p, err)
	}
	cpg, err := readSmall(side[".cpg"])
	if err != nil {
		return fmt.Errorf("read %s: %w", side[".cpg"], err)
	}
	declared := strings.TrimSpace(strings.Trim(string(cpg), "\x00\ufeff"))
	hint, known := charsetNamed(declared)
	shapes := s.count
	if s.shp == nil {
		shapes = -1
	}
	if s.dbf, err = openDBF(f, info.Size(), filepath.Base(p), hint, o, shapes); err != nil {
		return err
	}
	s.layer.Columns, s.layer.Encoding = s.dbf.columns(), s.dbf.encoding
	s.layer.Notes = append(s.layer.Notes, s.dbf.notes...)
	if known && declared != "" && s.dbf.text.single != hint && !s.dbf.allASCII && o.Encoding == "" &&
		!(hint == nil && s.dbf.encoding == "utf-8") {
		s.layer.Notes = append(s.layer.Notes, geo.Say("text.cpg", "declared", declared, "found", s.dbf.encoding))
	}
	if s.shp != nil {
		if s.dbf.rows != s.count {
			s.layer.Notes = append(s.layer.Notes, geo.Say("shapefile.count", "shapes", s.count, "rows", s.dbf.rows))
		}
		s.layer.Count = max(s.count, s.dbf.rows) - s.dbf.deleted
	}
	return nil
}

func (s *shapeSource) readProjection(side map[string]string, o Options) error {
	prj, err := readSmall(side[".prj"])
	if err != nil {
		return fmt.Errorf("read %s: %w", side[".prj"], err)
	}
	s.layer.CRS = declaredCRS(string(bytes.TrimPrefix(prj, []byte("\ufeff"))), o)
	return nil
}

// declaredCRS recognises a declaration; a person's choice goes first.
func declaredCRS(text string, o Options) CRS {
	c := CRS{Declared: strings.TrimSpace(strings.ToValidUTF8(text, "\uFFFD"))}
	if o.CRS != 0 {
		c.SRID = o.CRS
		return c
	}
	c.SRID, c.Axes = crs.Recognise(c.Declared)
	return c
}

// openShapes reads the header and makes sure that every record is there.
func (s *shapeSource) openShapes(path, shx string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.shp = f
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open %s: %w", path, err)
	}
	s.size = info.Size()
	name := filepath.Base(path)
	h := make([]byte, 100)
	if _, err := f.ReadAt(h, 0); err != nil || binary.BigEndian.Uint32(h) != shapeMagic {
		return geo.Bad(err, "shapefile.header", "file", name, "size", s.size)
	}
	declared := int64(binary.BigEndian.Uint32(h[24:])) * 2
	if declared != s.size {
		s.layer.Notes = append(s.layer.Notes, geo.Say("shapefile.length", "file", name, "declared", declared, "found", s.size))
	}
	s.kind = int32(binary.LittleEndian.Uint32(h[32:]))
	if ok, err := s.readIndex(shx, name); err != nil {
		return err
	} else if !ok {
		if err := s.walk(name, declared); err != nil {
			return err
		}
	}
	return s.decideKind()
}

// decideKind takes the kind of all shapes from the header, or where that says
// none, from the first shape.
func (s *shapeSource) decideKind() error {
	if s.kind < 0 || s.kind > shapeMultiPatch || shapeGeometry(s.kind) == geo.Mixed {
		s.kind = shapeNull
	}
	r := &shapeReader{shapeSource: s, shapes: newWindow(s.shp, s.size), at: 100}
	for i := int64(0); i < s.count && s.kind == shapeNull; i++ {
		c, err := r.content(i)
		if err != nil {
			return err
		}
		if sh, bad := takeApart(c); bad == nil {
			s.kind = sh.kind
		}
	}
	s.kind %= 10
	s.layer.GeometryType = shapeGeometry(s.kind)
	return nil
}

func shapeGeometry(t int32) geo.GeometryType {
	switch t % 10 {
	case shapeNull:
		return geo.None
	case shapePoint, shapeMultiPoint:
		return geo.Point
	case shapeLine:
		return geo.Line
	case shapePolygon:
		return geo.Polygon
	}
	return geo.Mixed
}

// readIndex takes the records from the .shx. It reports false when there is
// none that can be used, and fails when it names records that the .shp has not:
// the file is truncated.
func (s *shapeSource) readIndex(path, shp string) (bool, error) {
	if path == "" {
		s.layer.Notes = append(s.layer.Notes, geo.Say("shapefile.no-shx", "file", shp))
		return false, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, fmt.Errorf("open %s: %w", path, err)
	}
	n := (info.Size() - 100) / 8
	w := newWindow(f, info.Size())
	h, err := w.at(0, 100)
	if err != nil || binary.BigEndian.Uint32(h) != shapeMagic || n < 0 {
		s.layer.Notes = append(s.layer.Notes, geo.Say("shapefile.bad-shx", "file", filepath.Base(path)))
		return false, nil
	}
	if said := (int64(binary.BigEndian.Uint32(h[24:]))*2 - 100) / 8; said >= 0 && said < n {
		n = said
	}
	sequential := true
	next := int64(100)
	spans := make([]span, 0, min(n, 1<<20))
	for i := range n {
		e, err := w.at(100+8*i, 8)
		if err != nil {
			return false, fmt.Errorf("read %s: %w", path, err)
		}
		sp := span{off: int64(binary.BigEndian.Uint32(e))*2 + 8, len: int32(binary.BigEndian.Uint32(e[4:]) * 2)}
		sequential = sequential && sp.off == next+8
		next = sp.off + int64(sp.len)
		spans = append(spans, sp)
	}
	return s.useIndex(spans, sequential && next == s.size, filepath.Base(path), shp)
}

// useIndex checks the spans against the .shp.
func (s *shapeSource) useIndex(spans []span, sequential bool, shx, shp string) (bool, error) {
	if sequential {
		s.count = int64(len(spans))
		return true, nil
	}
	head := make([]byte, 8)
	for i, sp := range spans {
		if sp.off < 108 || sp.len < 4 {
			s.layer.Notes = append(s.layer.Notes, geo.Say("shapefile.bad-shx", "file", shx))
			return false, nil
		}
		if sp.off+int64(sp.len) > s.size {
			// Truncated, or an index of another file: the record before tells.
			if i > 0 && s.headerFits(spans[i-1], head) || i == 0 && s.headerFits(sp, head) {
				return false, geo.Bad(io.ErrUnexpectedEOF, "shapefile.truncated", "file", shp,
					"record", i+1, "offset", sp.off-8, "size", s.size)
			}
			s.layer.Notes = append(s.layer.Notes, geo.Say("shapefile.bad-shx", "file", shx))
			return false, nil
		}
	}
	for _, i := range []int{0, len(spans) / 2, len(spans) - 1} {
		if len(spans) > 0 && !s.headerFits(spans[i], head) {
			s.layer.Notes = append(s.layer.Notes, geo.Say("shapefile.bad-shx", "file", shx))
			return false, nil
		}
	}
	s.index, s.count = spans, int64(len(spans))
	return true, nil
}

// headerFits reports whether the record header before a span says its length.
func (s *shapeSource) headerFits(sp span, buf []byte) bool {
	if _, err := s.shp.ReadAt(buf, sp.off-8); err != nil {
		return false
	}
	return int32(binary.BigEndian.Uint32(buf[4:])*2) == sp.len
}

// walk follows the record headers from the first to the end of the file.
func (s *shapeSource) walk(name string, declared int64) error {
	w := newWindow(s.shp, s.size)
	n, off := int64(0), int64(100)
	for off < s.size {
		h, err := w.at(off, 8)
		if err != nil {
			if declared < s.size && n > 0 { // a few bytes after the end that the header gives
				break
			}
			return geo.Bad(err, "shapefile.truncated", "file", name, "record", n+1, "offset", off, "size", s.size)
		}
		length := int64(int32(binary.BigEndian.Uint32(h[4:]))) * 2
		if length < 4 || off+8+length > s.size {
			if off >= declared && n > 0 {
				break
			}
			return geo.Bad(io.ErrUnexpectedEOF, "shapefile.truncated", "file", name, "record", n+1, "offset", off, "size", s.size)
		}
		n++
		off += 8 + length
	}
	s.count = n
	return nil
}

func (s *shapeSource) Format() string  { return "shapefile" }
func (s *shapeSource) Layers() []Layer { return []Layer{s.layer} }

func (s *shapeSource) Close() error {
	var errs []error
	for _, f := range []*os.File{s.shp, s.table} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
