package workshop

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"calanque/geo"
)

// plain says a message by its code: what sentences add is the viewer's.
func plain(m geo.Message) string { return m.Code }

func TestGate(t *testing.T) {
	t.Parallel()
	for class, code := range map[string]string{
		"green": "", "green-odbl": "exports.gate-odbl", "orange": "exports.gate-orange", "red": "exports.gate-red", "": "exports.gate-unknown",
	} {
		err := Gate(class, ToOSM)
		var input *geo.InputError
		if code == "" && err != nil || code != "" && (!errors.As(err, &input) || input.Code != code || !errors.Is(err, geo.ErrForbidden)) {
			t.Errorf("%s to OpenStreetMap: got %v, want %q", class, err, code)
		}
		if err := Gate(class, ToProducer); err != nil {
			t.Errorf("%s back to its producer: %v", class, err)
		}
	}
}

// told answers the tasks of a session on site, one of each kind, and gives the
// session.
func (r *room) told() (Session, map[place][]Task) {
	r.t.Helper()
	s := r.session(24, 120)
	by := r.tasks(s)
	p := r.join(s)
	if err := SetOnSite(r.t.Context(), r.hub.Desk, p.ID, true); err != nil {
		r.t.Fatal(err)
	}
	for _, c := range []struct {
		task   Task
		choice int
		values map[string]string
	}{
		{by[onlyFile][0], 1, nil}, // new
		{by[onlyFile][1], 2, map[string]string{placeValue: "5.41 43.21"}}, // new, elsewhere
		{by[onlyFile][2], 3, nil},                                    // gone: nothing to map
		{by[onlyOSM][0], 3, nil},                                     // disused
		{by[onlyOSM][1], 1, map[string]string{"nom": "=La Vieille"}}, // for the file
		{by[other][0], 1, nil},                                       // the file is right
		{by[other][1], 3, map[string]string{"potable": "parfois"}},   // no word for it
		{by[other][2], 2, nil},                                       // OpenStreetMap is right
		{by[shifted][0], 1, nil},                                     // moved to the file's place
		{by[outlined][0], 1, nil},                                    // the file is right about a building
		{by[shifted][1], 3, map[string]string{placeValue: "5.42 43.22"}},
	} {
		rec, err := Record(r.t.Context(), r.hub.Desk, Answer{Key: newKey(), Task: c.task.ID, Participant: &p.ID, Choice: c.choice, Values: c.values, How: Screen})
		if err != nil || !rec.Settled {
			r.t.Fatalf("%s: %+v (%v)", c.task.Record, rec, err)
		}
	}
	return s, by
}

func TestForOSM(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 72, agreed, onlyFile, onlyOSM, other, shifted, outlined)
	s, by := r.told()
	x, err := ForOSM(t.Context(), r.hub.Web, s)
	if err != nil {
		t.Fatal(err)
	}
	want := map[int64]string{
		by[onlyFile][0].ID: "new amenity=drinking_water drinking_water=yes name",
		by[onlyFile][1].ID: "new amenity=drinking_water drinking_water=yes name 5.41",
		by[onlyOSM][0].ID:  "disused:amenity=fountain -amenity",
		by[other][0].ID:    "drinking_water=yes",
		by[other][1].ID:    "exports.left-value",
		by[outlined][0].ID: "drinking_water=yes",
		by[shifted][0].ID:  "moved",
		by[shifted][1].ID:  "moved 5.42",
	}
	for i := range x.Edits {
		e := &x.Edits[i]
		got := strings.Join(e.Unset, " -") + " " + e.Left.Code
		for k, v := range e.Set {
			got += " " + k + "=" + v
		}
		if e.Place != nil {
			got += fmt.Sprint(" place ", e.Place[0])
		}
		if want[e.Task.ID] == "" {
			t.Errorf("question %d (%s): unexpected %s", e.Task.Number, e.Task.Verdict, got)
		}
		for _, part := range strings.Fields(want[e.Task.ID]) {
			switch part {
			case "new":
				part = "place"
			case "moved":
				part = "place"
			}
			if !strings.Contains(got, strings.TrimPrefix(part, "-")) {
				t.Errorf("question %d (%s): got %q, want %s", e.Task.Number, e.Task.Verdict, got, part)
			}
		}
		delete(want, e.Task.ID)
	}
	if len(want) > 0 {
		t.Errorf("no edit for %v", want)
	}
	if slices.ContainsFunc(x.Tasks, func(t Task) bool { return t.Practice }) {
		t.Error("the practice task leaves")
	}
	// Once OpenStreetMap has it, it is not proposed again.
	r.importOSM(r.node(r.index(&by[other][0]), 2))
	r.rematch()
	if x, err = ForOSM(t.Context(), r.hub.Web, s); err != nil || slices.ContainsFunc(x.Edits, func(e Edit) bool { return e.Task.ID == by[other][0].ID }) {
		t.Errorf("what is mended is proposed again (%v)", err)
	}
	r.exec(`update dataset set licence_id = 'closed'`)
	var input *geo.InputError
	if _, err := ForOSM(t.Context(), r.hub.Web, s); !errors.As(err, &input) || input.Code != "exports.gate-red" {
		t.Errorf("a closed licence: %v", err)
	}
}

