package format

import (
	"strings"
	"unicode"
)

// headerWords are column names of French open data, folded.
var headerWords = func() map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(`id ident identifiant objectid fid gid ogcfid code codeinsee insee inseecom codecommune codepostal cp postcode
		nom name nomcommune libelle lib label titre intitule designation type categorie nature classe statut etat adresse address adr voie rue numero num commune
		ville localite localisation region departement dept dep epci canton pays lat latitude lon long lng longitude x y z xl93 yl93 coordx coordy coordonnees
		geom geometry thegeom wkt geojson geopoint geopoint2d geoshape wgs84 date datemaj datedebut datefin debut fin annee heure valeur value unite mesure polluant
		station nomstation tel telephone phone fax mail email courriel site url web siret siren ape naf uai ref reference source description commentaire remarque
		surface superficie longueur largeur hauteur altitude population nb nombre total`) {
		m[w] = true
	}
	return m
}()

// headerScore is above zero when the first row names the columns of the others.
func headerScore(rows [][]string) int {
	if len(rows) == 0 {
		return 0
	}
	score, digits := 0, false
	seen := map[string]bool{}
	for i, cell := range rows[0] {
		cell = strings.TrimSpace(cell)
		if cell == "" {
			if i < len(rows[0])-1 {
				score--
			}
			continue
		}
		if seen[cell] {
			score--
		}
		seen[cell] = true
		digits = digits || isNumeric(cell)
		score += cellScore(cell, i, rows[1:])
	}
	if score == 0 && !digits && len(seen) > 0 {
		return 1
	}
	return score
}

// cellScore weighs one cell of the first row against the column below.
func cellScore(cell string, i int, rows [][]string) int {
	score := 0
	if headerWords[foldTitle(cell)] {
		score += 3
	} else if strings.Contains(cell, "_") && !strings.ContainsAny(cell, " .,/") && !strings.ContainsFunc(cell, unicode.IsDigit) {
		score++ // an identifier
	}
	if len(cell) > 80 {
		score--
	}
	shape := shapeOf(cell)
	values, numbers, alike, equal, sameShape := 0, 0, 0, 0, map[string]int{}
	for _, row := range rows {
		if i >= len(row) {
			continue
		}
		v := strings.TrimSpace(row[i])
		if v == "" || v == `\N` {
			continue
		}
		values++
		if isNumeric(v) {
			numbers++
		}
		s := shapeOf(v)
		sameShape[s]++
		if s == shape {
			alike++
		}
		if v == cell {
			equal++
		}
	}
	switch first := isNumeric(cell); {
	case first:
		score -= 4
	case values > 0 && numbers > values*4/5:
		score += 3 // a word above numbers
	case equal > 0:
		score -= 3 // the first cell is a value of the column
	case alike > values/2 && strings.ContainsFunc(shape, unicode.IsDigit):
		score -= 2 // a code among codes
	case values > 2:
		for _, n := range sameShape {
			if n > values*4/5 && n != alike {
				score++ // all alike but the first
			}
		}
	}
	return score
}

// isNumeric reports whether the cell is a number or a date.
func isNumeric(s string) bool {
	if _, ok := ParseNumber(s); ok {
		return true
	}
	_, _, ok := ParseDate(s)
	return ok
}

// shapeOf writes 9 for digits, a for letters and keeps signs, each run once.
func shapeOf(s string) string {
	var b strings.Builder
	last := rune(0)
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			r = '9'
		case unicode.IsLetter(r):
			r = 'a'
		}
		if r != last {
			b.WriteRune(r)
		}
		if last = r; b.Len() > 40 {
			break
		}
	}
	return b.String()
}
