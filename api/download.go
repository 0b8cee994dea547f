package api

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"calanque/api/account"
	"calanque/api/answer"
	"calanque/api/features"
	"calanque/geo"
	"calanque/geo/catalogue"
)

// Files of datasets: layers in the formats that people ask for, built once;
// the file as it was received; files and documents that are kept.

func (s *Server) fileRoutes(get func(string, answer.Handler)) {
	const one = "/donnees/{slug:[a-z0-9-]+}"
	get(one+"/telechargements/fichier-recu", s.receivedFile)
	get(one+"/telechargements/{file:[^/]+[.][a-z]+}", s.layerFile)
	get(one+"/fichiers/{name:[a-z0-9._-]+}", s.heldFile)
}

// A layerDownload is one file of a dataset's page.
type layerDownload struct {
	Layer, Format, Path string
	Bytes               int64 // -1 while nobody knows
	Exact               bool  // else of an earlier edition
}

// layerDownloads lists what the layers of a dataset can be had as, with what
// it weighs: of a file that is built already, of the one before, or -1.
func (s *Server) layerDownloads(ctx context.Context, st *state, slug string) ([]layerDownload, error) {
	known, err := catalogue.Downloads(ctx, s.Hub.Web, slug)
	if err != nil {
		return nil, err
	}
	var list []layerDownload
	for i := range st.relations {
		r := &st.relations[i]
		if r.Dataset != slug {
			continue
		}
		for _, f := range features.FileFormats {
			if f.Extension == "geojson" && r.Geom == "" {
				continue
			}
			d := layerDownload{Layer: r.Layer, Format: f.Extension, Bytes: -1}
			d.Path = "/donnees/" + slug + "/telechargements/" + url.PathEscape(r.Layer) + "." + f.Extension
			for _, k := range known {
				if k.Layer == r.Layer && k.Format == f.Extension {
					d.Bytes, d.Exact = k.Bytes, k.Edition == fileEdition(r, f.Extension)
				}
			}
			list = append(list, d)
		}
	}
	return list, nil
}

// fileEdition tells one file of a layer from another: by the data, its
// description, and the program that writes it.
func fileEdition(r *geo.Relation, format string) string {
	return answer.Tag("file", format, r.Schema, r.Table, r.Version, r.Revision, r.Title, r.Fields)
}

