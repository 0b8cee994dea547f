package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"calanque/api/account"
	"calanque/api/answer"
	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// The pages of mapping sessions. A visitor needs a code, a participant the
// cookie of their seat, a mediator an account: package account says who may.

// workshopRoutes adds the addresses of mapping sessions.
func (s *Server) workshopRoutes(get, post, open func(string, answer.Handler)) {
	const one = "/atelier/{code:[^/]{1,20}}"
	get("/atelier", s.joinPage)
	get("/atelier/nouveau", s.newSessionPage)
	post("/atelier/nouveau", s.newSession)
	get("/atelier/reprendre", s.recoverPage)
	open("/atelier/reprendre", s.recoverSession)
	get("/atelier/hors-ligne", s.awayPage)
	get(one, s.participantPage)
	open(one+"/rejoindre", s.join)
	get(one+"/place", s.seatPage)
	open(one+"/place", s.changeSeat)
	get(one+"/avance", s.aheadPage)
	open(one+"/garder", s.keepLease)
	open(one+"/reponse", s.record)
	open(one+"/annuler", s.undo)
	open(one+"/sur-place", s.onSite)
	get(one+"/conduite", s.boardPage)
	post(one+"/conduite/{act:ouvrir|phase|figer|attention|feuille|code|reprendre|decider|terminer}", s.conduct)
	get(one+"/conduite/saisie", s.entryPage)
	post(one+"/conduite/saisie", s.enterSheet)
	post(one+"/conduite/saisie/annuler", s.undoSheet)
	post(one+"/conduite/saisie/confier", s.giveSheet)
	post(one+"/dupliquer", s.duplicate)
	get(one+"/projecteur", s.wallPage)
	get(one+"/feuilles", s.sheetsPage)
	get(one+"/exports", s.exportsPage)
	post(one+"/exports/revoquer", s.revokeLinks)
	get(one+"/exports/{file:"+exportNames+"}", s.export)
	get(one+"/rapport", s.reportPage)
	get(one+"/rapport.csv", s.reportCSV)
	get(one+"/evenements", s.sessionEvents)
}

// errWrongCode is a code that opens nothing: whether it ever did is not said.
var errWrongCode = errors.New("wrong code")

// code is the code of the address, as codes are kept.
func sessionCode(r *http.Request) string {
	raw, err := url.PathUnescape(pathVar(r, "code"))
	if err != nil {
		return ""
	}
	return workshop.Normalise(raw)
}

// find looks a session up with one of the workshop's own functions. A wrong
// code is counted against where it comes from and answered by the page that
// takes codes; a right one never is.
func (s *Server) findSession(w http.ResponseWriter, r *http.Request, find func(context.Context, postgis.DB, string) (workshop.Session, error)) (workshop.Session, error) {
	session, err := find(r.Context(), s.Hub.Web, sessionCode(r))
	if errors.Is(err, geo.ErrNotFound) {
		return session, s.wrongCode(w, r, sessionCode(r))
	}
	return session, err
}

// wrongCode answers the page that takes codes, and says what to do. It returns
// errWrongCode when it has answered.
func (s *Server) wrongCode(w http.ResponseWriter, r *http.Request, typed string) error {
	p := viewer.JoinPage{Page: s.page(r, s.state.Load()), Typed: short(typed), Wrong: geo.Say("pages.wrong-code")}
	p.URL = &url.URL{Path: "/atelier"}
	status := http.StatusNotFound
	if wait := s.codes.Take(s.Now(), s.visitorAddress(r)); wait > 0 {
		status = http.StatusTooManyRequests
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		p.Wrong = geo.Say("pages.too-many-codes")
	}
	if err := s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.Join(b, p) }); err != nil {
		return err
	}
	return errWrongCode
}

// answered takes errWrongCode for what it is: answered already.
func answered(err error) error {
	if errors.Is(err, errWrongCode) {
		return nil
	}
	return err
}

