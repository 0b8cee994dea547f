package dcat

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"calanque/geo"
	"calanque/geo/catalogue"
)

var site = Site{
	Base:        "https://donnees.exemple.fr",
	Title:       geo.Text{"fr": "Données ouvertes", "en": "Open data", "it": "Dati aperti"},
	Description: geo.Text{"fr": "Ce que les partenaires publient."},
	Publisher:   geo.Text{"fr": "Région"},
}

func when(s string) *time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return &t
}

// about is what the sample's entries name.
var about = &catalogue.About{
	Producers: map[string]catalogue.Producer{
		"region": {Producer: geo.Producer{ID: "region", Title: geo.Text{"fr": "Région Sud"}, Contact: map[string]string{"url": "https://region.exemple.fr/", "email": "sig@region.exemple.fr"}}, Kind: "region", SIRET: "23130002100012"},
		"assoc":  {Producer: geo.Producer{ID: "assoc", Title: geo.Text{"fr": "Une association"}}, Kind: "association"},
	},
	Licences: map[string]catalogue.Licence{
		"lo-2.0":   {Licence: geo.Licence{ID: "lo-2.0", Title: geo.Text{"fr": "Licence Ouverte 2.0"}, URL: "https://www.etalab.gouv.fr/licence-ouverte-open-licence"}},
		"odbl-1.0": {Licence: geo.Licence{ID: "odbl-1.0", Title: geo.Text{"fr": "ODbL 1.0"}, URL: "https://opendatacommons.org/licenses/odbl/1-0/"}},
		"maison":   {Licence: geo.Licence{ID: "maison", Title: geo.Text{"fr": "Licence particulière"}}},
	},
	Topics: map[string]catalogue.Topic{
		"environnement": {ID: "environnement", Title: geo.Text{"fr": "Environnement", "en": "Environment"}, EU: "ENVI"},
		"air-climat":    {ID: "air-climat", Title: geo.Text{"fr": "Air et climat"}, EU: "ENVI"},
		"transports":    {ID: "transports", Title: geo.Text{"fr": "Transports"}, EU: "TRAN"},
	},
}

// full is a dataset that has one of everything.
func full() catalogue.Entry {
	return catalogue.Entry{
		Slug: "points-eau", Identifier: "fontaines", Producer: "region", Licence: "odbl-1.0",
		Title:       geo.Text{"fr": "Fontaines et points d’eau", "en": "Fountains", "it": "Fontane"},
		Description: geo.Text{"fr": "Les fontaines.\n\n* *publiques*\r\n* \"privées\" \\ <b>non</b> & ]]>"},
		Limits:      geo.Text{"fr": "Relevé de 2024."},
		Keywords:    []geo.Text{{"fr": "eau", "en": "water"}, {"fr": "fontaine"}, {"fr": "Environnement"}},
		Topics:      []string{"environnement", "air-climat", "transports"},
		Territory:   []string{"13055", "EPCI:200054807", "D13", "R93"},
		Frequency:   "yearly", HighValue: "http://data.europa.eu/bna/c_dd313021",
		LandingPage: "https://region.exemple.fr/fontaines", Contact: map[string]string{"email": "eau@region.exemple.fr", "name": "Service de l’eau"},
		Extent:        &geo.Box{MinX: 4.2, MinY: 42.9, MaxX: 7.75, MaxY: 45.125},
		TemporalStart: when("2024-01-01"), TemporalEnd: when("2024-12-31"), IssuedAt: when("2013-05-02"),
		Since: *when("2026-01-05"), DeliveredAt: when("2026-03-01"), UpdatedAt: *when("2026-03-02"),
		Layers: []catalogue.Layer{
			{Name: "points_eau", Title: geo.Text{"fr": "Points d’eau"}, Geometry: geo.Point, Rows: 10},
			{Name: "debits", Title: geo.Text{"fr": "Débits"}, Geometry: geo.None, Rows: 20},
		},
		Received: &catalogue.Received{SHA256: bytes.Repeat([]byte{0xcd}, 32), Name: "points eau.zip", MediaType: "application/zip", Bytes: 99, At: *when("2026-03-01")},
		Resources: []catalogue.Resource{
			{ID: 1, Name: "recu.zip", Kind: catalogue.FileResource, Title: geo.Text{"fr": "Le fichier reçu"}, SHA256: bytes.Repeat([]byte{0xab}, 32), Filename: "points eau.zip", Format: "shp", MediaType: "application/zip", Bytes: 12345, UpdatedAt: *when("2026-03-01")},
			{ID: 2, Name: "ailleurs", Kind: catalogue.Reference, Title: geo.Text{"fr": "Chez le producteur"}, URL: "https://region.exemple.fr/données/points d'eau.csv?a=1&b=<2>", Format: "csv", Bytes: 77, UpdatedAt: *when("2026-03-01")},
			{ID: 3, Name: "page", Kind: catalogue.Reference, Title: geo.Text{"fr": "Sa page"}, URL: "https://region.exemple.fr/page", Format: "html", UpdatedAt: *when("2026-03-01")},
			{ID: 4, Name: "wfs", Kind: catalogue.Service, Title: geo.Text{"fr": "Service WFS"}, URL: "https://region.exemple.fr/wfs?SERVICE=WFS&REQUEST=GetCapabilities", Format: "wfs", UpdatedAt: *when("2026-03-01")},
			{ID: 5, Name: "geotrek", Kind: catalogue.Service, Title: geo.Text{"fr": "Geotrek"}, URL: "https://rando.exemple.fr/api/", Format: "geotrek", UpdatedAt: *when("2026-03-01")},
			{ID: 6, Name: "notice", Kind: catalogue.Documentation, Title: geo.Text{"fr": "Notice"}, URL: "https://region.exemple.fr/notice.pdf", UpdatedAt: *when("2026-03-01")},
			{ID: 7, Name: "deliberation", Kind: catalogue.Administrative, Title: geo.Text{"fr": "Délibération"}, SHA256: bytes.Repeat([]byte{1}, 32), Filename: "d.pdf", Format: "pdf", Document: &catalogue.Document{Type: "deliberation", Number: "26-118", Date: "2026-02-20", Body: "Commission permanente"}, UpdatedAt: *when("2026-03-01")},
		},
	}
}

