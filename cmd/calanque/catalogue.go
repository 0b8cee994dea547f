package main

import (
	"time"

	"go.yaml.in/yaml/v4"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/osm"
	"calanque/osm/match"
)

// A catalogueFile says what the hub is made of. Each section that
// belongs to a package is decoded as that package's type.
type catalogueFile struct {
	Region    *regionSection       `yaml:"region"`
	Gazetteer *catalogue.Gazetteer `yaml:"gazetteer"` // the layer of the communes
	Licences  []licenceSection     `yaml:"licences"`
	Producers []producerSection    `yaml:"producers"`
	ERICs     []account.ERIC       `yaml:"erics"` // public internet-access points, where mediators work
	Datasets  []datasetSection     `yaml:"datasets"`
	Themes    []osm.Theme          `yaml:"themes"`
	Rules     []match.Rule         `yaml:"rules"`
}

// regionSection is where data should be.
type regionSection struct {
	Title geo.Text  `yaml:"title"`
	Box   []float64 `yaml:"box"` // west, south, east, north in degrees
}

type licenceSection struct {
	ID       string           `yaml:"id"`
	Title    geo.Text         `yaml:"title"`
	URL      string           `yaml:"url"`
	Class    geo.LicenceClass `yaml:"class"`
	EU       string           `yaml:"eu"`       // authority URI
	Sentence geo.Text         `yaml:"sentence"` // what it allows
}

type producerSection struct {
	ID          string            `yaml:"id"`
	Title       geo.Text          `yaml:"title"`
	URL         string            `yaml:"url"`
	Email       string            `yaml:"email"`
	Contact     map[string]string `yaml:"contact"` // name, email, url, phone
	Description geo.Text          `yaml:"description"`
	Kind        string            `yaml:"kind"`
	SIRET       string            `yaml:"siret"`
	Territory   []string          `yaml:"territory"`
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

	Topics      []string          `yaml:"topics"`
	Keywords    words             `yaml:"keywords"`
	Chain       catalogue.Chain   `yaml:"chain"` // region or partner
	Steps       []stepSection     `yaml:"steps"` // what was decided before
	Territory   []string          `yaml:"territory"`
	Extent      []float64         `yaml:"extent"` // west, south, east, north
	Temporal    *temporalSection  `yaml:"temporal"`
	Issued      day               `yaml:"issued"`
	Delivered   day               `yaml:"delivered"` // of what is not loaded
	Limits      geo.Text          `yaml:"limits"`
	HighValue   string            `yaml:"highValue"`
	LandingPage string            `yaml:"landingPage"`
	Contact     map[string]string `yaml:"contact"`
	Formerly    []string          `yaml:"formerly"` // addresses that it had
	Resources   []resourceSection `yaml:"resources"`
}

// temporalSection is the time that the data are about.
type temporalSection struct {
	From day `yaml:"from"`
	To   day `yaml:"to"`
}

// stepSection is a step of the chain that was made before the hub was there.
type stepSection struct {
	To       catalogue.State `yaml:"to"`
	On       day             `yaml:"on"`
	Body     string          `yaml:"body"`
	Reason   string          `yaml:"reason"`
	Document string          `yaml:"document"` // name of a resource
}

// resourceSection is one thing of a dataset that is not a loaded layer: those
// come by themselves.
type resourceSection struct {
	Name        string                 `yaml:"name"`
	Kind        catalogue.ResourceKind `yaml:"kind"`
	Title       geo.Text               `yaml:"title"`
	Description geo.Text               `yaml:"description"`
	URL         string                 `yaml:"url"`
	Path        string                 `yaml:"path"` // relative to the catalogue file
	Format      string                 `yaml:"format"`
	Document    *catalogue.Document    `yaml:"document"`
	Public      *bool                  `yaml:"public"`
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

// words are texts by language; one that is written as it is, is French.
type words []geo.Text

// UnmarshalYAML reads "eau" as it reads {fr: eau}.
func (w *words) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind != yaml.SequenceNode {
		return n.Decode((*[]geo.Text)(w)) // which says what is wrong
	}
	*w = make(words, len(n.Content))
	for i, c := range n.Content {
		if c.Kind == yaml.ScalarNode {
			(*w)[i] = geo.Text{"fr": c.Value}
			continue
		}
		if err := c.Decode(&(*w)[i]); err != nil {
			return err
		}
	}
	return nil
}

// A day is a date as the file writes it: 2026-03-01. "" is none.
type day string

// time gives the day; nil for none or what is no day.
func (d day) time() *time.Time {
	t, err := time.Parse(time.DateOnly, string(d))
	if err != nil {
		return nil
	}
	return &t
}
