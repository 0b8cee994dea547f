package api

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"calanque/api/account"
	"calanque/api/answer"
	"calanque/geo"
	"calanque/geo/blob"
	"calanque/geo/catalogue"
	"calanque/viewer"
)

// Reuses: anybody proposes one, a coordinator lets it appear.

func (s *Server) reuseRoutes(get, post, open, send func(string, answer.Handler)) {
	const follow = "/reutilisations/suivi/{token:[A-Za-z0-9_-]{22}}"
	get("/reutilisations", s.reusesPage)
	get("/donnees/{slug:[a-z0-9-]+}/reutilisations", s.reusesPage)
	get("/reutilisations/proposer", s.reuseForm)
	send("/reutilisations/proposer", s.proposeReuse)
	get(follow, s.reusePage)
	open(follow, s.withdrawReuse)
	get("/reutilisations/{id:[0-9]{1,18}}/image", s.reusePicture)
	get("/bureau/reutilisations", s.reuseDesk)
	post("/bureau/reutilisations", s.decideReuse)
}

// maxPicture is the largest picture that is taken, in bytes.
const maxPicture = 8 << 20

// maxFormFields bounds what a form with a picture holds beside it, in bytes.
const maxFormFields = 256 << 10

// drainedPicture is how much of a form that is too long is read all the same, in
// bytes: a browser shows an answer only when it could send everything.
const drainedPicture = 64 << 20

// sendTime is how long sending a form with a file may take.
const sendTime = 5 * time.Minute

type pictureKey struct{}

// A sentPicture is the file of a form, on disk.
type sentPicture struct {
	f    *os.File
	size int64 // maxPicture+1 when it is longer
}

// sent lets a form with a picture pass that came from a page of the hub itself;
// to its handler, everybody is a visitor. The fields are read even when the
// picture is too long, so that the handler can show them again.
func (s *Server) sent(h answer.Handler) answer.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		r = r.WithContext(context.WithValue(r.Context(), actorKey{}, nil))
		if !s.sameOrigin(r) {
			return geo.Bad(geo.ErrForbidden, "account.other-site")
		}
		w.Header().Set("Cache-Control", "no-store")
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(sendTime)) // a test's recorder has none
		r.Body = http.MaxBytesReader(w, r.Body, drainedPicture)
		parts, err := r.MultipartReader()
		if err != nil {
			return &geo.ParamError{Param: "form", Value: "…", Want: "want multipart/form-data"}
		}
		f, err := os.CreateTemp("", "calanque-picture-*")
		if err != nil {
			return fmt.Errorf("keep a picture: %w", err)
		}
		defer os.Remove(f.Name())
		defer f.Close()
		picture := sentPicture{f: f}
		if r.PostForm, err = readParts(parts, &picture); err != nil {
			return err
		}
		r.Form = r.PostForm
		return h(w, r.WithContext(context.WithValue(r.Context(), pictureKey{}, &picture)))
	}
}

// readParts reads the fields of a form, and its picture into a file.
func readParts(parts *multipart.Reader, picture *sentPicture) (url.Values, error) {
	form := url.Values{}
	left := int64(maxFormFields)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			if picture.size > maxPicture { // the rest of what is refused anyway
				return form, nil
			}
			return nil, errTooLarge
		}
		if err != nil {
			return nil, &geo.ParamError{Param: "form", Value: "…", Want: "want multipart/form-data"}
		}
		if part.FileName() != "" || part.FormName() == "picture" {
			picture.size, err = io.Copy(picture.f, io.LimitReader(part, maxPicture+1))
			if err != nil && !errors.As(err, &long) {
				return nil, fmt.Errorf("keep a picture: %w", err)
			}
			continue
		}
		b, err := io.ReadAll(io.LimitReader(part, left+1))
		if left -= int64(len(b)); err != nil || left < 0 {
			return nil, errTooLarge
		}
		form.Add(part.FormName(), string(b))
	}
}

// shown is a reuse as pages show it.
func shownReuse(r catalogue.Reuse, lang string) viewer.Reuse {
	v := viewer.Reuse{
		ID: r.ID, Title: r.Title, URL: r.URL, Description: r.Description, Contest: r.Contest, Lang: r.Lang,
		Width: r.Width, Height: r.Height, State: string(r.State), Reason: r.Reason, At: r.At, Edition: r.Edition,
	}
	if r.Picture != nil {
		v.Picture = fmt.Sprintf("/reutilisations/%d/image", r.ID)
	}
	for _, d := range r.Datasets {
		if d.Open {
			v.Datasets = append(v.Datasets, viewer.Link{Title: d.Title, Href: "/donnees/" + d.Slug + "?lg=" + lang})
		}
	}
	return v
}

const reusesPerPage = 30

