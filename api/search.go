package api

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
	"calanque/viewer"
)

// The limits of a search.
const (
	searchLength   = 100                     // characters of a question
	searchItems    = 8                       // results of each kind
	searchPatience = 1500 * time.Millisecond // for objects; what was found until then is shown
	searchParallel = 2                       // statements at once: the pool is everybody's
)

// search answers what communes, objects and layers a text may mean.
func (s *Server) search(w http.ResponseWriter, r *http.Request) error {
	v, err := query(r, "q", "lg")
	if err != nil {
		return err
	}
	q := v.Get("q")
	if utf8.RuneCountInString(q) > searchLength {
		return &geo.ParamError{Param: "q", Value: short(q), Want: fmt.Sprintf("want at most %d characters", searchLength)}
	}
	st, err := s.current()
	if err != nil {
		return err
	}
	if answer.Unchanged(w, r, answer.Tag(st.tag, r.URL.RawQuery)) {
		return nil
	}
	groups, whole, err := s.find(r.Context(), st, q, viewer.Lang(v.Get("lg"), ""))
	if err != nil {
		return err
	}
	if !whole {
		w.Header().Del("ETag") // the next search may have more time
		w.Header().Set("Cache-Control", "no-store")
	}
	body, err := answer.Encode(map[string]any{"groups": groups})
	if err != nil {
		return err
	}
	answer.Write(w, answer.TypeJSON, body)
	return nil
}

// find gives the groups that have results; whole is false when there was no
// time to look everywhere.
func (s *Server) find(ctx context.Context, st *state, q, lang string) (groups []viewer.Found, whole bool, err error) {
	groups = []viewer.Found{}
	asked := significant(words(q))
	if len(asked) == 0 || len(asked) == 1 && len(asked[0]) < 2 {
		return groups, true, nil
	}
	add := func(kind string, items []viewer.FoundItem) {
		if len(items) > 0 {
			groups = append(groups, viewer.Found{Kind: kind, Items: items})
		}
	}
	communes, err := s.communeList(ctx, st)
	if err != nil {
		return nil, false, err
	}
	add("commune", findCommunes(communes, asked))
	add("layer", findLayers(st, asked, lang))
	objects, whole, err := s.findObjects(ctx, st, asked, lang)
	if err != nil {
		return nil, false, err
	}
	add("object", objects)
	return groups, whole, nil
}

// findCommunes ranks communes: the whole name, its start, the code, then every
// word begun.
func findCommunes(list []commune, asked []string) []viewer.FoundItem {
	type hit struct {
		rank int
		c    *commune
	}
	text := strings.Join(asked, " ")
	var hits []hit
	for i := range list {
		c := &list[i]
		switch {
		case c.plain == text || strings.EqualFold(c.code, text):
			hits = append(hits, hit{0, c})
		case strings.HasPrefix(c.plain, text):
			hits = append(hits, hit{1, c})
		case strings.HasPrefix(strings.ToLower(c.code), text):
			hits = append(hits, hit{2, c})
		case allBegun(c.words, asked):
			hits = append(hits, hit{3, c})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.rank, b.rank) })
	var items []viewer.FoundItem
	for _, h := range hits[:min(len(hits), searchItems)] {
		items = append(items, viewer.FoundItem{
			Title: h.c.name, Subtitle: h.c.code, Layer: communesLayer, ID: h.c.code,
			Box: &[4]float64{h.c.box.MinX, h.c.box.MinY, h.c.box.MaxX, h.c.box.MaxY},
		})
	}
	return items
}

// allBegun reports whether each asked word begins one of the words.
func allBegun(words, asked []string) bool {
	for _, a := range asked {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, a) }) {
			return false
		}
	}
	return true
}

func findLayers(st *state, asked []string, lang string) []viewer.FoundItem {
	var items []viewer.FoundItem
	for i := range st.layers {
		l := &st.layers[i]
		if l.Style.Hidden || strings.HasSuffix(l.ID, outcomesSuffix) {
			continue
		}
		matches := false
		for _, language := range viewer.Languages {
			matches = matches || allBegun(words(l.Titles[language]), asked)
		}
		if matches && len(items) < searchItems {
			items = append(items, viewer.FoundItem{Title: l.Titles.In(lang), Subtitle: l.Producer.Title.In(lang), Layer: l.ID, Box: l.Box})
		}
	}
	return items
}

