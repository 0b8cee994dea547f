package dcat

import "strings"

// Turtle is RDF 1.1 Turtle.
var Turtle = Format{
	Suffix: ".ttl", MediaType: "text/turtle; charset=utf-8",
	begin: func(dst []byte) []byte {
		for _, p := range prefixes {
			dst = append(dst, "@prefix "+p.name+": <"+p.iri+"> .\n"...)
		}
		return dst
	},
	node: func(dst []byte, n *node, _ bool) []byte {
		dst = append(dst, '\n', '<')
		dst = append(dst, n.iri...)
		dst = append(dst, '>')
		dst = turtleSaid(dst, n, "\n  ")
		return append(dst, " .\n"...)
	},
	end: func(dst []byte) []byte { return dst },
}

// turtleSaid appends what is said of a node, each on a line of its own.
func turtleSaid(dst []byte, n *node, line string) []byte {
	for i, t := range n.types {
		if i == 0 {
			dst = append(dst, " a "...)
		} else {
			dst = append(dst, ", "...)
		}
		dst = append(dst, t...)
	}
	for i := range n.said {
		p := &n.said[i]
		if i > 0 || len(n.types) > 0 {
			dst = append(dst, " ;"...)
		}
		dst = append(dst, line...)
		dst = append(dst, p.name...)
		dst = append(dst, ' ')
		dst = turtleValue(dst, p, line)
	}
	return dst
}

func turtleValue(dst []byte, p *property, line string) []byte {
	switch {
	case p.node != nil:
		dst = append(dst, '[')
		dst = turtleSaid(dst, p.node, line+"  ")
		return append(dst, " ]"...)
	case p.iri != "":
		dst = append(dst, '<')
		dst = append(dst, p.iri...)
		return append(dst, '>')
	}
	dst = append(dst, '"')
	dst = append(dst, turtleEscapes.Replace(p.text)...)
	dst = append(dst, '"')
	switch {
	case p.lang != "":
		dst = append(dst, "@"+p.lang...)
	case p.datatype != "":
		dst = append(dst, "^^"+p.datatype...)
	}
	return dst
}

// turtleEscapes are those that a short string needs (STRING_LITERAL_QUOTE);
// the others only make it readable.
var turtleEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`)
