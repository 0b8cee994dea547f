package match

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// abbreviations are what French partners write short, as whole words.
var abbreviations = map[string]string{
	"st": "saint", "ste": "sainte", "sts": "saints", "stes": "saintes",
	"av": "avenue", "ave": "avenue", "bd": "boulevard", "bld": "boulevard", "bvd": "boulevard", "blvd": "boulevard",
	"ch": "chemin", "che": "chemin", "chem": "chemin", "imp": "impasse", "pl": "place", "rte": "route", "trav": "traverse",
	"sq": "square", "all": "allee", "qu": "quai", "r": "rue", "crs": "cours", "fg": "faubourg", "fbg": "faubourg",
	"gal": "general", "mal": "marechal", "cdt": "commandant", "cne": "capitaine", "cap": "capitaine", "col": "colonel",
	"dr": "docteur", "pr": "professeur", "pdt": "president", "abb": "abbe", "mgr": "monseigneur", "lt": "lieutenant",
	"nd": "notre dame", "hlm": "hlm", "mjc": "mjc", "bib": "bibliotheque", "biblio": "bibliotheque", "med": "mediatheque",
	"gym": "gymnase", "sta": "stade", "mun": "municipal", "munic": "municipal", "elem": "elementaire", "mat": "maternelle",
	"prim": "primaire", "ec": "ecole", "clg": "college", "lyc": "lycee", "fne": "fontaine", "font": "fontaine",
	"1er": "premier", "1ere": "premiere", "2e": "deuxieme", "2eme": "deuxieme", "3e": "troisieme", "3eme": "troisieme",
	"mme": "madame", "m": "monsieur", "jb": "jean baptiste", "jj": "jean jacques",
}

// articles carry nothing when names are compared.
var articles = map[string]bool{
	"le": true, "la": true, "les": true, "l": true, "de": true, "du": true, "des": true, "d": true,
	"et": true, "a": true, "au": true, "aux": true, "en": true, "sur": true, "sous": true, "the": true,
}

// kinds are words that say what a thing is, not which one: "École élémentaire
// publique Jean Moulin" is compared by "Jean Moulin" when both sides have more.
var kinds = map[string]bool{
	"ecole": true, "elementaire": true, "primaire": true, "maternelle": true, "publique": true, "public": true,
	"prive": true, "privee": true, "college": true, "lycee": true, "groupe": true, "scolaire": true,
	"bibliotheque": true, "mediatheque": true, "municipale": true, "municipal": true, "communale": true, "communal": true,
	"gymnase": true, "stade": true, "piscine": true, "complexe": true, "sportif": true, "salle": true, "terrain": true,
	"mairie": true, "hotel": true, "ville": true, "poste": true, "bureau": true, "agence": true,
	"fontaine": true, "borne": true, "point": true, "eau": true, "potable": true, "robinet": true, "source": true,
	"pharmacie": true, "creche": true, "centre": true, "maison": true, "police": true, "caserne": true, "pompiers": true,
	"gendarmerie": true, "cimetiere": true, "chapelle": true, "eglise": true, "tennis": true, "court": true, "parking": true,
}

// A name is a name made comparable: words in order without accents, case,
// punctuation and articles, abbreviations written out.
type name struct {
	text string   // all words, joined by a space: equal texts are one name
	core []string // the words that say which one it is
	kind []string // the words that say what it is
}

// normalise makes a name comparable. The empty name has no words.
func normalise(s string) name {
	var n name
	words := split(s)
	for _, w := range words {
		for _, w := range strings.Fields(expand(w)) {
			switch {
			case articles[w]:
				continue
			case kinds[w]:
				n.kind = append(n.kind, w)
			default:
				n.core = append(n.core, w)
			}
			if n.text != "" {
				n.text += " "
			}
			n.text += w
		}
	}
	return n
}

func expand(w string) string {
	if long, ok := abbreviations[w]; ok {
		return long
	}
	return w
}

// split cuts a name into lower-case words of plain letters and digits. Points
// inside initials ("J.-B.") separate words.
func split(s string) []string {
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		switch {
		case unicode.Is(unicode.Mn, r):
			// accent
		case r == 'œ' || r == 'Œ':
			b.WriteString("oe")
		case r == 'æ' || r == 'Æ':
			b.WriteString("ae")
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteByte(' ')
		}
	}
	return strings.Fields(b.String())
}

// A nameLevel is how two names compare, from the same to none to compare.
type nameLevel string

