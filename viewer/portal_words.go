package viewer

import (
	"net/url"
	"strings"

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

// stepName says what a step of the chain was: the decision that it followed.
func stepName(lang, step string) string {
	_, to, _ := strings.Cut(step, "-")
	for _, code := range []string{"portal.step-" + step, "portal.step-to-" + to} {
		if said(lang, code) {
			return Say(lang, code)
		}
	}
	return Say(lang, "portal.step-back")
}
