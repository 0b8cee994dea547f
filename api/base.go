package api

import (
	"net/http"
	"strings"
)

// base is the address of the hub as the visitor sees it, without a slash at
// its end: what was configured, else what was asked for.
func (s *Server) base(r *http.Request) string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	scheme, host := "http", r.Host
	if r.TLS != nil {
		scheme = "https"
	}
	if s.TrustProxy {
		if proto := first(r.Header.Get("X-Forwarded-Proto")); proto == "http" || proto == "https" {
			scheme = proto
		}
		if h := first(r.Header.Get("X-Forwarded-Host")); plainHost(h) {
			host = h
		}
	}
	if !plainHost(host) {
		host = "localhost" // what no browser sends
	}
	return scheme + "://" + host
}

// first gives the first of a list: each proxy appends its own.
func first(list string) string {
	s, _, _ := strings.Cut(list, ",")
	return strings.TrimSpace(s)
}

// plainHost reports whether a host is one, with or without a port: it is
// written into links.
func plainHost(h string) bool {
	if h == "" || len(h) > 255 {
		return false
	}
	for _, c := range []byte(h) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._:[]", c) >= 0) {
			return false
		}
	}
	return true
}
