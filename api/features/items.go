package features

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"calanque/api/answer"
	"calanque/geo"
	"calanque/geo/postgis"
)

// crs84 is the CRS of every answer: WGS 84, lon/lat.
const crs84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"

// buffers are the memory of pages, used again and again.
var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 64<<10); return &b }}

// keepBuffer is the largest buffer that goes back to the pool.
const keepBuffer = 4 << 20

// Items answers /collections/{id}/items: one page of features, and a link to
// the next. A walk by those links stays on the version it began on; when that
// is gone, it is geo.ErrGone.
func (s *Service) Items(w http.ResponseWriter, r *http.Request) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	err = s.items(w, r, c)
	if !Stale(err) {
		return err
	}
	// The layer was replaced after the catalogue was read: once more, with the new one.
	if err := s.Refresh(r.Context()); err != nil {
		return err
	}
	if c, err = s.collection(r); err != nil {
		return err
	}
	return s.items(w, r, c)
}

func (s *Service) items(w http.ResponseWriter, r *http.Request, c *Collection) error {
	rel, req, err := s.itemsRequest(r, c)
	if err != nil {
		return err
	}
	base := s.Base(r)
	if req.html {
		http.Redirect(w, r, base+mapPage(c.Layer, ""), http.StatusSeeOther)
		return nil
	}
	now := s.Now()
	w.Header().Set("Content-Crs", "<"+crs84+">")
	tag := answer.Tag(rel.Schema, rel.Table, rel.Version, rel.Revision, base, r.URL.Path, r.URL.RawQuery)
	if answer.UnchangedSince(w, r, tag, now) {
		return nil
	}
	buf := buffers.Get().(*[]byte)
	defer func() {
		if cap(*buf) <= keepBuffer {
			buffers.Put(buf)
		}
	}()
	p, err := s.read(r.Context(), rel, req.Query, (*buf)[:0])
	if err != nil {
		return err
	}
	*buf = p.features
	matched, err := s.matched(r.Context(), rel, req, p)
	if err != nil {
		return err
	}
	s.writePage(w, r, c, rel, p, matched, now)
	return nil
}

// itemsRequest reads the query string of a request, and finds the relation it
// is about: the one of its token, else the published one.
func (s *Service) itemsRequest(r *http.Request, c *Collection) (*geo.Relation, itemsRequest, error) {
	rel := &c.Relation
	v, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, itemsRequest{}, err
	}
	if v.Has("after") {
		t, err := parseToken(v.Get("after"))
		if err != nil {
			return nil, itemsRequest{}, err
		}
		if rel, err = s.relation(r.Context(), c, t); err != nil {
			return nil, itemsRequest{}, err
		}
	}
	req, err := parseItems(rel, v, s.Zone)
	return rel, req, err
}

// relation gives the layer at the version that a token names.
func (s *Service) relation(ctx context.Context, c *Collection, t token) (*geo.Relation, error) {
	if t.version == c.Version {
		return &c.Relation, nil
	}
	gone := fmt.Errorf("version %d of %s: %w", t.version, c.Layer, geo.ErrGone)
	if t.version == 0 || c.Version == 0 {
		return nil, gone
	}
	rel, err := postgis.RelationAt(ctx, s.Pool, c.Layer, t.version)
	if errors.Is(err, geo.ErrNotFound) {
		return nil, gone
	}
	if err != nil {
		return nil, err
	}
	return &rel, nil
}

// matched gives the exact number of items that a request selects; negative
// when counting them would take too long.
func (s *Service) matched(ctx context.Context, rel *geo.Relation, req itemsRequest, p page) (int64, error) {
	if req.token == nil && !p.more {
		return int64(p.n), nil // the page is everything
	}
	n, err := s.counts.count(ctx, s.Pool, rel, req.Query)
	if errors.Is(err, geo.ErrUnavailable) && ctx.Err() == nil {
		return -1, nil
	}
	return n, err
}

