package format

import (
	"context"

	"calanque/geo"
)

// A Format is one kind of file that Open reads.
type Format struct {
	Name  string
	Match func(Head) bool
	Open  func(ctx context.Context, path string, o Options) (Source, error)
}

// A Head is what a format is recognised by.
type Head struct {
	Path  string
	Ext   string // lower case, with the dot
	Bytes []byte // the beginning of the file, at most 64 KiB
}

// All lists the formats in the order in which they are tried.
var All = []Format{}

// Open opens the file with the format that its content and name call for. What
// can't be opened is a *geo.InputError that says what, where and how to mend
// it: a Git LFS pointer, a web page, an empty file, a zip bomb, a truncated
// file, an unknown format.
func Open(ctx context.Context, path string, o Options) (Source, error) {
	return nil, geo.Bad(nil, "format.unknown", "file", path)
}