// findObjects looks in the names of all layers but series, outcomes and the
// raw OpenStreetMap, whose named objects are in its themes.
func (s *Server) findObjects(ctx context.Context, st *state, asked []string, lang string) (items []viewer.FoundItem, whole bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, searchPatience)
	defer cancel()
	found := make([][]hit, len(st.layers))
	late := make([]bool, len(st.layers))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(searchParallel)
	for i := range st.layers {
		l, rel := &st.layers[i], &st.relations[i]
		names := viewer.NameFields(l)
		if len(names) == 0 || rel.Geom3857 == "" || rel.Time != "" || l.Style.Hidden || l.ID == communesLayer ||
			slices.Contains(osmLayers, l.ID) || strings.HasSuffix(l.ID, outcomesSuffix) {
			continue
		}
		g.Go(func() error {
			var err error
			found[i], err = s.findIn(ctx, rel, names[0], asked)
			if ctx.Err() != nil {
				late[i] = true
				return nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, false, err
	}
	var all []hit
	for i, hits := range found {
		for _, h := range hits {
			h.item.Layer, h.item.Subtitle = st.layers[i].ID, st.layers[i].Titles.In(lang)
			all = append(all, h)
		}
	}
	slices.SortStableFunc(all, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(len(a.item.Title), len(b.item.Title)), strings.Compare(a.item.Title, b.item.Title))
	})
	for _, h := range all[:min(len(all), searchItems)] {
		items = append(items, h.item)
	}
	return items, !slices.Contains(late, true), nil
}

// decimals rounds a degree to seven decimals, as positions are published.
func decimals(degrees float64) float64 { return math.Round(degrees*1e7) / 1e7 }

// A hit is a result with how good it is, 0 best.
type hit struct {
	rank int
	item viewer.FoundItem
}

// searchCandidates is how many names that hold all words are ranked; of a word
// that is everywhere, the rest would not be read either.
const searchCandidates = 500

// findIn looks for the words in one layer: names that begin with them, then
// those that hold them all. The trigram index of the names answers where there
// is one (tables of datasets have it); else all names are read.
func (s *Server) findIn(ctx context.Context, rel *geo.Relation, nameField string, asked []string) ([]hit, error) {
	name := "public.plain(" + ident(nameField) + ")"
	args := []any{strings.Join(asked, " ")}
	var where []string
	for _, w := range asked {
		args = append(args, "%"+w+"%") // letters and digits only: nothing to escape
		where = append(where, fmt.Sprintf("%s like $%d", name, len(args)))
	}
	rows, err := s.Hub.Web.Query(ctx, fmt.Sprintf(`
		with candidate as (
			(select %[1]s::text as key, %[2]s::text as name, %[3]s as plain, %[5]s as g
			from %[4]s
			where %[3]s like $1 || '%%' and %[5]s is not null
			limit %[8]d)
			union all
			(select %[1]s::text, %[2]s::text, %[3]s, %[5]s
			from %[4]s
			where %[6]s and %[3]s not like $1 || '%%' and %[5]s is not null
			limit %[8]d)
		), best as (
			select key, name, g, case when plain = $1 then 0 when plain like $1 || '%%' then 1 else 2 end as rank
			from candidate
			order by rank, length(name), key
			limit %[7]d
		)
		select b.key, b.name, b.rank, st_x(c.p), st_y(c.p)
		from best b, lateral (select st_transform(st_pointonsurface(b.g), 4326) as p) c
		order by b.rank, length(b.name), b.key`,
		ident(rel.Key), ident(nameField), name, ident(rel.Schema, rel.Table), ident(rel.Geom3857),
		strings.Join(where, " and "), searchItems, searchCandidates), args...)
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", rel.Layer, features.Kind(err))
	}
	hits, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (hit, error) {
		var h hit
		var lon, lat *float64
		err := row.Scan(&h.item.ID, &h.item.Title, &h.rank, &lon, &lat)
		if lon != nil && lat != nil {
			h.item.Center = &[2]float64{decimals(*lon), decimals(*lat)}
		}
		return h, err
	})
	if err != nil {
		return nil, fmt.Errorf("search %s: %w", rel.Layer, features.Kind(err))
	}
	return hits, nil
}
