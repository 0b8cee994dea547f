package dcat

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"calanque/geo"
	"calanque/geo/catalogue"
)

// nasty are texts that end a string, an element, a line or a document.
var nasty = []string{
	"", " ", `"`, `\`, `\"`, `"""`, "'", "a\nb", "a\rb", "a\r\nb", "\t", "]]>", "<![CDATA[x]]>", "</dct:title>", "<!--", "&amp;", "&#13;", "&",
	"\\u0041", "\\n", "@fr", "^^xsd:date", "\u2028\u2029", "\ufeff", "\u0000", "\u0001\u001f\u007f\u0085", "\ufffe\uffff", "\xff\xfe", "\xed\xa0\x80",
	"é̀", "🌊🏖️", "𝄞", "\u202e\u200b", "« Eau : l’été »", "{}[]|^`<>", "%zz%20", "_:b0", "# pas un commentaire", ". ; ,",
}

// one makes a document of one node that says a text and names an address.
func one(f Format, text, address string) string {
	var b strings.Builder
	w := NewWriter(&b, f, site, about)
	w.put(thing("https://exemple.fr/x", "dcat:Dataset").text("dct:title", geo.Text{"fr": text}).link("dcat:landingPage", address))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// FuzzWriters reads back what the three writers make of any text and address.
func FuzzWriters(f *testing.F) {
	for _, s := range nasty {
		f.Add(s, "https://exemple.fr/"+s)
	}
	f.Fuzz(func(t *testing.T, text, address string) {
		want, iri := clean(text), escapeIRI(address)
		if strings.ContainsFunc(iri, notInIRI) || !utf8.ValidString(want) {
			t.Fatalf("%q holds what may not be in an IRI, or %q is not UTF-8", iri, want)
		}
		if got, to := readJSON(t, one(JSONLD, text, address)); got != want || to != iri {
			t.Errorf("JSON-LD: got %q and %q, want %q and %q", got, to, want, iri)
		}
		if got, to := readXML(t, one(RDFXML, text, address)); got != want || to != iri {
			t.Errorf("RDF/XML: got %q and %q, want %q and %q", got, to, want, iri)
		}
		if got, to := readTurtle(t, one(Turtle, text, address)); got != want || to != iri {
			t.Errorf("Turtle: got %q and %q, want %q and %q", got, to, want, iri)
		}
	})
}

func readJSON(t *testing.T, doc string) (text, iri string) {
	var d struct {
		Graph []struct {
			Title []struct {
				Value string `json:"@value"`
			} `json:"dct:title"`
			Page []struct {
				ID string `json:"@id"`
			} `json:"dcat:landingPage"`
		} `json:"@graph"`
	}
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		t.Fatalf("JSON-LD: %v in %q", err, doc)
	}
	for _, v := range d.Graph[0].Title {
		text += v.Value
	}
	for _, v := range d.Graph[0].Page {
		iri += v.ID
	}
	return text, iri
}

func readXML(t *testing.T, doc string) (text, iri string) {
	var d struct {
		Dataset struct {
			Title string `xml:"title"`
			Page  struct {
				Resource string `xml:"resource,attr"`
			} `xml:"landingPage"`
		}
	}
	if err := xml.Unmarshal([]byte(doc), &d); err != nil {
		t.Fatalf("RDF/XML: %v in %q", err, doc)
	}
	return d.Dataset.Title, d.Dataset.Page.Resource
}

// readTurtle reads the grammar's STRING_LITERAL_QUOTE and IRIREF.
func readTurtle(t *testing.T, doc string) (text, iri string) {
	if _, rest, ok := strings.Cut(doc, `dct:title "`); ok {
		var b strings.Builder
		escaped, closed := false, false
		for i, r := range rest {
			switch {
			case escaped:
				plain, ok := map[rune]rune{'n': '\n', 'r': '\r', 't': '\t', '"': '"', '\\': '\\'}[r]
				if !ok {
					t.Fatalf("Turtle: escape \\%c in %q", r, doc)
				}
				b.WriteRune(plain)
				escaped = false
			case r == '\\':
				escaped = true
			case r == '"':
				if !strings.HasPrefix(rest[i:], `"@fr`) {
					t.Fatalf("Turtle: a string ends early in %q", doc)
				}
				closed = true
			case r == '\n' || r == '\r':
				t.Fatalf("Turtle: a string over two lines in %q", doc)
			default:
				b.WriteRune(r)
			}
			if closed {
				break
			}
		}
		text = b.String()
	}
	if _, rest, ok := strings.Cut(doc, "dcat:landingPage <"); ok {
		iri, _, _ = strings.Cut(rest, ">")
	}
	return text, iri
}

// TestTitles has rdflib read titles of all kinds back from each syntax.
func TestTitles(t *testing.T) {
	t.Parallel()
	titles := append([]string{}, nasty...)
	random := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		r := make([]rune, 1+random.IntN(12))
		for i := range r {
			switch random.IntN(4) {
			case 0:
				r[i] = rune(random.IntN(0x80))
			case 1:
				r[i] = rune(random.IntN(0x110000))
			default:
				r[i] = []rune("\"\\<>&\n\r'@^é] ")[random.IntN(13)]
			}
		}
		titles = append(titles, string(r))
	}
	list := make([]catalogue.Entry, len(titles))
	for i, title := range titles {
		list[i] = bare()
		list[i].Slug = fmt.Sprint("jeu-", i)
		list[i].Title = geo.Text{"fr": "x" + title}
	}
	for _, f := range Formats {
		var got map[string]map[string]map[string][]string
		if err := json.Unmarshal(check(t, "titles", write(t, "titles"+f.Suffix, document(f, list, Page{Limit: PageSize}))), &got); err != nil {
			t.Fatal(err)
		}
		for i, title := range titles {
			read := got[site.PageURL(list[i].Slug)+"#dataset"]["http://purl.org/dc/terms/title"]["fr"]
			if want := clean("x" + title); len(read) != 1 || read[0] != want {
				t.Errorf("%s: %q was read back as %q", f.Suffix, want, read)
			}
		}
	}
}
