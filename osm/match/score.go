package match

import (
	"math"
	"slices"
	"strings"
)

// A record is one row of the layer, as far as the rule reads it.
type record struct {
	id       int64 // of table record
	key      string
	x, y     float64 // EPSG:3857; NaN without geometry
	name     string
	category string
	ref      string
	values   map[string]string
}

func (r *record) placed() bool { return !math.IsNaN(r.x) }

// An object is one object of the theme.
type object struct {
	key    string // "n123"
	x, y   float64
	names  []string // of all name-like tags, name first
	ref    string
	tags   map[string]string
	closed string // lifecycle prefix that says it is no more: "disused"
	inside bool   // of the territory
}

// A pair is a record and an object near it.
type pair struct {
	rec, obj int     // indices
	metres   float64 // 0 inside an area
	level    nameLevel
	which    string // the object's name that compared best
	sameRef  bool
	misfit   bool    // the object is not of the record's category
	bits     float64 // log2 of the odds that they are one place
}

// The model's constants. They are set by hand, in bits; cross-reference.md B1
// shows on labelled data that such levels come within a few points of learnt
// ones. A later package learns them per theme.
const (
	prior      = 1.2               // log2 odds that a record has its object in OSM: about 0.7
	refBits    = 20                // the same reference decides
	misfitBits = -7.5              // another category: only its very name makes it the same place
	sharedBits = 5                 // the same telephone or web address
	decide     = 0.5               // at least so many bits make a match
	doubtful   = -1.5              // below it is no match; between the two a person decides
	margin     = 2.0               // a match is so much better than the next best
	floorArea  = 1.0 / (200 * 200) // objects per m² at the least: one every 200 m
)

// spread is how far apart two descriptions of one place lie: a mixture of
// surveyed, digitised and address-geocoded points (σ in metres, share).
var spread = []struct{ sigma, share float64 }{{6, 0.40}, {20, 0.33}, {60, 0.19}, {150, 0.08}}

// density is the probability per m² that the object of a record lies at a
// given distance: the mixture of two-dimensional normal laws.
func density(metres float64) float64 {
	p := 0.0
	for _, s := range spread {
		p += s.share / (2 * math.Pi * s.sigma * s.sigma) * math.Exp(-metres*metres/(2*s.sigma*s.sigma))
	}
	return p
}

// nameBits is what a level of name agreement is worth, before rarity.
func nameBits(l nameLevel, frequency float64) float64 {
	switch l {
	case nameExact, nameNormalised:
		// u is how often a name agrees by chance: its share of the objects.
		return min(10, math.Log2(0.55/max(frequency, 1e-4)))
	case nameSimilar:
		return min(7, math.Log2(0.20/max(frequency, 0.004)))
	case namePartial:
		return 0.5
	case nameDifferent:
		return -4.5
	}
	return 0
}

// A model scores pairs of one rule against all objects of its theme.
type model struct {
	rule    *Rule
	objects []object
	grid    map[[2]int][]int   // objects by cell, for the local density
	share   map[string]float64 // of the objects that carry a name, by normalised name
}

// strangers is how many objects of other names are supposed beside the known
// ones, so that in a small theme a name is not taken for a common one.
const strangers = 30

// around is how far, in metres, the density of a theme is looked at.
const around = 400

func newModel(rule *Rule, objects []object) *model {
	m := &model{rule: rule, objects: objects, grid: map[[2]int][]int{}, share: map[string]float64{}}
	for i, o := range objects {
		c := cell(o.x, o.y)
		m.grid[c] = append(m.grid[c], i)
		for _, n := range o.names {
			m.share[normalise(n).text] += 1 / float64(len(objects)+strangers)
		}
	}
	return m
}

// cell is the square of EPSG:3857 that a place is in; up to 51° north its
// neighbours hold all that lies around.
func cell(x, y float64) [2]int {
	const side = around * 1.6
	return [2]int{int(math.Floor(x / side)), int(math.Floor(y / side))}
}

// groundScale is how many metres on the ground a unit of EPSG:3857 is at a
// northing: the cosine of the latitude.
func groundScale(y float64) float64 { return 1 / math.Cosh(y/6378137) }

// metresBetween is the distance on the ground between two places of EPSG:3857,
// good to 0.3 % at the distances of matching.
func metresBetween(x0, y0, x1, y1 float64) float64 {
	return math.Hypot(x1-x0, y1-y0) * groundScale(y0)
}

// crowd is the number of fitting objects per m² around a record that count,
// the floor
// included: a lone object is still no proof.
func (m *model) crowd(r *record, counts func(object int) bool) float64 {
	c := cell(r.x, r.y)
	n := 0
	for dx := -1; dx <= 1; dx++ {
		for dy := -1; dy <= 1; dy++ {
			for _, i := range m.grid[[2]int{c[0] + dx, c[1] + dy}] {
				o := &m.objects[i]
				if fits, _ := m.rule.fits(r.category, o.tags); !fits || !counts(i) {
					continue
				}
				if metresBetween(r.x, r.y, o.x, o.y) <= around {
					n++
				}
			}
		}
	}
	local := float64(n) / (math.Pi * around * around)
	return max(local, floorArea/8)
}

func anyObject(int) bool { return true }

// score sets the pair's evidence.
func (m *model) score(p *pair, r *record) {
	o := &m.objects[p.obj]
	p.level, p.which = compareNames(r.name, o.names)
	p.sameRef = r.ref != "" && strings.EqualFold(r.ref, o.ref)
	p.bits = prior + nameBits(p.level, m.share[normalise(p.which).text])
	if p.sameRef {
		p.bits += refBits // wherever it lies
	} else {
		p.bits += math.Log2(density(p.metres)/m.crowd(r, anyObject) + 1e-9)
		if r.ref != "" && o.ref != "" {
			p.bits -= refBits / 2
		}
	}
	if o.closed != "" {
		p.bits -= 0.5 // an open one is preferred to one that was
	}
	if p.misfit {
		p.bits += misfitBits
	}
	for _, a := range m.rule.Attributes {
		if a.Type != Phone && a.Type != URL {
			continue
		}
		if v := a.compare(r.values[a.Field], a.theirs(o.tags)); v == equal || v == equivalent {
			p.bits += sharedBits
		}
	}
}

// rank orders pairs: the best first, ties by distance and then by keys, so
// that the order of the input changes nothing.
func (m *model) rank(pairs []*pair, recs []record) {
	slices.SortFunc(pairs, func(a, b *pair) int {
		switch {
		case a.bits != b.bits:
			return sign(b.bits - a.bits)
		case a.metres != b.metres:
			return sign(a.metres - b.metres)
		case a.rec != b.rec:
			return strings.Compare(recs[a.rec].key, recs[b.rec].key)
		}
		return strings.Compare(m.objects[a.obj].key, m.objects[b.obj].key)
	})
}

func sign(x float64) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}
