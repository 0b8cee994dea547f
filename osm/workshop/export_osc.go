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
	var made, changed []element
	for _, n := range x.elements() {
		switch {
		case n.id < 0:
			made = append(made, n)
		case n.changed:
			changed = append(changed, n)
		}
	}
	section(b, "create", made)
	section(b, "modify", changed)
	b.WriteString("</osmChange>\n")
	return send(w, b)
}

func section(b *bytes.Buffer, name string, list []element) {
	if len(list) == 0 {
		return
	}
	b.WriteString("<" + name + ">\n")
	for i := range list {
		list[i].write(b, "")
	}
	b.WriteString("</" + name + ">\n")
}
