package api

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"regexp"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"

	"calanque/api/answer"
	"calanque/geo"
	"calanque/viewer"
)

// An assetFile is a file of the viewer, compressed once.
type assetFile struct {
	body, gzip  []byte // gzip is nil when it would be no smaller
	contentType string
	tag         string
}

// assetFiles keeps what has been asked for: the viewer is a few hundred kB.
var assetFiles sync.Map // name → *assetFile

// hashed is a name that carries a hash of the content, as Vite writes them.
var hashed = regexp.MustCompile(`-[A-Za-z0-9_-]{8,}\.[a-z0-9]+$`)

// weekly is the Cache-Control of files whose name stays when they change.
const weekly = "public, max-age=604800"

func (s *Server) asset(w http.ResponseWriter, r *http.Request) error {
	name := pathVar(r, "file")
	f, err := readAsset(name)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Cache-Control", weekly)
	if hashed.MatchString(name) {
		h.Set("Cache-Control", answer.Forever)
	}
	h.Set("Content-Security-Policy", viewer.Policy) // a worker obeys its own file's
	if strings.HasPrefix(name, "away-") {
		h.Set("Service-Worker-Allowed", "/atelier/") // beyond the folder it comes from: see viewer/src/away.ts
	}
	if answer.Unchanged(w, r, f.tag) {
		return nil
	}
	body := f.body
	if f.gzip != nil && acceptsGzip(r.Header.Get("Accept-Encoding")) {
		body = f.gzip
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", `"`+f.tag+answer.GzipSuffix+`"`)
	}
	answer.Write(w, f.contentType, body)
	return nil
}

func readAsset(name string) (*assetFile, error) {
	if f, ok := assetFiles.Load(name); ok {
		return f.(*assetFile), nil
	}
	missing := fmt.Errorf("asset %q: %w", short(name), geo.ErrNotFound)
	if !fs.ValidPath(name) || strings.HasPrefix(path.Base(name), ".") {
		return nil, missing
	}
	body, err := fs.ReadFile(viewer.Assets(), name)
	if err != nil {
		if info, e := fs.Stat(viewer.Assets(), name); e == nil && info.IsDir() || errors.Is(err, fs.ErrNotExist) {
			return nil, missing
		}
		return nil, fmt.Errorf("read asset %q: %w", name, err)
	}
	sum := sha256.Sum256(body)
	f := &assetFile{body: body, contentType: mediaType(name), tag: base64.RawURLEncoding.EncodeToString(sum[:12])}
	if compressible(f.contentType) {
		f.gzip = squeeze(body)
	}
	kept, _ := assetFiles.LoadOrStore(name, f)
	return kept.(*assetFile), nil
}

// squeeze compresses as well as gzip can; nil when that is no gain.
func squeeze(body []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, flate.BestCompression)
	if err != nil {
		panic(err) // the level is a constant
	}
	if _, err := z.Write(body); err != nil {
		return nil
	}
	if err := z.Close(); err != nil || b.Len() >= len(body) {
		return nil
	}
	return b.Bytes()
}

// mediaType gives the type of a file by its name: a bare system has no list of
// types to ask.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return answer.TypeJSON
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".webmanifest":
		return "application/manifest+json"
	case ".ico":
		return "image/x-icon"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// favicon leads to the viewer's: browsers ask for this name by themselves.
func (s *Server) favicon(w http.ResponseWriter, r *http.Request) error {
	for _, name := range []string{"favicon.ico", "favicon.svg", "icon.svg"} {
		if _, err := fs.Stat(viewer.Assets(), name); err == nil {
			http.Redirect(w, r, "/assets/"+name, http.StatusFound)
			return nil
		}
	}
	w.Header().Set("Cache-Control", weekly)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// robots tells crawlers to leave what is endless alone, and where all pages
// are listed.
func (s *Server) robots(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=86400")
	return answer.Bytes(w, r, "text/plain; charset=utf-8",
		[]byte("User-agent: *\nDisallow: /tiles/\nDisallow: /telecharger/\nDisallow: /recherche\nDisallow: /api/collections/*/items\n\nSitemap: "+s.base(r)+"/sitemap.xml\n"))
}
