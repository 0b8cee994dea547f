package crs

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"calanque/geo"
)

func trim(s string) string { return strings.Trim(s, " \t\r\n\x00\ufeff") }

// codeForms are the ways in which a code of the EPSG is written.
var codeForms = []struct {
	re    *regexp.Regexp
	order bool // the form says that the authority's axis order holds
}{
	{regexp.MustCompile(`(?i)^(?:EPSG|ESRI)\s*:+\s*(\d{4,6})$`), false},
	{regexp.MustCompile(`(?i)^urn:(?:x-)?ogc:def:crs:EPSG:[\d.]*:(\d{4,6})$`), true},
	{regexp.MustCompile(`(?i)^https?://www\.opengis\.net/def/crs/EPSG/[\d.]+/(\d{4,6})$`), true},
	{regexp.MustCompile(`(?i)^https?://www\.opengis\.net/gml/srs/epsg\.xml#(\d{4,6})$`), false},
	{regexp.MustCompile(`(?i)^\+?init=epsg:(\d{4,6})$`), false},
	{regexp.MustCompile(`^(\d{4,6})$`), false},
}

var crs84 = regexp.MustCompile(`(?i)^(?:urn:ogc:def:crs:)?(?:https?://www\.opengis\.net/def/crs/)?OGC[:/][\d.]*[:/]?CRS84h?$`)

// ign are the short names of IGN's own registry.
var ign = map[string]geo.SRID{
	"LAMB93": 2154, "RGF93LAMB93": 2154, "LAMBE": 27572, "LAMB1": 27561, "LAMB2": 27562, "LAMB3": 27563, "LAMB4": 27564,
	"LAMB1C": 27571, "LAMB2C": 27572, "LAMB3C": 27573, "LAMB4C": 27574, "RGF93G": 4171, "WGS84G": 4326, "ETRS89G": 4258,
	"NTFG": 4275, "NTFPG": 4807, "UTM31ETRS89": 25831, "UTM32ETRS89": 25832, "UTM30ETRS89": 25830,
	"RGR92UTM40S": 2975, "RGF93CC42": 3942, "RGF93CC43": 3943, "RGF93CC44": 3944, "RGF93CC45": 3945, "RGF93CC46": 3946,
	"RGF93CC47": 3947, "RGF93CC48": 3948, "RGF93CC49": 3949, "RGF93CC50": 3950,
}

var ignForm = regexp.MustCompile(`(?i)^(?:urn:ogc:def:crs:)?IGNF:+([\w.]+)$`)

// recogniseCode reads codes, URNs and URIs.
func recogniseCode(s string) (geo.SRID, Axes, bool) {
	if len(s) > 128 {
		return 0, XY, false
	}
	if crs84.MatchString(s) {
		return geo.WGS84, XY, true
	}
	if m := ignForm.FindStringSubmatch(s); m != nil {
		srid := ign[strings.ToUpper(m[1])]
		return srid, XY, srid != 0
	}
	for _, f := range codeForms {
		m := f.re.FindStringSubmatch(s)
		if m == nil {
			continue
		}
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return 0, XY, false
		}
		srid := Twin(geo.SRID(n))
		if e, ok := find(srid); ok && f.order && e.latFirst {
			return srid, YX, true
		}
		return srid, XY, true
	}
	return 0, XY, false
}

// recogniseName reads a name as partners write it: "Lambert 93", "RGF93 / CC44",
// "Lambert II étendu", "NTF (Paris) / Lambert zone II".
func recogniseName(s string) geo.SRID {
	f := fold(s)
	for _, prefix := range []string{"", "gcs", "projection", "epsg"} {
		name, ok := strings.CutPrefix(f, prefix)
		if !ok || name == "" {
			continue
		}
		for i := range systems {
			for _, n := range systems[i].names {
				if n == name {
					return systems[i].srid
				}
			}
		}
	}
	return 0
}

// fold takes accents, case, spaces and signs away.
func fold(s string) string {
	if len(s) > 256 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFD.String(s))
}

// authority gives the EPSG code that a WKT carries at its top; 0 for none.
func authority(n *node) geo.SRID {
	for _, k := range n.nodes {
		if (k.keyword != "AUTHORITY" && k.keyword != "ID") || !strings.EqualFold(k.name(), "EPSG") {
			continue
		}
		code := int(k.number(0, 0))
		if len(k.texts) > 1 {
			code, _ = strconv.Atoi(k.texts[1])
		}
		if code >= 1024 && code < 1<<20 {
			return geo.SRID(code)
		}
	}
	if h := horizontal(n); h != n {
		return authority(h)
	}
	return 0
}

// horizontal gives the horizontal part of compound and bound systems.
func horizontal(n *node) *node {
	switch n.keyword {
	case "COMPD_CS", "COMPOUNDCRS":
		if h := n.child("PROJCS", "PROJCRS", "PROJECTEDCRS", "GEOGCS", "GEOGCRS", "GEOGRAPHICCRS", "GEODCRS", "BOUNDCRS"); h != nil {
			return horizontal(h)
		}
	case "BOUNDCRS":
		if src := n.child("SOURCECRS"); src != nil && len(src.nodes) > 0 {
			return horizontal(src.nodes[0])
		}
	}
	return n
}

