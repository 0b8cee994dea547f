package api

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/api/answer"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// The census through the pages: a coordinator sends a spreadsheet, looks at how
// it is understood and says what is known better, and only then has it written.

func (s *Server) censusRoutes(get, post, raw func(string, answer.Handler)) {
	const (
		draft = "/bureau/recensement/essais/{id:[0-9]{1,18}}"
		one   = "/bureau/recensement/{id:[0-9]{1,18}}"
	)
	get("/bureau/recensement", s.censusPage)
	raw("/bureau/recensement", s.sendCensus)
	get(draft, s.draftPage)
	get(draft+"/a-corriger.csv", s.draftRefused)
	post(draft, s.decideDraft)
	get(one, s.censusReport)
	get(one+"/a-corriger.csv", s.censusRefused)
}

// maxCensus is how long a spreadsheet may be, in bytes: a census has some
// hundred lines.
const maxCensus = 10 << 20

var sheetFile = fileKind{
	extensions: []string{"xlsx", "csv", "tsv", "txt", "xls"}, // of .xls it is said how to save it otherwise
	refused:    []string{"image/", "video/", "audio/", "application/pdf", "text/html"},
}

// censusPage answers /bureau/recensement: the form, what waits to be looked at,
// and what the last censuses brought.
func (s *Server) censusPage(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.require(r, account.SeeBoard, account.Subject{})
	if err != nil {
		return err
	}
	return s.writeCensus(w, r, actor, http.StatusOK, viewer.CensusChoices{Chain: string(catalogue.Region)}, geo.Message{})
}

func (s *Server) writeCensus(w http.ResponseWriter, r *http.Request, actor account.Actor, status int, typed viewer.CensusChoices, refused geo.Message) error {
	ctx := r.Context()
	p := viewer.CensusPage{
		Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, Choices: typed, Refused: refused, MaxBytes: maxCensus, Formats: ".xlsx,.csv,.tsv,.txt",
		Dropped: r.URL.Query().Get("fait") == "jete",
	}
	var err error
	if p.Offers, err = s.censusOffers(r, p.Lang); err != nil {
		return err
	}
	list, err := catalogue.Censuses(ctx, s.Hub.Web, 20)
	if err != nil {
		return err
	}
	for _, c := range list {
		p.Censuses = append(p.Censuses, s.censusRow(c))
	}
	waiting, err := catalogue.CensusDrafts(ctx, s.Hub.Web)
	if err != nil {
		return err
	}
	for _, d := range waiting {
		p.Waiting = append(p.Waiting, viewer.CensusRow{ID: d.ID, Source: d.Source, At: d.At.In(s.Zone), Login: d.Login})
	}
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.WriteCensus(b, p) })
}

func (s *Server) censusRow(c catalogue.PastCensus) viewer.CensusRow {
	return viewer.CensusRow{ID: c.ID, Source: c.Source, At: c.At.In(s.Zone), Login: c.Login, Taken: c.Taken, Same: c.Same, Refused: c.Refused}
}

// restricted is the licence of lines that name none, where nothing was chosen.
const restricted = "restricted"

// censusOffers are what lines may be said to be that do not say it themselves.
func (s *Server) censusOffers(r *http.Request, lang string) (viewer.CensusOffers, error) {
	var o viewer.CensusOffers
	producers, err := catalogue.Producers(r.Context(), s.Hub.Web)
	if err != nil {
		return o, err
	}
	for _, p := range producers {
		o.Producers = append(o.Producers, viewer.Option{ID: p.ID, Title: p.Title.In(lang)})
	}
	stored, err := catalogue.StoredLicences(r.Context(), s.Hub.Web)
	if err != nil {
		return o, err
	}
	for _, l := range append(stored, catalogue.Licences...) {
		if l.ID != restricted && !slices.ContainsFunc(o.Licences, func(x viewer.Option) bool { return x.ID == l.ID }) {
			o.Licences = append(o.Licences, viewer.Option{ID: l.ID, Title: l.Title.In(lang)})
		}
	}
	for _, list := range [][]viewer.Option{o.Producers, o.Licences} {
		slices.SortFunc(list, func(a, b viewer.Option) int { return strings.Compare(a.Title, b.Title) })
	}
	return o, nil
}

