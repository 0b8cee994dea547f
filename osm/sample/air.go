package sample

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
)

// The classes of the ATMO index with their official words and colours.
var atmo = []struct{ word, colour string }{
	{"Indisponible", "#DDDDDD"},
	{"Bon", "#50F0E6"},
	{"Moyen", "#50CCAA"},
	{"Dégradé", "#F0E641"},
	{"Mauvais", "#FF5050"},
	{"Très mauvais", "#960032"},
	{"Extrêmement mauvais", "#872181"},
}

// A pollutant of the index: the concentrations, in µg/m³, at which it leaves
// each class (order of 10 July 2020).
type pollutant struct {
	column, title string
	limits        [5]float64
}

var pollutants = []pollutant{
	{"no2", "Dioxyde d'azote", [5]float64{40, 90, 120, 230, 340}},
	{"so2", "Dioxyde de soufre", [5]float64{100, 200, 350, 500, 750}},
	{"o3", "Ozone", [5]float64{50, 100, 130, 240, 380}},
	{"pm10", "Particules PM10", [5]float64{20, 40, 50, 100, 150}},
	{"pm25", "Particules PM2.5", [5]float64{10, 20, 25, 50, 75}},
}

func (p pollutant) class(v float64) int {
	for i, l := range p.limits {
		if v <= l {
			return i + 1
		}
	}
	return 6
}

// A sky gives concentrations by place and day, smooth in both.
type sky struct {
	w     *world
	n     noise
	build noise
}

// at gives a pollutant's concentration, day counted from the sample's day.
// Forecasts err by a little, which the next file corrects.
func (k sky) at(i int, c pt, population int, day, err float64) float64 {
	x, y := c.X/14000, c.Y/14000
	weather := k.n.at(x*.35+day/3.1, y*.35+9, 3)
	town := math.Log10(float64(population)) - 2.2
	inland := step(0, 9000, k.w.shore.at(c)) * .6
	road := math.Exp(-math.Abs(c.Y-11000) / 5000)
	winter := 34*gauss2(c, pt{-16500, 6500}, 6800, 6000)*math.Exp(-(day+.2)*(day+.2)/5) + 12*gauss2(c, pt{1500, 1500}, 5200, 4500)*math.Exp(-day*day/7)
	winter += 30 * math.Exp(-(day+14)*(day+14)/4) * (.6 + .8*k.n.at(x*.5+40, y*.5, 2))
	winter += 11 * gauss2(c, pt{26000, 9000}, 7000, 5000) * math.Exp(-day*day/20)
	jitter := (k.build.at(x*3+day*1.7+float64(i)*31, y*3, 2) - .5) * (1 + 2*err)
	fine := max(3, 4.5+13*weather+2.1*town+winter+5*jitter+1.2*inland)
	switch pollutants[i].column {
	case "no2":
		return max(3, 7+9*town+26*road*weather+winter*.45+10*jitter)
	case "so2":
		return max(.6, 2.5+6*weather+5*jitter)
	case "o3":
		return max(8, 62-24*weather+10*inland-winter*.5+14*jitter)
	case "pm10":
		return max(5, fine*1.45+3+4*jitter)
	}
	return fine
}

const indexHeader = "date_ech,date_dif,code_qual,lib_qual,coul_qual,source,type_zone,code_zone,lib_zone,code_no2,code_so2,code_o3,code_pm10,code_pm25,conc_no2,conc_so2,conc_o3,conc_pm10,conc_pm25\n"

// air makes the second partner's files: the daily index by commune from 30
// days ago to the day after tomorrow; the file of the next day, which corrects
// the forecasts and goes on; and a fortnight of measures.
func (w *world) air(today time.Time) ([]document, error) {
	k := sky{w, newNoise(w.seed, "weather"), newNoise(w.seed, "air")}
	first, n1 := k.index(today, -30, 2, today)
	second, n2 := k.index(today, 0, 4, today.AddDate(0, 0, 1))
	measures, n3 := k.measures(today)
	return []document{
		{"airpaca/indice.csv", first, n1}, {"airpaca/indice-suite.csv", second, n2}, {"airpaca/mesures.csv", measures, n3},
	}, nil
}

