package crs

import (
	"math"

	"calanque/geo"
)

// A method is a map projection.
type method uint8

const (
	geographic method = iota
	conic             // Lambert conformal conic, one or two standard parallels
	transverse        // transverse Mercator, UTM
	webMercator
	equalArea // Lambert azimuthal equal-area: recognised, not computed
)

// A datum is what geographic coordinates refer to, as far as it matters here.
type datum uint8

const (
	unknownDatum datum = iota
	rgf93              // and any datum of GRS80 within a metre of it
	etrs89
	wgs84
	ntf
	ed50
	rgr92  // La Réunion
	rgfg95 // Guyane
	rgaf09 // Antilles
	rgm04  // Mayotte
)

// A system is a coordinate system by its parameters. Angles are degrees from
// Greenwich, lengths metres.
type system struct {
	method     method
	datum      datum
	a, rf      float64 // ellipsoid: half axis, inverse flattening (0 for a sphere)
	lat0, lon0 float64
	sp1, sp2   float64 // equal for one parallel
	k0         float64
	fe, fn     float64
	meridian   float64 // prime meridian of geographic coordinates
	unit       float64 // metres, or degrees, per unit of the data
}

// An entry is a system that spatial_ref_sys has.
type entry struct {
	srid geo.SRID
	system
	latFirst bool     // the authority orders latitude first
	names    []string // folded names beside those made of the code
}

// Ellipsoids and meridians (EPSG 7019, 7030, 7011, 7022; 8903).
const (
	grs80A, grs80RF   = 6378137, 298.257222101
	wgs84A, wgs84RF   = 6378137, 298.257223563
	clarkeA, clarkeRF = 6378249.2, 293.4660212936269
	intlA, intlRF     = 6378388, 297
	paris             = 2.33722917
	grad              = 0.9 // degrees
)

// systems is the table. What comes first wins between equals: an unnamed datum
// of GRS80 is the French one.
var systems = makeSystems()

func makeSystems() []entry {
	t := []entry{
		{srid: 2154, system: lambert(rgf93, 46.5, 3, 49, 44, 700000, 6600000), names: []string{"lambert93", "l93", "rgf93lambert93", "rgf1993lambert93", "lamb93", "rgf93v1lambert93", "rgf93v2blambert93", "rgf93v2lambert93"}},
	}
	for i := range 9 {
		lat := float64(42 + i)
		s := lambert(rgf93, lat, 3, lat-0.75, lat+0.75, 1700000, 200000+float64(i+1)*1000000)
		n := string(rune('2' + i))
		if i == 8 {
			n = "50"
		} else {
			n = "4" + n
		}
		t = append(t, entry{srid: geo.SRID(3942 + i), system: s, names: []string{
			"cc" + n, "rgf93cc" + n, "rgf1993cc" + n, "coniqueconforme" + n, "rgf93coniqueconformezone" + string(rune('1'+i)), "lambertcc" + n, "rgf93v1cc" + n, "rgf93v2bcc" + n,
		}})
	}
	t = append(t, lambertZones()...)
	t = append(t, utm(2975, rgr92, 57, 0, 10000000, "rgr92utm40s", "rgr1992utmzone40s"), utm(2972, rgfg95, -51, 0, 0, "rgfg95utm22n"),
		utm(5490, rgaf09, -63, 0, 0, "rgaf09utm20n"), utm(4471, rgm04, 45, 0, 10000000, "rgm04utm38s"))
	for i := range 3 {
		lon := float64(-3 + 6*i)
		n := []string{"30n", "31n", "32n"}[i]
		t = append(t, utm(25830+geo.SRID(i), etrs89, lon, 0, 0, "etrs89utmzone"+n, "etrs1989utmzone"+n, "utm"+n, "rgf93utmzone"+n),
			utm(32630+geo.SRID(i), wgs84, lon, 0, 0, "wgs84utmzone"+n, "wgs1984utmzone"+n),
			utm(23030+geo.SRID(i), ed50, lon, 0, 0, "ed50utmzone"+n))
	}
	return append(t,
		entry{srid: 3857, system: system{method: webMercator, datum: wgs84, a: wgs84A, rf: wgs84RF, k0: 1, unit: 1}, names: []string{"webmercator", "wgs84pseudomercator", "wgs1984webmercatorauxiliarysphere", "googlemercator", "pseudomercator"}},
		entry{srid: 3035, latFirst: true, system: system{method: equalArea, datum: etrs89, a: grs80A, rf: grs80RF, lat0: 52, lon0: 10, fe: 4321000, fn: 3210000, k0: 1, unit: 1}, names: []string{"etrs89laeaeurope", "etrs89extendedlaeaeurope", "etrs1989laea"}},
		lonLat(4171, rgf93, grs80A, grs80RF, 0, 1, "rgf93", "rgf1993", "rgf93v1", "rgf93v2", "rgf93v2b", "rgf93geographiques", "rgf93geographiquesdms"),
		lonLat(4258, etrs89, grs80A, grs80RF, 0, 1, "etrs89", "etrs1989"),
		lonLat(4326, wgs84, wgs84A, wgs84RF, 0, 1, "wgs84", "wgs1984", "crs84", "ogccrs84", "gps"),
		lonLat(4275, ntf, clarkeA, clarkeRF, 0, 1, "ntf"),
		lonLat(4807, ntf, clarkeA, clarkeRF, paris, grad, "ntfparis"),
		lonLat(4230, ed50, intlA, intlRF, 0, 1, "ed50"),
		lonLat(4627, rgr92, grs80A, grs80RF, 0, 1, "rgr92"),
		lonLat(4624, rgfg95, grs80A, grs80RF, 0, 1, "rgfg95"),
		lonLat(5489, rgaf09, grs80A, grs80RF, 0, 1, "rgaf09"),
		lonLat(4470, rgm04, grs80A, grs80RF, 0, 1, "rgm04"),
	)
}

