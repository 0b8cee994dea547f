package catalogue

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"calanque/geo"
)

// A known is what a census may name: producers, licences and topics.
type known struct {
	producers []Producer
	licences  []Licence
	topics    []Topic
	names     map[string]bool // of producers, for what is told of a wrong one
}

// licenceWords lead from what people write to a licence.
var licenceWords = []struct{ words, id string }{
	{"licence ouverte 1", "lo-1.0"},
	{"lo 1", "lo-1.0"},
	{"licence ouverte", "lo-2.0"},
	{"open licence", "lo-2.0"},
	{"etalab", "lo-2.0"},
	{"lo 2", "lo-2.0"},
	{"lov2", "lo-2.0"},
	{"odbl", "odbl-1.0"},
	{"open database", "odbl-1.0"},
	{"cc0", "cc0"},
	{"cc 0", "cc0"},
	{"domaine public", "cc0"},
	{"cc by 4", "cc-by-4.0"},
	{"cc by", "cc-by-4.0"},
	{"creative commons attribution", "cc-by-4.0"},
	{"restrein", "restricted"},
	{"interne", "restricted"},
	{"non communicable", "restricted"},
	{"non diffusable", "restricted"},
	{"payant", "restricted"},
	{"proprietaire", "restricted"},
	{"particulier", "restricted"},
	{"convention", "restricted"},
	{"aucune", "restricted"},
	{"a definir", "restricted"},
	{"non definie", "restricted"},
}

func (k *known) licence(s string) (string, bool) {
	words := plainWords(s)
	for _, l := range k.licences {
		if strings.EqualFold(l.ID, s) || slices.ContainsFunc(texts(l.Title), func(t string) bool { return plainWords(t) == words }) {
			return l.ID, true
		}
	}
	if words == "lo" {
		return "lo-2.0", true
	}
	for _, w := range licenceWords {
		// What forbids more than a licence allows is not that licence: CC BY-NC, CC BY-SA.
		if strings.Contains(words, w.words) && !strings.Contains(words, " nc") && !strings.Contains(words, " nd") && !strings.Contains(words, "cc by sa") {
			return w.id, true
		}
	}
	return "", false
}

func (k *known) producer(s string) (string, bool) {
	words := plainWords(s)
	for _, p := range k.producers {
		if strings.EqualFold(p.ID, s) || slices.ContainsFunc(texts(p.Title), func(t string) bool { return plainWords(t) == words }) {
			return p.ID, true
		}
	}
	return "", false
}

func (k *known) topic(s string) (string, bool) {
	words := plainWords(s)
	for _, t := range k.topics {
		if strings.EqualFold(t.ID, s) || slices.ContainsFunc(texts(t.Title), func(t string) bool { return plainWords(t) == words }) {
			return t.ID, true
		}
	}
	for _, t := range k.topics { // "Transport" for "Transports", "Culture" for "Culture et patrimoine"
		for _, title := range texts(t.Title) {
			p := plainWords(title)
			if len(words) > 3 && (strings.HasPrefix(p, words+" ") || strings.TrimSuffix(p, "s") == strings.TrimSuffix(words, "s")) {
				return t.ID, true
			}
		}
	}
	return "", false
}

func texts(t geo.Text) []string {
	var list []string
	for _, lang := range []string{"fr", "en", "it"} {
		if t[lang] != "" {
			list = append(list, t[lang])
		}
	}
	return list
}

// frequencyWords lead from what people write to a frequency; the first that is
// in it.
var frequencyWords = []struct{ words, id string }{
	{"temps reel", "continuous"},
	{"continu", "continuous"},
	{"horaire", "hourly"},
	{"toutes les heures", "hourly"},
	{"quotidien", "daily"},
	{"journali", "daily"},
	{"chaque jour", "daily"},
	{"tous les jours", "daily"},
	{"bihebdomadaire", "weekly"},
	{"bimensuel", "biweekly"},
	{"quinz", "biweekly"},
	{"hebdo", "weekly"},
	{"semaine", "weekly"},
	{"bimestriel", "bimonthly"},
	{"trimestr", "quarterly"},
	{"semestr", "half-yearly"},
	{"mensuel", "monthly"},
	{"chaque mois", "monthly"},
	{"tous les mois", "monthly"},
	{"biennal", "biennial"},
	{"bisannuel", "biennial"},
	{"2 ans", "biennial"},
	{"deux ans", "biennial"},
	{"triennal", "triennial"},
	{"3 ans", "triennial"},
	{"trois ans", "triennial"},
	{"annuel", "yearly"},
	{"par an", "yearly"},
	{"tous les ans", "yearly"},
	{"chaque annee", "yearly"},
	{"irregul", "irregular"},
	{"ponctuel", "irregular"},
	{"fil de l eau", "irregular"},
	{"besoin", "irregular"},
	{"demande", "irregular"},
	{"occasionnel", "irregular"},
	{"variable", "irregular"},
	{"non planifi", "irregular"},
	{"unique", "once"},
	{"jamais", "once"},
	{"aucune", "once"},
	{"inconnu", "unknown"},
	{"non connue", "unknown"},
	{"ne sait pas", "unknown"},
}

