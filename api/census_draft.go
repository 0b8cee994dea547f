package api

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// A look is how a spreadsheet that waits is understood with what was chosen.
type look struct {
	draft  catalogue.CensusDraft // its choices are those of the look
	sheet  *catalogue.Sheet
	census catalogue.Census
	wrong  geo.Message // why it can't be read so
}

// lookAt reads a spreadsheet that waits with its choices.
func (s *Server) lookAt(r *http.Request, d catalogue.CensusDraft) (look, error) {
	l := look{draft: d}
	var err error
	l.sheet, err = s.readSheet(r, d.SHA256, d.Source, d.Choices.Sheet)
	if m, refused := refusal(err); refused && d.Choices.Sheet != "" {
		l.wrong, l.draft.Choices.Sheet = m, ""
		l.sheet, err = s.readSheet(r, d.SHA256, d.Source, "")
	}
	if err != nil {
		return l, err
	}
	l.census, err = catalogue.ReadCensus(r.Context(), s.Hub.Web, l.sheet, l.draft.Choices)
	if m, refused := refusal(err); refused {
		l.wrong = m
		if m.Code == "census.header-line" { // the line that is found, and all else that was chosen
			l.draft.Choices.Header = 0
			l.census, err = catalogue.ReadCensus(r.Context(), s.Hub.Web, l.sheet, l.draft.Choices)
		}
	}
	if _, refused := refusal(err); refused {
		err = nil
	}
	return l, err
}

// mark is the mark of what a person is shown: nothing else is written.
func (l *look) mark() string {
	c := l.draft.Choices
	b, _ := json.Marshal([]any{l.census.Columns, l.census.Header, l.sheet.Name, c.Producer, c.Licence, c.Chain})
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}

// draftOf gives the spreadsheet of the address to who may take it.
func (s *Server) draftOf(r *http.Request) (catalogue.CensusDraft, account.Actor, error) {
	actor, err := s.require(r, account.TakeCensus, account.Subject{})
	if err != nil {
		return catalogue.CensusDraft{}, actor, err
	}
	d, err := catalogue.FindCensusDraft(r.Context(), s.Hub.Web, id(pathVar(r, "id")))
	return d, actor, err
}

// draftPage answers /bureau/recensement/essais/{id}: how columns and lines are
// understood. One that was taken leads to its report.
func (s *Server) draftPage(w http.ResponseWriter, r *http.Request) error {
	d, actor, err := s.draftOf(r)
	if err != nil {
		return err
	}
	if d.Census != 0 {
		seeOther(w, r, fmt.Sprint("/bureau/recensement/", d.Census))
		return nil
	}
	l, err := s.lookAt(r, d)
	if err != nil {
		return err
	}
	return s.writeDraft(w, r, actor, http.StatusOK, &l, geo.Message{})
}

func (s *Server) writeDraft(w http.ResponseWriter, r *http.Request, actor account.Actor, status int, l *look, said geo.Message) error {
	c := l.draft.Choices
	p := viewer.CensusDraft{
		Page: s.page(r, s.state.Load()), CSRF: actor.CSRF, ID: l.draft.ID, Source: l.draft.Source, Login: l.draft.Login, At: l.draft.At.In(s.Zone),
		Choices: viewer.CensusChoices{Producer: c.Producer, Licence: c.Licence, Chain: string(c.Chain)},
		Sheet:   l.sheet.Name, Sheets: l.sheet.Sheets, Last: len(l.sheet.Rows), Result: censusResult(&l.census), Fields: catalogue.CensusFields(),
		Wrong: l.wrong, Said: said, Mark: l.mark(),
	}
	var err error
	if p.Offers, err = s.censusOffers(r, p.Lang); err != nil {
		return err
	}
	for i := range p.Result.Columns {
		p.Result.Columns[i].Example = exampleOf(l.sheet, l.census.Header, p.Result.Columns[i].Number)
	}
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.WriteCensusDraft(b, p) })
}

// exampleOf is the first cell of a column below its title; header is from 1.
func exampleOf(s *catalogue.Sheet, header, column int) string {
	for _, row := range s.Rows[min(header, len(s.Rows)):] {
		if column <= len(row) {
			if v := strings.Join(strings.Fields(row[column-1]), " "); v != "" {
				return short(v)
			}
		}
	}
	return ""
}

