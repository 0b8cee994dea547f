package viewer

import (
	"net/url"
	"strconv"
)

// Filtered reports whether more than the words narrow the search.
func (p CataloguePage) Filtered() bool {
	for _, f := range p.Facets {
		for _, c := range f.Choices {
			if c.Chosen {
				return true
			}
		}
	}
	return p.Topic() != ""
}

// Topic is the chosen theme, "" for none.
func (p CataloguePage) Topic() string {
	for _, t := range p.Topics {
		if t.Chosen {
			return t.ID
		}
	}
	return ""
}

// TopicHref chooses a theme, or lets go of it.
func (p CataloguePage) TopicHref(t Topic) string {
	id := t.ID
	if t.Chosen {
		id = ""
	}
	return listHref(p.URL, "theme", id)
}

// Sorts are the orders of a list.
func (CataloguePage) Sorts() []string { return []string{"pertinence", "recent", "titre"} }

// Without is the search for the words alone, Asking that for other words.
func (p CataloguePage) Without() string {
	return p.To("/donnees?" + url.Values{"q": {p.Query}}.Encode())
}

// OnMap is the search for the words among communes and places.
func (p CataloguePage) OnMap() string {
	return p.To("/carte?" + url.Values{"q": {p.Query}}.Encode())
}

// First and Last number the datasets that are shown.
func (p CataloguePage) First() int { return (p.Number-1)*HitsPage + 1 }

// Last is the number of the last dataset that is shown.
func (p CataloguePage) Last() int { return p.First() + len(p.Hits) - 1 }

// A PageLink leads to a page of the list.
type PageLink struct {
	Number  int // 0 for a gap
	Href    string
	Current bool
}

// Pages are the links to the first, the last and the neighbouring pages.
func (p CataloguePage) Pages() []PageLink {
	last := (p.Total + HitsPage - 1) / HitsPage
	if last < 2 {
		return nil
	}
	var links []PageLink
	for n := 1; n <= last; n++ {
		if n != 1 && n != last && (n < p.Number-2 || n > p.Number+2) {
			if links[len(links)-1].Number != 0 {
				links = append(links, PageLink{})
			}
			continue
		}
		links = append(links, PageLink{Number: n, Href: p.PageHref(n), Current: n == p.Number})
	}
	return links
}

// PageHref is the address of a page of the list.
func (p CataloguePage) PageHref(n int) string {
	number := ""
	if n > 1 {
		number = strconv.Itoa(n)
	}
	return listHref(p.URL, "page", number) + "#resultats"
}

// Previous and Next are addresses, "" at the ends.
func (p CataloguePage) Previous() string {
	if p.Number <= 1 {
		return ""
	}
	return p.PageHref(p.Number - 1)
}

// Next is the address of the page after this one.
func (p CataloguePage) Next() string {
	if p.Number*HitsPage >= p.Total {
		return ""
	}
	return p.PageHref(p.Number + 1)
}

// listHref sets one member of the query; anything but the page's number leads
// to the first page.
func listHref(u *url.URL, name, value string) string {
	q, path := url.Values{}, "/donnees"
	if u != nil {
		q, path = u.Query(), u.Path
	}
	q.Del("page")
	q.Del(name)
	if value != "" {
		q.Set(name, value)
	}
	for k, v := range q { // empty fields of a form
		if len(v) == 1 && v[0] == "" {
			delete(q, k)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}
