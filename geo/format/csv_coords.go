package format

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"calanque/geo"
)

// A placing is how the rows of a CSV file say where they are.
type placing struct {
	kind placingKind
	x, y int // columns; x alone for one column
	srid geo.SRID
	swap bool // of a pair in one column: latitude first
}

type placingKind uint8

const (
	noPlace placingKind = iota
	twoColumns
	pairColumn
	wktColumn
	jsonColumnPlace
	hexColumn
)

// foldTitle takes accents, case and signs away: "Code INSEE" is "codeinsee".
func foldTitle(s string) string { return strings.Join(titleWords(s), "") }

// titleWords parts a column title into folded words: "LATITUDE (WGS84)" is
// latitude, wgs84.
func titleWords(s string) []string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Mn, r):
			return -1
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			return unicode.ToLower(r)
		}
		return ' '
	}, norm.NFD.String(s))
	return strings.Fields(s)
}

// An axisRole is what a title says about a coordinate column.
type axisRole struct {
	axis    byte // 'x' or 'y', 0 for neither
	degrees bool
	srid    geo.SRID
	rest    string // the other words: they tell pairs apart
}

var axisWords = map[string]axisRole{
	"lon": {axis: 'x', degrees: true}, "long": {axis: 'x', degrees: true}, "longitude": {axis: 'x', degrees: true}, "lng": {axis: 'x', degrees: true},
	"xlon": {axis: 'x', degrees: true}, "xlong": {axis: 'x', degrees: true}, "geolon": {axis: 'x', degrees: true}, "lat": {axis: 'y', degrees: true},
	"latitude": {axis: 'y', degrees: true}, "ylat": {axis: 'y', degrees: true}, "geolat": {axis: 'y', degrees: true}, "xlongitude": {axis: 'x', degrees: true}, "ylatitude": {axis: 'y', degrees: true},
	"x": {axis: 'x'}, "coordx": {axis: 'x'}, "xcoord": {axis: 'x'}, "coordonneex": {axis: 'x'}, "coordonneesx": {axis: 'x'}, "easting": {axis: 'x'}, "pointx": {axis: 'x'}, "posx": {axis: 'x'}, "xcentroid": {axis: 'x'},
	"y": {axis: 'y'}, "coordy": {axis: 'y'}, "ycoord": {axis: 'y'}, "coordonneey": {axis: 'y'}, "coordonneesy": {axis: 'y'}, "northing": {axis: 'y'}, "pointy": {axis: 'y'}, "posy": {axis: 'y'}, "ycentroid": {axis: 'y'},
}

// systemWords are names of systems as titles carry them.
var systemWords = func() map[string]geo.SRID {
	m := map[string]geo.SRID{
		"l93": 2154, "lambert93": 2154, "lamb93": 2154, "rgf93": 2154, "lam93": 2154, "93": 2154, "epsg2154": 2154, "2154": 2154,
		"l2e": 27572, "lambert2e": 27572, "lambertiie": 27572, "lambert2": 27572, "lambertii": 27572, "lambert2etendu": 27572, "lii": 27572,
		"wgs84": 4326, "wgs": 4326, "gps": 4326, "4326": 4326, "epsg4326": 4326, "84": 4326,
	}
	for i := range 9 {
		m[fmt.Sprintf("cc%d", 42+i)] = geo.SRID(3942 + i)
	}
	return m
}()

// roleOf reads a title.
func roleOf(title string) axisRole {
	var out axisRole
	var rest []string
	for _, w := range titleWords(title) {
		if r, ok := axisWords[w]; ok && out.axis == 0 {
			out.axis, out.degrees = r.axis, r.degrees
			continue
		}
		if srid, ok := systemWords[w]; ok {
			out.srid = srid
			continue
		}
		if len(w) > 2 && (w[0] == 'x' || w[0] == 'y') && out.axis == 0 { // xl93, ylambert93
			if srid, ok := systemWords[w[1:]]; ok {
				out.axis, out.srid = w[0], srid
				continue
			}
		}
		if w == "lambert" || w == "etendu" {
			if out.srid == 0 && w == "lambert" {
				out.srid = geo.Lambert93
			}
			continue
		}
		rest = append(rest, w)
	}
	out.rest = strings.Join(rest, " ")
	if out.degrees || out.srid == geo.WGS84 {
		out.degrees, out.srid = true, geo.WGS84
	}
	return out
}

