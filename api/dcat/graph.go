package dcat

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"calanque/geo"
)

// prefixes are the namespaces of all names that are written short, in the
// order in which documents declare them.
var prefixes = []struct{ name, iri string }{
	{"adms", "http://www.w3.org/ns/adms#"},
	{"dcat", "http://www.w3.org/ns/dcat#"},
	{"dcatap", "http://data.europa.eu/r5r/"},
	{"dct", "http://purl.org/dc/terms/"},
	{"eli", "http://data.europa.eu/eli/ontology#"},
	{"foaf", "http://xmlns.com/foaf/0.1/"},
	{"geosparql", "http://www.opengis.net/ont/geosparql#"},
	{"hydra", "http://www.w3.org/ns/hydra/core#"},
	{"rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"},
	{"rdfs", "http://www.w3.org/2000/01/rdf-schema#"},
	{"skos", "http://www.w3.org/2004/02/skos/core#"},
	{"spdx", "http://spdx.org/rdf/terms#"},
	{"vcard", "http://www.w3.org/2006/vcard/ns#"},
	{"xsd", "http://www.w3.org/2001/XMLSchema#"},
}

// expand gives the whole IRI of a short name.
func expand(name string) string {
	prefix, local, _ := strings.Cut(name, ":")
	i := slices.IndexFunc(prefixes, func(p struct{ name, iri string }) bool { return p.name == prefix })
	if i < 0 {
		panic("dcat: no prefix of " + name) // names are constants of this package
	}
	return prefixes[i].iri + local
}

// A node is one thing with what is said of it. Short names, as of its types and
// properties, come from this package alone; all else may come from anybody.
type node struct {
	iri   string // "" for a blank one, which is written where it is named
	types []string
	said  []property
	once  once
}

// once says how often a node is written that several others name, always with
// the same words.
type once int

const (
	each       once = iota // wherever it is named
	perDataset             // once for a dataset
	perFile                // once in a document: there are few
)

// A property has one value: a literal, the IRI of something, or a node.
type property struct {
	name     string
	text     string // of a literal
	lang     string // of a literal; else its datatype, short: "" for a string
	datatype string
	iri      string
	node     *node
}

func thing(iri string, types ...string) *node { return &node{iri: escapeIRI(iri), types: types} }

// shared makes a node that is written once in a document.
func shared(iri string, types ...string) *node {
	n := thing(iri, types...)
	n.once = perFile
	return n
}

// local makes a node that is written once for a dataset.
func local(iri string, types ...string) *node {
	n := thing(iri, types...)
	n.once = perDataset
	return n
}

// add says something with a node as its value; nil says nothing.
func (n *node) add(name string, value *node) *node {
	if value != nil {
		n.said = append(n.said, property{name: name, node: value})
	}
	return n
}

// link says something with an address as its value; "" says nothing.
func (n *node) link(name, iri string) *node {
	if iri != "" {
		n.said = append(n.said, property{name: name, iri: escapeIRI(iri)})
	}
	return n
}

// literal says something in a string, or in a value of a datatype.
func (n *node) literal(name, text, datatype string) *node {
	if text != "" {
		n.said = append(n.said, property{name: name, text: clean(text), datatype: datatype})
	}
	return n
}

// text says something in each language of a text.
func (n *node) text(name string, t geo.Text) *node {
	for _, lang := range []string{"fr", "en", "it"} {
		if s := t[lang]; s != "" {
			n.said = append(n.said, property{name: name, text: clean(s), lang: lang})
		}
	}
	return n
}

// number says a whole number that is not negative.
func (n *node) number(name string, v int64) *node {
	return n.literal(name, fmt.Sprint(v), "xsd:nonNegativeInteger")
}

// moment says a time; nil and the zero time say nothing.
func (n *node) moment(name string, t *time.Time) *node {
	if t == nil || t.IsZero() {
		return n
	}
	return n.literal(name, t.UTC().Format(time.RFC3339), "xsd:dateTime")
}

// day says a date; nil says nothing.
func (n *node) day(name string, t *time.Time) *node {
	if t == nil || t.IsZero() {
		return n
	}
	return n.literal(name, t.Format(time.DateOnly), "xsd:date")
}

// clean makes a text that all three syntaxes can carry: what XML 1.0 has no
// way to write becomes U+FFFD, in each of them.
func clean(s string) string {
	for _, r := range s {
		if !inXML(r) || r == utf8.RuneError {
			return strings.Map(func(r rune) rune {
				if inXML(r) {
					return r
				}
				return utf8.RuneError
			}, strings.ToValidUTF8(s, string(utf8.RuneError)))
		}
	}
	return s
}

// inXML reports whether XML 1.0 may hold a character (production 2, Char).
func inXML(r rune) bool {
	return r == '\t' || r == '\n' || r == '\r' ||
		r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// escapeIRI writes what no IRI may hold in percent: controls, spaces and
// <>"{}|\^` (RFC 3987, and the IRIREF of Turtle).
func escapeIRI(s string) string {
	s = clean(s)
	if !strings.ContainsFunc(s, notInIRI) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !notInIRI(r) {
			b.WriteRune(r)
			continue
		}
		for _, c := range []byte(string(r)) {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func notInIRI(r rune) bool {
	return r <= 0x20 || r >= 0x7F && r <= 0xA0 || strings.ContainsRune("<>\"{}|\\^`\u2028\u2029\uFFFD", r) || r >= 0xFDD0 && r <= 0xFDEF
}
