package sample

import (
	"math"
	"testing"
)

func TestLambert93(t *testing.T) {
	t.Parallel()
	// Computed with PROJ 9.1 (cs2cs EPSG:4171 EPSG:2154).
	for _, c := range []struct{ lon, lat, x, y float64 }{
		{3, 46.5, 700000, 6600000},
		{6.22, 43.10, 962270.3777, 6227650.7173},
		{5.83, 43.40, 929324.2222, 6259763.0872},
	} {
		got := lambert93(c.lon, c.lat)
		if math.Abs(got.X-c.x) > 0.001 || math.Abs(got.Y-c.y) > 0.001 {
			t.Errorf("lambert93(%v, %v): got %.4f %.4f, want %v %v", c.lon, c.lat, got.X, got.Y, c.x, c.y)
		}
	}
}
