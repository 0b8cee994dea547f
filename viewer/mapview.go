package viewer

import (
	"encoding/json"
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"

	"calanque/geo"
)

// mapView is a MapPage with what its template asks for.
type mapView struct{ MapPage }

// A producerGroup is the layers of one producer, as the panel shows them.
type producerGroup struct {
	ID, Title string
	Layers    []layerView
}

// A layerView is one row of the panel.
type layerView struct {
	*Layer
	Title, Ago, Class  string // Class of the freshness tag: ok or warn
	On, Listed         bool
	Toggle, List, Info string // links
	Swatch             template.HTML
}

// Groups are the layers that the panel offers, by producer in order.
func (v mapView) Groups() []producerGroup {
	var groups []producerGroup
	index := map[string]int{}
	outcomes := map[string]bool{"": true}
	for _, l := range v.Layers {
		outcomes[l.Outcomes] = true
	}
	for i := range v.Layers {
		l := &v.Layers[i]
		if l.Style.Hidden || outcomes[l.ID] {
			continue
		}
		at, ok := index[l.Producer.ID]
		if !ok {
			at = len(groups)
			index[l.Producer.ID] = at
			groups = append(groups, producerGroup{ID: l.Producer.ID, Title: l.Producer.Title.In(v.Lang)})
		}
		groups[at].Layers = append(groups[at].Layers, v.layerView(l))
	}
	return groups
}

func (v mapView) layerView(l *Layer) layerView {
	lv := layerView{Layer: l, Title: l.Titles.In(v.Lang), Swatch: swatch(l), Class: "ok"}
	lv.Ago = Ago(v.Lang, l.Updated, v.Now)
	if v.Now.Sub(l.Updated) > staleAfter(l.Frequency) {
		lv.Class = "warn"
	}
	var on, off []string
	for _, id := range v.On {
		if id == l.ID {
			lv.On = true
		} else {
			off = append(off, id)
		}
	}
	on = append([]string{l.ID}, off...)
	lv.Listed = len(v.On) > 0 && v.On[0] == l.ID
	lv.List = href(v.URL, "c", strings.Join(on, ","), "sel", "", "comparer", "") + "#liste"
	if lv.On {
		c := strings.Join(off, ",")
		if c == "" {
			c = "-" // none: without ?c= the first visit's layers would be lit
		}
		lv.Toggle = href(v.URL, "c", c, "sel", "", "comparer", "")
	} else {
		lv.Toggle = href(v.URL, "c", strings.Join(on, ","), "sel", "", "comparer", "")
	}
	return lv
}

// Listed is the layer whose rows are shown; nil when none is on.
func (v mapView) Listed() *Layer {
	if v.List == nil {
		return nil
	}
	return v.layer(v.List.Layer)
}

// A rowView is one row of the list.
type rowView struct {
	Number            int
	Title, Note, Href string
	Chosen            bool
}

// Rows are the rows of the list, numbered through all pages.
func (v mapView) Rows() []rowView {
	l := v.Listed()
	if l == nil {
		return nil
	}
	var rows []rowView
	for i, f := range v.List.Features {
		rows = append(rows, rowView{
			Number: (max(v.List.Page, 1)-1)*PageSize + i + 1,
			Title:  nameOf(v.Lang, l, f),
			Note:   noteOf(v.Lang, l, f),
			Href:   v.keepPage("sel", f.Key) + "#fiche",
			Chosen: v.Card != nil && v.Card.Feature.Key == f.Key,
		})
	}
	return rows
}

// keepPage is href without leaving the page of the list.
func (v mapView) keepPage(pairs ...string) string {
	if v.URL != nil && v.URL.Query().Get("apres") != "" {
		q := v.URL.Query()
		pairs = append(pairs, "apres", q.Get("apres"), "page", q.Get("page"))
	}
	return href(v.URL, pairs...)
}

// Range says which rows of how many are shown; "" for an empty list.
func (v mapView) Range() string {
	if v.List == nil || len(v.List.Features) == 0 {
		return ""
	}
	first := (max(v.List.Page, 1)-1)*PageSize + 1
	return Say(v.Lang, "list.range", "first", first, "last", first+len(v.List.Features)-1, "n", v.List.Total)
}

// NextPage and FirstPage are links; "" when there is no such page.
func (v mapView) NextPage() string { return nextPage(v, v.List) }

func nextPage(v mapView, l *List) string {
	if l == nil || l.Next == "" {
		return ""
	}
	return href(v.URL, "apres", l.Next, "page", strconv.Itoa(max(l.Page, 1)+1), "sel", "") + "#liste"
}

// FirstPage leads back to the first page; "" on it.
func (v mapView) FirstPage() string {
	if v.List == nil || v.List.Page <= 1 {
		return ""
	}
	return href(v.URL, "sel", "") + "#liste"
}

