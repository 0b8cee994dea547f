package main

import (
	"fmt"

	"calanque/api/account"
	"calanque/geo"
	"calanque/osm"
	"calanque/osm/match"
)

// A catalogue is the file that says what the hub is made of. Each section that
// belongs to a package is decoded as that package's type.
type catalogue struct {
	Region    *regionSection    `yaml:"region"`
	Licences  []licenceSection  `yaml:"licences"`
	Producers []producerSection `yaml:"producers"`
	ERICs     []account.ERIC    `yaml:"erics"` // public internet-access points, where mediators work
	Datasets  []datasetSection  `yaml:"datasets"`
	Themes    []osm.Theme       `yaml:"themes"`
	Rules     []match.Rule      `yaml:"rules"`
}

// regionSection is where data should be.
type regionSection struct {
	Title geo.Text  `yaml:"title"`
	Box   []float64 `yaml:"box"` // west, south, east, north in degrees
}

type licenceSection struct {
	ID    string           `yaml:"id"`
	Title geo.Text         `yaml:"title"`
	URL   string           `yaml:"url"`
	Class geo.LicenceClass `yaml:"class"`
}

type producerSection struct {
	ID    string   `yaml:"id"`
	Title geo.Text `yaml:"title"`
	URL   string   `yaml:"url"`
	Email string   `yaml:"email"`
}

type datasetSection struct {
	ID          string                  `yaml:"id"`
	Title       geo.Text                `yaml:"title"`
	Description geo.Text                `yaml:"description"`
	Producer    string                  `yaml:"producer"`
	Licence     string                  `yaml:"licence"`
	Frequency   string                  `yaml:"frequency"`
	Schedule    string                  `yaml:"schedule"` // how often the worker reads the source again: hourly, daily, weekly, monthly
	Source      *sourceSection          `yaml:"source"`
	Key         []string                `yaml:"key"`
	Fields      map[string]fieldSection `yaml:"fields"`
	Style       map[string]any          `yaml:"style"`
	Layers      []layerSection          `yaml:"layers"`
	Series      *seriesSection          `yaml:"series"`
	MaxRejected string                  `yaml:"maxRejected"`
}

// sourceSection says where a dataset comes from and what a person knows better
// than the file.
type sourceSection struct {
	Path      string `yaml:"path" json:"path"` // relative to the catalogue file; of a series, may be a pattern: indice-*.csv
	CRS       int    `yaml:"crs" json:"crs,omitempty"`
	Axes      string `yaml:"axes" json:"axes,omitempty"`
	Encoding  string `yaml:"encoding" json:"encoding,omitempty"`
	Delimiter string `yaml:"delimiter" json:"delimiter,omitempty"`
	Header    *bool  `yaml:"header" json:"header,omitempty"`
	X         string `yaml:"x" json:"x,omitempty"`
	Y         string `yaml:"y" json:"y,omitempty"`
	Geometry  string `yaml:"geometry" json:"geometry,omitempty"`
	Layer     string `yaml:"layer" json:"layer,omitempty"`
	Anywhere  bool   `yaml:"anywhere" json:"anywhere,omitempty"`
}

// fieldSection describes a column, by its name in the hub.
type fieldSection struct {
	Type  geo.FieldType `yaml:"type"`
	Label geo.Text      `yaml:"label"`
}

// layerSection describes one layer of a file that has several.
type layerSection struct {
	From   string                  `yaml:"from"` // name in the file
	Name   string                  `yaml:"name"` // in the hub; default: the dataset's and the file's
	Title  geo.Text                `yaml:"title"`
	Key    []string                `yaml:"key"`
	Fields map[string]fieldSection `yaml:"fields"`
	Style  map[string]any          `yaml:"style"`
}

// seriesSection says how deliveries add to a series.
type seriesSection struct {
	Time   string         `yaml:"time"`
	Zone   string         `yaml:"zone"`
	Borrow *borrowSection `yaml:"borrow"`
}

// borrowSection says whose geometry a series shows.
type borrowSection struct {
	Layer string `yaml:"layer"`
	Field string `yaml:"field"` // the series' field that holds the layer's key
}

// check says what is wrong with a catalogue that is well formed: references
// that lead nowhere, names used twice. known tells what exists outside the
// file.
func (c *catalogue) check(where locator, known known) error {
	licences, producers := known.licences, known.producers
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
		if err := d.check(where, i, licences, producers); err != nil {
			return err
		}
		if seen[d.ID] {
			return where.bad("catalogue.twice", "datasets", i, "id", "name", d.ID)
		}
		seen[d.ID] = true
	}
	return nil
}

func (d *datasetSection) check(where locator, i int, licences, producers map[string]bool) error {
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
	return nil
}

// known is what exists outside the file.
type known struct{ licences, producers map[string]bool }

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
