package viewer

import (
	"html/template"
	"strings"
	"time"

	"calanque/geo"
)

// groups are the four groups of outcomes, in the order they are looked at.
var groups = []string{"differs", "partner", "osm", "same"}

// An outcomeView is one outcome: both records side by side and why.
type outcomeView struct {
	ID, Group, Title, Name, Reason, Note, Gap, Licence, Href, Object string
	Rows                                                             []compareRow
	Desk                                                             *deskView // nil for those who may not judge
}

// A deskView is the answer row of screen 03 at a desk, without a script.
type deskView struct {
	*Desk
	*SignedIn
	Back, Next string // addresses of this page, and of the next outcome; Next is "" on the last
}

// Said is what holds, in words; "" for nothing.
func (d deskView) Said() string { return "verdict.said-" + d.Says }

// A compareRow is one information on both sides.
type compareRow struct {
	Label               string
	Ours, Theirs        string
	OursHTML, TheirHTML template.HTML // the differing words underlined
	Differs             bool
}

// outcomeOf reads an outcome feature. l is the compared layer, ol its outcomes.
func outcomeOf(lang string, l, ol *Layer, f geo.Feature) *outcomeView {
	group, _ := value(ol, f, "group").(string)
	if _, ok := outcomePaths[group]; !ok {
		group = "other"
	}
	producer := l.Producer.Title.In(lang)
	o := &outcomeView{ID: f.Key, Group: group, Title: Say(lang, "compare.title-"+group)}
	o.Name, _ = value(ol, f, "name").(string)
	if o.Name == "" {
		o.Name = Say(lang, "list.unnamed")
	}
	o.Object, _ = value(ol, f, "osm").(string)
	kind, _ := value(ol, f, "kind").(string)
	var reason geo.Message
	jsonValue(value(ol, f, "reason"), &reason)
	if reason.Code != "" {
		o.Reason = Reason(lang, reason)
	}
	var rows []comparedRow
	jsonValue(value(ol, f, "comparison"), &rows)
	if kind == "attributes_differ" && nameAlone(rows, reason) {
		kind = "name" // the case that people meet most has its own words
	}
	about := aboutArgs(lang, l, reason, producer)
	if said(lang, "outcome.title-"+kind) {
		o.Title = Sentence(lang, geo.Message{Code: "outcome.title-" + kind, Args: about})
	}
	if said(lang, "outcome."+kind) {
		o.Note = Sentence(lang, geo.Message{Code: "outcome." + kind, Args: about})
	}
	if d, ok := asFloat(value(ol, f, "distance")); ok && (group == "same" || group == "differs") {
		o.Gap = Say(lang, "compare.gap", "distance", d)
	}
	class := l.Licence.Class
	if class == "" {
		class = geo.Red
	}
	o.Licence = Say(lang, "compare.copy-"+string(class), "producer", producer)
	for _, r := range rows {
		row := compareRow{Label: r.Tag, Differs: differs(r.Is)}
		for _, fd := range l.Fields {
			if fd.Name == r.Field {
				row.Label = labelOf(lang, fd)
			}
		}
		row.Ours, row.Theirs = sideText(lang, l, r.Field, r.Ours), sideText(lang, l, r.Field, r.Theirs)
		if _, coded := l.Style.Values[r.Field][rawText(r.Ours)]; coded && (r.Is == "equal" || r.Is == "equivalent") {
			row.Theirs = row.Ours // the same in OSM's words is said in the layer's
		}
		row.OursHTML, row.TheirHTML = template.HTML(template.HTMLEscapeString(row.Ours)), template.HTML(template.HTMLEscapeString(row.Theirs))
		if row.Differs && row.Ours != "" && row.Theirs != "" {
			row.OursHTML, row.TheirHTML = underline(row.Ours, row.Theirs)
		}
		o.Rows = append(o.Rows, row)
	}
	return o
}

// A comparedRow is one attribute side by side, as the matcher wrote it.
type comparedRow struct {
	Field, Tag, Is string
	Ours, Theirs   any
}

// nameAlone reports whether nothing but the name asks for a look.
func nameAlone(rows []comparedRow, reason geo.Message) bool {
	fields, _ := reason.Args["fields"].([]any)
	for _, r := range rows {
		if r.Tag == "name" && len(fields) == 1 && fields[0] == r.Field {
			return true
		}
	}
	return false
}

// Reason says why an outcome is what it is: the sentence of its code, then one
// for each further evidence among its arguments (name, reference, the next
// best, the nearest).
func Reason(lang string, m geo.Message) string {
	parts := []string{Sentence(lang, m)}
	add := func(code string) {
		if said(lang, code) {
			parts = append(parts, Sentence(lang, geo.Message{Code: code, Args: m.Args}))
		}
	}
	if level, ok := m.Args["name"].(string); ok {
		add("match.name-" + level)
	}
	for _, e := range []struct{ arg, code, named string }{
		{"reference", "match.reference", ""},
		{"runner_up", "match.runner-up", "runner_up_name"},
		{"none_within", "match.none-within", ""},
		{"nearest", "match.nearest", "nearest_name"},
	} {
		if _, ok := m.Args[e.arg]; !ok {
			continue
		}
		if name, _ := m.Args[e.named].(string); name != "" {
			add(e.code + "-named")
		} else {
			add(e.code)
		}
	}
	return strings.Join(parts, " ")
}

