package viewer

import (
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"math"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"calanque/geo"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed src/icons.json src/portal-icons.json src/symbols.json src/outline.svg
var drawings embed.FS

// Map writes the page /carte.
func Map(w io.Writer, p MapPage) error { return render(w, p.Lang, "map.html", mapView{p}) }

// Help writes the page /aide.
func Help(w io.Writer, p Page) error { return render(w, p.Lang, "help.html", p) }

// SignIn writes the page /connexion.
func SignIn(w io.Writer, p SignInPage) error { return render(w, p.Lang, "signin.html", p) }

// Problem writes an error as a page.
func Problem(w io.Writer, p ProblemPage) error { return render(w, p.Lang, "problem.html", p) }

func render(w io.Writer, lang, name string, model any) error {
	t, ok := templates()[lang]
	if !ok {
		t = templates()[Languages[0]]
	}
	if err := t.ExecuteTemplate(w, name, model); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return nil
}

// templates parses the templates once for each language, so that inside them
// {{t "code"}} needs no language.
var templates = sync.OnceValue(func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, lang := range Languages {
		all[lang] = template.Must(template.New("").Funcs(functions(lang)).ParseFS(templateFiles, "templates/*.html"))
	}
	return all
})

func functions(lang string) template.FuncMap {
	return template.FuncMap{
		"t":        func(code string, args ...any) string { return Say(lang, code, args...) },
		"sentence": func(m geo.Message) string { return Sentence(lang, m) },
		"text":     func(t geo.Text) string { return t.In(lang) },
		"num":      func(n int64) string { return Number(lang, float64(n)) },
		"lang":     func() string { return lang },
		"langs":    func() []string { return Languages },
		"icon":     icon,
		"outline":  outline,
		"outcome":  outcomeSymbol,
		"chip":     chip,
		"href":     href,
		"bundle":   bundle,
		"built":    Built,
		"add":      func(a, b int) int { return a + b },
		"percent":  func(f float64) string { return Percent(lang, f) },
		"json":     scriptJSON,
		"date":     func(t time.Time) string { return Date(lang, t) },
		"frequency": func(f string) string {
			if _, ok := loaded()[lang]["frequency."+f]; ok {
				return Say(lang, "frequency."+f)
			}
			return f
		},
		"group":       groupSign,
		"phases":      func() []int { return []int{1, 2, 3, 4} },
		"num64":       func(n int) string { return Number(lang, float64(n)) },
		"plainnum":    func(f float64) string { return Number(lang, f) },
		"duration":    func(minutes int) string { return Duration(lang, minutes) },
		"fieldLabel":  func(f geo.Field) string { return labelOf(lang, f) },
		"foundHref":   foundHref,
		"wrong":       func(all map[string]geo.Message, field string) ReuseFault { return ReuseFault{field, all[field]} },
		"choice":      func(facet string, c Choice) string { return choiceTitle(lang, facet, c) },
		"lead":        func(t geo.Text) string { return Lead(lang, t) },
		"markdown":    func(t geo.Text) (template.HTML, error) { return Markdown(t.In(lang)) },
		"formatName":  FormatName,
		"bytes":       func(n int64) string { return Bytes(lang, float64(n)) },
		"said":        func(code string) bool { return said(lang, code) },
		"topicIcon":   topicIcon,
		"upper":       upperFirst,
		"step":        func(step string) string { return stepName(lang, step) },
		"whole":       func(share float64) float64 { return math.Round(share*100) / 100 },
		"rule":        func(code string) string { return ruleName(lang, code) },
		"problemCode": problemCode,
		"wait":        waitIcon,
		"encodings":   func() []string { return []string{"utf-8", "cp1252", "cp850", "mac", "utf-16"} },
		"box":         func(b *geo.Box) string { return extentText(lang, b) },
		"maxbytes":    func(mb int64) int64 { return mb << 20 },
		"correction":  func(field, was, seen string) string { return correctionText(lang, field, was, seen) },
	}
}

// href gives the URL with query members set: alternating names and values; an
// empty value takes the member out. Paging ends when anything else changes.
func href(u *url.URL, pairs ...string) string {
	q := url.Values{}
	path := "/carte"
	if u != nil {
		q, path = u.Query(), u.Path
	}
	paged := false
	for i := 0; i+1 < len(pairs); i += 2 {
		paged = paged || pairs[i] == "apres" || pairs[i] == "lg"
		if pairs[i+1] == "" {
			q.Del(pairs[i])
		} else {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if !paged {
		q.Del("apres")
		q.Del("page")
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// foundHref leads from a search result to the page that shows it.
func foundHref(p MapPage, kind string, i FoundItem) string {
	on := strings.Join(p.On, ",")
	switch kind {
	case "commune":
		return href(p.URL, "q", "", "commune", i.ID) + "#liste"
	case "layer":
		return href(p.URL, "q", "", "c", i.Layer, "commune", "") + "#liste"
	}
	if on == "" || !strings.HasPrefix(on+",", i.Layer+",") {
		on = i.Layer
	}
	return href(p.URL, "q", "", "c", on, "sel", i.ID) + "#fiche"
}

// problemCode chooses the sentences of an HTTP status; those without their own
// are said like 400 or 500.
func problemCode(part string, status int) string {
	switch {
	case status == 404 || status == 410:
		status = 404
	case status == 403:
	case status == 503 || status == 429 || status == 504:
		status = 503
	case status >= 400 && status < 500:
		status = 400
	default:
		status = 500
	}
	return "problem." + part + "-" + strconv.Itoa(status)
}

// scriptJSON is a value for a data block of the page; json.Marshal escapes <,
// > and &, so it can't end the block.
func scriptJSON(v any) (template.JS, error) {
	data, err := json.Marshal(v)
	return template.JS(data), err
}

// outline is the region's outline, seen until the map is drawn.
func outline() (template.HTML, error) {
	svg, err := drawings.ReadFile("src/outline.svg")
	return template.HTML(svg), err
}

// topicIcon is the icon of a theme; one that has none gets a plain sign.
func topicIcon(id string, size int) (template.HTML, error) {
	if _, ok := icons()["topic-"+id]; !ok {
		return icon("list", size)
	}
	return icon("topic-"+id, size)
}

// icon is one of the interface's icons of src/icons.json.
func icon(name string, size int) (template.HTML, error) {
	inner, ok := icons()[name]
	if !ok {
		return "", fmt.Errorf("no icon %q", name)
	}
	return template.HTML(fmt.Sprintf(`<svg class="ic" width="%d" height="%d" viewBox="0 0 24 24" aria-hidden="true">%s</svg>`, size, size, inner)), nil
}

var icons = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	mustDecode("src/icons.json", &m)
	mustDecode("src/portal-icons.json", &m) // adds to them; the map's script needs none of these
	return m
})

func mustDecode(file string, v any) {
	data, err := drawings.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		panic(file + ": " + err.Error()) // embedded, and tested
	}
}