// older gives the address of the next page of a list that may go on.
func older(r *http.Request, list []catalogue.Reuse) string {
	if len(list) < reusesPerPage {
		return ""
	}
	q := r.URL.Query()
	q.Set("avant", strconv.FormatInt(list[len(list)-1].ID, 10))
	return r.URL.Path + "?" + q.Encode()
}

func reuseFilter(r *http.Request, state catalogue.ReuseState) catalogue.ReuseFilter {
	before, err := strconv.ParseInt(r.URL.Query().Get("avant"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	return catalogue.ReuseFilter{State: state, Before: before, Limit: reusesPerPage}
}

// reusesPage answers the reuses that appear: all, or those of a dataset.
func (s *Server) reusesPage(w http.ResponseWriter, r *http.Request) error {
	p := viewer.ReusesPage{Page: s.page(r, s.state.Load())}
	f := reuseFilter(r, catalogue.ReuseAccepted)
	if f.Dataset = pathVar(r, "slug"); f.Dataset != "" {
		e, err := catalogue.Find(r.Context(), s.Hub.Web, catalogue.Public, f.Dataset)
		if err != nil {
			return err
		}
		p.Slug, p.Title = e.Slug, e.Title
	}
	list, err := catalogue.Reuses(r.Context(), s.Hub.Web, f)
	if err != nil {
		return err
	}
	for _, v := range list {
		p.List = append(p.List, shownReuse(v, p.Lang))
	}
	p.Older = older(r, list)
	return write(w, r, p.Page, func(b *bytes.Buffer) error { return viewer.WriteReuses(b, p) })
}

func (s *Server) newReuseForm(r *http.Request) viewer.ReuseForm {
	return viewer.ReuseForm{Page: s.page(r, s.state.Load()), Stamp: s.visitors.stamp(s.Now()), MaxPicture: maxPicture, Wrong: map[string]geo.Message{}}
}

func (s *Server) reuseForm(w http.ResponseWriter, r *http.Request) error {
	p := s.newReuseForm(r)
	if slug := r.URL.Query().Get("jeu"); slug != "" {
		e, err := catalogue.Find(r.Context(), s.Hub.Web, catalogue.Public, slug)
		if err != nil {
			return err
		}
		p.Datasets = s.base(r) + "/donnees/" + e.Slug
	}
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.WriteReuseForm(b, p) })
}

// proposeReuse keeps a proposal and leads to its page. A form with faults is
// shown again: each names its field, and nothing that was typed is lost, a
// picture that has arrived neither.
func (s *Server) proposeReuse(w http.ResponseWriter, r *http.Request) error {
	p := s.newReuseForm(r)
	reuse := catalogue.Reuse{
		Title: r.PostForm.Get("title"), URL: r.PostForm.Get("url"), Description: r.PostForm.Get("description"),
		Contest: r.PostForm.Get("contest"), Lang: p.Lang,
	}
	p.Title, p.Link, p.Description, p.Contest, p.Datasets = reuse.Title, reuse.URL, reuse.Description, reuse.Contest, r.PostForm.Get("datasets")
	p.Wrong = catalogue.CheckReuse(&reuse)
	if err := s.reuseDatasets(r, &reuse, p.Wrong); err != nil {
		return err
	}
	if err := s.reusePictureSent(r, &reuse, &p); err != nil {
		return err
	}
	var token string
	if len(p.Wrong) == 0 {
		if refused := s.mayWrite(r); refused != nil {
			p.Refused = refused.Message
		} else {
			err := pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) (err error) {
				token, err = catalogue.ProposeReuse(r.Context(), tx, reuse)
				return err
			})
			if err != nil {
				return err
			}
			seeOther(w, r, "/reutilisations/suivi/"+token, "envoye", "1")
			return nil
		}
	}
	return s.writePrivate(w, p.Page, refusedStatus(p.Refused.Code), func(b *bytes.Buffer) error { return viewer.WriteReuseForm(b, p) })
}

// maxReuseDatasets is how many datasets one reuse may name.
const maxReuseDatasets = 20

func (s *Server) reuseDatasets(r *http.Request, reuse *catalogue.Reuse, wrong map[string]geo.Message) error {
	var lines []string
	for line := range strings.Lines(r.PostForm.Get("datasets")) {
		if line = strings.TrimSpace(line); line != "" && len(lines) < maxReuseDatasets {
			lines = append(lines, strings.ToValidUTF8(strings.ReplaceAll(line, "\x00", ""), "\ufffd"))
		}
	}
	found, unknown, err := catalogue.FindDatasets(r.Context(), s.Hub.Web, lines)
	switch {
	case err != nil:
		return err
	case len(unknown) > 0:
		wrong["datasets"] = geo.Say("reuse.datasets-unknown", "name", short(unknown[0]))
	case len(found) == 0:
		wrong["datasets"] = geo.Say("reuse.datasets-missing")
	}
	reuse.Datasets = found
	return nil
}

