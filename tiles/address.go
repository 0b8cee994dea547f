package tiles

import (
	"fmt"
	"math"
	"strconv"

	"calanque/geo"
)

// edge is half the width of the plane of EPSG:3857 in metres.
const edge = math.Pi * 6378137

// An address names a tile of the XYZ scheme: y grows southwards.
type address struct{ z, x, y int }

func (a address) String() string { return fmt.Sprintf("%d/%d/%d", a.z, a.x, a.y) }

// check tells whether the tile exists.
func (a address) check() error {
	if a.z < 0 || a.z > MaxZoom {
		return &geo.ParamError{Param: "z", Value: strconv.Itoa(a.z), Want: fmt.Sprintf("want 0 to %d", MaxZoom)}
	}
	n := 1 << a.z
	if a.x < 0 || a.x >= n {
		return &geo.ParamError{Param: "x", Value: strconv.Itoa(a.x), Want: fmt.Sprintf("want 0 to %d at zoom %d", n-1, a.z)}
	}
	if a.y < 0 || a.y >= n {
		return &geo.ParamError{Param: "y", Value: strconv.Itoa(a.y), Want: fmt.Sprintf("want 0 to %d at zoom %d", n-1, a.z)}
	}
	return nil
}

// width is the length of an edge of the tile in metres of EPSG:3857.
func (a address) width() float64 { return 2 * edge / float64(int(1)<<a.z) }

// box is the tile in EPSG:3857, grown by so many tile units on each side.
func (a address) box(units float64) geo.Box {
	w := a.width()
	m := w * units / Extent
	x, y := -edge+float64(a.x)*w, edge-float64(a.y)*w
	return geo.Box{MinX: x - m, MinY: y - w - m, MaxX: x + w + m, MaxY: y + m}
}

// meets tells whether the tile touches an extent given in CRS84.
func (a address) meets(e geo.Box) bool {
	x0, y0 := mercator(e.MinX, e.MinY)
	x1, y1 := mercator(e.MaxX, e.MaxY)
	// The extent was rounded on its way through another CRS: a hundredth of
	// a tile unit of the deepest zoom, 0.1 mm.
	const eps = 1e-4
	return a.box(0).Intersects(geo.Box{MinX: x0 - eps, MinY: y0 - eps, MaxX: x1 + eps, MaxY: y1 + eps})
}

// mercator projects lon/lat in degrees to EPSG:3857; latitudes beyond the
// plane are moved to its edge.
func mercator(lon, lat float64) (x, y float64) {
	const limit = 85.0511287798066
	lat = max(-limit, min(limit, lat))
	return lon / 180 * edge, math.Log(math.Tan(math.Pi/4+lat*math.Pi/360)) * 6378137
}