// lambertZones are the NTF zones: 2756x count northing from 200 km in each zone,
// 2757x carry the zone's number in front. 27572 is the extended zone II.
func lambertZones() []entry {
	zones := []struct {
		lat, k, fe, fn float64
		n, word        string
	}{
		{49.5, 0.999877341, 600000, 200000, "1", "nord"},
		{46.8, 0.99987742, 600000, 200000, "2", "centre"},
		{44.1, 0.999877499, 600000, 200000, "3", "sud"},
		{42.165, 0.99994471, 234.358, 185861.369, "4", "corse"},
	}
	roman := []string{"i", "ii", "iii", "iv"}
	var t []entry
	for i, z := range zones {
		s := lambert(ntf, z.lat, paris, z.lat, z.lat, z.fe, z.fn)
		s.a, s.rf, s.k0, s.meridian = clarkeA, clarkeRF, z.k, paris
		t = append(t, entry{srid: geo.SRID(27561 + i), system: s, names: []string{
			"lambert" + z.word, "lambert" + roman[i], "lambert" + z.n, "lambert" + z.word + "france", "ntfparislambert" + z.word + "france",
		}})
	}
	for i, z := range zones {
		s := t[i].system
		s.fn = z.fn + float64(i+1)*1000000
		names := []string{"lambertzone" + roman[i], "lambertzone" + z.n, "ntfparislambertzone" + roman[i], "lambert" + roman[i] + "carto", "lambert" + z.n + "carto", "lambert" + roman[i] + "cartographique"}
		if i == 1 {
			names = append(names, "lambertiietendu", "lambert2etendu", "lamberte", "l2e", "lambertiie", "ntflambertiietendu", "ntfparislambertiietendu", "ntfparisfrancelambertii", "ntffrancelambertii", "francelambertii", "lambert2e")
			s.fn = 2200000
		}
		if i == 3 {
			s.fn = 4185861.369
		}
		t = append(t, entry{srid: geo.SRID(27571 + i), system: s, names: names})
	}
	return t
}

func lambert(d datum, lat0, lon0, sp1, sp2, fe, fn float64) system {
	return system{method: conic, datum: d, a: grs80A, rf: grs80RF, lat0: lat0, lon0: lon0, sp1: sp1, sp2: sp2, k0: 1, fe: fe, fn: fn, unit: 1}
}

func utm(srid geo.SRID, d datum, lon0, lat0, fn float64, names ...string) entry {
	s := system{method: transverse, datum: d, a: grs80A, rf: grs80RF, lat0: lat0, lon0: lon0, k0: 0.9996, fe: 500000, fn: fn, unit: 1}
	switch d {
	case wgs84:
		s.rf = wgs84RF
	case ed50:
		s.a, s.rf = intlA, intlRF
	}
	return entry{srid: srid, system: s, names: names}
}