// writers are what writes the files towards OpenStreetMap, by name.
func (x *Export) writers() map[string]func(io.Writer, Words) error {
	return map[string]func(io.Writer, Words) error{
		"josm.osm": x.WriteOSM, "changements.osc": x.WriteOSC, "points.gpx": x.WriteGPX, "maproulette.geojsonl": x.WriteMapRoulette,
		"taches.geojson": func(w io.Writer, say Words) error {
			return x.WriteGeoJSON(w, say, Editor{Comment: "c", Hashtags: []string{"#h"}})
		},
	}
}

// written gives the files towards OpenStreetMap by name.
func (x *Export) written(t testing.TB) map[string]string {
	t.Helper()
	files := map[string]string{}
	for name, write := range x.writers() {
		var b bytes.Buffer
		if err := write(&b, plain); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		files[name] = b.String()
	}
	return files
}

func TestFiles(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 72, agreed, onlyFile, onlyOSM, other, shifted, outlined)
	s, by := r.told()
	x, err := ForOSM(t.Context(), r.hub.Web, s)
	if err != nil {
		t.Fatal(err)
	}
	files := x.written(t)
	for name, again := range x.written(t) {
		if files[name] != again {
			t.Errorf("%s: the same session, other bytes", name)
		}
	}
	checkOSM(t, files["josm.osm"], by)
	for _, name := range []string{"josm.osm", "changements.osc", "points.gpx"} {
		wellFormed(t, name, files[name])
	}
	if strings.Contains(files["josm.osm"]+files["changements.osc"], "delete") {
		t.Error("something is deleted")
	}
	for i, line := range strings.Split(strings.TrimSuffix(files["maproulette.geojsonl"], "\n"), "\n") {
		if line[0] != recordSeparator || !json.Valid([]byte(line[1:])) || !strings.Contains(line, `"FeatureCollection"`) {
			t.Fatalf("line %d of maproulette.geojsonl: %.80q", i, line)
		}
	}
	if !strings.Contains(files["maproulette.geojsonl"], `"data":["amenity"],"operation":"unsetTags"`) {
		t.Error("MapRoulette is not told of tags that go")
	}
	var c collectionJSON
	if err := json.Unmarshal([]byte(files["taches.geojson"]), &c); err != nil || len(c.Features) != len(x.Tasks) {
		t.Errorf("taches.geojson: %d features of %d tasks (%v)", len(c.Features), len(x.Tasks), err)
	}
	if n := strings.Count(files["points.gpx"], "<wpt "); n != len(x.Tasks) {
		t.Errorf("points.gpx: %d points of %d tasks", n, len(x.Tasks))
	}
	checkWay(t, files["josm.osm"], r.index(&by[outlined][0]))
	osmium(t, "josm.osm", files["josm.osm"], 10)
	osmium(t, "changements.osc", files["changements.osc"], 6)
	x.applied(t, r, files["changements.osc"])
}

