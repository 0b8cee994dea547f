package workshop

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"

	"calanque/geo"
	"calanque/geo/postgis"
	"calanque/osm/match"
)

// What an answer may say (design: workshops C6).
const (
	exists      = "exists_as_described"
	elsewhere   = "exists_elsewhere"
	gone        = "gone"
	wrongFile   = "wrong_open_data"
	wrongOSM    = "wrong_osm"
	samePlace   = "same_place"
	otherPlace  = "not_same_place"
	duplicate   = "duplicate"
	twoPlaces   = "two_places"
	cantTell    = "cant_tell"
	needsVisit  = "needs_visit"
	cantTellKey = 4 // the same on every question, so that a hand finds it
)

// Values that are none of a field: that a place is there, where it is, which
// object it is, and which field of the file is wrong. What stands in a file is
// named by its field.
const (
	existsValue = "_exists" // yes or no
	placeValue  = "_geom"   // "lon lat"
	objectValue = "_osm"    // n123
	wrongValue  = "_wrong"  // name of a field
	doubleValue = "_duplicate"
)

// closed is the licence class that shows no values of the file: "please
// observe" is all that may be said.
const closedLicence = "red"

// Ask gives the question of a task as it is now, without claiming it.
func Ask(ctx context.Context, db postgis.DB, task int64) (Question, error) {
	t, err := oneTask(ctx, db, task)
	if err != nil {
		return Question{}, err
	}
	return t.question(), nil
}

// Print tells questions apart that a task has asked one after the other: it
// changes with what is compared.
func (q *Question) Print() []byte { return q.Task.print }

// question words a task (design: workshops C4). Four choices, in the order of
// their keys; "I don't know" is always the fourth.
func (t *Task) question() Question {
	q := Question{Task: *t}
	kind := t.Kind
	if t.Practice {
		kind = match.OnlyOpenData
	}
	switch kind {
	case match.Moved, match.FarReference:
		q.Ask, q.Choices = t.askWhere()
	case match.AttributesDiffer:
		q.Ask, q.Choices = t.askValue()
	case match.Ambiguous:
		q.Ask, q.Choices = t.askWhich()
	case match.DuplicateOpenData, match.DuplicateOSM:
		q.Ask = t.say("workshop.ask.duplicate")
		q.Choices = []Choice{
			{Key: 1, Says: duplicate, Label: geo.Say("workshop.choice.one")},
			{Key: 2, Says: twoPlaces, Label: geo.Say("workshop.choice.two")},
			{Key: 3, Says: needsVisit, Label: geo.Say("workshop.choice.visit")},
		}
	default:
		q.Ask, q.Choices = t.askExists(kind)
	}
	q.Choices = append(q.Choices, Choice{Key: cantTellKey, Says: cantTell, Label: geo.Say("workshop.choice.unknown")})
	return q
}

// say makes a message about the task's place: its name, or what such places
// are called where it has none or may not be named.
func (t *Task) say(code string, args ...any) geo.Message {
	var name any = t.Name
	if t.Name == "" || t.LicenceClass == closedLicence && t.Record != "" {
		code += "-unnamed"
		name = t.noun
		if len(t.noun) == 0 {
			name = geo.Say("workshop.a-place")
		}
	}
	return geo.Say(code, append([]any{"name", name, "producer", t.producer}, args...)...)
}

func (t *Task) askExists(kind match.Kind) (geo.Message, []Choice) {
	code := "workshop.ask.only-open-data"
	switch kind {
	case match.OnlyOSM:
		code = "workshop.ask.only-osm"
	case match.ClosedInOSM:
		code = "workshop.ask.closed"
	}
	yes := Choice{Key: 1, Says: exists, Label: geo.Say("workshop.choice.here")}
	if kind == match.OnlyOSM && t.rule.Name != "" {
		yes.Fields = []string{t.rule.Name} // what it is called, for the file that lacks it
	}
	return t.say(code), []Choice{
		yes,
		{Key: 2, Says: elsewhere, Label: geo.Say("workshop.choice.elsewhere"), Fields: []string{placeValue}},
		{Key: 3, Says: gone, Label: geo.Say("workshop.choice.gone")},
	}
}

func (t *Task) askWhere() (geo.Message, []Choice) {
	a := Choice{Key: 1, Says: wrongOSM, Label: geo.Say("workshop.choice.point-a"), Value: point(t.Lon, t.Lat), Origin: OpenData}
	b := Choice{Key: 2, Says: wrongFile, Label: geo.Say("workshop.choice.point-b"), Origin: FromOSM}
	if t.OSMLon != nil && t.OSMLat != nil {
		b.Value = point(*t.OSMLon, *t.OSMLat)
	}
	return t.say("workshop.ask.moved"), []Choice{
		a, b,
		{Key: 3, Says: elsewhere, Label: geo.Say("workshop.choice.neither-point"), Fields: []string{placeValue}},
	}
}

// askValue asks about the first attribute that differs: one question at a
// time. The others come back when this one is mended.
func (t *Task) askValue() (geo.Message, []Choice) {
	c, ok := t.asked()
	if !ok {
		return t.askExists(match.OnlyOpenData)
	}
	code := "workshop.ask.value"
	if c.Field == t.rule.Name {
		code = "workshop.ask.name"
	}
	other := Choice{Key: 3, Says: wrongFile, Label: geo.Say("workshop.choice.other"), Fields: []string{c.Field}}
	if t.LicenceClass == closedLicence {
		// The file's value may not be shown, and a choice of two would tell it.
		other.Label, other.Key = geo.Say("workshop.choice.write"), 1
		return t.say("workshop.ask.observe", "field", t.label(c.Field)), []Choice{
			other,
			{Key: 2, Says: gone, Label: geo.Say("workshop.choice.gone")},
			{Key: 3, Says: needsVisit, Label: geo.Say("workshop.choice.visit")},
		}
	}
	return t.say(code, "field", t.label(c.Field)), []Choice{
		{Key: 1, Says: wrongOSM, Label: geo.Say("workshop.choice.a", "value", t.shown(c, c.Ours)), Value: c.Ours, Origin: OpenData},
		{Key: 2, Says: wrongFile, Label: geo.Say("workshop.choice.b", "value", t.shown(c, c.Theirs)), Value: c.Theirs, Origin: FromOSM},
		other,
	}
}

