package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"calanque/geo/catalogue"
)

// A census as services fill it in: a title above, columns in any order and
// spelling, blank lines, lines that are broken.
const censusCSV = `Direction de la culture;;;;;;;;
Recensement des données – à retourner avant le 31 mars;;;;;;;;
;;;;;;;;
INTITULÉ de la donnée;Structure;Thématique;Mots-clés;Droits;Mise à jour;Date de dernière mise à jour;Serveur;Courriel
Équipements culturels;Ville;Culture;musée, théâtre;Licence Ouverte;annuelle;31/01/2024;SIG2;culture@ville.example
Arrêts de bus;Ville;Transport;bus;ODbL;temps réel;2024-02-01;SIG1;
;;;;;;;;
;Ville;Culture;;LO;annuelle;;;
Écoles;Mairie;Culture;;LO;annuelle;;SIG3;
Pistes cyclables;Ville;Transports;;Licence Machin;parfois;32/01/2024;;pas une adresse
Équipements culturels;Ville;Culture;;LO;annuelle;;;
INTITULÉ de la donnée;Structure;Thématique;Mots-clés;Droits;Mise à jour;Date de dernière mise à jour;Serveur;Courriel
Parcs et jardins;Ville;Jardinage;;;;mars 2023;;
`

func (s *shell) census(args ...string) (int, censusReport) {
	s.t.Helper()
	code, out, errs := s.run(append([]string{"census", "--json"}, args...)...)
	var r censusReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		s.t.Fatalf("census: %d, %v\n%s%s", code, err, out, errs)
	}
	return code, r
}

func told1(r censusReport) string {
	var list []string
	for _, l := range r.Lines {
		word := l.State + ":" + l.Dataset
		for _, p := range l.Problems {
			word += "!" + p.Column + "=" + p.Message.Code
		}
		list = append(list, word)
	}
	return strings.Join(list, " ")
}

// TestCensus takes a spreadsheet that was not made for it.
func TestCensus(t *testing.T) {
	s := newShell(t)
	t.Setenv("LANG", "fr_FR.UTF-8")
	t.Setenv("LC_ALL", "")
	s.file("catalogue.yaml", "producers:\n  - {id: ville, title: {fr: Ville}}\n")
	if code, _, errs := s.apply(); code != 0 {
		t.Fatal(errs)
	}
	path := s.file("recensement.csv", censusCSV)
	const want = "taken:equipements-culturels taken:arrets-de-bus refused:!A=census.no-title refused:ecoles!B=census.producer " +
		"refused:pistes-cyclables!E=census.licence!F=census.frequency!G=census.date!I=put.email refused:equipements-culturels!A=census.twice taken:parcs-et-jardins"
	code, r := s.census(path, "--dry-run")
	if code != exitRejected || told1(r) != want || r.Header != 4 {
		t.Fatalf("dry run: %d, line %d\n got %s\nwant %s", code, r.Header, told1(r), want)
	}
	mapping := ""
	for _, c := range r.Columns {
		mapping += catalogue.ColumnName(c.Column) + "=" + c.Field + " "
	}
	if mapping != "A=title B=producer C=topics D=keywords E=licence F=frequency G=delivered H= I=email " {
		t.Errorf("columns are %s", mapping)
	}
	if code, r = s.census(path); code != exitRejected || told1(r) != want || r.Taken != 3 || r.Refused != 4 {
		t.Errorf("taken: %d %s", code, told1(r))
	}
	if _, r = s.census(path); r.Taken != 0 || r.Same != 3 {
		t.Errorf("the same again: %s", told1(r))
	}
	hub := s.openHub()
	list, err := catalogue.Entries(t.Context(), hub.Owner, catalogue.Desk, "true order by d.slug")
	if err != nil || len(list) != 3 {
		t.Fatalf("%d datasets, %v", len(list), err)
	}
	e := list[1]
	if e.Slug != "equipements-culturels" || e.State != catalogue.Counted || e.Chain != catalogue.Region || e.CountedFrom != "recensement.csv" ||
		e.Licence != "lo-2.0" || e.Frequency != "yearly" || e.Topics[0] != "culture" || len(e.Keywords) != 2 || e.Extra["Serveur"] != "SIG2" ||
		e.Contact["email"] != "culture@ville.example" || e.SaidDelivered.Format("2006-01-02") != "2024-01-31" {
		t.Errorf("the dataset is %+v", e)
	}
	if e := list[2]; e.Licence != "restricted" || e.Extra["Thématique"] != "Jardinage" || e.SaidDelivered.Format("2006-01-02") != "2023-03-01" {
		t.Errorf("what was not recognised is not kept: %+v", e)
	}
	var lines, censuses int
	err = hub.Owner.QueryRow(t.Context(), `select (select count(*) from census_line), (select count(*) from census)`).Scan(&lines, &censuses)
	if err != nil || lines != 7 || censuses != 1 {
		t.Errorf("%d lines of %d censuses are kept, %v", lines, censuses, err)
	}
	// Mended, in Windows-1252 and with commas: one line more, one changed.
	mended := strings.NewReplacer("musée, théâtre", `"musée, théâtre"`, "Écoles;Mairie", "Écoles,Ville", "bus;ODbL", "bus,CC0", "annuelle;31/01/2024", "annuelle,31/01/2025", ";", ",").Replace(censusCSV)
	latin := make([]byte, 0, len(mended))
	for _, c := range mended {
		if c == '–' {
			c = 0x96
		}
		latin = append(latin, byte(c))
	}
	_, r = s.census(s.file("recensement 2.csv", string(latin)))
	if r.Taken != 3 || r.Same != 1 || r.Refused != 3 {
		t.Errorf("mended: %s", told1(r))
	}
	if e, err := catalogue.Find(t.Context(), hub.Owner, catalogue.Desk, "arrets-de-bus"); err != nil || e.Licence != "cc0" {
		t.Errorf("the mended licence is %s, %v", e.Licence, err)
	}
	code, out, _ := s.run("census", path)
	for _, want := range []string{"B9", "G10", "n’est pas une date", "(gardée telle quelle)", "refusées et gardées"} {
		if code != exitRejected || !strings.Contains(out, want) {
			t.Errorf("the report does not say %q:\n%s", want, out)
		}
	}
}

