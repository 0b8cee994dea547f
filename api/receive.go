package api

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"calanque/api/account"
	"calanque/geo"
	"calanque/geo/blob"
)

// How long a file may be, in bytes: of data, and of a document.
const (
	maxSent     = 1 << 30
	maxDocument = 50 << 20
	// drained is how much of a longer one is read all the same: only then does
	// a browser show why it was refused.
	drained = 8 << 30
)

// A received file is kept already.
type received struct {
	blob.Blob
	name string // as its sender called it
}

// A fileKind says which files a form takes.
type fileKind struct {
	extensions []string
	refused    []string // media types that contents of those names do not have
}

var (
	// dataFile is what the loader reads, in one file.
	dataFile = fileKind{
		extensions: []string{"zip", "gpkg", "geojson", "json", "csv", "tsv", "txt", "dbf"},
		refused:    []string{"image/", "video/", "audio/", "application/pdf", "text/html"},
	}
	documentFile = fileKind{
		extensions: []string{"pdf", "odt", "ods", "docx", "xlsx", "csv", "txt", "md", "zip"},
		refused:    []string{"image/svg", "text/html", "video/", "audio/"},
	}
)

func sentFormats() string { return "." + strings.Join(dataFile.extensions, ",.") }

// receive reads a form with a file, "fichier", as it comes: what was typed
// comes first, the mark of the login before all. The file is kept under its
// hash and given; nil when none was chosen. What is wrong with it is a
// *geo.InputError that names the field, and the form is given all the same.
func (s *Server) receive(w http.ResponseWriter, r *http.Request, actor account.Actor, limit int64, kind fileKind) (url.Values, *received, error) {
	if !s.sameOrigin(r) {
		return nil, nil, geo.Bad(geo.ErrForbidden, "account.other-site")
	}
	w.Header().Set("Cache-Control", "no-store")
	body := &patient{r: r.Body, control: http.NewResponseController(w)}
	r.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(body, drained), r.Body}
	defer body.extend()
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, &geo.ParamError{Param: "form", Value: "…", Want: "want multipart/form-data"}
	}
	form := url.Values{}
	var file *received
	var refused error
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return form, nil, geo.Bad(err, "upload.cut", "field", "fichier")
		}
		if part.FormName() != "fichier" {
			b, err := io.ReadAll(io.LimitReader(part, maxForm))
			if err != nil {
				return form, nil, geo.Bad(err, "upload.cut", "field", "fichier")
			}
			form.Add(part.FormName(), string(b))
			continue
		}
		if !actor.Confirms(form.Get("csrf")) {
			return form, nil, geo.Bad(geo.ErrForbidden, "account.unconfirmed")
		}
		if file, err = s.keepPart(r, part, limit, kind); err != nil {
			refused = err
			_, _ = io.Copy(io.Discard, part) // the rest of what is refused
		}
	}
	if !actor.Confirms(form.Get("csrf")) {
		return form, nil, geo.Bad(geo.ErrForbidden, "account.unconfirmed")
	}
	return form, file, refused
}

// keepPart keeps one file of a form.
func (s *Server) keepPart(r *http.Request, part *multipart.Part, limit int64, kind fileKind) (*received, error) {
	name := fileName(part.FileName())
	if name == "" {
		return nil, nil
	}
	ext := strings.TrimPrefix(strings.ToLower(filepath.Ext(name)), ".")
	if !slices.Contains(kind.extensions, ext) {
		return nil, geo.Bad(nil, "upload.type", "field", "fichier", "name", name, "known", strings.Join(kind.extensions, ", "))
	}
	if r.ContentLength > limit+maxForm {
		return nil, geo.Bad(nil, "upload.too-large", "field", "fichier", "name", name, "max", limit>>20, "got", r.ContentLength>>20)
	}
	b, err := s.Files.Put(r.Context(), part, limit)
	var bad *geo.InputError
	switch {
	case errors.As(err, &bad) && bad.Code == "blob.too-large":
		return nil, geo.Bad(err, "upload.too-large", "field", "fichier", "name", name, "max", limit>>20, "got", limit>>20)
	case err != nil:
		return nil, geo.Bad(err, "upload.cut", "field", "fichier")
	case b.Bytes == 0:
		return nil, geo.Bad(nil, "upload.empty", "field", "fichier", "name", name)
	}
	for _, t := range kind.refused {
		if strings.HasPrefix(b.MediaType, t) {
			return nil, geo.Bad(nil, "upload.content", "field", "fichier", "name", name, "type", b.MediaType)
		}
	}
	return &received{b, name}, nil
}

// fileName is the name of a file without its folder, of letters that any
// machine can write down.
func fileName(s string) string {
	s = s[strings.LastIndexAny(s, `/\`)+1:]
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || strings.ContainsRune(`<>:"|?*`, c) || c == utf8.RuneError {
			return '-'
		}
		return c
	}, s)
	s = strings.TrimLeft(strings.TrimSpace(s), ".")
	if len(s) > 120 {
		ext := filepath.Ext(s)
		s = strings.ToValidUTF8(s[:120-min(len(ext), 20)], "") + ext
	}
	return s
}

// deskStatus is the status of a page that says why a form was not taken.
func deskStatus(err error) int {
	var bad *geo.InputError
	switch {
	case errors.As(err, &bad) && bad.Code == "upload.too-large":
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, geo.ErrForbidden):
		return http.StatusForbidden
	case errors.Is(err, geo.ErrConflict):
		return http.StatusConflict
	case errors.Is(err, geo.ErrGone):
		return http.StatusGone
	}
	return http.StatusUnprocessableEntity
}

// linePatience is how long a slow line may take, between two pieces of a file.
const linePatience = 30 * time.Second

// A patient reader lets a request go on as long as something comes.
type patient struct {
	r       io.Reader
	control *http.ResponseController
	moved   time.Time
}

func (p *patient) Read(b []byte) (int, error) {
	p.extend()
	return p.r.Read(b)
}

func (p *patient) extend() {
	now := time.Now()
	if now.Sub(p.moved) < time.Second {
		return
	}
	p.moved = now
	_ = p.control.SetReadDeadline(now.Add(linePatience))
	_ = p.control.SetWriteDeadline(now.Add(linePatience + writeTimeout))
}