func said(lang, code string) bool { return loaded()[lang][code] != "" }

// aboutArgs are the arguments of the short sentences about an outcome: those of
// its reason, with fields by their labels, and the producer.
func aboutArgs(lang string, l *Layer, reason geo.Message, producer string) map[string]any {
	args := map[string]any{"producer": producer}
	for k, v := range reason.Args {
		args[k] = v
	}
	if names, ok := args["fields"].([]any); ok {
		labels := make([]string, 0, len(names))
		for _, n := range names {
			name, _ := n.(string)
			f := geo.Field{Name: name}
			for _, fd := range l.Fields {
				if fd.Name == name {
					f = fd
				}
			}
			labels = append(labels, labelOf(lang, f))
		}
		args["fields"] = strings.ToLower(strings.Join(labels, ", "))
	}
	return args
}

func sideText(lang string, l *Layer, field string, v any) string {
	if v == nil || v == "" {
		return ""
	}
	return valueText(lang, l, field, v)
}

// differs reports whether a compared field asks for a look: a conflict.
func differs(is string) bool { return is == "conflict" }

// underline marks the words of two texts that are not common to both, in
// their order (longest common subsequence of words).
func underline(a, b string) (template.HTML, template.HTML) {
	x, y := strings.Fields(a), strings.Fields(b)
	common := make([][]int, len(x)+1)
	for i := range common {
		common[i] = make([]int, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	keepX, keepY := make([]bool, len(x)), make([]bool, len(y))
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i] == y[j]:
			keepX[i], keepY[j] = true, true
			i, j = i+1, j+1
		case common[i+1][j] >= common[i][j+1]:
			i++
		default:
			j++
		}
	}
	return marked(x, keepX), marked(y, keepY)
}

func marked(words []string, keep []bool) template.HTML {
	var b strings.Builder
	for i := 0; i < len(words); {
		j := i
		for j < len(words) && keep[j] == keep[i] {
			j++
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		text := template.HTMLEscapeString(strings.Join(words[i:j], " "))
		if keep[i] {
			b.WriteString(text)
		} else {
			b.WriteString(`<u class="df">` + text + `</u>`)
		}
		i = j
	}
	return template.HTML(b.String())
}

// A filterView is one group of outcomes with its count.
type filterView struct {
	Group, Title string
	Count        int64
	Shown        bool
}

// Filters are the four groups with their counts.
func (v mapView) Filters() []filterView {
	var out []filterView
	for _, g := range groups {
		out = append(out, filterView{Group: g, Title: Say(v.Lang, "compare."+g), Count: v.Compare.Counts[g], Shown: contains(v.Compare.Shown, g)})
	}
	return out
}

// Todo counts the outcomes that ask for a look.
func (v mapView) Todo() int64 {
	return v.Compare.Counts["differs"] + v.Compare.Counts["partner"] + v.Compare.Counts["osm"]
}

// Agreement is the share of both sides among the four groups; -1 without any.
func (v mapView) Agreement() float64 {
	all := v.Todo() + v.Compare.Counts["same"]
	if all == 0 {
		return -1
	}
	return float64(v.Compare.Counts["same"]) / float64(all)
}

// Compared is the layer that is compared.
func (v mapView) Compared() *Layer { return v.layer(v.Compare.Layer) }

// Work is the list of outcomes to look at.
func (v mapView) Work() []*outcomeView {
	l := v.Compared()
	if l == nil {
		return nil
	}
	ol := v.layer(l.Outcomes)
	if ol == nil {
		return nil
	}
	var out []*outcomeView
	for _, f := range v.Compare.List.Features {
		o := outcomeOf(v.Lang, l, ol, f)
		o.Href = v.keepPage("sel", f.Key) + "#fiche"
		out = append(out, o)
	}
	return out
}

// ChosenOutcome is the outcome of ?sel=; nil when none is chosen.
func (v mapView) ChosenOutcome() *outcomeView {
	l := v.Compared()
	if v.Compare.Chosen == nil || l == nil || v.layer(l.Outcomes) == nil {
		return nil
	}
	o := outcomeOf(v.Lang, l, v.layer(l.Outcomes), *v.Compare.Chosen)
	if v.Compare.Desk != nil && v.SignedIn != nil {
		o.Desk = &deskView{Desk: v.Compare.Desk, SignedIn: v.SignedIn, Back: v.keepPage(), Next: v.after(o.ID)}
	}
	return o
}

// after is the address of the outcome that is listed after another; "" after
// the last.
func (v mapView) after(id string) string {
	list := v.Compare.List.Features
	for i := range list {
		if list[i].Key == id && i+1 < len(list) {
			return v.keepPage("sel", list[i+1].Key) + "#fiche"
		}
	}
	return ""
}

// WorkNext is the link to the next page of outcomes; "" on the last.
func (v mapView) WorkNext() string { return nextPage(v, &v.Compare.List) }

// staleAfter is how old a layer may be before its freshness turns ochre.
func staleAfter(frequency string) time.Duration {
	const day = 24 * time.Hour
	switch frequency {
	case "hourly":
		return 6 * time.Hour
	case "daily":
		return 2 * day
	case "weekly":
		return 10 * day
	case "monthly":
		return 45 * day
	case "quarterly":
		return 120 * day
	}
	return 400 * day
}
