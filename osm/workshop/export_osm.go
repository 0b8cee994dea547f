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

// A node is one of a file: the whole object as it should be.
type node struct {
	id       int64 // negative: a new one
	version  int   // that was seen; 0 for a new one
	lon, lat float64
	tags     map[string]string
}

// nodes puts the edits that a file can hold together, one node each: the new
// ones from -1 downwards, then those that are there by id.
func (x *Export) nodes() []node {
	var list []node
	byID := map[int64]int{}
	for i := range x.Edits {
		e := &x.Edits[i]
		if !e.InFile() {
			continue
		}
		id := int64(-len(list) - 1)
		if e.Object != "" {
			var err error
			if id, err = strconv.ParseInt(e.Object[1:], 10, 64); err != nil {
				continue
			}
		}
		at, again := byID[id]
		if !again {
			at = len(list)
			byID[id] = at
			list = append(list, e.start(id))
		}
		e.apply(&list[at])
	}
	slices.SortStableFunc(list, func(a, b node) int {
		if a.id < 0 && b.id < 0 {
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

// start is the node as OpenStreetMap has it.
func (e *Edit) start(id int64) node {
	n := node{id: id, tags: map[string]string{}}
	if e.object != nil && e.object.version != nil {
		n.version, n.lon, n.lat = *e.object.version, e.object.lon, e.object.lat
		maps.Copy(n.tags, e.object.tags)
	}
	return n
}

func (e *Edit) apply(n *node) {
	if e.Place != nil {
		n.lon, n.lat = e.Place[0], e.Place[1]
	}
	for _, k := range e.Unset {
		delete(n.tags, k)
	}
	maps.Copy(n.tags, e.Set)
}

// WriteOSM writes the proposals as a file for JOSM: nodes that are changed
// with the version that was seen, new ones with negative ids, never a
// deletion. What it can't hold is told in a comment at its head.
func (x *Export) WriteOSM(w io.Writer, say Words) error {
	b := &bytes.Buffer{}
	x.head(b, say)
	b.WriteString(`<osm version="0.6" generator="` + generator + `" upload="true">` + "\n")
	for _, n := range x.nodes() {
		n.write(b, ` action="modify" visible="true"`)
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

func (n *node) write(b *bytes.Buffer, attributes string) {
	fmt.Fprintf(b, `  <node id="%d"`, n.id)
	if n.version > 0 {
		fmt.Fprintf(b, ` version="%d"`, n.version)
	}
	fmt.Fprintf(b, ` lat="%s" lon="%s"%s`, degrees(n.lat), degrees(n.lon), attributes)
	if len(n.tags) == 0 {
		b.WriteString("/>\n")
		return
	}
	b.WriteString(">\n")
	for _, k := range slices.Sorted(maps.Keys(n.tags)) {
		b.WriteString(`    <tag k="` + escaped(k) + `" v="` + escaped(n.tags[k]) + "\"/>\n")
	}
	b.WriteString("  </node>\n")
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
