package format

import (
	"encoding/binary"
	"errors"
	"math"

	"calanque/geo"
)

// errEWKB is a geometry that is not EWKB as PostGIS writes it.
var errEWKB = errors.New("geometry is not EWKB of a simple feature")

// maxNesting is how deep collections may nest.
const maxNesting = 16

// A packageShape is what a writer must know of a geometry beside its bytes.
type packageShape struct {
	box   geo.Box // empty for an empty geometry
	kind  uint32  // of WKB: kindPoint…
	z, m  bool
	parts int // of a Multi or collection
}

// appendPackageGeometry appends a geometry as a GeoPackage stores it: header,
// envelope of x and y (none for a point), ISO WKB. The input is EWKB in either
// byte order, whose SRID is not looked at; a Multi of one part becomes that
// part when single is true.
func appendPackageGeometry(dst, ewkb []byte, srid geo.SRID, single bool) ([]byte, packageShape, error) {
	start := len(dst)
	w := wkbWriter{in: ewkb, single: single, shape: packageShape{box: geo.EmptyBox()}}
	// 8 bytes of header and 32 of envelope, filled in when they are known.
	w.out = append(dst, make([]byte, 40)...)
	if err := w.geometry(0); err != nil {
		return dst, packageShape{}, err
	}
	if len(w.in) != 0 {
		return dst, packageShape{}, errEWKB
	}
	head := w.out[start:]
	flags := byte(1) // little endian
	empty := w.shape.box.Empty()
	if empty {
		flags |= 1 << 4
	}
	envelope := !empty && w.shape.kind != kindPoint
	if envelope {
		flags |= 1 << 1
		b := w.shape.box
		for i, f := range [...]float64{b.MinX, b.MaxX, b.MinY, b.MaxY} {
			binary.LittleEndian.PutUint64(head[8+8*i:], math.Float64bits(f))
		}
	} else {
		copy(head[8:], head[40:])
		w.out = w.out[:len(w.out)-32]
	}
	copy(head, []byte{'G', 'P', 0, flags})
	binary.LittleEndian.PutUint32(head[4:], uint32(srid))
	return w.out, w.shape, nil
}

// A wkbWriter turns EWKB into little-endian ISO WKB from front to back.
type wkbWriter struct {
	in     []byte
	out    []byte
	single bool
	shape  packageShape
	order  binary.ByteOrder
	dims   int
}

func (w *wkbWriter) geometry(depth int) error {
	if len(w.in) < 5 || w.in[0] > 1 || depth > maxNesting {
		return errEWKB
	}
	w.order = binary.LittleEndian
	if w.in[0] == 0 {
		w.order = binary.BigEndian
	}
	word := w.order.Uint32(w.in[1:])
	w.in = w.in[5:]
	if word&sFlag != 0 {
		if len(w.in) < 4 {
			return errEWKB
		}
		w.in = w.in[4:]
	}
	kind, z, m := word&^(zFlag|mFlag|sFlag), word&zFlag != 0, word&mFlag != 0
	if kind < kindPoint || kind > kindCollection {
		return errEWKB
	}
	w.dims = 2 + count(z) + count(m)
	w.shape.z, w.shape.m = w.shape.z || z, w.shape.m || m
	if kind >= kindMultiPoint && depth == 0 && w.single && len(w.in) >= 4 && kind != kindCollection && w.order.Uint32(w.in) == 1 {
		w.in = w.in[4:]
		w.shape.parts = 1
		return w.geometry(depth + 1)
	}
	if w.shape.kind == 0 {
		w.shape.kind = kind
	}
	w.out = append(w.out, 1)
	w.out = binary.LittleEndian.AppendUint32(w.out, kind+1000*uint32(count(z))+2000*uint32(count(m)))
	switch kind {
	case kindPoint:
		return w.positions(1)
	case kindLineString:
		return w.line()
	case kindPolygon:
		n, err := w.count(4)
		for i := 0; i < n && err == nil; i++ {
			err = w.line()
		}
		return err
	}
	n, err := w.count(5)
	if depth == 0 {
		w.shape.parts = n
	}
	for i := 0; i < n && err == nil; i++ {
		err = w.geometry(depth + 1)
	}
	return err
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}

// count copies a number of things that take at least so many bytes each.
func (w *wkbWriter) count(least int) (int, error) {
	if len(w.in) < 4 {
		return 0, errEWKB
	}
	n := int(w.order.Uint32(w.in))
	w.in = w.in[4:]
	if n > len(w.in)/least {
		return 0, errEWKB
	}
	w.out = binary.LittleEndian.AppendUint32(w.out, uint32(n))
	return n, nil
}

func (w *wkbWriter) line() error {
	n, err := w.count(8 * w.dims)
	if err != nil {
		return err
	}
	return w.positions(n)
}

// positions copies n positions and stretches the box to hold them; that of an
// empty point is NaN.
func (w *wkbWriter) positions(n int) error {
	size := 8 * w.dims * n
	if len(w.in) < size {
		return errEWKB
	}
	at := len(w.out)
	w.out = append(w.out, w.in[:size]...)
	w.in = w.in[size:]
	copied := w.out[at:]
	if w.order == binary.BigEndian {
		for i := 0; i < size; i += 8 {
			binary.LittleEndian.PutUint64(copied[i:], binary.BigEndian.Uint64(copied[i:]))
		}
	}
	for i := 0; i < size; i += 8 * w.dims {
		x, y := float(copied[i:]), float(copied[i+8:])
		if x == x && y == y {
			w.shape.box = w.shape.box.Extend(x, y)
		}
	}
	return nil
}
