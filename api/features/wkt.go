package features

import "math"

var wktNames = [...]string{
	wkbPoint: "POINT", wkbLine: "LINESTRING", wkbPolygon: "POLYGON",
	wkbMultiPoint: "MULTIPOINT", wkbMultiLine: "MULTILINESTRING", wkbMultiPolygon: "MULTIPOLYGON",
	wkbCollection: "GEOMETRYCOLLECTION",
}

// appendWKT appends a geometry in EWKB as WKT: x and y with seven decimals,
// heights and measures dropped.
func appendWKT(dst, ewkb []byte) ([]byte, error) {
	start := len(dst)
	e := ewkbReader{b: ewkb}
	dst = e.wkt(dst, 0)
	if e.bad || len(e.b) != 0 {
		return dst[:start], errGeometry
	}
	return dst, nil
}

func (e *ewkbReader) wkt(dst []byte, depth int) []byte {
	kind := e.header()
	if e.bad || depth > maxDepth {
		e.bad = true
		return dst
	}
	dst = append(dst, wktNames[kind]...)
	dst = append(dst, ' ')
	if kind == wkbCollection {
		return e.wktList(dst, 5, func(dst []byte) []byte { return e.wkt(dst, depth+1) })
	}
	return e.wktBody(dst, kind)
}

func (e *ewkbReader) wktBody(dst []byte, kind int) []byte {
	switch kind {
	case wkbPoint:
		return e.wktPoint(dst)
	case wkbLine:
		return e.wktPositions(dst)
	case wkbPolygon:
		return e.wktList(dst, 4, e.wktPositions)
	}
	return e.wktList(dst, 5, func(dst []byte) []byte {
		if e.header() != kind-3 {
			e.bad = true
		}
		if e.bad {
			return dst
		}
		return e.wktBody(dst, kind-3)
	})
}

func (e *ewkbReader) wktPoint(dst []byte) []byte {
	size := 8 * e.dims
	if len(e.b) < size {
		e.bad = true
		return dst
	}
	if math.IsNaN(e.float(0)) {
		dst = append(dst, "EMPTY"...)
	} else {
		dst = append(e.wktPosition(append(dst, '('), 0), ')')
	}
	e.b = e.b[size:]
	return dst
}

func (e *ewkbReader) wktPositions(dst []byte) []byte {
	step := 8 * e.dims
	n := e.count(step)
	if n == 0 {
		return append(dst, "EMPTY"...)
	}
	dst = append(dst, '(')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.wktPosition(dst, i*step)
	}
	e.b = e.b[n*step:]
	return append(dst, ')')
}

func (e *ewkbReader) wktPosition(dst []byte, at int) []byte {
	dst = appendDecimal(dst, e.float(at), 7)
	dst = append(dst, ' ')
	return appendDecimal(dst, e.float(at+8), 7)
}

func (e *ewkbReader) wktList(dst []byte, size int, part func([]byte) []byte) []byte {
	n := e.count(size)
	if n == 0 {
		return append(dst, "EMPTY"...)
	}
	dst = append(dst, '(')
	for i := 0; i < n && !e.bad; i++ {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = part(dst)
	}
	return append(dst, ')')
}
