package catalogue

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"calanque/geo"
)

// A Sheet is a spreadsheet as it was read: cells as text, dates of
// spreadsheets as their serial numbers, merged cells filled downwards.
type Sheet struct {
	Source string     `json:"source"` // file name, for people
	SHA256 []byte     `json:"sha256"`
	Name   string     `json:"name,omitempty"`   // of the sheet in a workbook
	Sheets []string   `json:"sheets,omitempty"` // of the workbook, those that are shown
	Rows   [][]string `json:"rows"`             // from the first line of the sheet
}

// A CensusColumn is a column of a census and what it was taken for.
type CensusColumn struct {
	Column int    `json:"column"` // from 1
	Title  string `json:"title"`  // "" when its cell in the line of titles is empty
	Field  string `json:"field"`  // "" when nobody recognised it: its cells are kept as they are
}

// censusWords are the titles that columns of a census go by, without accents
// and case. The first list that has a title wins.
var censusWords = []struct {
	field string
	words []string
}{
	{"id", []string{"identifiant", "id", "slug", "identifier", "codice", "id donnee", "identifiant unique"}},
	{"title", []string{
		"titre", "nom", "intitule", "libelle", "denomination", "designation", "jeu de donnees", "nom du jeu de donnees", "titre du jeu de donnees",
		"nom de la donnee", "nom des donnees", "donnee", "donnees", "nom de la couche", "couche", "nom de la base", "nom du fichier", "dataset", "title", "name", "titolo",
	}},
	{"description", []string{"description", "descriptif", "resume", "contenu", "definition", "objet", "description du contenu", "abstract", "descrizione"}},
	{"producer", []string{
		"producteur", "organisme", "organisme producteur", "structure", "proprietaire", "fournisseur", "editeur", "organisation", "maitre d ouvrage",
		"producteur nom", "nom du producteur", "coll nom", "collectivite", "producer", "publisher", "produttore",
	}},
	{"licence", []string{"licence", "license", "licence de reutilisation", "licence de diffusion", "droits", "conditions d utilisation", "conditions de reutilisation", "licenza"}},
	{"topics", []string{"theme", "themes", "thematique", "thematiques", "categorie", "categories", "domaine", "rubrique", "topic", "tema"}},
	{"keywords", []string{"mots cles", "mot cle", "motscles", "mots clefs", "tags", "etiquettes", "keywords", "parole chiave"}},
	{"territory", []string{
		"territoire", "couverture spatiale", "couverture geographique", "emprise", "emprise geographique", "zone geographique", "perimetre", "commune", "communes",
		"code insee", "etendue geographique", "couv spat nom", "couv spat maille", "territory", "territorio", "secteur geographique",
	}},
	{"frequency", []string{
		"frequence", "frequence de mise a jour", "frequence de maj", "freq maj", "periodicite", "actualisation", "rythme de mise a jour", "mise a jour",
		"frequence d actualisation", "periodicite de mise a jour", "frequency", "frequenza",
	}},
	{"delivered", []string{
		"date de mise a jour", "derniere mise a jour", "date de derniere mise a jour", "date maj", "date de la derniere mise a jour", "maj", "mis a jour le", "date d actualisation", "modified",
	}},
	{"issued", []string{"date de creation", "date de publication", "premiere publication", "date publ", "cree le", "date de parution", "issued"}},
	{"from", []string{"debut", "date de debut", "couv temp debut", "debut de periode", "couverture temporelle debut", "annee de debut", "depuis"}},
	{"to", []string{"fin", "date de fin", "couv temp fin", "fin de periode", "couverture temporelle fin", "annee de fin", "jusqu a"}},
	{"year", []string{"annee", "millesime", "periode", "couverture temporelle", "anno"}},
	{"url", []string{"url", "lien", "liens", "adresse", "adresse web", "lien de telechargement", "url de telechargement", "acces", "lien vers la donnee", "link", "telechargement"}},
	{"landingPage", []string{"page", "site", "fiche", "url de la fiche", "page d accueil", "site internet", "site web", "lien vers la fiche", "landing page"}},
	{"format", []string{"format", "formats", "format ressources", "format du fichier", "format des donnees", "type de fichier", "format de fichier"}},
	{"contact", []string{"contact", "referent", "responsable", "correspondant", "interlocuteur", "personne ressource", "nom du referent", "referente"}},
	{"email", []string{"courriel", "mail", "email", "e mail", "adresse mail", "adresse email", "adresse electronique", "mel", "courriel du contact"}},
	{"limits", []string{"limites", "limite", "restrictions", "restriction", "precautions", "precautions d usage", "contraintes", "limites d usage", "limites connues", "qualite"}},
}

// CensusFields are what a column of a census may be taken for, in the order in
// which people are offered them.
func CensusFields() []string {
	list := make([]string, len(censusWords))
	for i, f := range censusWords {
		list[i] = f.field
	}
	return list
}

// plainWords writes a text without accents, case and signs, so that spellings
// of one word are one.
func plainWords(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range norm.NFD.String(strings.ToLower(s)) {
		switch {
		case unicode.Is(unicode.Mn, r):
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			if gap && b.Len() > 0 {
				b.WriteByte(' ')
			}
			gap = false
			b.WriteRune(r)
		default:
			gap = true
		}
	}
	return strings.NewReplacer("œ", "oe", "æ", "ae").Replace(b.String())
}

// columnField tells what a column is by its title, and how sure that is: 2 for
// a title that is known, 1 for one that begins with a known one ("Titre (50
// caractères)"), 0 for none.
func columnField(title string) (field string, sure int) {
	words := plainWords(title)
	longest := 0
	for _, f := range censusWords {
		for _, w := range f.words {
			if w == words {
				return f.field, 2
			}
			if len(w) > longest && len(w) > 3 && strings.HasPrefix(words+" ", w+" ") {
				field, longest = f.field, len(w)
			}
		}
	}
	if longest > 0 {
		return field, 1
	}
	return "", 0
}

