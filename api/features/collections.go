package features

import (
	"fmt"
	"net/http"
	"net/url"
	"time"

	"calanque/api/answer"
	"calanque/geo"
)

// typeOpenAPI is the type of the API's own description; QGIS looks for exactly
// these bytes.
const typeOpenAPI = "application/vnd.oai.openapi+json;version=3.0"

// conformance are the requirements classes that are met.
var conformance = []string{
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
	"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
}

const apiTitle = "Calanque"

const apiDescription = "Partner datasets of Provence-Alpes-Côte d’Azur, OpenStreetMap, and where they disagree."

// document answers one of the API's JSON documents: the format is settled, a
// reader who has it already gets 304, the others what make makes.
func (s *Service) document(w http.ResponseWriter, r *http.Request, contentType string, make func(c *Catalogue, base string) any) error {
	html, err := onlyFormat(r.URL.RawQuery)
	if err != nil {
		return err
	}
	c, err := s.catalogue()
	if err != nil {
		return err
	}
	base := s.Base(r)
	if html {
		http.Redirect(w, r, base+"/carte", http.StatusSeeOther)
		return nil
	}
	if answer.Unchanged(w, r, answer.Tag(c.tag, base, r.URL.Path)) {
		return nil
	}
	body, err := answer.Encode(make(c, base))
	if err != nil {
		return err
	}
	answer.Write(w, contentType, body)
	return nil
}

// Landing answers the landing page.
func (s *Service) Landing(w http.ResponseWriter, r *http.Request) error {
	return s.document(w, r, answer.TypeJSON, func(_ *Catalogue, base string) any {
		return struct {
			Title       string `json:"title"`
			Description string `json:"description"`
			Links       []link `json:"links"`
		}{apiTitle, apiDescription, []link{
			{Rel: "self", Type: answer.TypeJSON, Href: base + "/api", Title: "This document"},
			{Rel: "alternate", Type: answer.TypeHTML, Href: base + "/carte", Title: "The map"},
			{Rel: "service-desc", Type: typeOpenAPI, Href: base + "/api/api", Title: "The API's description"},
			{Rel: "conformance", Type: answer.TypeJSON, Href: base + "/api/conformance", Title: "What the API conforms to"},
			{Rel: "data", Type: answer.TypeJSON, Href: base + "/api/collections", Title: "The collections"},
		}}
	})
}

// Conformance answers the conformance declaration.
func (s *Service) Conformance(w http.ResponseWriter, r *http.Request) error {
	return s.document(w, r, answer.TypeJSON, func(*Catalogue, string) any {
		return map[string]any{"conformsTo": conformance}
	})
}

// OpenAPI answers the API's description.
func (s *Service) OpenAPI(w http.ResponseWriter, r *http.Request) error {
	return s.document(w, r, typeOpenAPI, func(c *Catalogue, base string) any { return openAPI(c, base) })
}

// Collections answers the list of collections.
func (s *Service) Collections(w http.ResponseWriter, r *http.Request) error {
	return s.document(w, r, answer.TypeJSON, func(c *Catalogue, base string) any {
		list := make([]collectionJSON, len(c.Collections))
		for i := range c.Collections {
			list[i] = describe(&c.Collections[i], base)
		}
		return struct {
			Links       []link           `json:"links"`
			Collections []collectionJSON `json:"collections"`
		}{[]link{
			{Rel: "self", Type: answer.TypeJSON, Href: base + "/api/collections", Title: "This document"},
			{Rel: "alternate", Type: answer.TypeHTML, Href: base + "/carte", Title: "The map"},
		}, list}
	})
}

// Collection answers one collection.
func (s *Service) Collection(w http.ResponseWriter, r *http.Request) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	if html, err := onlyFormat(r.URL.RawQuery); err == nil && html {
		http.Redirect(w, r, s.Base(r)+mapPage(c.Layer, ""), http.StatusSeeOther)
		return nil
	}
	return s.document(w, r, answer.TypeJSON, func(_ *Catalogue, base string) any { return describe(c, base) })
}

// collection finds the collection that a request names.
func (s *Service) collection(r *http.Request) (*Collection, error) {
	c, err := s.catalogue()
	if err != nil {
		return nil, err
	}
	name, err := url.PathUnescape(s.Var(r, "collection"))
	if err != nil {
		return nil, fmt.Errorf("collection: %w", geo.ErrNotFound)
	}
	if found := c.Collection(name); found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("collection %q: %w", clip(name), geo.ErrNotFound)
}

// The JSON of a collection, as OGC API writes it, with the hub's own member.
type (
	collectionJSON struct {
		ID          string   `json:"id"`
		Title       string   `json:"title"`
		Description string   `json:"description,omitempty"`
		Attribution string   `json:"attribution,omitempty"`
		Links       []link   `json:"links"`
		Extent      *extent  `json:"extent,omitempty"`
		ItemType    string   `json:"itemType"`
		CRS         []string `json:"crs"`
		Extension   any      `json:"calanque,omitempty"`
	}
	extent struct {
		Spatial  *spatial  `json:"spatial,omitempty"`
		Temporal *temporal `json:"temporal,omitempty"`
	}
	spatial struct {
		BBox [][4]float64 `json:"bbox"`
		CRS  string       `json:"crs"`
	}
	temporal struct {
		Interval [][2]time.Time `json:"interval"`
		TRS      string         `json:"trs"`
	}
)

func describe(c *Collection, base string) collectionJSON {
	self := base + collectionPath(c.Layer)
	j := collectionJSON{
		ID: c.Layer, Title: c.Title.In("fr"), Description: c.Description.In("fr"), Attribution: c.Attribution,
		ItemType: "feature", CRS: []string{crs84}, Extension: c.Extension,
		Links: []link{
			{Rel: "self", Type: answer.TypeJSON, Href: self, Title: "This document"},
			{Rel: "alternate", Type: answer.TypeHTML, Href: base + mapPage(c.Layer, ""), Title: "On the map"},
			{Rel: "items", Type: answer.TypeGeoJSON, Href: self + "/items", Title: "The features, page by page"},
			{Rel: "enclosure", Type: "application/geo+json", Href: base + "/telecharger/" + url.PathEscape(c.Layer) + ".geojson", Title: "All of it, as GeoJSON"},
			{Rel: "enclosure", Type: "text/csv", Href: base + "/telecharger/" + url.PathEscape(c.Layer) + ".csv", Title: "All of it, as CSV"},
		},
	}
	if j.Title == "" {
		j.Title = c.Layer
	}
	if c.LicenceURL != "" {
		j.Links = append(j.Links, link{Rel: "license", Type: answer.TypeHTML, Href: c.LicenceURL, Title: c.LicenceName})
	}
	if b := c.Relation.Extent; !b.Empty() {
		j.Extent = &extent{Spatial: &spatial{BBox: [][4]float64{{b.MinX, b.MinY, b.MaxX, b.MaxY}}, CRS: crs84}}
	}
	if !c.First.IsZero() {
		if j.Extent == nil {
			j.Extent = &extent{}
		}
		j.Extent.Temporal = &temporal{
			Interval: [][2]time.Time{{c.First.UTC(), c.Last.UTC()}},
			TRS:      "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
		}
	}
	return j
}