// systemOf takes the parameters out of a WKT; false when it is no system that
// can be compared.
func systemOf(n *node) (system, bool) {
	n = horizontal(n)
	switch n.keyword {
	case "GEOGCS", "GEOGCRS", "GEOGRAPHICCRS", "GEODCRS", "GEODETICCRS":
		s := system{method: geographic, k0: 1}
		s.takeGeodetic(n)
		return s, n.child("DATUM", "GEODETICDATUM", "TRF", "ENSEMBLE") != nil
	case "PROJCS", "PROJCRS", "PROJECTEDCRS":
		return projected(n)
	}
	return system{}, false
}

// takeGeodetic reads datum, ellipsoid, prime meridian and angular unit.
func (s *system) takeGeodetic(n *node) {
	d := n.child("DATUM", "GEODETICDATUM", "TRF", "ENSEMBLE")
	if e := d.child("SPHEROID", "ELLIPSOID"); e != nil {
		s.a, s.rf = e.number(0, 0), e.number(1, 0)
	}
	s.datum = datumNamed(d.name() + " " + n.name())
	s.unit = 1
	if u := n.child("UNIT", "ANGLEUNIT"); u != nil {
		s.unit = angle(u)
	} else if u := n.child("CS").child("ANGLEUNIT"); u != nil {
		s.unit = angle(u)
	} else if ax := n.child("AXIS"); ax != nil {
		if u := ax.child("ANGLEUNIT", "UNIT"); u != nil {
			s.unit = angle(u)
		}
	}
	if pm := n.child("PRIMEM", "PRIMEMERIDIAN"); pm != nil {
		s.meridian = meridian(pm.number(0, 0))
	}
}

// angle gives the degrees of an angular unit, exactly for the usual ones.
func angle(u *node) float64 {
	d := u.number(0, radian) / radian
	for _, usual := range []float64{1, grad} {
		if math.Abs(d-usual) < 1e-6 {
			return usual
		}
	}
	return d
}

// meridian takes Paris as Paris, in degrees or in grads.
func meridian(v float64) float64 {
	if math.Abs(v-paris) < 1e-4 || math.Abs(v-paris/grad) < 1e-4 {
		return paris
	}
	return v
}

func datumNamed(s string) datum {
	f := fold(s)
	for _, d := range []struct {
		part  string
		datum datum
	}{
		{"rgf93", rgf93},
		{"rgf1993", rgf93},
		{"reseaugeodesiquefrancais1993", rgf93},
		{"reseaugeodesiquefrancaisguyane", rgfg95},
		{"rgfg95", rgfg95},
		{"rgfg1995", rgfg95},
		{"rgr92", rgr92},
		{"rgr1992", rgr92},
		{"reseaugeodesiquedelareunion1992", rgr92},
		{"reseaugeodesiquedemayotte", rgm04},
		{"rgm04", rgm04},
		{"rgm2004", rgm04},
		{"rgaf09", rgaf09},
		{"antillesfrancaises2009", rgaf09},
		{"etrs89", etrs89},
		{"etrs1989", etrs89},
		{"europeanterrestrialreference", etrs89},
		{"wgs84", wgs84},
		{"wgs1984", wgs84},
		{"worldgeodeticsystem1984", wgs84},
		{"nouvelletriangulationfrancaise", ntf},
		{"ntf", ntf},
		{"europeandatum1950", ed50},
		{"european1950", ed50},
		{"ed50", ed50},
	} {
		if strings.Contains(f, d.part) {
			return d.datum
		}
	}
	return unknownDatum
}

// projected reads a PROJCS or PROJCRS.
func projected(n *node) (system, bool) {
	g := n.child("GEOGCS", "BASEGEOGCRS", "BASEGEODCRS", "BASEGEODETICCRS")
	conv := n.child("CONVERSION", "DERIVINGCONVERSION")
	if conv == nil {
		conv = n
	}
	s := system{k0: 1}
	if g != nil {
		s.takeGeodetic(g)
	}
	s.lat0, s.lon0 = math.NaN(), 0
	s.sp1, s.sp2 = math.NaN(), math.NaN()
	angular := s.unit
	s.unit = 1
	if u := n.child("UNIT", "LENGTHUNIT"); u != nil {
		s.unit = u.number(0, 1)
	} else if u := n.child("AXIS").child("LENGTHUNIT", "UNIT"); u != nil {
		s.unit = u.number(0, 1)
	}
	if !s.takeMethod(conv.child("PROJECTION", "METHOD").name()) {
		return s, false
	}
	if ext := n.child("EXTENSION"); ext != nil && len(ext.texts) > 1 && strings.Contains(ext.texts[1], "nadgrids=@null") {
		s.method = webMercator
	}
	for _, p := range conv.nodes {
		if p.keyword == "PARAMETER" {
			s.takeParameter(p, angular)
		}
	}
	s.lon0 += s.meridian
	return s, s.complete()
}