// index writes the days from … to (counted from today) as published on the day
// issued: what was later than that is a forecast.
func (k sky) index(today time.Time, from, to int, issued time.Time) ([]byte, int) {
	var b bytes.Buffer
	b.WriteString("\ufeff" + indexHeader)
	n := 0
	silent, absent, nameless := k.w.neighbour(pt{7400, 5900}), k.w.neighbour(pt{-12000, 9000}), k.w.neighbour(pt{14000, 9000})
	for day := from; day <= to; day++ {
		date := today.AddDate(0, 0, day)
		for _, c := range k.w.communes {
			if c == absent && day == -3 {
				continue
			}
			dif := date
			err := 0.0
			if date.After(issued) {
				dif, err = issued, date.Sub(issued).Hours()/24
			}
			name := quoted(c.name)
			if c == nameless {
				name = ""
			}
			fmt.Fprintf(&b, "%s,%s,", date.Format("2006-01-02"), dif.Format("2006-01-02"))
			if c == silent && day == 0 && issued.Equal(today) {
				fmt.Fprintf(&b, "0,%s,%s,AtmoSud (fictif),commune,%s,%s,0,0,0,0,0,,,,,\n", atmo[0].word, atmo[0].colour, c.insee, name)
				n++
				continue
			}
			k.row(&b, c, name, float64(day), err)
			n++
		}
	}
	return b.Bytes(), n
}

func (k sky) row(b *bytes.Buffer, c *commune, name string, day, err float64) {
	worst := 0
	var classes, values string
	for i, p := range pollutants {
		v := math.Round(k.at(i, c.centre, c.population, day, err)*10) / 10
		worst = max(worst, p.class(v))
		classes += "," + strconv.Itoa(p.class(v))
		values += "," + strconv.FormatFloat(v, 'f', -1, 64)
	}
	fmt.Fprintf(b, "%d,%s,%s,AtmoSud (fictif),commune,%s,%s%s%s\n", worst, atmo[worst].word, atmo[worst].colour, c.insee, name, classes, values)
}

func quoted(s string) string {
	for _, r := range s {
		if r == ',' || r == '"' {
			return strconv.Quote(s)
		}
	}
	return s
}

// neighbour is the commune, other than Roquebelle, whose seat is nearest.
func (w *world) neighbour(p pt) *commune {
	best := w.communes[1]
	for _, c := range w.communes[1:] {
		if dist(c.seat, p) < dist(best.seat, p) {
			best = c
		}
	}
	return best
}

// measures writes daily means of a few stations in the partner's own layout:
// BOM, CRLF, a trailing empty column, no unit, dd/mm/yyyy.
func (k sky) measures(today time.Time) ([]byte, int) {
	stations := []struct {
		name string
		at   pt
		what []int
		pop  int
	}{
		{"ROQUEBELLE PORT", pt{2130, 300}, []int{0, 3, 4}, 30000},
		{"ROQUEBELLE LES AIRES", pt{2600, 660}, []int{0, 2, 3, 4}, 9000},
		{"LITTORALE A58", pt{1500, 10150}, []int{0, 3}, 60000},
		{"ROCHES BLANCHES RURAL", pt{4200, 15200}, []int{2, 4}, 100},
		{"GOLFE DES OURSINS", pt{-15200, 2900}, []int{0, 1, 2, 3, 4}, 40000},
		{"HAUTES GARRIGUES", pt{11000, 22500}, []int{2}, 900},
	}
	var b bytes.Buffer
	b.WriteString("\ufeffnom_station,polluant,valeur,unite,date,x_l93,y_l93,\r\n")
	n := 0
	for _, st := range stations {
		at := st.at.lambert()
		for _, i := range st.what {
			for day := -14; day < 0; day++ {
				v := strconv.FormatFloat(math.Round(k.at(i, st.at, st.pop, float64(day), 0)*10)/10, 'f', -1, 64)
				if day == -6 && st.name == "ROQUEBELLE PORT" && pollutants[i].column == "pm10" {
					v = "" // the instrument was being calibrated
				}
				fmt.Fprintf(&b, "%s,%s,%s,,%s 00:00,%.2f,%.2f,\r\n", st.name, pollutants[i].title, v, today.AddDate(0, 0, day).Format("02/01/2006"), at.X, at.Y)
				n++
			}
		}
	}
	return b.Bytes(), n
}
