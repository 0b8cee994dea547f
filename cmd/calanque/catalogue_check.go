package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"calanque/geo"
	"calanque/geo/catalogue"
)

// check says what is wrong with a catalogue that is well formed: references
// that lead nowhere, names used twice. known tells what exists outside the
// file.
func (c *catalogueFile) check(where locator, known known) error {
	licences, producers := known.licences, known.producers
	if known.topics == nil {
		known.topics = builtTopics()
	}
	for i, l := range c.Licences {
		if l.ID == "" || l.Title.In("fr") == "" {
			return where.bad("catalogue.incomplete", "licences", i, "id", "section", "licences", "wants", "id, title, class")
		}
		switch l.Class {
		case geo.Green, geo.GreenODbL, geo.Orange, geo.Red:
		default:
			return where.bad("catalogue.licence-class", "licences", i, "class", "licence", l.ID, "class", string(l.Class))
		}
		licences[l.ID] = true
	}
	for i, p := range c.Producers {
		if p.ID == "" || p.Title.In("fr") == "" {
			return where.bad("catalogue.incomplete", "producers", i, "id", "section", "producers", "wants", "id, title")
		}
		producers[p.ID] = true
	}
	for i := range c.Producers {
		p := c.Producers[i].described()
		if err := first(where, "producers", i, catalogue.CheckProducer(&p)); err != nil {
			return err
		}
	}
	if r := c.Region; r != nil && (len(r.Box) != 4 || r.Box[0] >= r.Box[2] || r.Box[1] >= r.Box[3]) {
		return where.bad("catalogue.region", "region", 0, "box")
	}
	seen := map[string]bool{}
	for i, e := range c.ERICs {
		if seen[e.ID] {
			return where.bad("catalogue.twice", "erics", i, "id", "name", e.ID)
		}
		seen[e.ID] = true
	}
	clear(seen)
	for i := range c.Datasets {
		d := &c.Datasets[i]
		if err := d.check(where, i, known); err != nil {
			return err
		}
		if seen[d.ID] {
			return where.bad("catalogue.twice", "datasets", i, "id", "name", d.ID)
		}
		seen[d.ID] = true
	}
	return nil
}

func (d *datasetSection) check(where locator, i int, known known) error {
	licences, producers := known.licences, known.producers
	switch {
	case d.ID == "" || d.Title.In("fr") == "" || d.Producer == "" || d.Licence == "":
		return where.bad("catalogue.incomplete", "datasets", i, "id", "section", "datasets", "wants", "id, title (fr), producer, licence")
	case !producers[d.Producer]:
		return where.bad("catalogue.no-producer", "datasets", i, "producer", "dataset", d.ID, "producer", d.Producer, "nearest", nearest(d.Producer, producers))
	case !licences[d.Licence]:
		return where.bad("catalogue.no-licence", "datasets", i, "licence", "dataset", d.ID, "licence", d.Licence, "nearest", nearest(d.Licence, licences))
	case d.Series != nil && (d.Series.Time == "" || len(d.Key) == 0):
		return where.bad("catalogue.series", "datasets", i, "series", "dataset", d.ID)
	case d.Source != nil && d.Source.Path == "":
		return where.bad("catalogue.source", "datasets", i, "source", "dataset", d.ID)
	}
	if _, known := schedules[d.Schedule]; d.Schedule != "" && (!known || d.Source == nil) {
		return where.bad("catalogue.schedule", "datasets", i, "schedule", "dataset", d.ID, "value", d.Schedule)
	}
	if d.MaxRejected != "" {
		if _, err := percent(d.MaxRejected); err != nil {
			return where.bad("catalogue.percent", "datasets", i, "maxRejected", "dataset", d.ID, "value", d.MaxRejected)
		}
	}
	for _, l := range d.Layers {
		if l.From == "" {
			return where.bad("catalogue.layer", "datasets", i, "layers", "dataset", d.ID)
		}
	}
	return d.checkDescription(where, i, known)
}

// known is what exists outside the file.
type known struct{ licences, producers, topics map[string]bool }

