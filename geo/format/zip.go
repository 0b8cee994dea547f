package format

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"calanque/geo"
)

// Limits of what a .zip may unpack to: a shapefile of zeros packs some hundred
// times; real ones stay below thirty.
const (
	maxUnpacked   = 8 << 30 // bytes in all
	maxRatio      = 200     // unpacked to packed, of what is larger than ratioFloor
	ratioFloor    = 64 << 20
	maxZipEntries = 10000
)

// dataExtensions are the files that become layers; sideExtensions those that
// belong to them. The rest of a .zip is left alone.
var (
	dataExtensions = []string{".shp", ".gpkg", ".geojson", ".json", ".geojsonl", ".geojsons", ".ndjson", ".csv", ".tsv", ".txt"}
	sideExtensions = []string{".dbf", ".shx", ".prj", ".cpg"}
)

// openZip unpacks the data files into a temporary folder, which Close removes,
// and opens them all.
func openZip(ctx context.Context, path string, o Options) (Source, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, geo.Bad(err, "zip.broken", "file", filepath.Base(path))
	}
	defer z.Close()
	if len(z.File) > maxZipEntries {
		return nil, geo.Bad(nil, "zip.entries", "file", filepath.Base(path), "limit", maxZipEntries)
	}
	dir, err := os.MkdirTemp("", "calanque-zip-")
	if err != nil {
		return nil, fmt.Errorf("unpack %s: %w", path, err)
	}
	src, err := openUnpacked(ctx, z, path, dir, o)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return src, nil
}

func openUnpacked(ctx context.Context, z *zip.ReadCloser, path, dir string, o Options) (Source, error) {
	u := unpacker{dir: dir, file: filepath.Base(path), folders: map[string]string{}, left: maxUnpacked}
	for _, f := range z.File {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := u.take(f); err != nil {
			return nil, err
		}
	}
	if len(u.data) == 0 && len(u.tables) == 0 {
		if kind := officeKind(z); kind != "" {
			return nil, geo.Bad(nil, "format.foreign", "file", u.file, "kind", kind)
		}
		return nil, geo.Bad(nil, "zip.no-data", "file", u.file, "files", clip(strings.Join(u.others, ", "), 300))
	}
	many, err := openMany(ctx, u.files(), o)
	if err != nil {
		return nil, err
	}
	many.dir = dir
	return chooseLayer(many, o)
}

// officeKind recognises the documents that are .zip files inside.
func officeKind(z *zip.ReadCloser) string {
	for _, f := range z.File {
		switch {
		case strings.HasPrefix(f.Name, "xl/"):
			return "xlsx"
		case strings.HasPrefix(f.Name, "word/"):
			return "docx"
		case f.Name == "mimetype":
			return "ods"
		case strings.HasSuffix(strings.ToLower(f.Name), ".kml"):
			return "kmz"
		}
	}
	return ""
}

// An unpacker writes the entries of a .zip that matter. Folders keep apart
// (they are numbered), names are kept: no entry chooses where it lands.
type unpacker struct {
	dir, file string
	folders   map[string]string // folder in the .zip → folder on disk
	data      []string
	tables    []string // .dbf
	others    []string
	left      int64
}

func (u *unpacker) take(f *zip.File) error {
	name := entryName(f)
	dir, base := splitEntry(name)
	ext := strings.ToLower(filepath.Ext(base))
	if f.FileInfo().IsDir() || strings.HasPrefix(base, "._") || strings.Contains("/"+name, "/__MACOSX/") {
		return nil
	}
	isData := slices.Contains(dataExtensions, ext)
	if !isData && !slices.Contains(sideExtensions, ext) || base == "" || base == "." || base == ".." {
		u.others = append(u.others, base)
		return nil
	}
	folder, ok := u.folders[dir]
	if !ok {
		folder = filepath.Join(u.dir, fmt.Sprint(len(u.folders)))
		if err := os.Mkdir(folder, 0o700); err != nil {
			return fmt.Errorf("unpack %s: %w", u.file, err)
		}
		u.folders[dir] = folder
	}
	target := filepath.Join(folder, base)
	if err := u.write(f, target); err != nil {
		return err
	}
	switch {
	case isData:
		u.data = append(u.data, target)
	case ext == ".dbf":
		u.tables = append(u.tables, target)
	}
	return nil
}

// files lists what to open: data files, and tables that belong to no shapefile.
// A text file counts only where there is nothing else: it is mostly a notice.
func (u *unpacker) files() []string {
	shapes := map[string]bool{}
	var files []string
	for _, p := range u.data {
		if strings.EqualFold(filepath.Ext(p), ".shp") {
			shapes[filepath.Dir(p)+"/"+foldName(stemOf(p))] = true
		}
		if !strings.EqualFold(filepath.Ext(p), ".txt") {
			files = append(files, p)
		}
	}
	for _, p := range u.tables {
		if !shapes[filepath.Dir(p)+"/"+foldName(stemOf(p))] {
			files = append(files, p)
		}
	}
	if len(files) == 0 {
		return u.data
	}
	return files
}