// writePage writes a page as a FeatureCollection.
func (s *Service) writePage(w http.ResponseWriter, r *http.Request, c *Collection, rel *geo.Relation, p page, matched int64, now time.Time) {
	links := s.itemsLinks(r, c)
	h := w.Header()
	if p.more {
		next := s.Base(r) + collectionPath(c.Layer) + "/items?" + nextQuery(r.URL.RawQuery, token{rel.Version, p.last})
		links = append(links, link{Rel: "next", Type: answer.TypeGeoJSON, Href: next, Title: "Next page"})
		h.Set("Link", "<"+next+`>; rel="next"; type="`+answer.TypeGeoJSON+`"`)
	}
	head := make([]byte, 0, 1024)
	head = append(head, `{"type":"FeatureCollection",`...)
	if matched >= 0 {
		head = append(head, `"numberMatched":`...)
		head = strconv.AppendInt(head, matched, 10)
		head = append(head, ',')
		h.Set("OGC-NumberMatched", strconv.FormatInt(matched, 10))
	}
	head = append(head, `"numberReturned":`...)
	head = strconv.AppendInt(head, int64(p.n), 10)
	head = append(head, `,"timeStamp":"`...)
	head = now.UTC().AppendFormat(head, "2006-01-02T15:04:05.000Z")
	head = append(head, `","links":`...)
	head = appendAny(head, links)
	head = append(head, ",\n\"features\":["...)
	const tail = "]}\n"
	h.Set("OGC-NumberReturned", strconv.Itoa(p.n))
	h.Set("Content-Type", answer.TypeGeoJSON)
	h.Set("Content-Length", strconv.Itoa(len(head)+len(p.features)+len(tail)))
	w.WriteHeader(http.StatusOK)
	for _, part := range [][]byte{head, p.features, []byte(tail)} {
		if _, err := w.Write(part); err != nil {
			return // the reader has left
		}
	}
}

// nextQuery is a query string with its token set to another.
func nextQuery(raw string, t token) string {
	v, err := url.ParseQuery(raw)
	if err != nil {
		v = url.Values{} // was read before
	}
	v.Set("after", t.String())
	return v.Encode()
}

// Item answers /collections/{id}/items/{key}: one feature.
func (s *Service) Item(w http.ResponseWriter, r *http.Request) error {
	c, err := s.collection(r)
	if err != nil {
		return err
	}
	html, err := onlyFormat(r.URL.RawQuery)
	if err != nil {
		return err
	}
	key, err := url.PathUnescape(s.Var(r, "key"))
	if err != nil || !utf8.ValidString(key) || strings.ContainsRune(key, 0) {
		return fmt.Errorf("item of %s: %w", c.Layer, geo.ErrNotFound)
	}
	if html {
		http.Redirect(w, r, s.Base(r)+mapPage(c.Layer, key), http.StatusSeeOther)
		return nil
	}
	err = s.item(w, r, c, key)
	if !Stale(err) {
		return err
	}
	if err := s.Refresh(r.Context()); err != nil {
		return err
	}
	if c, err = s.collection(r); err != nil {
		return err
	}
	return s.item(w, r, c, key)
}

func (s *Service) item(w http.ResponseWriter, r *http.Request, c *Collection, key string) error {
	base := s.Base(r)
	w.Header().Set("Content-Crs", "<"+crs84+">")
	if answer.Unchanged(w, r, answer.Tag(c.Schema, c.Table, c.Version, c.Revision, base, r.URL.EscapedPath())) {
		return nil
	}
	sql, args := postgis.SelectOne(&c.Relation, key)
	var body []byte
	err := s.rows(r.Context(), &c.Relation, sql, args, func(rows pgx.Rows) bool {
		body = newEncoder(&c.Relation).feature(body, rows)
		return false
	})
	if err != nil {
		return err
	}
	if body == nil {
		return fmt.Errorf("item %q of %s: %w", clip(key), c.Layer, geo.ErrNotFound)
	}
	body = append(body, `,"links":`...)
	body = appendAny(body, itemLinks(base, c.Layer, key))
	body = append(body, "}\n"...)
	answer.Write(w, answer.TypeGeoJSON, body)
	return nil
}
