package features

import (
	"net/http"
	"net/url"

	"calanque/api/answer"
)

// A link is a web link as OGC API writes it.
type link struct {
	Href     string `json:"href"`
	Rel      string `json:"rel"`
	Type     string `json:"type,omitempty"`
	Title    string `json:"title,omitempty"`
	HrefLang string `json:"hreflang,omitempty"`
}

// collectionPath is where a collection is, below the hub's address.
func collectionPath(layer string) string { return "/api/collections/" + url.PathEscape(layer) }

// ItemPath is where an item is, below the hub's address.
func ItemPath(layer, key string) string {
	return collectionPath(layer) + "/items/" + url.PathEscape(key)
}

// mapPage is where people see a layer, or one item of it, below the hub's
// address.
func mapPage(layer, key string) string {
	v := url.Values{"c": {layer}}
	if key != "" {
		v.Set("sel", key)
	}
	return "/carte?" + v.Encode()
}

func (s *Service) itemsLinks(r *http.Request, c *Collection) []link {
	base := s.Base(r)
	self := base + collectionPath(c.Layer) + "/items"
	if r.URL.RawQuery != "" {
		self += "?" + r.URL.RawQuery
	}
	return []link{
		{Rel: "self", Type: answer.TypeGeoJSON, Href: self, Title: "This page"},
		{Rel: "alternate", Type: answer.TypeHTML, Href: base + mapPage(c.Layer, ""), Title: "On the map"},
		{Rel: "collection", Type: answer.TypeJSON, Href: base + collectionPath(c.Layer), Title: c.Title.In("fr")},
	}
}

func itemLinks(base, layer, key string) []link {
	return []link{
		{Rel: "self", Type: answer.TypeGeoJSON, Href: base + ItemPath(layer, key)},
		{Rel: "alternate", Type: answer.TypeHTML, Href: base + mapPage(layer, key), Title: "On the map"},
		{Rel: "collection", Type: answer.TypeJSON, Href: base + collectionPath(layer)},
	}
}