// nearest gives the name that is most like another, for "did you mean".
func nearest(name string, of map[string]bool) string {
	best, distance := "", len(name)/2+2
	for _, n := range sortedNames(of) {
		if d := levenshtein(name, n); d < distance {
			best, distance = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (→ %s)", best)
}

// checkDescription finds what can't be said of a dataset and its resources.
func (d *datasetSection) checkDescription(where locator, i int, known known) error {
	for _, f := range []struct {
		field string
		day   day
	}{{"issued", d.Issued}, {"delivered", d.Delivered}, {"temporal", d.temporal().From}, {"temporal", d.temporal().To}} {
		if f.day != "" && f.day.time() == nil {
			return where.bad("catalogue.day", "datasets", i, f.field, "dataset", d.ID, "value", string(f.day))
		}
	}
	if d.Extent != nil && len(d.Extent) != 4 {
		return where.bad("catalogue.extent", "datasets", i, "extent", "dataset", d.ID)
	}
	for _, t := range d.Topics {
		if !known.topics[t] {
			return where.bad("catalogue.no-topic", "datasets", i, "topics", "dataset", d.ID, "topic", t, "nearest", nearest(t, known.topics))
		}
	}
	e := d.entry()
	if err := first(where, "datasets", i, catalogue.Check(&e)); err != nil {
		return err
	}
	seen := map[string]bool{}
	for n := range d.Resources {
		r := d.Resources[n].resource(n)
		if r.Kind == catalogue.LayerResource {
			return placed(where, "datasets", i, "resources", geo.Say("put.resource-layer"))
		}
		if d.Resources[n].Path != "" {
			r.SHA256, r.Filename = []byte{0}, filepath.Base(d.Resources[n].Path) // it is read later
		}
		if f := catalogue.CheckResource(&r); len(f) > 0 {
			return placed(where, "datasets", i, "resources", f[0].Message)
		}
		if seen[r.Name] {
			return where.bad("catalogue.twice", "datasets", i, "resources", "name", r.Name)
		}
		seen[r.Name] = true
	}
	for _, s := range d.Steps {
		if s.Document != "" && !seen[s.Document] {
			return where.bad("catalogue.step-document", "datasets", i, "steps", "dataset", d.ID, "document", s.Document)
		}
		if s.On != "" && s.On.time() == nil {
			return where.bad("catalogue.day", "datasets", i, "steps", "dataset", d.ID, "value", string(s.On))
		}
	}
	return nil
}

func (d *datasetSection) temporal() temporalSection {
	if d.Temporal == nil {
		return temporalSection{}
	}
	return *d.Temporal
}

// first places the first of some faults in the file.
func first(where locator, section string, i int, faults catalogue.Faults) error {
	if len(faults) == 0 {
		return nil
	}
	field, _ := faults[0].Args["field"].(string)
	if section == "datasets" && (field == "from" || field == "to") {
		field = "temporal"
	}
	return placed(where, section, i, field, faults[0].Message)
}

// placed says where in the file a fault stands; its own sentence is told
// inside.
func placed(where locator, section string, i int, field string, m geo.Message) error {
	line, column := where.find(section, i, field)
	return geo.Bad(nil, "catalogue.entry", "file", where.file, "line", line, "column", column, "message", m)
}

// builtTopics are the portal's own, for a check without a database.
func builtTopics() map[string]bool {
	m := map[string]bool{}
	for _, id := range strings.Fields("culture transports tourisme environnement agriculture energie urbanisme air-climat") {
		m[id] = true
	}
	return m
}

// described is the producer as the catalogue describes it.
func (s *producerSection) described() catalogue.Producer {
	p := catalogue.Producer{
		Producer:    geo.Producer{ID: s.ID, Title: s.Title, Contact: map[string]string{}},
		Description: s.Description, Kind: s.Kind, SIRET: s.SIRET, Territory: s.Territory,
	}
	for k, v := range s.Contact {
		p.Contact[k] = v
	}
	if s.URL != "" {
		p.Contact["url"] = s.URL
	}
	if s.Email != "" {
		p.Contact["email"] = s.Email
	}
	return p
}

// entry is the dataset as the catalogue describes it.
func (d *datasetSection) entry() catalogue.Entry {
	e := catalogue.Entry{
		Slug: d.ID, Producer: d.Producer, Licence: d.Licence, Chain: d.Chain, Title: d.Title, Description: d.Description, Limits: d.Limits,
		Keywords: d.Keywords, Topics: d.Topics, Territory: d.Territory, Frequency: d.Frequency, HighValue: d.HighValue,
		LandingPage: d.LandingPage, Contact: d.Contact, TemporalStart: d.temporal().From.time(), TemporalEnd: d.temporal().To.time(),
		IssuedAt: d.Issued.time(), SaidDelivered: d.Delivered.time(),
	}
	if i := slices.IndexFunc(catalogue.HighValue, func(h struct{ ID, URI string }) bool { return h.ID == d.HighValue }); i >= 0 {
		e.HighValue = catalogue.HighValue[i].URI
	}
	if b := d.Extent; len(b) == 4 {
		e.SaidExtent = &geo.Box{MinX: b[0], MinY: b[1], MaxX: b[2], MaxY: b[3]}
	}
	return e
}

// resource is the resource as the catalogue describes it, without its file;
// n is its place in the list.
func (s *resourceSection) resource(n int) catalogue.Resource {
	return catalogue.Resource{
		Name: s.Name, Kind: s.Kind, Title: s.Title, Description: s.Description, URL: s.URL, Document: s.Document, Position: n + 1,
		Format: cmp.Or(s.Format, strings.ToLower(strings.TrimPrefix(filepath.Ext(s.Path), "."))),
		Public: s.Public == nil || *s.Public,
	}
}
