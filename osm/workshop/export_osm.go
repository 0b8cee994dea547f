package workshop

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"calanque/geo"
)

// generator names the hub in the files that it writes.
const generator = "Calanque"

// An element is one object of a file, as it should be.
type element struct {
	kind     byte  // 'n' or 'w'
	id       int64 // negative: a new one
	version  int   // that was seen; 0 for a new one
	lon, lat float64
	tags     map[string]string
	refs     []int64 // nodes of a way
	changed  bool    // else it is there so that a way can be drawn
}

// elements puts the edits that a file can hold together, one object each: the
// new nodes from -1 downwards, those that are there by id, with all nodes of
// ways, then ways by id.
func (x *Export) elements() []element {
	var list []element
	at := map[string]int{}
	for i := range x.Edits {
		e := &x.Edits[i]
		if !e.InFile() {
			continue
		}
		n, again := at[e.Object]
		if !again || e.Object == "" {
			n = len(list)
			at[e.Object] = n
			list = append(list, e.start(int64(-i-1)))
		}
		e.apply(&list[n])
	}
	for i := range x.Edits {
		if e := &x.Edits[i]; e.InFile() && e.object != nil {
			for _, n := range e.object.nodes {
				key := "n" + strconv.FormatInt(n.id, 10)
				if _, there := at[key]; !there {
					at[key] = len(list)
					list = append(list, n)
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b element) int {
		switch {
		case a.kind != b.kind:
			return cmp.Compare(a.kind, b.kind)
		case a.id < 0 && b.id < 0:
			return cmp.Compare(b.id, a.id)
		}
		return cmp.Compare(a.id, b.id)
	})
	for i := range list {
		if list[i].id < 0 {
			list[i].id = int64(-i - 1)
		}
	}
	return list
}

// start is the object as OpenStreetMap has it; a new node takes an id.
func (e *Edit) start(id int64) element {
	n := element{kind: 'n', id: id, tags: map[string]string{}, changed: true}
	if e.Object == "" {
		return n
	}
	n.kind = e.Object[0]
	n.id, _ = strconv.ParseInt(e.Object[1:], 10, 64) // keys are made of numbers
	if o := e.object; o != nil && o.version != nil {
		n.version, n.lon, n.lat = *o.version, o.lon, o.lat
		maps.Copy(n.tags, o.tags)
		for _, node := range o.nodes {
			n.refs = append(n.refs, node.id)
		}
	}
	return n
}

func (e *Edit) apply(n *element) {
	if e.Place != nil {
		n.lon, n.lat = e.Place[0], e.Place[1]
	}
	for _, k := range e.Unset {
		delete(n.tags, k)
	}
	maps.Copy(n.tags, e.Set)
}

// WriteOSM writes the proposals as a file for JOSM: objects that are changed
// whole, with the version that was seen and all nodes of ways, new ones with
// negative ids, never a deletion. What it can't hold is told in a comment at
// its head.
func (x *Export) WriteOSM(w io.Writer, say Words) error {
	b := &bytes.Buffer{}
	x.head(b, say)
	b.WriteString(`<osm version="0.6" generator="` + generator + `" upload="true">` + "\n")
	for _, n := range x.elements() {
		attributes := ` visible="true"`
		if n.changed {
			attributes = ` action="modify"` + attributes
		}
		n.write(b, attributes)
	}
	b.WriteString("</osm>\n")
	return send(w, b)
}

// head writes the XML declaration and what a reader should know.
func (x *Export) head(b *bytes.Buffer, say Words) {
	b.WriteString(xml.Header)
	left := 0
	for i := range x.Edits {
		if !x.Edits[i].InFile() {
			left++
		}
	}
	comment(b, say(geo.Say("exports.note")))
	if left > 0 {
		comment(b, say(geo.Say("exports.note-left", "n", left)))
	}
	if x.Withheld > 0 {
		comment(b, say(geo.Say("exports.note-withheld", "n", x.Withheld)))
	}
	for i := range x.Edits {
		e := &x.Edits[i]
		if !e.InFile() {
			comment(b, strings.TrimSpace(fmt.Sprintf("%d. %s", e.Task.Number, e.Object))+" – "+say(e.Left))
		}
	}
}

// comment writes an XML comment; two hyphens would end it.
func comment(b *bytes.Buffer, text string) {
	b.WriteString("<!-- " + strings.ReplaceAll(printable(text), "--", "- -") + " -->\n")
}

func (n *element) write(b *bytes.Buffer, attributes string) {
	name := osmTypes[n.kind]
	fmt.Fprintf(b, `  <%s id="%d"`, name, n.id)
	if n.version > 0 {
		fmt.Fprintf(b, ` version="%d"`, n.version)
	}
	if n.kind == 'n' {
		fmt.Fprintf(b, ` lat="%s" lon="%s"`, degrees(n.lat), degrees(n.lon))
	}
	b.WriteString(attributes)
	if len(n.tags)+len(n.refs) == 0 {
		b.WriteString("/>\n")
		return
	}
	b.WriteString(">\n")
	for _, ref := range n.refs {
		fmt.Fprintf(b, "    <nd ref=\"%d\"/>\n", ref)
	}
	for _, k := range slices.Sorted(maps.Keys(n.tags)) {
		b.WriteString(`    <tag k="` + escaped(k) + `" v="` + escaped(n.tags[k]) + "\"/>\n")
	}
	b.WriteString("  </" + name + ">\n")
}

// degrees writes a coordinate as OpenStreetMap keeps it.
func degrees(f float64) string { return strconv.FormatFloat(f, 'f', 7, 64) }

// escaped writes a text into XML; what XML can't hold is replaced.
func escaped(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a buffer takes everything
	return b.String()
}

// printable replaces what XML can't hold, without escaping: comments have no
// entities.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == '\uFFFE' || r == '\uFFFF' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
}

func send(w io.Writer, b *bytes.Buffer) error {
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("write an export: %w", err)
	}
	return nil
}
