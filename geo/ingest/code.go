package ingest

import "strings"

// A code is a kind of identifier that looks like a number and is none: it
// stays text, with its leading zeros.
type code struct {
	name  string
	words []string // in the column's name, between underscores
	width int      // 0: any
	valid func(string) bool
}

// codes are the identifiers of French administrations that partners put into
// number columns.
var codes = []code{
	{"insee", []string{"insee", "depcom", "codgeo", "code_com", "code_commune", "codcom", "id_comm", "id_com", "code_zone", "insee_com", "com_insee", "codeinsee", "inseecom", "codcomm", "code_commu", "code_comm", "codecommun", "id_commune", "num_insee", "code_geo"}, 5, validINSEE},
	{"postcode", []string{"cp", "postal", "code_postal", "codepostal", "postcode", "zip", "codpost", "code_post", "code_posta", "codepos", "codpos", "cod_postal"}, 5, validPostcode},
	{"siret", []string{"siret"}, 14, luhn},
	{"siren", []string{"siren", "epci", "code_epci", "siren_epci"}, 9, luhn},
	{"uai", []string{"uai", "rne", "numero_uai"}, 0, nil},
	{"finess", []string{"finess", "nofinesset", "nofinessej", "finess_et"}, 9, nil},
	{"fantoir", []string{"fantoir", "rivoli"}, 0, nil},
	{"department", []string{"dep", "dpt", "code_dep", "code_dept", "codedep", "departement_code", "insee_dep", "num_dep"}, 2, validDepartment},
	{"phone", []string{"tel", "telephone", "fax", "phone", "portable", "mobile"}, 10, nil},
	{"activity", []string{"naf", "ape", "code_naf", "code_ape"}, 0, nil},
	{"code", []string{"code_officiel", "code_station", "code_region", "code_uic", "uic"}, 0, nil},
}

// codeNamed tells whether the name of a column says that it holds codes.
func codeNamed(column string) *code {
	padded := "_" + column + "_"
	var best *code
	longest := 0
	for i := range codes {
		for _, w := range codes[i].words {
			if len(w) > longest && strings.Contains(padded, "_"+w+"_") {
				best, longest = &codes[i], len(w)
			}
		}
	}
	return best
}

// validINSEE tells whether five characters can be the code of a commune.
func validINSEE(s string) bool {
	if len(s) != 5 || !plainDigits(s[2:]) || s[2:] == "000" {
		return false
	}
	return validDepartment(s[:2])
}

func validDepartment(s string) bool {
	if s == "2A" || s == "2B" {
		return true
	}
	return len(s) == 2 && plainDigits(s) && (s >= "01" && s <= "95" || s == "97" || s == "98")
}

func validPostcode(s string) bool {
	return len(s) == 5 && plainDigits(s) && s >= "01000" && s <= "98999"
}

// luhn checks the key of SIREN and SIRET.
func luhn(s string) bool {
	if !plainDigits(s) {
		return false
	}
	sum := 0
	for i := 0; i < len(s); i++ {
		d := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}
