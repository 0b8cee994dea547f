package geo_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"calanque/geo"
)

func TestPersonalDisguises(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		phone, mail bool
		texts       []string
	}{
		{phone: true, texts: []string{
			"06 12 34 56 78", "0612345678", "06.12.34.56.78", "06-12-34-56-78", "06/12/34/56/78", "06_12_34_56_78", "06 – 12 – 34 – 56 – 78",
			"appelez le 04 91 00 00 00 svp", "tél:0491000000", "+33 6 12 34 56 78", "+33612345678", "0033 6 12 34 56 78", "+33 (0)6 12 34 56 78",
			"33 6 12 34 56 78", "6 12 34 56 78", "O6 12 34 56 78", "06 12\u202f34\u00a056 78", "0 6 1 2 3 4 5 6 7 8", "0612 345 678",
			"０６１２３４５６７８", "٠٦١٢٣٤٥٦٧٨", "0️⃣6️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "06\u200b12\u200b34\u200b56\u200b78", "06•12•34•56•78", "06 (12) 34 (56) 78",
			"347 123 4567", "+39 347 1234567", "06 6982 1234", "02/12345678", "0039 06 12345678", "+39 06 698 12345", "3471234567",
			"+1 (555) 123-4567", "+44 20 7946 0958", "+49 30 901820", "+41 22 730 51 11", "+377 98 98 83 03", "+213 21 98 15 15", "0800 123 456",
			"12/05/2024 06 12", "2010-2024-12-34",
		}},
		{mail: true, texts: []string{
			"jeanne@exemple.fr", "Jeanne.Martin+hub@mail.exemple.co.uk", "écrire à jérôme@société.fr", "jeanne @ exemple . fr", "jeanne(at)exemple.fr",
			"jeanne [at] exemple [dot] fr", "jeanne arobase exemple point fr", "jeanne chiocciola esempio punto it", "JEANNE AT EXEMPLE DOT FR",
			"jeanne＠exemple.fr", "jeanne{at}exemple{point}fr", "<jeanne@exemple.fr>", "jeanne <at> exemple.fr",
		}},
		{texts: []string{
			"", "ouvert 08:00-12:00 14:00-18:00", "ouvert de 9h à 12h et de 14h à 18h", "vu le 2026-11-29", "vu le 29/11/2026", "vu le 29.11.2026 à 14:30",
			"en travaux 2024-2026", "entre 2010 et 2024", "fermé depuis 2019", "au n° 12, à côté du 14", "12, 14, 16 et 18 rue Haute", "83110", "code 1234567",
			"3 bornes, 12 places, 2 vélos", "hauteur 2,35 m", "D559 km 12+300", "chez @mairie", "point d’eau au bout du chemin", "at the corner. Really", "a.b.c",
			"voir www.exemple.fr", "ouvert 7j/7 24h/24", "1 000 000", "rue du 4-Septembre-1870",
		}},
	} {
		for _, s := range c.texts {
			if got := geo.HasPhone(s); got != c.phone {
				t.Errorf("%q holds a telephone number: got %v", s, got)
			}
			if got := geo.HasMail(s); got != c.mail {
				t.Errorf("%q holds an address of mail: got %v", s, got)
			}
		}
	}
}

// FuzzPersonal writes a number and an address into any text, its figures
// grouped in any way: both are found, and nothing panics.
func FuzzPersonal(f *testing.F) {
	for _, s := range []string{"", "près du 12, rue Haute", "2024-2026 ", "０１", "a@b", "\xff\xfe", "vu le 29/11/2026"} {
		f.Add(s, uint16(0), uint8(0))
		f.Add(s, uint16(0x2a5), uint8(3))
	}
	groups := []string{" ", ".", "-", "/", "\u00a0", "\u202f", " - ", "_", ") ("}
	f.Fuzz(func(t *testing.T, around string, where uint16, how uint8) {
		geo.HasPhone(around)
		geo.HasMail(around)
		if !utf8.ValidString(around) {
			return
		}
		var b strings.Builder
		for i, figure := range "0698765432" {
			if i > 0 && where&(1<<i) != 0 {
				b.WriteString(groups[int(how)%len(groups)])
			}
			b.WriteRune(figure)
		}
		for _, s := range []string{around + " " + b.String(), b.String() + " " + around} {
			if !geo.HasPhone(s) {
				t.Errorf("the number in %q is not found", s)
			}
		}
		if s := around + " jeanne@exemple.fr " + around; !geo.HasMail(s) {
			t.Errorf("the address in %q is not found", s)
		}
	})
}
