package catalogue

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
)

// A Licence is a licence as the portal says it.
type Licence struct {
	geo.Licence
	EU       string   // authority URI of the Publications Office; "" when it has none
	Sentence geo.Text // what it allows, in one sentence
}

const euLicence = "http://publications.europa.eu/resource/authority/licence/"

// Licences are those that every hub has. The class says what they allow
// towards OpenStreetMap; nothing is open because nobody said otherwise.
var Licences = []Licence{
	{
		Licence: geo.Licence{
			ID: "lo-2.0", Class: geo.Green, URL: "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
			Title: geo.Text{"fr": "Licence Ouverte 2.0", "en": "Open Licence 2.0 (Etalab)", "it": "Licenza Aperta 2.0 (Etalab)"},
		},
		EU: euLicence + "ETALAB_2_0",
		Sentence: geo.Text{
			"fr": "Vous pouvez tout en faire, même un commerce, en citant le producteur et la date.",
			"en": "You may do anything with it, business included, if you name the producer and the date.",
			"it": "Potete farne qualsiasi cosa, anche a scopo commerciale, citando il produttore e la data.",
		},
	},
	{
		Licence: geo.Licence{
			ID: "lo-1.0", Class: geo.Green, URL: "https://www.etalab.gouv.fr/licence-ouverte-open-licence/",
			Title: geo.Text{"fr": "Licence Ouverte 1.0", "en": "Open Licence 1.0 (Etalab)", "it": "Licenza Aperta 1.0 (Etalab)"},
		},
		Sentence: geo.Text{
			"fr": "Vous pouvez tout en faire, même un commerce, en citant le producteur et la date.",
			"en": "You may do anything with it, business included, if you name the producer and the date.",
			"it": "Potete farne qualsiasi cosa, anche a scopo commerciale, citando il produttore e la data.",
		},
	},
	{
		Licence: geo.Licence{
			ID: "odbl-1.0", Class: geo.GreenODbL, URL: "https://opendatacommons.org/licenses/odbl/1-0/",
			Title: geo.Text{"fr": "Open Database License 1.0", "en": "Open Database License 1.0", "it": "Open Database License 1.0"},
		},
		EU: euLicence + "ODC_BL",
		Sentence: geo.Text{
			"fr": "Vous pouvez tout en faire en citant la source ; une base que vous en tirez et publiez garde cette licence.",
			"en": "You may do anything with it if you name the source; a database that you make of it and publish keeps this licence.",
			"it": "Potete farne qualsiasi cosa citando la fonte; una banca dati che ne ricavate e pubblicate mantiene questa licenza.",
		},
	},
	{
		Licence: geo.Licence{
			ID: "cc0", Class: geo.Green, URL: "https://creativecommons.org/publicdomain/zero/1.0/",
			Title: geo.Text{"fr": "CC0 1.0 (domaine public)", "en": "CC0 1.0 (public domain)", "it": "CC0 1.0 (pubblico dominio)"},
		},
		EU: euLicence + "CC0",
		Sentence: geo.Text{
			"fr": "Vous pouvez tout en faire, sans rien demander ni citer.",
			"en": "You may do anything with it, without asking or naming anybody.",
			"it": "Potete farne qualsiasi cosa, senza chiedere né citare nessuno.",
		},
	},
	{
		Licence: geo.Licence{
			// Its attribution to every user is more than OpenStreetMap gives: ask the producer.
			ID: "cc-by-4.0", Class: geo.Orange, URL: "https://creativecommons.org/licenses/by/4.0/",
			Title: geo.Text{"fr": "Creative Commons Attribution 4.0", "en": "Creative Commons Attribution 4.0", "it": "Creative Commons Attribuzione 4.0"},
		},
		EU: euLicence + "CC_BY_4_0",
		Sentence: geo.Text{
			"fr": "Vous pouvez tout en faire en citant l’auteur et la licence, et en disant ce que vous avez changé.",
			"en": "You may do anything with it if you name the author and the licence and say what you changed.",
			"it": "Potete farne qualsiasi cosa citando l’autore e la licenza e dicendo che cosa avete cambiato.",
		},
	},
	{
		Licence: geo.Licence{
			ID: "restricted", Class: geo.Red,
			Title: geo.Text{"fr": "Conditions particulières du producteur", "en": "The producer’s own conditions", "it": "Condizioni particolari del produttore"},
		},
		Sentence: geo.Text{
			"fr": "Le producteur fixe ses propres conditions : demandez-lui avant de réutiliser.",
			"en": "The producer sets conditions of its own: ask before you reuse it.",
			"it": "Il produttore pone condizioni proprie: chiedete prima di riutilizzare.",
		},
	},
}

