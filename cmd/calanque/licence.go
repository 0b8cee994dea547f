package main

import (
	"context"
	"slices"
	"strings"

	"calanque/geo"
	"calanque/geo/catalogue"
	"calanque/geo/postgis"
)

// knownLicence finds a licence by its id, among those that every hub knows
// and those of the database.
func knownLicence(ctx context.Context, db postgis.DB, id string) (catalogue.Licence, error) {
	stored, err := catalogue.StoredLicences(ctx, db)
	if err != nil {
		return catalogue.Licence{}, err
	}
	list := append(stored, catalogue.Licences...)
	if i := slices.IndexFunc(list, func(l catalogue.Licence) bool { return l.ID == id }); i >= 0 {
		return list[i], nil
	}
	var ids []string
	for _, l := range list {
		if !slices.Contains(ids, l.ID) {
			ids = append(ids, l.ID)
		}
	}
	return catalogue.Licence{}, geo.Bad(errUsage, "option.licence", "licence", id, "known", strings.Join(ids, ", "))
}
