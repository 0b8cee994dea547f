package sample

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A record is a place as the partner has it.
type record struct {
	place   *place
	key     string
	at      pt
	located bool
	second  bool // another record of the same place
	quality string
	name    string
	phone   string
	potable string
	address string
	number  int
	nature  string // the partner's type code
	date    time.Time
	noise   []string // what was done to it, for the truth file
}

// How well the partner knows where its records are: the spread of their
// places, in metres.
var qualities = []struct {
	word   string
	sigma  float64
	weight float64
}{{"GPS", 5, .5}, {"ADRESSE", 14, .3}, {"RUE", 38, .13}, {"COMMUNE", 100, .03}}

// A recorder writes a partner's file. Its streams have nothing in common with
// those of the objects.
type recorder struct {
	subject string
	place   stream
	words   stream
	values  stream
	today   time.Time
	moved   float64 // metres that make a place another one
}

func newRecorder(seed int64, subject string, today time.Time, moved float64) *recorder {
	return &recorder{
		subject, newStream(seed, "positions "+subject), newStream(seed, "words "+subject), newStream(seed, "values "+subject),
		today, moved,
	}
}

// list gives the records of the places in the file's order, with keys that
// follow it.
func (r *recorder) list(seed int64, places []*place, prefix string) []*record {
	var out []*record
	for _, p := range places {
		if p.fate == onlyOSM {
			continue
		}
		out = append(out, r.record(p, false))
		if p.fate == twiceAtPartner {
			out = append(out, r.record(p, true))
		}
	}
	s := newStream(seed, "order "+r.subject)
	s.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	n := 100 * (1 + s.IntN(9))
	for _, rec := range out {
		n += 1 + s.IntN(3)
		rec.key = fmt.Sprintf("%s%05d", prefix, n)
	}
	return out
}

func (r *recorder) record(p *place, second bool) *record {
	rec := &record{place: p, second: second, located: true, name: p.name, phone: p.phone, potable: p.potable, address: p.street, number: p.numberIn, nature: p.kind.code}
	rec.date = r.today.AddDate(0, 0, -r.values.IntN(900)-2)
	r.locate(rec)
	r.argue(rec)
	p.written = rec.name
	r.write(rec)
	return rec
}

// locate puts the record where its quality allows.
func (r *recorder) locate(rec *record) {
	s, p := r.place, rec.place
	weights := make([]float64, len(qualities))
	for i, q := range qualities {
		weights[i] = q.weight
	}
	k := s.weighted(weights...)
	if p.flagship || rec.second || p.fate == couldBeTwo {
		k = 0
	}
	q := qualities[k]
	rec.quality, rec.at = q.word, p.door
	if q.word == "GPS" {
		rec.at = p.at
	}
	rec.at = rec.at.add(pt{s.NormFloat64(), s.NormFloat64()}.mul(q.sigma))
	switch {
	case p.flagship:
		rec.at = p.at.add(pt{31, -22})
	case p.fate == unlocated:
		rec.located = false
	case p.fate == farAway:
		rec.at, rec.quality = p.at.polar(s.between(0, 6), s.between(1500, 3000)), "COMMUNE"
		rec.note("wrong_place")
	case p.fate == couldBeTwo && p.nearby != nil:
		a, b := p.objects[0].at(), p.nearby.at()
		rec.at = a.lerp(b, .5).add(pt{s.NormFloat64(), s.NormFloat64()}.mul(.8))
	case p.shifted:
		rec.at = p.at.polar(s.between(0, 6.28), r.moved*s.between(1.35, 2.6))
		rec.note("shifted")
	case s.chance(.04) && p.fate == inBoth:
		rec.at, rec.quality = p.start.add(pt{s.NormFloat64(), s.NormFloat64()}.mul(4)), "RUE"
		rec.note("street_start")
	}
}

func (rec *record) note(what string) { rec.noise = append(rec.noise, what) }

// argue makes the record say something else than the map.
func (r *recorder) argue(rec *record) {
	s, p := r.values, rec.place
	switch p.quarrel {
	case otherName:
		list := patrons
		switch {
		case p.flagship:
			// The record keeps the place's name; the map has another (see survey).
		case p.water():
			list = fountainOthers
			rec.name = pick(s, list)
		default:
			for rec.name == p.name {
				rec.name = p.kind.prefix + " " + pick(s, append(slices.Clone(list), poetic...))
			}
		}
	case misspelt:
		rec.name = misspell(s, p.name, p.given)
	case otherPhone:
		rec.phone = p.phone[:len(p.phone)-2] + fmt.Sprintf("%02d", (int(p.phone[len(p.phone)-1])+s.IntN(80)+9)%100)
		if rec.phone == p.phone {
			rec.phone = p.phone[:len(p.phone)-2] + "07"
		}
	case otherWater:
		rec.potable = "O"
	}
}

