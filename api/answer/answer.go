// Package answer writes what the hub's HTTP handlers answer: bytes with a
// strong ETag, JSON, and 304 to those who already have them.
//
// Errors are not written here: handlers return them, and package api makes the
// one answer that belongs to each kind.
package answer

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The media types of the hub's answers.
const (
	TypeJSON    = "application/json"
	TypeGeoJSON = "application/geo+json"
	TypeHTML    = "text/html"
	TypeMVT     = "application/vnd.mapbox-vector-tile"
)

// Revalidate is the Cache-Control of what changes with the data: kept by
// caches, asked about at each use, answered by 304 in next to no time.
const Revalidate = "public, no-cache"

// Forever is the Cache-Control of what never changes under its URL.
const Forever = "public, max-age=31536000, immutable"

// GzipSuffix is what the ETag of a compressed answer ends with: the same
// thing in other bytes must have another strong ETag.
const GzipSuffix = "-gzip"

// A Handler answers a request or says why it can't. It has written nothing
// when it returns an error.
type Handler func(w http.ResponseWriter, r *http.Request) error

// build tells one program from another: the same data encoded by another
// program may be other bytes.
var build = sync.OnceValue(func() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	s := info.Main.Version
	for _, kv := range info.Settings {
		if kv.Key == "vcs.revision" {
			s += kv.Value
		}
	}
	return s
})

// Tag makes an ETag, without its quotes, of what an answer is made from: the
// program and the given parts.
func Tag(parts ...any) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q", build())
	for _, p := range parts {
		fmt.Fprintf(h, "|%q", fmt.Sprint(p))
	}
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:12])
}

// Unchanged sets the ETag and, when the request's If-None-Match names it,
// answers 304 and returns true.
func Unchanged(w http.ResponseWriter, r *http.Request, tag string) bool {
	return unchanged(w, r, tag, func(t string) bool { return t == tag })
}

// UnchangedSince is Unchanged for answers that say when they were made. The
// tag it sets is that of an answer made now; the one made earlier from the
// same parts still stands, and is answered by 304 under its own tag.
func UnchangedSince(w http.ResponseWriter, r *http.Request, tag string, now time.Time) bool {
	made := tag + "." + strconv.FormatInt(now.UnixMilli(), 36)
	return unchanged(w, r, made, func(t string) bool {
		base, _, _ := strings.Cut(t, ".")
		return base == tag
	})
}

func unchanged(w http.ResponseWriter, r *http.Request, tag string, same func(string) bool) bool {
	w.Header().Set("ETag", `"`+tag+`"`)
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", Revalidate)
	}
	return Held(w, r, same)
}

// Held answers 304 and returns true when the request's If-None-Match names a
// tag that is the same as what would be answered. Tags come without quotes,
// weak mark and GzipSuffix: If-None-Match compares weakly (RFC 9110, 13.1.2).
func Held(w http.ResponseWriter, r *http.Request, same func(tag string) bool) bool {
	for _, list := range r.Header.Values("If-None-Match") {
		for list != "" {
			var t string
			t, list = nextTag(list)
			if t == "" || t != "*" && !same(strings.TrimSuffix(t, GzipSuffix)) {
				continue
			}
			if t != "*" {
				w.Header().Set("ETag", `"`+t+`"`)
			}
			w.WriteHeader(http.StatusNotModified)
			return true
		}
	}
	return false
}

// nextTag takes the first entity tag off a list, without its quotes and weak
// mark. What is no tag comes as "".
func nextTag(list string) (tag, rest string) {
	list = strings.TrimLeft(list, " \t,")
	if strings.HasPrefix(list, "*") {
		return "*", ""
	}
	list = strings.TrimPrefix(list, "W/")
	if !strings.HasPrefix(list, `"`) {
		_, rest, _ = strings.Cut(list, ",")
		return "", rest
	}
	tag, rest, ok := strings.Cut(list[1:], `"`)
	if !ok {
		return "", ""
	}
	return tag, rest
}

// Bytes answers 200 with a body, its length and an ETag of its content; or 304.
func Bytes(w http.ResponseWriter, r *http.Request, contentType string, body []byte) error {
	sum := sha256.Sum256(body)
	if Unchanged(w, r, base64.RawURLEncoding.EncodeToString(sum[:12])) {
		return nil
	}
	Write(w, contentType, body)
	return nil
}

// Write answers 200 with a body and its length. The ETag is the caller's.
func Write(w http.ResponseWriter, contentType string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body) // the reader has left: there is nobody to tell
}

// JSON answers 200 with a value as JSON; or 304.
func JSON(w http.ResponseWriter, r *http.Request, contentType string, v any) error {
	body, err := Encode(v)
	if err != nil {
		return err
	}
	return Bytes(w, r, contentType, body)
}

// Encode gives the JSON of a value, with <, > and & as they are: it is never
// part of a page.
func Encode(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	return []byte(b.String()), nil
}