func lonLat(srid geo.SRID, d datum, a, rf, meridian, unit float64, names ...string) entry {
	return entry{srid: srid, latFirst: true, names: names, system: system{method: geographic, datum: d, a: a, rf: rf, meridian: meridian, unit: unit, k0: 1}}
}

// twins are codes that spatial_ref_sys has not, or that were replaced, and the
// code it has for the same coordinates within the precision of open data.
var twins = map[geo.SRID]geo.SRID{
	9793: 2154, 9794: 2154, // RGF93 v2, v2b / Lambert-93
	9776: 4171, 9777: 4171, 9781: 4171, 9782: 4171, 9783: 4171, 9784: 4171, // RGF93 v2, v2b
	4964: 4171, 4965: 4171, 7042: 4171, 7084: 4171, // RGF93 v1, three-dimensional or lon-lat
	4936: 4258, 4937: 4258, 4978: 4326, 4979: 4326,
	27581: 27571, 27582: 27572, 27583: 27573, 27584: 27574,
	27591: 27561, 27592: 27562, 27593: 27563, 27594: 27564,
	900913: 3857, 3785: 3857, 102100: 3857, 102113: 3857,
	102110: 2154, 61716405: 4171, 61716413: 4171,
	5698: 2154, 5699: 2154, // Lambert-93 with a height
}

// Twin gives the code under which spatial_ref_sys has the system: 2154 for the
// Lambert-93 codes of RGF93 v2 and v2b (9793, 9794), 3942–3950 for 9822–9830 and
// 9842–9850, 4171 for 9777 and 9782, the current code for deprecated ones. Other
// codes are given back.
func Twin(code geo.SRID) geo.SRID {
	if t, ok := twins[code]; ok {
		return t
	}
	switch {
	case code >= 9822 && code <= 9830:
		return code - 9822 + 3942
	case code >= 9842 && code <= 9850:
		return code - 9842 + 3942
	}
	return code
}

// find gives the entry of a code.
func find(srid geo.SRID) (*entry, bool) {
	srid = Twin(srid)
	for i := range systems {
		if systems[i].srid == srid {
			return &systems[i], true
		}
	}
	return nil, false
}

// Known reports whether the place test can compute with the code.
func Known(srid geo.SRID) bool {
	e, ok := find(srid)
	return ok && e.method != equalArea
}

// match gives the code of the system with the same parameters, 0 for none.
// Two projections are the same when they put three points of their domain
// within 5 cm: so one parallel with a scale equals the two parallels of it, and
// 49.00000000001 equals 49.
func match(s system) geo.SRID {
	for _, exact := range []bool{true, false} {
		for i := range systems {
			e := &systems[i]
			if s.method == e.method && sameDatum(s, e.system, exact) && sameProjection(s, e.system) {
				return e.srid
			}
		}
	}
	return 0
}

// sameDatum compares the datum where both name one (exact), else the ellipsoid:
// GRS80 and WGS84 are one ellipsoid here, as files mix them up.
func sameDatum(s, e system, exact bool) bool {
	if s.datum != unknownDatum {
		if s.datum == e.datum {
			return true
		}
		modern := s.datum <= wgs84 && e.datum <= wgs84
		return !exact && modern && s.method != geographic
	}
	if s.a == 0 {
		return !exact && s.method != geographic
	}
	if math.Abs(s.a-e.a) > 0.5 {
		return false
	}
	return !exact || math.Abs(s.rf-e.rf) < 1e-5
}

func sameProjection(s, e system) bool {
	if math.Abs(s.unit-e.unit) > 1e-6 {
		return false
	}
	if s.method == geographic {
		return math.Abs(s.meridian-e.meridian) < 1e-4
	}
	if s.method == equalArea {
		return near(s.lat0, e.lat0) && near(s.lon0, e.lon0) && math.Abs(s.fe-e.fe) < 0.05 && math.Abs(s.fn-e.fn) < 0.05
	}
	s.a, s.rf, s.meridian = e.a, e.rf, e.meridian
	for _, d := range [][2]float64{{0, 0}, {2.5, 1.5}, {-2, -1}} {
		lon, lat := e.lon0+d[0], e.lat0+d[1]
		if e.method == transverse {
			lat += math.Copysign(45, 1-e.fn)
		}
		x, y, ok1 := s.forward(lon, lat)
		u, v, ok2 := e.forward(lon, lat)
		if !ok1 || !ok2 || math.Abs(x-u) > 0.05 || math.Abs(y-v) > 0.05 {
			return false
		}
	}
	return true
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-6 }