// checkWay holds that a way is in the file with its version, its nodes in
// their order, and each of them as OpenStreetMap has it.
func checkWay(t *testing.T, text string, i int) {
	t.Helper()
	first := 700001 + 4*i
	for _, want := range []string{
		fmt.Sprintf(`<way id="%d" version="7" action="modify" visible="true">`, i+1),
		fmt.Sprintf(`    <nd ref="%d"/>
    <nd ref="%d"/>
    <nd ref="%d"/>
    <nd ref="%d"/>
    <nd ref="%d"/>
    <tag k="amenity" v="fountain"/>
    <tag k="building" v="yes"/>
    <tag k="drinking_water" v="yes"/>`, first, first+1, first+2, first+3, first),
		fmt.Sprintf(`<node id="%d" version="2" lat="`, first), `    <tag k="entrance" v="main"/>`,
		fmt.Sprintf(`<node id="%d" version="5" lat="`, first+3),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if regexp.MustCompile(fmt.Sprintf(`<node id="%d"[^>]*action`, first)).MatchString(text) {
		t.Error("a node that does not change is marked as changed")
	}
}

// applied puts the change file onto the extract that it is about with osmium,
// and looks for what should come of it: nothing but what was proposed.
func (x *Export) applied(t *testing.T, r *room, osc string) {
	t.Helper()
	tool, err := exec.LookPath("osmium")
	if err != nil {
		t.Log("osmium is not installed: the change file is not applied")
		return
	}
	folder := t.TempDir()
	change, after := filepath.Join(folder, "c.osc"), filepath.Join(folder, "after.opl")
	if err := os.WriteFile(change, []byte(osc), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "apply-changes", r.extract, change, "-o", after, "-f", "opl,add_metadata=version").CombinedOutput(); err != nil {
		t.Fatalf("osmium apply-changes: %v: %s", err, out)
	}
	before, err := exec.CommandContext(t.Context(), tool, "cat", r.extract, "-f", "opl,add_metadata=version").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(after)
	if err != nil {
		t.Fatal(err)
	}
	was, is := strings.Split(string(before), "\n"), strings.Split(string(text), "\n")
	changed := 0
	for _, line := range is {
		if !slices.Contains(was, line) {
			changed++
		}
	}
	inFile := 0
	for i := range x.Edits {
		if x.Edits[i].InFile() {
			inFile++
		}
	}
	if changed != inFile || len(is) != len(was)+2 {
		t.Errorf("%d objects changed by %d edits, %d lines became %d", changed, inFile, len(was), len(is))
	}
}

// checkOSM holds the rules of the table in C8 for nodes.
func checkOSM(t *testing.T, text string, by map[place][]Task) {
	t.Helper()
	var doc struct {
		Version string `xml:"version,attr"`
		Upload  string `xml:"upload,attr"`
		Nodes   []struct {
			ID      int64  `xml:"id,attr"`
			Version int    `xml:"version,attr"`
			Action  string `xml:"action,attr"`
			Tags    []struct {
				K string `xml:"k,attr"`
				V string `xml:"v,attr"`
			} `xml:"tag"`
		} `xml:"node"`
	}
	if err := xml.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Version != "0.6" || doc.Upload != "true" || len(doc.Nodes) != 10 {
		t.Errorf("version %s, upload %s, %d nodes: %s", doc.Version, doc.Upload, len(doc.Nodes), text)
	}
	made := 0
	for _, n := range doc.Nodes {
		if n.ID > 700000 && n.Action == "" {
			continue // of a way, as it is
		}
		if n.Action != "modify" || (n.ID < 0) != (n.Version == 0) {
			t.Errorf("node %d: action %s, version %d", n.ID, n.Action, n.Version)
		}
		if n.ID < 0 {
			made++
			continue
		}
		if fmt.Sprint("n", n.ID) == by[onlyOSM][0].OSM {
			continue
		}
		if len(n.Tags) != 3 { // those that it had stay
			t.Errorf("node %d has tags %v", n.ID, n.Tags)
		}
	}
	if made != 2 {
		t.Errorf("%d new nodes, want 2", made)
	}
}

func wellFormed(t *testing.T, name, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}

// osmium reads a file with the tool of that name, where it is installed, and
// wants so many nodes.
func osmium(t *testing.T, name, text string, nodes int) {
	t.Helper()
	tool, err := exec.LookPath("osmium")
	if err != nil {
		t.Log("osmium is not installed: the file is not read by it")
		return
	}
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), tool, "fileinfo", "-e", "-g", "data.count.nodes", file).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != fmt.Sprint(nodes) {
		t.Errorf("osmium fileinfo of %s: %s (%v)", name, out, err)
	}
	if out, err := exec.CommandContext(t.Context(), tool, "cat", file, "-o", file+".pbf", "-f", "pbf").CombinedOutput(); err != nil {
		t.Errorf("osmium cat of %s: %s (%v)", name, out, err)
	}
}

func TestForProducer(t *testing.T) {
	t.Parallel()
	r := newRoom(t, 72, agreed, onlyFile, onlyOSM, other, shifted, outlined)
	s, by := r.told()
	list, err := ForProducer(t.Context(), r.hub.Web, s, "crige")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := WriteCorrectionsCSV(&b, list); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"\uFEFFlayer;record;", by[onlyFile][2].Record + ";_exists;yes;no;gone;",
		by[onlyFile][1].Record + ";_geom;" + pointOf(by[onlyFile][1]) + ";5.4100000 43.2100000;exists_elsewhere;",
		by[other][1].Record + ";potable;O;parfois;wrong_open_data;", by[other][2].Record + ";potable;O;;wrong_open_data;",
		"fontaines;;_exists;no;yes;exists_as_described;", "fontaines;;nom;;'=La Vieille;exists_as_described;", "\r\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	for _, never := range []string{by[onlyOSM][1].OSM + ";", osmPointOf(by[shifted][1]), "openstreetmap"} {
		if strings.Contains(b.String(), never) {
			t.Errorf("%q of OpenStreetMap in\n%s", never, b.String())
		}
	}
	b.Reset()
	if err := WriteCorrectionsGeoJSON(&b, list); err != nil || !json.Valid(b.Bytes()) {
		t.Errorf("GeoJSON: %v", err)
	}
	if other, err := ForProducer(t.Context(), r.hub.Web, s, "openstreetmap"); err != nil || len(other) != 0 {
		t.Errorf("another producer gets %v (%v)", other, err)
	}
}

func TestHarmless(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Lavoir": "Lavoir", "=1+1": "'=1+1", "+33 4": "'+33 4", "-1": "'-1", "@x": "'@x", "\t=1": "' =1", " =1": "' =1", "": "", "a\r\nb": "a  b",
	} {
		if got := Harmless(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}
