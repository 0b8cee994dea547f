package main

import (
	"context"
	"slices"

	"calanque/geo"
	"calanque/geo/postgis"
)

// licences are those that every hub knows. The class says what they allow
// towards OpenStreetMap; nothing is open because nobody said otherwise.
var licences = []geo.Licence{
	{
		ID: "lo-2.0", Class: geo.Green, URL: "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
		Title: geo.Text{"fr": "Licence Ouverte 2.0", "en": "Open Licence 2.0 (Etalab)", "it": "Licenza Aperta 2.0 (Etalab)"},
	},
	{
		ID: "lo-1.0", Class: geo.Green, URL: "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
		Title: geo.Text{"fr": "Licence Ouverte 1.0", "en": "Open Licence 1.0 (Etalab)", "it": "Licenza Aperta 1.0 (Etalab)"},
	},
	{
		ID: "odbl-1.0", Class: geo.GreenODbL, URL: "https://opendatacommons.org/licenses/odbl/1-0/",
		Title: geo.Text{"fr": "Open Database License 1.0", "en": "Open Database License 1.0", "it": "Open Database License 1.0"},
	},
	{
		ID: "cc0", Class: geo.Green, URL: "https://creativecommons.org/publicdomain/zero/1.0/",
		Title: geo.Text{"fr": "CC0 1.0 (domaine public)", "en": "CC0 1.0 (public domain)", "it": "CC0 1.0 (pubblico dominio)"},
	},
	{
		// Its attribution to every user is more than OpenStreetMap gives: ask the producer.
		ID: "cc-by-4.0", Class: geo.Orange, URL: "https://creativecommons.org/licenses/by/4.0/",
		Title: geo.Text{"fr": "Creative Commons Attribution 4.0", "en": "Creative Commons Attribution 4.0", "it": "Creative Commons Attribuzione 4.0"},
	},
	{
		ID: "restricted", Class: geo.Red,
		Title: geo.Text{"fr": "Conditions particulières du producteur", "en": "The producer’s own conditions", "it": "Condizioni particolari del produttore"},
	},
}

// knownLicence finds a licence by its id, among those that every hub knows
// and those of the database.
func knownLicence(ctx context.Context, db postgis.DB, id string) (geo.Licence, error) {
	stored, err := postgis.Licences(ctx, db)
	if err != nil {
		return geo.Licence{}, err
	}
	list := append(stored, licences...)
	if i := slices.IndexFunc(list, func(l geo.Licence) bool { return l.ID == id }); i >= 0 {
		return list[i], nil
	}
	var ids []string
	for _, l := range list {
		if !slices.Contains(ids, l.ID) {
			ids = append(ids, l.ID)
		}
	}
	return geo.Licence{}, geo.Bad(errUsage, "option.licence", "licence", id, "known", join(ids))
}

func join(list []string) string {
	s := ""
	for i, x := range list {
		if i > 0 {
			s += ", "
		}
		s += x
	}
	return s
}
