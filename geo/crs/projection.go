package crs

import "math"

const (
	radian  = math.Pi / 180
	epsilon = 1e-12
)

// forward projects degrees of the system's own datum, from Greenwich, to metres.
func (s *system) forward(lon, lat float64) (x, y float64, ok bool) {
	switch s.method {
	case geographic:
		return (lon - s.meridian) / s.unit, lat / s.unit, true
	case conic:
		x, y = s.conicForward(lon*radian, lat*radian)
	case transverse:
		x, y = s.transverseForward(lon*radian, lat*radian)
	case webMercator:
		x, y = s.a*lon*radian, s.a*math.Log(math.Tan(math.Pi/4+lat*radian/2))
	default:
		return 0, 0, false
	}
	return x / s.unit, y / s.unit, ok2(x, y)
}

// inverse gives degrees of the system's own datum, from Greenwich.
func (s *system) inverse(x, y float64) (lon, lat float64, ok bool) {
	x, y = x*s.unit, y*s.unit
	switch s.method {
	case geographic:
		return x + s.meridian, y, math.Abs(y) <= 90 && math.Abs(x) <= 360
	case conic:
		lon, lat = s.conicInverse(x, y)
	case transverse:
		lon, lat = s.transverseInverse(x, y)
	case webMercator:
		lon, lat = x/s.a, math.Pi/2-2*math.Atan(math.Exp(-y/s.a))
	default:
		return 0, 0, false
	}
	return lon / radian, lat / radian, ok2(lon, lat)
}

func ok2(a, b float64) bool {
	return !math.IsNaN(a) && !math.IsNaN(b) && !math.IsInf(a, 0) && !math.IsInf(b, 0)
}

func (s *system) eccentricity() float64 {
	if s.rf == 0 {
		return 0
	}
	f := 1 / s.rf
	return math.Sqrt(f * (2 - f))
}

// isoT is t of EPSG Guidance Note 7-2, Lambert conic conformal.
func isoT(lat, e float64) float64 {
	es := e * math.Sin(lat)
	return math.Tan(math.Pi/4-lat/2) / math.Pow((1-es)/(1+es), e/2)
}

// parallelM is m of the same note: the radius of a parallel over a.
func parallelM(lat, e float64) float64 {
	es := e * math.Sin(lat)
	return math.Cos(lat) / math.Sqrt(1-es*es)
}

// cone gives the constants of the conic projection (Guidance Note 7-2, methods
// 9801 and 9802): exponent, scale and radius of the origin.
func (s *system) cone() (n, af, r0 float64) {
	e := s.eccentricity()
	p1, p2 := s.sp1*radian, s.sp2*radian
	m1, t1 := parallelM(p1, e), isoT(p1, e)
	if math.Abs(p1-p2) < 1e-10 {
		n = math.Sin(p1)
	} else {
		n = math.Log(m1/parallelM(p2, e)) / math.Log(t1/isoT(p2, e))
	}
	af = s.a * s.k0 * m1 / (n * math.Pow(t1, n))
	return n, af, af * math.Pow(isoT(s.lat0*radian, e), n)
}

func (s *system) conicForward(lon, lat float64) (x, y float64) {
	n, af, r0 := s.cone()
	r := af * math.Pow(isoT(lat, s.eccentricity()), n)
	theta := n * (lon - s.lon0*radian)
	return s.fe + r*math.Sin(theta), s.fn + r0 - r*math.Cos(theta)
}

func (s *system) conicInverse(x, y float64) (lon, lat float64) {
	n, af, r0 := s.cone()
	dx, dy := x-s.fe, r0-(y-s.fn)
	r := math.Copysign(math.Hypot(dx, dy), n)
	t := math.Pow(r/af, 1/n)
	theta := math.Atan2(math.Copysign(1, n)*dx, math.Copysign(1, n)*dy)
	return theta/n + s.lon0*radian, latitude(t, s.eccentricity())
}

// latitude inverts isoT.
func latitude(t, e float64) float64 {
	lat := math.Pi/2 - 2*math.Atan(t)
	for range 12 {
		es := e * math.Sin(lat)
		next := math.Pi/2 - 2*math.Atan(t*math.Pow((1-es)/(1+es), e/2))
		if math.Abs(next-lat) < epsilon {
			return next
		}
		lat = next
	}
	return lat
}