// writePrivate answers a page that is for one person now and for no cache.
func (s *Server) writePrivate(w http.ResponseWriter, p viewer.Page, status int, render func(*bytes.Buffer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	h := w.Header()
	pageHeaders(h, p)
	h.Del("Access-Control-Allow-Origin")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
	return nil
}

// seeOther leads on after a form, in the same language.
func seeOther(w http.ResponseWriter, r *http.Request, path string, pairs ...string) {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if lang := r.URL.Query().Get("lg"); lang != "" {
		q.Set("lg", viewer.Lang(lang, ""))
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	http.Redirect(w, r, path, http.StatusSeeOther)
}

// shown gives the session of the address to who may see that much of it. To
// the others it is a wrong code.
func (s *Server) shown(w http.ResponseWriter, r *http.Request, action account.Action) (workshop.Session, error) {
	session, err := s.findSession(w, r, workshop.Find)
	if err != nil {
		return session, err
	}
	actor, err := s.actor(r)
	if err == nil && !account.May(actor, action, subject(&session)) {
		err = s.wrongCode(w, r, session.Code)
	}
	return session, err
}

// mediated gives the session of the address to who may run it. Anybody else is
// told nothing of it: a visitor is asked to sign in whatever the code.
func (s *Server) mediated(w http.ResponseWriter, r *http.Request) (workshop.Session, account.Actor, error) {
	actor, err := s.actor(r)
	if err != nil {
		return workshop.Session{}, actor, err
	}
	if !actor.SignedIn() {
		return workshop.Session{}, actor, errSignIn
	}
	session, err := s.findSession(w, r, workshop.Find)
	if err != nil {
		return session, actor, err
	}
	if !account.May(actor, account.Conduct, subject(&session)) {
		return session, actor, s.wrongCode(w, r, session.Code)
	}
	return session, actor, nil
}

// subject is a session as the table of who may do what sees it.
func subject(session *workshop.Session) account.Subject {
	return account.Subject{
		Session: session.ID, Mediator: session.Mediator,
		Closed: session.State == workshop.Closed || session.State == workshop.Archived,
	}
}

// room is a session as pages show it.
func (s *Server) room(session *workshop.Session) viewer.Room {
	room := viewer.Room{
		Code: session.Code, Title: session.Title, ERIC: session.Place, State: string(session.State), Frozen: session.Frozen, Phase: 1, Left: -1,
	}
	if session.AttentionLeft > 0 {
		room.Called, room.Words = int(math.Ceil(session.AttentionLeft)), session.Attention
	}
	for i, p := range workshop.Phases {
		if p == session.Phase {
			room.Phase = i + 1
		}
	}
	if ends := session.Ends(); ends != nil {
		room.Left = int(math.Ceil(ends.Sub(s.Now()).Minutes()))
	}
	return room
}

// joinAddress is where the other machines of a room find the hub: what was
// configured, else the address asked for, else this machine's own on its
// network. onlyHere says that no other machine reaches it.
func (s *Server) joinAddress(r *http.Request) (base string, onlyHere bool) {
	base = s.base(r)
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host, port = r.Host, ""
	}
	if s.PublicURL != "" || !local(host) {
		return base, false
	}
	bound, _ := s.bound.Load().(*net.TCPAddr)
	if bound == nil || bound.IP.IsLoopback() {
		return base, true
	}
	ip := bound.IP
	if ip.IsUnspecified() {
		ip = ownAddress()
	}
	if ip == nil {
		return base, true
	}
	if port == "" {
		port = strconv.Itoa(bound.Port)
	}
	return "http://" + net.JoinHostPort(ip.String(), port), false
}

func local(host string) bool {
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// ownAddress is this machine's first private IPv4 address; nil without one.
func ownAddress() net.IP {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && n.IP.IsPrivate() {
			return n.IP
		}
	}
	return nil
}

// plainAddress is an address as it is read out: without scheme.
func plainAddress(base string) string {
	_, rest, _ := strings.Cut(base, "://")
	return rest + "/atelier"
}

// newKey makes the idempotency key of one form: a UUID, version 4.
func newKey() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// wrongCodes limits guessing: a room that mistypes shares one address.
func wrongCodes() *account.Limiter { return account.NewLimiter(30, 2*time.Second) }

// number reads a small number of a form; 0 for what is none.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > 1_000_000 {
		return 0
	}
	return n
}

// id reads an identifier of a form.
func id(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// refusal gives what is wrong with an input as a sentence; ok is false for
// errors of other kinds.
func refusal(err error) (m geo.Message, ok bool) {
	var input *geo.InputError
	if errors.As(err, &input) {
		return input.Message, true
	}
	return geo.Message{}, false
}