// maxHeaderRow is how far down the titles of columns may be: above are the
// service's name, a date, how to fill the sheet in.
const maxHeaderRow = 30

// FindColumns finds the row of titles of a census (from 0) and what its
// columns are: the row with the most that are known. It is a
// *geo.InputError when none names what the data sets are called.
func FindColumns(s *Sheet) (header int, columns []CensusColumn, err error) {
	best := 0
	for i, row := range s.Rows[:min(len(s.Rows), maxHeaderRow)] {
		list, score := readColumns(row)
		if score > best && slices.ContainsFunc(list, func(c CensusColumn) bool { return c.Field == "title" }) {
			header, columns, best = i, list, score
		}
	}
	if columns == nil {
		return 0, nil, geo.Bad(nil, "census.no-header", "file", s.Source)
	}
	return header, columns, nil
}

func readColumns(row []string) (list []CensusColumn, score int) {
	sure := map[string]int{}
	at := map[string]int{}
	for i, cell := range row {
		title := strings.Join(strings.Fields(cell), " ")
		if title == "" || isOurs(title) {
			continue
		}
		field, how := columnField(title)
		if len([]rune(title)) > 80 {
			field, how = "", 0 // a sentence, not a title
		}
		list = append(list, CensusColumn{Column: i + 1, Title: title})
		if how > sure[field] && field != "" {
			if was, taken := at[field]; taken {
				list[was].Field = ""
			}
			sure[field], at[field] = how, len(list)-1
			list[len(list)-1].Field = field
		}
	}
	for _, how := range sure {
		score += 1 + how
	}
	// The fuller of two rows that know as much.
	return list, score*100 + min(len(list), 99)
}

// A CensusLine is a line of a census as it was understood.
type CensusLine struct {
	Line     int // of the sheet, from 1
	State    string
	Slug     string
	Title    string
	Problems []CensusProblem
	Raw      map[string]string // cells by title of their column

	entry     Entry
	resources []Resource
	said      []string // fields that the line says
}

// The states of a line of a census.
const (
	LineTaken   = "taken"   // it made or changed a dataset
	LineSame    = "same"    // it said nothing new
	LineRefused = "refused" // it is kept, with what to do about it
)

// A CensusProblem is what keeps a line from being taken.
type CensusProblem struct {
	Column  string      `json:"column"` // A, B…: as spreadsheets call it; "" for the line
	Title   string      `json:"title,omitempty"`
	Message geo.Message `json:"message"`
}

// ColumnName is what spreadsheets call the column of a number, from 1: A, Z, AA.
func ColumnName(n int) string {
	s := ""
	for ; n > 0; n = (n - 1) / 26 {
		s = string(rune('A'+(n-1)%26)) + s
	}
	return s
}

// cells gives what a row says by the names of its columns; blank when it says
// nothing.
func cells(columns []CensusColumn, row []string) (raw map[string]string, blank bool) {
	raw = map[string]string{}
	names := columnNames(columns)
	for i, c := range columns {
		if v := cellOf(row, c.Column); v != "" {
			raw[names[i]] = v
		}
	}
	return raw, len(raw) == 0
}

// cellOf is a cell of a row by its number, from 1, as it may be kept.
func cellOf(row []string, column int) string {
	if column > len(row) {
		return ""
	}
	v := strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(row[column-1], "\x00", ""), "\uFFFD"))
	if len(v) > 1 && v[0] == '\'' && strings.ContainsRune("=+-@", rune(v[1])) {
		v = v[1:] // so that no spreadsheet takes it for a formula, as in our own lists
	}
	return v
}

// columnNames are the names under which the cells of columns are kept: their
// titles, and no two alike.
func columnNames(columns []CensusColumn) []string {
	names, taken := make([]string, len(columns)), map[string]bool{}
	for i, c := range columns {
		name := strings.ToValidUTF8(strings.ReplaceAll(c.Title, "\x00", ""), "\uFFFD")
		if name == "" {
			name = ColumnName(c.Column)
		}
		for taken[name] {
			name += " " + ColumnName(c.Column)
		}
		names[i], taken[name] = name, true
	}
	return names
}

// ColumnNumber is the number, from 1, of the column that spreadsheets call so;
// 0 for none.
func ColumnNumber(name string) int {
	n := 0
	for _, c := range strings.ToUpper(strings.TrimSpace(name)) {
		if c < 'A' || c > 'Z' || n > maxSheetCells {
			return 0
		}
		n = n*26 + int(c-'A') + 1
	}
	return n
}

// Ours begins the titles of columns that the hub's own lists of refused lines
// add to a spreadsheet: they are no part of a census.
const Ours = "calanque : "

func isOurs(title string) bool { return strings.HasPrefix(plainWords(title), plainWords(Ours)+" ") }

// isTitles tells whether a row repeats the titles, as printed sheets do on
// every page.
func isTitles(columns []CensusColumn, raw map[string]string) bool {
	if len(raw) < 2 {
		return false
	}
	for title, v := range raw {
		if plainWords(title) != plainWords(v) {
			return false
		}
	}
	return true
}

// slugOf makes an address of a title.
func slugOf(title string) string {
	s := strings.ReplaceAll(plainWords(title), " ", "-")
	var b strings.Builder
	for _, r := range s {
		if r < 128 {
			b.WriteRune(r)
		}
	}
	s = strings.Trim(b.String(), "-")
	if len(s) > 60 {
		s = s[:60]
		if i := strings.LastIndexByte(s, '-'); i > 20 {
			s = s[:i]
		}
	}
	return strings.Trim(s, "-")
}