// Status says how many features the listed layer has.
func (v mapView) Status() string {
	l := v.Listed()
	if l == nil {
		return Say(v.Lang, "status.none")
	}
	return fmt.Sprintf("%s%s%s", Number(v.Lang, float64(v.List.Total)), nbsp, noun(v.Lang, l, v.List.Total))
}

// Credits are who made what the map shows, in plain text.
func (v mapView) Credits() string {
	parts := []string{Say(v.Lang, "map.osm-credit")}
	for _, id := range v.On {
		l := v.layer(id)
		if l == nil || l.Producer.ID == "openstreetmap" {
			continue
		}
		if p := l.Producer.Title.In(v.Lang); !contains(parts, p) {
			parts = append(parts, p)
		}
	}
	return strings.Join(parts, " · ")
}

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s {
			return true
		}
	}
	return false
}

// Picture is the address of the drawn map of the listed layer; "" without one.
func (v mapView) Picture() string {
	l := v.Listed()
	if l == nil || l.GeometryType == geo.None {
		return ""
	}
	address := "/image/" + l.ID + ".svg?width=1000&height=700&lg=" + v.Lang
	if v.Air != nil && v.Air.Day != "" {
		address += "&datetime=" + v.Air.Day
	}
	return address
}

// A cardView is the card of one feature.
type cardView struct {
	ReportHref                                string // of the form about it, "" for what has no dataset
	Title, Noun, Place, Source, Precision, ID string
	Facts                                     []fact
	Outcome                                   *outcomeView
	Back                                      string
}

// CardView is the chosen feature; nil when there is none.
func (v mapView) CardView() *cardView {
	if v.Card == nil {
		return nil
	}
	l := v.layer(v.Card.Layer)
	if l == nil {
		return nil
	}
	c := &cardView{
		Title: nameOf(v.Lang, l, v.Card.Feature),
		Noun:  upperFirst(noun(v.Lang, l, 1)),
		Place: v.Card.Place,
		Facts: facts(v.Lang, l, v.Card.Feature),
		Back:  v.keepPage("sel", "") + "#liste",
		ID:    v.Card.Feature.Key,
	}
	if l.Producer.ID == "openstreetmap" {
		c.Source = Say(v.Lang, "card.source-osm", "date", l.Updated)
	} else {
		c.Source = Say(v.Lang, "card.source", "title", l.Titles.In(v.Lang), "producer", l.Producer.Title.In(v.Lang), "date", l.Updated)
	}
	if l.Dataset != "" {
		c.ReportHref = "/signaler?" + url.Values{"jeu": {l.Dataset}, "objet": {l.ID + "/" + v.Card.Feature.Key}, "lg": {v.Lang}}.Encode()
	}
	if l.Style.Precision > 0 {
		c.Precision = Say(v.Lang, "card.precision", "distance", l.Style.Precision)
	}
	if v.Card.Outcome != nil {
		if ol := v.layer(l.Outcomes); ol != nil {
			c.Outcome = outcomeOf(v.Lang, l, ol, *v.Card.Outcome)
			c.Outcome.Href = href(v.URL, "comparer", "1", "sel", v.Card.Outcome.Key) + "#fiche"
		}
	}
	return c
}

func upperFirst(s string) string {
	for i, r := range s {
		if i == 0 {
			return strings.ToUpper(string(r)) + s[len(string(r)):]
		}
	}
	return s
}

// Start is what the page's script starts from: the same as the page shows.
func (v mapView) Start() any {
	var home *[4]float64
	if !v.Home.Empty() {
		home = &[4]float64{v.Home.MinX, v.Home.MinY, v.Home.MaxX, v.Home.MaxY}
	}
	return struct {
		Lang      string      `json:"lang"`
		Layers    []Layer     `json:"layers"`
		Home      *[4]float64 `json:"home"`
		Fictional bool        `json:"fictional"`
		Now       string      `json:"now"`
		SignedIn  *SignedIn   `json:"signedIn,omitempty"`
	}{v.Lang, v.Layers, home, v.Fictional, v.Now.UTC().Format("2006-01-02T15:04:05Z"), v.SignedIn}
}

// jsonValue decodes a value that is JSON, or was decoded already.
func jsonValue(v any, into any) bool {
	switch v := v.(type) {
	case json.RawMessage:
		return json.Unmarshal(v, into) == nil
	case []byte:
		return json.Unmarshal(v, into) == nil
	case string:
		return json.Unmarshal([]byte(v), into) == nil
	case nil:
		return false
	}
	data, err := json.Marshal(v)
	return err == nil && json.Unmarshal(data, into) == nil
}
