package viewer

import (
	"bytes"
	"html"
	"html/template"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

// markdown is what people may write: paragraphs, lists, links, emphasis,
// tables. HTML in it is left out by the parser, and once more by the
// sanitiser.
var markdown = sync.OnceValue(func() goldmark.Markdown {
	return goldmark.New(goldmark.WithExtensions(extension.Table, extension.Linkify))
})

// allowed is what may come out. Headings are not: the page has its own. A
// picture would be a request to another host.
var allowed = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "ul", "ol", "li", "em", "strong", "code", "pre", "blockquote", "br", "table", "thead", "tbody", "tr", "th", "td", "hr")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.AllowRelativeURLs(true)
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	return p
})

// Markdown makes HTML of what people wrote; never more than allowed lets pass.
func Markdown(s string) (template.HTML, error) {
	var b bytes.Buffer
	if err := markdown().Convert([]byte(s), &b); err != nil {
		return "", err
	}
	return template.HTML(allowed().SanitizeBytes(b.Bytes())), nil
}

// strict leaves no element at all.
var strict = sync.OnceValue(bluemonday.StrictPolicy)

// PlainText is Markdown in words alone, on one line.
func PlainText(s string) string {
	if !strings.ContainsAny(s, "*_`[]<>#&|~\\\n") {
		return s
	}
	out, err := Markdown(s)
	if err != nil {
		return s
	}
	words := html.UnescapeString(strict().Sanitize(blocks.Replace(string(out))))
	return strings.Join(strings.FieldsFunc(words, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' || r == '\r' }), " ")
}

// blocks part words where only an element did.
var blocks = strings.NewReplacer("</p>", "</p> ", "</li>", "</li> ", "<br", " <br", "</td>", "</td> ", "</th>", "</th> ")
