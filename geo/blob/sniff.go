package blob

import (
	"bytes"
	"net/http"
	"strings"
	"unicode/utf8"
)

// sniffLength is how much of a file Sniff wants to see.
const sniffLength = 4096

// A signature is how files of one media type begin.
type signature struct {
	at    int
	bytes string
	media string
}

// signatures are those that net/http does not know or tells too coarsely.
var signatures = []signature{
	{68, "GPKG", "application/geopackage+sqlite3"}, // application_id of SQLite's header
	{68, "GP10", "application/geopackage+sqlite3"},
	{68, "GP11", "application/geopackage+sqlite3"},
	{0, "SQLite format 3\x00", "application/vnd.sqlite3"},
	{0, "fgb\x03", "application/vnd.flatgeobuf"},
	{0, "PAR1", "application/vnd.apache.parquet"},
	{0, "II*\x00", "image/tiff"},
	{0, "MM\x00*", "image/tiff"},
	{0, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"}, // .doc and .xls of old
	{0, "7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"},
}

// Sniff tells the media type of a file by its first bytes (4 KiB are enough),
// never by its name or by what who sent it says. What nobody knows is
// application/octet-stream.
func Sniff(head []byte) string {
	head = head[:min(len(head), sniffLength)]
	for _, s := range signatures {
		if len(head) >= s.at && bytes.HasPrefix(head[s.at:], []byte(s.bytes)) {
			return s.media
		}
	}
	media, _, _ := strings.Cut(http.DetectContentType(head), ";")
	switch {
	case media == "application/zip":
		return sniffZip(head)
	case strings.HasPrefix(media, "text/"):
		return sniffText(head, media)
	case media == "application/octet-stream" && looksLatin(head):
		return sniffText(head, "text/plain")
	}
	return media
}

// sniffZip tells office documents from other archives, by the names of the
// first files in it.
func sniffZip(head []byte) string {
	const mimetype = 30 // where the first file's name begins
	if rest, ok := bytes.CutPrefix(head[min(len(head), mimetype):], []byte("mimetype")); ok {
		for _, kind := range []string{"text", "spreadsheet", "presentation", "graphics"} {
			if bytes.HasPrefix(rest, []byte("application/vnd.oasis.opendocument."+kind)) {
				return "application/vnd.oasis.opendocument." + kind
			}
		}
		if bytes.HasPrefix(rest, []byte("application/epub+zip")) {
			return "application/epub+zip"
		}
	}
	const office = "application/vnd.openxmlformats-officedocument."
	if bytes.Contains(head, []byte("[Content_Types].xml")) || bytes.Contains(head, []byte("_rels/.rels")) {
		for _, k := range []struct{ folder, media string }{
			{"xl/", office + "spreadsheetml.sheet"},
			{"word/", office + "wordprocessingml.document"},
			{"ppt/", office + "presentationml.presentation"},
		} {
			if bytes.Contains(head, []byte(k.folder)) {
				return k.media
			}
		}
	}
	return "application/zip"
}

// sniffText tells apart what net/http calls text. Pictures and pages that may
// hold scripts come first: what looks like one is one.
func sniffText(head []byte, media string) string {
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	lower := bytes.ToLower(text)
	switch {
	case bytes.HasPrefix(lower, []byte("<")) && bytes.Contains(lower, []byte("<svg")):
		return "image/svg+xml"
	case media == "text/html" || bytes.HasPrefix(lower, []byte("<")) && bytes.Contains(lower, []byte("<html")):
		return "text/html"
	case media == "text/xml" || bytes.HasPrefix(lower, []byte("<?xml")):
		return "application/xml"
	case bytes.HasPrefix(text, []byte("{")) || bytes.HasPrefix(text, []byte("[")):
		if bytes.Contains(text, []byte(`"FeatureCollection"`)) || bytes.Contains(text, []byte(`"geometry"`)) {
			return "application/geo+json"
		}
		return "application/json"
	case looksTabular(text):
		return "text/csv"
	}
	return "text/plain"
}

// looksLatin tells whether bytes that are no UTF-8 may be text of Windows:
// no control characters but those of lines.
func looksLatin(head []byte) bool {
	if len(head) == 0 || utf8.Valid(head) {
		return false
	}
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\r' && c != '\n' || c == 0x7f {
			return false
		}
	}
	return true
}

// looksTabular tells whether the first lines have one of the usual delimiters
// equally often, quotes aside.
func looksTabular(text []byte) bool {
	lines := bytes.Split(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")), []byte("\n"))
	if len(lines) > 1 {
		lines = lines[:len(lines)-1] // cut short, or empty
	}
	lines = lines[:min(len(lines), 10)]
	for _, delimiter := range []byte(";\t,|") {
		n := count(lines[0], delimiter)
		same := n > 0
		for _, l := range lines {
			same = same && count(l, delimiter) == n
		}
		if same {
			return true
		}
	}
	return false
}

func count(line []byte, delimiter byte) (n int) {
	quoted := false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == delimiter && !quoted:
			n++
		}
	}
	return n
}
