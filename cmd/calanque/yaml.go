package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"calanque/geo"
)

// readCatalogue reads a catalogue file strictly: a field that is not known is
// an error that says where it stands and what was perhaps meant.
func readCatalogue(path string) (*catalogueFile, locator, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		if errors.Is(err, os.ErrNotExist) {
			return nil, locator{}, geo.Bad(err, "format.no-file", "file", path)
		}
		return nil, locator{}, fmt.Errorf("read the catalogue: %w", err)
	}
	return parseCatalogue(filepath.Base(path), data)
}

func parseCatalogue(file string, data []byte) (*catalogueFile, locator, error) {
	var c catalogueFile
	where := locator{file: file}
	if err := yaml.Load(data, &c, yaml.WithKnownFields()); err != nil {
		return nil, where, yamlError(file, err)
	}
	if err := yaml.Load(data, &where.root); err != nil {
		return nil, where, yamlError(file, err)
	}
	return &c, where, nil
}

var unknownField = regexp.MustCompile(`^field (.+) not found in type `)

// yamlError says the first fault of a file: its line, column and what to do.
func yamlError(file string, err error) error {
	var fault *yaml.LoadError
	if !errors.As(err, &fault) {
		return geo.Bad(err, "catalogue.yaml", "file", file, "line", 0, "column", 0, "said", err.Error())
	}
	line, column := fault.Mark.Line, fault.Mark.Column
	if m := unknownField.FindStringSubmatch(fault.Message); m != nil {
		return geo.Bad(err, "catalogue.unknown-field", "file", file, "line", line, "column", column,
			"field", m[1], "nearest", nearest(m[1], fieldNames(fault.Message)))
	}
	return geo.Bad(err, "catalogue.yaml", "file", file, "line", line, "column", column, "said", fault.Message)
}

// fieldNames lists the fields that stood to choice where one was not found:
// those of the type that the fault names.
func fieldNames(fault string) map[string]bool {
	_, name, _ := strings.Cut(fault, " not found in type ")
	names := map[string]bool{}
	var visit func(t reflect.Type)
	seen := map[reflect.Type]bool{}
	visit = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] {
			return
		}
		seen[t] = true
		for i := range t.NumField() {
			f := t.Field(i)
			tag, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if tag != "" && tag != "-" && t.String() == name {
				names[tag] = true
			}
			visit(f.Type)
		}
	}
	visit(reflect.TypeOf(catalogueFile{}))
	return names
}

// A locator finds the place of a value in the file, for faults that are found
// after it was decoded.
type locator struct {
	file string
	root yaml.Node
}

// bad makes an error about field of entry i of a section, with its line and
// column.
func (w locator) bad(code, section string, i int, field string, args ...any) error {
	line, column := w.find(section, i, field)
	return geo.Bad(nil, code, append([]any{"file", w.file, "line", line, "column", column}, args...)...)
}

func (w locator) find(section string, i int, field string) (line, column int) {
	n := &w.root
	if n.Kind == yaml.DocumentNode && len(n.Content) > 0 {
		n = n.Content[0]
	}
	n = child(n, section)
	if n == nil {
		return 0, 0
	}
	if n.Kind == yaml.SequenceNode && i < len(n.Content) {
		n = n.Content[i]
	}
	if f := child(n, field); f != nil {
		n = f
	}
	return n.Line, n.Column
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func sortedNames(m map[string]bool) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}

// levenshtein counts the edits between two words.
func levenshtein(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := i
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			last, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, last+cost)
		}
	}
	return row[len(b)]
}
