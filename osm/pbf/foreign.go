package pbf

import (
	"bytes"

	"calanque/geo"
)

// foreign says what a file is that does not begin like a .osm.pbf.
func (r *Reader) foreign(cause error) error {
	head := make([]byte, min(512, r.size))
	if err := r.readAt(head, 0); err != nil {
		return err
	}
	return geo.Bad(cause, foreignCode(head), "file", r.name, "offset", int64(0))
}

// foreignCode names the kind of a file by its first bytes.
func foreignCode(head []byte) string {
	text := bytes.ToLower(bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n"))
	begins := func(s string) bool { return bytes.HasPrefix(text, []byte(s)) }
	switch {
	case bytes.HasPrefix(head, []byte("version https://git-lfs")):
		return "osm.pbf.lfs"
	case begins("<!doctype html"), begins("<html"), begins("<head"), begins("<body"):
		return "osm.pbf.html"
	case begins("<?xml"), begins("<osm"):
		return "osm.pbf.xml"
	case bytes.HasPrefix(head, []byte("BZh")), bytes.HasPrefix(head, []byte{0x1f, 0x8b}),
		bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte{0xfd, '7', 'z', 'X', 'Z'}),
		bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return "osm.pbf.packed"
	default:
		return "osm.pbf.other"
	}
}
