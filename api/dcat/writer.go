// Package dcat says the catalogue to machines: DCAT-AP 3.0.1 as Turtle,
// RDF/XML and JSON-LD, schema.org, the CSV that regional portals exchange,
// sitemap and feed.
//
// It turns entries of package catalogue into bytes, one after the other, and
// holds no more than one: what is written has no end, what is held has. What
// it says follows the reader of data.gouv.fr (udata): identity is
// dct:identifier, the address dcat:landingPage, keywords dcat:keyword, extent a
// WKT literal, the next page hydra:next.
//
// The three syntaxes are written here, from one model, by three writers of
// some sixty lines: the libraries that are kept either read only, lack
// RDF/XML and JSON-LD, or hold a whole graph in memory.
package dcat

import (
	"io"

	"calanque/geo/catalogue"
)

// A Format is one syntax of RDF. Its functions append to a buffer.
type Format struct {
	Suffix    string // of addresses
	MediaType string
	begin     func(dst []byte) []byte
	node      func(dst []byte, n *node, first bool) []byte
	end       func(dst []byte) []byte
}

// Formats are all that the catalogue is written in. The first is for those who
// don't mind.
var Formats = []Format{JSONLD, Turtle, RDFXML}

// piece is how many bytes are gathered before they are sent.
const piece = 16 << 10

// A Writer writes one document: begin it with NewWriter, end it with Close.
// It remembers what it has said of producers, licences and authorities, of
// which there are few, and nothing of datasets.
type Writer struct {
	w           io.Writer
	format      Format
	site        Site
	about       *catalogue.About
	buf         []byte
	written     map[string]bool // shared nodes
	first       bool
	inCatalogue bool // datasets are said to be of it
	err         error
}

// NewWriter begins a document.
func NewWriter(w io.Writer, f Format, site Site, about *catalogue.About) *Writer {
	return &Writer{w: w, format: f, site: site, about: about, buf: f.begin(nil), written: map[string]bool{}, first: true}
}

// Close ends the document. What was written before is a whole document only
// when it returns nil.
func (w *Writer) Close() error {
	w.buf = w.format.end(w.buf)
	w.flush()
	return w.err
}

func (w *Writer) flush() {
	if w.err == nil {
		_, w.err = w.w.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// put writes a node and those it names that have names of their own; only
// blank ones stay where they are.
func (w *Writer) put(n *node) {
	queue := []*node{n}
	here := map[string]bool{}
	for len(queue) > 0 {
		n, queue = queue[0], queue[1:]
		if n.once != each {
			if here[n.iri] || w.written[n.iri] {
				continue
			}
			here[n.iri] = true
			if n.once == perFile {
				w.written[n.iri] = true
			}
		}
		queue = flatten(n, queue)
		w.buf = w.format.node(w.buf, n, w.first)
		w.first = false
	}
	if len(w.buf) >= piece {
		w.flush()
	}
}

// flatten replaces the named nodes that a node holds by their names, and
// appends them to the queue.
func flatten(n *node, queue []*node) []*node {
	for i := range n.said {
		p := &n.said[i]
		switch {
		case p.node == nil:
		case p.node.iri == "":
			queue = flatten(p.node, queue)
		default:
			queue = append(queue, p.node)
			p.iri, p.node = p.node.iri, nil
		}
	}
	return queue
}
