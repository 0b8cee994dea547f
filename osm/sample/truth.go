package sample

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Metres that make a difference of place worth a word, in the rules that
// compare the two datasets with OpenStreetMap. The truth uses them too.
const (
	waterMoved    = 30.0
	facilityMoved = 60.0
	farDistance   = 1000.0
)

// A Truth is what is really so of one record, or of one object that no record
// stands for.
type Truth struct {
	Dataset    string   // "points-eau" or "equipements-publics"
	Side       string   // "record" or "osm"
	Key        string   // the record's key, or the object's id
	Kind       string   // outcome that a perfect matcher would give
	OSM        []string // objects that truly are this place, the main one first
	Candidates []string // objects that could as well be meant (ambiguous)
	Fields     []string // fields on which the two sides contradict each other
	Richer     []string // fields that only the record fills
	Distance   float64  // metres between record and main object, NaN without
	Place      string   // the same for all views of one place
	Noise      []string // what was done to the record
}

// judge compares every record with the objects of its place.
func judge(dataset string, places []*place, records []*record, moved float64) []Truth {
	var out []Truth
	for _, rec := range records {
		out = append(out, rec.judge(dataset, moved))
	}
	covered := map[*commune]bool{}
	byPlace := map[*place]bool{}
	for _, rec := range records {
		covered[rec.place.c] = true
		byPlace[rec.place] = true
	}
	var rest []Truth
	for _, p := range places {
		for i, o := range p.objects {
			t := Truth{Dataset: dataset, Side: "osm", Key: o.key(), Distance: math.NaN(), Place: p.id(dataset)}
			switch {
			case i > 0:
				t.Kind, t.OSM = "duplicate_osm", []string{p.objects[0].key()}
			case byPlace[p] || o.closed:
				continue
			case !covered[p.c]:
				t.Kind = "out_of_territory"
			default:
				t.Kind = "only_osm"
			}
			rest = append(rest, t)
		}
		if p.nearby != nil {
			rest = append(rest, Truth{Dataset: dataset, Side: "osm", Key: p.nearby.key(), Kind: "ambiguous", Distance: math.NaN(), Place: p.id(dataset) + "b"})
		}
	}
	slices.SortFunc(rest, func(a, b Truth) int { return strings.Compare(a.Key, b.Key) })
	return append(out, rest...)
}

func (p *place) id(dataset string) string { return fmt.Sprintf("%c%d", dataset[0], p.number) }

func (rec *record) judge(dataset string, moved float64) Truth {
	p := rec.place
	t := Truth{Dataset: dataset, Side: "record", Key: rec.key, Distance: math.NaN(), Place: p.id(dataset), Noise: rec.noise}
	for _, o := range p.objects {
		t.OSM = append(t.OSM, o.key())
	}
	if len(p.objects) == 0 {
		t.Kind = "only_open_data"
		if !rec.located {
			t.Kind = "out_of_scope"
		}
		return t
	}
	o := p.objects[0]
	if rec.located {
		t.Distance = math.Round(dist(rec.at.lambert(), o.at().lambert())*10) / 10
	}
	t.Fields, t.Richer = rec.compare(o)
	switch {
	case !rec.located:
		t.Kind = "out_of_scope"
	case o.closed:
		t.Kind = "closed_in_osm"
	case rec.second:
		t.Kind = "duplicate_open_data"
	case p.nearby != nil:
		t.Kind = "ambiguous"
		t.Candidates = []string{o.key(), p.nearby.key()}
		slices.Sort(t.Candidates)
	case t.Distance > farDistance:
		t.Kind = "far_reference"
	case len(t.Fields) > 0:
		t.Kind = "attributes_differ"
	case t.Distance > moved:
		t.Kind = "moved"
	default:
		t.Kind = "identical"
	}
	return t
}

// compare tells on which of the partner's fields the two contradict each
// other, and which the map lacks.
func (rec *record) compare(o *object) (differ, richer []string) {
	p, t := rec.place, *o.tags()
	name := t.get("name")
	add := func(field string, ours, theirs string, same bool) {
		switch {
		case ours == "":
		case theirs == "":
			richer = append(richer, field)
		case !same:
			differ = append(differ, field)
		}
	}
	add("NOM", rec.name, name, (p.quarrel != otherName && p.quarrel != misspelt) || o.mended)
	if p.water() {
		theirs := t.get("drinking_water")
		add("POTABLE", rec.potable, theirs, (theirs == "yes") == (rec.potable == "O"))
		return differ, richer
	}
	phone := t.get("phone") + t.get("contact:phone")
	add("TELEPHONE", rec.phone, phone, lastDigits(rec.phone) == lastDigits(phone))
	capacity := t.get("capacity")
	ours := ""
	if n := rec.capacity(); n > 0 {
		ours = strconv.Itoa(n)
	}
	add("CAPACITE", ours, capacity, ours == capacity)
	site := t.get("website")
	add("SITE_WEB", p.website, site, p.website == site)
	return differ, richer
}

// capacity is what the partner counts.
func (rec *record) capacity() int {
	if rec.place.quarrel == otherCapacity {
		return rec.place.capacity + 30
	}
	return rec.place.capacity
}

func lastDigits(phone string) string {
	var b strings.Builder
	for _, r := range phone {
		if r >= '0' && r <= '9' {
			b.WriteRune(r)
		}
	}
	s := b.String()
	return s[max(0, len(s)-9):]
}

var truthColumns = []string{"dataset", "side", "key", "kind", "osm", "candidates", "fields", "richer", "distance_m", "place", "noise"}

// truthCSV writes the table; lists are joined by a bar.
func truthCSV(list []Truth) []byte {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{truthColumns}
	for _, t := range list {
		d := ""
		if !math.IsNaN(t.Distance) {
			d = strconv.FormatFloat(t.Distance, 'f', 1, 64)
		}
		rows = append(rows, []string{
			t.Dataset, t.Side, t.Key, t.Kind, strings.Join(t.OSM, "|"), strings.Join(t.Candidates, "|"),
			strings.Join(t.Fields, "|"), strings.Join(t.Richer, "|"), d, t.Place, strings.Join(t.Noise, "|"),
		})
	}
	if err := w.WriteAll(rows); err != nil {
		panic(err) // a bytes.Buffer does not fail
	}
	return b.Bytes()
}
