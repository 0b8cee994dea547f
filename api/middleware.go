package api

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/klauspost/compress/gzhttp"

	"calanque/api/answer"
	"calanque/geo"
)

// compressFrom is the smallest body that is worth compressing, in bytes: less
// fits a packet anyway.
const compressFrom = 1000

// slow is a request that the log should show.
const slow = 2 * time.Second

// middleware wraps the router, so that it holds for 404 and 405 too, which
// mux's own middleware skips.
func (s *Server) middleware(next http.Handler) http.Handler {
	gzip, err := gzhttp.NewWrapper(
		gzhttp.MinSize(compressFrom),
		gzhttp.CompressionLevel(5),
		gzhttp.SuffixETag(answer.GzipSuffix),
		gzhttp.ContentTypeFilter(compressible),
	)
	if err != nil {
		panic(err) // the options are constants
	}
	return s.logged(secured(s.recovered(s.identified(gzip(next)))))
}

// compressible reports whether a type is text. Tiles come compressed already.
func compressible(contentType string) bool {
	kind, _, _ := strings.Cut(contentType, ";")
	kind = strings.TrimSpace(kind)
	switch {
	case kind == eventStream: // compressing would keep them back
		return false
	case strings.HasPrefix(kind, "text/"), strings.HasSuffix(kind, "json"), strings.HasSuffix(kind, "+xml"):
		return true
	}
	switch kind {
	case "application/javascript", "application/xml", "application/wasm", "image/x-icon":
		return true
	}
	return false
}

// secured sets the headers of every answer: anyone may read from anywhere, and
// nothing is taken for what it is not. Pages set their own policy over this.
func secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Access-Control-Expose-Headers", "Link, ETag, Content-Crs, OGC-NumberMatched, OGC-NumberReturned, Retry-After, X-Request-Id")
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", methods)
			h.Set("Access-Control-Allow-Headers", "Accept, Accept-Language, If-None-Match, Range, X-Request-Id")
			h.Set("Access-Control-Max-Age", "86400")
		}
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		next.ServeHTTP(w, r)
	})
}

// recovered makes a panic a 500 when nothing has been written yet; else it
// ends the connection, so that half an answer is not taken for a whole one.
func (s *Server) recovered(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			s.Log.Error("panic", "request", requestID(r), "panic", v, "stack", string(debug.Stack()))
			if begun(w) {
				panic(http.ErrAbortHandler)
			}
			s.writeProblem(w, r, fmt.Errorf("panic: %v", v))
		}()
		next.ServeHTTP(w, r)
	})
}

// handle makes a handler of one that returns errors.
func (s *Server) handle(h answer.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.URL.RawQuery) > maxQuery {
			s.writeProblem(w, r, &geo.ParamError{Param: "query", Value: "…", Want: fmt.Sprintf("want at most %d bytes", maxQuery)})
			return
		}
		if err := h(w, r); err != nil {
			s.writeProblem(w, r, err)
		}
	})
}

// maxQuery is the longest query string that is read, in bytes.
const maxQuery = 8 << 10

type requestKey struct{}

// requestID is what the log calls a request.
func requestID(r *http.Request) string {
	id, _ := r.Context().Value(requestKey{}).(string)
	return id
}

// logged names each request and writes down how it went.
func (s *Server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !plainID(id) {
			var b [8]byte
			_, _ = rand.Read(b[:]) // never fails
			id = hex.EncodeToString(b[:])
		}
		w.Header().Set("X-Request-Id", id)
		watched := &watcher{ResponseWriter: w}
		began := time.Now()
		next.ServeHTTP(watched, r.WithContext(context.WithValue(r.Context(), requestKey{}, id)))
		took := time.Since(began)
		log := s.Log.Debug
		if took > slow && !strings.HasPrefix(r.URL.Path, "/telecharger/") {
			log = s.Log.Warn
		}
		log("request", "request", id, "method", r.Method, "path", r.URL.Path, "status", watched.status, "bytes", watched.bytes, "took", took)
	})
}

func plainID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// A watcher counts what is written through it.
type watcher struct {
	http.ResponseWriter
	status int
	bytes  int64
}

func (w *watcher) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *watcher) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (w *watcher) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Flush sends what has been written: the compressing writer asks for it by
// this method alone.
func (w *watcher) Flush() { _ = http.NewResponseController(w.ResponseWriter).Flush() }

// begun reports whether an answer has left already.
func begun(w http.ResponseWriter) bool {
	watched, ok := w.(*watcher)
	return ok && watched.status != 0
}