// asked is the attribute that the task asks about.
func (t *Task) asked() (compared, bool) {
	if list := t.conflicts(); len(list) > 0 {
		return list[0], true
	}
	if len(t.fields) > 0 { // it differed when it was asked
		return compared{Field: t.fields[0]}, true
	}
	return compared{}, false
}

func (t *Task) label(field string) any {
	if l := t.labels[field]; len(l) > 0 {
		return l
	}
	return field
}

// shown writes a value as the layer does, and OSM's yes and no as words.
func (t *Task) shown(c compared, value string) any {
	if l := t.valueLabels[c.Field][value]; len(l) > 0 {
		return l
	}
	for _, a := range t.rule.Attributes {
		if a.Field != c.Field || a.Type != match.Bool {
			continue
		}
		if yes, ok := truth(value); ok {
			return yes
		}
	}
	return value
}

func (t *Task) askWhich() (geo.Message, []Choice) {
	if len(t.candidates) < 2 {
		c := Choice{Key: 1, Says: samePlace, Label: geo.Say("workshop.choice.same")}
		if len(t.candidates) == 1 {
			c.Value, c.Origin = t.candidates[0].OSM, FromOSM
		}
		return t.say("workshop.ask.same"), []Choice{
			c,
			{Key: 2, Says: otherPlace, Label: geo.Say("workshop.choice.not-same")},
			{Key: 3, Says: needsVisit, Label: geo.Say("workshop.choice.visit")},
		}
	}
	choices := make([]Choice, 0, cantTellKey)
	for i, c := range t.candidates[:2] {
		code := []string{"workshop.choice.candidate-a", "workshop.choice.candidate-b"}[i]
		args := []any{"distance", c.Distance}
		if c.Name != "" {
			code += "-named"
			args = append(args, "name", c.Name)
		}
		choices = append(choices, Choice{Key: i + 1, Says: samePlace, Label: geo.Say(code, args...), Value: c.OSM, Origin: FromOSM})
	}
	return t.say("workshop.ask.which"), append(choices, Choice{Key: 3, Says: otherPlace, Label: geo.Say("workshop.choice.neither")})
}

// point writes a position as answers keep it: "lon lat", to a centimetre.
func point(lon, lat float64) string {
	return strconv.FormatFloat(lon, 'f', 7, 64) + " " + strconv.FormatFloat(lat, 'f', 7, 64)
}

// earthDegree is a degree of latitude in metres, on a sphere of 6,371 km.
const earthDegree = 111_195

// Toward gives the position so many metres from the task's place, towards a
// bearing in degrees from north, as answers keep positions: how people tell
// where something is without pointing at a map. On the sphere; a kilometre at
// most, beyond which nobody points.
func (t *Task) Toward(bearing, metres float64) string {
	metres = min(metres, 1000)
	sin, cos := math.Sincos(bearing * math.Pi / 180)
	return point(t.Lon+metres*sin/earthDegree/math.Cos(t.Lat*math.Pi/180), t.Lat+metres*cos/earthDegree)
}

// parsePoint reads "lon lat" (a comma will do).
func parsePoint(s string) (lon, lat float64, err error) {
	parts := strings.Fields(strings.ReplaceAll(s, ",", " "))
	if len(parts) == 2 {
		if lon, err = strconv.ParseFloat(parts[0], 64); err == nil {
			lat, err = strconv.ParseFloat(parts[1], 64)
		}
	}
	if len(parts) != 2 || err != nil || !(lon >= -180 && lon <= 180 && lat >= -85 && lat <= 85) {
		return 0, 0, fmt.Errorf("read the position %q: %w", s, geo.ErrInvalid)
	}
	return lon, lat, nil
}

// choice finds a choice by its key, or the first that says so.
func (q *Question) choice(key int, says string) (Choice, bool) {
	for _, c := range q.Choices {
		if key == c.Key || key == 0 && says == c.Says {
			return c, true
		}
	}
	return Choice{}, false
}

// Practice gives the question to try out on; geo.ErrNotFound where there is
// none.
func Practice(ctx context.Context, db postgis.DB, session int64) (Question, error) {
	var list []Task
	err := briefly(ctx, db, func(tx pgx.Tx) (err error) {
		list, err = readTasks(ctx, tx, fromTasks, "t.session_id = $2 and t.practice", session)
		return err
	})
	if err != nil {
		return Question{}, err
	}
	if len(list) == 0 {
		return Question{}, fmt.Errorf("find the practice task: %w", geo.ErrNotFound)
	}
	return list[0].question(), nil
}

// Example gives a solved question and the key of its answer: the practice
// place seen as if it were asked about, which is there on both sides.
func Example(ctx context.Context, db postgis.DB, session int64) (q Question, key int, err error) {
	list, err := samePlaces(ctx, db, session, 1)
	if err != nil {
		return Question{}, 0, err
	}
	if len(list) == 0 {
		return Question{}, 0, fmt.Errorf("find an example: %w", geo.ErrNotFound)
	}
	list[0].Practice = true
	return list[0].question(), 1, nil
}
