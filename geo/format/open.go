package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"calanque/geo"
)

// A Format is one kind of file that Open reads.
type Format struct {
	Name  string
	Match func(Head) bool
	Open  func(ctx context.Context, path string, o Options) (Source, error)
}

// A Head is what a format is recognised by.
type Head struct {
	Path  string
	Ext   string // lower case, with the dot
	Bytes []byte // the beginning of the file, at most 64 KiB
	Size  int64
}

// All lists the formats in the order in which they are tried.
var All = []Format{shapefile, geoPackage, geoJSON, csvFormat}

const headSize = 64 << 10

// Open opens the file with the format that its content and name call for. What
// can't be opened is a *geo.InputError that says what, where and how to mend
// it: a Git LFS pointer, a web page, an empty file, a zip bomb, a truncated
// file, an unknown format. A .zip or a folder may hold several files, which
// become the layers of one source.
func Open(ctx context.Context, path string, o Options) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, geo.Bad(err, "format.no-file", "file", path)
		}
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	if info.IsDir() {
		return openFolder(ctx, path, o)
	}
	if !info.Mode().IsRegular() {
		return nil, geo.Bad(nil, "format.not-file", "file", path)
	}
	h, err := readHead(path)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(h.Bytes, []byte("PK\x03\x04")) || bytes.HasPrefix(h.Bytes, []byte("PK\x05\x06")) {
		return openZip(ctx, path, o)
	}
	if err := refuse(h); err != nil {
		return nil, err
	}
	src, err := openHead(ctx, h, o)
	if err != nil {
		return nil, err
	}
	return chooseLayer(src, o)
}

// openHead opens one file with the first format that recognises it.
func openHead(ctx context.Context, h Head, o Options) (Source, error) {
	for _, f := range All {
		if f.Match(h) {
			return f.Open(ctx, h.Path, o)
		}
	}
	return nil, geo.Bad(nil, "format.unknown", "file", filepath.Base(h.Path), "formats", formatNames())
}

func formatNames() string {
	names := make([]string, len(All))
	for i, f := range All {
		names[i] = f.Name
	}
	return strings.Join(names, ", ")
}

func readHead(path string) (Head, error) {
	f, err := os.Open(path)
	if err != nil {
		return Head{}, fmt.Errorf("open %s: %w", path, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Head{}, fmt.Errorf("open %s: %w", path, err)
	}
	b := make([]byte, headSize)
	n, err := io.ReadFull(f, b)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return Head{}, fmt.Errorf("read %s: %w", path, err)
	}
	return Head{Path: path, Ext: strings.ToLower(filepath.Ext(path)), Bytes: b[:n], Size: info.Size()}, nil
}

// refuse recognises what is no data at all, whatever its name.
func refuse(h Head) error {
	file := filepath.Base(h.Path)
	text := strings.TrimSpace(strings.TrimPrefix(string(h.Bytes[:min(len(h.Bytes), 8192)]), "\ufeff"))
	lower := strings.ToLower(text[:min(len(text), 1024)])
	if kind := foreignKind(h.Bytes); kind != "" {
		return geo.Bad(nil, "format.foreign", "file", file, "kind", kind)
	}
	switch {
	case text == "" && h.Size == int64(len(h.Bytes)):
		return geo.Bad(nil, "format.empty", "file", file)
	case strings.HasPrefix(text, "version https://git-lfs.github.com/spec/"):
		return geo.Bad(nil, "format.lfs", "file", file, "size", lfsSize(text))
	case strings.HasPrefix(lower, "<!doctype html"), strings.HasPrefix(lower, "<html"), strings.HasPrefix(lower, "<head"):
		return geo.Bad(nil, "format.html", "file", file, "title", htmlTitle(text))
	case strings.HasPrefix(lower, "<"):
		if said, ok := serverException(text); ok {
			return geo.Bad(nil, "format.exception", "file", file, "message", said)
		}
		return geo.Bad(nil, "format.xml", "file", file, "root", xmlRoot(text))
	}
	return nil
}

