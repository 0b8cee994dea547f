package workshop

import (
	"bytes"
	"io"
)

// WriteOSC writes the proposals as a change file: what is made and what is
// changed, with the version that was seen, so that a later one is a conflict
// and nothing is overwritten. Nothing is ever deleted.
func (x *Export) WriteOSC(w io.Writer, say Words) error {
	b := &bytes.Buffer{}
	x.head(b, say)
	b.WriteString(`<osmChange version="0.6" generator="` + generator + `">` + "\n")
	nodes := x.nodes()
	made := 0
	for made < len(nodes) && nodes[made].id < 0 {
		made++
	}
	section(b, "create", nodes[:made])
	section(b, "modify", nodes[made:])
	b.WriteString("</osmChange>\n")
	return send(w, b)
}

func section(b *bytes.Buffer, name string, nodes []node) {
	if len(nodes) == 0 {
		return
	}
	b.WriteString("<" + name + ">\n")
	for i := range nodes {
		nodes[i].write(b, "")
	}
	b.WriteString("</" + name + ">\n")
}