// write unpacks one entry, counting what comes out rather than believing the
// directory.
func (u *unpacker) write(f *zip.File, target string) error {
	r, err := f.Open()
	if f.Flags&1 != 0 || errors.Is(err, zip.ErrAlgorithm) {
		return geo.Bad(err, "zip.password", "file", u.file, "entry", filepath.Base(target))
	}
	if err != nil {
		return geo.Bad(err, "zip.broken", "file", u.file)
	}
	defer r.Close()
	w, err := os.OpenFile(target, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	if err != nil {
		if errors.Is(err, os.ErrExist) {
			return geo.Bad(nil, "zip.twice", "file", u.file, "entry", filepath.Base(target))
		}
		return fmt.Errorf("unpack %s: %w", u.file, err)
	}
	limit := min(u.left, max(ratioFloor, maxRatio*int64(f.CompressedSize64)))
	n, err := io.Copy(w, io.LimitReader(r, limit+1))
	if cerr := w.Close(); err == nil && cerr != nil {
		return fmt.Errorf("unpack %s: %w", u.file, cerr)
	}
	if n > limit {
		return geo.Bad(nil, "zip.bomb", "file", u.file, "entry", filepath.Base(target), "limit", limit)
	}
	if err != nil {
		return geo.Bad(err, "zip.entry", "file", u.file, "entry", filepath.Base(target))
	}
	u.left -= n
	return nil
}

// entryName gives the name of an entry as text: UTF-8 when it says so or is,
// else code page 437 as the format has it, or 850 as French Windows wrote it;
// the two differ in no French letter.
func entryName(f *zip.File) string {
	if utf8.ValidString(f.Name) {
		return f.Name
	}
	s, err := charmap.CodePage850.NewDecoder().String(f.Name)
	if err != nil {
		return strings.ToValidUTF8(f.Name, "_")
	}
	return s
}

// splitEntry parts the folder from the file name, whichever slash is used.
func splitEntry(name string) (dir, base string) {
	name = strings.ReplaceAll(name, "\\", "/")
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], cleanBase(name[i+1:])
	}
	return "", cleanBase(name)
}

// cleanBase takes out what no file name may hold.
func cleanBase(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, s)
	for len(s) > 200 { // file systems allow 255 bytes
		_, n := utf8.DecodeRuneInString(s)
		s = s[n:]
	}
	return s
}

// openFolder opens the data files of a folder, not of those below it.
func openFolder(ctx context.Context, path string, o Options) (Source, error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	u := unpacker{file: filepath.Base(path)}
	for _, e := range entries {
		ext := strings.ToLower(filepath.Ext(e.Name()))
		p := filepath.Join(path, e.Name())
		switch {
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
		case slices.Contains(dataExtensions, ext):
			u.data = append(u.data, p)
		case ext == ".dbf":
			u.tables = append(u.tables, p)
		default:
			u.others = append(u.others, e.Name())
		}
	}
	if len(u.data) == 0 && len(u.tables) == 0 {
		return nil, geo.Bad(nil, "zip.no-data", "file", u.file, "files", clip(strings.Join(u.others, ", "), 300))
	}
	many, err := openMany(ctx, u.files(), o)
	if err != nil {
		return nil, err
	}
	return chooseLayer(many, o)
}

// A manySource shows several sources as one.
type manySource struct {
	sources []Source
	layers  []Layer
	source  []int // of each layer: its source and its number there
	number  []int
	dir     string // temporary folder to remove; "" for none
}

// openMany opens the files in order; a layer that repeats a name gets a number.
func openMany(ctx context.Context, files []string, o Options) (*manySource, error) {
	o.Layer = ""
	m := &manySource{}
	seen := map[string]int{}
	for _, p := range files {
		h, err := readHead(p)
		if err == nil {
			err = refuse(h)
		}
		var src Source
		if err == nil {
			src, err = openHead(ctx, h, o)
		}
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		for i, l := range src.Layers() {
			if seen[l.Name]++; seen[l.Name] > 1 {
				l.Name = fmt.Sprintf("%s_%d", l.Name, seen[l.Name])
			}
			m.layers = append(m.layers, l)
			m.source = append(m.source, len(m.sources))
			m.number = append(m.number, i)
		}
		m.sources = append(m.sources, src)
	}
	return m, nil
}

// Format names the format of the first file.
func (m *manySource) Format() string  { return m.sources[0].Format() }
func (m *manySource) Layers() []Layer { return m.layers }

func (m *manySource) Read(ctx context.Context, layer int, fn func(*Record) error) error {
	return m.sources[m.source[layer]].Read(ctx, m.number[layer], fn)
}

func (m *manySource) Close() error {
	var errs []error
	for _, s := range m.sources {
		errs = append(errs, s.Close())
	}
	if m.dir != "" {
		errs = append(errs, os.RemoveAll(m.dir))
	}
	return errors.Join(errs...)
}