// foreignKind names what a file is that holds no layer that can be read here,
// by its first bytes; "" for others.
func foreignKind(b []byte) string {
	for _, k := range []struct{ magic, kind string }{
		{"\x1f\x8b", "gzip"},
		{"BZh", "bzip2"},
		{"7z\xbc\xaf\x27\x1c", "7z"},
		{"Rar!\x1a\x07", "rar"},
		{"\xfd7zXZ\x00", "xz"},
		{"\x28\xb5\x2f\xfd", "zstd"},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"},
		{"%PDF-", "pdf"},
		{"\x89PNG", "png"},
		{"\xff\xd8\xff", "jpeg"},
		{"II*\x00", "tiff"},
		{"MM\x00*", "tiff"},
		{"fgb\x03fgb", "flatgeobuf"},
		{"PAR1", "parquet"},
		{"!table", "MapInfo"},
		{"Version 300", "MapInfo"},
		{"Version 450", "MapInfo"},
	} {
		if bytes.HasPrefix(b, []byte(k.magic)) {
			return k.kind
		}
	}
	return ""
}

var (
	lfsSizeLine   = regexp.MustCompile(`(?m)^size (\d+)`)
	titleElement  = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	exceptionText = regexp.MustCompile(`(?is)<(?:\w+:)?(?:ExceptionText|ServiceException)\b[^>]*>(.*?)</(?:\w+:)?(?:ExceptionText|ServiceException)>`)
	exceptionRoot = regexp.MustCompile(`(?i)<(?:\w+:)?(?:ExceptionReport|ServiceExceptionReport)\b`)
	rootElement   = regexp.MustCompile(`<([A-Za-z_][\w.:-]*)`)
	anyTag        = regexp.MustCompile(`<[^>]*>`)
	anySpace      = regexp.MustCompile(`\s+`)
)

func lfsSize(s string) string {
	if m := lfsSizeLine.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return "?"
}

func htmlTitle(s string) string {
	if m := titleElement.FindStringSubmatch(s); m != nil {
		return plain(m[1])
	}
	return plain(s)
}

// serverException gives the message of a WFS or WMS exception report.
func serverException(s string) (string, bool) {
	if !exceptionRoot.MatchString(s) {
		return "", false
	}
	if m := exceptionText.FindStringSubmatch(s); m != nil {
		return plain(strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(m[1]), "<![CDATA["), "]]>")), true
	}
	return plain(s), true
}

func xmlRoot(s string) string {
	if m := rootElement.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return "?"
}

// plain gives the text without tags, on one line, at most 300 characters.
func plain(s string) string {
	s = anySpace.ReplaceAllString(anyTag.ReplaceAllString(s, " "), " ")
	s = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&#39;", "'", "&amp;", "&").Replace(s)
	return clip(strings.TrimSpace(strings.ToValidUTF8(s, "\uFFFD")), 300)
}

// clip shortens a text to n characters, the last being an ellipsis.
func clip(s string, n int) string {
	count := 0
	for i := range s {
		if count++; count == n {
			if rest := s[i:]; len([]rune(rest)) > 1 {
				return s[:i] + "…"
			}
			return s
		}
	}
	return s
}

// chooseLayer narrows a source to the layer that a person asked for.
func chooseLayer(src Source, o Options) (Source, error) {
	if o.Layer == "" {
		return src, nil
	}
	names := make([]string, 0, len(src.Layers()))
	for i, l := range src.Layers() {
		if l.Name == o.Layer {
			return &oneLayer{Source: src, index: i}, nil
		}
		names = append(names, l.Name)
	}
	return nil, errors.Join(geo.Bad(nil, "option.layer", "layer", o.Layer, "layers", strings.Join(names, ", ")), src.Close())
}

// A oneLayer shows one layer of a source.
type oneLayer struct {
	Source
	index int
}

func (s *oneLayer) Layers() []Layer { return s.Source.Layers()[s.index : s.index+1] }

func (s *oneLayer) Read(ctx context.Context, _ int, fn func(*Record) error) error {
	return s.Source.Read(ctx, s.index, fn)
}
