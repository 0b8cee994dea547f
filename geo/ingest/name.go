package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// maxName is how many bytes of a name PostgreSQL keeps.
const maxName = 63

// reserved are names that mean something else where fields are shown or
// filtered: the id of a feature in tiles, the parameters of the API, the
// system columns of PostgreSQL.
var reserved = map[string]bool{
	"id": true, "geometry": true, "bbox": true, "limit": true, "datetime": true, "after": true, "f": true, "crs": true,
	"skipgeometry": true, "offset": true, "properties": true, "sortby": true, "filter": true,
	"tableoid": true, "xmin": true, "xmax": true, "cmin": true, "cmax": true, "ctid": true,
}

// ColumnName makes the name of a column of its title: lower snake case
// without accents, at most 63 bytes, never a reserved word. An empty title
// gives "".
func ColumnName(title string) string {
	name := snake(title)
	switch {
	case name == "":
		return ""
	case name[0] >= '0' && name[0] <= '9':
		name = "c_" + name
	}
	if reserved[name] {
		name += "_source"
	}
	return shorten(name, title)
}

func snake(title string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFKD.String(ligatures.Replace(title)) {
		r = unicode.ToLower(r)
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			gap = false
			b.WriteRune(r)
		case unicode.Is(unicode.Mn, r): // an accent taken off its letter
		default:
			gap = true
		}
	}
	return b.String()
}

var ligatures = strings.NewReplacer("œ", "oe", "Œ", "oe", "æ", "ae", "Æ", "ae", "ß", "ss", "ø", "o", "Ø", "o", "ł", "l", "Ł", "l")

// shorten cuts a name to 63 bytes; a hash of the whole keeps two that begin
// alike apart.
func shorten(name, of string) string {
	if len(name) <= maxName {
		return name
	}
	sum := sha256.Sum256([]byte(of))
	return strings.TrimRight(name[:maxName-9], "_-") + "_" + hex.EncodeToString(sum[:4])
}

// ColumnNames names all columns of a layer: untitled ones by their place,
// repeated ones with a number.
func ColumnNames(titles []string) []string {
	names := make([]string, len(titles))
	taken := map[string]bool{}
	for i, t := range titles {
		base := ColumnName(t)
		if base == "" {
			base = fmt.Sprintf("column_%d", i+1)
		}
		name := base
		for n := 2; taken[name]; n++ {
			suffix := fmt.Sprintf("_%d", n)
			name = base[:min(len(base), maxName-len(suffix))] + suffix
		}
		taken[name] = true
		names[i] = name
	}
	return names
}

// layerName makes the name of a layer of a dataset that has several.
func layerName(dataset, source string) string {
	s := strings.ReplaceAll(snake(source), "__", "_")
	if s == "" {
		s = "layer"
	}
	prefix := strings.ReplaceAll(dataset, "-", "_")
	s = strings.TrimPrefix(s, prefix+"_")
	return shorten(dataset+"_"+s, dataset+"_"+source)
}
