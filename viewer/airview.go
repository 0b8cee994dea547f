package viewer

import (
	"html/template"
	"sort"
	"strings"
	"time"

	"calanque/geo"
)

// An airRow is the index of one commune on the shown day.
type airRow struct {
	Name, Word, Href string
	Class            int64
	Chip             template.HTML
	Chosen           bool
}

// AirRows are the communes of the shown day by name.
func (v mapView) AirRows() []airRow {
	l := v.Listed()
	if v.Air == nil || l == nil {
		return nil
	}
	var rows []airRow
	for _, f := range v.Air.Values {
		code, _, _ := strings.Cut(f.Key, "@")
		class := airClass(value(l, f, "code_qual"))
		rows = append(rows, airRow{
			Name: nameOf(v.Lang, l, f), Class: class, Chip: chip(class, false),
			Word: Say(v.Lang, airCode(class)), Href: href(v.URL, "sel", code) + "#fiche",
			Chosen: code == v.Air.Chosen,
		})
	}
	sort.SliceStable(rows, func(i, j int) bool { return rows[i].Name < rows[j].Name })
	return rows
}

// An airPart is a sub-index of the chosen commune.
type airPart struct {
	Title string
	Chip  template.HTML
	Word  string
}

// An airCard is the chosen commune on the shown day.
type airCard struct {
	Name, When, Word, Index, Advice string
	Class                           int64
	Chip                            template.HTML
	Parts                           []airPart
	Month                           []airDay
	Back                            string
}

// An airDay is one day of the strip of 30.
type airDay struct {
	Day, Word string
	Chip      template.HTML
}

// AirCard is the chosen commune; nil when none is, or it has no value.
func (v mapView) AirCard() *airCard {
	l := v.Listed()
	if v.Air == nil || v.Air.Chosen == "" || l == nil {
		return nil
	}
	for _, f := range v.Air.Values {
		if code, _, _ := strings.Cut(f.Key, "@"); code == v.Air.Chosen {
			return v.airCard(l, f)
		}
	}
	return nil
}

func (v mapView) airCard(l *Layer, f geo.Feature) *airCard {
	class := airClass(value(l, f, "code_qual"))
	c := &airCard{
		Name: nameOf(v.Lang, l, f), Class: class, Chip: chip(class, true), Word: Say(v.Lang, airCode(class)),
		Advice: Say(v.Lang, "air.advice-"+string(rune('0'+class))), When: upperFirst(v.DayText(v.Air.Day)),
		Back: v.keepPage("sel", "") + "#liste",
	}
	if class >= 1 && class <= 6 {
		c.Index = Say(v.Lang, "air.index", "n", int(class))
	}
	for _, p := range []string{"o3", "pm25", "pm10", "no2", "so2"} {
		if raw := value(l, f, "code_"+p); raw != nil {
			cl := airClass(raw)
			c.Parts = append(c.Parts, airPart{Title: Say(v.Lang, "air."+p), Chip: chip(cl, false), Word: Say(v.Lang, airCode(cl))})
		}
	}
	for _, m := range v.Air.Month {
		_, day, _ := strings.Cut(m.Key, "@")
		cl := airClass(value(l, m, "code_qual"))
		c.Month = append(c.Month, airDay{Day: v.DayText(day), Chip: chip(cl, false), Word: Say(v.Lang, airCode(cl))})
	}
	return c
}

// DayText writes a day of the index, and that it is a forecast when it is.
func (v mapView) DayText(day string) string {
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return day
	}
	if t.After(v.Now) {
		return Say(v.Lang, "air.forecast-for", "day", t)
	}
	return Day(v.Lang, t)
}

// A dayLink leads to one day of the index.
type dayLink struct {
	Text, Href string
	Shown      bool
}

// AirDays are the last nine days there are values for.
func (v mapView) AirDays() []dayLink {
	days := v.Air.Days
	if len(days) > 9 {
		days = days[len(days)-9:]
	}
	var out []dayLink
	for _, d := range days {
		out = append(out, dayLink{Text: v.DayText(d), Href: href(v.URL, "t", d), Shown: d == v.Air.Day})
	}
	return out
}

// A legendItem is one class of the index.
type legendItem struct {
	Chip template.HTML
	Word string
}

// AirLegend are the classes in the order of the legend.
func (v mapView) AirLegend() []legendItem {
	var out []legendItem
	for _, class := range []int64{1, 2, 3, 4, 5, 6, 0} {
		out = append(out, legendItem{Chip: chip(class, false), Word: Say(v.Lang, airCode(class))})
	}
	return out
}

func airClass(v any) int64 {
	if f, ok := asFloat(v); ok && f >= 0 && f <= 7 {
		return int64(f)
	}
	if s, ok := v.(string); ok && len(s) == 1 && s[0] >= '0' && s[0] <= '7' {
		return int64(s[0] - '0')
	}
	return 0
}

func airCode(class int64) string { return "air." + string(rune('0'+class)) }