func (s *system) takeMethod(name string) bool {
	switch f := fold(name); {
	case strings.HasPrefix(f, "lambertconformalconic"), strings.HasPrefix(f, "lambertconicconformal"):
		s.method = conic
	case f == "transversemercator", f == "gausskruger", f == "universaltransversemercator":
		s.method = transverse
	case f == "mercatorauxiliarysphere", f == "popularvisualisationpseudomercator", f == "mercator1sp", f == "mercator":
		s.method = webMercator
	case strings.HasPrefix(f, "lambertazimuthalequalarea"):
		s.method = equalArea
	default:
		return false
	}
	return true
}

// takeParameter reads one parameter; angles are in the unit that stands with
// them (WKT2), else in that of the geographic system.
func (s *system) takeParameter(p *node, angular float64) {
	v := p.number(0, 0)
	a := v * angular
	if u := p.child("ANGLEUNIT"); u != nil {
		a = v * angle(u)
	}
	length := v * s.unit
	if u := p.child("LENGTHUNIT"); u != nil {
		length = v * u.number(0, 1)
	}
	switch fold(p.name()) {
	case "latitudeoforigin", "latitudeofnaturalorigin", "latitudeoffalseorigin", "latitudeofcenter", "latitudeofprojectioncentre", "latitudeofprojectioncenter":
		s.lat0 = a
	case "centralmeridian", "longitudeofnaturalorigin", "longitudeoffalseorigin", "longitudeofcenter", "longitudeoforigin", "longitudeofprojectioncentre":
		s.lon0 = a
	case "standardparallel1", "latitudeof1ststandardparallel":
		s.sp1 = a
	case "standardparallel2", "latitudeof2ndstandardparallel":
		s.sp2 = a
	case "scalefactor", "scalefactoratnaturalorigin":
		s.k0 = v
	case "falseeasting", "eastingatfalseorigin":
		s.fe = length
	case "falsenorthing", "northingatfalseorigin":
		s.fn = length
	}
}

// complete fills what dialects leave out: one parallel at the origin, the
// origin at the equator.
func (s *system) complete() bool {
	if s.method == conic {
		switch {
		case math.IsNaN(s.sp1) && math.IsNaN(s.lat0):
			return false
		case math.IsNaN(s.sp1):
			s.sp1, s.sp2 = s.lat0, s.lat0
		case math.IsNaN(s.sp2):
			s.sp2 = s.sp1
		}
		if math.IsNaN(s.lat0) {
			s.lat0 = s.sp1
		}
	}
	if math.IsNaN(s.lat0) {
		s.lat0 = 0
	}
	return true
}

// parseProjString reads "+proj=lcc +lat_1=49 …"; false when it is none.
func parseProjString(str string) (system, bool) {
	if !strings.Contains(str, "proj=") || strings.ContainsAny(str, "[<{") {
		return system{}, false
	}
	p := map[string]string{}
	for _, w := range strings.Fields(str) {
		k, v, _ := strings.Cut(strings.TrimPrefix(w, "+"), "=")
		p[k] = v
	}
	num := func(k string, none float64) float64 {
		if v, err := strconv.ParseFloat(p[k], 64); err == nil {
			return v
		}
		return none
	}
	s := system{
		k0: num("k_0", num("k", 1)), lat0: num("lat_0", math.NaN()), lon0: num("lon_0", 0), sp1: num("lat_1", math.NaN()),
		sp2: num("lat_2", math.NaN()), fe: num("x_0", 0), fn: num("y_0", 0), unit: num("to_meter", 1),
	}
	s.takeEllipsoid(p, num)
	switch p["proj"] {
	case "longlat", "latlong", "lonlat", "latlon":
		s.method, s.unit = geographic, 1
		return s, true
	case "lcc":
		s.method = conic
	case "tmerc", "etmerc":
		s.method = transverse
	case "utm":
		s.method, s.k0, s.fe, s.lat0 = transverse, 0.9996, 500000, 0
		s.lon0 = 6*num("zone", 0) - 183
		if _, south := p["south"]; south {
			s.fn = 10000000
		}
	case "merc":
		s.method = webMercator
	case "laea":
		s.method = equalArea
	default:
		return s, false
	}
	s.lon0 += s.meridian
	return s, s.complete()
}

func (s *system) takeEllipsoid(p map[string]string, num func(string, float64) float64) {
	switch p["ellps"] {
	case "GRS80":
		s.a, s.rf = grs80A, grs80RF
	case "WGS84":
		s.a, s.rf = wgs84A, wgs84RF
	case "clrk80ign", "clrk80":
		s.a, s.rf, s.datum = clarkeA, clarkeRF, ntf
	case "intl":
		s.a, s.rf = intlA, intlRF
	}
	if p["datum"] == "WGS84" {
		s.a, s.rf, s.datum = wgs84A, wgs84RF, wgs84
	}
	s.a = num("a", s.a)
	s.rf = num("rf", s.rf)
	if p["pm"] == "paris" {
		s.meridian = paris
	} else {
		s.meridian = meridian(num("pm", 0))
	}
}
