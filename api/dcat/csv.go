package dcat

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"calanque/api/answer"
	"calanque/geo/catalogue"
)

// Columns are those of the "catalogue" schema of OpenDataFrance's common base
// (SCDL), which DataSud exports.
var Columns = []string{
	"COLL_NOM", "COLL_SIRET", "ID", "TITRE", "DESCRIPTION", "THEME", "PRODUCTEUR_NOM", "PRODUCTEUR_SIRET",
	"COUV_SPAT_MAILLE", "COUV_SPAT_NOM", "COUV_TEMP_DEBUT", "COUV_TEMP_FIN", "DATE_PUBL", "FREQ_MAJ", "DATE_MAJ",
	"MOTS_CLES", "LICENCE", "NOMBRE_RESSOURCES", "FORMAT_RESSOURCES", "URL",
}

// AppendHeader appends the first line of the catalogue as CSV, behind the mark
// by which spreadsheets know UTF-8.
func AppendHeader(dst []byte) []byte {
	return append(append(append(dst, "\ufeff"...), strings.Join(Columns, ",")...), "\r\n"...)
}

// AppendRow appends a dataset as a line of CSV. Lists are parted by
// semicolons. places gives the names of codes INSEE.
func AppendRow(dst []byte, site Site, about *catalogue.About, places map[string]string, e *catalogue.Entry) []byte {
	p := about.Producers[e.Producer]
	producer := orText(p.Title, e.Producer).In("fr")
	licence := orText(about.Licences[e.Licence].Title, e.Licence).In("fr")
	grain, place := coverageOf(e.Territory, places)
	published, changed := e.Since, e.UpdatedAt
	if e.IssuedAt != nil {
		published = *e.IssuedAt
	}
	if e.DeliveredAt != nil {
		changed = *e.DeliveredAt
	}
	var topics, keywords []string
	for _, id := range e.Topics {
		topics = append(topics, orText(about.Topics[id].Title, id).In("fr"))
	}
	for _, k := range e.Keywords {
		keywords = append(keywords, k.In("fr"))
	}
	formats, n := formatsOf(e)
	for i, cell := range []string{
		producer, p.SIRET, e.Identifier, e.Title.In("fr"), e.Description.In("fr"), list(topics), producer, p.SIRET,
		grain, place, day(e.TemporalStart), day(e.TemporalEnd), day(&published), frequencies[e.Frequency], day(&changed),
		list(keywords), licence, strconv.Itoa(n), list(formats), site.PageURL(e.Slug),
	} {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = answer.AppendCell(dst, cell)
	}
	return append(dst, "\r\n"...)
}

func day(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// list joins values, without those that are empty or came before.
func list(values []string) string {
	var kept []string
	for _, v := range values {
		v = strings.ReplaceAll(strings.TrimSpace(v), ";", ",")
		if v != "" && !slices.Contains(kept, v) {
			kept = append(kept, v)
		}
	}
	return strings.Join(kept, ";")
}

// frequencies are the words of SCDL for geo.Frequencies.
var frequencies = map[string]string{
	"continuous": "Temps réel", "hourly": "Toutes les heures", "daily": "Quotidienne ou plusieurs fois par jour",
	"weekly": "Hebdomadaire ou plusieurs fois par semaine", "biweekly": "Mensuelle ou plusieurs fois par mois",
	"monthly": "Mensuelle ou plusieurs fois par mois", "bimonthly": "Bimestrielle", "quarterly": "Trimestrielle",
	"half-yearly": "Semestrielle", "yearly": "Annuelle", "biennial": "Biennale", "triennial": "Triennale",
	"irregular": "Sans régularité", "once": "Ponctuelle", "unknown": "Inconnue", "": "Inconnue",
}

// areas are the names of what has a code and no commune.
var areas = map[string]string{
	"R93": "Provence-Alpes-Côte d’Azur", "D04": "Alpes-de-Haute-Provence", "D05": "Hautes-Alpes", "D06": "Alpes-Maritimes",
	"D13": "Bouches-du-Rhône", "D83": "Var", "D84": "Vaucluse",
}

// grains are the words of SCDL for the widest kind of code of a territory,
// widest first.
var grains = []struct{ prefix, word string }{
	{"R", "Régionale"}, {"D", "Départementale"}, {"EPCI:", "Intercommunale"}, {"", "Communale"},
}

// coverageOf gives the grain and the names of a territory: codes where no name
// is known.
func coverageOf(territory []string, places map[string]string) (grain, names string) {
	if len(territory) == 0 {
		return "Autre", ""
	}
	for _, g := range grains {
		if slices.ContainsFunc(territory, func(code string) bool { return strings.HasPrefix(code, g.prefix) }) {
			grain = g.word
			break
		}
	}
	var found []string
	for _, code := range territory {
		name := areas[code]
		if name == "" {
			name = places[code]
		}
		if name == "" {
			name = code
		}
		found = append(found, name)
	}
	return grain, list(found)
}

// formatsOf gives the formats in which a dataset can be had, and how many ways
// to take it there are, documents included.
func formatsOf(e *catalogue.Entry) (formats []string, n int) {
	for i := range e.Layers {
		n++
		formats = append(formats, layerFormats(&e.Layers[i])...)
	}
	for _, r := range e.Resources {
		if r.Kind == catalogue.LayerResource {
			continue
		}
		n++
		if r.Kind != catalogue.Documentation && r.Kind != catalogue.Administrative {
			formats = append(formats, strings.ToLower(r.Format))
		}
	}
	return formats, n
}
