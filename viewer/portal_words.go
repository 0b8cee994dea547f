package viewer

import (
	"net/url"

	"calanque/geo"
)

// PictureOf is the address of the drawn map of a layer.
func (p DatasetPage) PictureOf(l *DatasetLayer) string {
	return "/apercu/" + l.ID + ".svg?lg=" + p.Lang
}

// Word searches for a keyword.
func (p DatasetPage) Word(t geo.Text) string {
	return p.To("/donnees?" + url.Values{"q": {t.In(p.Lang)}}.Encode())
}

// TopicHref leads to the page of a theme.
func (p HomePage) TopicHref(t Topic) string { return p.To("/themes/" + t.ID) }

// ruleName says what a rule of loading repairs or rejects. The sentences of
// the rules speak of one record; the page counts them.
func ruleName(lang, code string) string {
	if said(lang, "portal.rule-"+code) {
		return Say(lang, "portal.rule-"+code)
	}
	return Say(lang, "portal.rule-other")
}
