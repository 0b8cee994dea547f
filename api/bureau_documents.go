package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/ingest"
	"calanque/viewer"
)

// What a desk may link to a dataset.
var (
	documentKinds = []string{"administrative", "documentation", "file", "reference", "service"}
	documentTypes = []string{"deliberation", "convention", "avis", "clause", "other"}
)

func unmarshal(b []byte, v any) error { return json.Unmarshal(b, v) }

// slugOf makes an address of a title.
func slugOf(title string) string {
	s := strings.ReplaceAll(ingest.ColumnName(title), "_", "-")
	if len(s) > 60 {
		s = strings.TrimRight(s[:60], "-")
	}
	return strings.Trim(s, "-")
}

// deskResources are what a desk may change of a dataset's resources.
func deskResources(e *catalogue.Entry) []viewer.DeskResource {
	var list []viewer.DeskResource
	for _, r := range e.Resources {
		if r.Kind == catalogue.LayerResource {
			continue
		}
		d := viewer.DeskResource{
			Name: r.Name, Kind: string(r.Kind), Title: r.Title, URL: r.URL, File: r.Filename, Bytes: r.Bytes, Public: r.Public, Format: r.Format,
		}
		if r.Document != nil {
			d.Type, d.Number, d.Date, d.Body = r.Document.Type, r.Document.Number, r.Document.Date, r.Document.Body
		}
		list = append(list, d)
	}
	return list
}

// documentsPage answers the documents, links and services of a dataset.
func (s *Server) documentsPage(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.desked(r, account.Describe)
	if err != nil {
		return err
	}
	return s.writeDocuments(w, r, &e, actor, http.StatusOK, viewer.DocumentForm{Kind: "administrative"}, nil)
}

func (s *Server) writeDocuments(w http.ResponseWriter, r *http.Request, e *catalogue.Entry, actor account.Actor, status int, f viewer.DocumentForm, faults []viewer.FieldFault) error {
	q := r.URL.Query()
	p := viewer.DocumentsPage{
		Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Slug: e.Slug, Name: e.Title, List: deskResources(e), F: f, Faults: faults,
		Notice: deskNotice(q.Get("fait")), Max: maxDocument >> 20, Types: documentTypes, Kinds: documentKinds,
	}
	if p.Notice == "retire" {
		p.Undo = q.Get("nom")
	}
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.Documents(b, p) })
}

// addDocument links a document, a file, a reference or a service.
func (s *Server) addDocument(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.desked(r, account.Describe)
	if err != nil {
		return err
	}
	form, file, err := s.receive(w, r, actor, maxDocument, documentFile)
	typed := typedDocument(form)
	if m, refused := refusal(err); refused {
		return s.writeDocuments(w, r, &e, actor, deskStatus(err), typed, []viewer.FieldFault{{Field: "file", Message: m}})
	}
	if err != nil {
		return err
	}
	res, faults := resourceOf(&typed, file, &e)
	if len(faults) == 0 {
		err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error {
			if file != nil {
				if err := catalogue.KeepBlob(r.Context(), tx, file.Blob); err != nil {
					return err
				}
			}
			_, err := catalogue.PutResource(r.Context(), tx, e.Slug, res, catalogue.By{Account: actor.ID})
			return err
		})
		if err == nil {
			seeOther(w, r, "/bureau/jeux/"+e.Slug+"/documents", "fait", "document")
			return nil
		}
		list := catalogue.Every(err)
		if len(list) == 0 {
			return err
		}
		for _, f := range list {
			field, _ := f.Args["field"].(string)
			faults = append(faults, viewer.FieldFault{Field: field, Message: f.Message})
		}
	}
	return s.writeDocuments(w, r, &e, actor, http.StatusUnprocessableEntity, typed, faults)
}

func typedDocument(v url.Values) viewer.DocumentForm {
	get := func(name string) string { return strings.TrimSpace(v.Get(name)) }
	return viewer.DocumentForm{
		Kind: get("genre"), TitleFR: get("titre-fr"), TitleEN: get("titre-en"), TitleIT: get("titre-it"), URL: get("adresse"),
		Type: get("type"), Number: get("numero"), Date: get("date"), Body: get("organisme"), Format: get("format"), Private: get("interne") == "1",
	}
}

