// Package features speaks OGC API – Features, part 1: landing page,
// conformance, OpenAPI document, collections, items and single features as
// GeoJSON.
//
// It reads relations through geo/postgis and encodes rows by hand, straight
// from the database's binary format: a page of items is its hottest path.
// Routing, errors as problems, compression and CORS are package api's.
package features

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"calanque/geo"
)

// The limits of /items: what is given when nobody asks, and the most that is
// given whatever is asked.
const (
	DefaultLimit = 100
	MaxLimit     = 10000
)

// A Collection is one layer with what the API says about it.
type Collection struct {
	geo.Relation
	Description geo.Text
	Attribution string // producer, for people
	LicenceURL  string // "" when it has none
	LicenceName string
	First, Last time.Time // of a series; zero otherwise
	Extension   any       // the member "calanque"
}

// A Catalogue is all collections at one moment, in the order of lists. It is
// never changed once made.
type Catalogue struct {
	Collections []Collection
	byName      map[string]int
	tag         string // tells it from every other; part of ETags
}

// NewCatalogue makes a catalogue of its collections. The tag tells it from
// every other.
func NewCatalogue(list []Collection, tag string) *Catalogue {
	c := &Catalogue{Collections: list, byName: make(map[string]int, len(list)), tag: tag}
	for i := range list {
		c.byName[list[i].Layer] = i
	}
	return c
}

// Collection gives the collection of a layer, nil when it is not served.
func (c *Catalogue) Collection(name string) *Collection {
	i, ok := c.byName[name]
	if !ok {
		return nil
	}
	return &c.Collections[i]
}

// Options are what a Service needs.
type Options struct {
	Pool      *pgxpool.Pool                      // reads
	Catalogue func() *Catalogue                  // the newest; nil before the first
	Refresh   func(ctx context.Context) error    // reads the catalogue anew, when a table turned out to be gone
	Base      func(*http.Request) string         // address of the hub as the visitor sees it, without a slash at its end
	Var       func(*http.Request, string) string // part of the path by name, still percent-encoded
	Zone      *time.Location                     // of dates without one
	Now       func() time.Time
	Log       *slog.Logger
}

// A Service answers the requests below /api.
type Service struct {
	Options
	counts *counts
}

// New makes a Service.
func New(o Options) *Service {
	return &Service{Options: o, counts: newCounts()}
}

// catalogue gives the newest catalogue, or ErrUnavailable before the first.
func (s *Service) catalogue() (*Catalogue, error) {
	c := s.Catalogue()
	if c == nil {
		return nil, errNotLoaded
	}
	return c, nil
}
