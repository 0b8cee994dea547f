package sample

import "math"

// Where the fictional region is laid down: its plane's origin is put on the
// coast of the Var. No commune, street or object of it exists.
const (
	originLon = 6.22
	originLat = 43.10
	metresLat = 111106.0 // one degree of latitude at 43.1° N
)

var metresLon = 111412.84*math.Cos(radians(originLat)) - 93.5*math.Cos(3*radians(originLat))

// extent is what the extract covers, in the plane.
var extent = box{-33000, -9000, 39000, 37000}

func radians(d float64) float64 { return d * math.Pi / 180 }

// degrees gives the place as longitude and latitude in units of 1e-7 degrees,
// as OpenStreetMap stores them. The plane is stretched onto the graticule
// linearly: over this region distances are true to 0.5 %.
func (p pt) degrees() (lon, lat int32) {
	return int32(math.Round((originLon + p.X/metresLon) * 1e7)),
		int32(math.Round((originLat + p.Y/metresLat) * 1e7))
}

// lambert93 projects longitude and latitude (degrees, GRS80) to EPSG:2154:
// metres east and north. Constants from IGN's NTG 71 and the definition of
// RGF93 / Lambert-93 (standard parallels 44° and 49°).
func lambert93(lon, lat float64) pt {
	const (
		n  = 0.7256077650532670
		c  = 11754255.4260960
		e  = 0.0818191910428158
		xs = 700000.0
		ys = 12655612.0498760
	)
	s := math.Sin(radians(lat))
	r := c * math.Exp(-n*(math.Atanh(s)-e*math.Atanh(e*s)))
	t := n * radians(lon-3)
	return pt{xs + r*math.Sin(t), ys - r*math.Cos(t)}
}

// lambert projects the place to EPSG:2154, rounded to the centimetre as
// partners publish it.
func (p pt) lambert() pt {
	q := lambert93(originLon+p.X/metresLon, originLat+p.Y/metresLat)
	return pt{math.Round(q.X*100) / 100, math.Round(q.Y*100) / 100}
}

func (l line) lambert() line {
	out := make(line, len(l))
	for i, p := range l {
		out[i] = p.lambert()
	}
	return out
}