var licenceFields = []field[Licence]{
	{"title", "title", "coalesce(%s::jsonb, '{}')", func(l *Licence) any { return &l.Title }},
	{"url", "url", "nullif(%s, '')", func(l *Licence) any { return &l.URL }},
	{"class", "class", "", func(l *Licence) any { return &l.Class }},
	{"eu", "eu", "nullif(%s, '')", func(l *Licence) any { return &l.EU }},
	{"sentence", "sentence", "", func(l *Licence) any { return &l.Sentence }},
}

// StoredLicences gives the licences of the database by id.
func StoredLicences(ctx context.Context, db postgis.DB) ([]Licence, error) {
	rows, err := db.Query(ctx, `select id, title, coalesce(url, ''), class, coalesce(eu, ''), sentence from licence order by id`)
	if err != nil {
		return nil, fmt.Errorf("read the licences: %w", postgis.Kind(err))
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Licence])
	if err != nil {
		return nil, fmt.Errorf("read the licences: %w", postgis.Kind(err))
	}
	return list, nil
}

// EnsureLicences writes the licences of every hub that the database lacks, and
// the sentence of those that have none. It tells which it wrote.
func EnsureLicences(ctx context.Context, tx pgx.Tx, by By) ([]string, error) {
	stored, err := StoredLicences(ctx, tx)
	if err != nil {
		return nil, err
	}
	var added []string
	for _, l := range Licences {
		if i := slices.IndexFunc(stored, func(s Licence) bool { return s.ID == l.ID }); i >= 0 {
			s := stored[i]
			if s.Sentence != nil {
				continue
			}
			// What was said of it by hand or by a file stays.
			s.Sentence = l.Sentence
			if s.EU == "" {
				s.EU = l.EU
			}
			l = s
		}
		if _, err := PutLicence(ctx, tx, l, by); err != nil {
			return nil, err
		}
		added = append(added, l.ID)
	}
	return added, nil
}

// CheckLicence finds what is wrong with a licence.
func CheckLicence(l *Licence) Faults {
	var f Faults
	if l.ID == "" {
		f.add("put.required", "id", "")
	}
	if strings.TrimSpace(l.Title["fr"]) == "" {
		f.add("put.required", "title", "")
	}
	f.text("title", l.Title, maxTitle)
	f.text("sentence", l.Sentence, maxText)
	f.url("url", l.URL)
	f.url("eu", l.EU)
	switch l.Class {
	case geo.Green, geo.GreenODbL, geo.Orange, geo.Red:
	default:
		f.add("put.licence-class", "class", string(l.Class))
	}
	return f
}

// PutLicence makes a licence what l says, and gives what changed.
func PutLicence(ctx context.Context, tx pgx.Tx, l Licence, by By) ([]Difference, error) {
	if f := CheckLicence(&l); len(f) > 0 {
		return nil, f
	}
	stored, err := StoredLicences(ctx, tx)
	if err != nil {
		return nil, err
	}
	was, there := Licence{}, false
	if i := slices.IndexFunc(stored, func(s Licence) bool { return s.ID == l.ID }); i >= 0 {
		was, there = stored[i], true
	}
	changed := LicenceOf.Differences(&was, &l)
	if there && len(changed) == 0 {
		return nil, nil
	}
	columns, values, args := assign(licenceFields, &l, allOf(licenceFields), []any{l.ID})
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = c + " = excluded." + c
	}
	_, err = tx.Exec(ctx, `
		insert into licence (id, `+strings.Join(columns, ", ")+`) values ($1, `+strings.Join(values, ", ")+`)
		on conflict (id) do update set `+strings.Join(set, ", "), args...)
	if err != nil {
		return nil, fmt.Errorf("write licence %s: %w", l.ID, postgis.Kind(err))
	}
	if err := log(ctx, tx, OfLicence, l.ID, changed, by); err != nil {
		return nil, err
	}
	return changed, postgis.Append(ctx, tx, postgis.Change{Kind: "catalogue", Subject: "licence/" + l.ID})
}
