package api

import (
	"net/http"

	"github.com/gorilla/mux"

	"calanque/api/answer"
)

// methods are those that every route answers: nothing can be written before
// accounts exist.
const methods = "GET, HEAD, OPTIONS"

// routes is every address of the hub.
func (s *Server) routes() http.Handler {
	// Keys may hold a slash, written %2F; a path is never cleaned by redirect,
	// which would lose a body.
	m := mux.NewRouter().UseEncodedPath().SkipClean(true)
	get := func(path string, h answer.Handler) {
		m.Handle(path, s.handle(h)).Methods(http.MethodGet, http.MethodHead)
		m.Handle(path, http.HandlerFunc(options)).Methods(http.MethodOptions)
	}
	f := s.features
	get("/api", f.Landing)
	get("/api/", f.Landing)
	get("/api/api", f.OpenAPI)
	get("/api/conformance", f.Conformance)
	get("/api/collections", f.Collections)
	get("/api/collections/{collection}", f.Collection)
	get("/api/collections/{collection}/items", f.Items)
	get("/api/collections/{collection}/items/{key}", f.Item)

	get("/tiles/{layer}.json", s.tileJSON)
	get("/tiles/{layer}/{z}/{x}/{y}.mvt", s.tile)
	get("/tiles/{layer}/{z}/{x}/{y}.pbf", s.tile) // what older clients insist on

	get("/", s.mapPage)
	get("/carte", s.mapPage)
	get("/aide", s.helpPage)
	get("/image/{layer}.svg", s.picture)
	get("/recherche", s.search)
	get("/communes.json", s.communes)
	get("/telecharger/{collection}.geojson", f.DownloadGeoJSON)
	get("/telecharger/{collection}.csv", f.DownloadCSV)
	get("/assets/{file:.+}", s.asset)
	get("/favicon.ico", s.favicon)
	get("/robots.txt", s.robots)

	get("/healthz", s.health)
	get("/readyz", s.ready)

	m.NotFoundHandler = s.handle(notFound)
	m.MethodNotAllowedHandler = s.handle(methodNotAllowed)
	return m
}

// pathVar gives a part of the path by its name in routes, percent-encoded as
// it came.
func pathVar(r *http.Request, name string) string { return mux.Vars(r)[name] }

func options(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", methods)
	w.WriteHeader(http.StatusNoContent)
}
