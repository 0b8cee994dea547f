package catalogue

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A SearchQuery is what a person asks of the catalogue. Values of one facet
// widen it (or), facets narrow each other (and); none means all.
type SearchQuery struct {
	Text        string
	Lang        string   // of the labels that are given back: "fr", "en", "it"
	Topics      []string // ids
	Producers   []string // ids
	Territories []string // "D13", "R93"
	Licences    []string // ids
	Formats     []string // "csv", "gpkg", "wfs"…
	Wants       []string // WantMap, WantFile, WantCompare, WantLink
	Fresh       string   // delivered within a "month" or a "year"; "" for all
	Sort        string   // SortRelevance, SortRecent or SortTitle; "" is the first
	Limit       int      // of hits, 20 when 0
	Offset      int
}

// The orders of results.
const (
	SortRelevance = "relevance"
	SortRecent    = "recent"
	SortTitle     = "title"
)

// What a person may want of a dataset.
const (
	WantMap     = "map"     // to see it on the map
	WantFile    = "file"    // to download it
	WantCompare = "compare" // to compare it with OpenStreetMap
	WantLink    = "link"    // it is at its producer's only
)

// The limits of a question.
const (
	searchLength = 200 // characters; the rest is not read
	searchWords  = 12
	searchDepth  = 10_000 // results that can be paged through
)

// A SearchHit is a dataset that was found, with what its row shows.
type SearchHit struct {
	ID            geo.DatasetID
	Slug          string
	Title         geo.Text
	Summary       geo.Text // its description, whole
	Producer      string   // id
	ProducerTitle geo.Text
	Licence       string // id
	LicenceTitle  geo.Text
	Delivered     *time.Time
	Frequency     string
	Formats       []string
	Wants         []string
	Topics        []string
	Layer         string // its first layer, "" without any
	URL           string // of what is at its producer's only
	Documents     int    // administrative ones
	Score         float64
}

// A FacetCount is how many of the results a value of a facet would leave.
type FacetCount struct {
	Value string
	Title geo.Text // nil where the dictionaries say it: wants, formats, freshness
	Count int
}

// A Place is a commune, department or the region that a question names.
type Place struct {
	Code string // "13055", "D13", "R93"
	Kind string // "commune", "department", "region"
	Name string
}

// A SearchResult is one page of what was found, and the facets of all of it.
type SearchResult struct {
	Total     int
	Hits      []SearchHit
	Facets    map[string][]FacetCount // "topic", "producer", "territory", "licence", "format", "want", "fresh"
	Place     *Place
	Corrected string // the question as it was understood, when a word was misspelt; else ""
	Relaxed   bool   // nothing had all the words: these have some
}

// A Finder searches the public part of the catalogue. It keeps what never
// changes (facet profiles, base forms of synonyms); it is safe for concurrent
// use.
type Finder struct {
	pool Pool

	mu       sync.Mutex
	profiles map[int32]*profile
	words    [len(facetNames)]vocabulary
	lexemes  map[string][]stems // of phrases; none for small words
}

// A Pool is where a Finder takes its connections.
type Pool interface {
	postgis.DB
	BeginTx(context.Context, pgx.TxOptions) (pgx.Tx, error)
}

// NewFinder makes one over a database.
func NewFinder(pool Pool) *Finder {
	return &Finder{pool: pool, profiles: map[int32]*profile{}, lexemes: map[string][]stems{}}
}

// Search finds datasets: by all words of the question or what means the same,
// near the place it names; when nothing has all of them, by some. Words that
// the catalogue does not know are taken for the nearest that it does.
func (f *Finder) Search(ctx context.Context, q SearchQuery) (SearchResult, error) {
	q.Text = firstRunes(q.Text, searchLength)
	if q.Limit <= 0 {
		q.Limit = 20
	}
	q.Offset = min(max(q.Offset, 0), searchDepth)
	if _, known := pages[q.Sort]; !known {
		return SearchResult{}, &geo.ParamError{Param: "sort", Value: q.Sort, Want: "want relevance, recent or title"}
	}
	var res SearchResult
	err := pgx.BeginTxFunc(ctx, f.pool, pgx.TxOptions{BeginQuery: "begin read only; " + plansKept}, func(tx pgx.Tx) (err error) {
		res, err = f.search(ctx, tx, q)
		return err
	})
	return res, err
}

