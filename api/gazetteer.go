package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"unicode"

	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
	"calanque/viewer"
)

// communesLayer is the layer whose features are the communes: its key is the
// code INSEE.
const communesLayer = "communes"

// A commune is a place that search leads to.
type commune struct {
	code, name string
	words      []string // of the name, plain, without articles
	plain      string   // the words, joined by spaces
	box        geo.Box  // CRS84
}

// gazetteerCache keeps the communes while their layer's revision holds.
type gazetteerCache struct {
	mu       sync.Mutex
	revision int64
	table    string
	list     []commune
}

// communeList gives the communes by name; none when no layer has them.
func (s *Server) communeList(ctx context.Context, st *state) ([]commune, error) {
	rel, l := st.relation(communesLayer), st.layer(communesLayer)
	if rel == nil || rel.Geom3857 == "" {
		return nil, nil
	}
	names := viewer.NameFields(l)
	if len(names) == 0 {
		return nil, nil
	}
	c := &s.gazetteer
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.list != nil && c.revision == rel.Revision && c.table == rel.Table {
		return c.list, nil
	}
	list, err := readCommunes(ctx, s.Hub.Web, rel, names[0])
	if err != nil {
		return nil, err
	}
	c.revision, c.table, c.list = rel.Revision, rel.Table, list
	return list, nil
}

func readCommunes(ctx context.Context, db postgis.DB, rel *geo.Relation, nameField string) ([]commune, error) {
	at := slices.IndexFunc(rel.Fields, func(f geo.Field) bool { return f.Name == nameField })
	list := []commune{}
	// Simplified: only the extents matter, and 50 m change them little.
	err := postgis.Each(ctx, db, rel, geo.Query{Simplify: 50}, func(f *geo.Feature) error {
		c := commune{code: f.Key, name: fmt.Sprint(f.Values[at]), box: geo.EmptyBox()}
		if f.Values[at] == nil {
			return nil
		}
		g, err := f.XY()
		if err != nil || g == nil {
			return err
		}
		b := g.Bound()
		c.box = geo.Box{MinX: b.Min[0], MinY: b.Min[1], MaxX: b.Max[0], MaxY: b.Max[1]}
		c.words = significant(words(c.name))
		c.plain = strings.Join(c.words, " ")
		list = append(list, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the communes: %w", features.Kind(err))
	}
	slices.SortStableFunc(list, func(a, b commune) int { return strings.Compare(a.plain, b.plain) })
	return list, nil
}

// communes answers the list of communes, small enough to search without the
// server: [code, name, west, south, east, north].
func (s *Server) communes(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r, "v"); err != nil {
		return err
	}
	st, err := s.current()
	if err != nil {
		return err
	}
	list, err := s.communeList(r.Context(), st)
	if err != nil {
		return err
	}
	rows := make([][]any, len(list))
	for i, c := range list {
		rows[i] = []any{c.code, c.name, tenth(c.box.MinX), tenth(c.box.MinY), tenth(c.box.MaxX), tenth(c.box.MaxY)}
	}
	return answer.JSON(w, r, answer.TypeJSON, map[string]any{"communes": rows})
}

// tenth writes a degree with four decimals, about ten metres.
func tenth(degrees float64) json.Number { return json.Number(fmt.Sprintf("%.4f", degrees)) }

// words are the words of a text, plain. "St" and "Ste" are what they stand
// for.
func words(s string) []string {
	list := strings.FieldsFunc(catalogue.Plain(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, w := range list {
		switch w {
		case "st":
			list[i] = "saint"
		case "ste":
			list[i] = "sainte"
		}
	}
	return list
}

// articles say nothing in a search.
var articles = map[string]bool{
	"l": true, "le": true, "la": true, "les": true, "d": true, "de": true, "du": true, "des": true,
	"il": true, "lo": true, "gli": true, "the": true, "of": true, "di": true, "della": true, "a": true, "au": true, "aux": true,
}

// significant leaves the articles out, unless there is nothing else.
func significant(list []string) []string {
	var kept []string
	for _, w := range list {
		if !articles[w] {
			kept = append(kept, w)
		}
	}
	if kept == nil {
		return list
	}
	return kept
}
