package sample

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"golang.org/x/text/encoding/charmap"
)

// paperwork makes what no map shows: a table without places, and the papers
// that a dataset rests on.
func paperwork(today time.Time) ([]document, error) {
	list := []document{{"ville/menus-cantines.csv", menus(today), 20}}
	for _, p := range []struct {
		path, title string
		lines       []string
	}{
		{"region/avis-26-118.pdf", "Avis juridique n° 26-118", []string{
			"Objet : diffusion de la liste des gares routières.", "Les données ne contiennent ni nom ni adresse de personne.", "Avis favorable, sous Licence Ouverte 2.0.",
		}},
		{"region/deliberation-26-204.pdf", "Délibération n° 26-204", []string{
			"La Commission permanente approuve la diffusion", "de la liste des gares routières.", "Adoptée.",
		}},
		{"region/convention-26-31.pdf", "Convention n° 26-31", []string{
			"Entre la Région et le gestionnaire des lignes :", "les horaires et les arrêts sont remis chaque année au portail.",
		}},
	} {
		data, err := pdf(p.title, append(p.lines, "", "Document d’exemple : rien de ceci n’a été décidé par personne."))
		if err != nil {
			return nil, err
		}
		list = append(list, document{p.path, data, 0})
	}
	return list, nil
}

// menus is a table of one month of school meals.
func menus(today time.Time) []byte {
	meals := []string{"Lentilles et carottes", "Poisson et riz", "Pâtes aux légumes", "Omelette et salade", "Couscous de légumes"}
	sweets := []string{"Pomme", "Yaourt", "Compote", "Orange"}
	var b bytes.Buffer
	b.WriteString("date;plat;dessert;bio\r\n")
	day := time.Date(today.Year(), today.Month(), 1, 0, 0, 0, 0, time.UTC)
	for n := 0; n < 20; day = day.AddDate(0, 0, 1) {
		if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
			continue
		}
		bio := "non"
		if n%3 == 0 {
			bio = "oui"
		}
		fmt.Fprintf(&b, "%s;%s;%s;%s\r\n", day.Format("02/01/2006"), meals[n%len(meals)], sweets[n%len(sweets)], bio)
		n++
	}
	return b.Bytes()
}

// pdf writes a page of text: PDF 1.4, one page of A4, Helvetica in WinAnsi.
func pdf(title string, lines []string) ([]byte, error) {
	show := func(s string) (string, error) {
		latin, err := charmap.Windows1252.NewEncoder().String(s)
		if err != nil {
			return "", fmt.Errorf("write %q in a PDF: %w", s, err)
		}
		return "(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(latin) + ") Tj", nil
	}
	head, err := show(title)
	if err != nil {
		return nil, err
	}
	text := "BT /F1 20 Tf 70 760 Td " + head + " /F1 12 Tf 0 -20 Td\n"
	for _, l := range lines {
		line, err := show(l)
		if err != nil {
			return nil, err
		}
		text += "0 -18 Td " + line + "\n"
	}
	text += "ET"
	name, err := show(title)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")
	var at []int
	for i, object := range []string{
		"<< /Type /Catalog /Pages 2 0 R /Lang (fr-FR) >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 4 0 R >> >> /Contents 5 0 R >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text),
		"<< /Title " + strings.TrimSuffix(name, " Tj") + " >>",
	} {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, object)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(at)+1)
	for _, offset := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", offset)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R /Info 6 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(at)+1, xref)
	return b.Bytes(), nil
}
