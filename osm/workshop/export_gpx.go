package workshop

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"strconv"

	"calanque/geo"
)

// WriteGPX writes the questions as waypoints, in the order of a walk from one
// to the nearest next. Those that are settled say how.
func (x *Export) WriteGPX(w io.Writer, say Words) error {
	b := &bytes.Buffer{}
	b.WriteString(xml.Header)
	b.WriteString(`<gpx version="1.1" creator="` + generator + `" xmlns="http://www.topografix.com/GPX/1/1">` + "\n")
	for _, t := range onFoot(x.Tasks) {
		sym := "Flag, Blue"
		if !t.Open {
			sym = "Flag, Green"
		}
		b.WriteString(`  <wpt lat="` + degrees(t.Lat) + `" lon="` + degrees(t.Lon) + `"><name>` + strconv.Itoa(t.Number) + `</name><desc>` +
			escaped(describe(t, say)) + `</desc><sym>` + sym + "</sym></wpt>\n")
	}
	b.WriteString("</gpx>\n")
	return send(w, b)
}

// describe is a question, and its answer if it is settled.
func describe(t *Task, say Words) string {
	text := say(t.question().Ask)
	if t.Verdict != "" {
		text += " – " + say(geo.Say("workshop.says."+t.Verdict))
	}
	return text
}

// onFoot puts tasks into the order of a walk: always to the nearest that is left
// over, from the first number on. Those without a place are left out.
func onFoot(tasks []Task) []*Task {
	var left, order []*Task
	for i := range tasks {
		if tasks[i].placed() {
			left = append(left, &tasks[i])
		}
	}
	next := 0
	for len(left) > 0 {
		here := left[next]
		order = append(order, here)
		left = append(left[:next], left[next+1:]...)
		next = 0
		nearest := math.Inf(1)
		for i, t := range left {
			if d := math.Hypot(t.x-here.x, t.y-here.y); d < nearest {
				next, nearest = i, d
			}
		}
	}
	return order
}

// placed reports whether anything says where a task is.
func (t *Task) placed() bool { return t.Lon != 0 || t.Lat != 0 }
