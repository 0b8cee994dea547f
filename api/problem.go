package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gorilla/mux"

	"calanque/api/answer"
	"calanque/geo"
	"calanque/viewer"
)

// errMethod is a request with a method that its address does not answer.
var errMethod = errors.New("method not allowed")

// A kind is how one kind of error is answered.
type kind struct {
	err    error
	status int
	slug   string // end of the problem's type
	title  string
}

// kinds maps the hub's errors to HTTP, the first that fits. What is in none of
// them is the server's own mistake.
var kinds = []kind{
	{geo.ErrNotFound, http.StatusNotFound, "not-found", "There is no such thing"},
	{geo.ErrGone, http.StatusGone, "gone", "It was here and is no more"},
	{errMethod, http.StatusMethodNotAllowed, "method-not-allowed", "This address does not answer that method"},
	{geo.ErrUnavailable, http.StatusServiceUnavailable, "unavailable", "Try again later"},
	{context.DeadlineExceeded, http.StatusServiceUnavailable, "unavailable", "Try again later"},
	{errSignIn, http.StatusUnauthorized, "sign-in", "Who asks must be signed in"},
	{geo.ErrForbidden, http.StatusForbidden, "forbidden", "Who asks may not do this"},
	{errTooLarge, http.StatusRequestEntityTooLarge, "too-large", "The request is too long"},
	{geo.ErrConflict, http.StatusConflict, "conflict", "Something else is changing this"},
	{geo.ErrExists, http.StatusConflict, "exists", "The name is taken"},
	{geo.ErrInvalid, http.StatusBadRequest, "invalid", "The request can't be answered as it is"},
}

// ownMistake is the kind of an error that nobody expected.
var ownMistake = kind{nil, http.StatusInternalServerError, "internal", "The server made a mistake"}

func kindOf(err error) kind {
	for _, k := range kinds {
		if errors.Is(err, k.err) {
			return k
		}
	}
	return ownMistake
}

// A problem is an error as RFC 9457 writes it.
type problem struct {
	Type      string         `json:"type"`
	Title     string         `json:"title"`
	Status    int            `json:"status"`
	Detail    string         `json:"detail,omitempty"`
	Instance  string         `json:"instance,omitempty"` // the request, as the log calls it
	Parameter string         `json:"parameter,omitempty"`
	Value     string         `json:"value,omitempty"`
	Want      string         `json:"want,omitempty"`
	Code      string         `json:"code,omitempty"`
	Args      map[string]any `json:"args,omitempty"`
}

const problemType = "urn:calanque:problem:"

// retryAfter is how many seconds a reader should wait after a 503.
const retryAfter = "5"

// describe makes the problem of an error. Only what readers may know is in it:
// never the text of an error of the database.
func describe(r *http.Request, err error) problem {
	k := kindOf(err)
	p := problem{Type: problemType + k.slug, Title: k.title, Status: k.status}
	var param *geo.ParamError
	var input *geo.InputError
	switch {
	case errors.As(err, &param):
		p.Type, p.Title = problemType+"invalid-parameter", "A parameter is wrong"
		p.Parameter, p.Value, p.Want = param.Param, param.Value, param.Want
		p.Detail = fmt.Sprintf("%s: %s", param.Param, param.Want)
	case errors.As(err, &input):
		p.Code, p.Args = input.Code, input.Args
		p.Detail = viewer.Sentence("en", input.Message)
	case k.status == http.StatusNotFound:
		p.Detail = "Nothing is at " + r.URL.EscapedPath() + ". The collections are listed at /api/collections."
	case k.status == http.StatusGone:
		p.Detail = "The version that this walk began on is no longer kept. Start again at the first page, without the parameter after."
	case k.status == http.StatusMethodNotAllowed:
		p.Detail = r.Method + " is not answered here; the header Allow says what is."
	case k.status == http.StatusServiceUnavailable:
		p.Detail = "The database is away, too busy or too slow for this. Ask again in " + retryAfter + " seconds."
	case k.status == http.StatusInternalServerError:
		p.Detail = "It has been written to the server's log under the name in instance."
	}
	return p
}

// writeProblem answers an error: as a page to those who prefer one, else as
// problem+json. It is the only place that does.
func (s *Server) writeProblem(w http.ResponseWriter, r *http.Request, err error) {
	p := describe(r, err)
	if p.Status >= http.StatusInternalServerError {
		p.Instance = "urn:calanque:request:" + requestID(r)
		s.logFailure(r, p.Status, err)
	}
	h := w.Header()
	for _, name := range []string{"ETag", "Content-Length", "Content-Encoding", "Content-Crs", "Content-Disposition", "Link"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	switch p.Status {
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	case http.StatusMethodNotAllowed:
		if h.Get("Allow") == "" {
			h.Set("Allow", methods)
		}
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Cookie realm="calanque"`)
		if prefersPage(r) {
			http.Redirect(w, r, signInAddress(r), http.StatusSeeOther)
			return
		}
	}
	if prefersPage(r) && s.problemPage(w, r, p, err) == nil {
		return
	}
	body, err := answer.Encode(p)
	if err != nil {
		body = []byte(`{"status":500}`)
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_, _ = w.Write(body)
}

// logFailure writes down what was not answered: a mistake of ours is an error,
// a database that is away a warning, and that someone waits for us to be ready
// is neither.
func (s *Server) logFailure(r *http.Request, status int, err error) {
	log := s.Log.Error
	switch {
	case r.URL.Path == "/readyz", errors.Is(err, context.Canceled):
		log = s.Log.Debug
	case status == http.StatusServiceUnavailable:
		log = s.Log.Warn
	}
	log("request not answered", "request", requestID(r), "method", r.Method, "path", r.URL.Path, "status", status, "err", err)
}

// prefersPage reports whether an error is for a person: a browser asked for an
// address that is not the API's.
func prefersPage(r *http.Request) bool {
	for _, prefix := range []string{"/api", "/tiles/", "/assets/", "/image/", "/recherche", "/communes.json", "/healthz", "/readyz"} {
		if strings.HasPrefix(r.URL.Path, prefix) {
			return false
		}
	}
	for _, part := range strings.Split(r.Header.Get("Accept"), ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.TrimSpace(kind) {
		case "text/html", "application/xhtml+xml":
			return true
		case "application/json", "application/problem+json":
			return false
		}
	}
	return false
}

func notFound(http.ResponseWriter, *http.Request) error { return geo.ErrNotFound }

// methodNotAllowed says which methods an address does answer.
func methodNotAllowed(m *mux.Router) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		var allow []string
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodOptions} {
			try := r.Clone(r.Context())
			try.Method = method
			if match := (mux.RouteMatch{}); m.Match(try, &match) && match.MatchErr == nil {
				allow = append(allow, method)
			}
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		return errMethod
	}
}