// place decides where the coordinates are: as a person says, else a geometry
// column, else two columns by their titles, else one column with pairs, else
// two columns by their values.
func (s *csvSource) place(o Options) error {
	switch {
	case o.Geometry != "":
		i, err := s.columnNamed(o.Geometry)
		if err != nil {
			return err
		}
		s.placing = s.columnPlace(i)
		if s.placing.kind == noPlace {
			return geo.Bad(nil, "csv.geometry-column", "field", s.layer.Columns[i].Title)
		}
		return nil
	case o.X != "" || o.Y != "":
		x, err := s.columnNamed(o.X)
		if err != nil {
			return err
		}
		y, err := s.columnNamed(o.Y)
		if err != nil {
			return err
		}
		s.placing = placing{kind: twoColumns, x: x, y: y, srid: pairSystem(roleOf(s.layer.Columns[x].Title), roleOf(s.layer.Columns[y].Title))}
		return nil
	}
	s.placing = s.guessPlace()
	return nil
}

func (s *csvSource) columnNamed(title string) (int, error) {
	titles := make([]string, len(s.layer.Columns))
	for i, c := range s.layer.Columns {
		if c.Title == title {
			return i, nil
		}
		titles[i] = c.Title
	}
	for i, c := range titles {
		if foldTitle(c) == foldTitle(title) {
			return i, nil
		}
	}
	return 0, geo.Bad(nil, "option.column", "field", title, "fields", clip(strings.Join(titles, ", "), 300))
}

func (s *csvSource) guessPlace() placing {
	for i := range s.layer.Columns {
		if p := s.columnPlace(i); p.kind == wktColumn || p.kind == jsonColumnPlace || p.kind == hexColumn {
			return p
		}
	}
	if p, ok := s.pairByTitle(); ok {
		return p
	}
	for i := range s.layer.Columns {
		if p := s.columnPlace(i); p.kind == pairColumn {
			return p
		}
	}
	return s.pairByValue()
}

// pairByTitle finds the x and y columns whose other words agree; degrees come
// before named systems, those before bare x and y.
func (s *csvSource) pairByTitle() (placing, bool) {
	roles := make([]axisRole, len(s.layer.Columns))
	for i, c := range s.layer.Columns {
		roles[i] = roleOf(c.Title)
	}
	best, found := placing{}, -1
	for i, x := range roles {
		if x.axis != 'x' || !s.numericColumn(i) {
			continue
		}
		for j, y := range roles {
			if y.axis != 'y' || y.rest != x.rest || x.degrees != y.degrees || !s.numericColumn(j) {
				continue
			}
			srid := pairSystem(x, y)
			rank := 1
			if srid != 0 {
				rank = 2
			}
			if x.degrees {
				rank = 3
			}
			if rank > found {
				best, found = placing{kind: twoColumns, x: i, y: j, srid: srid}, rank
			}
		}
	}
	return best, found > 0
}

func pairSystem(x, y axisRole) geo.SRID {
	if x.srid != 0 {
		return x.srid
	}
	return y.srid
}

// pairByValue finds neighbouring columns whose sampled values are places in
// or near metropolitan France, in degrees with decimals or in Lambert-93.
func (s *csvSource) pairByValue() placing {
	for i := 0; i+1 < len(s.layer.Columns); i++ {
		a, b := s.rangeOf(i), s.rangeOf(i+1)
		switch {
		case a.places(lonRange) && b.places(latRange) && a.decimals && b.decimals:
			return placing{kind: twoColumns, x: i, y: i + 1, srid: geo.WGS84}
		case a.places(latRange) && b.places(lonRange) && a.decimals && b.decimals:
			return placing{kind: twoColumns, x: i + 1, y: i, srid: geo.WGS84}
		case a.places(l93x) && b.places(l93y):
			return placing{kind: twoColumns, x: i, y: i + 1, srid: geo.Lambert93}
		}
	}
	return placing{}
}

// A valueRange is what the sampled values of a column span.
type valueRange struct {
	filled   int
	values   []float64
	decimals bool // three or more after the point, mostly
}

var (
	lonRange = [2]float64{-5.5, 10}
	latRange = [2]float64{41, 51.6}
	l93x     = [2]float64{99000, 1243000}
	l93y     = [2]float64{6046000, 7112000}
)