// resourceOf is the resource that a form makes.
func resourceOf(f *viewer.DocumentForm, file *received, e *catalogue.Entry) (catalogue.Resource, []viewer.FieldFault) {
	var faults []viewer.FieldFault
	fault := func(field, code string, args ...any) {
		faults = append(faults, viewer.FieldFault{Field: field, Message: geo.Say(code, append([]any{"field", field}, args...)...)})
	}
	title := geo.Text{}
	for lang, s := range map[string]string{"fr": f.TitleFR, "en": f.TitleEN, "it": f.TitleIT} {
		if s != "" {
			title[lang] = s
		}
	}
	if title["fr"] == "" {
		fault("title", "put.required", "value", "")
	}
	r := catalogue.Resource{
		Name: freeName(slugOf(title.In("fr")), e), Kind: catalogue.ResourceKind(f.Kind), Title: title, Format: strings.ToLower(f.Format),
		Public: !f.Private, Position: len(e.Resources) + 1,
	}
	if file != nil {
		r.SHA256, r.Filename, r.Bytes = file.SHA256, file.name, file.Bytes
		if r.Format == "" {
			r.Format = strings.TrimPrefix(strings.ToLower(filepath.Ext(file.name)), ".")
		}
	} else if r.URL = f.URL; inner(f.URL) {
		fault("url", "bureau.url-inner", "value", f.URL)
	}
	if file == nil && f.URL == "" {
		fault("file", "bureau.file-or-link")
	}
	if r.Kind == catalogue.Administrative {
		r.Document = &catalogue.Document{Type: f.Type, Number: f.Number, Date: f.Date, Body: f.Body}
	}
	return r, faults
}

// freeName is a name that no resource of the dataset has, taken away or not.
func freeName(name string, e *catalogue.Entry) string {
	if name == "" {
		name = "document"
	}
	taken := func(n string) bool {
		return slices.ContainsFunc(e.Resources, func(r catalogue.Resource) bool { return r.Name == n })
	}
	for i, base := 2, name; taken(name); i++ {
		name = fmt.Sprint(base, "-", i)
	}
	return name
}

// inner reports whether an address is of a machine inside: those that follow
// links refuse them at connection too.
func inner(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false // said otherwise
	}
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".local") || strings.HasSuffix(host, ".internal") ||
		host != "" && !strings.ContainsAny(host, ".:") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return !ip.IsGlobalUnicast() || ip.IsPrivate() || net.IP(ip.AsSlice()).IsLoopback()
}

// moveDocument takes a resource up or down the list, away, or back.
func (s *Server) moveDocument(w http.ResponseWriter, r *http.Request) error {
	e, actor, err := s.desked(r, account.Describe)
	if err != nil {
		return err
	}
	name, act, by := pathVar(r, "name"), pathVar(r, "act"), catalogue.By{Account: actor.ID}
	done := map[string]string{"retirer": "retire", "remettre": "remis"}[act]
	err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error {
		switch act {
		case "retirer":
			return catalogue.RemoveResource(r.Context(), tx, e.Slug, name, by)
		case "remettre":
			return catalogue.RestoreResource(r.Context(), tx, e.Slug, name, by)
		}
		for _, res := range reordered(&e, name, act == "monter") {
			if _, err := catalogue.PutResource(r.Context(), tx, e.Slug, res, by); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, geo.ErrConflict) {
		return err
	}
	seeOther(w, r, "/bureau/jeux/"+e.Slug+"/documents", "fait", done, "nom", name)
	return nil
}

// reordered gives the resources that have another place once one has moved.
func reordered(e *catalogue.Entry, name string, up bool) []catalogue.Resource {
	var list []catalogue.Resource
	for _, r := range e.Resources {
		if r.Kind != catalogue.LayerResource {
			list = append(list, r)
		}
	}
	i := slices.IndexFunc(list, func(r catalogue.Resource) bool { return r.Name == name })
	j := i + 1
	if up {
		j = i - 1
	}
	if i < 0 || j < 0 || j >= len(list) {
		return nil
	}
	list[i], list[j] = list[j], list[i]
	var changed []catalogue.Resource
	for n, r := range list {
		if place := 1000 + n; r.Position != place {
			r.Position = place
			changed = append(changed, r)
		}
	}
	return changed
}