const (
	nameExact      nameLevel = "exact"      // to the letter
	nameNormalised nameLevel = "normalised" // once abbreviations, case, accents and articles are out of the way
	nameSimilar    nameLevel = "similar"    // a typing error or a word more
	namePartial    nameLevel = "partial"    // half of the words
	nameDifferent  nameLevel = "different"
	nameMissing    nameLevel = "missing" // one side has none
)

// compareNames gives the best level over the names that an object carries, and
// which one it was.
func compareNames(ours string, theirs []string) (nameLevel, string) {
	a := normalise(ours)
	if a.text == "" || len(theirs) == 0 {
		return nameMissing, first(theirs)
	}
	best, which := nameMissing, first(theirs)
	for _, t := range theirs {
		if l := level(ours, t, a, normalise(t)); better(l, best) {
			best, which = l, t
		}
	}
	return best, which
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

var rank = map[nameLevel]int{nameExact: 0, nameNormalised: 1, nameSimilar: 2, namePartial: 3, nameDifferent: 4, nameMissing: 5}

func better(a, b nameLevel) bool { return rank[a] < rank[b] }

func level(rawA, rawB string, a, b name) nameLevel {
	switch {
	case b.text == "":
		return nameMissing
	case rawA == rawB:
		return nameExact
	case a.text == b.text:
		return nameNormalised
	}
	// "École Jean Moulin" against "Jean Moulin": what is left says which one.
	if len(a.core) > 0 && len(b.core) > 0 {
		return coreLevel(a.core, b.core)
	}
	// One side only says what it is ("Mairie", "Fontaine"): that is no name.
	if len(a.core) == 0 && len(b.core) == 0 {
		if overlap(a.kind, b.kind) > 0 {
			return namePartial
		}
	}
	return nameMissing
}

func coreLevel(a, b []string) nameLevel {
	ja, jb := strings.Join(a, " "), strings.Join(b, " ")
	if ja == jb || strings.ReplaceAll(ja, " ", "") == strings.ReplaceAll(jb, " ", "") {
		return nameNormalised
	}
	matched := overlap(a, b)
	shorter, longer := min(len(a), len(b)), max(len(a), len(b))
	switch {
	case matched == shorter && (shorter >= 2 || longer == shorter):
		return nameSimilar // one has a word more, or words differ by a letter
	case jaroWinkler(ja, jb) >= 0.93 && matched*2 >= longer:
		return nameSimilar
	case matched == shorter || matched*2 >= longer:
		return namePartial
	}
	return nameDifferent
}

// overlap counts the words of a that have a counterpart in b: the same, its
// initial, or one typing error away. Each word of b counts once.
func overlap(a, b []string) int {
	used := make([]bool, len(b))
	n := 0
	for _, w := range a {
		for j, v := range b {
			if !used[j] && sameWord(w, v) {
				used[j] = true
				n++
				break
			}
		}
	}
	return n
}

func sameWord(a, b string) bool {
	if a == b {
		return true
	}
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) == 1 {
		return b[:1] == a // an initial
	}
	return len(a) >= 4 && jaroWinkler(a, b) >= 0.92
}

// jaroWinkler is the Jaro-Winkler similarity in [0, 1] of two plain strings
// (Winkler 1990: prefix scale 0.1, at most 4 letters).
func jaroWinkler(a, b string) float64 {
	ra, rb := []rune(a), []rune(b)
	j := jaro(ra, rb)
	prefix := 0
	for prefix < min(4, len(ra), len(rb)) && ra[prefix] == rb[prefix] {
		prefix++
	}
	return j + float64(prefix)*0.1*(1-j)
}

func jaro(a, b []rune) float64 {
	if len(a) == 0 || len(b) == 0 {
		return 0
	}
	window := max(len(a), len(b))/2 - 1
	usedA, usedB := make([]bool, len(a)), make([]bool, len(b))
	m := 0
	for i, r := range a {
		for j := max(0, i-window); j <= min(len(b)-1, i+window); j++ {
			if !usedB[j] && b[j] == r {
				usedA[i], usedB[j] = true, true
				m++
				break
			}
		}
	}
	if m == 0 {
		return 0
	}
	t, j := 0, 0
	for i := range a {
		if !usedA[i] {
			continue
		}
		for !usedB[j] {
			j++
		}
		if a[i] != b[j] {
			t++
		}
		j++
	}
	mf := float64(m)
	return (mf/float64(len(a)) + mf/float64(len(b)) + (mf-float64(t)/2)/mf) / 3
}