// bare is a dataset of which next to nothing is known.
func bare() catalogue.Entry {
	return catalogue.Entry{
		Slug: "inconnu", Identifier: "inconnu", Producer: "assoc", Licence: "maison", Title: geo.Text{"fr": "Inconnu"},
		Since: *when("2026-01-05"), UpdatedAt: *when("2026-01-05"), HighValue: "http://data.europa.eu/bna/c_dd313021",
	}
}

// some makes n datasets of all kinds.
func some(n int) []catalogue.Entry {
	list := make([]catalogue.Entry, n)
	for i := range list {
		e := full()
		if i%5 == 4 {
			e = bare()
		}
		if i%3 != 0 {
			e.HighValue = ""
		}
		if i%4 == 1 {
			e.Layers, e.Received, e.Licence, e.Producer = nil, nil, "lo-2.0", "assoc"
			e.Contact = nil
		}
		if i%7 == 3 {
			e.Resources, e.Extent = nil, &geo.Box{MinX: 5, MinY: 43, MaxX: 5, MaxY: 43}
		}
		e.Frequency = geo.Frequencies[i%len(geo.Frequencies)].ID
		e.Slug = fmt.Sprintf("%s-%d", e.Slug, i)
		e.Identifier = e.Slug
		list[i] = e
	}
	return list
}