// Most statements of a search look at a few rows: their plans are made once for
// a connection. The one that finds is planned for the words that are asked.
const (
	plansKept = "set local plan_cache_mode = force_generic_plan"
	plansMade = "set local plan_cache_mode = force_custom_plan"
)

func (f *Finder) search(ctx context.Context, db postgis.DB, q SearchQuery) (SearchResult, error) {
	asked, err := f.understand(ctx, db, q.Text)
	if err != nil {
		return SearchResult{}, err
	}
	found, err := f.find(ctx, db, q, asked, false)
	if err != nil {
		return SearchResult{}, err
	}
	relaxed := false
	if len(found.groups) == 0 && (len(asked.units) > 1 || asked.place != nil && len(asked.units) > 0) {
		relaxed = true
		if found, err = f.find(ctx, db, q, asked, true); err != nil {
			return SearchResult{}, err
		}
	}
	res := SearchResult{Place: asked.place, Corrected: asked.corrected, Relaxed: relaxed && len(found.groups) > 0}
	if err := f.count(ctx, db, q, found.groups, &res); err != nil {
		return SearchResult{}, err
	}
	if res.Hits, err = f.hits(ctx, db, found.top); err != nil {
		return SearchResult{}, err
	}
	return res, nil
}

func firstRunes(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n])
}

// hits gives what rows show, in the order of top.
func (f *Finder) hits(ctx context.Context, db postgis.DB, top []scored) ([]SearchHit, error) {
	ids := make([]geo.DatasetID, len(top))
	for i, t := range top {
		ids[i] = t.id
	}
	rows, err := db.Query(ctx, `
		select d.id, d.slug, d.title, d.description, d.producer_id, p.title, d.licence_id, l.title, e.delivered_at,
			coalesce(d.frequency, ''), s.facets,
			coalesce((select y.name from layer_version lv join layer y on y.id = lv.layer_id
				where lv.version_id = d.published_id order by lv.geometry_type = 'none', y.position, y.name limit 1), ''),
			coalesce((select r.url from resource r where r.dataset_id = d.id and r.public and r.deleted_at is null
				and r.kind in ('reference', 'service') order by r.position, r.name limit 1), d.landing_page, ''),
			(select count(*) from resource r where r.dataset_id = d.id and r.public and r.deleted_at is null and r.kind = 'administrative')
		from public_dataset d
		join search_entry e on e.dataset_id = d.id
		join search_profile s on s.id = e.profile_id
		join producer p on p.id = d.producer_id
		join licence l on l.id = d.licence_id
		where d.id = any ($1)`, ids)
	if err != nil {
		return nil, fmt.Errorf("read what was found: %w", postgis.Kind(err))
	}
	list := make([]SearchHit, len(top))
	var h SearchHit
	var is facets
	_, err = pgx.ForEachRow(rows, []any{
		&h.ID, &h.Slug, &h.Title, &h.Summary, &h.Producer, &h.ProducerTitle, &h.Licence, &h.LicenceTitle, &h.Delivered,
		&h.Frequency, &is, &h.Layer, &h.URL, &h.Documents,
	}, func() error {
		i := slices.Index(ids, h.ID)
		h.Formats, h.Wants, h.Topics, h.Score = is.Format, is.Want, is.Topic, top[i].score
		if !slices.Contains(h.Wants, WantLink) {
			h.URL = ""
		}
		list[i] = h
		h, is = SearchHit{}, facets{}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read what was found: %w", postgis.Kind(err))
	}
	// What was withdrawn between the two questions is not shown.
	return slices.DeleteFunc(list, func(h SearchHit) bool { return h.ID == 0 }), nil
}
