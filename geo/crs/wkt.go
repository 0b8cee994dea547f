package crs

import (
	"strconv"
	"strings"
)

// A node is one KEYWORD[…] of a well-known text, of any dialect.
type node struct {
	keyword string // upper case
	texts   []string
	numbers []float64
	words   []string // unquoted words: EAST, north
	nodes   []*node
}

// maxDepth bounds the nesting of a WKT; real ones have eight levels.
const maxDepth = 24

// parseWKT reads a well-known text: WKT1 as OGC, GDAL, ESRI or Oracle write it,
// or WKT2. Brackets may be round; what follows the first node is ignored.
func parseWKT(s string) (*node, bool) {
	p := wktParser{s: s}
	n := p.node(0)
	return n, n != nil && !p.bad
}

type wktParser struct {
	s   string
	at  int
	bad bool
}

func (p *wktParser) space() {
	for p.at < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.at]) >= 0 {
		p.at++
	}
}

func (p *wktParser) word() string {
	from := p.at
	for p.at < len(p.s) && strings.IndexByte("[](),\" \t\r\n", p.s[p.at]) < 0 {
		p.at++
	}
	return p.s[from:p.at]
}

// node reads KEYWORD[…]; nil when there is none here.
func (p *wktParser) node(depth int) *node {
	p.space()
	n := &node{keyword: strings.ToUpper(p.word())}
	p.space()
	if n.keyword == "" || depth > maxDepth || p.at >= len(p.s) || (p.s[p.at] != '[' && p.s[p.at] != '(') {
		p.bad = true
		return nil
	}
	p.at++
	for !p.bad {
		p.space()
		if p.at >= len(p.s) {
			p.bad = true
			return n
		}
		switch c := p.s[p.at]; {
		case c == ']' || c == ')':
			p.at++
			return n
		case c == ',':
			p.at++
		case c == '"':
			n.texts = append(n.texts, p.quoted())
		default:
			p.item(n, depth)
		}
	}
	return n
}

// quoted reads a text; "" inside stands for a quote.
func (p *wktParser) quoted() string {
	var b strings.Builder
	for p.at++; p.at < len(p.s); p.at++ {
		if p.s[p.at] == '"' {
			if p.at+1 < len(p.s) && p.s[p.at+1] == '"' {
				p.at++
			} else {
				p.at++
				return b.String()
			}
		}
		b.WriteByte(p.s[p.at])
	}
	p.bad = true
	return b.String()
}

// item reads a number, a word or a nested node.
func (p *wktParser) item(n *node, depth int) {
	from := p.at
	w := p.word()
	if w == "" {
		p.bad = true
		return
	}
	p.space()
	if p.at < len(p.s) && (p.s[p.at] == '[' || p.s[p.at] == '(') {
		p.at = from
		if k := p.node(depth + 1); k != nil {
			n.nodes = append(n.nodes, k)
		}
		return
	}
	if f, err := strconv.ParseFloat(w, 64); err == nil {
		n.numbers = append(n.numbers, f)
	} else {
		n.words = append(n.words, w)
	}
}

// isSystem reports whether the node is a coordinate system, by its keyword:
// PROJCS, GEOGCRS, LOCAL_CS…
func (n *node) isSystem() bool {
	return strings.HasSuffix(n.keyword, "CS") || strings.HasSuffix(n.keyword, "CRS")
}

// child gives the first child with one of the keywords, nil for none.
func (n *node) child(keywords ...string) *node {
	if n == nil {
		return nil
	}
	for _, k := range n.nodes {
		for _, w := range keywords {
			if k.keyword == w {
				return k
			}
		}
	}
	return nil
}

// name gives the first text of the node, "" for none.
func (n *node) name() string {
	if n == nil || len(n.texts) == 0 {
		return ""
	}
	return n.texts[0]
}

// number gives number i of the node, or what is given for none.
func (n *node) number(i int, none float64) float64 {
	if n == nil || len(n.numbers) <= i {
		return none
	}
	return n.numbers[i]
}