// decideDraft has a spreadsheet read again with other choices, written, or
// thrown away. It is written only as it was shown: what was chosen since is
// shown first.
func (s *Server) decideDraft(w http.ResponseWriter, r *http.Request) error {
	d, actor, err := s.draftOf(r)
	if err != nil {
		return err
	}
	if d.Census != 0 {
		seeOther(w, r, fmt.Sprint("/bureau/recensement/", d.Census))
		return nil
	}
	act := r.PostForm.Get("faire")
	if act == "jeter" {
		if err := catalogue.DropCensusDraft(r.Context(), s.Hub.Desk, d.ID); err != nil {
			return err
		}
		seeOther(w, r, "/bureau/recensement", "fait", "jete")
		return nil
	}
	if d.Choices, err = s.chosen(r, d); err != nil {
		return err
	}
	l, err := s.lookAt(r, d)
	if err == nil {
		err = catalogue.ChooseCensus(r.Context(), s.Hub.Desk, d.ID, l.draft.Choices)
	}
	if err != nil {
		return err
	}
	to := fmt.Sprint("/bureau/recensement/essais/", d.ID)
	switch {
	case l.wrong.Code != "":
		return s.writeDraft(w, r, actor, http.StatusUnprocessableEntity, &l, geo.Message{})
	case act != "prendre":
		seeOther(w, r, to)
		return nil
	case l.mark() != r.PostForm.Get("vu"):
		return s.writeDraft(w, r, actor, http.StatusConflict, &l, geo.Say("census.look-again"))
	case l.census.Taken == 0:
		return s.writeDraft(w, r, actor, http.StatusUnprocessableEntity, &l, geo.Say("census.nothing-good"))
	}
	report, err := catalogue.TakeCensusDraft(r.Context(), s.Hub.Desk, d.ID, l.sheet, l.draft.Choices, catalogue.By{Account: actor.ID, Body: catalogue.CensusBody})
	if err != nil {
		return err
	}
	seeOther(w, r, fmt.Sprint("/bureau/recensement/", report), "fait", "pris")
	return nil
}

// chosen is what a form says of a spreadsheet: of its columns only what is
// otherwise than their titles say, so that another line of titles, or another
// sheet, is understood anew.
func (s *Server) chosen(r *http.Request, d catalogue.CensusDraft) (catalogue.CensusDefault, error) {
	f := r.PostForm
	offers, err := s.censusOffers(r, viewer.Languages[0])
	if err != nil {
		return d.Choices, err
	}
	def := censusDefault(typedCensus(f, offers))
	def.Sheet, def.Header = f.Get("feuille"), -1
	if n, err := strconv.Atoi(strings.TrimSpace(f.Get("entete"))); err == nil && n > 0 {
		def.Header = n
	}
	seenHeader, err := strconv.Atoi(f.Get("entete-vue"))
	if err != nil {
		seenHeader = 0
	}
	if seen := f.Get("feuille-vue"); seen != def.Sheet {
		def.Header = 0
		return def, nil
	}
	sheet, err := s.readSheet(r, d.SHA256, d.Source, def.Sheet)
	if _, refused := refusal(err); refused {
		return def, nil // it is said when it is read
	}
	if err != nil {
		return def, err
	}
	def.Fields = chosenFields(f, sheet, seenHeader)
	return def, nil
}

// chosenFields are the columns of a form that are otherwise than their titles
// say; header is the line of titles that was shown, from 1.
func chosenFields(f url.Values, sheet *catalogue.Sheet, header int) map[int]string {
	byTitle := catalogue.CensusDefault{Header: header}
	_, columns, _ := byTitle.Columns(sheet) // what is wrong with them is said when they are read
	fields := map[int]string{}
	for _, c := range columns {
		values, sent := f["c-"+strconv.Itoa(c.Column)]
		if sent && values[0] != c.Field {
			fields[c.Column] = values[0]
		}
	}
	return fields
}

// draftRefused answers the lines of a spreadsheet that waits that would be
// refused.
func (s *Server) draftRefused(w http.ResponseWriter, r *http.Request) error {
	d, _, err := s.draftOf(r)
	if err == nil && d.Census != 0 {
		seeOther(w, r, fmt.Sprint("/bureau/recensement/", d.Census, "/a-corriger.csv"))
		return nil
	}
	if err != nil {
		return err
	}
	l, err := s.lookAt(r, d)
	if err != nil {
		return err
	}
	if len(l.census.Columns) == 0 {
		return errors.Join(geo.ErrNotFound, fmt.Errorf("draft %d of a census has no columns", d.ID))
	}
	return s.writeRefused(w, r, d.Source, &l.census)
}