// workbook makes an XLSX with dates, a formula and merged cells.
func workbook(t testing.TB) []byte {
	t.Helper()
	x := excelize.NewFile()
	if _, err := x.NewSheet("Recensement"); err != nil {
		t.Fatal(err)
	}
	for cell, v := range map[string]any{
		"A1": "Service des sports", "A3": "Producteur", "B3": "Titre", "C3": "Date de mise à jour", "D3": "Nombre", "E3": "Lien", "F3": "Format",
		"A4": "Ville", "B4": "Stades", "C4": 45322, "E4": "https://ville.example/stades", "F4": "WFS",
		"B5": "Piscines", "C5": "n/a", "B6": "Gymnases", "C6": 45323,
	} {
		if err := x.SetCellValue("Recensement", cell, v); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.SetCellFormula("Recensement", "D4", "1+1"); err != nil {
		t.Fatal(err)
	}
	if err := x.MergeCell("Recensement", "A4", "A6"); err != nil {
		t.Fatal(err)
	}
	if err := x.SetCellValue("Sheet1", "A1", "Mode d’emploi"); err != nil {
		t.Fatal(err)
	}
	b, err := x.WriteToBuffer()
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestCensusWorkbook reads the sheet that holds the census, its dates and what
// is merged downwards.
func TestCensusWorkbook(t *testing.T) {
	s := newShell(t)
	s.file("catalogue.yaml", "producers:\n  - {id: ville, title: {fr: Ville}}\n")
	if code, _, errs := s.apply(); code != 0 {
		t.Fatal(errs)
	}
	path := s.file("sports.xlsx", string(workbook(t)))
	if code, r := s.census(path); code != exitRejected || told1(r) != "taken:stades refused:piscines!C=census.date taken:gymnases" {
		t.Fatalf("%d, %s", code, told1(r))
	}
	hub := s.openHub()
	e, err := catalogue.Find(t.Context(), hub.Owner, catalogue.Desk, "stades")
	if err != nil || e.SaidDelivered.Format("2006-01-02") != "2024-01-31" || len(e.Resources) != 1 || e.Resources[0].Kind != catalogue.Service {
		t.Errorf("the dataset is %+v, %v", e, err)
	}
	for name, c := range map[string]struct{ file, content, says string }{
		"an old workbook":   {"a.xls", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", ".xlsx"},
		"a broken one":      {"b.xlsx", "PK\x03\x04 nothing", "b.xlsx"},
		"no titles":         {"c.csv", "1;2;3\n4;5;6\n", "c.csv"},
		"an empty file":     {"d.csv", "", "d.csv"},
		"a file of noughts": {"e.csv", "a;b\x00c", "e.csv"},
	} {
		if code, _, errs := s.run("census", s.file(c.file, c.content)); code != 1 || !strings.Contains(errs, c.says) {
			t.Errorf("%s: %d, %s", name, code, errs)
		}
	}
}
