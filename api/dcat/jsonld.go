package dcat

import (
	"bytes"
	"encoding/json"
	"strings"
)

// JSONLD is JSON-LD 1.1: a graph of objects whose context only declares the
// prefixes, so that nobody has to fetch one.
var JSONLD = Format{
	Suffix: ".jsonld", MediaType: "application/ld+json",
	begin: func(dst []byte) []byte {
		dst = append(dst, "{\"@context\": {"...)
		for i, p := range prefixes {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(dst, `"`+p.name+`": "`+p.iri+`"`...)
		}
		return append(dst, "},\n\"@graph\": ["...)
	},
	node: func(dst []byte, n *node, first bool) []byte {
		if !first {
			dst = append(dst, ',')
		}
		return jsonNode(append(dst, '\n'), n)
	},
	end: func(dst []byte) []byte { return append(dst, "\n]}\n"...) },
}

func jsonNode(dst []byte, n *node) []byte {
	dst = append(dst, '{')
	comma := ""
	if n.iri != "" {
		dst = jsonString(append(dst, `"@id": `...), n.iri)
		comma = ", "
	}
	if len(n.types) > 0 {
		dst = append(dst, comma+`"@type": ["`+strings.Join(n.types, `", "`)+`"]`...)
		comma = ", "
	}
	// An object has each name once, with all its values.
	for i := range n.said {
		name := n.said[i].name
		if said(n.said[:i], name) {
			continue
		}
		dst = append(dst, comma+`"`+name+`": [`...)
		comma = ", "
		first := true
		for j := i; j < len(n.said); j++ {
			if n.said[j].name != name {
				continue
			}
			if !first {
				dst = append(dst, ", "...)
			}
			first = false
			dst = jsonValue(dst, &n.said[j])
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

func said(list []property, name string) bool {
	for i := range list {
		if list[i].name == name {
			return true
		}
	}
	return false
}

func jsonValue(dst []byte, p *property) []byte {
	switch {
	case p.node != nil:
		return jsonNode(dst, p.node)
	case p.iri != "":
		return append(jsonString(append(dst, `{"@id": `...), p.iri), '}')
	}
	dst = jsonString(append(dst, `{"@value": `...), p.text)
	switch {
	case p.lang != "":
		dst = append(dst, `, "@language": "`+p.lang+`"`...)
	case p.datatype != "":
		dst = append(dst, `, "@type": "`+p.datatype+`"`...)
	}
	return append(dst, '}')
}

func jsonString(dst []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // a string has no error
	}
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
