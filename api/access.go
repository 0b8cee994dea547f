package api

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"

	"calanque/api/account"
	"calanque/api/answer"
	"calanque/geo"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// errSignIn is a request that only an account may make.
var errSignIn = errors.New("sign in first")

// errTooLarge is a form that is longer than any of ours.
var errTooLarge = errors.New("request too large")

// maxForm is the longest body of a form, in bytes.
const maxForm = 64 << 10

type actorKey struct{}

// A lookup finds out who asks, when that is first needed: most requests are
// for tiles, which are the same for everybody.
type lookup struct {
	once  sync.Once
	actor account.Actor
	err   error
}

// identified lets handlers ask who is there.
func (s *Server) identified(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), actorKey{}, &lookup{})))
	})
}

// actor is who asks: the account whose login the cookie is, else a visitor.
func (s *Server) actor(r *http.Request) (account.Actor, error) {
	look, ok := r.Context().Value(actorKey{}).(*lookup)
	if !ok {
		return account.Actor{}, nil
	}
	look.once.Do(func() {
		if token := s.loginToken(r); token != "" {
			look.actor, look.err = account.Who(r.Context(), s.Hub.Web, s.Hub.Desk, token, s.Now())
		}
		if look.err == nil && !look.actor.SignedIn() {
			look.actor, look.err = s.resumed(r)
		}
	})
	return look.actor, look.err
}

// require gives who asks when they may do something; else errSignIn for a
// visitor, whom an account might help, and geo.ErrForbidden for the others.
func (s *Server) require(r *http.Request, action account.Action, on account.Subject) (account.Actor, error) {
	actor, err := s.actor(r)
	switch {
	case err != nil:
		return actor, err
	case account.May(actor, action, on):
		return actor, nil
	case actor.Role == account.Visitor:
		return actor, errSignIn
	}
	return actor, geo.ErrForbidden
}

// signedIn is who asks, as pages show it; nil for a visitor. A database that
// is away makes everybody one: the map stays.
func (s *Server) signedIn(r *http.Request) *viewer.SignedIn {
	actor, err := s.actor(r)
	if err != nil {
		s.Log.Debug("who asks is not known", "request", requestID(r), "err", err)
	}
	if err != nil || !actor.SignedIn() || actor.Login == "" {
		return nil
	}
	return &viewer.SignedIn{
		Login: actor.Login, Role: string(actor.Role), CSRF: actor.CSRF,
		Judge: account.May(actor, account.Judge, account.Subject{}),
	}
}

// own lets a form pass that came from a page of the hub itself, whoever sent
// it: to its handler, everybody is a visitor.
func (s *Server) own(h answer.Handler) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		r = r.WithContext(context.WithValue(r.Context(), actorKey{}, nil))
		if err := s.readForm(w, r); err != nil {
			return err
		}
		return h(w, r)
	}
}

// confirmed lets a form pass that came from a page of the hub itself and, when
// they who sent it are signed in, carries the mark of their login.
func (s *Server) confirmed(h answer.Handler) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if err := s.readForm(w, r); err != nil {
			return err
		}
		actor, err := s.actor(r)
		if err != nil {
			return err
		}
		csrf := r.PostForm.Get("csrf")
		if csrf == "" {
			csrf = r.Header.Get("X-CSRF-Token")
		}
		if actor.SignedIn() && !actor.Confirms(csrf) {
			return geo.Bad(geo.ErrForbidden, "account.unconfirmed")
		}
		if actor.SignedIn() {
			r = r.WithContext(workshop.As(r.Context(), actor.ID))
		}
		return h(w, r)
	}
}

// readForm refuses what another site sends, and reads the form.
func (s *Server) readForm(w http.ResponseWriter, r *http.Request) error {
	if !s.sameOrigin(r) {
		return geo.Bad(geo.ErrForbidden, "account.other-site")
	}
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return errTooLarge
		}
		return &geo.ParamError{Param: "form", Value: "…", Want: "want application/x-www-form-urlencoded"}
	}
	return nil
}

// sameOrigin reports whether a request came from a page of the hub, by what
// the browser says and no page can change: Sec-Fetch-Site, else Origin. One
// without either is a script's or an old browser's: the mark in the form
// decides alone.
func (s *Server) sameOrigin(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return true
	case "":
	default:
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" || origin == s.base(r) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && u.Host != "" && u.Host == r.Host
}

// secure reports whether visitors come by TLS, to the hub or to a proxy.
func (s *Server) secure(r *http.Request) bool { return strings.HasPrefix(s.base(r), "https:") }

// loginCookie is the name of the cookie of a login. Behind TLS browsers hold
// what __Host- promises: no other host and no plain page can have set it.
func (s *Server) loginCookie(r *http.Request) string {
	if s.secure(r) {
		return "__Host-calanque"
	}
	return "calanque"
}

func (s *Server) loginToken(r *http.Request) string {
	c, err := r.Cookie(s.loginCookie(r))
	if err != nil {
		return ""
	}
	return c.Value
}

// keepLogin gives the browser a login until it is closed: the machine may be
// everybody's. An empty token takes it away.
func (s *Server) keepLogin(w http.ResponseWriter, r *http.Request, token string) {
	c := &http.Cookie{
		Name: s.loginCookie(r), Value: token, Path: "/",
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: s.secure(r),
	}
	if token == "" {
		c.MaxAge = -1
	}
	http.SetCookie(w, c)
}

// visitorAddress is where a request comes from, for counting mistakes in
// memory: never stored, never logged. Of IPv6 it is the network, because one
// machine has as many addresses as it likes.
func (s *Server) visitorAddress(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if list := r.Header.Values("X-Forwarded-For"); s.TrustProxy && len(list) > 0 {
		// Each proxy appends who it heard from: only the last is ours.
		all := strings.Join(list, ",")
		host = strings.TrimSpace(all[strings.LastIndexByte(all, ',')+1:])
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	ip = ip.Unmap()
	if ip.Is6() {
		if net, err := ip.WithZone("").Prefix(64); err == nil {
			return net.String()
		}
	}
	return ip.String()
}

// signInAddress is the page that signs in and leads back to what was asked.
func signInAddress(r *http.Request) string {
	q := url.Values{}
	if r.Method == http.MethodGet {
		q.Set("vers", r.URL.RequestURI())
	} else if back := ownPath(r.PostForm.Get("vers")); back != "" {
		q.Set("vers", back)
	}
	if lang := r.FormValue("lg"); lang != "" {
		q.Set("lg", lang)
	}
	if len(q) == 0 {
		return "/connexion"
	}
	return "/connexion?" + q.Encode()
}

// ownPath gives a path and query of the hub as they came, "" for everything
// that might lead a browser elsewhere.
func ownPath(s string) string {
	if len(s) > 2000 || !strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.ContainsAny(s, "\\\r\n\t\x00") {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.IsAbs() || u.Host != "" {
		return ""
	}
	return s
}
