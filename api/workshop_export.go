package api

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/workshop"
	"calanque/viewer"
)

// linkLife is how long an editor's link can be read.
const linkLife = 2 * time.Hour

// exportNames are the files that a session hands on, as routes take them.
const exportNames = "josm.osm|changements.osc|points.gpx|taches.geojson|maproulette.geojsonl|corrections.csv|corrections.geojson"

// exportTypes are their media types. GeoJSON line by line has none of its own.
var exportTypes = map[string]string{
	"josm.osm":             "application/vnd.openstreetmap.data+xml",
	"changements.osc":      "application/xml",
	"points.gpx":           "application/gpx+xml",
	"taches.geojson":       "application/geo+json",
	"maproulette.geojsonl": "application/geo+json-seq",
	"corrections.csv":      "text/csv; charset=utf-8",
	"corrections.geojson":  "application/geo+json",
}

// export answers /atelier/{code}/exports/{file}: to whoever runs the session,
// to coordinators, what goes to OpenStreetMap to whoever has a link that was
// signed, and its own corrections to a producer.
func (s *Server) export(w http.ResponseWriter, r *http.Request) error {
	file := pathVar(r, "file")
	corrections := strings.HasPrefix(file, "corrections.")
	var session workshop.Session
	var producer string
	var err error
	if corrections {
		session, producer, err = s.forProducer(w, r)
	} else {
		session, err = s.forEditors(w, r, file)
	}
	if err != nil {
		return answered(err)
	}
	// What has come due is forgotten before anything leaves.
	if err := workshop.Sweep(r.Context(), s.Hub.Desk, s.Now()); err != nil {
		return err
	}
	var b bytes.Buffer
	if corrections {
		err = s.writeCorrections(&b, r, file, session, producer)
	} else {
		err = s.writeExport(&b, r, file, session)
	}
	if err != nil {
		return err
	}
	h := w.Header()
	if r.URL.Query().Get("jeton") == "" {
		h.Del("Access-Control-Allow-Origin") // what a login opens is for no other site
	}
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="`+file+`"`)
	h.Set("Content-Type", exportTypes[file])
	_, _ = w.Write(b.Bytes())
	return nil
}

// forEditors gives the session to who may export it towards OpenStreetMap. To
// a visitor without a link the session does not show whether it exists.
func (s *Server) forEditors(w http.ResponseWriter, r *http.Request, file string) (workshop.Session, error) {
	token := r.URL.Query().Get("jeton")
	if token == "" {
		return s.accountSession(w, r, account.ExportOSM, "")
	}
	session, err := s.findSession(w, r, workshop.Find)
	if err != nil {
		return session, err
	}
	key, err := workshop.Links(r.Context(), s.Hub.Web, session.ID)
	if err != nil {
		return session, err
	}
	link := account.Actor{}
	if key.Opens(token, session.ID, file, s.Now()) {
		link = account.Actor{Role: account.Link, Session: session.ID}
	}
	if !account.May(link, account.ExportOSM, subject(&session)) {
		return session, geo.Bad(geo.ErrForbidden, "exports.link-over")
	}
	return session, nil
}

// forProducer gives the session to who may have its corrections, and whose
// they may have: "" is all.
func (s *Server) forProducer(w http.ResponseWriter, r *http.Request) (workshop.Session, string, error) {
	actor, err := s.actor(r)
	if err != nil {
		return workshop.Session{}, "", err
	}
	session, err := s.accountSession(w, r, account.ExportCorrected, actor.Producer)
	return session, actor.Producer, err
}

// accountSession gives the session of the address to an account that may do
// something with it. To the others it is a wrong code.
func (s *Server) accountSession(w http.ResponseWriter, r *http.Request, action account.Action, producer string) (workshop.Session, error) {
	actor, err := s.actor(r)
	if err != nil {
		return workshop.Session{}, err
	}
	if !actor.SignedIn() {
		return workshop.Session{}, errSignIn
	}
	session, err := s.findSession(w, r, workshop.Find)
	if err != nil {
		return session, err
	}
	on := subject(&session)
	if producer != "" {
		producers, err := s.producersOf(r, session.Theme)
		if err != nil {
			return session, err
		}
		if slices.Contains(producers, producer) {
			on.Producer = producer
		}
	}
	if !account.May(actor, action, on) {
		return session, s.wrongCode(w, r, session.Code)
	}
	return session, nil
}

// producersOf lists whose layers a theme is compared with.
func (s *Server) producersOf(r *http.Request, theme string) ([]string, error) {
	rows, err := s.Hub.Web.Query(r.Context(), `
		select distinct d.producer_id
		from rule q
		join layer l on l.id = q.layer_id
		join dataset d on d.id = l.dataset_id
		where q.theme_id = $1
		order by 1`, theme)
	if err != nil {
		return nil, fmt.Errorf("list the producers of theme %s: %w", theme, postgis.Kind(err))
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (s *Server) writeCorrections(w io.Writer, r *http.Request, file string, session workshop.Session, producer string) error {
	list, err := workshop.ForProducer(r.Context(), s.Hub.Web, session, producer)
	if err != nil {
		return err
	}
	if file == "corrections.csv" {
		return workshop.WriteCorrectionsCSV(w, list)
	}
	return workshop.WriteCorrectionsGeoJSON(w, list)
}

func (s *Server) writeExport(w io.Writer, r *http.Request, file string, session workshop.Session) error {
	x, err := workshop.ForOSM(r.Context(), s.Hub.Web, session)
	if err != nil {
		return err
	}
	lang := viewer.Lang(r.URL.Query().Get("lg"), r.Header.Get("Accept-Language"))
	say := func(m geo.Message) string { return viewer.Sentence(lang, m) }
	switch file {
	case "josm.osm":
		return x.WriteOSM(w, say)
	case "changements.osc":
		return x.WriteOSC(w, say)
	case "points.gpx":
		return x.WriteGPX(w, say)
	case "maproulette.geojsonl":
		return x.WriteMapRoulette(w, say)
	}
	editor, err := s.editor(r, lang, &x)
	if err != nil {
		return err
	}
	return x.WriteGeoJSON(w, say, editor)
}

// editor makes links with what a changeset of the session should say: where
// the session was, and whose data it rests on. The session's code, which lets
// people join, is not in it.
func (s *Server) editor(r *http.Request, lang string, x *workshop.Export) (workshop.Editor, error) {
	e := workshop.Editor{Locale: lang, Hashtags: []string{"#calanque"}, Source: "survey"}
	var eric, title *string
	err := s.Hub.Web.QueryRow(r.Context(), `select e.id, e.title from account a left join eric e on e.id = a.eric_id where a.id = $1`,
		x.Session.Mediator).Scan(&eric, &title)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return e, fmt.Errorf("find the place of a session: %w", postgis.Kind(err))
	}
	place := x.Session.Title
	if eric != nil && title != nil {
		place = *title
		e.Hashtags = append(e.Hashtags, "#ERIC-"+*eric)
	}
	e.Comment = viewer.Say(lang, "exports.comment", "place", place)
	for _, name := range x.Layers() {
		if l := s.layer(name); l != nil {
			e.Source += ";" + l.Producer.Title.In(lang) + " – " + l.Titles.In(lang) + " (" + l.Licence.Title.In(lang) + ")"
		}
	}
	return e, nil
}

// exportsPage answers /atelier/{code}/exports: the files, the links for
// editors, and what no file can hold.
func (s *Server) exportsPage(w http.ResponseWriter, r *http.Request) error {
	session, err := s.accountSession(w, r, account.ExportOSM, "")
	if err != nil {
		return answered(err)
	}
	actor, err := s.actor(r)
	if err != nil {
		return err
	}
	p := viewer.ExportsPage{
		Page: s.page(r, s.state.Load()), Hours: int(linkLife.Hours()), CSRF: actor.CSRF, Revoked: r.URL.Query().Has("revoques"),
	}
	p.Room = s.room(&session)
	x, err := workshop.ForOSM(r.Context(), s.Hub.Web, session)
	if m, ok := refusal(err); ok {
		p.Refused = m
		err = nil
	}
	if err != nil {
		return err
	}
	if p.Refused.Code == "" {
		if err := s.fillExports(r, &p, &x); err != nil {
			return err
		}
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.Exports(b, p) })
}

func (s *Server) fillExports(r *http.Request, p *viewer.ExportsPage, x *workshop.Export) error {
	editor, err := s.editor(r, p.Lang, x)
	if err != nil {
		return err
	}
	key, err := workshop.Links(r.Context(), s.Hub.Web, x.Session.ID)
	if err != nil {
		return err
	}
	editor.GPX = s.signed(r, p, key, "points.gpx", x.Session.ID)
	p.JOSM = editor.JOSMFile(s.signed(r, p, key, "josm.osm", x.Session.ID), x.Session.Title)
	if len(x.Tasks) > 0 {
		p.ID = editor.ID(x.Tasks[0].Lon, x.Tasks[0].Lat, "")
	}
	for i := range x.Edits {
		e := &x.Edits[i]
		if e.InFile() {
			p.Proposed++
			continue
		}
		v := viewer.ByHand{Number: e.Task.Number, Ask: e.Task.Question().Ask, Why: e.Left, Object: e.Object, ID: editor.ID(e.Task.Lon, e.Task.Lat, e.Object)}
		if e.Object != "" {
			v.JOSM = editor.JOSMObject(e.Object, e)
		}
		p.ByHand = append(p.ByHand, v)
	}
	return nil
}

// signed is the address of a file that an editor may read without an account.
func (s *Server) signed(r *http.Request, p *viewer.ExportsPage, key workshop.LinkKey, file string, session int64) string {
	q := url.Values{"jeton": {key.Sign(session, file, s.Now().Add(linkLife))}, "lg": {p.Lang}}
	return s.base(r) + p.Room.Path() + "/exports/" + file + "?" + q.Encode()
}

// revokeLinks ends the links that editors were given.
func (s *Server) revokeLinks(w http.ResponseWriter, r *http.Request) error {
	session, err := s.accountSession(w, r, account.ExportOSM, "")
	if err != nil {
		return answered(err)
	}
	if err := workshop.RevokeLinks(r.Context(), s.Hub.Desk, session.Code); err != nil {
		return err
	}
	seeOther(w, r, "/atelier/"+session.Code+"/exports", "revoques", "1")
	return nil
}
