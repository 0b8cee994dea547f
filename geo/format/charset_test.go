package format

import (
	"math/rand/v2"
	"path/filepath"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
)

var someNames = []string{
	"Èze", "Fréjus", "Hyères", "Saint-Raphaël", "Allemagne-en-Provence", "Forcalquier", "Évenos", "Ollioules", "Châteauneuf-du-Pape", "La Bâtie-Neuve",
	"Vallée de l’Ubaye", "CŒUR DE VILLE", "MARCHÉ AUX FLEURS", "PRÉFECTURE", "Île du Levant", "Forêt domaniale de l'Estérel", "Château d'If", "12 rue de l'Hôpital",
	"Noël à Aups", "Dégâts des eaux", "Maïs", "Où", "Ça", "à côté", "n° 5", "3 €", "« Le Petit »", "Réseau – été", "CHÂTEAU", "GÉMENOS", "Aiguës", "Rhône",
}

// Few accents are enough to tell the encodings of French text apart.
func TestCharsetOfNames(t *testing.T) {
	t.Parallel()
	checkDraws(t, someNames, map[string]float64{"cp1252": 0.99, "cp850": 0.98, "mac": 0.9})
}

// The names of the region's communes: the rule must be right for every draw of
// five from Windows and DOS, and nearly all from Macintosh, of which 82 % was
// the best known.
func TestCharsetOfCommunes(t *testing.T) {
	t.Parallel()
	src, err := Open(t.Context(), filepath.Join(sharedData(t), "communes/communes-paca-2018-10.geojson"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var names []string
	if err := src.Read(t.Context(), 0, func(r *Record) error {
		names = append(names, r.Values[1].(string))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	checkDraws(t, names, map[string]float64{"cp1252": 1, "cp850": 1, "mac": 0.99})
}

func checkDraws(t *testing.T, names []string, want map[string]float64) {
	t.Helper()
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, c := range []struct {
		name string
		e    encoding.Encoding
	}{{"cp1252", charmap.Windows1252}, {"cp850", charmap.CodePage850}, {"mac", charmap.Macintosh}} {
		right := 0
		const draws = 300
		for range draws {
			if drawRight(names, c.e, rnd) {
				right++
			}
		}
		if share := float64(right) / draws; share < want[c.name] {
			t.Errorf("%s: got %.3f right, want %.2f", c.name, share, want[c.name])
		} else {
			t.Logf("%s: %.3f right", c.name, share)
		}
	}
}

// drawRight encodes five names and reports whether they are read back.
func drawRight(names []string, e encoding.Encoding, rnd *rand.Rand) bool {
	v := &verdict{}
	var raw [][]byte
	var text []string
	for range 5 {
		n := names[rnd.IntN(len(names))]
		b, err := e.NewEncoder().Bytes([]byte(n))
		if err != nil {
			continue // the encoding lacks a character
		}
		v.add(b)
		raw, text = append(raw, b), append(text, n)
	}
	d := decoder{single: v.choose(nil), utf8: v.mostlyUTF8()}
	for i, b := range raw {
		if got, _ := d.appendText(nil, b, false); string(got) != text[i] {
			return false
		}
	}
	return true
}