// kruger gives the coefficients of the transverse Mercator series in the third
// flattening (Karney 2011, to the fourth order: better than a millimetre within
// a zone).
func (s *system) kruger() (radius float64, alpha, beta [4]float64) {
	n := 0.0
	if s.rf != 0 {
		f := 1 / s.rf
		n = f / (2 - f)
	}
	n2, n3, n4 := n*n, n*n*n, n*n*n*n
	radius = s.a / (1 + n) * (1 + n2/4 + n4/64)
	alpha = [4]float64{
		n/2 - 2*n2/3 + 5*n3/16 + 41*n4/180,
		13*n2/48 - 3*n3/5 + 557*n4/1440,
		61*n3/240 - 103*n4/140,
		49561 * n4 / 161280,
	}
	beta = [4]float64{
		n/2 - 2*n2/3 + 37*n3/96 - n4/360,
		n2/48 + n3/15 - 437*n4/1440,
		17*n3/480 - 37*n4/840,
		4397 * n4 / 161280,
	}
	return radius, alpha, beta
}

// meridianArc is the rectified northing of a latitude on the central meridian.
func (s *system) meridianArc(lat float64) float64 {
	if lat == 0 {
		return 0
	}
	_, north := s.transverseRaw(0, lat)
	return north
}

func (s *system) transverseRaw(dlon, lat float64) (east, north float64) {
	radius, alpha, _ := s.kruger()
	e := s.eccentricity()
	tau := math.Tan(lat)
	sigma := math.Sinh(e * math.Atanh(e*math.Sin(lat)))
	t := tau*math.Sqrt(1+sigma*sigma) - sigma*math.Sqrt(1+tau*tau)
	xi := math.Atan2(t, math.Cos(dlon))
	eta := math.Asinh(math.Sin(dlon) / math.Hypot(t, math.Cos(dlon)))
	east, north = eta, xi
	for j, a := range alpha {
		k := 2 * float64(j+1)
		north += a * math.Sin(k*xi) * math.Cosh(k*eta)
		east += a * math.Cos(k*xi) * math.Sinh(k*eta)
	}
	return s.k0 * radius * east, s.k0 * radius * north
}

func (s *system) transverseForward(lon, lat float64) (x, y float64) {
	east, north := s.transverseRaw(lon-s.lon0*radian, lat)
	return s.fe + east, s.fn + north - s.meridianArc(s.lat0*radian)
}

func (s *system) transverseInverse(x, y float64) (lon, lat float64) {
	radius, _, beta := s.kruger()
	xi := (y - s.fn + s.meridianArc(s.lat0*radian)) / (s.k0 * radius)
	eta := (x - s.fe) / (s.k0 * radius)
	if math.Abs(eta) > 3 { // far outside any zone: the series means nothing
		return math.NaN(), math.NaN()
	}
	xi1, eta1 := xi, eta
	for j, b := range beta {
		k := 2 * float64(j+1)
		xi1 -= b * math.Sin(k*xi) * math.Cosh(k*eta)
		eta1 -= b * math.Cos(k*xi) * math.Sinh(k*eta)
	}
	e := s.eccentricity()
	t := math.Sin(xi1) / math.Hypot(math.Sinh(eta1), math.Cos(xi1))
	// t is tan of the conformal latitude; isoT of it inverts to the geodetic one.
	chi := math.Atan(t)
	lat = latitude(math.Tan(math.Pi/4-chi/2), e)
	return s.lon0*radian + math.Atan2(math.Sinh(eta1), math.Cos(xi1)), lat
}

// shifts are geocentric translations to WGS 84 (EPSG 1193 and 1133): within two
// metres for NTF in the region, ten for ED50.
var shifts = map[datum][3]float64{
	ntf:  {-168, -60, 320},
	ed50: {-87, -98, -121},
}

// toWGS84 moves degrees of the system's datum to WGS 84.
func (s *system) toWGS84(lon, lat float64) (float64, float64) {
	t, ok := shifts[s.datum]
	if !ok {
		return lon, lat
	}
	f := 1 / s.rf
	e2 := f * (2 - f)
	la, lo := lat*radian, lon*radian
	nu := s.a / math.Sqrt(1-e2*math.Sin(la)*math.Sin(la))
	x := nu*math.Cos(la)*math.Cos(lo) + t[0]
	y := nu*math.Cos(la)*math.Sin(lo) + t[1]
	z := nu*(1-e2)*math.Sin(la) + t[2]
	return geodetic(x, y, z)
}

// geodetic turns geocentric metres into degrees of WGS 84 (Bowring's formula).
func geodetic(x, y, z float64) (lon, lat float64) {
	f := 1 / wgs84RF
	b := wgs84A * (1 - f)
	e2 := f * (2 - f)
	ep2 := e2 / (1 - e2)
	p := math.Hypot(x, y)
	u := math.Atan2(z*wgs84A, p*b)
	su, cu := math.Sincos(u)
	lat = math.Atan2(z+ep2*b*su*su*su, p-e2*wgs84A*cu*cu*cu)
	return math.Atan2(y, x) / radian, lat / radian
}