// reusePictureSent redraws the picture that came with a form, or takes the one
// that came with it before.
func (s *Server) reusePictureSent(r *http.Request, reuse *catalogue.Reuse, p *viewer.ReuseForm) error {
	sent, _ := r.Context().Value(pictureKey{}).(*sentPicture)
	if sent == nil || sent.size == 0 {
		p.Kept = r.PostForm.Get("gardee")
		if !s.visitors.keptPicture(p.Kept, reuse) {
			p.Kept = ""
		}
		return nil
	}
	if sent.size > maxPicture {
		p.Wrong["picture"] = geo.Say("blob.too-large", "max", int64(maxPicture))
		return nil
	}
	picture, width, height, err := s.redraw(r.Context(), sent.f)
	var bad *geo.InputError
	if errors.As(err, &bad) {
		p.Wrong["picture"] = bad.Message
		return nil
	}
	if err != nil {
		return err
	}
	if err := catalogue.KeepBlob(r.Context(), s.Hub.Desk, picture); err != nil {
		return err
	}
	reuse.Picture, reuse.Width, reuse.Height = picture.SHA256, width, height
	p.Kept = s.visitors.pictureMark(reuse)
	return nil
}

// redraw has a picture drawn anew, by a process of its own, and keeps it.
func (s *Server) redraw(ctx context.Context, in *os.File) (b blob.Blob, width, height int, err error) {
	if s.Redraw == nil || s.Files == nil {
		return b, 0, 0, fmt.Errorf("nobody redraws pictures: %w", geo.ErrUnavailable)
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return b, 0, 0, fmt.Errorf("read a picture: %w", err)
	}
	out, err := os.CreateTemp("", "calanque-picture-*")
	if err != nil {
		return b, 0, 0, fmt.Errorf("redraw a picture: %w", err)
	}
	defer os.Remove(out.Name())
	defer out.Close()
	if width, height, err = s.Redraw(ctx, out, in); err != nil {
		return b, 0, 0, err
	}
	if _, err = out.Seek(0, io.SeekStart); err == nil {
		b, err = s.Files.Put(ctx, out, 4*maxPicture)
	}
	return b, width, height, err
}

// pictureMark is the mark of a picture that has arrived, signed: hash, width
// and height.
func (v *visitors) pictureMark(r *catalogue.Reuse) string {
	text := fmt.Sprintf("%x.%d.%d", r.Picture, r.Width, r.Height)
	return text + "." + hex.EncodeToString(v.pictureMAC(text))
}

func (v *visitors) pictureMAC(text string) []byte {
	m := hmac.New(sha256.New, v.key[:])
	_, _ = m.Write([]byte("picture " + text)) // a hash takes everything
	return m.Sum(nil)[:16]
}

// keptPicture reads a mark into a reuse; false for one that is not ours.
func (v *visitors) keptPicture(mark string, r *catalogue.Reuse) bool {
	dot := strings.LastIndexByte(mark, '.')
	if dot < 0 {
		return false
	}
	sum, err := hex.DecodeString(mark[dot+1:])
	if err != nil || !hmac.Equal(sum, v.pictureMAC(mark[:dot])) {
		return false
	}
	_, err = fmt.Sscanf(mark[:dot], "%x.%d.%d", &r.Picture, &r.Width, &r.Height)
	return err == nil && len(r.Picture) == sha256.Size
}

// reusePage answers the secret page of whoever proposed.
func (s *Server) reusePage(w http.ResponseWriter, r *http.Request) error {
	token := pathVar(r, "token")
	reuse, err := catalogue.FindReuse(r.Context(), s.Hub.Web, token)
	if err != nil {
		return err
	}
	p := viewer.ReusePage{Page: s.page(r, s.state.Load()), Token: token, Sent: r.URL.Query().Get("envoye") == "1"}
	p.Reuse = shownReuse(reuse, p.Lang)
	if reuse.Picture != nil {
		p.Reuse.Picture += "?suivi=" + token
	}
	w.Header().Set("X-Robots-Tag", "noindex")
	w.Header().Set("Referrer-Policy", "no-referrer") // the address is the secret
	return s.writePrivate(w, p.Page, http.StatusOK, func(b *bytes.Buffer) error { return viewer.WriteReuse(b, p) })
}

func (s *Server) withdrawReuse(w http.ResponseWriter, r *http.Request) error {
	token := pathVar(r, "token")
	if err := catalogue.WithdrawReuse(r.Context(), s.Hub.Desk, token); err != nil {
		return err
	}
	seeOther(w, r, "/reutilisations/suivi/"+token)
	return nil
}