// places reports whether all values are numbers and all but a few strays lie in
// the range.
func (v valueRange) places(r [2]float64) bool {
	in := 0
	for _, f := range v.values {
		if f >= r[0] && f <= r[1] {
			in++
		}
	}
	return len(v.values) >= 2 && len(v.values) == v.filled && in*50 >= len(v.values)*49
}

func (s *csvSource) rangeOf(i int) valueRange {
	v := valueRange{}
	long := 0
	for _, row := range s.sample {
		if i >= len(row) || blankCell(row[i]) {
			continue
		}
		v.filled++
		f, ok := ParseNumber(row[i])
		if !ok {
			continue
		}
		v.values = append(v.values, f)
		if k := strings.IndexAny(row[i], ".,"); k >= 0 && len(strings.TrimSpace(row[i]))-k > 3 {
			long++
		}
	}
	v.decimals = long > len(v.values)/2
	return v
}

// blankCell reports whether a cell holds no value: nothing, \N, or signs alone.
func blankCell(c string) bool { return c == `\N` || !strings.ContainsFunc(c, isAlphanumeric) }

// numericColumn reports whether at least half of the sampled values are numbers:
// where the title says coordinates, the rest are words for "unknown".
func (s *csvSource) numericColumn(i int) bool {
	v := s.rangeOf(i)
	return v.filled == 0 || len(v.values)*2 >= v.filled
}

// columnPlace tells whether the column holds geometries or pairs of coordinates.
func (s *csvSource) columnPlace(i int) placing {
	filled, wkt, js, hex, pairs, latFirst, lonFirst := 0, 0, 0, 0, 0, 0, 0
	for _, row := range s.sample {
		if i >= len(row) || blankCell(row[i]) {
			continue
		}
		filled++
		c := strings.TrimSpace(row[i])
		switch {
		case looksWKT(c):
			wkt++
		case strings.HasPrefix(c, "{") && strings.Contains(c, `"coordinates"`):
			js++
		case looksHexWKB(c):
			hex++
		default:
			if a, b, ok := parsePair(c); ok {
				pairs++
				if a >= latRange[0] && a <= latRange[1] && b >= lonRange[0] && b <= lonRange[1] {
					latFirst++
				} else if b >= latRange[0] && b <= latRange[1] && a >= lonRange[0] && a <= lonRange[1] {
					lonFirst++
				}
			}
		}
	}
	most := func(n int) bool { return filled > 0 && n*10 >= filled*9 }
	switch {
	case most(wkt):
		return placing{kind: wktColumn, x: i}
	case most(js):
		return placing{kind: jsonColumnPlace, x: i, srid: geo.WGS84}
	case most(hex):
		return placing{kind: hexColumn, x: i}
	case most(pairs) && most(latFirst):
		return placing{kind: pairColumn, x: i, swap: true, srid: geo.WGS84}
	case most(pairs) && most(lonFirst):
		return placing{kind: pairColumn, x: i, srid: geo.WGS84}
	case most(pairs) && pairTitle(s.layer.Columns[i].Title):
		return placing{kind: pairColumn, x: i, swap: strings.Contains(foldTitle(s.layer.Columns[i].Title), "lat")}
	}
	return placing{}
}

func pairTitle(t string) bool {
	f := foldTitle(t)
	for _, w := range []string{"geopoint", "latlon", "lonlat", "latlng", "coord", "position", "wgs84", "gps", "localisation", "geoloc"} {
		if strings.Contains(f, w) {
			return true
		}
	}
	return false
}

// parsePair reads "43.29, 5.37", "43,29 5,37", "43,29;5,37" or either in
// brackets.
func parsePair(s string) (a, b float64, ok bool) {
	s = strings.Trim(s, "()[]{} \u00a0")
	if len(s) < 3 || len(s) > 60 || !strings.ContainsFunc(s, unicode.IsDigit) {
		return 0, 0, false
	}
	for _, sep := range []string{";", "|", "/", ", ", " ", ","} {
		if strings.Count(s, sep) != 1 {
			continue
		}
		l, r, _ := strings.Cut(s, sep)
		a, ok1 := parseFloat([]byte(strings.TrimSpace(l)))
		b, ok2 := parseFloat([]byte(strings.TrimSpace(r)))
		if ok1 && ok2 {
			return a, b, true
		}
	}
	return 0, 0, false
}