// layerFile answers /donnees/{slug}/telechargements/{layer}.{csv|geojson|gpkg}.
// A series is whole, or of one year, month or day (?periode=2026-11), or its
// latest moment (?periode=derniere).
func (s *Server) layerFile(w http.ResponseWriter, r *http.Request) error {
	st, err := s.current()
	if err != nil {
		return err
	}
	file, err := url.PathUnescape(pathVar(r, "file"))
	dot := strings.LastIndexByte(file, '.')
	rel, l := st.relation(file[:max(dot, 0)]), st.layer(file[:max(dot, 0)])
	slug := pathVar(r, "slug")
	if err != nil || rel == nil || rel.Dataset != slug {
		return fmt.Errorf("file %q of %s: %w", short(file), slug, geo.ErrNotFound)
	}
	var ff *features.FileFormat
	for i := range features.FileFormats {
		if features.FileFormats[i].Extension == file[dot+1:] {
			ff = &features.FileFormats[i]
		}
	}
	if ff == nil || ff.Extension == "geojson" && rel.Geom == "" {
		return fmt.Errorf("file %q of %s: %w", short(file), slug, geo.ErrNotFound)
	}
	// What is in memory may be two seconds behind the chain.
	if _, err := catalogue.Find(r.Context(), s.Hub.Web, catalogue.Public, slug); err != nil {
		return err
	}
	v, err := query(r, "periode", "lg")
	if err != nil {
		return err
	}
	name, tag := file, fileEdition(rel, ff.Extension)
	var interval *geo.Interval
	if p := v.Get("periode"); p != "" && rel.Time != "" {
		if interval, err = s.period(p, l.Times.Last); err != nil {
			return err
		}
		name = file[:dot] + "-" + p + file[dot:]
		tag = answer.Tag(tag, interval.From, interval.To)
	} else if p != "" {
		return &geo.ParamError{Param: "periode", Value: short(p), Want: "want it only of a layer with times"}
	}
	if answer.Unchanged(w, r, tag) {
		return nil
	}
	control := http.NewResponseController(w)
	_ = control.SetWriteDeadline(time.Now().Add(buildTime)) // a test's recorder has none
	f, err := s.builtFile(r.Context(), rel, interval, ff.Extension, tag)
	if features.Stale(err) { // it was replaced between the two
		if err := s.Refresh(r.Context()); err != nil {
			return err
		}
		return geo.ErrUnavailable
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return serveFile(w, r, f, name, ff.MediaType)
}

// buildTime is how long a visitor may wait for a file that is not built yet.
const buildTime = 10 * time.Minute

// builtFile opens a file of a layer, and builds it first when nobody has. What
// the whole layer weighs is written down for its page.
func (s *Server) builtFile(ctx context.Context, r *geo.Relation, interval *geo.Interval, format, tag string) (*os.File, error) {
	if s.Files == nil {
		return nil, fmt.Errorf("no store of files: %w", geo.ErrUnavailable)
	}
	rel := *r
	f, err := s.Files.Once(ctx, "layer "+tag, func(ctx context.Context, f *os.File) error {
		about := features.Describes{Lang: "fr", Title: rel.Title.In("fr")}
		if st := s.state.Load(); st != nil {
			if l := st.layer(rel.Layer); l != nil {
				about.Description = strings.Trim(l.Producer.Title.In("fr")+" – "+l.Licence.Title.In("fr"), " –")
			}
		}
		return s.features.WriteFile(ctx, f, &rel, interval, format, about)
	})
	if err != nil || interval != nil {
		return f, err
	}
	info, err := f.Stat()
	if err == nil {
		err = catalogue.PutDownload(ctx, s.Hub.Desk, catalogue.Download{Layer: rel.Layer, Format: format, Edition: tag, Bytes: info.Size()})
	}
	if err != nil {
		s.Log.Warn("what a file weighs is not written down", "layer", rel.Layer, "format", format, "err", err)
	}
	return f, nil
}

// period reads a year, month or day, or "derniere" for the latest moment.
func (s *Server) period(p string, last time.Time) (*geo.Interval, error) {
	if p == "derniere" {
		return &geo.Interval{From: last, To: last}, nil
	}
	for _, form := range []struct {
		layout              string
		years, months, days int
	}{{"2006", 1, 0, 0}, {"2006-01", 0, 1, 0}, {time.DateOnly, 0, 0, 1}} {
		if t, err := time.ParseInLocation(form.layout, p, s.Zone); err == nil {
			return &geo.Interval{From: t, To: t.AddDate(form.years, form.months, form.days).Add(-time.Microsecond)}, nil
		}
	}
	return nil, &geo.ParamError{Param: "periode", Value: short(p), Want: "want 2026, 2026-11, 2026-11-25 or derniere"}
}

// receivedFile answers the file as the producer gave it.
func (s *Server) receivedFile(w http.ResponseWriter, r *http.Request) error {
	f, err := catalogue.FindReceived(r.Context(), s.Hub.Web, pathVar(r, "slug"))
	if err != nil {
		return err
	}
	return s.serveBlob(w, r, f.SHA256, f.Name, f.MediaType)
}

// heldFile answers a file or document: the public's to everybody, the others
// to their producer and to coordinators. Nobody else is told that it is there.
func (s *Server) heldFile(w http.ResponseWriter, r *http.Request) error {
	f, err := catalogue.FindHeld(r.Context(), s.Hub.Web, pathVar(r, "slug"), pathVar(r, "name"))
	if err != nil {
		return err
	}
	if !f.Open {
		actor, err := s.actor(r)
		if err != nil {
			return err
		}
		if !account.May(actor, account.SeeInside, account.Subject{Producer: f.Producer}) {
			return fmt.Errorf("file %s: %w", f.Name, geo.ErrNotFound)
		}
		w.Header().Del("Access-Control-Allow-Origin")
		w.Header().Set("Cache-Control", "private, no-store")
	}
	return s.serveBlob(w, r, f.SHA256, f.Filename, f.MediaType)
}

func (s *Server) serveBlob(w http.ResponseWriter, r *http.Request, sum []byte, name, media string) error {
	if s.Files == nil {
		return fmt.Errorf("no store of files: %w", geo.ErrUnavailable)
	}
	f, err := s.Files.Open(sum)
	if errors.Is(err, geo.ErrNotFound) {
		// The row says that it is there: another machine's folder, or a restore without files.
		s.Log.Error("a file that the database names is not in the store", "sha256", hex.EncodeToString(sum))
		return err
	}
	if err != nil {
		return fmt.Errorf("open %s: %w", name, err)
	}
	defer f.Close()
	if answer.Unchanged(w, r, hex.EncodeToString(sum[:12])) {
		return nil
	}
	return serveFile(w, r, f, name, media)
}

// inlineTypes are what a browser may show in its window: none can hold a
// script. SVG and HTML are always saved; so is PDF, which Chromium does not
// show under a policy with sandbox.
var inlineTypes = map[string]bool{"image/png": true, "image/jpeg": true, "image/webp": true, "text/plain": true}

// serveFile answers a file, whole or in ranges. Whatever it is, the browser
// takes it for what its bytes are and runs nothing of it.
func serveFile(w http.ResponseWriter, r *http.Request, f *os.File, name, media string) error {
	h := w.Header()
	how := "attachment"
	if inlineTypes[media] {
		how = "inline"
	}
	if media == "text/plain" {
		media += "; charset=utf-8"
	}
	h.Set("Content-Type", media)
	h.Set("Content-Disposition", mime.FormatMediaType(how, map[string]string{"filename": safeName(name)}))
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	http.ServeContent(&patientWriter{ResponseWriter: w, control: http.NewResponseController(w)}, r, "", time.Time{}, f)
	return nil
}

// safeName takes out of a file's name what could lead elsewhere.
func safeName(name string) string {
	name = strings.Map(func(c rune) rune {
		if c < ' ' || strings.ContainsRune(`/\"`, c) || c == 0x7f {
			return '_'
		}
		return c
	}, strings.ToValidUTF8(name, "_"))
	if name = strings.TrimLeft(name, "."); name == "" {
		return "fichier"
	}
	return name
}

// A patientWriter gives each part of a long answer its own time.
type patientWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

// patience is what sending 32 KiB may take.
const patience = time.Minute

func (p *patientWriter) Write(b []byte) (int, error) {
	_ = p.control.SetWriteDeadline(time.Now().Add(patience))
	return p.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (p *patientWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }
