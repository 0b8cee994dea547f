package workshop

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"calanque/geo"
	"calanque/osm"
	"calanque/osm/match"
)

// Every value of a case is marked by where it is from, positions by their
// longitude.
var (
	fileMark    = mark{regexp.MustCompile(`5\.1\d{6}\b`), []string{"FILE-"}}
	osmMark     = mark{regexp.MustCompile(`5\.2\d{6}\b`), []string{"OSM-", "n4242", "w4242"}}
	imageryMark = mark{regexp.MustCompile(`5\.4\d{6}\b`), []string{"IMG-"}}
	objectKey   = regexp.MustCompile(`\b[nwr]\d+\b`)
	deskMark    = mark{regexp.MustCompile(`5\.5\d{6}\b`), []string{"DESK-"}}
)

// A mark is in a text as a longitude or as a word. Each begins as it is
// written, so that it is found without trying every place: with the race
// detector that is half of the test's time.
type mark struct {
	place *regexp.Regexp
	words []string
}

func (m mark) in(text string) bool {
	return m.place.MatchString(text) || slices.ContainsFunc(m.words, func(w string) bool { return strings.Contains(text, w) })
}

// A deck deals random cases.
type deck struct{ *rand.Rand }

func (d deck) of(mark string) string { return fmt.Sprintf("%s-%d", mark, d.IntN(1e6)) }

// lon gives a longitude that tells where it is from by its first decimal, and
// always has seven.
func (d deck) lon(decimal int) float64 {
	return 5 + float64(decimal)/10 + float64(d.IntN(8_999_990)+1_000_001)/1e8
}

func (d deck) lat() float64 { return 43.3000001 + float64(d.IntN(1_000_000))/1e7 }

var (
	classes = []string{"green", "green-odbl", "orange", "red", "mauve"}
	origins = []Origin{Observed, OpenData, FromOSM, Imagery}
	marks   = map[Origin]string{Observed: "OBS", OpenData: "FILE", FromOSM: "OSM", Imagery: "IMG"}
	tenths  = map[Origin]int{OpenData: 1, FromOSM: 2, Observed: 3, Imagery: 4}
)

// task makes a random task with the sides that its kind has.
func (d deck) task() Task {
	t := Task{ID: 1, Number: 1 + d.IntN(99), Kind: questions[d.IntN(len(questions))], LicenceClass: classes[d.IntN(len(classes))], Layer: "fontaines"}
	t.rule = match.Rule{Name: "nom", Attributes: []match.Attribute{{Field: "adresse", Tag: "addr:full|address"}, {Field: "potable", Tag: "drinking_water", Type: match.Bool}}}
	t.Asked, t.Seen, t.Open = t.Kind, NotSeenYet, true
	t.Lat, t.Lon = d.lat(), d.lon(2)
	lon, lat := d.lon(2), d.lat()
	t.Name = d.of("OSM")
	if t.Kind != match.OnlyOSM && t.Kind != match.DuplicateOSM {
		id := int64(7)
		t.Record, t.record, t.Name, t.Lon = d.of("FILE"), &id, d.of("FILE"), d.lon(1)
		t.OSMLon, t.OSMLat = &lon, &lat
	}
	switch t.Kind {
	case match.OnlyOpenData, match.DuplicateOpenData:
	case match.Ambiguous:
		t.candidates = []candidate{{OSM: "n42421", Name: d.of("OSM")}, {OSM: "n42422", Name: d.of("OSM")}}[:1+d.IntN(2)]
	default:
		t.OSM = []string{"n4242", "w4242"}[d.IntN(2)] + strconv.Itoa(d.IntN(10))
	}
	for _, field := range []string{"nom", "adresse", "potable"} {
		is := []string{"conflict", "equal", "ours_only"}[d.IntN(3)]
		t.compared = append(t.compared, compared{field, "name", d.of("FILE"), d.of("OSM"), is})
	}
	return t
}

// answer answers a task at random, and gives what the server keeps of it.
func (d deck) answer(t *testing.T, task *Task) (Choice, []value, bool) {
	t.Helper()
	q := task.question()
	c := q.Choices[d.IntN(len(q.Choices))]
	onSite := d.IntN(3) > 0
	a := Answer{Values: map[string]string{}, Note: d.of("DESK")}
	for _, field := range []string{"nom", "adresse", "potable", placeValue} {
		mark, tenth := "OBS", 3
		if !onSite {
			mark, tenth = "DESK", 5
		}
		a.Values[field] = d.of(mark)
		if field == placeValue {
			a.Values[field] = point(d.lon(tenth), d.lat())
		}
	}
	values, err := task.values(&a, c, onSite)
	if err != nil {
		t.Fatal(err)
	}
	return c, values, onSite
}

// disturb adds and replaces values of any origin, as no client can: what
// writes must hold even so.
func (d deck) disturb(values []value) []value {
	for _, field := range []string{"nom", "adresse", placeValue} {
		if d.IntN(4) > 0 {
			continue
		}
		o := origins[d.IntN(len(origins))]
		v := value{field, d.of(marks[o]), o}
		if field == placeValue {
			v.value = point(d.lon(tenths[o]), d.lat())
		}
		values = slices.DeleteFunc(values, func(w value) bool { return w.field == field })
		values = append(values, v)
	}
	return values
}

// everything says a message with all its arguments.
func everything(m geo.Message) string { return fmt.Sprint(m.Code, " ", m.Args) }

// TestFirewall deals random licences, outcomes and answers, and looks for
// marks in what would leave. CALANQUE_FIREWALL_CASES asks for more of them.
func TestFirewall(t *testing.T) {
	t.Parallel()
	cases := 20_000
	if n, err := strconv.Atoi(os.Getenv("CALANQUE_FIREWALL_CASES")); err == nil {
		cases = n
	}
	seed := uint64(cases)
	d := deck{rand.New(rand.NewPCG(seed, 9))}
	edits, refused, lines, fromFile := 0, 0, 0, 0
	for i := range cases {
		task := d.task()
		c, values, _ := d.answer(t, &task)
		if d.IntN(2) == 0 {
			values = d.disturb(values)
		}
		task.Verdict = c.Says
		f := d.finding(&task, values)
		osmFile, out := towardsOSM(t, f)
		if out == nil {
			refused++
		}
		edits += osmFile
		for name, text := range out {
			if name == "josm.osm" && fileMark.in(text) {
				fromFile++
			}
			if task.LicenceClass != openLicence || imageryMark.in(text) || deskMark.in(text) {
				t.Fatalf("case %d of seed %d: %s says %s of a %s dataset: %s", i, seed, name, c.Says, task.LicenceClass, text)
			}
		}
		n, text := towardsProducer(t, f, values)
		lines += n
		if osmMark.in(text) || imageryMark.in(text) || deskMark.in(text) {
			t.Fatalf("case %d of seed %d: the producer of a %s dataset gets %s", i, seed, task.LicenceClass, text)
		}
	}
	t.Logf("%d cases: %d edits (%d with the file's values), %d refused, %d corrections", cases, edits, fromFile, refused, lines)
	if edits < cases/50 || refused < cases/2 || lines < cases/5 || fromFile < cases/100 {
		t.Errorf("too few of a kind: %d edits (%d with the file's values), %d refused, %d corrections", edits, fromFile, refused, lines)
	}
}

func (d deck) finding(task *Task, values []value) finding {
	f := finding{task: task, values: map[string]value{}, theme: osm.Selection{Any: []osm.Terms{{"amenity": {"fountain"}}}}}
	for _, v := range values {
		f.values[v.field] = v
	}
	f.byButton()
	if task.OSM != "" {
		version := 3
		f.object = &object{version: &version, tags: map[string]string{"amenity": "fountain", "name": d.of("OSM")}, lon: d.lon(2), lat: d.lat()}
		for i := range int64(4) {
			if task.OSM[0] == 'w' && d.IntN(8) > 0 { // now and then the copy lacks nodes
				f.object.nodes = append(f.object.nodes, element{kind: 'n', id: 42420 + i, version: 1 + d.IntN(2), lon: d.lon(2), lat: d.lat()})
			}
		}
	}
	if task.Record != "" {
		lon, lat := d.lon(1), d.lat()
		f.row = &row{map[string]string{"nom": d.of("FILE"), "adresse": d.of("FILE"), "potable": "O"}, &lon, &lat}
	}
	return f
}

// towardsOSM gives the files of one finding, nil where the gate is closed, and
// how many edits they hold.
func towardsOSM(t *testing.T, f finding) (int, map[string]string) {
	t.Helper()
	e := f.edit()
	tasks, _, err := let([]Task{*f.task})
	if err != nil {
		if !e.Empty() {
			t.Fatalf("an edit passes a closed gate: %+v", e)
		}
		return 0, nil
	}
	x := Export{Tasks: tasks}
	x.propose([]finding{f})
	n := 0
	if len(x.Edits) == 1 && x.Edits[0].InFile() {
		n = 1
	}
	files := map[string]string{}
	for name, write := range x.writers() {
		var b bytes.Buffer
		if err := write(&b, everything); err != nil {
			t.Fatal(err)
		}
		files[name] = b.String()
	}
	return n, files
}

// towardsProducer gives the producer's files of one finding, and their lines.
func towardsProducer(t *testing.T, f finding, values []value) (int, string) {
	t.Helper()
	var list []observation
	for _, v := range values {
		list = append(list, observation{
			task: 1, number: f.task.Number, layer: f.task.Layer, class: f.task.LicenceClass, record: f.task.Record, value: v,
			says: f.task.Verdict, at: time.Unix(0, 0), filed: f.row,
		})
	}
	lines := gather(list)
	var b bytes.Buffer
	if err := WriteCorrectionsCSV(&b, lines); err != nil {
		t.Fatal(err)
	}
	if err := WriteCorrectionsGeoJSON(&b, lines); err != nil {
		t.Fatal(err)
	}
	return len(lines), b.String()
}

// TestFirewallStored does the same with what people's answers leave in the
// database, licence after licence.
func TestFirewallStored(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 100)
	ctx := t.Context()
	s, people := r.marked()
	for _, class := range []string{"green", "green-odbl", "orange", "red"} {
		r.exec(`update licence set class = $1 where id = 'lo-2.0'`, class)
		x, err := ForOSM(ctx, r.hub.Web, s)
		if (err == nil) != (class == openLicence) {
			t.Errorf("%s: %v", class, err)
		}
		if err == nil {
			for name, text := range x.written(t) {
				if deskMark.in(text) {
					t.Errorf("%s of a %s dataset: %s", name, class, text)
				}
			}
			if !fileMark.in(x.written(t)["josm.osm"]) {
				t.Error("an open file's values don't reach OpenStreetMap")
			}
		}
		list, err := ForProducer(ctx, r.hub.Web, s, "")
		if err != nil || len(list) < 10 {
			t.Fatalf("%s: %d corrections (%v)", class, len(list), err)
		}
		var b bytes.Buffer
		if err := WriteCorrectionsCSV(&b, list); err != nil {
			t.Fatal(err)
		}
		if osmMark.in(b.String()) || deskMark.in(b.String()) || objectKey.MatchString(b.String()) || !bytes.Contains(b.Bytes(), []byte("OBS-")) {
			t.Errorf("corrections of a %s dataset: %s", class, b.String())
		}
		for _, p := range people {
			if bytes.Contains(b.Bytes(), []byte(p.Pseudonym)) {
				t.Errorf("%s is in the corrections", p.Pseudonym)
			}
		}
	}
}

// marked is a session whose values are marked by where they are from, in the
// file, in OpenStreetMap and in what people typed; all its tasks are answered
// at random. It gives who answered.
func (r *room) marked() (Session, []Participant) {
	r.t.Helper()
	ctx := r.t.Context()
	s := r.session(30, 120)
	// The values are marked where they lie; fingerprints stay what they are.
	r.exec(`do $$ declare name text; begin
		for name in select relation from layer_version loop execute format('update data.%I set nom = ''FILE-'' || _key', name); end loop; end $$`)
	r.exec(`update outcome set name = case when record_id is null then 'OSM-x' else 'FILE-x' end,
		comparison = (select coalesce(jsonb_agg(c || '{"ours": "FILE-o", "theirs": "OSM-t"}'), '[]') from jsonb_array_elements(comparison) c)`)
	r.exec(`update osm.point set tags = tags || '{"name": "OSM-n"}'`)
	d := deck{rand.New(rand.NewPCG(7, 9))}
	desk, other, site := r.join(s), r.join(s), r.join(s)
	if err := SetOnSite(ctx, r.hub.Desk, site.ID, true); err != nil {
		r.t.Fatal(err)
	}
	for _, tasks := range slices.Collect(maps.Values(r.tasks(s))) {
		for _, task := range tasks {
			choice := 1 + d.IntN(3)
			for _, p := range [][]Participant{{desk, other}, {site}, {desk, site}}[d.IntN(3)] {
				mark, lon := "DESK-", d.lon(5)
				if p.ID == site.ID {
					mark, lon = "OBS-", d.lon(3)
				}
				a := Answer{Key: newKey(), Task: task.ID, Participant: &p.ID, Choice: choice, How: Screen, Values: map[string]string{
					"nom": mark + "n", "potable": mark + "p", placeValue: point(lon, d.lat()),
				}}
				if _, err := Record(ctx, r.hub.Desk, a); err != nil {
					r.t.Fatal(err)
				}
			}
		}
	}
	return s, []Participant{desk, other, site}
}
