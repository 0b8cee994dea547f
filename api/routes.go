package api

import (
	"net/http"

	"github.com/gorilla/mux"

	"calanque/api/answer"
)

// methods are those that reading routes answer, and all that other sites may
// ask with.
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
	// post is for forms of people who may be signed in: the handler knows them
	// by s.actor, and their form has confirmed it. open is for forms of those
	// who never have an account; to its handlers everybody is a visitor.
	post := func(path string, h answer.Handler) { m.Handle(path, s.handle(s.confirmed(h))).Methods(http.MethodPost) }
	open := func(path string, h answer.Handler) { m.Handle(path, s.handle(s.own(h))).Methods(http.MethodPost) }
	// send is open for forms with a file.
	send := func(path string, h answer.Handler) { m.Handle(path, s.handle(s.sent(h))).Methods(http.MethodPost) }
	// raw is for forms with files: their handlers read them as they come.
	raw := func(path string, h answer.Handler) { m.Handle(path, s.handle(h)).Methods(http.MethodPost) }
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

	s.portalRoutes(get)
	get("/carte", s.mapPage)
	get("/aide", s.helpPage)
	get("/carte/verdict", s.desk)
	post("/carte/verdict", s.judge)
	get("/connexion", s.signInPage)
	open("/connexion", s.signIn)
	post("/deconnexion", s.signOut)
	s.workshopRoutes(get, post, open)
	s.fileRoutes(get)
	s.reportRoutes(get, post, open)
	s.reuseRoutes(get, post, open, send)
	s.machineRoutes(get)
	s.chainRoutes(get, post)
	s.censusRoutes(get, post, raw)
	s.bureauRoutes(get, post, raw)
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
	m.MethodNotAllowedHandler = s.handle(methodNotAllowed(m))
	return m
}

// pathVar gives a part of the path by its name in routes, percent-encoded as
// it came.
func pathVar(r *http.Request, name string) string { return mux.Vars(r)[name] }

func options(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", methods)
	w.WriteHeader(http.StatusNoContent)
}
