package dcat

import "strings"

// RDFXML is RDF 1.1 XML Syntax.
var RDFXML = Format{
	Suffix: ".rdf", MediaType: "application/rdf+xml; charset=utf-8",
	begin: func(dst []byte) []byte {
		dst = append(dst, `<?xml version="1.0" encoding="UTF-8"?>`+"\n<rdf:RDF"...)
		for _, p := range prefixes {
			dst = append(dst, "\n  xmlns:"+p.name+`="`+p.iri+`"`...)
		}
		return append(dst, ">\n"...)
	},
	node: func(dst []byte, n *node, _ bool) []byte { return xmlNode(dst, n, "\n  ") },
	end:  func(dst []byte) []byte { return append(dst, "\n</rdf:RDF>\n"...) },
}

// xmlNode appends an element named by the first type of a node.
func xmlNode(dst []byte, n *node, line string) []byte {
	element, more := "rdf:Description", n.types
	if len(n.types) > 0 {
		element, more = n.types[0], n.types[1:]
	}
	dst = append(dst, line+"<"+element...)
	if n.iri != "" {
		dst = xmlAttribute(dst, "rdf:about", n.iri)
	}
	dst = append(dst, '>')
	for _, t := range more {
		dst = append(dst, line+"  <rdf:type"...)
		dst = xmlAttribute(dst, "rdf:resource", expand(t))
		dst = append(dst, "/>"...)
	}
	for i := range n.said {
		dst = xmlProperty(dst, &n.said[i], line+"  ")
	}
	return append(dst, line+"</"+element+">"...)
}

func xmlProperty(dst []byte, p *property, line string) []byte {
	dst = append(dst, line+"<"+p.name...)
	switch {
	case p.node != nil:
		dst = append(dst, '>')
		dst = xmlNode(dst, p.node, line+"  ")
		return append(dst, line+"</"+p.name+">"...)
	case p.iri != "":
		dst = xmlAttribute(dst, "rdf:resource", p.iri)
		return append(dst, "/>"...)
	case p.lang != "":
		dst = xmlAttribute(dst, "xml:lang", p.lang)
	case p.datatype != "":
		dst = xmlAttribute(dst, "rdf:datatype", expand(p.datatype))
	}
	dst = append(dst, '>')
	dst = append(dst, xmlEscapes.Replace(p.text)...)
	return append(dst, "</"+p.name+">"...)
}

func xmlAttribute(dst []byte, name, value string) []byte {
	return append(dst, " "+name+`="`+xmlEscapes.Replace(value)+`"`...)
}

// xmlEscapes keep a text as it is: a reader would make \r into \n.
var xmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;")