// misspell changes one letter inside the given part of the name so that no
// normalisation undoes it.
func misspell(s stream, name, given string) string {
	r := []rune(given)
	i := 2 + s.IntN(len(r)-3)
	for k := 0; k < len(r) && (r[i] == ' ' || r[i] == '\'' || r[i] == '-' || r[i-1] == r[i]); k++ {
		i = 2 + (i-1)%(len(r)-3)
	}
	switch s.IntN(3) {
	case 0:
		r = slices.Delete(r, i, i+1)
	case 1:
		r[i-1], r[i] = r[i], r[i-1]
	default:
		r = slices.Insert(r, i, r[i])
	}
	if string(r) == given {
		r = append(r, 's')
	}
	return strings.Replace(name, given, string(r), 1)
}

var abbreviations = []struct{ long, short string }{
	{"Sainte-", "Ste "},
	{"Saint-", "St "},
	{"Avenue ", "Av. "},
	{"Boulevard ", "Bd "},
	{"Place ", "Pl. "},
	{"place ", "pl. "},
	{"Impasse ", "Imp. "},
	{"Chemin ", "Che. "},
	{"Général ", "Gal "},
	{"Docteur ", "Dr "},
	{"École ", "Ec. "},
	{"Fontaine ", "Font. "},
	{"Notre-Dame", "N.-D."},
	{"Jean ", "J. "},
	{"Bibliothèque", "Biblio."},
	{"Route ", "Rte "},
	{"rue ", "r. "},
}

// mistaken lists which kinds clerks take for which.
var mistaken = [][2]*kind{
	{hall, theatre},
	{theatre, hall},
	{library, mediatheque},
	{mediatheque, library},
	{nursery, primary},
	{elementary, primary},
	{primary, elementary},
	{creche, nursery},
	{gym, stadium},
	{stadium, gym},
	{police, gendarmerie},
	{elderly, ccas},
	{fountain, standpipe},
	{standpipe, tap},
	{tap, standpipe},
}

// write puts the names down as the partner's clerks do: abbreviated, in
// capitals, without accents or articles, with more or less of the type, or not
// at all.
func (r *recorder) write(rec *record) {
	s, p := r.words, rec.place
	if p.uai != "" && rec.name != "" && p.kind != college && s.chance(.35) {
		rec.name = strings.Replace(rec.name, p.kind.prefix, p.kind.prefix+" publique", 1)
		rec.note("prefix")
	} else if p.uai != "" && s.chance(.12) {
		rec.name = strings.TrimPrefix(rec.name, p.kind.prefix+" ")
		rec.note("prefix")
	}
	dropped := .2
	if p.kind.code[0] == 'A' || p.uai != "" {
		dropped = .05
	}
	keep := p.flagship || (rec.name != p.name && p.quarrel != none)
	if (!keep && s.chance(dropped)) || p.fate == couldBeTwo {
		rec.name = ""
		rec.note("no_name")
	}
	if s.chance(.24) && !keep {
		before := rec.name
		for _, a := range abbreviations {
			rec.name = strings.Replace(rec.name, a.long, a.short, 1)
		}
		if rec.name != before {
			rec.note("abbreviated")
		}
	}
	if s.chance(.12) {
		for _, article := range []string{" de la ", " des ", " du ", " Les ", " La ", " Le "} {
			if strings.Contains(rec.name, article) {
				rec.name = strings.Replace(rec.name, article, " ", 1)
				rec.note("article")
				break
			}
		}
	}
	switch {
	case s.chance(.17):
		rec.name = strings.ToUpper(stripAccents(rec.name))
		rec.note("capitals")
	case s.chance(.08):
		rec.name = stripAccents(rec.name)
		rec.note("no_accents")
	case s.chance(.3):
		rec.name = strings.ReplaceAll(rec.name, "'", "’")
	}
	if s.chance(.07) {
		for _, pair := range mistaken {
			if p.kind == pair[0] {
				rec.nature = pair[1].code
				rec.note("category")
				break
			}
		}
	}
	r.writeContact(rec)
}

func (r *recorder) writeContact(rec *record) {
	s := r.words
	if rec.phone != "" {
		digits := "0" + strings.ReplaceAll(strings.TrimPrefix(rec.phone, "+33 "), " ", "")
		switch s.IntN(4) {
		case 0:
			rec.phone = digits
		case 1:
			rec.phone = strings.Join([]string{digits[:2], digits[2:4], digits[4:6], digits[6:8], digits[8:]}, ".")
		case 2:
			rec.phone = ""
		default:
			rec.phone = strings.Join([]string{digits[:2], digits[2:4], digits[4:6], digits[6:8], digits[8:]}, " ")
		}
		if rec.phone == "" && rec.place.quarrel == otherPhone {
			rec.phone = digits
		}
	}
	if s.chance(.4) {
		for _, a := range abbreviations {
			rec.address = strings.Replace(rec.address, a.long, a.short, 1)
		}
	}
	if s.chance(.3) {
		rec.address = strings.ToUpper(stripAccents(rec.address))
	}
	if rec.number > 0 && rec.address != "" && s.chance(.8) {
		rec.address = fmt.Sprintf("%d %s", rec.number, rec.address)
	}
	if s.chance(.12) {
		rec.address = ""
	}
}