func frequencyOf(s string) (string, bool) {
	if f, ok := geo.FindFrequency(strings.ToLower(strings.TrimSpace(s))); ok {
		return f.ID, true
	}
	words := plainWords(s)
	for _, w := range frequencyWords {
		if strings.Contains(words, w.words) {
			return w.id, true
		}
	}
	return "", false
}

// departments of the region by name.
var departments = []struct{ words, code string }{
	{"alpes de haute provence", "D04"}, {"hautes alpes", "D05"}, {"alpes maritimes", "D06"}, {"bouches du rhone", "D13"}, {"var", "D83"}, {"vaucluse", "D84"},
}

// territoryOf understands codes, and the names of the region and its
// départements.
func territoryOf(s string) (string, bool) {
	code := strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(s), " ", ""))
	if territoryShape.MatchString(code) {
		return code, true
	}
	words := plainWords(s)
	for _, d := range departments {
		if words == d.words || words == "departement "+d.words || words == "departement du "+d.words || words == "departement des "+d.words {
			return d.code, true
		}
	}
	switch words {
	case "region", "regional", "region sud", "paca", "region paca", "provence alpes cote d azur", "region provence alpes cote d azur", "toute la region", "sud paca":
		return "R93", true
	case "04", "05", "06", "13", "83", "84":
		return "D" + words, true
	}
	return "", false
}

var months = []string{"janv", "fevr", "mars", "avr", "mai", "juin", "juil", "aout", "sept", "oct", "nov", "dec"}

// dayOf understands the dates of French spreadsheets: 31/01/2024, 2024-01-31,
// janvier 2024, 2024, and serial numbers of days. last gives the last day of a
// month or year instead of the first.
func dayOf(s string, last bool) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if i := strings.IndexAny(s, "T "); i == 10 {
		s = s[:10] // a time of the day
	}
	for _, layout := range []string{time.DateOnly, "02/01/2006", "2/1/2006", "02-01-2006", "02.01.2006", "02/01/06", "2006/01/02", "20060102"} {
		if t, err := time.Parse(layout, s); err == nil && plausible(t) {
			return t, true
		}
	}
	if f, err := strconv.ParseFloat(strings.ReplaceAll(s, ",", "."), 64); err == nil && f > 18_264 && f < 73_050 { // 1950 to 2099
		return time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC).AddDate(0, 0, int(f)), true
	}
	year, month := 0, 0
	words := strings.Fields(plainWords(s))
	for _, w := range words {
		n, err := strconv.Atoi(w)
		switch {
		case err == nil && len(w) == 4 && year == 0:
			year = n
		case err == nil && len(words) == 2 && n >= 1 && n <= 12 && month == 0:
			month = n
		case err != nil && month == 0:
			month = slices.IndexFunc(months, func(m string) bool { return strings.HasPrefix(w, m) }) + 1
			if month == 0 {
				return time.Time{}, false
			}
		default:
			return time.Time{}, false
		}
	}
	if year < 1800 || year > 2200 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(max(month, 1)), 1, 0, 0, 0, 0, time.UTC)
	if last && month == 0 {
		t = t.AddDate(1, 0, -1)
	} else if last {
		t = t.AddDate(0, 1, -1)
	}
	return t, true
}

func plausible(t time.Time) bool { return t.Year() >= 1800 && t.Year() <= 2200 }

// splitList cuts a list of words at the signs that people use.
func splitList(s string) []string {
	var list []string
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == '|' || r == '\n' }) {
		if w = strings.TrimSpace(w); w != "" && !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}