// document writes a page of the catalogue.
func document(f Format, list []catalogue.Entry, p Page) []byte {
	var b bytes.Buffer
	w := NewWriter(&b, f, site, about)
	w.Catalogue(p)
	for i := range list {
		if err := w.Dataset(&list[i]); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// write puts a document into a file of the test.
func write(t testing.TB, name string, body []byte) string {
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, body, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// python finds a Python that has rdflib and pyshacl, and says when it does not.
func python(t testing.TB) string {
	t.Helper()
	for _, p := range []string{os.Getenv("CALANQUE_PYTHON"), "../../.tools/rdf/bin/python", "python3"} {
		if p != "" && exec.Command(p, "-c", "import pyshacl, rdflib").Run() == nil {
			return p
		}
	}
	t.Skip("skipped: no Python with pyshacl and rdflib (`make test` installs them into .tools/rdf)")
	return ""
}

// check runs testdata/check.py.
func check(t testing.TB, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(python(t), append([]string{"testdata/check.py"}, args...)...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("check.py %s: %v\n%s%s", args[0], err, out, complaint.Bytes())
	}
	return out
}

// shapes gives the files of the SHACL shapes, which lie beside the project.
func shapes(t testing.TB, names ...string) []string {
	t.Helper()
	var list []string
	for _, name := range names {
		path := filepath.Join("../../../shared/data/shacl", name+".ttl")
		if _, err := os.Stat(path); err != nil {
			path = filepath.Join("../../../../shared/data/shacl", name+".ttl") // a work tree one folder deeper
		}
		if _, err := os.Stat(path); err != nil {
			t.Skipf("skipped: no SHACL shapes at ../shared/data/shacl/%s.ttl beside the project", name)
		}
		list = append(list, path)
	}
	return list
}

var (
	profile = []string{"dcat-ap-3.0.1-shapes", "dcat-ap-3.0.1-range"}
	annex   = []string{"dcat-ap-hvd-3.0.0-base"}
)

// TestShapes holds every page of a catalogue to DCAT-AP 3.0.1, and the datasets
// that are flagged to the annex on high-value datasets too. The number of
// datasets is CALANQUE_DCAT_DATASETS, else few.
func TestShapes(t *testing.T) {
	t.Parallel()
	n, _ := strconv.Atoi(os.Getenv("CALANQUE_DCAT_DATASETS"))
	n = max(n, 60)
	size := min(n, 1000)
	list := some(n)
	all, flagged := append(shapes(t, profile...), "--"), append(shapes(t, append(profile, annex...)...), "--")
	dir := t.TempDir()
	for i := 0; i < n; i += size {
		page := Page{Limit: size, Total: n}
		if i+size < n {
			page.Next = list[i+size-1].Slug
		}
		f := Formats[i/size%len(Formats)]
		path := filepath.Join(dir, fmt.Sprintf("page-%d%s", i/size, f.Suffix))
		if err := os.WriteFile(path, document(f, list[i:min(i+size, n)], page), 0o644); err != nil {
			t.Fatal(err)
		}
		all = append(all, path)
	}
	for i := 0; i < len(list) && len(flagged) < 40; i++ {
		if list[i].HighValue == "" || len(list[i].Layers)+len(list[i].Resources) == 0 {
			continue
		}
		var b bytes.Buffer
		w := NewWriter(&b, Turtle, site, about)
		if err := errors.Join(w.Dataset(&list[i]), w.Close()); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "hvdCategory") {
			t.Fatalf("dataset %s is flagged and does not say so", list[i].Slug)
		}
		flagged = append(flagged, write(t, "dataset.ttl", b.Bytes()))
	}
	t.Logf("DCAT-AP: %s", check(t, append([]string{"shapes"}, all...)...))
	t.Logf("annex: %s", check(t, append([]string{"shapes"}, flagged...)...))
	// Its ranges name rdfs:Resource, which everything is by RDF's own rules.
	e := full()
	var b bytes.Buffer
	w := NewWriter(&b, Turtle, site, about)
	if err := errors.Join(w.Dataset(&e), w.Close()); err != nil {
		t.Fatal(err)
	}
	ranges := append(shapes(t, "dcat-ap-hvd-3.0.0-ranges", "dcat-ap-hvd-3.0.0-full"), "--", write(t, "dataset.ttl", b.Bytes()))
	t.Logf("annex, ranges: %s", check(t, append([]string{"entailed"}, ranges...)...))
}

// TestShapesBite makes sure that the check finds something: a distribution
// without its address, a frequency that is not typed.
func TestShapesBite(t *testing.T) {
	t.Parallel()
	e := full()
	body := string(document(Turtle, []catalogue.Entry{e}, Page{Limit: PageSize}))
	broken := strings.Replace(body, "dcat:accessURL", "dcat:nowhere", 1)
	broken = strings.Replace(broken, "a dct:Frequency", "a skos:Concept ; skos:prefLabel \"x\"", 1)
	args := append(append([]string{"testdata/check.py", "shapes"}, shapes(t, profile...)...), "--", write(t, "broken.ttl", []byte(broken)))
	out, err := exec.Command(python(t), args...).Output()
	if err == nil || !strings.Contains(string(out), " 2 violations") {
		t.Errorf("a broken document: %v\n%s", err, out)
	}
}

// TestSame reads the three syntaxes back: they say the same.
func TestSame(t *testing.T) {
	t.Parallel()
	list := some(12)
	var paths []string
	for _, f := range Formats {
		// The page's own address is the one thing that differs.
		body := bytes.ReplaceAll(document(f, list, Page{Limit: PageSize, Next: "x", Total: 12}), []byte("/catalogue"+f.Suffix), []byte("/catalogue"))
		paths = append(paths, write(t, "page"+f.Suffix, body))
	}
	check(t, append([]string{"same"}, paths...)...)
}
