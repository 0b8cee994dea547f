package match

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// A drawing is a small plane of records and objects, in metres; the test
// places it at the equator, where a metre is a unit of EPSG:3857.
type drawing struct {
	recs    []record
	objects []object
}

func (d *drawing) rec(key, name string, x, y float64) *drawing {
	d.recs = append(d.recs, record{id: int64(len(d.recs) + 1), key: key, name: name, x: x, y: y, values: map[string]string{"nom": name}})
	return d
}

func (d *drawing) obj(key, name string, x, y float64) *drawing {
	o := object{key: key, x: x, y: y, tags: map[string]string{}, inside: true}
	if name != "" {
		o.tags["name"], o.names = name, []string{name}
	}
	d.objects = append(d.objects, o)
	return d
}

func (d *drawing) decide(rule Rule) map[string]string {
	if err := rule.Check(); err != nil {
		panic(err)
	}
	var pairs []pair
	for i, r := range d.recs {
		for j, o := range d.objects {
			if m := metresBetween(r.x, r.y, o.x, o.y); m <= rule.Distance.Max {
				pairs = append(pairs, pair{rec: i, obj: j, metres: m})
			}
		}
	}
	rand.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	got := map[string]string{}
	for _, o := range newModel(&rule, d.objects).decideAll(d.recs, pairs) {
		key, partner := "", ""
		if o.record >= 0 {
			key = d.recs[o.record].key
		}
		if o.object >= 0 {
			partner = d.objects[o.object].key
		}
		if o.record < 0 {
			key, partner = partner, ""
		}
		got[key] = string(o.kind) + " " + partner
	}
	return got
}

var fountains = Rule{Layer: "l", Theme: "t", Name: "nom", Distance: Distance{Max: 300, Moved: 30}}

func TestDecide(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		draw drawing
		want map[string]string
	}{
		"same name, near": {
			*(&drawing{}).rec("a", "St Ours", 0, 0).obj("n1", "Saint-Ours", 13, 0),
			map[string]string{"a": "identical n1"},
		},
		"name differs, same place": {
			*(&drawing{}).rec("a", "Fontaine de la place aux Herbes", 0, 0).obj("n1", "Fontaine de la place du Marché", 8, 0),
			map[string]string{"a": "attributes_differ n1"},
		},
		"moved": {
			*(&drawing{}).rec("a", "Chapelle Notre-Dame-de-Beauvoir", 0, 0).obj("n1", "Notre-Dame-de-Beauvoir", 120, 0),
			map[string]string{"a": "moved n1"},
		},
		"nothing there": {
			*(&drawing{}).rec("a", "Fontaine haute", 0, 0).obj("n1", "Lavoir", 2000, 0),
			map[string]string{"a": "only_open_data ", "n1": "only_osm "},
		},
		"one object, two records: the nearer has it": {
			*(&drawing{}).rec("a", "", 0, 0).rec("b", "", 90, 0).obj("n1", "", 4, 0),
			map[string]string{"a": "identical n1", "b": "only_open_data "},
		},
		"the name decides against the distance": {
			*(&drawing{}).rec("a", "Fontaine des Cigales", 0, 0).rec("b", "Fontaine des Pins", 40, 0).obj("n1", "Fontaine des Pins", 5, 0).obj("n2", "Fontaine des Cigales", 38, 0),
			map[string]string{"a": "moved n2", "b": "moved n1"},
		},
		"two equal candidates": {
			*(&drawing{}).rec("a", "", 0, 0).obj("n1", "", 20, 0).obj("n2", "", -21, 0),
			map[string]string{"a": "ambiguous "},
		},
		"delivered twice": {
			*(&drawing{}).rec("a", "Fontaine des Pins", 0, 0).rec("b", "Fontaine des Pins", 6, 0).obj("n1", "Fontaine des Pins", 1, 0),
			map[string]string{"a": "identical n1", "b": "duplicate_open_data "},
		},
		"mapped twice": {
			*(&drawing{}).rec("a", "Fontaine des Pins", 0, 0).obj("n1", "Fontaine des Pins", 1, 0).obj("n2", "Fontaine des Pins", 6, 0),
			map[string]string{"a": "identical n1", "n2": "duplicate_osm "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := c.draw.decide(fountains)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestShuffle is the promise that the order of the input changes nothing, and
// that every record has exactly one outcome.
func TestShuffle(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		d := scatter(seed)
		want := d.decide(fountains)
		if len(want) < len(d.recs) {
			t.Fatalf("seed %d: %d outcomes for %d records", seed, len(want), len(d.recs))
		}
		r := rand.New(rand.NewPCG(seed, 1))
		r.Shuffle(len(d.recs), func(i, j int) { d.recs[i], d.recs[j] = d.recs[j], d.recs[i] })
		r.Shuffle(len(d.objects), func(i, j int) { d.objects[i], d.objects[j] = d.objects[j], d.objects[i] })
		if got := d.decide(fountains); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("seed %d: shuffled input gives other outcomes", seed)
		}
	}
}

// TestOneToOne is the promise that no object answers for two records.
func TestOneToOne(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		d := scatter(seed)
		var taken []string
		for _, v := range d.decide(fountains) {
			var kind, obj string
			if n, _ := fmt.Sscan(v, &kind, &obj); n == 2 {
				taken = append(taken, obj)
			}
		}
		slices.Sort(taken)
		if n := len(taken); len(slices.Compact(taken)) != n {
			t.Errorf("seed %d: an object is given twice", seed)
		}
	}
}

func scatter(seed uint64) *drawing {
	r := rand.New(rand.NewPCG(seed, 0))
	names := []string{"", "", "Fontaine des Pins", "Fontaine du Port", "Lavoir", "St Jean", "Saint-Jean"}
	d := &drawing{}
	for i := range 60 {
		x, y := r.Float64()*1500, r.Float64()*1500
		d.rec(fmt.Sprintf("r%02d", i), names[r.IntN(len(names))], x, y)
		if r.Float64() < 0.7 {
			d.obj(fmt.Sprintf("n%d", 100+i), names[r.IntN(len(names))], x+r.NormFloat64()*30, y+r.NormFloat64()*30)
		}
	}
	return d
}