// reusePicture answers the picture of a reuse that appears; of another one to
// coordinators and to whoever proposed it.
func (s *Server) reusePicture(w http.ResponseWriter, r *http.Request) error {
	id, err := strconv.ParseInt(pathVar(r, "id"), 10, 64)
	if err != nil {
		return geo.ErrNotFound
	}
	reuse, err := catalogue.ReuseByID(r.Context(), s.Hub.Web, id)
	if err != nil {
		return err
	}
	if reuse.State != catalogue.ReuseAccepted {
		own, err := catalogue.FindReuse(r.Context(), s.Hub.Web, r.URL.Query().Get("suivi"))
		if err != nil && !errors.Is(err, geo.ErrNotFound) {
			return err
		}
		if own.ID != reuse.ID {
			actor, err := s.actor(r)
			if err != nil {
				return err
			}
			if !account.May(actor, account.DecideReuse, account.Subject{}) {
				return fmt.Errorf("picture of reuse %d: %w", id, geo.ErrNotFound)
			}
		}
		w.Header().Set("Cache-Control", "private, no-store")
	}
	if reuse.Picture == nil {
		return fmt.Errorf("picture of reuse %d: %w", id, geo.ErrNotFound)
	}
	media := "image/jpeg"
	err = s.Hub.Web.QueryRow(r.Context(), `select media_type from blob where sha256 = $1`, reuse.Picture).Scan(&media)
	if err != nil {
		return fmt.Errorf("picture of reuse %d: %w", id, err)
	}
	return s.serveBlob(w, r, reuse.Picture, "reutilisation-"+strconv.FormatInt(id, 10), media)
}

// reuseStates are those that the desk lists, in its order.
var reuseStates = []string{
	string(catalogue.ReuseProposed), string(catalogue.ReuseAccepted), string(catalogue.ReuseRefused), string(catalogue.ReuseWithdrawn),
}

// reuseDesk answers /bureau/reutilisations: what waits, and what was decided.
func (s *Server) reuseDesk(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.require(r, account.DecideReuse, account.Subject{})
	if err != nil {
		return err
	}
	return s.writeReuseDesk(w, r, actor, viewer.ReuseDesk{State: r.URL.Query().Get("etat")}, http.StatusOK)
}

func (s *Server) writeReuseDesk(w http.ResponseWriter, r *http.Request, actor account.Actor, p viewer.ReuseDesk, status int) error {
	p.Page, p.CSRF, p.States = s.page(r, s.state.Load()), actor.CSRF, reuseStates
	if !slices.Contains(p.States, p.State) {
		p.State = p.States[0]
	}
	list, err := catalogue.Reuses(r.Context(), s.Hub.Web, reuseFilter(r, catalogue.ReuseState(p.State)))
	if err != nil {
		return err
	}
	for _, v := range list {
		p.List = append(p.List, shownReuse(v, p.Lang))
	}
	if r.Method == http.MethodGet {
		p.Older = older(r, list)
	}
	return s.writePrivate(w, p.Page, status, func(b *bytes.Buffer) error { return viewer.WriteReuseDesk(b, p) })
}

// decideReuse lets a reuse appear, or not. A refusal without a reason, or one
// that somebody has decided on meanwhile, is said on the page.
func (s *Server) decideReuse(w http.ResponseWriter, r *http.Request) error {
	actor, err := s.require(r, account.DecideReuse, account.Subject{})
	if err != nil {
		return err
	}
	f := r.PostForm
	id, _ := strconv.ParseInt(f.Get("id"), 10, 64)
	edition, _ := strconv.Atoi(f.Get("edition"))
	to := catalogue.ReuseState(f.Get("decision"))
	if !slices.Contains(reuseStates[:3], string(to)) {
		return &geo.ParamError{Param: "decision", Value: short(f.Get("decision")), Want: "want accepted, refused or proposed"}
	}
	reason := f.Get("raison")
	err = pgx.BeginFunc(r.Context(), s.Hub.Desk, func(tx pgx.Tx) error {
		return catalogue.DecideReuse(r.Context(), tx, id, to, reason, actor.ID, edition)
	})
	var bad *geo.InputError
	switch {
	case err == nil:
		seeOther(w, r, "/bureau/reutilisations", "etat", f.Get("etat"))
		return nil
	case errors.Is(err, geo.ErrConflict):
		reuse, err := catalogue.ReuseByID(r.Context(), s.Hub.Web, id)
		if err != nil {
			return err
		}
		p := viewer.ReuseDesk{State: string(reuse.State), Refused: geo.Say("reuse.changed"), Of: id, Typed: reason}
		return s.writeReuseDesk(w, r, actor, p, http.StatusConflict)
	case errors.As(err, &bad):
		p := viewer.ReuseDesk{State: f.Get("etat"), Refused: bad.Message, Of: id, Typed: reason}
		return s.writeReuseDesk(w, r, actor, p, http.StatusUnprocessableEntity)
	}
	return err
}