// typedCensus is what was chosen for lines that do not say it. What is none of
// the offers is dropped: a form offers nothing else.
func typedCensus(v url.Values, o viewer.CensusOffers) viewer.CensusChoices {
	known := func(name string, list []viewer.Option) string {
		id := v.Get(name)
		if slices.ContainsFunc(list, func(o viewer.Option) bool { return o.ID == id }) {
			return id
		}
		return ""
	}
	c := viewer.CensusChoices{Producer: known("producteur", o.Producers), Licence: known("licence", o.Licences), Chain: string(catalogue.Region)}
	if v.Get("parcours") == string(catalogue.Partner) {
		c.Chain = string(catalogue.Partner)
	}
	return c
}

func censusDefault(c viewer.CensusChoices) catalogue.CensusDefault {
	return catalogue.CensusDefault{Producer: c.Producer, Licence: c.Licence, Chain: catalogue.Chain(c.Chain)}
}

// sendCensus keeps a spreadsheet and leads to how it is understood. What can't
// be read is said on the same page, with what was chosen.
func (s *Server) sendCensus(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.require(r, account.TakeCensus, account.Subject{})
	if err != nil {
		return err
	}
	form, file, err := s.receive(w, r, actor, maxCensus, sheetFile)
	offers, oerr := s.censusOffers(r, viewer.Languages[0])
	if oerr != nil {
		return oerr
	}
	typed := typedCensus(form, offers)
	if err == nil && file == nil {
		err = geo.Bad(nil, "census.no-file", "field", "fichier")
	}
	def := censusDefault(typed)
	if err == nil {
		var sheet *catalogue.Sheet
		if sheet, err = s.readSheet(r, file.SHA256, file.name, ""); err == nil && sheet.Empty() {
			err = geo.Bad(nil, "census.empty", "file", file.name)
		}
	}
	if m, refused := refusal(err); refused {
		return s.writeCensus(w, r, actor, deskStatus(err), typed, m)
	}
	if err != nil {
		return err
	}
	var id int64
	err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error {
		id, err = catalogue.ReceiveCensus(r.Context(), tx, actor.ID, file.Blob, file.name, def)
		return err
	})
	if err != nil {
		return err
	}
	seeOther(w, r, fmt.Sprint("/bureau/recensement/essais/", id))
	return nil
}

// readSheet reads a spreadsheet that is kept, outside of this process.
func (s *Server) readSheet(r *http.Request, sum []byte, file, name string) (*catalogue.Sheet, error) {
	if s.ReadSheet == nil || s.Files == nil {
		return nil, fmt.Errorf("nobody reads spreadsheets: %w", geo.ErrUnavailable)
	}
	f, err := s.Files.Open(sum)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return s.ReadSheet(r.Context(), file, name, f)
}

// censusReport answers /bureau/recensement/{id}: what became of a spreadsheet.
func (s *Server) censusReport(w http.ResponseWriter, r *http.Request) error {
	if _, err := s.require(r, account.SeeBoard, account.Subject{}); err != nil {
		return err
	}
	past, c, err := catalogue.FindCensus(r.Context(), s.Hub.Web, id(pathVar(r, "id")))
	if err != nil {
		return err
	}
	p := viewer.CensusReport{Page: s.page(r, s.state.Load()), Row: s.censusRow(past), Result: censusResult(&c), Done: r.URL.Query().Get("fait") == "pris"}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.WriteCensusReport(b, p) })
}

// What a page shows of a census: the rest is in the file of what is to be
// mended.
const (
	shownFaults = 200
	shownLines  = 500
)

func censusResult(c *catalogue.Census) viewer.CensusResult {
	v := viewer.CensusResult{Header: c.Header, Taken: c.Taken, Same: c.Same, Refused: c.Refused}
	for _, l := range c.Lines {
		if l.State != catalogue.LineRefused {
			if len(v.Lines) < shownLines {
				v.Lines = append(v.Lines, viewer.CensusLine{Line: l.Line, Slug: l.Slug, Title: l.Title, Same: l.State == catalogue.LineSame})
			}
			continue
		}
		for _, f := range l.Problems {
			if v.AllFaults++; v.AllFaults <= shownFaults {
				v.Faults = append(v.Faults, viewer.CensusFault{Cell: f.Column + strconv.Itoa(l.Line), Line: l.Line, Column: f.Title, Message: f.Message})
			}
		}
	}
	for _, col := range c.Columns {
		v.Columns = append(v.Columns, viewer.CensusColumn{Number: col.Column, Letter: catalogue.ColumnName(col.Column), Title: col.Title, Field: col.Field})
	}
	return v
}
