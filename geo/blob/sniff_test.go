package blob

import (
	"archive/zip"
	"bytes"
	"mime"
	"testing"
)

func zipped(t testing.TB, names ...string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, n := range names {
		f, err := w.CreateHeader(&zip.FileHeader{Name: n, Method: zip.Store})
		if err != nil {
			t.Fatal(err)
		}
		if n == "mimetype" {
			_, _ = f.Write([]byte("application/vnd.oasis.opendocument.spreadsheet"))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestSniff(t *testing.T) {
	t.Parallel()
	sqlite := "SQLite format 3\x00" + string(make([]byte, 52))
	for _, c := range []struct{ name, head, want string }{
		{"empty", "", "text/plain"},
		{"pdf", "%PDF-1.7\n%\xe2\xe3", "application/pdf"},
		{"png", "\x89PNG\r\n\x1a\n", "image/png"},
		{"webp", "RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"},
		{"geopackage", sqlite + "GPKG", "application/geopackage+sqlite3"},
		{"sqlite", sqlite + "\x00\x00\x00\x00", "application/vnd.sqlite3"},
		{"shapefile", zipped(t, "eau.shp", "eau.dbf"), "application/zip"},
		{"workbook", zipped(t, "[Content_Types].xml", "xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
		{"odt", zipped(t, "mimetype", "content.xml"), "application/vnd.oasis.opendocument.spreadsheet"},
		{"svg", `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`, "image/svg+xml"},
		{"svg behind a comment", "\n <!-- x --><SVG onload=alert(1)>", "image/svg+xml"},
		{"page", "<!doctype html><title>x</title>", "text/html"},
		{"xml", `<?xml version="1.0"?><gpx/>`, "application/xml"},
		{"geojson", `{"type": "FeatureCollection", "features": []}`, "application/geo+json"},
		{"json", `[{"a": 1}]`, "application/json"},
		{"csv", "a;b\n1;2\n3;\"x;y\"\n", "text/csv"},
		{"csv of Windows", "nom;ville\r\nFor\xeat;Aix\r\n", "text/csv"},
		{"text", "Bonjour.\nCeci est un texte.\n", "text/plain"},
		{"bytes", "\x00\x01\x02\x03", "application/octet-stream"},
	} {
		if got := Sniff([]byte(c.head)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("%PDF-1.7"))
	f.Add([]byte("a;b\n1;2\n"))
	f.Add([]byte(zipped(f, "[Content_Types].xml", "word/document.xml")))
	f.Add([]byte("<svg"))
	f.Fuzz(func(t *testing.T, head []byte) {
		got := Sniff(head)
		if _, _, err := mime.ParseMediaType(got); err != nil {
			t.Errorf("%q: %v", got, err)
		}
	})
}
